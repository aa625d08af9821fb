"""Reading by condition: the full read, the changes after it, what left, and what was deleted."""

from collections.abc import Mapping
from typing import Any

import pytest

from shared.errors import Code, Permanent
from shared.records import Absent, Item, Lack, Place
from sync.connectors.salesforce.org import SalesforceOrg
from sync.ports import SalesforcePage, SalesforceRead, Search
from tests.connectors.salesforce.conftest import ALICE, BOB, NOON, World
from tests.connectors.salesforce.kinds import PERSON

EVERYTHING = Search(name="all", condition="")


def mine(world: World) -> Search:
    return Search(name="mine", condition=f"OwnerId = '{world.ids[ALICE]}'")


async def read_page(org: SalesforceOrg, search: Search, state: Mapping[str, Any], **options: Any) -> SalesforcePage:
    (page,) = await org.read([SalesforceRead(kind=PERSON, search=search, state=state, **options)])
    return page


async def read_all(org: SalesforceOrg, search: Search, state: Mapping[str, Any], **options: Any) -> list[SalesforcePage]:
    pages = [await read_page(org, search, state, **options)]
    while pages[-1].more:
        pages.append(await read_page(org, search, pages[-1].state, **options))
    return pages


def ids(page: SalesforcePage) -> list[str]:
    return [seen.id for seen in page.items]


async def test_a_first_read_runs_in_the_order_of_id_and_covers_every_id(world: World) -> None:
    world.sandbox.knobs.page_rows = 2
    made = sorted(world.contact(f"Roe {number}") for number in range(5))
    pages = await read_all(await world.org(), EVERYTHING, {})
    assert [ids(page) for page in pages] == [made[0:2], made[2:4], made[4:5]]
    assert [(page.first_id, page.last_id) for page in pages] == [("", made[1]), (made[1], made[3]), (made[3], "~")]
    assert all(page.full for page in pages)


async def test_after_the_full_read_only_what_changed_is_read(world: World) -> None:
    world.contact("Old")
    org = await world.org()
    world.clock.advance(3600)
    (first,) = await read_all(org, EVERYTHING, {})
    world.clock.advance(60)
    changed = world.contact("New")
    (second,) = await read_all(org, EVERYTHING, first.state)
    assert ids(second) == [changed]
    assert not second.full
    assert second.date > NOON


async def test_a_change_made_while_a_first_read_is_paging_is_read_afterwards(world: World) -> None:
    world.sandbox.knobs.page_rows = 1
    first, *_ = sorted(world.contact(f"Roe {number}") for number in range(3))
    org = await world.org()
    page = await read_page(org, EVERYTHING, {})
    world.clock.advance(1)
    world.sandbox.as_user(ALICE).update(first, {"Title": "Late"})
    while page.more:
        world.clock.advance(1200)
        page = await read_page(org, EVERYTHING, page.state)
    changes = await read_all(org, EVERYTHING, page.state)
    assert "Late" in [seen.fields["title"] for each in changes for seen in each.items if seen.id == first]


async def test_a_row_that_becomes_visible_late_is_still_read(world: World) -> None:
    org = await world.org()
    world.clock.advance(3600)
    (first,) = await read_all(org, EVERYTHING, {})
    late = world.sandbox.as_user(ALICE).create("Contact", {"LastName": "Slow"}, visible_after=300)
    world.clock.advance(200)
    (second,) = await read_all(org, EVERYTHING, first.state)
    world.clock.advance(200)
    (third,) = await read_all(org, EVERYTHING, second.state)
    assert (ids(second), ids(third)) == ([], [late])


async def test_many_rows_with_one_stamp_are_paged_without_loss(world: World) -> None:
    org = await world.org()
    world.clock.advance(3600)
    (first,) = await read_all(org, EVERYTHING, {})
    made = sorted(world.contact(f"Roe {number}") for number in range(7))
    world.sandbox.knobs.page_rows = 3
    pages = await read_all(org, EVERYTHING, first.state)
    assert [seen for page in pages for seen in ids(page)] == made
    assert len(pages) == 3


async def test_no_position_is_later_than_the_services_clock(world: World) -> None:
    org = await world.org()
    world.contact()
    (page,) = await read_all(org, EVERYTHING, {})
    assert page.state == {"phase": "changes", "since": "2026-01-01T11:50:00Z"}


async def test_deleted_and_merged_records_are_told_apart(world: World) -> None:
    winner, loser, deleted = (world.contact(name) for name in ("Winner", "Loser", "Deleted"))
    org = await world.org()
    (first,) = await read_all(org, EVERYTHING, {})
    world.sandbox.as_user(ALICE).merge(winner, [loser])
    world.sandbox.as_user(ALICE).delete(deleted)
    (second,) = await read_all(org, EVERYTHING, first.state)
    seen = {each.id: each for each in second.items}
    assert isinstance(seen[winner], Item)
    assert seen[loser] == Absent(id=loser, lack=Lack.MERGED, now=winner, fields=seen[loser].fields)
    assert seen[deleted] == Absent(id=deleted, lack=Lack.DELETED, fields=seen[deleted].fields)
    assert seen[deleted].fields["last_name"] == "Deleted"


async def test_the_search_bounds_what_is_read_and_records_outside_are_read_by_id(world: World) -> None:
    shared = world.contact("Shared", BOB, AccountId=world.sandbox.as_user(BOB).create("Account", {"Name": "Bobs"}))
    world.sandbox.share(shared, ALICE)
    own = world.contact("Own")
    org = await world.org()
    world.clock.advance(3600)
    (first,) = await read_all(org, mine(world), {})
    world.clock.advance(60)
    world.sandbox.as_user(BOB).update(shared, {"Title": "Boss"})
    world.sandbox.as_user(ALICE).update(own, {"Title": "Boss"})
    (second,) = await read_all(org, mine(world), first.state, outside=(shared, own))
    assert ids(first) == [own]
    assert {seen.id: seen.place for seen in second.items if isinstance(seen, Item)} == {own: Place.INSIDE, shared: Place.OUTSIDE}


async def test_a_sweep_brings_ids_and_stamps_and_begins_anew_after_its_end(world: World) -> None:
    world.sandbox.knobs.page_rows = 2
    made = sorted(world.contact(f"Roe {number}") for number in range(3))
    pages = await read_all(await world.org(), EVERYTHING, {}, ids_only=True)
    assert [ids(page) for page in pages] == [made[:2], made[2:]]
    assert pages[-1].state == {}
    assert pages[-1].last_id == "~"
    assert all(isinstance(seen, Item) and not seen.fields and seen.version for page in pages for seen in page.items)


async def test_a_quiet_read_of_five_queries_is_one_call(world: World) -> None:
    org = await world.org()
    (page,) = await read_all(org, EVERYTHING, {})
    world.sent()
    read = SalesforceRead(kind=PERSON, search=EVERYTHING, state=page.state)
    await org.read([read] * 5)
    assert world.sent() == ["POST composite"]


async def test_a_hidden_field_is_not_asked_for(world: World) -> None:
    world.contact(Title="Secret")
    world.sandbox.set_fls(ALICE, "Contact", "Title", "hidden")
    page = await read_page(await world.org(), EVERYTHING, {})
    assert [sorted(seen.fields) for seen in page.items] == [["email", "first_name", "last_name"]]


async def test_a_field_that_vanishes_between_two_reads_is_described_anew_once(world: World) -> None:
    world.contact(Title="Secret")
    org = await world.org()
    page = await read_page(org, EVERYTHING, {})
    world.sandbox.set_fls(ALICE, "Contact", "Title", "hidden")
    world.sent()
    page = await read_page(org, EVERYTHING, page.state)
    assert world.sent() == ["POST composite", "GET sobjects/Contact/describe", "POST composite"]
    assert [sorted(seen.fields) for seen in page.items] == [["email", "first_name", "last_name"]]


async def test_a_search_that_names_an_unknown_field_is_the_profiles_fault(world: World) -> None:
    org = await world.org()
    with pytest.raises(Permanent) as refused:
        await read_page(org, Search(name="odd", condition="Shoe__c = 4"), {})
    assert refused.value.code is Code.PROFILE_INVALID


async def test_a_user_without_the_object_is_told_so(world: World) -> None:
    world.sandbox.set_object_permission(ALICE, "Contact", "read", granted=False)
    org = await world.org()
    with pytest.raises(Permanent) as refused:
        await read_page(org, EVERYTHING, {})
    assert refused.value.code is Code.NO_ACCESS_TO_OBJECT


async def test_counting_is_one_call_and_leaves_deleted_records_out(world: World) -> None:
    kept, deleted = world.contact(), world.contact()
    world.sandbox.as_user(ALICE).delete(deleted)
    assert kept
    org = await world.org()
    world.sent()
    assert await org.count(PERSON, mine(world)) == 1
    assert world.sent() == ["GET query"]


async def test_looking_by_id_tells_deleted_merged_and_invisible_records_apart(world: World) -> None:
    winner, loser, deleted, hidden, purged = (world.contact(name) for name in "WLDHP")
    world.sandbox.as_user(ALICE).merge(winner, [loser])
    world.sandbox.as_user(ALICE).delete(deleted)
    world.sandbox.as_user(ALICE).delete(purged)
    world.sandbox.as_user(ALICE).purge(purged)
    world.sandbox.system.update(hidden, {"OwnerId": world.ids[BOB]})
    org = await world.org()
    seen = await org.get(PERSON, [winner, loser, deleted, hidden, purged], EVERYTHING)
    assert isinstance(seen[winner], Item)
    lacks = {name: (each.lack, each.now) for name, each in seen.items() if isinstance(each, Absent)}
    assert lacks == {
        loser: (Lack.MERGED, winner),
        deleted: (Lack.DELETED, None),
        hidden: (Lack.INVISIBLE, None),
        purged: (Lack.INVISIBLE, None),
    }


async def test_looking_by_id_says_whether_a_record_is_in_the_search(world: World) -> None:
    own, other = world.contact("Own"), world.contact("Other", BOB, AccountId=world.sandbox.as_user(BOB).create("Account", {"Name": "Bobs"}))
    world.sandbox.share(other, ALICE)
    org = await world.org()
    seen = await org.get(PERSON, [own, other], mine(world))
    assert {name: each.place for name, each in seen.items() if isinstance(each, Item)} == {own: Place.INSIDE, other: Place.OUTSIDE}


@pytest.mark.parametrize(("count", "condition", "calls"), [(1000, True, 1), (2000, True, 2), (2000, False, 1)])
async def test_looking_at_thousands_of_ids_takes_few_calls(world: World, count: int, condition: bool, calls: int) -> None:
    org = await world.org()
    await org.schema(PERSON)
    world.sent()
    made = [f"003A00000{number:06}AAA" for number in range(count)]
    seen = await org.get(PERSON, made, mine(world) if condition else EVERYTHING)
    assert len(seen) == count
    assert world.sent() == ["POST composite"] * calls


async def test_rows_are_collected_over_the_services_pages(world: World) -> None:
    made = [world.contact(f"Roe {number}") for number in range(7)]
    world.sandbox.knobs.page_rows = 2
    seen = await (await world.org()).get(PERSON, made, EVERYTHING)
    assert all(isinstance(each, Item) for each in seen.values())


async def test_equal_schemas_are_kept_once_and_described_once_an_hour(world: World) -> None:
    alice, bob = await world.org(ALICE), await world.org(BOB)
    assert await alice.schema(PERSON) is await bob.schema(PERSON)
    world.sent()
    await alice.schema(PERSON)
    assert world.sent() == []
    world.clock.advance(3601)
    await alice.schema(PERSON)
    assert world.sent() == ["GET sobjects/Contact/describe"]


async def test_the_key_field_is_used_where_the_user_may_write_it(world: World) -> None:
    assert (await (await world.org()).schema(PERSON)).key_field == "Tandem_Key__c"
    world.sandbox.set_fls(BOB, "Contact", "Tandem_Key__c", "readonly")
    assert (await (await world.org(BOB)).schema(PERSON)).key_field == ""
