"""Where reading goes on: from a cursor to the next query, and from what it brought to the next cursor. Pure.

A read by condition is a state machine in JSON:

    {}                                   ─▶ full read, in the order of Id
    {"phase": "full", started, after}    ─▶ … until its last page; then changes since `started`
    {"phase": "changes", since}          ─▶ changes, in the order of (SystemModstamp, Id)
    {… since, started, stamp, id}        ─▶ … their next page; then changes since `started`

`since` is the service's clock at the first page of the last complete read, and ten minutes earlier: rows become visible late, with the
stamp of the time before their transaction was committed. Nothing later than the service's clock is ever kept. Paging is by keyset:
a position in the result, unlike the service's query locators, does not expire and may be kept between runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sync.connectors.salesforce import soql
from sync.ports import State

OVERLAP = timedelta(minutes=10)
PAGE = 2000
"""Rows of one query's page at most; the service may send fewer."""
LAST = "~"
"""It sorts after every id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A cursor, understood."""

    sweep: bool = False
    """Ids only."""
    full: bool
    since: datetime | None = None
    started: datetime | None = None
    """When the read under way began, by the service's clock; None before its first page."""
    stamp: datetime | None = None
    after: str = ""
    """The id of the last row seen in the read under way."""

    @classmethod
    def of(cls, state: State, *, ids_only: bool) -> "Position":
        def when(name: str) -> datetime | None:
            return soql.parse_moment(state[name]) if name in state else None

        if ids_only:
            return cls(sweep=True, full=True, after=str(state.get("after", "")))
        if state.get("phase") != "changes":
            return cls(full=True, started=when("started"), after=str(state.get("after", "")))
        return cls(full=False, since=when("since"), started=when("started"), stamp=when("stamp"), after=str(state.get("id", "")))

    @property
    def first(self) -> bool:
        """The read has not brought a page yet."""
        return not self.after

    def query(self, source: str, columns: Sequence[str], condition: str) -> str:
        """The next page of what satisfies the condition."""
        if self.full:
            where = soql.all_of(condition, "IsDeleted = false", f"Id > {soql.quoted(self.after)}" if self.after else "")
            return soql.select(columns, source, where, f"ORDER BY Id LIMIT {PAGE}")
        return soql.select(columns, source, soql.all_of(condition, self._beyond()), f"ORDER BY SystemModstamp, Id LIMIT {PAGE}")

    def query_by_id(self, source: str, columns: Sequence[str], ids: Sequence[str]) -> str:
        """Those of these records that changed, whatever the condition; in a full read: all of them."""
        since = f"SystemModstamp >= {soql.moment(self.since)}" if self.since is not None else ""
        return soql.select(columns, source, soql.all_of(soql.among("Id", ids), since))

    def _beyond(self) -> str:
        if self.stamp is not None:
            at = soql.moment(self.stamp)
            return f"(SystemModstamp = {at} AND Id > {soql.quoted(self.after)}) OR SystemModstamp > {at}"
        return f"SystemModstamp >= {soql.moment(self.since)}" if self.since is not None else ""

    def next(self, rows: Sequence[dict[str, Any]], *, done: bool, date: datetime) -> tuple[State, bool]:
        """The cursor after a page, and whether there is more to read now. `date`: the service's clock at that page."""
        more = bool(rows) and (not done or len(rows) >= PAGE)
        if self.sweep:
            return ({"after": rows[-1]["Id"]} if more else {}), more
        started = self.started or date
        if not more:
            return {"phase": "changes", "since": soql.moment(started - OVERLAP)}, False
        if self.full:
            return {"phase": "full", "started": soql.moment(started), "after": rows[-1]["Id"]}, True
        since = {"since": soql.moment(self.since)} if self.since is not None else {}
        last = rows[-1]
        stamp = soql.moment(soql.parse_moment(last["SystemModstamp"]))
        return {"phase": "changes", **since, "started": soql.moment(started), "stamp": stamp, "id": last["Id"]}, True
