"""What the tests of the Graph connector talk through: Anna's mailbox in the simulator, one frozen clock, waits that only move it."""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import httpx

from local.sandbox.graph import GraphSandbox, Knobs
from local.sandbox.http import Request, Response, SettableClock
from shared.records import Fields, Item
from sync.connectors.graph import GraphMailbox, Home, open_mailbox
from sync.connectors.graph.client import GraphClient
from sync.connectors.graph.directory import GraphDirectory
from sync.core.match import Identity
from sync.ports import OutlookPage, State
from sync.translate.kind import Draft, Kind
from tests.transports_httpx import ServiceTransport

ENDPOINT = "https://graph.microsoft.com"
FOLDER = "Salesforce Contacts"
CATEGORY = "Salesforce"


def read_outlook(raw: Mapping[str, Any]) -> Fields:
    if raw.get("surname") == "unreadable":
        raise ValueError("unreadable")
    return {"last_name": raw["surname"], "phone": raw["mobilePhone"]}


CONTACT = Kind(
    name="contact",
    salesforce_object="Contact",
    outlook_select=("id", "surname", "mobilePhone", "displayName"),
    key_field="",
    salesforce_select=lambda _schema: (),
    read_salesforce=lambda _raw, _schema: {},
    read_outlook=read_outlook,
    draft_salesforce=lambda _fields, _item, _schema, _companies: Draft(payload={}, held={}),
    draft_outlook=lambda _fields, _item: Draft(payload={}, held={}),
    comparable=lambda _name, value: value,
    held=lambda _schema: lambda _side, _name, value: value,
    identity=lambda _item: Identity(strong=frozenset()),
    company=lambda _fields: None,
    copy_outlook=dict,
)


class Login:
    """Hands out the simulator's tokens, and counts."""

    def __init__(self, issue: Callable[[], str]) -> None:
        self._issue, self.token, self.issued = issue, issue(), 1

    async def __call__(self, *, refused: str = "") -> str:
        if refused == self.token:
            self.token, self.issued = self._issue(), self.issued + 1
        return self.token


@dataclass
class Waits:
    """Sleeping moves the clock."""

    clock: SettableClock
    seconds: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self.clock.advance(seconds)


class Scene:
    """`before` and `after` stand between client and simulator."""

    def __init__(self, knobs: Knobs | None = None, *, page_size: int = 200) -> None:
        self.clock = SettableClock(datetime(2026, 3, 1, 8, 0, tzinfo=UTC))
        self.graph = GraphSandbox(self.clock, random.Random(1), knobs=knobs)
        self.anna = self.graph.add_user("anna@contoso.com", display_name="Anna")
        self.people = self.graph.mailbox(self.anna)
        self.wire = ServiceTransport(self.graph)
        self.waits = Waits(self.clock)
        self.login = Login(lambda: self.graph.tokens.issue().value)
        self.counted: list[str] = []
        self.http = httpx.AsyncClient(transport=self.wire)
        self.client = make_client(
            self.http, self.login, self.clock, self.waits, on_request=lambda method, url: self.counted.append(f"{method} {url}")
        )
        self.page_size = page_size
        self.mailbox: GraphMailbox = self.open()
        self.state: State = {}

    def open(self, home: Home | None = None) -> GraphMailbox:
        """A mailbox as a new run opens it."""
        home = home or Home(user=self.anna, name=FOLDER, category=CATEGORY)
        return open_mailbox(self.client, CONTACT, home, page_size=self.page_size)

    @property
    def directory(self) -> GraphDirectory:
        return GraphDirectory(self.client, self.http)

    @property
    def folder(self) -> str:
        return str(self.state["home"])

    async def read_page(self) -> OutlookPage:
        page = (await self.mailbox.read({"contact": self.state}))["contact"]
        self.state = json.loads(json.dumps(page.state))
        return page

    async def read(self) -> list[OutlookPage]:
        """To the end."""
        pages = [await self.read_page()]
        while pages[-1].more:
            assert len(pages) < 300
            pages.append(await self.read_page())
        return pages

    async def items(self) -> dict[str, Item]:
        """What a read to the end shows, by last name (an id where there is none)."""
        return {item.fields.get("last_name") or item.id: item for page in await self.read() for item in page.items}

    def person_makes(self, surname: str, folder: str = FOLDER, **values: Any) -> str:
        return self.people.create_contact(folder, {"surname": surname, "displayName": surname, "mobilePhone": "1", **values})

    def sent(self, start: int = 0) -> list[str]:
        """HTTP requests since `start`; of a batch its requests, in order. Ids of folders and links' tokens are named."""
        lines: list[str] = []
        for request in self.wire.requests[start:]:
            lines += [f"{part['method']} {part['url']}" for part in parts(request)] or [f"{request.method} {request.path}"]
        return [self._plain(line) for line in lines]

    def _plain(self, line: str) -> str:
        line = unquote(line).replace(self.anna, "anna")
        for folder in self.people.folders():
            line = line.replace(folder["id"], f"<{folder['displayName']}>")
        head, token, _ = line.partition("token=")
        return f"{head}{token}…" if token else line


def make_client(
    http: httpx.AsyncClient,
    login: Login,
    clock: SettableClock,
    waits: Waits,
    on_request: Callable[[str, str], None] = lambda _method, _url: None,
) -> GraphClient:
    numbers = iter(range(10_000))
    return GraphClient(
        endpoint=ENDPOINT,
        get_token=login,
        http=http,
        clock=clock,
        sleep=waits,
        chance=lambda: 0.0,
        on_request=on_request,
        new_id=lambda: f"request-{next(numbers)}",
    )


def parts(request: Request) -> list[dict[str, Any]]:
    """The requests in a batch, none for another request."""
    return list(request.json()["requests"]) if request.path.endswith("/$batch") else []


class Script:
    """A service that answers batches from a script: each entry makes the answer to one HTTP request from its parts."""

    def __init__(self, *answers: Callable[[Sequence[Mapping[str, Any]]], Response]) -> None:
        self._answers = list(answers)
        self.asked: list[list[str]] = []

    def handle(self, request: Request) -> Response:
        asked = parts(request)
        self.asked.append([f"{part['method']} {part['url']}" for part in asked])
        return self._answers.pop(0)(asked)


def answers(*statuses: int, **headers: str) -> Callable[[Sequence[Mapping[str, Any]]], Response]:
    """Each part answered with a status; headers (`_` for `-`) go with the errors."""

    def answer(asked: Sequence[Mapping[str, Any]]) -> Response:
        assert len(asked) == len(statuses)
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        rows = [
            {
                "id": part["id"],
                "status": status,
                "headers": told if status >= 400 else {},
                "body": {"url": part["url"]} if status < 400 else {},
            }
            for part, status in zip(asked, statuses, strict=True)
        ]
        return Response.of(200, {"responses": rows[::-1]})

    return answer
