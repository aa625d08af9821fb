import base64
import json
from datetime import UTC, datetime

import pytest

from sync.messages import Malformed, Message, Why, read, write

ASKED = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("why", Why)
@pytest.mark.parametrize("asked", [None, ASKED])
def test_a_message_comes_back(why: Why, asked: datetime | None) -> None:
    message = Message(user="0-1", why=why, version="v", asked=asked)
    assert read(write(message)) == message


def test_a_message_typed_by_hand_needs_only_the_user() -> None:
    assert read('{"user": " 0-1 "}') == Message(user="0-1", why=Why.NOW)
    assert read('{"user": "0-1", "version": null, "asked": ""}') == Message(user="0-1", why=Why.NOW)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not JSON"),
        ("hello", "not JSON"),
        (base64.b64encode(b"{}").decode(), "not JSON"),
        ("[]", "no user"),
        ("null", "no user"),
        ('"0-1"', "no user"),
        ("{}", "no user"),
        ('{"user": ""}', "no user"),
        ('{"user": "  "}', "no user"),
        ('{"user": 7}', "no user"),
        ('{"user": "0-1", "why": "because"}', "why"),
        ('{"user": "0-1", "why": []}', "why"),
        ('{"user": "0-1", "why": null}', "why"),
        ('{"user": "0-1", "asked": "yesterday"}', "asked"),
        ('{"user": "0-1", "asked": 7}', "asked"),
        ('{"user": "0-1", "asked": "2026-03-01T12:00:00"}', "zone"),
    ],
)
def test_a_malformed_message_is_refused_with_what_is_wrong(text: str, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        read(text)


def test_what_is_said_of_a_malformed_message_does_not_repeat_it() -> None:
    with pytest.raises(Malformed) as refused:
        read(json.dumps({"user": "0-1", "why": "ann@x.example"}))
    assert "ann" not in str(refused.value)
    assert refused.value.__cause__ is None
