"""Whether a new Outlook item is a record that Salesforce already has (C7): the strong key, then the weak one, never a guess.

For contacts the strong key is any e-mail address, the weak one first + last name. A weak match whose strong keys contradict each other
(both have addresses, none in common) is for a person to decide; so are several candidates, and an item whose only candidate is
linked in this mailbox already (people copy items).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """By what a record is recognised. Both keys are in a comparable form; `weak` is empty where there is none."""

    strong: frozenset[str]
    weak: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    id: str
    identity: Identity


class Found(StrEnum):
    NONE = "none"
    ONE = "one"
    SEVERAL = "several"
    TAKEN = "taken"  # all candidates are linked in this mailbox already


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    found: Found
    ids: tuple[str, ...] = ()
    """The match, or the candidates a person chooses from, in a stable order."""


def match(new: Identity, candidates: Sequence[Candidate], taken: Collection[str]) -> Match:
    """`taken`: the ids of candidates that this mailbox already has linked to another item."""
    candidates = list({c.id: c for c in candidates}.values())
    strong = [c for c in candidates if c.identity.strong & new.strong]
    if strong:
        return _choose(strong, taken)
    weak = [c for c in candidates if new.weak and c.identity.weak == new.weak]
    agreeing = [c for c in weak if not (c.identity.strong and new.strong)]
    if not weak:
        return Match(found=Found.NONE)
    if len(agreeing) == len(weak):
        return _choose(weak, taken)
    free = [c for c in weak if c.id not in taken]
    if not free:  # a namesake with other addresses, synced already: another person
        return Match(found=Found.NONE) if not agreeing else Match(found=Found.TAKEN, ids=_ids(agreeing))
    return Match(found=Found.SEVERAL, ids=_ids(free))


def _choose(candidates: Sequence[Candidate], taken: Collection[str]) -> Match:
    free = [c for c in candidates if c.id not in taken]
    if not free:
        return Match(found=Found.TAKEN, ids=_ids(candidates))
    return Match(found=Found.ONE if len(free) == 1 else Found.SEVERAL, ids=_ids(free))


def _ids(candidates: Sequence[Candidate]) -> tuple[str, ...]:
    return tuple(sorted({c.id for c in candidates}))
