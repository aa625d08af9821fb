"""The plain set has no network. The private one lets nobody in but through four endpoints."""

import pytest

from tests.infra.tools import only, resources, snapshot

NETWORK = "Microsoft.Network/"
SERVICES = {"blob": "privatelink.blob.", "queue": "privatelink.queue.", "table": "privatelink.table.", "vault": "privatelink"}


def test_the_plain_set_has_no_network() -> None:
    assert not [each for each in snapshot("plain")["predictedResources"] if each["type"].startswith(NETWORK)]
    assert only("plain", "Microsoft.Web/sites")["properties"]["virtualNetworkSubnetId"] is None


@pytest.mark.parametrize("kind", ["Microsoft.Storage/storageAccounts", "Microsoft.KeyVault/vaults"])
def test_storage_and_vault_are_closed_to_the_public(kind: str) -> None:
    held = only("private", kind)["properties"]
    assert held["publicNetworkAccess"] == "Disabled"
    assert held["networkAcls"]["defaultAction"] == "Deny"


def test_there_is_an_endpoint_and_a_zone_for_each_service() -> None:
    account, vault = only("private", "Microsoft.Storage/storageAccounts")["id"], only("private", "Microsoft.KeyVault/vaults")["id"]
    subnet = next(each["id"] for each in resources("private", f"{NETWORK}virtualNetworks/subnets") if each["name"].endswith("/endpoints"))
    zones = {each["id"] for each in resources("private", f"{NETWORK}privateDnsZones")}
    groups = {
        each["id"].rpartition("/privateDnsZoneGroups/")[0]: each["properties"]["privateDnsZoneConfigs"]
        for each in resources("private", f"{NETWORK}privateEndpoints/privateDnsZoneGroups")
    }
    found = {}
    for endpoint in resources("private", f"{NETWORK}privateEndpoints"):
        (connection,) = endpoint["properties"]["privateLinkServiceConnections"]
        (service,) = connection["properties"]["groupIds"]
        (zone,) = groups[endpoint["id"]]
        assert endpoint["properties"]["subnet"]["id"] == subnet
        assert SERVICES[service] in zone["properties"]["privateDnsZoneId"]
        found[service] = connection["properties"]["privateLinkServiceId"]
    assert found == {"blob": account, "queue": account, "table": account, "vault": vault}
    assert len(zones) == len(SERVICES)
    assert len(resources("private", f"{NETWORK}privateDnsZones/virtualNetworkLinks")) == len(SERVICES)


def test_the_app_goes_out_through_a_subnet_that_flex_accepts() -> None:
    subnet = next(each for each in resources("private", f"{NETWORK}virtualNetworks/subnets") if each["name"].endswith("/app"))
    assert only("private", "Microsoft.Web/sites")["properties"]["virtualNetworkSubnetId"] == subnet["id"]
    (delegation,) = subnet["properties"]["delegations"]
    assert delegation["properties"]["serviceName"] == "Microsoft.App/environments"
    assert int(subnet["properties"]["addressPrefix"].rpartition("/")[2]) <= 27
    assert "_" not in subnet["name"]


def test_every_subnet_has_rules_that_let_nobody_in_from_outside() -> None:
    rules = {each["id"]: each["properties"]["securityRules"] for each in resources("private", f"{NETWORK}networkSecurityGroups")}
    for subnet in resources("private", f"{NETWORK}virtualNetworks/subnets"):
        own = rules[subnet["properties"]["networkSecurityGroup"]["id"]]
        assert own[-1]["properties"]["access"] == "Deny"
        assert {each["properties"]["sourceAddressPrefix"] for each in own[:-1]} <= {"VirtualNetwork"}


def test_a_workspace_of_ones_own_is_used_and_none_is_made() -> None:
    component = only("private", "Microsoft.Insights/components")["properties"]["WorkspaceResourceId"]
    assert component.endswith("/resourceGroups/shared/providers/Microsoft.OperationalInsights/workspaces/company")
    assert not resources("private", "Microsoft.OperationalInsights/workspaces")
    assert (
        only("plain", "Microsoft.Insights/components")["properties"]["WorkspaceResourceId"]
        == only("plain", "Microsoft.OperationalInsights/workspaces")["id"]
    )
    assert only("private", "Microsoft.Insights/diagnosticSettings")["properties"]["workspaceId"] == component
