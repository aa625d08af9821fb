"""Claims: the same assertions on memory and on Azurite; races and lost answers on memory."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.errors import Code, Temporary, Unknown
from sync.ports import Claim
from sync.stores.claims import LIFETIME, TABLE, TURNS, OrgClaims
from sync.stores.memory import Call, MemoryTables
from sync.stores.tables import AzureTables

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GRANTED, HELD, EXPIRED = Claim(granted=True), Claim(), Claim(expired=True)


class SetClock:
    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time


class Office:
    """An org with several users who may want the same record."""

    def __init__(self, tables: Any) -> None:
        self.tables, self.clock = tables, SetClock()

    def of(self, user: str, run: str = "run", *, org: str = "00D1", kind: str = "contact") -> OrgClaims:
        return OrgClaims(self.tables, self.clock, org, kind, user, run)

    async def rows(self, org: str = "00D1") -> dict[str, dict[str, Any]]:
        return {row.key: dict(row.values) async for row in self.tables.scan(TABLE, org)}


@pytest.fixture(params=["memory", "azurite"])
async def office(request: pytest.FixtureRequest) -> AsyncIterator[Office]:
    made: Any = MemoryTables() if request.param == "memory" else AzureTables(connection=request.getfixturevalue("storage"))
    await made.create([TABLE])
    yield Office(made)
    await made.close()


@pytest.fixture
def memory(tables: MemoryTables) -> Office:
    return Office(tables)


async def test_what_nobody_wants_is_granted(office: Office) -> None:
    assert await office.of("ann").take(["k1", "k2", "k1"]) == {"k1": GRANTED, "k2": GRANTED}
    row = (await office.rows())["contact|k1"]
    assert row == {"Holder": "ann", "Until": NOW + LIFETIME, "SalesforceId": "", "Run": "run"}


async def test_a_colleague_is_turned_away_for_what_is_held_and_gets_the_rest(office: Office) -> None:
    await office.of("ann").take(["k1"])
    assert await office.of("bob").take(["k0", "k1", "k2"]) == {"k0": GRANTED, "k1": HELD, "k2": GRANTED}
    assert (await office.rows())["contact|k1"]["Holder"] == "ann"


async def test_a_colleague_learns_which_record_was_made(office: Office) -> None:
    await office.of("ann").take(["k1"])
    await office.of("ann").name({"k1": "003A"})
    assert await office.of("bob").take(["k1"]) == {"k1": Claim(salesforce_id="003A")}
    assert await office.of("ann").take(["k1"]) == {"k1": Claim(salesforce_id="003A")}


async def test_an_own_claim_of_an_earlier_run_is_searched_for_first(office: Office) -> None:
    """The earlier run may have died after it created the record."""
    await office.of("ann", "run-1").take(["k1"])
    later = office.of("ann", "run-2")
    assert await later.take(["k1"]) == {"k1": EXPIRED}
    assert await later.take_over(["k1"]) == ["k1"]
    assert (await office.rows())["contact|k1"]["Run"] == "run-2"


async def test_a_claim_expires_after_its_lifetime_and_not_before(office: Office) -> None:
    await office.of("ann").take(["k1"])
    office.clock.time += LIFETIME - timedelta(seconds=1)
    assert await office.of("bob").take(["k1"]) == {"k1": HELD}
    office.clock.time += timedelta(seconds=1)
    assert await office.of("bob").take(["k1"]) == {"k1": EXPIRED}


async def test_a_claim_that_names_a_record_does_not_expire_into_a_second_record(office: Office) -> None:
    await office.of("ann").take(["k1"])
    await office.of("ann").name({"k1": "003A"})
    office.clock.time += timedelta(days=1)
    assert await office.of("bob").take(["k1"]) == {"k1": Claim(salesforce_id="003A")}


async def test_only_one_of_two_takes_over(office: Office) -> None:
    await office.of("ann").take(["k1", "k2"])
    office.clock.time += LIFETIME
    bob, cem = office.of("bob"), office.of("cem")
    assert await bob.take(["k1"]) == await cem.take(["k1"]) == {"k1": EXPIRED}
    assert await bob.take_over(["k1"]) == ["k1"]
    assert await cem.take_over(["k1"]) == []
    assert (await office.rows())["contact|k1"]["Holder"] == "bob"


async def test_what_its_holder_named_meanwhile_is_not_taken_over(office: Office) -> None:
    """The old run was slow, not dead."""
    await office.of("ann").take(["k1"])
    office.clock.time += LIFETIME
    bob = office.of("bob")
    await bob.take(["k1"])
    await office.of("ann").name({"k1": "003A"})
    assert await bob.take_over(["k1"]) == []
    assert await bob.take(["k1"]) == {"k1": Claim(salesforce_id="003A")}


async def test_what_was_given_back_meanwhile_is_not_taken_over_but_granted(office: Office) -> None:
    ann, bob = office.of("ann"), office.of("bob")
    await ann.take(["k1"])
    office.clock.time += LIFETIME
    await bob.take(["k1"])
    await ann.give_back(["k1"])
    assert await bob.take_over(["k1"]) == []
    assert await bob.take(["k1"]) == {"k1": GRANTED}


async def test_own_unnamed_claims_are_given_back_and_no_others(office: Office) -> None:
    ann = office.of("ann")
    await ann.take(["k1", "k2"])
    await ann.name({"k2": "003A"})
    await office.of("bob").take(["k3"])
    await ann.give_back(["k1", "k2", "k3", "never"])
    assert set(await office.rows()) == {"contact|k2", "contact|k3"}
    assert await office.of("bob").take(["k1"]) == {"k1": GRANTED}


async def test_a_name_is_kept_also_for_what_was_never_claimed(office: Office) -> None:
    await office.of("ann").name({"k1": "003A", "k2": "003B"})
    assert await office.of("bob").take(["k1", "k2"]) == {"k1": Claim(salesforce_id="003A"), "k2": Claim(salesforce_id="003B")}


async def test_orgs_and_kinds_do_not_see_each_other(office: Office) -> None:
    await office.of("ann").take(["k1"])
    assert await office.of("bob", org="00D2").take(["k1"]) == {"k1": GRANTED}
    assert await office.of("bob", kind="task").take(["k1"]) == {"k1": GRANTED}


async def test_two_hundred_claims_are_taken_in_two_calls(memory: Office, requests: list[tuple[str, str]]) -> None:
    taken = await memory.of("ann").take([f"k{n}" for n in range(200)])
    assert set(taken.values()) == {GRANTED}
    assert requests == [("transact", TABLE)] * 2


async def test_many_claims_of_which_some_are_held_are_sorted_out(office: Office) -> None:
    await office.of("ann").take([f"k{n}" for n in range(0, 120, 10)])
    taken = await office.of("bob").take([f"k{n}" for n in range(120)])
    assert {key: claim for key, claim in taken.items() if not claim.granted} == {f"k{n}": HELD for n in range(0, 120, 10)}
    assert len(taken) == 120


@pytest.mark.parametrize("applied", [True, False], ids=["it took effect", "it did not"])
async def test_a_claim_whose_answer_was_lost_is_granted_or_searched_for(memory: Office, applied: bool) -> None:
    async def cut(call: Call) -> None:
        if call.name == "transact":
            memory.tables.before = memory.tables.after = None
            raise Unknown(Code.NETWORK)

    if applied:
        memory.tables.after = cut
    else:
        memory.tables.before = cut
    ann = memory.of("ann")
    taken = await ann.take(["k1", "k2"])
    assert set(taken.values()) == {EXPIRED if applied else GRANTED}
    assert await ann.take_over([key for key, claim in taken.items() if claim.expired]) == (["k1", "k2"] if applied else [])
    assert await memory.of("bob").take(["k1", "k2"]) == {"k1": HELD, "k2": HELD}


@pytest.mark.parametrize("effect", [True, False], ids=["it takes effect", "it does not"])
async def test_storage_whose_answers_are_lost_again_and_again_ends_the_run(memory: Office, effect: bool) -> None:
    calls = 0

    async def cut(call: Call) -> None:
        nonlocal calls
        if call.name == "transact":
            calls += 1
            raise Unknown(Code.NETWORK)

    if effect:
        memory.tables.after = cut
        assert await memory.of("ann").take([f"k{n}" for n in range(100)]) == {f"k{n}": EXPIRED for n in range(100)}
        return
    memory.tables.before = cut
    with pytest.raises(Temporary) as caught:
        await memory.of("ann").take(["k1", "k2"])
    assert not isinstance(caught.value, Unknown)
    assert (caught.value.code, calls) == (Code.UNAVAILABLE, TURNS)


async def test_claims_that_colleagues_take_and_give_back_in_turns_are_not_asked_for_without_end(memory: Office) -> None:
    bob, calls = memory.of("bob"), 0

    async def before(call: Call) -> None:
        nonlocal calls
        if call.name == "transact":
            calls += 1
            memory.tables.before = None
            await bob.take(["k1"])
            memory.tables.before = before
        if call.name == "get":
            memory.tables.before = None
            await bob.give_back(["k1"])
            memory.tables.before = before

    memory.tables.before = before
    with pytest.raises(Temporary):
        await memory.of("ann").take(["k1"])
    assert calls == TURNS


async def test_a_takeover_whose_answer_was_lost_is_not_taken_for_won(memory: Office) -> None:
    await memory.of("ann").take(["k1"])
    memory.clock.time += LIFETIME
    bob = memory.of("bob")
    await bob.take(["k1"])

    async def cut(call: Call) -> None:
        if call.name == "transact":
            memory.tables.after = None
            raise Unknown(Code.NETWORK)

    memory.tables.after = cut
    assert await bob.take_over(["k1"]) == []
    assert await bob.take(["k1"]) == {"k1": EXPIRED}  # his own, searched for first
    assert await bob.take_over(["k1"]) == ["k1"]


async def test_a_claim_that_is_taken_over_while_it_is_given_back_stays(memory: Office) -> None:
    """Between the look and the removal a colleague took the expired claim over: it is hers now."""
    ann, bob = memory.of("ann"), memory.of("bob")
    await ann.take(["k1"])
    memory.clock.time += LIFETIME
    await bob.take(["k1"])

    async def bob_first(call: Call) -> None:
        if call.name == "transact":
            memory.tables.before = None
            assert await bob.take_over(["k1"]) == ["k1"]

    memory.tables.before = bob_first
    await ann.give_back(["k1"])
    assert (await memory.rows())["contact|k1"]["Holder"] == "bob"
