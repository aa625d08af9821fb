"""Settings come from the environment and local.settings.json, the host's rules from host.json; what is wrong is named."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from local.host.settings import (
    QueueRules,
    SettingError,
    check_connection,
    find_connection,
    find_endpoint,
    load_rules,
    load_settings,
    resolve,
)

ROOT = Path(__file__).resolve().parents[2]


def write(folder: Path, name: str, value: Any) -> Path:
    (folder / name).write_text(value if isinstance(value, str) else json.dumps(value))
    return folder


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    write(tmp_path, "local.settings.json", {"Values": {"A": "file", "B": "file"}})
    assert load_settings(tmp_path, {"A": "environment"}) == {"A": "environment", "B": "file"}


def test_without_the_file_the_environment_is_all(tmp_path: Path) -> None:
    assert load_settings(tmp_path, {"A": "x"}) == {"A": "x"}


@pytest.mark.parametrize("content", ["{", '{"Values": {"A": 1}}', "[]"])
def test_a_broken_file_is_named(tmp_path: Path, content: str) -> None:
    with pytest.raises(SettingError, match=r"local\.settings\.json"):
        load_settings(write(tmp_path, "local.settings.json", content), {})


def test_percent_names_are_replaced() -> None:
    assert resolve("a-%X%-%Y%", {"X": "1", "Y": "2"}) == "a-1-2"


@pytest.mark.parametrize("settings", [{}, {"X": ""}])
def test_a_setting_that_is_missing_is_named(settings: dict[str, str]) -> None:
    with pytest.raises(SettingError, match="set X in the environment"):
        resolve("%X%", settings)


def test_a_connection_may_leave_out_the_prefix() -> None:
    assert find_connection("Storage", {"AzureWebJobsStorage": "c"}) == "c"
    with pytest.raises(SettingError, match="Other is not set"):
        find_connection("Other", {"AzureWebJobsStorage": "c"})


def test_a_connection_may_be_made_with_an_identity_instead() -> None:
    assert find_endpoint("S", {"S__accountName": "acme"}) == "https://acme.queue.core.windows.net"
    assert find_endpoint("S", {"S__accountName": "acme", "S__queueServiceUri": "https://q"}) == "https://q"
    assert find_endpoint("S", {"S": "a connection string"}) is None
    check_connection("S", {"S__accountName": "acme"})
    with pytest.raises(SettingError, match="S is not set"):
        check_connection("S", {})


def test_the_projects_own_rules_are_read() -> None:
    rules = load_rules(ROOT)
    expected = QueueRules(
        batch_size=8,
        new_batch_threshold=4,
        max_dequeue_count=5,
        retry_delay=timedelta(seconds=30),
        max_polling_interval=timedelta(seconds=10),
        base64=False,
    )
    assert rules.queues == expected
    assert rules.function_timeout == timedelta(minutes=10)


def test_what_host_json_leaves_out_is_as_on_the_real_host(tmp_path: Path) -> None:
    rules = load_rules(write(tmp_path, "host.json", {"version": "2.0"}))
    assert rules.queues == QueueRules()
    assert (rules.queues.batch_size, rules.queues.max_dequeue_count, rules.queues.base64) == (16, 5, True)
    assert rules.route_prefix == "api"


@pytest.mark.parametrize(
    ("queues", "named"),
    [
        ({"batchSize": 33}, "batchSize"),
        ({"batchSize": "8"}, "batchSize"),
        ({"visibilityTimeout": 30}, "visibilityTimeout"),
        ({"visibilityTimeout": "30s"}, "visibilityTimeout"),
        ({"messageEncoding": "utf8"}, "messageEncoding"),
        ({"batchsize": 8}, "batchsize"),
    ],
)
def test_a_wrong_rule_is_named(tmp_path: Path, queues: dict[str, Any], named: str) -> None:
    write(tmp_path, "host.json", {"version": "2.0", "extensions": {"queues": queues}})
    with pytest.raises(SettingError, match=named):
        load_rules(tmp_path)
