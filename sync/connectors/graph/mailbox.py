"""One user's mailbox: what all kinds have to ask goes out together, in one `$batch`.

A kind contributes a `Reader`: a generator that yields requests, is sent their replies, and returns its page. A quiet read yields once;
what is found to be missing is asked for by yielding again. Readers do no IO, so the mailbox can run them in step.
"""

from collections.abc import Generator, Mapping, Sequence
from typing import Protocol, TypeAlias

from sync.connectors.graph.client import BATCH, GraphClient
from sync.connectors.graph.reply import Reply, SubRequest
from sync.ports import OutlookItems, OutlookPage, State

Reading: TypeAlias = Generator[Sequence[SubRequest], Sequence[Reply], OutlookPage]


class Reader(Protocol):
    """How one kind is read."""

    def recall(self, state: State) -> None:
        """Know what a kept cursor knows, without a read."""
        ...

    def begin_again(self, state: State) -> State:
        """A cursor that reads everything anew and keeps which folder is meant."""
        ...

    def read(self, state: State, room: int) -> Reading:
        """The next page after `state`. The first requests are at most `room`."""
        ...


class GraphMailbox:
    """`user`: the Entra object id. `readers` and `items` by the name of the kind."""

    def __init__(self, *, client: GraphClient, user: str, readers: Mapping[str, Reader], items: Mapping[str, OutlookItems]) -> None:
        self._client, self._user, self._readers, self._items = client, user, readers, items

    def items(self, kind: str) -> OutlookItems:
        return self._items[kind]

    def recall(self, states: Mapping[str, State]) -> None:
        """For work that comes before the first read, as recovery does: which folder is meant is in the kept cursors."""
        for name, state in states.items():
            self._readers[name].recall(state)

    def begin_again(self, kind: str, state: State) -> State:
        return self._readers[kind].begin_again(state)

    async def read(self, states: Mapping[str, State]) -> Mapping[str, OutlookPage]:
        room = BATCH // max(1, len(states))
        readings = {name: self._readers[name].read(state, room) for name, state in states.items()}
        asked = {name: list(next(reading)) for name, reading in readings.items()}
        pages: dict[str, OutlookPage] = {}
        while asked:
            replies = await self._client.batch(self._user, [request for requests in asked.values() for request in requests])
            further: dict[str, list[SubRequest]] = {}
            for name, requests in asked.items():
                own, replies = replies[: len(requests)], replies[len(requests) :]
                try:
                    further[name] = list(readings[name].send(own))
                except StopIteration as end:
                    pages[name] = end.value
            asked = further
        return pages
