"""What is kept for some days only and then goes: old days of the journal, old runs, settled
conflicts, messages that were refused long ago, ended claims.

Once a day, in steps of bounded size; a row of SyncClaims says how far they came, so that a process that has just started neither begins
anew nor looks again. What is old is found by ranges of keys: the journal's days, and each person's end of SyncRuns – which holds a row for
each run of each person, and is never read as a whole. SyncConflicts and SyncClaims hold little, and are searched. A row that was written
meanwhile is no longer what was judged old, and stays.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta

from sync.ports import Operation, Remove, Replace, Row, RowChanged, Stored, Tables
from sync.stores import claims, conflicts, errors, journal, runs
from sync.stores.columns import day
from sync.stores.limits import chunk
from sync.stores.people import People

TABLE = claims.TABLE
COLUMNS: Mapping[str, type] = {"Begun": datetime, "Reached": str, "Done": bool}
"""Of the row that says how far the day's purge came; besides `Run`."""
PARTITION = KEY = "purge"
ROWS = 5_000
"""What one step removes at most: 50 transactions, or a few seconds."""
PEOPLE = 200
"""Whose runs one step looks at, at most: two requests each."""
CLAIMS_STAY = timedelta(days=1)
"""After a claim's end: what it named is found by matching by then."""


async def purge(tables: Tables, people: People, *, now: datetime, run: str) -> bool:
    """Make a step. Returns whether the day's purge is done: then there is nothing to do until tomorrow (UTC)."""
    row = await tables.get(TABLE, PARTITION, KEY)
    begun, reached, done = _progress(row, now)
    if done and day(begun) >= day(now):
        return True
    if done:
        begun, reached = now, ""
    profile, _ = await people.default_profile()
    step = _Step(tables, begun - timedelta(days=profile.journal_days))
    if not reached:
        await step.remove(journal.TABLE, journal.Journal(tables).old(day(step.before)))
        await step.remove(conflicts.TABLE, conflicts.Conflicts(tables).old(step.before))
        await step.remove(errors.TABLE, errors.Errors(tables).old_messages(step.before))
        await step.remove(claims.TABLE, claims.OrgClaims.old(tables, begun - CLAIMS_STAY))
    reached, done = await _runs(step, sorted(user.key for user in await people.users() if user.key > reached), reached)
    values: Row = {"Begun": begun, "Reached": reached, "Done": done, "Run": run}
    await tables.transact(TABLE, PARTITION, [Replace(key=KEY, values=values)])
    return done


def _progress(row: Stored | None, now: datetime) -> tuple[datetime, str, bool]:
    """When the purge began, which person it reached, whether it was done then. Without a row, or with a spoilt one, it begins."""
    values: Row = {} if row is None else row.values
    begun, reached, done = values.get("Begun"), values.get("Reached"), values.get("Done")
    if isinstance(begun, datetime) and isinstance(reached, str) and isinstance(done, bool):
        return begun, reached, done
    return now, "", False


async def _runs(step: "_Step", people: Sequence[str], reached: str) -> tuple[str, bool]:
    """Old runs of these people (object ids in order), and of whoever is between them in the table but no longer in SyncUsers."""
    book = runs.Runs(step.tables)
    for user in people[:PEOPLE]:
        await step.remove(runs.TABLE, book.old_between(reached, user, step.before))
        await step.remove(runs.TABLE, book.old(user, step.before))
        if not step.left:
            return reached, False
        reached = user
    if len(people) > PEOPLE:
        return reached, False
    await step.remove(runs.TABLE, book.old_between(reached, "", step.before))
    return reached, step.left > 0


class _Step:
    """Removes what it is shown, until it has removed enough."""

    def __init__(self, tables: Tables, before: datetime) -> None:
        self.tables, self.before, self.left = tables, before, ROWS

    async def remove(self, table: str, rows: AsyncIterator[Stored]) -> None:
        if not self.left:
            return
        found: dict[str, list[Operation]] = defaultdict(list)
        async for row in rows:
            found[row.partition].append(Remove(key=row.key, etag=row.etag))
            self.left -= 1
            if not self.left:
                break
        for partition, removals in found.items():
            for part in chunk(partition, removals):
                await self._remove(table, partition, part)

    async def _remove(self, table: str, partition: str, removals: Sequence[Operation]) -> None:
        while removals:
            try:
                await self.tables.transact(table, partition, removals)
            except RowChanged as changed:
                others = [removal for removal in removals if removal.key != changed.key]
                if len(others) == len(removals):
                    raise
                removals = others
            else:
                return
