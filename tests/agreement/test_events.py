"""The events of the log, the page for operators and the queries of the infrastructure agree."""

import re
from pathlib import Path

import pytest

from local.stack.process import ROOT
from shared.logs import EVENTS
from tests.agreement.pages import cells, section

QUERIES = sorted((ROOT / "infra" / "queries").glob("*.kql"))


def test_the_page_lists_every_event_with_its_keys() -> None:
    rows = cells(section("docs/operations.md", "Log events"))
    assert {row[0].strip("`"): tuple(re.findall(r"`(\w+)`", row[1])) for row in rows} == dict(EVENTS)
    assert all(row[2] for row in rows), "and what it means"


@pytest.mark.parametrize("query", QUERIES, ids=lambda path: path.stem)
def test_a_query_asks_for_events_and_keys_that_exist(query: Path) -> None:
    text = query.read_text(encoding="utf-8")
    events = set(re.findall(r'tostring\(e\.event\) == "(\w+)"', text))
    assert events <= set(EVENTS)
    keys = {key for event in events for key in EVENTS[event]}
    assert set(re.findall(r"\be\.(\w+)", text)) - {"event"} <= keys


def test_there_are_queries() -> None:
    assert len(QUERIES) > 5
