"""The table's verdicts under all policies: a sample with literal expectations, and what must hold for every combination."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from shared.records import Absent, Fields, Item, Lack, Origin, Place, Side
from sync.core.decide import Standing
from sync.core.fingerprint import Base
from sync.core.link import Link, Status, Turns
from sync.core.plan import DELETIONS, TURN_LIMIT, TURN_WINDOW, Act, Pair, Plan, plan, stand
from sync.core.policy import Direction, Policy, Winner
from tests.core.building import HASH, NOW, OLD, O, S, all_policies, base_of, contact, gone, link, record, rules, standing_pair

MISSING, SAME, CHANGED, GONE, LEFT = Standing
BOTH, TO_OUTLOOK, TO_SALESFORCE = Direction
DEFAULT = Policy()
ASK = Policy(winner=Winner.ASK)
ONLY_OUTLOOK = Policy(direction=TO_OUTLOOK)
ONLY_SALESFORCE = Policy(direction=TO_SALESFORCE)
D1_ON = Policy(remove_in_salesforce=True)
D2_OFF = Policy(remove_in_outlook=False)
CONFLICTED = {"first_name"}
"""What `standing_pair` changes on both sides."""


# --------------------------------------------------------------------------- a sample, spelled out


@pytest.mark.parametrize(
    ("here", "there", "policy", "act", "to_salesforce", "to_outlook"),
    [
        # nothing to do
        (SAME, SAME, DEFAULT, Act.NOTHING, {}, {}),
        (SAME, SAME, ONLY_OUTLOOK, Act.NOTHING, {}, {}),
        # new on one side
        (MISSING, CHANGED, DEFAULT, Act.CREATE_SALESFORCE, {}, {}),
        (MISSING, SAME, DEFAULT, Act.CREATE_SALESFORCE, {}, {}),
        (MISSING, CHANGED, ONLY_OUTLOOK, Act.CREATE_SALESFORCE, {}, {}),  # matched; creating is refused where it is carried out
        (CHANGED, MISSING, DEFAULT, Act.CREATE_OUTLOOK, {}, {}),
        (SAME, MISSING, DEFAULT, Act.CREATE_OUTLOOK, {}, {}),
        (CHANGED, MISSING, ONLY_SALESFORCE, Act.NOTHING, {}, {}),
        # one side changed
        (CHANGED, SAME, DEFAULT, Act.WRITE, {}, {"first_name": "Anna", "phone": "11"}),
        (CHANGED, SAME, ONLY_SALESFORCE, Act.NOTHING, {}, {}),
        (SAME, CHANGED, DEFAULT, Act.WRITE, {"first_name": "Annie", "notes": "hello"}, {}),
        (SAME, CHANGED, ONLY_OUTLOOK, Act.NOTHING, {}, {}),
        # both changed: phone in Salesforce, notes in Outlook, first_name in both
        (CHANGED, CHANGED, DEFAULT, Act.WRITE, {"notes": "hello"}, {"first_name": "Anna", "phone": "11"}),
        (CHANGED, CHANGED, Policy(winner=Winner.OUTLOOK), Act.WRITE, {"first_name": "Annie", "notes": "hello"}, {"phone": "11"}),
        (CHANGED, CHANGED, ASK, Act.WAIT, {"notes": "hello"}, {"phone": "11"}),
        (CHANGED, CHANGED, ONLY_OUTLOOK, Act.WRITE, {}, {"first_name": "Anna", "phone": "11"}),
        (CHANGED, CHANGED, ONLY_SALESFORCE, Act.WRITE, {"first_name": "Annie", "notes": "hello"}, {}),
        # one way does not ask: the source wins
        (CHANGED, CHANGED, Policy(direction=TO_OUTLOOK, winner=Winner.ASK), Act.WRITE, {}, {"first_name": "Anna", "phone": "11"}),
        # deleted in Outlook
        (SAME, GONE, DEFAULT, Act.CREATE_OUTLOOK, {}, {}),
        (SAME, GONE, D1_ON, Act.DELETE_SALESFORCE, {}, {}),
        (SAME, GONE, Policy(direction=TO_OUTLOOK, remove_in_salesforce=True), Act.CREATE_OUTLOOK, {}, {}),
        (SAME, GONE, ONLY_SALESFORCE, Act.FORGET, {}, {}),
        (CHANGED, GONE, D1_ON, Act.CREATE_OUTLOOK, {}, {}),
        (CHANGED, GONE, ASK, Act.WAIT, {}, {}),
        (CHANGED, GONE, ONLY_SALESFORCE, Act.FORGET, {}, {}),
        # deleted in Salesforce
        (GONE, SAME, DEFAULT, Act.DELETE_OUTLOOK, {}, {}),
        (GONE, SAME, D2_OFF, Act.EXPEL, {}, {}),
        (GONE, SAME, ONLY_SALESFORCE, Act.NOTHING, {}, {}),
        (GONE, CHANGED, DEFAULT, Act.CREATE_SALESFORCE, {}, {}),
        (GONE, CHANGED, ASK, Act.WAIT, {}, {}),
        (GONE, CHANGED, ONLY_OUTLOOK, Act.FORGET, {}, {}),
        (GONE, GONE, DEFAULT, Act.FORGET, {}, {}),
        # left
        (SAME, LEFT, DEFAULT, Act.RELEASE, {}, {}),
        (CHANGED, LEFT, D1_ON, Act.RELEASE, {}, {}),
        (GONE, LEFT, DEFAULT, Act.RELEASE, {}, {}),
        (LEFT, SAME, DEFAULT, Act.WITHDRAW, {}, {}),
        (LEFT, SAME, ONLY_SALESFORCE, Act.NOTHING, {}, {}),
        (LEFT, CHANGED, DEFAULT, Act.WRITE, {"first_name": "Annie", "notes": "hello"}, {}),
        (LEFT, GONE, D1_ON, Act.FORGET, {}, {}),
        (LEFT, MISSING, DEFAULT, Act.FORGET, {}, {}),
        (LEFT, LEFT, DEFAULT, Act.RELEASE, {}, {}),
    ],
)
def test_a_pair_that_the_sync_made_is_planned(
    here: Standing, there: Standing, policy: Policy, act: Act, to_salesforce: Fields, to_outlook: Fields
) -> None:
    made = plan(standing_pair(here, there), rules(policy))
    assert (made.act, made.merged.to_salesforce, made.merged.to_outlook) == (act, to_salesforce, to_outlook)
    assert made.reason
    assert (made.mark, made.move_in, made.opt_in) == (False, False, False)


@pytest.mark.parametrize("origin", [Origin.OUTLOOK, Origin.MATCH])
def test_what_a_person_opted_in_stays_synced_outside_the_search(origin: Origin) -> None:
    assert plan(standing_pair(LEFT, SAME, origin=origin), rules()).act is Act.NOTHING
    assert plan(standing_pair(LEFT, CHANGED, origin=origin), rules()).act is Act.WRITE


@pytest.mark.parametrize("origin", [Origin.OUTLOOK, Origin.MATCH])
def test_a_persons_own_item_only_leaves_the_folder_when_the_record_is_shared_no_more(origin: Origin) -> None:
    assert plan(standing_pair(LEFT, SAME, origin=origin, invisible=True), rules()).act is Act.EXPEL


def test_the_copy_that_the_sync_made_is_deleted_when_the_record_is_shared_no_more() -> None:
    assert plan(standing_pair(LEFT, SAME, invisible=True), rules()).act is Act.WITHDRAW


def test_an_edit_of_a_record_that_is_shared_no_more_stays_with_the_person() -> None:
    made = plan(standing_pair(LEFT, CHANGED, invisible=True), rules())
    assert made.act is Act.EXPEL
    assert not made.merged.to_salesforce


def test_nothing_is_moved_in_outlook_where_nothing_is_carried_to_outlook() -> None:
    made = plan(standing_pair(LEFT, CHANGED, invisible=True), rules(ONLY_SALESFORCE))
    assert made.act in {Act.NOTHING, Act.FORGET}


def test_an_item_whose_edit_can_not_be_carried_leaves_the_folder_all_the_same() -> None:
    """It left the search: it does not stay in the folder for ever because somebody edited the copy in a one-way sync."""
    assert plan(standing_pair(LEFT, CHANGED), rules(ONLY_OUTLOOK)).act is Act.EXPEL


def test_an_edit_of_a_record_outside_the_search_is_carried_and_then_the_item_leaves() -> None:
    first = plan(standing_pair(LEFT, CHANGED), rules())
    assert first.act is Act.WRITE
    fields = {**OLD, **first.merged.to_salesforce}
    after = Pair(salesforce=record(fields, inside=False), outlook=contact(fields), link=link(base=base_of(fields)))
    assert plan(after, rules()).act is Act.WITHDRAW


@pytest.mark.parametrize(("act", "answer"), [(Act.CREATE_OUTLOOK, Winner.SALESFORCE), (Act.DELETE_SALESFORCE, Winner.OUTLOOK)])
def test_a_person_decides_between_an_edit_in_salesforce_and_a_deletion_in_outlook(act: Act, answer: Winner) -> None:
    assert plan(standing_pair(CHANGED, GONE), rules(ASK), answer=answer).act is act


@pytest.mark.parametrize(("act", "answer"), [(Act.DELETE_OUTLOOK, Winner.SALESFORCE), (Act.CREATE_SALESFORCE, Winner.OUTLOOK)])
def test_a_person_decides_between_a_deletion_in_salesforce_and_an_edit_in_outlook(act: Act, answer: Winner) -> None:
    assert plan(standing_pair(GONE, CHANGED), rules(ASK), answer=answer).act is act


def test_a_person_decides_a_conflict() -> None:
    pair = standing_pair(CHANGED, CHANGED)
    assert plan(pair, rules(ASK), answer=Winner.OUTLOOK).merged.to_salesforce == {"first_name": "Annie", "notes": "hello"}
    assert plan(pair, rules(ASK), answer=Winner.SALESFORCE).merged.to_outlook == {"first_name": "Anna", "phone": "11"}


@pytest.mark.parametrize("direction", [TO_OUTLOOK, TO_SALESFORCE])
@pytest.mark.parametrize("standings", [(CHANGED, GONE), (GONE, CHANGED)])
def test_a_one_way_sync_does_not_ask_about_a_deletion(direction: Direction, standings: tuple[Standing, Standing]) -> None:
    """The same as for fields: the source wins."""
    assert plan(standing_pair(*standings), rules(Policy(direction=direction, winner=Winner.ASK))).act is not Act.WAIT


# --------------------------------------------------------------------------- links that are no pair


def test_an_item_without_a_link_is_new() -> None:
    assert plan(Pair(outlook=contact()), rules()).act is Act.CREATE_SALESFORCE
    assert plan(Pair(salesforce=record()), rules()).act is Act.CREATE_OUTLOOK
    assert plan(Pair(salesforce=record(inside=False)), rules()).act is Act.NOTHING
    assert plan(Pair(outlook=contact(inside=False, marked=False)), rules()).act is Act.NOTHING


def test_a_category_anywhere_in_the_mailbox_opts_in_and_the_item_is_moved() -> None:
    made = plan(Pair(outlook=contact(inside=False, marked=True)), rules())
    assert (made.act, made.move_in) == (Act.CREATE_SALESFORCE, True)


def test_an_adopted_item_that_waits_elsewhere_is_moved_in() -> None:
    waiting = Pair(salesforce=record(), outlook=contact(inside=False), link=link(origin=Origin.MATCH, home=False))
    made = plan(waiting, rules())
    assert (made.act, made.move_in, made.mark) == (Act.SETTLE, True, False)


def test_the_category_is_put_back_on_an_item_in_the_folder() -> None:
    made = plan(standing_pair(SAME, SAME, marked=False), rules())
    assert (made.act, made.mark) == (Act.SETTLE, True)
    made = plan(standing_pair(CHANGED, SAME, marked=False), rules())
    assert (made.act, made.mark) == (Act.WRITE, True)


def opted_out(**changes: object) -> Link:
    return replace(link(), status=Status.OPTED_OUT, **changes)  # type: ignore[arg-type]


def test_what_was_opted_out_stays_out() -> None:
    outside = contact({**OLD, "phone": "9"}, inside=False, marked=False)
    changed = record({**OLD, "phone": "2"})
    assert plan(Pair(salesforce=changed, outlook=outside, link=opted_out()), rules()).act is Act.NOTHING
    assert plan(Pair(salesforce=changed, link=opted_out(outlook_id="")), rules()).act is Act.NOTHING
    assert plan(Pair(salesforce=changed, outlook=gone(O), link=opted_out()), rules()).act is Act.NOTHING


def test_an_opt_out_is_forgotten_with_its_record() -> None:
    outside = contact(inside=False, marked=False)
    assert plan(Pair(salesforce=gone(S), outlook=outside, link=opted_out()), rules()).act is Act.FORGET
    assert plan(Pair(salesforce=gone(S), link=opted_out()), rules()).act is Act.FORGET


def test_a_person_opts_in_again() -> None:
    back = plan(Pair(salesforce=record(), outlook=contact(), link=opted_out(home=False)), rules())
    assert (back.act, back.opt_in, back.move_in) == (Act.SETTLE, True, False)
    marked = plan(Pair(salesforce=record({**OLD, "phone": "2"}), outlook=contact(inside=False), link=opted_out()), rules())
    assert (marked.act, marked.opt_in, marked.move_in) == (Act.WRITE, True, True)
    assert marked.merged.to_outlook == {"phone": "2"}
    assert marked.pair.link is not None
    assert marked.pair.link.status is Status.ACTIVE


@pytest.mark.parametrize(
    "there", [contact(), contact(inside=False), contact({**OLD, "phone": "9"})], ids=["in the folder", "by category", "and edited"]
)
@pytest.mark.parametrize(
    "here",
    [record(inside=False), gone(S), Absent(id="003A", lack=Lack.INVISIBLE)],
    ids=["outside the search", "deleted", "shared no more"],
)
def test_what_a_person_opts_in_again_is_not_deleted(here: Item | Absent, there: Item) -> None:
    """The person has just said that it is to be synced (C3); opted-in items stay synced outside the search (D3)."""
    assert plan(Pair(salesforce=here, outlook=there, link=opted_out(home=False)), rules()).act not in DELETIONS


@pytest.mark.parametrize("outlook", [None, contact(), gone(O)])
def test_a_reserved_record_is_left_alone_until_it_is_gone(outlook: Item | Absent | None) -> None:
    reserved = Link(salesforce_id="003A", status=Status.RESERVED, origin=Origin.SALESFORCE)
    assert plan(Pair(salesforce=record(), outlook=outlook, link=reserved), rules()).act is Act.NOTHING
    assert plan(Pair(salesforce=gone(S), outlook=outlook, link=reserved), rules()).act is Act.FORGET


# --------------------------------------------------------------------------- how a side stands, with its link


def test_a_side_that_was_not_read_counts_as_the_same() -> None:
    assert stand(Pair(link=link()), S, HASH) is SAME
    assert stand(Pair(link=link()), O, HASH) is SAME
    assert stand(Pair(link=replace(link(), outlook_id="")), O, HASH) is MISSING
    assert stand(Pair(), S, HASH) is MISSING


@pytest.mark.parametrize(("origin", "expected"), [(Origin.SALESFORCE, LEFT), (Origin.OUTLOOK, SAME), (Origin.MATCH, SAME)])
def test_only_what_the_search_brought_can_leave_with_it(origin: Origin, expected: Standing) -> None:
    assert stand(Pair(salesforce=record(inside=False), link=link(origin=origin)), S, HASH) is expected


@pytest.mark.parametrize(
    ("home", "marked", "expected"), [(True, True, LEFT), (True, False, LEFT), (False, True, SAME), (False, False, LEFT)]
)
def test_an_item_leaves_by_being_moved_from_home_or_losing_the_category_elsewhere(home: bool, marked: bool, expected: Standing) -> None:
    outside = contact(inside=False, marked=marked)
    assert stand(Pair(outlook=outside, link=link(home=home)), O, HASH) is expected


def test_with_one_side_not_read_a_change_waits_for_it() -> None:
    assert plan(Pair(salesforce=record({**OLD, "phone": "2"}), link=link()), rules()).act is Act.NOTHING
    assert plan(Pair(outlook=contact({**OLD, "phone": "2"}), link=link()), rules()).act is Act.NOTHING


# --------------------------------------------------------------------------- ping-pong (X4)


def rewritten(turns: Turns, *, now_phone: str) -> Plan:
    """Salesforce rewrote the phone that the sync had written there."""
    made = link()
    pair = Pair(salesforce=record({**OLD, "phone": now_phone}), outlook=contact(), link=replace(made, turns=turns))
    return plan(pair, rules())


def test_a_rewrite_of_what_was_written_is_carried_a_few_times_and_then_rests() -> None:
    turns = Turns(since=NOW, wrote_salesforce=frozenset({"phone"}))
    for number in range(TURN_LIMIT):
        made = rewritten(turns, now_phone=f"+{number}")
        assert made.act is Act.WRITE
        assert made.turns is not None
        assert made.turns.count == number + 1
        turns = replace(made.turns, wrote_salesforce=frozenset({"phone"}))
    made = rewritten(turns, now_phone="+9")
    assert made.act is Act.REST
    assert made.merged.to_outlook == {"phone": "+9"}


def test_after_an_hour_the_count_begins_again() -> None:
    turns = Turns(count=TURN_LIMIT + 5, since=NOW - TURN_WINDOW - timedelta(seconds=1), wrote_salesforce=frozenset({"phone"}))
    made = rewritten(turns, now_phone="2")
    assert made.act is Act.WRITE
    assert made.turns is not None
    assert (made.turns.count, made.turns.since) == (1, NOW)


def test_a_person_who_edits_other_fields_is_no_ping_pong() -> None:
    turns = Turns(count=TURN_LIMIT, since=NOW, wrote_salesforce=frozenset({"notes"}))
    made = rewritten(turns, now_phone="2")
    assert made.act is Act.WRITE
    assert made.turns is not None
    assert (made.turns.count, made.turns.wrote_outlook) == (TURN_LIMIT, frozenset({"phone"}))


# --------------------------------------------------------------------------- what holds for every combination


def every_plan() -> Iterator[tuple[Standing, Standing, Policy, Winner | None, Plan]]:
    options = list(product(Origin, (False, True), (False, True), (False, True)))
    for here, there, policy in product(Standing, Standing, list(all_policies())):
        for origin, home, marked, invisible in options:
            if invisible and here is not LEFT:
                continue
            pair = standing_pair(here, there, origin=origin, home=home, marked=marked, invisible=invisible)
            for answer in (None, Winner.SALESFORCE, Winner.OUTLOOK) if policy.winner is Winner.ASK else (None,):
                yield here, there, policy, answer, plan(pair, rules(policy), answer=answer)


PLANS = list(every_plan())


def describe(plans: list[tuple[Standing, Standing, Policy, Winner | None, Plan]]) -> str:
    lines = [f"{here} | {there}: {made.act} ({policy}, answer {answer})" for here, there, policy, answer, made in plans[:10]]
    return "\n".join([f"{len(plans)} plans are wrong:", *lines])


def test_every_combination_has_a_plan_with_a_reason() -> None:
    assert len(PLANS) > 10_000
    assert all(made.reason for *_, made in PLANS)
    assert {made.act for *_, made in PLANS} == set(Act) - {Act.REST}


def test_nothing_is_deleted_that_is_not_gone_there_and_as_it_was_here() -> None:
    wrong = []
    for case in PLANS:
        _, _, _, answer, made = case
        here, there = stand(made.pair, S, HASH), stand(made.pair, O, HASH)
        match made.act:
            case Act.DELETE_OUTLOOK:
                fine = here is GONE and (there is SAME or answer is Winner.SALESFORCE)
            case Act.DELETE_SALESFORCE:
                fine = there is GONE and (here is SAME or answer is Winner.OUTLOOK)
            case Act.WITHDRAW:
                fine = here is LEFT and there is SAME and made.pair.link is not None and made.pair.link.origin is Origin.SALESFORCE
            case _:
                continue
        if not fine:
            wrong.append(case)
    assert not wrong, describe(wrong)


def test_nothing_is_deleted_without_the_switch_or_a_person() -> None:
    wrong = [
        case
        for case in PLANS
        for _, _, policy, answer, made in [case]
        if answer is None
        and (
            (made.act is Act.DELETE_SALESFORCE and not policy.remove_in_salesforce)
            or (made.act is Act.DELETE_OUTLOOK and not policy.remove_in_outlook)
        )
    ]
    assert not wrong, describe(wrong)


@pytest.mark.parametrize(
    ("side", "acts"),
    [(O, {Act.CREATE_OUTLOOK, Act.DELETE_OUTLOOK, Act.WITHDRAW, Act.EXPEL}), (S, {Act.DELETE_SALESFORCE})],
)
def test_nothing_is_carried_against_the_direction(side: Side, acts: set[Act]) -> None:
    wrong = []
    for case in PLANS:
        _, _, policy, _, made = case
        written = made.merged.to_outlook if side is O else made.merged.to_salesforce
        if not policy.direction.reaches(side) and (made.act in acts or written):
            wrong.append(case)
    assert not wrong, describe(wrong)


def test_only_ask_waits_and_an_answer_never_does() -> None:
    wrong = [case for case in PLANS if case[4].act is Act.WAIT and (case[2].winner is not Winner.ASK or case[3] is not None)]
    assert not wrong, describe(wrong)


def test_everything_that_would_overwrite_or_lose_an_edit_waits_under_ask() -> None:
    wrong = [
        case
        for case in PLANS
        for here, there, policy, answer, made in [case]
        if policy.winner is Winner.ASK
        and policy.direction is BOTH
        and answer is None
        and (here, there) in {(CHANGED, CHANGED), (CHANGED, GONE), (GONE, CHANGED)}
        and made.act is not Act.WAIT
    ]
    assert not wrong, describe(wrong)


def test_a_write_goes_only_to_an_item_that_was_read() -> None:
    wrong = [
        case
        for case in PLANS
        for made in [case[4]]
        if made.act is Act.WRITE and not (isinstance(made.pair.salesforce, Item) and isinstance(made.pair.outlook, Item) and made.pair.link)
    ]
    assert not wrong, describe(wrong)


def test_a_plan_names_conflicts_only_where_both_sides_changed() -> None:
    wrong = [case for case in PLANS if case[4].conflicts and {one.field for one in case[4].conflicts} != CONFLICTED]
    assert not wrong, describe(wrong)


@pytest.mark.parametrize("policy", list(all_policies()), ids=str)
@pytest.mark.parametrize("origin", Origin)
def test_two_sides_that_agree_are_left_alone(policy: Policy, origin: Origin) -> None:
    assert plan(standing_pair(SAME, SAME, origin=origin), rules(policy)) == Plan(
        pair=standing_pair(SAME, SAME, origin=origin), act=Act.NOTHING, reason="both hold what they held"
    )


@pytest.mark.parametrize("winner", Winner)
def test_an_adopted_pair_that_holds_the_same_is_agreed_without_a_write(winner: Winner) -> None:
    adopted = Pair(salesforce=record(), outlook=contact(), link=link(origin=Origin.MATCH, base=Base()))
    made = plan(adopted, rules(Policy(winner=winner)))
    assert (made.act, made.merged.agreed) == (Act.SETTLE, frozenset(OLD))


def test_places_and_marks_of_salesforce_do_not_matter_for_what_is_moved() -> None:
    assert all(made.pair.outlook is not None for *_, made in PLANS if made.mark or made.move_in)
    assert all(
        isinstance(made.pair.outlook, Item) and (made.pair.outlook.place is Place.OUTSIDE) is made.move_in
        for *_, made in PLANS
        if made.mark or made.move_in
    )
