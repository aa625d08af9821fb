"""What a record is, whichever side and kind it is of.

Nothing here knows a vendor, a kind or a table. A field's value is a string in one canonical form (dates as
`YYYY-MM-DD`, line ends as `\\n`, no surrounding blanks), `None` when the side holds the field empty; a field that is
missing from the mapping is *not visible* on that side: it is never compared, written or hashed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeAlias

from shared.errors import SyncError

Value: TypeAlias = str | None
Fields: TypeAlias = Mapping[str, Value]

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Side(StrEnum):
    SALESFORCE = "salesforce"
    OUTLOOK = "outlook"

    @property
    def other(self) -> "Side":
        return Side.OUTLOOK if self is Side.SALESFORCE else Side.SALESFORCE


class Origin(StrEnum):
    """Who made the pair."""

    SALESFORCE = "salesforce"
    OUTLOOK = "outlook"
    MATCH = "match"


class Place(StrEnum):
    """Where a record was seen: where the sync looks after it, or elsewhere."""

    INSIDE = "inside"  # in the user's folder; in the user's search
    OUTSIDE = "outside"  # elsewhere in the mailbox; readable, but not in the search


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A record as one side holds it now."""

    id: str
    fields: Fields
    version: str
    """Outlook: the etag. Salesforce: SystemModstamp as the service writes it."""
    modified: datetime
    place: Place = Place.INSIDE
    marked: bool = True
    """Outlook: carries the category. Always true in Salesforce."""
    raw: Mapping[str, Any] = field(default_factory=dict)
    """The vendor's JSON, for translating back; neither the core nor the runner looks inside."""


class Lack(StrEnum):
    """Why there is no item."""

    DELETED = "deleted"
    INVISIBLE = "invisible"  # Salesforce: purged, or no longer shared with this user
    MERGED = "merged"  # deleted, and another record took its place


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """A look by id that found no item."""

    id: str
    lack: Lack
    now: str | None = None
    """The id of the record that took its place."""
    fields: Fields = field(default_factory=dict)
    """What was last readable of it (a deleted Salesforce row still is)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A look by id that failed for this item only: nothing is known of it, and nothing is decided."""

    id: str
    error: SyncError


Seen: TypeAlias = Item | Absent
