"""Contacts: Salesforce Contact ⇄ Outlook contact.

`FIELDS` is the mapping: a line a field. To add one, add its line (and, if Outlook spells it in a new way, a `Spelling`), its row in
`docs/sync-rules.md`, its column in the sandbox if it lacks it, and its value in the round-trip test: a test fails while one is missing.
Sources: Graph v1.0 resource `contact`; Salesforce Object Reference `Contact`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.errors import Code
from shared.records import Fields, Item, Side, Value
from sync.core.match import Identity
from sync.core.merge import Held
from sync.translate.kind import Companies, Draft, Kind, Problem, Schema
from sync.translate.text import canonical, cut, date_part, salesforce_length

KEY_FIELD = "Tandem_Key__c"
COMPANY = "company"
EARLIEST_BIRTHDATE = "1700-01-01"
"""Salesforce takes no earlier date; Outlook writes 1604 for a birthday without a year."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """Where Outlook keeps a value: a property, an entry of a list, or a part of an address."""

    property: str
    index: int | None = None
    part: str = ""

    def read(self, raw: Mapping[str, Any]) -> Value:
        value = raw[self.property]
        if self.index is not None:
            value = value[self.index] if value and len(value) > self.index else None
            value = value.get("address") if isinstance(value, dict) else value
        elif self.part:
            value = (value or {}).get(self.part)
        return date_part(value) if self.property == "birthday" else canonical(value)


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    salesforce: str
    outlook: Spelling
    cuts: bool = False
    """Too long for Salesforce: cut (it stays whole in Outlook) instead of an error."""


def _address(prefix: str, salesforce: str, outlook: str) -> list[Field]:
    parts = {"street": "Street", "city": "City", "state": "State", "postal_code": "PostalCode", "country": "Country"}
    graph = {"street": "street", "city": "city", "state": "state", "postal_code": "postalCode", "country": "countryOrRegion"}
    return [Field(f"{prefix}_{part}", salesforce + parts[part], Spelling(outlook, part=graph[part])) for part in parts]


FIELDS: tuple[Field, ...] = (
    Field("salutation", "Salutation", Spelling("title")),
    Field("first_name", "FirstName", Spelling("givenName")),
    Field("middle_name", "MiddleName", Spelling("middleName")),
    Field("last_name", "LastName", Spelling("surname")),
    Field("suffix", "Suffix", Spelling("generation")),
    Field("email", "Email", Spelling("emailAddresses", 0)),
    Field("phone", "Phone", Spelling("businessPhones", 0)),
    Field("other_phone", "OtherPhone", Spelling("businessPhones", 1)),
    Field("home_phone", "HomePhone", Spelling("homePhones", 0)),
    Field("mobile_phone", "MobilePhone", Spelling("mobilePhone")),
    Field("job_title", "Title", Spelling("jobTitle")),
    Field("department", "Department", Spelling("department")),
    Field("assistant", "AssistantName", Spelling("assistantName")),
    Field("birthday", "Birthdate", Spelling("birthday")),
    Field("notes", "Description", Spelling("personalNotes"), cuts=True),
    Field(COMPANY, "AccountId", Spelling("companyName")),
    *_address("mailing", "Mailing", "businessAddress"),
    *_address("other", "Other", "otherAddress"),
)
BY_NAME = {field.name: field for field in FIELDS}
NAMES = ("first_name", "middle_name", "last_name", "suffix")
REQUIRED = "last_name"

OUTLOOK_SELECT = ("displayName", "categories", *dict.fromkeys(field.outlook.property for field in FIELDS))
COPIED = (
    *OUTLOOK_SELECT,
    *("businessHomePage", "children", "fileAs", "homeAddress", "imAddresses", "initials", "manager", "nickName", "officeLocation"),
    *("profession", "spouseName", "yomiCompanyName", "yomiGivenName", "yomiSurname"),
)
"""Every writable property of a Graph contact: what a copy in another folder has to carry."""


# --------------------------------------------------------------------------- reading


def salesforce_select(schema: Schema) -> Sequence[str]:
    columns = [field.salesforce for field in FIELDS if field.salesforce in schema.fields]
    return [*columns, "Account.Name"] if "AccountId" in columns else columns


def read_salesforce(row: Mapping[str, Any], schema: Schema) -> Fields:
    """A field that the row or the user's describe lacks is not visible; neither is the name of an account the user may not read."""
    values: dict[str, Value] = {}
    for field in FIELDS:
        if field.salesforce not in schema.fields or field.salesforce not in row:
            continue
        if field.name == COMPANY:
            account = row.get("Account")
            if account is None and row["AccountId"] is not None:
                continue
            values[COMPANY] = canonical(account["Name"]) if account else None
        else:
            values[field.name] = canonical(row[field.salesforce])
    return values


def read_outlook(raw: Mapping[str, Any]) -> Fields:
    return {field.name: field.outlook.read(raw) for field in FIELDS if field.outlook.property in raw}


# --------------------------------------------------------------------------- writing to Salesforce


def draft_salesforce(fields: Fields, current: Item | None, schema: Schema, companies: Companies) -> Draft:
    """What to send for `fields`. A field this user may not write is left out with a notice and stays unagreed."""
    new = current is None
    payload: dict[str, Any] = {}
    held: dict[str, Value] = {}
    problems: list[Problem] = []
    notices: list[Problem] = []
    for name, value in fields.items():
        field = BY_NAME[name]
        limits = schema.fields.get(field.salesforce)
        if limits is None:
            continue
        if not (limits.createable if new else limits.updateable):
            if not (new and value is None):
                notices.append(
                    Problem(code=Code.FIELD_NOT_WRITABLE, field=field.salesforce, text=f"{field.salesforce} is read-only for this user")
                )
        elif name == COMPANY:
            _draft_company(value, current, companies, payload, held, notices)
        elif name == "birthday" and value is not None and value < EARLIEST_BIRTHDATE:
            held[name] = None if current is None else current.fields.get(name)
        elif field.cuts:
            held[name] = payload[field.salesforce] = cut(value, limits.length)
        elif value is not None and limits.length and salesforce_length(value) > limits.length:
            text = f"{field.salesforce} takes {limits.length} characters, the value has {salesforce_length(value)}"
            problems.append(Problem(code=Code.VALUE_TOO_LONG, field=field.salesforce, text=text))
        else:
            held[name] = payload[field.salesforce] = value
    if REQUIRED in schema_names(schema) and (fields.get(REQUIRED) is None and (new or REQUIRED in fields)):
        problems.append(Problem(code=Code.REQUIRED_FIELD_MISSING, field="LastName", text="a contact needs a last name in Salesforce"))
    if new:
        held.update(dict.fromkeys(schema_names(schema) - fields.keys()))
        payload = {name: value for name, value in payload.items() if value is not None}
    return Draft(payload=payload, held=held, problems=tuple(problems), notices=tuple(notices))


def schema_names(schema: Schema) -> frozenset[str]:
    """Our names of the fields that this user sees."""
    return frozenset(field.name for field in FIELDS if field.salesforce in schema.fields)


def _draft_company(
    value: Value, current: Item | None, companies: Companies, payload: dict[str, Any], held: dict[str, Value], notices: list[Problem]
) -> None:
    """C5: a new contact takes an exact account, else the only containing one, else none; an edit relinks only exactly and never blanks."""
    now = None if current is None else current.fields.get(COMPANY)
    key = value.lower() if value else ""
    account = companies.exact.get(key) or (companies.containing.get(key) if current is None else None)
    if not value or (now is not None and now.lower() == key):
        held[COMPANY] = now
    elif account is not None:
        payload["AccountId"] = account.id
        held[COMPANY] = account.name
    elif current is None:
        held[COMPANY] = None
    else:
        text = "no account has exactly the new company's name; the contact stays with its account"
        notices.append(Problem(code=Code.COMPANY_NOT_FOUND, field="AccountId", text=text))


# --------------------------------------------------------------------------- writing to Outlook


def draft_outlook(fields: Fields, current: Item | None) -> Draft:
    """What to send for `fields`. Lists and addresses are replaced as a whole by Graph, so what else they hold is sent along;
    the display name is always sent, since the service would otherwise make up a new one. `held` covers every field whose
    reading changes: an emptied first telephone lets the second one move up."""
    raw: Mapping[str, Any] = {} if current is None else current.raw
    payload: dict[str, Any] = {}
    for name, value in fields.items():
        spelling = BY_NAME[name].outlook
        if spelling.index is not None:
            payload[spelling.property] = _with_entry(payload.get(spelling.property, raw.get(spelling.property)), spelling, value)
        elif spelling.part:
            address = payload.get(spelling.property, raw.get(spelling.property)) or {}
            payload[spelling.property] = {**address, spelling.part: value}
        else:
            payload[spelling.property] = f"{value}T00:00:00Z" if name == "birthday" and value else value
    for name, entries in list(payload.items()):
        if isinstance(entries, list):
            payload[name] = _closed_up(entries)
    if current is None:
        payload = {name: value for name, value in payload.items() if value not in (None, [])}
    before = read_outlook(raw)
    if current is None or any(name in fields for name in NAMES):
        payload["displayName"] = display_name({**before, **fields})
    else:
        payload["displayName"] = raw.get("displayName") or display_name(before)
    after = read_outlook({**(dict.fromkeys(OUTLOOK_SELECT) if current is None else raw), **payload})
    held = {name: value for name, value in after.items() if name in fields or current is None or before.get(name) != value}
    return Draft(payload=payload, held=held)


def _with_entry(entries: Any, spelling: Spelling, value: Value) -> list[Any]:
    """The list with one entry replaced; an unchanged address keeps its display name."""
    filled = list(entries or [])
    index = spelling.index or 0
    filled += [None] * (index + 1 - len(filled))
    if spelling.property == "emailAddresses":
        old = filled[index]
        same = isinstance(old, dict) and value is not None and canonical(old.get("address")) == value
        filled[index] = old if same else ({"address": value, "name": value} if value else None)
    else:
        filled[index] = value
    return filled


def _closed_up(entries: list[Any]) -> list[Any]:
    """Outlook's lists have no holes: a second business telephone alone is shown as the first one."""
    return [entry for entry in entries if entry is not None]


def display_name(fields: Fields) -> str:
    names = [value for name in NAMES if (value := fields.get(name))]
    return " ".join(names) or fields.get(COMPANY) or fields.get("email") or ""


def copy_outlook(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: raw[name] for name in COPIED if raw.get(name) not in (None, [], {})}


# --------------------------------------------------------------------------- recognising


def identity(item: Item) -> Identity:
    """All addresses an Outlook contact has; first + last name only where both are known. Lower case, as SOQL compares: not case-folded."""
    addresses = [canonical(entry.get("address")) for entry in item.raw.get("emailAddresses") or [] if isinstance(entry, dict)]
    strong = frozenset(address.lower() for address in [*addresses, item.fields.get("email")] if address)
    first, last = item.fields.get("first_name"), item.fields.get("last_name")
    return Identity(strong=strong, weak=f"{first} {last}".lower() if first and last else "")


def identifying(fields: Fields) -> Sequence[Sequence[str]]:
    """The address; or all the names there are."""
    names = tuple(name for name in ("first_name", "last_name") if fields.get(name))
    return (("email",), names) if fields.get("email") else (names,)


def comparable(name: str, value: str) -> str:
    return value.lower() if name in {"email", COMPANY} else value


def held(schema: Schema) -> Held:
    def held_by(side: Side, name: str, value: Value) -> Value:
        field = BY_NAME[name]
        if side is Side.SALESFORCE and field.cuts and field.salesforce in schema.fields:
            return cut(value, schema.fields[field.salesforce].length)
        return value

    return held_by


def company(fields: Fields) -> Value:
    return fields.get(COMPANY)


CONTACT = Kind(
    name="contact",
    salesforce_object="Contact",
    outlook_select=OUTLOOK_SELECT,
    key_field=KEY_FIELD,
    strong_column="Email",
    weak_column="Name",
    weak_fillers=("MiddleName", "Suffix"),
    company_object="Account",
    company_field=COMPANY,
    salesforce_select=salesforce_select,
    read_salesforce=read_salesforce,
    read_outlook=read_outlook,
    draft_salesforce=draft_salesforce,
    draft_outlook=draft_outlook,
    comparable=comparable,
    held=held,
    identity=identity,
    identifying=identifying,
    company=company,
    copy_outlook=copy_outlook,
)
