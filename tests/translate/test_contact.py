"""The rules of single fields, each by example."""

from dataclasses import replace
from typing import Any

import pytest

from shared.errors import Code
from shared.records import Fields, Item, Side, Value
from sync.translate.contact import CONTACT, COPIED, OUTLOOK_SELECT, display_name
from sync.translate.kind import Account, Companies
from sync.translate.text import canonical, cut, date_part, salesforce_length
from tests.translate.vendors import COMPANIES, EMPTY, NOW, SCHEMA, kept_by_outlook, read_item, read_record, salesforce_row, schema

LEE: Fields = {"first_name": "Ann", "last_name": "Lee", "phone": "1"}


def item(**raw: Any) -> Item:
    return read_item({**EMPTY, "surname": "Lee", "displayName": "Ann Lee", **raw})


def to_outlook(fields: Fields, current: Item | None = None) -> dict[str, Any]:
    return dict(CONTACT.draft_outlook(fields, current).payload)


def to_salesforce(fields: Fields, current: Fields | None = None, **options: Any) -> dict[str, Any]:
    record = None if current is None else read_record(salesforce_row(current))
    return dict(CONTACT.draft_salesforce(fields, record, options.get("seen", SCHEMA), options.get("companies", COMPANIES)).payload)


# --------------------------------------------------------------------------- text


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (None, None),
        ("", None),
        ("  \r\n ", None),
        (" Ünï ", "Ünï"),
        ("a\r\nb\rc\nd", "a\nb\nc\nd"),
        ("a  b", "a  b"),
        ("🙂", "🙂"),
        (7, "7"),
    ],
)
def test_text_has_one_canonical_form(raw: object, expected: Value) -> None:
    assert canonical(raw) == expected


@pytest.mark.parametrize("torn", ["caf\ud83d", "\ude00 x", "a\ud83d\nb"])
def test_half_a_character_does_not_stop_a_run(torn: str) -> None:
    """Clients cut texts inside a surrogate pair, and JSON carries the half: it must at least be possible to hash and to send it."""
    fields = CONTACT.read_outlook({**EMPTY, "surname": "Lee", "personalNotes": torn})
    value = fields["notes"]
    assert value
    value.encode()
    assert salesforce_length(value) > 0


@pytest.mark.parametrize(
    ("value", "length", "expected"),
    [
        (None, 3, None),
        ("abcd", 0, "abcd"),
        ("abcd", 4, "abcd"),
        ("abcd", 3, "abc"),
        ("ab🙂", 4, "ab🙂"),
        ("ab🙂", 3, "ab"),  # never half a character
        ("🙂🙂", 3, "🙂"),
        ("a\nb", 4, "a\nb"),  # Salesforce keeps a line end as two
        ("a\nb", 3, "a"),
        ("a\nb", 2, "a"),
        ("ab cd", 3, "ab"),
    ],
)
def test_a_cut_counts_as_salesforce_does(value: Value, length: int, expected: Value) -> None:
    assert cut(value, length) == expected
    assert cut(expected, length) == expected


@pytest.mark.parametrize("end", ["x", "🙂", "\n", " "])
def test_a_cut_note_has_no_torn_end_and_fits(end: str) -> None:
    for size in (31_998, 31_999, 32_000):
        note = cut("x" * size + end * 3, 32_000)
        assert note is not None
        assert salesforce_length(note) <= 32_000
        assert note == note.strip()
        note.encode()


# --------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"first_name": "Ann", "middle_name": "B.", "last_name": "Lee", "suffix": "Jr.", "salutation": "Dr."}, "Ann B. Lee Jr."),
        ({"last_name": "Lee"}, "Lee"),
        ({"company": "Acme", "email": "a@x"}, "Acme"),
        ({"email": "a@x"}, "a@x"),
        ({}, ""),
    ],
)
def test_a_contact_is_shown_by_its_names_else_its_company_else_its_address(fields: Fields, expected: str) -> None:
    assert display_name(fields) == expected
    assert to_outlook(fields)["displayName"] == expected


def test_the_display_name_a_person_chose_stays_until_a_name_changes() -> None:
    current = item(givenName="Ann", displayName="Annie from Acme")
    assert to_outlook({"phone": "2"}, current)["displayName"] == "Annie from Acme"
    assert to_outlook({"first_name": "Anna"}, current)["displayName"] == "Anna Lee"
    assert to_outlook({"first_name": None}, current)["displayName"] == "Lee"
    assert to_outlook({"phone": "2"}, item(displayName=""))["displayName"] == "Lee"


@pytest.mark.parametrize(
    ("fields", "current"), [({"first_name": "Ann"}, None), ({**LEE, "last_name": None}, None), ({"last_name": None}, LEE)]
)
def test_a_contact_without_a_last_name_is_an_error_of_that_item(fields: Fields, current: Fields | None) -> None:
    record = None if current is None else read_record(salesforce_row(current))
    (problem,) = CONTACT.draft_salesforce(fields, record, SCHEMA, COMPANIES).problems
    assert (problem.code, problem.field) == (Code.REQUIRED_FIELD_MISSING, "LastName")


def test_an_update_that_does_not_touch_the_last_name_needs_none() -> None:
    assert not CONTACT.draft_salesforce({"phone": "2"}, read_record(salesforce_row(LEE)), SCHEMA, COMPANIES).problems


def test_what_is_too_long_is_an_error_of_that_item_unless_the_field_may_be_cut() -> None:
    draft = CONTACT.draft_salesforce({**LEE, "first_name": "🙂" * 21, "notes": "n" * 40_000}, None, SCHEMA, COMPANIES)
    assert [(problem.code, problem.field) for problem in draft.problems] == [(Code.VALUE_TOO_LONG, "FirstName")]
    assert draft.payload["Description"] == draft.held["notes"] == "n" * 32_000
    assert not CONTACT.draft_salesforce({**LEE, "first_name": "🙂" * 20}, None, SCHEMA, COMPANIES).problems


# --------------------------------------------------------------------------- dates


@pytest.mark.parametrize("raw", ["1980-05-01", "1980-05-01T00:00:00Z", "1980-05-01T11:59:00Z", "1980-05-01T23:59:59.9999999Z"])
def test_a_birthday_is_the_date_as_it_stands(raw: str) -> None:
    assert date_part(raw) == "1980-05-01"
    assert item(birthday=raw).fields["birthday"] == "1980-05-01"


def test_a_birthday_is_sent_as_midnight_in_utc() -> None:
    assert to_outlook({"birthday": "1980-05-01"})["birthday"] == "1980-05-01T00:00:00Z"
    assert to_outlook({"birthday": None}, item(birthday="1980-05-01T11:59:00Z"))["birthday"] is None
    assert to_salesforce({"birthday": "1980-05-01"}, LEE) == {"Birthdate": "1980-05-01"}


@pytest.mark.parametrize(("now", "kept"), [(None, None), ("1980-05-01", "1980-05-01")])
def test_a_birthday_without_a_year_stays_in_outlook(now: Value, kept: Value) -> None:
    record = read_record(salesforce_row({**LEE, "birthday": now}))
    draft = CONTACT.draft_salesforce({"birthday": "1604-02-29"}, record, SCHEMA, COMPANIES)
    assert (draft.payload, draft.held, draft.problems) == ({}, {"birthday": kept}, ())


# --------------------------------------------------------------------------- lists and addresses


@pytest.mark.parametrize(
    ("phones", "fields", "expected"),
    [
        ([], {"phone": "1"}, ["1"]),
        ([], {"phone": "1", "other_phone": "2"}, ["1", "2"]),
        ([], {"other_phone": "2"}, ["2"]),  # alone it is shown as the first one
        (["1"], {"other_phone": "2"}, ["1", "2"]),
        (["1", "2"], {"phone": "3"}, ["3", "2"]),
        (["1", "2"], {"phone": None}, ["2"]),  # the second one moves up; it is not lost
        (["1", "2"], {"other_phone": None}, ["1"]),
        (["1", "2"], {"phone": None, "other_phone": None}, []),
        (["1"], {"phone": None, "other_phone": "2"}, ["2"]),
    ],
)
def test_business_telephones_have_no_holes(phones: list[str], fields: Fields, expected: list[str]) -> None:
    current = item(businessPhones=phones)
    draft = CONTACT.draft_outlook(fields, current)
    assert draft.payload["businessPhones"] == expected
    after = read_item(kept_by_outlook(current.raw, draft.payload)).fields
    assert {name: after[name] for name in ("phone", "other_phone") if name in draft.held} == {
        name: value for name, value in draft.held.items() if name in ("phone", "other_phone")
    }


def test_what_moved_up_is_part_of_what_outlook_holds() -> None:
    draft = CONTACT.draft_outlook({"phone": None}, item(businessPhones=["1", "2"]))
    assert draft.held == {"phone": "2", "other_phone": None}
    draft = CONTACT.draft_outlook({"email": None}, item(emailAddresses=[{"address": "a@x", "name": "A"}, {"address": "b@x", "name": "B"}]))
    assert draft.held == {"email": "b@x"}


def test_the_other_addresses_and_their_names_are_sent_along() -> None:
    first, second = {"address": "a@x", "name": "Ann"}, {"address": "b@x", "name": "at home"}
    current = item(emailAddresses=[first, second])
    assert to_outlook({"email": "c@x"}, current)["emailAddresses"] == [{"address": "c@x", "name": "c@x"}, second]
    assert to_outlook({"email": "a@x"}, current)["emailAddresses"] == [first, second]
    assert "emailAddresses" not in to_outlook({"phone": "1"}, current)


def test_an_address_keeps_its_other_parts() -> None:
    current = item(businessAddress={"street": "S", "city": "Graz", "postalCode": "8010"})
    draft = CONTACT.draft_outlook({"mailing_city": "Wien", "mailing_postal_code": None}, current)
    assert read_item(kept_by_outlook(current.raw, draft.payload)).fields["mailing_street"] == "S"
    assert draft.payload["businessAddress"] == {"street": "S", "city": "Wien", "postalCode": None}


def test_a_new_item_is_sent_without_what_is_empty() -> None:
    assert to_outlook({"first_name": "Ann", "phone": None, "email": None, "home_phone": None}) == {"givenName": "Ann", "displayName": "Ann"}


def test_a_new_record_is_sent_without_what_is_empty() -> None:
    assert to_salesforce({**LEE, "email": None}) == {"FirstName": "Ann", "LastName": "Lee", "Phone": "1"}


# --------------------------------------------------------------------------- companies (C5)

BY_PART = Companies(exact={"acme": Account(id="001A", name="Acme")}, containing={"tandem": Account(id="001T", name="Tandem Works GmbH")})


@pytest.mark.parametrize(
    ("company", "current", "account", "held", "noticed"),
    [
        # a new contact: exact, else the only one that contains it, else none
        ("Acme", None, "001A", "Acme", False),
        ("ACME", None, "001A", "Acme", False),
        ("Tandem", None, "001T", "Tandem Works GmbH", False),
        ("Nobody", None, None, None, False),
        (None, None, None, None, False),
        # an edit: relinked only exactly, else told; never blanked
        ("Acme", "Müller & Söhne", "001A", "Acme", False),
        ("Acme", "", "001A", "Acme", False),
        ("Tandem", "Müller & Söhne", None, ..., True),
        ("Nobody", "Müller & Söhne", None, ..., True),
        (None, "Müller & Söhne", None, "Müller & Söhne", False),
        ("MÜLLER & SÖHNE", "Müller & Söhne", None, "Müller & Söhne", False),
    ],
)
def test_a_company_becomes_an_account(company: Value, current: str | None, account: str | None, held: Any, noticed: bool) -> None:
    record = None if current is None else read_record(salesforce_row({**LEE, "company": current or None}))
    draft = CONTACT.draft_salesforce({**LEE, "company": company}, record, SCHEMA, BY_PART)
    assert draft.payload.get("AccountId") == account
    assert draft.held.get("company", ...) == held
    assert [notice.code for notice in draft.notices] == ([Code.COMPANY_NOT_FOUND] if noticed else [])
    assert not draft.problems


def test_a_company_is_compared_without_case_and_nothing_else_is_but_addresses() -> None:
    assert CONTACT.comparable("company", "ACME") == CONTACT.comparable("company", "acme")
    assert CONTACT.comparable("email", "A@X") == CONTACT.comparable("email", "a@x")
    assert CONTACT.comparable("last_name", "LEE") != CONTACT.comparable("last_name", "lee")


# --------------------------------------------------------------------------- what a user does not see or may not write


def test_a_field_that_describe_lacks_is_neither_asked_for_nor_read_nor_written() -> None:
    seen = schema(hidden=["MiddleName", "AccountId", "Phone"])
    columns = CONTACT.salesforce_select(seen)
    assert not {"MiddleName", "AccountId", "Account.Name", "Phone"} & set(columns)
    assert not {"middle_name", "company", "phone"} & CONTACT.read_salesforce(salesforce_row(LEE), seen).keys()
    draft = CONTACT.draft_salesforce({**LEE, "middle_name": "B", "company": "Acme"}, None, seen, COMPANIES)
    assert draft.payload == {"FirstName": "Ann", "LastName": "Lee"}
    assert not {"middle_name", "company", "phone"} & draft.held.keys()
    assert not draft.notices


def test_a_property_that_outlook_left_out_is_not_visible() -> None:
    assert CONTACT.read_outlook({"givenName": "Ann"}) == {"first_name": "Ann"}
    assert CONTACT.read_outlook({"businessPhones": []}) == {"phone": None, "other_phone": None}


def test_the_name_of_an_account_that_may_not_be_read_is_not_visible() -> None:
    row = {**salesforce_row(LEE), "AccountId": "001A", "Account": None}
    assert "company" not in CONTACT.read_salesforce(row, SCHEMA)
    assert CONTACT.read_salesforce({**row, "AccountId": None}, SCHEMA)["company"] is None


@pytest.mark.parametrize(
    ("options", "current", "told"),
    [
        ({"fixed": ["Phone"]}, None, True),
        ({"fixed": ["Phone"]}, {"last_name": "Lee"}, True),
        ({"only_new": ["Phone"]}, None, False),
        ({"only_new": ["Phone"]}, {"last_name": "Lee"}, True),
    ],
)
def test_a_field_that_may_not_be_written_is_left_out_told_and_stays_unagreed(options: Any, current: Fields | None, told: bool) -> None:
    record = None if current is None else read_record(salesforce_row(current))
    draft = CONTACT.draft_salesforce(LEE, record, schema(**options), COMPANIES)
    assert ("Phone" in draft.payload, "phone" in draft.held) == (not told, not told)
    assert [(notice.code, notice.field) for notice in draft.notices] == ([(Code.FIELD_NOT_WRITABLE, "Phone")] if told else [])
    assert not draft.problems


def test_an_empty_value_for_a_read_only_field_of_a_new_record_is_nothing_to_tell() -> None:
    assert not CONTACT.draft_salesforce({**LEE, "phone": None}, None, schema(fixed=["Phone"]), COMPANIES).notices


# --------------------------------------------------------------------------- recognising, holding, copying


def test_a_contact_is_recognised_by_all_its_addresses_and_its_full_name() -> None:
    addresses = [{"address": "A@X.example", "name": "A"}, {"address": " b@x.example ", "name": ""}, {"name": "none"}]
    found = CONTACT.identity(item(givenName="Ann", emailAddresses=addresses))
    assert (found.strong, found.weak) == (frozenset({"a@x.example", "b@x.example"}), "ann lee")
    record = CONTACT.identity(read_record(salesforce_row({**LEE, "email": "a@x.example"})))
    assert (record.strong, record.weak) == (frozenset({"a@x.example"}), "ann lee")


@pytest.mark.parametrize("names", [{"surname": None}, {"givenName": None}])
def test_half_a_name_recognises_nobody(names: dict[str, Any]) -> None:
    found = CONTACT.identity(item(**{"givenName": "Ann", **names}))
    assert (found.strong, found.weak) == (frozenset[str](), "")


def test_salesforce_holds_a_long_note_cut_and_outlook_holds_it_whole() -> None:
    held = CONTACT.held(SCHEMA)
    assert held(Side.SALESFORCE, "notes", "n" * 40_000) == "n" * 32_000
    assert held(Side.OUTLOOK, "notes", "n" * 40_000) == "n" * 40_000
    assert held(Side.SALESFORCE, "first_name", "n" * 41) == "n" * 41


def test_a_copy_carries_everything_a_person_can_write_and_nothing_the_service_made() -> None:
    raw = {
        **item(nickName="Ani", homeAddress={"city": "Graz"}, imAddresses=["im"]).raw,
        "id": "AAk=",
        "@odata.etag": "e",
        "parentFolderId": "F",
    }
    copy = CONTACT.copy_outlook(raw)
    assert copy.keys() <= set(COPIED)
    assert copy["nickName"] == "Ani"
    assert copy["homeAddress"] == {"city": "Graz"}
    assert not {"id", "@odata.etag", "parentFolderId", "givenName", "emailAddresses"} & copy.keys()
    assert set(OUTLOOK_SELECT) <= set(COPIED)


def test_a_person_recognises_a_contact_by_its_title() -> None:
    assert display_name(LEE) == "Ann Lee"
    assert CONTACT.company({"company": "Acme"}) == "Acme"
    assert CONTACT.company(replace(item(), modified=NOW).fields) is None
