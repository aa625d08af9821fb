"""One mailbox as it is and as it was: items of every kind in containers, with all their versions.

Versions are kept because delta answers from the past: a round shows the mailbox as of its beginning, a replay shows an
older state, a lag hides the newest. The store knows neither HTTP nor what the properties of a kind mean.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from local.sandbox.graph.answers import item_not_found
from local.sandbox.graph.ids import IdMint
from local.sandbox.graph.journal import Actor, Operation, Write
from local.sandbox.http import Clock


class Kind(StrEnum):
    """What an item is, by the name of its Graph type."""

    CONTACT = "contact"
    CONTACT_FOLDER = "contactFolder"


Hint = tuple[str, str]
"""An exact, case-folded value to look items up by: of an extended property (its id), or of `emailAddresses`."""
CONTAINERS = frozenset({Kind.CONTACT_FOLDER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """An item at one time. `home` is the key of its container, None once it is gone; `stamps` are its single-value
    extended properties by normalised id."""

    sequence: int
    at: datetime
    home: int | None
    change_key: str
    values: Mapping[str, Any]
    stamps: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    content: bytes
    content_type: str


@dataclass(slots=True, kw_only=True)
class Item:
    """A thing in a mailbox. `regular_id` changes with every move, `immutable_id` never; a container has one id."""

    key: int
    kind: Kind
    immutable_id: str
    regular_id: str
    created: datetime
    versions: list[Version] = field(default_factory=list)
    photo: Photo | None = None

    @property
    def now(self) -> Version:
        return self.versions[-1]

    def as_of(self, sequence: int) -> Version | None:
        """The version that was the newest at that point of the mailbox's history; None before the item existed."""
        at = bisect_right(self.versions, sequence, key=lambda version: version.sequence)
        return self.versions[at - 1] if at else None


class Mailbox:
    """The items of one user (`user` is the principal name, which can change).

    Every effect is one entry in `log` (the sequence number is its position + 1)."""

    def __init__(self, *, user_id: str, user: str, clock: Clock, mint: IdMint, journal: list[Write]) -> None:
        self.user_id = user_id
        self.user = user
        self.items: dict[int, Item] = {}
        self.log: list[int] = []
        self.log_times: list[datetime] = []
        self.categories: dict[str, dict[str, str]] = {}
        self.contact_lists: dict[int, int] = {}
        self.deleted_folder_names: set[str] = set()
        self._clock = clock
        self._mint = mint
        self._journal = journal
        self._prefix = mint.prefix()
        self._by_id: dict[str, int] = {}
        self._by_home: dict[int, dict[int, None]] = {}
        self._by_hint: dict[Hint, dict[int, None]] = {}
        self.root_id = mint.folder_id(self._prefix)
        self.default_folder = self._make(Kind.CONTACT_FOLDER)
        self._record(self.default_folder, home=0, values={"displayName": "Contacts"}, stamps={})

    # reading

    def find(self, kind: Kind, item_id: str) -> Item:
        """The living item with this id of either type; ids are case-sensitive.

        Raises: Refusal 404 ErrorItemNotFound.
        """
        key = self._by_id.get(item_id)
        item = self.items[key] if key is not None else None
        if item is None or item.kind is not kind or item.now.home is None:
            raise item_not_found()
        return item

    def inside(self, home: int, kind: Kind) -> Iterator[Item]:
        """The living items directly in a container, oldest first."""
        for key in self._by_home.get(home, {}):
            item = self.items[key]
            if item.kind is kind:
                yield item

    def hinted(self, hint: Hint) -> Iterator[Item]:
        """The items that have, or once had, this e-mail address or extended property, oldest first."""
        return (self.items[key] for key in sorted(self._by_hint.get(hint, {})))

    def of_kind(self, kind: Kind) -> Iterator[Item]:
        return (item for item in self.items.values() if item.kind is kind and item.now.home is not None)

    def visible_until(self, moment: datetime) -> int:
        """The last sequence number that had happened at that time."""
        return bisect_right(self.log_times, moment)

    # writing

    def create(
        self, kind: Kind, home: Item, values: Mapping[str, Any], stamps: Mapping[str, str], actor: Actor, photo: Photo | None = None
    ) -> Item:
        item = self._make(kind)
        item.photo = photo
        self._record(item, home=home.key, values=values, stamps=stamps)
        self._note(item, actor, Operation.CREATED, {**{name: value for name, value in values.items() if value}, **stamps})
        return item

    def update(self, item: Item, values: Mapping[str, Any], stamps: Mapping[str, str], actor: Actor) -> None:
        """Makes these the item's values. The change key changes even if nothing else does."""
        before = item.now
        changed = {name: value for name, value in values.items() if before.values.get(name) != value}
        changed |= {name: value for name, value in stamps.items() if before.stamps.get(name) != value}
        changed |= {name: None for name in before.stamps if name not in stamps}
        self._record(item, home=before.home, values=values, stamps=stamps)
        self._note(item, actor, Operation.UPDATED, changed)

    def move(self, item: Item, home: Item, actor: Actor) -> None:
        self._rename(item)
        self._record(item, home=home.key, values=item.now.values, stamps=item.now.stamps)
        self._note(item, actor, Operation.MOVED, {"parentFolderId": home.immutable_id})

    def remove(self, item: Item, actor: Actor) -> None:
        """Deletes the item, and what is in it."""
        for key in list(self._by_home.get(item.key, {})):
            self.remove(self.items[key], actor)
        self._record(item, home=None, values=item.now.values, stamps=item.now.stamps)
        self._note(item, actor, Operation.DELETED, {})

    def restore(self, item: Item, home: Item, actor: Actor) -> None:
        """Takes a deleted item back, as a person does from Deleted Items."""
        self._rename(item)
        self._record(item, home=home.key, values=item.now.values, stamps=item.now.stamps)
        self._note(item, actor, Operation.RESTORED, {"parentFolderId": home.immutable_id})

    def set_photo(self, item: Item, photo: Photo | None, actor: Actor) -> None:
        """Neither the change key nor delta show it: a photo is a navigation property."""
        item.photo = photo
        self._note(item, actor, Operation.PHOTO_SET, {"photo": len(photo.content) if photo else None})

    def note(self, kind: str, item_id: str, actor: Actor, operation: Operation, changed: Mapping[str, Any]) -> None:
        """Writes a line of the journal: for what is kept beside the items."""
        at = self._clock.now()
        self._journal.append(
            Write(at=at, actor=actor, user=self.user, operation=operation, kind=kind, item_id=item_id, changed=dict(changed))
        )

    def deleted_item(self, kind: Kind, item_id: str) -> Item:
        key = self._by_id.get(item_id)
        if key is None or self.items[key].kind is not kind or self.items[key].now.home is not None:
            raise item_not_found()
        return self.items[key]

    def _make(self, kind: Kind) -> Item:
        if kind in CONTAINERS:
            regular = immutable = self._mint.folder_id(self._prefix)
        else:
            regular, immutable = self._mint.regular_id(self._prefix), self._mint.immutable_id(self._prefix)
        item = Item(key=len(self.items) + 1, kind=kind, immutable_id=immutable, regular_id=regular, created=self._clock.now())
        self.items[item.key] = item
        self._by_id[regular] = self._by_id[immutable] = item.key
        return item

    def _rename(self, item: Item) -> None:
        if item.kind in CONTAINERS:
            return
        del self._by_id[item.regular_id]
        item.regular_id = self._mint.regular_id(self._prefix)
        self._by_id[item.regular_id] = item.key

    def _record(self, item: Item, *, home: int | None, values: Mapping[str, Any], stamps: Mapping[str, str]) -> None:
        now = self._clock.now()
        if self.log_times and now < self.log_times[-1]:
            now = self.log_times[-1]
        if item.versions and item.now.home is not None and item.now.home != home:
            self._by_home.get(item.now.home, {}).pop(item.key, None)
        if home is not None:
            self._by_home.setdefault(home, {})[item.key] = None
        for stamp, text in stamps.items():
            self._by_hint.setdefault((stamp, text.casefold()), {})[item.key] = None
        for address in values.get("emailAddresses", ()):
            self._by_hint.setdefault(("emailAddresses", (address["address"] or "").casefold()), {})[item.key] = None
        self.log.append(item.key)
        self.log_times.append(now)
        item.versions.append(
            Version(sequence=len(self.log), at=now, home=home, change_key=self._mint.change_key(), values=dict(values), stamps=dict(stamps))
        )

    def _note(self, item: Item, actor: Actor, operation: Operation, changed: Mapping[str, Any]) -> None:
        self.note(item.kind.value, item.immutable_id, actor, operation, changed)
