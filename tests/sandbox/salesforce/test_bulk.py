"""Collections, composite and batch: what fails together and what fails alone."""

from typing import Any

import pytest

from .conftest import ALICE, Client, World

ROOT = "/services/data/v62.0"


def contact(**fields: Any) -> dict[str, Any]:
    return {"attributes": {"type": "Contact"}, **fields}


def part(reference: str, method: str, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
    built: dict[str, Any] = {"referenceId": reference, "method": method, "url": f"{ROOT}/{path}"}
    return built | ({"body": body} if body is not None else {}) | ({"httpHeaders": headers} if headers else {})


def statuses(answers: list[dict[str, Any]]) -> list[int]:
    return [answer["httpStatusCode"] for answer in answers]


def test_rows_fail_alone_with_200_in_their_order_and_shape(world: World, alice: Client) -> None:
    answer = alice.call("POST", "composite/sobjects", {"records": [contact(LastName="Roe", Email="bad"), contact(LastName="Doe")]})
    assert answer.status == 200
    failed, created = answer.json()
    error = {"statusCode": "INVALID_EMAIL_ADDRESS", "message": "Email: invalid email address: bad", "fields": ["Email"]}
    assert failed == {"success": False, "errors": [error]}
    assert created == {"id": created["id"], "success": True, "errors": []}
    assert [row["LastName"] for row in world.sandbox.records("Contact")] == ["Doe"]


def test_all_or_none_takes_back_what_succeeded_and_still_shows_ids(world: World, alice: Client) -> None:
    kept = world.contact(last_name="Kept")
    journal = len(world.sandbox.writes)
    records = [contact(LastName="New"), contact(LastName="Bad", Email="bad")]
    created, failed = alice.call("POST", "composite/sobjects", {"allOrNone": True, "records": records}).json()
    assert created["id"].startswith("003")
    assert (created["success"], created["errors"][0]["statusCode"]) == (False, "ALL_OR_NONE_OPERATION_ROLLED_BACK")
    assert failed["errors"][0]["statusCode"] == "INVALID_EMAIL_ADDRESS"
    assert [row["Id"] for row in world.sandbox.records("Contact")] == [kept]
    assert len(world.sandbox.writes) == journal


def test_an_update_names_each_row_and_refuses_it_for_its_own_reason(world: World, alice: Client, bob: Client) -> None:
    good, gone, foreign = world.contact(), world.contact(), world.contact("bob@acme.example")
    world.sandbox.as_user(ALICE).delete(gone)
    records = [
        contact(id=good, Title="x"),
        contact(id=gone, Title="x"),
        contact(id=foreign, Title="x"),
        contact(id="abc", Title="x"),
        contact(Title="x"),
        contact(id=good[:15], Title="y"),
        contact(id=world.account(), Title="y"),
    ]
    answer = alice.call("PATCH", "composite/sobjects", {"records": records}).json()
    assert [row["errors"][0]["statusCode"] if row["errors"] else "ok" for row in answer] == [
        "ok",
        "ENTITY_IS_DELETED",
        "INVALID_CROSS_REFERENCE_KEY",
        "MALFORMED_ID",
        "MISSING_ARGUMENT",
        "INVALID_ID_FIELD",
        "INVALID_CROSS_REFERENCE_KEY",
    ]


def test_a_duplicate_key_within_one_collection_stops_the_second_row(alice: Client) -> None:
    rows = [contact(LastName="A", Tandem_Key__c="k"), contact(LastName="B", Tandem_Key__c="k")]
    first, second = alice.call("POST", "composite/sobjects", {"records": rows}).json()
    assert first["success"]
    assert second["errors"][0]["statusCode"] == "DUPLICATE_VALUE"
    assert second["errors"][0]["message"].endswith(first["id"][:15])


@pytest.mark.parametrize(
    "body",
    [
        {"records": []},
        {"records": [contact(LastName="x")] * 201},
        {"records": [{"LastName": "x"}]},
        {"records": [contact(LastName="x")], "allornone": True},
        {"records": [contact(LastName="x")], "allOrNone": "maybe"},
        {"records": [contact(LastName="x"), {"attributes": {"type": "Account"}, "Name": "y"}] * 6},
        {"records": [contact(LastName="x"), contact(LastName=5)]},
    ],
)
def test_a_malformed_collection_is_refused_as_a_whole(world: World, alice: Client, body: dict[str, Any]) -> None:
    assert alice.call("POST", "composite/sobjects", body).status == 400
    assert world.sandbox.records("Contact") == []


def test_an_unknown_field_fails_its_row_or_by_a_knob_the_request(world: World, alice: Client) -> None:
    body = {"records": [contact(LastName="A"), contact(LastName="B", Foo=1)]}
    good, bad = alice.call("POST", "composite/sobjects", body).json()
    assert (good["success"], bad["errors"][0]["statusCode"]) == (True, "INVALID_FIELD")
    world.sandbox.knobs.unknown_field_fails_request = True
    answer = alice.call("POST", "composite/sobjects", body)
    assert (answer.status, answer.json()[0]["errorCode"]) == (400, "INVALID_FIELD")
    assert len(world.sandbox.records("Contact")) == 1


def test_upsert_by_key_says_what_it_created(world: World, alice: Client) -> None:
    known = world.contact(Tandem_Key__c="k")
    body = {"records": [contact(LastName="A", Tandem_Key__c="k"), contact(LastName="B", Tandem_Key__c="n"), contact(LastName="C")]}
    updated, created, keyless = alice.call("PATCH", "composite/sobjects/Contact/Tandem_Key__c", body).json()
    assert updated == {"id": known, "success": True, "errors": [], "created": False}
    assert created["created"] is True
    assert keyless["errors"][0]["statusCode"] == "MISSING_ARGUMENT"


def test_upsert_by_id_creates_what_has_none(world: World, alice: Client) -> None:
    known = world.contact()
    rows = [contact(Id=known, Title="x"), contact(LastName="New"), contact(Id="003000000000001", Title="x")]
    updated, created, missing = alice.call("PATCH", "composite/sobjects/Contact/Id", {"records": rows}).json()
    assert (updated["id"], updated["created"]) == (known, False)
    assert created["created"] is True
    assert missing["errors"][0]["statusCode"] == "INVALID_CROSS_REFERENCE_KEY"
    other = {"attributes": {"type": "Account"}, "Name": "x"}
    assert alice.call("PATCH", "composite/sobjects/Contact/Id", {"records": [other]}).status == 400


def test_delete_takes_ids_from_the_query(world: World, alice: Client) -> None:
    ids = [world.contact(), world.contact()]
    answer = alice.call("DELETE", f"composite/sobjects?ids={','.join(ids)},003000000000001&allOrNone=false").json()
    assert [row["success"] for row in answer] == [True, True, False]
    assert world.sandbox.records("Contact") == []


def test_retrieve_keeps_the_order_and_leaves_null_for_what_is_not_there(world: World, alice: Client) -> None:
    seen, gone, foreign = world.contact(last_name="Seen"), world.contact(), world.contact("bob@acme.example")
    world.sandbox.as_user(ALICE).delete(gone)
    body = {"ids": [gone, seen[:15], foreign, "003000000000001AAA"], "fields": ["LastName", "SystemModstamp"]}
    rows = alice.call("POST", "composite/sobjects/Contact", body).json()
    assert [row and row["LastName"] for row in rows] == [None, "Seen", None, None]
    assert rows[1]["Id"] == seen
    assert alice.call("GET", f"composite/sobjects/Contact?ids={seen}&fields=LastName").json()[0]["LastName"] == "Seen"
    assert alice.call("POST", "composite/sobjects/Contact", {"ids": [seen], "fields": ["Foo"]}).status == 400
    assert alice.call("POST", "composite/sobjects/Contact", {"ids": [seen] * 2001, "fields": ["Id"]}).status == 400
    assert len(alice.call("POST", "composite/sobjects/Contact", {"ids": [seen] * 2000, "fields": ["Id"]}).json()) == 2000


def test_a_composite_creates_and_refers_to_what_it_created(world: World, alice: Client) -> None:
    answers = alice.composite(
        part("acc", "POST", "sobjects/Account", {"Name": "New"}),
        part("con", "POST", "sobjects/Contact", {"LastName": "Roe", "AccountId": "@{acc.id}"}),
        part("get", "GET", "sobjects/Contact/@{con.id}?fields=LastName,AccountId"),
        part("q", "GET", "query?q=SELECT+Account.Name+FROM+Contact+WHERE+Id='@{con.id}'"),
        part("who", "GET", "sobjects/Account/@{q.records[0].Nothing}"),
    )
    assert statuses(answers) == [201, 201, 200, 200, 400]
    assert answers[2]["body"]["AccountId"] == answers[0]["body"]["id"]
    assert answers[3]["body"]["records"][0]["Account"]["Name"] == "New"
    assert answers[0]["httpHeaders"]["Location"].endswith(answers[0]["body"]["id"])
    assert answers[4]["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert world.sandbox.calls[ALICE] == 1


def test_a_composite_that_is_all_or_none_halts_and_rolls_back(world: World, alice: Client) -> None:
    kept = world.contact(last_name="Kept")
    answers = alice.composite(
        part("a", "POST", "sobjects/Contact", {"LastName": "New"}),
        part("b", "PATCH", f"sobjects/Contact/{kept}", {"LastName": "Changed"}),
        part("c", "POST", "sobjects/Contact", {"FirstName": "bad"}),
        part("d", "POST", "sobjects/Contact", {"LastName": "Later"}),
        all_or_none=True,
    )
    assert statuses(answers) == [400] * 4
    assert [answer["body"][0]["errorCode"] for answer in answers] == [
        "PROCESSING_HALTED",
        "PROCESSING_HALTED",
        "REQUIRED_FIELD_MISSING",
        "PROCESSING_HALTED",
    ]
    assert [row["LastName"] for row in world.sandbox.records("Contact")] == ["Kept"]


def test_a_subrequest_answers_like_a_request(world: World, alice: Client) -> None:
    row = world.contact()
    answers = alice.composite(
        part("a", "PATCH", f"sobjects/Contact/{row}", {"Title": "x"}),
        part("b", "GET", f"sobjects/Contact/{row}", None, **{"If-Modified-Since": "Thu, 01 Jan 2026 13:00:00 GMT"}),
        part("c", "GET", "sobjects/Contact/003000000000001"),
        part("d", "PATCH", "composite/sobjects", {"records": [contact(id=row, Title="y")]}),
        part("e", "POST", "composite", {}),
    )
    assert statuses(answers) == [204, 304, 404, 200, 400]
    assert answers[0]["body"] is None
    assert answers[1]["body"] is None
    assert answers[3]["body"][0]["success"]


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [part(f"r{index}", "GET", "limits") for index in range(26)],
        [part(f"r{index}", "GET", "query?q=SELECT+Id+FROM+Contact") for index in range(6)],
        [part(f"r{index}", "POST", "composite/sobjects/Contact", {"ids": ["x"], "fields": ["Id"]}) for index in range(6)],
        [part("same", "GET", "limits"), part("same", "GET", "limits")],
        [part("not ok", "GET", "limits")],
        [part("a", "GET", "limits", None, Authorization="Bearer x")],
        [{"method": "GET", "url": "/elsewhere", "referenceId": "a"}],
        [{"method": "GET", "referenceId": "a"}],
        [part("a", "GET", "limits") | {"headers": {}}],
    ],
)
def test_a_wrong_envelope_is_refused_as_a_whole(alice: Client, parts: list[dict[str, Any]]) -> None:
    assert alice.call("POST", "composite", {"compositeRequest": parts}).status == 400


def test_25_patches_count_as_one_call(world: World, alice: Client) -> None:
    rows = [world.contact(last_name=f"N{index}") for index in range(25)]
    before = {"If-Unmodified-Since": "Thu, 01 Jan 2026 12:00:00 GMT"}
    answers = alice.composite(
        *(part(f"r{index}", "PATCH", f"sobjects/Contact/{row}", {"Title": "x"}, **before) for index, row in enumerate(rows))
    )
    assert statuses(answers) == [204] * 25
    assert world.sandbox.calls[ALICE] == 1


def test_a_batch_goes_on_or_halts(world: World, alice: Client) -> None:
    requests = [
        {"method": "GET", "url": "v62.0/sobjects/Contact/003000000000001"},
        {"method": "POST", "url": "v62.0/sobjects/Contact", "richInput": {"LastName": "Roe"}},
    ]
    answer = alice.call("POST", "composite/batch", {"batchRequests": requests}).json()
    assert (answer["hasErrors"], [result["statusCode"] for result in answer["results"]]) == (True, [404, 201])
    answer = alice.call("POST", "composite/batch", {"batchRequests": requests, "haltOnError": True}).json()
    assert [result["statusCode"] for result in answer["results"]] == [404, 412]
    assert len(world.sandbox.records("Contact")) == 1
