"""What became of an open intent of a run that died, or of a request that was cut.

The other side is asked for the stamp or the unique key. What is found is adopted with the intended hashes as base, so that an edit
made since is a change; then both sides are looked at. Without a unique key "not there" is an answer only once the vendor's longest
request time has passed; until then the pair is busy and nothing is decided about it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from shared.records import Fields, Item, Place, Side
from sync.apply.desk import VENDOR_LIMIT, Desk, Note
from sync.apply.outlook import Move, created, finish_moves, moved
from sync.apply.salesforce import ask_which, inserted
from sync.core.decide import changed
from sync.core.fingerprint import Base
from sync.core.link import Status
from sync.core.match import Found, Match
from sync.core.plan import Pair
from sync.keeping import Intended, Intent, Op, Pending
from sync.ports import Before, Done, Missing

RECOGNISED_BY = 3
"""Of the fields a record was created with, how many must be as intended to recognise it without a key (rules may rewrite some)."""


async def recover(desk: Desk) -> None:
    """Resolve every open intent as far as the services can tell by now."""
    for intent in sorted(desk.state.intents.values(), key=lambda one: one.sent):
        match intent.op:
            case Op.CREATE_OUTLOOK:
                await _created_in_outlook(desk, intent)
            case Op.CREATE_SALESFORCE:
                await _created_in_salesforce(desk, intent)
            case Op.MOVE_OUTLOOK:
                await _moved(desk, intent)
            case Op.UPDATE_SALESFORCE | Op.UPDATE_OUTLOOK:
                await _updated(desk, intent)
            case Op.DELETE_SALESFORCE | Op.DELETE_OUTLOOK:
                await desk.keep(Note(pendings=_looks(desk, intent.actions)), intent)


def _looks(desk: Desk, actions: Sequence[Intended]) -> list[Pending]:
    return [desk.later(action.salesforce_id, action.outlook_id) for action in actions]


def _answered(desk: Desk, intent: Intent) -> bool:
    """Whether "not there" is an answer by now."""
    return desk.clock.now() - intent.sent >= VENDOR_LIMIT


async def _created_in_outlook(desk: Desk, intent: Intent) -> None:
    ids = [action.salesforce_id for action in intent.actions]
    links = await desk.state.by_salesforce(ids)
    stamped = await desk.outlook.find_stamped(ids)
    already = await desk.state.by_outlook([item.id for items in stamped.values() for item in items])
    note, rest = Note(), []
    for action in intent.actions:
        link = links.get(action.salesforce_id)
        free = [item for item in stamped.get(action.salesforce_id, ()) if item.id not in already]
        if (
            link is not None
            and link.status is Status.ACTIVE
            and any(item.id == link.outlook_id for item in stamped.get(link.salesforce_id, ()))
        ):
            note.new_links.append(link)  # its pointer row may not have been written
            note.pendings.append(desk.later(action.salesforce_id, link.outlook_id))
        elif free:
            item = _most_like(desk, free, action.base)
            created(desk, note, Pair(link=link), action, Done(id=item.id, version="", modified=item.modified))
            note.pendings.append(desk.later(action.salesforce_id, item.id))
        elif _answered(desk, intent):
            note.pendings.append(desk.later(action.salesforce_id, ""))
        else:
            rest.append(action)
    await desk.keep(note, intent, rest)


def _most_like(desk: Desk, items: Sequence[Item], base: Base) -> Item:
    """Of several items with one stamp (people copy items) the one that is most as it was written, then the oldest; the others stay unlinked
    and are asked about like any copy."""
    return min(items, key=lambda item: (-_same(desk, item.fields, base.outlook), item.modified, item.id))


def _same(desk: Desk, fields: Fields, half: Mapping[str, str]) -> int:
    return sum(1 for name, value in fields.items() if value is not None and half.get(name) == desk.hash_of(name, value))


async def _created_in_salesforce(desk: Desk, intent: Intent) -> None:
    links = await desk.state.by_outlook([action.outlook_id for action in intent.actions])
    items = await desk.see([action.outlook_id for action in intent.actions])
    found: Mapping[str, Item] = {}
    recent: Sequence[Item] = ()
    if desk.schema.key_field:
        found = await desk.org.find_keys(desk.kind, [action.key for action in intent.actions])
    else:
        recent = await desk.org.find_recent(desk.kind, intent.sent - VENDOR_LIMIT)
    taken = {link.salesforce_id for link in (await desk.state.by_salesforce([record.id for record in recent])).values()}
    note, rest = Note(), []
    made: dict[str, str] = {}
    for action in intent.actions:
        item = items.get(action.outlook_id)
        matching = [record for record in recent if record.id not in taken and _recognised(desk, record, action.base)]
        record = found.get(action.key) or (matching[0] if len(matching) == 1 else None)
        link = links.get(action.outlook_id)
        replaced = link is not None and link.salesforce_id == action.salesforce_id  # the record that was made again: still the old link
        if link is not None and not replaced and link.status is Status.ACTIVE and (record is None or record.id == link.salesforce_id):
            note.new_links.append(link)  # likewise
            note.pendings.append(desk.later(link.salesforce_id, action.outlook_id))
        elif record is not None:
            taken.add(record.id)
            made[action.claim.partition(",")[0]] = record.id
            known = item if isinstance(item, Item) else Item(id=action.outlook_id, fields={}, version="", modified=intent.sent)
            inserted(desk, note, Pair(outlook=known, link=link), replace(known, version=""), action, record.id)
            note.pendings.append(desk.later(record.id, action.outlook_id))
        elif matching and isinstance(item, Item):
            several = Match(found=Found.SEVERAL, ids=tuple(sorted(one.id for one in matching)))
            ask_which(desk, note, Pair(outlook=item), several, {})
        elif _answered(desk, intent):
            note.pendings.append(desk.later("", action.outlook_id))
        else:
            rest.append(action)
    made.pop("", None)
    if made:
        await desk.claims.name(made)
    note.again.clear()
    await desk.keep(note, intent, rest)


def _recognised(desk: Desk, record: Item, base: Base) -> bool:
    """Whether a record that this user created lately is the one of the intent: most of what it was created with is as it was written."""
    mine = desk.kind.identifying(record.fields)
    if not any(names and all(base.salesforce.get(name) == desk.hash_of(name, record.fields[name]) for name in names) for names in mine):
        return False
    written = sum(1 for mark in base.salesforce.values() if mark != "-")
    return _same(desk, record.fields, base.salesforce) >= max(1, written - written // RECOGNISED_BY)


async def _moved(desk: Desk, intent: Intent) -> None:
    """Each move is noted as soon as it is resolved; the intent goes when all are, or keeps the others."""
    rest: list[Intended] = []
    for action in intent.actions:
        note = Note()
        if await _still_moving(desk, note, intent, action):
            rest.append(action)
        note.again.clear()
        await desk.keep(note)
    await desk.keep(Note(), intent, rest)


async def _still_moving(desk: Desk, note: Note, intent: Intent, action: Intended) -> bool:
    """The copy is looked for in both places, since a person may have moved it on. Whichever of source and copy is still as it was copied
    gives way to the other; if both were edited, the copy is journaled and goes, and the move starts again."""
    link = (await desk.state.by_salesforce([action.salesforce_id])).get(action.salesforce_id)
    if link is None or link.outlook_id != action.outlook_id:
        note.pendings.append(desk.later(action.salesforce_id, action.outlook_id))  # committed, or no pair any more
        return False
    copies = [item for inside in (True, False) for item in await _copies(desk, action, intent, inside=inside)]
    if not copies:
        note.pendings.append(desk.later(action.salesforce_id, action.outlook_id))
        return not _answered(desk, intent)
    source = (await desk.see([action.outlook_id])).get(action.outlook_id)
    if source is None:
        return True  # it cannot be read just now
    copy = copies[0]
    pair, done = Pair(outlook=source, link=link), Done(id=copy.id, version=copy.version, modified=copy.modified)
    moved_on = (copy.place is Place.INSIDE) is not action.inside
    unfinished = False
    if not isinstance(source, Item):
        moved(desk, note, pair, link, done, inside=action.inside or moved_on)
    elif not changed(source, link.base.outlook, desk.hash_of) or moved_on:
        if changed(
            source, link.base.outlook, desk.hash_of
        ):  # the copy was moved on, and the source edited: the edit is kept in the journal
            await _journal(desk, link.salesforce_id, source)
        move = Move(pair=pair, link=link, source=source, copy=done)
        unfinished = bool(await finish_moves(desk, note, [move], inside=action.inside or moved_on, sent=intent.sent))
    else:
        if changed(copy, link.base.outlook, desk.hash_of):
            await _journal(desk, link.salesforce_id, copy)
        (outcome,) = await desk.outlook.delete([(copy.id, copy.version)])
        unfinished = not isinstance(outcome, Done | Missing)
    note.pendings.append(desk.later(link.salesforce_id, note.new_links[-1].outlook_id if note.new_links else action.outlook_id))
    return unfinished


async def _journal(desk: Desk, salesforce_id: str, item: Item) -> None:
    whole = (await desk.outlook.get_whole([item.id])).get(item.id)
    entry = Before(side=Side.OUTLOOK, action="delete", salesforce_id=salesforce_id, outlook_id=item.id, fields=item.fields, whole=whole)
    await desk.ledger.journal([entry])


async def _copies(desk: Desk, action: Intended, intent: Intent, *, inside: bool) -> list[Item]:
    found = (await desk.outlook.find_stamped([action.salesforce_id], inside=inside)).get(action.salesforce_id, ())
    return [item for item in found if item.id != action.outlook_id and item.modified >= intent.sent - VENDOR_LIMIT]


async def _updated(desk: Desk, intent: Intent) -> None:
    """A field that holds what was intended is agreed; every other one keeps its base and is decided again."""
    side = Side.SALESFORCE if intent.op is Op.UPDATE_SALESFORCE else Side.OUTLOOK
    links = await desk.state.by_salesforce([action.salesforce_id for action in intent.actions])
    known = [action for action in intent.actions if action.salesforce_id in links]
    unlinked = [action for action in intent.actions if not action.salesforce_id]
    if side is Side.SALESFORCE:
        seen = await desk.org.get(desk.kind, [action.salesforce_id for action in known], desk.search)
    else:
        seen = await desk.see([action.outlook_id for action in known])
    note = Note(pendings=_looks(desk, unlinked))
    for action in known:
        link = links[action.salesforce_id]
        now = seen.get(action.salesforce_id if side is Side.SALESFORCE else action.outlook_id)
        if isinstance(now, Item):
            note.links.append(replace(link, base=_agreed(desk, link.base, action.base, now, side), etag=""))
        note.pendings.append(desk.later(link.salesforce_id, link.outlook_id))
    await desk.keep(note, intent)


def _agreed(desk: Desk, base: Base, intended: Base, now: Item, side: Side) -> Base:
    target = intended.salesforce if side is Side.SALESFORCE else intended.outlook
    took = {name for name, mark in target.items() if name in now.fields and desk.hash_of(name, now.fields[name]) == mark}
    return Base(
        salesforce={**base.salesforce, **{name: mark for name, mark in intended.salesforce.items() if name in took}},
        outlook={**base.outlook, **{name: mark for name, mark in intended.outlook.items() if name in took}},
    )
