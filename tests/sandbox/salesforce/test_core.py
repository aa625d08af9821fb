"""The road a sync takes: token, describe, query, collections, composite with a precondition."""

from .conftest import ALICE, CONSUMER, ORIGIN, Client, World


def test_a_signed_assertion_opens_a_session_of_that_user(world: World, alice: Client) -> None:
    answer = alice.ask_token()
    body = answer.json()
    assert answer.status == 200
    assert body["instance_url"] == ORIGIN
    assert body["id"] == f"https://login.salesforce.com/id/{world.sandbox.org_id}/{world.ids[ALICE]}"
    assert "expires_in" not in body
    assert world.sandbox.logins[ALICE] == 1
    assert world.sandbox.calls[ALICE] == 0


def test_what_a_collection_creates_is_found_by_a_query(alice: Client) -> None:
    records = [{"attributes": {"type": "Contact"}, "LastName": f"Roe {index}"} for index in range(3)]
    answer = alice.call("POST", "composite/sobjects", {"allOrNone": False, "records": records})
    assert answer.status == 200
    assert [row["success"] for row in answer.json()] == [True] * 3
    assert alice.rows("SELECT Id, Name FROM Contact ORDER BY Name DESC") == [
        {"Id": row["id"], "Name": f"Roe {index}"} for index, row in reversed(list(enumerate(answer.json())))
    ]


def test_a_composite_patch_with_a_stale_precondition_answers_412_and_changes_nothing(world: World, alice: Client) -> None:
    fresh, stale = world.contact(last_name="Fresh"), world.contact(last_name="Stale")
    world.clock.advance(5)
    world.sandbox.as_user(ALICE).update(stale, {"Title": "CEO"})
    url = "/services/data/v62.0/sobjects/Contact/"
    header = {"If-Unmodified-Since": "Thu, 01 Jan 2026 12:00:00 GMT"}
    answers = alice.composite(
        {"method": "PATCH", "url": url + fresh, "referenceId": "a", "httpHeaders": header, "body": {"Title": "CTO"}},
        {"method": "PATCH", "url": url + stale, "referenceId": "b", "httpHeaders": header, "body": {"Title": "CTO"}},
    )
    assert [answer["httpStatusCode"] for answer in answers] == [204, 412]
    assert {row["Name"]: row["Title"] for row in alice.rows("SELECT Name, Title FROM Contact")} == {"Fresh": "CTO", "Stale": "CEO"}
    assert world.sandbox.calls[ALICE] == 2


def test_describe_shows_what_the_user_may_write(world: World, alice: Client) -> None:
    world.sandbox.set_fls(ALICE, "Contact", "Title", "readonly")
    world.sandbox.set_fls(ALICE, "Contact", "Phone", "hidden")
    fields = {field["name"]: field for field in alice.call("GET", "sobjects/Contact/describe").json()["fields"]}
    assert (fields["LastName"]["length"], fields["LastName"]["nillable"]) == (80, False)
    assert (fields["Title"]["updateable"], fields["Title"]["createable"]) == (False, False)
    assert "Phone" not in fields
    assert all(fields["Tandem_Key__c"][flag] for flag in ("unique", "externalId", "caseSensitive"))


def test_consumer_keys_are_registered_with_their_public_key(world: World) -> None:
    assert world.client().ask_token(world.client().assertion(iss="other")).json()["error"] == "invalid_client_id"
    assert CONSUMER in world.sandbox.sign_in.consumers
