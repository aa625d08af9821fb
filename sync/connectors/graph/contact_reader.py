"""Reading contacts: one delta for each contact folder, all in one batch, a page of each at a time.

It decides nothing about contacts and does no IO: it yields requests and is sent replies (see `mailbox.Reader`). What it needs to know
again is in the cursor. When the service forgets a link, everything is read from the beginning, with the dedicated folder kept.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.errors import Code, Permanent, Temporary
from sync.connectors.graph.contact_folders import NEXT, ContactFolders, Home, Steps, error_of_read, get, means, no_mailbox
from sync.connectors.graph.contact_item import contact_url, delta_url, folders_url, is_whole, item_of, select_of
from sync.connectors.graph.errors import Meaning, codes_of, read_error
from sync.connectors.graph.folder import Place, Places, begin_again
from sync.connectors.graph.mailbox import Reading
from sync.connectors.graph.reply import Reply, SubRequest
from sync.ports import OutlookPage, State
from sync.translate.kind import Kind

DELTA = "@odata.deltaLink"
MAX_RESTARTS = 3
"""How often one run begins again without coming to an end, before it leaves that to a later one."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Found:
    """What one read brought, by id: of what is told twice the last counts, and an item counts more than its removal elsewhere."""

    items: dict[str, tuple[dict[str, Any], str]] = field(default_factory=dict)
    removed: dict[str, None] = field(default_factory=dict)
    doubtful: dict[str, None] = field(default_factory=dict)

    def add(self, raw: dict[str, Any], folder: str) -> None:
        id_ = raw.get("id")
        if not isinstance(id_, str) or not id_:
            return
        known = self.items.get(id_)
        if "@removed" in raw:
            self.removed[id_] = None
            if known is not None and known[1] == folder:
                del self.items[id_]
            return
        if not is_whole(raw) or (known is not None and known[1] != folder):
            self.doubtful[id_] = None
        self.items[id_] = (raw, folder)


class ContactReader:
    """`relative` turns a link of the service into the URL of a sub-request; `page_size`: contacts in one folder's page."""

    def __init__(self, kind: Kind, home: Home, relative: Callable[[str], str], page_size: int = 200) -> None:
        self._kind, self._home, self._relative = kind, home, relative
        self._user, self._restarts = home.user, 0
        self._folders = ContactFolders(home, relative)
        self._prefer = {"Prefer": f"odata.maxpagesize={page_size}"}

    def recall(self, state: State) -> None:
        self._home.folder = Places.load(state).home

    def begin_again(self, state: State) -> State:
        return begin_again(state)

    def read(self, state: State, room: int) -> Reading:
        places, found = Places.load(state), Found()
        known = places.home
        if places.begun and not places.paging:
            yield from self._look(places, room, found)
        else:
            if not places.begun:
                yield from self._folders.begin(places)
            folders = places.paging[:room]
            self._take(places, folders, (yield [self._delta(places, folder) for folder in folders]), found)
        if not places.begun:
            found = Found()  # it begins again, and the rest of this round would only blur what that finds
        yield from self._ask_for_doubtful(found)
        self._home.folder = places.home
        # A page that only says "begin again" is not full: the full read begins with the next one.
        more, full = not places.begun or bool(places.paging), places.full and places.begun
        if not more:
            places.full, self._restarts = False, 0
        return OutlookPage(
            items=tuple(
                item_of(raw, self._kind, home=places.home, folder=folder, category=self._home.category, brief=True)
                for raw, folder in found.items.values()
            ),
            removed=tuple(id_ for id_ in found.removed if id_ not in found.items),
            state=places.save(),
            more=more,
            full=full,
            refilled=places.made or (bool(known) and places.home != known),
        )

    def _look(self, places: Places, room: int, found: Found) -> Steps[None]:
        """The quiet read: one batch with the listings and every folder's delta."""
        category = self._folders.category(places)
        by_id = self._folders.home_by_id(places) if places.nested else []
        deltas, parents = places.share(room - 3 - len(category) - len(by_id))
        folders = [name for name in (places.home, places.default) if name in places.folders] + deltas
        requests = [get(folders_url(self._user)), *category, *by_id]
        start = len(requests)
        requests += [self._delta(places, folder) for folder in folders] + [get(folders_url(self._user, parent)) for parent in parents]
        replies = yield requests
        self._folders.note_category(places, replies[1 : 1 + len(category)])
        pages, children = list(replies[start : start + len(folders)]), replies[start + len(folders) :]
        top = yield from self._folders.listing(replies[0])
        self._folders.note_parent(places, top)
        listed = {folder.id for folder in top}
        for reply in children:
            listed |= {folder.id for folder in (yield from self._folders.children(reply))}
        if places.home not in {folder.id for folder in top} or means(pages[0], Meaning.MISSING):
            answer = replies[start - 1] if by_id else (yield self._folders.home_by_id(places))[0]
            places.nested = self._folders.exists(answer)
            if not places.nested:
                log.warning("the folder of %s is gone: it is made again", self._home.user)
                del places.folders[places.home], folders[0], pages[0]
                yield from self._folders.make_home(places, top)
        else:
            places.nested = False
        new = {places.home: Place()} | {id_: Place() for id_ in sorted(listed - {places.parent})}
        self._take(places, folders, pages, found)
        if places.begun:
            places.folders = places.folders | {id_: place for id_, place in new.items() if id_ not in places.folders}

    def _delta(self, places: Places, folder: str) -> SubRequest:
        url = places.folders[folder].link or delta_url(self._user, folder, self._kind)
        return SubRequest(method="GET", url=url, headers=self._prefer)

    def _take(self, places: Places, folders: Sequence[str], replies: Sequence[Reply], found: Found) -> None:
        """Take a page of each folder, or begin everything again."""
        again = False
        for folder, reply in zip(folders, replies, strict=True):
            if not reply.ok:
                again |= self._refused(places, folder, reply)
                continue
            link = reply.link(NEXT) or reply.link(DELTA)
            if not link:
                raise Temporary(Code.UNAVAILABLE, "Graph sent a page of changes without a link")
            for raw in reply.values:
                found.add(raw, folder)
            ids = frozenset(str(raw.get("id")) for raw in reply.values)
            if not places.folders[folder].turn_page(self._relative(link), ids, last=not reply.link(NEXT)):
                log.warning("the changes of folder %s do not come to an end", folder)
                again = True
        if again:
            self._restarts += 1
            if self._restarts > MAX_RESTARTS:
                raise Temporary(Code.UNAVAILABLE, "Graph does not bring the changes of a folder to an end")
            places.restart()

    def _refused(self, places: Places, folder: str, reply: Reply) -> bool:
        """A folder's delta was refused: whether everything has to begin again."""
        meaning = read_error(reply)
        resumed = bool(places.folders[folder].link)
        if meaning is Meaning.EXPIRED or (resumed and reply.fault is None and reply.status == 400):
            log.info("Graph no longer knows the delta link of folder %s: %s %s", folder, reply.status, codes_of(reply.body))
            return True
        if folder == places.home and meaning is Meaning.MISSING:
            return True
        if folder == places.default:
            if folder == places.parent or not places.parent or not (isinstance(meaning, Meaning) or meaning.code is Code.REFUSED):
                raise no_mailbox(reply)
            places.default = places.parent  # a service that does not know the name `contacts`
            return True
        if isinstance(meaning, Meaning):
            del places.folders[folder]
            return False
        if folder == places.home or not isinstance(meaning, Permanent) or meaning.code is Code.GRAPH_LOGIN_REFUSED:
            raise error_of_read(reply, "the changes of a folder could not be read")
        log.warning("folder %s may not be read: %s", folder, meaning.text)
        places.folders[folder] = Place(paging=False)
        return False

    def _ask_for_doubtful(self, found: Found) -> Steps[None]:
        """What came in part, or in two folders at once, is looked at by its id."""
        ids = [id_ for id_ in found.doubtful if id_ in found.items]
        if not ids:
            return
        replies = yield [get(f"{contact_url(self._user, id_)}?{select_of(self._kind)}") for id_ in ids]
        for id_, reply in zip(ids, replies, strict=True):
            if reply.ok and isinstance(reply.body, dict):
                found.items[id_] = ({**reply.body, "id": id_}, found.items[id_][1])
            else:  # gone, or not to be read just now: a look by id decides
                del found.items[id_]
                found.removed[id_] = None
