"""From pages to pairs: what of a page concerns a pair, and what is an echo, a replay or nobody's business.

Nothing is decided here. An item that holds what its link's base says is dropped (our own writes come back like that); an item that is older
than what the link knows is a replay and is looked at by id; everything else becomes a pair for `apply.look`.
"""

from shared.records import Absent, Item, Origin, Place, Seen, Side
from sync.apply.desk import Desk
from sync.core.decide import changed
from sync.core.link import Link, Status
from sync.core.plan import Pair
from sync.ports import OutlookPage, SalesforcePage


async def outlook_pairs(desk: Desk, page: OutlookPage) -> list[Pair]:
    items = {item.id: item for item in page.items if not desk.is_echo(item)}
    shown = {item.id for item in page.items}
    removed = [one for one in dict.fromkeys(page.removed) if one not in shown]
    links = await desk.state.by_outlook([*items, *removed], many=page.full)
    pairs: list[Pair] = []
    unsure = [one for one in removed if one in links or f"O{one}" in desk.state.pendings]
    for item in items.values():
        link = links.get(item.id)
        if link is None:
            if item.place is Place.INSIDE or item.marked:
                if desk.fresh:
                    pairs.append(Pair(outlook=item))
                else:  # a delta may lag, and show what the sync has just deleted or moved
                    unsure.append(item.id)
            elif f"O{item.id}" in desk.state.pendings:
                unsure.append(item.id)
        elif item.version and item.version == link.etag and _is_home(item, link):
            continue
        elif item.modified <= link.outlook_modified:
            unsure.append(item.id)
        elif concerns(desk, item, link):
            pairs.append(Pair(outlook=item, link=link))
    looked = await desk.see(unsure)
    for one, seen in looked.items():
        link = links.get(one)
        if link is None and isinstance(seen, Absent) and f"O{one}" not in desk.state.pendings:
            continue
        if isinstance(seen, Absent) or link is None or concerns(desk, seen, link):
            pairs.append(Pair(outlook=seen, link=link))
    return pairs


def concerns(desk: Desk, item: Item, link: Link) -> bool:
    """Whether an Outlook item is anything but what its link says."""
    return not _is_home(item, link) or (link.status is Status.ACTIVE and bool(changed(item, link.base.outlook, desk.hash_of)))


def _is_home(item: Item, link: Link) -> bool:
    """Whether an item is where its link says, with the category; one that was opted out: elsewhere, without it."""
    if link.status is not Status.ACTIVE:
        return item.place is Place.OUTSIDE and not item.marked
    return item.place is Place.INSIDE and item.marked and link.home


async def salesforce_pairs(desk: Desk, page: SalesforcePage, *, ids_only: bool = False) -> list[Pair]:
    """Of a full read (in the order of ids) also the links that the search does not show: each is looked up by id."""
    seen: dict[str, Seen] = {one.id: one for one in page.items}
    if page.full:
        links = {link.salesforce_id: link async for link in desk.state.between(page.first_id, page.last_id)}
        absent = [one for one, link in links.items() if one not in seen and link.status is not Status.RESERVED]
        wanted = ids_only and desk.policy.direction.reaches(Side.OUTLOOK)
        unknown = [one for one in seen if one not in links and f"S{one}" not in desk.state.pendings] if wanted else []
        desk.outside.difference_update([one for one in desk.outside if page.first_id < one <= page.last_id])
        if absent or unknown:
            looked = await desk.org.get(desk.kind, [*absent, *unknown], desk.search)
            seen.update(looked)
            outside = {one.id for one in looked.values() if isinstance(one, Item) and one.place is Place.OUTSIDE}
            desk.outside.update(outside.intersection(absent))
    else:
        links = dict(await desk.state.by_salesforce(list(seen)))
    if ids_only:  # of records that were not looked at, a sweep knows nothing but the id
        seen = {name: one for name, one in seen.items() if name in links or not isinstance(one, Item) or one.fields}
    pairs: list[Pair] = []
    for one in seen.values():
        link = links.get(one.id)
        if link is not None and one.id in desk.touched:
            pairs.append(Pair(link=link))
        elif link is None:
            if isinstance(one, Item) and one.place is Place.INSIDE:
                pairs.append(Pair(salesforce=one))
        elif link.status is not Status.ACTIVE:
            if isinstance(one, Absent):
                pairs.append(Pair(salesforce=one, link=link))
        elif not isinstance(one, Item) or left(one, link) or changed(one, link.base.salesforce, desk.hash_of):
            pairs.append(Pair(salesforce=one, link=link))
    return pairs


def left(item: Item, link: Link) -> bool:
    """Whether a record that only its search brought to Outlook is in the search no more."""
    return item.place is Place.OUTSIDE and link.origin is Origin.SALESFORCE
