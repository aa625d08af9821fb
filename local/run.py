"""`make run`: the whole product on this machine – two syncs with a day at work between, a quiet one, a report, and a verdict.

Exit code 0 only if after each sync both sides are as they should be.
"""

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from local.report import report
from local.rounds import RoundError, Rounds
from local.sample import load_sample
from local.sandbox.faults import Count
from local.stack.process import ROOT, NotStartedError
from local.stack.stack import Stack
from local.story import Story


class _Teller:
    """Prints what happens, with the seconds since the start."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def say(self, text: str) -> None:
        print(f"[{time.monotonic() - self._began:5.1f} s] {text}", flush=True)


def main() -> int:
    say = _Teller().say
    scratch = ROOT / ".local"
    scratch.mkdir(exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix="run-", dir=scratch))
    try:
        with Stack(directory, say=say) as stack:
            problems = _tell(stack, say)
    except (NotStartedError, RoundError) as error:
        problems = [str(error)]
    for problem in problems:
        print(f"NOT AS IT SHOULD BE: {problem}")
    if problems:
        print(f"the logs are in {directory.relative_to(ROOT)}")
        return 1
    shutil.rmtree(directory)
    print("Both sides are as they should be.")
    return 0


def _tell(stack: Stack, say: Callable[[str], None]) -> list[str]:
    """Plays it through. Returns what is wrong."""
    stack.start_vendors()
    hands = stack.control
    sample = load_sample(hands)
    story = Story(hands, sample)
    story.begin()
    say(f"the sample tenant is loaded: {len(sample.people)} sales people, {_size(story)}")
    stack.start_host(sample.names)
    users = [person.upn for person in sample.people]
    requests: dict[str, Mapping[Count, int]] = {}
    problems: list[str] = []
    with Rounds(stack, lambda text: say("  " + text)) as rounds:
        for title in ("first sync", "second sync", "a quiet round"):
            if title == "second sync":
                story.edit()
                for line in story.told:
                    say("  " + line)
            hands.reset_counters()
            writes = len(hands.writes("graph")) + len(hands.writes("salesforce"))
            say(f"{title} …")
            rounds.run(users)
            requests[title] = hands.counters()
            found = [f"after the {title}: {problem}" for problem in story.problems()]
            if title == "a quiet round" and (more := len(hands.writes("graph")) + len(hands.writes("salesforce")) - writes):
                found.append(f"the quiet round wrote {more} times")
            say(f"{title}: {'both sides agree' if not found else f'{len(found)} things are wrong'}")
            problems += found
            if found:
                break  # what follows builds on it
        print()
        for line in report(rounds, sample, requests):
            print(line)
        print()
    return problems


def _size(story: Story) -> str:
    snapshots = [story.snapshot(person) for person in story.sample.people]
    rows, contacts = sum(len(each.rows) for each in snapshots), sum(len(each.contacts) for each in snapshots)
    return f"{rows} contacts in Salesforce, {contacts} in Outlook"


if __name__ == "__main__":
    sys.exit(main())
