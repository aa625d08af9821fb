"""What a run decides about one pair: the table's verdict, then the policies.

`plan` is pure: a pair, a policy and the time in, a `Plan` out. It knows no vendor and no kind, and it may be asked again with fresher
observations at any time; asked about two sides that agree, it answers `Act.NOTHING`.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.records import Absent, Item, Origin, Place, Seen, Side
from sync.core.decide import TABLE, Standing, Verdict, changed, standing
from sync.core.fingerprint import Hasher
from sync.core.link import Link, Status, Turns
from sync.core.merge import Conflict, Held, Merged, merge
from sync.core.policy import Direction, Policy, Winner

TURN_WINDOW = timedelta(hours=1)
TURN_LIMIT = 6
"""Writes that answer a rewrite of our own write, per pair and hour; then the pair rests (X4)."""


class Act(StrEnum):
    """What is to be done with a pair after verdict and policies."""

    NOTHING = "nothing"
    CREATE_OUTLOOK = "create in Outlook"
    CREATE_SALESFORCE = "match or create in Salesforce"
    WRITE = "write changed fields"
    SETTLE = "note the agreement"
    DELETE_OUTLOOK = "delete in Outlook"
    DELETE_SALESFORCE = "delete in Salesforce"
    WITHDRAW = "take out of the folder"  # the copy the sync made is deleted
    EXPEL = "move to the default folder"  # the person's own item leaves the folder and is unlinked
    RELEASE = "unlink and take the category off"
    FORGET = "drop the link"
    WAIT = "wait for a person"
    REST = "rest after ping-pong"


DELETIONS = frozenset({Act.DELETE_OUTLOOK, Act.DELETE_SALESFORCE, Act.WITHDRAW, Act.EXPEL})
"""What empties a side: the guard counts it, and it waits until both sides are read to the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """What a run knows of one pair. `None` for a side: no record is known there."""

    salesforce: Seen | None = None
    outlook: Seen | None = None
    link: Link | None = None

    def seen(self, side: Side) -> Seen | None:
        return self.salesforce if side is Side.SALESFORCE else self.outlook

    def item(self, side: Side) -> Item | None:
        seen = self.seen(side)
        return seen if isinstance(seen, Item) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    pair: Pair
    act: Act
    reason: str
    merged: Merged = field(default_factory=Merged)
    opt_in: bool = False
    """The pair was opted out, and a person opted it in again."""
    move_in: bool = False
    """The Outlook item is to be moved into the folder once it is linked."""
    mark: bool = False
    """The category is to be put back on the Outlook item."""
    turns: Turns | None = None
    """The ping-pong count after this plan's writes."""

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        return self.merged.conflicts


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a plan depends on besides the pair."""

    policy: Policy
    hash_of: Hasher
    held: Held
    now: datetime


def plan(pair: Pair, rules: Rules, *, answer: Winner | None = None) -> Plan:
    """Decide one pair. `answer` is a person's decision of this pair's conflict, in place of the rule."""
    link = pair.link
    if link is not None and link.status is Status.RESERVED:
        gone = isinstance(pair.salesforce, Absent)
        return Plan(pair=pair, act=Act.FORGET if gone else Act.NOTHING, reason="it is a candidate of a match that a person decides")
    opt_in = False
    if link is not None and link.status is Status.OPTED_OUT:
        item = pair.item(Side.OUTLOOK)
        if item is None or not (item.place is Place.INSIDE or item.marked):
            dropped = isinstance(pair.salesforce, Absent)
            return Plan(pair=pair, act=Act.FORGET if dropped else Act.NOTHING, reason="opted out by the person")
        opt_in = True
        origin = Origin.MATCH if link.origin is Origin.SALESFORCE else link.origin  # from now on it is the person's own
        again = replace(link, status=Status.ACTIVE, home=item.place is Place.INSIDE, outlook_id=item.id, origin=origin)
        pair = replace(pair, link=again)
        if isinstance(pair.salesforce, Absent):
            why = "opted in again, but its record is gone: it is new to Salesforce"
            return Plan(pair=replace(pair, link=link, salesforce=None), act=Act.CREATE_SALESFORCE, reason=why)
    policy = rules.policy if answer is None else replace(rules.policy, winner=answer)
    here, there = stand(pair, Side.SALESFORCE, rules.hash_of), stand(pair, Side.OUTLOOK, rules.hash_of)
    verdict, reason = TABLE[here, there]
    made = _apply_policy(pair, verdict, reason, policy, rules, asked=answer is not None)
    item = pair.item(Side.OUTLOOK)
    if item is None or made.act in {Act.RELEASE, Act.EXPEL, Act.WITHDRAW, Act.DELETE_OUTLOOK, Act.FORGET, Act.WAIT, Act.REST}:
        return replace(made, opt_in=opt_in)
    mark = not item.marked and item.place is Place.INSIDE
    move_in = item.place is Place.OUTSIDE and item.marked
    act = Act.SETTLE if made.act is Act.NOTHING and (mark or move_in or opt_in) and pair.link is not None else made.act
    return replace(made, act=act, opt_in=opt_in, mark=mark, move_in=move_in)


def stand(pair: Pair, side: Side, hash_of: Hasher) -> Standing:
    """How a side stands, with what the link says about where its record belongs."""
    seen, link = pair.seen(side), pair.link
    base = {} if link is None else (link.base.salesforce if side is Side.SALESFORCE else link.base.outlook)
    if isinstance(seen, Item) and seen.place is Place.OUTSIDE:
        if side is Side.SALESFORCE:
            opted_in = link is not None and (link.origin is not Origin.SALESFORCE)
            seen = replace(seen, place=Place.INSIDE) if opted_in else seen
        elif seen.marked and (link is None or not link.home):
            seen = replace(seen, place=Place.INSIDE)
    if seen is None and link is not None and (link.outlook_id if side is Side.OUTLOOK else link.salesforce_id):
        return Standing.SAME
    return standing(seen, base, hash_of)


def _apply_policy(pair: Pair, verdict: Verdict, reason: str, policy: Policy, rules: Rules, *, asked: bool) -> Plan:
    def made(act: Act, why: str = reason) -> Plan:
        return Plan(pair=pair, act=act, reason=why)

    to_outlook, to_salesforce = policy.direction.reaches(Side.OUTLOOK), policy.direction.reaches(Side.SALESFORCE)
    match verdict:
        case Verdict.NOTHING:
            return made(Act.NOTHING)
        case Verdict.FORGET:
            return made(Act.FORGET if pair.link is not None else Act.NOTHING)
        case Verdict.RELEASE:
            return made(Act.RELEASE if pair.link is not None else Act.NOTHING)
        case Verdict.CREATE_OUTLOOK:
            return made(Act.CREATE_OUTLOOK) if to_outlook else made(Act.NOTHING, "nothing is carried to Outlook")
        case Verdict.CREATE_SALESFORCE:
            return made(Act.CREATE_SALESFORCE)  # matching is wanted in every direction; creating is refused later where it must be
        case Verdict.WITHDRAW:
            return made(_leave(pair, rules.hash_of)) if to_outlook else made(Act.NOTHING, "nothing is carried to Outlook")
        case Verdict.REMOVE_OUTLOOK:
            if not to_outlook:
                return made(Act.NOTHING, "deleted in Salesforce; nothing is carried to Outlook, and the item is not taken for a new one")
            return (
                made(Act.DELETE_OUTLOOK)
                if policy.remove_in_outlook
                else made(Act.EXPEL, "deleted in Salesforce; the item is kept (D2 off)")
            )
        case Verdict.REMOVE_SALESFORCE:
            if to_salesforce and policy.remove_in_salesforce:
                return made(Act.DELETE_SALESFORCE)
            if not to_outlook:
                return made(Act.FORGET, "deleted in Outlook; nothing is carried to Outlook and auto-removal is off")
            return made(Act.CREATE_OUTLOOK, "deleted in Outlook; auto-removal is off (D1)")
        case Verdict.REVIVE_OUTLOOK | Verdict.REVIVE_SALESFORCE:
            side = Side.OUTLOOK if verdict is Verdict.REVIVE_OUTLOOK else Side.SALESFORCE
            revive = Act.CREATE_OUTLOOK if side is Side.OUTLOOK else Act.CREATE_SALESFORCE
            if not policy.direction.reaches(side):
                return made(Act.FORGET, "deleted on one side; changes are not carried there")
            if policy.direction is not Direction.BOTH:
                return made(revive)
            if policy.winner is Winner.ASK:
                return made(Act.WAIT, "edited on one side, deleted on the other: a person decides")
            if asked and policy.winner.value == side.value:
                return made(Act.DELETE_SALESFORCE if side is Side.OUTLOOK else Act.DELETE_OUTLOOK, "a person decided for the deletion")
            return made(revive)
        case Verdict.TO_OUTLOOK | Verdict.TO_SALESFORCE | Verdict.MERGE:
            return _merge(pair, reason, policy, rules)


def _leave(pair: Pair, hash_of: Hasher) -> Act:
    """The copy that the sync made is deleted; a person's own item, or one with an edit that cannot be carried, is only moved away."""
    item, link = pair.item(Side.OUTLOOK), pair.link
    if link is None or link.origin is not Origin.SALESFORCE:
        return Act.EXPEL
    return Act.EXPEL if item is not None and changed(item, link.base.outlook, hash_of) else Act.WITHDRAW


def _merge(pair: Pair, reason: str, policy: Policy, rules: Rules) -> Plan:
    salesforce, outlook, link = pair.item(Side.SALESFORCE), pair.item(Side.OUTLOOK), pair.link
    to_outlook = policy.direction.reaches(Side.OUTLOOK)
    if salesforce is None and outlook is not None and isinstance(pair.salesforce, Absent):
        why = "edited in Outlook, no longer readable in Salesforce: the person keeps the item"
        return Plan(pair=pair, act=Act.EXPEL if to_outlook else Act.NOTHING, reason=why)
    if link is None or salesforce is None or outlook is None:
        return Plan(pair=pair, act=Act.NOTHING, reason="one side has not been looked at yet")
    merged = merge(salesforce.fields, outlook.fields, link.base, policy, rules.hash_of, rules.held)
    if any(conflict.winner is Winner.ASK for conflict in merged.conflicts):
        return Plan(pair=pair, act=Act.WAIT, reason="the same field was changed on both sides: a person decides", merged=merged)
    if not merged.to_salesforce and not merged.to_outlook:
        stays = "changes stay on their side in this direction"
        if to_outlook and stand(pair, Side.SALESFORCE, rules.hash_of) is Standing.LEFT:
            return Plan(pair=pair, act=_leave(pair, rules.hash_of), reason="left the search with an edit that is not carried")
        settles = bool(merged.agreed or merged.alone)
        return Plan(pair=pair, act=Act.SETTLE if settles else Act.NOTHING, reason=reason if settles else stays, merged=merged)
    turns = _count_turns(link.turns, merged, rules.now)
    if turns.count > TURN_LIMIT:
        return Plan(pair=pair, act=Act.REST, reason="what the sync writes is rewritten again and again", merged=merged)
    return Plan(pair=pair, act=Act.WRITE, reason=reason, merged=merged, turns=turns)


def _count_turns(turns: Turns, merged: Merged, now: datetime) -> Turns:
    """A turn: a side changed again just what the sync had written there, and it is about to be carried to the other side."""
    if now - turns.since > TURN_WINDOW:
        turns = Turns(since=now, wrote_salesforce=turns.wrote_salesforce, wrote_outlook=turns.wrote_outlook)
    turned = bool(merged.to_salesforce.keys() & turns.wrote_outlook or merged.to_outlook.keys() & turns.wrote_salesforce)
    return Turns(
        count=turns.count + turned,
        since=turns.since,
        wrote_salesforce=frozenset(merged.to_salesforce) or turns.wrote_salesforce,
        wrote_outlook=frozenset(merged.to_outlook) or turns.wrote_outlook,
    )
