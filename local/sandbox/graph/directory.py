"""The tenant's people and groups, and the rules of the advanced queries over them.

Sources: learn.microsoft.com/graph/api/group-list-transitivemembers, user-get, graph/aad-advanced-queries. Properties of users
come back as null when the app may not read them; only id and type stay.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from local.sandbox.graph.answers import Refusal, bad_request
from local.sandbox.graph.filters import Sort, parse_filter
from local.sandbox.graph.query import parse_count, parse_select
from local.sandbox.graph.routing import Call, Route
from local.sandbox.http import Response

USER_NAMES = ("displayName", "givenName", "surname", "userPrincipalName", "mail", "jobTitle", "mobilePhone", "officeLocation")
USER_DEFAULT = ("businessPhones", *USER_NAMES, "preferredLanguage")
USER_BASIC = frozenset({"id", "displayName", "givenName", "surname", "mail", "userPrincipalName"})
USER_KNOWN = frozenset({"id", *USER_DEFAULT, "accountEnabled", "companyName", "department", "userType", "createdDateTime"})
GROUP_KNOWN = frozenset({"id", "displayName", "description", "mailEnabled", "securityEnabled"})
GROUP_ROLES = ("GroupMember.Read.All", "Group.Read.All", "Directory.Read.All")
USER_ROLES = ("User.Read.All", "User.ReadBasic.All", "User.ReadWrite.All", "Directory.Read.All")
PAGE, LARGEST_PAGE = 100, 999


@dataclass(slots=True, kw_only=True)
class User:
    """A person of the tenant. `has_mailbox` False: no licence, or on premises; `access_denied`: the app is kept out by policy;
    `full`: the mailbox is over its quota and takes nothing new."""

    id: str
    upn: str
    mail: str | None
    display_name: str
    enabled: bool = True
    has_mailbox: bool = True
    access_denied: bool = False
    full: bool = False
    more: dict[str, Any] = field(default_factory=dict)

    def entity(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "businessPhones": [],
            **dict.fromkeys(("givenName", "surname", "jobTitle", "mobilePhone", "officeLocation", "preferredLanguage")),
            **self.more,
            "displayName": self.display_name,
            "userPrincipalName": self.upn,
            "mail": self.mail,
            "accountEnabled": self.enabled,
        }


@dataclass(slots=True, kw_only=True)
class Group:
    """`history` holds the member ids (users and groups) from each time on; the last entry is now."""

    id: str
    display_name: str
    history: list[tuple[datetime, tuple[str, ...]]]

    @property
    def members(self) -> tuple[str, ...]:
        return self.history[-1][1]

    def members_at(self, moment: datetime) -> tuple[str, ...]:
        known = [members for at, members in self.history if at <= moment]
        return known[-1] if known else ()

    def entity(self) -> dict[str, Any]:
        return {"id": self.id, "displayName": self.display_name, "description": None, "mailEnabled": False, "securityEnabled": True}


class Directory:
    """Users by id and by principal name (without case), groups by id."""

    def __init__(self) -> None:
        self.users: dict[str, User] = {}
        self.groups: dict[str, Group] = {}
        self._by_upn: dict[str, str] = {}

    def add(self, user: User) -> None:
        self.users[user.id] = user
        self._by_upn[user.upn.lower()] = user.id

    def rename(self, user: User, upn: str) -> None:
        del self._by_upn[user.upn.lower()]
        user.upn = upn
        self._by_upn[upn.lower()] = user.id

    def remove(self, user: User) -> None:
        """Takes the user out of the tenant, and out of no group's history: what is gone is skipped when members are listed."""
        del self.users[user.id]
        del self._by_upn[user.upn.lower()]

    def user(self, name: str) -> User | None:
        """By object id or user principal name."""
        return self.users.get(name.lower()) or self.users.get(self._by_upn.get(name.lower(), ""))

    def group(self, group_id: str) -> Group:
        try:
            uuid.UUID(group_id)
        except ValueError:
            raise bad_request(f"Invalid object identifier '{group_id}'.", "Request_BadRequest") from None
        group = self.groups.get(group_id.lower())
        if group is None:
            raise resource_not_found(group_id)
        return group

    def transitive(self, group: Group, moment: datetime) -> list[User | Group]:
        """Everybody and every group inside, flat, each once; circles are allowed."""
        seen: dict[str, User | Group] = {}
        waiting = [group]
        while waiting:
            for member_id in waiting.pop(0).members_at(moment):
                member = self.users.get(member_id) or self.groups.get(member_id)
                if member is None or member_id in seen or member_id == group.id:
                    continue
                seen[member_id] = member
                if isinstance(member, Group):
                    waiting.append(member)
        return list(seen.values())


def resource_not_found(name: str) -> Refusal:
    return Refusal(
        404,
        "Request_ResourceNotFound",
        f"Resource '{name}' does not exist or one of its queried reference-property objects are not present.",
    )


def _unsupported() -> Refusal:
    return bad_request("Unsupported Query.", "Request_UnsupportedQuery")


def _get_user(call: Call) -> Response:
    user = call.sandbox.directory.user(call.params["user"])
    if user is None:
        raise resource_not_found(call.params["user"])
    names = parse_select(call.options["select"], USER_KNOWN, "user") if "select" in call.options else ()
    entity = _hidden(call, _picked(user.entity(), names or ("id", *USER_DEFAULT)))
    return Response.of(200, {"@odata.context": f"{call.origin}/v1.0/$metadata#users/$entity", **entity})


def _list_users(call: Call) -> Response:
    sorts = dict.fromkeys(("userPrincipalName", "mail", "displayName", "givenName", "surname", "id"), Sort.TEXT)
    sorts["accountEnabled"] = Sort.BOOLEAN
    wanted = parse_filter(call.options["filter"], sorts) if "filter" in call.options else None
    users = [user for user in call.sandbox.directory.users.values() if wanted is None or wanted.accepts(user.entity())]
    return _members_page(call, users, "user", typed=False)


def _get_group(call: Call) -> Response:
    group = call.sandbox.directory.group(call.params["group"])
    names = parse_select(call.options["select"], GROUP_KNOWN, "group") if "select" in call.options else ()
    entity = _picked(group.entity(), names or tuple(group.entity()))
    return Response.of(200, {"@odata.context": f"{call.origin}/v1.0/$metadata#groups/$entity", **entity})


def _members(call: Call, *, transitive: bool, cast: str | None) -> Response:
    sandbox = call.sandbox
    group = sandbox.directory.group(call.params["group"])
    now = sandbox.clock.now()
    eventual = call.request.headers.get("consistencylevel", "").lower() == "eventual"
    counted = call.options.get("count", "").lower() == "true" or "skiptoken" in call.options
    if cast is not None and (cast not in ("user", "group") or not eventual or not counted):
        raise _unsupported()
    if "count" in call.options and not eventual:
        raise _unsupported()
    moment = now - timedelta(seconds=sandbox.knobs.directory_lag) if eventual else now
    found: Iterable[User | Group]
    if transitive:
        found = sandbox.directory.transitive(group, moment)
    else:
        known = [sandbox.directory.users.get(one) or sandbox.directory.groups.get(one) for one in group.members_at(moment)]
        found = [member for member in known if member is not None]
    if cast is not None:
        kind = User if cast == "user" else Group
        found = [member for member in found if isinstance(member, kind)]
    return _members_page(call, list(found), cast, typed=True)


def _cast(segment: str) -> str:
    """`microsoft.graph.user`, or `graph.user` as Microsoft's SDK spells it; anything else is no cast that is supported."""
    return segment.lower().removeprefix("microsoft.").removeprefix("graph.") if "graph." in segment.lower() else ""


def _members_page(call: Call, members: list[User] | list[User | Group], type_name: str | None, *, typed: bool) -> Response:
    sandbox = call.sandbox
    if "skiptoken" in call.options:
        state = sandbox.page_tokens.get(call.options["skiptoken"])
        if state is None:
            raise bad_request("Skip token is invalid or has expired.", "Directory_ExpiredPageToken")
        start, options = state
    else:
        start, options = 0, dict(call.options)
    size = PAGE
    if "top" in options:
        try:
            size = parse_count(options["top"], "$top", low=1, high=LARGEST_PAGE)
        except Refusal as refusal:
            raise bad_request(refusal.message, "Request_UnsupportedQuery") from None
    known = {"user": USER_KNOWN, "group": GROUP_KNOWN}.get(type_name or "", USER_KNOWN | GROUP_KNOWN)
    names = parse_select(options["select"], known, type_name or "directoryObject") if "select" in options else ()
    tail = {"user": "users", "group": "groups"}.get(type_name or "", "directoryObjects")
    answer: dict[str, Any] = {"@odata.context": f"{call.origin}/v1.0/$metadata#{tail}"}
    if options.get("count", "").lower() == "true" and start == 0:
        answer["@odata.count"] = len(members)
    if len(members) > start + size:
        token = sandbox.mint.opaque()
        sandbox.page_tokens[token] = (start + size, options)
        answer["@odata.nextLink"] = call.link(skiptoken=token)
    answer["value"] = [_member(call, member, names, typed) for member in members[start : start + size]]
    return Response.of(200, answer)


def _readable(call: Call) -> frozenset[str]:
    """Which properties of users the app may read: all, the basic ones, or the id alone."""
    granted = call.sandbox.roles.intersection(USER_ROLES)
    if granted - {"User.ReadBasic.All"}:
        return USER_KNOWN
    return USER_BASIC if granted else frozenset({"id"})


def _hidden(call: Call, shown: dict[str, Any]) -> dict[str, Any]:
    readable = _readable(call)
    return {name: value if name in readable else None for name, value in shown.items()}


def _member(call: Call, member: User | Group, names: tuple[str, ...], typed: bool) -> dict[str, Any]:
    entity = member.entity()
    wanted = names or (("id", *USER_DEFAULT) if isinstance(member, User) else tuple(entity))
    shown = _picked(entity, ("id", *wanted) if typed else wanted)
    if isinstance(member, User):
        shown = _hidden(call, shown)
    kind = "user" if isinstance(member, User) else "group"
    return {**({"@odata.type": f"#microsoft.graph.{kind}"} if typed else {}), **shown}


def _picked(entity: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: entity.get(name) for name in names}


_PAGED = frozenset({"select", "top", "count", "skiptoken"})
ROUTES = (
    Route(method="GET", template="users", handler=_list_users, roles=USER_ROLES, options=_PAGED | {"filter"}, directory=True),
    Route(method="GET", template="users/{user}", handler=_get_user, roles=USER_ROLES, options=frozenset({"select"}), directory=True),
    Route(method="GET", template="groups/{group}", handler=_get_group, roles=GROUP_ROLES, options=frozenset({"select"}), directory=True),
    *(
        Route(
            method="GET",
            template=f"groups/{{group}}/{name}",
            handler=lambda call, deep=deep: _members(call, transitive=deep, cast=None),  # type: ignore[misc]
            roles=GROUP_ROLES,
            options=_PAGED,
            directory=True,
        )
        for name, deep in (("members", False), ("transitiveMembers", True))
    ),
    *(
        Route(
            method="GET",
            template=f"groups/{{group}}/{name}/{{cast}}",
            handler=lambda call, deep=deep: _members(  # type: ignore[misc]
                call, transitive=deep, cast=_cast(call.params["cast"])
            ),
            roles=GROUP_ROLES,
            options=_PAGED,
            directory=True,
        )
        for name, deep in (("members", False), ("transitiveMembers", True))
    ),
)
