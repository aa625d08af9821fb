"""Who may do what: the exact role assignments, and no way in by key, password or anonymity."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.infra.tools import INFRA, ROOT, SETS, only, resources, snapshot

STORAGE, VAULT, INSIGHTS = "Microsoft.Storage/storageAccounts", "Microsoft.KeyVault/vaults", "Microsoft.Insights/components"
ROLES = {
    "Storage Blob Data Owner": (STORAGE, "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"),
    "Storage Queue Data Contributor": (STORAGE, "974c5e8b-45b9-4653-ba55-5f855dd0fb88"),
    "Storage Table Data Contributor": (STORAGE, "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3"),
    "Monitoring Metrics Publisher": (INSIGHTS, "3913510d-42f4-4e42-8a64-420c390055eb"),
    "Key Vault Secrets User": (VAULT, "4633458b-17de-408a-b874-0445c86b69e6"),
}
PAGE = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")


def properties(name: str, kind: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = only(name, kind)["properties"]
    return found


@pytest.mark.parametrize("name", SETS)
def test_the_identity_has_exactly_these_roles(name: str) -> None:
    identity = only(name, "Microsoft.ManagedIdentity/userAssignedIdentities")["id"]
    given = set()
    for each in resources(name, "Microsoft.Authorization/roleAssignments"):
        scope, _, _ = each["id"].partition("/providers/Microsoft.Authorization/")
        held = each["properties"]
        assert held["principalId"] == f"[reference('{identity}', '2024-11-30').principalId]"
        assert held["principalType"] == "ServicePrincipal"
        given.add((scope, held["roleDefinitionId"].rpartition("/")[2]))
    assert given == {(only(name, kind)["id"], role) for kind, role in ROLES.values()}


def test_the_administrators_page_gives_a_reason_for_each_role() -> None:
    section = PAGE.partition("### Roles in Azure")[2].partition("\n#")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("|")][2:]
    assert {row[0] for row in rows} == set(ROLES)
    assert all(len(row) == 3 and all(row) for row in rows)


@pytest.mark.parametrize("name", SETS)
def test_storage_knows_identities_only(name: str) -> None:
    account = properties(name, STORAGE)
    assert account["allowSharedKeyAccess"] is False
    assert account["allowBlobPublicAccess"] is False
    assert account["supportsHttpsTrafficOnly"] is True
    assert account["minimumTlsVersion"] == "TLS1_2"
    assert account["allowCrossTenantReplication"] is False
    for container in resources(name, f"{STORAGE}/blobServices/containers"):
        assert container["properties"]["publicAccess"] == "None"


@pytest.mark.parametrize("name", SETS)
def test_the_vault_goes_by_roles_and_cannot_be_purged(name: str) -> None:
    vault = properties(name, VAULT)
    assert vault["enableRbacAuthorization"] is True
    assert vault["enablePurgeProtection"] is True
    assert "accessPolicies" not in vault


@pytest.mark.parametrize("name", SETS)
def test_telemetry_and_logs_take_identities_only(name: str) -> None:
    assert properties(name, INSIGHTS)["DisableLocalAuth"] is True
    for workspace in resources(name, "Microsoft.OperationalInsights/workspaces"):
        assert workspace["properties"]["features"]["disableLocalAuth"] is True


@pytest.mark.parametrize("name", SETS)
def test_nobody_publishes_with_a_password(name: str) -> None:
    site = only(name, "Microsoft.Web/sites")
    policies = resources(name, "Microsoft.Web/sites/basicPublishingCredentialsPolicies")
    assert {each["name"] for each in policies} == {f"{site['name']}/ftp", f"{site['name']}/scm"}
    assert all(each["properties"]["allow"] is False for each in policies)
    assert site["properties"]["httpsOnly"] is True


@pytest.mark.parametrize("name", SETS)
def test_no_template_holds_a_secret(name: str) -> None:
    assert not [each for each in snapshot(name)["predictedResources"] if "/secrets" in each["type"] or "/keys" in each["type"]]
    assert "listKeys" not in json.dumps(snapshot(name))
    for template in INFRA.rglob("*.bicep"):
        text = template.read_text(encoding="utf-8")
        assert "listKeys(" not in text
        assert "vaults/secrets" not in text
