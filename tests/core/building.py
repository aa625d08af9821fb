"""Builders for core tests: a pair made from how its two sides stand."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

from shared.records import Absent, Fields, Item, Lack, Origin, Place, Seen, Side, Value
from sync.core.decide import Standing
from sync.core.fingerprint import Base, half, hasher
from sync.core.link import Link
from sync.core.plan import Pair, Rules
from sync.core.policy import Direction, Policy, Winner

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HASH = hasher(b"a key of the tests, 32 bytes long")
OLD: Fields = {"first_name": "Ann", "phone": "1", "notes": None}
S, O = Side.SALESFORCE, Side.OUTLOOK  # noqa: E741


def whole(_side: Side, _name: str, value: Value) -> Value:
    """A side that can hold everything."""
    return value


def base_of(fields: Fields = OLD, outlook: Fields | None = None) -> Base:
    return Base(salesforce=half(HASH, fields), outlook=half(HASH, fields if outlook is None else outlook))


def record(fields: Fields = OLD, *, inside: bool = True) -> Item:
    return Item(id="003A", fields=fields, version="v1", modified=NOW, place=Place.INSIDE if inside else Place.OUTSIDE)


def contact(fields: Fields = OLD, *, inside: bool = True, marked: bool = True) -> Item:
    place = Place.INSIDE if inside else Place.OUTSIDE
    return Item(id="AAk=", fields=fields, version="e1", modified=NOW, place=place, marked=marked)


def gone(side: Side) -> Absent:
    return Absent(id="003A" if side is S else "AAk=", lack=Lack.DELETED)


def link(*, origin: Origin = Origin.SALESFORCE, home: bool = True, base: Base | None = None) -> Link:
    return Link(salesforce_id="003A", outlook_id="AAk=", origin=origin, home=home, base=base_of() if base is None else base)


def rules(policy: Policy | None = None) -> Rules:
    return Rules(policy=policy or Policy(), hash_of=HASH, held=whole, now=NOW)


def standing_pair(
    here: Standing,
    there: Standing,
    *,
    origin: Origin = Origin.SALESFORCE,
    home: bool = True,
    marked: bool = True,
    invisible: bool = False,
) -> Pair:
    """A linked pair whose sides stand like this. `invisible`: Salesforce LEFT because it is no longer shared, not by leaving the search."""
    made = link(origin=origin, home=home)
    if here is Standing.MISSING:
        made = replace(made, salesforce_id="", base=Base(outlook=made.base.outlook))
    if there is Standing.MISSING:
        made = replace(made, outlook_id="", base=Base(salesforce=made.base.salesforce))
    salesforce: Seen | None
    outlook: Seen | None
    match here:
        case Standing.MISSING:
            salesforce = None
        case Standing.SAME:
            salesforce = record()
        case Standing.CHANGED:
            salesforce = record({**OLD, "first_name": "Anna", "phone": "11"})
        case Standing.GONE:
            salesforce = gone(S)
        case Standing.LEFT:
            salesforce = Absent(id="003A", lack=Lack.INVISIBLE) if invisible else record(inside=False)
    match there:
        case Standing.MISSING:
            outlook = None
        case Standing.SAME:
            outlook = contact(marked=marked)
        case Standing.CHANGED:
            outlook = contact({**OLD, "first_name": "Annie", "notes": "hello"}, marked=marked)
        case Standing.GONE:
            outlook = gone(O)
        case Standing.LEFT:
            outlook = contact(inside=False, marked=False)
    return Pair(salesforce=salesforce, outlook=outlook, link=made)


def all_policies() -> Iterator[Policy]:
    for direction, winner, d1, d2 in product(Direction, Winner, (False, True), (False, True)):
        yield Policy(direction=direction, winner=winner, remove_in_salesforce=d1, remove_in_outlook=d2)
