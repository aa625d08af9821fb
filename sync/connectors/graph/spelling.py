"""Directory requests as msgraph-sdk spells them. Imported only where the directory is read: the SDK takes half a second to load.

Only its request builders are used. Its models take milliseconds an object, and its retry handler repeats writes.
"""

import httpx
from kiota_abstractions.authentication import AnonymousAuthenticationProvider
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.request_information import RequestInformation
from msgraph.generated.groups.item.transitive_members.graph_user.graph_user_request_builder import GraphUserRequestBuilder
from msgraph.generated.groups.item.transitive_members.transitive_members_request_builder import TransitiveMembersRequestBuilder
from msgraph.generated.users.item.user_item_request_builder import UserItemRequestBuilder
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient

PROPERTIES = ["id", "userPrincipalName", "mail", "displayName", "accountEnabled"]


class Spelling:
    """Requests as (URL, headers); `base` is the endpoint with `/v1.0`."""

    def __init__(self, base: str, http: httpx.AsyncClient) -> None:
        adapter = GraphRequestAdapter(AnonymousAuthenticationProvider(), client=http)
        adapter.base_url = base
        self._graph = GraphServiceClient(request_adapter=adapter)
        for spell in (self.users_of_group, self.members_of_group, self.user):
            spell("-")  # the SDK imports its builders on first use: now, while its warnings are not heard

    def users_of_group(self, group_id: str) -> tuple[str, dict[str, str]]:
        """The users in a group and in those inside it; cast, count and header belong together (Graph, "List group transitive members")."""
        query = GraphUserRequestBuilder.GraphUserRequestBuilderGetQueryParameters(select=PROPERTIES, count=True, top=999)
        asked = RequestConfiguration(query_parameters=query)
        asked.headers.add("ConsistencyLevel", "eventual")
        members = self._graph.groups.by_group_id(group_id).transitive_members
        url, headers = _sent(members.graph_user.to_get_request_information(asked))
        return url.replace("/graph.user?", "/microsoft.graph.user?"), headers  # the namespace as it is documented, not its alias

    def members_of_group(self, group_id: str) -> tuple[str, dict[str, str]]:
        """Members of every type, for a service that refuses the cast."""
        query = TransitiveMembersRequestBuilder.TransitiveMembersRequestBuilderGetQueryParameters(select=PROPERTIES, top=999)
        members = self._graph.groups.by_group_id(group_id).transitive_members
        return _sent(members.to_get_request_information(RequestConfiguration(query_parameters=query)))

    def user(self, name: str) -> tuple[str, dict[str, str]]:
        """A user by object id or principal name."""
        query = UserItemRequestBuilder.UserItemRequestBuilderGetQueryParameters(select=PROPERTIES)
        user = self._graph.users.by_user_id(name)
        return _sent(user.to_get_request_information(RequestConfiguration(query_parameters=query)))


def _sent(info: RequestInformation) -> tuple[str, dict[str, str]]:
    return info.url, {name: ", ".join(sorted(values)) for name, values in info.headers.get_all().items()}
