"""The sample tenant: three sales people with the address books that sales people have.

Everything is done by the human side of the simulators: people type it into Outlook and Salesforce. The same seed gives
the same tenant. It knows nothing of the product, except that *Salesforce Contacts* and *Salesforce* are the names the
people were told.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from local.sandbox.control import Hands
from local.sandbox.world import GRAPH, SALESFORCE
from local.stack.stack import Names

FOLDER = "Salesforce Contacts"
CATEGORY = "Salesforce"
INTEGRATION_USER = "integration@contoso.example.crm"
LONG_NOTE = 40_000
"""Characters; a Salesforce description holds 32,000."""

_COMPANIES = (
    *("Müller & Söhne GmbH", "Bäckerei Größl", "Ångström Instrument AB", "Société Électrique du Rhône", "Žižka Stroje s.r.o."),
    *("O'Brien & Daughters Ltd", "Adventure Works", "Fabrikam, Inc.", "Nordwind Logistik", "Peña y Hijos S.A.", "Wide World Importers"),
    *("東京商事", "Tailspin Toys", "Zürcher Uhren AG", "Łódź Tekstyl Sp. z o.o.", "Graphic Design Institute", "Alpine Ski House"),
    *("Trey Research", "Lucerne Publishing", "Coho Winery", "Grüne Wiese Gartenbau", "Humongous Insurance", "Margie's Travel"),
)
_FIRST = (
    *(
        "Jürgen",
        "Zoë",
        "Łukasz",
        "Anne-Marie",
        "Søren",
        "Chloé",
        "Nguyễn",
        "Björn",
        "Inês",
        "Çağla",
        "José",
        "Mary Ann",
        "Ólafur",
        "Štěpán",
    ),
    *(
        "Peter",
        "Fatima",
        "Rahul",
        "Ewa",
        "Tom",
        "Grace",
        "Mikko",
        "Aoife",
        "Dieter",
        "Yuki",
        "Kofi",
        "Lena",
        "Pavel",
        "Sara",
        "Ivan",
        "Noor",
    ),
)
_LAST = (
    *("Müller", "Öztürk", "Brøndsted", "D'Angelo", "van der Berg", "Größl", "Le Goff", "Nowakówna", "Þórsson", "García Márquez", "Weiß"),
    *("Smith", "Okafor", "Chen", "O'Neill", "Schmidt", "Kowalski", "Haddad", "Ivanova", "Tanaka", "Andersson", "Rossi", "Dubois", "Novák"),
)
_TITLES = (
    "Einkaufsleiterin",
    "CEO",
    "Head of Procurement",
    "Geschäftsführer",
    "Responsable des achats",
    "Engineer",
    "Assistant to the Board",
)
_CITIES = (("Köln", "50667", "Germany"), ("Zürich", "8001", "Switzerland"), ("Genève", "1201", "Switzerland"), ("Leeds", "LS1 4DY", "UK"))
_PEOPLE = (("Anna", "Weber"), ("John", "Okafor"), ("Marie", "Dubois"))

IN_SALESFORCE = 110
BY_HAND = 6
"""Of these, how many each person has also typed into the folder."""
IN_OUTLOOK = 100
"""In the default folder of each mailbox, where the sync has no business."""
OPTED_IN = 4


@dataclass(slots=True, kw_only=True)
class SalesPerson:
    """`outlook` and `salesforce` name some of their records, for stories to refer to."""

    name: str
    upn: str
    username: str
    mailbox: str = ""
    """The Entra object id."""
    outlook: dict[str, str] = field(default_factory=dict)
    salesforce: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    names: Names
    people: Sequence[SalesPerson]


def load_sample(hands: Hands, seed: int = 1) -> Sample:
    """Fills both simulators."""
    people = [_make_person(hands, first, last) for first, last in _PEOPLE]
    hands.call(GRAPH, "add_user", "it@contoso.example", display_name="IT", has_mailbox=False)
    group = hands.call(GRAPH, "add_group", "Tandem users", [person.upn for person in people])
    hands.call(SALESFORCE, "add_user", INTEGRATION_USER, last_name="Tandem Integration")
    hands.call(SALESFORCE, "set_org_wide", "Account", "read")
    accounts = _make_accounts(hands, people[0])
    for number, person in enumerate(people):
        _Desk(hands, person, accounts, random.Random(f"{seed} {number}")).fill()
    return Sample(names=Names(group_id=group, integration_user=INTEGRATION_USER), people=people)


def _make_person(hands: Hands, first: str, last: str) -> SalesPerson:
    upn = f"{first}.{last}@contoso.example".lower()
    person = SalesPerson(name=f"{first} {last}", upn=upn, username=f"{upn}.crm")
    person.mailbox = hands.call(GRAPH, "add_user", upn, display_name=person.name)
    hands.call(SALESFORCE, "add_user", person.username, first_name=first, last_name=last, email=upn, federation_identifier=upn)
    return person


def _make_accounts(hands: Hands, owner: SalesPerson) -> Mapping[str, str]:
    """Accounts by name. One company is there twice, as happens; the earlier one is meant."""
    accounts: dict[str, str] = {}
    for name in (*_COMPANIES, _COMPANIES[0]):
        made = hands.call(SALESFORCE, f"as_user({owner.username}).create", "Account", {"Name": name})
        accounts.setdefault(name, made)
    return accounts


class _Desk:
    """One sales person filling their two address books."""

    def __init__(self, hands: Hands, person: SalesPerson, accounts: Mapping[str, str], rng: random.Random) -> None:
        self._hands = hands
        self._person = person
        self._accounts = accounts
        self._rng = rng
        names = [(first, last) for first in _FIRST for last in _LAST]
        rng.shuffle(names)
        self._names = iter(names)

    def fill(self) -> None:
        in_salesforce = [self._customer() for _ in range(IN_SALESFORCE)]
        in_salesforce[40] = {**in_salesforce[41], "Phone": "+49 221 1000", "Title": "CTO"}  # the same person twice
        in_salesforce[0]["Description"] = self._note(31_000)
        for number, values in enumerate(in_salesforce):
            self._person.salesforce[f"customer {number}"] = self.type_into_salesforce(values)
        self._outlook("create_folder", FOLDER)
        self._outlook("create_folder", "Messe Hannover")
        self._outlook("add_category", CATEGORY, "preset4")
        for number in range(BY_HAND):
            typed = self._as_typed(in_salesforce[number + 10])
            self._person.outlook[f"by hand {number}"] = self.type_into_outlook(FOLDER, typed)
        for number in range(OPTED_IN):
            folder = "Messe Hannover" if number % 2 else "contacts"
            values = {**self._acquaintance(number), "categories": ["Friends", CATEGORY]}
            self._person.outlook[f"opted in {number}"] = self.type_into_outlook(folder, values)
        long = {**self._acquaintance(4), "personalNotes": self._note(LONG_NOTE)}
        self._person.outlook["long note"] = self.type_into_outlook(FOLDER, long)
        for number in range(IN_OUTLOOK):
            values = self._as_typed(in_salesforce[number + 50]) if number < 20 else self._acquaintance(number)
            if number % 17 == 3:
                values.pop("surname", None)
            if number % 23 == 5:
                values["personalNotes"] = self._note(LONG_NOTE)
            self._person.outlook[f"private {number}"] = self.type_into_outlook("contacts", values)
            if number % 31 == 7:
                self.type_into_outlook("contacts", values)

    def type_into_salesforce(self, values: Mapping[str, Any]) -> str:
        made: str = self._hands.call(SALESFORCE, f"as_user({self._person.username}).create", "Contact", values)
        return made

    def type_into_outlook(self, folder: str, values: Mapping[str, Any]) -> str:
        return self._outlook("create_contact", folder, values)

    def _outlook(self, action: str, *arguments: Any) -> str:
        done: str = self._hands.call(GRAPH, f"mailbox({self._person.upn}).{action}", *arguments)
        return done

    def _customer(self) -> dict[str, Any]:
        """A Salesforce contact, more or less complete."""
        first, last = next(self._names)
        rng = self._rng
        company = rng.choice(_COMPANIES)
        city, code, country = rng.choice(_CITIES)
        values: dict[str, Any] = {"FirstName": first, "LastName": last, "Email": self._address(first, last)}
        optional: dict[str, Any] = {
            "Salutation": rng.choice(("Mr.", "Ms.", "Dr.")),
            "Phone": f"+49 221 {rng.randrange(10**6):06}",
            "MobilePhone": f"(0171) {rng.randrange(10**7):07}",
            "HomePhone": f"+41 44 {rng.randrange(10**6):06}",
            "Title": rng.choice(_TITLES),
            "Department": rng.choice(("Einkauf", "R&D", "Vorstand")),
            "AssistantName": rng.choice(_FIRST),
            "Birthdate": f"19{rng.randrange(40, 99)}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}",
            "Description": "Met at the fair.\nLikes <b>tea</b> & “quotes”.",
            "MailingStreet": f"Hauptstraße {rng.randrange(1, 99)}\n2. Stock",
            "MailingCity": city,
            "MailingPostalCode": code,
            "MailingCountry": country,
        }
        values |= {name: value for name, value in optional.items() if rng.random() < 0.6}
        if rng.random() < 0.9:
            values["AccountId"] = self._accounts[company]
        if rng.random() < 0.1:
            del values["FirstName"]
        return values

    def _acquaintance(self, number: int) -> dict[str, Any]:
        """An Outlook contact of somebody whom Salesforce does not know."""
        first, last = next(self._names)
        rng = self._rng
        addresses = [self._address(first, last), f"{number}@home.example", f"{number}@club.example"][: 1 + number % 3]
        values: dict[str, Any] = {
            "givenName": first,
            "surname": last,
            "displayName": f"{last}, {first}",
            "emailAddresses": [{"address": address, "name": f"{first} {last}"} for address in addresses],
            "businessPhones": [f"+44 113 {rng.randrange(10**6):06}"],
            "homeAddress": {"street": "Am Bach 3", "city": "Köln"},
        }
        if number % 2:
            values |= {"companyName": rng.choice(_COMPANIES), "jobTitle": rng.choice(_TITLES), "birthday": "1975-05-01T11:59:00Z"}
        if number % 5 == 0:
            values |= {"companyName": f"Werkstatt {last}", "spouseName": "Kim", "imAddresses": ["sip:x@example.com"]}
        return values

    def _as_typed(self, customer: Mapping[str, Any]) -> dict[str, Any]:
        """Somebody whom Salesforce knows, as the person typed them into Outlook: less of them."""
        return {
            "givenName": customer.get("FirstName"),
            "surname": customer["LastName"],
            "emailAddresses": [{"address": customer["Email"].upper(), "name": customer["LastName"]}],
        }

    def _address(self, first: str, last: str) -> str:
        plain = "".join(letter for letter in f"{first}.{last}".lower() if letter.isascii() and (letter.isalpha() or letter == "."))
        return f"{plain.strip('.')}{self._rng.randrange(10**5)}@customer.example"

    def _note(self, length: int) -> str:
        text = "".join(f"{number}. Gespräch: Angebot geprüft – später mehr.\n" for number in range(length // 30))
        return text[: length - 4] + "Ende"
