"""Effects in Salesforce: match or create, and write. Each collection: lookup, drafts, claims, intent and journal, effect, commit."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from shared.errors import Code, Temporary
from shared.records import LONG_AGO, Item, Origin, Place, Side
from sync.apply import outlook
from sync.apply.desk import NEVER, Desk, Note, ids_of, present
from sync.apply.outlook import written_base
from sync.core.fingerprint import Base
from sync.core.link import Link, Status
from sync.core.match import Candidate, Found, Match, match
from sync.core.plan import Pair, Plan
from sync.keeping import Intended, Op, Pending, Why
from sync.ports import Before, Candidates, Done, NewSalesforce, Question, SalesforceChange, Trouble, Unsure
from sync.translate.kind import Companies, Draft

CHUNK = 200
"""Records of one collection."""
SHOWN = 50
"""Candidates of a question that are shown and reserved. Any other that matches may be chosen by its id, too."""
SOON = 60.0
"""Seconds until a record that a colleague's run is making is looked for again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _New:
    plan: Plan
    item: Item
    draft: Draft
    claims: tuple[str, ...]
    """The first one is named after the record is made; the others only keep colleagues away meanwhile."""


async def match_or_create(desk: Desk, plans: Sequence[Plan], chosen: Mapping[str, str] | None = None) -> Sequence[Pair]:
    """Link new Outlook items to records that exist, else create them. `chosen`: Outlook id → a person's choice ('create' or an id)."""
    again: list[Pair] = []
    for at in range(0, len(plans), CHUNK):
        again += await _match_or_create(desk, plans[at : at + CHUNK], chosen or {})
    return again


async def _match_or_create(desk: Desk, plans: Sequence[Plan], chosen: Mapping[str, str]) -> Sequence[Pair]:
    plans, again = await outlook.mark_new(desk, plans)
    if not plans:
        return again
    items = [present(plan.pair.outlook) for plan in plans]
    found = await _look_up(desk, items)
    note = Note()
    creating: list[Plan] = []
    links = await desk.state.by_salesforce([candidate.id for candidate in found.items])
    taken = {one: link.outlook_id for one, link in links.items() if link.status is Status.ACTIVE and link.outlook_id}
    for plan, item in zip(plans, items, strict=True):
        choice = chosen.get(item.id, "")
        others = {one for one, outlook_id in taken.items() if outlook_id != item.id}
        result = match(desk.kind.identity(item), _candidates(desk, found.items), others)
        if choice == "create" or result.found is Found.NONE:
            creating.append(plan)
        elif (picked := _picked(result, choice)) is not None:
            record = next(one for one in found.items if one.id == picked)
            taken[record.id] = item.id
            adopt(desk, note, plan.pair, record, links.get(record.id))
        else:
            ask_which(desk, note, plan.pair, result, links, taken)
    await desk.keep(note)
    decided = {one for one, choice in chosen.items() if choice == "create"}
    return [*again, *note.again, *await _create(desk, creating, found, decided)]


def _picked(result: Match, choice: str) -> str | None:
    """The record to link: the only one, or the one a person chose while it is still a candidate (people copy ids of 15 characters, too).
    After a choice that is none any more the person is asked anew, also if one candidate is left: it is not the one that was chosen."""
    if result.found is Found.TAKEN or (not choice and result.found is not Found.ONE):
        return None
    return next((one for one in result.ids if not choice or one[:15] == choice[:15]), None)


def _candidates(desk: Desk, items: Sequence[Item]) -> list[Candidate]:
    return [Candidate(id=item.id, identity=desk.kind.identity(item)) for item in items]


async def _look_up(desk: Desk, items: Sequence[Item]) -> Candidates:
    names = [name for item in items if (name := desk.kind.company(item.fields))]
    return await desk.org.look_up(desk.kind, [desk.kind.identity(item) for item in items], names)


def adopt(desk: Desk, note: Note, pair: Pair, record: Item, old: Link | None) -> None:
    """Link an Outlook item to a record that exists. There is no base yet: equal agrees, empty takes filled, else the conflict rule."""
    item = present(pair.outlook)
    base = old.base if old is not None and old.status is Status.OPTED_OUT and old.outlook_id == item.id else Base()
    link = Link(
        salesforce_id=record.id,
        outlook_id=item.id,
        origin=Origin.MATCH,
        home=item.place is Place.INSIDE,
        base=base,
        etag="",
        outlook_modified=LONG_AGO,
        stamp=record.version,
    )
    note.new_links.append(link)
    if old is not None and old.outlook_id and old.outlook_id != item.id:
        note.drop_pointers.append(old.outlook_id)
    if pair.link is not None and pair.link.salesforce_id != record.id:
        note.drop_links.append(pair.link)
        note.count -= 1 if pair.link.status is Status.ACTIVE else 0
    note.count += 0 if old is not None and old.status is Status.ACTIVE else 1
    note.done.append(pair)
    note.again.append(Pair(salesforce=None, outlook=item, link=link))
    desk.outside.add(record.id)
    desk.counts["Matched"] += 1


def ask_which(desk: Desk, note: Note, pair: Pair, result: Match, links: Mapping[str, Link], taken: Collection[str] = ()) -> None:
    """Several candidates, or only one that is linked already: a person decides. Free candidates are reserved meanwhile; not free is also
    what an item of the same page was linked to just now (`taken`)."""
    item, old, now = present(pair.outlook), desk.pending(pair), desk.clock.now()
    copy = result.found is Found.TAKEN
    code = Code.POSSIBLE_COPY if copy else Code.SEVERAL_CANDIDATES
    shown = result.ids[:SHOWN]
    free = [one for one in shown if one not in taken and (one not in links or links[one].status is Status.RESERVED)]
    note.new_links += [Link(salesforce_id=one, status=Status.RESERVED, origin=Origin.SALESFORCE) for one in free if one not in links]
    salesforce_id, outlook_id = ids_of(pair)
    note.pendings.append(
        Pending(
            salesforce_id=salesforce_id,
            outlook_id=outlook_id,
            why=Why.WAITING,
            due=NEVER,
            code=code,
            since=old.since if old else now,
            asked=True,
            candidates=tuple(dict.fromkeys([*free, *(old.candidates if old else ())])),
            inside=item.place is Place.INSIDE,
        )
    )
    name = note.pendings[-1].name
    note.troubles.append(Trouble(code=code, side=Side.OUTLOOK, salesforce_id=salesforce_id, outlook_id=outlook_id))
    fields = {name: (None, value) for name, value in item.fields.items() if value}
    version = desk.hash_of("match", " ".join([item.id, *result.ids]))
    question = Question(
        name=name,
        kind_of="copy" if copy else "match",
        salesforce_id=salesforce_id,
        outlook_id=outlook_id,
        fields=fields,
        version=version,
        candidates=shown,
    )
    note.questions.append(question)


async def _create(desk: Desk, plans: Sequence[Plan], found: Candidates, decided: Collection[str]) -> Sequence[Pair]:
    """`decided`: Outlook ids of which a person said that they are new, whatever they look like: no claim is asked for them."""
    note = Note()
    ready: list[_New] = []
    claimed: set[str] = set()
    unsure = {key for intent in desk.state.intents.values() for action in intent.actions for key in action.claim.split(",") if key}
    if not desk.policy.direction.reaches(Side.SALESFORCE):
        note.done += [plan.pair for plan in plans]
        plans = []
    for plan in plans:
        item = present(plan.pair.outlook)
        draft = desk.kind.draft_salesforce(item.fields, None, desk.schema, found.companies)
        if desk.refused(note, plan.pair, draft, Side.SALESFORCE):
            continue
        claims = () if item.id in decided else _claims(desk, item)
        if unsure.intersection(claims):  # this run's user may have made this person already: an outcome is still unknown
            desk.fail(note, plan.pair, Temporary(Code.CLAIMED_ELSEWHERE, retry_after=SOON), Side.SALESFORCE)
            continue
        if claimed.intersection(claims):  # the same person twice in one page: the second one is looked at when the first one exists
            note.again.append(plan.pair)
            continue
        claimed.update(claims)
        ready.append(_New(plan=plan, item=item, draft=draft, claims=claims))
    granted = await _take_claims(desk, note, ready)
    await desk.keep(note)
    return [*note.again, *(await _insert(desk, granted) if granted else [])]


def _claims(desk: Desk, item: Item) -> tuple[str, ...]:
    """What a colleague's run could claim for the same record: every address, and the name."""
    identity = desk.kind.identity(item)
    return tuple(desk.hash_of("claim", key) for key in [*sorted(identity.strong), identity.weak] if key)


async def _take_claims(desk: Desk, note: Note, ready: Sequence[_New]) -> Sequence[_New]:
    claims = await desk.claims.take([key for new in ready for key in new.claims])
    granted = [new for new in ready if all(claims[key].granted for key in new.claims)]
    contested = [new for new in ready if new not in granted]
    if not contested:
        return granted
    again = await _look_up(desk, [new.item for new in contested])
    named = [made for new in contested for key in new.claims if (made := claims[key].salesforce_id)]
    known = await desk.org.get(desk.kind, named, desk.search) if named else {}
    records = [*again.items, *(seen for seen in known.values() if isinstance(seen, Item))]
    links = await desk.state.by_salesforce([record.id for record in records])
    taken = {one for one, link in links.items() if link.status is Status.ACTIVE and link.outlook_id}
    to_take: list[_New] = []
    back: list[str] = []
    for new in contested:
        others = [claims[key] for key in new.claims if not claims[key].granted]
        result = match(desk.kind.identity(new.item), _candidates(desk, records), taken)
        if result.found is Found.NONE and all(claim.expired or claim.salesforce_id for claim in others):
            to_take.append(new)
            continue
        back += [key for key in new.claims if claims[key].granted]
        if result.found is Found.ONE:
            record = next(one for one in records if one.id == result.ids[0])
            adopt(desk, note, new.plan.pair, record, links.get(record.id))
            taken.add(record.id)
        elif result.found is not Found.NONE:
            ask_which(desk, note, new.plan.pair, result, links, taken)
        else:
            desk.fail(note, new.plan.pair, Temporary(Code.CLAIMED_ELSEWHERE, retry_after=SOON), Side.SALESFORCE)
    won = set(await desk.claims.take_over([key for new in to_take for key in new.claims if not claims[key].granted]))
    won.update(key for key, claim in claims.items() if claim.granted)
    lost = [new for new in to_take if not won.issuperset(new.claims)]
    note.pendings += [desk.look_later(new.plan.pair) for new in lost]
    if back:
        await desk.claims.give_back(back)
    return [*granted, *(new for new in to_take if new not in lost)]


async def _insert(desk: Desk, ready: Sequence[_New]) -> Sequence[Pair]:
    note = Note()
    actions = [
        Intended(
            salesforce_id=new.plan.pair.link.salesforce_id if new.plan.pair.link else "",
            outlook_id=new.item.id,
            base=Base(
                salesforce=desk.hashed(new.draft.held),
                outlook=desk.hashed(new.item.fields),
            ),
            origin=Origin.OUTLOOK,
            key=desk.key_of(new.item.id),
            claim=",".join(new.claims),
        )
        for new in ready
    ]
    intent = await desk.intend(Op.CREATE_SALESFORCE, actions)
    outcomes = await desk.org.create(
        desk.kind, [NewSalesforce(key=a.key, body=new.draft.payload) for new, a in zip(ready, actions, strict=True)]
    )
    unsure: list[Intended] = []
    made: dict[str, str] = {}
    refused: list[str] = []
    linked = await desk.state.by_salesforce([outcome.id for outcome in outcomes if isinstance(outcome, Done) and outcome.existed])
    for new, action, outcome in zip(ready, actions, outcomes, strict=True):
        if isinstance(outcome, Done) and (old := linked.get(outcome.id)) is not None and old.outlook_id not in ("", new.item.id):
            # made from this item once, and another item's since: there is one record for both, and a person has to say what is to be
            ask_which(desk, note, new.plan.pair, Match(found=Found.TAKEN, ids=(outcome.id,)), linked)
            refused += new.claims
            continue
        if isinstance(outcome, Done):
            made.update(dict.fromkeys(new.claims[:1], outcome.id))
            inserted(desk, note, new.plan.pair, new.item, action, outcome.id)
            desk.notice(note, replace(new.plan.pair, link=note.new_links[-1]), new.draft, Side.SALESFORCE)
            continue
        desk.sort(note, new.plan, outcome, Side.SALESFORCE)
        if isinstance(outcome, Unsure):
            unsure.append(action)
        else:
            refused += new.claims
    if made:
        await desk.claims.name(made)
    if refused:
        await desk.claims.give_back(refused)
    await desk.keep(note, intent, unsure)
    return note.again


def inserted(desk: Desk, note: Note, pair: Pair, item: Item, action: Intended, salesforce_id: str) -> None:
    """Note a new pair whose Salesforce record now exists."""
    link = Link(
        salesforce_id=salesforce_id,
        outlook_id=item.id,
        origin=action.origin,
        home=item.place is Place.INSIDE,
        base=action.base,
        etag=item.version,
        outlook_modified=item.modified,
    )
    note.new_links.append(link)
    if pair.link is not None and pair.link.salesforce_id:
        note.drop_links.append(pair.link)
        note.count -= 1 if pair.link.status is Status.ACTIVE else 0
    note.count += 1
    note.done.append(pair)
    desk.counts["ToSalesforceNew"] += 1
    if item.place is Place.OUTSIDE:
        note.again.append(Pair(outlook=item, link=link))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Write:
    plan: Plan
    draft: Draft
    base: Base


async def write(desk: Desk, plans: Sequence[Plan]) -> tuple[Sequence[Pair], Sequence[Plan]]:
    """Write changed fields. Answers the pairs to look at again, and the plans whose Outlook half may follow (with the new base)."""
    again: list[Pair] = []
    follow: list[Plan] = []
    for at in range(0, len(plans), CHUNK):
        more, on = await _write(desk, plans[at : at + CHUNK])
        again += more
        follow += on
    return again, follow


async def _write(desk: Desk, plans: Sequence[Plan]) -> tuple[Sequence[Pair], Sequence[Plan]]:
    note = Note()
    names = [name for plan in plans if (name := desk.kind.company(plan.merged.to_salesforce))]
    companies = (await desk.org.look_up(desk.kind, [], names)).companies if names else Companies()
    ready: list[_Write] = []
    for plan in plans:
        draft = desk.kind.draft_salesforce(plan.merged.to_salesforce, present(plan.pair.salesforce), desk.schema, companies)
        if not desk.refused(note, plan.pair, draft, Side.SALESFORCE) and plan.pair.link is not None:
            base = written_base(desk, plan.pair.link.base, plan, draft.held, Side.SALESFORCE)
            ready.append(_Write(plan=plan, draft=draft, base=base))
    sent = [one for one in ready if one.draft.payload]
    follow = [_wrote(desk, note, one, effect=False) for one in ready if not one.draft.payload]
    if not sent:
        await desk.keep(note)
        return note.again, follow
    journal = [_before(one) for one in sent]
    actions = [
        Intended(salesforce_id=present(one.plan.pair.salesforce).id, outlook_id=ids_of(one.plan.pair)[1], base=one.base) for one in sent
    ]
    intent = await desk.intend(Op.UPDATE_SALESFORCE, actions, journal)
    changes = [
        SalesforceChange(id=a.salesforce_id, unmodified_since=present(one.plan.pair.salesforce).version, body=one.draft.payload)
        for one, a in zip(sent, actions, strict=True)
    ]
    unsure: list[Intended] = []
    for one, action, outcome in zip(sent, actions, await desk.org.update(desk.kind, changes), strict=True):
        if isinstance(outcome, Done):
            follow.append(_wrote(desk, note, one, effect=True))
        else:
            desk.sort(note, one.plan, outcome, Side.SALESFORCE)
            unsure += [action] if isinstance(outcome, Unsure) else []
    await desk.keep(note, intent, unsure)
    return note.again, follow


def _before(one: _Write) -> Before:
    record = present(one.plan.pair.salesforce)
    fields = {name: record.fields[name] for name in one.draft.held if name in record.fields}
    return Before(side=Side.SALESFORCE, action="overwrite", salesforce_id=record.id, outlook_id=ids_of(one.plan.pair)[1], fields=fields)


def _wrote(desk: Desk, note: Note, one: _Write, *, effect: bool) -> Plan:
    plan, pair = one.plan, one.plan.pair
    if pair.link is None:
        raise AssertionError("only linked pairs are written")
    item = present(pair.outlook)
    rest = bool(plan.merged.to_outlook or plan.mark or plan.move_in)
    link = replace(pair.link, base=one.base, turns=plan.turns or pair.link.turns, outlook_id=item.id)
    if not rest:
        link = replace(link, etag=item.version, outlook_modified=item.modified)
        note.count += 1 if plan.opt_in else 0
    note.links.append(link)
    after = replace(pair, link=link)
    if not desk.notice(note, after, one.draft, Side.SALESFORCE) and not rest:
        note.done.append(after)
    if effect:
        desk.counts["ToSalesforceUpdated"] += 1
    return replace(plan, pair=after)
