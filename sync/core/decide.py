"""The decision table: what becomes of a pair, from how each side stands towards its own half of the base.

Each side is compared with its own past, never with the other side. The table is complete – every pair of standings has a row –
and each row carries its reason; `docs/sync-rules.md` shows the same rows and a test holds the two together.
"""

from enum import StrEnum

from shared.records import Absent, Item, Lack, Place, Seen
from sync.core.fingerprint import Half, Hasher


class Standing(StrEnum):
    """How one side stands towards its half of the base."""

    MISSING = "missing"  # no record is known on this side
    SAME = "same"  # it holds what it held at the last agreement
    CHANGED = "changed"  # it holds something else, or there is no base
    GONE = "gone"  # it was deleted
    LEFT = "left"  # it exists, but where the sync does not look: moved out of the folder, left the search, no longer shared


class Verdict(StrEnum):
    """What is to be done about a pair. Policies (direction, removal switches, conflict rule) are applied afterwards, in `plan`."""

    NOTHING = "nothing"
    CREATE_OUTLOOK = "create in Outlook"
    CREATE_SALESFORCE = "match, else create in Salesforce"
    TO_OUTLOOK = "write the changes to Outlook"
    TO_SALESFORCE = "write the changes to Salesforce"
    MERGE = "merge field by field"
    REMOVE_OUTLOOK = "delete in Outlook, if deletions go there"
    REMOVE_SALESFORCE = "delete in Salesforce, if auto-removal is on"
    REVIVE_OUTLOOK = "make again in Outlook: edit beats delete"
    REVIVE_SALESFORCE = "make again in Salesforce: edit beats delete"
    WITHDRAW = "take the item out of the folder, keep Salesforce"
    RELEASE = "unlink, take the category off, remember the choice"
    FORGET = "drop the link"


_S, _V = Standing, Verdict

TABLE: dict[tuple[Standing, Standing], tuple[Verdict, str]] = {
    # (Salesforce, Outlook): (verdict, reason)
    (_S.MISSING, _S.MISSING): (_V.FORGET, "a link to nothing"),
    (_S.MISSING, _S.SAME): (_V.CREATE_SALESFORCE, "half a link is no link: the item is new to Salesforce"),
    (_S.MISSING, _S.CHANGED): (_V.CREATE_SALESFORCE, "new in Outlook"),
    (_S.MISSING, _S.GONE): (_V.FORGET, "it was never in Salesforce, and is no more in Outlook"),
    (_S.MISSING, _S.LEFT): (_V.RELEASE, "opted out before it reached Salesforce"),
    (_S.SAME, _S.MISSING): (_V.CREATE_OUTLOOK, "half a link is no link: the record is new to Outlook"),
    (_S.SAME, _S.SAME): (_V.NOTHING, "both hold what they held"),
    (_S.SAME, _S.CHANGED): (_V.TO_SALESFORCE, "only Outlook changed"),
    (_S.SAME, _S.GONE): (_V.REMOVE_SALESFORCE, "deleted in Outlook, untouched in Salesforce"),
    (_S.SAME, _S.LEFT): (_V.RELEASE, "moved out of the folder: a choice, not a deletion"),
    (_S.CHANGED, _S.MISSING): (_V.CREATE_OUTLOOK, "new in Salesforce"),
    (_S.CHANGED, _S.SAME): (_V.TO_OUTLOOK, "only Salesforce changed"),
    (_S.CHANGED, _S.CHANGED): (_V.MERGE, "both changed: each field is decided by itself"),
    (_S.CHANGED, _S.GONE): (_V.REVIVE_OUTLOOK, "edited in Salesforce, deleted in Outlook: edit beats delete"),
    (_S.CHANGED, _S.LEFT): (_V.RELEASE, "moved out of the folder: Salesforce keeps its edit"),
    (_S.GONE, _S.MISSING): (_V.FORGET, "it never reached Outlook, and is no more in Salesforce"),
    (_S.GONE, _S.SAME): (_V.REMOVE_OUTLOOK, "deleted in Salesforce, untouched in Outlook"),
    (_S.GONE, _S.CHANGED): (_V.REVIVE_SALESFORCE, "edited in Outlook, deleted in Salesforce: edit beats delete"),
    (_S.GONE, _S.GONE): (_V.FORGET, "deleted on both sides"),
    (_S.GONE, _S.LEFT): (_V.RELEASE, "deleted in Salesforce, moved out of the folder: the item stays where it was moved"),
    (_S.LEFT, _S.MISSING): (_V.FORGET, "it never reached Outlook, and nothing is to be shown"),
    (_S.LEFT, _S.SAME): (_V.WITHDRAW, "left the search or lost its sharing: not a deletion"),
    (_S.LEFT, _S.CHANGED): (_V.TO_SALESFORCE, "the edit is carried first; then the item leaves the folder"),
    (_S.LEFT, _S.GONE): (_V.FORGET, "outside the search, and deleted in Outlook: nothing to show, nothing to delete"),
    (_S.LEFT, _S.LEFT): (_V.RELEASE, "outside the search and moved out of the folder"),
}


def decide(salesforce: Standing, outlook: Standing) -> Verdict:
    return TABLE[salesforce, outlook][0]


def standing(seen: Seen | None, base: Half, hash_of: Hasher) -> Standing:
    """How a side stands. Without a base for a visible field, the side counts as changed."""
    match seen:
        case None:
            return Standing.MISSING
        case Absent(lack=Lack.INVISIBLE):
            return Standing.LEFT
        case Absent():
            return Standing.GONE
        case Item(place=Place.OUTSIDE):
            return Standing.LEFT
        case Item(fields=fields):
            return Standing.CHANGED if any(base.get(name) != hash_of(name, value) for name, value in fields.items()) else Standing.SAME


def changed(seen: Item, base: Half, hash_of: Hasher) -> frozenset[str]:
    """The visible fields that no longer hold what they held, or have no base."""
    return frozenset(name for name, value in seen.fields.items() if base.get(name) != hash_of(name, value))
