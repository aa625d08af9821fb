"""Runs a command that must not outlive its parent: it is ended as soon as our standard input closes.

Started as `python leash.py command…` with a pipe as standard input. The pipe closes when the parent closes it, and
also when the parent is killed outright: then no Azurite, sandbox or host stays behind. Standard library only.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading

PATIENCE = 15.0
"""Seconds the command has to end by itself."""


def main() -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides what it means
    command = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)
    signal.signal(signal.SIGTERM, lambda *_: _tell(command, signal.SIGTERM))
    threading.Thread(target=_end_with_parent, args=[command], daemon=True).start()
    return command.wait()


def _end_with_parent(command: "subprocess.Popen[bytes]") -> None:
    while os.read(0, 4096):  # not sys.stdin: its lock is held by this thread when the interpreter ends
        pass
    _tell(command, signal.SIGTERM)
    try:
        command.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        _tell(command, signal.SIGKILL)


def _tell(command: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    """To the command and whatever it started itself."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(command.pid, number)


if __name__ == "__main__":
    sys.exit(main())
