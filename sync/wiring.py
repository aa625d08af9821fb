"""The one place that builds everything, and the three things the triggers do: plan a round, sync one user, answer for a poisoned message.

One `App` lives as long as the worker process. It keeps what is worth keeping between runs – connections, tokens, schemas, a profile for its
version – and nothing of any user's data. Heavy libraries are imported when the first round or run needs them.
"""

import asyncio
import logging
import os
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from shared.errors import CATALOGUE, Code, LeaseLost, Permanent, Reach, SyncError
from shared.logs import tell
from shared.settings import KNOWN, STORAGE, Settings, SettingsInvalid, load
from sync import messages
from sync.apply.desk import Desk
from sync.connectors.graph import GraphClient, GraphDirectory, GraphLogin, Home, open_mailbox
from sync.connectors.salesforce.client import Surroundings
from sync.connectors.salesforce.org import SalesforceOrg, open_org
from sync.connectors.salesforce.schema import Schemas
from sync.connectors.salesforce.tokens import Connection as Login
from sync.connectors.salesforce.tokens import Tokens
from sync.connectors.salesforce.users import Users, open_users
from sync.core.fingerprint import hasher, key_mark, opaque
from sync.messages import Malformed, Message, Why
from sync.planner import OURS, Planner
from sync.ports import Clock, InThread, OutlookItems, Search, Tables
from sync.runner import Ran, Result, Run, Times
from sync.stores import TABLES, waiting
from sync.stores.claims import OrgClaims
from sync.stores.columns import day
from sync.stores.errors import EVERYONE, MESSAGES, Errors, Report, of_error
from sync.stores.journal import Journal
from sync.stores.ledger import UserLedger, link_to
from sync.stores.people import Connection, People, UserRow, version
from sync.stores.profile import ContactsSearch, Profile
from sync.stores.purging import purge
from sync.stores.runs import Result as RunResult
from sync.stores.runs import Run as RunRow
from sync.stores.runs import Runs
from sync.stores.state import UserState
from sync.translate.contact import CONTACT

if TYPE_CHECKING:
    import httpx
    import requests

TRANSLATION = "1"
"""Raised when a translation changes what a stored hash means: the next run reads everything anew and keeps the links."""
LEASE = timedelta(minutes=5)
SECONDS_OF_A_RUN = timedelta(minutes=4)
STATES: Mapping[Code, Connection] = {
    Code.NO_MAILBOX: Connection.NO_MAILBOX,
    Code.MAILBOX_ACCESS_DENIED: Connection.NO_PERMISSION,
    Code.NO_ACCESS_TO_OBJECT: Connection.NO_PERMISSION,
    Code.API_DISABLED: Connection.NO_PERMISSION,
    Code.NOT_AUTHORISED: Connection.NOT_AUTHORISED,
    Code.INACTIVE_SALESFORCE_USER: Connection.INACTIVE_SALESFORCE_USER,
    Code.IDENTITY_CHANGED: Connection.IDENTITY_CHANGED,
}
"""Which state of a person an error of their run means; any other that stops a user means `stopped`."""

DISPROVED = (Code.SETTINGS_INVALID, Code.GROUP_NOT_FOUND, Code.GRAPH_PERMISSION_MISSING, Code.GRAPH_LOGIN_REFUSED)
"""What a round that could be planned shows to be over."""
FORGOTTEN = timedelta(minutes=15)
"""What concerns everybody and was not reported for so long is over."""

COUNTERS: ContextVar[Counter[str] | None] = ContextVar("counters", default=None)
"""Requests of the run that the current task or thread works for."""


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def _sentence(error: SyncError) -> str:
    """What happened and what to do, for a line of the log."""
    return f"{error.text.rstrip('.')}. {error.entry.remedy}"


def count(service: str) -> None:
    counter = COUNTERS.get()
    if counter is not None:
        counter[service] += 1


@dataclass(kw_only=True)
class World:
    """What the App touches the outside with; tests hand in their own."""

    tables: Tables
    graph_http: "httpx.AsyncClient"
    salesforce_http: "requests.Session"
    graph_token: Callable[[str], Any]
    """`get_token(scope)` of azure-identity (aio)."""
    clock: Clock = field(default_factory=SystemClock)
    sleep: Callable[[float], Any] = asyncio.sleep
    in_thread: InThread = asyncio.to_thread
    chance: Callable[[], float] = random.random
    new_id: Callable[[], str] = lambda: str(uuid4())


def open_world(settings: Settings) -> World:
    """The real one."""
    import httpx  # noqa: PLC0415 - cold start: not before a trigger fires
    from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415

    from sync.connectors.salesforce.transport import new_session  # noqa: PLC0415
    from sync.stores.tables import AzureTables  # noqa: PLC0415

    credential = DefaultAzureCredential()
    storage = settings.storage
    if storage.connection:
        tables = AzureTables(connection=storage.connection, on_request=lambda _operation, _table: count("tables"))
    else:
        own = DefaultAzureCredential(managed_identity_client_id=storage.client_id) if storage.client_id else credential
        tables = AzureTables(endpoint=storage.table_endpoint, credential=own, on_request=lambda _operation, _table: count("tables"))
    http = httpx.AsyncClient(limits=httpx.Limits(max_connections=64, max_keepalive_connections=32))
    return World(tables=tables, graph_http=http, salesforce_http=new_session(), graph_token=credential.get_token)


class App:
    def __init__(self, settings: Settings, world: World, *, times: Times | None = None, lease: timedelta = LEASE) -> None:
        self.settings, self.world = settings, world
        for chatty in ("httpx", "azure.core.pipeline.policies.http_logging_policy"):  # a line, with names in it, for each request
            logging.getLogger(chatty).setLevel(logging.WARNING)
        self._times, self._lease = times, lease
        self.tables, self.clock = world.tables, world.clock
        login = GraphLogin(world.graph_token, settings.graph_endpoint, world.clock)
        self.graph = GraphClient(
            endpoint=settings.graph_endpoint,
            get_token=login,
            http=world.graph_http,
            clock=world.clock,
            sleep=world.sleep,
            chance=world.chance,
            on_request=lambda _method, _url: count("graph"),
            new_id=world.new_id,
        )
        self.around = Surroundings(
            http=world.salesforce_http,
            in_thread=world.in_thread,
            sleep=world.sleep,
            now=world.clock.now,
            jitter=world.chance,
            on_call=lambda _limit: count("salesforce"),
        )
        connection = Login(
            login_url=settings.salesforce_login_url,
            audience=settings.salesforce_audience,
            client_id=settings.salesforce_client_id,
            private_key=settings.salesforce_private_key,
            integration_user=settings.salesforce_username,
        )
        self.tokens = Tokens(connection, http=world.salesforce_http, now=world.clock.now, on_login=lambda _user: count("logins"))
        self.schemas = Schemas(world.clock.now)
        self.errors, self.people, self.runs, self.journal = (
            Errors(self.tables),
            People(self.tables),
            Runs(self.tables),
            Journal(self.tables),
        )
        self.planner = Planner(
            people=self.people,
            errors=self.errors,
            directory=GraphDirectory(self.graph, world.graph_http),
            open_users=self._open_users,
            clock=world.clock,
            group_id=settings.group_id,
        )
        self._mark = key_mark(settings.hash_key)
        self._profiles: dict[str, Profile] = {}
        self._tables_made = False
        self._purged = ""

    async def _open_users(self) -> Users:
        return await open_users(self.tokens, self.around)

    async def make_tables(self) -> None:
        if not self._tables_made:
            await self.tables.create(TABLES)
            self._tables_made = True

    # ----------------------------------------------------------------- a round

    async def plan(self, why: Why = Why.TIMER) -> list[str]:
        """The messages of a round. A round that cannot be planned leaves a row in SyncErrors and no message."""
        if not self.settings.enabled:
            tell("SwitchedOff", function="plan_sync")
            return []
        started, round_id = self.clock.now(), self.world.new_id()
        try:
            await self.make_tables()
            planned = await self.planner.plan(round_id, why)
            await self._forget_old_troubles(started)
        except SyncError as error:
            tell("RoundFailed", level=logging.ERROR, round=round_id, code=error.code, text=_sentence(error))
            if error.code is not Code.TABLES_DENIED:
                await self.errors.report(EVERYONE, "", [of_error(error)], now=self.clock.now(), run=round_id)
            return []
        seconds = (self.clock.now() - started).total_seconds()
        tell("RoundPlanned", round=round_id, users=len(planned.messages), stopped=planned.stopped, seconds=round(seconds, 3))
        await self._purge(started, round_id)
        return [messages.write(one) for one in planned.messages]

    async def _forget_old_troubles(self, started: datetime) -> None:
        """Rows about everybody that no longer hold."""
        for row in await self.errors.of_user(EVERYONE):
            old = row.report.code is not Code.PROFILE_INVALID and row.last_seen < started - FORGOTTEN
            if old or row.report.code in DISPROVED:
                await self.errors.solve(EVERYONE, {row.key})

    async def _purge(self, now: datetime, round_id: str) -> None:
        """The day's look at what waits for people, and a step of its purge. The messages exist by now: what fails here costs none of them;
        a later round makes up for it."""
        if self._purged == day(now):
            return
        try:
            waits = await waiting.look(self.tables, now)
            if waits is not None and (waits.conflicts or waits.approvals):
                hours = round(waits.oldest.total_seconds() / 3600, 1)
                tell("PeopleWaiting", round=round_id, conflicts=waits.conflicts, approvals=waits.approvals, oldest_hours=hours)
            if await purge(self.tables, self.people, now=now, run=round_id):
                self._purged = day(now)
        except Exception as error:
            text = _sentence(error) if isinstance(error, SyncError) else type(error).__name__
            logging.getLogger("tandem").warning("round %s could not look for what waits, or remove old rows: %s", round_id, text)

    # ----------------------------------------------------------------- a user

    async def sync(self, text: str) -> list[str]:
        """Sync the user of a message; the messages that are to be queued for the same user again."""
        if not self.settings.enabled:
            tell("SwitchedOff", function="sync_user")
            return []
        await self.make_tables()
        counter: Counter[str] = Counter()
        token = COUNTERS.set(counter)
        try:
            return await self._serve(text, counter)
        finally:
            COUNTERS.reset(token)

    async def _serve(self, text: str, counter: Counter[str]) -> list[str]:
        try:
            message = messages.read(text)
        except Malformed as problem:
            await self._refuse(str(problem), Code.MALFORMED_MESSAGE, text)
            return []
        row = await self.people.user(message.user)
        if row is None:
            await self._refuse("it names a user that SyncUsers does not have", Code.UNKNOWN_USER, message.user)
            return []
        if row.paused or row.enabled is False or row.problems or row.facts.state in OURS:
            return []
        return await self._run(message, row, counter)

    async def poison(self, text: str) -> None:
        """A message that failed too often: its user keeps a row until a run ends well."""
        if not self.settings.enabled:
            tell("SwitchedOff", function="sync_user_poison")
            return
        await self.make_tables()
        try:
            message = messages.read(text)
        except Malformed as problem:
            await self._refuse(str(problem), Code.MALFORMED_MESSAGE, text)
            return
        row = await self.people.user(message.user)
        report = Report(code=Code.RUN_FAILED, text="the message failed as often as the host allows; the next round tries again")
        name = row.facts.principal_name if row else ""
        await self.errors.report(message.user if row else MESSAGES, name, [report], now=self.clock.now(), run="")
        if row is not None:
            await self._set_state(row, Connection.STOPPED, Code.RUN_FAILED)

    async def _refuse(self, wrong: str, code: Code, text: str) -> None:
        """The row shows the length of a message, not its content, which may be anything; a person's id is no content."""
        tell("MessageRefused", level=logging.WARNING, text=wrong)
        report = Report(code=code, text=f"{wrong} ({len(text)} characters)", name=text[:200] if code is Code.UNKNOWN_USER else opaque(text))
        await self.errors.report(MESSAGES, "", [report], now=self.clock.now(), run="")

    async def _run(self, message: Message, row: UserRow, counter: Counter[str]) -> list[str]:
        started, run_id = self.clock.now(), self.world.new_id()
        try:
            ran = await self._sync(message, row, run_id)
        except LeaseLost:
            return []  # another run has taken over, and goes on from what was committed
        except SyncError as error:
            await self._failed(message, row, run_id, started, error, counter)
            return []
        except Exception as error:  # the host brings the message back, and at last to sync_user_poison
            text = f"{Code.RUN_FAILED}: {type(error).__name__}"
            await self._write_run(message, row, run_id, started, RunResult.FAILED, text, {}, counter)
            raise
        if ran.result is Result.BUSY:
            return []
        if row.facts.state is not Connection.CONNECTED and ran.result is Result.DONE:  # also a new or returned person: nothing is wrong now
            await self._recovered(row)
        await self._write_run(
            message, row, run_id, started, RunResult.DONE if ran.result is Result.DONE else RunResult.CONTINUES, "", ran.counts, counter
        )
        if not ran.again:
            return []
        why = Why.COMPARE if ran.compare else Why.CONTINUATION
        return [messages.write(replace(message, why=why, version="", asked=self.clock.now()))]

    async def _sync(self, message: Message, row: UserRow, run_id: str) -> Ran:
        profile = await self._profile(message, row)
        state = await UserState.open(
            self.tables,
            self.clock,
            user=row.key,
            name=row.facts.principal_name,
            run=run_id,
            mark=self._mark,
            lease_time=self._lease,
            asked=message.asked,
            compare=message.why is Why.COMPARE,
        )
        if state is None:
            return Ran(result=Result.BUSY)
        try:
            org = await open_org(row.facts.salesforce_user, self.tokens, self.schemas, self.around)
            if (org.user_id, org.org_id) != (row.facts.salesforce_user_id, row.facts.org_id):
                raise Permanent(
                    Code.IDENTITY_CHANGED, f"the login gave {org.user_id} of {org.org_id}, not the Salesforce user that is bound"
                )
            home = Home(user=row.key, name=profile.folder_name, category=profile.category_name)
            mailbox = open_mailbox(self.graph, CONTACT, home)
            desks = [await self._desk(row, profile, state, org, mailbox.items(CONTACT.name), run_id)] if profile.policy is not None else []
            run = Run(
                state=state,
                mailbox=mailbox,
                org=org,
                clock=self.clock,
                times=self._times or Times(sweep=profile.sweep, compare=profile.compare, budget=SECONDS_OF_A_RUN),
                desks=desks,
                compare=message.why is Why.COMPARE,
            )
            return await run.go()
        except Exception:
            with suppress(LeaseLost, SyncError):  # the first error is the one to be told
                await state.close(served=None, cursors={})
            raise

    async def _desk(
        self, row: UserRow, profile: Profile, state: UserState, org: SalesforceOrg, items: OutlookItems, run_id: str
    ) -> tuple[Desk, str]:
        kind = CONTACT
        schema = await org.schema(kind)
        if profile.policy is None:
            raise AssertionError("a kind that is off has no desk")
        mine = profile.search is ContactsSearch.MINE
        search = Search(name=profile.search.value, condition=f"OwnerId = '{org.user_id}'" if mine else "")
        desk = Desk(
            user=row.key,
            run=run_id,
            kind=kind,
            schema=schema,
            policy=profile.policy,
            limits=profile.limits,
            cap=profile.max_contacts,
            hash_of=hasher(self.settings.hash_key, kind.comparable),
            search=search,
            state=state.kind(kind.name),
            ledger=UserLedger(
                tables=self.tables,
                clock=self.clock,
                user=row.key,
                name=row.facts.principal_name,
                kind=kind.name,
                run=run_id,
                book=self.journal,
                link_to=link_to(self.settings.salesforce_login_url, kind.salesforce_object),
            ),
            claims=OrgClaims(self.tables, self.clock, org.org_id, kind.name, row.key, run_id),
            outlook=items,
            org=org,
            clock=self.clock,
        )
        visible = ",".join([*kind.salesforce_select(schema), schema.key_field])
        print_ = [
            TRANSLATION,
            self._mark,
            org.org_id,
            org.user_id,
            search.condition,
            profile.policy.direction.value,
            profile.folder_name,
            profile.category_name,
            visible,
        ]
        return desk, hasher(self.settings.hash_key)("print", "\n".join(print_))

    async def _profile(self, message: Message, row: UserRow) -> Profile:
        """The default profile as it was when the round was planned; read again for a version this process has not seen."""
        kept = self._profiles.get(message.version)
        if kept is not None:
            return kept
        profile, bad = await self.people.default_profile()
        if bad:
            raise Permanent(Code.PROFILE_INVALID, bad[0].text, field=bad[0].column)
        if len(self._profiles) > 1000:
            self._profiles.clear()
        self._profiles[version(profile, row)] = profile
        return profile

    # ----------------------------------------------------------------- what became of a run

    async def _failed(
        self, message: Message, row: UserRow, run_id: str, started: datetime, error: SyncError, counter: Counter[str]
    ) -> None:
        """A row about the user, or about everybody; what is temporary is only told in the run's row and the log."""
        tell("RunFailed", level=logging.WARNING, run=run_id, user=row.key, why=message.why.value, code=error.code, text=_sentence(error))
        now = self.clock.now()
        if error.reach is Reach.EVERYTHING:
            await self.errors.report(EVERYONE, "", [of_error(error)], now=now, run=run_id)
        elif isinstance(error, Permanent):
            await self.errors.report(row.key, row.facts.principal_name, [of_error(error)], now=now, run=run_id)
            await self._set_state(row, STATES.get(error.code, Connection.STOPPED), error.code)
        text = f"{error.code}: {error.text}"
        await self._write_run(
            message, row, run_id, started, RunResult.STOPPED if isinstance(error, Permanent) else RunResult.FAILED, text, {}, counter
        )

    async def _recovered(self, row: UserRow) -> None:
        await self._set_state(row, Connection.CONNECTED, None)
        codes = {*STATES, Code.RUN_FAILED, Code.CAP_EXCEEDED, Code.PROFILE_INVALID, Code.MAILBOX_FULL}
        rows = {one.key for one in await self.errors.of_user(row.key) if not one.report.kind and one.report.code in codes}
        await self.errors.solve(row.key, rows)

    async def _set_state(self, row: UserRow, state: Connection, code: Code | None) -> None:
        text = CATALOGUE[code].meaning if code else ""
        await self.people.put([(row, replace(row.facts, state=state, state_text=text))], now=self.clock.now())

    async def _write_run(
        self,
        message: Message,
        row: UserRow,
        run_id: str,
        started: datetime,
        result: RunResult,
        text: str,
        counts: Mapping[str, int],
        counter: Counter[str],
    ) -> None:
        ended = self.clock.now()
        numbers = {f"{kind.capitalize()}s{name}": number for key, number in counts.items() for kind, _, name in [key.partition(".")]}
        requests = {
            "GraphRequests": counter["graph"],
            "SalesforceCalls": counter["salesforce"],
            "Logins": counter["logins"],
            "TableOperations": counter["tables"] + 1,
        }
        record = RunRow(
            id=run_id, started=started, ended=ended, why=message.why.value, result=result, text=text, counts={**numbers, **requests}
        )
        await self.runs.write(row.key, row.facts.principal_name, record)
        seconds = round((ended - started).total_seconds(), 3)
        tell(
            "RunEnded",
            run=run_id,
            user=row.key,
            why=message.why.value,
            result=result.value,
            seconds=seconds,
            graph=counter["graph"],
            salesforce=counter["salesforce"],
            tables=counter["tables"],
            counts=numbers,
        )


# --------------------------------------------------------------------------- for the triggers

_kept: list[App] = []


def schedule(environ: Mapping[str, str] = os.environ) -> str:
    """What the timer trigger is indexed with: a schedule that is not one is reported by the round, and must not stop the indexing."""
    usual = KNOWN["SYNC_SCHEDULE"].default
    wanted = environ.get("SYNC_SCHEDULE", "").strip() or usual
    if wanted == usual:
        return usual
    from croniter import croniter  # noqa: PLC0415 - cold start

    valid = len(wanted.split()) == 6 and croniter.is_valid(wanted, second_at_beginning=True)
    return wanted if valid else usual


async def app() -> App | None:
    """The process's App; None, and everything that is wrong in log and SyncErrors, while the settings are not usable."""
    if not _kept:
        try:
            settings = load(os.environ)
        except SettingsInvalid as invalid:
            await _tell_settings(invalid)
            return None
        _kept.append(App(settings, open_world(settings)))
    return _kept[0]


async def _tell_settings(invalid: SettingsInvalid) -> None:
    for problem in invalid.problems:
        tell("SettingInvalid", level=logging.ERROR, setting=problem.setting, text=str(problem))
    connection = os.environ.get(STORAGE, "")
    if not connection:
        return
    from sync.stores.tables import AzureTables  # noqa: PLC0415

    tables = AzureTables(connection=connection)
    try:
        await tables.create(TABLES)
        reports: Sequence[Report] = [
            Report(code=Code.SETTINGS_INVALID, name=one.setting, text=str(one), field=one.setting) for one in invalid.problems
        ]
        await Errors(tables).report(EVERYONE, "", reports, now=datetime.now(UTC), run="")
    except (SyncError, ValueError) as error:
        logging.getLogger("tandem").error("the problems could not be written to SyncErrors: %s", type(error).__name__)
    finally:
        await tables.close()
