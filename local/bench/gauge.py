"""What this process has cost so far: CPU, peak memory, time. It knows nothing of what the process does."""

import resource
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

_STATUS = Path("/proc/self/status")


@dataclass(slots=True)
class Gauge:
    """Runs from its making, or from `start`."""

    _cpu: float = field(default_factory=time.process_time)
    _wall: float = field(default_factory=time.perf_counter)

    def start(self) -> None:
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def read(self) -> dict[str, float]:
        """CPU seconds (all threads) and wall seconds since the start, and the process's peak memory so far in bytes."""
        return {"cpu": time.process_time() - self._cpu, "wall": time.perf_counter() - self._wall, "peak": peak_memory()}


def peak_memory() -> int:
    """Bytes of resident memory at their highest.

    Linux tells it for this program alone; `getrusage` would count what the parent held when it started us (getrusage(2): the
    value survives exec), and is used elsewhere only.
    """
    if _STATUS.exists():
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
