"""What answers mean, what texts may say, how the login behaves, and which folders take their turn."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

from local.sandbox.http import SettableClock
from shared.errors import Code, Permanent, SyncError, Temporary
from sync.connectors.graph import GraphLogin
from sync.connectors.graph.errors import CODES, Meaning, codes_of, read_error
from sync.connectors.graph.folder import Place, Places
from sync.connectors.graph.reply import Reply


def reply(status: int, code: str = "", message: str = "", inner: str = "", name: str = "innerError") -> Reply:
    error: dict[str, Any] = {"code": code, "message": message} | ({name: {"code": inner, "request-id": "x"}} if inner else {})
    return Reply(status=status, body={"error": error})


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        (reply(412, "ErrorIrresolvableConflict"), Meaning.STALE),
        (reply(409, "errorirresolvableconflict"), Meaning.STALE),
        (reply(404, "ErrorItemNotFound"), Meaning.MISSING),
        (reply(404), Meaning.MISSING),
        (reply(410), Meaning.EXPIRED),
        (reply(400, "syncStateInvalid"), Meaning.EXPIRED),
        (reply(400, "BadRequest", inner="InvalidDeltaToken"), Meaning.EXPIRED),
        (reply(404, "SYNCSTATENOTFOUND"), Meaning.EXPIRED),
        (reply(404, "MailboxNotEnabledForRESTAPI"), (Permanent, Code.NO_MAILBOX)),
        (reply(404, "ErrorNonExistentMailbox"), (Permanent, Code.NO_MAILBOX)),
        (reply(403, "ErrorAccessDenied"), (Permanent, Code.MAILBOX_ACCESS_DENIED)),
        (reply(403, "Authorization_RequestDenied"), (Permanent, Code.GRAPH_PERMISSION_MISSING)),
        (reply(507), (Permanent, Code.MAILBOX_FULL)),
        (reply(400, "ErrorQuotaExceeded"), (Permanent, Code.MAILBOX_FULL)),
        (reply(400, "UnknownError", inner="ErrorInvalidProperty", name="innererror"), (Permanent, Code.INVALID_VALUE)),
        (reply(400, "SomethingNew"), (Permanent, Code.REFUSED)),
        (reply(503, "MailboxInfoStale"), (Temporary, Code.UNAVAILABLE)),
        (reply(500), (Temporary, Code.UNAVAILABLE)),
        (reply(429, "ApplicationThrottled"), (Temporary, Code.THROTTLED)),
        (Reply(status=502, body=None), (Temporary, Code.UNAVAILABLE)),
        (Reply(status=404, body="<html>"), Meaning.MISSING),
    ],
)
def test_answers_are_understood_by_code_at_any_depth_and_else_by_status(answer: Reply, meaning: object) -> None:
    found = read_error(answer)
    assert (found if isinstance(found, Meaning) else (type(found), found.code)) == meaning


def test_codes_are_written_as_they_are_looked_up() -> None:
    assert all(code == code.lower() for code in CODES)


def test_a_text_tells_a_known_sentence_and_the_property_but_of_others_the_code_only() -> None:
    many = read_error(
        reply(400, "ErrorX", "The multi value property BusinessPhones has 3 entries, that exceeds the max allowed value of 2")
    )
    private = read_error(reply(400, "ErrorX", "The user 'anna@contoso.com' is at +49 30 1234"))
    assert isinstance(many, SyncError)
    assert isinstance(private, SyncError)
    assert many.field == "BusinessPhones"
    assert "3 entries" in many.text
    assert private.text == "Graph answered 400 ErrorX"


@pytest.mark.parametrize(
    "body", [None, [], "text", {"error": "text"}, {"error": {"code": 5, "innerError": []}}, {"error": {"code": "a b@c"}}]
)
def test_bodies_of_other_shapes_have_no_code(body: Any) -> None:
    assert codes_of(body) == []


@dataclass
class Token:
    token: str
    expires_on: int


class Credential:
    def __init__(self, clock: SettableClock) -> None:
        self.clock, self.scopes, self.error = clock, list[str](), None

    error: Exception | None

    async def get_token(self, scope: str) -> Token:
        await asyncio.sleep(0)
        if self.error:
            raise self.error
        self.scopes.append(scope)
        return Token(f"t{len(self.scopes)}", int(self.clock.now().timestamp()) + 3600)


def made() -> tuple[SettableClock, Credential, GraphLogin]:
    clock = SettableClock(datetime(2026, 3, 1, tzinfo=UTC))
    credential = Credential(clock)
    return clock, credential, GraphLogin(credential.get_token, "https://graph.microsoft.us/", clock)


async def test_a_token_is_fetched_once_under_concurrency_and_kept_until_shortly_before_its_end() -> None:
    clock, credential, login = made()
    assert set(await asyncio.gather(login(), login(), login())) == {"t1"}
    assert credential.scopes == ["https://graph.microsoft.us/.default"]
    clock.advance(3_290)
    assert await login() == "t1"
    clock.advance(20)
    assert await login() == "t2"


async def test_a_refused_token_is_replaced_and_by_the_first_only() -> None:
    _, _, login = made()
    first = await login()
    assert set(await asyncio.gather(login(refused=first), login(refused=first))) == {"t2"}


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (ClientAuthenticationError("AADSTS700016: anna@contoso.com"), Permanent, Code.GRAPH_LOGIN_REFUSED),
        (ServiceRequestError("no route"), Temporary, Code.NETWORK),
    ],
)
async def test_a_failed_login_is_told_apart_from_a_failed_network(error: Exception, kind: type[SyncError], code: Code) -> None:
    _, credential, login = made()
    credential.error = error
    with pytest.raises(SyncError) as raised:
        await login()
    assert (type(raised.value), raised.value.code) == (kind, code)
    assert "@" not in str(raised.value)


@pytest.mark.parametrize("count", [0, 3, 8, 9, 40])
@pytest.mark.parametrize("room", [3, 17])
def test_every_folder_gets_its_turn_and_none_more_room_than_there_is(count: int, room: int) -> None:
    places = Places(home="home", folders={name: Place() for name in ("home", "contacts", *map(str, range(count)))})
    read: set[str] = set()
    listed: set[str] = set()
    for _ in range(60):
        deltas, parents = places.share(room)
        assert len(deltas) + len(parents) <= room
        read.update(deltas)
        listed.update(parents)
    assert read == set(places.others())
    assert listed == {"home", *places.others()}


def test_a_cursor_comes_back_as_it_was_kept() -> None:
    places = Places(
        home="h", folders={"h": Place(link="/d", paging=False), "contacts": Place(link="/n", pages=3, seen="x", repeats=1)}, turn=4
    )
    assert Places.load(places.save()) == places
