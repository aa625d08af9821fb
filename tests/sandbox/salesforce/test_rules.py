"""What a customer's org adds: validation, duplicates, triggers, locks, limits, outages."""

import json
from typing import Any

import pytest

from .conftest import ALICE, BOB, Client, World

ALLOW = {"sforce-duplicate-rule-header": "allowSave=true; includeRecordDetails=false; runAsCurrentUser=true"}


def test_a_validation_rule_speaks_the_administrators_words(world: World, alice: Client) -> None:
    world.sandbox.add_validation_rule("Contact", "Give a phone!", field="Phone", operator="is_empty")
    answer = alice.call("POST", "sobjects/Contact", {"LastName": "x"})
    assert answer.status == 400
    assert answer.json() == [{"message": "Give a phone!", "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "fields": ["Phone"]}]
    assert alice.call("POST", "sobjects/Contact", {"LastName": "x", "Phone": "1"}).status == 201
    world.sandbox.clear_rules()
    world.sandbox.add_validation_rule("Contact", "No Bobs", test=lambda row: row.get("FirstName") == "Bob")
    assert alice.call("POST", "sobjects/Contact", {"LastName": "x", "FirstName": "Bob"}).json()[0]["fields"] == []


@pytest.mark.parametrize(
    ("operator", "value", "fires"),
    [
        ("equals", "CEO", True),
        ("not_equals", "CEO", False),
        ("contains", "ce", True),
        ("longer_than", 3, False),
        ("longer_than", 2, True),
        ("matches", "^C.O$", True),
        ("not_matches", "^C.O$", False),
        ("is_empty", None, False),
    ],
)
def test_a_validation_rule_given_as_json_compares(world: World, alice: Client, operator: str, value: Any, fires: bool) -> None:
    world.sandbox.add_validation_rule("Contact", "No.", field="Title", operator=operator, value=value)
    assert (alice.call("POST", "sobjects/Contact", {"LastName": "x", "Title": "CEO"}).status == 400) is fires


def test_a_trigger_may_be_a_function(world: World, alice: Client) -> None:
    world.sandbox.add_trigger("Contact", rewrite=lambda row: row.update(Department="Set by trigger"))
    world.contact()
    assert alice.rows("SELECT Department FROM Contact") == [{"Department": "Set by trigger"}]


def test_a_single_row_lists_its_duplicates_under_the_misspelt_key_and_a_collection_does_not(world: World, alice: Client) -> None:
    first = world.contact(Email="a@x.example")
    world.sandbox.add_duplicate_rule("Contact", ["Email"])
    row = {"LastName": "Other", "Email": "A@X.example"}
    error = alice.call("POST", "sobjects/Contact", row).json()[0]
    assert error["errorCode"] == "DUPLICATES_DETECTED"
    assert error["duplicateResut"]["allowSave"] is True
    assert error["duplicateResut"]["matchResults"][0]["matchRecords"][0]["record"]["Id"] == first
    body = {"records": [{"attributes": {"type": "Contact"}, **row}]}
    failed = alice.call("POST", "composite/sobjects", body).json()[0]
    assert failed["errors"] == [{"statusCode": "DUPLICATES_DETECTED", "message": "Use one of these records?", "fields": []}]


def test_allow_save_passes_an_alert_but_not_a_block(world: World, alice: Client) -> None:
    world.contact(Email="a@x.example")
    row = {"LastName": "Other", "Email": "a@x.example"}
    world.sandbox.add_duplicate_rule("Contact", ["Email"])
    assert alice.call("POST", "sobjects/Contact", row).status == 400
    assert alice.call("POST", "sobjects/Contact", row, ALLOW).status == 201
    world.sandbox.clear_rules()
    world.sandbox.add_duplicate_rule("Contact", ["Email"], block=True)
    blocked = alice.call("POST", "sobjects/Contact", row, ALLOW)
    assert blocked.json()[0]["duplicateResut"]["allowSave"] is False


def test_a_subrequest_may_allow_duplicates_for_itself(world: World, alice: Client) -> None:
    world.contact(Email="a@x.example")
    world.sandbox.add_duplicate_rule("Contact", ["Email"])
    row = {"LastName": "Other", "Email": "a@x.example"}
    part = {"method": "POST", "url": "/services/data/v62.0/sobjects/Contact", "body": row}
    answers = alice.composite(
        part | {"referenceId": "a"}, part | {"referenceId": "b", "httpHeaders": {"Sforce-Duplicate-Rule-Header": "allowSave=true"}}
    )
    assert [answer["httpStatusCode"] for answer in answers] == [400, 201]


def test_an_update_that_leaves_the_matched_field_alone_is_no_duplicate(world: World, alice: Client) -> None:
    contact = world.contact(Email="a@x.example")
    world.contact(Email="a@x.example")
    world.sandbox.add_duplicate_rule("Contact", ["Email"])
    assert alice.call("PATCH", f"sobjects/Contact/{contact}", {"Title": "x"}).status == 204


def test_triggers_rewrite_what_anybody_writes(world: World, alice: Client) -> None:
    world.sandbox.add_trigger("Contact", "format_phone")
    world.sandbox.add_trigger("Contact", "uppercase_lastname")
    world.sandbox.add_trigger("Contact", "append_suffix", field="Title", text="!", repeat=True)
    created = alice.call(
        "POST", "sobjects/Contact", {"LastName": "Roe", "Phone": "415-555.1212", "Fax": "+49 89 1234567", "Title": "CEO"}
    ).json()
    alice.call("PATCH", f"sobjects/Contact/{created['id']}", {"Department": "x"})
    row = alice.rows("SELECT Name, Phone, Fax, Title FROM Contact")[0]
    assert row == {"Name": "ROE", "Phone": "(415) 555-1212", "Fax": "+498 912 345 67", "Title": "CEO!!"}


def test_a_trigger_that_writes_too_much_fails_the_row(world: World, alice: Client) -> None:
    world.sandbox.add_trigger("Contact", "append_suffix", field="Title", text="x" * 128)
    assert alice.call("POST", "sobjects/Contact", {"LastName": "Roe", "Title": "a"}).json()[0]["errorCode"] == "STRING_TOO_LONG"


def test_a_row_fault_strikes_its_rows_its_number_of_times_and_only_the_api(world: World, alice: Client) -> None:
    world.sandbox.add_row_fault("UNABLE_TO_LOCK_ROW", object_name="Contact", op="create", match={"LastName": "Roe"}, times=2, skip=1)
    outcomes = [alice.call("POST", "sobjects/Contact", {"LastName": name}).status for name in ("Roe", "Doe", "Roe", "Roe", "Roe")]
    assert outcomes == [201, 201, 400, 400, 201]
    world.sandbox.add_row_fault("ENTITY_IS_LOCKED", times=None)
    world.contact(last_name="By hand")
    answer = alice.call("POST", "composite/sobjects", {"records": [{"attributes": {"type": "Contact"}, "LastName": "x"}]}).json()
    assert answer[0]["errors"][0]["statusCode"] == "ENTITY_IS_LOCKED"


def test_assignment_rules_move_a_lead_unless_told_not_to(world: World, alice: Client) -> None:
    world.sandbox.set_assignment_rule("Lead", BOB)
    lead = {"LastName": "x", "Company": "y"}
    alice.call("POST", "sobjects/Lead", lead, {"sforce-auto-assign": "FALSE"})
    alice.call("POST", "sobjects/Lead", lead)
    first = world.sandbox.records("Lead")[0]["Id"]
    assert [row["OwnerId"] for row in world.sandbox.records("Lead")] == [world.ids[ALICE], world.ids[BOB]]
    alice.call("PATCH", f"sobjects/Lead/{first}", {"Title": "x"}, {"sforce-auto-assign": "false"})
    assert world.sandbox.records("Lead")[0]["OwnerId"] == world.ids[ALICE]
    alice.call("PATCH", f"sobjects/Lead/{first}", {"Title": "y"})
    assert world.sandbox.records("Lead")[0]["OwnerId"] == world.ids[BOB]
    world.sandbox.set_assignment_rule("Lead", None)
    assert alice.call("POST", "sobjects/Lead", lead).json()["id"] == world.sandbox.records("Lead")[-1]["Id"]
    assert world.sandbox.records("Lead")[-1]["OwnerId"] == world.ids[ALICE]


def test_the_daily_limit_answers_403_and_every_response_counts(world: World, alice: Client) -> None:
    world.sandbox.knobs.daily_limit = 2
    assert alice.call("GET", "sobjects").headers["sforce-limit-info"] == "api-usage=1/2"
    assert alice.call("GET", "limits").json()["DailyApiRequests"] == {"Max": 2, "Remaining": 0}
    answer = alice.call("GET", "limits")
    assert answer.status == 403
    assert answer.json() == [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]
    world.clock.advance(86_400)
    alice.token = None
    assert alice.call("GET", "sobjects").headers["sforce-limit-info"] == "api-usage=1/2"


def test_the_concurrent_limit_and_an_outage_pass(world: World, alice: Client) -> None:
    alice.call("GET", "limits")
    world.sandbox.knobs.concurrent_refusals = 1
    assert alice.call("GET", "limits").json()[0]["message"] == "ConcurrentPerOrgLongTxn Limit exceeded."
    world.sandbox.knobs.html_outages = 1
    answer = alice.call("GET", "limits")
    assert (answer.status, answer.headers["content-type"]) == (503, "text/html; charset=UTF-8")
    assert alice.call("GET", "limits").status == 200


def test_every_response_tells_the_services_time_and_reaches_the_hook(world: World, alice: Client) -> None:
    seen: list[tuple[str, int]] = []
    world.sandbox.on_request.append(lambda request, response: seen.append((request.path, response.status)))
    answer = alice.call("GET", "/services/data")
    assert answer.headers["date"] == "Thu, 01 Jan 2026 12:00:00 GMT"
    assert [each["version"] for each in answer.json()][-1] == "67.0"
    assert seen == [("/services/oauth2/token", 200), ("/services/data", 200)]


def test_the_same_seed_gives_the_same_answers(world: World) -> None:
    def history() -> list[bytes]:
        fresh = World(world.keys)
        client = fresh.client(ALICE)
        bodies = [client.call("POST", "sobjects/Contact", {"LastName": f"N{index}"}).body for index in range(3)]
        return [*bodies, client.query("SELECT Id, CreatedDate FROM Contact").body, json.dumps(client.token).encode()]

    assert history() == history()
