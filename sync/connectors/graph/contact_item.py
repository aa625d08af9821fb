"""Contacts as Graph spells them: addresses of contacts and folders, and the JSON of a contact as an item. No HTTP, no state."""

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from shared.records import LONG_AGO, Fields, Item, Place
from sync.connectors.graph.reply import SubRequest
from sync.translate.kind import Kind

STAMP = "String {6f0d8ee0-5bf3-4c4e-9b1f-6c8a3b1d5e27} Name TandemSalesforceId"
"""The extended property that carries the Salesforce id. Its id never changes: a mailbox has a limited number of named properties."""

ALWAYS = ("id", "parentFolderId", "categories", "changeKey", "lastModifiedDateTime")

log = logging.getLogger(__name__)


def encoded(part: str) -> str:
    """A path segment. Ids may hold `/`, `+` and `=`."""
    return quote(part, safe="")


def select_of(kind: Kind) -> str:
    return "$select=" + ",".join(dict.fromkeys((*ALWAYS, *kind.outlook_select)))


def folders_url(user: str, parent: str = "") -> str:
    """The children of a folder, of the default one without a parent."""
    path = f"/users/{encoded(user)}/contactFolders" + (f"/{encoded(parent)}/childFolders" if parent else "")
    return f"{path}?$top=100&$select=id,displayName,parentFolderId"


def folder_url(user: str, folder: str) -> str:
    return f"/users/{encoded(user)}/contactFolders/{encoded(folder)}"


def delta_url(user: str, folder: str, kind: Kind) -> str:
    return f"{folder_url(user, folder)}/contacts/delta?{select_of(kind)}"


def contact_url(user: str, contact: str) -> str:
    """An immutable id is found here whatever folder the contact is in."""
    return f"/users/{encoded(user)}/contacts/{encoded(contact)}"


def contacts_url(user: str, folder: str = "") -> str:
    """The contacts of a folder, of the default one without it."""
    return (folder_url(user, folder) if folder else f"/users/{encoded(user)}") + "/contacts"


def stamped_url(contacts: str, stamp: str, kind: Kind) -> str:
    """`contacts`: the collection. Names in the filter are compared with case, values without (Graph, extended properties)."""
    value = stamp.replace("'", "''")
    condition = f"singleValueExtendedProperties/Any(ep: ep/id eq '{STAMP}' and ep/value eq '{value}')"
    expand = f"singleValueExtendedProperties($filter=id eq '{STAMP}')"
    return f"{contacts}?$filter={quote(condition, safe='/()')}&$expand={quote(expand, safe='()')}&$top=50&{select_of(kind)}"


def item_of(raw: Mapping[str, Any], kind: Kind, *, home: str, folder: str, category: str, brief: bool = False) -> Item:
    """`folder`: where it was found, for an answer that does not say. `brief`: the fields of unmarked items elsewhere are not read."""
    inside = (raw.get("parentFolderId") or folder) == home
    marked = carries(raw, category)
    return Item(
        id=str(raw["id"]),
        fields={} if brief and not inside and not marked else _fields(raw, kind),
        version=version_of(raw),
        modified=modified_of(raw) or LONG_AGO,
        place=Place.INSIDE if inside else Place.OUTSIDE,
        marked=marked,
        raw=raw,
    )


def is_whole(raw: Mapping[str, Any]) -> bool:
    """Delta promises only "at least the properties that have been updated"; Outlook sends all. Without these, it must be asked for."""
    return bool(version_of(raw)) and "categories" in raw


def _fields(raw: Mapping[str, Any], kind: Kind) -> Fields:
    """An item that cannot be understood shows no field, so that it stops nothing and nothing is written because of it."""
    try:
        return kind.read_outlook(raw)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        log.warning("Outlook %s %s could not be understood (%s): its fields are left alone", kind.name, raw["id"], type(error).__name__)
        return {}


def version_of(raw: Any) -> str:
    """The etag, which is the change key in quotes."""
    if not isinstance(raw, Mapping):
        return ""
    etag, key = raw.get("@odata.etag"), raw.get("changeKey")
    return etag if isinstance(etag, str) and etag else f'W/"{key}"' if isinstance(key, str) and key else ""


def modified_of(raw: Any) -> datetime | None:
    text = raw.get("lastModifiedDateTime") if isinstance(raw, Mapping) else None
    try:
        time = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return time if time is None or time.tzinfo else time.replace(tzinfo=UTC)


def categories_of(raw: Mapping[str, Any]) -> list[str]:
    found = raw.get("categories")
    return [name for name in found if isinstance(name, str)] if isinstance(found, Sequence) and not isinstance(found, str) else []


def carries(raw: Mapping[str, Any], category: str) -> bool:
    """Outlook compares the names of categories without case."""
    return any(name.casefold() == category.casefold() for name in categories_of(raw))


def marked_categories(raw: Mapping[str, Any], category: str, *, on: bool) -> list[str]:
    """The item's categories with ours put on or taken off; the person's own stay."""
    own = [name for name in categories_of(raw) if name.casefold() != category.casefold()]
    if not on:
        return own
    return categories_of(raw) if carries(raw, category) else [*own, category]


def category_request(user: str, category: str) -> SubRequest:
    """Puts the category into the mailbox's list; a name that is there already is refused, which is as well."""
    body = {"displayName": category, "color": "preset7"}
    return SubRequest(method="POST", url=f"/users/{encoded(user)}/outlook/masterCategories", body=body)
