"""A child process on a leash: its output goes to a log file, and it can be waited for by what it prints."""

import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_LEASH = Path(__file__).with_name("leash.py")
_POLL = 0.02


class NotStartedError(Exception):
    """A process ended, or was not ready in time. The message holds the end of its log."""


class Process:
    """Ends when `stop` is called or when this process ends, however it ends."""

    def __init__(self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            self._child = subprocess.Popen(
                [sys.executable, "-I", str(_LEASH), *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=ROOT,
            )

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")

    @property
    def running(self) -> bool:
        return self._child.poll() is None

    def wait_for_line(self, pattern: str, seconds: float = 60) -> re.Match[str]:
        """The first match of the pattern in what was printed. Raises `NotStartedError`."""
        found: re.Match[str] | None = None

        def printed() -> bool:
            nonlocal found
            found = re.search(pattern, self.output, re.MULTILINE)
            return found is not None

        self.wait_until(printed, seconds)
        assert found is not None
        return found

    def wait_until(self, ready: Callable[[], bool], seconds: float = 60) -> None:
        """Asks again and again. Raises `NotStartedError` when the process ends or the time is over."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.running:
                raise NotStartedError(f"{self.name} ended with exit code {self._child.returncode}:\n{self._tail()}")
            if time.monotonic() > deadline:
                raise NotStartedError(f"{self.name} was not ready after {seconds:.0f} s:\n{self._tail()}")
            time.sleep(_POLL)

    def wait(self, seconds: float = 60) -> int:
        """Its exit code, once it has ended by itself."""
        return self._child.wait(seconds)

    def let_go(self) -> None:
        """Asks it to end, without waiting for it."""
        if self._child.stdin is not None:
            self._child.stdin.close()

    def stop(self) -> None:
        """Asks it to end, and waits until it has."""
        self.let_go()
        self._child.wait(30)

    def _tail(self) -> str:
        return "\n".join(self.output.splitlines()[-30:])
