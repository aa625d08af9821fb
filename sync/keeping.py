"""What is kept of a user between runs besides links: pendings, intents, cursors – as values, without a word of how they are stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.records import Origin, Side
from sync.core.fingerprint import Base
from sync.core.link import Link


class Why(StrEnum):
    """Why a pair is to be looked at again."""

    LOOK = "look"  # it was skipped or half done: look when due
    FAILED = "failed"  # a write was refused; tried again, since only the obstacle may change
    WAITING = "waiting"  # a person decides
    DELETION = "deletion"  # found to be deleted; waits until both sides are read to the end
    HELD = "held"  # its deletion is held by the guard
    RESTING = "resting"  # ping-pong


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A pair to look at again. At least one id is known; the pair is named by the Salesforce id where there is one."""

    salesforce_id: str = ""
    outlook_id: str = ""
    why: Why
    due: datetime
    attempts: int = 0
    code: str = ""
    """The error code of its row in SyncErrors; empty where there is none."""
    since: datetime
    asked: bool = False
    """A row in SyncConflicts waits for a decision."""
    side: Side | None = None
    """Of a deletion: where it is to be made."""
    approval: str = ""
    """Of a held deletion: the name of the set."""
    inside: bool = False
    """Of an item without a link: it was in the folder, so that its category is the sync's."""
    candidates: tuple[str, ...] = ()
    """Of a match that a person decides: the Salesforce ids that are reserved for it."""

    @property
    def name(self) -> str:
        return f"S{self.salesforce_id}" if self.salesforce_id else f"O{self.outlook_id}"


class Op(StrEnum):
    CREATE_SALESFORCE = "create in salesforce"
    CREATE_OUTLOOK = "create in outlook"
    UPDATE_SALESFORCE = "update salesforce"
    UPDATE_OUTLOOK = "update outlook"
    DELETE_SALESFORCE = "delete in salesforce"
    DELETE_OUTLOOK = "delete in outlook"
    MOVE_OUTLOOK = "move in outlook"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intended:
    """One action of an intent: what will be true once it took effect. `salesforce_id` of a create in Salesforce: the record it replaces."""

    salesforce_id: str = ""
    outlook_id: str = ""
    base: Base = field(default_factory=Base)
    """The hashes both sides will hold of the fields concerned."""
    origin: Origin = Origin.MATCH
    key: str = ""
    """Of a create in Salesforce: the unique key it carries."""
    claim: str = ""
    """Of a create in Salesforce: the claims it holds, comma-separated, the one to be named first."""
    inside: bool = True
    """Of a move: into the folder, or out of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What was about to be written when this row was: one Salesforce collection, or up to four Graph batches."""

    key: str
    op: Op
    sent: datetime
    actions: tuple[Intended, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """One commit: everything in the order links, pendings, intents, cursors."""

    new_links: Sequence[Link] = ()
    """Links whose Outlook id had no pointer row to them before."""
    links: Sequence[Link] = ()
    """Links that are there already, under the same Outlook id."""
    drop_links: Sequence[Link] = ()
    """Links as they were stored (their pointer rows go with them)."""
    drop_pointers: Sequence[str] = ()
    """Outlook ids that no longer name a pair (the item was moved and has a new id)."""
    pendings: Sequence[Pending] = ()
    drop_pendings: Sequence[Pending] = ()
    intents: Sequence[Intent] = ()
    drop_intents: Sequence[Intent] = ()
    count: int = 0
    """By how much the number of active links changes."""
    cursors: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)
    """Name (`outlook`, `salesforce`, `sweep`, …) → state; None removes it."""
