"""The planner alone, on correlated random triples: one state, perturbed twice – and links that are wrong in every way.

Plan → shuffle the actions → pretend they succeeded → plan again, until nothing is left. The model judges each effect as it happens;
here the end is judged.
"""

import random
from collections.abc import Mapping
from dataclasses import replace

from hypothesis import event, given, settings
from hypothesis import strategies as st

from shared.records import Item, Origin, Place, Value
from sync.core.decide import changed
from sync.core.fingerprint import Base, half
from sync.core.link import Link, Status
from sync.core.plan import Act
from sync.core.policy import Direction, Policy, Winner
from tests.property.model import HASH, LENGTH, NAMES, NOW, O, S, World, held, values_of

ROUNDS = 8
"""Adopt, merge, move in, carry an edit out of the search, withdraw: each takes a round, and a skipped action one more."""

policies = st.builds(
    Policy,
    direction=st.sampled_from([Direction.BOTH, Direction.BOTH, Direction.TO_OUTLOOK, Direction.TO_SALESFORCE]),
    winner=st.sampled_from(Winner),
    remove_in_salesforce=st.booleans(),
    remove_in_outlook=st.booleans(),
)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    world = World(policy=draw(policies), hidden=draw(st.sampled_from([frozenset[str](), frozenset[str](), frozenset({"title"})])))
    for number in range(draw(st.integers(1, 3))):
        _triple(draw, world, number)
    if len(world.links) > 1 and draw(st.integers(0, 5)) == 0:  # two links to one item
        first, second = list(world.links)[:2]
        world.links[second] = replace(world.links[second], outlook_id=world.links[first].outlook_id)
        event("two links to one item")
    return world


def _triple(draw: st.DrawFn, world: World, number: int) -> None:
    def value(name: str) -> Value:
        return draw(st.none() | st.integers(0, 3).map(lambda k: f"{number}{name}{k}" + ("!" * LENGTH if name == "notes" else "")))

    def perturb(fields: Mapping[str, Value]) -> dict[str, Value]:
        touched = draw(st.sets(st.sampled_from(NAMES), max_size=2)) if draw(st.booleans()) else set()
        return {**fields, **{name: value(name) for name in sorted(touched)}}

    def forget(kept: Mapping[str, str]) -> Mapping[str, str]:
        if draw(st.integers(0, 4)):
            return kept
        lost = draw(st.sets(st.sampled_from(NAMES)))
        return {name: mark for name, mark in kept.items() if name not in lost}

    state = {name: value(name) for name in NAMES}
    shown = {name: held(S, name, value) for name, value in state.items() if name not in world.hidden}
    base = Base(salesforce=forget(half(HASH, shown)), outlook=forget(half(HASH, state)))
    one, other = f"record {number}", f"item {number}"
    here = draw(st.sampled_from(["there", "there", "there", "outside", "gone", "invisible"]))
    there = draw(st.sampled_from(["there", "there", "there", "outside", "unmarked", "left", "gone"]))
    if here != "gone":
        fields = {name: held(S, name, value) for name, value in perturb(state).items() if name not in world.hidden}
        place = Place.OUTSIDE if here == "outside" else Place.INSIDE
        world.records[one] = Item(id=one, fields=fields, version="1", modified=NOW, place=place)
    if here == "invisible":
        world.invisible.add(one)
    if there != "gone":
        place = Place.OUTSIDE if there in ("outside", "left") else Place.INSIDE
        marked = there not in ("unmarked", "left")
        world.items[other] = Item(id=other, fields=perturb(state), version="1", modified=NOW, place=place, marked=marked)
    kind = draw(st.sampled_from(["linked", "linked", "linked", "linked", "none", "half", "bare", "opted out", "reserved"]))
    origin = draw(st.sampled_from(Origin))
    home = there not in ("outside",) or draw(st.booleans())
    link = Link(salesforce_id=one, outlook_id=other, origin=origin, base=base, home=home)
    match kind:
        case "linked":
            world.links[one] = link
        case "half":
            world.links[one] = replace(link, outlook_id="", base=replace(base, outlook={}))
        case "bare":
            world.links[one] = replace(link, base=Base())
        case "opted out":
            world.links[one] = replace(link, status=Status.OPTED_OUT)
        case "reserved":
            world.links[one] = Link(salesforce_id=one, status=Status.RESERVED, origin=Origin.SALESFORCE)
    event(kind)


def check(world: World, before: World) -> None:
    """What must be true once nothing is left to do."""
    for one, link in world.links.items():
        record, item = world.records.get(one), world.items.get(link.outlook_id)
        if link.status is not Status.ACTIVE or record is None or item is None or one in world.invisible:
            continue
        if any(one == salesforce_id for salesforce_id, _ in world.waiting):
            continue
        if world.policy.direction is Direction.BOTH:
            unknown = changed(record, link.base.salesforce, HASH) | changed(item, link.base.outlook, HASH)
            assert not unknown, f"the base of {one} does not know {sorted(unknown)}: a deletion would be taken for an edit"
        for name in record.fields.keys() & item.fields.keys():
            if not _agree(name, record.fields[name], item.fields[name]):
                assert _is_a_one_way_edit(world, link, name, record, item), f"{name} of {one}: the sides do not agree"
    now = values_of(world)
    journaled = {(name, value) for _, name, value in world.journal}
    told = {(name, value) for name, here, there in world.conflicts for value in (here, there)}
    for (name, content), sides in values_of(before).items():
        kept = now.keys() | journaled | told
        assert (name, content) in kept or any(n == name and v is not None and v.startswith(content) for n, v in kept), (
            f"{content} of {sides} is lost without a trace"
        )
    if world.policy.direction is Direction.TO_OUTLOOK:
        assert world.records == before.records
    if world.policy.direction is Direction.TO_SALESFORCE:
        assert O not in world.wrote
    elsewhere = {one: item for one, item in before.items.items() if item.place is Place.OUTSIDE and not item.marked}
    assert {one: world.items.get(one) for one in elsewhere} == elsewhere, "an item that is nobody's business was touched"


def _agree(name: str, here: Value, there: Value) -> bool:
    return here == there or held(S, name, there) == here


def _is_a_one_way_edit(world: World, link: Link, name: str, record: Item, item: Item) -> bool:
    """Edits on the target of a one-way sync stay there, and so does what was filled there when the pair was adopted."""
    source, target = (link.base.salesforce, link.base.outlook), (record, item)
    if world.policy.direction is Direction.TO_SALESFORCE:
        source, target = source[::-1], target[::-1]
    unknown = name not in source[0] or name not in source[1]
    return world.policy.direction is not Direction.BOTH and (
        source[1].get(name) != HASH(name, target[1].fields[name]) or (unknown and target[0].fields[name] is None)
    )


def copy(world: World) -> World:
    return World(
        policy=world.policy,
        records=dict(world.records),
        items=dict(world.items),
        links=dict(world.links),
        invisible=set(world.invisible),
        hidden=world.hidden,
    )


@settings(max_examples=settings().max_examples * 5)
@given(worlds(), st.randoms(use_true_random=False), st.lists(st.sampled_from([Winner.SALESFORCE, Winner.OUTLOOK]), min_size=3, max_size=3))
def test_the_planner_brings_any_world_to_rest_and_loses_nothing(world: World, order: random.Random, winners: list[Winner]) -> None:
    before = copy(world)
    world.settle(order, ROUNDS)
    check(world, before)
    again = copy(world)
    again.waiting = dict(world.waiting)
    assert again.settle(order, 1) == 0, "a world at rest is left alone"
    for (_, made), winner in zip(list(world.waiting.items()), winners, strict=False):
        if made.act is not Act.REST:
            decided = world.answer(made, winner)
            assert decided.act is not Act.WAIT
            world.carry_out(decided, decided=True)
    world.waiting = {name: made for name, made in world.waiting.items() if made.act is Act.REST}
    world.settle(order, ROUNDS)
    check(world, before)
    for act in set(world.acts):
        event(act)


@given(worlds(), st.randoms(use_true_random=False), st.randoms(use_true_random=False))
def test_the_order_of_the_actions_does_not_matter(world: World, one: random.Random, other: random.Random) -> None:
    """Where every record has one link, and nothing is matched, the end is the same."""
    if len({link.outlook_id for link in world.links.values()}) < len(world.links):
        return
    first, second = copy(world), copy(world)
    first.settle(one, ROUNDS)
    second.settle(other, ROUNDS)
    if {Act.CREATE_SALESFORCE} & {*first.acts, *second.acts}:
        return
    assert first.records == second.records
    assert sorted(str(sorted(item.fields.items(), key=str)) for item in first.items.values()) == sorted(
        str(sorted(item.fields.items(), key=str)) for item in second.items.values()
    )
