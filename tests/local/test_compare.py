"""The independent comparison finds what it is there to find."""

from typing import Any

import pytest

from local.compare import compare_pair, differences

ACCOUNTS = {"001": "Müller & Söhne GmbH"}
ROW: dict[str, Any] = {
    "FirstName": "Zoë",
    "LastName": "Weiß",
    "Email": "zoe@customer.example",
    "Phone": "1",
    "OtherPhone": "2",
    "Birthdate": "1980-02-03",
    "MailingStreet": "Weg 1\r\nHof",
    "Description": "a\r\nb",
    "AccountId": "001",
}
CONTACT: dict[str, Any] = {
    "givenName": "Zoë",
    "surname": "Weiß",
    "emailAddresses": [{"address": "ZOE@customer.example"}, {"address": "zoe@home.example"}],
    "businessPhones": ["1", "2"],
    "birthday": "1980-02-03T11:59:00Z",
    "businessAddress": {"street": "Weg 1\nHof"},
    "personalNotes": "a\nb ",
    "companyName": "müller & söhne gmbh",
}


def test_equal_records_agree_however_each_side_spells_them() -> None:
    assert differences([ROW], [CONTACT], ACCOUNTS) == []


@pytest.mark.parametrize(
    ("salesforce", "outlook", "said"),
    [
        ({"Phone": "9"}, {}, "Phone is '9'"),
        ({}, {"businessPhones": ["1"]}, "OtherPhone is '2'"),
        ({}, {"birthday": None}, "Birthdate"),
        ({"MailingStreet": None}, {}, "MailingStreet"),
        ({}, {"companyName": "Fabrikam"}, "the account is 'Müller & Söhne GmbH'"),
        ({}, {"companyName": None}, "the account is 'Müller & Söhne GmbH'"),
        ({"AccountId": None}, {}, "has an account"),
        ({"Description": "other"}, {}, "the notes"),
        ({"Description": "x" * 31_500}, {"personalNotes": "x" * 29_000 + "y" * 11_000}, "the notes"),
    ],
)
def test_a_field_that_differs_is_named(salesforce: dict[str, Any], outlook: dict[str, Any], said: str) -> None:
    [problem] = compare_pair({**ROW, **salesforce}, {**CONTACT, **outlook}, ACCOUNTS)
    assert said in problem


def test_notes_that_salesforce_can_not_hold_may_be_cut_there_only() -> None:
    note = "z" * 40_000
    assert compare_pair({**ROW, "Description": note[:32_000]}, {**CONTACT, "personalNotes": note}, ACCOUNTS) == []
    assert compare_pair({**ROW, "Description": note}, {**CONTACT, "personalNotes": note[:32_000]}, ACCOUNTS) != []
    lines = "line\r\n" * 10_000
    assert compare_pair({**ROW, "Description": lines[:31_998]}, {**CONTACT, "personalNotes": lines}, ACCOUNTS) == []
    assert compare_pair({**ROW, "Description": lines[:29_000]}, {**CONTACT, "personalNotes": lines}, ACCOUNTS) != []


def test_a_company_without_account_stays_in_outlook() -> None:
    assert compare_pair({**ROW, "AccountId": None}, {**CONTACT, "companyName": "Unknown Ltd"}, ACCOUNTS) == []


@pytest.mark.parametrize(("rows", "contacts"), [(1, 0), (0, 1), (1, 2), (2, 1)])
def test_a_missing_or_doubled_record_is_named(rows: int, contacts: int) -> None:
    [problem] = differences([ROW] * rows, [CONTACT] * contacts, ACCOUNTS)
    assert f"{rows} in Salesforce, {contacts} in Outlook" in problem


def test_the_same_person_twice_is_compared_pair_by_pair() -> None:
    other_row, other_contact = {**ROW, "Title": "CTO"}, {**CONTACT, "jobTitle": "CTO"}
    assert differences([ROW, other_row], [other_contact, CONTACT], ACCOUNTS) == []
    assert differences([ROW, other_row], [CONTACT, CONTACT], ACCOUNTS) != []
