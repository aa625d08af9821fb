"""Every query of alerts, workbook and pages is understood by Kusto's own analysis, and asks for events and keys that the code emits.

A log line is JSON in `message`, and members of a dynamic value go unchecked. So before the analysis `e.<key>` becomes a column named after
event and key, and the table has exactly those columns that shared/logs.py knows.
"""

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from shared.logs import EVENTS
from sync.stores.runs import Result
from tests.infra.tools import CHECKS, INFRA, ROOT, node

COMMON = {
    "timestamp": "datetime",
    "itemType": "string",
    "itemId": "string",
    "itemCount": "int",
    "customDimensions": "dynamic",
    "customMeasurements": "dynamic",
    "operation_Name": "string",
    "operation_Id": "string",
    "operation_ParentId": "string",
    "cloud_RoleName": "string",
    "cloud_RoleInstance": "string",
    "appName": "string",
    "_ResourceId": "string",
}
"""Columns of Application Insights (learn.microsoft.com/azure/azure-monitor/app/data-model-complete) that a query here may want."""
TABLES: Mapping[str, Mapping[str, str]] = {
    "traces": {"message": "string", "severityLevel": "int"},
    "requests": {"id": "string", "name": "string", "success": "string", "resultCode": "string", "duration": "real"},
    "exceptions": {"type": "string", "outerMessage": "string", "outerType": "string", "innermostMessage": "string", "problemId": "string"},
}
OPENING = "extend e = parse_json(message)"
PAGES = ["README.md", *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md"))]


def queries() -> Mapping[str, str]:
    """All there are, by where they stand."""
    found = {path.name: path.read_text(encoding="utf-8") for path in sorted(INFRA.glob("queries/*.kql"))}
    for page in PAGES:
        blocks = re.findall(r"^ *```(?:kusto|kql)\n(.*?)^ *```$", (ROOT / page).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        found.update({f"{page} {number}": block for number, block in enumerate(blocks, start=1)})
    return found


QUERIES = queries()


class Unknown(Exception):
    """An event or a key that the code does not emit."""


def columns(query: str) -> str:
    """The query with `e.<key>` as a column of its event. Raises Unknown."""
    before, *segments = re.split(f"(?={re.escape(OPENING)})", query)
    done = before
    for segment in segments:
        events = re.findall(r'tostring\(e\.event\) == "(\w+)"', segment)
        if unknown := set(events) - set(EVENTS):
            raise Unknown(f"the code has no event {sorted(unknown)}")
        if not events:
            raise Unknown("no event is named")

        def column(match: re.Match[str], events: Sequence[str] = events) -> str:
            key = match[1]
            if key == "event":
                return "e_event"
            having = [event for event in events if key in EVENTS[event]]
            return f"e_{(having or events)[0]}_{key}"

        done += re.sub(r"\be\.(\w+)", column, segment)
    return done


def schema() -> dict[str, dict[str, str]]:
    keys = {f"e_{event}_{key}": "dynamic" for event, known in EVENTS.items() for key in known}
    tables = {name: {**COMMON, **own} for name, own in TABLES.items()}
    tables["traces"] |= {"e_event": "dynamic", **keys}
    return tables


def analyse(asked: Mapping[str, str]) -> Mapping[str, Sequence[str]]:
    found: Mapping[str, Sequence[str]] = node(CHECKS / "kusto.cjs", given=_json({"tables": schema(), "queries": asked}))
    return found


def _json(value: Any) -> str:
    import json  # noqa: PLC0415

    return json.dumps(value)


@functools.cache
def verdicts() -> Mapping[str, Sequence[str]]:
    return analyse({name: columns(query) for name, query in QUERIES.items()})


@pytest.mark.parametrize("name", QUERIES)
def test_kusto_understands_the_query(name: str) -> None:
    assert verdicts()[name] == []


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_asks_for_events_that_exist(name: str) -> None:
    """This much holds without the language service too."""
    assert columns(QUERIES[name])
    assert QUERIES[name].count("parse_json(message)") == QUERIES[name].count(OPENING), "a line read otherwise is not checked"


def test_the_analysis_sees_what_is_wrong() -> None:
    opening = f'traces | {OPENING} | where tostring(e.event) == "RunEnded"'
    found = analyse(
        {
            "good": columns(f"{opening} | summarize sum(tolong(e.graph)) by tostring(e.user)"),
            "a key of another event": columns(f"{opening} | summarize count() by tostring(e.code)"),
            "a key that does not exist": columns(f"{opening} | project e.grahp"),
            "a table that does not exist": "tracs | take 1",
            "not a query": "traces | summarise count()",
        }
    )
    assert [name for name, problems in found.items() if not problems] == ["good"]


def test_an_event_that_the_code_does_not_emit_is_seen() -> None:
    with pytest.raises(Unknown, match="RunBegan"):
        columns(f'traces | {OPENING} | where tostring(e.event) == "RunBegan"')


def test_results_of_runs_are_those_of_the_code() -> None:
    named = {
        word for query in QUERIES.values() for line in re.findall(r"e\.result\)[^\n]*", query) for word in re.findall(r'"(\w+)"', line)
    }
    assert named
    assert named <= {result.value for result in Result}


def test_counters_in_queries_are_those_of_the_code() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "sync").rglob("*.py"))
    counted = set(re.findall(r'"((?:To|DeletedIn)\w+)"', sources))
    named = {word for query in QUERIES.values() for word in re.findall(r'"((?:To|DeletedIn)\w+)"', query)}
    assert {"ToOutlookNew", "ToSalesforceUpdated"} <= named <= counted


def test_the_page_describes_every_event_and_every_alert() -> None:
    page = (ROOT / "docs" / "queries.md").read_text(encoding="utf-8")
    rows = {cells[1].strip().strip("`"): cells[3] for line in page.splitlines() if len(cells := line.split("|")) == 5}
    for event, keys in EVENTS.items():
        assert all(re.search(rf"`{key}`", rows[event]) for key in keys), event
    alerts = {path.stem.removeprefix("alert-") for path in INFRA.glob("queries/alert-*.kql")}
    assert alerts == {name.partition(" ")[0] for name in rows if name.partition(" ")[0] in alerts}
    assert all(f"*{title}*" in page for title in ("Nothing syncs at all", "One person does not sync", "Salesforce calls run out"))
