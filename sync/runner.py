"""One user's run: read the changes of both sides, have each pair looked at, keep the cursors last.

    recover open intents → [ read a page of each side → pairs → look → cursor ]* → due pendings and answers → sweep → deletions → close

A quiet run is one look at each side and one commit. A first read takes Outlook to its end before Salesforce, so that what a person had
in the folder is matched before anything is created there. A run longer than its budget keeps its cursors and asks to be continued.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from shared.errors import Code, Permanent
from sync import answering, walking
from sync.apply import deletions
from sync.apply.desk import Desk
from sync.apply.look import look, pair_named
from sync.apply.recover import recover
from sync.keeping import Changes, Op, Pending, Why
from sync.ports import Clock, Mailbox, Org, OutlookPage, SalesforcePage, SalesforceRead, State, UserState
from sync.reading import outlook_pairs, salesforce_pairs

CREATES = frozenset({Op.CREATE_OUTLOOK, Op.CREATE_SALESFORCE, Op.MOVE_OUTLOOK})
OUTSIDE_LIMIT = 200
"""Linked records outside the search whose changes are read by id; more of them wait for the sweep."""


class Result(StrEnum):
    DONE = "done"
    CONTINUES = "continues"
    BUSY = "busy"  # another run holds the lease, or has served this wake-up already


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """How often the slow looks are taken, and how long a run may last."""

    sweep: timedelta = timedelta(hours=1)
    compare: timedelta = timedelta(hours=24)
    budget: timedelta = timedelta(minutes=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    result: Result
    counts: Mapping[str, int] = field(default_factory=dict)
    """`ToOutlookNew`, `ToSalesforceUpdated`, … by kind: `contact.ToOutlookNew`."""
    compare: bool = False
    """The next run is to make a full comparison: it was asked for, and has not been begun."""
    again: bool = False
    """To be queued again at once: a wake-up came meanwhile, or the budget was used up."""


@dataclass(kw_only=True)
class _Progress:
    """How far one kind has come in this run."""

    desk: Desk
    print: str
    """Names what the cursors depend on: settings, mapping, hash key. Another one means a full read that keeps the links."""
    outlook_more: bool = True
    salesforce_more: bool = True
    compared: bool = False
    first: Mapping[str, Pending] = field(default_factory=dict)
    """The pendings as they were when the run began."""
    unsaved: dict[str, State | None] = field(default_factory=dict)
    """Cursors of the last, quiet pages: kept with the closing of the lease."""

    def cursor(self, name: str) -> State:
        kept = self.unsaved.get(name) or self.desk.state.cursors.get(name) or {}
        return kept if kept.get("print") == self.print else {}

    @property
    def outlook_full(self) -> bool:
        cursor = self.cursor("outlook")
        return not cursor or bool(cursor.get("full"))

    async def save(self, name: str, state: State | None, *, at_once: bool, beside: Mapping[str, State] | None = None) -> None:
        """Keep a cursor: at once, or with the lease's release when nothing happened since. `beside`: other rows of the same commit."""
        value = None if state is None else {**state, "print": self.print}
        if at_once or beside:
            self.unsaved.pop(name, None)
            await self.desk.state.commit(Changes(cursors={**(beside or {}), name: value}))
        else:
            self.unsaved[name] = value


@dataclass(kw_only=True)
class Run:
    """`desks`: per kind that is on, its desk and the name of its settings."""

    state: UserState
    mailbox: Mailbox
    org: Org
    clock: Clock
    times: Times
    desks: Sequence[tuple[Desk, str]]
    compare: bool = False
    """A full comparison was asked for."""
    started: datetime = field(init=False)

    async def go(self) -> Ran:
        self.started = self.clock.now()
        progress = [_Progress(desk=desk, print=mark, first=dict(desk.state.pendings)) for desk, mark in self.desks]
        active: list[_Progress] = []
        self.mailbox.recall({one.desk.kind.name: self._outlook_state(one) for one in progress})
        for one in progress:
            one.desk.time_is_up = self._time_is_up
            one.desk.fresh = not one.desk.state.links
            await recover(one.desk)
            held = await deletions.standing(one.desk)
            if held is deletions.Held.YES:
                continue
            if held is not deletions.Held.NO:
                await deletions.make(one.desk, held)
            active.append(one)
        finished = await self._read(active)
        for one in active:
            finished = finished and await self._finish(one) and not one.desk.cut
        if finished:
            finished = await self._read_echo(active) and await self._compare(active)
        await self.state.close(served=self.started if finished else None, cursors={one.desk.kind.name: one.unsaved for one in active})
        counts: Counter[str] = Counter()
        for one in progress:
            counts.update({f"{one.desk.kind.name}.{name}": number for name, number in one.desk.counts.items()})
        return Ran(
            result=Result.DONE if finished else Result.CONTINUES,
            counts=counts,
            compare=self.state.compare or (self.compare and not any(one.compared for one in progress)),
            again=self.state.again or not finished,
        )

    def _time_is_up(self) -> bool:
        return self.clock.now() - self.started > self.times.budget

    # ----------------------------------------------------------------- reading

    async def _read(self, active: Sequence[_Progress]) -> bool:
        """Read both sides of every kind to the end. False when the budget is used up before."""
        while any(one.outlook_more or one.salesforce_more for one in active):
            if self._time_is_up():
                return False
            await self._read_once(active)
        return True

    async def _read_once(self, active: Sequence[_Progress]) -> None:
        """A page of each side. A step of its own, so that the next page is read without this one still in memory."""
        outlook = [one for one in active if one.outlook_more]
        salesforce = [one for one in active if one.salesforce_more and not (one.outlook_more and one.outlook_full)]
        for one in active:
            one.desk.touched.clear()
        for one in salesforce:
            await self._check_cap(one)
        pages, brought = await asyncio.gather(self._read_outlook(outlook), self._read_salesforce(salesforce))
        for one in outlook:
            await self._take_outlook(one, pages[one.desk.kind.name])
        for one, page in zip(salesforce, brought, strict=True):
            if one.outlook_more and one.outlook_full:
                continue  # Outlook turned out to be read anew: what Salesforce brought is read again afterwards
            await self._take_salesforce(one, page)

    async def _read_echo(self, active: Sequence[_Progress]) -> bool:
        """Read the mailbox once more after creating in it: an item that is made and deleted between two reads of a delta need not be
        reported at all (Graph, delta query overview), so the cursor is to pass over it as soon as it exists."""
        made = [one for one in active if one.desk.counts["ToOutlookNew"] or one.desk.counts["Moved"]]
        for one in made:
            one.outlook_more = True
        return await self._read(made)

    async def _read_outlook(self, outlook: Sequence[_Progress]) -> Mapping[str, OutlookPage]:
        if not outlook:
            return {}
        return await self.mailbox.read({one.desk.kind.name: self._outlook_state(one) for one in outlook})

    def _outlook_state(self, one: _Progress) -> State:
        """The cursor; one that is of no use any more still says which folder is meant."""
        if cursor := one.cursor("outlook"):
            state: State = cursor.get("state", {})
            return state
        kept = one.desk.state.cursors.get("outlook", {})
        return self.mailbox.begin_again(one.desk.kind.name, kept["state"]) if kept.get("state") else {}

    async def _read_salesforce(self, salesforce: Sequence[_Progress]) -> Sequence[SalesforcePage]:
        if not salesforce:
            return []
        reads: list[SalesforceRead] = []
        for one in salesforce:
            cursor = one.cursor("salesforce")
            one.desk.outside.update(cursor.get("outside", ()))
            outside = tuple(sorted(one.desk.outside)[:OUTSIDE_LIMIT])
            reads.append(SalesforceRead(kind=one.desk.kind, search=one.desk.search, state=cursor.get("state", {}), outside=outside))
        return await self.org.read(reads)

    async def _check_cap(self, one: _Progress) -> None:
        """Before a first read: a mailbox over the cap is never half filled."""
        if one.cursor("salesforce"):
            return
        found = await self.org.count(one.desk.kind, one.desk.search)
        if found > one.desk.cap:
            text = f"{one.desk.search.name} holds {found} {one.desk.kind.name}s, the cap is {one.desk.cap}"
            raise Permanent(Code.CAP_EXCEEDED, text)

    async def _take_outlook(self, one: _Progress, page: OutlookPage) -> None:
        before = one.cursor("outlook")
        began = page.full and not before.get("full")
        # Links without any cursor: the first run died before it kept one. What is missing may have been lost with the folder since.
        blind = began and "outlook" not in one.desk.state.cursors and one.desk.state.links > 0
        if began:
            await walking.begin(one.desk)
        if "outlook" not in one.desk.state.cursors:  # before anything else is known: which folder is meant, under whatever name
            await one.save("outlook", {"state": self.mailbox.begin_again(one.desk.kind.name, page.state), "full": True}, at_once=True)
        await self._recover_creates(one.desk)
        pairs = await outlook_pairs(one.desk, page)
        await self._look(one, pairs)
        walk = page.full or page.refilled or bool(before.get("walk"))
        cursor: dict[str, Any] = {"state": page.state, "full": page.full and page.more, "walk": walk}
        if walk and (page.refilled or before.get("refill") or blind):
            cursor["refill"] = True
        one.outlook_more = page.more
        seen = walking.seen_on(one.desk, [item.id for item in page.items]) if page.full else {}
        if walk and not page.more:
            await one.save("outlook", {**cursor, "full": False}, at_once=True, beside=seen)
            seen = {}
            drifted = await walking.walk(one.desk, refill=bool(cursor.get("refill")))
            if drifted is None:
                one.desk.cut = True
                return
            if one.compared:
                one.desk.counts["Drifted"] += drifted
            cursor = {"state": page.state, "full": False, "walk": False}
        await one.save("outlook", cursor, at_once=page.more or bool(pairs) or walk, beside=seen)

    async def _take_salesforce(self, one: _Progress, page: SalesforcePage) -> None:
        await self._recover_creates(one.desk)
        found = 0
        async for pairs in salesforce_pairs(one.desk, page):
            found += len(pairs)
            await self._look(one, pairs)
        one.salesforce_more = page.more
        outside = sorted(one.desk.outside)[:OUTSIDE_LIMIT]
        await one.save("salesforce", {"state": page.state, "outside": outside}, at_once=page.more or page.full or bool(found))

    async def _recover_creates(self, desk: Desk) -> None:
        """What an unsure create has made may be on the page just read: it is adopted before it could be taken for new."""
        if any(intent.op in CREATES for intent in desk.state.intents.values()):
            await recover(desk)

    async def _look(self, one: _Progress, pairs: Sequence[Any]) -> None:
        if pairs:
            if one.compared:
                one.desk.counts["Drifted"] += len(pairs)
            await look(one.desk, pairs)

    # ----------------------------------------------------------------- what is left when both sides are read

    async def _finish(self, one: _Progress) -> bool:
        """Due pendings, answers, the sweep, and at last the deletions as one set. False when the budget is used up before."""
        desk = one.desk
        now = self.clock.now()
        due = [pending for name, pending in desk.state.pendings.items() if pending.due <= now and _is_due(pending, one.first.get(name))]
        if due:
            await look(desk, [pair_named(pending) for pending in due], fresh=True)
            await desk.drop([pending for pending in due if desk.state.pendings.get(pending.name) is pending])
        if any(pending.asked for pending in desk.state.pendings.values()):
            await answering.answer(desk)
        if not await self._sweep(one):
            return False
        if any(pending.why in (Why.DELETION, Why.HELD) for pending in desk.state.pendings.values()):
            await deletions.make(desk)
        return True

    async def _sweep(self, one: _Progress) -> bool:
        """Membership: what left the search, lost its sharing or vanished bears no newer stamp. Ids only, in the order of ids."""
        cursor = one.cursor("sweep")
        last = datetime.fromisoformat(cursor["last"]) if cursor else None
        if last is None:
            await one.save("sweep", {"last": self.started.isoformat(), "compared": self.started.isoformat(), "state": {}}, at_once=False)
            return True
        state: State = cursor.get("state", {})
        if not state and self.clock.now() - last < self.times.sweep:
            return True
        more, counted = True, not state
        one.desk.active = 0
        while more:
            if self._time_is_up():
                return False
            read = SalesforceRead(kind=one.desk.kind, search=one.desk.search, state=state, ids_only=True)
            (page,) = await self.org.read([read])
            found = 0
            async for pairs in salesforce_pairs(one.desk, page, ids_only=True):
                found += len(pairs)
                await self._look(one, pairs)
            counted = counted and not found and not one.desk.touched
            state, more = (page.state if page.more else {}), page.more
            await self._remember_outside(one)
            kept = {**cursor, "state": state, **({} if more else {"last": self.started.isoformat()})}
            await one.save("sweep", kept, at_once=more or bool(found))
        if counted and one.desk.active != one.desk.state.links:
            await one.desk.state.commit(Changes(count=one.desk.active - one.desk.state.links))  # a death within a commit had left it wrong
        return True

    async def _remember_outside(self, one: _Progress) -> None:
        """What is linked and outside the search, as far as a sweep or a full read has found: the next rounds read it by id."""
        cursor = one.cursor("salesforce")
        outside = sorted(one.desk.outside)[:OUTSIDE_LIMIT]
        if cursor and outside != cursor.get("outside", []):
            await one.save("salesforce", {**cursor, "outside": outside}, at_once=False)

    async def _compare(self, active: Sequence[_Progress]) -> bool:
        """E6: read both sides anew, independent of the cursors, and repair what drifted."""
        comparing = [one for one in active if self.compare or self._compare_is_due(one)]
        for one in comparing:
            one.compared = True
            one.outlook_more = one.salesforce_more = True
            cursor = one.cursor("sweep")
            anew = self.mailbox.begin_again(one.desk.kind.name, self._outlook_state(one))
            await one.save("outlook", {"state": anew, "full": True}, at_once=True)
            await one.save("salesforce", {"state": {}, "full": True}, at_once=True)
            await one.save("sweep", {**cursor, "compared": self.started.isoformat()}, at_once=True)
        if not comparing:
            return True
        finished = await self._read(comparing)
        for one in comparing:
            finished = finished and await self._finish(one)
        return finished

    def _compare_is_due(self, one: _Progress) -> bool:
        cursor = one.cursor("sweep")
        return "compared" in cursor and self.clock.now() - datetime.fromisoformat(cursor["compared"]) >= self.times.compare


def _is_due(pending: Pending, first: Pending | None) -> bool:
    """What this run itself put off because it was refused is not tried twice in one run."""
    return pending.why is Why.LOOK or (pending.why in (Why.FAILED, Why.RESTING) and pending is first)
