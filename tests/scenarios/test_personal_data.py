"""No personal data where none belongs: whatever goes wrong with a contact, its content is in no log line and in no table of state.

Values of records may stand in `SyncConflicts` (a person must see what to decide), `SyncJournal` (what was overwritten) and `SyncUsers` (who
syncs); nowhere else. Every value here holds a word that nothing else holds.
"""

import logging
from collections.abc import Iterator
from urllib.parse import unquote

import pytest

from local.sandbox.faults import Effect, Rule
from local.sandbox.http import Request, Response
from local.sandbox.world import GRAPH, SALESFORCE
from tests.scenarios.stage import FOLDER, Somebody, Tenant, account, address, decide, in_salesforce, links, set_profile

FREE_OF_IT = ("SyncState", "SyncClaims", "SyncErrors", "SyncRuns")
WORDS = (
    *("Xanthippe", "Quellwasser", "verborgen", "987654", "Heimlichgasse", "Stillstadt", "Vermerk", "Obergeheimrat", "Schattenamt"),
    *("Flüsterer", "Dunkelwerk"),
)
RULE_TEXT = "Please fill the country of every contact."
ECHO = "Quellwasser of Heimlichgasse, xanthippe@verborgen.example"


def row(number: int, **fields: object) -> dict[str, object]:
    """A Salesforce contact, full of words."""
    return {
        "FirstName": f"Xanthippe{number}",
        "LastName": f"Quellwasser{number}",
        "Email": f"xq{number}@verborgen.example",
        "Phone": f"+49 30 987654{number}",
        "MailingStreet": f"Heimlichgasse {number}",
        "MailingCity": "Stillstadt",
        "MailingCountry": "Nirgendland",
        "Description": f"Vermerk {number}",
        "Title": f"Obergeheimrat {number}",
        "Department": "Schattenamt",
        "AssistantName": "Flüsterer",
        **fields,
    }


def card(number: int, **values: object) -> dict[str, object]:
    """An Outlook contact, full of words."""
    return {
        "givenName": f"Xanthippe{number}",
        "surname": f"Quellwasser{number}",
        "emailAddresses": address(f"xq{number}@verborgen.example"),
        "businessPhones": [f"+49 30 987654{number}"],
        "businessAddress": {"street": f"Heimlichgasse {number}", "city": "Stillstadt", "countryOrRegion": "Nirgendland"},
        "personalNotes": f"Vermerk {number}",
        "jobTitle": f"Obergeheimrat {number}",
        "department": "Schattenamt",
        "assistantName": "Flüsterer",
        "companyName": "Dunkelwerk",
        **values,
    }


@pytest.fixture(autouse=True)
def everything_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """As on the platform, where a line of any logger from INFO on is kept."""
    with caplog.at_level(logging.INFO):
        yield


async def leaks(tenant: Tenant, caplog: pytest.LogCaptureFixture) -> list[str]:
    """Where a word is that should not be: the line, or the table and column, and the beginning of what stands there."""
    found: list[str] = []
    assert any(record.name == "tandem" for record in caplog.records), "the log is looked at"
    for record in caplog.records:
        texts = [record.getMessage(), str(record.exc_info or "")]
        found += [f"log {record.name}: {text[:300]}" for text in texts if holds_a_word(text)]
    for table in FREE_OF_IT:
        for stored in await tenant.rows(table):
            columns = {"PartitionKey": stored.partition, "RowKey": stored.key, **stored.values}
            found += [f"{table}.{name}: {str(value)[:300]}" for name, value in columns.items() if holds_a_word(str(value))]
    return found


def holds_a_word(text: str) -> bool:
    plain = unquote(text).casefold()
    return any(word.casefold() in plain for word in WORDS)


async def codes(tenant: Tenant) -> set[str]:
    return set(await tenant.errors())


async def test_a_calm_sync_with_edits_a_conflict_and_deletions(
    tenant: Tenant, ada: Somebody, bob: Somebody, caplog: pytest.LogCaptureFixture
) -> None:
    account(tenant, ada, "Dunkelwerk")
    records = [ada.crm.create("Contact", row(number)) for number in range(6)]
    ada.outlook.create_contact("contacts", card(20, categories=["Salesforce"]))
    bob.outlook.create_contact("contacts", card(2, categories=["Salesforce"]))
    await tenant.round()
    items = links(tenant, ada)
    ada.crm.update(records[0], {"Title": "Obergeheimrat a. D."})
    ada.outlook.edit_contact(items[records[1]], {"personalNotes": "Vermerk, geändert"})
    ada.crm.update(records[2], {"Department": "Schattenamt Nord"})
    ada.outlook.edit_contact(items[records[2]], {"department": "Schattenamt Süd"})
    ada.crm.delete(records[3])
    ada.outlook.delete_contact(items[records[4]])
    await tenant.later(minutes=5)
    await tenant.later(minutes=70)
    assert len(await tenant.rows("SyncJournal")) > 0
    assert len(await tenant.rows("SyncConflicts")) > 0
    assert await leaks(tenant, caplog) == []


async def test_everything_that_salesforce_refuses(tenant: Tenant, ada: Somebody, caplog: pytest.LogCaptureFixture) -> None:
    """Too long, invalid, required, a rule, a duplicate rule, a trigger that throws, and a code that nobody knows yet."""
    ada.crm.create("Contact", row(1))
    await tenant.round()
    tenant.salesforce.add_duplicate_rule("Contact", ["Email"], block=True)
    tenant.salesforce.add_validation_rule("Contact", RULE_TEXT, field="MailingCountry", operator="equals", value="Nirgendwo")
    tenant.salesforce.add_row_fault(
        "SOME_NEW_CODE", message=f"Phone: {ECHO}", match={"LastName": "Quellwasser7"}, fields=["Phone"], times=None
    )
    tenant.salesforce.add_row_fault("FIELD_INTEGRITY_EXCEPTION", message=f"State: {ECHO}", match={"LastName": "Quellwasser8"}, times=None)
    ada.outlook.create_contact(FOLDER, card(2, surname="Quellwasser" * 9))
    ada.outlook.create_contact(FOLDER, card(3, emailAddresses=address("xanthippe@@verborgen")))
    ada.outlook.create_contact(FOLDER, card(4, surname=None))
    ada.outlook.create_contact(FOLDER, card(5, businessAddress={"street": "Heimlichgasse 5", "countryOrRegion": "Nirgendwo"}))
    ada.outlook.create_contact(
        FOLDER, card(6, givenName="Xanthippe", surname="Quellwasser", emailAddresses=address("xq1@verborgen.example"))
    )
    ada.outlook.create_contact(FOLDER, card(7))
    ada.outlook.create_contact(FOLDER, card(8))
    for _ in range(3):
        await tenant.later(minutes=10)
    assert await codes(tenant) >= {"ValueTooLong", "InvalidValue", "RequiredFieldMissing", "ValidationRule", "Refused"}
    assert RULE_TEXT in (await tenant.errors())["ValidationRule"], "an administrator's own sentence is shown"
    assert await leaks(tenant, caplog) == []


async def test_questions_that_wait_for_a_person(tenant: Tenant, ada: Somebody, caplog: pytest.LogCaptureFixture) -> None:
    await set_profile(tenant, ContactsConflictRule="ask")
    pair = ada.crm.create("Contact", row(1))
    await tenant.round()
    for number in (2, 3):
        ada.crm.create("Contact", row(number, Email="twins@verborgen.example", LastName="Quellwasser", FirstName="Xanthippe"))
    ada.outlook.create_contact(
        FOLDER, card(4, givenName="Xanthippe", surname="Quellwasser", emailAddresses=address("twins@verborgen.example"))
    )
    ada.crm.update(pair, {"Title": "Obergeheimrat"})
    ada.outlook.edit_contact(links(tenant, ada)[pair], {"jobTitle": "Obergeheimrat, doch anders"})
    await tenant.later(minutes=5)
    assert len(await tenant.rows("SyncConflicts")) > 0
    await decide(tenant, ada, "outlook")
    await tenant.later(minutes=5)
    assert await leaks(tenant, caplog) == []


VENDOR_TROUBLE = {
    "a composite call that is refused as a whole": Rule(
        effect=Effect.ANSWER,
        service=SALESFORCE,
        path="/composite",
        status=400,
        answer=[{"errorCode": "JSON_PARSER_ERROR", "message": f"Unexpected character at {ECHO}"}],
    ),
    "a page of HTML": Rule(effect=Effect.ANSWER, service=SALESFORCE, path="/services/data", status=503, answer=f"<html>{ECHO}</html>"),
    "a batch that Graph refuses": Rule(
        effect=Effect.ANSWER,
        service=GRAPH,
        path=r"\$batch",
        status=400,
        answer={
            "error": {"code": "BadRequest", "message": f"Invalid: {ECHO}", "innerError": {"code": "ErrorInvalidRequest", "message": ECHO}}
        },
    ),
    "an outage of Graph": Rule(
        effect=Effect.ANSWER, service=GRAPH, status=500, answer={"error": {"code": "UnknownError", "message": ECHO}}
    ),
    "connections that are cut": Rule(effect=Effect.CUT_AFTER, method="POST", probability=0.5),
}


@pytest.mark.parametrize("rule", VENDOR_TROUBLE.values(), ids=VENDOR_TROUBLE)
async def test_vendors_that_repeat_what_they_were_sent(tenant: Tenant, ada: Somebody, rule: Rule, caplog: pytest.LogCaptureFixture) -> None:
    first = ada.crm.create("Contact", row(1))
    await tenant.round()
    in_salesforce(ada, "Quellwasser9", FirstName="Xanthippe", Email="xq9@verborgen.example")
    ada.outlook.create_contact(FOLDER, card(10))
    ada.outlook.edit_contact(links(tenant, ada)[first], {"jobTitle": "Obergeheimrat i. R."})
    tenant.sandbox.faults.plant(rule)
    await tenant.later(minutes=5)
    await tenant.later(minutes=15)
    (planted,) = tenant.sandbox.faults.planted
    assert planted["fired"] > 0, "it happened"
    tenant.sandbox.faults.clear()
    await tenant.later(minutes=15)
    assert await leaks(tenant, caplog) == []


async def test_salesforce_repeats_the_text_of_a_query(tenant: Tenant, ada: Somebody, caplog: pytest.LogCaptureFixture) -> None:
    """What it really says of a query that it does not like begins with an excerpt of it."""
    ada.crm.create("Contact", row(1))
    await tenant.round()
    refused: list[str] = []

    def refuse_queries(asked: Request) -> Response | None:
        if not asked.path.endswith("/composite"):
            return None
        told = tenant.salesforce_adapter.service.handle(asked).json()
        urls = {part["referenceId"]: part["url"] for part in asked.json()["compositeRequest"]}
        for part in told["compositeResponse"]:
            if "/query" in urls[part["referenceId"]]:
                refused.append(urls[part["referenceId"]])
                message = f"\nLastName = '{ECHO}'\n ^\nERROR at Row:1:Column:60\nNo such column 'LastName' on entity 'Contact'"
                part.update(httpStatusCode=400, body=[{"errorCode": "INVALID_FIELD", "message": message}])
        return Response.of(200, told)

    ada.outlook.create_contact(FOLDER, card(2))
    tenant.salesforce_adapter.before = refuse_queries
    await tenant.later(minutes=5)
    assert refused
    assert await codes(tenant) != set() or (await tenant.last_run())["Result"] != "done"
    assert await leaks(tenant, caplog) == []


@pytest.mark.parametrize("text", [ECHO, f'{{"name": "{ECHO}"}}', f'{{"user": "u", "why": "{ECHO}"}}'])
async def test_a_message_that_makes_no_sense_is_not_repeated(tenant: Tenant, text: str, caplog: pytest.LogCaptureFixture) -> None:
    assert await tenant.app.sync(text) == []
    await tenant.app.poison(text)
    assert await codes(tenant) == {"MalformedMessage"}
    assert await leaks(tenant, caplog) == []
