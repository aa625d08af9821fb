"""The sandbox over its sockets: TLS, cuts, latency beside other connections, the control plane and the identity endpoint."""

import asyncio
import random
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from aiohttp import web
from azure.identity.aio import DefaultAzureCredential

from local.sandbox.control import Control, ControlPlane, RefusedError
from local.sandbox.faults import Count, Effect, Faults, Rule
from local.sandbox.http import Request, Response, SettableClock
from local.sandbox.identity import Identity
from local.sandbox.server import SandboxServer
from local.sandbox.tls import Authority, make_authority


@dataclass(frozen=True)
class Card:
    name: str
    born: datetime


class Desk:
    """What people do to a simulator."""

    owner = ""

    def add(self, name: str, *, times: int = 1) -> list[Card]:
        return [Card(name, datetime(2026, 1, 1, tzinfo=UTC))] * times


class Echo:
    """Answers with what it was asked."""

    def __init__(self) -> None:
        self.desk = Desk()
        self.effects = 0
        self.writes: list[Card] = []
        self.held = 0
        self.most_held = 0

    def mailbox(self, name: str) -> Desk:
        self.desk.owner = name
        return self.desk

    @contextmanager
    def in_flight(self, request: Request) -> Iterator[None]:
        self.held += 1
        self.most_held = max(self.held, self.most_held)
        yield
        self.held -= 1

    def handle(self, request: Request) -> Response:
        self.effects += 1
        if request.method == "DELETE":
            return Response(status=204)
        return Response.of(200, {"url": request.url, "length": len(request.body), "x": request.headers.get("x-test")})


class Running:
    def __init__(self, authority: Authority) -> None:
        self.clock = SettableClock()
        self.faults = Faults(self.clock, random.Random(1))
        self.identity = Identity()
        self.echo = Echo()
        services = {"graph": self.faults.around("graph", self.echo)}
        self.server = SandboxServer(services, authority.context, self.clock)
        self.plane = web.AppRunner(ControlPlane(self.faults, services, self.clock, self.identity).application())
        self.bundle = authority.bundle
        self.control_origin = ""

    async def start(self) -> None:
        await self.server.start()
        await self.plane.setup()
        await web.TCPSite(self.plane, "127.0.0.1", 0).start()
        self.control_origin = f"http://127.0.0.1:{self.plane.addresses[0][1]}"

    def client(self) -> httpx.AsyncClient:
        context = ssl.create_default_context(cafile=str(self.bundle))
        limits = httpx.Limits(max_connections=None)
        return httpx.AsyncClient(base_url=self.server.origins["graph"], verify=context, limits=limits, timeout=30)

    async def control(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Uses the blocking client as its users do, from another thread."""

        def use() -> Any:
            control = Control(self.control_origin)
            try:
                return getattr(control, name)(*args, **kwargs)
            finally:
                control.close()

        return await asyncio.to_thread(use)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture
async def running(authority: Authority) -> AsyncIterator[Running]:
    running = Running(authority)
    await running.start()
    yield running
    await running.server.stop()
    await running.plane.cleanup()


async def test_a_request_arrives_as_it_was_sent(running: Running) -> None:
    async with running.client() as client:
        answer = await client.post("/v1.0/a%2Fb//c?x=%20y&x=z", content=b"1" * 3_000_000, headers={"X-Test": "yes"})
        empty = await client.delete("/v1.0/me")
    url = running.server.origins["graph"] + "/v1.0/a%2Fb//c?x=%20y&x=z"
    assert answer.json() == {"url": url, "length": 3_000_000, "x": "yes"}
    assert (empty.status_code, empty.content) == (204, b"")


async def test_the_date_header_is_the_sandbox_clocks(running: Running) -> None:
    await running.control("advance", 86_400 * 30)
    async with running.client() as client:
        answer = await client.get("/")
    assert answer.headers["date"] == running.clock.now().strftime("%a, %d %b %Y %H:%M:%S GMT")


async def test_the_usual_roots_stay_trusted_beside_the_throw_away_ones(authority: Authority) -> None:
    context = ssl.create_default_context(cafile=str(authority.bundle))
    assert context.cert_store_stats()["x509_ca"] > 20


async def test_a_cut_closes_the_socket_without_an_answer(running: Running) -> None:
    await running.control("plant", Rule(effect=Effect.CUT_AFTER, times=1))
    async with running.client() as client:
        with pytest.raises(httpx.TransportError):
            await client.get("/")
        assert running.echo.effects == 1
        assert (await client.get("/")).status_code == 200


async def test_latency_is_waited_for_beside_other_connections(running: Running) -> None:
    await running.control("set_latency", 0.04)
    async with running.client() as client:
        await client.get("/")
        began = time.perf_counter()
        await asyncio.gather(*(client.get("/") for _ in range(100)))
        assert running.echo.most_held > 1
        assert running.echo.held == 0
    assert 0.04 <= time.perf_counter() - began < 100 * 0.04 * 0.75


async def test_counters_and_journal_tell_what_was_asked(running: Running) -> None:
    async with running.client() as client:
        await client.get("/v1.0/users/u1/contacts")
        await client.post("/v1.0/users/u1/contacts", content=b"{}")
    counters = await running.control("counters")
    running.echo.writes.append(Card("Ada", datetime(2026, 1, 1, tzinfo=UTC)))
    writes = await running.control("writes", "graph")
    journal = await running.control("journal")
    assert counters[Count(service="graph", method="GET", template="/v1.0/users/u1/contacts", user="u1")] == 1
    assert writes == [{"name": "Ada", "born": "2026-01-01T00:00:00+00:00"}]
    assert (journal[-1]["method"], journal[-1]["path"], journal[-1]["body"]) == ("POST", "/v1.0/users/u1/contacts", "{}")
    await running.control("reset_counters")
    assert await running.control("counters") == {}


async def test_the_human_side_can_be_used_from_another_process(running: Running) -> None:
    cards = await running.control("call", "graph", "desk.add", "Ada", times=2)
    assert cards == [{"name": "Ada", "born": "2026-01-01T00:00:00+00:00"}] * 2


async def test_a_target_may_take_texts_on_its_way_and_a_value_be_changed(running: Running) -> None:
    await running.control("call", "graph", "mailbox(ada@example.com).add", "Ada")
    await running.control("call", "graph", "desk", owner=running.echo.desk.owner + "!")
    assert running.echo.desk.owner == "ada@example.com!"


@pytest.mark.parametrize("target", ["desk.nothing", "desk.__class__", "desk._hidden", "mailbox(a", "a b"])
async def test_what_people_can_not_do_is_refused(running: Running, target: str) -> None:
    with pytest.raises(RefusedError):
        await running.control("call", "graph", target)


async def test_a_rule_that_is_none_is_refused(running: Running) -> None:
    async with httpx.AsyncClient(base_url=running.control_origin) as client:
        unknown_effect = await client.post("/faults", json={"effect": "explode"})
        unknown_name = await client.post("/faults", json={"effect": "answer", "colour": "red"})
    assert (unknown_effect.status_code, unknown_name.status_code) == (400, 400)
    assert running.faults.planted == []


async def test_azure_identity_gets_its_token_unchanged(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET", "AZURE_TOKEN_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("IDENTITY_ENDPOINT", running.control_origin + "/identity/token")
    monkeypatch.setenv("IDENTITY_HEADER", running.identity.secret)
    credential = DefaultAzureCredential()
    token = await credential.get_token("https://graph.microsoft.com/.default")
    await credential.close()
    assert running.identity.accepts(token.token)
    assert not running.identity.accepts(token.token + "x")
    assert token.expires_on > time.time() + 3600
    running.identity.audience = "https://graph.microsoft.de"
    assert not running.identity.accepts(token.token)


async def test_the_identity_endpoint_refuses_strangers(running: Running) -> None:
    async with httpx.AsyncClient(base_url=running.control_origin) as client:
        asked = {"resource": "https://graph.microsoft.com", "api-version": "2019-08-01"}
        without = await client.get("/identity/token", params=asked)
        wrong_version = await client.get(
            "/identity/token", params={**asked, "api-version": "2018-02-01"}, headers={"X-IDENTITY-HEADER": running.identity.secret}
        )
    assert (without.status_code, wrong_version.status_code) == (401, 400)
