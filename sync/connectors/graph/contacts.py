"""Contacts in one mailbox, looked at and written by id: `OutlookItems` for contacts. How they are read in turn is `contact_reader`'s.

An error that concerns the whole user is raised if nothing of the call can have taken effect; otherwise it is the outcome of its item,
so that the effects of the others are not forgotten (the next call raises it).
"""

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

from shared.errors import Code, Permanent, SyncError, Temporary
from shared.records import Absent, Item, Lack, Place, Seen, Unread
from sync.connectors.graph.client import GraphClient
from sync.connectors.graph.contact_folders import ContactFolders, Home, error_of, get, means
from sync.connectors.graph.contact_item import (
    STAMP,
    contact_url,
    contacts_url,
    folder_url,
    item_of,
    marked_categories,
    modified_of,
    select_of,
    stamped_url,
    version_of,
)
from sync.connectors.graph.errors import Meaning, concerns_more_than_the_item, is_plain, outcome_of
from sync.connectors.graph.reply import Reply, SubRequest
from sync.ports import Done, Failed, NewOutlook, Outcome, OutlookChange, Unsure
from sync.translate.kind import Kind

log = logging.getLogger(__name__)


class Contacts:
    """`home` is shared with the reader, which fills in the folder's id; before that it is looked for by name."""

    def __init__(self, client: GraphClient, kind: Kind, home: Home) -> None:
        self._client, self._kind, self._home, self._user = client, kind, home, home.user
        self.before: Callable[[], Awaitable[None]] | None = None

    async def get(self, ids: Sequence[str]) -> Mapping[str, Seen | Unread]:
        home = await self._folder()
        wanted = list(dict.fromkeys(ids))
        replies = await self._batch([get(f"{contact_url(self._user, id_)}?{select_of(self._kind)}") for id_ in wanted])
        await self._make_sure_of_mailbox(replies)
        seen: dict[str, Seen | Unread] = {}
        for id_, reply in zip(wanted, replies, strict=True):
            if reply.ok and isinstance(reply.body, dict):
                raw = {**reply.body, "id": id_}
                seen[id_] = item_of(raw, self._kind, home=home, folder="", category=self._home.category)
            elif means(reply, Meaning.MISSING):
                seen[id_] = Absent(id=id_, lack=Lack.DELETED)
            else:
                seen[id_] = Unread(id=id_, error=_of_this_item(error_of(reply, "a contact could not be looked at")))
        _raise_if_all(seen.values())
        return seen

    async def get_whole(self, ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        wanted = list(dict.fromkeys(ids))
        replies = await self._batch([get(contact_url(self._user, id_)) for id_ in wanted])
        await self._make_sure_of_mailbox(replies)
        found: dict[str, Mapping[str, Any]] = {}
        for id_, reply in zip(wanted, replies, strict=True):
            if reply.ok and isinstance(reply.body, dict):
                found[id_] = reply.body
            elif not means(reply, Meaning.MISSING):
                _of_this_item(error_of(reply, "a contact could not be looked at"))
        return found

    async def create(self, new: Sequence[NewOutlook], *, inside: bool = True) -> Sequence[Outcome]:
        folder = await self._folder() if inside else ""
        if inside and not folder:
            return [Failed(error=Temporary(Code.GONE, "the folder is gone; it is made again by the next read")) for _ in new]
        url = contacts_url(self._user, folder)
        return await self._write([SubRequest(method="POST", url=url, body=self._new_body(one, inside=inside)) for one in new])

    async def update(self, changes: Sequence[OutlookChange]) -> Sequence[Outcome]:
        return await self._write([
            SubRequest(method="PATCH", url=contact_url(self._user, c.id), headers=_if_match(c.etag), body=dict(c.body)) for c in changes
        ], [c.id for c in changes])  # fmt: skip

    async def delete(self, items: Sequence[tuple[str, str]]) -> Sequence[Outcome]:
        requests = [SubRequest(method="DELETE", url=contact_url(self._user, id_), headers=_if_match(etag)) for id_, etag in items]
        return await self._write(requests, [id_ for id_, _ in items])

    async def copy_photos(self, moves: Sequence[tuple[str, str]]) -> Collection[str]:
        """Which items have one is asked in a `$batch`; the photos themselves are binary, two requests each."""
        replies = await self._batch([get(f"{contact_url(self._user, source)}/photo") for source, _ in moves])
        late: set[str] = set()
        for (source, target), reply in zip(moves, replies, strict=True):
            if not means(reply, Meaning.MISSING) and not await self._copy_photo(source, target):
                late.add(source)
        return late

    async def _copy_photo(self, source_id: str, target_id: str) -> bool:
        """False if it failed for a passing reason. A photo that is refused is told in the log and stays with the source only."""
        try:
            photo = await self._client.request("GET", f"{contact_url(self._user, source_id)}/photo/$value", headers={"Accept": "*/*"})
            if photo.ok and photo.content:
                kind = {"Content-Type": photo.headers.get("content-type", "image/jpeg")}
                url = f"{contact_url(self._user, target_id)}/photo/$value"
                photo = await self._client.request("PUT", url, headers=kind, content=photo.content)
        except Temporary as error:
            log.warning("the photo of a contact could not be copied: %s", error.text)
            return False
        if photo.ok or means(photo, Meaning.MISSING):
            return True
        refused = error_of(photo, "the photo could not be copied")
        if isinstance(refused, Permanent) and concerns_more_than_the_item(refused):
            raise refused
        log.warning("the photo of a contact could not be copied: %s", refused.text)
        return isinstance(refused, Permanent)

    async def home_is_there(self) -> bool:
        home = await self._folder()
        if not home:
            return False
        (reply,) = await self._batch([get(f"{folder_url(self._user, home)}?$select=id")])
        if not reply.ok and not means(reply, Meaning.MISSING):
            raise error_of(reply, "the folder could not be looked at")
        return reply.ok

    async def find_stamped(self, stamps: Sequence[str], *, inside: bool = True) -> Mapping[str, Sequence[Item]]:
        home = await self._folder()
        if inside and not home:
            return dict.fromkeys(stamps, ())
        contacts = contacts_url(self._user, home if inside else "")
        wanted = list(dict.fromkeys(stamps))
        replies = await self._client.batch(self._user, [get(stamped_url(contacts, stamp, self._kind)) for stamp in wanted])
        found: dict[str, Sequence[Item]] = {}
        for stamp, reply in zip(wanted, replies, strict=True):
            if not reply.ok and not means(reply, Meaning.MISSING):
                raise error_of(reply, "contacts could not be searched")
            rows = [row for row in reply.values if isinstance(row.get("id"), str) and _carries_stamp(row, stamp)] if reply.ok else []
            category, folder = self._home.category, home if inside else ""
            items = [item_of(row, self._kind, home=home, folder=folder, category=category) for row in rows]
            found[stamp] = tuple(item for item in items if (item.place is Place.INSIDE) == inside)
        return found

    def mark(self, item: Item, *, on: bool) -> Mapping[str, Any]:
        """With the display name: Outlook may make a new one up in any update that does not send it (Graph, contact resource)."""
        body: dict[str, Any] = {"categories": marked_categories(item.raw, self._home.category, on=on)}
        name = item.raw.get("displayName")
        return {**body, "displayName": name} if isinstance(name, str) and name else body

    def _new_body(self, new: NewOutlook, *, inside: bool) -> dict[str, Any]:
        return {
            **new.body,
            "categories": marked_categories(new.body, self._home.category, on=inside),
            "singleValueExtendedProperties": [{"id": STAMP, "value": new.stamp}],
        }

    async def _folder(self) -> str:
        """The id of the dedicated folder, '' if there is none. Only a call before the first read has to look for it."""
        if not self._home.folder:
            reading = ContactFolders(self._home, self._client.relative).find()
            asked = next(reading)
            while True:
                try:
                    asked = reading.send(await self._client.batch(self._user, list(asked)))
                except StopIteration as end:
                    self._home.folder = end.value
                    break
        return self._home.folder

    async def _write(self, requests: Sequence[SubRequest], ids: Sequence[str] | None = None) -> Sequence[Outcome]:
        """`ids` of what is changed; None for creations, whose answers name them."""
        replies = await self._batch(requests)
        await self._make_sure_of_mailbox(replies)
        outcomes = [
            outcome_of(reply, _done(reply, ids[i] if ids is not None else ""), created=ids is None) for i, reply in enumerate(replies)
        ]
        if not any(isinstance(outcome, Done | Unsure) for outcome in outcomes):
            for outcome in outcomes:
                if isinstance(outcome, Failed) and concerns_more_than_the_item(outcome.error):
                    raise outcome.error
        return outcomes

    async def _batch(self, requests: Sequence[SubRequest]) -> list[Reply]:
        return await self._client.batch(self._user, requests, self.before)

    async def _make_sure_of_mailbox(self, replies: Sequence[Reply]) -> None:
        """A 404 whose code does not tell a missing item from a missing mailbox must not pass for a deletion."""
        if any(means(reply, Meaning.MISSING) and not is_plain(reply) for reply in replies):
            (reply,) = await self._client.batch(self._user, [ContactFolders(self._home, self._client.relative).probe()])
            if means(reply, Meaning.MISSING):
                raise Permanent(Code.NO_MAILBOX, f"Graph answered {reply.status} to the list of contact folders")
            if not reply.ok:
                raise error_of(reply, "the mailbox could not be looked at")


def _if_match(etag: str) -> dict[str, str]:
    return {"If-Match": etag} if etag else {}


def _done(reply: Reply, known: str) -> Done:
    body = reply.body if isinstance(reply.body, Mapping) else {}
    version = version_of(body) or reply.headers.get("etag", "")
    return Done(id=known or str(body.get("id", "")), version=version, modified=modified_of(body))


def _carries_stamp(row: Mapping[str, Any], stamp: str) -> bool:
    """The search folds case, an 18-character Salesforce id does not need it; an answer without the property is believed."""
    properties = row.get("singleValueExtendedProperties")
    if not isinstance(properties, list) or not properties:
        return True
    return any(isinstance(one, Mapping) and one.get("value") == stamp for one in properties)


def _of_this_item(error: SyncError) -> SyncError:
    """An error that concerns one item only; any other is raised."""
    if concerns_more_than_the_item(error):
        raise error
    return error


def _raise_if_all(seen: Collection[Seen | Unread]) -> None:
    """If nothing at all could be read for a passing reason, it is the service that fails, not the items."""
    errors = [one.error for one in seen if isinstance(one, Unread)]
    if len(errors) > 1 and len(errors) == len(seen) and all(isinstance(error, Temporary) for error in errors):
        raise errors[0]
