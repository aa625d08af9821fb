"""A transaction's bytes: read back here by Python's own MIME parser, and with answers as the service words them."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes
from email.message import Message
from typing import Any
from urllib.parse import unquote

import pytest

from sync.ports import Insert, Merge, Operation, Remove, Replace, Scalar
from sync.stores.changeset import Refusal, body_of, read_answer, refusal_of
from sync.stores.limits import MAX_OPERATIONS, payload

ADDRESS = "https://acme.table.core.windows.net"
NOW = datetime(2026, 3, 1, 12, 30, 15, 123457, tzinfo=UTC)
ETAG = "W/\"datetime'2026-03-01T12%3A00%3A00.1234567Z'\""


class Part:
    """One operation as the service gets it."""

    def __init__(self, part: Message) -> None:
        assert (part.get_content_type(), part["Content-Transfer-Encoding"]) == ("application/http", "binary")
        self.number = part["Content-ID"]
        whole = part.get_payload(decode=True)
        assert isinstance(whole, bytes)
        head, _, rest = whole.partition(b"\r\n\r\n")
        line, *headers = head.decode("ascii").split("\r\n")
        self.method, self.url, version = line.split(" ")
        assert version == "HTTP/1.1"
        self.headers = dict(header.split(": ", 1) for header in headers)
        self.body = rest[: int(self.headers["Content-Length"])]
        assert rest[len(self.body) :].strip() == b""

    @property
    def values(self) -> dict[str, Any]:
        return {name: value for name, value in json.loads(self.body).items() if name not in ("PartitionKey", "RowKey")}


def parts(operations: Sequence[Operation], partition: str = "p") -> list[Part]:
    kind, body = body_of(ADDRESS, "SyncState", partition, operations)
    outer = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
    changes = outer.get_payload(0)
    assert isinstance(changes, Message)
    assert len(outer.get_payload()) == 1
    assert (outer.get_content_type(), changes.get_content_type()) == ("multipart/mixed", "multipart/mixed")
    assert not outer.defects
    assert not changes.defects
    return [Part(part) for part in changes.get_payload() if isinstance(part, Message)]


@pytest.mark.parametrize(
    ("operation", "method", "keys", "condition"),
    [
        (Insert(key="k", values={}), "POST", "", None),
        (Replace(key="k", values={}), "PUT", "(PartitionKey='p',RowKey='k')", None),
        (Replace(key="k", values={}, etag=ETAG), "PUT", "(PartitionKey='p',RowKey='k')", ETAG),
        (Merge(key="k", values={}), "PATCH", "(PartitionKey='p',RowKey='k')", None),
        (Merge(key="k", values={}, etag=ETAG), "PATCH", "(PartitionKey='p',RowKey='k')", ETAG),
        (Remove(key="k"), "DELETE", "(PartitionKey='p',RowKey='k')", "*"),
        (Remove(key="k", etag=ETAG), "DELETE", "(PartitionKey='p',RowKey='k')", ETAG),
    ],
)
def test_each_operation_has_its_method_its_address_and_its_condition(
    operation: Operation, method: str, keys: str, condition: str | None
) -> None:
    (part,) = parts([operation])
    assert (part.method, part.url) == (method, f"{ADDRESS}/SyncState{keys}")
    assert part.headers.get("If-Match") == condition
    assert part.headers["Prefer"] == "return-no-content"
    assert bool(part.body) == (method != "DELETE")


@pytest.mark.parametrize(
    ("value", "written", "kind"),
    [
        ("", "", None),
        ("Zoë 'O''Neil' \\ \"x\" 🙂\r\n--batch\r\n", "Zoë 'O''Neil' \\ \"x\" 🙂\r\n--batch\r\n", None),
        (True, True, None),
        (False, False, None),
        (0, 0, None),
        (2**31 - 1, 2**31 - 1, None),
        (-(2**31), -(2**31), None),
        (2**31, "2147483648", "Edm.Int64"),
        (-(2**63), "-9223372036854775808", "Edm.Int64"),
        (0.1, 0.1, "Edm.Double"),
        (3.0, 3.0, "Edm.Double"),
        (float("inf"), "Infinity", "Edm.Double"),
        (float("-inf"), "-Infinity", "Edm.Double"),
        (float("nan"), "NaN", "Edm.Double"),
        (NOW, "2026-03-01T12:30:15.123457Z", "Edm.DateTime"),
        (NOW.astimezone(timezone(timedelta(hours=-7))), "2026-03-01T12:30:15.123457Z", "Edm.DateTime"),
    ],
)
def test_a_value_is_written_with_its_type_where_json_does_not_say_it(value: Scalar, written: Any, kind: str | None) -> None:
    (part,) = parts([Insert(key="k", values={"A": value})])
    expected = {"A": written} if kind is None else {"A": written, "A@odata.type": kind}
    assert part.values == expected
    assert type(part.values["A"]) is type(written)


@pytest.mark.parametrize("key", ["k'y", "ö%20+&= 🙂", "a|b==", "(x),RowKey='y'", "  "])
def test_keys_of_any_letters_are_escaped_in_the_address_and_plain_in_the_body(key: str) -> None:
    for part in parts([Replace(key=key, values={}), Merge(key=f"{key}2", values={}, etag=ETAG)], partition=key):
        assert part.url.isascii()
        row = key if part.number == "0" else f"{key}2"
        quoted = [one.replace("'", "''") for one in (key, row)]
        assert unquote(part.url) == f"{ADDRESS}/SyncState(PartitionKey='{quoted[0]}',RowKey='{quoted[1]}')"
        assert (json.loads(part.body)["PartitionKey"], json.loads(part.body)["RowKey"]) == (key, row)


def test_operations_keep_their_order() -> None:
    operations: list[Operation] = [Merge(key=f"{n}", values={"N": n}) for n in range(MAX_OPERATIONS)]
    written = parts(operations)
    assert [part.number for part in written] == [str(n) for n in range(100)]
    assert [part.values["N"] for part in written] == list(range(100))


def test_two_transactions_have_different_boundaries() -> None:
    assert body_of(ADDRESS, "T", "p", [Remove(key="k")])[0] != body_of(ADDRESS, "T", "p", [Remove(key="k")])[0]


def test_a_body_is_never_larger_than_what_is_reckoned_with() -> None:
    """By `payload` transactions are cut to the 4 MiB that the service takes."""
    worst: list[Operation] = [
        Replace(key="ä" * 512, values={"Ü" * 50: "\x7f🙂" * 200, "B": "é" * 32_000, "When": NOW, "L": -(2**63), "D": 0.1}, etag=ETAG),
        Remove(key="'" * 512, etag=ETAG),
        Insert(key="k", values={f"C{n}": "" for n in range(252)}),
        Merge(key="k2", values={f"C{n}": NOW for n in range(252)}),
    ]
    partition = "'" * 512
    for operation in worst:
        assert len(body_of("https://" + "a" * 60, "T" * 63, partition, [operation])[1]) <= payload(partition, operation) + 300


def answer(*responses: str) -> bytes:
    """As the service words it (from the documentation's example)."""
    head = "--batchresponse_4c637ba4\r\nContent-Type: multipart/mixed; boundary=changesetresponse_03be9d32\r\n\r\n"
    part = "--changesetresponse_03be9d32\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    end = "--changesetresponse_03be9d32--\r\n--batchresponse_4c637ba4--\r\n"
    return (head + "".join(f"{part}{response}\r\n\r\n" for response in responses) + end).encode()


def written(etag: str, name: str = "ETag") -> str:
    return f"HTTP/1.1 204 No Content\r\nContent-ID: 1\r\nX-Content-Type-Options: nosniff\r\nDataServiceVersion: 3.0;\r\n{name}: {etag}\r\n"


REMOVED = "HTTP/1.1 204 No Content\r\nDataServiceVersion: 1.0;\r\n"
ODD = "W/\"datetime'2026-03-01T12%3A00%3A00.12Z'; é, \\\""


def refused(status: str, code: str, text: str) -> str:
    body = json.dumps({"odata.error": {"code": code, "message": {"lang": "en-US", "value": text}}})
    return f"HTTP/1.1 {status}\r\nDataServiceVersion: 3.0;\r\nContent-Type: application/json;odata=minimalmetadata\r\n\r\n{body}"


def test_the_etags_come_in_the_order_of_the_operations() -> None:
    assert read_answer(answer(written(ETAG), REMOVED, written(ODD, "etag"), written('W/"3"', "ETAG"))) == [ETAG, "", ODD, 'W/"3"']
    assert read_answer(answer(*[written(f'W/"{n}"') for n in range(100)])) == [f'W/"{n}"' for n in range(100)]


def test_an_etag_is_read_whatever_the_ends_of_lines() -> None:
    assert read_answer(answer(written(ETAG), written(ODD)).replace(b"\r\n", b"\n")) == [ETAG, ODD]


def test_a_row_that_is_sent_back_does_not_pass_for_an_etag_or_another_answer() -> None:
    """`Prefer` is a wish: the row may come all the same."""
    row = json.dumps({"odata.etag": 'W/"no"', "A": "HTTP/1.1 500\r\nETag: no\r\n"})
    assert read_answer(answer(f"HTTP/1.1 201 Created\r\nETag: {ETAG}\r\n\r\n{row}", REMOVED)) == [ETAG, ""]


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (
            refused("409 Conflict", "EntityAlreadyExists", "17:The specified entity already exists.\nRequestId:6b7"),
            Refusal(status=409, code="EntityAlreadyExists", text="17:The specified entity already exists.\nRequestId:6b7", place=17),
        ),
        (
            refused("412 Precondition Failed", "UpdateConditionNotSatisfied", "0:The update condition {x} was not satisfied."),
            Refusal(status=412, code="UpdateConditionNotSatisfied", text="0:The update condition {x} was not satisfied.", place=0),
        ),
        (
            refused("404 Not Found", "TableNotFound", "The table specified does not exist."),
            Refusal(status=404, code="TableNotFound", text="The table specified does not exist."),
        ),
        ("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n", Refusal(status=500)),
        ("HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\n\r\n<html>{</html>", Refusal(status=502)),
    ],
)
def test_a_refusal_says_status_code_and_place(response: str, expected: Refusal) -> None:
    assert read_answer(answer(response)) == expected
    assert read_answer(answer(written(ETAG), response)) == expected


@pytest.mark.parametrize("content", [b"", b"<html>", b"{}", b'{"odata.error": []}', b'{"odata.error": {"code": "X"}}', b"}{", b"\xff{"])
def test_a_body_that_says_nothing_leaves_the_status(content: bytes) -> None:
    assert refusal_of(413, content) == Refusal(status=413)


def test_an_answer_that_is_none_has_no_etags() -> None:
    assert read_answer(b"") == []
    assert read_answer(b"--batchresponse_1--") == []
