from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.records import Absent, Fields, Lack
from sync.core.decide import TABLE, Standing, Verdict, changed, decide, standing
from sync.core.fingerprint import half
from tests.core.building import HASH, OLD, contact, record
from tests.core.table import lines, markdown

RULES = Path(__file__).parents[2] / "docs" / "sync-rules.md"

MIRROR = {
    Verdict.NOTHING: Verdict.NOTHING,
    Verdict.MERGE: Verdict.MERGE,
    Verdict.FORGET: Verdict.FORGET,
    Verdict.CREATE_OUTLOOK: Verdict.CREATE_SALESFORCE,
    Verdict.TO_OUTLOOK: Verdict.TO_SALESFORCE,
    Verdict.REMOVE_OUTLOOK: Verdict.REMOVE_SALESFORCE,
    Verdict.REVIVE_OUTLOOK: Verdict.REVIVE_SALESFORCE,
}
MIRROR |= {there: here for here, there in MIRROR.items()}

MISSING, SAME, CHANGED, GONE, LEFT = Standing
UNEVEN: dict[Standing, tuple[Verdict, Verdict, str]] = {
    # the other side: (it left Salesforce's search, it left Outlook's folder, why these two are no mirror images)
    MISSING: (Verdict.FORGET, Verdict.RELEASE, "a search is the administrator's, moving an item is a person's choice and is remembered"),
    SAME: (Verdict.WITHDRAW, Verdict.RELEASE, "what left the search leaves the folder; what left the folder stays in Salesforce"),
    CHANGED: (Verdict.TO_SALESFORCE, Verdict.RELEASE, "a record outside the search can still be written; an unlinked item is left alone"),
    GONE: (Verdict.FORGET, Verdict.RELEASE, "the opt-out must be remembered, an emptied search must not"),
    LEFT: (Verdict.RELEASE, Verdict.RELEASE, "the person's choice is the stronger one"),
}


def test_every_pair_of_standings_has_a_row_with_a_reason() -> None:
    assert list(TABLE) == list(product(Standing, Standing))
    assert all(reason.strip() and "|" not in reason and reason == reason.strip() for _, reason in TABLE.values())
    assert all(decide(*standings) is verdict for standings, (verdict, _) in TABLE.items())


def test_every_verdict_can_be_reached() -> None:
    assert {verdict for verdict, _ in TABLE.values()} == set(Verdict)


@pytest.mark.parametrize(("here", "there"), [pair for pair in TABLE if LEFT not in pair])
def test_swapping_the_sides_mirrors_the_verdict(here: Standing, there: Standing) -> None:
    assert decide(there, here) is MIRROR[decide(here, there)]


@pytest.mark.parametrize("other", Standing)
def test_only_leaving_is_not_the_same_on_both_sides(other: Standing) -> None:
    in_salesforce, in_outlook, why = UNEVEN[other]
    assert (decide(LEFT, other), decide(other, LEFT)) == (in_salesforce, in_outlook), why


def test_every_row_is_in_the_rules_that_people_read() -> None:
    assert RULES.is_file(), f"{RULES.name} is not written yet; `python -m tests.core.table` prints its decision table"
    written = {line.strip() for line in RULES.read_text(encoding="utf-8").splitlines()}
    missing = [line for line in lines() if line not in written]
    assert not missing, "docs/sync-rules.md lacks rows of the decision table (python -m tests.core.table prints them):\n" + "\n".join(
        missing
    )


def test_the_printed_table_has_one_line_a_row_and_a_heading() -> None:
    assert markdown().splitlines()[2:] == lines()
    assert "| missing | changed | match, else create in Salesforce | new in Outlook |" in lines()
    assert len(set(lines())) == 25


# --------------------------------------------------------------------------- how a side stands

BASE = half(HASH, OLD)
values = st.none() | st.text(min_size=1, max_size=5)
fields = st.dictionaries(st.sampled_from("abcde"), values, min_size=1)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (None, MISSING),
        (record(), SAME),
        (record({**OLD, "phone": "2"}), CHANGED),
        (record({**OLD, "phone": None}), CHANGED),
        (record({**OLD, "email": None}), CHANGED),
        (Absent(id="003A", lack=Lack.DELETED), GONE),
        (Absent(id="003A", lack=Lack.MERGED, now="003B"), GONE),
        (Absent(id="003A", lack=Lack.INVISIBLE), LEFT),
        (record(inside=False), LEFT),
        (contact({**OLD, "phone": "2"}, inside=False), LEFT),
    ],
)
def test_a_side_is_compared_with_its_own_half_only(seen: object, expected: Standing) -> None:
    assert standing(seen, BASE, HASH) is expected  # type: ignore[arg-type]


@given(fields)
def test_a_side_that_holds_its_base_is_the_same(held: Fields) -> None:
    assert standing(record(held), half(HASH, held), HASH) is SAME
    assert changed(record(held), half(HASH, held), HASH) == frozenset()


@given(fields, st.data())
def test_exactly_the_touched_field_is_changed(held: Fields, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(held)))
    touched = {**held, name: data.draw(values.filter(lambda value: value != held[name]))}
    assert changed(record(touched), half(HASH, held), HASH) == {name}
    assert standing(record(touched), half(HASH, held), HASH) is CHANGED


@given(fields, st.data())
def test_a_field_that_is_not_visible_is_not_compared(held: Fields, data: st.DataObject) -> None:
    hidden = data.draw(st.sampled_from(sorted(held)))
    seen = record({name: value for name, value in held.items() if name != hidden})
    assert standing(seen, half(HASH, held), HASH) is SAME


@given(fields)
def test_without_a_base_a_side_counts_as_changed(held: Fields) -> None:
    assert standing(record(held), {}, HASH) is CHANGED
    assert changed(replace(record(), fields=held), {}, HASH) == held.keys()
