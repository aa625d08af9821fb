"""What Table Storage accepts, and how many operations fit into one transaction.

The rules are checked here, before anything is sent, so that Azure's client and its twin in memory refuse the same things for the same
reason, and so that a mistake of ours is a `ValueError` in a test instead of a 400 in production. It knows no service and no table.

Source: learn.microsoft.com/rest/api/storageservices, "Understanding the Table service data model" and "Performing entity group
transactions".
"""

import json
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime

from sync.ports import Operation, Remove, Row, RowChanged, Scalar

MAX_OPERATIONS = 100
MAX_PAYLOAD = 4 * 1024 * 1024
"""Bytes of one transaction's body."""
MAX_ENTITY = 1024 * 1024
MAX_STRING = 32_768
"""UTF-16 units, which is how the service counts (64 KiB)."""
MAX_KEY = 512
"""UTF-16 units (1 KiB)."""
MAX_COLUMNS = 252

_KEY_FORBIDS = re.compile(r"[/\\#?\x00-\x1f\x7f-\x9f]")
_COLUMN = re.compile(r"[^\W\d]\w{0,254}")
_RESERVED = frozenset({"PartitionKey", "RowKey", "Timestamp"})
_PART_BYTES = 1200
"""The MIME and HTTP headers of one operation in a transaction's body, without its keys; measured at about 700."""
_LONG = 500
"""Above it the length of a text as JSON is measured instead of bounded."""


def units(text: str) -> int:
    """The length of a text as the service counts it: UTF-16 units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def check_key(key: str) -> None:
    """Raises ValueError for a key that the service refuses."""
    if _KEY_FORBIDS.search(key):
        raise ValueError(f"a table key may not hold / \\ # ? or control characters: {key!r}")
    if units(key) > MAX_KEY:
        raise ValueError(f"a table key holds at most {MAX_KEY} UTF-16 units, this one {units(key)}")


def check_operations(partition: str, operations: Sequence[Operation]) -> None:
    """Raises ValueError for a transaction that the service refuses whatever the table holds."""
    check_key(partition)
    if not operations:
        raise ValueError("a transaction without operations")
    if len(operations) > MAX_OPERATIONS:
        raise ValueError(f"a transaction holds at most {MAX_OPERATIONS} operations, this one {len(operations)}")
    keys = set()
    for operation in operations:
        check_key(operation.key)
        if operation.key in keys:
            raise ValueError(f"a transaction may touch a row only once: {operation.key!r}")
        keys.add(operation.key)
        if not isinstance(operation, Remove):
            check_row(partition, operation.key, operation.values)
    if len(operations) > 1 and (size := sum(payload(partition, operation) for operation in operations)) > MAX_PAYLOAD:
        raise ValueError(f"a transaction holds at most {MAX_PAYLOAD} bytes, this one about {size}")


def check_row(partition: str, key: str, values: Row) -> None:
    """Raises ValueError for a row that the service refuses. The size formula is Microsoft's ("How to calculate the size of an entity")."""
    if len(values) > MAX_COLUMNS:
        raise ValueError(f"a row holds at most {MAX_COLUMNS} columns, {key!r} {len(values)}")
    size = 4 + 2 * (units(partition) + units(key))
    for name, value in values.items():
        if name in _RESERVED or not _COLUMN.fullmatch(name):
            raise ValueError(f"not a column name: {name!r}")
        size += 8 + 2 * units(name) + _value_size(name, value)
    if size > MAX_ENTITY:
        raise ValueError(f"a row holds at most {MAX_ENTITY} bytes, {key!r} {size}")


def _value_size(name: str, value: Scalar) -> int:
    if isinstance(value, str):
        length = units(value)
        if length > MAX_STRING:
            raise ValueError(f"a string holds at most {MAX_STRING} UTF-16 units, column {name} {length}")
        return 4 + 2 * length
    if isinstance(value, bool):
        return 1
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise ValueError(f"column {name} holds more than 64 bits")
        return 4 if -(2**31) <= value < 2**31 else 8
    if isinstance(value, datetime):
        if value.tzinfo is None or value.year <= 1600:
            raise ValueError(f"column {name}: a time needs a zone and a year after 1600: {value!r}")
        return 8
    if isinstance(value, float):
        return 8
    raise ValueError(f"column {name}: a {type(value).__name__} has no place in a table")


def payload(partition: str, operation: Operation) -> int:
    """Bytes of one operation in a transaction's body, never too few: the client writes every non-ASCII unit as six characters."""
    size = _PART_BYTES + 6 * (len(partition) + len(operation.key)) * 2
    if isinstance(operation, Remove):
        return size
    for name, value in operation.values.items():
        size += 12 * len(name) + 64
        if isinstance(value, str):
            size += 12 * len(value) if len(value) <= _LONG else len(json.dumps(value))
    return size


def chunk(partition: str, operations: Sequence[Operation]) -> Iterator[list[Operation]]:
    """Cut operations, in their order, into as few transactions as the limits allow."""
    part: list[Operation] = []
    keys: set[str] = set()
    size = 0
    for operation in operations:
        more = payload(partition, operation)
        if part and (len(part) == MAX_OPERATIONS or operation.key in keys or size + more > MAX_PAYLOAD):
            yield part
            part, keys, size = [], set(), 0
        part.append(operation)
        keys.add(operation.key)
        size += more
    if part:
        yield part


Transact = Callable[[str, str, Sequence[Operation]], Awaitable[Sequence[str]]]


async def put_in_chunks(transact: Transact, table: str, partition: str, operations: Sequence[Operation]) -> None:
    """`Tables.put_many`, for any way to make a transaction. A row that is to be removed and is not there is none to remove."""
    for part in chunk(partition, operations):
        left = part
        while left:
            try:
                await transact(table, partition, left)
                break
            except RowChanged as changed:
                missing = [op for op in left if op.key == changed.key and isinstance(op, Remove) and op.etag is None]
                if not missing:
                    raise
                left = [op for op in left if op is not missing[0]]
