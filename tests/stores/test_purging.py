"""The daily purge, on memory and on Azurite: what goes, what stays, and that it costs little."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.errors import Code, Temporary
from shared.records import Side
from sync.ports import Before, Claim, Merge, Question, Replace, Row
from sync.stores import TABLES, claims, conflicts, journal, purging, runs
from sync.stores.memory import Call, MemoryTables
from sync.stores.people import PROFILES, USERS, People
from sync.stores.purging import KEY, PARTITION, purge
from sync.stores.tables import AzureTables

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
OLD = NOW - timedelta(days=31)
RECENT = NOW - timedelta(days=29)


class SetClock:
    def __init__(self, time: datetime) -> None:
        self.time = time

    def now(self) -> datetime:
        return self.time


class Store:
    def __init__(self, tables: Any) -> None:
        self.tables = tables

    async def step(self, now: datetime = NOW, run: str = "r") -> bool:
        return await purge(self.tables, People(self.tables), now=now, run=run)

    async def rows(self, table: str) -> list[tuple[str, str]]:
        return [(row.partition, row.key) async for row in self.tables.scan_table(table) if row.partition != PARTITION]

    async def progress(self) -> Row:
        row = await self.tables.get(claims.TABLE, PARTITION, KEY)
        assert row is not None
        return dict(row.values)

    async def add_users(self, *users: str) -> None:
        await self.tables.put_many(USERS, "user", [Merge(key=user, values={"PrincipalName": user}) for user in users])

    async def add_run(self, user: str, started: datetime, number: int = 0) -> None:
        run = runs.Run(id=f"r{number}", started=started, ended=started, why="timer", result=runs.Result.DONE)
        await runs.Runs(self.tables).write(user, user, run)

    async def runs_of(self, user: str) -> list[datetime]:
        return [run.started for run in await runs.Runs(self.tables).of_user(user)]

    async def journal(self, user: str, now: datetime, count: int = 1) -> None:
        before = Before(side=Side.OUTLOOK, action="overwrite", fields={"phone": "1"})
        await journal.Journal(self.tables).write(user, user, "contact", [before] * count, now=now, run="r")

    async def ask(self, user: str, name: str, now: datetime, winner: str = "") -> None:
        question = Question(name=name, kind_of="conflict", fields={"phone": ("1", "2")}, version="v", winner=winner)
        await conflicts.Conflicts(self.tables).ask(user, user, "contact", [question], now=now, run="r")

    def claims(self, now: datetime, org: str = "00D1", user: str = "u1") -> claims.OrgClaims:
        return claims.OrgClaims(self.tables, SetClock(now), org, "contact", user, "r")


@pytest.fixture(params=["memory", "azurite"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    made: Any = MemoryTables() if request.param == "memory" else AzureTables(connection=request.getfixturevalue("storage"))
    await made.create(TABLES)
    yield Store(made)
    await made.close()


@pytest.fixture
def memory(tables: MemoryTables) -> Store:
    return Store(tables)


async def test_what_is_older_than_the_journals_days_goes_and_the_rest_stays(store: Store) -> None:
    await store.add_users("u1", "u2")
    for user in ("u1", "u2"):
        for when in (OLD, RECENT, NOW):
            await store.add_run(user, when)
            await store.journal(user, when, count=2)
        await store.ask(user, "S1", OLD)
        await store.ask(user, "S2", OLD, winner="outlook")
        await store.ask(user, "S3", RECENT, winner="outlook")
    assert await store.step()
    for user in ("u1", "u2"):
        assert await store.runs_of(user) == [NOW, RECENT]
        assert {row.name for row in await conflicts.Conflicts(store.tables).of_user(user)} == {"S1", "S3"}, "an open question stays"
    assert {partition for partition, _ in await store.rows(journal.TABLE)} == {
        f"{time:%Y-%m-%d}|{user}" for time in (RECENT, NOW) for user in ("u1", "u2")
    }


async def test_a_run_that_started_exactly_then_stays(store: Store) -> None:
    await store.add_users("u1")
    limit = NOW - timedelta(days=30)
    for number, started in enumerate((limit, limit - timedelta(microseconds=1), limit + timedelta(microseconds=1))):
        await store.add_run("u1", started, number)
    assert await store.step()
    assert await store.runs_of("u1") == [limit + timedelta(microseconds=1), limit]


async def test_claims_of_all_orgs_go_a_day_after_they_ended(store: Store) -> None:
    for org in ("00D1", "00D2"):
        await store.claims(NOW - timedelta(days=1, minutes=21), org).take(["old"])
        await store.claims(NOW - timedelta(days=1, minutes=19), org).take(["young"])
    assert await store.step()
    assert await store.rows(claims.TABLE) == [("00D1", "contact|young"), ("00D2", "contact|young")]


async def test_old_runs_go_also_of_those_whom_syncusers_no_longer_has(store: Store) -> None:
    await store.add_users("b", "d")
    for user in ("a", "b", "c", "d", "e"):
        await store.add_run(user, OLD)
        await store.add_run(user, RECENT)
    assert await store.step()
    assert [await store.runs_of(user) for user in "abcde"] == [[RECENT]] * 5


async def test_how_long_is_what_the_profile_says(store: Store) -> None:
    await People(store.tables).default_profile()
    await store.tables.transact(PROFILES, "profile", [Merge(key="default", values={"JournalDays": 40})])
    await store.add_users("u1")
    await store.add_run("u1", OLD)
    assert await store.step()
    assert await store.runs_of("u1") == [OLD]


async def test_a_purge_is_made_once_a_day_and_a_new_process_knows_it(memory: Store, requests: list[tuple[str, str]]) -> None:
    await memory.add_users("u1")
    assert await memory.step(run="first")
    assert await memory.progress() == {"Begun": NOW, "Reached": "u1", "Done": True, "Run": "first"}
    await memory.add_run("u1", OLD)
    requests.clear()
    assert await memory.step(NOW + timedelta(hours=11), run="second")
    assert requests == [("get", claims.TABLE)]
    assert await memory.runs_of("u1") == [OLD]
    assert await memory.step(NOW + timedelta(hours=12), run="third"), "the next day, in UTC"
    assert await memory.runs_of("u1") == []


async def test_a_user_with_many_runs_costs_no_more_than_one_with_none(memory: Store, requests: list[tuple[str, str]]) -> None:
    """SyncRuns is never read as a whole: two requests for each user, one of them for whoever is between."""
    await People(memory.tables).default_profile()
    await memory.add_users("u1", "u2")
    for number in range(2500):
        await memory.add_run("u1", RECENT + timedelta(minutes=number), number)
    requests.clear()
    assert await memory.step()
    assert requests.count(("scan", runs.TABLE)) == 5
    assert len(requests) == 6 + 7, "the journal, conflicts, errors, claims, users and profile, and the purge's own row twice"


async def test_one_step_removes_so_many_rows_and_the_next_ones_the_rest(memory: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purging, "ROWS", 30)
    await memory.add_users("u1", "u2", "u3")
    await memory.journal("u1", OLD, count=40)
    for user in ("u1", "u2", "u3"):
        for number in range(20):
            await memory.add_run(user, OLD - timedelta(minutes=number), number)
    left = []
    while True:
        done = await memory.step()
        left.append(len(await memory.rows(journal.TABLE)) + len(await memory.rows(runs.TABLE)))
        if done:
            break
    assert left == [70, 40, 10, 0]
    assert await memory.step()


async def test_one_step_looks_at_so_many_users_and_the_next_one_goes_on_there(
    memory: Store, monkeypatch: pytest.MonkeyPatch, requests: list[tuple[str, str]]
) -> None:
    monkeypatch.setattr(purging, "PEOPLE", 2)
    users = ["u1", "u2", "u3", "u4", "u5"]
    await memory.add_users(*users)
    for user in users:
        await memory.add_run(user, OLD)
    reached = []
    for hour in (0, 20, 40):  # it may take until another day
        requests.clear()
        done = await memory.step(NOW + timedelta(hours=hour))
        progress = await memory.progress()
        reached.append((progress["Reached"], done))
        assert progress["Begun"] == NOW
        assert requests.count(("scan", journal.TABLE)) == (1 if hour == 0 else 0), "what is done is not done again"
    assert reached == [("u2", False), ("u4", False), ("u5", True)]
    assert await memory.rows(runs.TABLE) == []


async def test_a_row_that_was_written_meanwhile_stays(memory: Store) -> None:
    """A settled conflict becomes a question again, an ended claim is taken over: between the look and the removal."""
    for name in ("S1", "S2", "S3"):
        await memory.ask("u1", name, OLD, winner="outlook")
    old, bob = memory.claims(OLD), memory.claims(NOW, user="u2")
    await old.take(["k1", "k2"])
    assert await bob.take(["k1"]) == {"k1": Claim(expired=True)}

    async def meanwhile(call: Call) -> None:
        if call.name == "transact" and call.table in (conflicts.TABLE, claims.TABLE):
            memory.tables.before = None
            if call.table == conflicts.TABLE:
                await memory.ask("u1", "S2", NOW)
                memory.tables.before = meanwhile
            else:
                assert await bob.take_over(["k1"]) == ["k1"]

    memory.tables.before = meanwhile
    assert await memory.step()
    assert [row.name for row in await conflicts.Conflicts(memory.tables).of_user("u1")] == ["S2"]
    assert await memory.rows(claims.TABLE) == [("00D1", "contact|k1")]


async def test_a_row_that_somebody_removed_meanwhile_is_no_obstacle(memory: Store) -> None:
    await memory.add_users("u1")
    for number in range(3):
        await memory.add_run("u1", OLD, number)

    async def meanwhile(call: Call) -> None:
        if call.name == "transact" and call.table == runs.TABLE:
            memory.tables.before = None
            await memory.tables.transact(runs.TABLE, "u1", [call.operations[1]])

    memory.tables.before = meanwhile
    assert await memory.step()
    assert await memory.runs_of("u1") == []


async def test_a_step_that_failed_is_made_again(memory: Store) -> None:
    await memory.add_users("u1")
    await memory.journal("u1", OLD)
    await memory.add_run("u1", OLD)

    async def fail(call: Call) -> None:
        if call.name == "transact" and call.table == runs.TABLE:
            raise Temporary(Code.UNAVAILABLE)

    memory.tables.before = fail
    with pytest.raises(Temporary):
        await memory.step()
    memory.tables.before = None
    assert await memory.runs_of("u1") == [OLD]
    assert await memory.step()
    assert await memory.runs_of("u1") == []


@pytest.mark.parametrize("values", [{}, {"Begun": "2026-03-31", "Reached": "", "Done": True}, {"Begun": NOW, "Reached": "", "Done": "yes"}])
async def test_a_row_that_a_person_spoilt_lets_the_purge_begin_anew(memory: Store, values: Row) -> None:
    await memory.add_users("u1")
    await memory.add_run("u1", OLD)
    await memory.tables.transact(claims.TABLE, PARTITION, [Replace(key=KEY, values=values)])
    assert await memory.step()
    assert await memory.runs_of("u1") == []
