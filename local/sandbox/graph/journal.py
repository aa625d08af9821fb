"""What was written, by whom: the simulator's own memory, for tests and reports. Nothing reads it to answer a request."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from local.sandbox.graph.answers import instant_text


class Actor(StrEnum):
    PERSON = "person"
    APP = "app"


class Operation(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    MOVED = "moved"
    DELETED = "deleted"
    RESTORED = "restored"
    PHOTO_SET = "photo set"


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One effect. `item_id` is the immutable id; `changed` holds only what differs from before, by Graph's names
    (extended properties under their property id); `mails_sent` names who was e-mailed because of it."""

    at: datetime
    actor: Actor
    user: str
    operation: Operation
    kind: str
    item_id: str
    changed: Mapping[str, Any] = field(default_factory=dict)
    mails_sent: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "at": instant_text(self.at), "changed": dict(self.changed), "mails_sent": list(self.mails_sent)}
