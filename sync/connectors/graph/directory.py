"""Who syncs: the members of a group and single people, from the tenant's directory."""

import logging
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from shared.errors import Code, Permanent, SyncError, Temporary
from sync.connectors.graph.client import GraphClient
from sync.connectors.graph.errors import codes_of, read_error
from sync.connectors.graph.reply import Reply, SubRequest
from sync.ports import Person

if TYPE_CHECKING:
    import httpx

    from sync.connectors.graph.spelling import Spelling

USER = "#microsoft.graph.user"
MAX_PAGES = 1_000

log = logging.getLogger(__name__)


class GraphDirectory:
    """`http` is only what the SDK is built on; every request goes through `client`."""

    def __init__(self, client: GraphClient, http: "httpx.AsyncClient") -> None:
        self._client, self._http = client, http
        self._spelling: Spelling | None = None

    async def members(self, group_id: str) -> Sequence[Person]:
        """The users of a group, those of nested groups too, each once."""
        if not group_id.strip():
            raise Permanent(Code.GROUP_NOT_FOUND, "SYNC_GROUP_ID is empty")
        url, headers = self._spell.users_of_group(group_id.strip())
        reply = await self._client.request("GET", self._client.relative(url), headers=headers)
        if reply.status == 400 and "request_unsupportedquery" in {code.lower() for code in codes_of(reply.body)}:
            url, headers = self._spell.members_of_group(group_id.strip())
            reply = await self._client.request("GET", self._client.relative(url), headers=headers)
        people: dict[str, Person] = {}
        for _ in range(MAX_PAGES):
            if not reply.ok:
                raise _refused(reply, group=True)
            for row in reply.values:
                if row.get("@odata.type", USER) == USER and isinstance(row.get("id"), str):
                    people[row["id"]] = _person(row)
            link = reply.link("@odata.nextLink")
            if not link:
                return list(people.values())
            reply = await self._client.request("GET", self._client.relative(link), headers=headers)
        raise Temporary(Code.UNAVAILABLE, "Graph does not bring the list of members to an end")

    async def people(self, names: Sequence[str]) -> Mapping[str, Person | None]:
        """Look up by object id or principal name, 20 to a request; None where the directory has nobody of that name."""
        asked = [name for name in dict.fromkeys(names) if name.strip()]
        requests = []
        for name in asked:
            url, headers = self._spell.user(name.strip())
            requests.append(SubRequest(method="GET", url=self._client.relative(url), headers=headers))
        found: dict[str, Person | None] = dict.fromkeys(names)
        for name, reply in zip(asked, await self._client.batch("", requests), strict=True):
            if reply.ok and isinstance(reply.body, dict) and isinstance(reply.body.get("id"), str):
                found[name] = _person(reply.body)
            elif reply.fault is not None or reply.status not in {400, 404}:
                raise _refused(reply, group=False)
        return found

    @property
    def _spell(self) -> "Spelling":
        if self._spelling is None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # the SDK's own modules use what its core has deprecated
                from sync.connectors.graph.spelling import Spelling  # noqa: PLC0415 - half a second, and only the planner needs it

                self._spelling = Spelling(self._client.base, self._http)
        return self._spelling


def _person(row: Mapping[str, Any]) -> Person:
    """Without a permission for users, Graph names members but leaves their properties empty ("List group transitive members")."""
    name = row.get("userPrincipalName")
    if not isinstance(name, str) or not name:
        raise Permanent(Code.GRAPH_PERMISSION_MISSING, "Graph shows users without their properties: grant User.ReadBasic.All")
    return Person(
        id=str(row["id"]),
        principal_name=name,
        mail=str(row.get("mail") or ""),
        name=str(row.get("displayName") or ""),
        enabled=row.get("accountEnabled") is not False,  # User.ReadBasic.All does not show it
    )


def _refused(reply: Reply, *, group: bool) -> SyncError:
    error = read_error(reply)
    permission = "GroupMember.Read.All" if group else "User.ReadBasic.All"
    if reply.fault is None and reply.status == 403:
        codes = codes_of(reply.body)
        return Permanent(Code.GRAPH_PERMISSION_MISSING, f"Graph answered 403 {codes[0] if codes else ''}: grant {permission}")
    if reply.fault is None and group and reply.status in {400, 404}:
        return Permanent(Code.GROUP_NOT_FOUND, f"Graph answered {reply.status}: SYNC_GROUP_ID names no group")
    return error if isinstance(error, SyncError) else Temporary(Code.UNAVAILABLE, f"Graph answered {reply.status} to the directory")
