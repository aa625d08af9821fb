"""Contacts travel both ways (C1): first sync, later edits, and what one side cannot hold."""

import pytest

from tests.scenarios.stage import (
    DEFAULT_FOLDER,
    FOLDER,
    NOTES,
    account,
    address,
    agrees,
    disagreements,
    error_rows,
    in_outlook,
    in_salesforce,
    linked,
    links,
    names_in,
    our_writes,
    record,
    set_profile,
    stays_quiet,
    the_error,
    the_item,
    the_record,
)
from tests.tenant import Somebody, Tenant

FULL_RECORD = {
    "Salutation": "Dr.",
    "FirstName": "Jürgen",
    "LastName": "Größenwahn-Ångström",
    "Email": "juergen@example.com",
    "Phone": "+49 30 1234",
    "OtherPhone": "+49 30 5678",
    "HomePhone": "+49 30 9999",
    "MobilePhone": "+49 170 1",
    "Title": "Geschäftsführer",
    "Department": "Einkauf",
    "AssistantName": "Zoë",
    "Birthdate": "1970-02-28",
    "Description": "Zeile eins\nZeile zwei",
    "MailingStreet": "Straße 1\nHinterhaus",
    "MailingCity": "Köln",
    "MailingState": "NRW",
    "MailingPostalCode": "50667",
    "MailingCountry": "Deutschland",
    "OtherStreet": "Allee 2",
    "OtherCity": "Łódź",
    "OtherState": "Łódzkie",
    "OtherPostalCode": "90-001",
    "OtherCountry": "Polska",
}

FULL_ITEM = {
    "title": "Prof.",
    "givenName": "Søren",
    "surname": "Ærø",
    "emailAddresses": address("soren@example.com"),
    "businessPhones": ["+45 1", "+45 2"],
    "homePhones": ["+45 3"],
    "mobilePhone": "+45 4",
    "jobTitle": "Direktør",
    "department": "Indkøb",
    "assistantName": "Maja",
    "birthday": "1961-12-31T00:00:00Z",
    "personalNotes": "første\nanden",
    "businessAddress": {"street": "Gade 1", "city": "Århus", "state": "Jylland", "postalCode": "8000", "countryOrRegion": "Danmark"},
    "otherAddress": {"street": "Vej 2", "city": "Ribe", "state": "Jylland", "postalCode": "6760", "countryOrRegion": "Danmark"},
}


async def test_the_first_sync_brings_my_salesforce_contacts_into_a_new_folder(tenant: Tenant, ada: Somebody) -> None:
    for name in ("Adams", "Brown", "Clark"):
        in_salesforce(ada, name, FirstName="Mary")
    await tenant.round()
    assert names_in(ada) == ["Adams", "Brown", "Clark"]
    await agrees(tenant, ada)


async def test_the_first_sync_takes_what_is_in_the_folder_to_salesforce(tenant: Tenant, ada: Somebody) -> None:
    ada.outlook.create_folder(FOLDER)
    for name in ("Adams", "Brown"):
        in_outlook(ada, name, givenName="Mary")
    await tenant.round()
    assert {row["LastName"] for row in tenant.contacts()} == {"Adams", "Brown"}
    assert all(row["OwnerId"] == ada.crm.id for row in tenant.contacts()), "records belong to the person whose mailbox it is"
    assert len(ada.items()) == 2
    await agrees(tenant, ada)


async def test_the_first_sync_goes_both_ways_at_once_and_pairs_what_is_on_both_sides(tenant: Tenant, ada: Somebody) -> None:
    in_salesforce(ada, "Adams", Email="a@example.com")
    in_salesforce(ada, "Brown", Email="b@example.com")
    ada.outlook.create_folder(FOLDER)
    in_outlook(ada, "Brown", emailAddresses=address("b@example.com"))
    in_outlook(ada, "Clark", emailAddresses=address("c@example.com"))
    await tenant.round()
    assert names_in(ada) == ["Adams", "Brown", "Clark"]
    assert len(tenant.contacts()) == 3
    await agrees(tenant, ada)


async def test_every_field_of_salesforce_arrives_in_outlook(tenant: Tenant, ada: Somebody) -> None:
    big = account(tenant, ada, "Müller & Söhne GmbH")
    ada.crm.create("Contact", {**FULL_RECORD, "AccountId": big})
    await tenant.round()
    item = the_item(ada, "Größenwahn-Ångström")
    assert item["companyName"] == "Müller & Söhne GmbH"
    assert item["businessPhones"] == ["+49 30 1234", "+49 30 5678"]
    assert item["birthday"].startswith("1970-02-28")
    assert item["displayName"] == "Jürgen Größenwahn-Ångström"
    await agrees(tenant, ada)


async def test_every_field_of_outlook_arrives_in_salesforce(tenant: Tenant, ada: Somebody) -> None:
    account(tenant, ada, "Danske Ting A/S")
    ada.outlook.create_folder(FOLDER)
    ada.outlook.create_contact(FOLDER, {**FULL_ITEM, "companyName": "Danske Ting A/S"})
    await tenant.round()
    row = the_record(tenant, "Ærø")
    assert row["MailingCity"] == "Århus"
    assert row["Birthdate"] == "1961-12-31"
    assert row["OtherPhone"] == "+45 2"
    await agrees(tenant, ada)


@pytest.mark.parametrize("field", [name for name in FULL_RECORD if name not in ("LastName", "Phone")])
async def test_a_field_that_is_emptied_in_salesforce_is_emptied_in_outlook(tenant: Tenant, ada: Somebody, field: str) -> None:
    one = ada.crm.create("Contact", FULL_RECORD)
    await tenant.round()
    ada.crm.update(one, {field: None})
    await tenant.later(minutes=5)
    await agrees(tenant, ada)


async def test_a_first_business_phone_emptied_in_salesforce_lets_the_second_move_up_in_outlook_and_not_back(
    tenant: Tenant, ada: Somebody
) -> None:
    one = ada.crm.create("Contact", FULL_RECORD)
    await tenant.round()
    ada.crm.update(one, {"Phone": None})
    await tenant.later(minutes=5)
    assert ada.items()[0]["businessPhones"] == ["+49 30 5678"]
    await stays_quiet(tenant)
    assert (record(tenant, one)["Phone"], record(tenant, one)["OtherPhone"]) == (None, "+49 30 5678")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"mobilePhone": None}, {"MobilePhone": None}),
        ({"emailAddresses": []}, {"Email": None}),
        ({"businessPhones": []}, {"Phone": None, "OtherPhone": None}),
        ({"businessPhones": ["+45 1"]}, {"Phone": "+45 1", "OtherPhone": None}),
        ({"businessAddress": {}}, {"MailingStreet": None, "MailingCity": None, "MailingCountry": None}),
        ({"birthday": None}, {"Birthdate": None}),
        ({"personalNotes": ""}, {"Description": None}),
        ({"givenName": None, "surname": "Only"}, {"FirstName": None, "LastName": "Only"}),
        ({"jobTitle": "Ny titel", "department": None}, {"Title": "Ny titel", "Department": None}),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
async def test_an_edit_in_outlook_arrives_in_salesforce(
    tenant: Tenant, ada: Somebody, change: dict[str, object], expected: dict[str, object]
) -> None:
    ada.outlook.create_folder(FOLDER)
    item = ada.outlook.create_contact(FOLDER, FULL_ITEM)
    await tenant.round()
    ada.outlook.edit_contact(item, change)
    await tenant.later(minutes=5)
    (row,) = tenant.contacts()
    assert {name: row[name] for name in expected} == expected
    await agrees(tenant, ada)


async def test_a_first_name_in_ten_scripts_survives_the_way_there_and_back(tenant: Tenant, ada: Somebody) -> None:
    names = ["Ünal", "Łukasz", "Žofie", "Νίκος", "Ольга", "محمد", "दीपा", "美咲", "한별", "👩‍🚀 Zoe"]
    for number, name in enumerate(names):
        in_salesforce(ada, f"Nr{number}", FirstName=name)
    await tenant.round()
    assert [the_item(ada, f"Nr{number}")["givenName"] for number in range(10)] == names
    ada.outlook.edit_contact(the_item(ada, "Nr3")["id"], {"givenName": "Ελένη"})
    await tenant.later(minutes=5)
    assert the_record(tenant, "Nr3")["FirstName"] == "Ελένη"
    await agrees(tenant, ada)


async def test_long_notes_stay_whole_in_outlook_after_an_edit_in_salesforce(tenant: Tenant, ada: Somebody) -> None:
    ada.outlook.create_folder(FOLDER)
    item = in_outlook(ada, "Long", personalNotes=NOTES)
    await tenant.round()
    row = the_record(tenant, "Long")
    assert 31_000 < len(row["Description"]) <= 32_000
    ada.crm.update(row["Id"], {"Phone": "+1 555"})
    await tenant.later(minutes=5)
    assert ada.outlook.contact(item)["personalNotes"] == NOTES
    assert ada.outlook.contact(item)["businessPhones"] == ["+1 555"]
    await agrees(tenant, ada)


async def test_long_notes_with_many_lines_are_cut_and_do_not_come_back(tenant: Tenant, ada: Somebody) -> None:
    ada.outlook.create_folder(FOLDER)
    notes = "Zeile für Zeile\n" * 3_000
    item = in_outlook(ada, "Lines", personalNotes=notes)
    await tenant.round()
    assert [row["LastName"] for row in tenant.contacts()] == ["Lines"], [row["Text"] for row in await error_rows(tenant, ada)]
    await tenant.later(minutes=5)
    assert ada.outlook.contact(item)["personalNotes"].strip() == notes.strip()
    await stays_quiet(tenant)


async def test_a_second_and_third_address_and_a_second_home_phone_survive_edits_in_salesforce(tenant: Tenant, ada: Somebody) -> None:
    ada.outlook.create_folder(FOLDER)
    three = address("one@example.com two@example.com three@example.com")
    item = in_outlook(ada, "Many", emailAddresses=three, homePhones=["1", "2"], nickName="Mo", imAddresses=["mo@im"])
    await tenant.round()
    ada.crm.update(the_record(tenant, "Many")["Id"], {"Email": "new@example.com", "HomePhone": "9"})
    await tenant.later(minutes=5)
    now = ada.outlook.contact(item)
    assert [one["address"] for one in now["emailAddresses"]] == ["new@example.com", "two@example.com", "three@example.com"]
    assert now["homePhones"] == ["9", "2"]
    assert (now["nickName"], now["imAddresses"]) == ("Mo", ["mo@im"])
    await agrees(tenant, ada)


async def test_the_home_address_of_outlook_has_no_place_in_salesforce_and_survives(tenant: Tenant, ada: Somebody) -> None:
    ada.outlook.create_folder(FOLDER)
    home = {"street": "Heim 1", "city": "Wien"}
    item = in_outlook(ada, "Home", homeAddress=home)
    await tenant.round()
    ada.crm.update(the_record(tenant, "Home")["Id"], {"MailingCity": "Graz", "OtherCity": "Linz"})
    await tenant.later(minutes=5)
    kept = {name: value for name, value in ada.outlook.contact(item)["homeAddress"].items() if value}
    assert kept == home
    await agrees(tenant, ada)


async def test_a_display_name_that_a_person_chose_survives_an_edit_of_another_field(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada, FirstName="Mary")
    ada.outlook.edit_contact(item, {"displayName": "Mary (the plumber)"})
    await tenant.later(minutes=5)
    ada.crm.update(one, {"MobilePhone": "1"})
    await tenant.later(minutes=5)
    assert ada.outlook.contact(item)["displayName"] == "Mary (the plumber)"
    await agrees(tenant, ada)


async def test_a_birthday_before_1700_stays_in_outlook(tenant: Tenant, ada: Somebody) -> None:
    ada.outlook.create_folder(FOLDER)
    item = in_outlook(ada, "NoYear", birthday="1604-05-17T00:00:00Z")
    await tenant.round()
    ada.crm.update(the_record(tenant, "NoYear")["Id"], {"Phone": "1"})
    await tenant.later(minutes=5)
    assert ada.outlook.contact(item)["birthday"].startswith("1604-05-17")
    assert the_record(tenant, "NoYear").get("Birthdate") is None
    assert await error_rows(tenant, ada) == []
    await stays_quiet(tenant)


async def test_photos_in_outlook_survive_an_edit_in_salesforce(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    ada.outlook.set_photo(item, "AAAA")
    ada.crm.update(one, {"Phone": "1"})
    await tenant.later(minutes=5)
    assert ada.outlook.contact(item)["hasPhoto"]
    await agrees(tenant, ada)


async def test_only_the_changed_fields_are_written_to_salesforce(tenant: Tenant, ada: Somebody) -> None:
    _, item = await linked(tenant, ada, FirstName="Mary", Phone="1")
    ada.outlook.edit_contact(item, {"jobTitle": "Boss"})
    await tenant.later(minutes=5)
    written = [write.fields for write in tenant.salesforce.writes if write.actor == "api"]
    assert [set(fields) & {"FirstName", "LastName", "Phone", "Title"} for fields in written] == [{"Title"}]


async def test_someone_elses_contacts_are_not_mine(tenant: Tenant, ada: Somebody, bob: Somebody) -> None:
    in_salesforce(ada, "Adams")
    in_salesforce(bob, "Brown")
    await tenant.round()
    assert (names_in(ada), names_in(bob)) == (["Adams"], ["Brown"])
    await agrees(tenant, ada, bob)


async def test_all_contacts_means_all_that_the_person_may_see(tenant: Tenant, ada: Somebody, bob: Somebody) -> None:
    await set_profile(tenant, ContactsSearch="All contacts")
    big = account(tenant, bob, "Big")
    shared = in_salesforce(bob, "Shared", AccountId=big)
    in_salesforce(bob, "Private")
    in_salesforce(ada, "Own")
    tenant.salesforce.share(shared, ada.username)
    await tenant.round()
    assert names_in(ada) == ["Own", "Shared"]
    assert names_in(bob) == ["Private", "Shared"]
    await stays_quiet(tenant)


async def test_edits_wait_on_their_side_while_contacts_are_off(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    await set_profile(tenant, ContactsDirection="off")
    ada.crm.update(one, {"Phone": "1"})
    ada.outlook.edit_contact(item, {"jobTitle": "Boss"})
    before = our_writes(tenant)
    await tenant.later(minutes=5)
    assert our_writes(tenant) == before
    await set_profile(tenant, ContactsDirection="both")
    await tenant.later(minutes=5)
    assert record(tenant, one)["Title"] == "Boss"
    await agrees(tenant, ada)


async def test_a_new_outlook_contact_keeps_its_id_and_its_own_categories(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    item = in_outlook(ada, "New", categories=["Golf"])
    await tenant.later(minutes=5)
    assert sorted(ada.outlook.contact(item)["categories"]) == ["Golf", "Salesforce"]
    assert list(links(tenant, ada).values()) == [item]
    await agrees(tenant, ada)


# --------------------------------------------------------------------------- company and account (C5)


async def test_the_account_of_exactly_the_companys_name_is_taken(tenant: Tenant, ada: Somebody) -> None:
    account(tenant, ada, "Acme Holding")
    acme = account(tenant, ada, "Acme")
    await tenant.round()
    in_outlook(ada, "New", companyName="ACME")
    await tenant.later(minutes=5)
    assert the_record(tenant, "New")["AccountId"] == acme
    await tenant.later(minutes=5)
    assert the_item(ada, "New")["companyName"] == "ACME", "a spelling that differs by case only is no difference"
    await agrees(tenant, ada)


async def test_of_several_accounts_of_the_name_the_earliest_is_taken(tenant: Tenant, ada: Somebody) -> None:
    first = account(tenant, ada, "Acme")
    account(tenant, ada, "Acme")
    account(tenant, ada, "Acme")
    await tenant.round()
    in_outlook(ada, "New", companyName="Acme")
    await tenant.later(minutes=5)
    assert the_record(tenant, "New")["AccountId"] == first
    await agrees(tenant, ada)


async def test_the_only_account_that_contains_the_company_is_taken_for_a_new_contact(tenant: Tenant, ada: Somebody) -> None:
    big = account(tenant, ada, "Acme International Holding")
    await tenant.round()
    item = in_outlook(ada, "New", companyName="Acme International")
    await tenant.later(minutes=5)
    assert the_record(tenant, "New")["AccountId"] == big
    assert ada.outlook.contact(item)["companyName"] == "Acme International", "what the person typed stays"
    await agrees(tenant, ada)


async def test_of_several_accounts_that_contain_the_company_none_is_taken(tenant: Tenant, ada: Somebody) -> None:
    account(tenant, ada, "Acme North")
    account(tenant, ada, "Acme South")
    await tenant.round()
    item = in_outlook(ada, "New", companyName="Acme")
    await tenant.later(minutes=5)
    assert the_record(tenant, "New").get("AccountId") is None
    assert ada.outlook.contact(item)["companyName"] == "Acme"
    await agrees(tenant, ada)


async def test_a_company_without_account_stays_in_outlook_and_is_never_erased(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    item = in_outlook(ada, "New", companyName="Nobody Ltd")
    await tenant.later(minutes=5)
    ada.crm.update(the_record(tenant, "New")["Id"], {"Phone": "1"})
    await tenant.later(minutes=5)
    assert ada.outlook.contact(item)["companyName"] == "Nobody Ltd"
    await agrees(tenant, ada)


async def test_a_later_company_edit_relinks_on_an_exact_match(tenant: Tenant, ada: Somebody) -> None:
    acme, globex = account(tenant, ada, "Acme"), account(tenant, ada, "Globex")
    one, item = await linked(tenant, ada, AccountId=acme)
    ada.outlook.edit_contact(item, {"companyName": "Globex"})
    await tenant.later(minutes=5)
    assert record(tenant, one)["AccountId"] == globex
    await agrees(tenant, ada)


async def test_a_later_company_edit_without_exact_match_warns_and_keeps_the_account(tenant: Tenant, ada: Somebody) -> None:
    acme = account(tenant, ada, "Acme")
    account(tenant, ada, "Globex International")
    one, item = await linked(tenant, ada, AccountId=acme)
    ada.outlook.edit_contact(item, {"companyName": "Globex", "jobTitle": "Boss"})
    await tenant.later(minutes=5)
    assert (record(tenant, one)["AccountId"], record(tenant, one)["Title"]) == (acme, "Boss")
    warning = await the_error(tenant, ada)
    assert (warning["Code"], warning["Field"], warning["SalesforceId"]) == ("CompanyNotFound", "AccountId", one)
    assert ada.outlook.contact(item)["companyName"] == "Globex"
    account(tenant, ada, "Globex")
    await tenant.later(minutes=10)
    assert record(tenant, one)["AccountId"] != acme, "the account appeared: it is tried again by itself"
    await agrees(tenant, ada)


async def test_a_company_that_is_emptied_in_outlook_never_blanks_the_account(tenant: Tenant, ada: Somebody) -> None:
    acme = account(tenant, ada, "Acme")
    one, item = await linked(tenant, ada, AccountId=acme)
    ada.outlook.edit_contact(item, {"companyName": None})
    await tenant.later(minutes=5)
    assert record(tenant, one)["AccountId"] == acme
    await stays_quiet(tenant)


async def test_of_two_accounts_of_one_name_the_contact_stays_in_its_own(tenant: Tenant, ada: Somebody) -> None:
    account(tenant, ada, "Acme")
    second = account(tenant, ada, "Acme")
    one, item = await linked(tenant, ada, AccountId=second)
    ada.outlook.edit_contact(item, {"companyName": "ACME", "jobTitle": "Boss"})
    await tenant.later(minutes=5)
    assert (record(tenant, one)["AccountId"], record(tenant, one)["Title"]) == (second, "Boss")
    await agrees(tenant, ada)


async def test_another_account_in_salesforce_is_another_company_in_outlook(tenant: Tenant, ada: Somebody) -> None:
    acme, globex = account(tenant, ada, "Acme"), account(tenant, ada, "Globex")
    one, item = await linked(tenant, ada, AccountId=acme)
    ada.crm.update(one, {"AccountId": globex})
    await tenant.later(minutes=5)
    assert ada.outlook.contact(item)["companyName"] == "Globex"
    await agrees(tenant, ada)


async def test_an_account_that_is_renamed_is_followed_at_the_latest_by_the_comparison(tenant: Tenant, ada: Somebody) -> None:
    acme = account(tenant, ada, "Acme")
    _, item = await linked(tenant, ada, AccountId=acme)
    ada.crm.update(acme, {"Name": "Acme Reborn"})
    await tenant.later(hours=25)
    assert ada.outlook.contact(item)["companyName"] == "Acme Reborn"
    await agrees(tenant, ada)


async def test_contacts_outside_the_folder_are_never_touched(tenant: Tenant, ada: Somebody) -> None:
    private = in_outlook(ada, "Private", DEFAULT_FOLDER, personalNotes="mine", categories=["Golf"])
    family = ada.outlook.create_folder("Family")
    in_outlook(ada, "Mother", family)
    in_salesforce(ada, "Business")
    before = ada.outlook.contact(private)
    for _ in range(3):
        await tenant.later(minutes=40)
    assert ada.outlook.contact(private) == before
    assert names_in(ada, family) == ["Mother"]
    assert [row["LastName"] for row in tenant.contacts()] == ["Business"]
    assert disagreements(tenant, ada) == []
