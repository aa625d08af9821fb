"""The message of the queue `sync-users`: one user, why, and the version of the settings it was made under."""

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

QUEUE = "sync-users"


class Why(StrEnum):
    TIMER = "timer"
    CONTINUATION = "continuation"
    NOW = "now"
    COMPARE = "compare"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    user: str
    """Entra object id."""
    why: Why
    version: str = ""
    asked: datetime | None = None
    """When the wake-up was made; None for one typed by hand, which is always served."""


class Malformed(ValueError):
    """What is wrong with a message, without its content."""


def write(message: Message) -> str:
    asked = message.asked.isoformat() if message.asked else None
    return json.dumps({"user": message.user, "why": message.why.value, "version": message.version, "asked": asked})


def read(text: str) -> Message:
    try:
        values = json.loads(text)
    except ValueError:
        raise Malformed("it is not JSON") from None
    if not isinstance(values, dict) or not isinstance(values.get("user"), str) or not values["user"].strip():
        raise Malformed("it names no user")
    try:
        why = Why(values.get("why", Why.NOW))
        asked = datetime.fromisoformat(values["asked"]) if values.get("asked") else None
    except (TypeError, ValueError):
        raise Malformed("its why or asked is not known") from None
    if asked is not None and asked.tzinfo is None:
        raise Malformed("its time has no zone")
    return Message(user=values["user"].strip(), why=why, version=str(values.get("version") or ""), asked=asked)
