"""`make bench`: measures, prints the table and whether each bound is kept; exit code 1 if one is not.

`--only NAME` measures one piece of work, `--quick` a tenth of it, `--profile` also writes what costs CPU into the workers' log,
`--write` puts the tables into docs/performance.md.
"""

import argparse
import os
import platform
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from local.bench.child import ChildFailedError
from local.bench.costs import table_of, verdicts
from local.bench.scenarios import LATENCY, QUICK, Bench, Sizes, WrongWorkError
from local.stack.process import ROOT, NotStartedError
from local.stack.stack import Stack

SCENARIOS: dict[str, Callable[[Bench], None]] = {
    "first-sync": Bench.first_sync,
    "updates": Bench.updates,
    "memory": Bench.memory,
    "quiet": Bench.quiet,
    "fan-out": Bench.fan_out,
}
PAGE = ROOT / "docs" / "performance.md"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.bench", description=__doc__)
    parser.add_argument("--only", choices=SCENARIOS, action="append", help="may be given several times")
    parser.add_argument("--quick", action="store_true", help="500 contacts instead of 5,000")
    parser.add_argument("--profile", action="store_true", help="the numbers are then no measure")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/performance.md")
    given = parser.parse_args()
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:6.1f} s] {text}", file=sys.stderr, flush=True)

    scratch = ROOT / ".local"
    scratch.mkdir(exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix="bench-", dir=scratch))
    names = given.only or list(SCENARIOS)
    try:
        with Stack(directory, say=say) as stack:
            stack.start_vendors()
            bench = Bench(stack=stack, sizes=QUICK if given.quick else Sizes(), say=say, profiled=given.profile)
            try:
                for name in names:
                    say(f"{name} …")
                    SCENARIOS[name](bench)
            finally:
                bench.close()
    except (NotStartedError, ChildFailedError, WrongWorkError) as error:
        print(f"{error}\nthe logs are in {directory.relative_to(ROOT)}", file=sys.stderr)
        return 1
    lines = [_machine(), "", *table_of(bench.rows), "", *verdicts(bench.bounds)]
    print("\n".join(lines))
    if given.write:
        _write(PAGE, lines)
    broken = [bound for bound in bench.bounds if not bound.kept]
    print(f"\n{len(bench.bounds) - len(broken)} bounds are kept, {len(broken)} are broken.")
    if given.profile:
        print(f"the profile is in {(directory / 'worker.log').relative_to(ROOT)}")
    else:
        shutil.rmtree(directory)
    return 1 if broken else 0


def _machine() -> str:
    python = f"{platform.python_implementation()} {platform.python_version()}"
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, {python}"
    return f"{machine}; {LATENCY * 1000:.0f} ms a request to Graph and Salesforce."


def _write(page: Path, lines: Sequence[str]) -> None:
    """Between the two marks of the page."""
    text = page.read_text()
    new = "<!-- measured -->\n" + "\n".join(lines) + "\n<!-- end -->"
    page.write_text(re.sub(r"<!-- measured -->.*<!-- end -->", lambda _: new, text, flags=re.DOTALL))


if __name__ == "__main__":
    sys.exit(main())
