"""The function app: what Flex Consumption allows, what it forbids, what it must not start without."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from local.host.settings import load_rules
from sync.messages import QUEUE
from sync.stores import TABLES
from sync.wiring import SECONDS_OF_A_RUN
from tests.infra.tools import ROOT, SETS, compiled, only, resources

FORBIDDEN_SETTINGS = re.compile(
    "FUNCTIONS_WORKER_RUNTIME(_VERSION)?|FUNCTIONS_EXTENSION_VERSION|FUNCTIONS_WORKER_PROCESS_COUNT|SCM_DO_BUILD_DURING_DEPLOYMENT"
    "|ENABLE_ORYX_BUILD|WEBSITE_RUN_FROM_PACKAGE|WEBSITE_CONTENT.*|WEBSITE_VNET_ROUTE_ALL|WEBSITE_DNS_SERVER|WEBSITE_TIME_ZONE|TZ"
    "|AzureWebJobsStorage|.*:.*"
)
FORBIDDEN_SITE_SETTINGS = {"alwaysOn", "linuxFxVersion", "vnetRouteAllEnabled", "functionAppScaleLimit", "ftpsState", "appSettings"}


def site(name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = only(name, "Microsoft.Web/sites")["properties"]
    return found


@pytest.mark.parametrize("name", SETS)
def test_the_plan_is_flex_consumption_and_serves_one_app(name: str) -> None:
    plan = only(name, "Microsoft.Web/serverfarms")
    assert plan["sku"] == {"tier": "FlexConsumption", "name": "FC1"}
    assert plan["properties"] == {"reserved": True}
    assert site(name)["serverFarmId"] == plan["id"]


@pytest.mark.parametrize("name", SETS)
def test_runtime_memory_and_scale_are_values_that_exist(name: str) -> None:
    """The types of the compiler accept nonsense here."""
    config = site(name)["functionAppConfig"]
    assert set(config) == {"deployment", "runtime", "scaleAndConcurrency"}
    assert config["runtime"] == {"name": "python", "version": "3.13"}
    assert config["scaleAndConcurrency"]["instanceMemoryMB"] in {512, 2048, 4096}
    assert 1 <= config["scaleAndConcurrency"]["maximumInstanceCount"] <= 1000


@pytest.mark.parametrize("name", SETS)
def test_the_package_comes_from_the_one_container_by_the_identity(name: str) -> None:
    deployment = site(name)["functionAppConfig"]["deployment"]["storage"]
    identity = only(name, "Microsoft.ManagedIdentity/userAssignedIdentities")["id"]
    assert deployment["type"] == "blobContainer"
    assert deployment["authentication"] == {"type": "UserAssignedIdentity", "userAssignedIdentityResourceId": identity}
    container = only(name, "Microsoft.Storage/storageAccounts/blobServices/containers")
    assert container["name"].endswith("/default/deployment")
    assert deployment["value"].endswith(".primaryEndpoints.blob, 'deployment')]")


@pytest.mark.parametrize("name", SETS)
def test_nothing_that_flex_forbids_is_set(name: str) -> None:
    settings = only(name, "Microsoft.Web/sites/config")["properties"]
    assert not [setting for setting in settings if FORBIDDEN_SETTINGS.fullmatch(setting)]
    assert not FORBIDDEN_SITE_SETTINGS & set(site(name)["siteConfig"])


@pytest.mark.parametrize("name", SETS)
def test_the_identity_is_the_only_one(name: str) -> None:
    identity = only(name, "Microsoft.ManagedIdentity/userAssignedIdentities")["id"]
    assert only(name, "Microsoft.Web/sites")["identity"] == {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}}
    assert site(name)["keyVaultReferenceIdentity"] == identity


@pytest.mark.parametrize("name", SETS)
def test_queues_and_tables_are_those_of_the_code(name: str) -> None:
    account = "Microsoft.Storage/storageAccounts"
    assert {each["name"].rpartition("/")[2] for each in resources(name, f"{account}/queueServices/queues")} == {QUEUE, f"{QUEUE}-poison"}
    assert [each["name"].rpartition("/")[2] for each in resources(name, f"{account}/tableServices/tables")] == list(TABLES)


def test_the_app_waits_for_all_that_it_needs() -> None:
    """A snapshot has no dependsOn: this is read from the compiled template."""
    modules = compiled()["resources"]
    app = modules["app"]
    assert set(app["dependsOn"]) == {"identity", "storage", "vault", "monitoring", "network"}
    assert modules["network"]["condition"] == "[parameters('privateNetwork')]"
    for name, needed in (("storage", "identity"), ("vault", "monitoring"), ("network", "storage"), ("network", "vault")):
        assert needed in modules[name]["dependsOn"]
    needing = json.dumps(app["properties"]["parameters"])
    for name in ("identity", "storage", "vault", "monitoring", "network"):
        assert f"reference('{name}').outputs." in needing, "a dependency without a value is dropped where its resource is conditional"


def test_the_host_lets_a_run_end_and_takes_messages_typed_by_hand() -> None:
    rules = load_rules(ROOT)
    assert rules.function_timeout is not None
    assert rules.function_timeout >= 2 * SECONDS_OF_A_RUN
    assert not rules.queues.base64, "a text that is not Base64 would be moved to the poison queue unseen"
