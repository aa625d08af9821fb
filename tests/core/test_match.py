"""Recognising a new item (C7): the strong key, then the weak one, never a guess."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.core.match import Candidate, Found, Identity, Match, match

identities = st.builds(Identity, strong=st.frozensets(st.sampled_from("abc"), max_size=2), weak=st.sampled_from(["", "ann lee", "bo day"]))
candidates = st.lists(
    st.builds(Candidate, id=st.sampled_from(["1", "2", "3", "4"]), identity=identities), max_size=4, unique_by=lambda one: one.id
)
taken = st.frozensets(st.sampled_from(["1", "2", "3", "4"]))


def who(name: str, *addresses: str) -> Identity:
    return Identity(strong=frozenset(addresses), weak=name)


def candidate(number: int, name: str, *addresses: str) -> Candidate:
    return Candidate(id=str(number), identity=who(name, *addresses))


@pytest.mark.parametrize(
    ("new", "there", "linked", "found", "ids"),
    [
        (who("ann lee", "a@x"), [], "", Found.NONE, ""),
        (who("ann lee", "a@x"), [candidate(1, "bo day", "b@x")], "", Found.NONE, ""),
        (who("ann lee", "a@x"), [candidate(1, "someone", "a@x")], "", Found.ONE, "1"),
        (who("ann lee", "x@x", "a@x"), [candidate(1, "someone", "a@x")], "", Found.ONE, "1"),
        (who("ann lee", "a@x"), [candidate(1, "ann lee"), candidate(2, "someone", "a@x")], "", Found.ONE, "2"),
        (who("ann lee"), [candidate(1, "ann lee", "a@x")], "", Found.ONE, "1"),
        (who("ann lee", "a@x"), [candidate(1, "ann lee")], "", Found.ONE, "1"),
        (who("ann lee"), [candidate(1, "ann lee"), candidate(2, "ann lee")], "", Found.SEVERAL, "12"),
        (who("", "a@x"), [candidate(2, "", "a@x"), candidate(1, "", "a@x")], "", Found.SEVERAL, "12"),
        (who(""), [candidate(1, "")], "", Found.NONE, ""),
        # the same name with another address: a person decides
        (who("ann lee", "a@x"), [candidate(1, "ann lee", "b@x")], "", Found.SEVERAL, "1"),
        (who("ann lee", "a@x"), [candidate(1, "ann lee", "b@x"), candidate(2, "ann lee")], "", Found.SEVERAL, "12"),
        # linked in this mailbox already
        (who("ann lee", "a@x"), [candidate(1, "ann lee", "a@x")], "1", Found.TAKEN, "1"),
        (who("ann lee"), [candidate(1, "ann lee"), candidate(2, "ann lee")], "1", Found.ONE, "2"),
        (who("ann lee", "a@x"), [candidate(1, "", "a@x"), candidate(2, "ann lee")], "1", Found.TAKEN, "1"),
        (who("ann lee", "a@x"), [candidate(1, "ann lee", "b@x")], "1", Found.NONE, ""),
        (who("ann lee", "a@x"), [candidate(1, "ann lee", "b@x"), candidate(2, "ann lee")], "12", Found.TAKEN, "2"),
    ],
)
def test_a_new_item_is_recognised(new: Identity, there: list[Candidate], linked: str, found: Found, ids: str) -> None:
    assert match(new, there, set(linked)) == Match(found=found, ids=tuple(ids))


@given(identities, candidates, taken)
def test_the_order_of_the_candidates_does_not_matter(new: Identity, there: list[Candidate], linked: frozenset[str]) -> None:
    assert match(new, there, linked) == match(new, there[::-1], linked)


@given(identities, candidates, taken)
def test_a_candidate_that_is_named_twice_is_one(new: Identity, there: list[Candidate], linked: frozenset[str]) -> None:
    """A lookup and a claim may both bring the record that a colleague has just made."""
    assert match(new, [*there, *there], linked) == match(new, there, linked)


@given(identities, candidates, taken)
def test_only_a_free_candidate_with_something_in_common_is_taken(new: Identity, there: list[Candidate], linked: frozenset[str]) -> None:
    result = match(new, there, linked)
    by_id = {one.id: one.identity for one in there}
    assert list(result.ids) == sorted(set(result.ids) & by_id.keys())
    for one in result.ids:
        assert by_id[one].strong & new.strong or (new.weak and by_id[one].weak == new.weak)
    if result.found is Found.ONE:
        (only,) = result.ids
        assert only not in linked
        assert by_id[only].strong & new.strong or not (by_id[only].strong and new.strong)
    if result.found is Found.TAKEN:
        assert set(result.ids) <= linked
    assert (result.found is Found.NONE) is (not result.ids)


@given(identities, candidates, taken)
def test_a_strong_key_beats_every_weak_one(new: Identity, there: list[Candidate], linked: frozenset[str]) -> None:
    strong = {one.id for one in there if one.identity.strong & new.strong}
    if strong:
        result = match(new, there, linked)
        assert set(result.ids) == ((strong - linked) or strong)
        free = len(strong - linked)
        assert result.found is (Found.TAKEN if not free else Found.ONE if free == 1 else Found.SEVERAL)


@given(identities, candidates, taken)
def test_it_never_guesses(new: Identity, there: list[Candidate], linked: frozenset[str]) -> None:
    """One match means that no other free candidate is as good."""
    result = match(new, there, linked)
    if result.found is not Found.ONE:
        return
    (only,) = result.ids
    others = [one.identity for one in there if one.id != only and one.id not in linked]
    chosen = next(one.identity for one in there if one.id == only)
    if chosen.strong & new.strong:
        assert not any(one.strong & new.strong for one in others)
    else:
        assert not any(one.weak == new.weak for one in others)


@given(identities, candidates)
def test_an_item_with_nothing_in_common_is_new(new: Identity, there: list[Candidate]) -> None:
    strangers = [one for one in there if not one.identity.strong & new.strong and not (new.weak and one.identity.weak == new.weak)]
    assert match(new, strangers, set()) == Match(found=Found.NONE)
