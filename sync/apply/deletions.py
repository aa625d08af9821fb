"""Deletions: collected as pendings while a run reads, then looked at as one whole set, guarded, re-read and only then made (D1–D4)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from shared.errors import Code
from shared.records import Side
from sync.apply import outlook
from sync.apply.desk import NEVER, Desk, Note, ids_of, pieces, present
from sync.apply.look import complete_pairs, dispatch, look, pair_named
from sync.apply.outlook import CHUNK as OUTLOOK_CHUNK
from sync.apply.salesforce import CHUNK as SALESFORCE_CHUNK
from sync.core.guards import Deletion, exceeds, name_of_set
from sync.core.link import Status
from sync.core.plan import DELETIONS, Act, Plan, plan
from sync.keeping import Intended, Op, Pending, Why
from sync.ports import Before, Done, Missing, Outcome, Trouble, Unsure

LOOKED_AT_FIRST = 400
"""Up to so many supposed deletions are looked at once more before a person is asked about them."""


class Held(StrEnum):
    """How a set of deletions stands."""

    NO = "no"
    YES = "yes"  # an administrator has not decided: this kind rests
    APPROVED = "approve"
    REJECTED = "reject"


async def standing(desk: Desk) -> Held:
    """Whether deletions of this kind are held, and what was decided about them (one table operation if they are)."""
    held = [pending for pending in desk.state.pendings.values() if pending.why is Why.HELD]
    if not held:
        return Held.NO
    decision = await desk.ledger.approval(held[0].approval)
    if decision is None:  # the question was removed: the set is looked at, and asked about, anew
        return Held.NO
    return Held(decision) if decision in (Held.APPROVED, Held.REJECTED) else Held.YES


@dataclass(frozen=True, slots=True)
class _Doomed:
    """What is to be deleted, by name only: the set may be large."""

    side: Side
    salesforce_id: str
    outlook_id: str

    @property
    def pending(self) -> str:
        return f"S{self.salesforce_id}" if self.salesforce_id else f"O{self.outlook_id}"


async def make(desk: Desk, decided: Held = Held.NO) -> None:
    """Ask the guard about the whole set, then look at each piece once more and delete it."""
    waiting = [pending for pending in desk.state.pendings.values() if pending.why in (Why.DELETION, Why.HELD)]
    approval = next((pending.approval for pending in waiting if pending.approval), "")
    if decided is not Held.NO:  # what came since was not agreed to: it waits for the guard
        waiting = [pending for pending in waiting if pending.approval == approval]
    if decided is Held.NO and exceeds(len(waiting), desk.state.links, desk.limits):
        doomed = [_Doomed(one.side or Side.OUTLOOK, one.salesforce_id, one.outlook_id) for one in waiting]
        if len(waiting) <= LOOKED_AT_FIRST:  # some may be no deletions any more; of very many it makes no difference
            doomed = [_name(one) for piece in pieces(waiting) for one in await _still_deletions(desk, piece)]
        if exceeds(len(doomed), desk.state.links, desk.limits):
            await _hold(desk, doomed)
            return
        names = {one.pending for one in doomed}
        waiting = [pending for pending in waiting if pending.name in names]
    if any(pending.side is Side.SALESFORCE for pending in waiting) and not await desk.outlook.home_is_there():
        return  # the folder went while the run was reading: the next read makes it again and refills it
    if approval:  # first: a death later on must not leave a question that is answered
        await desk.ledger.solve([f"S{approval}"])
        await desk.ledger.finish(approval, "approved" if decided is Held.APPROVED else "rejected" if decided is Held.REJECTED else "done")
    for number, piece in enumerate(pieces(waiting, OUTLOOK_CHUNK)):
        if number and desk.time_is_up():  # a run comes at least one piece further
            desk.cut = True
            return
        deletions = await _still_deletions(desk, piece)
        await (_keep_all(desk, deletions) if decided is Held.REJECTED else delete(desk, deletions))
    if decided is Held.APPROVED:
        await desk.ledger.finish(approval, "done")


async def _still_deletions(desk: Desk, piece: Sequence[Pending]) -> list[Plan]:
    """Read a piece anew and plan it: what is no deletion any more is carried out as what it is now."""
    plans = [plan(pair, desk.rules) for pair in await complete_pairs(desk, [pair_named(pending) for pending in piece], fresh=True)]
    others = [one for one in plans if one.act not in DELETIONS]
    if others:
        await look(desk, await dispatch(desk, others, {}), fresh=True)
    return [one for one in plans if one.act in DELETIONS]


def _name(one: Plan) -> _Doomed:
    return _Doomed(_side(one), *ids_of(one.pair))


def _side(one: Plan) -> Side:
    return Side.SALESFORCE if one.act is Act.DELETE_SALESFORCE else Side.OUTLOOK


async def _hold(desk: Desk, doomed: Sequence[_Doomed]) -> None:
    """Nothing is deleted and the kind rests until an administrator agrees to exactly this set."""
    name = name_of_set(Deletion(one.side, one.salesforce_id if one.side is Side.SALESFORCE else one.outlook_id) for one in doomed)
    note = Note()
    for one in doomed:
        later = desk.later(one.salesforce_id, one.outlook_id, due=NEVER)
        note.pendings.append(replace(later, why=Why.HELD, approval=name, side=one.side))
    await desk.ledger.hold(name, note.pendings, desk.state.links)
    text = f"{len(doomed)} of {desk.state.links} {desk.kind.name}s would be deleted; the row {name} in SyncApprovals lists them"
    note.troubles.append(Trouble(code=Code.DELETIONS_HELD, side=Side.OUTLOOK, salesforce_id=name, text=text))
    desk.counts["DeletionsHeld"] += len(doomed)
    await desk.keep(note)


async def _keep_all(desk: Desk, deletions: Sequence[Plan]) -> None:
    """An administrator said no: what was deleted in Outlook is made again there, what left Salesforce stays with the person."""
    lost = [replace(one, act=Act.CREATE_OUTLOOK, reason="rejected") for one in deletions if one.act is Act.DELETE_SALESFORCE]
    await look(desk, await dispatch(desk, lost, {}), fresh=True)
    await _expel(desk, [one for one in deletions if one.act is not Act.DELETE_SALESFORCE])


async def _expel(desk: Desk, plans: Sequence[Plan]) -> None:
    again = await outlook.move(desk, plans, inside=False)
    await desk.keep(Note(pendings=[desk.look_later(pair) for pair in again]))


async def delete(desk: Desk, deletions: Sequence[Plan]) -> None:
    """Delete what the guard let pass, or a person decided, just after it was read."""
    await _expel(desk, [one for one in deletions if one.act is Act.EXPEL])
    for side, chunk in ((Side.SALESFORCE, SALESFORCE_CHUNK), (Side.OUTLOOK, OUTLOOK_CHUNK)):
        for batch in pieces([one for one in deletions if one.act is not Act.EXPEL and _side(one) is side], chunk):
            await _delete_batch(desk, batch, side)


async def _delete_batch(desk: Desk, plans: Sequence[Plan], side: Side) -> None:
    note = Note()
    seen = [present(one.pair.seen(side)) for one in plans]
    whole = await desk.outlook.get_whole([item.id for item in seen]) if side is Side.OUTLOOK else {item.id: item.raw for item in seen}
    journal = [
        Before(side=side, action="delete", salesforce_id=ids[0], outlook_id=ids[1], fields=item.fields, whole=whole.get(item.id))
        for one, item in zip(plans, seen, strict=True)
        for ids in [ids_of(one.pair)]
    ]
    actions = [Intended(salesforce_id=ids_of(one.pair)[0], outlook_id=ids_of(one.pair)[1]) for one in plans]
    intent = await desk.intend(Op.DELETE_SALESFORCE if side is Side.SALESFORCE else Op.DELETE_OUTLOOK, actions, journal)
    outcomes: Sequence[Outcome]
    if side is Side.SALESFORCE:
        outcomes = await desk.org.delete(desk.kind, [item.id for item in seen])
    else:
        outcomes = await desk.outlook.delete([(item.id, item.version) for item in seen])
    unsure: list[Intended] = []
    for one, action, outcome in zip(plans, actions, outcomes, strict=True):
        if isinstance(outcome, Done | Missing):
            note.done.append(one.pair)
            if one.pair.link is not None:
                note.drop_links.append(one.pair.link)
                note.count -= 1 if one.pair.link.status is Status.ACTIVE else 0
            desk.counts["DeletedInSalesforce" if side is Side.SALESFORCE else "DeletedInOutlook"] += 1
        else:
            desk.sort(note, one, outcome, side)
            unsure += [action] if isinstance(outcome, Unsure) else []
    note.pendings += [desk.look_later(pair) for pair in note.again]
    await desk.keep(note, intent, unsure)
