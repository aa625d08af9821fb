"""The scripts of an installation, played against a stand-in of the Azure CLI: their order, what they leave alone, where they go on."""

import base64
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.infra.azure import FakeAzure
from tests.infra.fake_az import IDENTITY, ROLES
from tests.infra.tools import INFRA, ROOT
from tests.shared.test_settings import good

SCRIPTS = ["deploy.sh", "uninstall.sh", "graph-permissions/grant.sh"]
GRANT = "graph-permissions/grant.sh"
CONTACTS = ["Contacts.ReadWrite", "GroupMember.Read.All", "MailboxSettings.ReadWrite", "User.ReadBasic.All"]
"""The least that the sync of contacts needs."""


@pytest.fixture
def azure(tmp_path: Path) -> FakeAzure:
    return FakeAzure(tmp_path)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key.pem"
    path.write_text(good()["SALESFORCE_PRIVATE_KEY"])
    return path


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_can_be_read_by_bash_and_run(script: str) -> None:
    assert subprocess.run(["bash", "-n", str(INFRA / script)], check=False).returncode == 0
    assert (INFRA / script).stat().st_mode & 0o100
    assert "set -euo pipefail" in (INFRA / script).read_text(encoding="utf-8")


# ------------------------------------------------------------------ deploy


def test_a_first_installation_goes_from_validation_to_the_smoke_check(azure: FakeAzure, key: Path) -> None:
    ran = azure.run("deploy.sh", "rg", "--key", str(key), "--yes")
    assert ran.code == 0, ran.said
    assert ran.calls == (
        "validate main.bicepparam",
        "what-if main.bicepparam",
        "create main.bicepparam",
        "secret hash-key mode 600",
        "secret salesforce-private-key mode 644",
        "publish tandem.zip",
        "restart",
    )
    assert len(base64.b64decode(azure.state["secrets"]["hash-key"], validate=True)) == 32
    assert azure.state["secrets"]["salesforce-private-key"] == key.read_text()
    assert "smoke: functions plan_sync sync_user sync_user_poison" in ran.said
    assert f"graph-permissions/grant.sh {IDENTITY}" in ran.said
    assert azure.state["secrets"]["hash-key"] not in ran.said


def test_an_upgrade_leaves_the_secrets_alone(azure: FakeAzure) -> None:
    azure.change(secrets={"hash-key": "kept", "salesforce-private-key": "kept too"})
    ran = azure.run("deploy.sh", "rg", "--yes")
    assert ran.code == 0, ran.said
    assert not [call for call in ran.calls if call.startswith("secret")]
    assert azure.state["secrets"] == {"hash-key": "kept", "salesforce-private-key": "kept too"}


def test_a_renewed_salesforce_key_replaces_the_old_one_and_never_the_hash_key(azure: FakeAzure, key: Path) -> None:
    azure.change(secrets={"hash-key": "kept", "salesforce-private-key": "old"})
    ran = azure.run("deploy.sh", "rg", "--from", "secrets", "--until", "secrets", "--key", str(key))
    assert ran.code == 0, ran.said
    assert ran.calls == ("secret salesforce-private-key mode 644",)
    assert azure.state["secrets"] == {"hash-key": "kept", "salesforce-private-key": key.read_text()}


def test_without_a_salesforce_key_it_stops_and_goes_on_from_there(azure: FakeAzure, key: Path) -> None:
    ran = azure.run("deploy.sh", "rg", "--yes")
    assert ran.code == 1
    assert "--from secrets --key FILE" in ran.said
    assert not [call for call in ran.calls if call.startswith("publish")]
    made = azure.state["secrets"]["hash-key"]
    again = azure.run("deploy.sh", "rg", "--from", "secrets", "--key", str(key))
    assert again.code == 0, again.said
    assert again.calls[0] == "secret salesforce-private-key mode 644"
    assert azure.state["secrets"]["hash-key"] == made


def test_nothing_is_changed_without_a_yes_after_the_what_if(azure: FakeAzure) -> None:
    ran = azure.run("deploy.sh", "rg", typed="n\n")
    assert ran.code == 1
    assert ran.calls == ("validate main.bicepparam", "what-if main.bicepparam")
    assert azure.run("deploy.sh", "rg", "--until", "create", typed="y\n").calls[-1] == "create main.bicepparam"


@pytest.mark.parametrize(
    ("refusal", "advice"),
    [
        ("(Forbidden) Caller is not authorized to perform action … ForbiddenByRbac", "Key Vault Secrets Officer"),
        ("(Forbidden) Public network access is disabled and request is not from a trusted service", "private network only"),
        ("(Whatever) broken", "broken"),
    ],
)
def test_a_vault_that_does_not_answer_is_not_taken_for_an_empty_one(azure: FakeAzure, key: Path, refusal: str, advice: str) -> None:
    azure.change(refused=refusal)
    ran = azure.run("deploy.sh", "rg", "--from", "secrets", "--key", str(key))
    assert ran.code == 1
    assert advice in ran.said
    assert ran.calls == ()


def test_a_file_that_is_no_private_key_is_not_written(azure: FakeAzure, tmp_path: Path) -> None:
    wrong = tmp_path / "certificate.pem"
    wrong.write_text("-----BEGIN CERTIFICATE-----\n")
    ran = azure.run("deploy.sh", "rg", "--from", "secrets", "--key", str(wrong))
    assert ran.code == 1
    assert "salesforce-private-key" not in azure.state["secrets"]


def test_the_smoke_check_waits_for_functions_and_secrets(azure: FakeAzure) -> None:
    azure.change(unlisted=3, unresolved=2)
    ran = azure.run("deploy.sh", "rg", "--from", "smoke")
    assert ran.code == 0, ran.said
    assert "SALESFORCE_PRIVATE_KEY: Resolved SYNC_HASH_KEY: Resolved" in ran.said


def test_the_smoke_check_fails_where_a_secret_is_not_resolved(azure: FakeAzure) -> None:
    azure.change(unresolved=1000)
    ran = azure.run("deploy.sh", "rg", "--from", "smoke")
    assert ran.code == 1
    assert "SALESFORCE_PRIVATE_KEY: SecretNotFound" in ran.said


def test_a_group_that_does_not_exist_is_not_made(azure: FakeAzure) -> None:
    ran = azure.run("deploy.sh", "elsewhere", "--yes")
    assert (ran.code, ran.calls) == (1, ())
    assert "az group create --name elsewhere" in ran.said


@pytest.mark.parametrize("arguments", [(), ("rg", "--from", "nowhere"), ("rg", "--unknown")])
def test_a_wrong_call_does_nothing(azure: FakeAzure, arguments: tuple[str, ...]) -> None:
    ran = azure.run("deploy.sh", *arguments)
    assert ran.code != 0
    assert ran.calls == ()


# ------------------------------------------------------------------ grant


def test_the_least_is_given_and_nothing_for_later_kinds(azure: FakeAzure) -> None:
    ran = azure.run(GRANT, IDENTITY, "--yes")
    assert ran.code == 0, ran.said
    assert sorted(azure.state["held"]) == CONTACTS


def test_a_second_time_there_is_nothing_to_do(azure: FakeAzure) -> None:
    azure.run(GRANT, IDENTITY, "--yes")
    ran = azure.run(GRANT, IDENTITY, "--yes")
    assert (ran.code, ran.calls) == (0, ())
    assert "Nothing to do." in ran.said


def test_it_says_what_it_will_do_and_asks(azure: FakeAzure) -> None:
    for ran in (azure.run(GRANT, IDENTITY, typed="n\n"), azure.run(GRANT, IDENTITY, "--dry-run")):
        assert ran.calls == ()
        for permission in CONTACTS:
            assert re.search(rf"give +{re.escape(permission)} – \w", ran.said)


def test_narrowed_it_gives_nothing_that_opens_mailboxes(azure: FakeAzure) -> None:
    azure.run(GRANT, IDENTITY, "--narrow", "--yes")
    assert sorted(azure.state["held"]) == ["GroupMember.Read.All", "User.ReadBasic.All"]


def test_what_it_has_too_much_is_named(azure: FakeAzure) -> None:
    azure.change(held=["Contacts.ReadWrite", "User.Read.All"])
    ran = azure.run(GRANT, IDENTITY, "--narrow", "--no-group", "--yes")
    assert re.search(r"too much +Contacts\.ReadWrite", ran.said)
    assert re.search(r"too much +User\.Read\.All", ran.said)
    assert ran.calls == ("give User.ReadBasic.All",)


def test_without_group_and_category_their_permissions_are_left_out(azure: FakeAzure) -> None:
    azure.run(GRANT, IDENTITY, "--no-group", "--no-category", "--see-disabled", "--yes")
    assert sorted(azure.state["held"]) == ["Contacts.ReadWrite", "User.Read.All"]


def test_revoking_takes_all_away(azure: FakeAzure) -> None:
    azure.change(held=list(ROLES))
    assert azure.run(GRANT, IDENTITY, "--revoke", "--yes").code == 0
    assert azure.state["held"] == []


@pytest.mark.parametrize("arguments", [(), ("tandem-identity",), (IDENTITY, "--everything")])
def test_a_wrong_grant_does_nothing(azure: FakeAzure, arguments: tuple[str, ...]) -> None:
    ran = azure.run(GRANT, *arguments)
    assert (ran.code, ran.calls) == (2, ())


# ------------------------------------------------------------------ uninstall


def test_uninstalling_stops_revokes_and_deletes_in_this_order(azure: FakeAzure) -> None:
    azure.change(held=CONTACTS)
    ran = azure.run("uninstall.sh", "rg", typed="rg\n")
    assert ran.code == 0, ran.said
    assert ran.calls[0] == "stop"
    assert ran.calls[-1] == "delete group"
    assert sorted(ran.calls[1:-1]) == [f"take {name}" for name in CONTACTS]
    assert azure.state["groups"] == []


def test_uninstalling_asks_for_the_name_of_the_group(azure: FakeAzure) -> None:
    ran = azure.run("uninstall.sh", "rg", typed="y\n")
    assert (ran.code, ran.calls) == (1, ())


# ------------------------------------------------------------------ permissions


def permissions() -> dict[str, list[str]]:
    """Permission → kind, Exchange role, reason."""
    lines = (INFRA / "graph-permissions" / "permissions.tsv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "permission\tkind\texchange role\treason"
    return {name: rest for name, *rest in (line.split("\t") for line in lines[1:])}


def test_permissions_are_those_that_the_code_asks_for() -> None:
    named = {
        name
        for path in (ROOT / "sync" / "connectors" / "graph").glob("*.py")
        for name in re.findall(r"\b(?:User|GroupMember|Contacts|MailboxSettings)\.[\w.]*\.?All\b", path.read_text(encoding="utf-8"))
    }
    assert named == {"User.ReadBasic.All", "GroupMember.Read.All"}
    assert named <= set(permissions())


def test_the_administrators_page_lists_every_permission_with_reason_and_way_to_narrow() -> None:
    page = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    section = page.partition("### Permissions in Microsoft Graph")[2].partition("\n#")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("| `")]
    assert [row[0].strip("`") for row in rows] == list(permissions())
    assert all(len(row) == 3 and all(row) for row in rows)
    for row, (_, role, _) in zip(rows, permissions().values(), strict=True):
        assert role in row[2] if role else "Application" not in row[2]


def test_exchange_gives_what_the_grant_leaves_out() -> None:
    script = (INFRA / "graph-permissions" / "narrow-mailboxes.ps1").read_text(encoding="utf-8")
    roles = {kind: role for kind, role, _ in permissions().values() if kind in {"contacts", "category"}}
    assert set(re.findall(r"'(Application [\w.]+)'", script)) == set(roles.values())


def test_what_is_given_is_the_least_that_graph_names_for_what_the_code_asks() -> None:
    data = Path(os.environ.get("TANDEM_CONTRACT_DATA") or ROOT.parent / "shared" / "data") / "graph" / "graph-app-permissions-slice.json"
    if not data.exists():
        pytest.skip("no contract data: set TANDEM_CONTRACT_DATA to the folder that holds graph/graph-app-permissions-slice.json")
    known = json.loads(data.read_text(encoding="utf-8"))
    for path, method, permission in (
        ("/users/{id}/contacts", "POST", "Contacts.ReadWrite"),
        ("/users/{id}/contacts/{id}", "PATCH", "Contacts.ReadWrite"),
        ("/users/{id}/contacts/{id}", "DELETE", "Contacts.ReadWrite"),
        ("/users/{id}/contactfolders", "POST", "Contacts.ReadWrite"),
        ("/users/{id}/outlook/mastercategories", "POST", "MailboxSettings.ReadWrite"),
    ):
        assert f"{permission} (least)" in known[path][method]
