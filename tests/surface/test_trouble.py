"""What an administrator sees when something is wrong with the app itself: poison, the switch, settings, rights to the storage."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack.process import NotStartedError
from local.stack.stack import Stack
from shared.errors import CATALOGUE, Code
from tests.surface.running import POISON, Company, Running, impatient_root, running, with_wrong_key

BAD_SETTINGS = {
    "SALESFORCE_PRIVATE_KEY": "-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5\n-----END PRIVATE KEY-----\n",
    "SYNC_SCHEDULE": "every five minutes",
    "SYNC_GROPU_ID": "a typing error",
    "SYNC_ENABLED": "perhaps",
    "SYNC_HASH_KEY": "dG9vIHNob3J0",
    "GRAPH_ENDPOINT": "http://graph.example",
}
NOBODY = "5b0f0f3e-0000-4000-8000-00000000dead"
MISSING_SETTINGS = ("SALESFORCE_CLIENT_ID", "SALESFORCE_USERNAME")


@pytest.fixture(scope="module")
def company(stack: Stack) -> Company:
    return Company(stack=stack, name="fabrikam").open()


def test_a_message_whose_run_fails_five_times_is_poisoned_and_leaves_a_row_until_a_run_ends_well(
    company: Company, storage: str, tmp_path: Path
) -> None:
    eve, bob = company.person("eve"), company.person("bob")
    with running(company, storage, tmp_path / "host.log", root=impatient_root(tmp_path)) as app:
        app.round()
        spoilt = {"PartitionKey": eve.id, "RowKey": "c-intent|spoilt by hand", "Data": "not what the product writes"}
        app.write("SyncState", spoilt)
        company.in_salesforce(bob, LastName="Undisturbed")
        app.round()
        app.wait(lambda: app.ended("sync_user_poison") == 1 and app.waiting(POISON) == 0)
        assert app.ended("sync_user", "Failed") == 5
        assert app.codes(eve.id) == ["RunFailed"]
        (row,) = app.rows("SyncErrors", eve.id)
        assert (row["User"], row["Remedy"]) == (eve.upn, CATALOGUE[Code.RUN_FAILED].remedy)
        assert (app.state(eve), app.state(bob)) == ("stopped", "connected")
        assert company.outlook_names(bob) == ["Undisturbed"]
        app.remove("SyncState", spoilt)
        app.round()
        assert (app.state(eve), app.codes(eve.id)) == ("connected", [])


def test_switched_off_no_function_does_anything(company: Company, storage: str, tmp_path: Path) -> None:
    """Neither the timer, which fires each second here, nor a message, nor poison: no request to anybody, not even a table."""
    control = company.control
    control.reset_counters()
    settings = {"SYNC_ENABLED": "false", "SYNC_SCHEDULE": "* * * * * *"}
    with running(company, storage, tmp_path / "host.log", settings) as app:
        app.put(json.dumps({"user": "u", "why": "now"}))
        app.put(json.dumps({"user": "u", "why": "now"}), POISON)
        app.wait(lambda: {line["function"] for line in app.told("SwitchedOff")} == {"plan_sync", "sync_user", "sync_user_poison"})
        app.plan()
        assert (app.waiting(), app.waiting(POISON)) == (0, 0)
        assert app.tables() == set()
        assert control.counters() == {}
        assert "Failed" not in app.log


@pytest.fixture
def ill_set(company: Company, storage: str, tmp_path: Path) -> Iterator[Running]:
    with running(company, storage, tmp_path / "ill.log", {**BAD_SETTINGS, **dict.fromkeys(MISSING_SETTINGS, "")}) as app:
        yield app


def test_all_problems_with_the_settings_are_told_at_once_each_in_a_line_and_a_row_with_its_remedy(ill_set: Running) -> None:
    assert ill_set.get("/admin/host/status")["state"] == "Running"
    ill_set.plan()
    expected = {*BAD_SETTINGS, *MISSING_SETTINGS}
    lines = {line["setting"]: line["text"] for line in ill_set.told("SettingInvalid")}
    assert set(lines) == expected
    rows = {row["Item"]: row for row in ill_set.rows("SyncErrors", "everyone")}
    assert set(rows) == expected
    for setting in expected:
        assert lines[setting].startswith(f"{setting} ")
        assert lines[setting].count(". ") >= 1, "what is wrong, and then the remedy"
        row = rows[setting]
        assert (row["Code"], row["Field"], row["Text"]) == ("SettingsInvalid", setting, lines[setting])
        assert row["FixableBy"] == "an administrator"
    assert "SYNC_GROUP_ID" in lines["SYNC_GROPU_ID"], "the nearest name"
    assert "bm90IGEga2V5" not in ill_set.log, "no secret in the log"
    assert "Traceback" not in ill_set.log


def test_a_message_and_a_bad_setting_do_not_poison_each_other(ill_set: Running) -> None:
    """While the settings are wrong a message is given up, without failing: the next round makes it again."""
    ill_set.put(json.dumps({"user": "u", "why": "now"}))
    ill_set.wait(lambda: ill_set.ended("sync_user") == 1 and ill_set.waiting() == 0)
    assert ill_set.waiting(POISON) == 0
    assert "Traceback" not in ill_set.log


def test_once_the_settings_are_right_their_rows_are_gone(company: Company, ill_set: Running, tmp_path: Path) -> None:
    ill_set.plan()
    assert len(ill_set.rows("SyncErrors", "everyone")) == len(BAD_SETTINGS) + len(MISSING_SETTINGS)
    with running(company, ill_set.storage, tmp_path / "well.log") as app:
        app.round()
        assert app.rows("SyncErrors", "everyone") == []


def test_storage_that_refuses_the_app_is_one_clear_line_and_the_host_lives(company: Company, storage: str, tmp_path: Path) -> None:
    with running(company, with_wrong_key(storage), tmp_path / "host.log") as app:
        assert app.get("/admin/host/status")["state"] == "Running"
        app.plan()
        (line,) = app.told("RoundFailed")
        assert line["code"] == "TablesDenied"
        assert "Table Sync" in line["text"]
        assert CATALOGUE[Code.TABLES_DENIED].remedy in line["text"]
        assert app.ended("plan_sync", "Failed") == 0
        assert "Traceback" not in app.log


def test_without_any_storage_the_host_says_which_setting_is_missing(company: Company, tmp_path: Path) -> None:
    """Nothing can be queued or kept: the real host does not start either."""
    with pytest.raises(NotStartedError) as ended, running(company, "", tmp_path / "host.log"):
        pass
    assert "AzureWebJobsStorage is not set" in str(ended.value)
    assert "Traceback" not in (tmp_path / "host.log").read_text()


def test_a_salesforce_key_that_is_not_the_apps_is_one_row_for_everybody(company: Company, storage: str, tmp_path: Path) -> None:
    with running(company, storage, tmp_path / "host.log", {"SALESFORCE_CLIENT_ID": "somebody.else"}) as app:
        company.person("zoe")
        app.round()
        assert app.codes("everyone") == ["SalesforceLoginRefused"]
        (line,) = app.told("RoundFailed")
        assert line["code"] == "SalesforceLoginRefused"
        assert "Traceback" not in app.log


def test_a_group_that_does_not_exist_is_one_row_for_everybody(company: Company, storage: str, tmp_path: Path) -> None:
    with running(company, storage, tmp_path / "host.log", {"SYNC_GROUP_ID": NOBODY}) as app:
        app.round()
        assert app.codes("everyone") == ["GroupNotFound"]
        (row,) = app.rows("SyncErrors", "everyone")
        assert "SYNC_GROUP_ID" in row["Remedy"]
