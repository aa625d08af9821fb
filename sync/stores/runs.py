"""SyncRuns: what each run did, the newest first. One insert a run; nothing reads it to decide."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sync.ports import Replace, Scalar, Stored, Tables
from sync.stores.columns import newest_first, shorten
from sync.stores.filters import both, compare

TABLE = "SyncRuns"

COLUMNS: Mapping[str, type] = {
    "User": str,
    "RunId": str,
    "Started": datetime,
    "Ended": datetime,
    "Seconds": float,
    "Why": str,
    "Result": str,
    "Text": str,
    "<counter>": int,
}


class Result(StrEnum):
    DONE = "done"
    CONTINUES = "continues"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """`why`: timer, sync now, continuation … `counts`: column name → number, e.g. `ContactsToOutlookNew`."""

    id: str
    started: datetime
    ended: datetime
    why: str
    result: Result
    text: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)


class Runs:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def write(self, user: str, name: str, run: Run) -> None:
        """One table operation. It may be repeated: a run's row is written whole."""
        if clash := run.counts.keys() & COLUMNS.keys():
            raise ValueError(f"a counter may not be named as a column: {sorted(clash)}")
        values: dict[str, Scalar] = {
            "User": name,
            "RunId": run.id,
            "Started": run.started,
            "Ended": run.ended,
            "Seconds": round((run.ended - run.started).total_seconds(), 3),
            "Why": run.why,
            "Result": str(run.result),
            "Text": shorten(run.text, 10_000),
            **run.counts,
        }
        await self._tables.transact(TABLE, user, [Replace(key=f"{newest_first(run.started)}|{run.id}", values=values)])

    async def latest(self, user: str) -> Run | None:
        async for row in self._tables.scan(TABLE, user):
            return _read(row)
        return None

    async def of_user(self, user: str) -> list[Run]:
        """All runs of a user, the newest first."""
        return [_read(row) async for row in self._tables.scan(TABLE, user)]

    def old(self, user: str, before: datetime) -> AsyncIterator[Stored]:
        """A user's runs that started before: the end of the partition."""
        return self._tables.scan(TABLE, user, start=f"{newest_first(before)}}}", columns=("RunId",))

    def old_between(self, after: str, upto: str, before: datetime) -> AsyncIterator[Stored]:
        """Runs that started before, of the users after the one and before the other ('' for no bound), both exclusive."""
        where = both(compare("PartitionKey", "gt", after) if after else "", compare("Started", "lt", before))
        return self._tables.scan_table(TABLE, before=upto, where=where)


def _read(row: Stored) -> Run:
    values = row.values
    started, ended = values["Started"], values["Ended"]
    if not (isinstance(started, datetime) and isinstance(ended, datetime)):
        raise ValueError(f"{TABLE}: row {row.partition} {row.key} was changed by hand: Started or Ended")
    return Run(
        id=str(values["RunId"]),
        started=started,
        ended=ended,
        why=str(values["Why"]),
        result=Result(str(values["Result"])),
        text=str(values["Text"]),
        counts={name: value for name, value in values.items() if name not in COLUMNS and isinstance(value, int)},
    )
