"""Signing in, and what ends a session."""

import pytest

from .conftest import ALICE, ORIGIN, Client, Keys, World


@pytest.mark.parametrize(
    ("claims", "error", "description"),
    [
        ({"iss": "unknown"}, "invalid_client_id", "client identifier invalid"),
        ({"aud": "https://test.salesforce.com"}, "invalid_grant", "audience is invalid"),
        ({"exp": 1767268800}, "invalid_grant", "expired authorization code"),
        ({"exp": 1767268800 + 3600}, "invalid_grant", "invalid assertion"),
        ({"sub": "nobody@acme.example"}, "invalid_grant", "user hasn't approved this consumer"),
    ],
)
def test_a_wrong_claim_is_refused_in_the_words_of_the_service(
    alice: Client, claims: dict[str, object], error: str, description: str
) -> None:
    answer = alice.ask_token(alice.assertion(**claims))
    assert answer.status == 400
    assert answer.json() == {"error": error, "error_description": description}
    assert not alice.sandbox.logins


def test_an_assertion_signed_with_another_key_is_refused(world: World) -> None:
    forger = Client(world.sandbox, Keys(), ALICE)
    assert forger.ask_token().json() == {"error": "invalid_grant", "error_description": "invalid assertion"}


def test_an_expiry_written_as_a_string_is_taken(alice: Client) -> None:
    expiry = str(int(alice.sandbox.clock.now().timestamp()) + 100)
    header_and_claims = alice.assertion(exp=expiry)
    assert alice.ask_token(header_and_claims).status == 200


def test_only_the_simulators_clock_counts(world: World, alice: Client) -> None:
    world.clock.advance(50 * 365 * 86_400)
    now = int(world.clock.now().timestamp())
    assert alice.ask_token(alice.assertion(iat=now, nbf=now)).status == 200


def test_a_user_without_approval_or_without_activity_gets_no_token(world: World, alice: Client) -> None:
    world.sandbox.set_permissions(ALICE, preauthorized=False)
    assert alice.ask_token().json()["error_description"] == "user hasn't approved this consumer"
    world.sandbox.set_permissions(ALICE, preauthorized=True)
    world.sandbox.set_user(ALICE, {"IsActive": False})
    assert alice.ask_token().json() == {"error": "invalid_grant", "error_description": "inactive user"}


def test_another_grant_is_not_supported(alice: Client) -> None:
    assert alice.ask_token(grant="client_credentials").json()["error"] == "unsupported_grant_type"


def test_a_session_slides_with_use_and_ends_without(world: World, alice: Client) -> None:
    for _ in range(3):
        assert alice.call("GET", "limits").status == 200
        world.clock.advance(7000)
    world.clock.advance(300)
    answer = alice.call("GET", "limits")
    assert answer.status == 401
    assert answer.json() == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]


def test_expired_sessions_are_cured_by_a_new_token(world: World, alice: Client) -> None:
    alice.call("GET", "limits")
    world.sandbox.expire_sessions(ALICE)
    assert alice.call("GET", "limits").status == 401
    alice.token = None
    assert alice.call("GET", "limits").status == 200
    assert world.sandbox.logins[ALICE] == 2


def test_a_high_assurance_profile_answers_401_whatever_the_token(world: World, alice: Client) -> None:
    world.sandbox.set_permissions(ALICE, high_assurance=True)
    for _ in range(2):
        answer = alice.call("GET", "limits")
        assert (answer.status, answer.json()[0]["errorCode"]) == (401, "INVALID_SESSION_ID")
        assert answer.json()[0]["message"] == "This session is not valid for use with the REST API"
        alice.token = None


def test_no_session_and_no_api_permission_are_told_apart(world: World, alice: Client) -> None:
    assert alice.call("GET", "limits", headers={"authorization": ""}).status == 401
    world.sandbox.set_permissions(ALICE, api_enabled=False)
    answer = alice.call("GET", "limits")
    assert (answer.status, answer.json()[0]["errorCode"]) == (403, "API_DISABLED_FOR_ORG")


def test_userinfo_names_org_and_user(world: World, alice: Client) -> None:
    body = alice.call("GET", "/services/oauth2/userinfo").json()
    assert (body["organization_id"], body["user_id"]) == (world.sandbox.org_id, world.ids[ALICE])
    identity = alice.call("GET", "/services/data/v62.0/").json()["identity"]
    assert alice.call("GET", identity.removeprefix(ORIGIN)).json() == body
    assert alice.call("GET", "/services/oauth2/userinfo", headers={"authorization": "Bearer x"}).status == 403
