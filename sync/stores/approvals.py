"""SyncApprovals: sets of deletions that the guard holds until an administrator agrees to exactly that set.

A head row says how much is at stake and takes the decision; every deletion of the set has a row of its own below it, so that it can be
seen what is agreed to. The name of a set is made of its content: another set is another question. It knows no guard.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.records import LONG_AGO, Side
from sync.ports import Merge, Operation, Remove, Replace, Scalar, Stored, Tables
from sync.stores.filters import compare

TABLE = "SyncApprovals"

COLUMNS: Mapping[str, type] = {
    "User": str,
    "Kind": str,
    "Set": str,
    "State": str,
    "Decision": str,
    "Count": int,
    "InSalesforce": int,
    "InOutlook": int,
    "Links": int,
    "Sample": str,
    "FirstSeen": datetime,
    "RunId": str,
    "Side": str,
    "SalesforceId": str,
    "OutlookId": str,
}
_SAMPLE = 10


class Status(StrEnum):
    WAITING = "waiting"
    APPROVED = "approved"  # agreed to, and being carried out
    REJECTED = "rejected"
    SUPERSEDED = "superseded"  # the set changed: it was asked anew
    DONE = "done"


_OPEN = frozenset({Status.WAITING, Status.APPROVED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Doomed:
    """One deletion of a set: on which side, and both ids."""

    side: Side
    salesforce_id: str = ""
    outlook_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A head row as it stands in the table. `decision` is what somebody typed; 'approve' and 'reject' mean something."""

    kind: str
    name: str
    status: Status
    decision: str
    count: int
    links: int
    first_seen: datetime


class Approvals:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def hold(
        self, user: str, name: str, kind: str, approval: str, deletions: Sequence[Doomed], *, links: int, now: datetime, run: str
    ) -> None:
        """Ask for agreement to a set. One that waits, or is being carried out, is left as it is; one that is done with is asked anew: an
        agreement holds once. Other waiting sets of the kind are superseded."""
        for other in await self._waiting(user, kind):
            if other.name != approval:
                await self.finish(user, kind, other.name, Status.SUPERSEDED)
        there = await self.get(user, kind, approval)
        if there is not None and there.status in _OPEN:
            return
        key = _key(kind, approval)
        rows: list[Operation] = [
            Replace(
                key=f"{key}|{number:06}",
                values={
                    "User": name,
                    "Kind": kind,
                    "Set": approval,
                    "Side": str(deletion.side),
                    "SalesforceId": deletion.salesforce_id,
                    "OutlookId": deletion.outlook_id,
                },
            )
            for number, deletion in enumerate(deletions, 1)
        ]
        await self._tables.put_many(TABLE, user, rows)  # first the list, then the question: nobody is asked about half a list
        in_salesforce = sum(deletion.side is Side.SALESFORCE for deletion in deletions)
        head: dict[str, Scalar] = {
            "User": name,
            "Kind": kind,
            "Set": approval,
            "State": str(Status.WAITING),
            "Decision": "",
            "Count": len(deletions),
            "InSalesforce": in_salesforce,
            "InOutlook": len(deletions) - in_salesforce,
            "Links": links,
            "Sample": ", ".join(deletion.salesforce_id or deletion.outlook_id for deletion in deletions[:_SAMPLE]),
            "FirstSeen": now,
            "RunId": run,
        }
        await self._tables.transact(TABLE, user, [Replace(key=key, values=head)])

    async def get(self, user: str, kind: str, approval: str) -> Approval | None:
        row = await self._tables.get(TABLE, user, _key(kind, approval))
        return None if row is None else _read(row)

    async def list_set(self, user: str, kind: str, approval: str) -> list[Doomed]:
        """The deletions of a set, as listed."""
        return [
            Doomed(
                side=Side(str(row.values["Side"])),
                salesforce_id=str(row.values["SalesforceId"]),
                outlook_id=str(row.values["OutlookId"]),
            )
            async for row in self._list(user, kind, approval)
        ]

    async def finish(self, user: str, kind: str, approval: str, status: Status) -> None:
        """Note what became of a set, and, once it is done with, remove its list. A set that is not there is none to finish."""
        if await self.get(user, kind, approval) is None:
            return
        await self._tables.transact(TABLE, user, [Merge(key=_key(kind, approval), values={"State": str(status)})])
        if status not in _OPEN:
            keys = [row.key async for row in self._list(user, kind, approval)]
            await self._tables.put_many(TABLE, user, [Remove(key=key) for key in keys])

    async def _waiting(self, user: str, kind: str) -> list[Approval]:
        where = compare("State", "eq", Status.WAITING)
        rows = self._tables.scan(TABLE, user, start=f"{kind}|deletions|", end=f"{kind}|deletions}}", where=where)
        return [_read(row) async for row in rows]

    def _list(self, user: str, kind: str, approval: str) -> AsyncIterator[Stored]:
        key = _key(kind, approval)
        return self._tables.scan(TABLE, user, start=f"{key}|", end=f"{key}}}")


def _key(kind: str, approval: str) -> str:
    return f"{kind}|deletions|{approval}"


def _read(row: Stored) -> Approval:
    """A column that somebody spoilt by hand is read so that nothing is agreed to: the question waits."""
    values = row.values
    first, count, links, status = (values.get(name) for name in ("FirstSeen", "Count", "Links", "State"))
    return Approval(
        kind=str(values.get("Kind", "")),
        name=str(values.get("Set", "")),
        status=Status(status) if isinstance(status, str) and status in set(Status) else Status.WAITING,
        decision=str(values.get("Decision", "")).strip(),
        count=count if isinstance(count, int) else 0,
        links=links if isinstance(links, int) else 0,
        first_seen=first if isinstance(first, datetime) else LONG_AGO,
    )
