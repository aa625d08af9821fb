"""Decisions of people: read from the questions that wait, and applied if they are about exactly what was shown."""

from collections.abc import Mapping

from shared.errors import Code
from shared.records import Side
from sync.apply import deletions
from sync.apply.desk import Desk, Note, names_of
from sync.apply.look import complete_pairs, dispatch, look, pair_named, question_of
from sync.core.plan import DELETIONS, Act, Pair, Plan, plan
from sync.core.policy import Winner
from sync.keeping import Pending
from sync.ports import Answer, Trouble

SIDES = {"salesforce": Winner.SALESFORCE, "outlook": Winner.OUTLOOK}
CREATE = "create"
MATCHES = (Code.SEVERAL_CANDIDATES, Code.POSSIBLE_COPY)


async def answer(desk: Desk) -> None:
    given = {one.name: one for one in await desk.ledger.answers()}
    asked = {name: pending for name, pending in desk.state.pendings.items() if pending.asked and name in given}
    if not asked:
        return
    matches = {name: pending for name, pending in asked.items() if pending.code in MATCHES}
    conflicts = {name: pending for name, pending in asked.items() if name not in matches}
    await _choose(desk, matches, given)
    await _settle(desk, conflicts, given)


async def _choose(desk: Desk, asked: Mapping[str, Pending], given: Mapping[str, Answer]) -> None:
    """Which record an item is, or that it is a new one."""
    note = Note()
    choices: dict[str, str] = {}
    pairs: list[Pair] = []
    for name, pending in asked.items():
        choice = given[name].decision.strip()
        choice = CREATE if choice.lower() == CREATE else choice
        if choice != CREATE and choice not in pending.candidates and not _looks_like_id(choice):
            text = f"Decision '{choice[:40]}' is not allowed; allowed are: {', '.join([CREATE, *pending.candidates])}"
            note.troubles.append(_not_allowed(pending, text))
            continue
        choices[pending.outlook_id] = choice
        pairs.append(pair_named(pending))
    if note.troubles:
        await desk.keep(note)
    await look(desk, pairs, fresh=True, choices=choices)


def _not_allowed(pending: Pending, text: str) -> Trouble:
    return Trouble(
        code=Code(pending.code),
        side=Side.OUTLOOK,
        salesforce_id=pending.salesforce_id,
        outlook_id=pending.outlook_id,
        field="Decision",
        text=text,
    )


def _looks_like_id(choice: str) -> bool:
    return len(choice) in (15, 18) and choice.isalnum()


async def _settle(desk: Desk, asked: Mapping[str, Pending], given: Mapping[str, Answer]) -> None:
    """Who wins a conflict. If either side changed since it was shown, the question is asked again with the new values."""
    sides = {name: SIDES.get(given[name].decision.strip().lower()) for name in asked}
    wrong = [pending for name, pending in asked.items() if sides[name] is None]
    if wrong:
        text = f"this Decision is not allowed; allowed are: {', '.join(SIDES)}"
        await desk.keep(Note(troubles=[_not_allowed(pending, text) for pending in wrong]))
    complete = await complete_pairs(desk, [pair_named(asked[name]) for name, side in sides.items() if side is not None], fresh=True)
    plans: list[Plan] = []
    decided: list[Plan] = []
    for pair in complete:
        planned = plan(pair, desk.rules)
        name = next((name for name in names_of(pair) if name in given), "")
        if planned.act is Act.WAIT and name and question_of(desk, planned, name).version == given[name].version:
            planned = plan(pair, desk.rules, answer=sides.get(name))
            decided += [planned] if planned.act in DELETIONS else []
        plans.append(planned)
    await deletions.delete(desk, decided)
    others = [one for one in plans if one not in decided]
    await look(desk, await dispatch(desk, others, {}), fresh=True)
