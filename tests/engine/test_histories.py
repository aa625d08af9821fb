"""A share of the histories that `make soak` runs by the thousand, and proof that a seed replays one and that the judge can say no.

The histories run in a process of their own with PYTHONHASHSEED=0: the order of a set of texts is part of a history.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sync.stores import TABLES
from tests.engine.azurite import AzuriteTables
from tests.engine.histories import draw, live
from tests.engine.weather import CALM
from tests.tenant import Tenant

CHUNK = 10
SHARE = 4 * CHUNK


@pytest.mark.parametrize("first", range(1, SHARE, CHUNK))
def test_people_edit_while_everything_goes_wrong_and_nothing_is_lost_or_doubled(first: int) -> None:
    command = [sys.executable, "-m", "tests.engine.histories", "--from", str(first), "--count", str(CHUNK)]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    root = Path(__file__).parents[2]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=root, env=environment, check=False)
    assert ended.returncode == 0, ended.stdout[-20_000:] + ended.stderr[-3000:]
    assert ended.stdout.strip().endswith(f"{CHUNK} histories, 0 failed")


@pytest.mark.parametrize("seed", [2, 3])
def test_a_seed_replays_its_history_call_by_call(seed: int) -> None:
    first, second = live(draw(seed)), live(draw(seed))
    assert first.history.climate is not CALM or seed == 3
    assert len(first.plant.weather.journal) > 100
    assert first.plant.weather.journal == second.plant.weather.journal
    assert [str(act) for act in first.ledger.acts] == [str(act) for act in second.ledger.acts]


@pytest.mark.parametrize("seed", [5, 8, 13])
def test_the_same_holds_with_the_tables_on_azurite(seed: int, storage: str) -> None:
    history = draw(seed)
    tenant = Tenant(seed=history.seed, with_package=history.with_package)
    tables = AzuriteTables(storage)
    try:
        tables._now(tables._tables.create(TABLES))
        tenant.tables = tables  # type: ignore[assignment]  # the same port, and the same hooks
        told = live(history, tenant)
    finally:
        tables.shut()
    assert told.findings == []
