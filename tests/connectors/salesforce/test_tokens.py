"""Tokens: one login per user, one renewal on 401, and what a refused login means."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from local.sandbox.faults import ConnectionCut
from local.sandbox.http import Request, Response
from shared.errors import Code, Permanent, Temporary
from sync.connectors.salesforce.tokens import Tokens, classify
from sync.ports import Search
from tests.connectors.salesforce.conftest import ALICE, BOB, INTEGRATION, World
from tests.connectors.salesforce.kinds import PERSON
from tests.transports_requests import ServiceAdapter, session_for

EVERYTHING = Search(name="all", condition="")


def refuse(request: Request) -> Response:
    return Response.of(401, [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}])


async def test_a_token_is_kept_and_names_org_and_user(world: World) -> None:
    org = await world.org()
    again = await world.org("Alice@Acme.example")
    assert (org.user_id, org.org_id) == (world.ids[ALICE], world.sandbox.org_id)
    assert again.user_id == org.user_id
    assert world.logins == [ALICE]


async def test_users_have_tokens_of_their_own(world: World) -> None:
    assert {(await world.org(name)).user_id for name in (ALICE, BOB)} == {world.ids[ALICE], world.ids[BOB]}
    assert world.sandbox.logins == {ALICE: 1, BOB: 1}


async def test_an_expired_token_is_renewed_once_and_the_call_goes_on(world: World) -> None:
    org = await world.org()
    await org.schema(PERSON)
    world.sandbox.expire_sessions()
    world.clock.advance(7200)
    assert await (await world.org()).count(PERSON, EVERYTHING) == 0
    assert world.sandbox.logins[ALICE] == 2


async def test_a_token_that_was_taken_and_then_ended_is_renewed_at_once(world: World) -> None:
    org = await world.org()
    for _ in range(3):
        await org.count(PERSON, EVERYTHING)
        world.sandbox.expire_sessions()
    await org.count(PERSON, EVERYTHING)
    assert world.sandbox.logins[ALICE] == 4


async def test_eight_401s_in_a_row_lead_to_one_renewal(world: World) -> None:
    org = await world.org()
    world.script = [refuse] * 8
    for _ in range(4):
        with pytest.raises(Permanent) as met:
            await org.count(PERSON, EVERYTHING)
        assert met.value.code is Code.NOT_AUTHORISED
    assert world.logins == [ALICE, ALICE]


async def test_a_session_that_no_login_cures_disables_the_api_for_the_user(world: World) -> None:
    world.sandbox.set_permissions(ALICE, high_assurance=True)
    with pytest.raises(Permanent) as met:
        await (await world.org()).count(PERSON, EVERYTHING)
    assert met.value.code is Code.API_DISABLED
    assert world.sandbox.logins[ALICE] == 2


async def test_a_user_without_the_api_is_told_so(world: World) -> None:
    world.sandbox.set_permissions(ALICE, api_enabled=False)
    with pytest.raises(Permanent) as met:
        await (await world.org()).count(PERSON, EVERYTHING)
    assert met.value.code is Code.API_DISABLED


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"error":"x"}', b'{"message":"odd","errorCode":"INVALID_SESSION_ID"}'])
async def test_a_401_with_an_odd_body_is_a_401(world: World, body: bytes) -> None:
    org = await world.org()
    world.script = [lambda _request: Response(status=401, headers={"content-type": "application/json"}, body=body)]
    assert await org.count(PERSON, EVERYTHING) == 0
    assert world.sandbox.logins[ALICE] == 2


def test_many_threads_that_want_a_token_make_one_login(world: World) -> None:
    started = threading.Barrier(8)

    def want(_number: int) -> str:
        started.wait()
        return world.tokens.get(ALICE).access_token

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(want, range(8)))) == 1
    assert world.logins == [ALICE]


def test_many_threads_that_were_refused_with_one_token_make_one_login(world: World) -> None:
    first = world.tokens.get(ALICE)
    world.sandbox.expire_sessions()
    started = threading.Barrier(8)

    def renew(_number: int) -> Any:
        started.wait()
        return world.tokens.renew(ALICE, first)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(renew, range(8)))) == 1
    assert world.logins == [ALICE, ALICE]


async def test_a_user_who_is_not_authorised_stops_alone(world: World) -> None:
    world.sandbox.set_permissions(ALICE, preauthorized=False)
    with pytest.raises(Permanent) as met:
        await world.org()
    assert met.value.code is Code.NOT_AUTHORISED
    assert "user hasn't approved this consumer" in met.value.text


async def test_an_inactive_user_is_named_as_such(world: World) -> None:
    world.sandbox.set_user(ALICE, {"IsActive": False})
    with pytest.raises(Permanent) as met:
        await world.org()
    assert met.value.code is Code.INACTIVE_SALESFORCE_USER


async def test_a_refused_integration_user_stops_everybody(world: World) -> None:
    world.sandbox.set_permissions(INTEGRATION, preauthorized=False)
    with pytest.raises(Permanent) as met:
        await world.users()
    assert met.value.code is Code.SALESFORCE_LOGIN_REFUSED


@pytest.mark.parametrize("wrong", [{"client_id": "3MVG9.other"}, {"audience": "https://test.salesforce.com"}, {"private_key": "no key"}])
async def test_a_wrong_connection_stops_everybody(world: World, wrong: dict[str, str]) -> None:
    world.tokens = Tokens(replace(world.connection, **wrong), http=world.around.http, now=world.clock.now)
    with pytest.raises(Permanent) as met:
        await world.org()
    assert met.value.code is Code.SALESFORCE_LOGIN_REFUSED


async def test_a_login_that_is_cut_is_tried_again(world: World) -> None:
    def cut(request: Request) -> Response:
        raise ConnectionCut(request.path)

    faults: list[Callable[[Request], Response]] = [cut, lambda _request: Response(status=503, body=b"<html>")]
    wire = ServiceAdapter(world.sandbox, lambda request: faults.pop(0)(request) if faults else None)
    world.tokens = Tokens(world.connection, http=session_for(wire), now=world.clock.now, on_login=world.logins.append)
    assert (await world.org()).user_id == world.ids[ALICE]
    assert len(world.logins) == 3
    assert world.sleeps == [1.0, 2.0]


@pytest.mark.parametrize(
    ("name", "description", "status", "kind", "code"),
    [
        ("invalid_grant", "user hasn't approved this consumer", 400, Permanent, Code.NOT_AUTHORISED),
        ("invalid_app_access", "user is not admin approved to access this app", 400, Permanent, Code.NOT_AUTHORISED),
        ("invalid_grant", "inactive user", 400, Permanent, Code.INACTIVE_SALESFORCE_USER),
        ("inactive_user", "user is inactive", 400, Permanent, Code.INACTIVE_SALESFORCE_USER),
        ("invalid_grant", "audience is invalid", 400, Permanent, Code.SALESFORCE_LOGIN_REFUSED),
        ("invalid_grant", "invalid assertion", 400, Permanent, Code.SALESFORCE_LOGIN_REFUSED),
        ("invalid_grant", "expired authorization code", 400, Permanent, Code.SALESFORCE_LOGIN_REFUSED),
        ("invalid_client", "invalid client credentials", 400, Permanent, Code.SALESFORCE_LOGIN_REFUSED),
        ("invalid_client_id", "client identifier invalid", 400, Permanent, Code.SALESFORCE_LOGIN_REFUSED),
        ("invalid_grant", "login rate exceeded", 400, Temporary, Code.THROTTLED),
        ("server_error", "", 500, Temporary, Code.UNAVAILABLE),
        ("", "", 400, Temporary, Code.UNAVAILABLE),
    ],
)
def test_a_refused_login_is_the_users_the_apps_or_for_now(name: str, description: str, status: int, kind: type, code: Code) -> None:
    error = classify(name, description, status)
    assert (type(error), error.code) == (kind, code)


def test_a_token_and_a_key_do_not_show_themselves(world: World) -> None:
    token = world.tokens.get(ALICE)
    assert token.access_token not in repr(token)
    assert "PRIVATE" not in repr(world.connection)
