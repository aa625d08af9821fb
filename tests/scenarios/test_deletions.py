"""Deletions (D1–D4): auto-removal, keeping, the guard and its approval, and what is no deletion although something is gone."""

import pytest

from sync.runner import Times
from tests.scenarios.stage import (
    CATEGORY,
    DEFAULT_FOLDER,
    FOLDER,
    account,
    agree_to_deletions,
    agrees,
    approvals,
    error_rows,
    has_item,
    in_outlook,
    in_salesforce,
    is_deleted,
    linked,
    links,
    minutes,
    names_in,
    pendings,
    record,
    set_profile,
    state_rows,
    stays_quiet,
    table_of,
    the_error,
    the_item,
    the_record,
)
from tests.tenant import Somebody, Tenant


async def many(tenant: Tenant, who: Somebody, count: int) -> list[str]:
    """So many contacts, synced; their Salesforce ids."""
    made = [in_salesforce(who, f"Nr{number:03d}") for number in range(count)]
    await tenant.later(minutes=5)
    assert len(who.items()) == count
    return made


def alive(tenant: Tenant) -> int:
    return len(tenant.contacts())


# --------------------------------------------------------------------------- D1, D2


async def test_a_deletion_in_outlook_is_undone_by_default(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada, Phone="1")
    ada.outlook.delete_contact(item)
    await tenant.later(minutes=5)
    assert the_item(ada, "Meyer")["businessPhones"] == ["1"]
    assert not is_deleted(tenant, one)
    await agrees(tenant, ada)


async def test_a_deletion_in_outlook_deletes_in_salesforce_with_auto_removal(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDeleteInSalesforce=True)
    one, item = await linked(tenant, ada)
    ada.outlook.delete_contact(item)
    await tenant.later(minutes=5)
    assert is_deleted(tenant, one)
    journal = [row.values for row in await tenant.rows("SyncJournal") if row.values["Action"] == "delete"]
    assert [row["SalesforceId"] for row in journal] == [one], "what was deleted is in the journal"
    assert "Meyer" in str(journal)
    await agrees(tenant, ada)


async def test_a_deletion_in_salesforce_deletes_in_outlook_by_default(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    ada.crm.delete(one)
    await tenant.later(minutes=5)
    assert not has_item(ada, item)
    assert any("Whole" in row.values for row in await tenant.rows("SyncJournal")), "the whole item is in the journal"
    await agrees(tenant, ada)


async def test_a_deletion_in_salesforce_moves_the_item_to_the_default_folder_when_removal_is_off(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDeleteInOutlook=False)
    one, item = await linked(tenant, ada, Phone="1")
    ada.outlook.edit_contact(item, {"categories": [CATEGORY, "Golf"], "nickName": "Mo"})
    ada.outlook.set_photo(item, "AAAA")
    await tenant.later(minutes=5)
    ada.crm.delete(one)
    await tenant.later(minutes=5)
    kept = the_item(ada, "Meyer", DEFAULT_FOLDER)
    assert ada.items() == []
    assert (kept["categories"], kept["nickName"], kept["businessPhones"], kept["hasPhoto"]) == (["Golf"], "Mo", ["1"], True)
    await stays_quiet(tenant)
    assert alive(tenant) == 0, "it is never read as new"
    await tenant.later(hours=25)
    assert alive(tenant) == 0
    assert state_rows(tenant, ada, "link|") == []


async def test_a_person_who_opts_in_such_an_item_gets_a_new_record(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDeleteInOutlook=False)
    one, _ = await linked(tenant, ada)
    ada.crm.delete(one)
    await tenant.later(minutes=5)
    ada.outlook.edit_contact(the_item(ada, "Meyer", DEFAULT_FOLDER)["id"], {"categories": [CATEGORY]})
    await tenant.later(minutes=5)
    assert [row["LastName"] for row in tenant.contacts()] == ["Meyer"]
    await agrees(tenant, ada)


async def test_a_contact_deleted_on_both_sides_is_forgotten(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDeleteInSalesforce=True)
    one, item = await linked(tenant, ada)
    ada.crm.delete(one)
    ada.outlook.delete_contact(item)
    await tenant.later(minutes=5)
    assert state_rows(tenant, ada, "link|") == []
    await agrees(tenant, ada)


async def test_a_contact_restored_from_deleted_items_before_the_round_was_never_gone(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDeleteInSalesforce=True)
    one, item = await linked(tenant, ada)
    ada.outlook.delete_contact(item)
    ada.outlook.restore_contact(item, FOLDER)
    await tenant.later(minutes=5)
    assert not is_deleted(tenant, one)
    assert links(tenant, ada) == {one: item}
    await agrees(tenant, ada)


async def test_a_record_undeleted_before_the_round_was_never_gone(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    ada.crm.delete(one)
    tenant.clock.advance(30)
    ada.crm.undelete(one)
    await tenant.later(minutes=5)
    assert links(tenant, ada) == {one: item}
    await agrees(tenant, ada)


async def test_a_record_undeleted_later_comes_back_to_outlook(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada, Phone="1")
    ada.crm.delete(one)
    await tenant.later(minutes=5)
    assert not has_item(ada, item)
    ada.crm.undelete(one)
    await tenant.later(minutes=5)
    assert the_item(ada, "Meyer")["businessPhones"] == ["1"]
    await agrees(tenant, ada)


async def test_a_record_that_vanished_for_good_leaves_the_folder_at_the_next_sweep(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDeleteInSalesforce=True)
    one, item = await linked(tenant, ada)
    await linked(tenant, ada, "Other")
    tenant.salesforce.purge(one)
    await tenant.later(minutes=65)
    assert not has_item(ada, item)
    assert names_in(ada) == ["Other"]
    await agrees(tenant, ada)


async def test_an_opted_in_item_whose_record_vanished_for_good_is_kept_by_the_person(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    in_outlook(ada, "Friend")
    in_outlook(ada, "Other")
    await tenant.later(minutes=5)
    tenant.salesforce.purge(the_record(tenant, "Friend")["Id"])
    await tenant.later(minutes=65)
    assert names_in(ada, DEFAULT_FOLDER) == ["Friend"]
    assert the_item(ada, "Friend", DEFAULT_FOLDER)["categories"] == []
    assert alive(tenant) == 1
    await stays_quiet(tenant)


async def test_one_of_a_few_contacts_may_be_deleted_without_a_question(tenant: Tenant, ada: Somebody) -> None:
    made = await many(tenant, ada, 3)
    ada.crm.delete(made[0])
    await tenant.later(minutes=5)
    assert names_in(ada) == ["Nr001", "Nr002"]
    await agrees(tenant, ada)


async def test_deleting_in_salesforce_what_the_user_may_not_delete_is_told_and_the_item_stays_gone_or_comes_back(
    tenant: Tenant, ada: Somebody
) -> None:
    await set_profile(tenant, ContactsDeleteInSalesforce=True)
    one, item = await linked(tenant, ada)
    tenant.salesforce.set_object_permission(ada.username, "Contact", "delete", False)
    ada.outlook.delete_contact(item)
    await tenant.later(minutes=5)
    assert not is_deleted(tenant, one)
    error = await the_error(tenant, ada)
    assert (error["Code"], error["SalesforceId"]) == ("NoAccessToRecord", one)
    tenant.salesforce.set_object_permission(ada.username, "Contact", "delete", True)
    await tenant.later(minutes=65)
    assert is_deleted(tenant, one)
    await agrees(tenant, ada)


# --------------------------------------------------------------------------- the search (D3)


async def test_a_record_given_to_a_colleague_leaves_the_folder_and_is_not_deleted(tenant: Tenant, ada: Somebody, bob: Somebody) -> None:
    await set_profile(tenant, ContactsDeleteInSalesforce=True)
    tenant.salesforce.set_org_wide("Contact", "read_write")
    home = account(tenant, ada, "Home")
    one, item = await linked(tenant, ada, AccountId=home)
    await linked(tenant, ada, "Other")
    ada.crm.update(one, {"OwnerId": bob.crm.id})
    await tenant.later(minutes=65)
    await tenant.later(minutes=5)
    assert not has_item(ada, item)
    assert (names_in(ada), names_in(bob)) == (["Other"], ["Meyer"])
    assert not is_deleted(tenant, one)
    await agrees(tenant, ada, bob)


async def test_an_opted_in_contact_stays_synced_when_its_record_leaves_the_search(tenant: Tenant, ada: Somebody, bob: Somebody) -> None:
    tenant.salesforce.set_org_wide("Contact", "read_write")
    home = account(tenant, ada, "Home")
    await tenant.round()
    item = in_outlook(ada, "Friend", companyName="Home")
    await tenant.later(minutes=5)
    one = the_record(tenant, "Friend")["Id"]
    assert record(tenant, one)["AccountId"] == home
    ada.crm.update(one, {"OwnerId": bob.crm.id})
    await tenant.later(minutes=65)
    await tenant.later(minutes=65)
    bob.crm.update(one, {"Title": "Boss"})
    await tenant.later(minutes=5)
    assert ada.outlook.contact(item)["jobTitle"] == "Boss"
    ada.outlook.edit_contact(item, {"mobilePhone": "7"})
    await tenant.later(minutes=5)
    assert record(tenant, one)["MobilePhone"] == "7"
    await stays_quiet(tenant)


async def test_an_edit_in_outlook_is_carried_before_the_item_leaves_the_folder(tenant: Tenant, ada: Somebody, bob: Somebody) -> None:
    tenant.salesforce.set_org_wide("Contact", "read_write")
    home = account(tenant, ada, "Home")
    one, item = await linked(tenant, ada, AccountId=home)
    await linked(tenant, ada, "Other")
    ada.crm.update(one, {"OwnerId": bob.crm.id})
    ada.outlook.edit_contact(item, {"jobTitle": "Boss"})
    await tenant.later(minutes=65)
    await tenant.later(minutes=65)
    assert record(tenant, one)["Title"] == "Boss"
    assert names_in(ada) == ["Other"]
    await agrees(tenant, ada, bob)


async def test_a_record_that_comes_back_to_the_search_comes_back_to_the_folder(tenant: Tenant, ada: Somebody, bob: Somebody) -> None:
    tenant.salesforce.set_org_wide("Contact", "read_write")
    home = account(tenant, ada, "Home")
    one, _ = await linked(tenant, ada, AccountId=home)
    await linked(tenant, ada, "Other")
    ada.crm.update(one, {"OwnerId": bob.crm.id})
    await tenant.later(minutes=65)
    bob.crm.update(one, {"OwnerId": ada.crm.id})
    await tenant.later(minutes=65)
    assert names_in(ada) == ["Meyer", "Other"]
    await agrees(tenant, ada, bob)


async def test_lost_sharing_takes_the_item_out_and_deletes_nothing(tenant: Tenant, ada: Somebody, bob: Somebody) -> None:
    await set_profile(tenant, ContactsSearch="All contacts", ContactsDeleteInSalesforce=True)
    home = account(tenant, bob, "Home")
    one = in_salesforce(bob, "Shared", AccountId=home)
    in_salesforce(ada, "Own")
    tenant.salesforce.share(one, ada.username, "edit")
    await tenant.round()
    assert names_in(ada) == ["Own", "Shared"]
    tenant.salesforce.unshare(one, ada.username)
    await tenant.later(minutes=65)
    assert names_in(ada) == ["Own"]
    assert not is_deleted(tenant, one)
    assert names_in(bob) == ["Shared"]
    await stays_quiet(tenant)


async def test_an_edit_of_an_item_whose_sharing_was_lost_is_kept_by_the_person(tenant: Tenant, ada: Somebody, bob: Somebody) -> None:
    await set_profile(tenant, ContactsSearch="All contacts", ContactsDeleteInSalesforce=True)
    home = account(tenant, bob, "Home")
    one = in_salesforce(bob, "Shared", AccountId=home)
    in_salesforce(ada, "Own")
    tenant.salesforce.share(one, ada.username, "edit")
    await tenant.round()
    tenant.salesforce.unshare(one, ada.username)
    ada.outlook.edit_contact(the_item(ada, "Shared")["id"], {"jobTitle": "Boss"})
    await tenant.later(minutes=5)
    await tenant.later(minutes=65)
    assert names_in(ada) == ["Own"]
    assert the_item(ada, "Shared", DEFAULT_FOLDER)["jobTitle"] == "Boss", "nothing that a person typed is thrown away"
    assert record(tenant, one).get("Title") is None
    await stays_quiet(tenant)


async def test_a_narrower_search_takes_out_what_the_sync_brought(tenant: Tenant, ada: Somebody, bob: Somebody) -> None:
    await set_profile(tenant, ContactsSearch="All contacts")
    home = account(tenant, bob, "Home")
    for number in range(2):
        tenant.salesforce.share(in_salesforce(bob, f"Shared{number}", AccountId=home), ada.username)
    for number in range(8):
        in_salesforce(ada, f"Own{number}")
    await tenant.round()
    assert len(ada.items()) == 10
    await set_profile(tenant, ContactsSearch="My contacts")
    await tenant.later(minutes=5)
    assert len(ada.items()) == 8
    assert alive(tenant) == 10
    await agrees(tenant, ada, bob)


# --------------------------------------------------------------------------- the guard (D4)


async def held(tenant: Tenant, who: Somebody, count: int) -> dict[str, object]:
    """The one set that waits, after the round that found it."""
    await tenant.later(minutes=5)
    (row,) = [row for row in await approvals(tenant, who) if row["State"] == "waiting"]
    assert row["Count"] == count
    return row


async def test_more_deletions_than_the_percentage_are_held_until_approved(tenant: Tenant, ada: Somebody) -> None:
    made = await many(tenant, ada, 20)
    for one in made[:8]:
        ada.crm.delete(one)
    row = await held(tenant, ada, 8)
    assert (row["Links"], row["InOutlook"], row["InSalesforce"]) == (20, 8, 0)
    assert len(ada.items()) == 20
    error = await the_error(tenant, ada)
    assert (error["Code"], error["FixableBy"]) == ("DeletionsHeld", "an administrator")
    listed = [one["SalesforceId"] for one in await table_of(tenant, "SyncApprovals", ada.id) if "State" not in one]
    assert sorted(listed) == sorted(made[:8]), "the set can be seen"
    await stays_quiet(tenant)
    await agree_to_deletions(tenant, ada)
    await tenant.later(minutes=5)
    assert len(ada.items()) == 12
    assert [one["State"] for one in await approvals(tenant, ada)] == ["done"]
    await agrees(tenant, ada)


async def test_more_deletions_than_the_number_are_held(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, GuardCount=3, GuardPercent=100, ContactsDeleteInSalesforce=True)
    await many(tenant, ada, 12)
    for item in ada.items()[:4]:
        ada.outlook.delete_contact(item["id"])
    row = await held(tenant, ada, 4)
    assert (row["InOutlook"], row["InSalesforce"]) == (0, 4)
    assert alive(tenant) == 12
    await agree_to_deletions(tenant, ada)
    await tenant.later(minutes=5)
    assert (alive(tenant), len(ada.items())) == (8, 8)
    await agrees(tenant, ada)


async def test_exactly_as_many_deletions_as_the_number_are_made(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, GuardCount=3, GuardPercent=100)
    made = await many(tenant, ada, 12)
    for one in made[:3]:
        ada.crm.delete(one)
    await tenant.later(minutes=5)
    assert len(ada.items()) == 9
    await agrees(tenant, ada)


@pytest.mark.parametrize("side", ["outlook", "salesforce"])
async def test_a_side_that_is_suddenly_empty_is_held(tenant: Tenant, ada: Somebody, side: str) -> None:
    await set_profile(tenant, GuardCount=1000, GuardPercent=100, ContactsDeleteInSalesforce=True)
    made = await many(tenant, ada, 4)
    if side == "outlook":
        for item in ada.items():
            ada.outlook.delete_contact(item["id"])
    else:
        for one in made:
            ada.crm.delete(one)
    await held(tenant, ada, 4)
    assert alive(tenant) == (4 if side == "outlook" else 0)
    assert len(ada.items()) == (0 if side == "outlook" else 4)


async def test_a_search_that_suddenly_shows_nothing_is_held(tenant: Tenant, ada: Somebody, bob: Somebody) -> None:
    tenant.salesforce.set_org_wide("Contact", "read_write")
    home = account(tenant, ada, "Home")
    made = [in_salesforce(ada, f"Nr{number}", AccountId=home) for number in range(6)]
    await tenant.round()
    for one in made:
        ada.crm.update(one, {"OwnerId": bob.crm.id})
    await tenant.later(minutes=65)
    assert len(ada.items()) == 6
    assert [row["Count"] for row in await approvals(tenant, ada)] == [6]
    await agree_to_deletions(tenant, ada)
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert (len(ada.items()), len(bob.items()), alive(tenant)) == (0, 6, 6)


async def test_while_a_set_is_held_the_kind_rests_for_this_person_only(tenant: Tenant, ada: Somebody, bob: Somebody) -> None:
    made = await many(tenant, ada, 20)
    await linked(tenant, bob, "Bobs")
    for one in made[:8]:
        ada.crm.delete(one)
    await held(tenant, ada, 8)
    ada.crm.update(made[19], {"Phone": "1"})
    in_salesforce(bob, "Bobs second")
    await tenant.later(minutes=5)
    assert names_in(bob) == ["Bobs", "Bobs second"]
    assert the_item(ada, "Nr019")["businessPhones"] == []
    await agree_to_deletions(tenant, ada)
    await tenant.later(minutes=5)
    assert the_item(ada, "Nr019")["businessPhones"] == ["1"]
    await agrees(tenant, ada, bob)


async def test_what_is_approved_is_exactly_that_set_and_later_deletions_are_not_carried_along(tenant: Tenant, ada: Somebody) -> None:
    made = await many(tenant, ada, 40)
    for one in made[:10]:
        ada.crm.delete(one)
    await held(tenant, ada, 10)
    for one in made[10:25]:
        ada.crm.delete(one)
    await agree_to_deletions(tenant, ada)
    await tenant.later(minutes=5)
    assert len(ada.items()) == 30, "ten were agreed to; the fifteen that came later wait for an answer of their own"
    waiting = [row for row in await approvals(tenant, ada) if row["State"] == "waiting"]
    assert [row["Count"] for row in waiting] == [15]
    await agree_to_deletions(tenant, ada)
    await tenant.later(minutes=5)
    assert len(ada.items()) == 15
    await agrees(tenant, ada)


async def test_a_record_that_came_back_after_the_question_is_not_deleted_by_the_answer(tenant: Tenant, ada: Somebody) -> None:
    made = await many(tenant, ada, 20)
    for one in made[:8]:
        ada.crm.delete(one)
    await held(tenant, ada, 8)
    ada.crm.undelete(made[0])
    await agree_to_deletions(tenant, ada)
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert len(ada.items()) == 13
    assert "Nr000" in names_in(ada)
    await agrees(tenant, ada)


async def test_a_rejected_set_of_salesforce_deletions_leaves_the_items_with_the_person(tenant: Tenant, ada: Somebody) -> None:
    made = await many(tenant, ada, 20)
    for one in made[:8]:
        ada.crm.delete(one)
    await held(tenant, ada, 8)
    await agree_to_deletions(tenant, ada, "reject")
    await tenant.later(minutes=5)
    assert (len(ada.items()), len(names_in(ada, DEFAULT_FOLDER))) == (12, 8)
    assert all(CATEGORY not in item["categories"] for item in ada.outlook.contacts(DEFAULT_FOLDER))
    assert [one["State"] for one in await approvals(tenant, ada)] == ["rejected"]
    assert alive(tenant) == 12
    await agrees(tenant, ada)


async def test_a_rejected_set_of_outlook_deletions_is_made_again_in_outlook(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDeleteInSalesforce=True)
    await many(tenant, ada, 20)
    for item in ada.items()[:8]:
        ada.outlook.delete_contact(item["id"])
    await held(tenant, ada, 8)
    await agree_to_deletions(tenant, ada, "reject")
    await tenant.later(minutes=5)
    assert (len(ada.items()), alive(tenant)) == (20, 20)
    await agrees(tenant, ada)


async def test_a_word_that_is_neither_approve_nor_reject_decides_nothing(tenant: Tenant, ada: Somebody) -> None:
    made = await many(tenant, ada, 20)
    for one in made[:8]:
        ada.crm.delete(one)
    await held(tenant, ada, 8)
    await agree_to_deletions(tenant, ada, "perhaps")
    await tenant.later(minutes=5)
    assert len(ada.items()) == 20
    await agree_to_deletions(tenant, ada, " Approve ")
    await tenant.later(minutes=5)
    assert len(ada.items()) == 12


async def test_deletions_and_edits_of_the_same_round_are_told_apart_by_the_guard(tenant: Tenant, ada: Somebody) -> None:
    made = await many(tenant, ada, 30)
    for one in made[:5]:
        ada.crm.delete(one)
    for one in made[5:]:
        ada.crm.update(one, {"Phone": "1"})
    await tenant.later(minutes=5)
    assert len(ada.items()) == 25
    assert all(item["businessPhones"] == ["1"] for item in ada.items())
    await agrees(tenant, ada)


async def test_the_guard_sees_deletions_over_all_pages_and_continuations() -> None:
    tenant = Tenant(times=Times(budget=minutes(1)))
    ada = tenant.person("ada")
    await set_profile(tenant, ContactsDeleteInSalesforce=True, GuardPercent=100, GuardCount=25)
    tenant.graph.set_knobs(delta_page_size=10)
    made = [in_salesforce(ada, f"Nr{number:03d}") for number in range(60)]
    await tenant.round()
    assert len(ada.items()) == 60
    items = [links(tenant, ada)[one] for one in made[:30]]
    for item in items:
        ada.outlook.delete_contact(item)

    def slow(_asked: object) -> None:
        tenant.clock.advance(40)

    tenant.graph_transport.before = slow
    await tenant.later(minutes=5)
    tenant.graph_transport.before = None
    results = [row.values["Result"] for row in await tenant.rows("SyncRuns")]
    assert results.count("continues") >= 1, "the read took several runs"
    assert alive(tenant) == 60, "30 deletions in pages of 10 are 30 deletions"
    assert [row["Count"] for row in await approvals(tenant, ada)] == [30]
    await agree_to_deletions(tenant, ada)
    await tenant.later(minutes=5)
    assert (alive(tenant), len(ada.items())) == (30, 30)
    await agrees(tenant, ada)


async def test_deletions_on_both_sides_count_together(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDeleteInSalesforce=True, GuardCount=5, GuardPercent=100)
    made = await many(tenant, ada, 20)
    for one in made[:3]:
        ada.crm.delete(one)
    for one in made[10:13]:
        ada.outlook.delete_contact(links(tenant, ada)[one])
    row = await held(tenant, ada, 6)
    assert (row["InSalesforce"], row["InOutlook"]) == (3, 3)
    await agree_to_deletions(tenant, ada)
    await tenant.later(minutes=5)
    assert (alive(tenant), len(ada.items())) == (14, 14)
    await agrees(tenant, ada)


async def test_a_held_set_survives_a_switch_of_auto_removal(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDeleteInSalesforce=True)
    await many(tenant, ada, 20)
    for item in ada.items()[:8]:
        ada.outlook.delete_contact(item["id"])
    await held(tenant, ada, 8)
    await set_profile(tenant, ContactsDeleteInSalesforce=False)
    await agree_to_deletions(tenant, ada)
    await tenant.later(minutes=5)
    assert (alive(tenant), len(ada.items())) == (20, 20), "auto-removal is off: they are made again in Outlook"
    await agrees(tenant, ada)


async def test_nothing_about_deletions_is_left_over_in_the_tables(tenant: Tenant, ada: Somebody) -> None:
    made = await many(tenant, ada, 20)
    for one in made[:8]:
        ada.crm.delete(one)
    await held(tenant, ada, 8)
    await agree_to_deletions(tenant, ada)
    await tenant.later(minutes=5)
    assert (pendings(tenant, ada), await error_rows(tenant, ada)) == ([], [])
    assert len(state_rows(tenant, ada, "link|")) == len(state_rows(tenant, ada, "pointer|")) == 12
    assert state_rows(tenant, ada, "c-intent|") == []


async def test_with_a_number_of_zero_every_deletion_is_held(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, GuardCount=0)
    made = await many(tenant, ada, 3)
    ada.crm.delete(made[0])
    await held(tenant, ada, 1)
    await agree_to_deletions(tenant, ada)
    await tenant.later(minutes=5)
    assert len(ada.items()) == 2
    await agrees(tenant, ada)


async def test_a_side_that_is_suddenly_empty_is_held_although_items_would_only_be_moved_out(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDeleteInOutlook=False)
    made = await many(tenant, ada, 20)
    for one in made:
        ada.crm.delete(one)
    await tenant.later(minutes=5)
    assert len(ada.items()) == 20, "the folder is not emptied without a question"
    assert [row["Count"] for row in await approvals(tenant, ada)] == [20]
    await agree_to_deletions(tenant, ada)
    await tenant.later(minutes=5)
    assert (len(ada.items()), len(names_in(ada, DEFAULT_FOLDER))) == (0, 20)
    await stays_quiet(tenant)
