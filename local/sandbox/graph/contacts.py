"""Contacts: the resource as Graph offers it, without a move action (v1.0 has none) and with photos as a side property.

Sources: learn.microsoft.com/graph/api/resources/contact, user-list-contacts, contact-update, contact-delta, contact-permanentdelete,
profilephoto-get, singlevaluelegacyextendedproperty-get.
"""

import base64
from collections.abc import Mapping
from typing import Any

from local.sandbox.graph.answers import Refusal, instant_text
from local.sandbox.graph.delta import Feed, Show
from local.sandbox.graph.filters import Sort
from local.sandbox.graph.folders import READ, WRITE, delta_response, find_folder
from local.sandbox.graph.items import check_precondition, context, core_fields, find_item, item_id, list_page, selected, stamps_of
from local.sandbox.graph.journal import Actor
from local.sandbox.graph.query import parse_select, parse_stamp_expand
from local.sandbox.graph.routing import Call, Route
from local.sandbox.graph.schema import (
    CONTACT,
    IGNORED_FIELDS,
    SERVER_FIELDS,
    STAMPS_FIELD,
    Draft,
    Type,
    apply_to_contact,
    email_slots,
    read_body,
)
from local.sandbox.graph.store import Item, Kind, Mailbox, Photo, Version
from local.sandbox.http import Response

NAMES = frozenset({*CONTACT, *SERVER_FIELDS, *IGNORED_FIELDS, "categories"})
_SORT_OF = {Type.TEXT: Sort.TEXT, Type.TEXTS: Sort.TEXTS, Type.DAY: Sort.INSTANT, Type.EMAILS: Sort.EMAILS}
SORTS: Mapping[str, Sort] = {
    **{name: _SORT_OF[field.type] for name, field in CONTACT.items() if field.type in _SORT_OF and name != "personalNotes"},
    "createdDateTime": Sort.INSTANT,
    "lastModifiedDateTime": Sort.INSTANT,
    STAMPS_FIELD: Sort.STAMPS,
}
LARGEST_PHOTO = 4 * 1024 * 1024


def write_contact(box: Mailbox, home: Item, contact: Item | None, draft: Draft, actor: Actor, *, merge_addresses: bool = False) -> Item:
    """Creates a contact in `home`, or changes it."""
    before = contact.now if contact else None
    values = apply_to_contact(before.values if before else None, draft.values, merge_addresses=merge_addresses)
    stamps = {**(before.stamps if before else {}), **draft.stamps}
    kept = {stamp: value for stamp, value in stamps.items() if value is not None}
    if contact is None:
        return box.create(Kind.CONTACT, home, values, kept, actor)
    box.update(contact, values, kept, actor)
    return contact


def contact_entity(call: Call, contact: Item, version: Version) -> dict[str, Any]:
    """All properties, in either id type, as of a version."""
    values = dict(version.values)
    notes = values["personalNotes"] or ""
    if call.sandbox.knobs.notes_crlf:
        notes = notes.replace("\r\n", "\n").replace("\n", "\r\n")
    return {
        **core_fields(call, contact, version, item_id(contact, immutable=call.immutable)),
        **values,
        "personalNotes": notes,
        **email_slots(values),
    }


def _home(call: Call) -> Item | None:
    """The folder in the path; None for `/contacts`, which lists the default folder but finds a contact anywhere."""
    return find_folder(call) if "folder" in call.params else None


def _find(call: Call) -> Item:
    return find_item(call, Kind.CONTACT, call.params["contact"], _home(call))


def _shown(call: Call, contact: Item) -> dict[str, Any]:
    names = parse_select(call.options["select"], NAMES, "contact") if "select" in call.options else ()
    stamps = parse_stamp_expand(call.options["expand"]) if "expand" in call.options else ()
    return selected({**contact_entity(call, contact, contact.now), **stamps_of(contact.now, stamps)}, names)


def _one(call: Call, contact: Item, status: int = 200) -> Response:
    shown = _shown(call, contact)
    headers = {"etag": shown["@odata.etag"]}
    if status == 201:
        headers["location"] = f"{call.origin}/v1.0/users('{call.params['user']}')/contacts('{shown['id']}')"
    return Response.of(status, {"@odata.context": context(call, "contacts/$entity"), **shown}, headers)


def _row(contact: Item) -> Mapping[str, Any]:
    version = contact.now
    return {
        **version.values,
        "createdDateTime": instant_text(contact.created),
        "lastModifiedDateTime": instant_text(version.at),
        STAMPS_FIELD: version.stamps,
    }


def _list(call: Call) -> Response:
    home = _home(call) or call.box.default_folder
    names = parse_select(call.options["select"], NAMES, "contact") if "select" in call.options else ()
    stamps = parse_stamp_expand(call.options["expand"]) if "expand" in call.options else ()

    def show(contact: Item) -> dict[str, Any]:
        return selected({**contact_entity(call, contact, contact.now), **stamps_of(contact.now, stamps)}, names)

    return list_page(call, home, Kind.CONTACT, sorts=SORTS, row=_row, show=show, tail="contacts")


def _count(call: Call) -> Response:
    home = _home(call) or call.box.default_folder
    count = sum(1 for _ in call.box.inside(home.key, Kind.CONTACT)) + call.box.contact_lists.get(home.key, 0)
    return Response(status=200, headers={"content-type": "text/plain"}, body=str(count).encode())


def _create(call: Call) -> Response:
    home = _home(call) or call.box.default_folder
    draft = read_body("contact", CONTACT, call.body())
    return _one(call, write_contact(call.box, home, None, draft, Actor.APP), 201)


def _patch(call: Call) -> Response:
    contact = _find(call)
    check_precondition(call, contact)
    draft = read_body("contact", CONTACT, call.body())
    merge = call.sandbox.knobs.addresses_merge
    write_contact(call.box, call.box.default_folder, contact, draft, Actor.APP, merge_addresses=merge)
    return _one(call, contact)


def _delete(call: Call) -> Response:
    contact = _find(call)
    check_precondition(call, contact)
    call.box.remove(contact, Actor.APP)
    return Response(status=204)


def _delta(call: Call) -> Response:
    home = _home(call) or call.box.default_folder

    def show(names: tuple[str, ...]) -> Show:
        def entity(contact: Item, version: Version) -> dict[str, Any]:
            kind = {"@odata.type": "#microsoft.graph.contact"}
            if version.home is None:
                return {**kind, "id": item_id(contact, immutable=call.immutable), "@removed": {"reason": "deleted"}}
            return {**kind, **selected(contact_entity(call, contact, version), names)}

        return entity

    return delta_response(call, Feed(kind=Kind.CONTACT, home=home.key), NAMES, "contact", show, "contacts")


def _photo(call: Call) -> Photo:
    photo = _find(call).photo
    if photo is None:
        raise Refusal(404, "ImageNotFound", "Exception of type 'Microsoft.Fast.Profile.Core.Exception.ImageNotFoundException' was thrown.")
    return photo


def _photo_content(call: Call) -> Response:
    photo = _photo(call)
    return Response(status=200, headers={"content-type": photo.content_type}, body=photo.content)


def _photo_entity(call: Call) -> Response:
    photo = _photo(call)
    return Response.of(
        200,
        {
            "@odata.context": context(call, "contacts/photo/$entity"),
            "@odata.mediaContentType": photo.content_type,
            "@odata.mediaEtag": f'"{len(photo.content):X}"',
            "id": "default",
            "height": 1,
            "width": 1,
        },
    )


def _put_photo(call: Call) -> Response:
    contact = _find(call)
    kind = call.request.headers.get("content-type", "").split(";")[0].strip().lower()
    content = call.request.body
    if not kind.startswith("image/") or not content:
        raise Refusal(400, "ErrorInvalidImage", "The photo must be sent as image/jpeg or another image type.")
    if len(content) > LARGEST_PHOTO:
        raise Refusal(413, "ErrorContentTooLarge", "The photo is larger than 4 MB.")
    call.box.set_photo(contact, Photo(content=content, content_type=kind), Actor.APP)
    return Response(status=200)


def photo_from_base64(text: str | None, content_type: str = "image/jpeg") -> Photo | None:
    return Photo(content=base64.b64decode(text), content_type=content_type) if text is not None else None


def _routes() -> tuple[Route, ...]:
    one = frozenset({"select", "expand"})
    many = one | {"filter", "orderby", "top", "skip", "count"}
    routes: list[Route] = []
    for path in ("users/{user}/contacts", "users/{user}/contactFolders/{folder}/contacts"):
        item = f"{path}/{{contact}}"
        routes += [
            Route(method="GET", template=path, handler=_list, roles=READ, options=many),
            Route(method="POST", template=path, handler=_create, roles=WRITE),
            Route(method="GET", template=f"{path}/$count", handler=_count, roles=READ),
            Route(
                method="GET", template=f"{path}/delta", handler=_delta, roles=READ, options=frozenset({"select", "skiptoken", "deltatoken"})
            ),
            Route(method="GET", template=item, handler=lambda call: _one(call, _find(call)), roles=READ, options=one),
            Route(method="PATCH", template=item, handler=_patch, roles=WRITE),
            Route(method="DELETE", template=item, handler=_delete, roles=WRITE),
            Route(method="POST", template=f"{item}/permanentDelete", handler=_delete, roles=WRITE),
            Route(method="GET", template=f"{item}/photo", handler=_photo_entity, roles=READ),
            Route(method="GET", template=f"{item}/photo/$value", handler=_photo_content, roles=READ),
            Route(method="PUT", template=f"{item}/photo/$value", handler=_put_photo, roles=WRITE),
            Route(method="PATCH", template=f"{item}/photo/$value", handler=_put_photo, roles=WRITE),
        ]
    return tuple(routes)


ROUTES = _routes()
