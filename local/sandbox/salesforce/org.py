"""The simulated org: its data, its people, its switches – everything the endpoints share.

Why this file exists: the endpoints (`rows`, `collections`, `composite`, `queries`, `describe`) are functions over this one
value, so that a further endpoint needs no further state. It knows no path and no status code.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from local.sandbox.http import Clock, Request
from local.sandbox.salesforce.access import Access
from local.sandbox.salesforce.ids import IdMint
from local.sandbox.salesforce.journal import Actor, Caller
from local.sandbox.salesforce.records import Records
from local.sandbox.salesforce.rules import Rules
from local.sandbox.salesforce.schema import ObjectType
from local.sandbox.salesforce.store import Store


@dataclass(slots=True, kw_only=True)
class Knobs:
    """What a control plane turns.

    `page_rows`: a query page holds at most that many rows (the service may return fewer than asked for).
    `daily_limit`/`api_usage`: calls allowed and used in 24 hours. `concurrent_refusals` and `html_outages`: that many next
    requests get the 403 of too many long requests, or a 503 with an HTML page. `session_ttl`: of an idle session, in seconds.
    `locator_ttl`: of a query locator, in seconds. `unknown_field_fails_request`: in a collection, an unknown field refuses
    the whole request instead of its row; orgs were seen to do both.
    """

    page_rows: int = 2000
    daily_limit: int = 100_000
    api_usage: int = 0
    concurrent_refusals: int = 0
    html_outages: int = 0
    session_ttl: float = 7200.0
    locator_ttl: float = 172_800.0
    unknown_field_fails_request: bool = False


@dataclass(slots=True, kw_only=True)
class Locator:
    """The rest of a query, as it was when the query ran."""

    user_id: str
    records: tuple[dict[str, Any], ...]
    page: int
    expires: datetime


@dataclass(slots=True, kw_only=True)
class Org:
    """One org. `schema_changed` is when describe last changed for anybody."""

    id: str
    store: Store
    access: Access
    objects: dict[str, ObjectType]
    records: Records
    rules: Rules
    knobs: Knobs
    clock: Clock
    mint: IdMint
    schema_changed: datetime
    locators: dict[str, Locator] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    usage_since: datetime | None = None

    def username(self, user_id: str) -> str:
        return str(self.store.rows("User")[user_id]["Username"])

    def roll_usage(self) -> None:
        """The daily count starts anew 24 hours after its first call (the service's window is a rolling one)."""
        now = self.clock.now()
        if self.usage_since is None or now - self.usage_since >= timedelta(hours=24):
            if self.usage_since is not None:
                self.knobs.api_usage = 0
            self.usage_since = now

    def count_call(self, user_id: str) -> None:
        """One API call more."""
        self.knobs.api_usage += 1
        self.calls[self.username(user_id)] += 1

    @contextmanager
    def transaction(self) -> Iterator["Transaction"]:
        """Everything written inside is taken back when `undo` is set on the yielded value, or an error passes through."""
        mark, written = self.store.begin(), len(self.records.writes)
        transaction = Transaction()
        try:
            yield transaction
        except BaseException:
            transaction.undo = True
            raise
        finally:
            self.store.end(mark, undo=transaction.undo)
            if transaction.undo:
                del self.records.writes[written:]


@dataclass(slots=True, kw_only=True)
class Transaction:
    """Whether it is to be taken back at its end."""

    undo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One authenticated request to a data resource: `segments` follow `/services/data/vXX.0`, decoded. `nested` is inside a composite."""

    request: Request
    user_id: str
    version: str
    segments: tuple[str, ...]
    nested: bool = False

    @property
    def root(self) -> str:
        return f"/services/data/v{self.version}"

    @property
    def caller(self) -> Caller:
        """The writer this request makes of the user: the `Sforce-*` headers decide what is overridden."""
        headers = self.request.headers
        options = {part.strip().lower() for part in headers.get("sforce-duplicate-rule-header", "").split(";")}
        return Caller(
            user_id=self.user_id,
            actor=Actor.API,
            allow_duplicates="allowsave=true" in {option.replace(" ", "") for option in options},
            auto_assign=headers.get("sforce-auto-assign", "TRUE").upper() != "FALSE",
            url_root=self.root,
        )
