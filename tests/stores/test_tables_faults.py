"""What the Azure client does when the service refuses, fails or hangs up: against a small server that does just that."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any, TypeAlias

import pytest
from azure.core.credentials import AccessToken

from shared.errors import Code, Permanent, Temporary, Unknown
from sync.ports import Insert, Merge, Operation, Remove, Replace, RowChanged, RowExists
from sync.stores.tables import ATTEMPTS, LONGEST_PAUSE, AzureTables

CUT = "cut"
"""Read the request, then hang up without an answer."""


class Service:
    """Answers each request with the next of `answers` (status, error code or whole body, headers), the last one again and again; counts
    requests."""

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
            error = json.dumps({"odata.error": {"code": code, "message": {"lang": "en", "value": "no"}}}) if isinstance(code, str) else ""
            body = code if isinstance(code, bytes) else error.encode() if code else b""
            lines = [
                f"HTTP/1.1 {status} X",
                f"Content-Length: {len(body)}",
                "Content-Type: application/json",
                "Connection: close",
                *headers,
            ]
            writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
            await writer.drain()
        writer.close()


Answer: TypeAlias = tuple[int, str | bytes, list[str]]
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


def in_a_changeset(*responses: str) -> Answer:
    part = "--changesetresponse_1\r\nContent-Type: application/http\r\n\r\n"
    body = "--batchresponse_1\r\n\r\n" + "".join(f"{part}HTTP/1.1 {response}\r\n\r\n" for response in responses)
    return 202, f"{body}--changesetresponse_1--\r\n--batchresponse_1--\r\n".encode(), []


def refusal(status: int, code: str, text: str = "no") -> Answer:
    error = {"odata.error": {"code": code, "message": {"lang": "en", "value": text}}}
    return in_a_changeset(f"{status} X\r\nContent-Type: application/json\r\n\r\n{json.dumps(error)}")


DONE = '204 No Content\r\nETag: W/"1"'
TWO: list[Operation] = [Replace(key="a", values={}), Insert(key="b", values={})]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (refusal(409, "EntityAlreadyExists", "1:The specified entity already exists."), RowExists("b")),
        (refusal(412, "UpdateConditionNotSatisfied", "0:no"), RowChanged("a")),
        (refusal(412, "ConditionNotMet", "no place named"), RowChanged("a")),
        (refusal(404, "ResourceNotFound", "1:no"), RowChanged("b")),
        (refusal(404, "ResourceNotFound", "7:no such place"), RowChanged("")),
    ],
)
async def test_the_row_that_stood_in_the_way_of_a_transaction_is_named(
    service: Service, tables: AzureTables, answer: Answer, expected: RowExists | RowChanged
) -> None:
    service.answers = [answer]
    kinds: tuple[type[RowExists], type[RowChanged]] = (RowExists, RowChanged)
    with pytest.raises(kinds) as caught:
        await tables.transact("SyncState", "p", TWO)
    error: Any = caught.value
    assert (type(error), error.key, service.requests) == (type(expected), expected.key, 1)


@pytest.mark.parametrize("answer", [(404, "TableNotFound", []), refusal(404, "TableNotFound"), refusal(409, "TableBeingDeleted")])
async def test_a_missing_table_is_no_missing_row_of_a_transaction(service: Service, tables: AzureTables, answer: Answer) -> None:
    service.answers = [answer]
    with pytest.raises(Temporary) as caught:
        await tables.transact("SyncState", "p", TWO)
    assert not isinstance(caught.value, Unknown)
    assert "SyncState" in caught.value.text


@pytest.mark.parametrize("answer", [refusal(500, "InternalError"), refusal(500, "OperationTimedOut")])
async def test_a_transaction_that_failed_within_its_answer_may_have_taken_effect(
    service: Service, tables: AzureTables, answer: Answer
) -> None:
    service.answers = [answer]
    with pytest.raises(Unknown):
        await tables.transact("SyncState", "p", TWO)
    assert service.requests == 1


@pytest.mark.parametrize("answer", [(202, b"", []), (202, b"<html>", []), in_a_changeset(DONE), in_a_changeset(DONE, DONE, DONE)])
async def test_an_answer_that_does_not_fit_the_transaction_leaves_its_effect_open(
    service: Service, tables: AzureTables, answer: Answer
) -> None:
    service.answers = [answer]
    with pytest.raises(Unknown):
        await tables.transact("SyncState", "p", TWO)
    assert service.requests == 1


async def test_a_transaction_waits_as_long_as_a_busy_service_says(service: Service, tables: AzureTables) -> None:
    service.answers = [(503, "ServerBusy", ["Retry-After: 3"]), refusal(503, "ServerBusy"), in_a_changeset(DONE, DONE)]
    assert await tables.transact("SyncState", "p", TWO) == ['W/"1"', 'W/"1"']
    assert service.pauses == [3.0, 1.0]


@pytest.mark.parametrize("answer", [(413, "RequestBodyTooLarge", []), (413, b"", []), refusal(413, "EntityTooLarge", "1:no")])
async def test_a_transaction_that_is_too_large_is_a_mistake_of_ours(service: Service, tables: AzureTables, answer: Answer) -> None:
    from azure.data.tables import RequestTooLargeError  # noqa: PLC0415

    service.answers = [answer]
    with pytest.raises(RequestTooLargeError) as caught:
        await tables.transact("SyncState", "p", TWO)
    assert (caught.value.status_code, service.requests) == (413, 1)


async def test_a_mistake_of_ours_in_a_transaction_says_what_the_service_says(service: Service, tables: AzureTables) -> None:
    from azure.core.exceptions import HttpResponseError  # noqa: PLC0415

    service.answers = [refusal(400, "PropertyNameInvalid", "1:The property name is invalid.")]
    with pytest.raises(HttpResponseError, match="400 PropertyNameInvalid 1:The property name is invalid"):
        await tables.transact("SyncState", "p", TWO)
    assert service.requests == 1


class Tokens:
    """A credential that hands out one token, and notes what for."""

    def __init__(self) -> None:
        self.scopes: list[str] = []

    async def get_token(self, *scopes: str, **_options: Any) -> AccessToken:
        self.scopes += scopes
        return AccessToken("the-token", int(time.time()) + 3600)

    async def close(self) -> None:
        """Nothing is open."""

    async def __aenter__(self) -> "Tokens":
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()


async def test_an_endpoint_is_reached_with_the_credentials_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing answers: OAuth needs https, and the requests are looked at on their way out."""
    from azure.core.exceptions import ServiceRequestError  # noqa: PLC0415
    from azure.core.pipeline.transport import AioHttpTransport  # noqa: PLC0415

    sent: list[Any] = []

    async def send(_transport: object, request: Any, **_options: Any) -> None:
        sent.append(request)
        raise ServiceRequestError("nobody is there")

    monkeypatch.setattr(AioHttpTransport, "send", send)
    credential = Tokens()
    tables = AzureTables(endpoint="https://acme.table.core.windows.net/", credential=credential, pause=Service().pause)
    calls: list[Any] = [
        lambda: tables.get("SyncState", "p", "k"),
        lambda: anext(tables.scan("SyncState", "p")),
        lambda: tables.transact("SyncState", "p", ONE),
        lambda: tables.transact("SyncState", "p", TWO),
        lambda: tables.create(["SyncState"]),
    ]
    urls = []
    for call in calls:
        sent.clear()
        with pytest.raises(Temporary):
            await call()
        urls.append((sent[0].method, sent[0].url.partition("?")[0]))
        assert {request.headers["Authorization"] for request in sent} == {"Bearer the-token"}
    await tables.close()
    assert urls == [
        ("GET", "https://acme.table.core.windows.net/SyncState(PartitionKey='p',RowKey='k')"),
        ("GET", "https://acme.table.core.windows.net/SyncState()"),
        ("PUT", "https://acme.table.core.windows.net/SyncState(PartitionKey='p',RowKey='a')"),
        ("POST", "https://acme.table.core.windows.net/$batch"),
        ("GET", "https://acme.table.core.windows.net/Tables"),
    ]
    assert set(credential.scopes) == {"https://storage.azure.com/.default"}


async def test_a_token_is_never_sent_in_the_clear() -> None:
    tables = AzureTables(endpoint="http://acme.table.core.windows.net", credential=Tokens())
    with pytest.raises(ValueError, match="HTTPS"):
        await tables.get("SyncState", "p", "k")


@pytest.mark.parametrize(("connection", "endpoint"), [("", ""), ("x", "y")])
def test_tables_are_opened_with_a_connection_string_or_an_endpoint(connection: str, endpoint: str) -> None:
    with pytest.raises(ValueError, match="either"):
        AzureTables(connection=connection, endpoint=endpoint)
