"""The three-way merge of one pair, field by field.

Only a field changed on both sides to different values is a conflict. Equal content is never a conflict, and neither is a value of
which the other side holds all that it can hold (`held`). Without a usable base: equal agrees, empty takes filled, else the rule.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from shared.records import Fields, Side, Value
from sync.core.fingerprint import Base, Half, Hasher
from sync.core.policy import Policy, Winner

Held: TypeAlias = Callable[[Side, str, Value], Value]
"""What a side would hold of a value: cut to its length, in its spelling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A field changed on both sides to different values; `winner` is ASK while a person has to decide."""

    field: str
    salesforce: Value
    outlook: Value
    winner: Winner


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    to_salesforce: Fields = field(default_factory=dict)
    to_outlook: Fields = field(default_factory=dict)
    agreed: frozenset[str] = frozenset()
    """Fields that need no write and whose base becomes what the sides hold now."""
    alone: frozenset[str] = frozenset()
    """Fields that only one side shows and the other never did: they have no counterpart, and their base is what the side holds."""
    conflicts: tuple[Conflict, ...] = ()


def merge(salesforce: Fields, outlook: Fields, base: Base, policy: Policy, hash_of: Hasher, held: Held) -> Merged:
    """Merge what both sides hold now. Fields that one side does not show are left out of everything."""
    to_salesforce: dict[str, Value] = {}
    to_outlook: dict[str, Value] = {}
    agreed: set[str] = set()
    conflicts: list[Conflict] = []

    def carry(name: str, source: Side) -> None:
        """Carry a change, if the direction allows; otherwise it stays on its side and the base keeps saying so."""
        target = source.other
        if policy.direction.reaches(target):
            (to_salesforce if target is Side.SALESFORCE else to_outlook)[name] = (salesforce if source is Side.SALESFORCE else outlook)[
                name
            ]

    for name in sorted(salesforce.keys() & outlook.keys()):
        here, there = salesforce[name], outlook[name]
        hash_here, hash_there = hash_of(name, here), hash_of(name, there)
        base_here, base_there = base.salesforce.get(name), base.outlook.get(name)
        if base_here == hash_here and base_there == hash_there:
            continue
        if (
            hash_here == hash_there
            or hash_of(name, held(Side.SALESFORCE, name, there)) == hash_here
            or hash_of(name, held(Side.OUTLOOK, name, here)) == hash_there
        ):
            agreed.add(name)
        elif base_here is None or base_there is None:
            if here is None or there is None:
                carry(name, Side.OUTLOOK if here is None else Side.SALESFORCE)
            else:
                conflicts.append(_settle(name, here, there, policy))
        elif base_there == hash_there:
            carry(name, Side.SALESFORCE)
        elif base_here == hash_here:
            carry(name, Side.OUTLOOK)
        else:
            conflicts.append(_settle(name, here, there, policy))
    for conflict in conflicts:
        if conflict.winner is not Winner.ASK:
            carry(conflict.field, Side(conflict.winner.value))
    alone = _alone(salesforce, outlook, base.salesforce, base.outlook, hash_of) | _alone(
        outlook, salesforce, base.outlook, base.salesforce, hash_of
    )
    return Merged(to_salesforce=to_salesforce, to_outlook=to_outlook, agreed=frozenset(agreed), alone=alone, conflicts=tuple(conflicts))


def _alone(here: Fields, there: Fields, base_here: Half, base_there: Half, hash_of: Hasher) -> frozenset[str]:
    """A field that the other side only hides for now (it has a base there) is not alone: its change has to wait."""
    lone = here.keys() - there.keys() - base_there.keys()
    return frozenset(name for name in lone if base_here.get(name) != hash_of(name, here[name]))


def _settle(name: str, salesforce: Value, outlook: Value, policy: Policy) -> Conflict:
    """One-way syncs do not ask: the source wins."""
    winner = policy.winner
    if not policy.direction.reaches(Side.SALESFORCE):
        winner = Winner.SALESFORCE
    elif not policy.direction.reaches(Side.OUTLOOK):
        winner = Winner.OUTLOOK
    return Conflict(field=name, salesforce=salesforce, outlook=outlook, winner=winner)
