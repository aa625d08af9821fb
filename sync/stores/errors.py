"""SyncErrors: what stands in the way of a record, a user or everybody, one row per thing, gone when it is solved.

It is the readable face of what the engine already knows: nothing reads it to decide. A row names records by id, never by a person's
name; `Text` is the vendor's own sentence. It knows the catalogue of errors and no connector.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from shared.errors import CATALOGUE, Code, SyncError
from shared.records import Side
from sync.core.fingerprint import opaque
from sync.ports import Operation, Remove, Replace, Scalar, Stored, Tables
from sync.stores.columns import shorten
from sync.stores.filters import compare

TABLE = "SyncErrors"
EVERYONE = "everyone"
"""The partition of what stops everybody: settings, permissions."""
MESSAGES = "messages"
"""The partition of messages that could not be understood."""
OUTLOOK_LINK = "https://outlook.office.com/people/"
"""Outlook on the web has no documented address of a single contact."""

COLUMNS: Mapping[str, type] = {
    "User": str,
    "Code": str,
    "Nature": str,
    "FixableBy": str,
    "Remedy": str,
    "Text": str,
    "Kind": str,
    "Side": str,
    "Field": str,
    "Item": str,
    "SalesforceId": str,
    "OutlookId": str,
    "SalesforceLink": str,
    "OutlookLink": str,
    "FirstSeen": datetime,
    "LastSeen": datetime,
    "Times": int,
    "RunId": str,
}
_FEW = 2
"""Up to so many rows are looked up one by one; a scan of the partition is cheaper for more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is to be told. Of a pair of records: its kind and its name (`S` + Salesforce id, or `O` + Outlook id). Of a user or of
    everybody: no kind, and a name only where there may be several of one code (a setting, a message). `side` is the one that refused."""

    code: Code
    text: str = ""
    kind: str = ""
    name: str = ""
    side: Side | None = None
    field: str = ""
    salesforce_id: str = ""
    outlook_id: str = ""
    salesforce_link: str = ""

    @property
    def key(self) -> str:
        if self.kind:
            return pair_key(self.kind, self.name)
        return f"user|{self.code}" + (f"|{opaque(self.name)}" if self.name else "")

    @property
    def item(self) -> str:
        """The id of the record, or the name of what is at fault."""
        return self.name[1:] if self.kind else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """A row as it stands in the table."""

    key: str
    report: Report
    user: str
    first_seen: datetime
    last_seen: datetime
    times: int
    run: str


def pair_key(kind: str, name: str) -> str:
    """The key of a pair's row. An id may hold characters that a key forbids, and ids differ by case only."""
    side = Side.SALESFORCE if name.startswith("S") else Side.OUTLOOK
    return f"{kind}|{side}|{opaque(name[1:])}"


def salesforce_link(instance: str, object_name: str, record: str) -> str:
    """Where a browser shows a Salesforce record. `instance`: the org's origin."""
    return f"{instance}/lightning/r/{object_name}/{record}/view" if instance and record else ""


def of_error(error: SyncError, name: str = "") -> Report:
    """What an error says of a user or of everybody."""
    return Report(code=error.code, text=error.text, field=error.field or "", name=name)


class Errors:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def report(self, user: str, name: str, reports: Sequence[Report], *, now: datetime, run: str) -> None:
        """Tell these. A row that is there keeps FirstSeen, counts Times, and takes the rest from now. `user`: the Entra object id,
        `EVERYONE` or `MESSAGES`; `name`: the principal name."""
        wanted = {report.key: report for report in reports}
        there = await self._find(user, wanted)
        operations: list[Operation] = [
            Replace(key=key, values=_row(report, there.get(key), name, now, run)) for key, report in wanted.items()
        ]
        await self._tables.put_many(TABLE, user, operations)

    async def solve(self, user: str, keys: Collection[str]) -> None:
        """Remove the rows that are there of these keys (`Report.key`, `pair_key`)."""
        if len(keys) > _FEW:
            keys = await self._find(user, keys)
        for key in keys if len(keys) <= _FEW else ():
            await self._tables.transact(TABLE, user, [Remove(key=key)])
        if len(keys) > _FEW:
            await self._tables.put_many(TABLE, user, [Remove(key=key) for key in keys])

    async def tell_exactly(self, user: str, name: str, code: Code, reports: Sequence[Report], *, now: datetime, run: str) -> None:
        """These are all the errors of this code there are now: the others of the code are solved."""
        keys = {report.key for report in reports}
        solved = [row.key async for row in self._tables.scan(TABLE, user, where=compare("Code", "eq", code), columns=("Code",))]
        await self._tables.put_many(TABLE, user, [Remove(key=key) for key in solved if key not in keys])
        if reports:
            await self.report(user, name, reports, now=now, run=run)

    async def of_user(self, user: str, *, kind: str = "") -> list[Reported]:
        """The rows of a user, or of `EVERYONE`, `MESSAGES`; one that a hand or a newer version has made unreadable is left out."""
        where = compare("Kind", "eq", kind) if kind else ""
        found: list[Reported] = []
        async for row in self._tables.scan(TABLE, user, where=where):
            with suppress(ValueError):
                found.append(_read(row))
        return found

    async def old_messages(self, before: datetime) -> AsyncIterator[Stored]:
        """Rows about messages that were not seen again since: nobody can solve them."""
        async for row in self._tables.scan(TABLE, MESSAGES, where=compare("LastSeen", "lt", before)):
            yield row

    async def _find(self, user: str, keys: Collection[str]) -> dict[str, Stored]:
        """The rows that are there of these."""
        if len(keys) <= _FEW:
            return {key: row for key in keys if (row := await self._tables.get(TABLE, user, key)) is not None}
        wanted = set(keys)
        rows = self._tables.scan(TABLE, user, columns=("FirstSeen", "Times"))
        return {row.key: row async for row in rows if row.key in wanted}


def _row(report: Report, there: Stored | None, name: str, now: datetime, run: str) -> dict[str, Scalar]:
    entry = CATALOGUE[report.code]
    times = there.values.get("Times") if there else None
    return {
        "User": name,
        "Code": str(report.code),
        "Nature": entry.meaning,
        "FixableBy": str(entry.mender),
        "Remedy": entry.remedy,
        "Text": shorten(report.text or entry.meaning, 10_000),
        "Kind": report.kind,
        "Side": str(report.side or ""),
        "Field": report.field,
        "Item": report.item,
        "SalesforceId": report.salesforce_id,
        "OutlookId": report.outlook_id,
        "SalesforceLink": report.salesforce_link,
        "OutlookLink": OUTLOOK_LINK if report.outlook_id else "",
        "FirstSeen": there.values.get("FirstSeen", now) if there else now,
        "LastSeen": now,
        "Times": times + 1 if isinstance(times, int) else 1,
        "RunId": run,
    }


def _read(row: Stored) -> Reported:
    values = row.values
    text = {name: str(values.get(name, "")) for name in COLUMNS}
    first, last, times = values.get("FirstSeen"), values.get("LastSeen"), values.get("Times")
    if not (isinstance(first, datetime) and isinstance(last, datetime) and isinstance(times, int)):
        raise ValueError(f"{TABLE}: row {row.partition} {row.key} was changed by hand: FirstSeen, LastSeen or Times")
    return Reported(
        key=row.key,
        report=Report(
            code=Code(text["Code"]),
            text=text["Text"],
            kind=text["Kind"],
            name=f"{'S' if f'|{Side.SALESFORCE}|' in row.key else 'O'}{text['Item']}" if text["Kind"] else text["Item"],
            side=Side(text["Side"]) if text["Side"] else None,
            field=text["Field"],
            salesforce_id=text["SalesforceId"],
            outlook_id=text["OutlookId"],
            salesforce_link=text["SalesforceLink"],
        ),
        user=text["User"],
        first_seen=first,
        last_seen=last,
        times=times,
        run=text["RunId"],
    )
