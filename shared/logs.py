"""Structured log lines: one event name per thing that happens, fixed keys, no personal data and no secret.

A line is a JSON object with `event` first, so that a query can parse it: `parse_json(message).event == "RunEnded"`. `EVENTS` names
every event and its keys; an unknown one is a programming error.
"""

import json
import logging
from collections.abc import Mapping

LOGGER = logging.getLogger("tandem")

EVENTS: Mapping[str, tuple[str, ...]] = {
    "RoundPlanned": ("round", "users", "stopped", "seconds"),
    "RoundFailed": ("round", "code", "text"),
    "PeopleWaiting": ("round", "conflicts", "approvals", "oldest_hours"),
    "SettingInvalid": ("setting", "text"),
    "RunEnded": ("run", "user", "why", "result", "seconds", "graph", "salesforce", "tables", "counts"),
    "RunFailed": ("run", "user", "why", "code", "text"),
    "MessageRefused": ("text",),
    "SwitchedOff": ("function",),
}


def tell(event: str, *, level: int = logging.INFO, **keys: object) -> None:
    if event not in EVENTS or set(keys) != set(EVENTS[event]):
        raise ValueError(f"{event} with {sorted(keys)} is not a known event")
    LOGGER.log(level, json.dumps({"event": event, **keys}, default=str))
