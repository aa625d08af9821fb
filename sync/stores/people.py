"""SyncUsers and SyncProfiles: who syncs and how, as administrators write it, and what the product says back about each person.

An administrator's column may hold anything: every value that is not allowed is collected by name, and nothing is raised, so that one bad
row stops its own users only. The product writes its own columns and never an administrator's – except for columns that are
missing from the default profile, which are filled in so that they can be seen and changed. It knows no directory and no run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from sync.ports import Insert, Merge, Operation, Remove, Row, RowChanged, RowExists, Scalar, Stored, Tables
from sync.stores.profile import BadValue, Profile, defaults, flag, read_profile

USERS = "SyncUsers"
PROFILES = "SyncProfiles"
DEFAULT = "default"
_USERS_PARTITION = "user"
_PROFILES_PARTITION = "profile"

ADMINISTRATORS = ("Enabled", "SalesforceUsername", "ConfirmIdentity", "Paused")
"""The columns of SyncUsers that an administrator writes, and the product never."""

USER_COLUMNS: Mapping[str, type] = {
    "Enabled": bool,
    "SalesforceUsername": str,
    "ConfirmIdentity": str,
    "Paused": bool,
    "PrincipalName": str,
    "Name": str,
    "Mail": str,
    "SalesforceUserId": str,
    "SalesforceUser": str,
    "OrgId": str,
    "State": str,
    "StateSince": datetime,
    "StateText": str,
    "InGroup": bool,
}


class Connection(StrEnum):
    """How a person stands (R4)."""

    CONNECTED = "connected"
    NO_MAILBOX = "no mailbox"
    NO_SALESFORCE_USER = "no Salesforce user"
    SEVERAL_SALESFORCE_USERS = "several Salesforce users"
    INACTIVE_SALESFORCE_USER = "inactive Salesforce user"
    NOT_AUTHORISED = "not authorised"
    NO_PERMISSION = "no permission"
    PAUSED = "paused"
    DISCONNECTED = "disconnected"
    IDENTITY_CHANGED = "identity changed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the product knows of a person, and writes."""

    principal_name: str = ""
    name: str = ""
    mail: str = ""
    salesforce_user_id: str = ""
    salesforce_user: str = ""
    """The Salesforce username."""
    org_id: str = ""
    state: Connection | None = None
    state_text: str = ""
    in_group: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRow:
    """A row of SyncUsers. `key` is an Entra object id, or a principal name that an administrator typed. `enabled` is None where the group
    decides. With `problems` the row must not be acted on."""

    key: str
    enabled: bool | None = None
    salesforce_username: str = ""
    confirm_identity: str = ""
    paused: bool = False
    facts: Facts = field(default_factory=Facts)
    state_since: datetime | None = None
    problems: tuple[BadValue, ...] = ()
    etag: str = ""
    """Of the row as read; empty for one that is not there yet."""


class People:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def users(self) -> list[UserRow]:
        """Every row of SyncUsers, bad ones with their problems."""
        return [_read_user(row) async for row in self._tables.scan(USERS, _USERS_PARTITION)]

    async def user(self, key: str) -> UserRow | None:
        row = await self._tables.get(USERS, _USERS_PARTITION, key)
        return None if row is None else _read_user(row)

    async def put(self, changes: Sequence[tuple[UserRow, Facts]], *, now: datetime) -> None:
        """Write what became known of people, each with their row as read (or `UserRow(key=…)`). What is known already is not written;
        an administrator's columns are never touched."""
        operations: list[Operation] = []
        for row, facts in changes:
            if facts == row.facts and row.etag:
                continue
            values = _facts_columns(facts)
            if facts.state != row.facts.state or row.state_since is None:
                values["StateSince"] = now
            operations.append(Merge(key=row.key, values=values))
        await self._tables.put_many(USERS, _USERS_PARTITION, operations)

    async def adopt(self, typed: UserRow, key: str) -> bool:
        """Move a row that was typed under a principal name to the person's object id, in one transaction. What the row there already says
        in an administrator's column stays. False: the row was changed meanwhile; the next round sees it."""
        source = await self._tables.get(USERS, _USERS_PARTITION, typed.key)
        target = await self._tables.get(USERS, _USERS_PARTITION, key)
        if source is None or source.etag != typed.etag:
            return False
        held: Row = {} if target is None else {name: value for name, value in target.values.items() if value != ""}
        carried = {name: value for name, value in source.values.items() if name in ADMINISTRATORS and name not in held}
        moved: Operation = Insert(key=key, values=carried) if target is None else Merge(key=key, values=carried, etag=target.etag)
        try:
            await self._tables.transact(USERS, _USERS_PARTITION, [moved, Remove(key=typed.key, etag=typed.etag)])
        except (RowChanged, RowExists):
            return False
        return True

    async def default_profile(self) -> tuple[Profile, tuple[BadValue, ...]]:
        """The default profile. On the first round the row is made; columns that are missing later are filled in. A value that is not
        allowed is named, and the default stands in its place in what is returned – which is then not to be acted on."""
        row = await self._tables.get(PROFILES, _PROFILES_PARTITION, DEFAULT)
        if row is None:
            try:
                await self._tables.transact(PROFILES, _PROFILES_PARTITION, [Insert(key=DEFAULT, values=defaults())])
            except RowExists:  # another round was faster, and an administrator may have edited it already
                row = await self._tables.get(PROFILES, _PROFILES_PARTITION, DEFAULT)
        values = defaults() if row is None else row.values
        if missing := {name: value for name, value in defaults().items() if name not in values}:
            await self._tables.transact(PROFILES, _PROFILES_PARTITION, [Merge(key=DEFAULT, values=missing)])
        return read_profile(DEFAULT, {**missing, **values})


def version(profile: Profile, user: UserRow) -> str:
    """A name for the effective settings of a person: it changes when, and only when, something an administrator wrote changes."""
    columns = [*sorted(profile.written.items()), user.enabled, user.salesforce_username, user.confirm_identity, user.paused]
    return sha256(repr(columns).encode()).hexdigest()[:16]


def _read_user(row: Stored) -> UserRow:
    problems: list[BadValue] = []

    def text(name: str) -> str:
        return str(row.values.get(name, "")).strip()

    def time(name: str) -> datetime | None:
        value = row.values.get(name)
        return value if isinstance(value, datetime) else None

    def switch(name: str) -> bool | None:
        value = row.values.get(name, "")
        parsed = flag(value)
        if parsed is None and str(value).strip():
            problems.append(BadValue(table=USERS, row=row.key, column=name, value=str(value), allowed="true, false, or empty"))
        return parsed

    state = text("State")
    return UserRow(
        key=row.key,
        enabled=switch("Enabled"),
        salesforce_username=text("SalesforceUsername"),
        confirm_identity=text("ConfirmIdentity"),
        paused=switch("Paused") or False,
        facts=Facts(
            principal_name=text("PrincipalName"),
            name=text("Name"),
            mail=text("Mail"),
            salesforce_user_id=text("SalesforceUserId"),
            salesforce_user=text("SalesforceUser"),
            org_id=text("OrgId"),
            state=Connection(state) if state in set(Connection) else None,
            state_text=text("StateText"),
            in_group=flag(row.values.get("InGroup", "")) or False,
        ),
        state_since=time("StateSince"),
        problems=tuple(problems),
        etag=row.etag,
    )


def _facts_columns(facts: Facts) -> dict[str, Scalar]:
    return {
        "PrincipalName": facts.principal_name,
        "Name": facts.name,
        "Mail": facts.mail,
        "SalesforceUserId": facts.salesforce_user_id,
        "SalesforceUser": facts.salesforce_user,
        "OrgId": facts.org_id,
        "State": str(facts.state or ""),
        "StateText": facts.state_text,
        "InGroup": facts.in_group,
    }
