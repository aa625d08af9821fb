"""From pages to pairs: what of a page concerns a pair, and what is an echo, a replay or nobody's business.

Nothing is decided here. An item that holds what its link's base says is dropped (our own writes come back like that); an item that is older
than what the link knows is a replay and is looked at by id; everything else becomes a pair for `apply.look`.
"""

from collections.abc import AsyncIterator, Mapping

from shared.records import Absent, Item, Origin, Place, Seen, Side
from sync.apply.desk import Desk
from sync.core.decide import changed
from sync.core.link import Link, Status
from sync.core.plan import Pair
from sync.ports import OutlookPage, SalesforcePage

AT_ONCE = 1000
"""Links of a full read that are held at once: what one request for table rows brings."""


async def outlook_pairs(desk: Desk, page: OutlookPage) -> list[Pair]:
    if page.full:
        await desk.state.load_index()
    items = {item.id: item for item in page.items if not desk.is_echo(item)}
    shown = {item.id for item in page.items}
    removed = [one for one in dict.fromkeys(page.removed) if one not in shown]
    links = await desk.state.by_outlook([*items, *removed])
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


async def salesforce_pairs(desk: Desk, page: SalesforcePage, *, ids_only: bool = False) -> AsyncIterator[list[Pair]]:
    """In pieces, each to be looked at before the next is taken. Of a full read (in the order of ids) also the links that the search does
    not show: each is looked up by id. Of records that a sweep shows and nothing is linked to, it knows the id only: they are read."""
    seen: dict[str, Seen] = {one.id: one for one in page.items}
    if not page.full:
        yield _concerning(desk, seen, await desk.state.by_salesforce(list(seen)))
        return
    desk.outside.difference_update([one for one in desk.outside if page.first_id < one <= page.last_id])
    linked: set[str] = set()
    after = page.first_id
    while after < page.last_id:
        links = {}
        async for link in desk.state.between(after, page.last_id):
            links[link.salesforce_id] = link
            if len(links) == AT_ONCE:
                break
        after = max(links) if len(links) == AT_ONCE else page.last_id
        linked.update(links)
        desk.active += sum(1 for link in links.values() if link.status is Status.ACTIVE)
        absent = [one for one, link in links.items() if one not in seen and link.status is not Status.RESERVED]
        looked = await desk.org.get(desk.kind, absent, desk.search) if absent else {}
        desk.outside.update(one.id for one in looked.values() if isinstance(one, Item) and one.place is Place.OUTSIDE)
        yield _concerning(desk, {**looked, **{one: seen[one] for one in links if one in seen}}, links)
    new = {name: one for name, one in seen.items() if name not in linked}
    if ids_only:
        carried = desk.policy.direction.reaches(Side.OUTLOOK)
        wanted = [name for name in new if carried and f"S{name}" not in desk.state.pendings]
        new = dict(await desk.org.get(desk.kind, wanted, desk.search)) if wanted else {}
    yield _concerning(desk, new, {})


def _concerning(desk: Desk, seen: Mapping[str, Seen], links: Mapping[str, Link]) -> list[Pair]:
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
