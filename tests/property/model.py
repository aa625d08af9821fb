"""Two sides, the links between them, and what `sync/apply` does to them – as values, without IO, failures or vendors.

Every action is conditional, as the real ones are: a plan is carried out only while the records and the link are what it saw. What is
overwritten or deleted goes to the journal, what a rule settles or a person is asked to the conflicts. Each effect is judged as it happens.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from shared.records import Absent, Fields, Item, Lack, Origin, Place, Seen, Side, Value
from sync.core.decide import changed
from sync.core.fingerprint import Base, half, hasher
from sync.core.link import Link, Status
from sync.core.match import Candidate, Found, Identity, match
from sync.core.plan import Act, Pair, Plan, Rules, plan
from sync.core.policy import Policy, Winner

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HASH = hasher(b"k" * 32)
NAMES = ("email", "notes", "phone", "title")
LENGTH = 8
"""How much of `notes` Salesforce holds."""
S, O = Side.SALESFORCE, Side.OUTLOOK  # noqa: E741


def held(side: Side, name: str, value: Value) -> Value:
    """Salesforce cuts notes."""
    return value[:LENGTH] if value is not None and name == "notes" and side is S else value


def identity(item: Item) -> Identity:
    email = item.fields.get("email")
    return Identity(strong=frozenset([email] if email else []))


@dataclass(kw_only=True)
class World:
    policy: Policy
    records: dict[str, Item] = field(default_factory=dict)
    items: dict[str, Item] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    invisible: set[str] = field(default_factory=set)
    """Salesforce ids that are no longer shared."""
    hidden: frozenset[str] = frozenset()
    """Fields that the user does not see in Salesforce."""
    journal: list[tuple[Side, str, Value]] = field(default_factory=list)
    conflicts: list[tuple[str, Value, Value]] = field(default_factory=list)
    waiting: dict[tuple[str, str], Plan] = field(default_factory=dict)
    """(Salesforce id, Outlook id) of pairs that a person decides."""
    created: int = 0
    wrote: set[Side] = field(default_factory=set)
    """Sides whose content was changed."""
    acts: list[Act] = field(default_factory=list)

    # ----------------------------------------------------------------- seeing and planning

    def see(self, side: Side, one: str) -> Seen:
        if side is O:
            return self.items.get(one) or Absent(id=one, lack=Lack.DELETED)
        if one in self.invisible:
            return Absent(id=one, lack=Lack.INVISIBLE)
        return self.records.get(one) or Absent(id=one, lack=Lack.DELETED)

    def pairs(self) -> list[Pair]:
        """All pairs: the linked ones, then what is on one side only and is to be synced."""
        linked = [
            Pair(salesforce=self.see(S, one), outlook=self.see(O, link.outlook_id) if link.outlook_id else None, link=link)
            for one, link in self.links.items()
        ]
        known = {link.outlook_id for link in self.links.values()}
        records = [
            Pair(salesforce=record)
            for one, record in self.records.items()
            if one not in self.links and one not in self.invisible and record.place is Place.INSIDE
        ]
        items = [Pair(outlook=item) for one, item in self.items.items() if one not in known and (item.place is Place.INSIDE or item.marked)]
        return [*linked, *items, *records]

    def plans(self) -> list[Plan]:
        rules = Rules(policy=self.policy, hash_of=HASH, held=held, now=NOW)
        return [plan(pair, rules) for pair in self.pairs() if ids_of(pair) not in self.waiting]

    def answer(self, made: Plan, winner: Winner) -> Plan:
        rules = Rules(policy=self.policy, hash_of=HASH, held=held, now=NOW)
        return plan(made.pair, rules, answer=winner)

    # ----------------------------------------------------------------- carrying out

    def current(self, pair: Pair) -> bool:
        """Whether everything is still as the plan saw it."""
        link = pair.link
        for side in Side:
            seen = pair.seen(side)
            if seen is not None and self.see(side, seen.id) != seen:
                return False
        if link is not None and link.salesforce_id:
            kept = self.links.get(link.salesforce_id)
            return kept is not None and (kept.base, kept.outlook_id) == (link.base, link.outlook_id)
        known = {one.outlook_id for one in self.links.values()}
        lone = pair.outlook
        return (pair.salesforce is None or pair.salesforce.id not in self.links) and (lone is None or lone.id not in known)

    def carry_out(self, made: Plan, *, decided: bool = False) -> bool:
        """Apply one plan; False when it had no effect."""
        pair = made.pair
        if made.act is Act.NOTHING or not self.current(pair):
            return False
        self.acts.append(made.act)
        self.conflicts += [(one.field, one.salesforce, one.outlook) for one in made.conflicts]
        match made.act:
            case Act.WAIT | Act.REST:
                self.waiting[ids_of(pair)] = made
            case Act.FORGET:
                self._drop(pair)
            case Act.CREATE_OUTLOOK:
                self._create_outlook(pair)
            case Act.CREATE_SALESFORCE:
                return self._match_or_create(made, create=decided)
            case Act.WRITE | Act.SETTLE:
                self._write(made)
            case Act.DELETE_OUTLOOK | Act.WITHDRAW:
                self._delete(made, O, decided=decided)
            case Act.DELETE_SALESFORCE:
                self._delete(made, S, decided=decided)
            case Act.EXPEL:
                item = item_of(pair, O)
                self._move(item, inside=False)
                self._drop(pair)
            case Act.RELEASE:
                item = item_of(pair, O)
                self.items[item.id] = replace(item, marked=False)
                link = link_of(pair)
                self.links[link.salesforce_id] = replace(link, status=Status.OPTED_OUT)
        return True

    def _drop(self, pair: Pair) -> None:
        if pair.link is not None:
            self.links.pop(pair.link.salesforce_id, None)

    def _create_outlook(self, pair: Pair) -> None:
        record = item_of(pair, S)
        self.created += 1
        self.wrote.add(O)
        fields = {name: record.fields.get(name) for name in NAMES}
        item = Item(id=f"new item {self.created}", fields=fields, version="1", modified=NOW)
        self.items[item.id] = item
        origin = pair.link.origin if pair.link else Origin.SALESFORCE
        self._drop(pair)
        base = Base(salesforce=half(HASH, record.fields), outlook=half(HASH, fields))
        self.links[record.id] = Link(salesforce_id=record.id, outlook_id=item.id, origin=origin, base=base)

    def _match_or_create(self, made: Plan, *, create: bool) -> bool:
        pair, item = made.pair, item_of(made.pair, O)
        candidates = [Candidate(id=one, identity=identity(record)) for one, record in self.records.items() if one not in self.invisible]
        taken = {one for one, link in self.links.items() if link.status is Status.ACTIVE and link.outlook_id != item.id}
        result = match(identity(item), candidates, taken)
        if result.found is Found.ONE and not create:
            (one,) = result.ids
            old = self.links.get(one)
            base = old.base if old is not None and old.status is Status.OPTED_OUT and old.outlook_id == item.id else Base()
            self._drop(pair)
            home = item.place is Place.INSIDE
            self.links[one] = Link(salesforce_id=one, outlook_id=item.id, origin=Origin.MATCH, home=home, base=base)
        elif result.found is not Found.NONE and not create:
            self.waiting[ids_of(pair)] = made
            for one in result.ids:
                if one not in self.links:
                    self.links[one] = Link(salesforce_id=one, status=Status.RESERVED, origin=Origin.SALESFORCE)
        elif not self.policy.direction.reaches(S):
            return False
        else:
            self.created += 1
            self.wrote.add(S)
            fields = {name: held(S, name, value) for name, value in item.fields.items() if name not in self.hidden}
            record = Item(id=f"new record {self.created}", fields=fields, version="1", modified=NOW)
            self.records[record.id] = record
            self._drop(pair)
            base = Base(salesforce=half(HASH, fields), outlook=half(HASH, item.fields))
            home = item.place is Place.INSIDE
            self.links[record.id] = Link(salesforce_id=record.id, outlook_id=item.id, origin=Origin.OUTLOOK, home=home, base=base)
        return True

    def _write(self, made: Plan) -> None:
        pair, link = made.pair, link_of(made.pair)
        record, item = pair.item(S), item_of(pair, O)
        base = link.base
        if record is not None:
            record = self._overwrite(made, record, {n: held(S, n, value) for n, value in made.merged.to_salesforce.items()}, S)
            self.records[record.id] = record
        item = self._overwrite(made, item, made.merged.to_outlook, O)
        item = replace(item, marked=item.marked or made.mark)
        self.items[item.id] = item
        for side, seen in ((S, record), (O, item)):
            settled = made.merged.agreed | made.merged.alone | made.merged.to_salesforce.keys() | made.merged.to_outlook.keys()
            new = half(HASH, {name: seen.fields[name] for name in settled if name in seen.fields}) if seen else {}
            base = replace(base, salesforce={**base.salesforce, **new}) if side is S else replace(base, outlook={**base.outlook, **new})
        self.links[link.salesforce_id] = replace(link, base=base, turns=made.turns or link.turns, status=Status.ACTIVE)
        if made.move_in:
            moved = self._move(item, inside=True)
            self.links[link.salesforce_id] = replace(self.links[link.salesforce_id], outlook_id=moved, home=True)

    def _overwrite(self, made: Plan, old: Item, fields: Fields, side: Side) -> Item:
        if not fields:
            return old
        assert self.policy.direction.reaches(side), f"{side} is written against the direction"
        self.wrote.add(side)
        edits = edited(made.pair, side)
        told = {one.field for one in made.conflicts}
        for name, value in fields.items():
            before = old.fields[name]
            self.journal.append((side, name, before))
            lossy = side is S and held(S, name, value) == before
            assert before is None or value != held(S, name, before), f"our own cut form of {name} flows back"
            assert before is None or name not in edits or name in told or lossy, f"an edit of {name} is overwritten and nobody is told"
        return replace(old, fields={**old.fields, **fields}, version=old.version + "+")

    def _delete(self, made: Plan, side: Side, *, decided: bool) -> None:
        pair, item = made.pair, item_of(made.pair, side)
        assert self.policy.direction.reaches(side), f"deleted in {side} against the direction"
        assert pair.link is not None, "what was never linked is deleted"
        assert decided or not edited(pair, side), "something is deleted that the base did not know"
        if made.act is not Act.WITHDRAW and not decided:
            assert self.policy.remove_in_outlook if side is O else self.policy.remove_in_salesforce, "deleted although that is switched off"
        self.wrote.add(side)
        self.journal += [(side, name, value) for name, value in item.fields.items()]
        (self.items if side is O else self.records).pop(item.id)
        self._drop(pair)

    def _move(self, item: Item, *, inside: bool) -> str:
        """A copy under a new id, as Graph's contacts can not be moved."""
        self.created += 1
        del self.items[item.id]
        moved = f"moved {self.created}"
        self.items[moved] = replace(item, id=moved, place=Place.INSIDE if inside else Place.OUTSIDE, marked=inside)
        return moved

    # ----------------------------------------------------------------- until nothing is left

    def settle(self, order: random.Random, rounds: int) -> int:
        """Plan all, shuffle, carry out – until a round has no effect. Answers the number of rounds; more than `rounds` is a failure."""
        for number in range(rounds):
            plans = self.plans()
            order.shuffle(plans)
            if not [made for made in plans if self.carry_out(made)]:
                return number
        left = [(made.act, made.reason, made.pair) for made in self.plans() if made.act is not Act.NOTHING]
        raise AssertionError(f"it does not come to an end: {left}")


def edited(pair: Pair, side: Side) -> frozenset[str]:
    """The fields of a side that the base does not know as they are."""
    item, link = pair.item(side), pair.link
    assert item is not None
    assert link is not None
    return changed(item, link.base.salesforce if side is S else link.base.outlook, HASH)


def ids_of(pair: Pair) -> tuple[str, str]:
    salesforce_id = pair.link.salesforce_id if pair.link else (pair.salesforce.id if pair.salesforce else "")
    return salesforce_id, pair.outlook.id if pair.outlook else ""


def item_of(pair: Pair, side: Side) -> Item:
    item = pair.item(side)
    assert item is not None, f"a plan relies on a record in {side} that is not there"
    return item


def link_of(pair: Pair) -> Link:
    assert pair.link is not None
    return pair.link


def values_of(world: World) -> Mapping[tuple[str, str], set[Side]]:
    """(field, value) → the sides that hold it somewhere."""
    found: dict[tuple[str, str], set[Side]] = {}
    for side, items in ((S, world.records), (O, world.items)):
        for item in items.values():
            for name, value in item.fields.items():
                if value is not None:
                    found.setdefault((name, value), set()).add(side)
    return found
