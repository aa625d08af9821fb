"""`make serve`: the whole stack with the sample tenant, kept running on its schedule until Ctrl-C."""

import os
import signal
import sys
import tempfile
import threading
from pathlib import Path

from local.sample import load_sample
from local.stack.process import ROOT, NotStartedError
from local.stack.stack import Stack

EVERY_MINUTE = "0 * * * * *"


def main() -> int:
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    scratch = ROOT / ".local"
    scratch.mkdir(exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix="serve-", dir=scratch))
    schedule = os.environ.get("SYNC_SCHEDULE") or EVERY_MINUTE
    try:
        with Stack(directory, say=lambda text: print(text, flush=True)) as stack:
            stack.start_vendors()
            sample = load_sample(stack.control)
            stack.start_host(sample.names, schedule=schedule, port=int(os.environ.get("PORT", "7071")))
            print(
                f"""
It syncs on the schedule {schedule}; at once:
                  curl -H 'Content-Type: application/json' -d '{{"input": ""}}' {stack.host_origin}/admin/functions/plan_sync
  people          {", ".join(person.upn for person in sample.people)}
  tables, queues  {stack.storage}
  sandbox         {stack.addresses["control"]}   (local/sandbox/control.py says what it takes)
  logs            {directory.relative_to(ROOT)}
Ctrl-C ends it.""",
                flush=True,
            )
            while not stopping.wait(1):
                if not stack.host.running:
                    raise NotStartedError(f"the host ended:\n{stack.host.output[-2000:]}")
    except NotStartedError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
