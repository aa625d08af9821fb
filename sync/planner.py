"""One round: who syncs, as whom, and who cannot – then a message for each who can.

Members of the Entra group and the rows of SyncUsers make the list; each person is matched to one active Salesforce user by
FederationIdentifier = user principal name, then Email = mail, or by the username an administrator wrote. Ambiguous or missing ones get
a state and an error row, the others go on. A match is pinned: another Salesforce user or org stops the person until an administrator
confirms it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.errors import CATALOGUE, Code
from sync.messages import Message, Why
from sync.ports import Clock, Directory, Person, SalesforceUser, SalesforceUsers
from sync.stores.errors import EVERYONE, Errors, Report
from sync.stores.people import Connection, Facts, People, UserRow, version
from sync.stores.profile import BadValue

RECHECK = timedelta(hours=1)
"""How long a match to a Salesforce user is believed without asking again."""

OURS = frozenset({Connection.NO_SALESFORCE_USER, Connection.SEVERAL_SALESFORCE_USERS, Connection.INACTIVE_SALESFORCE_USER, Connection.PAUSED, Connection.DISCONNECTED, Connection.IDENTITY_CHANGED})  # fmt: skip  # noqa: E501
"""States that a round sets and takes back; the others are found, and taken back, by runs."""

CODES: Mapping[Connection, Code] = {
    Connection.NO_SALESFORCE_USER: Code.NO_SALESFORCE_USER,
    Connection.SEVERAL_SALESFORCE_USERS: Code.SEVERAL_SALESFORCE_USERS,
    Connection.INACTIVE_SALESFORCE_USER: Code.INACTIVE_SALESFORCE_USER,
    Connection.IDENTITY_CHANGED: Code.IDENTITY_CHANGED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What a round came to."""

    messages: Sequence[Message] = ()
    stopped: int = 0
    """People who should sync and cannot."""


@dataclass(kw_only=True)
class Planner:
    """Lives as long as the process: it remembers when it last looked up the Salesforce users."""

    people: People
    errors: Errors
    directory: Directory
    open_users: Callable[[], Awaitable[SalesforceUsers]]
    clock: Clock
    group_id: str
    checked: datetime | None = None
    org_id: str = ""
    found: set[str] = field(default_factory=set)
    """Object ids of everybody whom the directory knows in this round."""
    group: set[str] = field(default_factory=set)
    """Object ids of the group's members in this round."""

    async def plan(self, round_id: str, why: Why = Why.TIMER) -> Round:
        """Raises SyncError where the whole round cannot be planned (Graph or Salesforce refuse the app)."""
        now = self.clock.now()
        profile, bad = await self.people.default_profile()
        rows, members = await self._list()
        entries = [(rows.get(one, UserRow(key=one)), members.get(one)) for one in sorted({*rows, *members})]
        wanted = [(row, person) for row, person in entries if _should_sync(row, person)]
        found = await self._salesforce_users(wanted)
        facts: list[tuple[UserRow, Facts]] = []
        ready: list[UserRow] = []
        for row, person in entries:
            known = self._known(row, person)
            if not _should_sync(row, person):
                state = Connection.PAUSED if row.paused and (row.enabled or person) else Connection.DISCONNECTED
                facts.append((row, replace(known, state=state, state_text="")))
                continue
            became = self._connect(row, known, found.get(row.key))
            facts.append((row, became))
            if became.state not in OURS and not row.problems and not bad:
                ready.append(row)
        await self.people.put([one for one in facts if one[0].etag or one[1].state is not Connection.DISCONNECTED], now=now)
        await self._tell(facts, bad, round_id, now)
        messages = [Message(user=row.key, why=why, version=version(profile, row), asked=now) for row in ready]
        return Round(messages=messages, stopped=len(wanted) - len(ready))

    async def _list(self) -> tuple[dict[str, UserRow], dict[str, Person]]:
        """Rows by object id and people by object id. A row typed under a principal name moves to the object id."""
        members = {person.id: person for person in (await self.directory.members(self.group_id) if self.group_id else ()) if person.enabled}
        self.group = set(members)
        rows = {row.key: row for row in await self.people.users()}
        typed = [row for row in rows.values() if "@" in row.key]
        bare = [row.key for row in rows.values() if "@" not in row.key and row.key not in members and row.enabled]
        looked = await self.directory.people([*(row.key for row in typed), *bare]) if typed or bare else {}
        for row in typed:
            person = looked.get(row.key)
            if person is not None:
                members.setdefault(person.id, person)
                await self.people.adopt(row, person.id)
                rows.pop(row.key)
                moved = await self.people.user(person.id)
                if moved is not None:
                    rows[person.id] = moved
        members.update({key: person for key in bare if (person := looked.get(key)) is not None})
        self.found = set(members)
        return rows, members

    async def _salesforce_users(self, wanted: Sequence[tuple[UserRow, Person | None]]) -> Mapping[str, "list[SalesforceUser]"]:
        """The candidates of each person; asked for once an hour, and at once for those who have none yet."""
        now = self.clock.now()
        everybody = self.checked is None or now - self.checked >= RECHECK
        asked = [
            (row, person)
            for row, person in wanted
            if everybody or row.facts.state in OURS or not row.facts.salesforce_user_id or row.salesforce_username
        ]
        if not asked:
            return {}
        users = await self.open_users()
        self.org_id = users.org_id
        people = [self._known(row, person) for row, person in asked]
        found = await users.find(
            federation_ids=[one.principal_name for one in people if one.principal_name],
            emails=[one.mail for one in people if one.mail],
            usernames=[row.salesforce_username for row, _ in asked if row.salesforce_username],
        )
        if everybody:
            self.checked = now
        return {row.key: candidates(row, known, found) for (row, _), known in zip(asked, people, strict=True)}

    def _known(self, row: UserRow, person: Person | None) -> Facts:
        if person is None:
            return replace(row.facts, in_group=False)
        in_group = person.id in self.group
        return replace(row.facts, principal_name=person.principal_name, name=person.name, mail=person.mail, in_group=in_group)

    def _connect(self, row: UserRow, known: Facts, found: "list[SalesforceUser] | None") -> Facts:
        """How a person stands after the match."""
        if found is None:
            return known
        active = [user for user in found if user.active]
        if len(active) != 1:
            state = (
                Connection.SEVERAL_SALESFORCE_USERS
                if active
                else (Connection.INACTIVE_SALESFORCE_USER if found else Connection.NO_SALESFORCE_USER)
            )
            return replace(known, state=state, state_text=CATALOGUE[CODES[state]].meaning)
        user = active[0]
        pinned = known.salesforce_user_id and (known.salesforce_user_id, known.org_id) != (user.id, self.org_id)
        confirmed = user.id if known.org_id == self.org_id else f"{user.id}@{self.org_id}"
        if pinned and row.confirm_identity != confirmed:
            text = f"bound to {known.salesforce_user_id} of {known.org_id}, now matches {user.id} of {self.org_id}"
            return replace(known, state=Connection.IDENTITY_CHANGED, state_text=text)
        kept = None if known.state in OURS else known.state  # a run that ends well says that the person is connected
        text = "" if kept is None else known.state_text
        return replace(known, salesforce_user_id=user.id, salesforce_user=user.username, org_id=self.org_id, state=kept, state_text=text)

    async def _tell(self, facts: Sequence[tuple[UserRow, Facts]], bad: Sequence[BadValue], round_id: str, now: datetime) -> None:
        """An error row for whoever cannot sync; it goes when they can again."""
        for row, became in facts:
            code = CODES.get(became.state) if became.state else None
            if code is not None and (row.facts.state is not became.state or not row.etag):
                text = became.state_text if became.state is Connection.IDENTITY_CHANGED else ""
                await self.errors.report(row.key, became.principal_name, [Report(code=code, text=text)], now=now, run=round_id)
            old = CODES.get(row.facts.state) if row.facts.state else None
            if old is not None and old is not code:
                await self.errors.solve(row.key, {Report(code=old).key})
        problems = [*bad, *(problem for row, _ in facts for problem in row.problems)]
        unknown = [row.key for row, _ in facts if row.enabled and row.key not in self.found]
        told = [Report(code=Code.UNKNOWN_USER, name=key, text=f"SyncUsers, row {key}: the directory has no such user") for key in unknown]
        await self.errors.tell_exactly(EVERYONE, "", Code.UNKNOWN_USER, told, now=now, run=round_id)
        reports = [
            Report(code=Code.PROFILE_INVALID, name=f"{one.table}/{one.row}/{one.column}", text=one.text, field=one.column)
            for one in problems
        ]
        await self.errors.tell_exactly(EVERYONE, "", Code.PROFILE_INVALID, reports, now=now, run=round_id)


def _should_sync(row: UserRow, person: Person | None) -> bool:
    return not row.paused and person is not None and row.enabled is not False


def candidates(row: UserRow, known: Facts, found: Sequence[SalesforceUser]) -> list[SalesforceUser]:
    """The username an administrator wrote, else FederationIdentifier = principal name, else Email = mail: the first that gives any."""
    ways: list[Callable[[SalesforceUser], bool]] = [
        lambda user: user.federation_id.casefold() == known.principal_name.casefold(),
        lambda user: bool(known.mail) and user.email.casefold() == known.mail.casefold(),
    ]
    if row.salesforce_username:
        ways = [lambda user: user.username.casefold() == row.salesforce_username.casefold()]
    inactive: list[SalesforceUser] = []
    for way in ways:
        fitting = [user for user in found if way(user)]
        if any(user.active for user in fitting):
            return [user for user in fitting if user.active]
        inactive += fitting
    return inactive
