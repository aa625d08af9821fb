"""The cost table follows from its own assumptions."""

import re

import pytest

from local.host.settings import load_rules
from tests.infra.tools import ROOT

PAGE = (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")
PEOPLE = (100, 1_000, 10_000)
ROUNDS = 30 * 24 * 12
RUN_SECONDS = 0.5
MEMORY_GB = 2
UNITS = {"": 1, "million": 1_000_000, "GB": 1}


def row(title: str) -> list[float]:
    line = next(line for line in PAGE.splitlines() if line.startswith(f"| {title}"))
    return [number(cell) for cell in line.strip("|").split("|")[1:]]


def number(cell: str) -> float:
    match = re.search(r"\$?([\d.,]+)(?: (million|GB))?", cell)
    assert match is not None, cell
    return float(match[1].replace(",", "")) * UNITS[match[2] or ""]


def side_by_side() -> int:
    queues = load_rules(ROOT).queues
    return queues.batch_size + queues.threshold


def executions(people: int) -> float:
    return ROUNDS * (people + 1)


def gb_seconds(people: int) -> float:
    return ROUNDS * (people / (side_by_side() / RUN_SECONDS) + 1) * MEMORY_GB


@pytest.mark.parametrize(
    ("title", "quantity"),
    [
        ("executions |", executions),
        ("GB-s |", gb_seconds),
        ("table operations", lambda people: ROUNDS * people * 5),
        ("queue operations", lambda people: ROUNDS * people * 2.2),
        ("logs |", lambda people: executions(people) * 4 / 1_000_000),
        ("executions, at", lambda people: max(0, executions(people) - 250_000) * 0.4 / 1_000_000),
        ("GB-s, at", lambda people: max(0, gb_seconds(people) - 100_000) * 0.000026),
        ("storage operations", lambda people: ROUNDS * people * (5 * 0.00036 + 2.2 * 0.004) / 10_000),
        ("logs, at", lambda people: max(0, executions(people) * 4 / 1_000_000 - 5) * 2.76),
    ],
)
def test_a_row_is_what_its_assumptions_come_to(title: str, quantity: object) -> None:
    assert callable(quantity)
    for people, said in zip(PEOPLE, row(title), strict=True):
        assert said == pytest.approx(quantity(people), rel=0.05, abs=0.5)


def test_the_sums_are_the_sums() -> None:
    parts = ["executions, at", "GB-s, at", "storage operations", "storage, a few", "logs, at", "four alert rules", "vault"]
    for column, said in enumerate(row("**sum**")):
        assert said == pytest.approx(sum(row(part)[column] for part in parts), rel=0.1)
