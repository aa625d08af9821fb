"""The whole of it on one machine: Azurite, the sandbox, and the Functions host with the product.

The product gets the settings a deployment would give it, under the same names, and nothing else: that these point at
local servers is all it could notice.
"""

import base64
import json
import os
import secrets
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from local.sandbox.control import Control
from local.sandbox.world import SALESFORCE
from local.stack.azurite import Azurite
from local.stack.process import ROOT, NotStartedError, Process

CONSUMER_KEY = "3MVG9.tandem.local"
AUDIENCE = "https://login.salesforce.com"
NEVER = "0 0 0 29 2 *"
"""A schedule for who starts the rounds by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the tenant gives the product: the group that syncs, and the username of the integration user."""

    group_id: str
    integration_user: str


class Stack:
    """Used as a context: started step by step, and ended as a whole. `directory` gets the logs and the certificate bundle."""

    def __init__(self, directory: Path, *, seed: int = 1, say: Callable[[str], None] = lambda _: None) -> None:
        self.directory = directory
        self._seed = seed
        self._say = say
        self._private_key, self._public_key = _make_keys()
        self._hash_key = base64.b64encode(secrets.token_bytes(32)).decode()
        self._azurite: Azurite | None = None
        self._sandbox: Process | None = None
        self._host: Process | None = None
        self._control: Control | None = None
        self._addresses: dict[str, str] = {}
        self.host_origin = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def start_vendors(self) -> None:
        """Azurite and the sandbox, side by side. Raises `NotStartedError`."""
        began = time.monotonic()
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        self._azurite = Azurite(self.directory / "azurite.log")
        command = [sys.executable, "-m", "local.sandbox", "--directory", str(self.directory), "--seed", str(self._seed)]
        self._sandbox = Process("the sandbox", command, self.directory / "sandbox.log")
        ready = self._sandbox.wait_for_line(r"^Sandbox ready (\{.*\})$")
        self._addresses = json.loads(ready[1])
        self._control = Control(self._addresses["control"])
        self._control.call(SALESFORCE, "add_consumer", CONSUMER_KEY, self._public_key)
        self._azurite.wait()
        self._say(f"Azurite and the sandbox are up ({time.monotonic() - began:.1f} s)")

    def start_host(self, names: Names, *, schedule: str = NEVER, port: int = 0) -> None:
        """The product. May be called again after `stop_host`. Raises `NotStartedError`."""
        began = time.monotonic()
        command = [sys.executable, "-m", "local.host", "--environment-only", "--root", str(ROOT), "--port", str(port)]
        environment = {**_without_azure(os.environ), **self.settings(names, schedule)}
        self._host = Process("the host", command, self.directory / "host.log", environment)
        self.host_origin = self._host.wait_for_line(r"Host started on (\S+)")[1]
        status = httpx.get(self.host_origin + "/admin/host/status", trust_env=False).json()
        if status["state"] != "Running" or status["errors"]:
            raise NotStartedError(f"the host is not well: {status}")
        self._say(f"the host is up on {self.host_origin} ({time.monotonic() - began:.1f} s)")

    def stop_host(self) -> None:
        if self._host is not None:
            self._host.stop()
        self._host = None

    def stop(self) -> None:
        """Ends everything, all at once."""
        if self._control is not None:
            self._control.close()
        azurite = self._azurite.process if self._azurite is not None else None
        processes = [each for each in (self._host, self._sandbox, azurite) if each is not None]
        for process in processes:
            process.let_go()
        for process in processes:
            process.stop()

    def settings(self, names: Names, schedule: str) -> dict[str, str]:
        """What the product is given: the names of `local.settings.example.json`, and those of the platform."""
        return {
            "AzureWebJobsStorage": self.storage,
            "IDENTITY_ENDPOINT": self._addresses["identity"],
            "IDENTITY_HEADER": self._addresses["identity_header"],
            "GRAPH_ENDPOINT": self._addresses["graph"],
            "SALESFORCE_LOGIN_URL": self._addresses["salesforce"],
            "SALESFORCE_AUDIENCE": AUDIENCE,
            "SALESFORCE_CLIENT_ID": CONSUMER_KEY,
            "SALESFORCE_USERNAME": names.integration_user,
            "SALESFORCE_PRIVATE_KEY": self._private_key,
            "SYNC_SCHEDULE": schedule,
            "SYNC_ENABLED": "true",
            "SYNC_GROUP_ID": names.group_id,
            "SYNC_HASH_KEY": self._hash_key,
            "SSL_CERT_FILE": self._addresses["ca"],
            "REQUESTS_CA_BUNDLE": self._addresses["ca"],
            "NO_PROXY": "127.0.0.1,localhost",
        }

    def start_function(self, name: str) -> None:
        """Starts a timer function by hand, as an administrator may."""
        answer = httpx.post(f"{self.host_origin}/admin/functions/{name}", json={"input": ""}, trust_env=False)
        answer.raise_for_status()

    @property
    def control(self) -> Control:
        assert self._control is not None, "start_vendors comes first"
        return self._control

    @property
    def storage(self) -> str:
        assert self._azurite is not None, "start_vendors comes first"
        return self._azurite.connection

    @property
    def host(self) -> Process:
        assert self._host is not None, "start_host comes first"
        return self._host

    @property
    def addresses(self) -> dict[str, str]:
        """Of the sandbox: graph, salesforce, control, identity, ca."""
        return dict(self._addresses)


def _without_azure(environment: "os._Environ[str]") -> dict[str, str]:
    """No credentials of the person who runs this may reach the product: it is to use the sandbox's identity endpoint."""
    return {name: value for name, value in environment.items() if not name.startswith(("AZURE_", "SYNC_", "SALESFORCE_", "GRAPH_"))}


def _make_keys() -> tuple[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    public = key.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    return private, public
