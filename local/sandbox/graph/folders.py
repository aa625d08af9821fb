"""Contact folders: list, make, rename, delete, track.

Only the children of the default folder are listed; it is itself addressed as `contacts`, and tracking leaves it out too.

Sources: learn.microsoft.com/graph/api/user-list-contactfolders, contactfolder-delta, contactfolder-update, -delete.
"""

from collections.abc import Callable, Mapping
from typing import Any

from local.sandbox.graph.answers import Refusal, bad_request
from local.sandbox.graph.delta import Feed, Page, Show
from local.sandbox.graph.filters import Sort
from local.sandbox.graph.items import context, find_item, home_id, list_page, page_preference, selected
from local.sandbox.graph.journal import Actor
from local.sandbox.graph.query import parse_select
from local.sandbox.graph.routing import Call, Route
from local.sandbox.graph.schema import CONTACT_FOLDER, read_body
from local.sandbox.graph.store import Item, Kind, Mailbox, Version
from local.sandbox.http import Response

NAMES = frozenset({"id", "displayName", "parentFolderId"})
SORTS: Mapping[str, Sort] = {"displayName": Sort.TEXT}
READ = ("Contacts.Read", "Contacts.ReadWrite")
WRITE = ("Contacts.ReadWrite",)
WELL_KNOWN = "contacts"


def find_folder(call: Call) -> Item:
    """The folder the path names, by id or as `contacts`."""
    name = call.params["folder"]
    return call.box.default_folder if name.lower() == WELL_KNOWN else find_item(call, Kind.CONTACT_FOLDER, name)


def create_folder(box: Mailbox, parent: Item, name: str, actor: Actor) -> Item:
    """A new folder. Raises: Refusal 409 ErrorFolderExists when a sibling has the name."""
    _check_name(box, parent.key, name, None)
    return box.create(Kind.CONTACT_FOLDER, parent, {"displayName": name}, {}, actor)


def rename_folder(box: Mailbox, folder: Item, name: str, actor: Actor) -> None:
    if folder is box.default_folder:
        raise Refusal(403, "ErrorAccessDenied", "Distinguished folders cannot be renamed.")
    assert folder.now.home is not None
    _check_name(box, folder.now.home, name, folder)
    box.update(folder, {**folder.now.values, "displayName": name}, folder.now.stamps, actor)


def delete_folder(box: Mailbox, folder: Item, actor: Actor, *, names_collide: bool = False) -> None:
    """Deletes the folder with everything in it."""
    if folder is box.default_folder:
        raise Refusal(403, "ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be deleted.")
    name = folder.now.values["displayName"].casefold()
    if names_collide and name in box.deleted_folder_names:
        raise Refusal(409, "ErrorFolderExists", "A folder with the specified name already exists.")
    box.deleted_folder_names.add(name)
    box.remove(folder, actor)


def delta_response(
    call: Call, feed: Feed, known: frozenset[str], type_name: str, show: Callable[[tuple[str, ...]], Show], tail: str
) -> Response:
    """One page of a delta over `feed`; `show` makes the way to show a version from the selected names."""
    states, size = call.sandbox.delta_states, page_preference(call)
    token = call.options.get("skiptoken") or call.options.get("deltatoken")
    page: Page
    if token:
        if "select" in call.options:
            raise bad_request("Query options are encoded in the token and must not be given again.", "ErrorInvalidUrlQuery")
        try:
            page = states.resume(call.box, feed, token, size, lambda options: show(_names(options, known, type_name)))
        except Refusal as refusal:
            if refusal.code == "resyncRequired":
                refusal.headers["location"] = call.link(deltatoken="")
            raise
    else:
        options = {name: call.options[name] for name in ("select",) if name in call.options}
        page = states.begin(call.box, feed, options, size, show(_names(options, known, type_name)))
    call.applied.append("odata.track-changes")
    path = call.sandbox.delta_path(call)
    link = call.link(path, skiptoken=page.token) if page.more else call.link(path, deltatoken=page.token)
    key = "@odata.nextLink" if page.more else "@odata.deltaLink"
    return Response.of(200, {"@odata.context": context(call, tail), key: link, "value": page.value})


def _names(options: Mapping[str, str], known: frozenset[str], type_name: str) -> tuple[str, ...]:
    return parse_select(options["select"], known, type_name) if "select" in options else ()


def _check_name(box: Mailbox, home: int, name: str, itself: Item | None) -> None:
    if not name:
        raise bad_request("The folder's display name must not be empty.", "ErrorInvalidRequest")
    for sibling in box.inside(home, Kind.CONTACT_FOLDER):
        if sibling is not itself and sibling.now.values["displayName"].casefold() == name.casefold():
            raise Refusal(409, "ErrorFolderExists", "A folder with the specified name already exists.")


def _entity(box: Mailbox, folder: Item, version: Version) -> dict[str, Any]:
    return {"id": folder.immutable_id, "parentFolderId": home_id(box, version), "displayName": version.values["displayName"]}


def _list_under(call: Call, parent: Item) -> Response:
    names = parse_select(call.options["select"], NAMES, "contactFolder") if "select" in call.options else ()
    return list_page(
        call,
        parent,
        Kind.CONTACT_FOLDER,
        sorts=SORTS,
        row=lambda folder: folder.now.values,
        show=lambda folder: selected(_entity(call.box, folder, folder.now), names),
        tail="contactFolders",
    )


def _create_under(call: Call, parent: Item) -> Response:
    draft = read_body("contactFolder", CONTACT_FOLDER, call.body())
    folder = create_folder(call.box, parent, draft.values.get("displayName") or "", Actor.APP)
    return _one(call, folder, 201)


def _one(call: Call, folder: Item, status: int = 200) -> Response:
    names = parse_select(call.options["select"], NAMES, "contactFolder") if "select" in call.options else ()
    entity = selected(_entity(call.box, folder, folder.now), names)
    return Response.of(status, {"@odata.context": context(call, "contactFolders/$entity"), **entity})


def _patch(call: Call) -> Response:
    folder = find_folder(call)
    draft = read_body("contactFolder", CONTACT_FOLDER, call.body())
    if "displayName" in draft.values:
        rename_folder(call.box, folder, draft.values["displayName"] or "", Actor.APP)
    return _one(call, folder)


def _delete(call: Call) -> Response:
    folder = find_folder(call)
    delete_folder(call.box, folder, Actor.APP, names_collide=call.sandbox.knobs.deleted_names_collide)
    return Response(status=204)


def _permanent_delete(call: Call) -> Response:
    folder = find_folder(call)
    delete_folder(call.box, folder, Actor.APP)
    return Response(status=204)


def _delta(call: Call) -> Response:
    box = call.box

    def show(names: tuple[str, ...]) -> Show:
        def entity(folder: Item, version: Version) -> dict[str, Any]:
            if version.home is None:
                return {"@odata.type": "#microsoft.graph.contactFolder", "id": folder.immutable_id, "@removed": {"reason": "deleted"}}
            return {"@odata.type": "#microsoft.graph.contactFolder", **selected(_entity(box, folder, version), names)}

        return entity

    return delta_response(call, Feed(kind=Kind.CONTACT_FOLDER, home=None), NAMES, "contactFolder", show, "contactFolders")


_LIST = frozenset({"select", "filter", "orderby", "top", "skip", "count"})
_SELECT = frozenset({"select"})
_FOLDERS = "users/{user}/contactFolders"
ROUTES = (
    Route(method="GET", template=_FOLDERS, handler=lambda call: _list_under(call, call.box.default_folder), roles=READ, options=_LIST),
    Route(method="POST", template=_FOLDERS, handler=lambda call: _create_under(call, call.box.default_folder), roles=WRITE),
    Route(method="GET", template=f"{_FOLDERS}/delta", handler=_delta, roles=READ, options=frozenset({"select", "skiptoken", "deltatoken"})),
    Route(method="GET", template=f"{_FOLDERS}/{{folder}}", handler=lambda call: _one(call, find_folder(call)), roles=READ, options=_SELECT),
    Route(method="PATCH", template=f"{_FOLDERS}/{{folder}}", handler=_patch, roles=WRITE),
    Route(method="DELETE", template=f"{_FOLDERS}/{{folder}}", handler=_delete, roles=WRITE),
    Route(method="POST", template=f"{_FOLDERS}/{{folder}}/permanentDelete", handler=_permanent_delete, roles=WRITE),
    Route(
        method="GET",
        template=f"{_FOLDERS}/{{folder}}/childFolders",
        handler=lambda call: _list_under(call, find_folder(call)),
        roles=READ,
        options=_LIST,
    ),
    Route(
        method="POST",
        template=f"{_FOLDERS}/{{folder}}/childFolders",
        handler=lambda call: _create_under(call, find_folder(call)),
        roles=WRITE,
    ),
)
