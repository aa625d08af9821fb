"""SyncJournal: what a record was before the sync overwrote, deleted or moved it; kept for some days, then purged.

It is written before the effect, and it is the one table that holds personal data at length: previous values, one column each, and the
whole item for a deletion or a move. A partition is one user's day, so that purging reads nothing that stays.
"""

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from shared.records import Side
from sync.ports import Before, Operation, Replace, Scalar, Stored, Tables
from sync.stores.columns import WIDTH, day, join, oldest_first, span
from sync.stores.limits import units

TABLE = "SyncJournal"

COLUMNS: Mapping[str, type] = {
    "When": datetime,
    "User": str,
    "RunId": str,
    "Kind": str,
    "Side": str,
    "Action": str,
    "SalesforceId": str,
    "OutlookId": str,
    "Fields": str,
    "Before_<field>": str,
    "Whole": str,
}
_ROW_UNITS = 14 * WIDTH
"""UTF-16 units of values in one row: 896,000 bytes of the 1 MiB that a row holds."""
_ROW_COLUMNS = 200
_PART = "|part"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An entry as it stands in the table."""

    key: str
    when: datetime
    user: str
    run: str
    kind: str
    entry: Before


class Journal:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._numbers = count()

    async def write(self, user: str, name: str, kind: str, entries: Sequence[Before], *, now: datetime, run: str) -> None:
        """Write entries in as few transactions as it takes: they stand when this returns. Written twice, they stand twice."""
        rows: list[Operation] = []
        for entry in entries:
            key = f"{oldest_first(now)}|{run}|{next(self._numbers):06}"
            parts = _parts(entry, name, kind, now, run)
            rows += [Replace(key=key if number == 1 else f"{key}{_PART}{number}", values=part) for number, part in enumerate(parts, 1)]
        await self._tables.put_many(TABLE, f"{day(now)}|{user}", rows)

    async def entries(self, user: str, date: str) -> list[Kept]:
        """A user's entries of one day (YYYY-MM-DD, UTC), in the order of time."""
        whole: dict[str, dict[str, Scalar]] = {}
        async for row in self._tables.scan(TABLE, f"{date}|{user}"):
            whole.setdefault(row.key.partition(_PART)[0], {}).update(row.values)
        return [_read(key, values) for key, values in whole.items()]

    def old(self, before: str) -> AsyncIterator[Stored]:
        """The rows of the days before this one (YYYY-MM-DD)."""
        return self._tables.scan_table(TABLE, before=before)


def _parts(entry: Before, name: str, kind: str, now: datetime, run: str) -> Iterator[dict[str, Scalar]]:
    """The rows of one entry: as many as its values need. The first one also says what it is."""
    part: dict[str, Scalar] = {
        "When": now,
        "User": name,
        "RunId": run,
        "Kind": kind,
        "Side": str(entry.side),
        "Action": entry.action,
        "SalesforceId": entry.salesforce_id,
        "OutlookId": entry.outlook_id,
        "Fields": ",".join(entry.fields),
    }
    size = 0
    for column, text in _columns(entry).items():
        more = units(text)
        if size + more > _ROW_UNITS or len(part) == _ROW_COLUMNS:
            yield part
            part, size = {"When": now}, 0
        part[column] = text
        size += more
    yield part


def _columns(entry: Before) -> dict[str, str]:
    texts = {f"Before_{name}": value or "" for name, value in entry.fields.items()}
    if entry.whole is not None:
        texts["Whole"] = json.dumps(entry.whole, ensure_ascii=False, separators=(",", ":"))
    columns: dict[str, str] = {}
    for name, text in texts.items():
        spanned = span(name, text)
        if clash := spanned.keys() & columns.keys() or (spanned.keys() - {name}) & texts.keys():
            raise ValueError(f"two fields share the column {sorted(clash)}")
        columns |= spanned
    return columns


def _read(key: str, values: Mapping[str, Scalar]) -> Kept:
    when = values["When"]
    if not isinstance(when, datetime):
        raise ValueError(f"{TABLE}: row {key} was changed by hand: When")
    names = [name for name in str(values["Fields"]).split(",") if name]
    whole = join(values, "Whole")
    return Kept(
        key=key,
        user=str(values["User"]),
        run=str(values["RunId"]),
        kind=str(values["Kind"]),
        when=when,
        entry=Before(
            side=Side(str(values["Side"])),
            action=str(values["Action"]),
            salesforce_id=str(values["SalesforceId"]),
            outlook_id=str(values["OutlookId"]),
            fields={name: join(values, f"Before_{name}") or None for name in names},
            whole=json.loads(whole) if whole else None,
        ),
    )
