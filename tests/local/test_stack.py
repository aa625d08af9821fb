"""The stack gives the product real addresses, under the names a deployment uses."""

import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from local.sample import load_sample
from local.sandbox.world import SALESFORCE
from local.stack.process import ROOT
from local.stack.stack import NEVER, Names, Stack

NAMES = Names(group_id="g", integration_user="i@example.com")
PLATFORM = {"IDENTITY_ENDPOINT", "IDENTITY_HEADER", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NO_PROXY"}
"""What the platform sets, or the machine: not settings of the product."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("stack") / "logs") as stack:
        stack.start_vendors()
        yield stack


def test_every_setting_the_product_gets_is_in_the_example(stack: Stack) -> None:
    example = json.loads((ROOT / "local.settings.example.json").read_text())["Values"]
    assert set(stack.settings(NAMES, NEVER)) - PLATFORM <= set(example)


def test_graph_answers_over_tls_to_a_token_of_the_identity_endpoint_and_to_no_other(stack: Stack) -> None:
    settings = stack.settings(NAMES, NEVER)
    asked = {"resource": settings["GRAPH_ENDPOINT"], "api-version": "2019-08-01"}
    headers = {"X-IDENTITY-HEADER": settings["IDENTITY_HEADER"]}
    context = ssl.create_default_context(cafile=settings["SSL_CERT_FILE"])
    with httpx.Client(verify=context) as http:
        token = http.get(settings["IDENTITY_ENDPOINT"], params=asked, headers=headers).json()["access_token"]
        users = settings["GRAPH_ENDPOINT"] + "/v1.0/users"
        assert http.get(users, headers={"Authorization": f"Bearer {token}"}).status_code == 200
        assert http.get(users, headers={"Authorization": "Bearer made-up"}).status_code == 401
        asked["resource"] = "https://vault.azure.net"
        other = http.get(settings["IDENTITY_ENDPOINT"], params=asked, headers=headers).json()["access_token"]
        assert http.get(users, headers={"Authorization": f"Bearer {other}"}).status_code == 401


def test_the_sample_can_be_loaded_from_another_process(stack: Stack) -> None:
    sample = load_sample(stack.control)
    rows = stack.control.call(SALESFORCE, "records", "Contact")
    owners = {row["OwnerId"] for row in rows}
    assert owners == {stack.control.call(SALESFORCE, "user_id", person.username) for person in sample.people}


def test_the_hash_key_and_private_key_are_what_they_are_called(stack: Stack) -> None:
    settings = stack.settings(NAMES, NEVER)
    assert settings["SALESFORCE_PRIVATE_KEY"].startswith("-----BEGIN PRIVATE KEY-----")
    assert len(settings["SYNC_HASH_KEY"]) == 44


def test_the_logs_are_where_they_are_said_to_be(stack: Stack) -> None:
    assert {path.name for path in Path(stack.directory).iterdir()} >= {"azurite.log", "sandbox.log", "ca.pem"}
