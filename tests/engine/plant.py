"""Worker processes, their queue and their timer, on one tenant under one scheduler and one weather.

The queue keeps the rules that matter: a message is delivered at least once, and again when whoever had it died or failed; the fifth failure
poisons it. It knows the product by `App` alone, and nothing of contacts.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import requests

from local.sandbox.faults import ConnectionCut
from local.sandbox.graph.faults import SubFault, When
from local.sandbox.http import Request, Response
from shared.errors import SyncError
from sync.messages import Why
from sync.wiring import App, World
from tests.engine.scheduler import Scheduler
from tests.engine.weather import ERRAND, GRAPH, SALESFORCE, Died, Errand, Fate, Process, Weather, errand_of
from tests.tenant import Tenant
from tests.transports_requests import ServiceAdapter, session_for

DELIVERIES = 5
"""As in the host's settings: `maxDequeueCount`."""


class GraphWire(httpx.AsyncBaseTransport):
    """Graph as an httpx transport, under the weather."""

    def __init__(self, plant: "Plant") -> None:
        self._plant = plant

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Request(method=request.method, url=str(request.url), headers=headers, body=await request.aread())
        try:
            told = await self._plant.weather.carry(GRAPH, asked, self._plant.tenant.graph.handle)
        except ConnectionCut as cut:
            raise httpx.ReadError(str(cut), request=request) from cut
        return httpx.Response(told.status, headers=dict(told.headers), content=told.body, request=request)


class SalesforceWire(ServiceAdapter):
    """Salesforce as an adapter of requests. A blocking call runs in one piece, since there are no threads: the weather comes before and
    after it, and what it does to the request is done to the call's own one, not to a login that comes first."""

    def __init__(self, plant: "Plant") -> None:
        super().__init__(plant.tenant.salesforce, before=self._answer)
        self._plant = plant
        self._now: tuple[Errand, Fate] | None = None

    async def in_thread(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        weather, errand = self._plant.weather, ERRAND.get()
        if errand is None:
            return call(*args, **kwargs)
        fate = weather.note(SALESFORCE, " ".join(str(one) for one in args[:2]), errand)
        await weather.before(errand, fate)
        self._now = (errand, fate)
        result: Any = None
        raised: Exception | None = None
        try:
            result = call(*args, **kwargs)
        except Exception as error:
            raised = error
        self._now = None
        await weather.after(errand, fate)
        if raised is not None:
            raise raised
        return result

    def _answer(self, request: Request) -> Response | None:
        if self._now is None or request.path.endswith("/oauth2/token"):
            return None
        errand, fate = self._now
        self._now = (errand, Fate.WELL)
        told = self._plant.weather.exchange(SALESFORCE, request, self._plant.tenant.salesforce.handle, errand, fate)
        if told is None:
            raise ConnectionCut(f"{request.method} {request.path}")
        return told


@dataclass(slots=True, eq=False)
class Waiting:
    """A message in the queue."""

    text: str
    visible: float
    deliveries: int = 0
    number: int = 0


@dataclass(kw_only=True)
class Plant:
    """Everything of one history but the people."""

    seed: Any
    tenant: Tenant
    weather: Weather
    loop: Scheduler
    duplicates: float = 0.0
    """How many messages come twice."""
    queue: list[Waiting] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    """What escaped from the product that should not."""
    apps: dict[Process, App] = field(default_factory=dict)
    errands: int = 0
    busy: int = 0
    stopping: bool = False
    _calm: Process | None = None

    def __post_init__(self) -> None:
        self.rng = random.Random(f"{self.seed} plant")
        self.wire = SalesforceWire(self)
        self._settings = self.tenant.settings
        self._graph_http = httpx.AsyncClient(transport=GraphWire(self), trust_env=False, verify=False)
        self._session: requests.Session = session_for(self.wire)
        self.tenant.tables.before, self.tenant.tables.after = self.weather.before_table, self.weather.after_table
        self.weather.expire_session = self._expire_sessions
        self.weather.spoil_part, self.weather.mend_parts = self._spoil_part, self._mend_parts

    # ------------------------------------------------------------- processes

    def start(self) -> Process:
        """A new worker process: of the old one's memory nothing is left."""
        process = Process(number=len(self.apps) + 1)
        rng = random.Random(f"{self.seed} process {process.number}")
        world: World = self.tenant.world(
            graph_http=self._graph_http,
            salesforce_http=self._session,
            sleep=self.weather.wait,
            in_thread=self.wire.in_thread,
            chance=rng.random,
            new_id=lambda: f"{rng.getrandbits(64):016x}",
        )
        app = App(self._settings, world, times=self.tenant.times, lease=self.tenant.lease)
        if self.apps:  # a login signs with RSA, which costs more than a whole run: what was brought once is kept
            app.tokens = next(iter(self.apps.values())).tokens
        self.apps[process] = app
        return process

    @property
    def calm(self) -> Process:
        """The process that serves when nothing goes wrong any more."""
        if self._calm is None or self._calm.dead:
            self._calm = self.start()
        return self._calm

    async def plan(self, process: Process, why: Why = Why.TIMER) -> None:
        """A round: its messages come into the queue."""
        try:
            for text in await self._errand(process, self.apps[process].plan, why):
                self.put(text)
        except (Died, SyncError):
            return
        except Exception as error:
            self.crashes.append(f"plan: {type(error).__name__}: {error}")

    async def serve(self, process: Process, message: Waiting) -> None:
        """Deliver one message. Whoever fails or dies gives it back."""
        message.deliveries += 1
        try:
            for text in await self._errand(process, self.apps[process].sync, message.text):
                self.put(text)
            return
        except (Died, SyncError):
            pass
        except Exception as error:
            self.crashes.append(f"sync: {type(error).__name__}: {error}")
        if message.deliveries < DELIVERIES:
            message.visible = self.loop.time() + self.rng.uniform(1.0, 300.0)
            self.queue.append(message)
        elif not process.dead:
            try:
                await self._errand(process, self.apps[process].poison, message.text)
            except (Died, SyncError):
                return

    async def _errand(self, process: Process, call: Callable[..., Any], *args: Any) -> Any:
        self.errands += 1
        token = ERRAND.set(self.errand(process))
        try:
            return await call(*args)
        finally:
            ERRAND.reset(token)

    def errand(self, process: Process) -> Errand:
        return errand_of(process, self.seed, f"{process.number}/{self.errands}")

    # ------------------------------------------------------------- the queue

    def put(self, text: str) -> None:
        copies = 2 if self.rng.random() < self.duplicates else 1
        for _ in range(copies):
            self.queue.append(Waiting(text=text, visible=self.loop.time() + self.rng.uniform(0.0, 3.0), number=len(self.queue)))

    def take(self) -> Waiting | None:
        ready = [one for one in self.queue if one.visible <= self.loop.time()]
        if not ready:
            return None
        chosen = self.rng.choice(ready)
        self.queue.remove(chosen)
        return chosen

    async def work(self) -> None:
        """A host: one process at a time, which serves two messages at once; when it dies another one begins."""
        while not self.stopping:
            process = self.start()
            await asyncio.gather(*(self._serve_while_alive(process) for _ in range(2)))
            await asyncio.sleep(self.rng.uniform(1.0, 60.0))

    async def _serve_while_alive(self, process: Process) -> None:
        while not (self.stopping or process.dead):
            message = self.take()
            if message is None:
                await asyncio.sleep(self.rng.uniform(0.5, 4.0))
                continue
            self.busy += 1
            await self.serve(process, message)
            self.busy -= 1

    async def drain(self) -> None:
        """Serve what is in the queue with one process and no trouble, until nothing is left."""
        process = self.calm
        for _ in range(200):
            if not self.queue:
                return
            message = min(self.queue, key=lambda one: (one.visible, one.number))
            self.queue.remove(message)
            await asyncio.sleep(max(0.0, message.visible - self.loop.time()))
            await self.serve(process, message)
        self.crashes.append("the queue does not get empty")

    async def round(self, why: Why = Why.TIMER) -> None:
        """One round and all it queues, with one process."""
        await self.plan(self.calm, why)
        await self.drain()

    async def later(self, **delta: float) -> None:
        """Let time pass, then a round."""
        await asyncio.sleep(timedelta(**delta).total_seconds())
        await self.round()

    # ------------------------------------------------------------- the simulators' part of the weather

    def _expire_sessions(self) -> None:
        self.tenant.salesforce.expire_sessions()

    def _spoil_part(self, service: str, rng: random.Random) -> None:
        """One step of the next batch is answered with an error, or one row of the next collection is locked."""
        if service == SALESFORCE:
            self.tenant.salesforce.add_row_fault("UNABLE_TO_LOCK_ROW", message="unable to obtain exclusive access", skip=rng.randrange(4))
            return
        kinds: list[tuple[int, float | None, When]] = [
            (429, 1.5, When.BEFORE),
            (503, 2.0, When.BEFORE),
            (503, None, When.AFTER),
            (504, None, When.AFTER),
            (504, None, When.BEFORE),
            (500, None, When.AFTER),
        ]
        status, retry_after, when = rng.choice(kinds)
        fault = SubFault(status=status, retry_after=retry_after, when=when, skip=rng.randrange(5), code="drawn")
        self.tenant.graph.sub_faults.append(fault)

    def _mend_parts(self) -> None:
        self.tenant.graph.sub_faults.clear()
        if self.tenant.salesforce.org.rules.row_faults:
            self.tenant.salesforce.org.rules.row_faults.clear()


def build(seed: Any, tenant: Tenant, **more: Any) -> Plant:
    """A plant whose scheduler moves the tenant's clock."""
    loop = Scheduler(seed, moved=partial(_move, tenant))
    return Plant(seed=seed, tenant=tenant, weather=Weather(), loop=loop, **more)


def _move(tenant: Tenant, seconds: float) -> None:
    tenant.clock.advance(seconds)
