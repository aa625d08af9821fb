"""Tables in memory: the twin of `AzureTables`, with the same limits, ETags, atomicity and conditions.

One contract suite (`tests/contract/test_tables.py`) runs against both. Tests that replay histories inject faults and races through
`before` and `after`, which are awaited around every service call – an error raised by `after` is a lost answer: the call took effect.
It knows nothing of what is stored.
"""

from bisect import bisect_left
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias

from shared.errors import Code, Temporary
from sync.ports import Insert, Merge, Operation, Remove, Replace, Row, RowChanged, RowExists, Scalar, Stored
from sync.stores.filters import matcher, ordinal
from sync.stores.limits import check_key, check_operations, check_row, put_in_chunks

PAGE = 1000
"""Rows that one request of a scan brings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One service call. `name` is get, scan, transact or create."""

    name: str
    table: str
    partition: str = ""
    operations: tuple[Operation, ...] = ()


Hook: TypeAlias = Callable[[Call], Awaitable[None]]


@dataclass(slots=True)
class _Row:
    values: dict[str, Scalar]
    etag: str


@dataclass(slots=True)
class _Partition:
    rows: dict[str, _Row] = field(default_factory=dict)
    order: list[tuple[bytes, str]] | None = None
    """The keys in the service's order, until the next insert or removal."""

    def between(self, first: bytes, last: bytes | None) -> list[tuple[bytes, str]]:
        """The keys from `first` on, up to but without `last`."""
        if self.order is None:
            self.order = sorted((ordinal(key), key) for key in self.rows)
        end = None if last is None else bisect_left(self.order, (last, ""))
        return self.order[bisect_left(self.order, (first, "")) : end]


class MemoryTables:
    """`tables` exist from the start. `before` and `after` may be set and changed at any time."""

    def __init__(self, tables: Sequence[str] = (), *, on_request: Callable[[str, str], None] | None = None) -> None:
        self.before: Hook | None = None
        self.after: Hook | None = None
        self._on_request = on_request
        self._tables: dict[str, dict[str, _Partition]] = {name: {} for name in tables}
        self._writes = 0

    async def get(self, table: str, partition: str, key: str) -> Stored | None:
        check_key(partition)
        check_key(key)
        call = await self._begin(Call(name="get", table=table, partition=partition))
        row = self._partition(table, partition).rows.get(key)
        stored = None if row is None else Stored(partition=partition, key=key, values=dict(row.values), etag=row.etag)
        await self._end(call)
        return stored

    async def scan(
        self, table: str, partition: str, *, start: str = "", end: str = "\uffff", where: str = "", columns: Sequence[str] = ()
    ) -> AsyncIterator[Stored]:
        matches = matcher(where)
        first, last = ordinal(start), ordinal(end)
        while True:
            call = await self._begin(Call(name="scan", table=table, partition=partition))
            held = self._partition(table, partition)
            found = [(place, key) for place, key in held.between(first, last) if matches(held.rows[key].values)]
            page = [self._stored(partition, key, held.rows[key], columns) for _, key in found[:PAGE]]
            await self._end(call)
            for stored in page:
                yield stored
            if len(found) <= PAGE:
                return
            first = found[PAGE][0]

    async def scan_table(self, table: str, *, before: str = "", where: str = "") -> AsyncIterator[Stored]:
        matches = matcher(where)
        first = (b"", b"")
        while True:
            call = await self._begin(Call(name="scan", table=table))
            found = [
                ((ordinal(partition), place), self._stored(partition, key, held.rows[key], ()))
                for partition, held in sorted(self._table(table).items(), key=lambda entry: ordinal(entry[0]))
                if not before or ordinal(partition) < ordinal(before)
                for place, key in held.between(b"", None)
                if (ordinal(partition), place) >= first and matches({**held.rows[key].values, "PartitionKey": partition, "RowKey": key})
            ]
            await self._end(call)
            for _, stored in found[:PAGE]:
                yield stored
            if len(found) <= PAGE:
                return
            first = found[PAGE][0]

    async def transact(self, table: str, partition: str, operations: Sequence[Operation]) -> Sequence[str]:
        check_operations(partition, operations)
        call = await self._begin(Call(name="transact", table=table, partition=partition, operations=tuple(operations)))
        held = self._partition(table, partition)
        alone = len(operations) == 1
        changed = [(op.key, self._apply(op, held.rows.get(op.key), partition, alone=alone)) for op in operations]
        for key, row in changed:
            if row is None:
                held.rows.pop(key, None)
                held.order = None
            else:
                held.order = held.order if key in held.rows else None
                held.rows[key] = row
        await self._end(call)
        return ["" if row is None else row.etag for _, row in changed]

    async def put_many(self, table: str, partition: str, operations: Sequence[Operation]) -> None:
        await put_in_chunks(self.transact, table, partition, operations)

    async def create(self, tables: Sequence[str]) -> None:
        call = await self._begin(Call(name="create", table=""))
        for name in tables:
            self._tables.setdefault(name, {})
        await self._end(call)

    async def close(self) -> None:
        """Nothing is open."""

    def _apply(self, operation: Operation, row: _Row | None, partition: str, *, alone: bool) -> _Row | None:
        """The row after one operation, None for none. Raises RowExists, RowChanged."""
        values: dict[str, Scalar]
        match operation:
            case Insert(key=key):
                if row is not None:
                    raise RowExists(key)
                values = _plain(operation.values)
            case Replace(key=key, etag=etag):
                self._expect(key, row, etag)
                values = _plain(operation.values)
            case Merge(key=key, etag=etag):
                self._expect(key, row, etag)
                values = {**({} if row is None else row.values), **_plain(operation.values)}
                check_row(partition, key, values)
            case Remove(key=key, etag=etag):
                if row is None and not (alone and etag is None):
                    raise RowChanged(key)
                self._expect(key, row, etag)
                return None
        self._writes += 1
        return _Row(values, f"W/\"memory'{self._writes}'\"")

    def _expect(self, key: str, row: _Row | None, etag: str | None) -> None:
        if etag is not None and (row is None or row.etag != etag):
            raise RowChanged(key)

    def _stored(self, partition: str, key: str, row: _Row, columns: Sequence[str]) -> Stored:
        values = {name: row.values[name] for name in columns if name in row.values} if columns else dict(row.values)
        return Stored(partition=partition, key=key, values=values, etag=row.etag)

    def _table(self, table: str) -> dict[str, _Partition]:
        if table not in self._tables:
            raise Temporary(Code.UNAVAILABLE, f"The table {table} does not exist; the next round makes it.")
        return self._tables[table]

    def _partition(self, table: str, partition: str) -> _Partition:
        return self._table(table).setdefault(partition, _Partition())

    async def _begin(self, call: Call) -> Call:
        if self._on_request is not None:
            self._on_request(call.name, call.table)
        if self.before is not None:
            await self.before(call)
        return call

    async def _end(self, call: Call) -> None:
        if self.after is not None:
            await self.after(call)


def _plain(values: Row) -> dict[str, Scalar]:
    """Values as they come back: enums as their text, times in UTC."""
    return {name: _plain_value(value) for name, value in values.items()}


def _plain_value(value: Scalar) -> Scalar:
    if isinstance(value, str):
        return str(value)
    return value.astimezone(UTC) if isinstance(value, datetime) else value
