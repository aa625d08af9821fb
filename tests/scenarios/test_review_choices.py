"""Choices that people make before a pair exists: moving out what could not be synced yet."""

from tests.scenarios.stage import CATEGORY, DEFAULT_FOLDER, Somebody, Tenant, address, in_outlook, in_salesforce, linked, links, questions


async def test_an_item_that_failed_and_was_moved_out_is_left_alone(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    item = in_outlook(ada, None, givenName="Private")  # no last name: Salesforce takes it not
    await tenant.later(minutes=5)
    assert CATEGORY in ada.outlook.contact(item)["categories"], "the sync has put it on, not the person"
    ada.outlook.move_contact(item, DEFAULT_FOLDER)
    await tenant.later(minutes=5)
    ada.outlook.edit_contact(item, {"surname": "Person"})
    for _ in range(3):
        await tenant.later(minutes=5)
    assert tenant.contacts() == [], "moved out of the folder: a choice"
    assert ada.items() == [], "and it is not moved back"


async def test_an_item_in_question_that_was_moved_out_frees_its_candidates(tenant: Tenant, ada: Somebody) -> None:
    ada.outlook.create_folder("Salesforce Contacts")
    item = in_outlook(ada, "Clark", emailAddresses=address("office@example.com"))
    in_salesforce(ada, "Adams", Email="office@example.com")
    in_salesforce(ada, "Brown", Email="office@example.com")
    await tenant.round()
    await tenant.later(minutes=5)
    assert len(await questions(tenant, ada)) == 1
    ada.outlook.move_contact(item, DEFAULT_FOLDER)
    for _ in range(3):
        await tenant.later(minutes=5)
    assert await questions(tenant, ada) == []
    assert sorted(row["surname"] for row in ada.items()) == ["Adams", "Brown"]


async def test_a_survivor_that_was_opted_out_stays_opted_out(tenant: Tenant, ada: Somebody) -> None:
    loser, _ = await linked(tenant, ada, "Loser")
    winner, item = await linked(tenant, ada, "Winner")
    ada.outlook.move_contact(item, DEFAULT_FOLDER)
    await tenant.later(minutes=5)
    assert winner in links(tenant, ada, "opted out")
    ada.crm.merge(winner, [loser])
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert winner in links(tenant, ada, "opted out"), "the search does not bring it back until it is moved in or marked"
