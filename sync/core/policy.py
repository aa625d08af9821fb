"""What an administrator chose for one kind and one user, as the core needs it."""

from dataclasses import dataclass
from enum import StrEnum

from shared.records import Side


class Direction(StrEnum):
    BOTH = "both"
    TO_OUTLOOK = "salesforce to outlook"
    TO_SALESFORCE = "outlook to salesforce"

    def reaches(self, side: Side) -> bool:
        """Whether changes are carried to `side`."""
        return self is Direction.BOTH or (self is Direction.TO_OUTLOOK) == (side is Side.OUTLOOK)


class Winner(StrEnum):
    SALESFORCE = "salesforce"
    OUTLOOK = "outlook"
    ASK = "ask"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    direction: Direction = Direction.BOTH
    winner: Winner = Winner.SALESFORCE
    remove_in_salesforce: bool = False
    """D1: a deletion in Outlook deletes in Salesforce; otherwise the item is made again in Outlook."""
    remove_in_outlook: bool = True
    """D2: a deletion in Salesforce deletes in Outlook; otherwise the item is unlinked and moved to the default folder."""
