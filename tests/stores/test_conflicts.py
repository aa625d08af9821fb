from datetime import UTC, datetime, timedelta

import pytest

from sync.ports import Answer, Merge, Question
from sync.stores.conflicts import TABLE, Conflicts, Status, pair_key
from sync.stores.memory import Call, MemoryTables

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
USER = "u1"


def question(name: str = "S1", version: str = "v1", winner: str = "", phone: str = "1") -> Question:
    return Question(
        name=name,
        kind_of="conflict",
        salesforce_id="1",
        outlook_id="AAMk/1",
        fields={"phone": (phone, "2"), "notes": (None, "n" * 5000)},
        version=version,
        winner=winner,
    )


@pytest.fixture
def conflicts(tables: MemoryTables) -> Conflicts:
    return Conflicts(tables)


async def ask(conflicts: Conflicts, *questions: Question, now: datetime = NOW) -> None:
    await conflicts.ask(USER, "ann", "contact", questions, now=now, run="r")


async def decide(tables: MemoryTables, name: str, decision: str) -> None:
    """As an administrator does in Storage Explorer."""
    await tables.transact(TABLE, USER, [Merge(key=pair_key("contact", name), values={"Decision": decision})])


async def test_both_versions_are_shown_in_columns_and_long_ones_are_cut(conflicts: Conflicts, tables: MemoryTables) -> None:
    await ask(conflicts, question())
    (row,) = [row async for row in tables.scan(TABLE, USER)]
    assert row.values["Salesforce_phone"] == "1"
    assert row.values["Outlook_phone"] == "2"
    assert row.values["Salesforce_notes"] == ""
    assert row.values["Outlook_notes"] == "n" * 999 + "…"
    assert row.values["AllowedDecisions"] == "salesforce, outlook"
    assert (row.values["State"], row.values["Decision"], row.values["Fields"]) == ("waiting", "", "phone,notes")


async def test_a_decision_is_handed_out_as_typed_until_it_is_carried_out(conflicts: Conflicts, tables: MemoryTables) -> None:
    await ask(conflicts, question("S1"), question("S2"), question("S3"))
    await conflicts.ask(USER, "ann", "task", [question("S1")], now=NOW, run="r")
    await decide(tables, "S1", " Saelsforce")
    await decide(tables, "S3", "outlook")
    assert {(a.name, a.decision, a.version) for a in await conflicts.answers(USER, "contact")} == {
        ("S1", "Saelsforce", "v1"),
        ("S3", "outlook", "v1"),
    }
    await conflicts.decide(USER, "contact", [Answer(name="S3", decision="outlook", version="v1")], now=LATER, run="r2")
    assert [a.name for a in await conflicts.answers(USER, "contact")] == ["S1"]
    (done,) = await conflicts.of_user(USER, status=Status.DECIDED)
    assert (done.name, done.winner, done.last_seen) == ("S3", "outlook", LATER)


async def test_asking_again_keeps_a_decision_of_the_same_version(conflicts: Conflicts, tables: MemoryTables) -> None:
    await ask(conflicts, question())
    await decide(tables, "S1", "outlook")
    await ask(conflicts, question(), now=LATER)
    (row,) = await conflicts.of_user(USER)
    assert (row.decision, row.first_seen, row.last_seen) == ("outlook", NOW, LATER)


async def test_a_decision_typed_while_the_question_is_asked_again_survives(conflicts: Conflicts, tables: MemoryTables) -> None:
    await ask(conflicts, question())

    async def type_decision(call: Call) -> None:
        if call.name == "get":
            tables.after = None
            await decide(tables, "S1", "outlook")

    tables.after = type_decision
    await ask(conflicts, question(), now=LATER)
    assert [row.decision for row in await conflicts.of_user(USER)] == ["outlook"]


async def test_another_version_clears_the_decision(conflicts: Conflicts, tables: MemoryTables) -> None:
    await ask(conflicts, question())
    await decide(tables, "S1", "outlook")
    await ask(conflicts, question(version="v2", phone="9"), now=LATER)
    (row,) = await conflicts.of_user(USER)
    assert (row.decision, row.version, row.first_seen, row.fields["phone"]) == ("", "v2", LATER, ("9", "2"))


async def test_a_decided_question_that_comes_up_again_needs_a_new_decision(conflicts: Conflicts, tables: MemoryTables) -> None:
    await ask(conflicts, question())
    await decide(tables, "S1", "outlook")
    await conflicts.decide(USER, "contact", [Answer(name="S1", decision="outlook", version="v1")], now=NOW, run="r")
    await ask(conflicts, question(), now=LATER)
    (row,) = await conflicts.of_user(USER)
    assert (row.status, row.decision) == (Status.WAITING, "")


async def test_a_conflict_settled_by_the_rule_is_noted_and_asks_nobody(conflicts: Conflicts, tables: MemoryTables) -> None:
    await ask(conflicts, question())
    await ask(conflicts, question(winner="salesforce"), now=LATER)
    await decide(tables, "S1", "outlook")
    assert await conflicts.answers(USER, "contact") == []
    (row,) = await conflicts.of_user(USER)
    assert (row.status, row.winner) == (Status.SETTLED, "salesforce")


async def test_closing_removes_what_waits_and_keeps_what_was_settled(conflicts: Conflicts) -> None:
    await ask(conflicts, question("S1"), question("S2", winner="outlook"), question("S3"))
    await conflicts.close(USER, "contact", ["S1", "S2", "S9"])
    await conflicts.close(USER, "contact", [])
    assert {row.name for row in await conflicts.of_user(USER)} == {"S2", "S3"}


async def test_candidates_are_allowed_decisions(conflicts: Conflicts, tables: MemoryTables) -> None:
    match = Question(name="O1", kind_of="match", outlook_id="1", fields={}, version="v", candidates=("003A", "003B"))
    await ask(conflicts, match, Question(name="O2", kind_of="copy", outlook_id="2", fields={}, version="v"))
    rows = {row.values["Pair"]: row.values["AllowedDecisions"] async for row in tables.scan(TABLE, USER)}
    assert rows == {"O1": "003A, 003B, create", "O2": "create"}
    assert {row.name: row.candidates for row in await conflicts.of_user(USER)}["O1"] == ("003A", "003B")


async def test_a_question_that_somebody_removed_is_not_made_again_by_its_decision(conflicts: Conflicts) -> None:
    await conflicts.decide(USER, "contact", [Answer(name="S1", decision="outlook", version="v1")], now=NOW, run="r")
    assert await conflicts.of_user(USER) == []
