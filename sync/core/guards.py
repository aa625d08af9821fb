"""The guard over deletions (D4): it looks at the whole set, across pages and continuations, before anything is deleted."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from shared.records import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """More than `count` deletions, or more than `percent` of the links, are held. A few deletions are never a flood (`floor`)."""

    count: int = 50
    percent: int = 20
    floor: int = 5


@dataclass(frozen=True, slots=True, order=True)
class Deletion:
    """One deletion that a run wants to make on `side`."""

    side: Side
    id: str


def exceeds(deletions: int, links: int, limits: Limits) -> bool:
    """Whether a set of deletions has to wait for an administrator. `links`: how many pairs there were before."""
    if deletions > limits.count:
        return True
    emptied = deletions > 1 and deletions >= links
    return emptied or (deletions > limits.floor and deletions * 100 > limits.percent * links)


def name_of_set(deletions: Iterable[Deletion]) -> str:
    """A name for exactly this set: an approval is bound to it and to no other."""
    text = "\n".join(f"{d.side} {d.id}" for d in sorted(deletions))
    return sha256(text.encode()).hexdigest()[:32]
