"""A transaction of the table service on the wire: `multipart/mixed`, written and read by hand.

The client's `submit_transaction` builds and parses it with `email` and a pipeline for each part, which is several times the CPU of
everything else that a row costs. It is sent through the client's pipeline all the same: credentials, connections and the log are the
client's (`tables.py`); this file is pure: operations in, bytes out; an answer's bytes in, etags or a refusal out.

Source: learn.microsoft.com/rest/api/storageservices, "Performing entity group transactions" and "Payload format for Table service
operations".
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from urllib.parse import quote
from uuid import uuid4

from sync.ports import Insert, Merge, Operation, Remove, Replace, Row, Scalar

METHODS: Mapping[type[Operation], str] = {Insert: "POST", Replace: "PUT", Merge: "PATCH", Remove: "DELETE"}

_STATUS = re.compile(rb"^HTTP/1\.[01] (\d{3})\b", re.MULTILINE)
_ETAG = re.compile(rb"^etag:[ \t]*([^\r\n]+)", re.MULTILINE | re.IGNORECASE)
_PLACE = re.compile(r"(\d+):")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why nothing of a transaction was done. `code` and `text` are the service's, '' where it gave none; `place`: of the operation."""

    status: int
    code: str = ""
    text: str = ""
    place: int = 0


def body_of(address: str, table: str, partition: str, operations: Sequence[Operation]) -> tuple[str, bytes]:
    """Content type and body of a POST to `$batch`. `address`: of the account, without a slash at its end."""
    batch, changes = f"batch_{uuid4()}", f"changeset_{uuid4()}"
    lines = [f"--{batch}\r\nContent-Type: multipart/mixed; boundary={changes}\r\n\r\n"]
    for number, operation in enumerate(operations):
        lines.append(
            f"--{changes}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: {number}\r\n\r\n"
            f"{_request(f'{address}/{table}', partition, operation)}\r\n"
        )
    lines.append(f"--{changes}--\r\n\r\n--{batch}--\r\n")
    return f"multipart/mixed; boundary={batch}", "".join(lines).encode()


def _request(address: str, partition: str, operation: Operation) -> str:
    keys = "" if isinstance(operation, Insert) else f"(PartitionKey='{_key(partition)}',RowKey='{_key(operation.key)}')"
    start = (
        f"{METHODS[type(operation)]} {address}{keys} HTTP/1.1\r\nAccept: application/json;odata=minimalmetadata\r\n"
        "DataServiceVersion: 3.0\r\nPrefer: return-no-content\r\n"
    )
    match operation:
        case Remove(etag=etag):
            return f"{start}If-Match: {'*' if etag is None else etag}\r\nContent-Length: 0\r\n\r\n"
        case Replace(etag=str(etag)) | Merge(etag=str(etag)):
            start += f"If-Match: {etag}\r\n"
    content = json.dumps(_entity(partition, operation.key, operation.values))  # ASCII: as many bytes as characters
    return f"{start}Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n{content}"


def _key(text: str) -> str:
    return quote(text.replace("'", "''"), safe="")


def _entity(partition: str, key: str, values: Row) -> dict[str, str | int | float | bool]:
    entity: dict[str, str | int | float | bool] = {"PartitionKey": partition, "RowKey": key}
    for name, value in values.items():
        written, kind = _value(value)
        entity[name] = written
        if kind:
            entity[f"{name}@odata.type"] = kind
    return entity


def _value(value: Scalar) -> tuple[str | int | float | bool, str]:
    """A value as JSON holds it, and its type where JSON does not say it."""
    match value:
        case str() | bool():
            return value, ""
        case int():
            return (value, "") if -(2**31) <= value < 2**31 else (str(value), "Edm.Int64")
        case float():
            return (value if isfinite(value) else _unbounded(value)), "Edm.Double"
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "Edm.DateTime"


def _unbounded(value: float) -> str:
    """OData's words for what JSON has no number for."""
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"  # noqa: PLR0124 - NaN is not itself


def read_answer(content: bytes) -> list[str] | Refusal:
    """What a 202 brings: the new etags in the order of the operations ('' where there is none), or why all of it was refused."""
    starts = list(_STATUS.finditer(content))
    etags: list[str] = []
    for number, start in enumerate(starts, 1):
        part = content[start.end() : starts[number].start() if number < len(starts) else None]
        if not start[1].startswith(b"2"):
            return refusal_of(int(start[1]), part)
        found = _ETAG.search(part)
        etags.append(found[1].decode().rstrip() if found else "")
    return etags


def refusal_of(status: int, content: bytes) -> Refusal:
    """What an error's body says. The service begins the text with the operation's place: `3:The specified entity …`."""
    try:
        error = json.loads(content[content.index(b"{") : content.rindex(b"}") + 1])["odata.error"]
        code, text = str(error["code"]), str(error["message"]["value"])
    except (ValueError, KeyError, TypeError):
        return Refusal(status=status)
    place = _PLACE.match(text)
    return Refusal(status=status, code=code, text=text, place=int(place[1]) if place else 0)
