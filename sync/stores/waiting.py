"""How many questions wait for people, and since when: told once a day, for the alert that somebody is kept waiting."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sync.ports import Replace, Row, Tables
from sync.stores import approvals, claims, conflicts
from sync.stores.columns import day
from sync.stores.filters import compare

PARTITION = KEY = "waiting"
"""Of the row of SyncClaims that remembers the day, so that a new process does not look again."""
COLUMNS: Mapping[str, type] = {"Begun": datetime}


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    conflicts: int
    approvals: int
    oldest: timedelta


async def look(tables: Tables, now: datetime) -> Waiting | None:
    """What waits; None if it was looked at today already. Two scans a day, over the questions that wait only."""
    row = await tables.get(claims.TABLE, PARTITION, KEY)
    begun = row.values.get("Begun") if row is not None else None
    if isinstance(begun, datetime) and day(begun) >= day(now):
        return None
    found: dict[str, list[datetime]] = {conflicts.TABLE: [], approvals.TABLE: []}
    for table, since in found.items():
        async for question in tables.scan_table(table, where=compare("State", "eq", "waiting")):
            first = question.values.get("FirstSeen")
            since.append(first if isinstance(first, datetime) else now)
    values: Row = {"Begun": now}
    await tables.transact(claims.TABLE, PARTITION, [Replace(key=KEY, values=values)])
    oldest = min((first for since in found.values() for first in since), default=now)
    return Waiting(conflicts=len(found[conflicts.TABLE]), approvals=len(found[approvals.TABLE]), oldest=now - oldest)
