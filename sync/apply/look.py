"""Look at pairs: read the sides that are not known yet, plan, and have the plans carried out – a few times, for what changed meanwhile."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from shared.errors import Code, Temporary
from shared.records import Absent, Item, Lack, Seen, Side
from sync.apply import outlook, salesforce
from sync.apply.desk import CALL_TIME, NEVER, REST, VENDOR_LIMIT, Desk, Note, ids_of, names_of, pieces
from sync.core.link import Status
from sync.core.plan import DELETIONS, Act, Pair, Plan, plan
from sync.keeping import Changes, Pending, Why
from sync.ports import Question, Trouble

ROUNDS = 4
"""How often a pair that keeps changing is planned again in one run."""
CHAIN = 5
"""How many merges in a row are followed."""


async def look(desk: Desk, pairs: Sequence[Pair], *, fresh: bool = False, choices: Mapping[str, str] | None = None) -> None:
    """`fresh`: read both sides again, whatever the pairs say. `choices`: what people decided about new items (Outlook id → 'create' or a
    Salesforce id). What there is no time for stays pending, and the run is to be continued."""
    for piece in pieces(pairs):
        if desk.looked and desk.time_is_up():  # every run comes a piece further, however slow the services are
            desk.cut = True
            await desk.keep(Note(pendings=[desk.look_later(pair) for pair in piece]))
        else:
            desk.looked = True
            await _look(desk, piece, fresh=fresh, choices=choices or {})


async def _look(desk: Desk, pairs: Sequence[Pair], *, fresh: bool, choices: Mapping[str, str]) -> None:
    for turn in range(ROUNDS):
        if not pairs:
            return
        complete = await complete_pairs(desk, pairs, fresh=fresh or turn > 0)
        plans = [plan(pair, desk.rules) for pair in complete]
        pairs = await dispatch(desk, plans, choices)
    if pairs:
        note = Note()
        for pair in pairs:
            desk.fail(note, pair, Temporary(Code.CHANGED_MEANWHILE), Side.OUTLOOK)
        await desk.keep(note)


async def complete_pairs(desk: Desk, pairs: Sequence[Pair], *, fresh: bool) -> list[Pair]:
    """Read what is not known, of one piece. Pairs of which an outcome is still unknown, or that cannot be read, are left out."""
    await desk.state.hold(CALL_TIME)
    pairs = await _again(desk, pairs) if fresh else await _linked_meanwhile(desk, pairs)
    note, ready = Note(), []
    for pair in {ids_of(pair): pair for pair in pairs}.values():
        if (intent := desk.busy(pair)) is not None:
            note.pendings.append(desk.look_later(pair, due=intent.sent + VENDOR_LIMIT))
        else:
            ready.append(pair)
    if note.pendings:
        await desk.keep(note)
    linked = [(pair, pair.link) for pair in ready if pair.link is not None]
    no_record = [link.salesforce_id for pair, link in linked if pair.salesforce is None]
    no_item = [link.outlook_id for pair, link in linked if pair.outlook is None and link.outlook_id]
    records = await desk.org.get(desk.kind, no_record, desk.search) if no_record else {}
    items = await desk.see(no_item)
    known: list[Pair] = []
    for pair in ready:
        if pair.link is None:
            known.append(pair)
        elif pair.outlook is not None or not pair.link.outlook_id or pair.link.outlook_id in items:
            record, item = records.get(pair.link.salesforce_id), items.get(pair.link.outlook_id)
            known.append(replace(pair, salesforce=pair.salesforce or record, outlook=pair.outlook or item))
    return await _follow_merges(desk, known)


async def _linked_meanwhile(desk: Desk, pairs: Sequence[Pair]) -> Sequence[Pair]:
    """A record that a page shows as new, and that got a link since the page was read (a merge moved one there), is no new one."""
    late = [
        pair.salesforce.id for pair in pairs if pair.link is None and pair.salesforce is not None and pair.salesforce.id in desk.touched
    ]
    links = await desk.state.by_salesforce(late) if late else {}
    return [
        Pair(link=links[pair.salesforce.id]) if pair.link is None and pair.salesforce and pair.salesforce.id in links else pair
        for pair in pairs
    ]


def pair_named(pending: Pending) -> Pair:
    """A pair of which only the ids are known, to be completed with `fresh`: the absences here are names, not findings."""
    return Pair(
        salesforce=Absent(id=pending.salesforce_id, lack=Lack.INVISIBLE) if pending.salesforce_id else None,
        outlook=Absent(id=pending.outlook_id, lack=Lack.DELETED) if pending.outlook_id else None,
    )


async def _again(desk: Desk, pairs: Sequence[Pair]) -> list[Pair]:
    """The same pairs with links read anew and nothing seen; unlinked ones are read here, since no link names their ids."""
    ids = [ids_of(pair) for pair in pairs]
    links = dict(await desk.state.by_salesforce([one for one, _ in ids if one]))
    by_outlook = await desk.state.by_outlook([other for _, other in ids if other])
    lone_records = [one for one, other in ids if one and one not in links and other not in by_outlook]
    lone_items = [other for one, other in ids if other and one not in links and other not in by_outlook]
    records: Mapping[str, Seen] = await desk.org.get(desk.kind, lone_records, desk.search) if lone_records else {}
    items = await desk.see(lone_items)
    again: list[Pair] = []
    for one, other in ids:
        link = links.get(one) or by_outlook.get(other)
        if link is not None:
            again.append(Pair(link=link))
        else:
            again.append(Pair(salesforce=records.get(one), outlook=items.get(other)))
    return again


async def _follow_merges(desk: Desk, pairs: Sequence[Pair]) -> list[Pair]:
    """A record that was merged into another moves its link there; if the survivor has an item of its own, this one leaves the folder."""
    followed: list[Pair] = []
    taken_in: set[str] = set()
    for pair in pairs:
        seen, link = pair.salesforce, pair.link
        if link is None or not isinstance(seen, Absent) or seen.lack is not Lack.MERGED:
            followed.append(pair)
            continue
        survivor: Seen = seen
        for _ in range(CHAIN):
            if not isinstance(survivor, Absent) or survivor.now is None:
                break
            survivor = (await desk.org.get(desk.kind, [survivor.now], desk.search)).get(survivor.now) or survivor
        there = (await desk.state.by_salesforce([survivor.id])).get(survivor.id) if isinstance(survivor, Item) else None
        if there is not None and there.status is Status.RESERVED:
            await desk.keep(Note(pendings=[desk.look_later(pair)]))  # until the question about the survivor is answered
            continue
        if not isinstance(survivor, Item) or there is not None:
            followed.append(replace(pair, salesforce=Absent(id=seen.id, lack=Lack.INVISIBLE)))
            continue
        moved = replace(link, salesforce_id=survivor.id)
        await desk.state.commit(Changes(drop_links=[link], new_links=[moved]))
        taken_in.add(survivor.id)
        desk.touched.add(survivor.id)
        desk.counts["Merged"] += 1
        followed.append(replace(pair, salesforce=survivor, link=moved))
    return [pair for pair in followed if pair.link is not None or pair.salesforce is None or pair.salesforce.id not in taken_in]


async def dispatch(desk: Desk, plans: Sequence[Plan], choices: Mapping[str, str]) -> Sequence[Pair]:
    """Have each plan carried out; answers the pairs to be looked at again."""
    again: list[Pair] = []
    note = Note()
    plans = await outlook.unmark_moved_out(desk, plans)
    sorted_plans: dict[Act, list[Plan]] = defaultdict(list)
    for one in plans:
        sorted_plans[one.act].append(one)
    for act in (Act.NOTHING, Act.FORGET, Act.WAIT, Act.REST, *DELETIONS):
        for one in sorted_plans.pop(act, []):
            _note_only(desk, note, one)
    await _settled(desk, note, [one for group in sorted_plans.values() for one in group])
    await desk.keep(note)
    moves: list[Plan] = []
    writes = [*sorted_plans.pop(Act.WRITE, []), *sorted_plans.pop(Act.RELEASE, [])]
    for one in sorted_plans.pop(Act.SETTLE, []):
        if one.move_in and not one.merged.agreed and not one.merged.alone and not one.opt_in:
            moves.append(one)
        else:
            writes.append(one)
    adopting = sorted_plans.pop(Act.CREATE_SALESFORCE, [])
    more, follow = await salesforce.write(desk, [one for one in writes if one.merged.to_salesforce])
    again += more
    follow = [one for one in follow if one.merged.to_outlook or one.mark or one.move_in]
    again += await outlook.write(desk, [*(one for one in writes if not one.merged.to_salesforce), *follow])
    if adopting:  # after the others: who is opted in again in the same piece keeps their record
        again += await salesforce.match_or_create(desk, adopting, choices)
    again += await outlook.create(desk, sorted_plans.pop(Act.CREATE_OUTLOOK, []))
    again += await outlook.move(desk, moves, inside=True)
    if sorted_plans:
        raise AssertionError(f"no effect for {sorted(sorted_plans)}")
    return again


def _note_only(desk: Desk, note: Note, one: Plan) -> None:
    pair = one.pair
    if one.act is Act.NOTHING:
        note.done.append(pair)
    elif one.act is Act.FORGET:
        note.done.append(pair)
        if pair.link is not None:
            note.drop_links.append(pair.link)
            note.count -= 1 if pair.link.status is Status.ACTIVE else 0
    elif one.act is Act.WAIT:
        _ask(desk, note, one)
    elif one.act is Act.REST:
        _rest(desk, note, one)
    else:
        side = Side.SALESFORCE if one.act is Act.DELETE_SALESFORCE else Side.OUTLOOK
        note.pendings.append(replace(desk.look_later(pair), why=Why.DELETION, side=side))


def _rest(desk: Desk, note: Note, one: Plan) -> None:
    salesforce_id, outlook_id = ids_of(one.pair)
    later = desk.look_later(one.pair, due=desk.clock.now() + REST)
    note.pendings.append(replace(later, why=Why.RESTING, code=Code.PING_PONG))
    fields = ", ".join([*one.merged.to_salesforce, *one.merged.to_outlook])
    note.troubles.append(
        Trouble(code=Code.PING_PONG, side=Side.OUTLOOK, salesforce_id=salesforce_id, outlook_id=outlook_id, field=fields, text="")
    )


def _ask(desk: Desk, note: Note, one: Plan) -> None:
    """Both versions are kept and shown; the pair waits, the rest goes on."""
    old = desk.pending(one.pair)
    salesforce_id, outlook_id = ids_of(one.pair)
    pending = Pending(
        salesforce_id=salesforce_id,
        outlook_id=outlook_id,
        why=Why.WAITING,
        due=NEVER,
        code=Code.CONFLICT,
        since=old.since if old else desk.clock.now(),
        asked=True,
        candidates=old.candidates if old else (),
    )
    note.pendings.append(pending)
    question = question_of(desk, one, pending.name)
    note.questions.append(question)
    trouble = Trouble(
        code=Code.CONFLICT, side=Side.SALESFORCE, salesforce_id=salesforce_id, outlook_id=outlook_id, field=", ".join(question.fields)
    )
    note.troubles.append(trouble)


def question_of(desk: Desk, one: Plan, name: str) -> Question:
    """What is shown of a conflict; its version names exactly the values shown."""
    salesforce_id, outlook_id = ids_of(one.pair)
    if one.conflicts:
        fields = {conflict.field: (conflict.salesforce, conflict.outlook) for conflict in one.conflicts}
        kind_of = "conflict"
    else:
        record, item = one.pair.item(Side.SALESFORCE), one.pair.item(Side.OUTLOOK)
        names = {*(record.fields if record else ()), *(item.fields if item else ())}
        fields = {name: (record.fields.get(name) if record else None, item.fields.get(name) if item else None) for name in names}
        kind_of = "deleted and edited"
    shown = "\n".join(
        f"{field} {desk.hash_of(field, here)} {desk.hash_of(field, there)}" for field, (here, there) in sorted(fields.items())
    )
    return Question(
        name=name,
        kind_of=kind_of,
        salesforce_id=salesforce_id,
        outlook_id=outlook_id,
        fields=fields,
        version=desk.hash_of("version", shown),
        winner=one.conflicts[0].winner.value if one.conflicts and one.act is not Act.WAIT else "",
    )


async def _settled(desk: Desk, note: Note, plans: Sequence[Plan]) -> None:
    """Conflicts that the rule settles are told, too (the values that lose are in the journal)."""
    for one in plans:
        if one.conflicts:
            desk.counts["Conflicts"] += 1
            note.questions.append(question_of(desk, one, f"{names_of(one.pair)[0]}@{desk.run}"))
