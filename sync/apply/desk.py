"""What one run of one kind works with, and how it notes what became of a pair.

The order of the notes is the protocol: rows that are solved go first, then links and pendings in one fenced commit, then new error rows and
questions; cursors come later still. A process that dies in between repeats a step, and every step can be repeated.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from shared.errors import Mender, Permanent, Reach, SyncError
from shared.records import Absent, Fields, Item, Lack, Place, Seen, Side, Unread
from sync.core.fingerprint import Base, Hasher, half, opaque
from sync.core.guards import Limits
from sync.core.link import Link, Status
from sync.core.plan import Pair, Plan, Rules
from sync.core.policy import Policy
from sync.keeping import Changes, Intended, Intent, Op, Pending, Why
from sync.ports import Before, Claims, Clock, Failed, KindState, Ledger, Org, Outcome, OutlookItems, Question, Search, Trouble, Unsure
from sync.translate.kind import Draft, Kind, Schema

T = TypeVar("T")

FIRST_TRIES = 5
"""Tries of a refused item in successive rounds before the pause between them grows."""
LONGEST_PAUSE = timedelta(hours=6)
SHORTEST_PAUSE = timedelta(minutes=5)
REST = timedelta(hours=1)
NEVER = datetime(9000, 1, 1, tzinfo=UTC)
VENDOR_LIMIT = timedelta(minutes=10)
"""The longest time a vendor works on a request: only then "not there" is an answer."""
PIECE = 200
"""Pairs that are looked at together: so many readings are held in memory at once."""
CALL_TIME = 150.0
"""Seconds that the lease must outlive one vendor call."""


@dataclass(slots=True, kw_only=True)
class Note:
    """What is to be kept of a batch of pairs; handed to `Desk.keep`."""

    new_links: list[Link] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    drop_links: list[Link] = field(default_factory=list)
    drop_pointers: list[str] = field(default_factory=list)
    pendings: list[Pending] = field(default_factory=list)
    done: list[Pair] = field(default_factory=list)
    """Pairs that need no pending any more."""
    count: int = 0
    troubles: list[Trouble] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    again: list[Pair] = field(default_factory=list)
    """Pairs to be looked at once more in this run."""


@dataclass(kw_only=True)
class Desk:
    user: str
    run: str
    kind: Kind
    schema: Schema
    policy: Policy
    limits: Limits
    cap: int
    hash_of: Hasher
    search: Search
    state: KindState
    ledger: Ledger
    claims: Claims
    outlook: OutlookItems
    org: Org
    clock: Clock
    outside: set[str] = field(default_factory=set)
    """Salesforce ids of linked records outside the search."""
    counts: Counter[str] = field(default_factory=Counter)
    echoes: set[int] = field(default_factory=set)
    """Hashes of (Outlook id, version) that this run wrote: seen again like that in the folder, they are our own."""
    fresh: bool = False
    """There was no link when the run began: nothing that a page shows can be a late view of what the sync deleted or moved."""
    touched: set[str] = field(default_factory=set)
    """Salesforce ids of pairs that were written since the page at hand was read: what the page says of them is old."""
    stopping: SyncError | None = None
    """An error of the whole user that a write met: raised once what did take effect is kept."""
    active: int = 0
    """Active links that full reads and sweeps of this run have met."""
    time_is_up: Callable[[], bool] = lambda: False
    """Whether the run has used up its budget."""
    looked: bool = False
    """A piece of pairs was looked at in this run."""
    cut: bool = False
    """Something was put off because it had: the run is to be continued."""
    noticed: set[str] = field(default_factory=set)
    """Pairs of which something was left out in this run: their pendings stay."""
    numbered: int = 0

    @property
    def rules(self) -> Rules:
        return Rules(policy=self.policy, hash_of=self.hash_of, held=self.kind.held(self.schema), now=self.clock.now())

    def wrote(self, outlook_id: str, version: str) -> None:
        if version:
            self.echoes.add(hash((outlook_id, version)))

    def is_echo(self, item: Item) -> bool:
        """What this run wrote, or (in a full read) a version that its link knows; wherever else it is seen, it is looked at."""
        ours = hash((item.id, item.version)) in self.echoes or self.state.knows(item.id, item.version)
        return ours and item.place is Place.INSIDE and item.marked

    def hashed(self, fields: Fields) -> Mapping[str, str]:
        return half(self.hash_of, fields)

    def key_of(self, outlook_id: str) -> str:
        """The unique external key of a record made from an Outlook item: ids of two items can differ by case only."""
        return opaque(f"{self.user}|{outlook_id}")

    async def see(self, ids: Sequence[str]) -> Mapping[str, Seen]:
        """Outlook items by id. One that cannot be read just now is left out, and noted as a failure of its own."""
        if not ids:
            return {}
        seen: dict[str, Seen] = {}
        note = Note()
        for one, found in (await self.outlook.get(ids)).items():
            if isinstance(found, Unread):
                self.fail(note, Pair(outlook=Absent(id=one, lack=Lack.DELETED)), found.error, Side.OUTLOOK)
            else:
                seen[one] = found
        if note.pendings:
            await self.keep(note)
        return seen

    # ----------------------------------------------------------------- intents

    def busy(self, pair: Pair) -> Intent | None:
        """The open intent that concerns this pair, if any: nothing is decided about it until its outcome is known."""
        salesforce_id, outlook_id = ids_of(pair)
        for intent in self.state.intents.values():
            for action in intent.actions:
                if (salesforce_id and action.salesforce_id == salesforce_id) or (outlook_id and action.outlook_id == outlook_id):
                    return intent
        return None

    async def intend(self, op: Op, actions: Sequence[Intended], journal: Sequence[Before] = ()) -> Intent:
        """Journal, then the intent row; only then may the request be sent."""
        await self.state.hold(CALL_TIME)
        if journal:
            await self.ledger.journal(journal)
        self.numbered += 1
        intent = Intent(key=f"{self.run}-{self.numbered:04d}", op=op, sent=self.clock.now(), actions=tuple(actions))
        await self.state.commit(Changes(intents=[intent]))
        await self.state.hold(CALL_TIME)  # a process that stood still since then has lost the lease: nothing is sent
        return intent

    # ----------------------------------------------------------------- notes

    async def keep(self, note: Note, intent: Intent | None = None, unsure: Iterable[Intended] = ()) -> None:
        """Commit a note. What remains unsure stays in its intent; otherwise the intent goes."""
        finished = [self.state.pendings[name] for pair in note.done for name in names_of(pair) if name in self.state.pendings]
        linked = [f"O{pending.outlook_id}" for pending in note.pendings if pending.salesforce_id and pending.outlook_id]
        finished += [self.state.pendings[name] for name in linked if name in self.state.pendings]
        renewed = {pending.name for pending in note.pendings}
        finished = [pending for pending in finished if pending.name not in renewed | self.noticed]
        await self._clear(finished)
        rest = tuple(unsure)
        await self.state.commit(
            Changes(
                new_links=note.new_links,
                links=note.links,
                drop_links=note.drop_links,
                drop_pointers=note.drop_pointers,
                pendings=note.pendings,
                drop_pendings=list({pending.name: pending for pending in finished}.values()),
                intents=[replace(intent, actions=rest)] if intent and rest else (),
                drop_intents=[intent] if intent and not rest else (),
                count=note.count,
            )
        )
        self.touched.update(link.salesforce_id for link in (*note.new_links, *note.links))
        if note.troubles:
            self.counts["Errors"] += len(note.troubles)
            await self.ledger.report(note.troubles)
        if note.questions:
            await self.ledger.ask(note.questions)
        if self.stopping is not None:
            raise self.stopping

    async def drop(self, handled: Sequence[Pending]) -> None:
        """Pendings that were looked at, and whose pair goes by another name by now (its record was merged away)."""
        if handled:
            await self._clear(handled)
            await self.state.commit(Changes(drop_pendings=handled))

    async def _clear(self, finished: Sequence[Pending]) -> None:
        """The error rows and questions of pairs that are well again; reserved candidates are free again."""
        if solved := [pending.name for pending in finished if pending.code]:
            await self.ledger.solve(solved)
        if answered := [pending.name for pending in finished if pending.asked]:
            await self.ledger.close(answered)
        names = {pending.name for pending in finished}
        wanted = {one for name, pending in self.state.pendings.items() if name not in names for one in pending.candidates}
        reserved = [one for pending in finished for one in pending.candidates if one not in wanted]
        if reserved:
            links = await self.state.by_salesforce(reserved)
            free = [link for link in links.values() if link.status is Status.RESERVED]
            looks = [self.later(link.salesforce_id, "") for link in free]
            await self.state.commit(Changes(drop_links=free, pendings=looks))

    def look_later(self, pair: Pair, *, due: datetime | None = None) -> Pending:
        """A pending that only says: look again (at once, unless `due`)."""
        salesforce_id, outlook_id = ids_of(pair)
        return self.later(salesforce_id, outlook_id, due=due)

    def later(self, salesforce_id: str, outlook_id: str, *, due: datetime | None = None) -> Pending:
        """The same by ids; at least one is known."""
        names = [f"S{salesforce_id}" if salesforce_id else "", f"O{outlook_id}"]
        old = next((self.state.pendings[name] for name in names if name in self.state.pendings), None)
        now = self.clock.now()
        return Pending(
            salesforce_id=salesforce_id,
            outlook_id=outlook_id,
            why=Why.LOOK,
            due=due or now,
            since=old.since if old else now,
            attempts=old.attempts if old else 0,
            code=old.code if old else "",
            asked=old.asked if old else False,
            candidates=old.candidates if old else (),
            inside=bool(old and old.inside),
        )

    def pending(self, pair: Pair) -> Pending | None:
        return next((self.state.pendings[name] for name in names_of(pair) if name in self.state.pendings), None)

    def fail(self, note: Note, pair: Pair, error: SyncError, side: Side) -> None:
        """A pair that could not be written: a pending that is tried again by itself, and an error row that says why."""
        old, now = self.pending(pair), self.clock.now()
        attempts = old.attempts + 1 if old else 1
        pause = timedelta(seconds=error.retry_after or 0)
        if attempts > FIRST_TRIES:
            pause = max(pause, min(LONGEST_PAUSE, SHORTEST_PAUSE * 2 ** min(attempts - FIRST_TRIES - 1, 10)))
        told = isinstance(error, Permanent) or attempts >= FIRST_TRIES or error.entry.mender is not Mender.ITSELF
        salesforce_id, outlook_id = ids_of(pair)
        note.pendings.append(
            Pending(
                salesforce_id=salesforce_id,
                outlook_id=outlook_id,
                why=Why.FAILED,
                due=now + pause,
                attempts=attempts,
                code=error.code if told else (old.code if old else ""),
                since=old.since if old else now,
                asked=old.asked if old else False,
                candidates=old.candidates if old else (),
                inside=_inside(pair, old),
            )
        )
        if told:
            note.troubles.append(
                Trouble(
                    code=error.code, side=side, salesforce_id=salesforce_id, outlook_id=outlook_id, field=error.field or "", text=error.text
                )
            )

    def refused(self, note: Note, pair: Pair, draft: Draft, side: Side) -> bool:
        """Whether a draft has problems; they become the pair's failure."""
        for problem in draft.problems:
            self.fail(note, pair, Permanent(problem.code, problem.text, field=problem.field), side)
            return True
        return False

    def notice(self, note: Note, pair: Pair, draft: Draft, side: Side) -> bool:
        """Tell what was left out; the pair stays pending, since the obstacle may go."""
        for problem in draft.notices:
            self.fail(note, pair, Permanent(problem.code, problem.text, field=problem.field), side)
            self.noticed.update(names_of(pair))
            return True
        return False

    def sort(self, note: Note, plan: Plan, outcome: Outcome, side: Side) -> None:
        """Note an outcome other than Done: refused, or to be looked at again."""
        if isinstance(outcome, Failed) and outcome.error.reach in (Reach.USER, Reach.EVERYTHING):
            self.stopping = outcome.error
            note.pendings.append(self.look_later(plan.pair))
        elif isinstance(outcome, Failed):
            self.fail(note, plan.pair, outcome.error, side)
        elif isinstance(outcome, Unsure):
            note.pendings.append(self.look_later(plan.pair, due=self.clock.now() + VENDOR_LIMIT))
        else:
            note.again.append(plan.pair)


def _inside(pair: Pair, old: Pending | None) -> bool:
    """Whether a new item was in the folder when it was put off: the category it carries is then ours, not a person's wish."""
    item = pair.item(Side.OUTLOOK)
    return item.place is Place.INSIDE if item is not None else bool(old and old.inside)


def pieces(pairs: Sequence[T], size: int = PIECE) -> Iterator[Sequence[T]]:
    for at in range(0, len(pairs), size):
        yield pairs[at : at + size]


def ids_of(pair: Pair) -> tuple[str, str]:
    """The pair's ids as far as they are known: (Salesforce, Outlook)."""
    salesforce_id = pair.link.salesforce_id if pair.link else (pair.salesforce.id if pair.salesforce else "")
    outlook_id = pair.outlook.id if pair.outlook else (pair.link.outlook_id if pair.link else "")
    return salesforce_id, outlook_id


def names_of(pair: Pair) -> list[str]:
    """Under which names a pending of this pair may be kept: it had only an Outlook id before it was linked."""
    salesforce_id, outlook_id = ids_of(pair)
    return [*([f"S{salesforce_id}"] if salesforce_id else []), *([f"O{outlook_id}"] if outlook_id else [])]


def rebased(base: Base, *, salesforce: Mapping[str, str], outlook: Mapping[str, str]) -> Base:
    return Base(salesforce={**base.salesforce, **salesforce}, outlook={**base.outlook, **outlook})


def present(seen: Seen | None) -> Item:
    """The item that a plan relies on."""
    if not isinstance(seen, Item):
        raise AssertionError("a plan names an item that is not there")
    return seen
