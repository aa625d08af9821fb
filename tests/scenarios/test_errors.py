"""What a service refuses (R2): one row per item, that says who can fix it, and that goes when it is solved – also when only the obstacle
was removed – while everything else goes on."""

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from local.sandbox.faults import Effect, Rule
from local.sandbox.graph.faults import SubFault
from tests.scenarios.stage import (
    FOLDER,
    account,
    address,
    agrees,
    error_rows,
    in_outlook,
    in_salesforce,
    linked,
    names_in,
    our_writes,
    pendings,
    record,
    set_profile,
    state_of,
    stays_quiet,
    table_of,
    the_error,
    the_item,
    the_record,
)
from tests.tenant import Somebody, Tenant

Hands = Callable[[Tenant, Somebody, str], None]
"""Something a person or an administrator does, given the Outlook id."""


def _edit(**values: Any) -> Hands:
    return lambda _tenant, who, item: who.outlook.edit_contact(item, values)


def _clear_rules(tenant: Tenant, _who: Somebody, _item: str) -> None:
    tenant.salesforce.clear_rules()


def _delete_the_double(tenant: Tenant, _who: Somebody, _item: str) -> None:
    tenant.salesforce.system.delete(the_record(tenant, "Double")["Id"])


def _nothing(_tenant: Tenant, _who: Somebody) -> None:
    pass


def _validation(tenant: Tenant, _who: Somebody) -> None:
    tenant.salesforce.add_validation_rule("Contact", "A title is needed.", field="Title", operator="is_empty")


def _duplicate(tenant: Tenant, who: Somebody) -> None:
    tenant.salesforce.add_duplicate_rule("Contact", ["Email"], block=True)
    boss = tenant.person("boss", in_group=False)
    in_salesforce(boss, "Double", Email="m@example.com", AccountId=account(tenant, boss, "Elsewhere"))
    assert who.crm.id != boss.crm.id


def _fault(code: str, **more: Any) -> Callable[[Tenant, Somebody], None]:
    def plant(tenant: Tenant, _who: Somebody) -> None:
        tenant.salesforce.add_row_fault(code, times=None, **more)

    return plant


Refusal: TypeAlias = tuple[dict[str, Any], Callable[[Tenant, Somebody], None], str, str, str, Hands]
"""Values of the item, preparation, code, field, who can fix it, what mends it."""

REFUSALS: dict[str, Refusal] = {
    "no last name": (
        {"surname": None, "givenName": "Mary"},
        _nothing,
        "RequiredFieldMissing",
        "LastName",
        "the user",
        _edit(surname="New"),
    ),
    "too long": ({"department": "x" * 81}, _nothing, "ValueTooLong", "Department", "the user", _edit(department="short")),
    "bad e-mail": (
        {"emailAddresses": address("not-an-address")},
        _nothing,
        "InvalidValue",
        "Email",
        "the user",
        _edit(emailAddresses=address("a@example.com")),
    ),
    "validation rule, the item corrected": ({}, _validation, "ValidationRule", "Title", "the user", _edit(jobTitle="Boss")),
    "validation rule, the rule removed": ({}, _validation, "ValidationRule", "Title", "the user", _clear_rules),
    "duplicate rule, the rule removed": (
        {"emailAddresses": address("m@example.com")},
        _duplicate,
        "DuplicateRule",
        "",
        "the user",
        _clear_rules,
    ),
    "duplicate rule, the double deleted": (
        {"emailAddresses": address("m@example.com")},
        _duplicate,
        "DuplicateRule",
        "",
        "the user",
        _delete_the_double,
    ),
    "inactive owner": ({}, _fault("INACTIVE_OWNER_OR_USER"), "InactiveOwner", "", "an administrator", _clear_rules),
    "a trigger fails": (
        {},
        _fault("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message="TandemTrigger: execution of BeforeInsert"),
        "CustomerCode",
        "",
        "an administrator",
        _clear_rules,
    ),
    "an unknown code": ({}, _fault("SOMETHING_NEW", message="who knows"), "Refused", "", "an administrator", _clear_rules),
}


@pytest.mark.parametrize("case", REFUSALS)
async def test_a_refused_new_contact_has_one_row_that_goes_when_it_is_solved(tenant: Tenant, ada: Somebody, case: str) -> None:
    values, prepare, code, field, fixable_by, mend = REFUSALS[case]
    prepare(tenant, ada)
    await tenant.round()
    item = in_outlook(ada, **{"last_name": "New", **_named(values)})
    await tenant.later(minutes=5)
    first = await the_error(tenant, ada)
    assert (first["Code"], first["Field"], first["FixableBy"], first["OutlookId"]) == (code, field, fixable_by, item)
    assert first["Nature"]
    assert first["Remedy"]
    assert first["Side"] == "salesforce"
    assert ada.outlook.contact(item)["id"] == item, "nothing is lost in Outlook"
    await tenant.later(minutes=5)
    again = await the_error(tenant, ada)
    assert again["FirstSeen"] == first["FirstSeen"] == first["LastSeen"]
    assert again["LastSeen"] > first["LastSeen"]
    assert again["Times"] == 2
    mend(tenant, ada, item)
    await tenant.later(minutes=5)
    assert the_record(tenant, "New")["OwnerId"] == ada.crm.id
    await agrees(tenant, ada)


def _named(values: dict[str, Any]) -> dict[str, Any]:
    return {"last_name" if name == "surname" else name: value for name, value in values.items()}


@pytest.mark.parametrize("case", ["too long", "bad e-mail", "inactive owner", "a trigger fails"])
async def test_a_refused_edit_keeps_both_sides_and_goes_when_it_is_solved(tenant: Tenant, ada: Somebody, case: str) -> None:
    values, prepare, code, field, _, mend = REFUSALS[case]
    one, item = await linked(tenant, ada, Phone="1")
    prepare(tenant, ada)
    ada.outlook.edit_contact(item, {"jobTitle": "Boss", **values})
    await tenant.later(minutes=5)
    error = await the_error(tenant, ada)
    assert (error["Code"], error["Field"], error["SalesforceId"], error["OutlookId"]) == (code, field, one, item)
    assert error["SalesforceLink"].endswith(f"/{one}/view")
    assert record(tenant, one)["Phone"] == "1"
    mend(tenant, ada, item)
    await tenant.later(minutes=5)
    assert record(tenant, one)["Title"] == "Boss"
    await agrees(tenant, ada)


async def test_one_bad_apple_does_not_spoil_two_hundred(tenant: Tenant, ada: Somebody) -> None:
    ada.outlook.create_folder(FOLDER)
    for number in range(210):
        in_outlook(ada, None if number in (3, 150, 201) else f"Nr{number:03d}", givenName="Mary")
    await tenant.round()
    assert len(tenant.contacts()) == 207
    assert [row["Code"] for row in await error_rows(tenant, ada)] == ["RequiredFieldMissing"] * 3
    await stays_quiet(tenant)


async def test_an_item_that_is_deleted_takes_its_error_along(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    item = in_outlook(ada, None, givenName="Mary")
    await tenant.later(minutes=5)
    await the_error(tenant, ada)
    ada.outlook.delete_contact(item)
    await tenant.later(minutes=5)
    await agrees(tenant, ada)


async def test_an_edit_that_is_taken_back_takes_its_error_along(tenant: Tenant, ada: Somebody) -> None:
    _, item = await linked(tenant, ada, Department="ok")
    ada.outlook.edit_contact(item, {"department": "x" * 100})
    await tenant.later(minutes=5)
    await the_error(tenant, ada)
    ada.outlook.edit_contact(item, {"department": "ok"})
    await tenant.later(minutes=5)
    await agrees(tenant, ada)


async def test_a_last_name_emptied_in_outlook_is_told_and_the_rest_of_the_edit_waits(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    ada.outlook.edit_contact(item, {"surname": None, "jobTitle": "Boss"})
    await tenant.later(minutes=5)
    error = await the_error(tenant, ada)
    assert (error["Code"], error["SalesforceId"]) == ("RequiredFieldMissing", one)
    assert record(tenant, one)["LastName"] == "Meyer"
    ada.outlook.edit_contact(item, {"surname": "Meier"})
    await tenant.later(minutes=5)
    assert (record(tenant, one)["LastName"], record(tenant, one)["Title"]) == ("Meier", "Boss")
    await agrees(tenant, ada)


async def test_a_locked_row_is_tried_again_within_the_run_and_tells_nobody(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    tenant.salesforce.add_row_fault("UNABLE_TO_LOCK_ROW", times=1)
    ada.outlook.edit_contact(item, {"jobTitle": "Boss"})
    await tenant.later(minutes=5)
    assert record(tenant, one)["Title"] == "Boss"
    await agrees(tenant, ada)


async def test_a_record_locked_by_an_approval_waits_and_is_told_only_after_a_while(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    lock = tenant.salesforce.add_row_fault("ENTITY_IS_LOCKED", times=None)
    ada.outlook.edit_contact(item, {"jobTitle": "Boss"})
    await tenant.later(minutes=5)
    assert await error_rows(tenant, ada) == [], "it passes by itself more often than not"
    for _ in range(6):
        await tenant.later(minutes=5)
    error = await the_error(tenant, ada)
    assert (error["Code"], error["FixableBy"], error["SalesforceId"]) == ("RecordLocked", "nobody needs to", one)
    lock.times = 0
    await tenant.later(hours=7)
    assert record(tenant, one)["Title"] == "Boss"
    await agrees(tenant, ada)


async def test_what_fails_for_a_day_is_tried_ever_more_rarely_but_several_times_a_day(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    other, other_item = await linked(tenant, ada, "Other")
    tenant.salesforce.add_row_fault("INACTIVE_OWNER_OR_USER", times=None)
    ada.outlook.edit_contact(item, {"jobTitle": "Boss"})
    ada.outlook.edit_contact(other_item, {"jobTitle": "Boss"})
    await tenant.later(minutes=5)
    for _ in range(24 * 4):
        await tenant.later(minutes=15)
    assert all(5 < row["Times"] < 25 for row in await error_rows(tenant, ada))
    tenant.salesforce.clear_rules()
    ada.outlook.edit_contact(item, {"mobilePhone": "7"})
    await tenant.later(minutes=5)
    assert record(tenant, one)["Title"] == "Boss", "a new edit is tried at once"
    await tenant.later(hours=6)
    assert record(tenant, other)["Title"] == "Boss", "what nobody touches is tried within six hours"
    await agrees(tenant, ada)


async def test_a_read_only_field_is_told_and_the_other_fields_go_on(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada, Department="Sales")
    tenant.salesforce.set_fls(ada.username, "Contact", "Department", "readonly")
    await tenant.later(hours=2)
    ada.outlook.edit_contact(item, {"department": "Mine", "jobTitle": "Boss"})
    await tenant.later(minutes=5)
    assert (record(tenant, one)["Department"], record(tenant, one)["Title"]) == ("Sales", "Boss")
    error = await the_error(tenant, ada)
    assert (error["Code"], error["Field"], error["FixableBy"]) == ("FieldNotWritable", "Department", "an administrator")
    assert ada.outlook.contact(item)["department"] == "Mine"
    tenant.salesforce.set_fls(ada.username, "Contact", "Department", "full")
    await tenant.later(hours=2)
    await tenant.later(hours=7)
    assert record(tenant, one)["Department"] == "Mine"
    await agrees(tenant, ada)


async def test_a_field_that_becomes_read_only_between_describe_and_write_is_no_disaster(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada, Department="Sales")
    tenant.salesforce.set_fls(ada.username, "Contact", "Department", "readonly")
    ada.outlook.edit_contact(item, {"department": "Mine", "jobTitle": "Boss"})
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert record(tenant, one)["Title"] == "Boss"
    assert record(tenant, one)["Department"] == "Sales"
    assert (await the_error(tenant, ada))["Code"] == "FieldNotWritable"


async def test_a_hidden_field_is_never_compared_nor_written_nor_erased(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada, Department="Sales", Phone="1")
    tenant.salesforce.set_fls(ada.username, "Contact", "Department", "hidden")
    tenant.salesforce.set_fls(ada.username, "Contact", "Phone", "hidden")
    await tenant.later(hours=2)
    assert (ada.outlook.contact(item)["department"], ada.outlook.contact(item)["businessPhones"]) == ("Sales", ["1"])
    ada.outlook.edit_contact(item, {"department": "Mine", "jobTitle": "Boss"})
    tenant.salesforce.system.update(one, {"Phone": "2", "MobilePhone": "7"})
    await tenant.later(minutes=5)
    assert (record(tenant, one)["Department"], record(tenant, one)["Title"]) == ("Sales", "Boss")
    assert (ada.outlook.contact(item)["businessPhones"], ada.outlook.contact(item)["mobilePhone"]) == (["1"], "7")
    assert await error_rows(tenant, ada) == []
    await stays_quiet(tenant)


async def test_a_field_that_becomes_visible_again_is_agreed_upon(tenant: Tenant, ada: Somebody) -> None:
    tenant.salesforce.set_fls(ada.username, "Contact", "Department", "hidden")
    one, item = await linked(tenant, ada)
    tenant.salesforce.system.update(one, {"Department": "Sales"})
    await tenant.later(minutes=5)
    assert ada.outlook.contact(item)["department"] is None
    tenant.salesforce.set_fls(ada.username, "Contact", "Department", "full")
    await tenant.later(hours=2)
    assert ada.outlook.contact(item)["department"] == "Sales"
    await agrees(tenant, ada)


async def test_a_record_that_the_user_may_only_read_is_told(tenant: Tenant, ada: Somebody, bob: Somebody) -> None:
    await set_profile(tenant, ContactsSearch="All contacts")
    home = account(tenant, bob, "Home")
    one = in_salesforce(bob, "Shared", AccountId=home)
    tenant.salesforce.share(one, ada.username, "read")
    await tenant.round()
    ada.outlook.edit_contact(the_item(ada, "Shared")["id"], {"jobTitle": "Boss"})
    await tenant.later(minutes=5)
    error = await the_error(tenant, ada)
    assert (error["Code"], error["SalesforceId"]) == ("NoAccessToRecord", one)
    tenant.salesforce.share(one, ada.username, "edit")
    await tenant.later(minutes=5)
    assert record(tenant, one)["Title"] == "Boss"
    await tenant.later(minutes=5)
    assert await error_rows(tenant, ada) == []


async def test_an_item_that_outlook_refuses_has_a_row_and_is_tried_again(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    bad = SubFault(method="POST", path="/contacts$", times=None, status=400, code="ErrorInvalidProperty")
    tenant.graph.sub_faults.append(bad)
    one = in_salesforce(ada, "Meyer")
    await tenant.later(minutes=5)
    error = await the_error(tenant, ada)
    assert (error["Code"], error["Side"], error["SalesforceId"]) == ("InvalidValue", "outlook", one)
    tenant.graph.sub_faults.clear()
    await tenant.later(minutes=5)
    assert names_in(ada) == ["Meyer"]
    await agrees(tenant, ada)


async def test_throttling_of_single_items_is_waited_for(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    tenant.graph.sub_faults.append(
        SubFault(method="POST", path="/contacts$", skip=2, times=5, status=429, code="ApplicationThrottled", retry_after=2.5)
    )
    for number in range(30):
        in_salesforce(ada, f"Nr{number}")
    await tenant.later(minutes=5)
    assert len(ada.items()) == 30
    await agrees(tenant, ada)


@pytest.mark.parametrize("service", ["graph", "salesforce"])
async def test_an_outage_is_told_in_the_runs_row_only_and_is_over_when_it_is_over(tenant: Tenant, ada: Somebody, service: str) -> None:
    one, item = await linked(tenant, ada)
    tenant.sandbox.faults.plant(Rule(effect=Effect.ANSWER, service=service, status=503, path="batch|/composite"))
    ada.crm.update(one, {"Phone": "1"})
    ada.outlook.edit_contact(item, {"jobTitle": "Boss"})
    await tenant.later(minutes=5)
    assert (await tenant.last_run())["Result"] == "failed"
    assert await error_rows(tenant, ada) == []
    tenant.sandbox.faults.clear()
    await tenant.later(minutes=15)
    assert (await tenant.last_run())["Result"] == "done"
    await agrees(tenant, ada)


@pytest.mark.parametrize("effect", [Effect.CUT_BEFORE, Effect.CUT_AFTER])
@pytest.mark.parametrize("with_package", [True, False])
async def test_an_insert_whose_answer_is_lost_makes_exactly_one_record(effect: Effect, with_package: bool) -> None:
    tenant = Tenant(with_package=with_package)
    ada = tenant.person("ada")
    await tenant.round()
    in_outlook(ada, "New", givenName="Mary", emailAddresses=address("m@example.com"))
    tenant.sandbox.faults.plant(Rule(effect=effect, service="salesforce", method="POST", path="composite/sobjects", times=1))
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    await tenant.later(minutes=15)
    assert [row["LastName"] for row in tenant.contacts()] == ["New"]
    await agrees(tenant, ada)


@pytest.mark.parametrize("effect", [Effect.CUT_BEFORE, Effect.CUT_AFTER, Effect.LATE])
async def test_a_batch_of_creations_whose_answer_is_lost_makes_each_item_once(tenant: Tenant, ada: Somebody, effect: Effect) -> None:
    await tenant.round()
    for number in range(25):
        in_salesforce(ada, f"Nr{number:02d}")
    tenant.sandbox.faults.plant(Rule(effect=effect, service="graph", method="POST", path="batch", body='"surname"', times=1, seconds=90))
    await tenant.later(minutes=5)
    await tenant.later(minutes=15)
    await tenant.later(minutes=15)
    assert names_in(ada) == [f"Nr{number:02d}" for number in range(25)]
    await agrees(tenant, ada)


async def test_an_update_whose_answer_is_lost_is_not_taken_for_an_edit_of_somebody(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsConflictRule="ask")
    one, item = await linked(tenant, ada)
    ada.outlook.edit_contact(item, {"jobTitle": "Boss"})
    tenant.sandbox.faults.plant(Rule(effect=Effect.CUT_AFTER, service="salesforce", body='"PATCH"', times=1))
    await tenant.later(minutes=5)
    await tenant.later(minutes=15)
    assert record(tenant, one)["Title"] == "Boss"
    ada.outlook.edit_contact(item, {"jobTitle": "Chef"})
    await tenant.later(minutes=5)
    assert record(tenant, one)["Title"] == "Chef"
    assert await table_of(tenant, "SyncConflicts", ada.id) == []
    await agrees(tenant, ada)


async def test_the_daily_limit_stops_everybody_once_and_is_told_once(tenant: Tenant, ada: Somebody, bob: Somebody) -> None:
    await tenant.round()
    tenant.salesforce.set_knobs(daily_limit=tenant.salesforce.knobs.api_usage)
    in_outlook(ada, "A")
    in_outlook(bob, "B")
    await tenant.later(minutes=5)
    rows = await table_of(tenant, "SyncErrors", "everyone")
    assert [row["Code"] for row in rows] == ["SalesforceDailyLimit"]
    assert tenant.contacts() == []
    tenant.salesforce.set_knobs(daily_limit=100_000)
    await tenant.later(minutes=30)
    await tenant.later(minutes=30)
    assert len(tenant.contacts()) == 2
    assert await table_of(tenant, "SyncErrors", "everyone") == []
    await agrees(tenant, ada, bob)


async def test_a_full_mailbox_stops_its_person_and_nobody_else(tenant: Tenant, ada: Somebody, bob: Somebody) -> None:
    await tenant.round()
    tenant.graph.change_user(ada.upn, full=True)
    in_salesforce(ada, "A")
    in_salesforce(bob, "B")
    await tenant.later(minutes=5)
    assert names_in(bob) == ["B"]
    error = await the_error(tenant, ada)
    assert (error["Code"], error["FixableBy"]) == ("MailboxFull", "the user")
    tenant.graph.change_user(ada.upn, full=False)
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert names_in(ada) == ["A"]
    assert await state_of(tenant, ada) == "connected"
    await agrees(tenant, ada, bob)


async def test_the_run_row_says_how_many_went_where(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    _, other = await linked(tenant, ada, "Other")
    ada.crm.update(one, {"Phone": "1"})
    ada.outlook.edit_contact(other, {"jobTitle": "Boss"})
    in_salesforce(ada, "FromSalesforce")
    in_outlook(ada, "FromOutlook")
    in_outlook(ada, None, givenName="Refused")
    await tenant.later(minutes=5)
    run = await tenant.last_run()
    expected = {
        "ContactsToOutlookNew": 1,
        "ContactsToOutlookUpdated": 1,
        "ContactsToSalesforceNew": 1,
        "ContactsToSalesforceUpdated": 1,
    }
    assert {name: run.get(name) for name in expected} == expected
    assert (run["Result"], run["Why"], run["User"]) == ("done", "timer", ada.upn)
    assert run["ContactsErrors"] == 1, "one item was refused"
    assert ada.outlook.contact(item)["businessPhones"] == ["1"]


async def test_no_personal_data_is_told_in_error_rows_and_state(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    in_outlook(ada, None, givenName="Geheimnisvoll", emailAddresses=address("geheim@example.com"))
    in_outlook(ada, "Zweite", givenName="Geheimnisvoll", mobilePhone="0170 55555")
    await tenant.later(minutes=5)
    told = str(await tenant.rows("SyncErrors")) + str(await tenant.rows("SyncState")) + str(await tenant.rows("SyncClaims"))
    assert "Geheim" not in told
    assert "geheim" not in told
    assert "0170 55555" not in told


async def test_writes_stop_at_the_first_error_of_the_whole_user_and_nothing_done_is_forgotten(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    for number in range(90):
        in_salesforce(ada, f"Nr{number:02d}")
    tenant.graph.sub_faults.append(SubFault(method="POST", path="/contacts$", skip=50, times=None, status=507, code="ErrorQuotaExceeded"))
    await tenant.later(minutes=5)
    made = len(ada.items())
    assert 0 < made < 90
    tenant.graph.sub_faults.clear()
    await tenant.later(minutes=5)
    assert len(ada.items()) == 90, "what had been made is not made again"
    assert our_writes(tenant)[0] <= 93
    assert pendings(tenant, ada) == []
    await agrees(tenant, ada)
