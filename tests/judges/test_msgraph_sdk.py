"""Microsoft's SDK for Graph, with its typed models and its own authentication provider."""

import json
import time
from collections.abc import AsyncIterator
from typing import Any, TypeVar

import httpx
import pytest
from azure.core.credentials import AccessToken
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.request_information import RequestInformation
from kiota_abstractions.serialization import Parsable, ParsableFactory
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from kiota_serialization_json.json_parse_node_factory import JsonParseNodeFactory
from msgraph.generated.models.contact import Contact
from msgraph.generated.models.contact_folder import ContactFolder
from msgraph.generated.models.email_address import EmailAddress
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.physical_address import PhysicalAddress
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient

from tests.judges.conftest import Tenant

# The SDK warns of names in its own generated code.
pytestmark = [
    pytest.mark.filterwarnings("ignore:GetQueryParameters is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:This class is deprecated. Please use the generic RequestConfiguration:DeprecationWarning"),
]
Model = TypeVar("Model", bound=Parsable)


class Identity:
    """What azure-identity would be: the token of the sandbox's identity endpoint."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        return AccessToken(self._token, int(time.time()) + 3600)

    async def close(self) -> None: ...


@pytest.fixture
async def http(tenant: Tenant) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(verify=tenant.context, trust_env=False) as client:
        yield client


@pytest.fixture
def adapter(tenant: Tenant, http: httpx.AsyncClient) -> GraphRequestAdapter:
    identity: Any = Identity(tenant.token)
    provider = AzureIdentityAuthenticationProvider(identity, scopes=[f"{tenant.graph}/.default"], allowed_hosts=["127.0.0.1"])
    adapter = GraphRequestAdapter(provider, client=http)
    adapter.base_url = f"{tenant.graph}/v1.0"
    return adapter


@pytest.fixture
def graph(adapter: GraphRequestAdapter) -> GraphServiceClient:
    return GraphServiceClient(request_adapter=adapter)


def prefer(*more: str) -> RequestConfiguration[Any]:
    configuration: RequestConfiguration[Any] = RequestConfiguration()
    for text in ('IdType="ImmutableId"', *more):
        configuration.headers.add("Prefer", text)
    return configuration


async def test_a_contact_is_made_read_changed_and_deleted(tenant: Tenant, graph: GraphServiceClient) -> None:
    contacts = graph.users.by_user_id(tenant.mailbox).contact_folders.by_contact_folder_id(tenant.folder).contacts
    made = await contacts.post(
        Contact(
            given_name="Zoë",
            surname="Größl",
            email_addresses=[EmailAddress(address="zoe@x.example", name="Zoë")],
            business_address=PhysicalAddress(city="Köln", country_or_region="Deutschland"),
            categories=["Salesforce"],
        ),
        prefer(),
    )
    assert made is not None
    assert made.id is not None
    read = await contacts.by_contact_id(made.id).get(prefer())
    assert read is not None
    assert (read.given_name, read.surname, read.categories) == ("Zoë", "Größl", ["Salesforce"])
    assert read.business_address is not None
    assert read.business_address.city == "Köln"
    assert read.last_modified_date_time is not None
    with_etag = prefer()
    with_etag.headers.add("If-Match", read.additional_data["@odata.etag"])
    changed = await contacts.by_contact_id(made.id).patch(Contact(job_title="Chefin"), with_etag)
    assert changed is not None
    assert (changed.job_title, changed.id) == ("Chefin", made.id)
    with pytest.raises(ODataError) as stale:
        await contacts.by_contact_id(made.id).patch(Contact(job_title="Zu spät"), with_etag)
    assert stale.value.response_status_code == 412
    await contacts.by_contact_id(made.id).delete()
    with pytest.raises(ODataError) as gone:
        await contacts.by_contact_id(made.id).get(prefer())
    assert gone.value.error is not None
    assert (gone.value.response_status_code, gone.value.error.code) == (404, "ErrorItemNotFound")


async def test_a_delta_is_followed_to_its_end_and_from_there(tenant: Tenant, graph: GraphServiceClient) -> None:
    folder = tenant.new_folder("Delta")
    ids = [tenant.in_outlook(str(number), folder) for number in range(7)]
    delta = graph.users.by_user_id(tenant.mailbox).contact_folders.by_contact_folder_id(folder).contacts.delta
    page, seen = await delta.get(prefer("odata.maxpagesize=3")), list[str | None]()
    pages = 0
    while page is not None:
        pages += 1
        seen += [contact.id for contact in page.value or []]
        if page.odata_next_link is None:
            break
        assert page.odata_next_link.startswith(tenant.graph)
        page = await delta.with_url(page.odata_next_link).get(prefer("odata.maxpagesize=3"))
    assert seen == ids
    assert pages > 1
    assert page is not None
    assert page.odata_delta_link is not None
    tenant.delete_in_outlook(ids[2])
    page = await delta.with_url(page.odata_delta_link).get(prefer())
    assert page is not None
    assert [(contact.id, contact.additional_data["@removed"]) for contact in page.value or []] == [(ids[2], {"reason": "deleted"})]


async def test_steps_that_the_sdk_spelled_go_in_one_batch_and_its_models_read_the_answers(
    tenant: Tenant, graph: GraphServiceClient, adapter: GraphRequestAdapter, http: httpx.AsyncClient
) -> None:
    user = graph.users.by_user_id(tenant.mailbox)
    folder = user.contact_folders.by_contact_folder_id(tenant.folder)
    steps = [folder.contacts.to_post_request_information(Contact(surname=f"Batch {number}"), prefer()) for number in range(18)]
    steps.append(user.contact_folders.by_contact_folder_id(tenant.folder).to_get_request_information())
    steps.append(folder.contacts.by_contact_id("AAMkNothing").to_get_request_information(prefer()))
    envelope = {"requests": [step_of(str(number), step, adapter) for number, step in enumerate(steps)]}
    answer = await http.post(f"{tenant.graph}/v1.0/$batch", json=envelope, headers={"Authorization": f"Bearer {tenant.token}"})
    assert answer.status_code == 200
    answers = {each["id"]: each for each in answer.json()["responses"]}
    assert len(answers) == 20
    made = [read_as(Contact, answers[str(number)]) for number in range(18)]
    assert [contact.surname for contact in made] == [f"Batch {number}" for number in range(18)]
    assert {answers[str(number)]["status"] for number in range(18)} == {201}
    assert read_as(ContactFolder, answers["18"]).id is not None
    assert answers["19"]["status"] in (400, 404)
    refused = read_as(ODataError, answers["19"])
    assert refused.error is not None
    assert refused.error.code


def step_of(number: str, request: RequestInformation, adapter: GraphRequestAdapter) -> dict[str, Any]:
    request.path_parameters["baseurl"] = adapter.base_url
    step: dict[str, Any] = {"id": number, "method": str(request.http_method.value), "url": request.url.removeprefix(adapter.base_url)}  # type: ignore[union-attr]
    step["headers"] = {name: ", ".join(sorted(values)) for name, values in request.headers.get_all().items()}
    if request.content:
        step["body"] = json.loads(request.content)
    return step


def read_as(model: type[Model], answer: dict[str, Any]) -> Model:
    factory: ParsableFactory[Model] = model  # type: ignore[assignment]
    node = JsonParseNodeFactory().get_root_parse_node("application/json", json.dumps(answer["body"]).encode())
    read = node.get_object_value(factory)
    assert isinstance(read, model)
    return read


async def test_what_is_no_property_is_refused_in_the_shape_the_sdk_knows(tenant: Tenant, graph: GraphServiceClient) -> None:
    contacts = graph.users.by_user_id(tenant.mailbox).contacts
    with pytest.raises(ODataError) as refused:
        await contacts.post(Contact(surname="X", additional_data={"faxNumber": "1"}))
    assert refused.value.response_status_code == 400
    assert refused.value.error is not None
    assert refused.value.error.code
    assert refused.value.error.inner_error is not None
    assert refused.value.error.inner_error.request_id
