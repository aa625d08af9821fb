"""An event loop that a seed decides: of the callbacks that are ready, a drawn one runs next; time moves only when nothing is ready.

There is no IO and there are no threads. What waits, waits on a timer or on another task; when neither is there the program would hang, and
`Stuck` says so. It implements the documented interface for event loops (Python, "Extending asyncio") as far as tasks need it.
It knows nothing of what runs on it.
"""

import asyncio
import heapq
import random
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from typing import Any, TypeVar

T = TypeVar("T")
Anything = Coroutine[Any, Any, T] | Generator[Any, Any, T]


class Stuck(Exception):
    """Nothing is ready, nothing is scheduled, and what was waited for has not come."""


_Loop: Any = asyncio.AbstractEventLoop
"""Of its eighty methods a loop without IO has a dozen; the others raise NotImplementedError, as they do in the class itself."""


class Scheduler(_Loop):  # type: ignore[misc]
    """`moved` is told by how many seconds the time went on, before anything runs at the new time."""

    def __init__(self, seed: object, moved: Callable[[float], None] = lambda _seconds: None) -> None:
        self._rng = random.Random(f"{seed} scheduler")
        self._moved = moved
        self._now = 0.0
        self._ready: list[asyncio.Handle] = []
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._numbers = 0
        self._problems: list[dict[str, Any]] = []
        self._running = False
        self.steps = 0
        """Callbacks run so far."""

    # ------------------------------------------------------------- running

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run until `main` is done. What else was started is cancelled then. Raises what `main` raises, and Stuck."""
        asyncio._set_running_loop(self)
        self._running = True
        try:
            task = self.create_task(main)
            self._run_while(lambda: not task.done())
            self._cancel_others()
            if self._problems:
                raise RuntimeError(f"a callback failed: {self._problems[0]}") from self._problems[0].get("exception")
            result: T = task.result()
            return result
        finally:
            self._running = False
            asyncio._set_running_loop(None)

    def _run_while(self, go_on: Callable[[], bool]) -> None:
        while go_on():
            self._wake()
            if not self._ready:
                raise Stuck(f"nothing is left to run at {self._now:.3f} s")
            at = self._rng.randrange(len(self._ready)) if len(self._ready) > 1 else 0
            self._ready[at], self._ready[-1] = self._ready[-1], self._ready[at]
            handle = self._ready.pop()
            if not handle.cancelled():
                self.steps += 1
                handle._run()

    def _wake(self) -> None:
        """Make ready what is due; if nothing is ready, let the time go on to the next timer."""
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        if not self._ready and self._timers:
            before, self._now = self._now, max(self._now, self._timers[0][0])
            if self._now > before:
                self._moved(self._now - before)
        while self._timers and self._timers[0][0] <= self._now:
            self._ready.append(heapq.heappop(self._timers)[2])

    def _cancel_others(self) -> None:
        for task in asyncio.all_tasks(self):
            task.cancel()
        self._run_while(lambda: bool(self._ready))

    # ------------------------------------------------------------- what tasks ask of a loop

    def time(self) -> float:
        return self._now

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_soon_threadsafe(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> asyncio.Handle:
        raise RuntimeError("there are no threads here")

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None) -> asyncio.TimerHandle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self._numbers += 1
        heapq.heappush(self._timers, (when, self._numbers, timer))
        return timer

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Called by `TimerHandle.cancel`; the timer is dropped when its turn comes."""

    def create_future(self) -> "asyncio.Future[Any]":
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, *, name: str | None = None, context: Context | None = None, **_: Any) -> "asyncio.Task[Any]":
        return asyncio.Task(coro, loop=self, name=name, context=context)

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        raise RuntimeError("there are no threads here")

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return self._running

    def is_closed(self) -> bool:
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self._problems.append(context)

    async def shutdown_asyncgens(self) -> None:
        """Generators are closed where they are dropped: none of the product's waits while it closes."""
