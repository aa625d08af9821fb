"""What can go wrong between a client and a simulator, on purpose and repeatably, and what was asked of each.

It wraps a simulator without knowing which one: it sees whole HTTP requests only (a fault inside a `$batch` or a
collection is the simulator's own affair). The clock and the randomness are given to it.
"""

import json
import random
import re
from collections import Counter, deque
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import unquote

from local.sandbox.http import Clock, Request, Response, Service

JOURNAL_LENGTH = 20_000
"""Requests that are remembered; older ones are forgotten, the counters are not."""


class ConnectionCut(Exception):
    """The connection ended without an answer. Whether the request took effect is not for the client to know."""


class Effect(StrEnum):
    """What a rule does to a request."""

    ANSWER = "answer"  # this answer instead of the simulator's: the request takes no effect
    CUT_BEFORE = "cut_before"  # no effect, no answer
    CUT_AFTER = "cut_after"  # the effect, but no answer
    LATE = "late"  # no answer now; the effect comes `seconds` later
    DELAY = "delay"  # the effect now, the answer `seconds` later


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When a fault happens, and which. Patterns are searched for (not anchored); an absent one matches everything."""

    effect: Effect
    service: str | None = None
    method: str | None = None
    path: str | None = None
    """Searched for in path and query, percent-decoded."""
    body: str | None = None
    nth: int = 1
    """The first matching request it applies to, counted from 1."""
    times: int | None = None
    """How many of them it applies to; `None`: all."""
    probability: float = 1.0
    status: int = 503
    headers: Mapping[str, str] = field(default_factory=dict)
    answer: Any = None
    """The body of an ANSWER: text is sent as it is, anything else as JSON, `None` as nothing."""
    seconds: float = 0.0

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> "Rule":
        """Unknown names raise `TypeError`, an unknown effect `ValueError`."""
        return cls(**{**value, "effect": Effect(value["effect"])})

    def matches(self, service: str, request: Request) -> bool:
        return (
            (self.service is None or re.fullmatch(self.service, service) is not None)
            and (self.method is None or re.fullmatch(self.method, request.method) is not None)
            and (self.path is None or re.search(self.path, unquote(_target(request))) is not None)
            and (self.body is None or re.search(self.body, request.body.decode(errors="replace")) is not None)
        )

    def response(self) -> Response:
        if self.answer is None:
            return Response(status=self.status, headers=self.headers)
        if isinstance(self.answer, str):
            return Response(status=self.status, headers={"content-type": "text/plain", **self.headers}, body=self.answer.encode())
        return Response.of(self.status, self.answer, self.headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A line of the request journal."""

    at: datetime
    service: str
    method: str
    path: str
    user: str
    status: int | None
    """`None`: the connection was cut."""
    fault: Effect | None
    request: Request = field(repr=False)

    def to_json(self) -> dict[str, Any]:
        line = {name: getattr(self, name) for name in ("service", "method", "path", "user", "status", "fault")}
        return {"at": self.at.isoformat(), **line, "body": self.request.body.decode(errors="replace")}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Count:
    """What requests are counted by. Ids in `template` are replaced by `{id}`; `user` is "" where none is named."""

    service: str
    method: str
    template: str
    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """An answer, and the seconds after which it is to arrive."""

    response: Response
    delay: float


@dataclass(slots=True)
class _Planted:
    rule: Rule
    seen: int = 0
    fired: int = 0


@dataclass(frozen=True, slots=True)
class _Late:
    due: datetime
    service: Service
    request: Request


class Faults:
    """The rules, counters and journal of all simulators of one sandbox."""

    def __init__(self, clock: Clock, rng: random.Random) -> None:
        self._clock = clock
        self._rng = rng
        self._planted: list[_Planted] = []
        self._late: list[_Late] = []
        self.latency = 0.0
        """Seconds a server adds to every answer. Users in the same process are not slowed down."""
        self.counts: Counter[Count] = Counter()
        self.steps: Counter[Count] = Counter()
        """What was inside Graph's batches."""
        self.statuses: Counter[tuple[str, int]] = Counter()
        self.journal: deque[Asked] = deque(maxlen=JOURNAL_LENGTH)

    def around(self, name: str, service: Service, user_of: Callable[[Request], str] | None = None) -> "FaultyService":
        """The same simulator, behind these faults. `user_of` says on whose behalf a request is."""
        return FaultyService(self, name, service, user_of or user_in_path)

    def plant(self, rule: Rule) -> None:
        self._planted.append(_Planted(rule))

    def clear(self) -> None:
        """Forgets the rules. Effects that are on their way still arrive."""
        self._planted.clear()

    def reset_counts(self) -> None:
        self.counts.clear()
        self.steps.clear()
        self.statuses.clear()
        self.journal.clear()

    def count_step(self, name: str, request: Request) -> None:
        """For a simulator to tell of a request that came inside another one."""
        self.steps[_count(name, request, user_in_path(request))] += 1

    @property
    def planted(self) -> list[dict[str, Any]]:
        """The rules, with how often each matched and fired."""
        return [{**asdict(planted.rule), "seen": planted.seen, "fired": planted.fired} for planted in self._planted]

    @property
    def under_way(self) -> int:
        """Effects that have not arrived yet."""
        return len(self._late)

    def tick(self) -> None:
        """Lets every effect arrive whose time has come, in the order of their times."""
        now = self._clock.now()
        while due := [late for late in self._late if late.due <= now]:
            first = min(due, key=lambda late: late.due)
            self._late.remove(first)
            first.service.handle(first.request)

    def exchange(self, name: str, service: Service, request: Request, user: str) -> Exchange:
        """Raises `ConnectionCut`."""
        self.tick()
        rule = self._fire(name, request)
        self.counts[_count(name, request, user)] += 1
        response: Response | None = None
        if rule is not None and rule.effect is Effect.ANSWER:
            response = rule.response()
        elif rule is not None and rule.effect is Effect.LATE:
            self._late.append(_Late(self._clock.now() + timedelta(seconds=rule.seconds), service, request))
        elif rule is not None and rule.effect is Effect.CUT_AFTER:
            service.handle(request)
        elif rule is None or rule.effect is Effect.DELAY:
            response = service.handle(request)
        self._note(name, request, user, response, rule)
        if response is None:
            raise ConnectionCut(f"{request.method} {request.path}")
        return Exchange(response=response, delay=rule.seconds if rule is not None and rule.effect is Effect.DELAY else 0.0)

    def _fire(self, name: str, request: Request) -> Rule | None:
        """Every matching rule counts the request; the first that applies is used."""
        fired: Rule | None = None
        for planted in self._planted:
            rule = planted.rule
            if not rule.matches(name, request):
                continue
            planted.seen += 1
            within = planted.seen >= rule.nth and (rule.times is None or planted.fired < rule.times)
            if fired is None and within and (rule.probability >= 1 or self._rng.random() < rule.probability):
                planted.fired += 1
                fired = rule
        return fired

    def _note(self, name: str, request: Request, user: str, response: Response | None, rule: Rule | None) -> None:
        status = response.status if response is not None else None
        if status is not None:
            self.statuses[name, status] += 1
        asked = Asked(
            at=self._clock.now(),
            service=name,
            method=request.method,
            path=_target(request),
            user=user,
            status=status,
            fault=rule.effect if rule is not None else None,
            request=request,
        )
        self.journal.append(asked)


class FaultyService:
    """A simulator behind `Faults`."""

    def __init__(self, faults: Faults, name: str, service: Service, user_of: Callable[[Request], str]) -> None:
        self.faults = faults
        self.name = name
        self.service = service
        self._user_of = user_of

    def exchange(self, request: Request) -> Exchange:
        """Raises `ConnectionCut`."""
        return self.faults.exchange(self.name, self.service, request, self._user_of(request))

    def in_flight(self, request: Request) -> AbstractContextManager[None]:
        """To be held while a server delays the answer: a simulator that limits connections counts them by it."""
        count: Callable[[Request], AbstractContextManager[None]] | None = getattr(self.service, "in_flight", None)
        return count(request) if count is not None else nullcontext()

    def handle(self, request: Request) -> Response:
        """The answer at once, whatever its delay. Raises `ConnectionCut`."""
        return self.exchange(request).response


_ID = re.compile(r"(?=.*\d)[\w=.~%-]{15,}|.*(@|%40).*")
_IN_PATH = re.compile(r"/users(?:/|\(')([^/?)']+)")


def template_of(path: str) -> str:
    """The path with its ids replaced, so that requests of one sort count as one."""
    return "/".join("{id}" if _ID.fullmatch(segment) else segment for segment in path.split("/"))


def user_in_path(request: Request) -> str:
    """The user whom the path names as Graph does, or whom all steps of a `$batch` name; else ""."""
    if not request.path.endswith("/$batch"):
        found = _IN_PATH.search(request.path)
        return unquote(found.group(1)) if found else ""
    try:
        urls = [str(step["url"]) for step in json.loads(request.body)["requests"]]
    except (ValueError, KeyError, TypeError):
        return ""
    users = {unquote(found.group(1)) for url in urls if (found := _IN_PATH.search("/" + url.lstrip("/")))}
    return users.pop() if len(users) == 1 else ""


def _count(name: str, request: Request, user: str) -> Count:
    return Count(service=name, method=request.method, template=template_of(request.path), user=user)


def _target(request: Request) -> str:
    _, _, rest = request.url.partition("://")
    _, slash, target = rest.partition("/")
    return slash + target
