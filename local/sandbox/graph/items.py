"""How an Outlook item is addressed and shown, whatever its kind: ids of either type, etags, `If-Match`, selection, and pages of `$skip`."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

from local.sandbox.graph.answers import Refusal, bad_request, instant_text, item_not_found
from local.sandbox.graph.filters import Filter, Sort, parse_filter
from local.sandbox.graph.query import parse_count, parse_order
from local.sandbox.graph.routing import Call
from local.sandbox.graph.schema import STAMPS_FIELD
from local.sandbox.graph.store import Item, Kind, Mailbox, Version
from local.sandbox.http import Response

DEFAULT_PAGE = 10
LARGEST_PAGE = 1000
ID_LENGTHS = range(60, 400)
Row = Mapping[str, Any]


def find_item(call: Call, kind: Kind, item_id: str, home: Item | None = None) -> Item:
    """The item that an id of either type names; with `home`, only if it is in that container.

    Raises: Refusal 400 ErrorInvalidIdMalformed, 404 ErrorItemNotFound.
    """
    if len(item_id) not in ID_LENGTHS or not all(sign.isalnum() or sign in "-_=+/" for sign in item_id):
        raise bad_request("Id is malformed.", "ErrorInvalidIdMalformed")
    item = call.box.find(kind, item_id)
    if home is not None and item.now.home != home.key:
        raise item_not_found()
    return item


def item_id(item: Item, *, immutable: bool) -> str:
    return item.immutable_id if immutable else item.regular_id


def home_id(box: Mailbox, version: Version) -> str | None:
    if version.home is None:
        return None
    return box.items[version.home].immutable_id if version.home else box.root_id


def etag(version: Version) -> str:
    return f'W/"{version.change_key}"'


def check_precondition(call: Call, item: Item) -> None:
    """Refuses a write when `If-Match` names another state – or, now and then, without reason, as the live service does.

    Raises: Refusal 412 ErrorIrresolvableConflict.
    """
    sandbox = call.sandbox
    wanted = call.request.headers.get("if-match")
    states = {part.strip().removeprefix("W/").strip('"') for part in (wanted or "*").split(",")}
    moody = sandbox.rng.random() < sandbox.knobs.p_transient_412
    if moody or ("*" not in states and item.now.change_key not in states):
        raise Refusal(
            412,
            "ErrorIrresolvableConflict",
            "The send or update operation could not be performed because the change key passed in the request does not match the current "
            "change key for the item.",
        )


def core_fields(call: Call, item: Item, version: Version, shown_id: str) -> dict[str, Any]:
    """What every Outlook item begins with."""
    return {
        "@odata.etag": etag(version),
        "id": shown_id,
        "createdDateTime": instant_text(item.created),
        "lastModifiedDateTime": instant_text(version.at),
        "changeKey": version.change_key,
        "parentFolderId": home_id(call.box, version),
    }


def stamps_of(version: Version, ids: tuple[str, ...] | None) -> dict[str, Any]:
    """The expanded extended properties; nothing at all when none of those asked for is there."""
    found = [{"id": stamp, "value": version.stamps[stamp]} for stamp in ids or () if stamp in version.stamps]
    return {STAMPS_FIELD: found} if found else {}


def selected(entity: Mapping[str, Any], names: tuple[str, ...] | None) -> dict[str, Any]:
    """The entity with the selected properties; id, etag and expansions always stay."""
    if not names:
        return dict(entity)
    kept = {"id", STAMPS_FIELD, *names}
    return {name: value for name, value in entity.items() if name in kept or name.startswith("@")}


def context(call: Call, tail: str) -> str:
    return f"{call.origin}/v1.0/$metadata#users('{quote(call.params['user'])}')/{tail}"


def list_page(
    call: Call,
    home: Item,
    kind: Kind,
    *,
    sorts: Mapping[str, Sort],
    row: Callable[[Item], Row],
    show: Callable[[Item], dict[str, Any]],
    tail: str,
) -> Response:
    """The items directly in `home`, with `$filter`, `$orderby`, `$top`, `$skip` and `$count`, default page size 10.

    Pages are counted by `$skip`, as Outlook's are: what is deleted between two pages makes the next one miss something.
    """
    filtered: Filter | None = parse_filter(call.options["filter"], sorts) if "filter" in call.options else None
    order = parse_order(call.options["orderby"], sorts, filtered) if "orderby" in call.options else []
    top = parse_count(call.options["top"], "$top", low=1, high=LARGEST_PAGE) if "top" in call.options else None
    skip = parse_count(call.options.get("skip", "0"), "$skip", low=0, high=10**8)
    items: Iterable[Item] = call.box.inside(home.key, kind)
    if filtered is not None:
        if filtered.hint is not None:
            items = (item for item in call.box.hinted(filtered.hint) if item.kind is kind and item.now.home == home.key)
        items = (item for item in items if filtered.accepts(row(item)))
    chosen = list(items)
    for name, descending in reversed(order):
        chosen.sort(key=lambda item: str(row(item).get(name) or "").casefold(), reverse=descending)
    size = top or page_preference(call) or DEFAULT_PAGE
    answer: dict[str, Any] = {"@odata.context": context(call, tail)}
    if call.options.get("count", "false").lower() == "true":
        # Contact lists are counted but never returned, as the live service does.
        answer["@odata.count"] = len(chosen) + call.box.contact_lists.get(home.key, 0) * (kind is Kind.CONTACT)
    answer["value"] = [show(item) for item in chosen[skip : skip + size]]
    if len(chosen) > skip + size:
        kept = {name: value for name, value in call.options.items() if name != "skip"}
        answer["@odata.nextLink"] = call.link(**kept, skip=str(skip + size))
    return Response.of(200, answer)


def page_preference(call: Call) -> int | None:
    """`Prefer: odata.maxpagesize`, noted as applied; a senseless one is ignored as preferences are."""
    text = call.prefer.get("odata.maxpagesize", "").strip('"')
    if not text.isdigit() or not 1 <= int(text) <= LARGEST_PAGE:
        return None
    call.applied.append(f"odata.maxpagesize={text}")
    return int(text)
