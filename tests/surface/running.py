"""Builders: the product in its host as a process of its own, with a storage account of its own, against the sandbox over TLS."""

import base64
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import httpx
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueClient

from local.sandbox.control import Control
from local.sandbox.world import GRAPH, SALESFORCE
from local.stack.process import ROOT, Process
from local.stack.stack import NEVER, Names, Stack

QUEUE, POISON = "sync-users", "sync-users-poison"
PATIENCE = 40.0
"""Seconds a test waits for what must happen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A sales person: their Entra object id and names on both sides."""

    id: str
    upn: str
    username: str


@dataclass(slots=True, kw_only=True)
class Company:
    """A tenant in the sandbox: a group of its own, and people who are in it."""

    stack: Stack
    name: str
    group: str = ""
    people: list[Person] = field(default_factory=list)

    @property
    def control(self) -> Control:
        return self.stack.control

    @property
    def names(self) -> Names:
        return Names(group_id=self.group, integration_user=f"integration@{self.name}.crm.example")

    def open(self) -> Self:
        self.control.call(SALESFORCE, "add_user", self.names.integration_user, last_name="Integration", view_all=["*"])
        self.group = self.control.call(GRAPH, "add_group", self.name, [])
        return self

    def person(self, name: str, *, preauthorized: bool = True) -> Person:
        upn, username = f"{name}@{self.name}.example", f"{name}@{self.name}.crm.example"
        user_id = self.control.call(GRAPH, "add_user", upn)
        known = {"last_name": name.capitalize(), "email": upn, "federation_identifier": upn, "preauthorized": preauthorized}
        self.control.call(SALESFORCE, "add_user", username, **known)
        made = Person(id=user_id, upn=upn, username=username)
        self.people.append(made)
        self.control.call(GRAPH, "set_members", self.group, [person.id for person in self.people])
        return made

    def in_outlook(self, who: Person, **values: Any) -> str:
        """A new contact in the folder of the sync, which must be there."""
        made: str = self.control.call(GRAPH, f"mailbox({who.upn}).create_contact", "Salesforce Contacts", values)
        return made

    def in_salesforce(self, who: Person, **fields: Any) -> str:
        made: str = self.control.call(SALESFORCE, f"as_user({who.username}).create", "Contact", fields)
        return made

    def outlook_names(self, who: Person) -> list[str]:
        return sorted(str(each["surname"]) for each in self.control.call(GRAPH, f"mailbox({who.upn}).contacts"))

    def salesforce_names(self, who: Person) -> list[str]:
        owner = self.control.call(SALESFORCE, "user_id", who.username)
        return sorted(each["LastName"] for each in self.control.call(SALESFORCE, "records", "Contact") if each["OwnerId"] == owner)


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The product in its host."""

    host: Process
    origin: str
    storage: str

    @property
    def log(self) -> str:
        return self.host.output

    def told(self, event: str) -> list[dict[str, Any]]:
        """The product's own log lines of an event."""
        return [json.loads(line) for line in re.findall(rf'\{{"event": "{event}".*\}}$', self.log, re.MULTILINE)]

    def ended(self, function: str, how: str = "Succeeded") -> int:
        return len(re.findall(rf"Executed '{function}' \({how}", self.log))

    def get(self, path: str) -> Any:
        answer = httpx.get(self.origin + path, trust_env=False)
        answer.raise_for_status()
        return answer.json()

    def plan(self) -> None:
        """A round by hand, until it is planned."""
        before = self.ended("plan_sync") + self.ended("plan_sync", "Failed")
        answer = httpx.post(f"{self.origin}/admin/functions/plan_sync", json={"input": ""}, trust_env=False)
        assert answer.status_code == 202
        self.wait(lambda: self.ended("plan_sync") + self.ended("plan_sync", "Failed") > before)

    def round(self) -> None:
        """A round by hand, until its messages are served."""
        self.plan()
        self.wait(lambda: self.waiting() == 0)

    def put(self, text: str, queue: str = QUEUE) -> None:
        """A message as somebody types it into Storage Explorer: as it is, nothing encoded."""
        with QueueClient.from_connection_string(self.storage, queue) as client:
            with suppress(ResourceExistsError):
                client.create_queue()
            client.send_message(text)

    def waiting(self, queue: str = QUEUE) -> int:
        """Messages that are there, hidden ones included."""
        with QueueClient.from_connection_string(self.storage, queue) as client:
            try:
                return client.get_queue_properties().approximate_message_count or 0
            except ResourceNotFoundError:
                return 0

    def rows(self, table: str, partition: str = "") -> list[dict[str, Any]]:
        with TableServiceClient.from_connection_string(self.storage) as service:
            try:
                found = [dict(row) for row in service.get_table_client(table).list_entities()]
            except ResourceNotFoundError:
                return []
        return [row for row in found if not partition or row["PartitionKey"] == partition]

    def tables(self) -> set[str]:
        with TableServiceClient.from_connection_string(self.storage) as service:
            return {table.name for table in service.list_tables()}

    def write(self, table: str, row: Mapping[str, Any]) -> None:
        """What somebody does by hand in Storage Explorer."""
        with TableServiceClient.from_connection_string(self.storage) as service:
            service.get_table_client(table).upsert_entity(dict(row))

    def remove(self, table: str, row: Mapping[str, Any]) -> None:
        with TableServiceClient.from_connection_string(self.storage) as service:
            service.get_table_client(table).delete_entity(str(row["PartitionKey"]), str(row["RowKey"]))

    def state(self, who: Person) -> str:
        (row,) = [row for row in self.rows("SyncUsers") if row["RowKey"] == who.id]
        return str(row["State"])

    def codes(self, partition: str) -> list[str]:
        return sorted(row["Code"] for row in self.rows("SyncErrors", partition))

    def wait(self, happened: Callable[[], bool]) -> None:
        """Until it has; fails with the end of the log when it has not in time."""
        self.host.wait_until(happened, PATIENCE)


@contextmanager
def running(
    company: Company, storage: str, log: Path, settings: Mapping[str, str] = MappingProxyType({}), *, root: Path = ROOT
) -> Iterator[Running]:
    """The product with the settings of a deployment, some replaced; an empty text leaves one out."""
    given = {**settings_of(company, storage), **settings}
    environment = {**clean(os.environ), **{name: value for name, value in given.items() if value}}
    command = [sys.executable, "-m", "local.host", "--environment-only", "--root", str(root), "--port", "0"]
    host = Process("the host", command, log, environment)
    try:
        origin = host.wait_for_line(r"Host started on (\S+)")[1]
        yield Running(host=host, origin=origin, storage=given["AzureWebJobsStorage"])
    finally:
        host.stop()


def settings_of(company: Company, storage: str) -> dict[str, str]:
    return {**company.stack.settings(company.names, NEVER), "AzureWebJobsStorage": storage}


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """Nothing of the person who runs the tests may reach the product."""
    return {name: value for name, value in environment.items() if not name.startswith(("AZURE_", "SYNC_", "SALESFORCE_", "GRAPH_"))}


def impatient_root(folder: Path) -> Path:
    """The same app, except that a message that failed comes back at once and not after half a minute."""
    for name in ("function_app.py", "sync", "shared"):
        (folder / name).symlink_to(ROOT / name)
    rules = json.loads((ROOT / "host.json").read_text())
    rules["extensions"]["queues"]["visibilityTimeout"] = "00:00:00"
    (folder / "host.json").write_text(json.dumps(rules))
    return folder


def with_wrong_key(storage: str) -> str:
    wrong = base64.b64encode(b"not the key of this account").decode()
    return re.sub(r"AccountKey=[^;]+", f"AccountKey={wrong}", storage)
