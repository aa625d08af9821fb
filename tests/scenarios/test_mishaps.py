"""Things that go wrong in the middle: cut and late moves, deletions and updates, people who act at the worst moment, long absences."""

import asyncio

import pytest

from local.sandbox.faults import Effect, Rule
from local.sandbox.graph.faults import SubFault, When
from local.sandbox.http import Request
from sync.messages import Why
from sync.ports import Merge, Remove
from sync.stores.memory import Call
from sync.wiring import App
from tests.scenarios.stage import (
    CATEGORY,
    DEFAULT_FOLDER,
    FOLDER,
    account,
    address,
    agree_to_deletions,
    agrees,
    approvals,
    decide,
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
    set_user,
    state_rows,
    stays_quiet,
    the_error,
    the_item,
    the_record,
)
from tests.tenant import Somebody, Tenant

CUTS = [Effect.CUT_BEFORE, Effect.CUT_AFTER, Effect.LATE]


async def settle(tenant: Tenant) -> None:
    """Let every effect arrive and every put-off look be taken."""
    for _ in range(4):
        await tenant.later(minutes=12)


def cut(tenant: Tenant, effect: Effect, body: str, *, times: int = 1, service: str = "graph") -> None:
    path = "batch" if service == "graph" else "composite"
    tenant.sandbox.faults.plant(
        Rule(effect=effect, service=service, method="POST|PATCH|DELETE", path=path, body=body, times=times, seconds=100)
    )


@pytest.mark.parametrize("effect", CUTS)
@pytest.mark.parametrize("step", ['"POST"', '"DELETE"', "photo"])
async def test_a_move_into_the_folder_that_is_cut_ends_with_one_item(tenant: Tenant, ada: Somebody, effect: Effect, step: str) -> None:
    await tenant.round()
    source = in_outlook(ada, "Friend", DEFAULT_FOLDER, emailAddresses=address("f@example.com"), nickName="Fred")
    ada.outlook.set_photo(source, "AAAA")
    await tenant.later(minutes=5)
    ada.outlook.edit_contact(source, {"categories": [CATEGORY]})
    cut(tenant, effect, step)
    await tenant.later(minutes=5)
    await settle(tenant)
    assert (names_in(ada), names_in(ada, None)) == (["Friend"], ["Friend"])
    assert (the_item(ada, "Friend")["nickName"], the_item(ada, "Friend")["hasPhoto"]) == ("Fred", True)
    assert len(tenant.contacts()) == 1
    await agrees(tenant, ada)


@pytest.mark.parametrize("effect", CUTS)
@pytest.mark.parametrize("step", ['"POST"', '"DELETE"'])
async def test_a_move_out_of_the_folder_that_is_cut_ends_with_one_item(tenant: Tenant, ada: Somebody, effect: Effect, step: str) -> None:
    await set_profile(tenant, ContactsDeleteInOutlook=False)
    one, _ = await linked(tenant, ada, Phone="1")
    await linked(tenant, ada, "Other")
    ada.crm.delete(one)
    cut(tenant, effect, step)
    await tenant.later(minutes=5)
    await settle(tenant)
    assert (names_in(ada), names_in(ada, DEFAULT_FOLDER)) == (["Other"], ["Meyer"])
    assert the_item(ada, "Meyer", DEFAULT_FOLDER)["categories"] == []
    assert [row["LastName"] for row in tenant.contacts()] == ["Other"]
    await agrees(tenant, ada)


@pytest.mark.parametrize("effect", CUTS)
async def test_a_deletion_in_outlook_that_is_cut_is_carried_out(tenant: Tenant, ada: Somebody, effect: Effect) -> None:
    one, item = await linked(tenant, ada)
    await linked(tenant, ada, "Other")
    ada.crm.delete(one)
    cut(tenant, effect, '"DELETE"')
    await tenant.later(minutes=5)
    await settle(tenant)
    assert not has_item(ada, item)
    await agrees(tenant, ada)


@pytest.mark.parametrize("effect", CUTS)
async def test_a_deletion_in_salesforce_that_is_cut_is_carried_out(tenant: Tenant, ada: Somebody, effect: Effect) -> None:
    await set_profile(tenant, ContactsDeleteInSalesforce=True)
    one, item = await linked(tenant, ada)
    await linked(tenant, ada, "Other")
    ada.outlook.delete_contact(item)
    tenant.sandbox.faults.plant(Rule(effect=effect, service="salesforce", method="DELETE", times=1, seconds=100))
    await tenant.later(minutes=5)
    await settle(tenant)
    assert is_deleted(tenant, one)
    await agrees(tenant, ada)


@pytest.mark.parametrize("effect", CUTS)
@pytest.mark.parametrize("with_package", [True, False])
async def test_inserts_that_are_cut_or_late_make_each_record_once(effect: Effect, with_package: bool) -> None:
    tenant = Tenant(with_package=with_package)
    ada = tenant.person("ada")
    await tenant.round()
    for number in range(30):
        in_outlook(ada, f"Nr{number:02d}", givenName="Mary")
    tenant.sandbox.faults.plant(Rule(effect=effect, service="salesforce", method="POST", path="composite/sobjects", times=1, seconds=100))
    await tenant.later(minutes=5)
    await settle(tenant)
    assert sorted(row["LastName"] for row in tenant.contacts()) == [f"Nr{number:02d}" for number in range(30)]
    await agrees(tenant, ada)


@pytest.mark.parametrize("effect", CUTS)
async def test_an_update_in_outlook_that_is_cut_while_the_person_edits_loses_nothing(tenant: Tenant, ada: Somebody, effect: Effect) -> None:
    one, item = await linked(tenant, ada, Title="Old", Phone="1")
    ada.crm.update(one, {"Title": "New", "Phone": "2"})
    cut(tenant, effect, '"PATCH"')
    await tenant.later(minutes=5)
    ada.outlook.edit_contact(item, {"department": "Sales", "mobilePhone": "7"})
    await settle(tenant)
    assert (record(tenant, one)["Department"], record(tenant, one)["MobilePhone"]) == ("Sales", "7")
    assert (ada.outlook.contact(item)["jobTitle"], ada.outlook.contact(item)["businessPhones"]) == ("New", ["2"])
    await agrees(tenant, ada)


@pytest.mark.parametrize("effect", CUTS)
async def test_an_update_in_salesforce_that_is_cut_while_somebody_edits_loses_nothing(
    tenant: Tenant, ada: Somebody, effect: Effect
) -> None:
    one, item = await linked(tenant, ada, Title="Old")
    ada.outlook.edit_contact(item, {"jobTitle": "New"})
    cut(tenant, effect, '"PATCH"', service="salesforce")
    await tenant.later(minutes=5)
    ada.crm.update(one, {"Department": "Sales"})
    await settle(tenant)
    assert record(tenant, one)["Title"] == "New"
    assert ada.outlook.contact(item)["department"] == "Sales"
    await agrees(tenant, ada)


async def test_an_item_created_in_vain_and_deleted_by_the_person_at_once_is_decided_by_the_rule(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDeleteInSalesforce=True)
    await linked(tenant, ada, "Other")
    in_salesforce(ada, "Meyer")
    cut(tenant, Effect.CUT_AFTER, '"surname"')
    await tenant.later(minutes=5)
    for item in [item for item in ada.items() if item["surname"] == "Meyer"]:
        ada.outlook.delete_contact(item["id"])
    await settle(tenant)
    assert len([row for row in tenant.contacts() if row["LastName"] == "Meyer"]) == names_in(ada).count("Meyer")
    assert names_in(ada).count("Meyer") <= 1
    await agrees(tenant, ada)


async def test_a_transient_412_without_reason_is_survived(tenant: Tenant, ada: Somebody) -> None:
    made = [in_salesforce(ada, f"Nr{number:02d}") for number in range(20)]
    await tenant.round()
    tenant.graph.set_knobs(p_transient_412=0.5)
    for one in made:
        ada.crm.update(one, {"Phone": "1"})
    await tenant.later(minutes=5)
    for _ in range(4):
        await tenant.later(minutes=5)
    tenant.graph.set_knobs(p_transient_412=0.0)
    await tenant.later(minutes=5)
    assert [item["businessPhones"] for item in ada.items()] == [["1"]] * 20
    await agrees(tenant, ada)


async def test_single_items_of_a_batch_that_take_effect_and_answer_503_are_not_doubled(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    tenant.graph.sub_faults.append(SubFault(method="POST", path="/contacts$", skip=3, times=4, status=503, when=When.AFTER))
    for number in range(20):
        in_salesforce(ada, f"Nr{number:02d}")
    await tenant.later(minutes=5)
    await settle(tenant)
    assert names_in(ada) == [f"Nr{number:02d}" for number in range(20)]
    await agrees(tenant, ada)


async def test_salesforce_throttles_and_an_html_page_comes_instead_of_an_answer(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    ada.crm.update(one, {"Phone": "1"})
    tenant.salesforce.set_knobs(html_outages=2, concurrent_refusals=1)
    await tenant.later(minutes=5)
    await settle(tenant)
    assert ada.outlook.contact(item)["businessPhones"] == ["1"]
    await agrees(tenant, ada)


async def test_a_mailbox_that_allows_few_requests_is_filled_in_the_end(tenant: Tenant, ada: Somebody) -> None:
    tenant.graph.set_knobs(requests_per_ten_minutes=40)
    for number in range(100):
        in_salesforce(ada, f"Nr{number:02d}")
    await tenant.round()
    for _ in range(6):
        await tenant.later(minutes=11)
    assert len(ada.items()) == 100
    tenant.graph.set_knobs(requests_per_ten_minutes=10_000)
    await settle(tenant)
    await agrees(tenant, ada)


# --------------------------------------------------------------------------- people at the worst moment


async def test_two_people_who_create_the_same_person_at_the_same_moment_make_one_record(
    tenant: Tenant, ada: Somebody, bob: Somebody
) -> None:
    tenant.salesforce.set_org_wide("Contact", "read_write")
    home = account(tenant, ada, "Home")
    tenant.salesforce.share(home, bob.username)
    await tenant.round()
    for who in (ada, bob):
        in_outlook(who, "Adams", givenName="Mary", emailAddresses=address("mary@example.com"), companyName="Home")
    tenant.clock.advance(300)
    first, second = await tenant.app.plan()
    nested: list[bool] = []

    async def beside(call: Call) -> None:
        if call.table == "SyncClaims" and not nested:
            nested.append(True)
            await App(tenant.settings, tenant.world(), lease=tenant.lease).sync(second)

    tenant.tables.after = beside
    await tenant.app.sync(first)
    tenant.tables.after = None
    await settle(tenant)
    assert nested
    (row,) = tenant.contacts()
    assert list(links(tenant, ada)) == list(links(tenant, bob)) == [row["Id"]]
    await stays_quiet(tenant)


async def test_an_item_deleted_by_the_person_while_it_is_written_is_a_deletion(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDeleteInSalesforce=True)
    one, item = await linked(tenant, ada)
    await linked(tenant, ada, "Other")
    ada.crm.update(one, {"Phone": "1"})

    def delete_it(asked: Request) -> None:
        if b'"PATCH"' in asked.body and has_item(ada, item):
            ada.outlook.delete_contact(item)

    tenant.graph_transport.before = delete_it
    await tenant.later(minutes=5)
    tenant.graph_transport.before = None
    await settle(tenant)
    assert the_item(ada, "Meyer")["businessPhones"] == ["1"], "edited in Salesforce, deleted in Outlook: edit beats delete"
    await agrees(tenant, ada)


async def test_a_record_deleted_while_it_is_written_is_a_deletion_that_the_edit_beats(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    ada.outlook.edit_contact(item, {"jobTitle": "Boss"})

    def delete_it(asked: Request) -> None:
        if b'"PATCH"' in asked.body and not is_deleted(tenant, one):
            ada.crm.delete(one)

    tenant.salesforce_adapter.before = delete_it
    await tenant.later(minutes=5)
    tenant.salesforce_adapter.before = None
    await settle(tenant)
    assert the_record(tenant, "Meyer")["Title"] == "Boss"
    assert names_in(ada) == ["Meyer"]
    await agrees(tenant, ada)


async def test_an_item_edited_after_the_last_look_is_not_deleted(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    await linked(tenant, ada, "Other")
    ada.crm.delete(one)
    edited: list[bool] = []

    def edit_it(asked: Request) -> None:
        if b'"DELETE"' in asked.body and not edited:
            edited.append(True)
            ada.outlook.edit_contact(item, {"jobTitle": "Boss"})

    tenant.graph_transport.before = edit_it
    await tenant.later(minutes=5)
    tenant.graph_transport.before = None
    await settle(tenant)
    assert edited
    assert the_record(tenant, "Meyer")["Title"] == "Boss"
    assert names_in(ada) == ["Meyer", "Other"]
    await agrees(tenant, ada)


async def test_the_folder_is_deleted_while_it_is_filled(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDeleteInSalesforce=True)
    await tenant.round()
    for number in range(100):
        in_salesforce(ada, f"Nr{number:02d}")
    batches: list[int] = []

    def delete_folder(asked: Request) -> None:
        if b'"surname"' in asked.body:
            batches.append(1)
            if len(batches) == 3:
                ada.outlook.delete_folder(FOLDER)

    tenant.graph_transport.before = delete_folder
    await tenant.later(minutes=5)
    tenant.graph_transport.before = None
    await settle(tenant)
    assert (len(ada.items()), len(tenant.contacts())) == (100, 100)
    await agrees(tenant, ada)


async def test_a_folder_that_the_person_deletes_and_makes_again_by_hand_is_taken_and_refilled(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDeleteInSalesforce=True)
    for number in range(10):
        in_salesforce(ada, f"Nr{number:02d}")
    await tenant.round()
    ada.outlook.delete_folder(FOLDER)
    ada.outlook.create_folder(FOLDER)
    await tenant.later(minutes=5)
    await settle(tenant)
    assert (len(ada.items()), len(tenant.contacts())) == (10, 10)
    assert sum(1 for folder in ada.outlook.folders() if folder["displayName"] == FOLDER) == 1
    await agrees(tenant, ada)


async def test_an_edit_of_an_item_whose_deletion_is_held_beats_the_deletion(tenant: Tenant, ada: Somebody) -> None:
    made = [in_salesforce(ada, f"Nr{number:02d}") for number in range(20)]
    await tenant.round()
    for one in made[:8]:
        ada.crm.delete(one)
    await tenant.later(minutes=5)
    assert [row["Count"] for row in await approvals(tenant, ada)] == [8]
    ada.outlook.edit_contact(links(tenant, ada)[made[0]], {"jobTitle": "Boss"})
    await agree_to_deletions(tenant, ada)
    await tenant.later(minutes=5)
    await settle(tenant)
    assert the_record(tenant, "Nr00")["Title"] == "Boss"
    assert len(ada.items()) == len(tenant.contacts()) == 13
    await agrees(tenant, ada)


async def test_a_copy_in_another_folder_with_the_category_is_asked_about_and_moved_only_when_decided(tenant: Tenant, ada: Somebody) -> None:
    _, item = await linked(tenant, ada, Email="m@example.com", FirstName="Mary")
    ada.outlook.copy_contact(item, DEFAULT_FOLDER)
    await tenant.later(minutes=5)
    assert (names_in(ada), names_in(ada, DEFAULT_FOLDER)) == (["Meyer"], ["Meyer"])
    assert [row["Question"] for row in await questions(tenant, ada)] == ["copy"]
    await stays_quiet(tenant)
    await decide(tenant, ada, "create")
    await tenant.later(minutes=5)
    assert (names_in(ada), names_in(ada, DEFAULT_FOLDER)) == (["Meyer", "Meyer"], [])
    assert len(tenant.contacts()) == 2
    await agrees(tenant, ada)


async def test_a_copy_of_an_opted_out_contact_put_into_the_folder_is_linked_to_its_record(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada, Email="m@example.com", FirstName="Mary")
    ada.outlook.move_contact(item, DEFAULT_FOLDER)
    await tenant.later(minutes=5)
    copy = ada.outlook.copy_contact(item, FOLDER)
    await tenant.later(minutes=5)
    assert links(tenant, ada) == {one: copy}
    assert len(tenant.contacts()) == 1
    assert ada.outlook.contact(item)["categories"] == []
    await agrees(tenant, ada)


# --------------------------------------------------------------------------- long absences


async def test_after_three_weeks_of_pause_and_an_emptied_recycle_bin_both_sides_agree(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDeleteInSalesforce=True)
    made = [in_salesforce(ada, f"Nr{number:02d}") for number in range(20)]
    await tenant.round()
    await set_user(tenant, ada, Paused=True)
    await tenant.later(minutes=5)
    ada.crm.delete(made[0])
    ada.outlook.delete_contact(links(tenant, ada)[made[1]])
    ada.crm.update(made[2], {"Phone": "1"})
    ada.outlook.edit_contact(links(tenant, ada)[made[3]], {"jobTitle": "Boss"})
    tenant.clock.advance(21 * 24 * 3600)
    tenant.salesforce.empty_recycle_bin()
    tenant.graph.expire_delta_tokens(ada.upn)
    await set_user(tenant, ada, Paused=False)
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert is_deleted(tenant, made[1])
    assert (the_item(ada, "Nr02")["businessPhones"], record(tenant, made[3])["Title"]) == (["1"], "Boss")
    assert len(ada.items()) == len(tenant.contacts()) == 18
    await agrees(tenant, ada)


async def test_a_record_deleted_and_purged_before_anybody_looked_is_found_by_the_sweep_within_the_hour(
    tenant: Tenant, ada: Somebody
) -> None:
    made = [in_salesforce(ada, f"Nr{number:02d}") for number in range(10)]
    await tenant.round()
    for one in made[:2]:
        ada.crm.delete(one)
        tenant.salesforce.purge(one)
    await tenant.later(minutes=65)
    assert len(ada.items()) == 8
    await agrees(tenant, ada)


async def test_a_one_way_sync_stays_as_it_is_after_the_full_comparison(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDirection="outlook to salesforce")
    await tenant.round()
    item = in_outlook(ada, "Mine", emailAddresses=address("m@example.com"))
    in_outlook(ada, "Other")
    await tenant.later(minutes=5)
    ada.crm.delete(the_record(tenant, "Mine")["Id"])
    await tenant.later(minutes=5)
    before = our_writes(tenant)
    for _ in range(2):
        tenant.clock.advance(1200)
        await tenant.round(why=Why.COMPARE)
    assert our_writes(tenant) == before, "what was deleted in Salesforce is not made again because somebody compared"
    assert has_item(ada, item)


# --------------------------------------------------------------------------- small print of the vendors


async def test_blanks_and_line_ends_are_no_differences(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    item = in_outlook(ada, " Meyer ", givenName="Mary\u00a0", jobTitle="  ", personalNotes="eins\r\nzwei\r\n\r\n", department="Sales ")
    await tenant.later(minutes=5)
    row = the_record(tenant, "Meyer")
    assert (row["Department"], row["Description"].replace("\r\n", "\n")) == ("Sales", "eins\nzwei")
    ada.crm.update(row["Id"], {"Phone": "1"})
    await tenant.later(minutes=5)
    assert ada.outlook.contact(item)["businessPhones"] == ["1"]
    await stays_quiet(tenant)


async def test_an_address_that_differs_by_case_only_is_no_difference(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada, Email="mary.meyer@example.com")
    before = our_writes(tenant)
    ada.outlook.edit_contact(item, {"emailAddresses": address("Mary.Meyer@Example.com")})
    await tenant.later(minutes=5)
    assert our_writes(tenant) == before
    assert record(tenant, one)["Email"] == "mary.meyer@example.com"
    await stays_quiet(tenant)


async def test_the_display_name_of_an_address_survives(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    item = in_outlook(ada, "Meyer", emailAddresses=[{"address": "m@example.com", "name": "Mary (office)"}])
    await tenant.later(minutes=5)
    ada.crm.update(the_record(tenant, "Meyer")["Id"], {"Phone": "1"})
    await tenant.later(minutes=5)
    assert ada.outlook.contact(item)["emailAddresses"] == [{"address": "m@example.com", "name": "Mary (office)"}]
    await agrees(tenant, ada)


async def test_a_category_in_other_letters_is_the_same_category(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    in_outlook(ada, "Friend", DEFAULT_FOLDER, categories=["SALESFORCE"])
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert names_in(ada) == ["Friend"]
    assert len(the_item(ada, "Friend")["categories"]) == 1
    await stays_quiet(tenant)


async def test_an_alerting_duplicate_rule_does_not_stop_the_sync(tenant: Tenant, ada: Somebody) -> None:
    tenant.salesforce.add_duplicate_rule("Contact", ["Email"])
    one = in_salesforce(ada, "Adams", Email="office@example.com")
    await tenant.round()
    item = in_outlook(ada, "Brown", emailAddresses=address("office@example.com"))
    await tenant.later(minutes=5)
    await decide(tenant, ada, "create")
    await tenant.later(minutes=5)
    assert sorted(row["LastName"] for row in tenant.contacts()) == ["Adams", "Brown"]
    assert (has_item(ada, item), one in links(tenant, ada)) == (True, True)
    await agrees(tenant, ada)


async def test_an_assignment_rule_does_not_give_the_new_record_away(tenant: Tenant, ada: Somebody, bob: Somebody) -> None:
    tenant.salesforce.set_assignment_rule("Contact", bob.username)
    await tenant.round()
    in_outlook(ada, "Meyer")
    await tenant.later(minutes=5)
    assert the_record(tenant, "Meyer")["OwnerId"] == ada.crm.id
    await agrees(tenant, ada, bob)


async def test_a_user_who_does_not_see_the_account_field_syncs_contacts_all_the_same(tenant: Tenant, ada: Somebody) -> None:
    acme = account(tenant, ada, "Acme")
    tenant.salesforce.set_fls(ada.username, "Contact", "AccountId", "hidden")
    await tenant.round()
    item = in_outlook(ada, "Meyer", companyName="Acme")
    one = tenant.salesforce.system.create("Contact", {"LastName": "Adams", "OwnerId": ada.crm.id, "AccountId": acme})
    await tenant.later(minutes=5)
    assert the_record(tenant, "Meyer").get("AccountId") is None
    assert ada.outlook.contact(item)["companyName"] == "Acme"
    ada.outlook.edit_contact(the_item(ada, "Adams")["id"], {"companyName": "Globex", "jobTitle": "Boss"})
    await tenant.later(minutes=5)
    assert (record(tenant, one)["AccountId"], record(tenant, one)["Title"]) == (acme, "Boss")
    await stays_quiet(tenant)


async def test_a_user_who_may_not_create_contacts_keeps_what_is_typed_and_is_told(tenant: Tenant, ada: Somebody) -> None:
    tenant.salesforce.set_object_permission(ada.username, "Contact", "create", False)
    in_salesforce(tenant.person("boss", in_group=False), "Elsewhere")
    await tenant.round()
    item = in_outlook(ada, "Meyer")
    await tenant.later(minutes=5)
    error = await the_error(tenant, ada)
    assert error["FixableBy"] == "an administrator"
    assert has_item(ada, item)
    tenant.salesforce.set_object_permission(ada.username, "Contact", "create", True)
    await tenant.later(hours=2)
    await tenant.later(hours=2)
    assert the_record(tenant, "Meyer")
    await agrees(tenant, ada)


async def test_an_entra_user_who_is_removed_disturbs_nobody(tenant: Tenant, ada: Somebody, bob: Somebody) -> None:
    await linked(tenant, ada)
    await linked(tenant, bob, "Bobs")
    tenant.graph.remove_user(ada.upn)
    in_salesforce(bob, "Second")
    await tenant.later(minutes=5)
    assert names_in(bob) == ["Bobs", "Second"]
    assert [row["LastName"] for row in tenant.contacts()].count("Meyer") == 1
    await stays_quiet(tenant)


async def test_a_user_who_is_disabled_in_entra_stops_and_loses_nothing(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    tenant.graph.change_user(ada.upn, enabled=False)
    ada.crm.update(one, {"Phone": "1"})
    await tenant.later(minutes=5)
    assert ada.outlook.contact(item)["businessPhones"] == []
    tenant.graph.change_user(ada.upn, enabled=True)
    await tenant.later(minutes=5)
    assert ada.outlook.contact(item)["businessPhones"] == ["1"]
    await agrees(tenant, ada)


async def test_a_row_that_an_administrator_spoilt_by_hand_stops_nothing(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsConflictRule="ask")
    one, item = await linked(tenant, ada, Title="Old")
    ada.crm.update(one, {"Title": "A"})
    ada.outlook.edit_contact(item, {"jobTitle": "B"})
    await tenant.later(minutes=5)
    (question,) = await questions(tenant, ada)
    await tenant.tables.transact("SyncConflicts", ada.id, [Merge(key=question["_key"], values={"Decision": 7, "Version": ""})])
    in_salesforce(ada, "Other")
    await tenant.later(minutes=5)
    assert "Other" in names_in(ada)
    assert (record(tenant, one)["Title"], ada.outlook.contact(item)["jobTitle"]) == ("A", "B")
    ada.outlook.edit_contact(item, {"jobTitle": "C"})
    await tenant.later(minutes=5)
    await decide(tenant, ada, "outlook")
    await tenant.later(minutes=5)
    assert record(tenant, one)["Title"] == "C"
    await agrees(tenant, ada)


async def test_a_decision_in_other_letters_is_a_decision(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsConflictRule="ask")
    one, item = await linked(tenant, ada, Title="Old")
    ada.crm.update(one, {"Title": "A"})
    ada.outlook.edit_contact(item, {"jobTitle": "B"})
    await tenant.later(minutes=5)
    await decide(tenant, ada, " Outlook ")
    await tenant.later(minutes=5)
    assert record(tenant, one)["Title"] == "B"
    await agrees(tenant, ada)


async def test_a_decision_that_means_nothing_for_a_conflict_changes_nothing(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsConflictRule="ask")
    one, item = await linked(tenant, ada, Title="Old")
    ada.crm.update(one, {"Title": "A"})
    ada.outlook.edit_contact(item, {"jobTitle": "B"})
    await tenant.later(minutes=5)
    await decide(tenant, ada, "both")
    await tenant.later(minutes=5)
    assert (record(tenant, one)["Title"], ada.outlook.contact(item)["jobTitle"]) == ("A", "B")
    error = await the_error(tenant, ada)
    assert "salesforce" in error["Text"] + error["Remedy"]
    assert "outlook" in error["Text"] + error["Remedy"]
    await decide(tenant, ada, "salesforce")
    await tenant.later(minutes=5)
    assert ada.outlook.contact(item)["jobTitle"] == "A"
    await agrees(tenant, ada)


async def test_a_question_whose_row_was_deleted_by_hand_is_asked_again_when_something_changes(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsConflictRule="ask")
    one, item = await linked(tenant, ada, Title="Old")
    ada.crm.update(one, {"Title": "A"})
    ada.outlook.edit_contact(item, {"jobTitle": "B"})
    await tenant.later(minutes=5)
    (question,) = await questions(tenant, ada)
    await tenant.tables.transact("SyncConflicts", ada.id, [Remove(key=question["_key"])])
    ada.outlook.edit_contact(item, {"department": "Sales"})
    await tenant.later(minutes=5)
    assert len(await questions(tenant, ada)) == 1
    await decide(tenant, ada, "salesforce")
    await tenant.later(minutes=5)
    assert ada.outlook.contact(item)["jobTitle"] == "A"
    await agrees(tenant, ada)


async def test_error_rows_that_were_deleted_by_hand_come_back_while_the_error_lasts(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    item = in_outlook(ada, None, givenName="Mary")
    await tenant.later(minutes=5)
    for row in await error_rows(tenant, ada):
        await tenant.tables.transact("SyncErrors", ada.id, [Remove(key=row["_key"])])
    await tenant.later(minutes=5)
    assert len(await error_rows(tenant, ada)) == 1
    ada.outlook.edit_contact(item, {"surname": "Meyer"})
    await tenant.later(minutes=5)
    await agrees(tenant, ada)
    assert state_rows(tenant, ada, "c-intent|") == []


async def test_a_claim_of_a_process_that_died_is_taken_over_after_a_while(tenant: Tenant, ada: Somebody, bob: Somebody) -> None:
    tenant.salesforce.set_org_wide("Contact", "read_write")
    home = account(tenant, ada, "Home")
    tenant.salesforce.share(home, bob.username)
    await tenant.round()
    in_outlook(ada, "Adams", givenName="Mary", emailAddresses=address("mary@example.com"), companyName="Home")
    tenant.clock.advance(300)
    queue = await tenant.app.plan()

    async def die(call: Call) -> None:
        if call.table == "SyncClaims" and call.name == "transact":
            raise asyncio.CancelledError

    tenant.tables.after = die
    with pytest.raises(asyncio.CancelledError):
        await tenant.app.sync(next(text for text in queue if ada.id in text))
    tenant.tables.after = None
    tenant.start()
    await set_user(tenant, ada, Paused=True)
    in_outlook(bob, "Adams", givenName="Mary", emailAddresses=address("mary@example.com"), companyName="Home")
    await tenant.later(minutes=2)
    assert tenant.contacts() == [], "somebody else is making this record"
    await tenant.later(minutes=25)
    assert len(tenant.contacts()) == 1
    await set_user(tenant, ada, Paused=False)
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert len(tenant.contacts()) == 1
    assert list(links(tenant, ada)) == list(links(tenant, bob))
    await stays_quiet(tenant)


async def test_a_hundred_conflicts_are_asked_and_decided(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsConflictRule="ask")
    made = [in_salesforce(ada, f"Nr{number:03d}", Title="Old") for number in range(110)]
    await tenant.round()
    for one in made:
        ada.crm.update(one, {"Title": "A"})
        ada.outlook.edit_contact(links(tenant, ada)[one], {"jobTitle": "B"})
    await tenant.later(minutes=5)
    assert len(await questions(tenant, ada)) == 110
    await decide(tenant, ada, "outlook")
    await tenant.later(minutes=5)
    assert {row["Title"] for row in tenant.contacts()} == {"B"}
    await agrees(tenant, ada)


async def test_opting_in_many_contacts_is_done_in_batches(tenant: Tenant, ada: Somebody) -> None:
    for number in range(60):
        in_outlook(ada, f"Nr{number:02d}", DEFAULT_FOLDER, categories=[CATEGORY])
    before = len(tenant.graph_transport.requests)
    await tenant.round()
    assert (len(ada.items()), names_in(ada, DEFAULT_FOLDER)) == (60, [])
    assert len(tenant.graph_transport.requests) - before <= 60, "bulk everywhere: 20 to a batch, a few steps each"
    await agrees(tenant, ada)
