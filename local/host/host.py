"""Brings an indexed app to life: timers, queue listeners, HTTP; and ends them in order."""

import asyncio
import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web

from local.host.index import Index, IndexedFunction, Trigger
from local.host.invoke import FunctionFailedError, Invoker, queue_message, timer_request
from local.host.queues import Listener, Queues
from local.host.settings import HostRules, SettingError
from local.host.timers import keep_firing
from local.host.web import Site

logger = logging.getLogger("host")

GRACE = 10.0
"""Seconds a run has to end when the host stops."""


class Host:
    """One running app. `origin` is `http://127.0.0.1:port` once started."""

    def __init__(self, index: Index, rules: HostRules, settings: Mapping[str, str], root: Path) -> None:
        self.index = index
        self.origin = ""
        self._rules = rules
        self._queues = Queues(settings, rules.queues)
        self._invoker = Invoker(root=root, timeout=rules.function_timeout, put=self._queues.put)
        self._listeners: list[Listener] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._started_by_hand: set[asyncio.Task[None]] = set()
        site = Site(
            index=index,
            invoker=self._invoker,
            start=self._start_by_hand,
            route_prefix=rules.route_prefix,
            key=settings.get("HOST_KEY") or None,
        )
        self._runner = web.AppRunner(site.application(), access_log=None)

    async def start(self, port: int) -> None:
        """Port 0: a free one. Raises `SettingError`."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, "127.0.0.1", port).start()
        except OSError as error:
            raise SettingError(
                f"port {port} can not be used ({os.strerror(error.errno or 0)}): choose another, make host PORT=7072"
            ) from None
        self.origin = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        for function in self.index.functions.values():
            if function.trigger is Trigger.TIMER:
                self._tasks.append(asyncio.create_task(self._keep_firing(function)))
            elif function.trigger is Trigger.QUEUE:
                listener = Listener(function, self._queues, self._invoker)
                self._listeners.append(listener)
                self._tasks.append(asyncio.create_task(listener.listen()))

    async def stop(self, grace: float = GRACE) -> None:
        """Takes nothing new, lets what runs end within `grace` seconds, cancels the rest."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(listener.drain(grace) for listener in self._listeners))
        if self._started_by_hand:
            _, late = await asyncio.wait(self._started_by_hand, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._runner.cleanup()
        await self._queues.close()

    async def _keep_firing(self, function: IndexedFunction) -> None:
        if function.binding.get("runOnStartup"):
            await self._fire(function)
        await keep_firing(str(function.binding["schedule"]), lambda: self._fire(function), lambda: datetime.now(UTC))

    async def _fire(self, function: IndexedFunction, reason: str = "Timer fired") -> None:
        with suppress(FunctionFailedError):  # it is in the log; the next firing is the retry
            await self._invoker.run(function, timer_request(), f"{reason} at {datetime.now(UTC).isoformat()}")

    def _start_by_hand(self, function: IndexedFunction, text: str) -> None:
        task = asyncio.create_task(self._run_by_hand(function, text))
        self._started_by_hand.add(task)
        task.add_done_callback(self._started_by_hand.discard)

    async def _run_by_hand(self, function: IndexedFunction, text: str) -> None:
        reason = "This function was programmatically called via the host APIs."
        if function.trigger is Trigger.TIMER:
            await self._fire(function, reason)
            return
        with suppress(FunctionFailedError):
            await self._invoker.run(function, queue_message(text, {"Id": "", "DequeueCount": 0}), reason)
