"""What the Azure client does when the service refuses, fails or hangs up: against a small server that does just that."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any, TypeAlias

import pytest

from shared.errors import Code, Permanent, Temporary, Unknown
from sync.ports import Insert, Merge, Operation, Remove, Replace
from sync.stores.tables import ATTEMPTS, LONGEST_PAUSE, AzureTables

CUT = "cut"
"""Read the request, then hang up without an answer."""


class Service:
    """Answers each request with the next of `answers` (status, code, headers), the last one again and again; counts requests."""

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.requests = 0
        self.pauses: list[float] = []

    async def start(self) -> str:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        return f"AccountName=a;AccountKey=YQ==;TableEndpoint=http://127.0.0.1:{port}/a;DefaultEndpointsProtocol=http"

    async def stop(self) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        await reader.readexactly(int(length[0].split(b":")[1]) if length else 0)
        answer = self.answers[min(self.requests, len(self.answers) - 1)]
        self.requests += 1
        if answer != CUT:
            status, code, headers = answer
            body = json.dumps({"odata.error": {"code": code, "message": {"lang": "en", "value": "no"}}}) if code else ""
            lines = [
                f"HTTP/1.1 {status} X",
                f"Content-Length: {len(body)}",
                "Content-Type: application/json",
                "Connection: close",
                *headers,
            ]
            writer.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
            await writer.drain()
        writer.close()


Answer: TypeAlias = tuple[int, str, list[str]]
OK: Answer = (204, "", ['ETag: W/"1"'])
BUSY: Answer = (503, "ServerBusy", [])
FAILED: Answer = (500, "OperationTimedOut", [])
DENIED: Answer = (403, "AuthorizationPermissionMismatch", [])

ONE: list[Operation] = [Replace(key="a", values={})]
REPEATABLE: list[Sequence[Operation]] = [
    ONE,
    [Merge(key="a", values={})],
    [Replace(key="a", values={}), Merge(key="b", values={})],
    [Remove(key="a")],
]
ONCE: list[Sequence[Operation]] = [
    [Insert(key="a", values={})],
    [Replace(key="a", values={}, etag='W/"1"')],
    [Merge(key="a", values={}, etag='W/"1"')],
    [Remove(key="a", etag='W/"1"')],
    [Replace(key="a", values={}), Insert(key="b", values={})],
    [Replace(key="a", values={}), Remove(key="b")],
]


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    made = Service()
    yield made
    await made.stop()


@pytest.fixture
async def tables(service: Service) -> AsyncIterator[AzureTables]:
    made = AzureTables(connection=await service.start(), pause=service.pause)
    yield made
    await made.close()


@pytest.mark.parametrize("operations", ONCE)
@pytest.mark.parametrize("answer", [FAILED, CUT, (504, "", [])])
async def test_a_write_that_must_not_be_made_twice_is_not_repeated_when_it_may_have_taken_effect(
    service: Service, tables: AzureTables, operations: list[Operation], answer: Any
) -> None:
    service.answers = [answer, OK]
    with pytest.raises(Unknown) as caught:
        await tables.transact("SyncState", "p", operations)
    assert (caught.value.code, service.requests) == (Code.UNAVAILABLE, 1)


@pytest.mark.parametrize("operations", [ops for ops in REPEATABLE if len(ops) == 1])
@pytest.mark.parametrize("answer", [FAILED, CUT, BUSY])
async def test_a_write_that_ends_in_the_same_row_is_repeated(
    service: Service, tables: AzureTables, operations: list[Operation], answer: Any
) -> None:
    service.answers = [answer, OK]
    await tables.transact("SyncState", "p", operations)
    assert service.requests >= 2  # aiohttp may have repeated the cut one itself


@pytest.mark.parametrize("operations", REPEATABLE)
async def test_repetition_ends(service: Service, tables: AzureTables, operations: list[Operation]) -> None:
    service.answers = [FAILED]
    with pytest.raises(Unknown):
        await tables.transact("SyncState", "p", operations)
    assert service.requests == ATTEMPTS
    assert service.pauses == [0.5, 1.0, 2.0]


@pytest.mark.parametrize("operations", [*REPEATABLE, *ONCE])
async def test_what_a_busy_service_turned_away_is_repeated_whatever_it_is(
    service: Service, tables: AzureTables, operations: list[Operation]
) -> None:
    service.answers = [BUSY]
    with pytest.raises(Temporary) as caught:
        await tables.transact("SyncState", "p", operations)
    assert not isinstance(caught.value, Unknown)
    assert service.requests == ATTEMPTS


async def test_the_time_a_service_names_is_waited_within_reason(service: Service, tables: AzureTables) -> None:
    service.answers = [(503, "ServerBusy", ["Retry-After: 3"]), (503, "ServerBusy", ["Retry-After: 3000"]), OK]
    await tables.transact("SyncState", "p", ONE)
    assert service.pauses == [3.0, LONGEST_PAUSE]


async def test_reads_are_repeated_and_never_unknown(service: Service, tables: AzureTables) -> None:
    service.answers = [FAILED]
    for read in (lambda: tables.get("SyncState", "p", "k"), lambda: anext(tables.scan("SyncState", "p"))):
        service.requests = 0
        with pytest.raises(Temporary) as caught:
            await read()
        assert not isinstance(caught.value, Unknown)
        assert service.requests == ATTEMPTS


async def test_a_refused_access_is_permanent_and_says_where(service: Service, tables: AzureTables) -> None:
    service.answers = [DENIED]
    calls: list[Any] = [
        lambda: tables.get("SyncState", "p", "k"),
        lambda: anext(tables.scan("SyncState", "p")),
        lambda: tables.transact("SyncState", "p", ONE),
        lambda: tables.transact("SyncState", "p", ONCE[4]),
        lambda: tables.create(["SyncState"]),
    ]
    for call in calls:
        service.requests = 0
        with pytest.raises(Permanent) as caught:
            await call()
        assert caught.value.code is Code.TABLES_DENIED
        assert "403 AuthorizationPermissionMismatch" in caught.value.text
        assert service.requests == 1


async def test_a_service_that_can_not_be_reached_is_tried_again_even_for_an_insert(service: Service) -> None:
    tables = AzureTables(connection=await service.start(), pause=service.pause)
    await service.stop()
    with pytest.raises(Temporary) as caught:
        await tables.transact("SyncState", "p", [Insert(key="a", values={})])
    assert not isinstance(caught.value, Unknown)
    assert len(service.pauses) == ATTEMPTS - 1
    await tables.close()


async def test_a_mistake_of_ours_is_not_dressed_up_as_a_passing_error(service: Service, tables: AzureTables) -> None:
    from azure.core.exceptions import HttpResponseError  # noqa: PLC0415

    service.answers = [(400, "InvalidInput", [])]
    with pytest.raises(HttpResponseError):
        await tables.transact("SyncState", "p", ONE)
    assert service.requests == 1
