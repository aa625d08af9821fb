"""What the sales people do between the two syncs of `make run`, and what must have come of it.

The expectations follow from the product's promises (README, docs/sync-rules.md) with the default settings: both
directions, Salesforce wins a conflict, a deletion in Salesforce deletes in Outlook, one in Outlook does not delete in
Salesforce. They are checked on what the simulators hold, never on what the product says.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.compare import differences
from local.sample import CATEGORY, FOLDER, SalesPerson, Sample
from local.sandbox.control import Hands
from local.sandbox.world import GRAPH, SALESFORCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What both sides of one person hold."""

    contacts: Mapping[str, Mapping[str, Any]]
    """Every Outlook contact by immutable id."""
    inside: Mapping[str, Mapping[str, Any]]
    """Those in the folder."""
    rows: Mapping[str, Mapping[str, Any]]
    """The person's own Salesforce contacts by id."""


@dataclass(slots=True)
class Story:
    """Edits, and afterwards the problems found: none when everything is as it should be."""

    hands: Hands
    sample: Sample
    told: list[str] = field(default_factory=list)
    _before: dict[str, Snapshot] = field(default_factory=dict)
    _private: dict[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    _twice: dict[str, Counter[str]] = field(default_factory=dict)
    """How often each person of Salesforce is there from the beginning."""
    _waiting: dict[str, set[str]] = field(default_factory=dict)
    """Outlook ids that must not have reached Salesforce."""
    _unlinked: set[str] = field(default_factory=set)
    """Salesforce ids whose Outlook contact its owner took out of the sync."""
    _checks: list[Callable[[], str | None]] = field(default_factory=list)

    def begin(self) -> None:
        """To be called before the first sync: remembers what the sync has no business with."""
        for person in self.sample.people:
            opted_in = {person.outlook[name] for name in person.outlook if name.startswith("opted in")}
            before = self.snapshot(person)
            ours = before.inside.keys() | opted_in
            self._twice[person.upn] = Counter(_person(row) for row in before.rows.values())
            self._private[person.upn] = {key: contact for key, contact in before.contacts.items() if key not in ours}

    def edit(self) -> None:
        """Between the syncs: everybody has a day at work."""
        self._before = {person.upn: self.snapshot(person) for person in self.sample.people}
        anna, john, marie = self.sample.people
        self._edit_both_sides(anna)
        self._disagree(anna)
        self._delete_on_both_sides(john)
        self._opt_in(john)
        self._make_without_last_name(marie)
        self._move_out(marie)
        self._add_on_both_sides(marie)

    def problems(self) -> list[str]:
        """One sentence each."""
        accounts = {row["Id"]: row["Name"] for row in self.hands.call(SALESFORCE, "records", "Account")}
        found = [problem for check in self._checks if (problem := check())]
        for person in self.sample.people:
            now = self.snapshot(person)
            waiting = self._waiting.get(person.upn, set())
            settled = [contact for key, contact in now.inside.items() if key not in waiting]
            rows = [row for key, row in now.rows.items() if key not in self._unlinked]
            found += [f"{person.name}: {problem}" for problem in differences(rows, settled, accounts)]
            found += [f"{person.name}: {problem}" for problem in [*self._doubled(person, now), *self._disturbed(person, now)]]
        return found

    def snapshot(self, person: SalesPerson) -> Snapshot:
        contacts = self._outlook(person, "contacts")
        folders = {folder["displayName"]: folder["id"] for folder in self._outlook(person, "folders")}
        rows = [row for row in self.hands.call(SALESFORCE, "records", "Contact") if row["OwnerId"] == self._owner(person)]
        return Snapshot(
            contacts={contact["id"]: contact for contact in contacts},
            inside={contact["id"]: contact for contact in contacts if contact["parentFolderId"] == folders.get(FOLDER)},
            rows={row["Id"]: row for row in rows},
        )

    # the day

    def _edit_both_sides(self, person: SalesPerson) -> None:
        row, contact = self._pair(person, "customer 5")
        self._salesforce(person, "update", row, {"Title": "Aufsichtsrätin"})
        self._outlook(person, "edit_contact", contact, {"mobilePhone": "+49 171 5550100"})
        self._tell(f"{person.name} gives one contact a title in Salesforce and a mobile phone in Outlook")
        self._expect_row(row, {"Title": "Aufsichtsrätin", "MobilePhone": "+49 171 5550100"})
        self._expect_contact(person, contact, {"jobTitle": "Aufsichtsrätin", "mobilePhone": "+49 171 5550100"})
        row, contact = self._pair(person, "long note")
        note = self._before[person.upn].contacts[contact]["personalNotes"]
        self._salesforce(person, "update", row, {"Phone": "+49 30 5550101"})
        self._tell(f"{person.name} changes in Salesforce the phone of the contact whose note of {len(note):,} characters fits Outlook only")
        self._expect_contact(person, contact, {"businessPhones": ["+49 30 5550101"], "personalNotes": note})

    def _disagree(self, person: SalesPerson) -> None:
        row, contact = self._pair(person, "customer 6")
        self._salesforce(person, "update", row, {"Department": "Vertrieb", "Title": "VP Sales"})
        self._outlook(person, "edit_contact", contact, {"department": "Marketing", "mobilePhone": "+49 171 5550102"})
        self._tell(f"{person.name} changes the department of one contact on both sides, to different values: a conflict")
        expected = {"Department": "Vertrieb", "Title": "VP Sales", "MobilePhone": "+49 171 5550102"}
        self._expect_row(row, expected)
        self._expect_contact(person, contact, {"department": "Vertrieb", "jobTitle": "VP Sales", "mobilePhone": "+49 171 5550102"})

    def _delete_on_both_sides(self, person: SalesPerson) -> None:
        deleted_row, orphan = self._pair(person, "customer 7")
        self._salesforce(person, "delete", deleted_row)
        self._tell(f"{person.name} deletes a contact in Salesforce")
        kept_row, deleted_contact = self._pair(person, "customer 8")
        self._outlook(person, "delete_contact", deleted_contact)
        self._tell(f"{person.name} deletes another one in Outlook, where it must come back")

        def gone() -> str | None:
            now = self.snapshot(person)
            again = [row for row in now.rows.values() if _person(row) == _person(self._before[person.upn].rows[deleted_row])]
            if again:
                return "a contact deleted in Salesforce was made again there"
            return "a contact deleted in Salesforce is still in Outlook" if orphan in now.contacts else None

        self._check(gone)
        self._check(lambda: None if kept_row in self.snapshot(person).rows else "a deletion in Outlook reached Salesforce")

    def _opt_in(self, person: SalesPerson) -> None:
        contact = person.outlook["private 50"]
        before = self._before[person.upn].contacts[contact]
        self._outlook(person, "edit_contact", contact, {"categories": [*before["categories"], CATEGORY]})
        self._private[person.upn] = {key: value for key, value in self._private[person.upn].items() if key != contact}
        self._tell(f"{person.name} gives an old Outlook contact the category {CATEGORY}: it is opted in")
        address = _address(before)

        def arrived() -> str | None:
            now = self.snapshot(person)
            rows = sum((row.get("Email") or "").casefold() == address for row in now.rows.values())
            inside = sum(_address(each) == address for each in now.inside.values())
            everywhere = sum(_address(each) == address for each in now.contacts.values())
            if rows == inside == everywhere == 1:
                return None
            return f"the opted-in contact is {rows} times in Salesforce, {inside} in the folder, {everywhere} in the mailbox"

        self._check(arrived)

    def _make_without_last_name(self, person: SalesPerson) -> None:
        values = {"givenName": "Cher", "emailAddresses": [{"address": "cher@customer.example", "name": "Cher"}]}
        made = self._outlook(person, "create_contact", FOLDER, values)
        self._waiting.setdefault(person.upn, set()).add(made)
        self._tell(f"{person.name} makes a contact without last name in the folder, which Salesforce can not take")

        def waits() -> str | None:
            now = self.snapshot(person)
            reached = [row for row in now.rows.values() if row.get("Email") == "cher@customer.example"]
            return None if made in now.inside and not reached else "the contact without last name did not wait in Outlook"

        self._check(waits)

    def _move_out(self, person: SalesPerson) -> None:
        row, contact = self._pair(person, "customer 9")
        self._outlook(person, "move_contact", contact, "contacts")
        self._unlinked.add(row)
        self._tell(f"{person.name} moves a contact out of the folder: the sync lets go of it, and Salesforce keeps it")

        def let_go() -> str | None:
            now = self.snapshot(person)
            moved = now.contacts.get(contact)
            if row not in now.rows or moved is None:
                return "a contact moved out of the folder was deleted"
            return "a contact moved out of the folder kept its category" if CATEGORY in moved["categories"] else None

        self._check(let_go)

    def _add_on_both_sides(self, person: SalesPerson) -> None:
        self._salesforce(person, "create", "Contact", {"LastName": "Neu-Salesforce", "Email": "new.sf@customer.example"})
        self._outlook(person, "create_contact", FOLDER, {"surname": "Neu-Outlook", "companyName": "Fabrikam, Inc."})
        self._tell(f"{person.name} adds a contact on either side")

    # looking

    def _pair(self, person: SalesPerson, name: str) -> tuple[str, str]:
        """The ids of a contact that is on both sides, found by its e-mail address."""
        before = self._before[person.upn]
        row, contact = person.salesforce.get(name), person.outlook.get(name)
        if row is not None:
            address = before.rows[row]["Email"].casefold()
            found = [key for key, each in before.inside.items() if _address(each) == address]
            return row, found[0]
        assert contact is not None, name
        address = _address(before.contacts[contact])
        return next(key for key, each in before.rows.items() if (each.get("Email") or "").casefold() == address), contact

    def _doubled(self, person: SalesPerson, now: Snapshot) -> list[str]:
        """Who is in Salesforce more often than the sales people typed them in."""
        typed = self._twice[person.upn]
        counts = Counter(_person(row) for row in now.rows.values())
        return [f"{name} is {number} times in Salesforce" for name, number in counts.items() if number > max(1, typed[name])]

    def _disturbed(self, person: SalesPerson, now: Snapshot) -> list[str]:
        """What was none of the sync's business and changed all the same; what lacks the category."""
        kept = self._private[person.upn]
        changed = [key for key, contact in kept.items() if now.contacts.get(key) != contact]
        bare = [key for key, contact in now.inside.items() if CATEGORY not in contact["categories"]]
        found = [f"{len(changed)} contacts outside the folder were touched"] if changed else []
        return found + ([f"{len(bare)} contacts in the folder lack the category {CATEGORY}"] if bare else [])

    def _expect_row(self, row: str, values: Mapping[str, Any]) -> None:
        def check() -> str | None:
            now = self.hands.call(SALESFORCE, "record", row)
            return _difference("in Salesforce", now, values)

        self._check(check)

    def _expect_contact(self, person: SalesPerson, contact: str, values: Mapping[str, Any]) -> None:
        self._check(lambda: _difference("in Outlook", self._outlook(person, "contact", contact), values))

    def _check(self, check: Callable[[], str | None]) -> None:
        self._checks.append(check)

    def _tell(self, text: str) -> None:
        self.told.append(text)

    def _owner(self, person: SalesPerson) -> str:
        owner: str = self.hands.call(SALESFORCE, "user_id", person.username)
        return owner

    def _outlook(self, person: SalesPerson, action: str, *arguments: Any) -> Any:
        return self.hands.call(GRAPH, f"mailbox({person.upn}).{action}", *arguments)

    def _salesforce(self, person: SalesPerson, action: str, *arguments: Any) -> Any:
        return self.hands.call(SALESFORCE, f"as_user({person.username}).{action}", *arguments)


def _person(row: Mapping[str, Any]) -> str:
    return f"{row.get('Name')} {row.get('Email') or ''}".casefold()


def _address(contact: Mapping[str, Any]) -> str:
    addresses = contact["emailAddresses"] or [{}]
    return str(addresses[0].get("address") or "").casefold()


def _difference(where: str, now: Mapping[str, Any], values: Mapping[str, Any]) -> str | None:
    wrong = [f"{name} is {now.get(name)!r:.60} instead of {value!r:.60}" for name, value in values.items() if now.get(name) != value]
    return f"{where}: {', '.join(wrong)}" if wrong else None
