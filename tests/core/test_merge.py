"""The merge, by properties: any two sides, any base – whole, half or none – and any policy."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.records import Fields, Side, Value
from sync.core.fingerprint import Base, half, hasher
from sync.core.merge import Merged, merge
from sync.core.policy import Direction, Policy, Winner
from tests.core.building import HASH, O, S, whole

NAMES = ("email", "notes", "phone", "title")
LENGTH = 3
"""How much of `notes` Salesforce holds."""
BOTH, TO_OUTLOOK, TO_SALESFORCE = Direction


def lossy(side: Side, name: str, value: Value) -> Value:
    """Salesforce cuts notes."""
    return value[:LENGTH] if value is not None and name == "notes" and side is S else value


@dataclass(frozen=True, kw_only=True)
class Case:
    salesforce: Fields
    outlook: Fields
    base: Base
    policy: Policy

    def merge(self) -> Merged:
        return merge(self.salesforce, self.outlook, self.base, self.policy, HASH, lossy)

    def both(self) -> set[str]:
        return self.salesforce.keys() & self.outlook.keys()

    def touched(self, side: Side) -> set[str]:
        """The fields of a side that do not hold what its base says, or have none."""
        fields, held = (self.salesforce, self.base.salesforce) if side is S else (self.outlook, self.base.outlook)
        return {name for name, value in fields.items() if held.get(name) != HASH(name, value)}

    def equal(self, name: str) -> bool:
        here, there = self.salesforce[name], self.outlook[name]
        return here == there or lossy(S, name, there) == here


values = st.none() | st.sampled_from(["a", "b", "abc", "abcd", "abcdef", "abcx"])


@st.composite
def sides(draw: st.DrawFn) -> tuple[Fields, Fields, Base]:
    """One state, perturbed twice; then fields are hidden and parts of the base are lost."""
    state: dict[str, Value] = {name: draw(values) for name in NAMES}

    def perturb(fields: Mapping[str, Value]) -> dict[str, Value]:
        touched = {name: draw(values) for name in draw(st.sets(st.sampled_from(NAMES), max_size=2))}
        hidden = draw(st.sets(st.sampled_from(NAMES), max_size=1))
        return {name: value for name, value in {**fields, **touched}.items() if name not in hidden}

    def forget(kept: Mapping[str, str]) -> Mapping[str, str]:
        lost = draw(st.sets(st.sampled_from(NAMES), max_size=2))
        return {name: mark for name, mark in kept.items() if name not in lost}

    held = {name: lossy(S, name, value) for name, value in state.items()}
    base = Base(salesforce=forget(half(HASH, held)), outlook=forget(half(HASH, state)))
    return perturb(held), perturb(state), base


policies = st.builds(Policy, direction=st.sampled_from(Direction), winner=st.sampled_from(Winner))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    salesforce, outlook, base = draw(sides())
    return Case(salesforce=salesforce, outlook=outlook, base=base, policy=draw(policies))


@given(cases())
def test_equal_content_is_never_a_conflict_and_never_written(case: Case) -> None:
    merged = case.merge()
    equal = {name for name in case.both() if case.equal(name)}
    changed = case.touched(S) | case.touched(O)
    assert not equal & {conflict.field for conflict in merged.conflicts}
    assert not equal & changed & (merged.to_salesforce.keys() | merged.to_outlook.keys())
    assert equal & changed <= merged.agreed


@given(cases())
def test_only_a_field_changed_on_both_sides_to_different_values_is_a_conflict(case: Case) -> None:
    for conflict in case.merge().conflicts:
        name = conflict.field
        assert name in case.touched(S) | case.touched(O)
        assert not case.equal(name)
        with_base = name in case.base.salesforce and name in case.base.outlook
        assert (name in case.touched(S) and name in case.touched(O)) if with_base else None not in (conflict.salesforce, conflict.outlook)
        assert (conflict.salesforce, conflict.outlook) == (case.salesforce[name], case.outlook[name])


@given(cases())
def test_no_changed_value_is_lost(case: Case) -> None:
    """Every changed value is carried, agreed, in a conflict – or stays where it is, because the direction forbids to carry it."""
    merged = case.merge()
    in_conflict = {conflict.field for conflict in merged.conflicts}
    for side, written in ((S, merged.to_outlook), (O, merged.to_salesforce)):
        fields = case.salesforce if side is S else case.outlook
        for name in case.touched(side) & case.both():
            other = merged.to_salesforce if side is S else merged.to_outlook
            stays = name not in other and not case.policy.direction.reaches(side.other)
            empty = fields[name] is None and not (name in case.base.salesforce and name in case.base.outlook)
            kept = written.get(name, fields[name]) == fields[name] and name in written
            assert kept or name in merged.agreed or name in in_conflict or stays or empty, name


@given(cases())
def test_a_value_is_overwritten_only_if_it_is_the_old_one_empty_or_told_as_a_conflict(case: Case) -> None:
    merged = case.merge()
    in_conflict = {conflict.field for conflict in merged.conflicts}
    for side, written in ((S, merged.to_salesforce), (O, merged.to_outlook)):
        for name in written:
            fields = case.salesforce if side is S else case.outlook
            assert name not in case.touched(side) or fields[name] is None or name in in_conflict


@given(cases())
def test_a_field_that_one_side_does_not_show_is_left_out_of_everything(case: Case) -> None:
    merged = case.merge()
    shown = case.both()
    assert merged.to_salesforce.keys() | merged.to_outlook.keys() | merged.agreed | {c.field for c in merged.conflicts} <= shown


@given(cases())
def test_a_field_is_written_to_one_side_at_most_and_is_not_agreed_besides(case: Case) -> None:
    merged = case.merge()
    assert not merged.to_salesforce.keys() & merged.to_outlook.keys()
    assert not merged.agreed & (merged.to_salesforce.keys() | merged.to_outlook.keys())
    assert all(merged.to_salesforce[name] == case.outlook[name] for name in merged.to_salesforce)
    assert all(merged.to_outlook[name] == case.salesforce[name] for name in merged.to_outlook)


@given(cases())
def test_one_way_writes_one_way_and_never_asks(case: Case) -> None:
    merged = case.merge()
    if case.policy.direction is TO_OUTLOOK:
        assert not merged.to_salesforce
        assert {conflict.winner for conflict in merged.conflicts} <= {Winner.SALESFORCE}
    elif case.policy.direction is TO_SALESFORCE:
        assert not merged.to_outlook
        assert {conflict.winner for conflict in merged.conflicts} <= {Winner.OUTLOOK}
    else:
        assert {conflict.winner for conflict in merged.conflicts} <= {case.policy.winner}


@given(cases(), st.sampled_from([Winner.SALESFORCE, Winner.OUTLOOK]))
def test_the_winner_settles_conflicts_and_nothing_else(case: Case, winner: Winner) -> None:
    open_ended = replace(case, policy=Policy(direction=BOTH, winner=Winner.ASK)).merge()
    settled = replace(case, policy=Policy(direction=BOTH, winner=winner)).merge()
    contested = {conflict.field for conflict in open_ended.conflicts}
    assert contested == {conflict.field for conflict in settled.conflicts}
    assert not contested & (open_ended.to_salesforce.keys() | open_ended.to_outlook.keys())
    goes = settled.to_outlook if winner is Winner.SALESFORCE else settled.to_salesforce
    assert contested <= goes.keys()
    assert {name: value for name, value in settled.to_outlook.items() if name not in contested} == open_ended.to_outlook
    assert {name: value for name, value in settled.to_salesforce.items() if name not in contested} == open_ended.to_salesforce


def mirrored(case: Case) -> Case:
    swap = {Winner.SALESFORCE: Winner.OUTLOOK, Winner.OUTLOOK: Winner.SALESFORCE, Winner.ASK: Winner.ASK}
    turn = {BOTH: BOTH, TO_OUTLOOK: TO_SALESFORCE, TO_SALESFORCE: TO_OUTLOOK}
    policy = replace(case.policy, winner=swap[case.policy.winner], direction=turn[case.policy.direction])
    base = Base(salesforce=case.base.outlook, outlook=case.base.salesforce)
    return Case(salesforce=case.outlook, outlook=case.salesforce, base=base, policy=policy)


@given(cases())
def test_swapping_the_sides_mirrors_the_merge(case: Case) -> None:
    """Where both sides can hold everything."""
    other = mirrored(case)
    here = merge(case.salesforce, case.outlook, case.base, case.policy, HASH, whole)
    there = merge(other.salesforce, other.outlook, other.base, other.policy, HASH, whole)
    assert (here.to_salesforce, here.to_outlook, here.agreed) == (there.to_outlook, there.to_salesforce, there.agreed)
    assert [(c.field, c.salesforce, c.outlook) for c in here.conflicts] == [(c.field, c.outlook, c.salesforce) for c in there.conflicts]


@given(cases())
def test_a_merge_that_was_carried_out_is_nothing_the_second_time(case: Case) -> None:
    """Both sides hold what was written, with the base that says so: then there is nothing left but open questions and one-way edits."""
    case = replace(case, policy=replace(case.policy, direction=BOTH, winner=Winner.OUTLOOK))
    merged = case.merge()
    salesforce = {**case.salesforce, **{name: lossy(S, name, value) for name, value in merged.to_salesforce.items()}}
    outlook = {**case.outlook, **merged.to_outlook}
    done = merged.agreed | merged.to_salesforce.keys() | merged.to_outlook.keys()
    base = Base(
        salesforce={**case.base.salesforce, **half(HASH, {name: salesforce[name] for name in done})},
        outlook={**case.base.outlook, **half(HASH, {name: outlook[name] for name in done})},
    )
    again = merge(salesforce, outlook, base, case.policy, HASH, lossy)
    assert (again.to_salesforce, again.to_outlook, again.agreed, again.conflicts) == ({}, {}, frozenset(), ())
    assert all(outlook[name] == salesforce[name] or lossy(S, name, outlook[name]) == salesforce[name] for name in done)


# --------------------------------------------------------------------------- examples


def merge_one(salesforce: Value, outlook: Value, base: tuple[Value, Value] | None, *, name: str = "phone") -> Merged:
    kept = Base() if base is None else Base(salesforce={name: HASH(name, base[0])}, outlook={name: HASH(name, base[1])})
    return merge({name: salesforce}, {name: outlook}, kept, Policy(winner=Winner.ASK), HASH, lossy)


@pytest.mark.parametrize(
    ("salesforce", "outlook", "base", "expected"),
    [
        ("1", "1", ("1", "1"), "nothing"),
        ("2", "1", ("1", "1"), "to outlook"),
        ("1", "2", ("1", "1"), "to salesforce"),
        ("2", "2", ("1", "1"), "agreed"),
        ("2", "3", ("1", "1"), "conflict"),
        (None, "1", ("1", "1"), "to outlook"),  # emptied in Salesforce
        ("1", None, ("1", "1"), "to salesforce"),
        (None, "2", ("1", "1"), "conflict"),  # emptied here, edited there
        (None, None, ("1", "1"), "agreed"),
        ("1", "1", None, "agreed"),
        (None, None, None, "agreed"),
        ("1", None, None, "to outlook"),  # without a base, empty takes filled
        (None, "1", None, "to salesforce"),
        ("1", "2", None, "conflict"),
        ("abc", "abcdef", ("abc", "abcdef"), "nothing"),  # each side holds what it held
    ],
)
def test_a_field_is_decided(salesforce: Value, outlook: Value, base: tuple[Value, Value] | None, expected: str) -> None:
    merged = merge_one(salesforce, outlook, base)
    found = {
        "to outlook": bool(merged.to_outlook),
        "to salesforce": bool(merged.to_salesforce),
        "agreed": bool(merged.agreed),
        "conflict": bool(merged.conflicts),
    }
    assert [what for what, is_so in found.items() if is_so] == ([] if expected == "nothing" else [expected])


def test_a_lossy_form_never_flows_back() -> None:
    assert merge_one("abc", "abcdef", None, name="notes").agreed == {"notes"}
    assert merge_one("abc", "abcxyz", ("abc", "abcdef"), name="notes").agreed == {"notes"}
    assert merge_one("axx", "abcdef", ("abc", "abcdef"), name="notes").to_outlook == {"notes": "axx"}


def test_equal_is_what_is_equal_in_its_comparable_form() -> None:
    folding = hasher(b"k" * 32, lambda _name, value: value.casefold())
    merged = merge({"email": "A@x.example"}, {"email": "a@x.example"}, Base(), Policy(), folding, whole)
    assert merged == Merged(agreed=frozenset({"email"}))
