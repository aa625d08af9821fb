"""Azurite under the scheduler: a table call blocks while another loop, in a thread of its own, speaks to it.

So the history stays one that a seed decides – nothing else runs meanwhile – and the rows are kept by
Azurite instead of our own twin.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any, TypeVar

from sync.ports import Operation, Stored
from sync.stores.memory import Call, Hook
from sync.stores.tables import AzureTables

T = TypeVar("T")


class AzuriteTables:
    """Implements `ports.Tables`, with the hooks of `MemoryTables`."""

    def __init__(self, connection: str) -> None:
        self.before: Hook | None = None
        self.after: Hook | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._tables = self._now(self._open(connection))

    async def _open(self, connection: str) -> AzureTables:
        return AzureTables(connection=connection)

    def _now(self, call: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(call, self._loop).result(60)

    def shut(self) -> None:
        self._now(self._tables.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _hooked(self, call: Call, carry_out: Callable[[], Coroutine[Any, Any, T]]) -> T:
        if self.before is not None:
            await self.before(call)
        result = self._now(carry_out())
        if self.after is not None:
            await self.after(call)
        return result

    async def get(self, table: str, partition: str, key: str) -> Stored | None:
        return await self._hooked(Call(name="get", table=table, partition=partition), lambda: self._tables.get(table, partition, key))

    async def scan(
        self, table: str, partition: str, *, start: str = "", end: str = "\uffff", where: str = "", columns: Sequence[str] = ()
    ) -> AsyncIterator[Stored]:
        async def all_rows() -> list[Stored]:
            return [row async for row in self._tables.scan(table, partition, start=start, end=end, where=where, columns=columns)]

        for row in await self._hooked(Call(name="scan", table=table, partition=partition), all_rows):
            yield row

    async def scan_table(self, table: str, *, before: str = "", where: str = "") -> AsyncIterator[Stored]:
        async def all_rows() -> list[Stored]:
            return [row async for row in self._tables.scan_table(table, before=before, where=where)]

        for row in await self._hooked(Call(name="scan", table=table), all_rows):
            yield row

    async def transact(self, table: str, partition: str, operations: Sequence[Operation]) -> Sequence[str]:
        call = Call(name="transact", table=table, partition=partition, operations=tuple(operations))
        return await self._hooked(call, lambda: self._tables.transact(table, partition, operations))

    async def put_many(self, table: str, partition: str, operations: Sequence[Operation]) -> None:
        call = Call(name="transact", table=table, partition=partition, operations=tuple(operations))
        await self._hooked(call, lambda: self._tables.put_many(table, partition, operations))

    async def create(self, tables: Sequence[str]) -> None:
        await self._hooked(Call(name="create", table=""), lambda: self._tables.create(tables))
