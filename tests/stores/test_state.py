"""A user's state: the same assertions on memory and on Azurite; what needs a lost answer, on memory."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import fields as fields_of
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from shared.errors import Code, LeaseLost, Temporary, Unknown
from shared.records import LONG_AGO, Origin, Side
from sync.core.fingerprint import Base
from sync.core.link import Link, Status, Turns
from sync.keeping import Changes, Intended, Intent, Op, Pending, Why
from sync.stores import TABLES
from sync.stores.memory import Call, MemoryTables
from sync.stores.packing import pack_base, unpack_base
from sync.stores.state import LEASE, ROWS, SCAN_PAYS, TABLE, KindState, UserState
from sync.stores.tables import AzureTables
from sync.translate.contact import FIELDS

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
LEASE_TIME = timedelta(minutes=5)
MARK = "mark-one"


class SetClock:
    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time

    def go(self, **by: float) -> None:
        self.time += timedelta(**by)


class House:
    """One user's partition, and the runs that want it."""

    def __init__(self, tables: Any, clock: SetClock) -> None:
        self.tables, self.clock, self.user = tables, clock, f"user-{uuid4()}"

    async def try_open(self, run: str = "run-1", *, mark: str = MARK, asked: datetime | None = None) -> UserState | None:
        return await UserState.open(
            self.tables, self.clock, user=self.user, name="Ann", run=run, mark=mark, lease_time=LEASE_TIME, asked=asked
        )

    async def open(self, run: str = "run-1", *, mark: str = MARK) -> UserState:
        state = await self.try_open(run, mark=mark)
        assert state is not None
        return state

    async def contacts(self, run: str = "run-1", *, mark: str = MARK) -> KindState:
        return (await self.open(run, mark=mark)).kind("contact")

    async def reopened(self, *, mark: str = MARK) -> KindState:
        """The state as a later run finds it."""
        self.clock.go(hours=1)
        return await self.contacts(f"run-{uuid4()}", mark=mark)

    async def rows(self) -> Mapping[str, Mapping[str, Any]]:
        return {row.key: row.values async for row in self.tables.scan(TABLE, self.user)}

    async def lease(self) -> Mapping[str, Any]:
        return (await self.rows())[LEASE]


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(params=["memory", "azurite"])
async def house(request: pytest.FixtureRequest, clock: SetClock) -> AsyncIterator[House]:
    made: Any = MemoryTables() if request.param == "memory" else AzureTables(connection=request.getfixturevalue("storage"))
    await made.create([TABLE])
    yield House(made, clock)
    await made.close()


@pytest.fixture
def memory(tables: MemoryTables, clock: SetClock) -> House:
    """A house in which calls can be counted and cut."""
    return House(tables, clock)


def link(number: int, **changes: Any) -> Link:
    base = Base(salesforce={"phone": "abc"}, outlook={"phone": "def"})
    made = Link(salesforce_id=f"003{number:015}", outlook_id=f"AAk/{number}=", origin=Origin.SALESFORCE, base=base, etag=f"e{number}")
    return replace(made, **changes)


def pending(number: int, **changes: Any) -> Pending:
    return replace(Pending(salesforce_id=f"003{number:015}", why=Why.LOOK, due=NOW, since=NOW), **changes)


def intent(key: str = "run-1-0001", actions: int = 1) -> Intent:
    return Intent(key=key, op=Op.CREATE_OUTLOOK, sent=NOW, actions=tuple(Intended(salesforce_id=f"003{n}") for n in range(actions)))


# --------------------------------------------------------------------------- the lease


async def test_a_first_run_takes_the_lease_and_writes_its_name(house: House) -> None:
    state = await house.open("run-1")
    assert not state.again
    lease = await house.lease()
    assert (lease["Holder"], lease["User"], lease["Until"], lease["Again"]) == ("run-1", "Ann", NOW + LEASE_TIME, False)


async def test_a_second_wake_up_is_sent_away_and_remembered(house: House) -> None:
    state = await house.open("run-1")
    assert await house.try_open("run-2") is None
    assert (await house.lease())["Holder"] == "run-1"
    await state.close(served=NOW, cursors={})
    assert state.again
    assert (await house.lease())["Again"] is False  # told to the runner, who queues it again


async def test_a_wake_up_is_also_seen_by_an_ordinary_commit(house: House) -> None:
    state = await house.open("run-1")
    assert await house.try_open("run-2") is None
    await state.kind("contact").commit(Changes(new_links=[link(1)], count=1))
    assert state.again
    assert (await house.lease())["Again"] is True  # it survives the commit, should this run die
    assert link(1).salesforce_id in await (await house.reopened()).by_salesforce([link(1).salesforce_id])


async def test_without_a_wake_up_nobody_is_queued_again(house: House) -> None:
    state = await house.open("run-1")
    await state.close(served=NOW, cursors={})
    assert not state.again


async def test_a_lease_given_back_is_taken_at_once(house: House) -> None:
    await (await house.open("run-1")).close(served=None, cursors={})
    assert (await house.lease())["Holder"] == ""
    assert await house.try_open("run-2") is not None


async def test_an_expired_lease_is_taken_over_and_the_old_run_can_not_commit(house: House, clock: SetClock) -> None:
    old = await house.open("run-1")
    clock.go(minutes=4, seconds=59)
    assert await house.try_open("run-2") is None
    clock.go(seconds=1)
    new = await house.open("run-2")
    with pytest.raises(LeaseLost):
        await old.kind("contact").commit(Changes(new_links=[link(1)], count=1))
    with pytest.raises(LeaseLost):
        await old.hold(1000)
    with pytest.raises(LeaseLost):
        await old.close(served=NOW, cursors={"contact": {"outlook": {"at": 1}}})
    await new.kind("contact").commit(Changes(new_links=[link(2)], count=1))
    assert [one.salesforce_id async for one in new.kind("contact").between("", "~")] == [link(2).salesforce_id]
    assert new.kind("contact").links == 1


async def test_an_expired_lease_that_nobody_took_goes_on(house: House, clock: SetClock) -> None:
    state = await house.open("run-1")
    clock.go(hours=2)
    await state.kind("contact").commit(Changes(new_links=[link(1)], count=1))
    assert (await house.lease())["Until"] == clock.now() + LEASE_TIME


async def test_the_lease_is_renewed_only_when_it_would_not_last(memory: House, clock: SetClock, requests: list[tuple[str, str]]) -> None:
    state = await memory.open()
    requests.clear()
    await state.hold(300)
    assert requests == []
    clock.go(seconds=1)
    await state.hold(300)
    assert requests == [("transact", TABLE)]
    assert (await memory.lease())["Until"] == clock.now() + LEASE_TIME


async def test_a_wake_up_that_a_later_run_has_served_is_dropped(house: House, clock: SetClock) -> None:
    asked = clock.now()
    clock.go(seconds=10)
    begun = clock.now()
    await (await house.open("run-1")).close(served=begun, cursors={})
    assert await house.try_open("run-2", asked=asked) is None
    assert (await house.lease())["Again"] is False
    assert await house.try_open("run-3", asked=begun + timedelta(seconds=1)) is not None


async def test_a_run_that_ended_early_has_served_nothing(house: House, clock: SetClock) -> None:
    asked = clock.now()
    clock.go(seconds=10)
    await (await house.open("run-1")).close(served=None, cursors={})
    assert await house.try_open("run-2", asked=asked) is not None


async def test_two_runs_at_the_same_moment_are_not_both_let_in(memory: House) -> None:
    """Both see no lease; one of them is first."""
    opened: list[UserState | None] = []

    async def other_first(call: Call) -> None:
        if call.name == "transact":
            memory.tables.before = None
            opened.append(await memory.try_open("run-2"))

    memory.tables.before = other_first
    opened.append(await memory.try_open("run-1"))
    assert [state is not None for state in opened] == [True, False]
    assert (await memory.lease())["Holder"] == "run-2"


async def test_two_runs_after_an_expired_lease_are_not_both_let_in(memory: House, clock: SetClock) -> None:
    await memory.open("run-0")
    clock.go(hours=1)
    await test_two_runs_at_the_same_moment_are_not_both_let_in(memory)


# --------------------------------------------------------------------------- lost answers


def cut_once(tables: MemoryTables, *, applied: bool, number: int = 1) -> None:
    """The answer of the n-th transaction from now on is lost; it took effect, or did not."""
    left = [number]

    async def cut(call: Call) -> None:
        if call.name == "transact":
            left[0] -= 1
            if left[0] == 0:
                raise Unknown(Code.NETWORK)

    if applied:
        tables.after = cut
    else:
        tables.before = cut


ANSWERS = pytest.mark.parametrize("applied", [True, False], ids=["it took effect", "it did not"])


@ANSWERS
async def test_a_first_lease_whose_answer_was_lost_is_taken_once(memory: House, applied: bool) -> None:
    cut_once(memory.tables, applied=applied)
    state = await memory.open("run-1")
    await state.kind("contact").commit(Changes(new_links=[link(1)], count=1))
    assert (await memory.lease())["Holder"] == "run-1"


@ANSWERS
async def test_a_later_lease_whose_answer_was_lost_is_taken_once(memory: House, applied: bool) -> None:
    await (await memory.open("run-0")).close(served=None, cursors={})
    cut_once(memory.tables, applied=applied)
    state = await memory.open("run-1")
    await state.close(served=NOW, cursors={})
    assert not state.again


@ANSWERS
@pytest.mark.parametrize("number", [1, 2, 3])
async def test_a_commit_whose_answer_was_lost_has_one_effect(memory: House, applied: bool, number: int) -> None:
    state = await memory.contacts()
    await state.commit(Changes(new_links=[link(0)], pendings=[pending(0)], count=1))
    many = [link(n) for n in range(1, 120)]  # 240 rows: three transactions
    cut_once(memory.tables, applied=applied, number=number)
    await state.commit(Changes(new_links=many, drop_links=[link(0)], drop_pendings=[pending(0)], count=118, cursors={"outlook": {"at": 1}}))
    memory.tables.before = memory.tables.after = None
    assert state.links == 119
    later = await memory.reopened()
    assert (later.links, later.pendings, later.cursors) == (119, {}, {"outlook": {"at": 1}})
    assert [one async for one in later.between("", "~")] == many
    assert await later.by_outlook([one.outlook_id for one in many]) == {one.outlook_id: one for one in many}


async def test_a_commit_that_took_effect_is_not_made_again(memory: House, requests: list[tuple[str, str]]) -> None:
    state = await memory.contacts()
    requests.clear()
    cut_once(memory.tables, applied=True)
    await state.commit(Changes(new_links=[link(1)], count=1))
    assert requests == [("transact", TABLE), ("get", TABLE)]


@ANSWERS
async def test_a_close_whose_answer_was_lost_has_one_effect(memory: House, applied: bool) -> None:
    state = await memory.open()
    cut_once(memory.tables, applied=applied)
    await state.close(served=NOW, cursors={"contact": {"outlook": {"at": 1}}})
    memory.tables.before = memory.tables.after = None
    lease = await memory.lease()
    assert (lease["Holder"], lease["Served"]) == ("", NOW)
    assert (await memory.reopened()).cursors == {"outlook": {"at": 1}}


@ANSWERS
async def test_a_wake_up_between_a_lost_answer_and_the_look_is_remembered(memory: House, applied: bool) -> None:
    state = await memory.open("run-1")

    async def cut_and_wake(call: Call) -> None:
        if call.name == "transact":
            memory.tables.before = memory.tables.after = None
            assert await memory.try_open("run-2") is None
            raise Unknown(Code.NETWORK)

    if applied:
        memory.tables.after = cut_and_wake
    else:
        memory.tables.before = cut_and_wake
    await state.kind("contact").commit(Changes(new_links=[link(1)], count=1))
    assert state.again
    later = await memory.reopened()
    assert later.links == 1
    assert await later.by_salesforce([link(1).salesforce_id]) == {link(1).salesforce_id: link(1)}


async def test_a_run_whose_answer_was_lost_and_whose_lease_was_taken_stops(memory: House, clock: SetClock) -> None:
    state = await memory.open("run-1")

    async def cut_and_take(call: Call) -> None:
        if call.name == "transact":
            memory.tables.before = None
            clock.go(hours=1)
            assert await memory.try_open("run-2") is not None
            raise Unknown(Code.NETWORK)

    memory.tables.before = cut_and_take
    with pytest.raises(LeaseLost):
        await state.kind("contact").commit(Changes(new_links=[link(1)], count=1))
    assert [key for key in await memory.rows() if key != LEASE] == []


async def test_an_error_that_is_for_sure_without_effect_is_passed_on_and_can_be_repeated(memory: House) -> None:
    state = await memory.contacts()

    async def refuse(call: Call) -> None:
        if call.name == "transact":
            memory.tables.before = None
            raise Temporary(Code.THROTTLED)

    memory.tables.before = refuse
    with pytest.raises(Temporary):
        await state.commit(Changes(pendings=[pending(1)]))
    await state.commit(Changes(pendings=[pending(1)]))
    assert (await memory.reopened()).pendings == {pending(1).name: pending(1)}


# --------------------------------------------------------------------------- what is kept comes back


TURNS = Turns(count=3, since=NOW, wrote_salesforce=frozenset({"phone", "notes"}), wrote_outlook=frozenset({"email"}))
FULL_LINK = Link(
    salesforce_id="003000000000001AAA",
    outlook_id="AAk/+==",
    status=Status.OPTED_OUT,
    origin=Origin.MATCH,
    home=False,
    base=Base(salesforce={"phone": "abc-_", "notes": "-", "email": "x"}, outlook={"phone": "def", "company": "y"}),
    etag='W/"1"',
    outlook_modified=NOW,
    stamp="2026-03-01T12:00:00.000+0000",
    turns=TURNS,
)
FULL_PENDING = Pending(
    salesforce_id="003000000000001AAA",
    outlook_id="AAk/+==",
    why=Why.HELD,
    due=NOW + timedelta(days=1),
    attempts=7,
    code="Conflict",
    since=NOW,
    asked=True,
    side=Side.OUTLOOK,
    approval="set",
    candidates=("003B", "003A"),
    inside=True,
)
FULL_INTENDED = Intended(
    salesforce_id="003000000000001AAA",
    outlook_id="AAk/+==",
    base=Base(salesforce={"phone": "abc"}, outlook={"notes": "-"}),
    origin=Origin.OUTLOOK,
    key="k",
    claim="c",
    inside=False,
)


def test_the_full_examples_set_every_field_to_something_else_than_its_default() -> None:
    plain = Link(salesforce_id="", origin=Origin.SALESFORCE)
    assert [f.name for f in fields_of(Link) if getattr(FULL_LINK, f.name) == getattr(plain, f.name)] == []
    bare = Pending(why=Why.LOOK, due=LONG_AGO, since=LONG_AGO)
    assert [f.name for f in fields_of(Pending) if getattr(FULL_PENDING, f.name) == getattr(bare, f.name)] == []
    assert [f.name for f in fields_of(Intended) if getattr(FULL_INTENDED, f.name) == getattr(Intended(), f.name)] == []
    assert [f.name for f in fields_of(Turns) if getattr(TURNS, f.name) == getattr(Turns(), f.name)] == []


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("origin", Origin)
async def test_every_column_of_a_link_comes_back(memory: House, status: Status, origin: Origin) -> None:
    await check_link(memory, replace(FULL_LINK, status=status, origin=origin))


async def check_link(house: House, kept: Link) -> None:
    await (await house.contacts()).commit(Changes(new_links=[kept], count=1))
    later = await house.reopened()
    assert await later.by_salesforce([kept.salesforce_id]) == {kept.salesforce_id: kept}
    assert await later.by_outlook([kept.outlook_id]) == {kept.outlook_id: kept}


async def test_a_link_comes_back_from_the_service_too(house: House) -> None:
    await check_link(house, FULL_LINK)


@pytest.mark.parametrize(
    "kept",
    [
        FULL_PENDING,
        pending(1),
        replace(FULL_PENDING, salesforce_id=""),
        *[pending(1, why=why, side=side) for why in Why for side in (None, *Side)],
    ],
    ids=str,
)
async def test_every_column_of_a_pending_comes_back(memory: House, kept: Pending) -> None:
    await (await memory.contacts()).commit(Changes(pendings=[kept]))
    assert (await memory.reopened()).pendings == {kept.name: kept}


@pytest.mark.parametrize("op", Op)
async def test_every_column_of_an_intent_comes_back(memory: House, op: Op) -> None:
    kept = Intent(key="run-1-0001", op=op, sent=NOW, actions=(FULL_INTENDED, Intended()))
    await (await memory.contacts()).commit(Changes(intents=[kept]))
    assert (await memory.reopened()).intents == {kept.key: kept}


async def test_the_longest_intent_spans_columns_and_comes_back(house: House) -> None:
    """A collection of 200 new records, each with the hashes of every field and the longest ids."""
    base = Base(salesforce={f.name: "h" * 12 for f in FIELDS}, outlook={f.name: "g" * 12 for f in FIELDS})
    actions = tuple(Intended(outlook_id="A" * 150 + str(n), base=base, key="k" * 32, claim="c" * 12) for n in range(200))
    kept = Intent(key="run-1-0001", op=Op.CREATE_SALESFORCE, sent=NOW, actions=actions)
    await (await house.contacts()).commit(Changes(intents=[kept]))
    columns = [name for name in (await house.rows())["c-intent|contact|run-1-0001"] if name.startswith("Actions")]
    assert len(columns) > 1
    assert (await house.reopened()).intents == {kept.key: kept}


async def test_pendings_intents_and_cursors_come_back_from_the_service_too(house: House) -> None:
    state = await house.contacts()
    nameless = replace(FULL_PENDING, salesforce_id="", outlook_id="AAk/other#?")
    kept = intent()
    cursors: dict[str, Any] = {"outlook": {"link": "https://x/?$deltatoken=a'b", "n": [1, None]}, "salesforce": {"at": "é🙂" * 20_000}}
    await state.commit(Changes(pendings=[FULL_PENDING, nameless], intents=[kept], cursors=cursors))
    later = await house.reopened()
    assert later.pendings == {FULL_PENDING.name: FULL_PENDING, nameless.name: nameless}
    assert (later.intents, later.cursors) == ({kept.key: kept}, cursors)


async def test_kinds_do_not_see_each_other(house: House) -> None:
    state = await house.open()
    await state.kind("contact").commit(Changes(new_links=[link(1)], pendings=[pending(1)], count=1, cursors={"outlook": {"at": 1}}))
    await state.kind("contacts").commit(Changes(new_links=[link(2)], pendings=[pending(2)], count=1))
    house.clock.go(hours=1)
    later = await house.open("run-2")
    for kind, number in (("contact", 1), ("contacts", 2)):
        one = later.kind(kind)
        assert (one.links, list(one.pendings)) == (1, [pending(number).name])
        assert [kept async for kept in one.between("", "~")] == [link(number)]
        await one.load_index()
        assert list(await one.by_outlook([link(1).outlook_id, link(2).outlook_id])) == [link(number).outlook_id]


async def test_with_another_hash_key_a_link_stays_and_its_base_is_empty(house: House) -> None:
    await (await house.contacts()).commit(Changes(new_links=[FULL_LINK], count=1))
    later = await house.reopened(mark="mark-two")
    assert await later.by_salesforce([FULL_LINK.salesforce_id]) == {FULL_LINK.salesforce_id: replace(FULL_LINK, base=Base())}


@pytest.mark.parametrize("base", [Base(), Base(salesforce={"a": "1"}), Base(outlook={"a": "-"}), FULL_LINK.base])
def test_a_base_is_packed_without_loss(base: Base) -> None:
    assert unpack_base(pack_base(base)) == base


# --------------------------------------------------------------------------- commits


@pytest.mark.parametrize("links", [ROWS // 2, ROWS // 2 + 1, 120])
async def test_any_number_of_rows_is_committed_ninety_nine_at_a_time(memory: House, requests: list[tuple[str, str]], links: int) -> None:
    state = await memory.contacts()
    requests.clear()
    many = [link(n) for n in range(links)]
    await state.commit(Changes(new_links=many, count=links))
    assert requests == [("transact", TABLE)] * -(-2 * links // ROWS)
    assert [one async for one in state.between("", "~")] == many
    assert state.links == (await memory.reopened()).links == links


async def test_more_than_ninety_nine_rows_go_to_the_service_too(house: House) -> None:
    state = await house.contacts()
    many = [link(n) for n in range(80)]
    await state.commit(Changes(new_links=many, pendings=[pending(n) for n in range(80)], count=80))
    await state.commit(Changes(drop_links=many[:60], drop_pendings=[pending(n) for n in range(70)], count=-60))
    later = await house.reopened()
    assert later.links == 20
    assert [one async for one in later.between("", "~")] == many[60:]
    assert len(later.pendings) == 10


async def test_an_empty_commit_costs_nothing(memory: House, requests: list[tuple[str, str]]) -> None:
    state = await memory.contacts()
    requests.clear()
    await state.commit(Changes())
    assert requests == []


async def test_the_cursor_is_written_after_everything_else(memory: House) -> None:
    written: list[str] = []

    async def note(call: Call) -> None:
        written.extend(operation.key for operation in call.operations)

    state = await memory.contacts()
    memory.tables.before = note
    await state.commit(
        Changes(
            cursors={"outlook": {"at": 1}},
            intents=[intent()],
            pendings=[pending(1)],
            new_links=[link(1)],
            count=1,
        )
    )
    kinds = [key.partition("|")[0] for key in written]
    assert kinds == [LEASE, "link", "pointer", "d-pending", "c-intent", "b-cursor"]


async def test_what_was_removed_already_can_be_removed_again(house: House) -> None:
    state = await house.contacts()
    await state.commit(Changes(new_links=[link(1)], count=1))
    await state.commit(
        Changes(drop_links=[link(1), link(2)], drop_pendings=[pending(3)], drop_intents=[intent()], pendings=[pending(4)], count=-1)
    )
    later = await house.reopened()
    assert (later.links, later.pendings) == (0, {pending(4).name: pending(4)})
    assert [key for key in await house.rows() if key.startswith(("link", "pointer"))] == []


async def test_what_is_dropped_and_written_in_one_commit_is_there(house: House) -> None:
    """A pending that is renewed, a link that is re-keyed: what is named last counts."""
    state = await house.contacts()
    await state.commit(Changes(new_links=[link(1)], pendings=[pending(1)], count=1))
    renewed = pending(1, attempts=2)
    rekeyed = replace(link(1), salesforce_id="003Z")
    await state.commit(Changes(drop_links=[link(1)], new_links=[rekeyed], drop_pendings=[pending(1)], pendings=[renewed]))
    assert state.pendings == {renewed.name: renewed}
    later = await house.reopened()
    assert later.pendings == {renewed.name: renewed}
    assert await later.by_outlook([link(1).outlook_id]) == {link(1).outlook_id: rekeyed}
    assert await later.by_salesforce([link(1).salesforce_id]) == {}
    assert later.links == 1


async def test_what_was_committed_is_seen_by_the_same_run_and_the_next(house: House) -> None:
    state = await house.contacts()
    await state.commit(Changes(pendings=[pending(1)], intents=[intent()], cursors={"outlook": {"at": 1}, "walk": {"at": "x"}}))
    await state.commit(Changes(drop_pendings=[pending(1)], drop_intents=[intent()], cursors={"walk": None, "never": None}))
    assert (state.pendings, state.intents, state.cursors) == ({}, {}, {"outlook": {"at": 1}})
    later = await house.reopened()
    assert (later.pendings, later.intents, later.cursors) == ({}, {}, {"outlook": {"at": 1}})


async def test_closing_saves_and_removes_cursors(house: House) -> None:
    state = await house.open()
    await state.kind("contact").commit(Changes(cursors={"outlook": {"at": 1}, "walk": {"at": "x"}}))
    await state.close(served=NOW, cursors={"contact": {"outlook": {"at": 2}, "walk": None}})
    assert (await house.reopened()).cursors == {"outlook": {"at": 2}}


async def test_a_quiet_run_reads_once_and_writes_twice(memory: House, requests: list[tuple[str, str]]) -> None:
    await (await memory.contacts()).commit(Changes(new_links=[link(n) for n in range(150)], count=150))
    memory.clock.go(hours=1)
    requests.clear()
    state = await memory.open("run-2")
    await state.close(served=NOW, cursors={"contact": {"outlook": {"at": 2}, "salesforce": {"at": 2}}})
    assert requests == [("scan", TABLE), ("transact", TABLE), ("transact", TABLE)]


# --------------------------------------------------------------------------- finding links


async def some_links(house: House, count: int) -> KindState:
    state = await house.contacts()
    await state.commit(Changes(new_links=[link(n) for n in range(count)], count=count))
    return state


@pytest.mark.parametrize("wanted", [[], [3], [3, 7, 7, 900], list(range(40))])
async def test_a_scan_and_point_reads_find_the_same(memory: House, requests: list[tuple[str, str]], wanted: list[int]) -> None:
    count = SCAN_PAYS * 3
    state = await some_links(memory, count)
    ids, others = [link(n).salesforce_id for n in wanted], [link(n).outlook_id for n in wanted]
    expected = {n for n in wanted if n < count}
    for pretended in (0, 10**6):  # hardly any links: a scan pays; very many: point reads do
        state._user._counts["contact"] = pretended
        requests.clear()
        by_salesforce, by_outlook = await state.by_salesforce(ids), await state.by_outlook(others)
        assert by_salesforce == {link(n).salesforce_id: link(n) for n in expected}
        assert by_outlook == {link(n).outlook_id: link(n) for n in expected}
        assert {name for name, _ in requests} == (set() if not wanted else {"get"} if pretended else {"scan"})
    await state.load_index()
    assert await state.by_outlook(others) == {link(n).outlook_id: link(n) for n in expected}


async def test_links_are_found_on_the_service_by_either_id(house: House) -> None:
    state = await some_links(house, 60)
    for wanted in ([5], list(range(10, 50))):
        ids, others = [link(n).salesforce_id for n in wanted], [link(n).outlook_id for n in wanted]
        assert await state.by_salesforce(ids) == {link(n).salesforce_id: link(n) for n in wanted}
        assert await state.by_outlook(others) == {link(n).outlook_id: link(n) for n in wanted}
    await state.load_index()
    assert len(await state.by_outlook([link(n).outlook_id for n in range(70)])) == 60


async def test_the_index_knows_the_version_that_a_link_has_seen_and_no_other(house: House) -> None:
    state = await some_links(house, 2)
    one = replace(link(0), etag='W/"1"')
    await state.commit(Changes(links=[one]))
    assert not state.knows(one.outlook_id, one.etag), "it is not loaded yet"
    await state.load_index()
    assert state.knows(one.outlook_id, one.etag)
    assert not state.knows(one.outlook_id, 'W/"2"')
    await state.commit(Changes(links=[replace(one, etag='W/"2"')]))
    assert state.knows(one.outlook_id, 'W/"2"')
    await state.commit(Changes(drop_links=[one], count=-1))
    assert not state.knows(one.outlook_id, 'W/"2"')


async def test_ids_that_differ_by_case_only_are_two(house: House) -> None:
    state = await house.contacts()
    one, other = link(1, outlook_id="AAkALg="), link(2, outlook_id="AAkALG=")
    await state.commit(Changes(new_links=[one, other], count=2))
    assert await state.by_outlook(["AAkALg="]) == {"AAkALg=": one}
    assert await state.by_outlook(["AAkALG="]) == {"AAkALG=": other}


@pytest.mark.parametrize(
    ("after", "upto", "expected"),
    [
        ("", "~", [0, 1, 2, 3, 4]),
        (link(1).salesforce_id, link(3).salesforce_id, [2, 3]),
        (link(1).salesforce_id, link(1).salesforce_id, []),
        ("", link(0).salesforce_id, [0]),
        (link(4).salesforce_id, "~", []),
        (link(0).salesforce_id[:-1], link(1).salesforce_id, [0, 1]),
    ],
)
async def test_a_range_of_links_is_open_below_and_closed_above(house: House, after: str, upto: str, expected: list[int]) -> None:
    state = await some_links(house, 5)
    assert [one async for one in state.between(after, upto)] == [link(n) for n in expected]


@pytest.mark.parametrize("many", [False, True])
async def test_an_item_that_was_moved_is_found_under_its_new_id_only(house: House, many: bool) -> None:
    state = await some_links(house, 3)
    if many:
        await state.load_index()
    moved = replace(link(1), outlook_id="AAk/new=")
    await state.commit(Changes(new_links=[moved], drop_pointers=[link(1).outlook_id]))
    for one in (state, await house.reopened()):
        assert await one.by_outlook([link(1).outlook_id, "AAk/new="]) == {"AAk/new=": moved}
        assert await one.by_salesforce([moved.salesforce_id]) == {moved.salesforce_id: moved}
        assert one.links == 3
    assert sum(1 for key in await house.rows() if key.startswith("pointer")) == 3


async def test_a_pointer_that_was_left_behind_names_no_pair(house: House) -> None:
    """A link was written anew without its old pointer being dropped: the pair counts only under the id it names itself."""
    state = await some_links(house, 2)
    await state.commit(Changes(links=[replace(link(1), outlook_id="AAk/new=")]))
    assert await state.by_outlook([link(1).outlook_id]) == {}


async def test_a_link_without_an_item_has_no_pointer(house: House) -> None:
    state = await house.contacts()
    await state.commit(Changes(new_links=[link(1, outlook_id="", status=Status.RESERVED)]))
    assert [key.partition("|")[0] for key in await house.rows() if key != LEASE] == ["link"]
    await state.commit(Changes(drop_links=[link(1, outlook_id="", status=Status.RESERVED)]))
    assert list(await house.rows()) == [LEASE]


async def test_counts_of_links_are_kept_by_kind(house: House) -> None:
    state = await house.open()
    await state.kind("contact").commit(Changes(new_links=[link(1), link(2)], count=2))
    await state.kind("task").commit(Changes(new_links=[link(3)], count=1))
    await state.kind("contact").commit(Changes(drop_links=[link(1)], count=-1))
    await state.close(served=None, cursors={})
    later = await house.open("run-2")
    assert (later.kind("contact").links, later.kind("task").links, later.kind("event").links) == (1, 1, 0)


def test_the_state_table_is_among_the_tables_that_are_made() -> None:
    assert TABLE in TABLES
