"""Tables in Azure Storage (or Azurite), through azure-data-tables: the Protocol `sync.ports.Tables` and nothing else.

**Repetition.** The client's own retries are switched off and made here, because it repeats a POST that was answered 500 or 504 although it
may have taken effect. Reads, and writes that end in the same rows however often they are made (Replace and Merge without ETag), are
repeated after any passing error; inserts and conditional writes only if the service turned them away or was never reached. What remains
is raised as `Temporary` (for sure without effect) or `Unknown` (a write that was cut: it may have taken effect).

**A lost answer.** So a caller that repeats a write after `Unknown` may find `RowChanged` or `RowExists` of its own making. The state store
fences every transaction by the lease row's ETag and treats `RowChanged` on it as a lost lease: the run stops and commits nothing more, the
next one reads what is there. That is acceptable – an own write mistaken for a stranger's costs a run, never a record. (aiohttp repeats
an idempotent method once on a reused connection that the server had closed; conditional writes therefore always go as transactions,
whose POST it does not repeat.)
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from sync.ports import Insert, Merge, Operation, Remove, Replace, Row, Scalar, Stored
from sync.stores.changeset import Refusal, body_of, read_answer, refusal_of
from sync.stores.faults import understand
from sync.stores.filters import both, compare
from sync.stores.limits import check_key, check_operations, put_in_chunks

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.data.tables import TableTransactionError
    from azure.data.tables.aio import TableClient, TableServiceClient

PAGE = 1000
"""Rows that one request of a scan brings; the service's most."""
ATTEMPTS = 4
FIRST_PAUSE = 0.5
"""Seconds before the second attempt; it doubles each time."""
LONGEST_PAUSE = 10.0
CONNECT_TIMEOUT = 10
READ_TIMEOUT = 60
"""Seconds. A transaction takes the service 30 s at most."""

T = TypeVar("T")


class AzureTables:
    """Built from a connection string, or from a table endpoint and a credential.

    `on_request` is called with (operation, table) before each service call, repetitions included; operation is get, scan, transact or
    create. `pause` waits between attempts.
    """

    def __init__(
        self,
        *,
        connection: str = "",
        endpoint: str = "",
        credential: "AsyncTokenCredential | None" = None,
        on_request: Callable[[str, str], None] | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        if bool(connection) == bool(endpoint):
            raise ValueError("either a connection string or an endpoint with a credential")
        self._connection, self._endpoint, self._credential = connection, endpoint, credential
        self._on_request, self._pause = on_request, pause
        self._service: TableServiceClient | None = None
        self._clients: dict[str, TableClient] = {}

    async def get(self, table: str, partition: str, key: str) -> Stored | None:
        from azure.core.exceptions import ResourceNotFoundError  # noqa: PLC0415

        check_key(partition)
        check_key(key)

        async def read() -> Stored | None:
            try:
                return _stored(partition, await self._client(table).get_entity(partition, key))
            except ResourceNotFoundError as error:
                if _code(error) == "TableNotFound":
                    raise
                return None

        return await self._attempt("get", table, read)

    async def scan(
        self, table: str, partition: str, *, start: str = "", end: str = "\uffff", where: str = "", columns: Sequence[str] = ()
    ) -> AsyncIterator[Stored]:
        condition = both(
            compare("PartitionKey", "eq", partition),
            compare("RowKey", "ge", start) if start else "",
            compare("RowKey", "lt", end) if end != "\uffff" else "",
            where,
        )
        async for row in self._query(table, condition, ["PartitionKey", "RowKey", *columns] if columns else None):
            yield row

    async def scan_table(self, table: str, *, before: str = "", where: str = "") -> AsyncIterator[Stored]:
        async for row in self._query(table, both(compare("PartitionKey", "lt", before) if before else "", where), None):
            yield row

    async def transact(self, table: str, partition: str, operations: Sequence[Operation]) -> Sequence[str]:
        check_operations(partition, operations)
        if len(operations) == 1:
            return [await self._write_one(table, partition, operations[0])]
        return await self._write_all(table, partition, operations)

    async def put_many(self, table: str, partition: str, operations: Sequence[Operation]) -> None:
        await put_in_chunks(self.transact, table, partition, operations)

    async def create(self, tables: Sequence[str]) -> None:
        service = self._open()

        async def list_all() -> set[str]:
            return {table.name async for table in service.list_tables()}

        there = await self._attempt("create", tables[0] if tables else "", list_all)
        for name in tables:
            if name not in there:
                await self._attempt("create", name, partial(service.create_table_if_not_exists, name))

    async def close(self) -> None:
        """Close the connections; the object can be used again, and opens new ones."""
        service, self._service = self._service, None
        self._clients.clear()
        if service is not None:
            await service.close()

    async def _query(self, table: str, condition: str, select: list[str] | None) -> AsyncIterator[Stored]:
        client = self._client(table)
        if condition:
            pages = client.query_entities(condition, results_per_page=PAGE, select=select)
        else:
            pages = client.list_entities(results_per_page=PAGE, select=select)
        iterator: Any = pages.by_page()
        while True:  # after an error the iterator asks for the same page again
            async for entity in await self._attempt("scan", table, iterator.__anext__):
                yield _stored(entity["PartitionKey"], entity)
            if not iterator.continuation_token:
                return

    async def _write_one(self, table: str, partition: str, operation: Operation) -> str:
        client = self._client(table)
        match operation:
            case Replace(etag=None) | Merge(etag=None):
                mode = "replace" if isinstance(operation, Replace) else "merge"
                entity = _entity(partition, operation.key, operation.values)
                answer = await self._attempt(
                    "transact", table, lambda: client.upsert_entity(entity, mode=mode), [operation], idempotent=True
                )
                return _etag(answer)
            case Insert():
                entity = _entity(partition, operation.key, operation.values)
                return _etag(
                    await self._attempt(
                        "transact",
                        table,
                        lambda: client.create_entity(entity, response_preference="return-no-content"),
                        [operation],
                    )
                )
            case Remove(etag=None):
                await self._attempt("transact", table, lambda: client.delete_entity(partition, operation.key), [operation], idempotent=True)
                return ""
            case _:  # conditional: `delete_entity` would take a row that is gone for success, and a PUT could be repeated by aiohttp
                return (await self._write_all(table, partition, [operation]))[0]

    async def _write_all(self, table: str, partition: str, operations: Sequence[Operation]) -> list[str]:
        idempotent = all(isinstance(operation, (Replace, Merge)) and operation.etag is None for operation in operations)
        return await self._attempt("transact", table, lambda: self._submit(table, partition, operations), operations, idempotent=idempotent)

    async def _submit(self, table: str, partition: str, operations: Sequence[Operation]) -> list[str]:
        """What the client's `submit_transaction` does, with a body of our own (see `changeset`). Raises AzureError."""
        from azure.core.exceptions import ServiceResponseError  # noqa: PLC0415
        from azure.core.rest import HttpRequest  # noqa: PLC0415

        service = self._open()
        address = service.url.partition("?")[0].rstrip("/")
        kind, body = body_of(address, table, partition, operations)
        headers = {
            "Content-Type": kind,
            "Accept": "application/json",
            "DataServiceVersion": "3.0",
            "MaxDataServiceVersion": "3.0;NetFx",
            "x-ms-version": service.api_version,
        }
        request = HttpRequest("POST", f"{address}/$batch", headers=headers, content=body)
        # `_client`: the client shows its pipeline, which signs and sends, nowhere else; stream: else it would decode the answer as JSON
        response: Any = await service._client.send_request(request, stream=True)
        content = await response.read()
        if response.status_code != 202:
            raise _error(refusal_of(response.status_code, content), response)
        answer = read_answer(content)
        if isinstance(answer, Refusal):
            raise _error(answer)
        if len(answer) != len(operations):
            raise ServiceResponseError(f"{len(answer)} answers to {len(operations)} operations")
        return ["" if isinstance(operation, Remove) else etag for operation, etag in zip(operations, answer, strict=True)]

    async def _attempt(
        self,
        name: str,
        table: str,
        call: Callable[[], Awaitable[T]],
        operations: Sequence[Operation] = (),
        *,
        idempotent: bool = False,
    ) -> T:
        """Make one service call, and repeat it where that is safe."""
        from azure.core.exceptions import AzureError  # noqa: PLC0415

        attempt = 1
        while True:
            if self._on_request is not None:
                self._on_request(name, table)
            try:
                return await call()
            except AzureError as error:
                fault = understand(error, table, operations)
                if not fault.passing or attempt == ATTEMPTS or not (fault.refused or idempotent or not operations):
                    raise fault.error from error
            await self._pause(min(fault.retry_after or FIRST_PAUSE * 2 ** (attempt - 1), LONGEST_PAUSE))
            attempt += 1

    def _client(self, table: str) -> "TableClient":
        if table not in self._clients:
            self._clients[table] = self._open().get_table_client(table)
        return self._clients[table]

    def _open(self) -> "TableServiceClient":
        if self._service is None:
            from azure.data.tables.aio import TableServiceClient  # noqa: PLC0415

            options: dict[str, Any] = {"retry_total": 0, "connection_timeout": CONNECT_TIMEOUT, "read_timeout": READ_TIMEOUT}
            if self._connection:
                self._service = TableServiceClient.from_connection_string(self._connection, **options)
            else:
                self._service = TableServiceClient(self._endpoint, credential=self._credential, **options)
        return self._service


def _error(refusal: Refusal, response: Any = None) -> "TableTransactionError":
    """A refused transaction as the client itself raises it. `response`: of a transaction that was refused as a whole."""
    from azure.data.tables import RequestTooLargeError, TableTransactionError  # noqa: PLC0415

    kind = RequestTooLargeError if refusal.status == 413 else TableTransactionError
    error: Any = kind(message=f"{refusal.status} {refusal.code} {refusal.text}", response=response, index=refusal.place)
    error.status_code, error.error_code = refusal.status, refusal.code
    return error  # type: ignore[no-any-return]


def _entity(partition: str, key: str, values: Row) -> dict[str, Any]:
    """Columns as the client wants them: it takes a bare int for 32 bits."""
    entity: dict[str, Any] = {"PartitionKey": partition, "RowKey": key, **values}
    for name, value in values.items():
        if isinstance(value, int) and not -(2**31) <= value < 2**31:
            entity[name] = (value, "Edm.Int64")
    return entity


def _stored(partition: str, entity: Any) -> Stored:
    values = {
        name: value if type(value) in _AS_IS else _scalar(value)
        for name, value in entity.items()
        if value is not None and name not in {"PartitionKey", "RowKey"}
    }
    return Stored(partition=partition, key=entity["RowKey"], values=values, etag=entity.metadata["etag"] or "")


_AS_IS = frozenset({str, int, float, bool})


def _scalar(value: Any) -> Scalar:
    """What a person typed with another type in Storage Explorer is read as text; the client's own types become plain ones."""
    if isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond, tzinfo=UTC)
    if isinstance(value, tuple):  # the client's EntityProperty: a 64-bit number
        return int(value[0])
    return str(value)


def _etag(answer: Any) -> str:
    return str(answer.get("etag") or "")


def _code(error: Any) -> str:
    code = getattr(error, "error_code", "")
    return str(getattr(code, "value", code))
