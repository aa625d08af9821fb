"""Questions and decisions under attack: candidates that vanish, are shared, or are forgotten; rows that somebody deletes."""

from sync.ports import Merge, Remove
from tests.scenarios.stage import (
    FOLDER,
    Somebody,
    Tenant,
    address,
    approvals,
    decide,
    in_outlook,
    in_salesforce,
    linked,
    links,
    names_in,
    questions,
    set_profile,
    state_of,
    table_of,
)


async def two_candidates(tenant: Tenant, who: Somebody) -> tuple[str, str, str]:
    """An item and two records with its address, which a person is asked about: (first, second, item)."""
    who.outlook.create_folder(FOLDER)
    item = in_outlook(who, "Clark", emailAddresses=address("office@example.com"))
    first = in_salesforce(who, "Adams", Email="office@example.com")
    second = in_salesforce(who, "Brown", Email="office@example.com")
    await tenant.round()
    await tenant.later(minutes=5)
    assert len(await questions(tenant, who)) == 1
    return first, second, item


async def test_a_choice_of_a_record_that_was_deleted_meanwhile_does_not_stop_the_run(tenant: Tenant, ada: Somebody) -> None:
    first, second, item = await two_candidates(tenant, ada)
    await decide(tenant, ada, first)
    ada.crm.delete(first)
    await tenant.later(minutes=5)
    assert await state_of(tenant, ada) == "connected"
    assert links(tenant, ada).get(second) != item, "it was not chosen"


async def test_a_refused_creation_does_not_forget_which_candidates_it_holds(tenant: Tenant, ada: Somebody) -> None:
    await two_candidates(tenant, ada)
    fault = tenant.salesforce.add_row_fault("FIELD_CUSTOM_VALIDATION_EXCEPTION", op="create", times=None)
    await decide(tenant, ada, "create")
    await tenant.later(minutes=5)
    fault.times = 0
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert sorted(row["LastName"] for row in tenant.contacts()) == ["Adams", "Brown", "Clark"], "it was created at last"
    await tenant.later(hours=25)
    assert links(tenant, ada, "reserved") == {}, "nothing is asked any more, so nothing is reserved"
    assert names_in(ada) == ["Adams", "Brown", "Clark"]


async def test_a_candidate_of_two_questions_stays_reserved_until_both_are_answered(tenant: Tenant, ada: Somebody) -> None:
    first, second, item = await two_candidates(tenant, ada)
    other = in_outlook(ada, "Davis", emailAddresses=address("office@example.com"))
    await tenant.later(minutes=5)
    assert len(await questions(tenant, ada)) == 2
    for row in await questions(tenant, ada):
        if row["OutlookId"] == item:
            await decide_row(tenant, ada, row, first)
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert len(ada.items()) == 2, "the second candidate may be the other item: it is not made in Outlook meanwhile"
    await decide(tenant, ada, second)
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert links(tenant, ada) == {first: item, second: other}
    assert len(ada.items()) == 2


async def decide_row(tenant: Tenant, who: Somebody, row: dict[str, object], decision: str) -> None:
    await tenant.tables.transact("SyncConflicts", who.id, [Merge(key=str(row["_key"]), values={"Decision": decision})])


async def test_a_copy_question_can_not_take_the_record_from_the_item_it_is_linked_to(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada, Email="m@example.com")
    in_outlook(ada, "Meyer", emailAddresses=address("m@example.com"))
    await tenant.later(minutes=5)
    (question,) = await questions(tenant, ada)
    assert question["AllowedDecisions"] == "create"
    await decide(tenant, ada, one)
    await tenant.later(minutes=5)
    assert links(tenant, ada)[one] == item, "a decision that is not allowed changes nothing"


async def test_a_held_set_whose_row_was_deleted_is_asked_about_again(tenant: Tenant, ada: Somebody) -> None:
    records = [in_salesforce(ada, f"Meyer{number}") for number in range(8)]
    await tenant.round()
    for one in records:
        ada.crm.delete(one)
    await tenant.later(minutes=5)
    assert [row["State"] for row in await approvals(tenant, ada)] == ["waiting"]
    rows = await table_of(tenant, "SyncApprovals", ada.id)
    await tenant.tables.put_many("SyncApprovals", ada.id, [Remove(key=str(row["_key"])) for row in rows])
    await tenant.later(minutes=5)
    await tenant.later(hours=25)
    assert [row["State"] for row in await approvals(tenant, ada)] == ["waiting"], "or nobody can ever decide, and the person rests for ever"


async def test_a_question_whose_row_was_deleted_is_asked_again(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    await set_profile(tenant, ContactsConflictRule="ask")
    one, item = await linked(tenant, ada, Phone="0")
    ada.crm.update(one, {"Phone": "1"})
    ada.outlook.edit_contact(item, {"businessPhones": ["2"]})
    await tenant.later(minutes=5)
    (question,) = await questions(tenant, ada)
    await tenant.tables.put_many("SyncConflicts", ada.id, [Remove(key=str(question["_key"]))])
    await tenant.later(minutes=5)
    await tenant.later(hours=25)
    assert len(await questions(tenant, ada)) == 1


async def test_a_shared_address_with_very_many_candidates_stops_its_item_only(tenant: Tenant, ada: Somebody) -> None:
    ada.outlook.create_folder(FOLDER)
    for number in range(1750):
        in_salesforce(ada, f"Guest{number}", Email="info@example.com")
    in_outlook(ada, "Clark", emailAddresses=address("info@example.com"))
    in_outlook(ada, "Davis")
    await tenant.round()
    assert "Davis" in [row["LastName"] for row in tenant.contacts()]
    assert await state_of(tenant, ada) == "connected"
