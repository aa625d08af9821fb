"""The control plane: everything a test or a person does *to* the sandbox, as plain JSON over HTTP, and its client.

It is a port of its own: what the product can reach never shows it.

    POST /faults {rule}      plants a fault (see faults.Rule)       DELETE /faults   forgets them
    GET  /faults             the rules, with how often each matched and fired
    POST /latency {seconds}  seconds added to every answer
    GET  /counters           requests by service, method, template and user; the steps inside Graph batches; statuses; tokens
    POST /counters/reset     starts counting anew, and empties the journal
    GET  /journal?last=100   the last requests                      GET /writes      what took effect, by service
    POST /clock {advance}    moves the sandbox's clock by seconds   GET /clock       its time
    POST /call {service, target, args, kwargs}   calls a simulator's human side: what people do in Outlook and Salesforce

A target is a dotted path whose steps may take texts: `mailbox(ada@example.com).create_contact`, `knobs`, `system.update`.
"""

import dataclasses
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence, Set
from datetime import date, datetime
from enum import Enum
from typing import Any, Protocol

import httpx
from aiohttp import web

from local.sandbox.faults import Count, Faults, FaultyService, Rule
from local.sandbox.http import SettableClock
from local.sandbox.identity import Identity

_STEP = re.compile(r"([A-Za-z]\w*)(?:\(([^()]*)\))?(?:\.|$)")


class ControlPlane:
    """The server's side. `services` are the simulators by name."""

    def __init__(self, faults: Faults, services: Mapping[str, FaultyService], clock: SettableClock, identity: Identity) -> None:
        self._faults = faults
        self._services = services
        self._clock = clock
        self._identity = identity

    def application(self) -> web.Application:
        application = web.Application(client_max_size=64 * 1024 * 1024)
        application.add_routes(
            [
                web.post("/faults", self._plant),
                web.delete("/faults", self._clear),
                web.get("/faults", self._rules),
                web.post("/latency", self._slow_down),
                web.get("/counters", self._counters),
                web.post("/counters/reset", self._reset),
                web.get("/journal", self._journal),
                web.get("/writes", self._writes),
                web.post("/clock", self._advance),
                web.get("/clock", self._time),
                web.post("/call", self._call),
                web.get("/identity/token", self._identity.answer),
            ]
        )
        return application

    async def _plant(self, request: web.Request) -> web.Response:
        try:
            self._faults.plant(Rule.of_json(await request.json()))
        except (TypeError, ValueError, KeyError) as error:
            return _refuse(f"not a rule: {error}")
        return _done()

    async def _clear(self, _: web.Request) -> web.Response:
        self._faults.clear()
        return _done()

    async def _rules(self, _: web.Request) -> web.Response:
        return web.json_response({"rules": to_plain(self._faults.planted), "under_way": self._faults.under_way})

    async def _slow_down(self, request: web.Request) -> web.Response:
        self._faults.latency = float((await request.json())["seconds"])
        return _done()

    async def _counters(self, _: web.Request) -> web.Response:
        counts, steps = _lines(self._faults.counts), _lines(self._faults.steps)
        statuses = [{"service": service, "status": status, "answers": n} for (service, status), n in sorted(self._faults.statuses.items())]
        return web.json_response({"requests": counts, "steps": steps, "statuses": statuses, "identity_tokens": self._identity.issued})

    async def _reset(self, _: web.Request) -> web.Response:
        self._faults.reset_counts()
        self._identity.issued = 0
        return _done()

    async def _journal(self, request: web.Request) -> web.Response:
        last = int(request.query.get("last", "1000"))
        return web.json_response([asked.to_json() for asked in list(self._faults.journal)[-last:]])

    async def _writes(self, _: web.Request) -> web.Response:
        return web.json_response({name: to_plain(getattr(each.service, "writes", [])) for name, each in self._services.items()})

    async def _advance(self, request: web.Request) -> web.Response:
        self._clock.advance(float((await request.json())["advance"]))
        self._faults.tick()
        return await self._time(request)

    async def _time(self, _: web.Request) -> web.Response:
        return web.json_response({"now": self._clock.now().isoformat()})

    async def _call(self, request: web.Request) -> web.Response:
        asked = await request.json()
        try:
            service = self._services[asked["service"]].service
            result = use(service, asked["target"], asked.get("args", []), asked.get("kwargs", {}))
        except Exception as error:  # whatever a simulator objects to is the caller's to see
            return _refuse(f"{asked.get('target')}: {type(error).__name__}: {error}")
        return web.json_response({"result": to_plain(result)})


class Hands(Protocol):
    """Uses a simulator's human side, in this process or in another. Arguments and results are JSON."""

    def call(self, service: str, target: str, *args: Any, **kwargs: Any) -> Any: ...


class OwnHands:
    """Hands on simulators of this process."""

    def __init__(self, services: Mapping[str, object]) -> None:
        self._services = services

    def call(self, service: str, target: str, *args: Any, **kwargs: Any) -> Any:
        return to_plain(use(self._services[service], target, args, kwargs))


def use(simulator: object, target: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Follows the target and calls what is there; what can not be called is read, or with arguments changed.

    Raises `AttributeError`, `ValueError` for what is no target, and whatever the simulator raises.
    """
    reached, end = simulator, 0
    while end < len(target):
        step = _STEP.match(target, end)
        if step is None:
            raise ValueError("not a target")
        name, given = step.groups()
        reached, end = getattr(reached, name), step.end()
        if given is not None:
            reached = reached(*(text.strip() for text in given.split(",")))
    if callable(reached):
        return reached(*args, **kwargs)
    for name, value in kwargs.items():
        setattr(reached, name, value)
    return reached


def to_plain(value: Any) -> Any:
    """The value as JSON can hold it: dataclasses as objects, times in ISO 8601, bytes in Base64, sets as lists."""
    plain: Any = str(value)
    if isinstance(value, Enum):
        plain = to_plain(value.value)
    elif value is None or isinstance(value, bool | int | float | str):
        plain = value
    elif isinstance(value, datetime | date):
        plain = value.isoformat()
    elif isinstance(value, bytes):
        plain = b64encode(value).decode()
    elif dataclasses.is_dataclass(value):
        plain = {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    elif isinstance(value, Mapping):
        plain = {str(to_plain(key)): to_plain(item) for key, item in value.items()}
    elif isinstance(value, Sequence | Set):
        plain = [to_plain(item) for item in value]
    return plain


def _lines(counter: Mapping[Count, int]) -> list[dict[str, Any]]:
    return [{**dataclasses.asdict(count), "requests": number} for count, number in sorted(counter.items())]


def _done() -> web.Response:
    return web.json_response({"done": True})


def _refuse(message: str) -> web.Response:
    return web.json_response({"error": message}, status=400)


class RefusedError(Exception):
    """The control plane, or the simulator behind it, objected."""


@dataclasses.dataclass(slots=True)
class Control:
    """The client's side, for tests, `make run` and people at a Python prompt. `origin`: `http://127.0.0.1:port`."""

    origin: str
    _http: httpx.Client = dataclasses.field(init=False, repr=False)

    def __post_init__(self) -> None:
        # It never speaks TLS: not verifying spares it reading a certificate bundle.
        self._http = httpx.Client(base_url=self.origin, timeout=120, verify=False, trust_env=False)

    def close(self) -> None:
        self._http.close()

    def plant(self, rule: Rule) -> None:
        self._send("POST", "/faults", to_plain(rule))

    def clear_faults(self) -> None:
        self._send("DELETE", "/faults")

    def set_latency(self, seconds: float) -> None:
        self._send("POST", "/latency", {"seconds": seconds})

    def counters(self, what: str = "requests") -> dict[Count, int]:
        """`what`: `requests`, or `steps` for what was inside Graph batches."""
        lines = self._send("GET", "/counters")[what]
        return {Count(**{name: line[name] for name in Count.__slots__}): line["requests"] for line in lines}

    def reset_counters(self) -> None:
        self._send("POST", "/counters/reset")

    def journal(self, last: int = 1000) -> list[dict[str, Any]]:
        lines: list[dict[str, Any]] = self._send("GET", f"/journal?last={last}")
        return lines

    def writes(self, service: str) -> list[dict[str, Any]]:
        """The simulator's own journal of what took effect."""
        lines: list[dict[str, Any]] = self._send("GET", "/writes")[service]
        return lines

    def advance(self, seconds: float) -> datetime:
        return datetime.fromisoformat(self._send("POST", "/clock", {"advance": seconds})["now"])

    def now(self) -> datetime:
        return datetime.fromisoformat(self._send("GET", "/clock")["now"])

    def call(self, service: str, target: str, *args: Any, **kwargs: Any) -> Any:
        """Calls (or reads) `target`, a dotted path on the simulator. Raises `RefusedError`."""
        asked = {"service": service, "target": target, "args": to_plain(args), "kwargs": to_plain(kwargs)}
        return self._send("POST", "/call", asked)["result"]

    def _send(self, method: str, path: str, body: Any = None) -> Any:
        response = self._http.request(method, path, json=body)
        if response.is_error:
            raise RefusedError(f"{method} {path}: {response.text}")
        return response.json()
