"""Who writes, and the journal of what was written.

Why this file exists: tests judge a history by this journal – whose edit was lost, who overwrote whom – and need no access to
the org for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from local.sandbox.salesforce.rules import RowOp


class Actor(StrEnum):
    """Who writes."""

    API = "api"
    PERSON = "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """On whose behalf a write is made. `allow_duplicates` overrides alerting duplicate rules, `auto_assign` runs assignment rules."""

    user_id: str
    actor: Actor
    allow_duplicates: bool = False
    auto_assign: bool = False
    url_root: str = "/services/data/v67.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One line of the journal: what a write set, and what those fields held before.

    `time` is the stamp the row bears, `visible_at` (a stamp, too) when others could see it.
    """

    time: str
    visible_at: str
    actor: Actor
    user: str
    op: RowOp
    object: str
    id: str
    fields: Mapping[str, Any]
    before: Mapping[str, Any]
