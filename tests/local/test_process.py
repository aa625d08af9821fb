"""Child processes are waited for by what they print, and none outlives its parent."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from local.stack.process import ROOT, NotStartedError, Process

SLEEPER = "import os, time; print('pid', os.getpid(), flush=True); time.sleep(600)"
PARENT = """
import sys, time
from pathlib import Path
from local.stack.process import Process
child = Process("sleeper", [sys.executable, "-c", sys.argv[1]], Path(sys.argv[2]))
print(child.wait_for_line(r"pid (\\d+)")[1], flush=True)
time.sleep(600)
"""


def has_ended(pid: int, seconds: float = 20) -> bool:
    """Whether the process ends within the time. It is no child of ours, so that it can only be asked after."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:  # nobody is there to bury it
                return True
        except psutil.NoSuchProcess:
            return True
        os.sched_yield()
    return False


def test_a_process_is_waited_for_by_a_line_and_ended(tmp_path: Path) -> None:
    process = Process("sleeper", [sys.executable, "-c", SLEEPER], tmp_path / "log")
    pid = int(process.wait_for_line(r"^pid (\d+)$")[1])
    process.stop()
    assert has_ended(pid)
    assert not process.running


def test_a_process_that_ends_too_early_is_named_with_what_it_said(tmp_path: Path) -> None:
    process = Process("the thing", [sys.executable, "-c", "print('no luck'); raise SystemExit(3)"], tmp_path / "log")
    with pytest.raises(NotStartedError, match=r"the thing ended with exit code 3:\nno luck"):
        process.wait_for_line("never")
    process.stop()


def test_a_process_that_is_not_ready_in_time_is_named(tmp_path: Path) -> None:
    process = Process("the thing", [sys.executable, "-c", SLEEPER], tmp_path / "log")
    with pytest.raises(NotStartedError, match="the thing was not ready"):
        process.wait_for_line("never", seconds=0.2)
    process.stop()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_does_not_outlive_a_parent_that_is_killed(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-c", PARENT, SLEEPER, str(tmp_path / "log")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(parent.pid, number)
        parent.wait(30)
    assert has_ended(pid)
