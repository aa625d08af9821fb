"""An org in the process with two sales people, and the connector in front of it: no thread, no socket, no waiting."""

import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from local.sandbox.http import Request, Response, SettableClock
from local.sandbox.salesforce import SalesforceSandbox
from sync.connectors.salesforce.client import Client, Surroundings
from sync.connectors.salesforce.org import SalesforceOrg, open_org
from sync.connectors.salesforce.schema import Schemas
from sync.connectors.salesforce.tokens import Connection, Tokens
from sync.connectors.salesforce.users import Users, open_users
from tests.transports_requests import ServiceAdapter, session_for

NOON = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
CONSUMER = "3MVG9.tandem"
ALICE, BOB, INTEGRATION = "alice@acme.example", "bob@acme.example", "sync@acme.example"


async def in_thread(function: Callable[..., Any], *args: Any) -> Any:
    return function(*args)


class World:
    """The sandbox, its clock, what was sent, and the product's process in front of it."""

    def __init__(self, private: str, public: str, **options: Any) -> None:
        self.clock = SettableClock(NOON)
        options = {"custom_fields": {"Contact": ["Tandem_Key__c"]}, **options}
        self.sandbox = SalesforceSandbox(self.clock, random.Random(7), consumers={CONSUMER: public}, **options)
        self.ids = {name: self.sandbox.add_user(name, last_name=name.split("@")[0].title()) for name in (ALICE, BOB)}
        self.ids[INTEGRATION] = self.sandbox.add_user(INTEGRATION, last_name="Sync", view_all=["*"])
        self.account = self.sandbox.as_user(ALICE).create("Account", {"Name": "Acme"})
        self.wire = ServiceAdapter(self.sandbox, self._before)
        self.script: list[Callable[[Request], Response | None]] = []
        """What happens to the next API requests instead of, or before, the simulator's answer; token requests do not count."""
        self.sleeps: list[float] = []
        self.logins: list[str] = []
        self.connection = Connection(
            login_url="https://login.salesforce.example",
            audience="https://login.salesforce.com",
            client_id=CONSUMER,
            private_key=private,
            integration_user=INTEGRATION,
        )
        self.around = Surroundings(
            http=session_for(self.wire), in_thread=in_thread, sleep=self._sleep, now=self.clock.now, jitter=lambda: 0.5
        )
        self.tokens = Tokens(self.connection, http=self.around.http, now=self.clock.now, on_login=self.logins.append)
        self.schemas = Schemas(self.clock.now)

    async def _sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.clock.advance(seconds)

    def _before(self, request: Request) -> Response | None:
        if "/services/data/" in request.url and self.script:
            return self.script.pop(0)(request)
        return None

    async def org(self, username: str = ALICE) -> SalesforceOrg:
        return await open_org(username, self.tokens, self.schemas, self.around)

    async def users(self) -> Users:
        return await open_users(self.tokens, self.around)

    def client(self, username: str = ALICE) -> Client:
        return Client(username, self.tokens, self.around)

    def contact(self, last_name: str = "Roe", username: str = ALICE, **fields: Any) -> str:
        return self.sandbox.as_user(username).create("Contact", {"LastName": last_name, **fields})

    def sent(self) -> list[str]:
        """Method and path of the API requests since the last look."""
        calls = [request for request in self.wire.requests if "/services/data/" in request.url]
        self.wire.requests.clear()
        return [f"{request.method} {request.path.partition('/v62.0/')[2]}" for request in calls]


@pytest.fixture(scope="session")
def keys() -> tuple[str, str]:
    """One throw-away key pair: private and public, as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    return private, key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.fixture
def world(keys: tuple[str, str]) -> World:
    return World(*keys)
