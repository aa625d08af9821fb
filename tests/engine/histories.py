"""A seed becomes a history: a tenant, a climate, what people do – before, between and during the rounds – then calm, and a judgement.

    python -m tests.engine.histories --seed N [--shrink] [--journal]    replays one history, and says what was found
    python -m tests.engine.histories --from N --count N                 many, one after the other

Each history is drawn whole from its seed, so that it can be replayed, also with steps left out.
"""

import argparse
import asyncio
import logging
import os
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from local.sandbox.graph.journal import Actor as GraphActor
from local.sandbox.graph.knobs import Knobs
from local.sandbox.salesforce.journal import Actor
from local.sandbox.salesforce.times import from_stamp
from sync.core.policy import Direction, Policy, Winner
from sync.messages import Why
from sync.ports import Merge
from sync.stores.profile import ContactsSearch
from tests.engine.judge import Excuses, Judge, effects
from tests.engine.people import Ledger, People, Step, decide
from tests.engine.plant import Plant, build
from tests.engine.weather import CALM, Climate
from tests.tenant import START, Tenant

NAMES = ("ada", "bob", "cyd")
PERIOD = 300.0
"""Seconds between two rounds."""

STEPS = {
    "create_item": 6, "create_item_elsewhere": 2, "create_item_marked": 2, "create_twin_item": 2, "edit_item": 10, "edit_same": 5,
    "edit_both": 5, "clear_item": 2, "delete_item": 5, "delete_many_items": 0.5, "restore_item": 2, "move_out": 2, "move_in": 2, "mark": 2,
    "unmark": 1, "copy_item": 1.5, "rename_folder": 0.4, "delete_folder": 0.4, "create_record": 6, "create_twin_record": 1.5,
    "edit_record": 10, "clear_record": 2, "delete_record": 4, "undelete_record": 2, "purge_record": 1, "merge_records": 2,
    "give_record": 2, "share_record": 1, "unshare_record": 1, "touch_record": 1, "expire_delta": 1.5,
}  # fmt: skip
"""What people do, by weight."""


TROUBLES = ("died", "frozen", "late", "tables", "session", "part", "slow", "failed", "cut", "refused")
"""Of a climate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Everything that a run of it depends on."""

    seed: int
    people: int = 2
    rounds: int = 5
    steps: tuple[Step, ...] = ()
    policy: Policy = field(default_factory=Policy)
    search: ContactsSearch = ContactsSearch.MINE
    with_package: bool = True
    climate: Climate = CALM
    hostile: bool = False
    page: int = 0
    """Delta page size and rows of a Salesforce page; 0: large."""
    lag: float = 0.0
    duplicates: float = 0.0
    workers: int = 2
    answered: bool = False
    """An administrator answers what waits, once the people have stopped."""
    guard: int = 50


@dataclass(kw_only=True)
class Told:
    """What became of a history."""

    history: History
    findings: list[str]
    excuses: Excuses
    ledger: Ledger
    plant: Plant


def draw(seed: int) -> History:
    """The history of a seed. Some are calm, so that what fails in them fails for a simple reason."""
    rng = random.Random(f"{seed} history")
    rounds = rng.randint(3, 6)
    people = rng.choice([2, 2, 3])
    rough = rng.choice([0.0, 0.5, 1.0, 1.0, 2.0])
    climate = CALM
    if rough:
        climate = Climate(
            latency=rng.choice([0.05, 0.4, 2.0]),
            refused=0.015 * rough,
            failed=0.01 * rough,
            cut=0.015 * rough,
            late=rng.choice([0.0, 0.01]) * rough,
            slow=0.005 * rough,
            frozen=rng.choice([0.0, 0.004]) * rough,
            died=rng.choice([0.0, 0.006]) * rough,
            part=0.04 * rough,
            session=rng.choice([0.0, 0.02]),
            tables=rng.choice([0.0, 0.002]) * rough,
        )
    direction = rng.choices([Direction.BOTH, Direction.TO_OUTLOOK, Direction.TO_SALESFORCE], [8, 1, 1])[0]
    policy = Policy(
        direction=direction,
        winner=rng.choice(list(Winner)),
        remove_in_salesforce=rng.random() < 0.6,
        remove_in_outlook=rng.random() < 0.75,
    )
    return History(
        seed=seed,
        people=people,
        rounds=rounds,
        steps=draw_steps(rng, people, rounds),
        policy=policy,
        search=ContactsSearch.ALL if rng.random() < 0.25 else ContactsSearch.MINE,
        with_package=rng.random() < 0.5,
        climate=climate,
        hostile=rng.random() < 0.5,
        page=rng.choice([0, 0, 3]),
        lag=rng.choice([0.0, 20.0, 300.0]),
        duplicates=rng.choice([0.0, 0.3]) if rough else 0.0,
        answered=rng.random() < 0.5,
        guard=rng.choice([50, 50, 3]),
    )


def draw_steps(rng: random.Random, people: int, rounds: int) -> tuple[Step, ...]:
    """What people do: some of it before the first round, most of it just when a round is under way."""
    steps: list[Step] = []
    kinds, weights = list(STEPS), list(STEPS.values())
    for number in range(1, rng.randint(10, 26)):
        what = rng.choice(["create_item_elsewhere", "create_item_marked", "create_record", "create_record", "create_record"])
        steps.append(_step(rng, 0.0, what, people, number))
    for number in range(100, 100 + rng.randint(10, 60)):
        start = PERIOD * rng.randrange(rounds)
        at = start + (rng.uniform(0, 20) if rng.random() < 0.7 else rng.uniform(0, PERIOD))
        steps.append(_step(rng, at, rng.choices(kinds, weights)[0], people, number))
    return tuple(sorted(steps, key=lambda step: step.at))


def _step(rng: random.Random, at: float, what: str, people: int, number: int) -> Step:
    return Step(at=at, what=what, who=rng.randrange(people), picks=(rng.random(), rng.random(), rng.random()), number=number)


# --------------------------------------------------------------------------- running


def live(history: History, tenant: Tenant | None = None) -> Told:
    """Run a history to its end, and judge it."""
    logging.getLogger().setLevel(logging.CRITICAL)
    tenant = tenant or Tenant(seed=history.seed, with_package=history.with_package)
    plant = build(history.seed, tenant, duplicates=history.duplicates)
    for name in NAMES[: history.people]:
        tenant.person(name)
    people = People(tenant=tenant, now=plant.loop.time, lag=history.lag)
    everybody = history.search is ContactsSearch.ALL
    judge = Judge(tenant=tenant, ledger=people.ledger, policy=history.policy, everybody=everybody)
    findings = plant.loop.run(_live(history, plant, people, judge))
    return Told(history=history, findings=findings, excuses=judge.excuses, ledger=people.ledger, plant=plant)


async def _live(history: History, plant: Plant, people: People, judge: Judge) -> list[str]:
    await _settle_in(history, plant)
    plant.weather.climate = history.climate
    hands = asyncio.ensure_future(_act(history, people))
    workers = [asyncio.ensure_future(plant.work()) for _ in range(history.workers)]
    for number in range(history.rounds):
        why = Why.COMPARE if number and plant.rng.random() < 0.15 else Why.TIMER
        rounds = asyncio.ensure_future(plant.plan(plant.start(), why))
        await asyncio.sleep(PERIOD)
        await rounds
    await hands
    plant.weather.climate = CALM
    while plant.busy or plant.weather.under_way:  # noqa: ASYNC110 - time is virtual here, and polling it costs nothing
        await asyncio.sleep(5.0)
    plant.stopping = True
    await asyncio.gather(*workers)
    return [*plant.crashes, *await _calm_down(history, plant, people, judge), *plant.crashes]


async def _settle_in(history: History, plant: Plant) -> None:
    """What an administrator chose, and how the vendors are."""
    tenant, policy = plant.tenant, history.policy
    columns = {
        "ContactsDirection": policy.direction.value,
        "ContactsSearch": history.search.value,
        "ContactsConflictRule": policy.winner.value,
        "ContactsDeleteInSalesforce": policy.remove_in_salesforce,
        "ContactsDeleteInOutlook": policy.remove_in_outlook,
        "GuardCount": history.guard,
    }
    await tenant.tables.transact("SyncProfiles", "profile", [Merge(key="default", values=columns)])
    tenant.graph.knobs = Knobs.hostile() if history.hostile else Knobs()
    if history.page:
        tenant.graph.set_knobs(delta_page_size=history.page, delta_default_page_size=history.page)
        tenant.salesforce.set_knobs(page_rows=history.page)


async def _act(history: History, people: People) -> None:
    for step in history.steps:
        await asyncio.sleep(max(0.0, step.at - people.now()))
        people.do(step)


async def _calm_down(history: History, plant: Plant, people: People, judge: Judge) -> list[str]:
    """Rounds with time passing until nothing is due; then one more, which has nothing to do."""
    plant.tenant.graph.knobs = Knobs()
    await plant.later(minutes=11)
    await plant.later(minutes=11)
    if history.answered:
        await decide(plant.tenant, random.Random(f"{history.seed} decisions"), people.ledger)
        await plant.later(minutes=11)
    await plant.later(minutes=70)
    await plant.later(minutes=11)
    await asyncio.sleep(660)
    await plant.round(Why.COMPARE)
    for _ in range(8):
        before = effects(plant.tenant)
        await plant.later(minutes=70)
        if effects(plant.tenant) == before:
            break
    else:
        return ["it does not come to rest"]
    before = effects(plant.tenant)
    await asyncio.sleep(660)
    await plant.round(Why.COMPARE)
    more = [] if effects(plant.tenant) == before else [f"a further round wrote: {before} → {effects(plant.tenant)}"]
    return [*more, *await judge.findings()]


# --------------------------------------------------------------------------- shrinking


def shrink(history: History, like: str, *, tries: int = 300) -> History:
    """A smaller history that still fails in the same way (the finding's first words without names and numbers)."""

    def fails(smaller: History) -> bool:
        nonlocal tries
        tries -= 1
        try:
            return any(_kind(text) == _kind(like) for text in live(smaller).findings)
        except Exception:
            return False

    simpler: list[dict[str, Any]] = [
        {"climate": CALM, "duplicates": 0.0},
        {"hostile": False},
        {"page": 0},
        {"lag": 0.0},
        {"duplicates": 0.0},
        {"workers": 1},
        {"answered": False},
        {"search": ContactsSearch.MINE},
    ]
    for change in simpler:
        if fails(smaller := replace(history, **change)):
            history = smaller
    for trouble in TROUBLES:
        if fails(smaller := replace(history, climate=replace(history.climate, **{trouble: 0.0}))):
            history = smaller
    size = max(1, len(history.steps) // 2)
    while tries > 0:
        at = 0
        while at < len(history.steps) and tries > 0:
            smaller = replace(history, steps=history.steps[:at] + history.steps[at + size :])
            if fails(smaller):
                history = smaller
            else:
                at += size
        if size == 1:
            break
        size = max(1, size // 2)
    return history


def _kind(text: str) -> str:
    return " ".join(word for word in text.split() if word.isalpha() and word.islower() and word not in NAMES)[:60]


# --------------------------------------------------------------------------- told


def describe(told: Told) -> str:
    """The history as a person can read it: what people did, and what the product wrote, in the order of time."""
    history, tenant = told.history, told.plant.tenant
    lines = [
        f"seed {history.seed}: {history.people} people, {history.policy}",
        f"  {history.search.value}, package {history.with_package}, hostile {history.hostile}, page {history.page}, lag {history.lag}",
        f"  guard {history.guard}, answered {history.answered}, workers {history.workers}, duplicates {history.duplicates}",
        "  calm" if history.climate is CALM else f"  {history.climate}",
    ]
    acts = [(act.at, f"  {act} {act.id[-6:]}") for act in told.ledger.acts]
    for one in tenant.graph.writes:
        if one.actor is GraphActor.APP and one.kind == "contact":
            text = f"  {one.user.partition('@')[0]:4} ==> outlook    {one.operation:10} {one.item_id[-6:]} {_short(one.changed)}"
            acts.append(((one.at - START).total_seconds(), text))
    for write in tenant.salesforce.writes:
        if write.actor is Actor.API:
            text = f"  {write.user.partition('@')[0]:4} ==> salesforce {write.op:10} {write.id[-6:]} {_short(write.fields)}"
            acts.append(((from_stamp(write.time) - START).total_seconds(), text))
    lines += [f"{at:9.2f}{text}" for at, text in sorted(acts, key=lambda entry: entry[0])]
    return "\n".join([*lines, *(f"  !! {finding}" for finding in told.findings)])


def _short(values: Mapping[str, Any]) -> str:
    shown = {name: value for name, value in values.items() if name not in HIDDEN and not name.startswith("String")}
    return " ".join(f"{name}={value}" for name, value in shown.items())[:150]


HIDDEN = {
    *("CreatedById", "CreatedDate", "LastModifiedById", "LastModifiedDate", "SystemModstamp", "Id", "IsEmailBounced", "Name", "fileAs"),
    *("displayName", "FirstName", "givenName", "IsDeleted", "OwnerId", "Tandem_Key__c"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.engine.histories")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--from", dest="first", type=int, default=1)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--shrink", action="store_true")
    parser.add_argument("--journal", action="store_true")
    given = parser.parse_args(arguments)
    if os.environ.get("PYTHONHASHSEED") != "0":  # the order of sets is part of a history
        os.execve(sys.executable, [sys.executable, "-m", "tests.engine.histories", *sys.argv[1:]], {**os.environ, "PYTHONHASHSEED": "0"})
    seeds = [given.seed] if given.seed is not None else range(given.first, given.first + given.count)
    failed = 0
    for seed in seeds:
        told = live(draw(seed))
        if told.findings and given.shrink:
            told = live(shrink(told.history, told.findings[0]))
        if told.findings or given.seed is not None:
            print(describe(told))
        if told.findings:
            failed += 1
            print(f"replay: python -m tests.engine.histories --seed {seed} --shrink")
        if given.journal:
            print("\n".join(told.plant.weather.journal))
    print(f"{len(seeds)} histories, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
