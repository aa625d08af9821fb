"""Delta: opaque links, rounds and pages over any container of a mailbox, with the habits of Outlook's sync state.

A chain begins with a call without token. Each fetched page makes the next generation of the chain; only the last few
generations are remembered, so links die while a client pages (the live service answers `generation=149;[highest=157][157][155][156]`).
A link that lives can be fetched again and shows the same changes. It knows no kind: how a version looks is the caller's.
"""

import random
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from local.sandbox.graph.answers import Refusal
from local.sandbox.graph.ids import IdMint
from local.sandbox.graph.knobs import Knobs
from local.sandbox.graph.store import Item, Kind, Mailbox, Version
from local.sandbox.http import Clock

Show = Callable[[Item, Version], dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """What is tracked: the items of a kind in one container, or (`home` None) of a kind in the whole mailbox."""

    kind: Kind
    home: int | None

    def holds(self, item: Item, version: Version | None) -> bool:
        if version is None or version.home is None or item.kind is not self.kind:
            return False
        return version.home == self.home if self.home is not None else version.home != 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a link stands: between rounds `queue` is empty and `since` says what the client knows; within a round, `upto` is the
    mailbox's history at the round's beginning and `queue` what is still to be shown."""

    generation: int
    since: int
    upto: int = 0
    queue: tuple[int, ...] = ()
    in_round: bool = False
    empty_pages: int = 0


@dataclass(slots=True, kw_only=True)
class _Chain:
    number: int
    user: str
    feed: Feed
    options: Mapping[str, str]
    page_size: int
    highest: int
    links: dict[str, Position] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """`value` in Graph's JSON; `token` goes into a nextLink (`more`) or a deltaLink."""

    value: list[dict[str, Any]]
    token: str
    more: bool
    options: Mapping[str, str]


class DeltaStates:
    """All sync states of one tenant."""

    def __init__(self, clock: Clock, rng: random.Random, mint: IdMint, knobs: Knobs) -> None:
        self._clock = clock
        self._rng = rng
        self._mint = mint
        self.knobs = knobs
        self._chains: OrderedDict[int, _Chain] = OrderedDict()
        self._by_token: dict[str, int] = {}
        self._count = 0
        self._generation = 100

    def begin(self, box: Mailbox, feed: Feed, options: Mapping[str, str], page_size: int | None, show: Show) -> Page:
        """The first page of the initial round: everything there is."""
        self._count += 1
        chain = _Chain(
            number=self._count,
            user=box.user_id,
            feed=feed,
            options=dict(options),
            page_size=page_size or self.knobs.delta_default_page_size,
            highest=self._generation,
        )
        self._chains[chain.number] = chain
        self._evict(box.user_id)
        return self._page(box, chain, Position(generation=chain.highest, since=0), page_size, show)

    def resume(self, box: Mailbox, feed: Feed, token: str, page_size: int | None, show: Callable[[Mapping[str, str]], Show]) -> Page:
        """The page a link stands for.

        Raises: Refusal 410 SyncStateNotFound when the state is forgotten, 400 when the token is of another collection.
        """
        chain = self._chains.get(self._by_token.get(token, 0))
        if chain is None:
            raise self._forgotten("generation=0;[highest=0]")
        if chain.user != box.user_id or chain.feed != feed:
            raise Refusal(400, "SyncStateInvalid", "The sync state does not belong to this collection.")
        position = chain.links.get(token)
        if position is None or chain.highest - position.generation >= self.knobs.delta_generations:
            kept = "".join(f"[{chain.highest - back}]" for back in range(self.knobs.delta_generations))
            generation = position.generation if position else 0
            raise self._forgotten(f"generation={generation};[highest={chain.highest}]{kept}")
        self._chains.move_to_end(chain.number)
        return self._page(box, chain, position, page_size, show(chain.options))

    def expire(self, user: str) -> int:
        """Forgets every state of a mailbox; returns how many chains that were."""
        gone = [number for number, chain in self._chains.items() if chain.user == user]
        for number in gone:
            del self._chains[number]
        return len(gone)

    def _forgotten(self, state: str) -> Refusal:
        # The first is what Outlook is seen to send; the others are in learn.microsoft.com/graph/delta-query-overview and in reports.
        answers = ((410, "SyncStateNotFound"), (410, "syncStateNotFound"), (410, "resyncRequired"), (400, "InvalidDeltaToken"))
        status, code = self._rng.choice(answers) if self.knobs.odd_expiry else answers[0]
        return Refusal(status, code, f"The sync state generation is not found; {state}.")

    def _page(self, box: Mailbox, chain: _Chain, position: Position, page_size: int | None, show: Show) -> Page:
        knobs, feed = self.knobs, chain.feed
        visible = box.visible_until(self._clock.now() - timedelta(seconds=knobs.delta_lag))
        if not position.in_round:
            upto = max(visible, position.since)
            queue = self._changed(box, feed, position.since, upto)
            position = replace(position, upto=upto, queue=queue, in_round=True, empty_pages=0)
        size = page_size or chain.page_size
        if knobs.delta_page_size:
            size = min(size, knobs.delta_page_size)
        chosen, rest = position.queue[:size], position.queue[size:]
        # Not twice in a row: a round that never ends is a pathology of its own.
        if position.empty_pages == 0 and self._rng.random() < knobs.p_empty_page:
            chosen, rest, empty = (), position.queue, 1
        else:
            empty = 0
        at = max(position.upto, visible) if self._rng.random() < knobs.p_fresh_page else position.upto
        value = [shown for key in chosen if (shown := self._show(box, feed, key, position, at, show)) is not None]
        if chosen and self._rng.random() < knobs.p_duplicate:
            rest = (*rest, self._rng.choice(chosen))
        if not empty and self._rng.random() < knobs.p_replay:
            replayed = self._replay(box, feed, position, show)
            if replayed is not None:
                value.insert(self._rng.randrange(len(value) + 1), replayed)
        if knobs.endless_delta:
            rest = position.queue
        more = bool(rest) or bool(empty) or knobs.endless_delta
        chain.highest += 1
        self._generation = max(self._generation, chain.highest)
        if more:
            following = replace(position, generation=chain.highest, queue=rest, empty_pages=empty)
        else:
            following = Position(generation=chain.highest, since=position.upto)
        token = self._mint.opaque()
        chain.links[token] = following
        self._by_token[token] = chain.number
        self._forget(chain)
        return Page(value=value, token=token, more=more, options=chain.options)

    def _changed(self, box: Mailbox, feed: Feed, since: int, upto: int) -> tuple[int, ...]:
        """The keys to show, each once, in the order of their last change."""
        keys: dict[int, None] = {}
        for key in box.log[since:upto]:
            if box.items[key].kind is feed.kind:
                keys.pop(key, None)
                keys[key] = None
        shown = [key for key in keys if self._concerns(box.items[key], feed, since, upto)]
        if self.knobs.shuffle_delta:
            self._rng.shuffle(shown)
        return tuple(shown)

    def _concerns(self, item: Item, feed: Feed, since: int, upto: int) -> bool:
        if feed.holds(item, item.as_of(upto)):
            return True
        if since and feed.holds(item, item.as_of(since)):
            return self._rng.random() >= self.knobs.p_lost_removal
        between = any(since < version.sequence <= upto and feed.holds(item, version) for version in item.versions)
        return between and self._rng.random() < self.knobs.p_ghost_removed

    def _show(self, box: Mailbox, feed: Feed, key: int, position: Position, at: int, show: Show) -> dict[str, Any] | None:
        item = box.items[key]
        version = item.as_of(at)
        if version is None:
            return None
        return show(item, version) if feed.holds(item, version) else show(item, replace(version, home=None))

    def _replay(self, box: Mailbox, feed: Feed, position: Position, show: Show) -> dict[str, Any] | None:
        """A state the client was, or is being, told: the present one of some item, or an older one of its versions."""
        if position.upto == 0:
            return None
        item = box.items[box.log[self._rng.randrange(position.upto)]]
        if not feed.holds(item, item.now) and not self.knobs.replay_deleted:
            return None
        past = [version for version in item.versions if version.sequence <= position.upto and feed.holds(item, version)]
        return show(item, self._rng.choice(past)) if past else None

    def _forget(self, chain: _Chain) -> None:
        # A dead link is kept a while longer, only to be able to say which generation it was.
        oldest = chain.highest - 4 * self.knobs.delta_generations
        for token in [token for token, position in chain.links.items() if position.generation < oldest]:
            del chain.links[token]
            del self._by_token[token]

    def _evict(self, user: str) -> None:
        mine = [number for number, chain in self._chains.items() if chain.user == user]
        for number in mine[: max(0, len(mine) - self.knobs.delta_chains)]:
            del self._chains[number]
