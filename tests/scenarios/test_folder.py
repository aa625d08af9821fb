"""The folder and the category say what is synced (C2, C3, C4): opting in, opting out, renaming and deleting the folder."""

import pytest

from tests.scenarios.stage import (
    CATEGORY,
    DEFAULT_FOLDER,
    FOLDER,
    account,
    address,
    agrees,
    decide,
    has_item,
    in_outlook,
    in_salesforce,
    is_deleted,
    linked,
    links,
    names_in,
    questions,
    record,
    set_profile,
    state_rows,
    stays_quiet,
    the_item,
    the_record,
)
from tests.tenant import Somebody, Tenant


async def test_a_contact_created_in_the_folder_is_opted_in_and_gets_the_category(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    item = in_outlook(ada, "New")
    await tenant.later(minutes=5)
    assert ada.outlook.contact(item)["categories"] == [CATEGORY]
    await agrees(tenant, ada)


async def test_a_contact_moved_into_the_folder_is_opted_in(tenant: Tenant, ada: Somebody) -> None:
    item = in_outlook(ada, "Friend", DEFAULT_FOLDER)
    await tenant.round()
    assert tenant.contacts() == []
    ada.outlook.move_contact(item, FOLDER)
    await tenant.later(minutes=5)
    assert [row["LastName"] for row in tenant.contacts()] == ["Friend"]
    await agrees(tenant, ada)


@pytest.mark.parametrize("where", ["default", "sibling", "nested", "below the folder"])
async def test_a_category_given_in_any_contact_folder_moves_the_contact_into_the_folder(tenant: Tenant, ada: Somebody, where: str) -> None:
    await tenant.round()
    folder = DEFAULT_FOLDER
    if where in ("sibling", "nested"):
        folder = ada.outlook.create_folder("Friends")
    if where == "nested":
        folder = ada.outlook.create_folder("Best friends", folder)
    if where == "below the folder":
        folder = ada.outlook.create_folder("Old ones", ada.folder())
    source = in_outlook(ada, "Friend", folder, nickName="Fred", categories=["Golf"], emailAddresses=address("f@example.com g@example.com"))
    ada.outlook.set_photo(source, "AAAA")
    await tenant.later(minutes=5)
    assert tenant.contacts() == [], "without the category it is nobody's business"
    ada.outlook.edit_contact(source, {"categories": ["Golf", CATEGORY]})
    await tenant.later(minutes=65)
    await tenant.later(minutes=65)
    assert names_in(ada, folder) == [], "the source is gone"
    item = the_item(ada, "Friend")
    assert item["hasPhoto"]
    assert (item["nickName"], sorted(item["categories"])) == ("Fred", ["Golf", CATEGORY])
    assert [one["address"] for one in item["emailAddresses"]] == ["f@example.com", "g@example.com"]
    assert the_record(tenant, "Friend")["Email"] == "f@example.com"
    await agrees(tenant, ada)


async def test_a_contact_that_had_the_category_before_the_first_sync_is_opted_in(tenant: Tenant, ada: Somebody) -> None:
    in_outlook(ada, "Early", DEFAULT_FOLDER, categories=[CATEGORY])
    in_outlook(ada, "Private", DEFAULT_FOLDER)
    await tenant.round()
    assert (names_in(ada), names_in(ada, DEFAULT_FOLDER)) == (["Early"], ["Private"])
    await agrees(tenant, ada)


async def test_an_opted_in_contact_that_salesforce_refuses_stays_where_it_is_until_it_can_be_made(tenant: Tenant, ada: Somebody) -> None:
    tenant.salesforce.add_validation_rule("Contact", "Phone please", field="Phone", operator="is_empty")
    item = in_outlook(ada, "Friend", DEFAULT_FOLDER, categories=[CATEGORY])
    await tenant.round()
    assert names_in(ada, DEFAULT_FOLDER) == ["Friend"]
    ada.outlook.edit_contact(item, {"businessPhones": ["1"]})
    await tenant.later(minutes=5)
    assert (names_in(ada), names_in(ada, DEFAULT_FOLDER)) == (["Friend"], [])
    await agrees(tenant, ada)


async def test_a_category_that_was_taken_off_in_the_folder_is_put_back(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    ada.outlook.edit_contact(item, {"categories": ["Golf"]})
    await tenant.later(minutes=5)
    assert sorted(ada.outlook.contact(item)["categories"]) == ["Golf", CATEGORY]
    ada.outlook.edit_contact(item, {"categories": [], "jobTitle": "Boss"})
    await tenant.later(minutes=5)
    assert ada.outlook.contact(item)["categories"] == [CATEGORY]
    assert record(tenant, one)["Title"] == "Boss"
    await agrees(tenant, ada)


async def test_a_contact_moved_out_is_unlinked_and_remembered_and_salesforce_keeps_its_record(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDeleteInSalesforce=True)
    one, item = await linked(tenant, ada)
    ada.outlook.move_contact(item, DEFAULT_FOLDER)
    await tenant.later(minutes=5)
    assert ada.outlook.contact(item)["categories"] == []
    assert (links(tenant, ada), list(links(tenant, ada, "opted out"))) == ({}, [one])
    ada.crm.update(one, {"Phone": "1"})
    await tenant.later(minutes=65)
    await tenant.later(hours=25)
    assert ada.items() == [], "the search does not bring it back"
    assert record(tenant, one)["Phone"] == "1"
    assert ada.outlook.contact(item)["businessPhones"] == []
    await stays_quiet(tenant)


async def test_a_contact_moved_out_keeps_its_other_categories(tenant: Tenant, ada: Somebody) -> None:
    _, item = await linked(tenant, ada)
    ada.outlook.edit_contact(item, {"categories": ["Golf", CATEGORY]})
    await tenant.later(minutes=5)
    ada.outlook.move_contact(item, DEFAULT_FOLDER)
    await tenant.later(minutes=5)
    assert ada.outlook.contact(item)["categories"] == ["Golf"]
    await stays_quiet(tenant)


async def test_a_contact_moved_to_a_folder_that_is_not_watched_yet_is_unlinked_too(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    ada.outlook.move_contact(item, ada.outlook.create_folder("Elsewhere"))
    await tenant.later(minutes=5)
    assert ada.outlook.contact(item)["categories"] == []
    assert not is_deleted(tenant, one)
    assert list(links(tenant, ada, "opted out")) == [one]
    await stays_quiet(tenant)


@pytest.mark.parametrize("how", ["category", "moved back"])
async def test_a_contact_that_was_opted_out_can_be_opted_in_again(tenant: Tenant, ada: Somebody, how: str) -> None:
    one, item = await linked(tenant, ada, FirstName="Mary")
    ada.outlook.move_contact(item, DEFAULT_FOLDER)
    await tenant.later(minutes=5)
    ada.crm.update(one, {"Phone": "1"})
    ada.outlook.edit_contact(item, {"jobTitle": "Boss"})
    await tenant.later(minutes=5)
    if how == "category":
        ada.outlook.edit_contact(item, {"categories": [CATEGORY]})
    else:
        ada.outlook.move_contact(item, FOLDER)
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert (record(tenant, one)["Title"], the_item(ada, "Meyer")["businessPhones"]) == ("Boss", ["1"]), "what happened meanwhile is merged"
    assert len(tenant.contacts()) == 1
    await agrees(tenant, ada)


async def test_an_opted_out_record_that_is_deleted_in_salesforce_leaves_no_trace(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    ada.outlook.move_contact(item, DEFAULT_FOLDER)
    await tenant.later(minutes=5)
    ada.crm.delete(one)
    await tenant.later(minutes=5)
    assert state_rows(tenant, ada, "link|") == []
    assert has_item(ada, item)
    await stays_quiet(tenant)


async def test_an_opted_out_contact_that_the_person_deletes_stays_opted_out(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    ada.outlook.move_contact(item, DEFAULT_FOLDER)
    await tenant.later(minutes=5)
    ada.outlook.delete_contact(item)
    await tenant.later(minutes=5)
    ada.crm.update(one, {"Phone": "1"})
    await tenant.later(hours=25)
    assert ada.items() == []
    assert not is_deleted(tenant, one)
    await stays_quiet(tenant)


async def test_a_renamed_folder_is_followed(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    folder = ada.folder()
    ada.outlook.rename_folder(folder, "Kunden")
    ada.crm.update(one, {"Phone": "1"})
    in_salesforce(ada, "Second")
    await tenant.later(minutes=5)
    await tenant.later(hours=25)
    assert names_in(ada, folder) == ["Meyer", "Second"]
    assert ada.outlook.contact(item)["businessPhones"] == ["1"]
    assert not ada.outlook.has_folder(FOLDER), "no second folder is made"
    await stays_quiet(tenant)


@pytest.mark.parametrize("auto_removal", [True, False])
async def test_a_deleted_folder_is_made_again_and_refilled_and_deletes_nothing_in_salesforce(
    tenant: Tenant, ada: Somebody, auto_removal: bool
) -> None:
    await set_profile(tenant, ContactsDeleteInSalesforce=auto_removal)
    for number in range(30):
        in_salesforce(ada, f"Nr{number:02d}")
    await tenant.round()
    ada.outlook.delete_folder(FOLDER)
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert len(names_in(ada)) == 30
    assert len(tenant.contacts()) == 30
    await agrees(tenant, ada)


async def test_a_deleted_folder_is_refilled_although_many_records_changed_meanwhile(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDeleteInSalesforce=True)
    made = [in_salesforce(ada, f"Nr{number:02d}") for number in range(10)]
    await tenant.round()
    ada.outlook.delete_folder(FOLDER)
    for one in made[:5]:
        ada.crm.update(one, {"Phone": "1"})
    ada.crm.delete(made[9])
    in_salesforce(ada, "Brandnew")
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert len(ada.items()) == len(tenant.contacts()) == 10
    await agrees(tenant, ada)


async def test_a_contact_that_was_rescued_from_the_deleted_folder_is_opted_out_not_doubled(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDeleteInSalesforce=True)
    one, item = await linked(tenant, ada)
    other = in_salesforce(ada, "Second")
    await tenant.later(minutes=5)
    ada.outlook.move_contact(item, DEFAULT_FOLDER)
    ada.outlook.delete_folder(FOLDER)
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert names_in(ada) == ["Second"]
    assert not is_deleted(tenant, one)
    assert not is_deleted(tenant, other)
    assert list(links(tenant, ada, "opted out")) == [one]
    await stays_quiet(tenant)


async def test_a_folder_of_that_name_that_was_there_before_is_taken(tenant: Tenant, ada: Somebody) -> None:
    folder = ada.outlook.create_folder("salesforce contacts")
    in_salesforce(ada, "Meyer")
    await tenant.round()
    assert names_in(ada, folder) == ["Meyer"]
    assert sum(1 for one in ada.outlook.folders() if one["displayName"].lower() == FOLDER.lower()) == 1
    await stays_quiet(tenant)


async def test_folder_and_category_can_have_other_names(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, FolderName="Kunden", CategoryName="Kunde")
    in_salesforce(ada, "Meyer")
    in_outlook(ada, "Friend", DEFAULT_FOLDER, categories=["Kunde"])
    in_outlook(ada, "Private", DEFAULT_FOLDER, categories=[CATEGORY])
    await tenant.round()
    assert names_in(ada, "Kunden") == ["Friend", "Meyer"]
    assert all(item["categories"] == ["Kunde"] for item in ada.outlook.contacts("Kunden"))
    assert sorted(row["LastName"] for row in tenant.contacts()) == ["Friend", "Meyer"]
    assert any(one["displayName"] == "Kunde" for one in ada.outlook.categories())
    await stays_quiet(tenant)


async def test_a_category_that_vanished_from_the_master_list_harms_nothing(tenant: Tenant, ada: Somebody) -> None:
    await linked(tenant, ada)
    ada.outlook.delete_category(CATEGORY)
    in_salesforce(ada, "Second")
    await tenant.later(minutes=5)
    assert names_in(ada) == ["Meyer", "Second"]
    await agrees(tenant, ada)


async def test_an_opted_in_contact_edited_in_the_same_minute_loses_nothing(tenant: Tenant, ada: Somebody) -> None:
    item = in_outlook(ada, "Friend", DEFAULT_FOLDER)
    await tenant.round()
    edited: list[bool] = []

    def edit_before_the_source_goes(asked: object) -> None:
        body = getattr(asked, "body", b"")
        if b'"DELETE"' in body and not edited:
            edited.append(True)
            ada.outlook.edit_contact(item, {"jobTitle": "Late edit"})

    ada.outlook.edit_contact(item, {"categories": [CATEGORY]})
    tenant.graph_transport.before = edit_before_the_source_goes
    await tenant.later(minutes=5)
    tenant.graph_transport.before = None
    await tenant.later(minutes=5)
    assert edited
    assert the_record(tenant, "Friend")["Title"] == "Late edit"
    assert names_in(ada, None) == ["Friend"], "one item in the mailbox, not two"
    await agrees(tenant, ada)


async def test_a_copy_made_by_the_person_is_asked_about_and_can_be_a_contact_of_its_own(tenant: Tenant, ada: Somebody) -> None:
    _, item = await linked(tenant, ada, Email="m@example.com", FirstName="Mary")
    ada.outlook.copy_contact(item, FOLDER)
    await tenant.later(minutes=5)
    assert len(tenant.contacts()) == 1
    (question,) = await questions(tenant, ada)
    assert (question["Question"], question["AllowedDecisions"]) == ("copy", "create")
    await decide(tenant, ada, "create")
    await tenant.later(minutes=5)
    assert len(tenant.contacts()) == 2
    await agrees(tenant, ada)


async def test_a_copy_that_the_person_deletes_again_is_forgotten(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada, Email="m@example.com")
    copy = ada.outlook.copy_contact(item, FOLDER)
    await tenant.later(minutes=5)
    ada.outlook.delete_contact(copy)
    await tenant.later(minutes=5)
    assert await questions(tenant, ada) == []
    assert not is_deleted(tenant, one)
    await agrees(tenant, ada)


async def test_what_a_person_opted_in_again_stays_synced_when_the_record_leaves_the_search(
    tenant: Tenant, ada: Somebody, bob: Somebody
) -> None:
    tenant.salesforce.set_org_wide("Contact", "read_write")
    home = account(tenant, ada, "Home")
    one, item = await linked(tenant, ada, AccountId=home)
    await linked(tenant, ada, "Other")
    ada.outlook.move_contact(item, DEFAULT_FOLDER)
    await tenant.later(minutes=5)
    ada.outlook.move_contact(item, FOLDER)
    await tenant.later(minutes=5)
    ada.crm.update(one, {"OwnerId": bob.crm.id})
    await tenant.later(minutes=65)
    await tenant.later(minutes=65)
    assert names_in(ada) == ["Meyer", "Other"], "opted in by the person: leaving the search takes nothing away"
    bob.crm.update(one, {"Title": "Boss"})
    await tenant.later(minutes=65)
    assert the_item(ada, "Meyer")["jobTitle"] == "Boss"
    await stays_quiet(tenant)


@pytest.mark.parametrize("how", ["category", "moved back"])
async def test_a_contact_can_be_opted_in_again_although_its_record_left_the_search(
    tenant: Tenant, ada: Somebody, bob: Somebody, how: str
) -> None:
    tenant.salesforce.set_org_wide("Contact", "read_write")
    home = account(tenant, ada, "Home")
    one, item = await linked(tenant, ada, AccountId=home)
    await linked(tenant, ada, "Other")
    ada.outlook.move_contact(item, DEFAULT_FOLDER)
    await tenant.later(minutes=5)
    ada.crm.update(one, {"OwnerId": bob.crm.id, "Title": "Boss"})
    await tenant.later(minutes=65)
    if how == "category":
        ada.outlook.edit_contact(item, {"categories": [CATEGORY]})
    else:
        ada.outlook.move_contact(item, FOLDER)
    await tenant.later(minutes=5)
    await tenant.later(minutes=65)
    assert names_in(ada) == ["Meyer", "Other"], "the person's own wish, and nothing of theirs is deleted"
    assert the_item(ada, "Meyer")["jobTitle"] == "Boss"
    assert len(tenant.contacts()) == 2
    await stays_quiet(tenant)


async def test_a_contact_moved_out_and_back_before_the_round_is_as_before(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    ada.outlook.move_contact(item, DEFAULT_FOLDER)
    ada.outlook.move_contact(item, FOLDER)
    await tenant.later(minutes=5)
    assert links(tenant, ada) == {one: item}
    await agrees(tenant, ada)


async def test_a_contact_of_the_persons_own_making_that_is_moved_out_keeps_its_record(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDeleteInSalesforce=True)
    await tenant.round()
    item = in_outlook(ada, "Friend")
    await tenant.later(minutes=5)
    ada.outlook.move_contact(item, DEFAULT_FOLDER)
    await tenant.later(minutes=5)
    await tenant.later(hours=25)
    assert the_record(tenant, "Friend")
    assert (names_in(ada), names_in(ada, DEFAULT_FOLDER)) == ([], ["Friend"])
    await stays_quiet(tenant)


async def test_a_second_folder_of_the_old_name_is_not_ours_after_a_rename(tenant: Tenant, ada: Somebody) -> None:
    await linked(tenant, ada)
    folder = ada.folder()
    ada.outlook.rename_folder(folder, "Kunden")
    ada.outlook.create_folder(FOLDER)
    in_outlook(ada, "Stranger", FOLDER)
    await tenant.later(minutes=5)
    await tenant.later(hours=25)
    assert [row["LastName"] for row in tenant.contacts()] == ["Meyer"]
    assert names_in(ada, folder) == ["Meyer"]
    await stays_quiet(tenant)


async def test_the_whole_folder_can_be_moved_out_by_hand_and_everything_is_remembered(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDeleteInSalesforce=True)
    made = [in_salesforce(ada, f"Nr{number:02d}") for number in range(30)]
    await tenant.round()
    for item in ada.items():
        ada.outlook.move_contact(item["id"], DEFAULT_FOLDER)
    await tenant.later(minutes=5)
    assert sorted(links(tenant, ada, "opted out")) == sorted(made)
    assert len(tenant.contacts()) == 30
    assert all(item["categories"] == [] for item in ada.outlook.contacts(DEFAULT_FOLDER))
    await stays_quiet(tenant)
