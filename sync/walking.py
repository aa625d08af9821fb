"""Absence, inferred: after a full read of the mailbox, which links were not seen?

What a full read has seen is kept beside the cursor (6 bytes of a hash of each id), so that it may take several runs. Nothing is deleted
here: each link that was not seen is looked at by id. After the folder was made again (`refill`) an absent item stands for no deletion:
the link loses its Outlook half, and the pair is made again from Salesforce.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from shared.records import LONG_AGO, Absent, Side
from sync.apply.desk import Desk
from sync.apply.look import look
from sync.core.fingerprint import Base
from sync.core.link import Link, Status
from sync.core.plan import Pair
from sync.keeping import Changes
from sync.ports import State
from sync.reading import concerns

SEEN = "seen"
MARK = 6
CHUNK = 200
END = "~"


def _mark(outlook_id: str) -> bytes:
    return sha256(outlook_id.encode()).digest()[:MARK]


async def begin(desk: Desk) -> None:
    """Forget what an earlier full read had seen."""
    old = {name: None for name in desk.state.cursors if name.startswith(SEEN) or name == "walk"}
    if old:
        await desk.state.commit(Changes(cursors=old))


def seen_on(desk: Desk, ids: Sequence[str]) -> Mapping[str, State]:
    """The row that remembers what a page of a full read showed; it is kept together with the page's cursor."""
    if not ids:
        return {}
    number = sum(1 for name in desk.state.cursors if name.startswith(SEEN))
    return {f"{SEEN}-{number:05d}": {"ids": b64encode(b"".join(_mark(one) for one in ids)).decode()}}


def _seen(desk: Desk) -> set[bytes]:
    seen: set[bytes] = set()
    for name, state in desk.state.cursors.items():
        if name.startswith(SEEN):
            marks = b64decode(state["ids"])
            seen.update(marks[at : at + MARK] for at in range(0, len(marks), MARK))
    return seen


async def walk(desk: Desk, *, refill: bool) -> int | None:
    """Look at every link whose item a full read did not see; in bounded pieces, and continued where an earlier run stopped.
    Answers how many were not as their links say, or None if there was no time to come to the end."""
    found = 0
    seen = _seen(desk)
    position = str(desk.state.cursors.get("walk", {}).get("at", ""))
    while True:
        missing: list[Link] = []
        at = END
        async for link in desk.state.between(position, END):
            # A link without an item is what a refill that died has left: it is made again now.
            if link.status is Status.ACTIVE and (not link.outlook_id or _mark(link.outlook_id) not in seen):
                missing.append(link)
                if len(missing) == CHUNK:
                    at = link.salesforce_id
                    break
        if missing:
            lone = [Pair(link=link) for link in missing if not link.outlook_id]
            missing = [link for link in missing if link.outlook_id]
            pairs = [*lone, *(await _refilled(desk, missing) if refill else await _absent(desk, missing))]
            found += len(pairs)
            await look(desk, pairs)
        if at == END:
            break
        if desk.time_is_up():
            await desk.state.commit(Changes(cursors={"walk": {"at": at}}))
            return None
        position = at
        await desk.state.commit(Changes(cursors={"walk": {"at": position}}))
    await begin(desk)
    return found


async def _absent(desk: Desk, links: Sequence[Link]) -> list[Pair]:
    items = await desk.see([link.outlook_id for link in links])
    seen = [(link, items[link.outlook_id]) for link in links if link.outlook_id in items]
    return [Pair(link=link, outlook=item) for link, item in seen if isinstance(item, Absent) or concerns(desk, item, link)]


async def _refilled(desk: Desk, links: Sequence[Link]) -> list[Pair]:
    items = await desk.see([link.outlook_id for link in links])
    links = [link for link in links if link.outlook_id in items]
    elsewhere = [Pair(link=link, outlook=items[link.outlook_id]) for link in links if not isinstance(items[link.outlook_id], Absent)]
    lost = [link for link in links if isinstance(items[link.outlook_id], Absent)]
    if not desk.policy.direction.reaches(Side.OUTLOOK):  # nothing is made again: what comes back is matched anew
        await desk.state.commit(Changes(drop_links=lost, count=-len(lost)))
        return elsewhere
    bare = [
        replace(link, outlook_id="", base=Base(salesforce=link.base.salesforce), etag="", outlook_modified=LONG_AGO, home=True)
        for link in lost
    ]
    await desk.state.commit(Changes(links=bare, drop_pointers=[link.outlook_id for link in lost]))
    return [*elsewhere, *(Pair(link=link) for link in bare)]
