"""One list of settings: the code's. Templates, the example for this machine, and both pages agree with it."""

import json
import re
from collections.abc import Mapping

import pytest

from shared.settings import KNOWN, STORAGE, load
from tests.infra.tools import ROOT, only, resources
from tests.shared.test_settings import good

HOST_ONLY: Mapping[str, str] = {
    "APPLICATIONINSIGHTS_CONNECTION_STRING": "where the host sends telemetry",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": "that it does so as the identity",
}
"""Settings in Azure that the host reads and the product does not."""
LOCAL_ONLY: Mapping[str, str] = {
    "FUNCTIONS_WORKER_RUNTIME": "Core Tools ask for it; Flex Consumption forbids it",
    STORAGE: "a connection string, which in Azure would need a key of the account",
    "AZURE_TENANT_ID": "a sign-in without a managed identity",
    "AZURE_CLIENT_SECRET": "a sign-in without a managed identity",
}
"""Settings of local.settings.example.json that have no place in Azure, and why."""
AZURE_ONLY: Mapping[str, str] = {
    f"{STORAGE}__accountName": "the account, opened by the identity",
    f"{STORAGE}__credential": "the identity, for the host",
    f"{STORAGE}__clientId": "the identity, for host and product",
}
SOVEREIGN = {f"{STORAGE}__{service}ServiceUri" for service in ("blob", "queue", "table")}
"""In place of the account's name, which works in the public cloud only."""
ELSEWHERE = {"AZURE_CLIENT_CERTIFICATE_PATH": "an alternative of azure-identity, for an app registration of one's own"}
"""Known to the code, set nowhere by us."""

EXAMPLE = json.loads((ROOT / "local.settings.example.json").read_text(encoding="utf-8"))["Values"]


def deployed(name: str) -> dict[str, str]:
    values: dict[str, str] = dict(only(name, "Microsoft.Web/sites/config")["properties"])
    return values


def rows(page: str, heading: str) -> list[list[str]]:
    text = (ROOT / page).read_text(encoding="utf-8")
    section = re.split(r"\n#+ ", text.partition(f"{heading}\n")[2])[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("| `")]


def test_every_setting_of_the_code_has_its_place() -> None:
    shared = set(KNOWN) & set(EXAMPLE) & set(deployed("plain"))
    assert set(KNOWN) == shared | (set(LOCAL_ONLY) - {"FUNCTIONS_WORKER_RUNTIME"}) | set(AZURE_ONLY) | SOVEREIGN | set(ELSEWHERE)


def test_the_plain_set_has_exactly_the_settings_allowed() -> None:
    assert set(deployed("plain")) == (set(EXAMPLE) - set(LOCAL_ONLY)) | set(AZURE_ONLY) | set(HOST_ONLY)


def test_a_sovereign_cloud_names_the_services_one_by_one() -> None:
    assert set(deployed("private")) == set(deployed("plain")) - {f"{STORAGE}__accountName"} | SOVEREIGN
    assert deployed("private")["GRAPH_ENDPOINT"] == "https://graph.microsoft.us"
    assert deployed("plain")["GRAPH_ENDPOINT"] == KNOWN["GRAPH_ENDPOINT"].default


def test_the_example_has_nothing_that_code_or_host_do_not_know() -> None:
    assert set(EXAMPLE) <= set(KNOWN) | set(LOCAL_ONLY)


@pytest.mark.parametrize("page", ["README.md"])
def test_the_readme_lists_the_settings_of_the_code(page: str) -> None:
    assert [row[0].strip("`") for row in rows(page, "## Settings of the app")] == list(KNOWN)


def test_the_administrators_page_lists_what_is_set_in_azure() -> None:
    listed = {row[0].strip("`") for row in rows("docs/deployment.md", "## Settings in Azure")}
    assert listed == set(deployed("plain")) | SOVEREIGN


@pytest.mark.parametrize("name", ["plain", "private"])
def test_secrets_are_references_into_the_vault(name: str) -> None:
    """Unversioned, so that a renewed secret is taken up by itself."""
    vault = only(name, "Microsoft.KeyVault/vaults")["name"]
    secret = {setting for setting, known in KNOWN.items() if known.secret}
    for setting in secret & set(deployed(name)):
        assert re.fullmatch(rf"@Microsoft\.KeyVault\(VaultName={vault};SecretName=[a-z-]+\)", deployed(name)[setting])
    assert {"SALESFORCE_PRIVATE_KEY", "SYNC_HASH_KEY"} == {key for key, value in deployed(name).items() if "KeyVault" in value}


@pytest.mark.parametrize("name", ["plain", "private"])
def test_the_code_accepts_what_is_deployed(name: str) -> None:
    """With the references resolved, as App Service does, and the addresses that only Azure knows."""
    values = deployed(name)
    for setting in ("SALESFORCE_PRIVATE_KEY", "SYNC_HASH_KEY"):
        values[setting] = good()[setting]
    for service in ("blob", "queue", "table"):
        if f"{STORAGE}__{service}ServiceUri" in values:
            values[f"{STORAGE}__{service}ServiceUri"] = f"https://account.{service}.core.usgovcloudapi.net/"
    settings = load(values)
    assert settings.storage.table_endpoint.startswith("https://")
    assert settings.enabled is (name == "plain")


@pytest.mark.parametrize("name", ["plain", "private"])
def test_no_setting_has_a_name_that_flex_rejects(name: str) -> None:
    assert resources(name, "Microsoft.Web/sites/config")[0]["name"].endswith("/appsettings")
    assert all(re.fullmatch(r"[A-Za-z0-9_]+", setting) for setting in deployed(name))
