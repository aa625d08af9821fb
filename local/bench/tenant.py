"""The people whose syncs are measured, and their contacts: everything is typed in by the human side of the simulators.

Every contact is a different person, with about a dozen fields filled; nothing is to be matched with anything by chance.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from local.sandbox.control import Control
from local.sandbox.world import GRAPH, SALESFORCE
from local.stack.stack import Names

FOLDER = "Salesforce Contacts"
CATEGORY = "Salesforce"
INTEGRATION_USER = "integration@contoso.example.crm"
ACCOUNTS = 20
_FIRST = ("Jürgen", "Zoë", "Łukasz", "Anne-Marie", "Søren", "Chloé", "Björn", "Inês", "Peter", "Fatima", "Rahul", "Ewa", "Grace")
_LAST = ("Müller", "Öztürk", "Brøndsted", "D'Angelo", "van der Berg", "Nowakówna", "Smith", "Okafor", "Chen", "Schmidt", "Rossi")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    upn: str
    username: str
    mailbox: str
    """Entra object id."""
    folder: str
    """Id of the dedicated folder, which the person has made."""


@dataclass(slots=True)
class Tenant:
    """`names` is what the product is given."""

    control: Control
    names: Names = field(init=False)
    people: list[Person] = field(default_factory=list)
    _accounts: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.control.call(SALESFORCE, "add_user", INTEGRATION_USER, last_name="Tandem Integration")
        self.control.call(SALESFORCE, "set_org_wide", "Account", "read")
        group = self.control.call(GRAPH, "add_group", "Tandem users", [])
        self.names = Names(group_id=group, integration_user=INTEGRATION_USER)
        for number in range(ACCOUNTS):
            name = f"Company {number} GmbH & Co. KG"
            self._accounts[name] = self.control.call(SALESFORCE, f"as_user({INTEGRATION_USER}).create", "Account", {"Name": name})

    def add_person(self, name: str) -> Person:
        """Somebody with an empty dedicated folder, in the group."""
        upn, username = f"{name}@contoso.example", f"{name}@contoso.example.crm"
        mailbox = self.control.call(GRAPH, "add_user", upn, display_name=name)
        self.control.call(SALESFORCE, "add_user", username, last_name=name, email=upn, federation_identifier=upn)
        folder = self.control.call(GRAPH, f"mailbox({upn}).create_folder", FOLDER)
        self.control.call(GRAPH, f"mailbox({upn}).add_category", CATEGORY, "preset4")
        person = Person(upn=upn, username=username, mailbox=mailbox, folder=folder)
        self.people.append(person)
        self.control.call(GRAPH, "set_members", self.names.group_id, [one.mailbox for one in self.people])
        return person

    def add_crowd(self, count: int) -> Names:
        """A group of its own, of people who could sync."""
        upns = [f"seller{number:05}@contoso.example" for number in range(count)]
        for upn in upns:
            self.control.call(GRAPH, "add_user", upn, display_name=upn)
            self.control.call(SALESFORCE, "add_user", f"{upn}.crm", last_name="Seller", email=upn, federation_identifier=upn)
        return Names(group_id=self.control.call(GRAPH, "add_group", "Everybody", upns), integration_user=INTEGRATION_USER)

    def type_into_salesforce(self, person: Person, count: int) -> None:
        for contact in _contacts(person, count):
            account = self._accounts[contact["company"]]
            values = {**contact["salesforce"], "AccountId": account}
            self.control.call(SALESFORCE, f"as_user({person.username}).create", "Contact", values)

    def type_into_outlook(self, person: Person, count: int) -> None:
        for contact in _contacts(person, count):
            values = {**contact["outlook"], "companyName": contact["company"], "categories": [CATEGORY]}
            self.control.call(GRAPH, f"mailbox({person.upn}).create_contact", person.folder, values)

    def edit_in_salesforce(self, person: Person, ids: Sequence[str], title: str) -> None:
        for one in ids:
            self.control.call(SALESFORCE, f"as_user({person.username}).update", one, {"Title": title, "MobilePhone": "+41 79 000"})

    def edit_in_outlook(self, person: Person, ids: Sequence[str], title: str) -> None:
        for one in ids:
            self.control.call(GRAPH, f"mailbox({person.upn}).edit_contact", one, {"jobTitle": title, "mobilePhone": "+41 79 111"})

    def items(self, person: Person) -> list[dict[str, Any]]:
        """The contacts of the folder, oldest first."""
        items: list[dict[str, Any]] = self.control.call(GRAPH, f"mailbox({person.upn}).contacts", person.folder)
        return items

    def records(self, person: Person) -> list[dict[str, Any]]:
        """The person's own Salesforce contacts."""
        owner = self.control.call(SALESFORCE, "user_id", person.username)
        return [record for record in self.control.call(SALESFORCE, "records", "Contact") if record["OwnerId"] == owner]


def _contacts(person: Person, count: int) -> list[dict[str, Any]]:
    """The same for the same person, in both spellings."""
    rng = random.Random(person.upn)
    made: list[dict[str, Any]] = []
    for number in range(count):
        first, last = f"{rng.choice(_FIRST)}", f"{rng.choice(_LAST)}-{number}"
        email = f"contact{number}.{person.upn.replace('@', '.at.')}@customer.example"
        phone, mobile, home = (f"+49 221 {rng.randrange(10**7):07}" for _ in range(3))
        title, department = rng.choice(("Einkaufsleiterin", "CEO", "Engineer")), rng.choice(("Einkauf", "R&D", "Vorstand"))
        born = f"19{rng.randrange(40, 99)}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}"
        notes = "Met at the fair.\nLikes tea & “quotes”."
        street, city, code, country = f"Hauptstraße {number}", "Köln", "50667", "Germany"
        salesforce = {"Salutation": "Dr.", "FirstName": first, "LastName": last, "Email": email, "Phone": phone, "MobilePhone": mobile}
        salesforce |= {"HomePhone": home, "Title": title, "Department": department, "Birthdate": born, "Description": notes}
        salesforce |= {"MailingStreet": street, "MailingCity": city, "MailingPostalCode": code, "MailingCountry": country}
        address = {"street": street, "city": city, "postalCode": code, "countryOrRegion": country}
        outlook: dict[str, Any] = {
            "title": "Dr.",
            "givenName": first,
            "surname": last,
            "displayName": f"{first} {last}",
            "personalNotes": notes,
        }
        outlook |= {"emailAddresses": [{"address": email, "name": email}], "businessPhones": [phone], "mobilePhone": mobile}
        outlook |= {"homePhones": [home], "jobTitle": title, "department": department, "birthday": f"{born}T11:59:00Z"}
        outlook |= {"businessAddress": address}
        made.append({"salesforce": salesforce, "outlook": outlook, "company": f"Company {number % ACCOUNTS} GmbH & Co. KG"})
    return made
