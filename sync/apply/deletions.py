"""Deletions: collected as pendings while a run reads, then looked at as one whole set, guarded, re-read and only then made (D1–D4)."""

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum

from shared.errors import Code
from shared.records import Side
from sync.apply.desk import NEVER, Desk, Note, ids_of, names_of, present
from sync.apply.look import Answers, complete_pairs, dispatch, look, pair_named
from sync.apply.outlook import CHUNK as OUTLOOK_CHUNK
from sync.apply.salesforce import CHUNK as SALESFORCE_CHUNK
from sync.core.guards import Deletion, exceeds, name_of_set
from sync.core.link import Status
from sync.core.plan import DELETIONS, Act, Plan, plan
from sync.keeping import Intended, Op, Why
from sync.ports import Before, Done, Missing, Outcome, Trouble, Unsure


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


async def make(desk: Desk, decided: Held = Held.NO) -> None:
    """Look at every pair that is to be deleted once more, ask the guard about the whole set, and delete."""
    waiting = [pending for pending in desk.state.pendings.values() if pending.why in (Why.DELETION, Why.HELD)]
    if not waiting:
        return
    complete = await complete_pairs(desk, [pair_named(pending) for pending in waiting], fresh=True)
    plans = [plan(pair, desk.rules) for pair in complete]
    others = [one for one in plans if one.act not in DELETIONS]
    deletions = [one for one in plans if one.act in DELETIONS]
    if others:
        await look(desk, await dispatch(desk, others, Answers()), fresh=True)
    approval = next((pending.approval for pending in waiting if pending.approval), "")
    if decided is not Held.NO:  # what came since was not agreed to: it waits for the guard
        agreed = {pending.name for pending in waiting if pending.approval == approval}
        deletions = [one for one in deletions if agreed.intersection(names_of(one.pair))]
    if decided is Held.REJECTED:
        await _keep_all(desk, deletions)
    elif deletions and decided is not Held.APPROVED and exceeds(len(deletions), desk.state.links, desk.limits):
        await _hold(desk, deletions)
        return
    else:
        await delete(desk, deletions)
    if approval:
        await desk.ledger.finish(approval, "rejected" if decided is Held.REJECTED else "done")
        await desk.ledger.solve([f"S{approval}"])


def _side(one: Plan) -> Side:
    return Side.SALESFORCE if one.act is Act.DELETE_SALESFORCE else Side.OUTLOOK


async def _hold(desk: Desk, deletions: Sequence[Plan]) -> None:
    """Nothing is deleted and the kind rests until an administrator agrees to exactly this set."""
    name = name_of_set(Deletion(_side(one), ids_of(one.pair)[0 if _side(one) is Side.SALESFORCE else 1]) for one in deletions)
    note = Note()
    for one in deletions:
        later = desk.look_later(one.pair, due=NEVER)
        note.pendings.append(replace(later, why=Why.HELD, approval=name, side=_side(one)))
    await desk.ledger.hold(name, note.pendings, desk.state.links)
    text = f"{len(deletions)} of {desk.state.links} {desk.kind.name}s would be deleted; the row {name} in SyncApprovals lists them"
    note.troubles.append(Trouble(code=Code.DELETIONS_HELD, side=Side.OUTLOOK, salesforce_id=name, text=text))
    desk.counts["DeletionsHeld"] += len(deletions)
    await desk.keep(note)


async def _keep_all(desk: Desk, deletions: Sequence[Plan]) -> None:
    """An administrator said no: what was deleted in Outlook is made again there, what left Salesforce stays with the person."""
    kept = [replace(one, act=Act.CREATE_OUTLOOK if one.act is Act.DELETE_SALESFORCE else Act.EXPEL, reason="rejected") for one in deletions]
    await look(desk, await dispatch(desk, kept, Answers()), fresh=True)


async def delete(desk: Desk, deletions: Sequence[Plan]) -> None:
    """Delete what the guard let pass, or a person decided."""
    records = [one for one in deletions if _side(one) is Side.SALESFORCE]
    items = [one for one in deletions if _side(one) is Side.OUTLOOK]
    for at in range(0, len(records), SALESFORCE_CHUNK):
        await _delete_batch(desk, records[at : at + SALESFORCE_CHUNK], Side.SALESFORCE)
    for at in range(0, len(items), OUTLOOK_CHUNK):
        await _delete_batch(desk, items[at : at + OUTLOOK_CHUNK], Side.OUTLOOK)


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
