"""Alerts that reach somebody, with values that exist, and a workbook that shows what it says."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from function_app import app
from tests.infra.tools import INFRA, SETS, only, resources

RULE = "Microsoft.Insights/scheduledQueryRules"
MINUTES = {"PT5M": 5, "PT15M": 15, "PT30M": 30, "PT1H": 60, "PT2H": 120, "PT6H": 360, "P1D": 1440, "P2D": 2880}
"""The windows and frequencies in use; the service looks back two days at most."""


def alerts(name: str) -> Mapping[str, Mapping[str, Any]]:
    beginning = only(name, "Microsoft.Insights/actionGroups")["name"].removesuffix("administrators")
    return {each["name"].removeprefix(beginning): each["properties"] for each in resources(name, RULE)}


@pytest.mark.parametrize("name", SETS)
def test_every_alert_reaches_somebody(name: str) -> None:
    group = only(name, "Microsoft.Insights/actionGroups")
    assert group["properties"]["emailReceivers"]
    assert all(mail["emailAddress"] for mail in group["properties"]["emailReceivers"])
    for alert in alerts(name).values():
        assert alert["actions"]["actionGroups"] == [group["id"]]
        assert alert["enabled"] is True


@pytest.mark.parametrize("name", SETS)
def test_windows_frequencies_and_severities_exist(name: str) -> None:
    """The types of the compiler accept any text here."""
    for alert in alerts(name).values():
        assert MINUTES[alert["evaluationFrequency"]] <= MINUTES[alert["windowSize"]] <= MINUTES["P2D"]
        assert alert["severity"] in range(5)
        assert alert["skipQueryValidation"] is True, "a new workspace lacks the tables"
        assert alert["scopes"] == [only(name, "Microsoft.Insights/components")["id"]]


@pytest.mark.parametrize("name", SETS)
def test_silence_is_noticed(name: str) -> None:
    """A dimension would make no series where there is nothing."""
    (condition,) = alerts(name)["no-round"]["criteria"]["allOf"]
    assert (condition["timeAggregation"], condition["operator"], condition["threshold"]) == ("Count", "LessThan", 1)
    assert "dimensions" not in condition
    assert "summarize" not in condition["query"], "a summary of nothing is a row"


def test_silence_of_half_an_hour_is_the_default() -> None:
    assert alerts("plain")["no-round"]["windowSize"] == "PT30M"


@pytest.mark.parametrize(("name", "calls"), [("plain", 40_000), ("private", 16_000)])
def test_the_salesforce_budget_alerts_at_four_fifths(name: str, calls: int) -> None:
    alert = alerts(name)["salesforce-budget"]
    (condition,) = alert["criteria"]["allOf"]
    assert (condition["timeAggregation"], condition["metricMeasureColumn"]) == ("Total", "calls")
    assert (condition["operator"], condition["threshold"], alert["windowSize"]) == ("GreaterThan", calls, "P1D")


@pytest.mark.parametrize("name", SETS)
def test_every_poison_queue_has_an_alert(name: str) -> None:
    """A poison queue is emptied by a function, whose executions are what the alert counts."""
    queues = {each["name"].rpartition("/")[2] for each in resources(name, "Microsoft.Storage/storageAccounts/queueServices/queues")}
    app.functions_bindings = {}  # else azure-functions takes a second look at the same app for functions of the same names
    serving = {
        binding["queueName"]: function.get_function_name()
        for function in app.get_functions()
        for binding in json.loads(function.get_function_json())["bindings"]
        if binding["type"] == "queueTrigger"
    }
    app.functions_bindings = {}
    poisoned = {queue for queue in queues if queue.endswith("-poison")}
    assert poisoned == {f"{queue}-poison" for queue in queues - poisoned}
    (condition,) = alerts(name)["poison-messages"]["criteria"]["allOf"]
    for queue in poisoned:
        assert f'name == "{serving[queue]}"' in condition["query"]


@pytest.mark.parametrize("name", SETS)
def test_the_workbook_shows_every_query_made_for_it(name: str) -> None:
    content = json.loads(only(name, "Microsoft.Insights/workbooks")["properties"]["serializedData"])
    parts = [each for each in content["items"] if each["type"] == 3]
    shown = [part["content"]["query"] for part in parts]
    assert sorted(shown) == sorted(path.read_text(encoding="utf-8") for path in INFRA.glob("queries/workbook-*.kql"))
    (choice,) = [each for each in content["items"] if each["type"] == 9]
    assert {part["content"]["timeContextFromParameter"] for part in parts} == {choice["content"]["parameters"][0]["name"]}


@pytest.mark.parametrize("name", SETS)
def test_every_query_made_for_an_alert_is_asked(name: str) -> None:
    asked = [alert["criteria"]["allOf"][0]["query"] for alert in alerts(name).values()]
    assert sorted(asked) == sorted(path.read_text(encoding="utf-8") for path in INFRA.glob("queries/alert-*.kql"))
