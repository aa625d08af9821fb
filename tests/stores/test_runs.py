from datetime import UTC, datetime, timedelta

import pytest

from sync.stores.memory import MemoryTables
from sync.stores.runs import TABLE, Result, Run, Runs

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def run(number: int) -> Run:
    started = NOW + timedelta(minutes=5 * number)
    return Run(
        id=f"r{number}",
        started=started,
        ended=started + timedelta(seconds=2.5),
        why="timer",
        result=Result.DONE,
        counts={"ContactsToOutlookNew": number, "GraphRequests": 3},
    )


async def test_a_run_costs_one_table_operation_and_the_newest_comes_first(tables: MemoryTables, requests: list[tuple[str, str]]) -> None:
    runs = Runs(tables)
    for number in (1, 3, 2):
        await runs.write("u", "ann", run(number))
    assert requests == [("transact", TABLE)] * 3
    assert await runs.latest("u") == run(3)
    assert await runs.of_user("u") == [run(3), run(2), run(1)]
    assert await runs.latest("nobody") is None
    (row, *_) = [row async for row in tables.scan(TABLE, "u")]
    assert row.values["Seconds"] == 2.5


async def test_a_counter_may_not_overwrite_a_column(tables: MemoryTables) -> None:
    with pytest.raises(ValueError, match="Result"):
        await Runs(tables).write("u", "ann", Run(id="r", started=NOW, ended=NOW, why="", result=Result.DONE, counts={"Result": 1}))
