"""A process that is measured: it is told what to do in lines of JSON and answers each with one.

Both ends are here. The child ends when its standard input closes, so it does not outlive its parent.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from local.stack.process import ROOT

Answer = dict[str, Any]


class ChildFailedError(Exception):
    """The child raised, or ended. The message holds the end of its log."""


class Child:
    """The parent's end. `module` is started with `python -m`; its standard error goes to `log`."""

    def __init__(self, module: str, log: Path, settings: Mapping[str, str]) -> None:
        self._module, self._log = module, log
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**_without_credentials(), **settings},
                cwd=ROOT,
                text=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def ask(self, do: str, **arguments: Any) -> Answer:
        """Raises `ChildFailedError`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            print(json.dumps({"do": do, **arguments}), file=self._process.stdin, flush=True)
        except BrokenPipeError:
            raise ChildFailedError(self._say("ended")) from None
        line = self._process.stdout.readline()
        if not line:
            raise ChildFailedError(self._say(f"ended while it was to {do}"))
        answer: Answer = json.loads(line)
        return answer

    def stop(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(60)

    def _say(self, what: str) -> str:
        tail = "\n".join(self._log.read_text(errors="replace").splitlines()[-30:])
        return f"{self._module} {what}:\n{tail}"


def serve(open_commands: Callable[[], Mapping[str, Callable[..., Awaitable[Answer]]]]) -> None:
    """The child's end: answers until its standard input closes. An exception ends it."""
    with asyncio.Runner() as runner:

        async def begin() -> Mapping[str, Callable[..., Awaitable[Answer]]]:
            return open_commands()

        commands = runner.run(begin())
        for line in sys.stdin:
            asked = json.loads(line)

            async def answer(asked: Answer = asked) -> Answer:
                return await commands[asked.pop("do")](**asked)

            print(json.dumps(runner.run(answer())), flush=True)
        sys.stdout.flush()
        os._exit(0)  # open connections end with the process


def _without_credentials() -> dict[str, str]:
    """The environment without anybody's credentials: what is measured is to use the sandbox's."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("AZURE_", "SYNC_", "SALESFORCE_", "GRAPH_"))}
