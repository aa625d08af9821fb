"""What a reader remembers between two looks at a mailbox's contact folders: the content of its cursor. It knows no HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from sync.ports import State

DEFAULT = "contacts"
"""The well-known name of the default folder, which no listing contains (Graph lists its children)."""

MAX_PAGES = 5_000
MAX_REPEATS = 3
LISTED_A_READ = 4
"""How many folders are asked for their children in a read that has no room to ask all."""


@dataclass(slots=True, kw_only=True)
class Place:
    """One folder's delta. An empty `link` means from the beginning; `paging`: its round has not reached its end."""

    link: str = ""
    paging: bool = True
    pages: int = 0
    seen: str = ""
    repeats: int = 0

    def turn_page(self, link: str, ids: frozenset[str], *, last: bool) -> bool:
        """Note a page; False if the round will not end: the service has been seen to return the same page with fresh links forever."""
        if last:
            self.link, self.paging, self.pages, self.seen, self.repeats = link, False, 0, "", 0
            return True
        mark = sha256("\n".join(sorted(ids)).encode()).hexdigest()[:16] if ids else ""
        self.repeats = self.repeats + 1 if mark and mark == self.seen else 0
        self.link, self.paging, self.pages, self.seen = link, True, self.pages + 1, mark
        return self.pages < MAX_PAGES and self.repeats < MAX_REPEATS


@dataclass(slots=True, kw_only=True)
class Places:
    """All folders of a mailbox. `home`: the id of the dedicated folder, '' while there is none known."""

    home: str = ""
    default: str = DEFAULT
    parent: str = ""
    """The default folder's own id, once a child has told it."""
    folders: dict[str, Place] = field(default_factory=dict)
    full: bool = True
    nested: bool = False
    """The dedicated folder is not where the listing shows it: it is asked for by id."""
    made: bool = False
    """The dedicated folder was created just now: whatever is missing in it was not deleted by a person. It is not kept."""
    category: bool = False
    """The category is in the mailbox's list, or the app may not put it there."""
    turn: int = 0

    @property
    def begun(self) -> bool:
        return bool(self.folders)

    @property
    def paging(self) -> list[str]:
        return [name for name in self.in_order() if self.folders[name].paging]

    def in_order(self) -> list[str]:
        """The dedicated folder, the default one, then the others as they were found."""
        first = [name for name in (self.home, self.default) if name in self.folders]
        return first + [name for name in self.folders if name not in first]

    def others(self) -> list[str]:
        return [name for name in self.folders if name not in {self.home, self.default}]

    def restart(self) -> None:
        """Everything from the beginning, the dedicated folder kept."""
        self.full, self.folders = True, {}

    def share(self, room: int) -> tuple[list[str], list[str]]:
        """For a quiet read: the other folders whose delta, and the folders whose children, are asked for in the `room` that is left."""
        others = self.others()
        parents = [name for name in (self.home, *others) if name]
        room = max(room, 0)
        children = len(parents) if room >= len(others) + len(parents) else min(LISTED_A_READ, len(parents), room // 2)
        deltas = min(len(others), room - children)
        children = min(len(parents), room - deltas)
        here, there = self._rotate(others, deltas), self._rotate(parents, children)
        self.turn = self.turn + 1 if deltas < len(others) or children < len(parents) else 0
        return here, there

    def _rotate(self, names: list[str], count: int) -> list[str]:
        start = self.turn * count % len(names) if names else 0
        return [*names[start:], *names[:start]][:count]

    @classmethod
    def load(cls, state: State) -> "Places":
        """`{}` begins; a state with nothing but `home` begins too, and keeps to that folder whatever its name is now."""
        folders = {str(name): _place(value) for name, value in dict(state.get("folders", {})).items()}
        return cls(
            home=str(state.get("home", "")),
            default=str(state.get("default", DEFAULT)),
            parent=str(state.get("parent", "")),
            folders=folders,
            full=bool(state.get("full", not folders)),
            nested=bool(state.get("nested", False)),
            category=bool(state.get("category", False)),
            turn=int(state.get("turn", 0)),
        )

    def save(self) -> dict[str, Any]:
        return {
            "home": self.home,
            "default": self.default,
            "parent": self.parent,
            "folders": {name: _saved(place) for name, place in self.folders.items()},
            "full": self.full,
            "nested": self.nested,
            "category": self.category,
            "turn": self.turn,
        }


def begin_again(state: State) -> State:
    """The state for a read from the beginning that keeps to the same dedicated folder: a person may have renamed it."""
    return {"home": state["home"]} if state.get("home") else {}


def _place(value: Mapping[str, Any]) -> Place:
    return Place(
        link=str(value.get("link", "")),
        paging="page" in value,
        pages=int(value.get("page", 0)),
        seen=str(value.get("seen", "")),
        repeats=int(value.get("repeats", 0)),
    )


def _saved(place: Place) -> dict[str, Any]:
    if not place.paging:
        return {"link": place.link}
    return {"link": place.link, "page": place.pages, "seen": place.seen, "repeats": place.repeats}
