"""The one shape in which a simulator is spoken to, in the process or over TLS.

A simulator is a pure-Python object with `handle(request) -> response`: no sockets, no threads, no clock and no
randomness of its own (both are given to it), so that a seed replays a history. `server.py` puts it behind TLS,
the tests mount it as an httpx transport and a requests adapter.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request. `url` is absolute; header names are lower case."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path as sent, still percent-encoded."""
        return urlsplit(self.url).path

    @property
    def query(self) -> dict[str, str]:
        """The decoded query; of a repeated name the last one counts."""
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One HTTP response. Header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def of(cls, status: int, value: Any, headers: Mapping[str, str] | None = None) -> "Response":
        """A JSON response."""
        return cls(
            status=status,
            headers={"content-type": "application/json; charset=utf-8", **(headers or {})},
            body=json.dumps(value, separators=(",", ":")).encode(),
        )

    def json(self) -> Any:
        return json.loads(self.body)


class Service(Protocol):
    """A simulator."""

    def handle(self, request: Request) -> Response: ...


class Clock(Protocol):
    """Where a simulator takes the time from (aware, UTC)."""

    def now(self) -> datetime: ...


class SettableClock:
    """The real time plus an offset, or a time that only moves when told."""

    def __init__(self, frozen_at: datetime | None = None) -> None:
        self._frozen = frozen_at
        self._offset = timedelta()

    def now(self) -> datetime:
        return (self._frozen or datetime.now(UTC)) + self._offset

    def advance(self, seconds: float) -> None:
        self._offset += timedelta(seconds=seconds)
