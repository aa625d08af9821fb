"""simple-salesforce, signing in by JWT itself, over TLS."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
)
from simple_salesforce.format import format_soql

from local.sandbox.world import SALESFORCE
from tests.judges.conftest import CONSUMER, USERNAME, Tenant, make_keys


class LoginHost(HTTPAdapter):
    """The library signs in at login.salesforce.com, wherever the org is: from there to the sandbox."""

    def __init__(self, origin: str) -> None:
        super().__init__()
        self._origin = origin

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        request.url = self._origin + urlsplit(request.url or "").path
        return super().send(request, *args, **options)


@pytest.fixture
def session(tenant: Tenant) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env, session.verify = False, tenant.ca
        session.mount("https://login.salesforce.com", LoginHost(tenant.salesforce))
        yield session


def sign_in(tenant: Tenant, session: requests.Session, username: str = USERNAME, key: str | None = None) -> Any:
    return Salesforce(username=username, consumer_key=CONSUMER, privatekey=key or tenant.private_key, session=session, version="62.0")


@pytest.fixture
def salesforce(tenant: Tenant, session: requests.Session) -> Any:
    return sign_in(tenant, session)


def test_the_login_is_the_users(tenant: Tenant, salesforce: Any) -> None:
    assert f"https://{salesforce.sf_instance}" == tenant.salesforce
    (row,) = salesforce.query(format_soql("SELECT Id, Username FROM User WHERE Username = {}", USERNAME))["records"]
    assert row["Username"] == USERNAME


@pytest.mark.filterwarnings("ignore::UserWarning")  # the library's advice to people who sign in by hand
def test_a_user_who_is_not_authorised_and_a_wrong_key_are_told_apart(tenant: Tenant, session: requests.Session, salesforce: Any) -> None:
    tenant.control.call(SALESFORCE, "add_user", "stranger@judges.crm.example", preauthorized=False)
    with pytest.raises(SalesforceAuthenticationFailed, match="hasn't approved this consumer"):
        sign_in(tenant, session, "stranger@judges.crm.example")
    with pytest.raises(SalesforceAuthenticationFailed, match="invalid assertion"):
        sign_in(tenant, session, key=make_keys()[0])


def test_a_record_lives_its_life(tenant: Tenant, salesforce: Any) -> None:
    created = salesforce.Contact.create({"LastName": "Røe", "Email": "r@x.example"})
    assert created["success"]
    assert salesforce.Contact.update(created["id"], {"FirstName": "Jo"}) == 204
    assert salesforce.Contact.get(created["id"])["Name"] == "Jo Røe"
    assert salesforce.Contact.upsert("Tandem_Key__c/judged", {"LastName": "Keyed"}) == 201
    assert salesforce.Contact.upsert("Tandem_Key__c/judged", {"LastName": "Keyed again"}) == 200
    assert salesforce.Contact.get_by_custom_id("Tandem_Key__c", "judged")["LastName"] == "Keyed again"
    assert salesforce.Contact.delete(created["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound):
        salesforce.Contact.get(created["id"])


def test_queries_follow_their_pages_with_deleted_rows_or_without(tenant: Tenant, salesforce: Any) -> None:
    ids = [tenant.in_salesforce(f"O'Page {number}") for number in range(9)]
    tenant.control.call(SALESFORCE, f"as_user({USERNAME}).delete", ids[0])
    tenant.control.call(SALESFORCE, "set_knobs", page_rows=4)
    soql = format_soql("SELECT Id, IsDeleted FROM Contact WHERE LastName LIKE {} ORDER BY Id", "O'Page%")
    assert [row["Id"] for row in salesforce.query_all_iter(soql)] == sorted(ids[1:])
    everything = salesforce.query_all(soql, include_deleted=True)
    tenant.control.call(SALESFORCE, "set_knobs", page_rows=2000)
    assert {row["Id"] for row in everything["records"] if row["IsDeleted"]} == {ids[0]}
    assert everything["totalSize"] == 9
    since = format_soql("SELECT Id FROM Contact WHERE SystemModstamp >= {}", datetime(2020, 1, 1, tzinfo=UTC))
    assert salesforce.query(since)["totalSize"] >= 8


def test_describe_is_what_it_expects(salesforce: Any) -> None:
    description = salesforce.Contact.describe()
    fields = {field["name"]: field for field in description["fields"]}
    assert (fields["LastName"]["nillable"], fields["LastName"]["length"]) == (False, 80)
    assert fields["Name"]["createable"] is False
    assert {each["name"] for each in salesforce.describe()["sobjects"]} >= {"Contact", "Account", "User"}


def test_collections_and_composite(tenant: Tenant, salesforce: Any) -> None:
    rows = [{"attributes": {"type": "Contact"}, "LastName": f"Row {number}" if number != 7 else None} for number in range(200)]
    made: Any = salesforce.restful("composite/sobjects", method="POST", json={"allOrNone": False, "records": rows})
    assert [row["success"] for row in made] == [number != 7 for number in range(200)]
    assert made[7]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert made[7]["errors"][0]["fields"] == ["LastName"]
    requests_ = [
        {"method": "PATCH", "url": f"/services/data/v62.0/sobjects/Contact/{made[0]['id']}", "referenceId": "a", "body": {"Title": "CEO"}},
        {"method": "GET", "url": f"/services/data/v62.0/sobjects/Contact/{made[0]['id']}?fields=Title", "referenceId": "b"},
        {"method": "GET", "url": "/services/data/v62.0/sobjects/Contact/003000000000000AAA", "referenceId": "c"},
    ]
    answers = salesforce.restful("composite", method="POST", json={"allOrNone": False, "compositeRequest": requests_})["compositeResponse"]
    assert [answer["httpStatusCode"] for answer in answers] == [204, 200, 404]
    assert answers[1]["body"]["Title"] == "CEO"
    gone = salesforce.restful("composite/sobjects", {"ids": ",".join(row["id"] for row in made[8:108])}, method="DELETE")
    assert all(row["success"] for row in gone)


def test_errors_are_the_ones_it_knows(tenant: Tenant, salesforce: Any) -> None:
    with pytest.raises(SalesforceMalformedRequest) as unknown:
        salesforce.query("SELECT Foo FROM Contact")
    assert errors(unknown) == ["INVALID_FIELD"]
    with pytest.raises(SalesforceMalformedRequest) as too_long:
        salesforce.Contact.create({"LastName": "x" * 81})
    assert errors(too_long) == ["STRING_TOO_LONG"]


def test_an_ended_session_is_answered_so_that_it_signs_in_again(tenant: Tenant, session: requests.Session, salesforce: Any) -> None:
    logins = tenant.control.call(SALESFORCE, "logins")[USERNAME]
    tenant.control.call(SALESFORCE, "expire_sessions")
    assert salesforce.query("SELECT Id FROM Contact LIMIT 1")["done"]
    assert tenant.control.call(SALESFORCE, "logins")[USERNAME] == logins + 1
    by_hand = Salesforce(session_id="00D!ended", instance_url=tenant.salesforce, session=session, version="62.0")
    with pytest.raises(SalesforceExpiredSession):
        by_hand.query("SELECT Id FROM Contact")


def errors(refused: pytest.ExceptionInfo[SalesforceMalformedRequest]) -> list[str]:
    content: Any = refused.value.content
    return [each["errorCode"] for each in content]
