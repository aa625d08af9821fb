"""What the tests of the Graph simulator talk through: one tenant, one frozen clock, one token, plain JSON."""

import json
import random
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from local.sandbox.graph import GraphSandbox, Knobs
from local.sandbox.http import Request, Response, SettableClock

ORIGIN = "https://graph.microsoft.com"
STAMP = "String {66f5a359-4659-4830-9070-00040ec6ac6e} Name CrmId"
IMMUTABLE = 'IdType="ImmutableId"'
Json = dict[str, Any]


class Tenant:
    """Anna's mailbox with an empty folder `Salesforce Contacts`, and a client with a good token."""

    def __init__(self, knobs: Knobs | None = None, *, seed: int = 1, roles: set[str] | None = None) -> None:
        self.clock = SettableClock(datetime(2026, 3, 1, 8, 0, tzinfo=UTC))
        self.graph = GraphSandbox(self.clock, random.Random(seed), knobs=knobs)
        if roles is not None:
            self.graph.roles = roles
        self.anna = self.graph.add_user("anna@contoso.com", display_name="Anna")
        self.people = self.graph.mailbox(self.anna)
        self.folder = self.people.create_folder("Salesforce Contacts")
        self.token = self.graph.tokens.issue().value
        self.at = f"/users/{self.anna}"
        self.contacts = f"{self.at}/contactFolders/{self.folder}/contacts"

    def ask(self, method: str, path: str, body: Any = None, *, prefer: str | None = IMMUTABLE, **headers: str) -> Response:
        """`path` after /v1.0, or a whole link; header names with `_` for `-`."""
        sent = {"authorization": f"Bearer {self.token}"} | {name.replace("_", "-"): value for name, value in headers.items()}
        if prefer is not None:
            sent["prefer"] = prefer
        content = body if isinstance(body, bytes) else b""
        if body is not None and not isinstance(body, bytes):
            sent.setdefault("content-type", "application/json")
            content = json.dumps(body).encode()
        url = path if path.startswith("http") else ORIGIN + "/v1.0" + quote(path, safe="/?&=$:'(),%@;{}")
        return self.graph.handle(Request(method=method, url=url, headers=sent, body=content))

    def get(self, path: str, **options: Any) -> Json:
        response = self.ask("GET", path, **options)
        assert response.status == 200, response.body
        value: Json = response.json()
        return value

    def make(self, **values: Any) -> Json:
        """A contact made by the app in the Salesforce folder."""
        response = self.ask("POST", self.contacts, values)
        assert response.status == 201, response.body
        value: Json = response.json()
        return value

    def batch(self, *items: Json) -> dict[str, Json]:
        """The answers of a batch by item id."""
        response = self.ask("POST", "/$batch", {"requests": list(items)}, prefer=None)
        assert response.status == 200, response.body
        return {item["id"]: item for item in response.json()["responses"]}

    def round(self, link: str, *, size: int | None = None) -> tuple[list[Json], str, int]:
        """Reads a delta to its end: items in order, the deltaLink, the number of pages."""
        items: list[Json] = []
        prefer = IMMUTABLE if size is None else f"{IMMUTABLE}, odata.maxpagesize={size}"
        for pages in range(1, 200):
            page = self.get(link, prefer=prefer)
            items += page["value"]
            if "@odata.deltaLink" in page:
                return items, page["@odata.deltaLink"], pages
            link = page["@odata.nextLink"]
        raise AssertionError("the round does not end")


def code(response: Response) -> str:
    """The error code; checks the shape that every error has."""
    error = response.json()["error"]
    assert set(error) == {"code", "message", "innerError"}
    assert {"date", "request-id", "client-request-id"} == set(error["innerError"])
    assert error["innerError"]["request-id"] == response.headers["request-id"]
    return str(error["code"])


def refused(response: Response, status: int, expected: str) -> bool:
    return (response.status, code(response)) == (status, expected)
