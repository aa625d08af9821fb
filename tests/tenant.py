"""A whole tenant in one process: the product, both simulators, the stores' twin in memory, one clock that only moves when told.

tenant = Tenant()
ada = tenant.person("ada")
ada.outlook.create_contact(...); ada.crm.create("Contact", {...})
await tenant.round()
"""

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from local.sandbox.graph.people import People as Hands
from local.sandbox.http import SettableClock
from local.sandbox.salesforce.people import Person as CrmHands
from local.sandbox.world import GRAPH, SALESFORCE
from local.sandbox.world import World as Sandbox
from shared.settings import Settings, load
from sync.messages import Why
from sync.ports import Stored
from sync.runner import Times
from sync.stores import TABLES
from sync.stores.memory import MemoryTables
from sync.wiring import App, World, count
from tests.transports_httpx import ServiceTransport
from tests.transports_requests import ServiceAdapter, session_for

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
CONSUMER = "3MVG9.tandem"
FOLDER = "Salesforce Contacts"
CATEGORY = "Salesforce"


@cache
def keys() -> tuple[str, str]:
    """One RSA pair for all tests: (private, public)."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return str(pem.decode()), str(public.decode())


@cache
def settings_of(environ: tuple[tuple[str, str], ...]) -> Settings:
    """Checking a private key costs more than many a test."""
    return load(dict(environ))


@dataclass(frozen=True, slots=True, kw_only=True)
class Somebody:
    """A sales person, with their own hands on both sides."""

    id: str
    upn: str
    username: str
    outlook: Hands
    crm: CrmHands

    def folder(self) -> str:
        """The id of the dedicated folder; fails if there is none."""
        return next(str(folder["id"]) for folder in self.outlook.folders() if folder["displayName"] == FOLDER)

    def items(self) -> list[dict[str, Any]]:
        """The contacts in the dedicated folder."""
        return self.outlook.contacts(self.folder())


@dataclass(kw_only=True)
class Tenant:
    seed: int = 1
    with_package: bool = True
    times: Times = field(default_factory=Times)
    before_table: Callable[..., Any] | None = None
    lease: timedelta = timedelta(minutes=5)

    def __post_init__(self) -> None:
        self.clock = SettableClock(frozen_at=START)
        self.sandbox = Sandbox(self.clock, self.seed, with_package=self.with_package)
        self.graph, self.salesforce = self.sandbox.graph, self.sandbox.salesforce
        self.graph_transport = ServiceTransport(self.sandbox.services[GRAPH])
        self.salesforce_adapter = ServiceAdapter(self.sandbox.services[SALESFORCE])
        private, public = keys()
        self.salesforce.add_consumer(CONSUMER, public)
        self.salesforce.add_user("integration@crm.example", last_name="Integration", view_all=["*"])
        self.group = self.graph.add_group("Sales", [])
        self.tables = MemoryTables(TABLES, on_request=lambda _operation, _table: count("tables"))
        self.environ = {
            "AzureWebJobsStorage": "UseDevelopmentStorage=true",
            "SALESFORCE_CLIENT_ID": CONSUMER,
            "SALESFORCE_USERNAME": "integration@crm.example",
            "SALESFORCE_PRIVATE_KEY": private,
            "SALESFORCE_LOGIN_URL": "https://crm.my.salesforce.com",
            "SYNC_GROUP_ID": self.group,
            "SYNC_HASH_KEY": "dGFuZGVtIHRhbmRlbSB0YW5kZW0gdGFuZGVtIHRhbmRlbQ==",
        }
        self.people: list[Somebody] = []
        self.start()

    @property
    def settings(self) -> Settings:
        return settings_of(tuple(sorted(self.environ.items())))

    def start(self) -> App:
        """A new worker process: nothing of the old one's memory is left."""
        self.app = App(self.settings, self.world(), times=self.times, lease=self.lease)
        return self.app

    def world(self, **others: Any) -> World:
        rng = random.Random(f"{self.seed} product")

        async def sleep(seconds: float) -> None:
            self.clock.advance(seconds)

        async def in_thread(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            return call(*args, **kwargs)

        async def token(scope: str) -> Any:
            return _Token(self.graph.tokens.issue(scope))

        given: dict[str, Any] = {
            "tables": self.tables,
            "graph_http": httpx.AsyncClient(transport=self.graph_transport),
            "salesforce_http": session_for(self.salesforce_adapter),
            "graph_token": token,
            "clock": self.clock,
            "sleep": sleep,
            "in_thread": in_thread,
            "chance": rng.random,
            "new_id": lambda: f"{rng.getrandbits(64):016x}",
        }
        return World(**{**given, **others})

    def person(self, name: str, *, in_group: bool = True) -> Somebody:
        upn, username = f"{name}@contoso.example", f"{name}@crm.example"
        user_id = self.graph.add_user(upn)
        self.salesforce.add_user(username, last_name=name.capitalize(), email=upn, federation_identifier=upn)
        made = Somebody(id=user_id, upn=upn, username=username, outlook=self.graph.mailbox(upn), crm=self.salesforce.as_user(username))
        self.people.append(made)
        if in_group:
            self.graph.set_members(self.group, [one.id for one in self.people])
        return made

    async def round(self, *, why: Why = Why.TIMER, limit: int = 50) -> None:
        """Plan, and run every message and continuation until the queue is empty."""
        queue = await self.app.plan(why)
        for _ in range(limit):
            if not queue:
                return
            queue += await self.app.sync(queue.pop(0))
        raise AssertionError("the round does not end")

    async def later(self, **delta: float) -> None:
        """Let time pass, then a round."""
        self.clock.advance(timedelta(**delta).total_seconds())
        await self.round()

    async def rows(self, table: str, partition: str = "") -> list[Stored]:
        return [row async for row in self.tables.scan_table(table) if not partition or row.partition == partition]

    async def errors(self) -> dict[str, str]:
        """Code → text of every error row."""
        return {str(row.values["Code"]): str(row.values["Text"]) for row in await self.rows("SyncErrors")}

    async def last_run(self) -> Mapping[str, Any]:
        return min(await self.rows("SyncRuns"), key=lambda row: row.key).values

    def contacts(self) -> list[dict[str, Any]]:
        return self.salesforce.records("Contact")

    def requests(self) -> Counter[str]:
        return Counter({"graph": len(self.graph_transport.requests), "salesforce": len(self.salesforce_adapter.requests)})


@dataclass(frozen=True, slots=True)
class _Token:
    issued: Any

    @property
    def token(self) -> str:
        return str(self.issued.value)

    @property
    def expires_on(self) -> int:
        return int(self.issued.expires_on.timestamp())
