"""A link: a pair of records that mirror each other, with its base."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from shared.records import LONG_AGO, Origin, Side
from sync.core.fingerprint import Base


class Status(StrEnum):
    ACTIVE = "active"
    OPTED_OUT = "opted out"  # moved out of the folder by the person: the search does not bring it back
    RESERVED = "reserved"  # a person is deciding whether another item is this record: nothing is created meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """How often in the running hour a side changed again what the sync had just written there (ping-pong)."""

    count: int = 0
    since: datetime = LONG_AGO
    wrote_salesforce: frozenset[str] = frozenset()
    wrote_outlook: frozenset[str] = frozenset()

    def wrote(self, side: Side) -> frozenset[str]:
        return self.wrote_salesforce if side is Side.SALESFORCE else self.wrote_outlook


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """`outlook_id` is empty for a record that is opted out or reserved without an item of its own."""

    salesforce_id: str
    outlook_id: str = ""
    status: Status = Status.ACTIVE
    origin: Origin
    home: bool = True
    """The Outlook item lives in the user's folder; false while an opted-in item still waits to be moved there."""
    base: Base = field(default_factory=Base)
    etag: str = ""
    outlook_modified: datetime = LONG_AGO
    stamp: str = ""
    """Salesforce's SystemModstamp at the last agreement, where it is known."""
    turns: Turns = field(default_factory=Turns)
