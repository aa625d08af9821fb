from itertools import combinations, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.records import Side
from sync.core.guards import Deletion, Limits, exceeds, name_of_set

deletions = st.builds(Deletion, st.sampled_from(Side), st.text("0123456789abcXYZ=-_", min_size=1, max_size=6))


@pytest.mark.parametrize(
    ("wanted", "links", "held"),
    [
        (0, 0, False),
        (0, 1000, False),
        (1, 1, False),  # the only contact of a person may be deleted
        (2, 2, True),  # a side that is suddenly empty
        (5, 5, True),
        (5, 6, False),  # a few deletions are never a flood
        (5, 3, True),  # fewer links than deletions: emptied, and more
        (6, 30, False),  # just 20 %
        (7, 30, True),
        (6, 29, True),
        (50, 1000, False),
        (51, 1_000_000, True),
        (51, 0, True),
    ],
)
def test_the_guard_holds_what_is_more_than_n_or_p_percent(wanted: int, links: int, held: bool) -> None:
    assert exceeds(wanted, links, Limits()) is held


@pytest.mark.parametrize(("limits", "held"), [(Limits(count=9), True), (Limits(percent=100), False), (Limits(percent=9), True)])
def test_an_administrator_sets_the_limits(limits: Limits, held: bool) -> None:
    assert exceeds(10, 100, limits) is held


@given(st.integers(0, 300), st.integers(0, 300))
def test_more_deletions_are_never_less_dangerous(wanted: int, links: int) -> None:
    assert exceeds(wanted + 1, links, Limits()) >= exceeds(wanted, links, Limits())


@given(st.sets(deletions, max_size=4))
def test_the_name_of_a_set_does_not_depend_on_its_order(some: set[Deletion]) -> None:
    assert len({name_of_set(order) for order in permutations(some)}) == 1


@given(st.lists(st.frozensets(deletions, max_size=4), min_size=2, max_size=6, unique=True))
def test_different_sets_have_different_names(sets: list[frozenset[Deletion]]) -> None:
    assert all(name_of_set(one) != name_of_set(other) for one, other in combinations(sets, 2))


def test_the_side_is_part_of_the_name() -> None:
    assert name_of_set([Deletion(Side.OUTLOOK, "1")]) != name_of_set([Deletion(Side.SALESFORCE, "1")])
