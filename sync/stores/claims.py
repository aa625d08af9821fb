"""`SyncClaims`: the org-wide right to create one record that several users could create.

PartitionKey: Salesforce org id. RowKey: `kind|keyed hash of what identifies the record`. A claim that names a record stays for a while, so
that whoever comes later finds the record instead of making a second one; one that expired without a name is searched for, then taken over.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from shared.errors import Code, Temporary, Unknown
from sync.ports import Claim, Clock, Insert, Operation, Remove, Replace, Row, RowChanged, RowExists, Stored, Tables
from sync.stores.filters import compare
from sync.stores.packing import moment

TABLE = "SyncClaims"
COLUMNS: Mapping[str, type] = {"Holder": str, "Until": datetime, "SalesforceId": str, "Run": str}
LIFETIME = timedelta(minutes=20)
"""Longer than a vendor's longest request and a run's budget together."""
TURNS = 5
"""How often claims are asked for without learning anything of one of them."""


class OrgClaims:
    """Implements `ports.Claims` for one org, kind and user."""

    def __init__(self, tables: Tables, clock: Clock, org_id: str, kind: str, user: str, run: str) -> None:
        self._tables, self._clock, self._org, self._kind, self._user, self._run = tables, clock, org_id, kind, user, run
        self._etags: dict[str, str] = {}

    async def take(self, keys: Sequence[str]) -> Mapping[str, Claim]:
        """Raises Temporary where storage stays unsure: what was taken then is found by the next run as its own."""
        wanted = list(dict.fromkeys(keys))
        taken: dict[str, Claim] = {}
        for at in range(0, len(wanted), 100):
            rest = wanted[at : at + 100]
            idle = 0
            while rest:
                if idle == TURNS:
                    raise Temporary(Code.UNAVAILABLE, f"Table {TABLE}: {TURNS} attempts did not show whether claims were taken.")
                try:
                    await self._tables.transact(TABLE, self._org, [Insert(key=self._key(key), values=self._row()) for key in rest])
                except RowExists as conflict:
                    there = await self._there([key for key in rest if not conflict.key or self._key(key) == conflict.key])
                    self._etags.update({key: row.etag for key, row in there.items()})
                    taken.update({key: self._judge(row) for key, row in there.items()})
                    rest = [key for key in rest if key not in there]
                    idle = 0 if there else idle + 1  # not there any more: a colleague has just given it back
                    continue
                except Unknown:
                    idle += 1
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
    def old(tables: Tables, before: datetime) -> AsyncIterator[Stored]:
        """Claims of all orgs that ended before."""
        return tables.scan_table(TABLE, where=compare("Until", "lt", before))

    async def _put(self, rows: Mapping[str, str]) -> None:
        operations: list[Operation] = [Replace(key=self._key(key), values=self._row(made)) for key, made in rows.items()]
        await self._tables.put_many(TABLE, self._org, operations)

    def _key(self, key: str) -> str:
        return f"{self._kind}|{key}"

    def _row(self, salesforce_id: str = "") -> Row:
        return {"Holder": self._user, "Until": self._clock.now() + LIFETIME, "SalesforceId": salesforce_id, "Run": self._run}
