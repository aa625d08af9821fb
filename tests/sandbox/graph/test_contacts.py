"""Contacts: what comes back for what is written, what is refused, and which id finds what."""

from typing import Any

import pytest

from local.sandbox.graph import Knobs
from tests.sandbox.graph.asking import STAMP, Tenant, code, refused


def test_a_new_contact_comes_back_whole_with_etag_and_generated_names(tenant: Tenant) -> None:
    made = tenant.make(givenName="Jörg", surname="Öztürk", emailAddresses=[{"address": "j@x.example"}])
    assert made["displayName"] == "Jörg Öztürk"
    assert made["fileAs"] == "Öztürk, Jörg"
    assert made["emailAddresses"] == [{"name": "j@x.example", "address": "j@x.example"}]
    assert made["primaryEmailAddress"] == made["emailAddresses"][0]
    assert made["@odata.etag"] == f'W/"{made["changeKey"]}"'
    assert made["otherAddress"] == {}
    assert made["parentFolderId"] == tenant.folder
    assert made["createdDateTime"] == made["lastModifiedDateTime"] == "2026-03-01T08:00:00Z"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1974-07-22", "1974-07-22T11:59:00Z"),
        ("1974-07-22T00:00:00Z", "1974-07-22T00:00:00Z"),
        ("1974-07-22T00:30:00+02:00", "1974-07-22T11:59:00Z"),
        ("1974-07-22T09:30:00", "1974-07-22T09:30:00Z"),
        (None, None),
    ],
)
def test_a_birthday_comes_back_as_a_timestamp_on_the_same_date(tenant: Tenant, written: str | None, read: str | None) -> None:
    assert tenant.make(birthday=written)["birthday"] == read


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"gender": "x"}, "RequestBodyRead"),
        ({"Surname": "x"}, "RequestBodyRead"),
        ({"homeAddress": {"country": "x"}}, "RequestBodyRead"),
        ({"emailAddresses": [{"adress": "x"}]}, "RequestBodyRead"),
        ({"surname": 7}, "UnableToDeserializePostBody"),
        ({"businessPhones": "1"}, "UnableToDeserializePostBody"),
        ({"businessPhones": [None]}, "UnableToDeserializePostBody"),
        ({"emailAddresses": {"address": "x"}}, "UnableToDeserializePostBody"),
        ({"birthday": 7}, "UnableToDeserializePostBody"),
        ({"homeAddress": "x"}, "UnableToDeserializePostBody"),
        (["surname"], "UnableToDeserializePostBody"),
        ({"singleValueExtendedProperties": [{"value": "x"}]}, "UnableToDeserializePostBody"),
        ({"birthday": "22.7.1974"}, "InvalidDateTime"),
        ({"birthday": "1974-13-01"}, "InvalidDateTime"),
        ({"businessPhones": ["1", "2", "3"]}, "ErrorInvalidRequest"),
        ({"homePhones": ["1", "2", "3"]}, "ErrorInvalidRequest"),
        ({"emailAddresses": [{"address": str(n)} for n in range(4)]}, "ErrorInvalidRequest"),
        ({"surname": "x" * 256}, "ErrorPropertyValidationFailure"),
        ({"homeAddress": {"city": "x" * 256}}, "ErrorPropertyValidationFailure"),
        ({"id": "x"}, "ErrorInvalidPropertySet"),
        ({"lastModifiedDateTime": "2026-01-01T00:00:00Z"}, "ErrorInvalidPropertySet"),
        ({"singleValueExtendedProperties": [{"id": "String CrmId", "value": "x"}]}, "ErrorInvalidProperty"),
    ],
)
def test_what_exchange_refuses_is_refused_and_nothing_is_written(tenant: Tenant, body: Any, expected: str) -> None:
    contact = tenant.people.create_contact(tenant.folder, {"surname": "Muster"})
    before = len(tenant.graph.writes)
    assert refused(tenant.ask("POST", tenant.contacts, body), 400, expected)
    assert refused(tenant.ask("PATCH", f"{tenant.at}/contacts/{contact}", body), 400, expected)
    assert len(tenant.graph.writes) == before


def test_too_many_phones_are_refused_in_the_services_own_words(tenant: Tenant) -> None:
    error = tenant.ask("POST", tenant.contacts, {"businessPhones": ["1", "2", "3"]}).json()["error"]
    assert error["message"] == "The multi value property BusinessPhones has 3 entries, that exceeds the max allowed value of 2"


def test_a_body_without_json_or_content_type_is_refused(tenant: Tenant) -> None:
    assert refused(tenant.ask("POST", tenant.contacts, b"{", content_type="application/json"), 400, "BadRequest")
    assert refused(tenant.ask("POST", tenant.contacts, b"{}"), 400, "BadRequest")


def test_a_long_note_stays_whole(tenant: Tenant) -> None:
    note = "ü" * 40_000
    assert tenant.make(personalNotes=note)["personalNotes"] == note


def test_an_update_replaces_collections_and_clears_what_is_null(tenant: Tenant) -> None:
    made = tenant.make(
        surname="A", businessPhones=["1", "2"], mobilePhone="3", categories=["x"], homeAddress={"city": "Wien", "state": None}
    )
    assert made["homeAddress"] == {"city": "Wien"}
    response = tenant.ask(
        "PATCH", f"{tenant.contacts}/{made['id']}", {"businessPhones": ["9"], "mobilePhone": None, "categories": [], "homeAddress": None}
    )
    changed = response.json()
    assert response.status == 200
    assert (changed["businessPhones"], changed["mobilePhone"], changed["categories"], changed["homeAddress"]) == (["9"], None, [], {})
    assert changed["surname"] == "A"


@pytest.mark.parametrize(("merge", "expected"), [(False, {"city": "Graz"}), (True, {"city": "Graz", "street": "Ring 1"})])
def test_a_partial_address_replaces_or_merges_as_the_knob_says(merge: bool, expected: dict[str, str]) -> None:
    tenant = Tenant(Knobs(addresses_merge=merge))
    made = tenant.make(homeAddress={"street": "Ring 1", "city": "Wien"})
    changed = tenant.ask("PATCH", f"{tenant.contacts}/{made['id']}", {"homeAddress": {"city": "Graz"}}).json()
    assert changed["homeAddress"] == expected


def test_a_change_of_names_overwrites_the_display_name_that_was_not_sent(tenant: Tenant) -> None:
    made = tenant.make(givenName="Anna", surname="Alt", displayName="Die Anna")
    assert made["displayName"] == "Die Anna"
    path = f"{tenant.contacts}/{made['id']}"
    assert tenant.ask("PATCH", path, {"mobilePhone": "1"}).json()["displayName"] == "Die Anna"
    assert tenant.ask("PATCH", path, {"surname": "Neu"}).json()["displayName"] == "Anna Neu"
    assert tenant.ask("PATCH", path, {"surname": "Neuer", "displayName": "Anni"}).json()["displayName"] == "Anni"


def test_the_scalar_addresses_are_views_of_the_collection(tenant: Tenant) -> None:
    made = tenant.make(emailAddresses=[{"name": "a", "address": "a@x"}, {"name": "b", "address": "b@x"}])
    changed = tenant.ask("PATCH", f"{tenant.contacts}/{made['id']}", {"primaryEmailAddress": {"name": "c", "address": "c@x"}}).json()
    assert [entry["address"] for entry in changed["emailAddresses"]] == ["c@x", "b@x"]
    assert changed["tertiaryEmailAddress"] is None


def test_every_write_changes_the_etag_even_one_of_a_stamp_or_of_nothing(tenant: Tenant) -> None:
    made = tenant.make(surname="A")
    path = f"{tenant.contacts}/{made['id']}"
    seen = {made["@odata.etag"]}
    for body in (
        {"surname": "A"},
        {"categories": ["Salesforce"]},
        {"singleValueExtendedProperties": [{"id": STAMP, "value": "1"}]},
    ):
        seen.add(tenant.ask("PATCH", path, body).json()["@odata.etag"])
    assert len(seen) == 4


def test_a_write_on_an_old_etag_is_refused_and_changes_nothing(tenant: Tenant) -> None:
    made = tenant.make(surname="A")
    path = f"{tenant.at}/contacts/{made['id']}"
    tenant.people.edit_contact(made["id"], {"surname": "B"})
    assert refused(tenant.ask("PATCH", path, {"surname": "C"}, if_match=made["@odata.etag"]), 412, "ErrorIrresolvableConflict")
    assert refused(tenant.ask("DELETE", path, if_match=made["@odata.etag"]), 412, "ErrorIrresolvableConflict")
    now = tenant.get(path)
    assert now["surname"] == "B"
    assert tenant.ask("PATCH", path, {"surname": "C"}, if_match=now["@odata.etag"]).status == 200
    assert tenant.ask("PATCH", path, {"surname": "D"}, if_match="*").status == 200
    assert tenant.ask("DELETE", path).status == 204


def test_the_service_says_412_now_and_then_without_reason() -> None:
    tenant = Tenant(Knobs(p_transient_412=0.5))
    made = tenant.make(surname="A")
    statuses = {tenant.ask("PATCH", f"{tenant.contacts}/{made['id']}", {"surname": "B"}).status for _ in range(30)}
    assert statuses == {200, 412}


def test_an_immutable_id_survives_a_move_and_the_other_does_not(tenant: Tenant) -> None:
    made = tenant.make(surname="A")
    regular = tenant.people.regular_id(made["id"])
    assert regular != made["id"]
    assert tenant.get(f"{tenant.at}/contacts/{regular}")["id"] == made["id"]
    assert tenant.get(f"{tenant.at}/contacts/{made['id']}", prefer=None)["id"] == regular
    tenant.people.move_contact(made["id"], "contacts")
    assert tenant.get(f"{tenant.at}/contacts/{made['id']}")["parentFolderId"] != tenant.folder
    assert refused(tenant.ask("GET", f"{tenant.at}/contacts/{regular}"), 404, "ErrorItemNotFound")
    assert refused(tenant.ask("GET", f"{tenant.contacts}/{made['id']}"), 404, "ErrorItemNotFound")


def test_ids_are_long_and_some_differ_only_by_the_case_of_a_letter(tenant: Tenant) -> None:
    ids = {tenant.people.create_contact(tenant.folder, {"surname": str(n)}) for n in range(200)}
    assert len(ids) == 200
    assert len({one.lower() for one in ids}) < 200
    assert {len(one) for one in ids} == {152}
    for one in ids:
        assert tenant.get(f"{tenant.at}/contacts/{one}?$select=surname")["id"] == one


def test_an_id_may_be_url_encoded_and_must_be_well_formed(tenant: Tenant) -> None:
    made = tenant.make(surname="A")
    assert tenant.get(f"{tenant.at}/contacts/{made['id'].replace('=', '%3D')}")["surname"] == "A"
    assert tenant.get(f"{tenant.at}/contacts('{made['id']}')")["surname"] == "A"
    assert refused(tenant.ask("GET", f"{tenant.at}/contacts/short"), 400, "ErrorInvalidIdMalformed")
    assert refused(tenant.ask("GET", f"{tenant.at}/contacts/{made['id'][:-3]}AA="), 404, "ErrorItemNotFound")


def test_what_is_deleted_is_not_found_by_either_id(tenant: Tenant) -> None:
    made = tenant.make(surname="A")
    regular = tenant.people.regular_id(made["id"])
    assert tenant.ask("DELETE", f"{tenant.contacts}/{made['id']}").status == 204
    for one in (made["id"], regular):
        assert refused(tenant.ask("GET", f"{tenant.at}/contacts/{one}"), 404, "ErrorItemNotFound")
        assert refused(tenant.ask("DELETE", f"{tenant.at}/contacts/{one}"), 404, "ErrorItemNotFound")


def test_a_contact_can_be_deleted_for_good(tenant: Tenant) -> None:
    made = tenant.make(surname="A")
    assert tenant.ask("POST", f"{tenant.at}/contacts/{made['id']}/permanentDelete").status == 204
    assert tenant.people.contacts() == []


def test_contacts_of_the_mailbox_are_those_of_the_default_folder(tenant: Tenant) -> None:
    tenant.make(surname="Inside")
    made = tenant.ask("POST", f"{tenant.at}/contacts", {"surname": "Default"}).json()
    assert [entry["id"] for entry in tenant.get(f"{tenant.at}/contacts")["value"]] == [made["id"]]
    assert [entry["id"] for entry in tenant.get(f"{tenant.at}/contactFolders/contacts/contacts")["value"]] == [made["id"]]


def test_an_extended_property_is_seen_only_when_asked_for_by_id(tenant: Tenant) -> None:
    made = tenant.make(surname="A", singleValueExtendedProperties=[{"id": STAMP.replace("CrmId", "CRMID"), "value": "x"}])
    assert "singleValueExtendedProperties" not in made
    other = tenant.make(surname="B", singleValueExtendedProperties=[{"id": STAMP, "value": "Crm:42"}])
    path = f"{tenant.at}/contacts/{other['id']}"
    assert "singleValueExtendedProperties" not in tenant.get(f"{path}?$expand=singleValueExtendedProperties")
    found = tenant.get(f"{path}?$expand=singleValueExtendedProperties($filter=id eq '{STAMP}')&$select=surname")
    assert found["singleValueExtendedProperties"] == [{"id": STAMP, "value": "Crm:42"}]
    assert set(found) == {"@odata.context", "@odata.etag", "id", "surname", "singleValueExtendedProperties"}
    tenant.ask("PATCH", path, {"singleValueExtendedProperties": [{"id": STAMP, "value": None}]})
    assert tenant.people.contact(other["id"])["singleValueExtendedProperties"] == []


def test_the_parent_folder_cannot_be_changed_by_an_update(tenant: Tenant) -> None:
    made = tenant.make(surname="A")
    default = tenant.get(f"{tenant.at}/contactFolders/contacts")["id"]
    assert tenant.ask("PATCH", f"{tenant.contacts}/{made['id']}", {"parentFolderId": default}).json()["parentFolderId"] == tenant.folder


def test_a_photo_is_kept_beside_the_contact(tenant: Tenant) -> None:
    made = tenant.make(surname="A")
    path = f"{tenant.at}/contacts/{made['id']}/photo"
    assert refused(tenant.ask("GET", f"{path}/$value"), 404, "ImageNotFound")
    assert tenant.ask("PUT", f"{path}/$value", b"\xff\xd8photo", content_type="image/jpeg").status == 200
    response = tenant.ask("GET", f"{path}/$value")
    assert (response.body, response.headers["content-type"]) == (b"\xff\xd8photo", "image/jpeg")
    assert tenant.get(path)["@odata.mediaContentType"] == "image/jpeg"
    assert tenant.get(f"{tenant.at}/contacts/{made['id']}")["@odata.etag"] == made["@odata.etag"]
    assert refused(tenant.ask("PUT", f"{path}/$value", b"x", content_type="text/plain"), 400, "ErrorInvalidImage")


def test_another_mailbox_does_not_know_the_contact(tenant: Tenant) -> None:
    made = tenant.make(surname="A")
    ben = tenant.graph.add_user("ben@contoso.com")
    assert code(tenant.ask("GET", f"/users/{ben}/contacts/{made['id']}")) == "ErrorItemNotFound"


def test_notes_come_back_with_the_line_ends_of_exchange_when_it_is_so_set() -> None:
    tenant = Tenant(Knobs(notes_crlf=True))
    assert tenant.make(personalNotes="a\nb\r\nc")["personalNotes"] == "a\r\nb\r\nc"
