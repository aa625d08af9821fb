"""What the client does with answers the simulator does not give: scripts of one HTTP answer after another."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import httpx
import pytest

from local.sandbox.faults import ConnectionCut
from local.sandbox.http import Request, Response, SettableClock
from shared.errors import Code, Permanent, SyncError, Temporary, Unknown
from sync.connectors.graph.client import GraphClient
from sync.connectors.graph.reply import Reply, SubRequest
from tests.connectors.graph.scene import Login, Script, Waits, answers, make_client
from tests.transports_httpx import ServiceTransport

Answer = Callable[[Sequence[Mapping[str, object]]], Response]


class Wire:
    def __init__(self, *script: Answer) -> None:
        self.clock = SettableClock(datetime(2026, 3, 1, 8, 0, tzinfo=UTC))
        self.waits = Waits(self.clock)
        self.script = Script(*script)
        self.transport = ServiceTransport(self.script)
        tokens = iter("abcdefgh")
        self.login = Login(lambda: next(tokens))
        self.client: GraphClient = make_client(httpx.AsyncClient(transport=self.transport), self.login, self.clock, self.waits)

    async def send(self, *methods: str) -> list[Reply]:
        requests = [
            SubRequest(method=method, url=f"/{n}", body={} if method in {"POST", "PATCH"} else None) for n, method in enumerate(methods)
        ]
        return await self.client.batch("anna", requests)


def whole(status: int, body: object = None, **headers: str) -> Answer:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _asked: Response.of(status, body, told) if not isinstance(body, str) else Response(status=status, body=body.encode())


def cut(_asked: object) -> Response:
    raise ConnectionCut("cut")


def unreachable(_request: Request) -> Response | None:
    raise httpx.ConnectError("no route")


async def test_replies_come_in_the_order_asked_though_the_service_answers_in_another() -> None:
    wire = Wire(answers(200, 200, 200))
    assert [reply.body["url"] for reply in await wire.send("GET", "GET", "GET")] == ["/0", "/1", "/2"]


async def test_forty_five_requests_are_three_batches_of_at_most_twenty() -> None:
    wire = Wire(answers(*[200] * 20), answers(*[200] * 20), answers(*[200] * 5))
    replies = await wire.send(*["GET"] * 45)
    assert [len(asked) for asked in wire.script.asked] == [20, 20, 5]
    assert [reply.body["url"] for reply in replies] == [f"/{n}" for n in range(45)]


@pytest.mark.parametrize(
    ("header", "waited"),
    [("2.128", 2.128), ("0.124", 1.0), ("Sun, 01 Mar 2026 08:00:05 GMT", 5.0), ("soon", 1.0), ("nan", 1.0), ("-3", 1.0)],
)
async def test_retry_after_is_understood_in_every_form(header: str, waited: float) -> None:
    wire = Wire(answers(429, RETRY_AFTER=header), answers(200))
    (reply,) = await wire.send("POST")
    assert reply.ok
    assert wire.waits.seconds == [waited]


async def test_without_retry_after_the_waits_grow_and_end_within_the_budget() -> None:
    wire = Wire(*[answers(429)] * 8)
    (reply,) = await wire.send("GET")
    assert wire.waits.seconds == [1, 2, 4, 8, 16]
    assert isinstance(reply.fault, Temporary)
    assert (reply.fault.code, reply.unsure) == (Code.THROTTLED, False)


async def test_a_wait_longer_than_the_budget_is_not_begun_and_the_rest_is_not_sent() -> None:
    wire = Wire(answers(*[429] * 20, Retry_After="600"))
    replies = await wire.send(*["POST"] * 45)
    assert wire.waits.seconds == []
    assert len(wire.script.asked) == 1
    assert [(reply.unsure, reply.fault.retry_after if reply.fault else None) for reply in replies] == [(False, 600.0)] * 45


async def test_one_item_that_is_always_refused_for_now_does_not_hold_up_the_next_batch() -> None:
    wire = Wire(answers(*[200] * 19, 429, Retry_After="600"), answers(200))
    replies = await wire.send(*["PATCH"] * 21)
    assert [reply.ok for reply in replies] == [True] * 19 + [False, True]


@pytest.mark.parametrize(
    ("method", "status", "sent", "unsure"),
    [
        ("GET", 500, 6, False),
        ("GET", 502, 6, False),
        ("GET", 504, 6, False),
        ("GET", 503, 6, False),
        ("POST", 500, 1, True),
        ("POST", 502, 1, True),
        ("POST", 503, 1, True),
        ("POST", 504, 1, True),
        ("PATCH", 500, 1, True),
        ("PATCH", 503, 6, False),
        ("DELETE", 504, 1, True),
        ("POST", 424, 6, False),
    ],
)
async def test_only_what_had_no_effect_for_sure_is_sent_again(method: str, status: int, sent: int, unsure: bool) -> None:
    wire = Wire(*[answers(status)] * 8)
    (reply,) = await wire.send(method)
    assert (len(wire.script.asked), reply.unsure) == (sent, unsure)
    assert isinstance(reply.fault, Unknown if unsure else Temporary)


async def test_a_creation_told_to_wait_by_a_503_is_sent_again() -> None:
    wire = Wire(answers(503, Retry_After="1"), answers(201))
    (reply,) = await wire.send("POST")
    assert reply.status == 201


@pytest.mark.parametrize("broken", [cut, whole(502, "<html>Bad gateway</html>"), whole(503, None, Retry_After="1"), whole(200, "not json")])
async def test_a_batch_that_got_lost_makes_its_writes_unsure_and_sends_its_reads_again(broken: Answer) -> None:
    wire = Wire(broken, answers(200, 200))
    replies = await wire.send("GET", "POST", "GET", "DELETE")
    assert [(reply.ok, reply.unsure) for reply in replies] == [(True, False), (False, True), (True, False), (False, True)]
    assert wire.script.asked[1] == ["GET /0", "GET /2"]


async def test_a_write_left_out_of_the_answer_is_unsure_and_only_that() -> None:
    def partly(asked: Sequence[Mapping[str, object]]) -> Response:
        return Response.of(200, {"responses": [{"id": asked[0]["id"], "status": 201, "body": {}}]})

    wire = Wire(partly)
    assert [(reply.ok, reply.unsure) for reply in await wire.send("POST", "POST")] == [(True, False), (False, True)]


async def test_a_service_that_cannot_be_reached_got_nothing_and_is_tried_again() -> None:
    wire = Wire()
    wire.transport.before = unreachable
    replies = await wire.send("POST", "GET")
    assert [(reply.unsure, type(reply.fault)) for reply in replies] == [(False, Temporary)] * 2
    assert replies[0].fault is not None
    assert replies[0].fault.code is Code.NETWORK
    assert len(wire.transport.requests) == 6


async def test_a_throttled_whole_batch_is_sent_again_whole() -> None:
    wire = Wire(whole(429, {"error": {"code": "TooManyRequests"}}, retry_after="1.5"), answers(201, 200))
    assert all(reply.ok for reply in await wire.send("POST", "GET"))
    assert wire.waits.seconds == [1.5]


async def test_a_batch_answered_424_with_answers_inside_is_read_by_those() -> None:
    def inside(asked: Sequence[Mapping[str, object]]) -> Response:
        rows = [{"id": part["id"], "status": 429, "headers": {"retry-after": "2"}} for part in asked]
        return Response.of(424, {"responses": rows})

    wire = Wire(inside, answers(201))
    (reply,) = await wire.send("POST")
    assert reply.status == 201
    assert wire.waits.seconds == [2]


async def test_one_request_that_spoils_a_batch_is_found_by_halving() -> None:
    bad = whole(400, {"error": {"code": "BadRequest"}})
    wire = Wire(bad, answers(201, 201), bad, bad, answers(201))
    replies = await wire.send("POST", "POST", "POST", "POST")
    assert [reply.status for reply in replies] == [201, 201, 400, 201]
    assert not any(reply.unsure for reply in replies)


async def test_a_refused_token_is_replaced_once() -> None:
    refused = whole(401, {"error": {"code": "InvalidAuthenticationToken"}})
    wire = Wire(refused, answers(201))
    (reply,) = await wire.send("POST")
    assert reply.status == 201
    assert [request.headers["authorization"] for request in wire.transport.requests] == ["Bearer a", "Bearer b"]


async def test_a_token_refused_twice_is_a_refused_login() -> None:
    refused = whole(401, {"error": {"code": "InvalidAuthenticationToken"}})
    wire = Wire(refused, refused)
    (reply,) = await wire.send("POST")
    assert isinstance(reply.fault, Permanent)
    assert (reply.fault.code, reply.unsure) == (Code.GRAPH_LOGIN_REFUSED, False)
    assert len(wire.script.asked) == 2


async def test_a_token_refused_inside_a_batch_is_replaced_once_too() -> None:
    wire = Wire(answers(200, 401), answers(401))
    replies = await wire.send("GET", "GET")
    assert [reply.status for reply in replies] == [200, 401]
    assert [request.headers["authorization"] for request in wire.transport.requests] == ["Bearer a", "Bearer b"]
    assert wire.waits.seconds == []


async def test_no_token_is_no_effect() -> None:
    async def refuse(*, refused: str = "") -> str:
        raise Permanent(Code.GRAPH_LOGIN_REFUSED)

    wire = Wire()
    wire.client = GraphClient(
        endpoint="https://graph.microsoft.com",
        get_token=refuse,
        http=httpx.AsyncClient(transport=wire.transport),
        clock=wire.clock,
        sleep=wire.waits,
        chance=lambda: 0.0,
    )
    (reply,) = await wire.send("POST")
    assert isinstance(reply.fault, SyncError)
    assert (reply.fault.code, reply.unsure) == (Code.GRAPH_LOGIN_REFUSED, False)


async def test_batches_of_one_mailbox_take_turns() -> None:
    wire = Wire(answers(200), answers(200), answers(200))
    open_now = most = 0

    class Counting(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal open_now, most
            open_now += 1
            most = max(most, open_now)
            await asyncio.sleep(0)
            answer = await wire.transport.handle_async_request(request)
            open_now -= 1
            return answer

    client = make_client(httpx.AsyncClient(transport=Counting()), wire.login, wire.clock, wire.waits)
    await asyncio.gather(*(client.batch("anna", [SubRequest(method="GET", url="/x")]) for _ in range(3)))
    assert most == 1


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("https://graph.microsoft.com/v1.0/users/a/contacts/delta?$skiptoken=x%2Fy", "/users/a/contacts/delta?$skiptoken=x%2Fy"),
        ("https://127.0.0.1:8443/v1.0/users('a')/contactfolders('b')/contacts/microsoft.graph.delta()?$deltatoken=1", None),
        ("https://gate.example/graph/v1.0/users/a?u=https://x/v1.0/y", "/users/a?u=https://x/v1.0/y"),
        ("/users/a?x=1", "/users/a?x=1"),
        ("users/a", "/users/a"),
        ("/v1.0/users/a", "/users/a"),
    ],
)
def test_links_become_relative_and_stay_as_they_are_otherwise(link: str, url: str | None) -> None:
    expected = url or "/users('a')/contactfolders('b')/contacts/microsoft.graph.delta()?$deltatoken=1"
    assert Wire().client.relative(link) == expected
