"""Whether the two sides agree, judged from what the simulators hold and from nothing else.

Deliberately written without the product's code: it has its own idea of which field of one side is which of the other,
so that a mistake in the product's mapping is not repeated here.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Row = Mapping[str, Any]
LONGEST_DESCRIPTION = 32_000


def differences(salesforce: Iterable[Row], outlook: Iterable[Row], accounts: Mapping[str, str]) -> list[str]:
    """One sentence for each thing that is not as it should be; none when every record has its counterpart, equal in all fields.

    `salesforce` holds Contact rows, `outlook` the contacts of the folder, `accounts` account names by id.
    """
    here, there = _by_person(salesforce, _salesforce_person), _by_person(outlook, _outlook_person)
    found: list[str] = []
    for person in sorted({*here, *there}):
        rows, contacts = here.get(person, []), there.get(person, [])
        if len(rows) != len(contacts):
            found.append(f"{' '.join(person)}: {len(rows)} in Salesforce, {len(contacts)} in Outlook")
            continue
        pairs = zip(sorted(rows, key=_salesforce_order), sorted(contacts, key=_outlook_order), strict=True)
        for row, contact in pairs:
            found += [f"{' '.join(person)}: {problem}" for problem in compare_pair(row, contact, accounts)]
    return found


def compare_pair(row: Row, contact: Row, accounts: Mapping[str, str]) -> list[str]:
    """What differs between one Salesforce row and one Outlook contact."""
    found = [
        f"{name} is {row.get(name)!r} in Salesforce and {there!r} in Outlook"
        for name, there in ((name, read(contact)) for name, read in FIELDS.items())
        if _text(row.get(name)) != _text(there)
    ]
    if (_text(row.get("Email")) or "").casefold() != (_text(_email(contact)) or "").casefold():
        found.append(f"Email is {row.get('Email')!r} in Salesforce and {_email(contact)!r} in Outlook")
    return found + _compare_company(row, contact, accounts) + _compare_notes(row, contact)


def _compare_company(row: Row, contact: Row, accounts: Mapping[str, str]) -> list[str]:
    """A company of which there is no account can be in Outlook only; part of a name may stand for the only account with it."""
    account, company = _text(accounts.get(row.get("AccountId") or "")), _text(contact.get("companyName"))
    if account is None:
        known = company is not None and company.casefold() in {name.casefold() for name in accounts.values()}
        return [f"the company {company!r} of Outlook has an account, but the contact is not in it"] if known else []
    if company is None or company.casefold() not in account.casefold():
        return [f"the account is {account!r} in Salesforce, the company {company!r} in Outlook"]
    return []


def _compare_notes(row: Row, contact: Row) -> list[str]:
    """Notes that are too long for Salesforce are cut there, perhaps with a mark at the end, and whole in Outlook."""
    here, there = _text(row.get("Description")) or "", _text(contact.get("personalNotes")) or ""
    stored = len(here.replace("\n", "\r\n"))  # Salesforce counts a line end as two characters
    cut = len(there) > len(here) and LONGEST_DESCRIPTION >= stored > LONGEST_DESCRIPTION - 100 and there.startswith(here[:-100])
    if here == there or cut:
        return []
    return [f"the notes have {len(here)} characters in Salesforce and {len(there)} in Outlook, and differ"]


def _listed(name: str, index: int) -> Callable[[Row], Any]:
    return lambda contact: (contact.get(name) or [])[index] if len(contact.get(name) or []) > index else None


def _part(name: str, part: str) -> Callable[[Row], Any]:
    return lambda contact: (contact.get(name) or {}).get(part)


def _plain(name: str) -> Callable[[Row], Any]:
    return lambda contact: contact.get(name)


_PARTS = {"Street": "street", "City": "city", "State": "state", "PostalCode": "postalCode", "Country": "countryOrRegion"}
FIELDS: Mapping[str, Callable[[Row], Any]] = {
    "Salutation": _plain("title"),
    "FirstName": _plain("givenName"),
    "LastName": _plain("surname"),
    "Phone": _listed("businessPhones", 0),
    "OtherPhone": _listed("businessPhones", 1),
    "HomePhone": _listed("homePhones", 0),
    "MobilePhone": _plain("mobilePhone"),
    "Title": _plain("jobTitle"),
    "Department": _plain("department"),
    "AssistantName": _plain("assistantName"),
    "Birthdate": lambda contact: (contact.get("birthday") or "")[:10],
    **{f"Mailing{here}": _part("businessAddress", there) for here, there in _PARTS.items()},
    **{f"Other{here}": _part("otherAddress", there) for here, there in _PARTS.items()},
}
"""Salesforce field: where Outlook has it."""


def _email(contact: Row) -> str | None:
    addresses = contact.get("emailAddresses") or []
    return addresses[0].get("address") if addresses else None


def _by_person(rows: Iterable[Row], person: Callable[[Row], tuple[str, ...]]) -> dict[tuple[str, ...], list[Row]]:
    grouped: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        grouped[person(row)].append(row)
    return grouped


def _salesforce_person(row: Row) -> tuple[str, ...]:
    return (_text(row.get("FirstName")) or "", _text(row.get("LastName")) or "", (_text(row.get("Email")) or "").casefold())


def _outlook_person(contact: Row) -> tuple[str, ...]:
    return (_text(contact.get("givenName")) or "", _text(contact.get("surname")) or "", (_text(_email(contact)) or "").casefold())


def _salesforce_order(row: Row) -> tuple[str, ...]:
    return tuple(_text(row.get(name)) or "" for name in FIELDS)


def _outlook_order(contact: Row) -> tuple[str, ...]:
    return tuple(_text(read(contact)) or "" for read in FIELDS.values())


def _text(value: Any) -> str | None:
    """Blanks around it, the sort of line ends, and the difference between empty and nothing do not count."""
    text = str(value).replace("\r\n", "\n").replace("\r", "\n").strip() if value is not None else ""
    return text or None
