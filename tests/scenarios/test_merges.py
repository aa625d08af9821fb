"""Salesforce merges move the link to the surviving record (D6); nothing is deleted or doubled because of them."""

from tests.scenarios.stage import (
    account,
    agrees,
    has_item,
    in_outlook,
    in_salesforce,
    is_deleted,
    linked,
    links,
    names_in,
    record,
    set_profile,
    state_rows,
    stays_quiet,
    the_item,
    the_record,
)
from tests.tenant import Somebody, Tenant


async def test_a_link_follows_its_record_to_a_winner_that_was_not_linked(tenant: Tenant, ada: Somebody, bob: Somebody) -> None:
    tenant.salesforce.set_org_wide("Contact", "read_write")
    home = account(tenant, bob, "Home")
    await tenant.round()
    item = in_outlook(ada, "Loser", companyName="Home")
    tenant.salesforce.share(home, ada.username, "edit")
    await tenant.later(minutes=5)
    loser = the_record(tenant, "Loser")["Id"]
    winner = in_salesforce(bob, "Winner", AccountId=home, Phone="1")
    tenant.salesforce.system.merge(winner, [loser])
    await tenant.later(minutes=5)
    await tenant.later(minutes=65)
    assert links(tenant, ada) == {winner: item}, "the person's own item stays and now mirrors the survivor"
    assert the_item(ada, "Winner")["businessPhones"] == ["1"]
    assert names_in(bob) == ["Winner"]
    ada.outlook.edit_contact(item, {"jobTitle": "Boss"})
    await tenant.later(minutes=5)
    assert record(tenant, winner)["Title"] == "Boss"
    await stays_quiet(tenant)


async def test_a_merge_into_a_new_record_of_mine_makes_no_second_item(tenant: Tenant, ada: Somebody) -> None:
    loser, item = await linked(tenant, ada, "Loser")
    winner = in_salesforce(ada, "Winner")
    ada.crm.merge(winner, [loser])
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert links(tenant, ada) == {winner: item}
    assert names_in(ada) == ["Winner"]
    await agrees(tenant, ada)


async def test_when_both_were_synced_the_survivors_item_stays_and_the_other_leaves(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDeleteInSalesforce=True)
    winner, kept = await linked(tenant, ada, "Winner")
    loser, other = await linked(tenant, ada, "Loser", Phone="1")
    await linked(tenant, ada, "Third")
    ada.crm.merge(winner, [loser], {"Phone": "1"})
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert names_in(ada) == ["Third", "Winner"]
    assert has_item(ada, kept)
    assert not has_item(ada, other)
    assert ada.outlook.contact(kept)["businessPhones"] == ["1"]
    assert not is_deleted(tenant, winner)
    await agrees(tenant, ada)


async def test_a_chain_of_merges_is_followed_to_its_end(tenant: Tenant, ada: Somebody) -> None:
    made = {name: (await linked(tenant, ada, name))[0] for name in ("A", "B", "C", "D", "Other")}
    tenant.clock.advance(10)
    for loser, winner in (("A", "B"), ("B", "C"), ("C", "D")):
        tenant.clock.advance(5)
        ada.crm.merge(made[winner], [made[loser]])
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert names_in(ada) == ["D", "Other"]
    assert sorted(links(tenant, ada)) == sorted([made["D"], made["Other"]])
    await agrees(tenant, ada)


async def test_a_chain_of_merges_carries_the_only_item_along(tenant: Tenant, ada: Somebody, bob: Somebody) -> None:
    tenant.salesforce.set_org_wide("Contact", "read_write")
    home = account(tenant, ada, "Home")
    one, item = await linked(tenant, ada, "A", AccountId=home)
    steps = [in_salesforce(bob, name, AccountId=home) for name in ("B", "C")]
    last = in_salesforce(ada, "D", AccountId=home)
    tenant.salesforce.system.merge(steps[0], [one])
    tenant.salesforce.system.merge(steps[1], [steps[0]])
    tenant.salesforce.system.merge(last, [steps[1]])
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert names_in(ada) == ["D"], "one item, not two"
    assert links(tenant, ada) == {last: item}, "the item that was there, not a new one"
    await agrees(tenant, ada)


async def test_a_merge_into_a_record_that_the_user_cannot_see_takes_the_item_out(tenant: Tenant, ada: Somebody, bob: Somebody) -> None:
    await set_profile(tenant, ContactsDeleteInSalesforce=True)
    loser, item = await linked(tenant, ada, "Loser")
    await linked(tenant, ada, "Other")
    winner = in_salesforce(bob, "Winner")
    tenant.salesforce.system.merge(winner, [loser])
    await tenant.later(minutes=5)
    await tenant.later(minutes=65)
    assert names_in(ada) == ["Other"]
    assert not has_item(ada, item)
    assert not is_deleted(tenant, winner)
    await stays_quiet(tenant)


async def test_a_merge_and_an_edit_in_outlook_lose_nothing(tenant: Tenant, ada: Somebody, bob: Somebody) -> None:
    tenant.salesforce.set_org_wide("Contact", "read_write")
    home = account(tenant, ada, "Home")
    loser, item = await linked(tenant, ada, "Meyer", AccountId=home, FirstName="Mary")
    winner = in_salesforce(bob, "Meyer", AccountId=home, FirstName="Mary")
    tenant.salesforce.system.merge(winner, [loser])
    tenant.salesforce.system.update(winner, {"OwnerId": ada.crm.id})
    ada.outlook.edit_contact(item, {"jobTitle": "Boss"})
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert record(tenant, winner)["Title"] == "Boss"
    assert names_in(ada) == ["Meyer"]
    await agrees(tenant, ada)


async def test_an_edit_of_the_losers_item_is_not_thrown_away(tenant: Tenant, ada: Somebody) -> None:
    winner, _ = await linked(tenant, ada, "Winner")
    loser, item = await linked(tenant, ada, "Loser")
    await linked(tenant, ada, "Third")
    ada.crm.merge(winner, [loser])
    ada.outlook.edit_contact(item, {"jobTitle": "Precious"})
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    everywhere = [one["jobTitle"] for one in ada.outlook.contacts()] + [row.get("Title") for row in tenant.contacts()]
    assert "Precious" in everywhere, "it is carried, or the person keeps the item"
    assert sorted(row["LastName"] for row in tenant.contacts()) == ["Third", "Winner"]
    await stays_quiet(tenant)


async def test_three_records_merged_into_one(tenant: Tenant, ada: Somebody) -> None:
    winner, _ = await linked(tenant, ada, "Winner")
    first, _ = await linked(tenant, ada, "First")
    second, _ = await linked(tenant, ada, "Second")
    for number in range(10):
        in_salesforce(ada, f"Other{number}")
    await tenant.later(minutes=5)
    ada.crm.merge(winner, [first, second])
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert len(ada.items()) == 11
    assert len(state_rows(tenant, ada, "link|")) == 11
    await agrees(tenant, ada)


async def test_an_opted_out_record_that_is_merged_stays_opted_out(tenant: Tenant, ada: Somebody, bob: Somebody) -> None:
    tenant.salesforce.set_org_wide("Contact", "read_write")
    home = account(tenant, ada, "Home")
    loser, item = await linked(tenant, ada, "Loser", AccountId=home)
    ada.outlook.move_contact(item, "contacts")
    await tenant.later(minutes=5)
    winner = in_salesforce(bob, "Winner", AccountId=home)
    tenant.salesforce.system.merge(winner, [loser])
    tenant.salesforce.system.update(winner, {"OwnerId": ada.crm.id})
    await tenant.later(minutes=5)
    await tenant.later(minutes=65)
    assert ada.items() == [], "the same person under another id: the view does not bring them back"
    assert names_in(ada, None) == ["Loser"]
    await stays_quiet(tenant)
