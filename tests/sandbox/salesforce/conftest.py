"""An org with two sales people and an integration user, and a client that speaks raw HTTP to it in the process."""

import json
import os
import random
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from local.sandbox.http import Request, Response, SettableClock
from local.sandbox.salesforce import SalesforceSandbox

NOON = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
ORIGIN = "https://acme.my.salesforce.com"
CONSUMER = "3MVG9.sandbox"
ALICE, BOB, INTEGRATION = "alice@acme.example", "bob@acme.example", "sync@acme.example"


class Keys:
    """One throw-away key pair for the whole session."""

    def __init__(self) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        encoding = serialization.Encoding.PEM
        self.private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
        self.public = key.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


class Client:
    """Speaks as one user: signs in by JWT when first needed."""

    def __init__(self, sandbox: SalesforceSandbox, keys: Keys, username: str) -> None:
        self.sandbox, self.keys, self.username = sandbox, keys, username
        self.token: str | None = None

    def assertion(self, **claims: Any) -> str:
        expiry = int(self.sandbox.clock.now().timestamp()) + 180
        standard = {"iss": CONSUMER, "sub": self.username, "aud": "https://login.salesforce.com", "exp": expiry}
        return jwt.encode(standard | claims, self.keys.private, algorithm="RS256")

    def ask_token(self, assertion: str | None = None, grant: str = "urn:ietf:params:oauth:grant-type:jwt-bearer") -> Response:
        form = urlencode({"grant_type": grant, "assertion": assertion or self.assertion()}).encode()
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return self.sandbox.handle(Request(method="POST", url=f"{ORIGIN}/services/oauth2/token", headers=headers, body=form))

    def call(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Response:
        """`path` is relative to /services/data/v62.0/, or absolute."""
        if self.token is None:
            self.token = self.ask_token().json()["access_token"]
        url = ORIGIN + (path if path.startswith("/") else f"/services/data/v62.0/{path}")
        own = {"authorization": f"Bearer {self.token}"} | ({"content-type": "application/json"} if body is not None else {})
        payload = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.sandbox.handle(Request(method=method, url=url, headers={**own, **(headers or {})}, body=payload))

    def query(self, soql: str, resource: str = "query", headers: Mapping[str, str] | None = None) -> Response:
        return self.call("GET", f"{resource}?q={quote(soql, safe='')}", headers=headers)

    def rows(self, soql: str, resource: str = "query") -> list[dict[str, Any]]:
        response = self.query(soql, resource)
        assert response.status == 200, response.json()
        records: list[dict[str, Any]] = response.json()["records"]
        return [{name: value for name, value in record.items() if name != "attributes"} for record in records]

    def error(self, soql: str) -> str:
        response = self.query(soql)
        assert response.status == 400, response.json()
        code: str = response.json()[0]["errorCode"]
        return code

    def composite(self, *parts: dict[str, Any], all_or_none: bool = False) -> list[dict[str, Any]]:
        response = self.call("POST", "composite", {"allOrNone": all_or_none, "compositeRequest": list(parts)})
        assert response.status == 200, response.json()
        answers: list[dict[str, Any]] = response.json()["compositeResponse"]
        return answers


class World:
    """The sandbox, its clock, and the people in it."""

    def __init__(self, keys: Keys, **options: Any) -> None:
        self.keys = keys
        self.clock = SettableClock(NOON)
        options = {"custom_fields": {"Contact": ["Tandem_Key__c"]}, **options}
        self.sandbox = SalesforceSandbox(self.clock, random.Random(7), consumers={CONSUMER: keys.public}, **options)
        self.ids = {name: self.sandbox.add_user(name, last_name=name.split("@")[0].title()) for name in (ALICE, BOB)}
        self.ids[INTEGRATION] = self.sandbox.add_user(INTEGRATION, last_name="Sync", view_all=["*"])

    def client(self, username: str = ALICE) -> Client:
        return Client(self.sandbox, self.keys, username)

    def account(self, username: str = ALICE, name: str = "Acme") -> str:
        return self.sandbox.as_user(username).create("Account", {"Name": name})

    def contact(self, username: str = ALICE, last_name: str = "Roe", **fields: Any) -> str:
        return self.sandbox.as_user(username).create("Contact", {"LastName": last_name, **fields})


@pytest.fixture(scope="session")
def keys() -> Keys:
    return Keys()


@pytest.fixture
def world(keys: Keys) -> World:
    return World(keys)


@pytest.fixture
def alice(world: World) -> Client:
    return world.client(ALICE)


@pytest.fixture
def bob(world: World) -> Client:
    return world.client(BOB)


@pytest.fixture(scope="session")
def contract_data() -> Path:
    """Vendor describes to compare with: $TANDEM_CONTRACT_DATA, or a sibling folder of the checkout."""
    root = Path(__file__).resolve().parents[3]
    named = os.environ.get("TANDEM_CONTRACT_DATA")
    path = Path(named) if named else root.parent / "shared" / "data"
    if not (path / "salesforce").is_dir():
        pytest.skip(f"no contract data in {path}; set TANDEM_CONTRACT_DATA")
    return path / "salesforce"
