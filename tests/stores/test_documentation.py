"""`docs/tables.md`, the COLUMNS of each store and the rows that are really written say the same."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.sandbox.http import SettableClock
from shared.errors import Code
from shared.records import Origin, Side
from sync.core.link import Link
from sync.keeping import Changes, Intended, Intent, Op, Pending, Why
from sync.ports import Answer, Before, Question
from sync.stores import TABLES, approvals, claims, conflicts, errors, journal, people, profile, purging, runs, state
from sync.stores.memory import MemoryTables

PAGE = (Path(__file__).parents[2] / "docs/tables.md").read_text(encoding="utf-8")
TYPES: Mapping[type, str] = {str: "text", int: "number", float: "decimal", datetime: "time", bool: "true or false"}
COLUMNS: Mapping[str, Mapping[str, type]] = {
    state.TABLE: state.COLUMNS,
    claims.TABLE: {**claims.COLUMNS, **purging.COLUMNS},
    people.USERS: people.USER_COLUMNS,
    people.PROFILES: {name: type(column.default) for name, column in profile.PROFILE_COLUMNS.items()},
    errors.TABLE: errors.COLUMNS,
    conflicts.TABLE: conflicts.COLUMNS,
    approvals.TABLE: approvals.COLUMNS,
    runs.TABLE: runs.COLUMNS,
    journal.TABLE: journal.COLUMNS,
}
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def sections() -> dict[str, str]:
    parts = re.split(r"^## (\w+)$", PAGE, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def described(table: str) -> list[list[str]]:
    """The cells of a section's table, without its head."""
    lines = [line for line in sections()[table].splitlines() if line.startswith("|")]
    cells = [[cell.strip().replace("&lt;", "<").replace("&gt;", ">") for cell in line.strip("|").split("|")] for line in lines]
    return cells[2:]


def test_every_table_has_a_section_in_the_order_of_the_code() -> None:
    assert tuple(sections()) == TABLES


@pytest.mark.parametrize("table", COLUMNS)
def test_the_page_describes_exactly_the_columns_of_the_code(table: str) -> None:
    rows = described(table)
    assert all(len(row) == 5 and all(row) for row in rows)
    assert [(row[0], row[1]) for row in rows] == [(name, TYPES[kind]) for name, kind in COLUMNS[table].items()]


def test_the_page_says_who_writes_a_column() -> None:
    assert tuple(row[0] for row in described(people.USERS) if row[2] == "administrator") == people.ADMINISTRATORS
    assert {row[2] for row in described(people.PROFILES)} == {"administrator"}
    for table in COLUMNS.keys() - {people.USERS, people.PROFILES}:
        assert [row[0] for row in described(table) if row[2] != "product"] == (["Decision"] if "Decision" in COLUMNS[table] else [])


def test_the_page_shows_the_defaults_and_the_allowed_values() -> None:
    for name, _, _, meaning, example in described(people.PROFILES):
        column = profile.PROFILE_COLUMNS[name]
        default = str(column.default).lower() if isinstance(column.default, bool) else str(column.default)
        assert example == f"`{default}`"
        if bounds := re.fullmatch(r"a whole number from (\d+) to (\d+)", column.allowed):
            assert meaning.endswith(f"{int(bounds[1])} to {int(bounds[2]):,}")
        elif column.allowed != "true, false" and not column.allowed.startswith("a text"):
            assert column.allowed in meaning
    states = next(row[3] for row in described(people.USERS) if row[0] == "State")
    assert states == ", ".join(people.Connection)


async def write_state(tables: MemoryTables) -> None:
    clock = SettableClock(frozen_at=NOW)
    held = await state.UserState.open(tables, clock, user="u", name="ann", run="r", mark="k", lease_time=timedelta(minutes=5))
    assert held is not None
    link = Link(salesforce_id="0035g0", outlook_id="o", origin=Origin.MATCH)
    pending = Pending(salesforce_id="0035g0", why=Why.LOOK, due=NOW, since=NOW)
    intent = Intent(key="i", op=Op.UPDATE_OUTLOOK, sent=NOW, actions=(Intended(salesforce_id="0035g0"),))
    changes = Changes(new_links=[link], pendings=[pending], intents=[intent], cursors={"sweep": {}}, count=1)
    await held.kind("contact").commit(changes)
    await claims.OrgClaims(tables, clock, "00D", "contact", "u", "r").take(["k"])


async def write_everything(tables: MemoryTables) -> None:
    await write_state(tables)
    await people.People(tables).default_profile()
    await people.People(tables).put([(people.UserRow(key="u"), people.Facts(state=people.Connection.CONNECTED))], now=NOW)
    report = errors.Report(code=Code.REFUSED, kind="contact", name="S1", side=Side.SALESFORCE)
    await errors.Errors(tables).report("u", "ann", [report], now=NOW, run="r")
    question = Question(name="S1", kind_of="conflict", fields={"phone": ("1", "2")}, version="v")
    await conflicts.Conflicts(tables).ask("u", "ann", "contact", [question], now=NOW, run="r")
    await conflicts.Conflicts(tables).decide("u", "contact", [Answer(name="S1", decision="x", version="v")], now=NOW, run="r")
    doomed = approvals.Doomed(side=Side.OUTLOOK, salesforce_id="1")
    await approvals.Approvals(tables).hold("u", "ann", "contact", "s", [doomed], links=1, now=NOW, run="r")
    run = runs.Run(id="r", started=NOW, ended=NOW, why="timer", result=runs.Result.DONE, counts={"ContactsToOutlookNew": 1})
    await runs.Runs(tables).write("u", "ann", run)
    entry = Before(side=Side.OUTLOOK, action="delete", fields={"phone": "1"}, whole={"a": "x" * 40_000})
    await journal.Journal(tables).write("u", "ann", "contact", [entry], now=NOW, run="r")
    await purging.purge(tables, people.People(tables), now=NOW, run="r")


@pytest.mark.parametrize("table", COLUMNS)
async def test_the_rows_that_are_written_have_exactly_these_columns_and_types(tables: MemoryTables, table: str) -> None:
    await write_everything(tables)
    written: dict[str, type] = {}
    async for row in tables.scan_table(table):
        written |= {name: type(value) for name, value in row.values.items()}
    expected = dict(COLUMNS[table])
    for name in [name for name in expected if "<" in name]:  # a column per field or counter
        shown = "ContactsToOutlookNew" if name == "<counter>" else name.replace("<field>", "phone").replace("<kind>", "contact")
        assert written.pop(shown) is expected.pop(name)
    assert written.pop("Whole2", str) is str
    unwritten = set(people.ADMINISTRATORS) if table == people.USERS else set()
    assert written == {name: kind for name, kind in expected.items() if name not in unwritten}
