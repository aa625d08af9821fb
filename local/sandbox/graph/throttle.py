"""Outlook's limits per application and mailbox: requests and uploaded bytes in a window, and connections at once.

Source: learn.microsoft.com/graph/throttling-limits (Outlook service limits). A refused request counts too.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from local.sandbox.graph.answers import Refusal
from local.sandbox.graph.knobs import Knobs


@dataclass(slots=True)
class _Window:
    began: datetime
    used: int = 0


class Budgets:
    """What each mailbox has used. `occupied` are connections that somebody else holds open, as a test says."""

    def __init__(self, knobs: Knobs) -> None:
        self.knobs = knobs
        self._requests: dict[str, _Window] = {}
        self._uploads: dict[str, _Window] = {}
        self._open: dict[str, int] = {}
        self.occupied: dict[str, int] = {}

    def charge(self, user: str, now: datetime, uploaded: int) -> None:
        """Counts one request. Raises: Refusal 429 ApplicationThrottled with Retry-After in seconds."""
        knobs = self.knobs
        requests = _spend(self._requests, user, now, 600, 1)
        uploads = _spend(self._uploads, user, now, 300, uploaded)
        if requests.used > knobs.requests_per_ten_minutes:
            raise _throttled("RequestCount", 600 - (now - requests.began).total_seconds())
        if uploads.used > knobs.upload_bytes_per_five_minutes:
            raise _throttled("UploadBytes", 300 - (now - uploads.began).total_seconds())
        if self._open.get(user, 0) + self.occupied.get(user, 0) > knobs.connections_per_mailbox:
            raise _throttled("MailboxConcurrency", 1.0)
        if self.occupied.get(user, 0) >= knobs.connections_per_mailbox:
            raise _throttled("MailboxConcurrency", 1.0)

    @contextmanager
    def in_flight(self, connections: Iterable[tuple[str, int]]) -> Iterator[None]:
        """Holds so many connections to each mailbox open for the time of the block."""
        held = list(connections)
        for user, count in held:
            self._open[user] = self._open.get(user, 0) + count
        try:
            yield
        finally:
            for user, count in held:
                self._open[user] -= count


def _spend(windows: dict[str, _Window], user: str, now: datetime, seconds: float, amount: int) -> _Window:
    window = windows.get(user)
    if window is None or (now - window.began).total_seconds() >= seconds:
        window = windows[user] = _Window(now)
    window.used += amount
    return window


def _throttled(limit: str, seconds: float) -> Refusal:
    # Decimals occur: "2.128" in the documented sample, 0.249 and 0.124 in live batches.
    headers = {"retry-after": f"{max(seconds, 0.1):.3f}".rstrip("0").rstrip(".")}
    return Refusal(429, "ApplicationThrottled", f"Application is over its {limit} limit.", headers)
