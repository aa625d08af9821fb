"""What may happen to a call of the product, drawn from a seed: nothing, slowness, no answer, a late effect, a refusal, a freeze, a death.

Every call passes here twice, before its effect and after it, and each time other tasks get their turn: people edit, other runs write. A
process that died does nothing any more; one that froze goes on where it was, with the request it was about to send.
It speaks HTTP answers and the stores' errors, and knows nothing of what the calls are about.
"""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

from local.sandbox.faults import ConnectionCut
from local.sandbox.http import Request, Response
from shared.errors import Code, Temporary, Unknown
from sync.stores.memory import Call

Effect: TypeAlias = Callable[[Request], Response]
"""A simulator carries out a request."""
GRAPH, SALESFORCE, TABLES = "graph", "salesforce", "tables"


class Died(BaseException):
    """The process ended here. Nothing of it goes on."""


class Fate(StrEnum):
    """What happens to one call."""

    WELL = "well"
    REFUSED = "refused"  # 429 or 503, for sure without effect
    FAILED_BEFORE = "failed before"  # 5xx, without effect – which the caller can not know
    FAILED_AFTER = "failed after"  # 5xx, with the effect
    CUT_BEFORE = "cut before"
    CUT_AFTER = "cut after"
    LATE = "late"  # cut, and the effect comes minutes later
    SLOW = "slow"  # the effect at once, the answer after half a minute or two
    FROZEN_BEFORE = "frozen before"
    FROZEN_AFTER = "frozen after"
    DIED_BEFORE = "died before"
    DIED_AFTER = "died after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Climate:
    """How often (0..1, for each call) and how long (seconds)."""

    latency: float = 0.4
    """Before the effect and again after it, at most."""
    refused: float = 0.0
    failed: float = 0.0
    cut: float = 0.0
    late: float = 0.0
    latest: float = 600.0
    """After so many seconds the last late effect has come: the vendors' longest request time."""
    slow: float = 0.0
    frozen: float = 0.0
    longest_freeze: float = 420.0
    """Longer than a lease, shorter than the vendors' longest request time: no sync could tell a longer one from a death."""
    died: float = 0.0
    part: float = 0.0
    """One step of a Graph batch, or one row of a Salesforce collection, is refused or cut."""
    session: float = 0.0
    """The Salesforce session has expired."""
    tables: float = 0.0
    """A table call is refused, or its answer lost."""


CALM = Climate(latency=0.0)


@dataclass(slots=True, eq=False)
class Process:
    """A worker process. Its App is the plant's business."""

    number: int
    dead: bool = False
    frozen_until: float = 0.0


@dataclass(slots=True, eq=False)
class Errand:
    """What one message (or one round of the planner) does in a process: the calls it makes are numbered in `calls`."""

    process: Process
    rng: random.Random
    name: str
    calls: int = 0


ERRAND: ContextVar[Errand | None] = ContextVar("errand", default=None)


@dataclass(kw_only=True)
class Weather:
    """`hooks`: what simulators offer for parts of a call; `tick` lets simulators see that time went on."""

    climate: Climate = CALM
    spoil_part: Callable[[str, random.Random], None] = lambda _service, _rng: None
    mend_parts: Callable[[], None] = lambda: None
    expire_session: Callable[[], None] = lambda: None
    decide: Callable[[str, Errand, Climate], Fate] | None = None
    """In place of the draw, for tests that place one fault."""
    met: Counter[str] = field(default_factory=Counter)
    journal: list[str] = field(default_factory=list)
    """A line for each call: time, errand, service, what, fate."""
    under_way: int = 0
    """Late effects that have not come yet."""

    # ------------------------------------------------------------- drawing

    def _draw(self, service: str, errand: Errand) -> Fate:
        if self.decide is not None:
            return self.decide(service, errand, self.climate)
        climate, at = self.climate, errand.rng.random()
        for fate, chance in _chances(climate, service):
            if at < chance:
                return fate
            at -= chance
        return Fate.WELL

    def note(self, service: str, what: str, errand: Errand) -> Fate:
        errand.calls += 1
        fate = self._draw(service, errand)
        if fate is not Fate.WELL:
            self.met[fate] += 1
        self.journal.append(f"{asyncio.get_running_loop().time():10.3f} {errand.name:14} {service:10} {what:40.40} {fate}")
        return fate

    # ------------------------------------------------------------- HTTP

    async def carry(self, service: str, request: Request, effect: Effect) -> Response:
        """One HTTP exchange of the current errand. Raises ConnectionCut, and Died."""
        errand = ERRAND.get()
        if errand is None:
            return effect(request)
        fate = self.note(service, f"{request.method} {request.path}", errand)
        try:
            await self.before(errand, fate)
        except asyncio.CancelledError:
            if (
                fate is Fate.FROZEN_BEFORE
            ):  # the client has given up by the time it thaws, and what it was about to send is sent all the same
                self._later(errand.process.frozen_until - asyncio.get_running_loop().time(), request, effect)
            raise
        response = self.exchange(service, request, effect, errand, fate)
        await self.after(errand, fate)
        if response is None:
            raise ConnectionCut(f"{request.method} {request.path}")
        return response

    def exchange(self, service: str, request: Request, effect: Effect, errand: Errand, fate: Fate) -> Response | None:
        """The moment of the effect; None: no answer."""
        rng = errand.rng
        if fate is Fate.REFUSED:
            return _refusal(service, rng)
        if fate is Fate.FAILED_BEFORE:
            return _failure(service, rng)
        if fate is Fate.CUT_BEFORE:
            return None
        if fate is Fate.LATE:
            self._later(rng.uniform(1.0, self.climate.latest), request, effect)
            return None
        if self.climate.session and service == SALESFORCE and rng.random() < self.climate.session:
            self.met["session expired"] += 1
            self.expire_session()
        if self.climate.part and rng.random() < self.climate.part:
            self.met["part of a call"] += 1
            self.spoil_part(service, rng)
        response = effect(request)
        self.mend_parts()
        if fate is Fate.FAILED_AFTER:
            return _failure(service, rng)
        return None if fate is Fate.CUT_AFTER else response

    def _later(self, seconds: float, request: Request, effect: Effect) -> None:
        self.under_way += 1
        asyncio.get_running_loop().call_later(seconds, self._arrive, request, effect)

    def _arrive(self, request: Request, effect: Effect) -> None:
        self.under_way -= 1
        effect(request)

    # ------------------------------------------------------------- tables

    async def before_table(self, call: Call) -> None:
        errand = ERRAND.get()
        if errand is None:
            return
        fate = self.note(TABLES, f"{call.name} {call.table} {len(call.operations)}", errand)
        await self.before(errand, fate)
        if fate in (Fate.REFUSED, Fate.FAILED_BEFORE, Fate.CUT_BEFORE):
            error = Temporary if fate is Fate.REFUSED or call.name != "transact" else Unknown
            raise error(Code.UNAVAILABLE, f"Table {call.table}: not answered.")
        _FATES.set(fate)

    async def after_table(self, call: Call) -> None:
        errand, fate = ERRAND.get(), _FATES.get()
        if errand is None:
            return
        await self.after(errand, fate)
        if fate in (Fate.FAILED_AFTER, Fate.CUT_AFTER):
            error = Unknown if call.name == "transact" else Temporary
            raise error(Code.UNAVAILABLE, f"Table {call.table}: not answered.")

    # ------------------------------------------------------------- time

    async def before(self, errand: Errand, fate: Fate) -> None:
        await self._pause(errand)
        if fate is Fate.DIED_BEFORE:
            self.kill(errand)
        if fate is Fate.FROZEN_BEFORE:
            await self._freeze(errand)

    async def after(self, errand: Errand, fate: Fate) -> None:
        if fate is Fate.DIED_AFTER:
            self.kill(errand)
        if fate is Fate.FROZEN_AFTER:
            await self._freeze(errand)
        if fate is Fate.SLOW:
            await asyncio.sleep(errand.rng.uniform(5.0, 110.0))
        await self._pause(errand)

    async def wait(self, seconds: float) -> None:
        """The product's own sleeping."""
        await asyncio.sleep(seconds)
        if (errand := ERRAND.get()) is not None:
            await self._thawed(errand)

    async def _pause(self, errand: Errand) -> None:
        await asyncio.sleep(errand.rng.uniform(0, self.climate.latency) if self.climate.latency else 0)
        await self._thawed(errand)

    async def _freeze(self, errand: Errand) -> None:
        until = asyncio.get_running_loop().time() + errand.rng.uniform(30.0, self.climate.longest_freeze)
        errand.process.frozen_until = max(errand.process.frozen_until, until)
        await self._thawed(errand)

    async def _thawed(self, errand: Errand) -> None:
        """Go on once the process is not frozen. A dead process goes nowhere."""
        process, loop = errand.process, asyncio.get_running_loop()
        while process.frozen_until > loop.time():  # noqa: ASYNC110 - it may have been frozen again meanwhile
            await asyncio.sleep(process.frozen_until - loop.time())
        if process.dead:
            raise Died

    def kill(self, errand: Errand) -> None:
        errand.process.dead = True
        raise Died


_FATES: ContextVar[Fate] = ContextVar("fate", default=Fate.WELL)


def _chances(climate: Climate, service: str) -> list[tuple[Fate, float]]:
    always = [
        (Fate.FROZEN_BEFORE, climate.frozen / 2),
        (Fate.FROZEN_AFTER, climate.frozen / 2),
        (Fate.DIED_BEFORE, climate.died / 2),
        (Fate.DIED_AFTER, climate.died / 2),
    ]
    if service == TABLES:
        third = climate.tables / 3
        return [*always, (Fate.REFUSED, third), (Fate.CUT_BEFORE, third), (Fate.CUT_AFTER, third)]
    return [
        *always,
        (Fate.REFUSED, climate.refused),
        (Fate.FAILED_BEFORE, climate.failed / 2),
        (Fate.FAILED_AFTER, climate.failed / 2),
        (Fate.CUT_BEFORE, climate.cut / 2),
        (Fate.CUT_AFTER, climate.cut / 2),
        (Fate.LATE, climate.late),
        (Fate.SLOW, climate.slow),
    ]


def _refusal(service: str, rng: random.Random) -> Response:
    """Turned away at the door."""
    if service == GRAPH:
        status, code = rng.choice([(429, "TooManyRequests"), (503, "serviceNotAvailable")])
        return _graph(status, code, {"retry-after": rng.choice(["1", "3", "2.128"])})
    status = rng.choice([420, 429])
    return _salesforce(status, "REQUEST_THROTTLED" if status == 429 else "TOO_MANY_REQUESTS", {"retry-after": "2"})


def _failure(service: str, rng: random.Random) -> Response:
    """An answer that leaves open whether it took effect."""
    if service == GRAPH:
        return _graph(*rng.choice([(503, "serviceNotAvailable"), (504, "gatewayTimeout"), (500, "generalException"), (502, "badGateway")]))
    return rng.choice([_salesforce(500, "UNKNOWN_EXCEPTION"), _salesforce(503, "SERVER_UNAVAILABLE"), _html(502), _html(504)])


def _graph(status: int, code: str, headers: dict[str, str] | None = None) -> Response:
    return Response.of(status, {"error": {"code": code, "message": "drawn by the weather"}}, headers)


def _salesforce(status: int, code: str, headers: dict[str, str] | None = None) -> Response:
    body = json.dumps([{"errorCode": code, "message": "drawn by the weather"}]).encode()
    return Response(status=status, headers={"content-type": "application/json", **(headers or {})}, body=body)


def _html(status: int) -> Response:
    return Response(status=status, headers={"content-type": "text/html"}, body=b"<html>gateway</html>")


def errand_of(process: Process, seed: Any, name: str) -> Errand:
    return Errand(process=process, rng=random.Random(f"{seed} errand {name}"), name=name)
