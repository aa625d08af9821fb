"""Single rows: answers, preconditions, and the three ways not to be there."""

from typing import Any

import pytest

from .conftest import ALICE, Client, World


def refusal(client: Client, method: str, path: str, body: Any = None) -> tuple[int, str]:
    answer = client.call(method, path, body)
    return answer.status, answer.json()[0]["errorCode"]


def test_a_create_answers_201_with_the_id(alice: Client) -> None:
    answer = alice.call("POST", "sobjects/Contact", {"LastName": "Roe", "firstname": "Jo"})
    body = answer.json()
    assert answer.status == 201
    assert body == {"id": body["id"], "success": True, "errors": []}
    assert answer.headers["location"] == f"/services/data/v62.0/sobjects/Contact/{body['id']}"
    row = alice.call("GET", f"sobjects/Contact/{body['id'][:15]}?fields=FirstName,Name,OwnerId,SystemModstamp").json()
    assert row["FirstName"] == "Jo"
    assert row["Name"] == "Jo Roe"
    assert row["OwnerId"] == alice.sandbox.user_id(ALICE)
    assert row["SystemModstamp"] == "2026-01-01T12:00:00.000+0000"


def test_not_there_is_said_in_three_ways(world: World, alice: Client, bob: Client) -> None:
    mine, gone, purged = world.contact(), world.contact(), world.contact()
    world.sandbox.as_user(ALICE).delete(gone)
    world.sandbox.purge(purged)
    path = "sobjects/Contact/"
    assert refusal(alice, "GET", path + gone) == (404, "ENTITY_IS_DELETED")
    assert refusal(alice, "PATCH", path + gone, {"Title": "x"}) == (404, "ENTITY_IS_DELETED")
    assert refusal(alice, "DELETE", path + gone) == (404, "ENTITY_IS_DELETED")
    for client, row_id in ((alice, purged), (bob, mine), (bob, gone)):
        assert refusal(client, "GET", path + row_id) == (404, "NOT_FOUND")
        assert refusal(client, "PATCH", path + row_id, {"Title": "x"}) == (404, "INVALID_CROSS_REFERENCE_KEY")
        assert refusal(client, "DELETE", path + row_id) == (404, "INVALID_CROSS_REFERENCE_KEY")


def test_a_patch_clears_with_null_and_trims_texts(world: World, alice: Client) -> None:
    contact = world.contact(Title="CEO", Phone="1")
    assert alice.call("PATCH", f"sobjects/Contact/{contact}", {"Title": None, "Phone": " \t 2 ", "Department": "   "}).status == 204
    row = world.sandbox.record(contact)
    assert row is not None
    assert (row["Title"], row["Phone"], row["Department"]) == (None, "2", None)


def test_line_breaks_of_a_text_area_are_stored_as_the_service_stores_them(world: World, alice: Client) -> None:
    contact = world.contact(Description="a\nb\r\nc\rd")
    assert alice.call("GET", f"sobjects/Contact/{contact}").json()["Description"] == "a\r\nb\r\nc\r\nd"


@pytest.mark.parametrize(
    ("date", "status"),
    [
        ("Thu, 01 Jan 2026 12:00:00 GMT", 204),
        ("Thu, 01 Jan 2026 12:00:01 GMT", 204),
        ("Thu, 01 Jan 2026 11:59:59 GMT", 412),
        ("2026-01-01T12:00:00Z", 400),
        ("yesterday", 400),
    ],
)
def test_if_unmodified_since_compares_whole_seconds(world: World, alice: Client, date: str, status: int) -> None:
    world.clock.advance(0.7)
    contact = world.contact()
    world.clock.advance(10)
    assert alice.call("PATCH", f"sobjects/Contact/{contact}", {"Title": "x"}, {"if-unmodified-since": date}).status == status
    row = world.sandbox.record(contact)
    assert row is not None
    assert row.get("Title") == ("x" if status == 204 else None)


def test_a_delete_ignores_the_precondition(world: World, alice: Client) -> None:
    contact = world.contact()
    assert (
        alice.call("DELETE", f"sobjects/Contact/{contact}", headers={"if-unmodified-since": "Thu, 01 Jan 2020 12:00:00 GMT"}).status == 204
    )


def test_an_account_has_an_etag_that_a_patch_may_require(world: World, alice: Client) -> None:
    path = f"sobjects/Account/{world.account()}"
    etag = alice.call("GET", path).headers["etag"]
    assert alice.call("PATCH", path, {"Site": "a"}, {"if-match": etag}).status == 204
    world.clock.advance(1)
    assert alice.call("PATCH", path, {"Site": "b"}, {"if-match": '"other"'}).status == 412
    assert "etag" not in alice.call("GET", f"sobjects/Contact/{world.contact()}").headers


def test_if_modified_since_answers_304_without_a_body(world: World, alice: Client) -> None:
    contact = world.contact()
    modified = alice.call("GET", f"sobjects/Contact/{contact}").headers["last-modified"]
    answer = alice.call("GET", f"sobjects/Contact/{contact}", headers={"if-modified-since": modified})
    assert (answer.status, answer.body) == (304, b"")
    seen = alice.call("GET", "sobjects/Contact/describe").headers["last-modified"]
    assert alice.call("GET", "sobjects/Contact/describe", headers={"if-modified-since": seen}).status == 304
    world.clock.advance(5)
    world.sandbox.set_fls(ALICE, "Contact", "Title", "hidden")
    assert alice.call("GET", "sobjects/Contact/describe", headers={"if-modified-since": seen}).status == 200


@pytest.mark.parametrize(
    ("fields", "code", "named"),
    [
        ({"Nothing": "x"}, "INVALID_FIELD", None),
        ({"Id": "003000000000001"}, "INVALID_FIELD", None),
        ({"Name": "x"}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["Name"]),
        ({"LastName": None}, "REQUIRED_FIELD_MISSING", ["LastName"]),
        ({"LastName": "  "}, "REQUIRED_FIELD_MISSING", ["LastName"]),
        ({"LastName": "x" * 81}, "STRING_TOO_LONG", ["LastName"]),
        ({"FirstName": "\U0001f600" * 21}, "STRING_TOO_LONG", ["FirstName"]),
        ({"Email": "bad"}, "INVALID_EMAIL_ADDRESS", ["Email"]),
        ({"Email": "a..b@x.example"}, "INVALID_EMAIL_ADDRESS", ["Email"]),
        ({"Email": "jürgen@x.example"}, "INVALID_EMAIL_ADDRESS", ["Email"]),
        ({"CleanStatus": "Spotless"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ["CleanStatus"]),
        ({"Birthdate": "2026-02-30"}, "JSON_PARSER_ERROR", None),
        ({"Birthdate": "1600-01-01"}, "FIELD_INTEGRITY_EXCEPTION", ["Birthdate"]),
        ({"Title": 5}, "JSON_PARSER_ERROR", None),
        ({"Title": ["x"]}, "JSON_PARSER_ERROR", None),
        ({"MailingLatitude": 12345}, "NUMBER_OUTSIDE_VALID_RANGE", ["MailingLatitude"]),
        ({"AccountId": "nonsense"}, "MALFORMED_ID", ["AccountId"]),
        ({"AccountId": "00500000000000A"}, "FIELD_INTEGRITY_EXCEPTION", ["AccountId"]),
        ({"AccountId": "00100000000000A"}, "INVALID_CROSS_REFERENCE_KEY", ["AccountId"]),
        ({"SystemModstamp": "2026-01-01T00:00:00Z"}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["SystemModstamp"]),
        ({"MailingAddress": {"city": "x"}}, "JSON_PARSER_ERROR", None),
    ],
)
def test_a_wrong_value_is_refused_and_changes_nothing(
    world: World, alice: Client, fields: dict[str, Any], code: str, named: list[str] | None
) -> None:
    contact = world.contact()
    before = world.sandbox.record(contact)
    answer = alice.call("PATCH", f"sobjects/Contact/{contact}", fields)
    assert answer.status == 400
    assert answer.json()[0]["errorCode"] == code
    assert answer.json()[0].get("fields") == named
    assert world.sandbox.record(contact) == before


def test_messages_are_those_of_the_service(world: World, alice: Client) -> None:
    def message(fields: dict[str, Any]) -> str:
        text: str = alice.call("POST", "sobjects/Contact", fields).json()[0]["message"]
        return text

    assert message({"FirstName": "x"}) == "Required fields are missing: [LastName]"
    assert message({"LastName": "x", "Email": "bad"}) == "Email: invalid email address: bad"
    assert message({"LastName": "x", "Fax": "1" * 41}) == f"Business Fax: data value too large: {'1' * 41} (max length=40)"
    assert message({"LastName": "x", "Foo": "1"}) == "No such column 'Foo' on sobject of type Contact"


def test_an_unrestricted_picklist_takes_any_value(world: World, alice: Client) -> None:
    assert alice.call("POST", "sobjects/Contact", {"LastName": "x", "Salutation": "Frau Dr."}).status == 201


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'"x"'])
def test_a_body_that_is_no_json_object_is_refused(alice: Client, body: bytes) -> None:
    answer = alice.call("POST", "sobjects/Contact", body)
    assert (answer.status, answer.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")


def test_another_content_type_method_version_or_path_is_refused(alice: Client) -> None:
    assert alice.call("POST", "sobjects/Contact", b"x=1", {"content-type": "text/plain"}).status == 415
    assert refusal(alice, "PUT", "sobjects/Contact/003000000000001", {}) == (405, "METHOD_NOT_ALLOWED")
    assert refusal(alice, "GET", "/services/data/v51.0/limits") == (404, "NOT_FOUND")
    assert refusal(alice, "GET", "/services/data/v68.0/limits") == (404, "NOT_FOUND")
    assert alice.call("GET", "/services/data/v67.0/limits").status == 200
    assert refusal(alice, "GET", "sobjects/Opportunity/describe") == (404, "NOT_FOUND")
    assert refusal(alice, "GET", "nothing") == (404, "NOT_FOUND")


def test_a_unique_key_is_refused_twice_until_its_holder_is_deleted(world: World, alice: Client) -> None:
    holder = world.contact(Tandem_Key__c="k")
    answer = alice.call("POST", "sobjects/Contact", {"LastName": "x", "Tandem_Key__c": "k"})
    assert answer.json()[0]["errorCode"] == "DUPLICATE_VALUE"
    assert answer.json()[0]["message"] == f"duplicate value found: Tandem_Key__c duplicates value on record with id: {holder[:15]}"
    assert alice.call("POST", "sobjects/Contact", {"LastName": "x", "Tandem_Key__c": "K"}).status == 201
    assert alice.call("PATCH", f"sobjects/Contact/{holder}", {"Tandem_Key__c": "k"}).status == 204
    world.sandbox.as_user(ALICE).delete(holder)
    assert alice.call("POST", "sobjects/Contact", {"LastName": "x", "Tandem_Key__c": "k"}).status == 201


def test_an_external_id_reads_upserts_and_deletes(world: World, alice: Client) -> None:
    path = "sobjects/Contact/Tandem_Key__c/a%2Fb"
    assert alice.call("GET", path).status == 404
    assert alice.call("PATCH", path + "?updateOnly=true", {"LastName": "One"}).status == 404
    created = alice.call("PATCH", path, {"LastName": "One"})
    assert (created.status, created.json()["created"]) == (201, True)
    updated = alice.call("PATCH", path, {"LastName": "Two"})
    assert (updated.status, updated.json()) == (200, {"id": created.json()["id"], "success": True, "errors": [], "created": False})
    assert alice.call("GET", path).json()["LastName"] == "Two"
    assert alice.call("PATCH", path, {"Tandem_Key__c": "c"}).status == 400
    assert alice.call("PATCH", "sobjects/Contact/Title/x", {"LastName": "x"}).status == 404
    assert alice.call("DELETE", path).status == 204
    assert world.sandbox.records("Contact") == []


def test_an_ambiguous_external_id_answers_300_and_writes_nothing(world: World, alice: Client) -> None:
    world.sandbox.add_field("Contact", {"name": "Old_Key__c", "external_id": True})
    twins = [world.contact(last_name="Twin", Old_Key__c=key) for key in ("x", "X")]
    answer = alice.call("PATCH", "sobjects/Contact/Old_Key__c/x", {"Title": "y"})
    assert answer.status == 300
    assert answer.json() == [f"/services/data/v62.0/sobjects/Contact/{twin}" for twin in twins]
    assert all(row.get("Title") is None for row in world.sandbox.records("Contact"))


def test_a_parent_may_be_named_by_its_external_id(world: World, alice: Client) -> None:
    world.sandbox.add_field("Account", "Key__c")
    account = world.sandbox.as_user(ALICE).create("Account", {"Name": "A", "Key__c": "k"})
    created = alice.call("POST", "sobjects/Contact", {"LastName": "x", "Account": {"Key__c": "k"}}).json()
    row = world.sandbox.record(created["id"])
    assert row is not None
    assert row["AccountId"] == account
    assert refusal(alice, "POST", "sobjects/Contact", {"LastName": "x", "Account": {"Key__c": "other"}}) == (400, "INVALID_FIELD")


def test_updated_and_deleted_list_ids_by_the_minute(world: World, alice: Client) -> None:
    kept, gone = world.contact(), world.contact()
    world.clock.advance(120)
    world.sandbox.as_user(ALICE).delete(gone)
    window = "?start=2026-01-01T11%3A59%3A00%2B00%3A00&end=2026-01-01T12%3A03%3A00%2B00%3A00"
    updated = alice.call("GET", f"sobjects/Contact/updated/{window}").json()
    assert updated == {"ids": [kept], "latestDateCovered": "2026-01-01T12:02:00.000+0000"}
    deleted = alice.call("GET", f"sobjects/Contact/deleted/{window}").json()
    assert deleted["deletedRecords"] == [{"id": gone, "deletedDate": "2026-01-01T12:02:00.000+0000"}]
    short = "?start=2026-01-01T12%3A00%3A00Z&end=2026-01-01T12%3A00%3A30Z"
    assert refusal(alice, "GET", f"sobjects/Contact/deleted/{short}") == (400, "INVALID_REPLICATION_DATE")


def test_state_and_country_picklists_refuse_what_is_not_in_the_list(keys: Any) -> None:
    world = World(keys, state_country_picklists=True)
    alice = world.client(ALICE)
    path = f"sobjects/Contact/{world.contact()}"
    assert refusal(alice, "PATCH", path, {"MailingCountry": "Germania"}) == (400, "FIELD_INTEGRITY_EXCEPTION")
    assert refusal(alice, "PATCH", path, {"MailingState": "Texas"}) == (400, "FIELD_INTEGRITY_EXCEPTION")
    assert refusal(alice, "PATCH", path, {"MailingCountry": "United States", "MailingState": "Bayern"}) == (
        400,
        "FIELD_INTEGRITY_EXCEPTION",
    )
    assert alice.call("PATCH", path, {"MailingCountryCode": "US", "MailingStateCode": "TX"}).status == 204
    assert alice.call("GET", path).json()["MailingAddress"] | {"street": None} == {
        "city": None,
        "country": "United States",
        "countryCode": "US",
        "geocodeAccuracy": None,
        "latitude": None,
        "longitude": None,
        "postalCode": None,
        "state": "Texas",
        "stateCode": "TX",
        "street": None,
    }
    assert alice.call("PATCH", path, {"MailingCountry": "Germany", "MailingState": None}).status == 204
    row = alice.call("GET", path).json()
    assert (row["MailingCountryCode"], row["MailingStateCode"]) == ("DE", None)
