"""What may be written into an item: names, types, lengths and counts, checked as strictly as Exchange checks them.

The tables are written by hand after the v1.0 metadata; a test compares them with it. The lengths are those of the
MAPI properties where they are known (learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxocntc) and
otherwise 255 characters, which is what a named string property may hold without being truncated in a table view.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum, auto
from typing import Any

from local.sandbox.graph.answers import Refusal, bad_request, instant_text


class Type(Enum):
    TEXT = auto()
    TEXTS = auto()
    DAY = auto()
    ADDRESS = auto()
    EMAIL = auto()
    EMAILS = auto()
    COLOUR = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """`length` in characters, of each entry where there are several; `entries` is how many there may be."""

    type: Type = Type.TEXT
    length: int = 255
    entries: int = 1000
    edm: str = "Edm.String"


TEXT = Field()
NOTES_LENGTH = 1_048_576
"""Exchange keeps notes as the item's body, which is bounded by the item's size only."""

CONTACT: Mapping[str, Field] = {
    **dict.fromkeys(
        (
            *("assistantName", "companyName", "department", "displayName", "fileAs", "generation", "givenName", "initials", "jobTitle"),
            *("manager", "middleName", "mobilePhone", "nickName", "officeLocation", "profession", "spouseName", "surname", "title"),
            *("yomiCompanyName", "yomiGivenName", "yomiSurname"),
        ),
        TEXT,
    ),
    "businessHomePage": Field(length=2048),
    "personalNotes": Field(length=NOTES_LENGTH),
    "businessPhones": Field(type=Type.TEXTS, entries=2),
    "homePhones": Field(type=Type.TEXTS, entries=2),
    "imAddresses": Field(type=Type.TEXTS, entries=3),
    "children": Field(type=Type.TEXTS),
    "categories": Field(type=Type.TEXTS),
    "birthday": Field(type=Type.DAY, edm="Edm.DateTimeOffset"),
    **dict.fromkeys(("businessAddress", "homeAddress", "otherAddress"), Field(type=Type.ADDRESS, edm="physicalAddress")),
    "emailAddresses": Field(type=Type.EMAILS, entries=3, edm="emailAddress"),
    **dict.fromkeys(("primaryEmailAddress", "secondaryEmailAddress", "tertiaryEmailAddress"), Field(type=Type.EMAIL, edm="emailAddress")),
}
CONTACT_FOLDER: Mapping[str, Field] = {"displayName": TEXT}
CATEGORY: Mapping[str, Field] = {"displayName": TEXT, "color": Field(type=Type.COLOUR, edm="categoryColor")}
ADDRESS_PARTS: Mapping[str, int] = {"street": 1024, "city": 255, "state": 255, "countryOrRegion": 255, "postalCode": 255}
EMAIL_PARTS: Mapping[str, int] = {"address": 320, "name": 255}
SERVER_FIELDS = ("id", "changeKey", "createdDateTime", "lastModifiedDateTime")
IGNORED_FIELDS = ("parentFolderId",)
"""Sent back by clients that write what they read; moving an item by it is not documented and has no effect."""
COLOURS = frozenset({"none", *(f"preset{number}" for number in range(25))})
STAMPS_FIELD = "singleValueExtendedProperties"
STAMP_LENGTH = 32_767
_EMAIL_SLOTS = ("primaryEmailAddress", "secondaryEmailAddress", "tertiaryEmailAddress")
_STAMP_ID = re.compile(
    r"(?P<type>String|Integer|Boolean|Double|SystemTime|CLSID|Binary|Long|Short|Float|Currency|ApplicationTime)\s+"
    r"(?:(?P<tag>0x[0-9A-Fa-f]{4,8})|\{(?P<guid>[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\}\s+"
    r"(?:Name\s+(?P<name>\S.*)|Id\s+(?P<id>0x[0-9A-Fa-f]{1,8})))"
)
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2}(?::\d{2}(?:\.\d{1,7})?)?)(Z|[+-]\d{2}:\d{2})?)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A body that passed: only what it names. A stamp of None is to be removed."""

    values: Mapping[str, Any]
    stamps: Mapping[str, str | None]


def read_body(type_name: str, fields: Mapping[str, Field], body: Any, *, stamps_allowed: bool = True) -> Draft:
    """Checks a create or update body and normalises its values.

    Raises: Refusal 400 RequestBodyRead (unknown property), UnableToDeserializePostBody (wrong type),
    ErrorInvalidRequest (too many entries), ErrorPropertyValidationFailure (too long), ErrorInvalidPropertySet (read-only).
    """
    if not isinstance(body, dict):
        raise _wrong_type("body", type_name)
    values: dict[str, Any] = {}
    stamps: dict[str, str | None] = {}
    for name, value in body.items():
        if name.startswith("@") or "@odata." in name or name in IGNORED_FIELDS:
            continue
        if name in SERVER_FIELDS:
            raise bad_request(f"Set action is invalid for property '{name}'.", "ErrorInvalidPropertySet")
        if name == STAMPS_FIELD and stamps_allowed:
            stamps |= _read_stamps(value)
        elif name in fields:
            values[name] = _read(name, fields[name], value)
        else:
            raise bad_request(
                f"The property '{name}' does not exist on type 'microsoft.graph.{type_name}'. Make sure to only use property names "
                "that are defined by the type or mark the type as open type.",
                "RequestBodyRead",
            )
    return Draft(values=values, stamps=stamps)


def normal_stamp_id(text: str) -> str:
    """One spelling for an extended property's id: GUID and numbers in lower case, the name as it is (it is case-sensitive)."""
    found = _STAMP_ID.fullmatch(text.strip())
    if found is None:
        raise bad_request(f"Extended property id '{text}' is malformed.", "ErrorInvalidProperty")
    if found["tag"]:
        return f"{found['type']} {found['tag'].lower()}"
    tail = f"Name {found['name']}" if found["name"] else f"Id {found['id'].lower()}"
    return f"{found['type']} {{{found['guid'].lower()}}} {tail}"


def blank_contact() -> dict[str, Any]:
    """Every contact property as it is when nobody wrote it (e-mail slots are views of `emailAddresses`)."""
    blank: dict[str, Any] = {}
    for name, field in CONTACT.items():
        if name in _EMAIL_SLOTS:
            continue
        if field.type in (Type.TEXTS, Type.EMAILS):
            blank[name] = []
        elif field.type is Type.ADDRESS:
            blank[name] = {}
        else:
            blank[name] = None
    return blank


def apply_to_contact(before: Mapping[str, Any] | None, values: Mapping[str, Any], *, merge_addresses: bool = False) -> dict[str, Any]:
    """A contact's values after a write; `before` is None on create.

    displayName and fileAs are made anew from the names when the names change and they are not sent ("later updates to other properties
    may cause an automatically generated value to overwrite the displayName", learn.microsoft.com/graph/api/resources/contact).
    """
    after = {**(blank_contact() if before is None else before)}
    for name, value in values.items():
        if name in _EMAIL_SLOTS:
            continue
        if CONTACT[name].type is Type.ADDRESS:
            parts = {**(after[name] if merge_addresses and value else {}), **value}
            after[name] = {part: text for part, text in parts.items() if text not in (None, "")}
        else:
            after[name] = value
    for slot, name in enumerate(_EMAIL_SLOTS):
        if name in values:
            rest: list[Any] = list(after["emailAddresses"])
            rest[slot : slot + 1] = [values[name]] if values[name] is not None else []
            after["emailAddresses"] = rest
    names = ("givenName", "middleName", "surname", "generation", "title", "companyName")
    renamed = before is None or any(after[name] != before[name] for name in names[:4])
    if renamed and "displayName" not in values:
        after["displayName"] = _shown_name(after)
    if renamed and "fileAs" not in values:
        after["fileAs"] = _filed_name(after)
    return after


def email_slots(values: Mapping[str, Any]) -> dict[str, Any]:
    """The scalar views of `emailAddresses`."""
    addresses = values["emailAddresses"]
    return {name: addresses[slot] if slot < len(addresses) else None for slot, name in enumerate(_EMAIL_SLOTS)}


def _shown_name(values: Mapping[str, Any]) -> str | None:
    parts = [values[name] for name in ("givenName", "middleName", "surname", "generation") if values[name]]
    shown = " ".join(parts) or values["companyName"]
    return shown[:255] if shown else None


def _filed_name(values: Mapping[str, Any]) -> str | None:
    first = " ".join(values[name] for name in ("givenName", "middleName") if values[name])
    filed = ", ".join(part for part in (values["surname"], first) if part) or values["companyName"]
    return filed[:255] if filed else None


def _read(name: str, field: Field, value: Any) -> Any:
    match field.type:
        case Type.TEXT:
            return None if value is None else _text(name, value, field.length)
        case Type.TEXTS:
            entries = _collection(name, value, field)
            return [_text(name, entry, field.length) for entry in entries]
        case Type.DAY:
            return None if value is None else _day(name, value)
        case Type.ADDRESS:
            return _complex(name, value, ADDRESS_PARTS, "physicalAddress") if value is not None else {}
        case Type.EMAIL:
            return None if value is None else _email(name, value)
        case Type.EMAILS:
            return [_email(name, entry) for entry in _collection(name, value, field)]
        case Type.COLOUR:
            if value is None:
                return "none"
            if value not in COLOURS:
                raise _wrong_type(name, field.edm)
            return value


def _text(name: str, value: Any, length: int) -> str:
    if not isinstance(value, str):
        raise _wrong_type(name, "Edm.String")
    if len(value) > length:
        raise bad_request(
            f"The value of property '{name}' has {len(value)} characters, that exceeds the max allowed length of {length}.",
            "ErrorPropertyValidationFailure",
        )
    return value


def _collection(name: str, value: Any, field: Field) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise _wrong_type(name, f"Collection({field.edm})")
    if len(value) > field.entries:
        # The text is the service's own for phones, as reported by clients.
        shown = name[0].upper() + name[1:]
        raise bad_request(
            f"The multi value property {shown} has {len(value)} entries, that exceeds the max allowed value of {field.entries}",
            "ErrorInvalidRequest",
        )
    return value


def _complex(name: str, value: Any, parts: Mapping[str, int], type_name: str) -> dict[str, str | None]:
    if not isinstance(value, dict):
        raise _wrong_type(name, type_name)
    read: dict[str, str | None] = {}
    for part, text in value.items():
        if part.startswith("@odata."):
            continue
        if part not in parts:
            raise bad_request(
                f"The property '{part}' does not exist on type 'microsoft.graph.{type_name}'. Make sure to only use property names "
                "that are defined by the type or mark the type as open type.",
                "RequestBodyRead",
            )
        read[part] = None if text is None else _text(f"{name}/{part}", text, parts[part])
    return read


def _email(name: str, value: Any) -> dict[str, str | None]:
    """An address without a name is shown by its address, as Exchange does."""
    read = _complex(name, value, EMAIL_PARTS, "emailAddress")
    address = read.get("address")
    return {"name": read.get("name") or address, "address": address}


def _day(name: str, value: Any) -> str:
    """The full timestamp that a birthday comes back as; a bare date becomes 11:59 UTC of that date, as the service answers."""
    found = _DAY.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        if isinstance(value, str):
            raise bad_request(f"The value '{value}' of property '{name}' is not a valid date and time.", "InvalidDateTime")
        raise _wrong_type(name, "Edm.DateTimeOffset")
    try:
        day = date.fromisoformat(found[1])
        if found[2]:
            moment = datetime.fromisoformat(value)
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
            if moment.date() == day:
                return instant_text(moment)
    except ValueError:
        raise bad_request(f"The value '{value}' of property '{name}' is not a valid date and time.", "InvalidDateTime") from None
    return f"{day.isoformat()}T11:59:00Z"


def _read_stamps(value: Any) -> dict[str, str | None]:
    if not isinstance(value, list):
        raise _wrong_type(STAMPS_FIELD, "Collection(microsoft.graph.singleValueLegacyExtendedProperty)")
    read: dict[str, str | None] = {}
    for entry in value:
        if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
            raise _wrong_type(STAMPS_FIELD, "microsoft.graph.singleValueLegacyExtendedProperty")
        for part in entry:
            if part not in ("id", "value") and not part.startswith("@odata."):
                raise bad_request(
                    f"The property '{part}' does not exist on type 'microsoft.graph.singleValueLegacyExtendedProperty'.", "RequestBodyRead"
                )
        text = entry.get("value")
        read[normal_stamp_id(entry["id"])] = None if text is None else _text(f"{STAMPS_FIELD}/value", text, STAMP_LENGTH)
    return read


def _wrong_type(name: str, expected: str) -> Refusal:
    return bad_request(
        f"Were unable to deserialize the request body: the value of '{name}' is not of type '{expected}'.", "UnableToDeserializePostBody"
    )
