"""What the two services do with what they are sent, as far as translation can see – and values to send.

Outlook replaces a property as a whole and keeps the others. Salesforce trims text, keeps '' as null and line ends as CR LF, and refuses
(here: fails the test) what is too long, unknown or read-only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import strategies as st

from shared.records import Fields, Item, Value
from sync.translate.contact import CONTACT, OUTLOOK_SELECT
from sync.translate.kind import Account, Companies, Draft, FieldSchema, Schema
from sync.translate.text import canonical

NOW = datetime(2026, 3, 1, tzinfo=UTC)

LENGTHS = {
    "Salutation": 40,
    "FirstName": 40,
    "MiddleName": 40,
    "LastName": 80,
    "Suffix": 40,
    "Email": 80,
    "Phone": 40,
    "OtherPhone": 40,
    "HomePhone": 40,
    "MobilePhone": 40,
    "Title": 128,
    "Department": 80,
    "AssistantName": 40,
    "Birthdate": 0,
    "Description": 32_000,
    "AccountId": 18,
    **{f"{prefix}{part}": length for prefix in ("Mailing", "Other") for part, length in
       (("Street", 255), ("City", 40), ("State", 80), ("PostalCode", 20), ("Country", 80))},
}  # fmt: skip
TYPES = {"Email": "email", "Birthdate": "date", "Description": "textarea", "AccountId": "reference", "Salutation": "picklist"}


def schema(*, hidden: Sequence[str] = (), fixed: Sequence[str] = (), only_new: Sequence[str] = ()) -> Schema:
    """Contact as a user sees it. `hidden`: not in describe; `fixed`: read-only; `only_new`: createable, not updateable."""
    fields = {
        name: FieldSchema(
            type=TYPES.get(name, "string"),
            length=length,
            createable=name not in fixed,
            updateable=name not in fixed and name not in only_new,
        )
        for name, length in LENGTHS.items()
        if name not in hidden
    }
    return Schema(name="Contact", fields=fields)


SCHEMA = schema()
ACCOUNTS = {"001A": "Acme", "001B": "Müller & Söhne", "001C": "Ünïted 🚀 Holding"}
COMPANIES = Companies(exact={name.lower(): Account(id=id, name=name) for id, name in ACCOUNTS.items()})


# --------------------------------------------------------------------------- Salesforce


def salesforce_row(fields: Fields) -> dict[str, Any]:
    """A record that somebody typed into Salesforce."""
    row: dict[str, Any] = dict.fromkeys(LENGTHS) | {"Account": None}
    draft = CONTACT.draft_salesforce(fields, None, SCHEMA, COMPANIES)
    return keep(row, draft.payload)


def keep(row: Mapping[str, Any], payload: Mapping[str, Any], seen: Schema = SCHEMA) -> dict[str, Any]:
    """The row after a payload."""
    kept = dict(row)
    for name, value in payload.items():
        limits = seen.fields[name]
        assert limits.createable, name
        text = str(value).replace("\r\n", "\n").replace("\n", "\r\n").strip() if value is not None else ""
        assert not limits.length or len(text.encode("utf-16-le")) // 2 <= limits.length, name
        if limits.type == "date" and text:
            assert date(1700, 1, 1) <= date.fromisoformat(text) <= date(4000, 12, 31)
        kept[name] = text or None
    if "AccountId" in kept:
        kept["Account"] = {"Name": ACCOUNTS[kept["AccountId"]]} if kept["AccountId"] else None
    return kept


def read_record(row: Mapping[str, Any], seen: Schema = SCHEMA) -> Item:
    return Item(id="003A", fields=CONTACT.read_salesforce(row, seen), version="v", modified=NOW, raw=row)


# --------------------------------------------------------------------------- Outlook

EMPTY: Mapping[str, Any] = {
    **dict.fromkeys(OUTLOOK_SELECT),
    "displayName": "",
    "categories": [],
    "emailAddresses": [],
    "businessPhones": [],
    "homePhones": [],
    "businessAddress": {},
    "otherAddress": {},
}


def kept_by_outlook(raw: Mapping[str, Any], payload: Mapping[str, Any]) -> dict[str, Any]:
    """The item after a PATCH (or, over `EMPTY`, a POST): lists and addresses are replaced as a whole, and hold no nulls."""
    after = {**raw, **payload}
    assert len(after["businessPhones"] or []) <= 2
    assert len(after["homePhones"] or []) <= 2
    assert len(after["emailAddresses"] or []) <= 3
    for name in ("businessPhones", "homePhones", "emailAddresses"):
        assert all(entry is not None and entry != "" for entry in after[name] or []), name
    for name in ("businessAddress", "otherAddress"):
        after[name] = {part: value for part, value in (after[name] or {}).items() if value is not None}
    return after


def read_item(raw: Mapping[str, Any]) -> Item:
    return Item(id="AAk=", fields=CONTACT.read_outlook(raw), version="e", modified=NOW, raw=raw)


def outlook_item(fields: Fields) -> Item:
    """An item that a person made in Outlook with these fields."""
    street = {"street": "street", "city": "city", "state": "state", "postal_code": "postalCode", "country": "countryOrRegion"}
    phones = [fields[name] for name in ("phone", "other_phone") if fields.get(name)]
    raw = {
        **EMPTY,
        "title": fields["salutation"],
        "givenName": fields["first_name"],
        "middleName": fields["middle_name"],
        "surname": fields["last_name"],
        "generation": fields["suffix"],
        "emailAddresses": [{"address": fields["email"], "name": "shown as"}] if fields["email"] else [],
        "businessPhones": phones,
        "homePhones": [fields["home_phone"]] if fields["home_phone"] else [],
        "mobilePhone": fields["mobile_phone"],
        "jobTitle": fields["job_title"],
        "department": fields["department"],
        "assistantName": fields["assistant"],
        "birthday": f"{fields['birthday']}T11:59:00Z" if fields["birthday"] else None,
        "personalNotes": fields["notes"].replace("\n", "\r\n") if fields["notes"] else "",
        "companyName": fields["company"],
        "businessAddress": {graph: fields[f"mailing_{part}"] for part, graph in street.items() if fields[f"mailing_{part}"]},
        "otherAddress": {graph: fields[f"other_{part}"] for part, graph in street.items() if fields[f"other_{part}"]},
        "displayName": "As the person calls them",
    }
    return read_item(raw)


def with_more(item: Item, emails: int, home_phones: int) -> Item:
    """The same item with further entries that Salesforce has no place for, as far as the first one is there."""
    more_emails = [{"address": f"second{number}@x.example", "name": f"Nr {number}"} for number in range(emails)]
    more_phones = [f"+43 {number}" for number in range(home_phones)]
    raw = {
        **item.raw,
        "emailAddresses": [*item.raw["emailAddresses"], *more_emails] if item.raw["emailAddresses"] else [],
        "homePhones": [*item.raw["homePhones"], *more_phones] if item.raw["homePhones"] else [],
        "homeAddress": {"city": "Graz"},
        "nickName": "Ani",
    }
    return replace(item, raw=raw, fields=CONTACT.read_outlook(raw))


def faithful_to_outlook(draft: Draft, raw: Mapping[str, Any] | None) -> Item:
    assert not draft.problems
    return read_item(kept_by_outlook(EMPTY if raw is None else raw, draft.payload))


# --------------------------------------------------------------------------- values

LETTERS = st.sampled_from("aZ09 .-+äßÉ🙂漢\u00a0\u2028\n")


def text(length: int) -> st.SearchStrategy[str]:
    """Canonical text that Salesforce takes: umlauts, astral characters, blanks and line ends within."""
    made = st.text(LETTERS, min_size=1, max_size=min(length // 2, 14)).map(canonical)
    return made.filter(lambda value: value is not None).map(str)


def maybe(strategy: st.SearchStrategy[str]) -> st.SearchStrategy[Value]:
    return st.none() | strategy


dates = st.dates(date(1700, 1, 1), date(2100, 12, 31)).map(date.isoformat)
emails = st.from_regex(r"[A-Za-zäö]{1,8}@x\.example", fullmatch=True)
phones = st.sampled_from(["+43 1 234", "(0664) 1/2-3", "１２３", "ext. 7", "+1 555"])

VALUES: Mapping[str, st.SearchStrategy[Value]] = {
    "salutation": maybe(st.sampled_from(["Mr.", "Frau", "Dr."])),
    "first_name": maybe(text(40)),
    "middle_name": maybe(text(40)),
    "last_name": maybe(text(80)),
    "suffix": maybe(st.sampled_from(["Jr.", "III", "MSc"])),
    "email": maybe(emails),
    "phone": maybe(phones),
    "other_phone": maybe(phones),
    "home_phone": maybe(phones),
    "mobile_phone": maybe(phones),
    "job_title": maybe(text(128)),
    "department": maybe(text(80)),
    "assistant": maybe(text(40)),
    "birthday": maybe(dates),
    "notes": maybe(text(32_000)),
    "company": st.sampled_from([None, *ACCOUNTS.values()]),
    **{f"{prefix}_{part}": maybe(text(20)) for prefix in ("mailing", "other") for part in
       ("street", "city", "state", "postal_code", "country")},
}  # fmt: skip
"""A strategy for each field: the values that both sides can hold."""


def records() -> st.SearchStrategy[dict[str, Value]]:
    """Records that both sides can hold: with a last name, and no second business telephone without a first one."""

    def holdable(fields: dict[str, Value]) -> dict[str, Value]:
        last = fields["last_name"] or "Lee"
        return {**fields, "last_name": last, "other_phone": fields["other_phone"] if fields["phone"] else None}

    return st.fixed_dictionaries(dict(VALUES)).map(holdable)


def edits() -> st.SearchStrategy[dict[str, Value]]:
    """Any few fields with any value that each side can hold by itself; a last name stays."""
    names = st.sets(st.sampled_from(sorted(VALUES)), min_size=1, max_size=5)
    chosen = names.flatmap(lambda some: st.fixed_dictionaries({name: VALUES[name] for name in sorted(some)}))
    return chosen.map(lambda fields: {name: value or ("Lee" if name == "last_name" else None) for name, value in fields.items()})
