"""`SyncClaims`: the org-wide right to create one record that several users could create.

PartitionKey: Salesforce org id. RowKey: `kind|keyed hash of what identifies the record`. A claim that names a record stays for a while, so
that whoever comes later finds the record instead of making a second one; one that expired without a name is searched for, then taken over.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from shared.errors import Unknown
from sync.ports import Claim, Clock, Insert, Operation, Remove, Replace, Row, RowChanged, RowExists, Stored, Tables
from sync.stores.filters import compare
from sync.stores.packing import moment

TABLE = "SyncClaims"
COLUMNS: Mapping[str, type] = {"Holder": str, "Until": datetime, "SalesforceId": str, "Run": str}
LIFETIME = timedelta(minutes=20)
"""Longer than a vendor's longest request and a run's budget together."""


class OrgClaims:
    """Implements `ports.Claims` for one org, kind and user."""

    def __init__(self, tables: Tables, clock: Clock, org_id: str, kind: str, user: str, run: str) -> None:
        self._tables, self._clock, self._org, self._kind, self._user, self._run = tables, clock, org_id, kind, user, run
        self._etags: dict[str, str] = {}

    async def take(self, keys: Sequence[str]) -> Mapping[str, Claim]:
        wanted = list(dict.fromkeys(keys))
        taken: dict[str, Claim] = {}
        for at in range(0, len(wanted), 100):
            rest = wanted[at : at + 100]
            while rest:
                try:
                    await self._tables.transact(TABLE, self._org, [Insert(key=self._key(key), values=self._row()) for key in rest])
                except RowExists as conflict:
                    there = await self._there([key for key in rest if not conflict.key or self._key(key) == conflict.key])
                    self._etags.update({key: row.etag for key, row in there.items()})
                    taken.update({key: self._judge(row) for key, row in there.items()})
                    rest = [key for key in rest if key not in there]
                    continue
                except Unknown:
                    continue  # what took effect is found to be held by this user, and searched for like any expired claim
                taken.update(dict.fromkeys(rest, Claim(granted=True)))
                break
        return taken

    async def _there(self, keys: Sequence[str]) -> Mapping[str, Stored]:
        rows = {key: await self._tables.get(TABLE, self._org, self._key(key)) for key in keys}
        return {key: row for key, row in rows.items() if row is not None}

    def _judge(self, row: Stored) -> Claim:
        if row.values["SalesforceId"]:
            return Claim(salesforce_id=str(row.values["SalesforceId"]))
        if row.values["Holder"] == self._user or moment(row.values["Until"]) <= self._clock.now():
            return Claim(expired=True)
        return Claim()

    async def take_over(self, keys: Sequence[str]) -> Sequence[str]:
        won: list[str] = []
        for key in keys:
            try:
                claim = Replace(key=self._key(key), values=self._row(), etag=self._etags.get(key))
                await self._tables.transact(TABLE, self._org, [claim])
            except (RowChanged, Unknown):
                continue
            won.append(key)
        return won

    async def name(self, made: Mapping[str, str]) -> None:
        await self._put(made)

    async def give_back(self, keys: Sequence[str]) -> None:
        """Exactly the claims that are still this user's: one that a colleague took over meanwhile stays."""
        for row in (await self._there(keys)).values():
            if row.values["Holder"] == self._user and not row.values["SalesforceId"]:
                with suppress(RowChanged):
                    await self._tables.transact(TABLE, self._org, [Remove(key=row.key, etag=row.etag)])

    @staticmethod
    async def purge(tables: Tables, before: datetime) -> int:
        """Remove claims that ended before; returns how many. What they named is found by matching by then."""
        old: dict[str, list[Operation]] = defaultdict(list)
        async for row in tables.scan_table(TABLE, where=compare("Until", "lt", before)):
            old[row.partition].append(Remove(key=row.key))
        for partition, removals in old.items():
            await tables.put_many(TABLE, partition, removals)
        return sum(map(len, old.values()))

    async def _put(self, rows: Mapping[str, str]) -> None:
        operations: list[Operation] = [Replace(key=self._key(key), values=self._row(made)) for key, made in rows.items()]
        await self._tables.put_many(TABLE, self._org, operations)

    def _key(self, key: str) -> str:
        return f"{self._kind}|{key}"

    def _row(self, salesforce_id: str = "") -> Row:
        return {"Holder": self._user, "Until": self._clock.now() + LIFETIME, "SalesforceId": salesforce_id, "Run": self._run}
