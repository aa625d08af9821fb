"""The state of one user: lease, cursors, intents, pendings and links, in one partition of `SyncState`.

Rules of the file. (1) Every transaction carries the lease row under its ETag, so a run that lost its lease cannot commit. (2) The lease row
counts its transactions (`Sequence`): when an answer was lost, the row read back tells whether the transaction took effect. (3) A wake-up
that comes during a run sets `Again` in the lease row; that changes the ETag, and the holder goes on with the new one. (4) All
puts are whole rows, so repeating one does no harm.

Row keys: `a-lease`, `b-cursor|kind|name`, `c-intent|kind|n`, `d-pending|kind|pair`, `link|kind|Salesforce id`,
`pointer|kind|hash of the Outlook id`. One range scan of `a` … `e` is all that a quiet run reads.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from shared.errors import Code, LeaseLost, Temporary, Unknown
from shared.records import LONG_AGO
from sync.core.fingerprint import opaque
from sync.core.link import Link
from sync.keeping import Changes, Intent, Pending
from sync.ports import Clock, Insert, Operation, Remove, Replace, Row, RowChanged, RowExists, State, Stored, Tables
from sync.stores.columns import join, span
from sync.stores.packing import intent_row, link_row, moment, pending_row, read_intent, read_link, read_pending

TABLE = "SyncState"
LEASE = "a-lease"
COLUMNS: Mapping[str, type] = {
    "User": str,
    "Holder": str,
    "Until": datetime,
    "Again": bool,
    "Compare": bool,
    "Served": datetime,
    "Sequence": int,
    "Links_<kind>": int,
    "State": str,
    "Operation": str,
    "Sent": datetime,
    "Count": int,
    "Actions": str,
    "SalesforceId": str,
    "OutlookId": str,
    "Why": str,
    "Due": datetime,
    "Attempts": int,
    "Code": str,
    "Since": datetime,
    "Asked": bool,
    "Side": str,
    "Approval": str,
    "Inside": bool,
    "Candidates": str,
    "Status": str,
    "Origin": str,
    "Home": bool,
    "HashKey": str,
    "Base": str,
    "Etag": str,
    "OutlookModified": datetime,
    "Stamp": str,
    "Turns": int,
    "TurnsSince": datetime,
    "Wrote": str,
}
"""Of all sorts of rows together."""
TURNS = 6
"""How often a transaction is repeated that met somebody's wake-up, or whose answer was lost."""
ROWS = 99
"""Rows of a transaction besides the lease."""
SCAN_PAYS = 35
"""One scanned row costs about a thirty-fifth of a point read (measured)."""
AT_ONCE = 16
"""Point reads under way together."""


class UserState:
    """Held by one run. `open` takes the lease; a `None` from it means that another run holds it and has been told to go on."""

    def __init__(self, tables: Tables, clock: Clock, user: str, name: str, run: str, mark: str, lease_time: timedelta) -> None:
        self._tables, self._clock, self._user, self._name, self._run, self._lease_time = tables, clock, user, name, run, lease_time
        self.mark = mark
        self._etag = ""
        self._until = LONG_AGO
        self._sequence = 0
        self._counts: dict[str, int] = defaultdict(int)
        self._kinds: dict[str, KindState] = {}
        self._applied = False
        self._lost = False
        self.again = False
        """A wake-up came during the run."""
        self.compare = False
        """It asked for a full comparison."""
        self.served = LONG_AGO
        """Start of the last run that ended well."""

    @classmethod
    async def open(
        cls,
        tables: Tables,
        clock: Clock,
        *,
        user: str,
        name: str,
        run: str,
        mark: str,
        lease_time: timedelta,
        asked: datetime | None = None,
        compare: bool = False,
    ) -> "UserState | None":
        """Read the head and take the lease. `asked`: when the wake-up was made; a run that began later has served it already."""
        state = cls(tables, clock, user, name, run, mark, lease_time)
        return state if await state._take(asked, compare=compare) else None

    async def _take(self, asked: datetime | None, *, compare: bool) -> bool:
        for _ in range(TURNS):
            self._kinds.clear()
            rows = [row async for row in self._tables.scan(TABLE, self._user, start="a", end="e")]
            self._load(rows)  # before the lease is taken: a row that cannot be read must not keep it
            lease = next((row for row in rows if row.key == LEASE), None)
            now = self._clock.now()
            if lease is None:
                try:
                    (self._etag,) = await self._tables.transact(TABLE, self._user, [Insert(key=LEASE, values=self._lease(now))])
                except (RowExists, Unknown):
                    continue
                return True
            self._read_lease(lease)
            if asked is not None and self.served > asked:
                return False
            taken = moment(lease.values["Until"]) > now and lease.values["Holder"] not in ("", self._run)
            wakeup = {"Again": True, "Compare": compare or bool(lease.values.get("Compare"))}
            values = {**lease.values, **wakeup} if taken else self._lease(now)
            try:
                (self._etag,) = await self._tables.transact(TABLE, self._user, [Replace(key=LEASE, values=values, etag=lease.etag)])
            except (RowChanged, Unknown):
                continue
            return not taken
        raise Temporary(Code.UNAVAILABLE, "the lease could not be taken: the storage does not answer")

    def _read_lease(self, lease: Stored) -> None:
        self._etag = lease.etag
        self._sequence = int(str(lease.values["Sequence"]))
        self.served = moment(lease.values["Served"])
        for name, value in lease.values.items():
            if name.startswith("Links_"):
                self._counts[name.removeprefix("Links_")] = int(str(value))

    def _lease(self, now: datetime) -> Row:
        """The lease row as it will be after the next transaction."""
        self._until = now + self._lease_time
        self._sequence += 1
        return {
            "Holder": self._run,
            "Until": self._until,
            "Again": False,
            "Compare": False,
            "Served": self.served,
            "Sequence": self._sequence,
            "User": self._name,
            **{f"Links_{kind}": count for kind, count in self._counts.items()},
        }

    def _load(self, rows: Iterable[Stored]) -> None:
        for row in rows:
            sort, _, rest = row.key.partition("|")
            if rest:
                kind, _, name = rest.partition("|")
                self.kind(kind).take(sort, name, row)

    def kind(self, kind: str) -> "KindState":
        if kind not in self._kinds:
            self._kinds[kind] = KindState(self, kind)
        return self._kinds[kind]

    # ----------------------------------------------------------------- used by KindState

    def count(self, kind: str) -> int:
        return self._counts[kind]

    async def write(self, kind: str, groups: Sequence[Sequence[Operation]], links: int) -> None:
        """Write in order, fenced; rows of one group are written together or not at all. The first transaction carries the new number of
        links: what a death leaves out is counted again by the next sweep."""
        chunks: list[list[Operation]] = [[]]
        for group in groups:
            if len(chunks[-1]) + len(group) > ROWS:
                chunks.append([])
            chunks[-1] += group
        for number, chunk in enumerate(chunks):
            self._counts[kind] += links if number == 0 else 0
            try:
                await self._fenced(chunk)
            except BaseException:
                self._counts[kind] -= links if number == 0 else 0
                raise

    async def hold(self, seconds: float) -> None:
        if self._until < self._clock.now() + timedelta(seconds=seconds):
            await self._fenced(())

    async def close(self, *, served: datetime | None, cursors: Mapping[str, Mapping[str, State | None]]) -> None:
        """Give the lease back with the last cursors. `served`: the run's start, if it read everything to the end."""
        if served is not None:
            self.served = served
        last = [one for kind, states in cursors.items() for group in self.kind(kind).groups(Changes(cursors=states)) for one in group]
        await self._fenced(last, closing=True)

    async def _fenced(self, operations: Sequence[Operation], *, closing: bool = False) -> None:
        if self._lost:
            raise LeaseLost(self._user)
        values = dict(self._lease(self._clock.now()))
        if closing:
            values.update({"Holder": "", "Until": LONG_AGO})
        for _ in range(TURNS):
            lease = Replace(
                key=LEASE, values={**values, "Again": self.again and not closing, "Compare": self.compare and not closing}, etag=self._etag
            )
            try:
                self._etag, *_ = await self._tables.transact(TABLE, self._user, [lease, *operations])
            except (RowChanged, Unknown) as conflict:
                if not await self._still_mine():
                    raise LeaseLost(self._user) from None
                if self._applied:
                    return
                if isinstance(conflict, RowChanged) and conflict.key != LEASE:
                    operations = await self._without_missing(operations)
                continue
            return
        raise Temporary(Code.UNAVAILABLE, "the state could not be written: the storage does not answer")

    async def _still_mine(self) -> bool:
        """Read the lease back after a conflict: somebody's wake-up, our own transaction whose answer was lost, or another holder."""
        lease = await self._tables.get(TABLE, self._user, LEASE)
        self._applied = False
        if lease is None:
            self._lost = True
            return False
        self._applied = lease.values["Sequence"] == self._sequence and lease.values["Holder"] in (self._run, "")
        if not self._applied and lease.values["Holder"] != self._run:
            self._lost = True
            return False
        self.again = self.again or bool(lease.values["Again"])
        self.compare = self.compare or bool(lease.values.get("Compare"))
        self._etag = lease.etag
        return True

    async def _without_missing(self, operations: Sequence[Operation]) -> Sequence[Operation]:
        kept: list[Operation] = []
        for operation in operations:
            if not isinstance(operation, Remove) or await self._tables.get(TABLE, self._user, operation.key) is not None:
                kept.append(operation)
        return kept

    async def get(self, key: str) -> Stored | None:
        return await self._tables.get(TABLE, self._user, key)

    def scan(self, start: str, end: str, columns: Sequence[str] = ()) -> AsyncIterator[Stored]:
        return self._tables.scan(TABLE, self._user, start=start, end=end, columns=columns)


class KindState:
    """Implements `ports.KindState`."""

    def __init__(self, user: UserState, kind: str) -> None:
        self._user, self._kind = user, kind
        self.cursors: dict[str, State] = {}
        self.pendings: dict[str, Pending] = {}
        self.intents: dict[str, Intent] = {}
        self._index: dict[str, tuple[str, int]] | None = None
        """Hash of the Outlook id → Salesforce id and hash of the etag: all links of the kind, while a full read needs them."""

    def take(self, sort: str, name: str, row: Stored) -> None:
        if sort == "b-cursor":
            self.cursors[name] = json.loads(join(row.values, "State"))
        elif sort == "c-intent":
            self.intents[name] = read_intent(name, row)
        elif sort == "d-pending":
            pending = read_pending(row)
            self.pendings[pending.name] = pending

    @property
    def links(self) -> int:
        return self._user.count(self._kind)

    async def by_salesforce(self, ids: Sequence[str]) -> Mapping[str, Link]:
        wanted = set(ids)
        if len(wanted) * SCAN_PAYS > self.links:
            ends = (min(wanted), max(wanted) + "!") if wanted else ("", "")
            rows = [row async for row in self._user.scan(f"link|{self._kind}|{ends[0]}", f"link|{self._kind}|{ends[1]}")] if wanted else []
        else:
            rows = await self._points([f"link|{self._kind}|{one}" for one in wanted])
        links = [read_link(row, self._user.mark) for row in rows if row.key.rpartition("|")[2] in wanted]
        return {link.salesforce_id: link for link in links}

    async def load_index(self) -> None:
        if self._index is None:
            rows = self._user.scan(f"link|{self._kind}|", f"link|{self._kind}|~", ("SalesforceId", "OutlookId", "Etag"))
            self._index = {
                opaque(str(row.values["OutlookId"])): (str(row.values["SalesforceId"]), hash(row.values["Etag"]))
                async for row in rows
                if row.values["OutlookId"]
            }

    def knows(self, outlook_id: str, etag: str) -> bool:
        return bool(etag) and self._index is not None and self._index.get(opaque(outlook_id), ("", 0))[1] == hash(etag)

    async def by_outlook(self, ids: Sequence[str]) -> Mapping[str, Link]:
        names = {opaque(one): one for one in ids}
        if not names:
            return {}
        if self._index is not None:
            found = {name: self._index[name][0] for name in names if name in self._index}
        else:
            if len(names) * SCAN_PAYS > self.links:
                scan = self._user.scan(f"pointer|{self._kind}|{min(names)}", f"pointer|{self._kind}|{max(names)}!")
                points = [row async for row in scan if row.key.rpartition("|")[2] in names]
            else:
                points = await self._points([f"pointer|{self._kind}|{name}" for name in names])
            found = {row.key.rpartition("|")[2]: str(row.values["SalesforceId"]) for row in points}
        links = await self.by_salesforce(list(found.values()))
        pairs = ((names[name], links.get(salesforce_id)) for name, salesforce_id in found.items())
        return {one: link for one, link in pairs if link is not None and link.outlook_id == one}

    async def between(self, after: str, upto: str) -> AsyncIterator[Link]:
        async for row in self._user.scan(f"link|{self._kind}|{after}!", f"link|{self._kind}|{upto}!"):
            yield read_link(row, self._user.mark)

    async def _points(self, keys: Sequence[str]) -> list[Stored]:
        found: list[Stored] = []
        for at in range(0, len(keys), AT_ONCE):
            rows = await asyncio.gather(*(self._user.get(key) for key in keys[at : at + AT_ONCE]))
            found += [row for row in rows if row is not None]
        return found

    async def hold(self, seconds: float) -> None:
        await self._user.hold(seconds)

    async def commit(self, changes: Changes) -> None:
        groups = self.groups(changes)
        if groups or changes.count:
            await self._user.write(self._kind, groups, changes.count)
        self._remember(changes)

    def groups(self, changes: Changes) -> list[list[Operation]]:
        """The rows of a commit, in order: links, pendings, intents, cursors last. What belongs together – a link and its pointer – is a
        group, and a row that is named twice is written as named last."""
        rows: dict[str, Operation] = {}
        order: list[tuple[str, ...]] = []

        def note(*operations: Operation) -> None:
            rows.update({one.key: one for one in operations})
            order.append(tuple(one.key for one in operations))

        def link_key(link: Link) -> str:
            return f"link|{self._kind}|{link.salesforce_id}"

        def pointer_key(outlook_id: str) -> str:
            return f"pointer|{self._kind}|{opaque(outlook_id)}"

        for one in changes.drop_pointers:
            note(Remove(key=pointer_key(one)))
        for link in changes.drop_links:
            note(Remove(key=link_key(link)), *([Remove(key=pointer_key(link.outlook_id))] if link.outlook_id else []))
        for link in changes.new_links:
            values: Row = {"SalesforceId": link.salesforce_id, "OutlookId": link.outlook_id}
            pointer = [Replace(key=pointer_key(link.outlook_id), values=values)] if link.outlook_id else []
            note(Replace(key=link_key(link), values=link_row(link, self._user.mark)), *pointer)
        for link in changes.links:
            note(Replace(key=link_key(link), values=link_row(link, self._user.mark)))
        for pending in changes.drop_pendings:
            note(Remove(key=f"d-pending|{self._kind}|{_key(pending)}"))
        for pending in changes.pendings:
            note(Replace(key=f"d-pending|{self._kind}|{_key(pending)}", values=pending_row(pending)))
        for intent in changes.intents:
            note(Replace(key=f"c-intent|{self._kind}|{intent.key}", values=intent_row(intent)))
        for intent in changes.drop_intents:
            note(Remove(key=f"c-intent|{self._kind}|{intent.key}"))
        for name, state in changes.cursors.items():
            key = f"b-cursor|{self._kind}|{name}"
            if state is not None:
                note(Replace(key=key, values=span("State", json.dumps(state, separators=(",", ":")))))
            elif name in self.cursors:
                note(Remove(key=key))
        return [[rows.pop(key) for key in group if key in rows] for group in order]

    def _remember(self, changes: Changes) -> None:
        for pending in changes.drop_pendings:
            self.pendings.pop(pending.name, None)
        self.pendings.update({pending.name: pending for pending in changes.pendings})
        self.intents.update({intent.key: intent for intent in changes.intents})
        for intent in changes.drop_intents:
            self.intents.pop(intent.key, None)
        for name, state in changes.cursors.items():
            if state is None:
                self.cursors.pop(name, None)
            else:
                self.cursors[name] = state
        if self._index is not None:
            for one in [*changes.drop_pointers, *(link.outlook_id for link in changes.drop_links)]:
                self._index.pop(opaque(one), None)
            written = [link for link in (*changes.new_links, *changes.links) if link.outlook_id]
            self._index.update({opaque(link.outlook_id): (link.salesforce_id, hash(link.etag)) for link in written})


def _key(pending: Pending) -> str:
    """`S` + Salesforce id, or `O` + hash of the Outlook id."""
    return pending.name if pending.salesforce_id else f"O{opaque(pending.outlook_id)}"
