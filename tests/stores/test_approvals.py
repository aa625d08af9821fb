from datetime import UTC, datetime

import pytest

from shared.records import Side
from sync.ports import Merge
from sync.stores.approvals import TABLE, Approvals, Doomed, Status
from sync.stores.memory import Call, MemoryTables

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
USER = "u1"
SET = [Doomed(side=Side.OUTLOOK if n % 3 else Side.SALESFORCE, salesforce_id=f"003{n}", outlook_id=f"AA/{n}") for n in range(150)]


@pytest.fixture
def approvals(tables: MemoryTables) -> Approvals:
    return Approvals(tables)


async def hold(approvals: Approvals, name: str = "set1", kind: str = "contact") -> None:
    await approvals.hold(USER, "ann", kind, name, SET, links=400, now=NOW, run="r")


async def type_decision(tables: MemoryTables, decision: str, name: str = "set1") -> None:
    await tables.transact(TABLE, USER, [Merge(key=f"contact|deletions|{name}", values={"Decision": decision})])


async def test_a_held_set_says_how_much_and_lists_every_deletion(approvals: Approvals, tables: MemoryTables) -> None:
    await hold(approvals)
    head = await tables.get(TABLE, USER, "contact|deletions|set1")
    assert head is not None
    assert head.values == {
        "User": "ann",
        "Kind": "contact",
        "Set": "set1",
        "State": "waiting",
        "Decision": "",
        "Count": 150,
        "InSalesforce": 50,
        "InOutlook": 100,
        "Links": 400,
        "Sample": ", ".join(f"003{n}" for n in range(10)),
        "FirstSeen": NOW,
        "RunId": "r",
    }
    assert await approvals.list_set(USER, "contact", "set1") == SET


async def test_nobody_is_asked_about_half_a_list(approvals: Approvals, tables: MemoryTables) -> None:
    async def cut(call: Call) -> None:
        if len(call.operations) == 50:
            raise ConnectionError

    tables.before = cut
    with pytest.raises(ConnectionError):
        await hold(approvals)
    assert await approvals.get(USER, "contact", "set1") is None


async def test_holding_the_same_set_again_keeps_the_decision(approvals: Approvals, tables: MemoryTables) -> None:
    await hold(approvals)
    await type_decision(tables, " approve ")
    await hold(approvals)
    await hold(approvals, kind="task")
    found = await approvals.get(USER, "contact", "set1")
    assert found is not None
    assert (found.decision, found.status, found.count, found.links) == ("approve", Status.WAITING, 150, 400)


async def test_another_set_supersedes_the_waiting_one(approvals: Approvals) -> None:
    await hold(approvals, "set1")
    await hold(approvals, "set2")
    old, new = await approvals.get(USER, "contact", "set1"), await approvals.get(USER, "contact", "set2")
    assert old is not None
    assert new is not None
    assert (old.status, new.status) == (Status.SUPERSEDED, Status.WAITING)
    assert await approvals.list_set(USER, "contact", "set1") == []
    assert await approvals.list_set(USER, "contact", "set2") == SET


@pytest.mark.parametrize("end", [Status.DONE, Status.REJECTED, Status.SUPERSEDED])
async def test_an_agreement_holds_once(approvals: Approvals, tables: MemoryTables, end: Status) -> None:
    await hold(approvals)
    await type_decision(tables, "approve")
    await approvals.finish(USER, "contact", "set1", Status.APPROVED)
    assert await approvals.list_set(USER, "contact", "set1") == SET
    await approvals.finish(USER, "contact", "set1", end)
    assert await approvals.list_set(USER, "contact", "set1") == []
    await hold(approvals)
    again = await approvals.get(USER, "contact", "set1")
    assert again is not None
    assert (again.status, again.decision) == (Status.WAITING, "")


async def test_finishing_a_set_that_is_not_there_makes_no_row(approvals: Approvals) -> None:
    await approvals.finish(USER, "contact", "nothing", Status.DONE)
    assert await approvals.get(USER, "contact", "nothing") is None


async def test_a_row_spoilt_by_hand_still_waits_and_agrees_to_nothing(approvals: Approvals, tables: MemoryTables) -> None:
    await hold(approvals)
    await tables.transact(TABLE, USER, [Merge(key="contact|deletions|set1", values={"State": "aproved", "Count": "many", "FirstSeen": ""})])
    found = await approvals.get(USER, "contact", "set1")
    assert found is not None
    assert (found.status, found.decision, found.count) == (Status.WAITING, "", 0)
