"""Effects in Outlook: create, write, mark, release, move. Each batch: drafts, intent and journal, effect, commit."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared.errors import Code, Permanent
from shared.records import Fields, Item, Origin, Place, Side
from sync.apply.desk import VENDOR_LIMIT, Desk, Note, pieces, present, rebased
from sync.core.fingerprint import Base
from sync.core.link import Link, Status
from sync.core.plan import Act, Pair, Plan
from sync.keeping import Intended, Op
from sync.ports import Before, Done, Missing, NewOutlook, OutlookChange, Stale, Unsure
from sync.translate.kind import Draft

CHUNK = 80
"""Items of one intent: four Graph batches."""


async def create(desk: Desk, plans: Sequence[Plan]) -> Sequence[Pair]:
    """Create in the folder what Salesforce has. Answers the pairs to be looked at again."""
    again: list[Pair] = []
    missing = sum(1 for plan in plans if plan.pair.link is None)
    if missing and desk.state.links + missing > desk.cap:
        raise Permanent(Code.CAP_EXCEEDED, f"{desk.state.links + missing} {desk.kind.name}s would be in the mailbox, the cap is {desk.cap}")
    for at in range(0, len(plans), CHUNK):
        again += await _create(desk, plans[at : at + CHUNK])
    return again


async def _create(desk: Desk, plans: Sequence[Plan]) -> Sequence[Pair]:
    note = Note()
    ready: list[tuple[Plan, NewOutlook, Intended]] = []
    for plan in plans:
        record = present(plan.pair.salesforce)
        draft = desk.kind.draft_outlook(record.fields, None)
        if desk.refused(note, plan.pair, draft, Side.OUTLOOK):
            continue
        base = Base(salesforce=desk.hashed(record.fields), outlook=desk.hashed(draft.held))
        origin = plan.pair.link.origin if plan.pair.link else Origin.SALESFORCE
        intended = Intended(salesforce_id=record.id, base=base, origin=origin)
        ready.append((plan, NewOutlook(stamp=record.id, body=draft.payload), intended))
    if not ready:
        await desk.keep(note)
        return note.again
    intent = await desk.intend(Op.CREATE_OUTLOOK, [intended for _, _, intended in ready])
    outcomes = await desk.outlook.create([new for _, new, _ in ready])
    unsure: list[Intended] = []
    for (plan, _, intended), outcome in zip(ready, outcomes, strict=True):
        if isinstance(outcome, Done):
            desk.wrote(outcome.id, outcome.version)
            created(desk, note, plan.pair, intended, outcome)
        else:
            desk.sort(note, plan, outcome, Side.OUTLOOK)
            unsure += [intended] if isinstance(outcome, Unsure) else []
    await desk.keep(note, intent, unsure)
    return note.again


def created(desk: Desk, note: Note, pair: Pair, intended: Intended, outcome: Done) -> None:
    """Note a new pair whose Outlook item now exists."""
    old = pair.link
    record = pair.item(Side.SALESFORCE)
    link = Link(
        salesforce_id=intended.salesforce_id,
        outlook_id=outcome.id,
        origin=intended.origin,
        base=intended.base,
        etag=outcome.version,
        outlook_modified=outcome.modified or desk.clock.now(),
        stamp=record.version if record else "",
    )
    note.new_links.append(link)
    if old is not None and old.outlook_id and old.outlook_id != link.outlook_id:
        note.drop_pointers.append(old.outlook_id)
    note.count += 0 if old is not None and old.status is Status.ACTIVE else 1
    note.done.append(pair)
    desk.counts["ToOutlookNew"] += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Write:
    plan: Plan
    link: Link
    draft: Draft
    body: dict[str, Any]
    base: Base


async def write(desk: Desk, plans: Sequence[Plan]) -> Sequence[Pair]:
    """Write changed fields, put the category back, take it off (release). The link's base is the one after the Salesforce half."""
    again: list[Pair] = []
    for at in range(0, len(plans), CHUNK):
        again += await _write(desk, plans[at : at + CHUNK])
    return again


async def _write(desk: Desk, plans: Sequence[Plan]) -> Sequence[Pair]:
    note = Note()
    ready: list[_Write] = []
    for plan in plans:
        item, link = present(plan.pair.outlook), _link(plan)
        fields = plan.merged.to_outlook
        draft = desk.kind.draft_outlook(fields, item) if fields else Draft(payload={}, held={})
        if desk.refused(note, plan.pair, draft, Side.OUTLOOK):
            continue
        body = dict(draft.payload)
        if plan.mark or (plan.act is Act.RELEASE and item.marked):
            body.update(desk.outlook.mark(item, on=plan.mark))
        base = written_base(desk, link.base, plan, draft.held, Side.OUTLOOK)
        ready.append(_Write(plan=plan, link=link, draft=draft, body=body, base=base))
    sent = [one for one in ready if one.body]
    for one in ready:
        if not one.body:
            _written(desk, note, one, None)
    if not sent:
        await desk.keep(note)
        return note.again
    journal = [_before(one) for one in sent if one.plan.merged.to_outlook]
    actions = [Intended(salesforce_id=one.link.salesforce_id, outlook_id=present(one.plan.pair.outlook).id, base=one.base) for one in sent]
    intent = await desk.intend(Op.UPDATE_OUTLOOK, actions, journal)
    changes = [
        OutlookChange(id=a.outlook_id, etag=present(one.plan.pair.outlook).version, body=one.body)
        for one, a in zip(sent, actions, strict=True)
    ]
    unsure: list[Intended] = []
    for one, action, outcome in zip(sent, actions, await desk.outlook.update(changes), strict=True):
        if isinstance(outcome, Done):
            desk.wrote(action.outlook_id, outcome.version)
            _written(desk, note, one, outcome)
        else:
            desk.sort(note, one.plan, outcome, Side.OUTLOOK)
            unsure += [action] if isinstance(outcome, Unsure) else []
    await desk.keep(note, intent, unsure)
    return note.again


def _link(plan: Plan) -> Link:
    if plan.pair.link is None:
        raise AssertionError("only linked pairs are written")
    return plan.pair.link


def _before(one: _Write) -> Before:
    item = present(one.plan.pair.outlook)
    fields = {name: item.fields[name] for name in one.plan.merged.to_outlook if name in item.fields}
    return Before(side=Side.OUTLOOK, action="overwrite", salesforce_id=one.link.salesforce_id, outlook_id=item.id, fields=fields)


def written_base(desk: Desk, base: Base, plan: Plan, held: Fields, side: Side) -> Base:
    """The base once `side` holds `held`: what was carried is agreed on both sides, and so is what needed no carrying."""
    salesforce, outlook = plan.pair.item(Side.SALESFORCE), plan.pair.item(Side.OUTLOOK)
    here, there = (salesforce.fields if salesforce else {}), (outlook.fields if outlook else {})
    carried = plan.merged.to_outlook if side is Side.OUTLOOK else plan.merged.to_salesforce
    source = here if side is Side.OUTLOOK else there
    target = desk.hashed(held)
    origin = desk.hashed({name: source[name] for name in carried if name in held and name in source})
    agreed = plan.merged.agreed | plan.merged.alone
    agreed_here = desk.hashed({name: here[name] for name in agreed if name in here})
    agreed_there = desk.hashed({name: there[name] for name in agreed if name in there})
    if side is Side.OUTLOOK:
        return rebased(base, salesforce={**agreed_here, **origin}, outlook={**agreed_there, **target})
    return rebased(base, salesforce={**agreed_here, **target}, outlook={**agreed_there, **origin})


def _written(desk: Desk, note: Note, one: _Write, outcome: Done | None) -> None:
    plan, pair, item = one.plan, one.plan.pair, present(one.plan.pair.outlook)
    record = pair.item(Side.SALESFORCE)
    link = replace(
        one.link,
        base=one.base,
        outlook_id=item.id,
        etag=(outcome.version if outcome else item.version),
        outlook_modified=(outcome.modified if outcome and outcome.modified else item.modified),
        stamp=record.version if record else one.link.stamp,
        turns=plan.turns or one.link.turns,
        status=Status.OPTED_OUT if plan.act is Act.RELEASE else Status.ACTIVE,
    )
    note.links.append(link)
    if plan.act is Act.RELEASE:
        note.count -= 1
    elif plan.opt_in:
        note.count += 1
    if plan.merged.to_outlook and outcome:
        desk.counts["ToOutlookUpdated"] += 1
    note.done.append(pair)
    if plan.move_in:
        note.again.append(replace(pair, link=link))


async def mark_new(desk: Desk, plans: Sequence[Plan]) -> tuple[Sequence[Plan], Sequence[Pair]]:
    """Put the category on new items in the folder, whatever becomes of them in Salesforce. Answers the plans with the items as they are
    now, and the pairs that changed meanwhile."""
    bare = [plan for plan in plans if not present(plan.pair.outlook).marked and present(plan.pair.outlook).place is Place.INSIDE]
    marked = [plan for plan in plans if plan not in bare]
    again: list[Pair] = []
    for at in range(0, len(bare), CHUNK):
        note, chunk = Note(), bare[at : at + CHUNK]
        items = [present(plan.pair.outlook) for plan in chunk]
        actions = [Intended(outlook_id=item.id) for item in items]
        intent = await desk.intend(Op.UPDATE_OUTLOOK, actions)
        changes = [OutlookChange(id=item.id, etag=item.version, body=desk.outlook.mark(item, on=True)) for item in items]
        unsure: list[Intended] = []
        for plan, action, change, outcome in zip(chunk, actions, changes, await desk.outlook.update(changes), strict=True):
            item = present(plan.pair.outlook)
            if isinstance(outcome, Done):
                modified = outcome.modified or item.modified
                now = replace(item, version=outcome.version, modified=modified, marked=True, raw={**item.raw, **change.body})
                marked.append(replace(plan, pair=replace(plan.pair, outlook=now)))
                desk.wrote(item.id, now.version)
            else:
                desk.sort(note, plan, outcome, Side.OUTLOOK)
                unsure += [action] if isinstance(outcome, Unsure) else []
        again += note.again
        await desk.keep(note, intent, unsure)
    return marked, again


async def unmark_moved_out(desk: Desk, plans: Sequence[Plan]) -> Sequence[Plan]:
    """New items that were put off (refused, in question) and that a person moved out of the folder meanwhile: a choice, as with a linked
    one. The category, which was the sync's, is taken off, and the item is let alone. Answers the other plans."""
    out = [
        plan
        for plan in plans
        if plan.pair.link is None
        and (item := plan.pair.item(Side.OUTLOOK)) is not None
        and item.place is Place.OUTSIDE
        and (pending := desk.pending(plan.pair)) is not None
        and pending.inside
    ]
    for chunk in pieces(out, CHUNK):
        note = Note()
        items = [present(plan.pair.outlook) for plan in chunk]
        actions = [Intended(outlook_id=item.id) for item in items]
        intent = await desk.intend(Op.UPDATE_OUTLOOK, actions)
        changes = [OutlookChange(id=item.id, etag=item.version, body=desk.outlook.mark(item, on=False)) for item in items]
        unsure: list[Intended] = []
        for plan, action, outcome in zip(chunk, actions, await desk.outlook.update(changes), strict=True):
            if isinstance(outcome, Done):
                note.done.append(plan.pair)
            else:
                desk.sort(note, plan, outcome, Side.OUTLOOK)
                unsure += [action] if isinstance(outcome, Unsure) else []
        note.pendings += [desk.look_later(pair) for pair in note.again]
        await desk.keep(note, intent, unsure)
    return [plan for plan in plans if plan not in out] if out else plans


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A pair whose item has been copied elsewhere; the source is still there."""

    pair: Pair
    link: Link
    source: Item
    copy: Done


async def move(desk: Desk, plans: Sequence[Plan], *, inside: bool) -> Sequence[Pair]:
    """Graph cannot move contacts: copy into the folder (or out of it), photos and all, then delete the sources that did not change."""
    again: list[Pair] = []
    for chunk in pieces(plans, CHUNK):
        again += await _move(desk, chunk, inside=inside)
    return again


async def _move(desk: Desk, plans: Sequence[Plan], *, inside: bool) -> Sequence[Pair]:
    note = Note()
    items = [present(plan.pair.outlook) for plan in plans]
    wholes = await desk.outlook.get_whole([item.id for item in items])
    ready: list[tuple[Plan, Item, Intended]] = []
    for plan, item in zip(plans, items, strict=True):
        if wholes.get(item.id, {}).get("@odata.etag") != item.version:
            note.again.append(plan.pair)
            continue
        link = _link(plan)
        action = Intended(salesforce_id=link.salesforce_id, outlook_id=item.id, base=link.base, origin=link.origin, inside=inside)
        ready.append((plan, item, action))
    if not ready:
        await desk.keep(note)
        return note.again
    journal = [
        Before(
            side=Side.OUTLOOK,
            action="move",
            salesforce_id=action.salesforce_id,
            outlook_id=item.id,
            fields=item.fields,
            whole=wholes[item.id],
        )
        for _, item, action in ready
    ]
    intent = await desk.intend(Op.MOVE_OUTLOOK, [action for _, _, action in ready], journal)
    bodies = [{**desk.kind.copy_outlook(wholes[item.id]), **desk.outlook.mark(item, on=inside)} for _, item, _ in ready]
    new = [NewOutlook(stamp=action.salesforce_id, body=body) for (_, _, action), body in zip(ready, bodies, strict=True)]
    moves: list[Move] = []
    rest: list[Intended] = []
    for (plan, item, action), outcome in zip(ready, await desk.outlook.create(new, inside=inside), strict=True):
        if isinstance(outcome, Done):
            moves.append(Move(pair=plan.pair, link=_link(plan), source=item, copy=outcome))
        else:
            desk.sort(note, plan, outcome, Side.OUTLOOK)
            rest += [action] if isinstance(outcome, Unsure) else []
    unfinished = await finish_moves(desk, note, moves, inside=inside, sent=intent.sent)
    rest += [action for _, item, action in ready if item.id in unfinished]
    await desk.keep(note, intent, rest)
    return note.again


async def finish_moves(desk: Desk, note: Note, moves: Sequence[Move], *, inside: bool, sent: datetime) -> set[str]:
    """The copies exist: photos, then the sources go. Where a person changed the source meanwhile, the copy goes and it starts again.
    Answers the sources of what could not be finished for sure: their intent stays open, and recovery goes on from here."""
    if not moves:
        return set()
    late = await desk.outlook.copy_photos([(one.source.id, one.copy.id) for one in moves])
    unfinished = set(late) if desk.clock.now() - sent < VENDOR_LIMIT else set()  # then the item goes without a photo nobody can read
    note.pendings += [desk.look_later(one.pair) for one in moves if one.source.id in unfinished]
    moves = [one for one in moves if one.source.id not in unfinished]
    stale: list[Move] = []
    for one, outcome in zip(moves, await desk.outlook.delete([(one.source.id, one.source.version) for one in moves]), strict=True):
        if isinstance(outcome, Done | Missing):
            moved(desk, note, one.pair, one.link, one.copy, inside=inside)
        elif isinstance(outcome, Stale):
            stale.append(one)
        else:
            unfinished.add(one.source.id)
            note.pendings.append(desk.look_later(one.pair))
    outcomes = await desk.outlook.delete([(one.copy.id, one.copy.version) for one in stale]) if stale else ()
    for one, outcome in zip(stale, outcomes, strict=True):
        note.again.append(one.pair)
        if not isinstance(outcome, Done | Missing):
            unfinished.add(one.source.id)
    return unfinished


def moved(desk: Desk, note: Note, pair: Pair, link: Link, copy: Done, *, inside: bool) -> None:
    """Note that the item lives elsewhere, under a new id. Its etag is left open, so that the next read compares it whole."""
    if inside:
        note.drop_pointers.append(link.outlook_id)
        note.new_links.append(replace(link, outlook_id=copy.id, home=True, etag="", outlook_modified=copy.modified or desk.clock.now()))
    else:
        note.drop_links.append(link)
        note.count -= 1 if link.status is Status.ACTIVE else 0
    note.done.append(pair)
    desk.counts["Moved"] += 1
