"""`make soak`: a thousand histories and every crash point, over several processes, with a summary at the end.

    python -m tests.engine.soak [--histories 1000] [--from 1] [--workers 2] [--no-crash-points]

Ends with 1 if anything was found. Every finding is printed with the command that replays it.
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.crash.scenario import run
from tests.crash.test_crash_points import DEATHS, LOST, differences, points
from tests.engine.histories import draw, live
from tests.engine.weather import Fate


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one history, or one crash point, came to. `replay` is the command that shows it again."""

    findings: tuple[str, ...]
    replay: str
    excused: tuple[int, int] = (0, 0)
    met: Counter[str] = field(default_factory=Counter)


def one_history(seed: int) -> Line:
    replay = f"python -m tests.engine.histories --seed {seed} --shrink"
    try:
        told = live(draw(seed))
    except Exception as error:  # a thousand others are still to come
        return Line(findings=(f"{type(error).__name__}: {error}",), replay=replay)
    excused = (told.excuses.same_second, told.excuses.delete)
    return Line(findings=tuple(told.findings), replay=replay, excused=excused, met=told.plant.weather.met)


def one_crash_point(point: tuple[bool, Fate, int]) -> Line:
    with_package, fate, at = point
    replay = f"tests.crash.scenario.run(with_package={with_package}, at={at}, fate=Fate.{fate.name})"
    try:
        found = differences(run(with_package=with_package).content, run(with_package=with_package, at=at, fate=fate).content)
    except Exception as error:
        found = [f"{type(error).__name__}: {error}"]
    return Line(findings=tuple(found), replay=replay)


def all_points() -> Iterator[tuple[bool, Fate, int]]:
    for with_package in (True, False):
        calls = run(with_package=with_package).calls
        for fate in (*DEATHS, *LOST):
            for at in points(calls, fate):
                yield with_package, fate, at


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.engine.soak")
    parser.add_argument("--histories", type=int, default=1000)
    parser.add_argument("--from", dest="first", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--no-crash-points", action="store_true")
    given = parser.parse_args(arguments)
    if os.environ.get("PYTHONHASHSEED") != "0":  # the order of sets is part of a history
        os.execve(sys.executable, [sys.executable, "-m", "tests.engine.soak", *sys.argv[1:]], {**os.environ, "PYTHONHASHSEED": "0"})
    with multiprocessing.get_context("spawn").Pool(given.workers) as pool:
        failed = _tell("histories", pool.imap_unordered(one_history, range(given.first, given.first + given.histories)))
        if not given.no_crash_points:
            failed += _tell("crash points", pool.imap_unordered(one_crash_point, list(all_points()), chunksize=8))
    return 1 if failed else 0


def _tell(what: str, lines: Iterator[Line]) -> int:
    began, number, failed = time.monotonic(), 0, 0
    met: Counter[str] = Counter()
    excused = [0, 0]
    for number, line in enumerate(lines, 1):
        met.update(line.met)
        excused = [excused[0] + line.excused[0], excused[1] + line.excused[1]]
        failed += bool(line.findings)
        for finding in line.findings:
            print(f"{finding}\n    {line.replay}", flush=True)
        if number % 100 == 0:
            print(f"{number} {what}, {failed} failed, {time.monotonic() - began:.0f} s", flush=True)
    troubles: Any = ", ".join(f"{count} {name}" for name, count in met.most_common())
    print(f"{number} {what}: {failed} failed, {time.monotonic() - began:.0f} s. {troubles}")
    if met:
        print(f"losses inside the named windows: {excused[0]} in the same second in Salesforce, {excused[1]} before a delete in Salesforce")
    return failed


if __name__ == "__main__":
    sys.exit(main())
