"""The contact folders of a mailbox: all of them found, the dedicated one followed when renamed and made when missing.

No IO: like a reader it yields requests and is sent replies. The dedicated folder is known by its id, and by its name only before the id
is known. Looking before creating, and the smallest id among several of the name, make a lost answer harmless.
"""

import logging
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from shared.errors import Code, Permanent, SyncError, Temporary
from sync.connectors.graph.contact_item import category_request, folder_url, folders_url
from sync.connectors.graph.errors import Meaning, codes_of, concerns_more_than_the_item, read_error
from sync.connectors.graph.folder import Place, Places
from sync.connectors.graph.reply import Reply, SubRequest

NEXT = "@odata.nextLink"
MAX_FOLDERS = 300

log = logging.getLogger(__name__)

T = TypeVar("T")
Steps = Generator[Sequence[SubRequest], Sequence[Reply], T]


@dataclass(slots=True, kw_only=True)
class Home:
    """Which folder and which category stand for the sync in one mailbox. `folder`, its id, is filled in by the first read."""

    user: str
    name: str
    category: str
    folder: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A folder as the service lists it."""

    id: str
    name: str
    parent: str


class ContactFolders:
    """`relative` turns a link of the service into the URL of a sub-request."""

    def __init__(self, home: Home, relative: Callable[[str], str]) -> None:
        self._home, self._user, self._relative = home, home.user, relative

    def begin(self, places: Places) -> Steps[None]:
        """Find every folder, and make the dedicated one and the category if they are missing."""
        replies = list((yield [get(folders_url(self._user)), *self.home_by_id(places)]))
        if places.home and not self.exists(replies.pop()):
            places.home = ""
        top = yield from self.listing(replies[0])
        self.note_parent(places, top)
        if not places.home:
            yield from self.make_home(places, top)
        elif category := self.category(places):
            self.note_category(places, (yield category))
        others, frontier = {folder.id: folder for folder in top if folder.id != places.parent}, top
        while frontier and len(others) < MAX_FOLDERS:
            replies = list((yield [get(folders_url(self._user, folder.id)) for folder in frontier]))
            frontier = []
            for reply in replies:
                frontier += [child for child in (yield from self.children(reply)) if child.id not in others]
            others |= {folder.id: folder for folder in frontier}
        places.nested = bool(top) and places.home not in {folder.id for folder in top} and places.home in others
        places.folders = {name: Place() for name in dict.fromkeys((places.home, places.default, *others))}
        places.full = True

    def find(self) -> Steps[str]:
        """The id of the folder of that name, '' without one. It makes nothing."""
        (reply,) = yield [get(folders_url(self._user))]
        return next(iter(self._named((yield from self.listing(reply)))), "")

    def probe(self) -> SubRequest:
        """A request that only a mailbox answers."""
        return get(folders_url(self._user))

    def make_home(self, places: Places, top: Sequence[Listed]) -> Steps[None]:
        """Take the folder of that name, or create it, and the category with it. After a lost answer it looks again before it gives up."""
        named, places.made = self._named(top), False
        category = self.category(places)
        if named and category:
            self.note_category(places, (yield category))
        elif not named:
            body = {"displayName": self._home.name}
            reply, *told = yield [SubRequest(method="POST", url=folders_url(self._user).partition("?")[0], body=body), *category]
            self.note_category(places, told)
            made = reply.body.get("id") if reply.ok and isinstance(reply.body, dict) else None
            if isinstance(made, str):
                named, places.made = [made], True
                places.parent = str(reply.body.get("parentFolderId") or places.parent)
            else:
                (again,) = yield [get(folders_url(self._user))]
                named = self._named((yield from self.listing(again)))
                if not named:
                    raise error_of_read(reply, "the folder could not be made")
                places.made = True
        places.home, places.nested = named[0], False

    def _named(self, top: Sequence[Listed]) -> list[str]:
        wanted = self._home.name.strip().casefold()
        return sorted(folder.id for folder in top if folder.name.strip().casefold() == wanted)

    def listing(self, reply: Reply) -> Steps[list[Listed]]:
        """The children of the default folder, all pages. Without them there is no mailbox to speak of."""
        found: list[Listed] = []
        while True:
            if not reply.ok:
                raise no_mailbox(reply)
            found += _listed(reply)
            link = reply.link(NEXT)
            if not link or len(found) > MAX_FOLDERS:
                return found
            (reply,) = yield [get(self._relative(link))]

    def children(self, reply: Reply) -> Steps[list[Listed]]:
        """The children of another folder. If it cannot be asked now it will be in a later read."""
        found: list[Listed] = []
        while reply.ok:
            found += _listed(reply)
            link = reply.link(NEXT)
            if not link or len(found) > MAX_FOLDERS:
                break
            (reply,) = yield [get(self._relative(link))]
        return found

    def note_parent(self, places: Places, top: Sequence[Listed]) -> None:
        """The children tell the default folder's id, also where a service lists that folder beside them (the beta does)."""
        parents = {folder.parent for folder in top if folder.parent}
        listed = parents & {folder.id for folder in top}
        places.parent = next(iter(listed or parents)) if len(listed or parents) == 1 else places.parent

    def home_by_id(self, places: Places) -> list[SubRequest]:
        return [get(f"{folder_url(self._user, places.home)}?$select=id,displayName,parentFolderId")] if places.home else []

    def exists(self, reply: Reply) -> bool:
        if reply.ok or means(reply, Meaning.MISSING):
            return reply.ok
        raise error_of_read(reply, "the folder could not be looked at")

    def category(self, places: Places) -> list[SubRequest]:
        return [] if places.category else [category_request(self._user, self._home.category)]

    def note_category(self, places: Places, replies: Sequence[Reply]) -> None:
        """A refusal is an answer too: it exists, or the app may not manage categories – items can carry it without the list."""
        for reply in replies:
            places.category = reply.fault is None and (reply.ok or 400 <= reply.status < 500)
            if not reply.ok:
                log.info("the category was not added to the mailbox's list: %s %s", reply.status, codes_of(reply.body))


def get(url: str) -> SubRequest:
    return SubRequest(method="GET", url=url)


def _listed(reply: Reply) -> list[Listed]:
    rows = [row for row in reply.values if isinstance(row.get("id"), str)]
    return [Listed(id=row["id"], name=str(row.get("displayName") or ""), parent=str(row.get("parentFolderId") or "")) for row in rows]


def means(reply: Reply, meaning: Meaning) -> bool:
    return not reply.ok and read_error(reply) is meaning


def error_of(reply: Reply, what: str) -> SyncError:
    """What is raised for an answer that should not be."""
    error = read_error(reply) if not reply.ok else None
    return error if isinstance(error, SyncError) else Temporary(Code.UNAVAILABLE, f"Graph answered {reply.status}: {what}")


def error_of_read(reply: Reply, what: str) -> SyncError:
    """The same, of a read that cannot go on without it: it concerns the user, also where the code is an item's."""
    error = error_of(reply, what)
    if isinstance(error, Temporary) or concerns_more_than_the_item(error):
        return error
    return Temporary(Code.UNAVAILABLE, f"{error.text}: {what}")


def no_mailbox(reply: Reply) -> SyncError:
    """The default folder is always there: if it is not, the mailbox is not."""
    if means(reply, Meaning.MISSING):
        codes = codes_of(reply.body)
        return Permanent(Code.NO_MAILBOX, f"Graph answered {reply.status} {codes[0] if codes else ''}".strip())
    return error_of_read(reply, "the contact folders could not be listed")
