"""A deployment at work: what is indexed, a round by hand, messages that make no sense, people who cannot sync."""

import base64
import json
from collections.abc import Iterator

import pytest

from local.sandbox.world import GRAPH, SALESFORCE
from local.stack.azurite import Azurite
from local.stack.stack import NEVER, Stack
from tests.surface.running import POISON, QUEUE, Company, Person, Running, running


@pytest.fixture(scope="module")
def company(stack: Stack) -> Company:
    return Company(stack=stack, name="contoso").open()


@pytest.fixture(scope="module")
def ada(company: Company) -> Person:
    return company.person("ada")


@pytest.fixture(scope="module")
def app(company: Company, ada: Person, azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Shared by the module, as a deployment is by its days: every test leaves it well."""
    with running(company, next(azurite.accounts()), tmp_path_factory.mktemp("rounds") / "host.log") as app:
        app.round()
        yield app


def test_the_host_is_well_and_finds_exactly_these_functions_and_bindings(app: Running) -> None:
    status = app.get("/admin/host/status")
    assert (status["state"], status["errors"]) == ("Running", [])
    triggers = {each["name"]: each["config"]["bindings"][0] for each in app.get("/admin/functions")}
    assert set(triggers) == {"plan_sync", "sync_user", "sync_user_poison"}
    assert (triggers["plan_sync"]["type"], triggers["plan_sync"]["schedule"]) == ("timerTrigger", NEVER)
    assert triggers["plan_sync"]["runOnStartup"] is False
    for name, queue in (("sync_user", QUEUE), ("sync_user_poison", POISON)):
        trigger = triggers[name]
        assert (trigger["type"], trigger["queueName"], trigger["connection"]) == ("queueTrigger", queue, "AzureWebJobsStorage")


def test_a_round_started_by_hand_brings_a_contact_each_way(app: Running, company: Company, ada: Person) -> None:
    company.in_salesforce(ada, LastName="From Salesforce", FirstName="Zoë")
    app.round()
    assert company.outlook_names(ada) == ["From Salesforce"]
    company.in_outlook(ada, surname="From Outlook", givenName="Jörg")
    app.round()
    assert company.outlook_names(ada) == company.salesforce_names(ada) == ["From Outlook", "From Salesforce"]
    assert app.state(ada) == "connected"
    results = [run["Result"] for run in app.rows("SyncRuns", ada.id)]
    assert set(results) == {"done"}
    assert [line["result"] for line in app.told("RunEnded") if line["user"] == ada.id] == results
    assert app.rows("SyncErrors", ada.id) == []
    assert app.ended("sync_user", "Failed") == 0


def test_a_message_typed_by_hand_starts_a_run_as_the_documentation_says(app: Running, ada: Person) -> None:
    before = len(app.rows("SyncRuns", ada.id))
    app.put(json.dumps({"user": ada.id, "why": "compare"}))
    app.wait(lambda: len(app.rows("SyncRuns", ada.id)) > before)
    newest = min(app.rows("SyncRuns", ada.id), key=lambda row: str(row["RowKey"]))
    assert (newest["Why"], newest["Result"]) == ("compare", "done")


def test_the_same_message_several_times_at_once_makes_each_record_once(app: Running, company: Company, ada: Person) -> None:
    before = app.ended("sync_user")
    company.in_outlook(ada, surname="Once only")
    company.in_salesforce(ada, LastName="Once as well")
    for _ in range(6):
        app.put(json.dumps({"user": ada.id}))
    app.wait(lambda: app.ended("sync_user") >= before + 6 and app.waiting() == 0)
    app.round()
    for names in (company.outlook_names(ada), company.salesforce_names(ada)):
        assert names.count("Once only") == names.count("Once as well") == 1
    assert app.ended("sync_user", "Failed") == 0


def test_the_log_holds_no_secret_and_nothing_of_a_contact(app: Running, company: Company, ada: Person) -> None:
    company.in_outlook(ada, surname="Quellwasser", emailAddresses=[{"address": "q@verborgen.example", "name": "Q"}])
    app.round()
    assert "Quellwasser" in company.salesforce_names(ada)
    settings = company.stack.settings(company.names, NEVER)
    key = settings["SALESFORCE_PRIVATE_KEY"].splitlines()[1]
    for secret in (key, settings["SYNC_HASH_KEY"], settings["IDENTITY_HEADER"], "Bearer", "Quellwasser", "verborgen.example"):
        assert secret not in app.log


MALFORMED = {
    "not JSON, nor Base64": "hello, ???",
    "Base64 of nothing known": base64.b64encode(b"hello").decode(),
    "JSON without a user": '{"why": "now"}',
    "JSON that is no object": '["a", "b"]',
    "a user that is no text": '{"user": 7}',
    "a reason that is none": '{"user": "u", "why": "because"}',
    "a time that is none": '{"user": "u", "asked": "yesterday"}',
    "nothing but blanks": " ",
}


def test_messages_that_make_no_sense_leave_a_row_each_and_disturb_nothing(app: Running, company: Company, ada: Person) -> None:
    served = app.ended("sync_user")
    company.in_salesforce(ada, LastName="Meanwhile")
    for text in MALFORMED.values():
        app.put(text)
    app.put(json.dumps({"user": "5b0f0f3e-0000-0000-0000-00000000dead"}))
    app.round()
    app.wait(lambda: app.ended("sync_user") >= served + len(MALFORMED) + 2)
    assert app.ended("sync_user", "Failed") == 0
    assert app.waiting(POISON) == 0
    rows = app.rows("SyncErrors", "messages")
    assert sorted(row["Code"] for row in rows) == ["MalformedMessage"] * len(MALFORMED) + ["UnknownUser"]
    assert all(row["Remedy"] and row["Text"] and row["FixableBy"] == "an administrator" for row in rows)
    assert app.rows("SyncErrors", ada.id) == []
    assert "Meanwhile" in company.outlook_names(ada)
    assert app.state(ada) == "connected"


def test_a_malformed_message_in_the_poison_queue_leaves_a_row_too(app: Running) -> None:
    before = app.ended("sync_user_poison")
    app.put("neither JSON nor Base64: ä", POISON)
    app.wait(lambda: app.ended("sync_user_poison") > before and app.waiting(POISON) == 0)
    assert app.ended("sync_user_poison", "Failed") == 0
    assert any("26 characters" in row["Text"] for row in app.rows("SyncErrors", "messages"))


def test_who_cannot_sync_gets_a_state_and_a_row_and_the_others_go_on(app: Running, company: Company, ada: Person) -> None:
    """A mailbox without a licence, one that is closed to the app, and a Salesforce user who is not authorised, inactive or missing."""
    unlicensed, closed = company.person("unlicensed"), company.person("closed")
    unauthorised, inactive, missing = (
        company.person("unauthorised", preauthorized=False),
        company.person("inactive"),
        company.person("missing"),
    )
    control = company.control
    control.call(GRAPH, "change_user", unlicensed.upn, has_mailbox=False)
    control.call(GRAPH, "change_user", closed.upn, access_denied=True)
    control.call(SALESFORCE, "set_user", inactive.username, {"IsActive": False})
    control.call(SALESFORCE, "set_user", missing.username, {"FederationIdentifier": None, "Email": "somebody@else.example"})
    company.in_salesforce(ada, LastName="Goes on")
    app.round()
    expected = {
        unlicensed: ("no mailbox", "NoMailbox"),
        closed: ("no permission", "MailboxAccessDenied"),
        unauthorised: ("not authorised", "NotAuthorised"),
        inactive: ("inactive Salesforce user", "InactiveSalesforceUser"),
        missing: ("no Salesforce user", "NoSalesforceUser"),
    }
    assert {who: (app.state(who), *app.codes(who.id)) for who in expected} == expected
    for who in expected:
        (row,) = app.rows("SyncErrors", who.id)
        assert row["User"] == who.upn
        assert row["Nature"]
        assert row["Remedy"]
    assert "Goes on" in company.outlook_names(ada)
    assert app.state(ada) == "connected"
    assert app.ended("sync_user", "Failed") == 0
    # and when the obstacles are gone, so are the rows
    control.call(GRAPH, "change_user", unlicensed.upn, has_mailbox=True)
    control.call(GRAPH, "change_user", closed.upn, access_denied=False)
    control.call(SALESFORCE, "set_permissions", unauthorised.username, preauthorized=True)
    control.call(SALESFORCE, "set_user", inactive.username, {"IsActive": True})
    control.call(SALESFORCE, "set_user", missing.username, {"FederationIdentifier": missing.upn})
    app.round()
    assert {who: (app.state(who), *app.codes(who.id)) for who in expected} == dict.fromkeys(expected, ("connected",))
