"""Who syncs, and as whom (W1, R4, O7): each person's state, what stops one person only, and the pinned identity."""

import pytest

from sync.ports import Remove
from tests.scenarios.stage import (
    account,
    agrees,
    error_rows,
    in_outlook,
    in_salesforce,
    linked,
    links,
    names_in,
    our_writes,
    record,
    set_profile,
    set_user,
    state_of,
    stays_quiet,
    table_of,
    the_error,
    the_item,
)
from tests.tenant import CONSUMER, Somebody, Tenant


async def user_row(tenant: Tenant, who: Somebody) -> dict[str, object]:
    (row,) = [row for row in await tenant.rows("SyncUsers") if row.key == who.id]
    return dict(row.values)


async def test_members_of_the_group_sync_and_are_connected(tenant: Tenant, ada: Somebody, bob: Somebody) -> None:
    outsider = tenant.person("eve", in_group=False)
    for who in (ada, bob, outsider):
        in_salesforce(who, "Meyer")
    await tenant.round()
    assert (names_in(ada), names_in(bob), outsider.outlook.contacts()) == (["Meyer"], ["Meyer"], [])
    row = await user_row(tenant, ada)
    assert (row["State"], row["PrincipalName"], row["SalesforceUser"]) == ("connected", ada.upn, ada.username)
    assert row["SalesforceUserId"] == ada.crm.id
    assert row["OrgId"] == tenant.salesforce.org_id
    await agrees(tenant, ada, bob)


async def test_a_person_on_the_list_syncs_without_the_group(tenant: Tenant, ada: Somebody) -> None:
    eve = tenant.person("eve", in_group=False)
    in_salesforce(eve, "Meyer")
    await set_user(tenant, eve, Enabled=True)
    await tenant.round()
    assert names_in(eve) == ["Meyer"]
    assert await state_of(tenant, eve) == "connected"


async def test_a_row_typed_under_a_principal_name_moves_to_the_object_id(tenant: Tenant, ada: Somebody) -> None:
    eve = tenant.person("eve", in_group=False)
    in_salesforce(eve, "Meyer")
    typed = Somebody(id=eve.upn, upn=eve.upn, username=eve.username, outlook=eve.outlook, crm=eve.crm)
    await set_user(tenant, typed, Enabled=True)
    await tenant.round()
    assert names_in(eve) == ["Meyer"]
    assert sorted(row.key for row in await tenant.rows("SyncUsers")) == sorted([ada.id, eve.id])


async def test_a_person_who_is_switched_off_does_not_sync(tenant: Tenant, ada: Somebody, bob: Somebody) -> None:
    one, item = await linked(tenant, ada)
    await set_user(tenant, ada, Enabled=False)
    ada.crm.update(one, {"Phone": "1"})
    in_salesforce(bob, "Other")
    await tenant.later(minutes=5)
    assert (ada.outlook.contact(item)["businessPhones"], names_in(bob)) == ([], ["Other"])
    assert await state_of(tenant, ada) == "disconnected"
    await set_user(tenant, ada, Enabled="")
    await tenant.later(minutes=5)
    assert ada.outlook.contact(item)["businessPhones"] == ["1"]
    assert await state_of(tenant, ada) == "connected"
    await agrees(tenant, ada, bob)


async def test_a_paused_person_waits_and_goes_on_where_it_stopped(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    await set_user(tenant, ada, Paused=True)
    ada.crm.update(one, {"Phone": "1"})
    ada.outlook.edit_contact(item, {"jobTitle": "Boss"})
    before = our_writes(tenant)
    await tenant.later(days=2)
    assert our_writes(tenant) == before
    assert await state_of(tenant, ada) == "paused"
    await set_user(tenant, ada, Paused=False)
    await tenant.later(minutes=5)
    assert (record(tenant, one)["Title"], ada.outlook.contact(item)["businessPhones"]) == ("Boss", ["1"])
    await agrees(tenant, ada)


async def test_who_leaves_the_group_stops_syncing_and_nothing_is_deleted(tenant: Tenant, ada: Somebody, bob: Somebody) -> None:
    one, item = await linked(tenant, ada)
    tenant.graph.set_members(tenant.group, [bob.id])
    ada.crm.update(one, {"Phone": "1"})
    await tenant.later(minutes=5)
    await tenant.later(days=2)
    assert (names_in(ada), ada.outlook.contact(item)["businessPhones"]) == (["Meyer"], [])
    assert await state_of(tenant, ada) == "disconnected"
    tenant.graph.set_members(tenant.group, [ada.id, bob.id])
    await tenant.later(minutes=5)
    assert ada.outlook.contact(item)["businessPhones"] == ["1"]
    assert links(tenant, ada) == {one: item}, "who comes back goes on with the same links"
    await agrees(tenant, ada, bob)


async def test_members_of_a_nested_group_sync_too(tenant: Tenant, ada: Somebody) -> None:
    eve = tenant.person("eve", in_group=False)
    inner = tenant.graph.add_group("Inner", [eve.id])
    tenant.graph.set_members(tenant.group, [ada.id, inner])
    in_salesforce(eve, "Meyer")
    await tenant.round()
    assert names_in(eve) == ["Meyer"]


async def test_a_missing_salesforce_user_is_reported_and_the_others_go_on(tenant: Tenant, ada: Somebody) -> None:
    lost = tenant.graph.add_user("lost@contoso.example")
    tenant.graph.set_members(tenant.group, [ada.id, lost])
    in_salesforce(ada, "Meyer")
    await tenant.round()
    assert names_in(ada) == ["Meyer"]
    (error,) = await table_of(tenant, "SyncErrors", lost)
    assert (error["Code"], error["FixableBy"], error["User"]) == ("NoSalesforceUser", "an administrator", "lost@contoso.example")
    tenant.salesforce.add_user("lost@crm.example", last_name="Lost", email="other@x.example", federation_identifier="LOST@contoso.example")
    await tenant.later(minutes=5)
    assert await table_of(tenant, "SyncErrors", lost) == []
    assert {str(row.values["State"]) for row in await tenant.rows("SyncUsers")} == {"connected"}


async def test_the_federation_identifier_counts_before_the_e_mail_address(tenant: Tenant, ada: Somebody) -> None:
    tenant.salesforce.add_user("other@crm.example", last_name="Other", email=ada.upn)
    in_salesforce(ada, "Meyer")
    await tenant.round()
    assert names_in(ada) == ["Meyer"]
    assert (await user_row(tenant, ada))["SalesforceUserId"] == ada.crm.id


async def test_without_federation_identifier_the_e_mail_address_decides(tenant: Tenant, ada: Somebody) -> None:
    tenant.salesforce.set_user(ada.username, {"FederationIdentifier": None})
    in_salesforce(ada, "Meyer")
    await tenant.round()
    assert names_in(ada) == ["Meyer"]


async def test_several_salesforce_users_are_reported_and_a_named_one_settles_it(tenant: Tenant, ada: Somebody) -> None:
    tenant.salesforce.set_user(ada.username, {"FederationIdentifier": None})
    tenant.salesforce.add_user("twin@crm.example", last_name="Twin", email=ada.upn)
    in_salesforce(ada, "Meyer")
    await tenant.round()
    assert await state_of(tenant, ada) == "several Salesforce users"
    assert (await the_error(tenant, ada))["Code"] == "SeveralSalesforceUsers"
    assert ada.outlook.contacts() == []
    await set_user(tenant, ada, SalesforceUsername=ada.username)
    await tenant.later(minutes=5)
    assert names_in(ada) == ["Meyer"]
    assert await state_of(tenant, ada) == "connected"
    await agrees(tenant, ada)


async def test_an_inactive_salesforce_user_is_reported(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    tenant.salesforce.set_user(ada.username, {"IsActive": False})
    tenant.salesforce.system.update(one, {"Phone": "1"})
    await tenant.later(hours=2)
    assert await state_of(tenant, ada) == "inactive Salesforce user"
    assert (await the_error(tenant, ada))["Code"] == "InactiveSalesforceUser"
    assert ada.outlook.contact(item)["businessPhones"] == []
    tenant.salesforce.set_user(ada.username, {"IsActive": True})
    await tenant.later(minutes=5)
    assert ada.outlook.contact(item)["businessPhones"] == ["1"]
    await agrees(tenant, ada)


async def test_a_user_deactivated_between_two_lookups_is_found_out_by_the_run(tenant: Tenant, ada: Somebody) -> None:
    await linked(tenant, ada)
    tenant.salesforce.set_user(ada.username, {"IsActive": False})
    tenant.salesforce.expire_sessions(ada.username)
    tenant.start()
    await tenant.later(minutes=5)
    assert await state_of(tenant, ada) in ("inactive Salesforce user", "not authorised")
    assert len(await error_rows(tenant, ada)) == 1
    tenant.salesforce.set_user(ada.username, {"IsActive": True})
    await tenant.later(minutes=5)
    await tenant.later(minutes=65)
    assert await state_of(tenant, ada) == "connected"
    await agrees(tenant, ada)


async def test_a_user_who_is_not_authorised_for_the_app_is_reported(tenant: Tenant, ada: Somebody, bob: Somebody) -> None:
    tenant.salesforce.set_permissions(ada.username, preauthorized=False)
    in_salesforce(ada, "Meyer")
    in_salesforce(bob, "Meyer")
    await tenant.round()
    assert names_in(bob) == ["Meyer"]
    error = await the_error(tenant, ada)
    assert (error["Code"], error["FixableBy"]) == ("NotAuthorised", "an administrator")
    assert "External Client App" in error["Remedy"]
    assert await state_of(tenant, ada) == "not authorised"
    tenant.salesforce.set_permissions(ada.username, preauthorized=True)
    await tenant.later(minutes=5)
    assert names_in(ada) == ["Meyer"]
    assert await state_of(tenant, ada) == "connected"
    await agrees(tenant, ada, bob)


@pytest.mark.parametrize(
    ("change", "code", "state"),
    [
        ({"has_mailbox": False}, "NoMailbox", "no mailbox"),
        ({"access_denied": True}, "MailboxAccessDenied", "no permission"),
    ],
    ids=["no licence", "kept out by policy"],
)
async def test_a_mailbox_that_cannot_be_opened_stops_its_person_only(
    tenant: Tenant, ada: Somebody, bob: Somebody, change: dict[str, bool], code: str, state: str
) -> None:
    await set_profile(tenant, ContactsDeleteInSalesforce=True)
    one, item = await linked(tenant, ada)
    tenant.graph.change_user(ada.upn, **change)
    ada.crm.update(one, {"Phone": "1"})
    in_salesforce(bob, "Other")
    await tenant.later(minutes=5)
    assert names_in(bob) == ["Other"]
    error = await the_error(tenant, ada)
    assert (error["Code"], error["FixableBy"], await state_of(tenant, ada)) == (code, "an administrator", state)
    assert record(tenant, one)["LastName"] == "Meyer", "a missing mailbox deletes nothing"
    tenant.graph.change_user(ada.upn, **{name: not value for name, value in change.items()})
    await tenant.later(minutes=5)
    assert ada.outlook.contact(item)["businessPhones"] == ["1"]
    assert await state_of(tenant, ada) == "connected"
    await agrees(tenant, ada, bob)


async def test_an_api_that_is_not_enabled_for_the_user_is_reported(tenant: Tenant, ada: Somebody) -> None:
    in_salesforce(ada, "Meyer")
    tenant.salesforce.set_permissions(ada.username, api_enabled=False)
    await tenant.round()
    assert await state_of(tenant, ada) == "no permission"
    assert (await the_error(tenant, ada))["Code"] == "ApiDisabled"
    tenant.salesforce.set_permissions(ada.username, api_enabled=True)
    await tenant.later(minutes=5)
    assert names_in(ada) == ["Meyer"]
    await agrees(tenant, ada)


async def test_a_user_without_the_contact_object_is_reported_and_nothing_is_deleted(tenant: Tenant, ada: Somebody) -> None:
    await linked(tenant, ada)
    tenant.salesforce.set_object_permission(ada.username, "Contact", "read", False)
    await tenant.later(minutes=65)
    await tenant.later(minutes=65)
    assert names_in(ada) == ["Meyer"]
    assert (await the_error(tenant, ada))["Code"] == "NoAccessToObject"
    assert await state_of(tenant, ada) == "no permission"
    tenant.salesforce.set_object_permission(ada.username, "Contact", "read", True)
    await tenant.later(minutes=65)
    await agrees(tenant, ada)


async def test_another_salesforce_user_stops_the_person_until_it_is_confirmed(tenant: Tenant, ada: Somebody) -> None:
    one, _ = await linked(tenant, ada)
    other = tenant.salesforce.add_user("new.ada@crm.example", last_name="Ada", email="x@y.example")
    tenant.salesforce.set_user(ada.username, {"FederationIdentifier": None, "Email": "old@y.example"})
    tenant.salesforce.set_user("new.ada@crm.example", {"FederationIdentifier": ada.upn})
    in_outlook(ada, "Fresh")
    await tenant.later(hours=2)
    assert await state_of(tenant, ada) == "identity changed"
    error = await the_error(tenant, ada)
    assert error["Code"] == "IdentityChanged"
    assert other in error["Text"]
    assert len(tenant.contacts()) == 1
    assert names_in(ada) == ["Fresh", "Meyer"]
    await set_user(tenant, ada, ConfirmIdentity="somebody else")
    await tenant.later(minutes=5)
    assert await state_of(tenant, ada) == "identity changed"
    await set_user(tenant, ada, ConfirmIdentity=other)
    await tenant.later(minutes=5)
    assert await state_of(tenant, ada) == "connected"
    assert {row["LastName"]: row["OwnerId"] for row in tenant.contacts()}["Fresh"] == other
    assert await error_rows(tenant, ada) == []
    assert record(tenant, one)["LastName"] == "Meyer"
    assert names_in(ada) == ["Fresh"], "what only the other user may see leaves the folder"


async def test_a_changed_username_of_the_same_salesforce_user_is_no_other_identity(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    tenant.salesforce.set_user(ada.username, {"Username": "ada.married@crm.example"})
    tenant.salesforce.expire_sessions()
    tenant.start()
    ada.crm.update(one, {"Phone": "1"})
    await tenant.later(hours=2)
    await tenant.later(minutes=5)
    assert ada.outlook.contact(item)["businessPhones"] == ["1"]
    assert await state_of(tenant, ada) == "connected"
    await agrees(tenant, ada)


async def test_a_changed_principal_name_keeps_the_pairs(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    tenant.graph.change_user(ada.upn, upn="ada.married@contoso.example")
    tenant.salesforce.set_user(ada.username, {"FederationIdentifier": "ada.married@contoso.example"})
    ada.crm.update(one, {"Phone": "1"})
    await tenant.later(hours=2)
    assert ada.outlook.contact(item)["businessPhones"] == ["1"]
    assert (await user_row(tenant, ada))["PrincipalName"] == "ada.married@contoso.example"
    await stays_quiet(tenant)


async def test_an_expired_salesforce_session_is_renewed_within_the_run(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    tenant.salesforce.expire_sessions()
    ada.crm.update(one, {"Phone": "1"})
    await tenant.later(minutes=5)
    assert ada.outlook.contact(item)["businessPhones"] == ["1"]
    assert (await tenant.last_run())["Result"] == "done"
    await agrees(tenant, ada)


async def test_one_login_per_person_and_lifetime(tenant: Tenant, ada: Somebody, bob: Somebody) -> None:
    for _ in range(6):
        await tenant.later(minutes=5)
    assert dict(tenant.salesforce.logins) == {ada.username: 1, bob.username: 1, "integration@crm.example": 1}


async def test_a_wrong_consumer_key_stops_everybody_and_is_told_once(tenant: Tenant, ada: Somebody, bob: Somebody) -> None:
    public = tenant.salesforce.sign_in.consumers.pop(CONSUMER)
    await tenant.round()
    rows = await table_of(tenant, "SyncErrors", "everyone")
    assert [row["Code"] for row in rows] == ["SalesforceLoginRefused"]
    assert "SALESFORCE_CLIENT_ID" in rows[0]["Remedy"]
    tenant.salesforce.add_consumer(CONSUMER, public)
    in_salesforce(ada, "Meyer")
    await tenant.later(minutes=20)
    assert names_in(ada) == ["Meyer"]
    await tenant.later(minutes=20)
    assert await table_of(tenant, "SyncErrors", "everyone") == []


async def test_a_group_that_does_not_exist_is_told_and_disturbs_nobody(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    group = tenant.graph.directory.groups.pop(tenant.group)
    ada.crm.update(one, {"Phone": "1"})
    await tenant.later(minutes=5)
    rows = await table_of(tenant, "SyncErrors", "everyone")
    assert [row["Code"] for row in rows] == ["GroupNotFound"]
    assert await state_of(tenant, ada) == "connected"
    tenant.graph.directory.groups[tenant.group] = group
    await tenant.later(minutes=5)
    assert ada.outlook.contact(item)["businessPhones"] == ["1"]
    assert await table_of(tenant, "SyncErrors", "everyone") == []


async def test_a_bad_value_in_a_persons_row_stops_that_person_only(tenant: Tenant, ada: Somebody, bob: Somebody) -> None:
    await tenant.round()
    await set_user(tenant, ada, Paused="maybe")
    in_salesforce(ada, "Meyer")
    in_salesforce(bob, "Meyer")
    await tenant.later(minutes=5)
    assert (names_in(ada), names_in(bob)) == ([], ["Meyer"])
    told = [row["Text"] for row in await table_of(tenant, "SyncErrors", "everyone")]
    assert len(told) == 1
    assert "Paused" in told[0]
    await set_user(tenant, ada, Paused="")
    await tenant.later(minutes=5)
    assert names_in(ada) == ["Meyer"]
    assert await table_of(tenant, "SyncErrors", "everyone") == []


async def test_bad_values_in_the_profile_are_all_named_and_stop_its_people(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    await set_profile(tenant, ContactsDirection="sideways", GuardCount="many", MaxContacts=-1)
    in_salesforce(ada, "Meyer")
    await tenant.later(minutes=5)
    assert names_in(ada) == []
    fields = sorted(row["Field"] for row in await table_of(tenant, "SyncErrors", "everyone"))
    assert fields == ["ContactsDirection", "GuardCount", "MaxContacts"]
    await set_profile(tenant, ContactsDirection="both", GuardCount=50, MaxContacts=1000)
    await tenant.later(minutes=5)
    assert names_in(ada) == ["Meyer"]
    assert await table_of(tenant, "SyncErrors", "everyone") == []


async def test_the_first_round_makes_the_default_profile_with_its_defaults(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    (row,) = await table_of(tenant, "SyncProfiles", "profile")
    expected = {
        "ContactsDirection": "both",
        "ContactsSearch": "My contacts",
        "ContactsConflictRule": "salesforce",
        "ContactsDeleteInSalesforce": False,
        "ContactsDeleteInOutlook": True,
        "FolderName": "Salesforce Contacts",
        "CategoryName": "Salesforce",
    }
    assert {name: row[name] for name in expected} == expected
    assert await state_of(tenant, ada) == "connected"


# --------------------------------------------------------------------------- the cap (W10)


async def test_a_mailbox_over_the_cap_is_never_half_filled(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, MaxContacts=10)
    for number in range(11):
        in_salesforce(ada, f"Nr{number:02d}")
    await tenant.round()
    assert ada.outlook.contacts() == []
    error = await the_error(tenant, ada)
    assert (error["Code"], error["FixableBy"]) == ("CapExceeded", "an administrator")
    assert await state_of(tenant, ada) == "stopped"
    await set_profile(tenant, MaxContacts=11)
    await tenant.later(minutes=5)
    assert len(ada.items()) == 11
    assert await state_of(tenant, ada) == "connected"
    await agrees(tenant, ada)


async def test_a_mailbox_that_grows_over_the_cap_is_stopped_before_it_is_over(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, MaxContacts=10)
    for number in range(8):
        in_salesforce(ada, f"Nr{number:02d}")
    await tenant.round()
    for number in range(8, 14):
        in_salesforce(ada, f"Nr{number:02d}")
    await tenant.later(minutes=5)
    assert len(ada.items()) == 8
    assert (await the_error(tenant, ada))["Code"] == "CapExceeded"
    await set_profile(tenant, MaxContacts=20)
    await tenant.later(minutes=5)
    assert len(ada.items()) == 14
    await agrees(tenant, ada)


async def test_a_wider_search_over_the_cap_changes_nothing(tenant: Tenant, ada: Somebody, bob: Somebody) -> None:
    tenant.salesforce.set_org_wide("Contact", "read_write")
    home = account(tenant, ada, "Home")
    tenant.salesforce.share(home, bob.username)
    await set_profile(tenant, MaxContacts=5)
    in_salesforce(ada, "Own", AccountId=home)
    for number in range(5):
        in_salesforce(bob, f"Bobs{number}", AccountId=home)
    await tenant.round()
    assert names_in(ada) == ["Own"]
    await set_profile(tenant, ContactsSearch="All contacts")
    await tenant.later(minutes=5)
    assert names_in(ada) == ["Own"]
    assert (await the_error(tenant, ada))["Code"] == "CapExceeded"
    await set_profile(tenant, ContactsSearch="My contacts")
    await tenant.later(minutes=5)
    await agrees(tenant, ada, bob)


async def test_two_people_with_the_same_record_see_each_others_edits(tenant: Tenant, ada: Somebody, bob: Somebody) -> None:
    tenant.salesforce.set_org_wide("Contact", "read_write")
    await set_profile(tenant, ContactsSearch="All contacts")
    home = account(tenant, ada, "Home")
    one = in_salesforce(ada, "Shared", AccountId=home)
    await tenant.round()
    ada.outlook.edit_contact(the_item(ada, "Shared")["id"], {"jobTitle": "Boss"})
    bob.outlook.edit_contact(the_item(bob, "Shared")["id"], {"mobilePhone": "7"})
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    for item in (the_item(ada, "Shared"), the_item(bob, "Shared")):
        assert (item["jobTitle"], item["mobilePhone"]) == ("Boss", "7")
    assert (record(tenant, one)["Title"], record(tenant, one)["MobilePhone"]) == ("Boss", "7")
    await stays_quiet(tenant)


async def test_a_name_in_the_list_that_the_directory_does_not_have_is_told(tenant: Tenant, ada: Somebody) -> None:
    typed = Somebody(id="nobody@contoso.example", upn="", username="", outlook=ada.outlook, crm=ada.crm)
    await set_user(tenant, typed, Enabled=True)
    in_salesforce(ada, "Meyer")
    await tenant.round()
    assert names_in(ada) == ["Meyer"]
    told = [row for row in await tenant.rows("SyncErrors") if row.values["Code"] == "UnknownUser"]
    assert len(told) == 1
    assert "nobody@contoso.example" in str(told[0])
    await tenant.tables.transact("SyncUsers", "user", [Remove(key="nobody@contoso.example")])
    await tenant.later(minutes=5)
    assert await tenant.errors() == {}


async def test_a_guest_in_the_group_without_mailbox_does_not_hold_up_the_others(tenant: Tenant, ada: Somebody) -> None:
    guest = tenant.graph.add_user("guest_x.com#EXT#@contoso.example", mail="", has_mailbox=False)
    tenant.graph.set_members(tenant.group, [ada.id, guest])
    in_salesforce(ada, "Meyer")
    await tenant.round()
    assert names_in(ada) == ["Meyer"]
    assert [row["Code"] for row in await table_of(tenant, "SyncErrors", guest)] == ["NoSalesforceUser"]


async def test_without_a_group_only_the_list_syncs(tenant: Tenant, ada: Somebody, bob: Somebody) -> None:
    tenant.environ["SYNC_GROUP_ID"] = ""
    tenant.start()
    in_salesforce(ada, "Meyer")
    in_salesforce(bob, "Meyer")
    await set_user(tenant, bob, Enabled=True)
    await tenant.round()
    assert (ada.outlook.contacts(), names_in(bob)) == ([], ["Meyer"])


async def test_a_wrong_username_written_by_an_administrator_is_told(tenant: Tenant, ada: Somebody) -> None:
    in_salesforce(ada, "Meyer")
    await set_user(tenant, ada, SalesforceUsername="typo@crm.example")
    await tenant.round()
    assert await state_of(tenant, ada) == "no Salesforce user"
    await set_user(tenant, ada, SalesforceUsername="")
    await tenant.later(minutes=5)
    assert names_in(ada) == ["Meyer"]
    assert await error_rows(tenant, ada) == []
