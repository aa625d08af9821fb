"""The report of `make run`: who, what went where, conflicts, errors, requests.

It is read from the product's tables, as an administrator would read them, and from the sandbox's counters.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from local.rounds import Rounds
from local.sample import Sample
from local.sandbox.faults import Count
from local.sandbox.world import GRAPH, SALESFORCE

LONGEST = 160
"""Characters of a sentence that the report shows; the table has it whole."""


def report(rounds: Rounds, sample: Sample, requests: Mapping[str, Mapping[Count, int]]) -> Iterator[str]:
    """The lines of it. `requests`: what was counted in each round."""
    yield from _people(rounds)
    yield from _conflicts(rounds)
    yield from _errors(rounds)
    for title, counts in requests.items():
        yield from _requests(title, sample, counts)


def _people(rounds: Rounds) -> Iterator[str]:
    yield "People"
    runs = rounds.rows("SyncRuns")
    for row in sorted(rounds.rows("SyncUsers"), key=lambda row: str(row.values.get("PrincipalName"))):
        values = row.values
        state = f"{values.get('State')} {values.get('StateText') or ''}".rstrip()
        yield f"  {values.get('PrincipalName')} ⇄ {values.get('SalesforceUser')}: {state}"
        total: Counter[str] = Counter()
        for run in runs:
            if run.partition == row.key:
                total.update({name: value for name, value in run.values.items() if isinstance(value, int) and value})
        yield from (f"      {name:<34} {number:>5}" for name, number in sorted(total.items()))


def _conflicts(rounds: Rounds) -> Iterator[str]:
    rows = rounds.rows("SyncConflicts")
    yield f"Conflicts and questions ({len(rows)})"
    for row in rows:
        values = row.values
        outcome = f"{values.get('Winner')} won" if values.get("Winner") else f"waits for a decision: {values.get('AllowedDecisions')}"
        yield f"  {values.get('User')}: {values.get('Question')} {values.get('Fields') or ''} – {outcome}"
        for field in str(values.get("Fields") or "").split(","):
            if field:
                here, there = values.get(f"Salesforce_{field}"), values.get(f"Outlook_{field}")
                yield f"      {field}: {here!r:.40} in Salesforce, {there!r:.40} in Outlook"


def _errors(rounds: Rounds) -> Iterator[str]:
    rows = rounds.rows("SyncErrors")
    yield f"Errors ({len(rows)})"
    for row in rows:
        values: Mapping[str, Any] = row.values
        text = shorten(" ".join(str(values.get("Text")).split()))
        yield f"  {values.get('User')}: {values.get('Code')} {values.get('Field') or ''} – {text}"
        yield f"      fixable by {values.get('FixableBy')}: {values.get('Remedy')}"


def _requests(title: str, sample: Sample, counts: Mapping[Count, int]) -> Iterator[str]:
    yield f"Requests: {title}"
    yield f"  {'':<32} {'Graph':>8} {'Salesforce':>12}"
    for person in sample.people:
        graph = _sum(counts, GRAPH, (person.upn, person.mailbox))
        salesforce = _sum(counts, SALESFORCE, (person.username,))
        yield f"  {person.upn:<32} {graph:>8} {salesforce:>12}"
    everybody = {name for person in sample.people for name in (person.upn, person.mailbox, person.username)}
    others = [count for count in counts if count.user not in everybody]
    graph = sum(counts[count] for count in others if count.service == GRAPH)
    salesforce = sum(counts[count] for count in others if count.service == SALESFORCE)
    yield f"  {'for all of them, and logins':<32} {graph:>8} {salesforce:>12}"


def shorten(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _sum(counts: Mapping[Count, int], service: str, users: Iterable[str]) -> int:
    names = {user.lower() for user in users}
    return sum(number for count, number in counts.items() if count.service == service and count.user.lower() in names)
