"""The product in a process of its own, without a host: `App` built from the environment, as the triggers build it.

What it is told to do is what the host would hand to the triggers. Two things are not as the triggers have them: table requests are
counted by sort, and the clock can be put ahead together with the sandbox's, so that the ten minutes in which changes are read
again are over at once.
"""

import cProfile
import json
import logging
import os
import pstats
import sys
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import function_app  # noqa: F401 - a worker process has it, and azure.functions, loaded
from local.bench.child import Answer, serve
from local.bench.gauge import Gauge
from shared.settings import load
from sync import wiring
from sync.messages import Why
from sync.stores.tables import AzureTables


class _Clock:
    """Real time and an offset."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class _Heard(logging.Handler):
    """What the product says of its runs."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        line = json.loads(record.getMessage())
        if line["event"] in ("RunEnded", "RunFailed", "RoundFailed"):
            self.runs.append(line)


class Worker:
    def __init__(self) -> None:
        settings = load(os.environ)
        self._clock, self._heard, self._tables = _Clock(), _Heard(), Counter[str]()
        logging.getLogger("tandem").addHandler(self._heard)
        logging.getLogger("tandem").setLevel(logging.INFO)
        counted = AzureTables(connection=settings.storage.connection, on_request=self._count)
        self._app = wiring.App(settings, replace(wiring.open_world(settings), tables=counted, clock=self._clock))
        self._gauge = Gauge()
        self._profile: cProfile.Profile | None = None

    def _count(self, operation: str, table: str) -> None:
        wiring.count("tables")
        self._tables[operation] += 1

    async def ahead(self, seconds: float) -> Answer:
        """Put the product's clock ahead of the real one, by so many seconds in all."""
        self._clock.ahead = timedelta(seconds=seconds)
        return {}

    async def plan(self) -> Answer:
        """A round's messages, and what they cost."""
        self._start()
        return {"messages": await self._app.plan(Why.TIMER), **self._read()}

    async def sync(self, messages: list[str]) -> Answer:
        """Work a queue off, continuations too; what it cost, and how each run ended."""
        self._start()
        queue = list(messages)
        while queue:
            queue += await self._app.sync(queue.pop(0))
        return self._read()

    async def profile(self, on: bool) -> Answer:
        """Profile what follows (the event loop's thread); turned off, it says on standard error what cost most."""
        if self._profile is not None:
            self._profile.disable()
            stats = pstats.Stats(self._profile, stream=sys.stderr)
            stats.sort_stats("cumulative").print_stats(70)
            stats.sort_stats("tottime").print_stats(50)
        self._profile = cProfile.Profile(builtins=False) if on else None
        return {}

    def _start(self) -> None:
        self._heard.runs.clear()
        self._tables.clear()
        self._gauge.start()
        if self._profile is not None:
            self._profile.enable()

    def _read(self) -> Answer:
        if self._profile is not None:
            self._profile.disable()
        return {**self._gauge.read(), "tables": dict(self._tables), "runs": list(self._heard.runs)}


def _open() -> dict[str, Any]:
    worker = Worker()
    return {"plan": worker.plan, "sync": worker.sync, "ahead": worker.ahead, "profile": worker.profile}


if __name__ == "__main__":
    serve(_open)
