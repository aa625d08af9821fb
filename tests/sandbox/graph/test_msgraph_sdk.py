"""A client nobody here wrote: Microsoft's SDK with its typed models, over an httpx transport that calls the simulator."""

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from kiota_abstractions.authentication import AccessTokenProvider, AllowedHostsValidator, BaseBearerTokenAuthenticationProvider
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph.generated.models.contact import Contact
from msgraph.generated.models.contact_folder import ContactFolder
from msgraph.generated.models.email_address import EmailAddress
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.outlook_category import OutlookCategory
from msgraph.generated.models.physical_address import PhysicalAddress
from msgraph.generated.models.single_value_legacy_extended_property import SingleValueLegacyExtendedProperty
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient

from tests.sandbox.graph.asking import IMMUTABLE, STAMP, Tenant
from tests.transports_httpx import ServiceTransport

# The SDK warns of names in its own generated code.
pytestmark = [
    pytest.mark.filterwarnings("ignore:GetQueryParameters is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:This class is deprecated. Please use the generic RequestConfiguration:DeprecationWarning"),
]


class OneToken(AccessTokenProvider):
    def __init__(self, token: str) -> None:
        self._token = token

    async def get_authorization_token(self, uri: str, additional_authentication_context: dict[str, Any] | None = None) -> str:
        return self._token

    def get_allowed_hosts_validator(self) -> AllowedHostsValidator:
        return AllowedHostsValidator(["graph.microsoft.com"])


@pytest.fixture
async def client(tenant: Tenant) -> AsyncIterator[GraphServiceClient]:
    http = httpx.AsyncClient(transport=ServiceTransport(tenant.graph), base_url="https://graph.microsoft.com/v1.0")
    adapter = GraphRequestAdapter(BaseBearerTokenAuthenticationProvider(OneToken(tenant.token)), client=http)
    yield GraphServiceClient(request_adapter=adapter)
    await http.aclose()


def immutable() -> RequestConfiguration[Any]:
    configuration: RequestConfiguration[Any] = RequestConfiguration()
    configuration.headers.add("Prefer", IMMUTABLE)
    return configuration


async def test_the_sdk_makes_reads_changes_and_deletes_a_contact(tenant: Tenant, client: GraphServiceClient) -> None:
    contacts = client.users.by_user_id(tenant.anna).contact_folders.by_contact_folder_id(tenant.folder).contacts
    made = await contacts.post(
        Contact(
            given_name="Jörg",
            surname="Öztürk",
            email_addresses=[EmailAddress(name="J", address="j@x.example")],
            business_phones=["+43 1 2"],
            home_address=PhysicalAddress(city="Wien"),
            categories=["Salesforce"],
            birthday=datetime(1974, 7, 22, tzinfo=UTC),
            single_value_extended_properties=[SingleValueLegacyExtendedProperty(id=STAMP, value="Crm:1")],
        ),
        immutable(),
    )
    assert made is not None
    assert made.id is not None
    assert (made.display_name, made.categories, made.birthday) == ("Jörg Öztürk", ["Salesforce"], datetime(1974, 7, 22, tzinfo=UTC))
    assert made.home_address is not None
    assert made.home_address.city == "Wien"
    assert made.email_addresses is not None
    assert made.email_addresses[0].address == "j@x.example"
    assert made.additional_data["@odata.etag"] == f'W/"{made.change_key}"'
    changed = await contacts.by_contact_id(made.id).patch(Contact(job_title="Chef", additional_data={"businessPhones": []}), immutable())
    assert changed is not None
    assert (changed.job_title, changed.business_phones, changed.id) == ("Chef", [], made.id)
    await contacts.by_contact_id(made.id).delete()
    with pytest.raises(ODataError) as refusal:
        await contacts.by_contact_id(made.id).get()
    assert refusal.value.error is not None
    assert (refusal.value.response_status_code, refusal.value.error.code) == (404, "ErrorItemNotFound")
    assert refusal.value.error.inner_error is not None
    assert refusal.value.error.inner_error.request_id


async def test_the_sdk_follows_a_delta_through_all_its_pages(tenant: Tenant, client: GraphServiceClient) -> None:
    for number in range(5):
        tenant.make(surname=str(number))
    delta = client.users.by_user_id(tenant.anna).contact_folders.by_contact_folder_id(tenant.folder).contacts.delta
    configuration = immutable()
    configuration.headers.add("Prefer", "odata.maxpagesize=2")
    page = await delta.get(configuration)
    names: list[str | None] = []
    while page is not None:
        names += [contact.surname for contact in page.value or []]
        if page.odata_next_link is None:
            break
        page = await delta.with_url(page.odata_next_link).get(configuration)
    assert names == list("01234")
    assert page is not None
    assert page.odata_delta_link is not None
    gone = tenant.people.contacts(tenant.folder)[0]["id"]
    tenant.people.delete_contact(gone)
    page = await delta.with_url(page.odata_delta_link).get(configuration)
    assert page is not None
    assert page.value is not None
    assert [(contact.id, contact.additional_data["@removed"]) for contact in page.value] == [(gone, {"reason": "deleted"})]


async def test_the_sdk_finds_a_contact_by_its_stamp(tenant: Tenant, client: GraphServiceClient) -> None:
    made = tenant.ask(
        "POST", f"{tenant.at}/contacts", {"surname": "A", "singleValueExtendedProperties": [{"id": STAMP, "value": "Crm:42"}]}
    ).json()
    tenant.ask("POST", f"{tenant.at}/contacts", {"surname": "B"})
    configuration = immutable()
    contacts = client.users.by_user_id(tenant.anna).contacts
    configuration.query_parameters = type(contacts).ContactsRequestBuilderGetQueryParameters(
        filter=f"singleValueExtendedProperties/Any(ep: ep/id eq '{STAMP}' and ep/value eq 'crm:42')",
        expand=[f"singleValueExtendedProperties($filter=id eq '{STAMP}')"],
        select=["id", "surname"],
        top=5,
    )
    page = await contacts.get(configuration)
    assert page is not None
    assert page.value is not None
    assert [contact.id for contact in page.value] == [made["id"]]
    stamps = page.value[0].single_value_extended_properties
    assert stamps is not None
    assert [(stamp.id, stamp.value) for stamp in stamps] == [(STAMP, "Crm:42")]


async def test_the_sdk_handles_folders_categories_and_photos(tenant: Tenant, client: GraphServiceClient) -> None:
    user = client.users.by_user_id(tenant.anna)
    folder = await user.contact_folders.post(ContactFolder(display_name="Fresh"))
    assert folder is not None
    assert folder.id is not None
    listed = await user.contact_folders.get()
    assert listed is not None
    assert [one.display_name for one in listed.value or []] == ["Salesforce Contacts", "Fresh"]
    category = await user.outlook.master_categories.post(OutlookCategory(display_name="Salesforce"))
    assert category is not None
    assert (category.display_name, category.color) == ("Salesforce", category.color.None_ if category.color else None)
    contact = tenant.people.create_contact(folder.id, {"surname": "A"})
    content = base64.b64decode("/9j/")
    tenant.people.set_photo(contact, "/9j/")
    assert await user.contacts.by_contact_id(contact).photo.content.get() == content
    await user.contact_folders.by_contact_folder_id(folder.id).delete()
    assert not tenant.people.has_folder("Fresh")


async def test_the_sdk_reads_the_members_of_a_group(tenant: Tenant, client: GraphServiceClient) -> None:
    group = tenant.graph.add_group("G", [tenant.anna])
    configuration: RequestConfiguration[Any] = RequestConfiguration()
    configuration.headers.add("ConsistencyLevel", "eventual")
    people = client.groups.by_group_id(group).transitive_members.graph_user
    configuration.query_parameters = type(people).GraphUserRequestBuilderGetQueryParameters(
        count=True, top=999, select=["id", "mail", "accountEnabled"]
    )
    page = await people.get(configuration)
    assert page is not None
    assert page.odata_count == 1
    assert [(user.id, user.mail, user.account_enabled) for user in page.value or []] == [(tenant.anna, "anna@contoso.com", True)]
