"""One-way syncs (W3): what is carried, what stays on its side, and what a deletion means then."""

import pytest

from tests.scenarios.stage import (
    CATEGORY,
    DEFAULT_FOLDER,
    FOLDER,
    address,
    agrees,
    error_rows,
    has_item,
    in_outlook,
    in_salesforce,
    is_deleted,
    linked,
    links,
    names_in,
    our_writes,
    questions,
    record,
    set_profile,
    stays_quiet,
    the_item,
    the_record,
)
from tests.tenant import Somebody, Tenant

TO_OUTLOOK, TO_SALESFORCE = "salesforce to outlook", "outlook to salesforce"


def writes_in_salesforce(tenant: Tenant) -> int:
    return our_writes(tenant)[1]


async def test_salesforce_to_outlook_creates_and_updates_only_in_outlook(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDirection=TO_OUTLOOK)
    one, item = await linked(tenant, ada)
    in_outlook(ada, "Mine")
    ada.outlook.edit_contact(item, {"jobTitle": "Mine"})
    ada.crm.update(one, {"Phone": "1"})
    await tenant.later(minutes=5)
    assert (ada.outlook.contact(item)["businessPhones"], ada.outlook.contact(item)["jobTitle"]) == (["1"], "Mine")
    assert names_in(ada) == ["Meyer", "Mine"]
    assert writes_in_salesforce(tenant) == 0
    assert await error_rows(tenant, ada) == []
    await stays_quiet(tenant)


async def test_salesforce_to_outlook_wins_a_field_that_both_changed(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDirection=TO_OUTLOOK, ContactsConflictRule="ask")
    one, item = await linked(tenant, ada, Title="Old")
    ada.outlook.edit_contact(item, {"jobTitle": "Mine"})
    ada.crm.update(one, {"Title": "Theirs"})
    await tenant.later(minutes=5)
    assert ada.outlook.contact(item)["jobTitle"] == "Theirs", "a one-way sync asks nobody"
    assert await questions(tenant, ada) == []
    assert writes_in_salesforce(tenant) == 0
    await stays_quiet(tenant)


async def test_salesforce_to_outlook_brings_back_what_was_deleted_in_outlook(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDirection=TO_OUTLOOK, ContactsDeleteInSalesforce=True)
    one, item = await linked(tenant, ada)
    ada.outlook.delete_contact(item)
    await tenant.later(minutes=5)
    assert names_in(ada) == ["Meyer"]
    assert not is_deleted(tenant, one)
    await stays_quiet(tenant)


async def test_salesforce_to_outlook_carries_deletions(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDirection=TO_OUTLOOK)
    one, item = await linked(tenant, ada)
    ada.crm.delete(one)
    await tenant.later(minutes=5)
    assert not has_item(ada, item)
    await stays_quiet(tenant)


async def test_salesforce_to_outlook_links_an_item_that_matches_and_fills_what_is_empty(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDirection=TO_OUTLOOK)
    ada.outlook.create_folder(FOLDER)
    item = in_outlook(ada, "Adams", emailAddresses=address("a@example.com"), mobilePhone="7")
    one = in_salesforce(ada, "Adams", Email="a@example.com", Phone="1")
    await tenant.round()
    assert links(tenant, ada) == {one: item}
    assert (ada.outlook.contact(item)["businessPhones"], ada.outlook.contact(item)["mobilePhone"]) == (["1"], "7")
    assert writes_in_salesforce(tenant) == 0
    await stays_quiet(tenant)


async def test_salesforce_to_outlook_still_puts_the_category_back_and_remembers_who_was_moved_out(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDirection=TO_OUTLOOK)
    _, item = await linked(tenant, ada)
    out, gone = await linked(tenant, ada, "Out")
    ada.outlook.edit_contact(item, {"categories": []})
    ada.outlook.move_contact(gone, DEFAULT_FOLDER)
    await tenant.later(minutes=5)
    assert ada.outlook.contact(item)["categories"] == [CATEGORY]
    assert list(links(tenant, ada, "opted out")) == [out]
    await tenant.later(hours=25)
    assert names_in(ada) == ["Meyer"]
    await stays_quiet(tenant)


async def test_outlook_to_salesforce_creates_and_updates_only_in_salesforce(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDirection=TO_SALESFORCE)
    await tenant.round()
    theirs = in_salesforce(ada, "Theirs")
    item = in_outlook(ada, "Mine")
    await tenant.later(minutes=5)
    one = the_record(tenant, "Mine")["Id"]
    ada.outlook.edit_contact(item, {"jobTitle": "Boss"})
    ada.crm.update(one, {"Phone": "1"})
    await tenant.later(minutes=5)
    assert (record(tenant, one)["Title"], record(tenant, one)["Phone"]) == ("Boss", "1")
    assert (names_in(ada), ada.outlook.contact(item)["businessPhones"]) == (["Mine"], [])
    assert not is_deleted(tenant, theirs)
    await stays_quiet(tenant)


async def test_outlook_to_salesforce_wins_a_field_that_both_changed(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDirection=TO_SALESFORCE)
    await tenant.round()
    item = in_outlook(ada, "Mine", jobTitle="Old")
    await tenant.later(minutes=5)
    one = the_record(tenant, "Mine")["Id"]
    ada.crm.update(one, {"Title": "Theirs"})
    ada.outlook.edit_contact(item, {"jobTitle": "Mine"})
    await tenant.later(minutes=5)
    assert record(tenant, one)["Title"] == ada.outlook.contact(item)["jobTitle"] == "Mine"
    await stays_quiet(tenant)


@pytest.mark.parametrize("auto_removal", [True, False])
async def test_outlook_to_salesforce_carries_a_deletion_only_with_auto_removal(tenant: Tenant, ada: Somebody, auto_removal: bool) -> None:
    await set_profile(tenant, ContactsDirection=TO_SALESFORCE, ContactsDeleteInSalesforce=auto_removal)
    await tenant.round()
    item = in_outlook(ada, "Mine")
    await tenant.later(minutes=5)
    one = the_record(tenant, "Mine")["Id"]
    ada.outlook.delete_contact(item)
    await tenant.later(minutes=5)
    assert is_deleted(tenant, one) == auto_removal
    assert ada.items() == []
    await stays_quiet(tenant)


async def test_outlook_to_salesforce_leaves_the_item_alone_when_the_record_is_deleted(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDirection=TO_SALESFORCE)
    await tenant.round()
    item = in_outlook(ada, "Mine")
    await tenant.later(minutes=5)
    ada.crm.delete(the_record(tenant, "Mine")["Id"])
    await tenant.later(minutes=5)
    assert has_item(ada, item)
    await stays_quiet(tenant)


async def test_changes_that_stayed_on_their_side_are_carried_once_the_direction_allows(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDirection=TO_OUTLOOK)
    one, item = await linked(tenant, ada)
    in_outlook(ada, "Mine")
    ada.outlook.edit_contact(item, {"jobTitle": "Boss"})
    await tenant.later(minutes=5)
    assert record(tenant, one).get("Title") is None
    await set_profile(tenant, ContactsDirection="both")
    await tenant.later(minutes=5)
    assert record(tenant, one)["Title"] == "Boss"
    assert sorted(row["LastName"] for row in tenant.contacts()) == ["Meyer", "Mine"]
    await agrees(tenant, ada)


async def test_an_edit_that_was_not_carried_does_not_block_later_edits_of_other_fields(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDirection=TO_OUTLOOK)
    one, item = await linked(tenant, ada)
    ada.outlook.edit_contact(item, {"jobTitle": "Mine"})
    for number in range(3):
        ada.crm.update(one, {"Phone": str(number)})
        await tenant.later(minutes=5)
        assert the_item(ada, "Meyer")["businessPhones"] == [str(number)]
    assert ada.outlook.contact(item)["jobTitle"] == "Mine"
    await stays_quiet(tenant)
