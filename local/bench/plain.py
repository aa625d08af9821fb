"""The same work done the straightforward way, in a process of its own: what the product's cost is compared with.

msgraph-sdk with its typed models and one call a contact, simple-salesforce with one call a record, azure-data-tables with one call a
link. It does less than the product does: it looks for no record that is there already, takes no claim, keeps no journal and survives
nothing. Clients, connections and tokens are made once and kept, as the product keeps them.
"""

import os
import warnings
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import jwt
import requests
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableServiceClient
from azure.identity.aio import DefaultAzureCredential
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph.generated.models.contact import Contact
from msgraph.generated.models.email_address import EmailAddress
from msgraph.generated.models.physical_address import PhysicalAddress
from msgraph.generated.models.single_value_legacy_extended_property import SingleValueLegacyExtendedProperty
from msgraph.generated.users.item.contact_folders.item.contacts.contacts_request_builder import ContactsRequestBuilder
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient
from simple_salesforce.api import Salesforce

from local.bench.child import Answer, serve
from local.bench.gauge import Gauge

STORAGE = "AzureWebJobsStorage"
TABLE = "PlainLinks"
PAGE = 200
WARM_UP = 3
"""Quiet rounds before those that are measured."""
VERSION = "62.0"
IMMUTABLE = 'IdType="ImmutableId"'
STAMP = "String {6f0d8ee0-5bf3-4c4e-9b1f-6c8a3b1d5e27} Name PlainSalesforceId"
FIELDS = (
    *("Id", "SystemModstamp", "Salutation", "FirstName", "LastName", "Email", "Phone", "MobilePhone", "HomePhone", "Fax"),
    *("Title", "Department", "AssistantName", "Birthdate", "Description", "Account.Name"),
    *("MailingStreet", "MailingCity", "MailingState", "MailingPostalCode", "MailingCountry"),
)
Record = Mapping[str, Any]


class Plain:
    def __init__(self) -> None:
        endpoint = os.environ["GRAPH_ENDPOINT"]
        identity = AzureIdentityAuthenticationProvider(DefaultAzureCredential(), scopes=[f"{endpoint}/.default"])
        adapter = GraphRequestAdapter(identity)
        adapter.base_url = f"{endpoint}/v1.0"
        self._graph = GraphServiceClient(request_adapter=adapter)
        self._tables = TableServiceClient.from_connection_string(os.environ[STORAGE])
        self._links = self._tables.get_table_client(TABLE)
        self._crm: dict[str, Salesforce] = {}
        self._owners: dict[str, str] = {}
        self._linked: dict[str, str] = {}
        self._ahead = timedelta()
        self._gauge = Gauge()
        self._calls = 0

    async def ahead(self, seconds: float) -> Answer:
        """Log in with a clock that is so many seconds ahead of the real one, as the sandbox's is."""
        self._ahead = timedelta(seconds=seconds)
        return {}

    # ----------------------------------------------------------------- what is compared

    async def first_to_outlook(self, username: str, upn: str, folder: str, count: int) -> Answer:
        """Read `count` contacts of a Salesforce user, create each in Outlook, and keep each link."""
        crm, contacts = await self._begin(username, upn, folder)
        found = crm.query_all(f"SELECT {','.join(FIELDS)} FROM Contact WHERE OwnerId = '{self._owners[crm.session_id]}' LIMIT {count}")[
            "records"
        ]
        for record in found:
            made = await contacts.post(typed(record), immutable())
            assert made is not None
            await self._keep(upn, record["Id"], made, record["SystemModstamp"])
        return self._end(len(found))

    async def first_to_salesforce(self, username: str, upn: str, folder: str, count: int) -> Answer:
        """Read `count` contacts of a folder, create each in Salesforce, and keep each link."""
        crm, contacts = await self._begin(username, upn, folder)
        items, _ = await self._delta(contacts, count)
        for item in items:
            made = contact_type(crm).create(plain(item))
            await self._keep(upn, made["id"], item, "")
        return self._end(len(items))

    async def update_outlook(self, username: str, upn: str, folder: str, count: int) -> Answer:
        """Read `count` records as if they had changed, write each to Outlook, and keep each link."""
        crm, contacts = await self._begin(username, upn, folder)
        chosen = f"SELECT {','.join(FIELDS)} FROM Contact WHERE OwnerId = '{self._owners[crm.session_id]}' LIMIT {count}"
        found = crm.query_all(chosen)["records"]
        for record in found:
            link = await self._link(upn, record["Id"])
            item = await contacts.by_contact_id(link["OutlookId"]).patch(typed(record), immutable())
            assert item is not None
            await self._keep(upn, record["Id"], item, record["SystemModstamp"])
        return self._end(len(found))

    async def update_salesforce(self, username: str, upn: str, folder: str, count: int) -> Answer:
        """Read `count` contacts of the folder as if they had changed, write each to Salesforce, and keep each link."""
        crm, contacts = await self._begin(username, upn, folder)
        items, _ = await self._delta(contacts, count)
        for item in items:
            link = await self._link(upn, self._linked[str(item.id)])
            contact_type(crm).update(link["RowKey"], plain(item))
            await self._keep(upn, link["RowKey"], item, "")
        return self._end(len(items))

    async def quiet(self, username: str, upn: str, folder: str, times: int) -> Answer:
        """`times`: one delta GET, one query, five point reads. What goes before, the first delta and the links, is not measured."""
        crm, contacts = await self._begin(username, upn, folder)
        _, link = await self._delta(contacts, 1_000_000)
        mine = f"OwnerId = '{self._owners[crm.session_id]}'"
        query = f"SELECT {','.join(FIELDS)} FROM Contact WHERE {mine} AND SystemModstamp > 2099-01-01T00:00:00Z"
        for number in range(5):
            await self._links.upsert_entity({"PartitionKey": upn, "RowKey": f"state-{number}", "State": "x" * 500})
        for number in range(-WARM_UP, times):
            if number == 0:
                self._start()
            page = await contacts.delta.with_url(link).get(immutable())
            assert page is not None
            link = page.odata_delta_link or ""
            crm.query(query)
            for row in range(5):
                await self._links.get_entity(upn, f"state-{row}")
                self._calls += 1
        return self._end(times)

    async def fan_out(self, group: str, count: int) -> Answer:
        """Read the whole group, then look up each of `count` members in Salesforce and keep a row of each."""
        await self._tables.create_table_if_not_exists(TABLE)
        crm = self._log_in(os.environ["SALESFORCE_USERNAME"])
        self._start()
        people: list[Any] = []
        page = await self._graph.groups.by_group_id(group).transitive_members.graph_user.get(advanced())
        while page is not None:
            people += page.value or []
            if not page.odata_next_link:
                break
            page = await self._graph.groups.by_group_id(group).transitive_members.graph_user.with_url(page.odata_next_link).get(advanced())
        everybody = self._gauge.read()
        self._start()
        for person in people[:count]:
            found = crm.query(f"SELECT Id, Username, IsActive FROM User WHERE FederationIdentifier = '{person.user_principal_name}'")
            user = found["records"][0]["Id"]
            await self._links.upsert_entity({"PartitionKey": "user", "RowKey": person.id, "SalesforceUserId": user}, mode=UpdateMode.MERGE)
            self._calls += 1
        return {**self._end(min(count, len(people))), "listing": everybody, "members": len(people)}

    # ----------------------------------------------------------------- how

    async def _begin(self, username: str, upn: str, folder: str) -> tuple[Salesforce, ContactsRequestBuilder]:
        await self._tables.create_table_if_not_exists(TABLE)
        crm = self._log_in(username)
        contacts = self._graph.users.by_user_id(upn).contact_folders.by_contact_folder_id(folder).contacts
        self._start()
        return crm, contacts

    async def _delta(self, contacts: ContactsRequestBuilder, count: int) -> tuple[list[Contact], str]:
        """Pages of changes until there are `count` contacts or no more; the link to go on with."""
        size = f"odata.maxpagesize={min(count, PAGE)}"
        page = await contacts.delta.get(immutable(size))
        items: list[Contact] = []
        while page is not None:
            items += page.value or []
            if not page.odata_next_link or len(items) >= count:
                return items[:count], page.odata_delta_link or page.odata_next_link or ""
            page = await contacts.delta.with_url(page.odata_next_link).get(immutable(size))
        raise AssertionError("a delta page is missing")

    async def _keep(self, upn: str, salesforce_id: str, item: Contact, stamp: str) -> None:
        seen = sha256(repr([item.given_name, item.surname, item.job_title, item.mobile_phone]).encode()).hexdigest()
        row = {"PartitionKey": upn, "RowKey": salesforce_id, "OutlookId": item.id, "Etag": item.change_key, "Stamp": stamp, "Base": seen}
        await self._links.upsert_entity(row, mode=UpdateMode.REPLACE)
        self._linked[str(item.id)] = salesforce_id
        self._calls += 1

    async def _link(self, upn: str, salesforce_id: str) -> Mapping[str, Any]:
        self._calls += 1
        return await self._links.get_entity(upn, salesforce_id)

    def _log_in(self, username: str) -> Salesforce:
        """One login for each user; simple-salesforce's own knows the public login addresses only."""
        if username not in self._crm:
            origin, now = os.environ["SALESFORCE_LOGIN_URL"], datetime.now(UTC) + self._ahead
            claims: dict[str, Any] = {"iss": os.environ["SALESFORCE_CLIENT_ID"], "sub": username, "aud": os.environ["SALESFORCE_AUDIENCE"]}
            claims["exp"] = now + timedelta(minutes=3)
            assertion = jwt.encode(claims, os.environ["SALESFORCE_PRIVATE_KEY"], algorithm="RS256")
            form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
            token = requests.post(f"{origin}/services/oauth2/token", data=form, timeout=60).json()
            crm = Salesforce(
                session_id=token["access_token"], instance_url=token["instance_url"], session=requests.Session(), version=VERSION
            )
            self._owners[crm.session_id] = token["id"].rpartition("/")[2]
            self._crm[username] = crm
        return self._crm[username]

    def _start(self) -> None:
        self._calls = 0
        self._gauge.start()

    def _end(self, records: int) -> Answer:
        return {**self._gauge.read(), "tables": {"call": self._calls}, "records": records}


def contact_type(crm: Salesforce) -> Any:
    """`crm.Contact`, which is made by name at run time."""
    return crm.Contact


def immutable(*more: str) -> RequestConfiguration[Any]:
    configuration: RequestConfiguration[Any] = RequestConfiguration()
    configuration.headers.add("Prefer", ", ".join([IMMUTABLE, *more]))
    return configuration


def advanced() -> RequestConfiguration[Any]:
    """What a cast of a group's members asks for."""
    from msgraph.generated.groups.item.transitive_members.graph_user.graph_user_request_builder import (  # noqa: PLC0415
        GraphUserRequestBuilder,
    )

    query = GraphUserRequestBuilder.GraphUserRequestBuilderGetQueryParameters(
        count=True, top=999, select=["id", "userPrincipalName", "mail", "displayName", "accountEnabled"]
    )
    configuration: RequestConfiguration[Any] = RequestConfiguration(query_parameters=query)
    configuration.headers.add("ConsistencyLevel", "eventual")
    return configuration


def typed(record: Record) -> Contact:
    """A Salesforce record as the SDK's contact."""
    first, last, born = record.get("FirstName"), record.get("LastName"), record.get("Birthdate")
    email, account = record.get("Email"), record.get("Account") or {}
    return Contact(
        title=record.get("Salutation"),
        given_name=first,
        surname=last,
        display_name=" ".join(part for part in (first, last) if part),
        email_addresses=[EmailAddress(address=email, name=email)] if email else [],
        business_phones=present(record.get("Phone")),
        home_phones=present(record.get("HomePhone")),
        mobile_phone=record.get("MobilePhone"),
        job_title=record.get("Title"),
        department=record.get("Department"),
        company_name=account.get("Name"),
        assistant_name=record.get("AssistantName"),
        birthday=datetime.fromisoformat(born).replace(hour=11, minute=59, tzinfo=UTC) if born else None,
        personal_notes=record.get("Description"),
        business_address=PhysicalAddress(
            street=record.get("MailingStreet"),
            city=record.get("MailingCity"),
            state=record.get("MailingState"),
            postal_code=record.get("MailingPostalCode"),
            country_or_region=record.get("MailingCountry"),
        ),
        categories=["Salesforce"],
        single_value_extended_properties=[SingleValueLegacyExtendedProperty(id=STAMP, value=record["Id"])],
    )


def plain(item: Contact) -> dict[str, Any]:
    """The SDK's contact as a Salesforce record."""
    address = item.business_address or PhysicalAddress()
    emails, phones, homes = item.email_addresses or [], item.business_phones or [], item.home_phones or []
    return {
        "Salutation": item.title,
        "FirstName": item.given_name,
        "LastName": item.surname,
        "Email": emails[0].address if emails else None,
        "Phone": first(phones),
        "HomePhone": first(homes),
        "MobilePhone": item.mobile_phone,
        "Title": item.job_title,
        "Department": item.department,
        "AssistantName": item.assistant_name,
        "Birthdate": item.birthday.date().isoformat() if item.birthday else None,
        "Description": item.personal_notes,
        "MailingStreet": address.street,
        "MailingCity": address.city,
        "MailingState": address.state,
        "MailingPostalCode": address.postal_code,
        "MailingCountry": address.country_or_region,
    }


def present(value: Any) -> list[Any]:
    return [value] if value else []


def first(values: Sequence[str]) -> str | None:
    return values[0] if values else None


def _open() -> dict[str, Any]:
    warnings.simplefilter("ignore", DeprecationWarning)  # msgraph-sdk warns of its own generated code
    work = Plain()
    return {
        "first_to_outlook": work.first_to_outlook,
        "first_to_salesforce": work.first_to_salesforce,
        "update_outlook": work.update_outlook,
        "update_salesforce": work.update_salesforce,
        "ahead": work.ahead,
        "quiet": work.quiet,
        "fan_out": work.fan_out,
    }


if __name__ == "__main__":
    serve(_open)
