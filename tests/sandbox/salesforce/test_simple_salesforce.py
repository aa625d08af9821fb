"""A client nobody here wrote agrees with the simulator."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceExpiredSession, SalesforceMalformedRequest, SalesforceResourceNotFound
from simple_salesforce.format import format_soql

from local.sandbox.http import Request
from local.sandbox.salesforce import SalesforceSandbox

from .conftest import ALICE, CONSUMER, NOON, ORIGIN, Client, World


class InProcess(BaseAdapter):
    """Answers requests from the simulator, without a socket."""

    def __init__(self, sandbox: SalesforceSandbox) -> None:
        super().__init__()
        self._sandbox = sandbox

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        body = request.body or b""
        headers: Mapping[str, str] = {name.lower(): str(value) for name, value in request.headers.items()}
        answer = self._sandbox.handle(
            Request(
                method=request.method or "GET",
                url=request.url or "",
                headers=headers,
                body=body.encode() if isinstance(body, str) else bytes(body),
            )
        )
        response = requests.Response()
        response.status_code = answer.status
        response.headers.update(answer.headers)
        response._content = answer.body
        response.url = request.url or ""
        response.request = request
        return response

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def session(world: World) -> requests.Session:
    session = requests.Session()
    session.mount("https://", InProcess(world.sandbox))
    return session


@pytest.fixture
def salesforce(alice: Client, session: requests.Session) -> Any:
    token = alice.ask_token().json()
    return Salesforce(session_id=token["access_token"], instance_url=token["instance_url"], session=session, version="62.0")


def test_it_signs_in_by_jwt_itself(world: World, session: requests.Session) -> None:
    world.clock.advance((datetime.now(UTC) - NOON).total_seconds())
    world.sandbox.sign_in.origin = ORIGIN
    client = Salesforce(username=ALICE, consumer_key=CONSUMER, privatekey=world.keys.private, session=session, version="62.0")
    assert client.query("SELECT Id FROM Contact")["totalSize"] == 0
    assert world.sandbox.logins[ALICE] == 1


def test_it_creates_reads_updates_and_deletes(world: World, salesforce: Any) -> None:
    created = salesforce.Contact.create({"LastName": "Roe", "Email": "r@x.example"})
    assert created["success"]
    assert salesforce.Contact.update(created["id"], {"FirstName": "Jo"}) == 204
    assert salesforce.Contact.get(created["id"])["Name"] == "Jo Roe"
    assert salesforce.Contact.upsert("Tandem_Key__c/k", {"LastName": "Keyed"}) == 201
    assert salesforce.Contact.get_by_custom_id("Tandem_Key__c", "k")["LastName"] == "Keyed"
    assert salesforce.Contact.delete(created["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound):
        salesforce.Contact.get(created["id"])
    now = datetime(2026, 1, 1, 12, 10, tzinfo=UTC)
    gone = salesforce.Contact.deleted(datetime(2026, 1, 1, 11, 0, tzinfo=UTC), now)
    assert [each["id"] for each in gone["deletedRecords"]] == [created["id"]]
    assert world.sandbox.calls[ALICE] == 8


def test_it_pages_through_everything(world: World, salesforce: Any) -> None:
    for index in range(7):
        world.contact(last_name=f"O'Hara {index}")
    world.sandbox.knobs.page_rows = 3
    rows = list(salesforce.query_all_iter(format_soql("SELECT Id FROM Contact WHERE LastName LIKE {} ORDER BY Id", "O'Hara%")))
    assert len(rows) == 7
    assert len(salesforce.query_all("SELECT Id FROM Contact", include_deleted=True)["records"]) == 7
    assert (
        salesforce.query(format_soql("SELECT Id FROM Contact WHERE CreatedDate >= {}", datetime(2026, 1, 1, tzinfo=UTC)))["totalSize"] == 7
    )


def test_it_describes(salesforce: Any) -> None:
    description = salesforce.Contact.describe()
    assert description["keyPrefix"] == "003"
    assert {each["name"] for each in salesforce.describe()["sobjects"]} >= {"Contact", "Account", "Lead", "User"}
    assert salesforce.limits()["DailyApiRequests"]["Remaining"] > 0


def test_it_passes_collections_and_composites_through(world: World, salesforce: Any) -> None:
    rows = [{"attributes": {"type": "Contact"}, "LastName": f"N{index}"} for index in range(200)]
    created = salesforce.restful("composite/sobjects", method="POST", json={"allOrNone": False, "records": rows})
    assert all(row["success"] for row in created)
    assert salesforce.restful("composite/sobjects", {"ids": created[0]["id"]}, method="DELETE")[0]["success"]


def test_it_knows_the_errors(world: World, salesforce: Any) -> None:
    with pytest.raises(SalesforceMalformedRequest) as refused:
        salesforce.query("SELECT Foo FROM Contact")
    assert "INVALID_FIELD" in str(refused.value)
    world.sandbox.expire_sessions()
    with pytest.raises(SalesforceExpiredSession):
        salesforce.query("SELECT Id FROM Contact")
    assert ORIGIN.endswith(salesforce.sf_instance)
