"""How long to wait before a request is repeated, and when to stop repeating. It knows no request and no error."""

import math
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from sync.ports import Clock

Sleep = Callable[[float], Awaitable[None]]
"""Waits that many seconds."""

Chance = Callable[[], float]
"""A random number in [0, 1): `random.random`, or a seeded one."""

MAX_ATTEMPTS = 8
LONGEST_OWN_WAIT = 30.0


def asked_wait(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that `Retry-After` asks to wait, None without a usable one. Header names are lower case.

    Graph sends seconds, also decimal ones ("2.128" in its batching documentation); a gateway may send an HTTP date.
    """
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            date = parsedate_to_datetime(text)
        except ValueError:
            return None
        seconds = ((date if date.tzinfo else date.replace(tzinfo=UTC)) - now).total_seconds()
    return max(seconds, 0.0) if math.isfinite(seconds) else None


class Patience:
    """The waits of one call: each at least a second, growing where the service names no time, all together within a budget."""

    def __init__(self, clock: Clock, sleep: Sleep, chance: Chance, budget: float) -> None:
        self._clock, self._sleep, self._chance = clock, sleep, chance
        self._deadline = clock.now() + timedelta(seconds=budget)
        self._attempt = 0

    def start(self) -> None:
        """Another request of the same call begins: its attempts are counted anew, the budget goes on."""
        self._attempt = 0

    async def wait(self, asked: float | None) -> bool:
        """Wait; or, if that would exceed the budget, answer False at once."""
        self._attempt += 1
        pause = max(1.0, asked) if asked is not None else min(2.0 ** (self._attempt - 1), LONGEST_OWN_WAIT)
        pause += self._chance() * min(1.0, pause / 4)
        if self._attempt >= MAX_ATTEMPTS or self._clock.now() + timedelta(seconds=pause) > self._deadline:
            return False
        await self._sleep(pause)
        return True
