"""Both sides changed (X1, X2, X3), and what keeps changing (X4)."""

import pytest

from local.sandbox.http import Request
from tests.scenarios.stage import (
    agrees,
    decide,
    error_rows,
    has_item,
    in_outlook,
    in_salesforce,
    is_deleted,
    linked,
    links,
    our_writes,
    questions,
    record,
    set_profile,
    stays_quiet,
    table_of,
    the_error,
    the_item,
)
from tests.tenant import Somebody, Tenant

RULES = ["salesforce", "outlook"]


@pytest.mark.parametrize("rule", [*RULES, "ask"])
async def test_different_fields_changed_on_both_sides_merge_under_every_rule(tenant: Tenant, ada: Somebody, rule: str) -> None:
    await set_profile(tenant, ContactsConflictRule=rule)
    one, item = await linked(tenant, ada, FirstName="Mary")
    ada.crm.update(one, {"Phone": "1", "MailingCity": "Rome"})
    ada.outlook.edit_contact(item, {"jobTitle": "Boss", "otherAddress": {"city": "Oslo"}})
    await tenant.later(minutes=5)
    assert (record(tenant, one)["Title"], record(tenant, one)["OtherCity"]) == ("Boss", "Oslo")
    assert (ada.outlook.contact(item)["businessPhones"], ada.outlook.contact(item)["businessAddress"]["city"]) == (["1"], "Rome")
    assert await table_of(tenant, "SyncConflicts", ada.id) == [], "different fields are no conflict"
    await agrees(tenant, ada)


async def test_two_parts_of_one_address_changed_on_different_sides_merge(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada, MailingCity="Rome", MailingStreet="Via 1")
    ada.crm.update(one, {"MailingCity": "Milan"})
    ada.outlook.edit_contact(item, {"businessAddress": {"city": "Rome", "street": "Via 2"}})
    await tenant.later(minutes=5)
    assert (record(tenant, one)["MailingCity"], record(tenant, one)["MailingStreet"]) == ("Milan", "Via 2")
    await agrees(tenant, ada)


@pytest.mark.parametrize("rule", RULES)
async def test_the_same_field_changed_on_both_sides_follows_the_rule_and_is_told(tenant: Tenant, ada: Somebody, rule: str) -> None:
    await set_profile(tenant, ContactsConflictRule=rule)
    one, item = await linked(tenant, ada, Title="Old")
    ada.crm.update(one, {"Title": "From Salesforce", "Phone": "1"})
    ada.outlook.edit_contact(item, {"jobTitle": "From Outlook", "department": "Sales"})
    await tenant.later(minutes=5)
    winner = "From Salesforce" if rule == "salesforce" else "From Outlook"
    assert (record(tenant, one)["Title"], ada.outlook.contact(item)["jobTitle"]) == (winner, winner)
    assert (record(tenant, one)["Department"], ada.outlook.contact(item)["businessPhones"]) == ("Sales", ["1"]), "the rule settles no more"
    (settled,) = await questions(tenant, ada, "settled")
    assert (settled["Fields"], settled["Winner"]) == ("job_title", rule)
    assert (settled["Salesforce_job_title"], settled["Outlook_job_title"]) == ("From Salesforce", "From Outlook")
    journal = [str(row.values) for row in await tenant.rows("SyncJournal")]
    loser = "From Outlook" if rule == "salesforce" else "From Salesforce"
    assert any(loser in row for row in journal), "what lost is in the journal"
    await agrees(tenant, ada)


async def test_the_same_change_on_both_sides_is_no_conflict(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsConflictRule="ask")
    one, item = await linked(tenant, ada, Title="Old")
    ada.crm.update(one, {"Title": "Boss"})
    ada.outlook.edit_contact(item, {"jobTitle": "Boss"})
    before = our_writes(tenant)
    await tenant.later(minutes=5)
    assert our_writes(tenant) == before
    ada.outlook.edit_contact(item, {"jobTitle": "Chef"})
    await tenant.later(minutes=5)
    assert record(tenant, one)["Title"] == "Chef", "the equal value was the new agreement"
    assert await table_of(tenant, "SyncConflicts", ada.id) == []
    await agrees(tenant, ada)


@pytest.mark.parametrize("decision", RULES)
async def test_you_decide_keeps_both_versions_until_a_decision_is_applied(tenant: Tenant, ada: Somebody, decision: str) -> None:
    await set_profile(tenant, ContactsConflictRule="ask")
    one, item = await linked(tenant, ada, Title="Old")
    ada.crm.update(one, {"Title": "From Salesforce", "Phone": "1"})
    ada.outlook.edit_contact(item, {"jobTitle": "From Outlook"})
    other = in_salesforce(ada, "Other")
    await tenant.later(minutes=5)
    assert (record(tenant, one)["Title"], ada.outlook.contact(item)["jobTitle"]) == ("From Salesforce", "From Outlook")
    assert other in links(tenant, ada), "the rest goes on"
    (question,) = await questions(tenant, ada)
    assert (question["Question"], question["Fields"], question["AllowedDecisions"]) == ("conflict", "job_title", "salesforce, outlook")
    assert (question["Salesforce_job_title"], question["Outlook_job_title"]) == ("From Salesforce", "From Outlook")
    assert (await the_error(tenant, ada))["Code"] == "Conflict"
    await stays_quiet(tenant)
    await decide(tenant, ada, decision)
    await tenant.later(minutes=5)
    winner = "From Salesforce" if decision == "salesforce" else "From Outlook"
    assert (record(tenant, one)["Title"], ada.outlook.contact(item)["jobTitle"]) == (winner, winner)
    assert ada.outlook.contact(item)["businessPhones"] == ["1"]
    (decided,) = await questions(tenant, ada, "decided")
    assert decided["Winner"] == decision
    await agrees(tenant, ada)


async def test_a_decision_about_an_older_version_is_not_applied_but_asked_again(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsConflictRule="ask")
    one, item = await linked(tenant, ada, Title="Old")
    ada.crm.update(one, {"Title": "From Salesforce"})
    ada.outlook.edit_contact(item, {"jobTitle": "From Outlook"})
    await tenant.later(minutes=5)
    await decide(tenant, ada, "outlook")
    ada.crm.update(one, {"Title": "From Salesforce, corrected"})
    await tenant.later(minutes=5)
    assert record(tenant, one)["Title"] == "From Salesforce, corrected"
    (question,) = await questions(tenant, ada)
    assert (question["Decision"], question["Salesforce_job_title"]) == ("", "From Salesforce, corrected")
    await decide(tenant, ada, "outlook")
    await tenant.later(minutes=5)
    assert record(tenant, one)["Title"] == "From Outlook"
    await agrees(tenant, ada)


async def test_a_decision_is_not_applied_to_an_edit_that_comes_while_it_is_about_to_be(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsConflictRule="ask")
    one, item = await linked(tenant, ada, Title="Old")
    ada.crm.update(one, {"Title": "From Salesforce"})
    ada.outlook.edit_contact(item, {"jobTitle": "From Outlook"})
    await tenant.later(minutes=5)
    await tenant.later(minutes=15)
    await decide(tenant, ada, "outlook")
    asked: list[int] = []

    def edit_after_the_page_was_read(request: Request) -> None:
        asked.append(1)
        if b"FROM" in request.body and len(asked) == 2:
            ada.crm.update(one, {"Title": "From Salesforce, corrected"})

    tenant.salesforce_adapter.before = edit_after_the_page_was_read
    await tenant.later(minutes=5)
    tenant.salesforce_adapter.before = None
    assert len(asked) >= 2
    assert record(tenant, one)["Title"] == "From Salesforce, corrected", "the decision was about another version"
    (question,) = await questions(tenant, ada)
    assert (question["Decision"], question["Salesforce_job_title"]) == ("", "From Salesforce, corrected")
    await decide(tenant, ada, "salesforce")
    await tenant.later(minutes=5)
    assert ada.outlook.contact(item)["jobTitle"] == "From Salesforce, corrected"
    await agrees(tenant, ada)


async def test_a_conflict_that_people_settle_themselves_is_moot(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsConflictRule="ask")
    one, item = await linked(tenant, ada, Title="Old")
    ada.crm.update(one, {"Title": "From Salesforce"})
    ada.outlook.edit_contact(item, {"jobTitle": "From Outlook"})
    await tenant.later(minutes=5)
    ada.outlook.edit_contact(item, {"jobTitle": "From Salesforce"})
    await tenant.later(minutes=5)
    assert await questions(tenant, ada) == []
    assert record(tenant, one)["Title"] == "From Salesforce"
    await agrees(tenant, ada)


async def test_another_rule_settles_what_waited(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsConflictRule="ask")
    one, item = await linked(tenant, ada, Title="Old")
    ada.crm.update(one, {"Title": "From Salesforce"})
    ada.outlook.edit_contact(item, {"jobTitle": "From Outlook"})
    await tenant.later(minutes=5)
    await set_profile(tenant, ContactsConflictRule="salesforce")
    ada.outlook.edit_contact(item, {"department": "Sales"})
    await tenant.later(minutes=5)
    assert ada.outlook.contact(item)["jobTitle"] == "From Salesforce"
    assert await questions(tenant, ada) == []
    await agrees(tenant, ada)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("side", ["edited in Outlook", "edited in Salesforce"])
async def test_edit_beats_delete_under_either_winner(tenant: Tenant, ada: Somebody, rule: str, side: str) -> None:
    await set_profile(tenant, ContactsConflictRule=rule, ContactsDeleteInSalesforce=True)
    one, item = await linked(tenant, ada)
    if side == "edited in Outlook":
        ada.crm.delete(one)
        ada.outlook.edit_contact(item, {"jobTitle": "Boss"})
    else:
        ada.outlook.delete_contact(item)
        ada.crm.update(one, {"Title": "Boss"})
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    (row,) = tenant.contacts()
    assert row["Title"] == the_item(ada, "Meyer")["jobTitle"] == "Boss"
    await agrees(tenant, ada)


@pytest.mark.parametrize("side", ["edited in Outlook", "edited in Salesforce"])
@pytest.mark.parametrize("decision", RULES)
async def test_edit_against_delete_waits_under_you_decide(tenant: Tenant, ada: Somebody, side: str, decision: str) -> None:
    await set_profile(tenant, ContactsConflictRule="ask", ContactsDeleteInSalesforce=True)
    one, item = await linked(tenant, ada)
    in_salesforce(ada, "Other")
    await tenant.later(minutes=5)
    if side == "edited in Outlook":
        ada.crm.delete(one)
        ada.outlook.edit_contact(item, {"jobTitle": "Boss"})
    else:
        ada.outlook.delete_contact(item)
        ada.crm.update(one, {"Title": "Boss"})
    await tenant.later(minutes=5)
    (question,) = await questions(tenant, ada)
    assert question["Question"] == "deleted and edited"
    assert is_deleted(tenant, one) == (side == "edited in Outlook")
    assert has_item(ada, item) == (side == "edited in Outlook")
    await stays_quiet(tenant)
    await decide(tenant, ada, decision)
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    survives = (decision == "outlook") == (side == "edited in Outlook")
    alive = [row for row in tenant.contacts() if row["LastName"] == "Meyer"]
    assert len(alive) == (1 if survives else 0)
    assert all(row["Title"] == "Boss" for row in alive)
    await agrees(tenant, ada)


async def test_an_edit_made_between_read_and_write_is_not_overwritten_in_outlook(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    ada.crm.update(one, {"Phone": "1"})
    edited: list[bool] = []

    def edit_before_the_patch(asked: object) -> None:
        if b'"PATCH"' in getattr(asked, "body", b"") and not edited:
            edited.append(True)
            ada.outlook.edit_contact(item, {"jobTitle": "Boss", "businessPhones": ["", "2"][1:]})

    tenant.graph_transport.before = edit_before_the_patch
    await tenant.later(minutes=5)
    tenant.graph_transport.before = None
    await tenant.later(minutes=5)
    assert edited
    assert record(tenant, one)["Title"] == "Boss"
    assert record(tenant, one)["Phone"] == ada.outlook.contact(item)["businessPhones"][0] == "1", "Salesforce wins the field both changed"
    (settled,) = await questions(tenant, ada, "settled")
    assert settled["Fields"] == "phone"
    await agrees(tenant, ada)


async def test_an_edit_made_between_read_and_write_is_not_overwritten_in_salesforce(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    ada.outlook.edit_contact(item, {"jobTitle": "Boss"})
    edited: list[bool] = []

    def edit_before_the_patch(asked: object) -> None:
        if b'"PATCH"' in getattr(asked, "body", b"") and not edited:
            edited.append(True)
            tenant.clock.advance(2)
            ada.crm.update(one, {"Title": "Chef", "Department": "Sales"})

    tenant.salesforce_adapter.before = edit_before_the_patch
    await tenant.later(minutes=5)
    tenant.salesforce_adapter.before = None
    await tenant.later(minutes=5)
    assert edited
    assert record(tenant, one)["Title"] == ada.outlook.contact(item)["jobTitle"] == "Chef"
    assert ada.outlook.contact(item)["department"] == "Sales"
    await agrees(tenant, ada)


# --------------------------------------------------------------------------- ping-pong (X4)


async def test_a_trigger_that_formats_telephone_numbers_flows_back_once_and_settles(tenant: Tenant, ada: Somebody) -> None:
    tenant.salesforce.add_trigger("Contact", "format_phone")
    await tenant.round()
    item = in_outlook(ada, "New", businessPhones=["4155551212"])
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert ada.outlook.contact(item)["businessPhones"] == ["(415) 555-1212"]
    await agrees(tenant, ada)
    ada.outlook.edit_contact(item, {"mobilePhone": "2125551212"})
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert ada.outlook.contact(item)["mobilePhone"] == "(212) 555-1212"
    await agrees(tenant, ada)


async def test_a_trigger_that_rewrites_the_last_name_settles(tenant: Tenant, ada: Somebody) -> None:
    tenant.salesforce.add_trigger("Contact", "uppercase_lastname")
    await tenant.round()
    item = in_outlook(ada, "New", givenName="Mary")
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert ada.outlook.contact(item)["surname"] == "NEW"
    await agrees(tenant, ada)


async def test_a_trigger_that_appends_at_every_save_does_not_grow_for_ever(tenant: Tenant, ada: Somebody) -> None:
    tenant.salesforce.add_trigger("Contact", "append_suffix", field="Title", text="*", repeat=True)
    await tenant.round()
    item = in_outlook(ada, "New", jobTitle="Boss")
    for _ in range(30):
        await tenant.later(minutes=5)
    assert len(ada.outlook.contact(item)["jobTitle"]) <= len("Boss") + 2
    await stays_quiet(tenant)


async def test_two_products_that_rewrite_on_both_sides_are_stopped_and_reported(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada, Title="A")
    calm, calm_item = await linked(tenant, ada, "Calm")

    async def another_product() -> None:
        """Whatever the sync writes, it writes back on both sides."""
        row, there = record(tenant, one), ada.outlook.contact(item)
        if row["Title"] != "A":
            ada.crm.update(one, {"Title": "A"})
        if there["jobTitle"] != "B":
            ada.outlook.edit_contact(item, {"jobTitle": "B"})

    before = sum(our_writes(tenant))
    for _ in range(40):
        await another_product()
        await tenant.later(minutes=1)
    assert sum(our_writes(tenant)) - before <= 20, "the writes are bounded"
    error = await the_error(tenant, ada)
    assert (error["Code"], error["SalesforceId"], error["Field"]) == ("PingPong", one, "job_title")
    ada.crm.update(calm, {"Phone": "1"})
    await tenant.later(minutes=1)
    assert ada.outlook.contact(calm_item)["businessPhones"] == ["1"], "the rest goes on"
    await tenant.later(hours=2)
    await tenant.later(hours=2)
    assert record(tenant, one)["Title"] == ada.outlook.contact(item)["jobTitle"]
    assert await error_rows(tenant, ada) == []


async def test_many_quick_edits_of_a_person_are_no_ping_pong(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    for number in range(15):
        ada.outlook.edit_contact(item, {"jobTitle": f"Title {number}"})
        await tenant.later(minutes=1)
    assert record(tenant, one)["Title"] == "Title 14"
    await agrees(tenant, ada)


async def test_people_who_take_turns_in_one_field_are_carried_both_ways(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    for number in range(4):
        ada.outlook.edit_contact(item, {"jobTitle": f"Outlook {number}"})
        await tenant.later(minutes=20)
        ada.crm.update(one, {"Title": f"Salesforce {number}"})
        await tenant.later(minutes=20)
    assert ada.outlook.contact(item)["jobTitle"] == "Salesforce 3"
    await agrees(tenant, ada)


async def test_a_row_locked_by_a_colleagues_transaction_is_waited_for_and_merged(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada, Title="Old")
    tenant.clock.advance(280)
    ada.crm.update(one, {"Phone": "1"}, visible_after=60)
    ada.outlook.edit_contact(item, {"jobTitle": "Boss"})
    tenant.clock.advance(20)
    await tenant.round()
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert (record(tenant, one)["Title"], ada.outlook.contact(item)["businessPhones"]) == ("Boss", ["1"])
    await agrees(tenant, ada)


async def test_a_conflict_in_one_field_of_many_people_follows_the_rule_for_each(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsConflictRule="outlook")
    made = [in_salesforce(ada, f"Nr{number:02d}", Title="Old", Phone="0") for number in range(50)]
    await tenant.later(minutes=5)
    items = links(tenant, ada)
    for number, one in enumerate(made):
        if number % 2:
            ada.crm.update(one, {"Title": f"S{number}"})
        if number % 3:
            ada.outlook.edit_contact(items[one], {"jobTitle": f"O{number}"})
        if number % 5 == 0:
            ada.crm.update(one, {"Phone": str(number)})
    await tenant.later(minutes=5)
    for number, one in enumerate(made):
        expected = f"O{number}" if number % 3 else (f"S{number}" if number % 2 else "Old")
        assert record(tenant, one)["Title"] == expected
        assert record(tenant, one)["Phone"] == (str(number) if number % 5 == 0 else "0")
    assert len(await questions(tenant, ada, "settled")) == sum(1 for number in range(50) if number % 2 and number % 3)
    await agrees(tenant, ada)


@pytest.mark.parametrize("auto_removal", [True, False])
async def test_an_item_restored_from_deleted_items_after_its_deletion_was_carried_makes_no_double(
    tenant: Tenant, ada: Somebody, auto_removal: bool
) -> None:
    await set_profile(tenant, ContactsDeleteInSalesforce=auto_removal)
    _, item = await linked(tenant, ada, FirstName="Mary", Email="m@example.com")
    await linked(tenant, ada, "Other")
    ada.outlook.delete_contact(item)
    await tenant.later(minutes=5)
    ada.outlook.restore_contact(item, "Salesforce Contacts")
    await tenant.later(minutes=5)
    assert [row["LastName"] for row in tenant.contacts()].count("Meyer") == 1
    if auto_removal:
        await agrees(tenant, ada)
    else:
        (question,) = await questions(tenant, ada)
        assert question["Question"] == "copy"
        await stays_quiet(tenant)
