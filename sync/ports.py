"""The Protocols between the engine (runner, planner, apply) and the world (connectors, stores).

A port speaks in items, drafts and rows; it knows no decision. Every write is answered per item, in the order asked, with one of
`Done`, `Stale`, `Missing`, `Failed` or `Unsure`; nothing but `Temporary`/`Permanent` errors that concern the whole user, `CursorExpired`
and `LeaseLost` is raised.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from shared.errors import Code, SyncError
from shared.records import Fields, Item, Seen, Side, Unread, Value
from sync.core.link import Link
from sync.core.match import Identity
from sync.keeping import Changes, Intent, Pending
from sync.translate.kind import Companies, Kind, Schema

# --------------------------------------------------------------------------- outcomes of writes


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """It took effect. `version` and `modified` as in `Item`, empty/None where the service does not tell."""

    id: str
    version: str = ""
    modified: datetime | None = None
    existed: bool = False
    """Salesforce refused an insert because a record with this unique key exists: that one is meant (adopt it)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """The precondition failed (412): somebody changed the record since it was read. Nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """There is no such record (any more), or this user cannot see it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """It was refused, for sure without effect."""

    error: SyncError


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsure:
    """It was cut, or answered 5xx after the request was sent: it may have taken effect, or may still."""

    error: SyncError


Outcome: TypeAlias = Done | Stale | Missing | Failed | Unsure

State: TypeAlias = Mapping[str, Any]
"""A cursor's content: JSON-able, owned by the connector, kept by the store without a look inside."""


# --------------------------------------------------------------------------- Outlook


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlookPage:
    """What one look at a mailbox brought for one kind."""

    items: tuple[Item, ...]
    """Items in the watched places: INSIDE the folder, or OUTSIDE it – marked or not."""
    removed: tuple[str, ...]
    """Ids that deserve a look by id: deleted, moved or out of a window."""
    state: State
    """The cursor to be kept once this page is applied or pending."""
    more: bool
    """There is more to read now: call again with `state`."""
    full: bool
    """The read that this page belongs to began at the beginning (first read, or the service forgot the cursor)."""
    refilled: bool = False
    """The folder was missing and was made again: it stands for no deletion and has to be refilled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOutlook:
    """An item to be created in the folder, stamped with the Salesforce id. `body` may be a copied full item."""

    stamp: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlookChange:
    id: str
    etag: str
    body: Mapping[str, Any]


class OutlookItems(Protocol):
    """One kind in one mailbox. All writes are `$batch`es of at most 20; the caller bounds a call to 80 items."""

    before: Callable[[], Awaitable[None]] | None
    """Awaited before each batch of a call: it may renew the lease, or raise LeaseLost, and then nothing more is sent."""

    async def get(self, ids: Sequence[str]) -> Mapping[str, Seen | Unread]:
        """Look by id: an item with its place, Absent(DELETED), or Unread where the service cannot show just this one."""
        ...

    async def get_whole(self, ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """All properties of the items (with `@odata.etag`), for a copy or the journal; an item that is gone is left out."""
        ...

    async def create(self, new: Sequence[NewOutlook], *, inside: bool = True) -> Sequence[Outcome]:
        """Create in the folder (or, not `inside`, in the default folder and without the category)."""
        ...

    async def update(self, changes: Sequence[OutlookChange]) -> Sequence[Outcome]:
        """PATCH each with If-Match."""
        ...

    async def delete(self, items: Sequence[tuple[str, str]]) -> Sequence[Outcome]:
        """DELETE each (id, etag) with If-Match; an item that is gone already is Missing."""
        ...

    async def copy_photos(self, moves: Sequence[tuple[str, str]]) -> Collection[str]:
        """Carry the photos of moved items (source id, target id). A photo that is refused stays behind. Answers the sources whose photo
        could not be carried just now."""
        ...

    async def home_is_there(self) -> bool:
        """Whether the folder exists: what is missing together with it was not deleted one by one."""
        ...

    async def find_stamped(self, stamps: Sequence[str], *, inside: bool = True) -> Mapping[str, Sequence[Item]]:
        """The items in the folder (or default folder) that carry each stamp."""
        ...

    def mark(self, item: Item, *, on: bool) -> Mapping[str, Any]:
        """The PATCH body that puts the category on, or takes it off, and leaves the person's own categories alone."""
        ...


class Mailbox(Protocol):
    """One user's mailbox."""

    async def read(self, states: Mapping[str, State]) -> Mapping[str, OutlookPage]:
        """One `$batch` for all kinds named (kind name → its cursor, `{}` to begin). Makes folder and category if they are missing."""
        ...

    def items(self, kind: str) -> OutlookItems: ...

    def recall(self, states: Mapping[str, State]) -> None:
        """Know what kept cursors know, without a read: recovery comes before the first one."""
        ...

    def begin_again(self, kind: str, state: State) -> State:
        """A cursor that reads everything anew but still knows which folder is meant, under whatever name."""
        ...


# --------------------------------------------------------------------------- Salesforce


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """The selection of records a user syncs, as a SOQL condition ('' for all)."""

    name: str
    condition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesforcePage:
    """What one query brought for one kind."""

    items: tuple[Seen, ...]
    """Records in the search, and looked-for records outside it (place OUTSIDE); deleted ones as Absent."""
    state: State
    more: bool
    full: bool
    """The read began at the beginning and runs in the order of Id: `first_id` < id ≤ `last_id` is covered completely."""
    first_id: str = ""
    last_id: str = ""
    """Of a full read: the end of the covered range; '~' on the last page."""
    date: datetime
    """The service's clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesforceRead:
    kind: Kind
    search: Search
    state: State
    outside: tuple[str, ...] = ()
    """Ids of linked records outside the search, whose changes are read by id (at most 200)."""
    ids_only: bool = False
    """A membership sweep: a full read of ids (place INSIDE, no fields)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSalesforce:
    """A record to be inserted. `key` fills the package's unique external-id field where the org has it."""

    key: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesforceChange:
    id: str
    unmodified_since: str
    """SystemModstamp of the version that was read."""
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """What a lookup brought: possible matches in the whole org as the user sees it, and accounts for company names."""

    items: tuple[Item, ...]
    companies: Companies


class Org(Protocol):
    """Salesforce as one user. One method call is one API call unless it says otherwise."""

    user_id: str
    org_id: str

    async def schema(self, kind: Kind) -> Schema:
        """Describe, as the user sees it; kept for an hour by the process."""
        ...

    async def read(self, reads: Sequence[SalesforceRead]) -> Sequence[SalesforcePage]:
        """One Composite call of at most five queries."""
        ...

    async def count(self, kind: Kind, search: Search) -> int: ...

    async def get(self, kind: Kind, ids: Sequence[str], search: Search) -> Mapping[str, Seen]:
        """Retrieve by id (≤ 2,000) through queryAll, so that deleted and merged rows are told from invisible ones, with their place."""
        ...

    async def look_up(self, kind: Kind, identities: Sequence[Identity], companies: Sequence[str]) -> Candidates:
        """Possible matches and accounts for at most 200 new items, in one Composite call."""
        ...

    async def create(self, kind: Kind, new: Sequence[NewSalesforce]) -> Sequence[Outcome]:
        """Insert at most 200 as one collection."""
        ...

    async def update(self, kind: Kind, changes: Sequence[SalesforceChange]) -> Sequence[Outcome]:
        """PATCH with If-Unmodified-Since, 25 to a Composite call."""
        ...

    async def delete(self, kind: Kind, ids: Sequence[str]) -> Sequence[Outcome]:
        """Delete at most 200 as one collection."""
        ...

    async def find_keys(self, kind: Kind, keys: Sequence[str]) -> Mapping[str, Item]:
        """The records that carry these unique keys (only where the schema names a key field)."""
        ...

    async def find_recent(self, kind: Kind, since: datetime) -> Sequence[Item]:
        """All records that this user created since then: the search after an unsure create without a key."""
        ...


# --------------------------------------------------------------------------- the directory of people


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A directory user."""

    id: str
    """Entra object id."""
    principal_name: str
    mail: str
    name: str
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesforceUser:
    id: str
    username: str
    federation_id: str
    email: str
    active: bool


class Directory(Protocol):
    async def members(self, group_id: str) -> Sequence[Person]: ...

    async def people(self, names: Sequence[str]) -> Mapping[str, Person | None]:
        """Look up by object id or principal name."""
        ...


class SalesforceUsers(Protocol):
    org_id: str

    async def find(self, *, federation_ids: Sequence[str], emails: Sequence[str], usernames: Sequence[str]) -> Sequence[SalesforceUser]:
        """Users (active and inactive) that carry one of these, with the integration user's token."""
        ...


# --------------------------------------------------------------------------- tables

Scalar: TypeAlias = str | int | float | bool | datetime
Row: TypeAlias = Mapping[str, Scalar]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A row as read. `key` is its RowKey."""

    partition: str
    key: str
    values: Row
    etag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Insert:
    """Fails with `RowExists` if the row is there."""

    key: str
    values: Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Replace:
    """Writes the whole row; with an etag only over exactly that version (`RowChanged` otherwise), without one unconditionally."""

    key: str
    values: Row
    etag: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """Sets these columns and leaves the others; the row must exist if an etag is given, and is made otherwise."""

    key: str
    values: Row
    etag: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remove:
    """Removes a row; without an etag a row that is not there is no error – but see `Tables.transact`."""

    key: str
    etag: str | None = None


Operation: TypeAlias = Insert | Replace | Merge | Remove


class RowExists(Exception):
    """Insert found the row there. `key` says which."""

    def __init__(self, key: str = "") -> None:
        super().__init__(key)
        self.key = key


class RowChanged(Exception):
    """An etag no longer matches, or the row is gone. `key` says which."""

    def __init__(self, key: str = "") -> None:
        super().__init__(key)
        self.key = key


class Tables(Protocol):
    """Table Storage as the stores need it: Azure's, or its twin in memory."""

    async def get(self, table: str, partition: str, key: str) -> Stored | None: ...

    def scan(
        self, table: str, partition: str, *, start: str = "", end: str = "\uffff", where: str = "", columns: Sequence[str] = ()
    ) -> AsyncIterator[Stored]:
        """Rows of one partition with start ≤ RowKey < end, in order. `where`: a further OData condition (comparisons of plain
        columns with `eq ne lt le gt ge`, joined by `and`)."""
        ...

    def scan_table(self, table: str, *, before: str = "", where: str = "") -> AsyncIterator[Stored]:
        """Rows of the whole table (PartitionKey < before, if given)."""
        ...

    async def transact(self, table: str, partition: str, operations: Sequence[Operation]) -> Sequence[str]:
        """At most 100 operations on one partition, all or none; each row once. Returns the new etags ('' for removals).
        Raises RowExists, RowChanged. A Remove without etag of a missing row fails the whole transaction with RowChanged when there
        is more than one operation (Azure's rule)."""
        ...

    async def put_many(self, table: str, partition: str, operations: Sequence[Operation]) -> None:
        """Any number of operations in as few transactions as it takes; not atomic as a whole."""
        ...

    async def create(self, tables: Sequence[str]) -> None:
        """Make the tables that do not exist yet."""
        ...


# --------------------------------------------------------------------------- small things


class Clock(Protocol):
    def now(self) -> datetime: ...


InThread: TypeAlias = Callable[..., Awaitable[Any]]
"""Runs a blocking function outside the event loop: `asyncio.to_thread`, or a test's own."""


# --------------------------------------------------------------------------- a user's state, while a run holds the lease


class KindState(Protocol):
    """Links, pendings, intents and cursors of one kind of one user. Only the holder of the lease can commit."""

    @property
    def links(self) -> int:
        """How many active links there are."""
        ...

    @property
    def cursors(self) -> Mapping[str, State]: ...

    @property
    def pendings(self) -> Mapping[str, Pending]:
        """By `Pending.name`: all of them, due or not."""
        ...

    @property
    def intents(self) -> Mapping[str, Intent]: ...

    async def by_salesforce(self, ids: Sequence[str]) -> Mapping[str, Link]: ...

    async def by_outlook(self, ids: Sequence[str]) -> Mapping[str, Link]: ...

    async def load_index(self) -> None:
        """For a full read: one scan of all links, ids and etags only, in place of many reads."""
        ...

    def knows(self, outlook_id: str, etag: str) -> bool:
        """Whether the index is loaded and has just this version of an item."""
        ...

    def between(self, after: str, upto: str) -> AsyncIterator[Link]:
        """Links with after < Salesforce id ≤ upto, in order."""
        ...

    async def commit(self, changes: Changes) -> None:
        """In transactions fenced by the lease. Raises LeaseLost."""
        ...

    async def hold(self, seconds: float) -> None:
        """Makes sure that the lease outlives the next `seconds`. Raises LeaseLost."""
        ...


class UserState(Protocol):
    """The lease of one user, held."""

    again: bool
    """A wake-up came during the run."""
    compare: bool
    """It asked for a full comparison."""

    def kind(self, kind: str) -> KindState: ...

    async def close(self, *, served: datetime | None, cursors: Mapping[str, Mapping[str, State | None]]) -> None:
        """Save cursors (kind → name → state) and give the lease back, in one transaction if they are few. `served`: the start of the run,
        if it read everything to the end."""
        ...


# --------------------------------------------------------------------------- what is told to people


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """An error row about an item."""

    code: Code
    side: Side
    salesforce_id: str = ""
    outlook_id: str = ""
    field: str = ""
    text: str = ""

    @property
    def name(self) -> str:
        return f"S{self.salesforce_id}" if self.salesforce_id else f"O{self.outlook_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A row for a person to decide, or (with `winner`) one that a rule has settled."""

    name: str
    """Of the pair, as in `Pending.name`."""
    kind_of: str
    """'conflict', 'deleted and edited', 'match' or 'copy'."""
    salesforce_id: str = ""
    outlook_id: str = ""
    fields: Mapping[str, tuple[Value, Value]]
    """Field → (Salesforce, Outlook)."""
    version: str
    """Names exactly what is shown: a decision is bound to it."""
    candidates: tuple[str, ...] = ()
    winner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What a record was before the sync changed it."""

    side: Side
    action: str
    """'overwrite', 'delete' or 'move'."""
    salesforce_id: str = ""
    outlook_id: str = ""
    fields: Fields
    whole: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A decision as somebody typed it."""

    name: str
    decision: str
    version: str


class Ledger(Protocol):
    """Errors, questions, approvals and the journal of one user and kind."""

    async def report(self, troubles: Sequence[Trouble]) -> None: ...

    async def solve(self, names: Sequence[str]) -> None:
        """The named pairs' error rows go."""
        ...

    async def ask(self, questions: Sequence[Question]) -> None: ...

    async def answers(self) -> Sequence[Answer]: ...

    async def close(self, names: Sequence[str]) -> None:
        """The named pairs' questions are answered or moot."""
        ...

    async def journal(self, entries: Sequence[Before]) -> None: ...

    async def hold(self, approval: str, deletions: Sequence[Pending], links: int) -> None: ...

    async def approval(self, approval: str) -> str | None:
        """'approve', 'reject' or '' while it waits; None if nobody is asked (any more)."""
        ...

    async def finish(self, approval: str, state: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What taking a claim brought. All three empty: a colleague's run holds it."""

    granted: bool = False
    salesforce_id: str = ""
    """Of the record that somebody made under this claim."""
    expired: bool = False


class Claims(Protocol):
    """The org-wide right to create one record that several users could create."""

    async def take(self, keys: Sequence[str]) -> Mapping[str, Claim]:
        """Granted; or named (somebody made it: `salesforce_id`); or `expired` (look for it, then `take_over`); or held by another."""
        ...

    async def take_over(self, keys: Sequence[str]) -> Sequence[str]:
        """Take claims seen by `take` (expired, or naming a record that is none any more); answers those that were won."""
        ...

    async def name(self, made: Mapping[str, str]) -> None:
        """Claim key → Salesforce id of the record that was made (or found)."""
        ...

    async def give_back(self, keys: Sequence[str]) -> None: ...
