"""One sandbox for each module, with an org, a sales person and a mailbox; clients are told of its certificate as any client would be."""

import json
import ssl
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from local.sandbox.control import Control
from local.sandbox.world import GRAPH, SALESFORCE
from local.stack.process import Process

CONSUMER = "3MVG9.judge"
USERNAME = "ada@judges.crm.example"
UPN = "ada@judges.example"
FOLDER = "Salesforce Contacts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """`ca`: the file with the certificates to trust. `mailbox`: Ada's object id; `folder`: of the contacts that sync."""

    control: Control
    graph: str
    salesforce: str
    ca: str
    token: str
    private_key: str
    mailbox: str
    folder: str

    @property
    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ca)

    def in_outlook(self, surname: str, folder: str = FOLDER) -> str:
        made: str = self.control.call(GRAPH, f"mailbox({UPN}).create_contact", folder, {"surname": surname})
        return made

    def delete_in_outlook(self, contact: str) -> None:
        self.control.call(GRAPH, f"mailbox({UPN}).delete_contact", contact)

    def outlook(self, folder: str | None = None) -> list[dict[str, object]]:
        found: list[dict[str, object]] = self.control.call(GRAPH, f"mailbox({UPN}).contacts", folder)
        return found

    def new_folder(self, name: str) -> str:
        made: str = self.control.call(GRAPH, f"mailbox({UPN}).create_folder", name)
        return made

    def in_salesforce(self, last_name: str, **fields: object) -> str:
        made: str = self.control.call(SALESFORCE, f"as_user({USERNAME}).create", "Contact", {"LastName": last_name, **fields})
        return made

    def record(self, record: str) -> dict[str, object]:
        found: dict[str, object] = self.control.call(SALESFORCE, "record", record)
        return found


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    directory: Path = tmp_path_factory.mktemp("judges")
    sandbox = Process("the sandbox", [sys.executable, "-m", "local.sandbox", "--directory", str(directory)], directory / "sandbox.log")
    try:
        addresses = json.loads(sandbox.wait_for_line(r"^Sandbox ready (\{.*\})$")[1])
        control = Control(addresses["control"])
        private, public = make_keys()
        control.call(SALESFORCE, "add_consumer", CONSUMER, public)
        control.call(SALESFORCE, "add_user", USERNAME, last_name="Lovelace", email=UPN)
        mailbox = control.call(GRAPH, "add_user", UPN)
        folder = control.call(GRAPH, f"mailbox({UPN}).create_folder", FOLDER)
        asked = {"resource": addresses["graph"], "api-version": "2019-08-01"}
        header = {"X-IDENTITY-HEADER": addresses["identity_header"]}
        token = httpx.get(addresses["identity"], params=asked, headers=header, trust_env=False).json()["access_token"]
        yield Tenant(
            control=control,
            graph=addresses["graph"],
            salesforce=addresses["salesforce"],
            ca=addresses["ca"],
            token=token,
            private_key=private,
            mailbox=mailbox,
            folder=folder,
        )
        control.close()
    finally:
        sandbox.stop()


def make_keys() -> tuple[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    return private, key.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
