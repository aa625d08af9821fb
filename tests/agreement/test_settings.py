"""`shared.settings.KNOWN`, what `load` reads, `local.settings.example.json`, the README and the infrastructure name the same settings."""

import json
import re
from collections.abc import Iterator, Mapping

import pytest

from local.stack.process import ROOT
from shared.settings import KNOWN, STORAGE, SettingsInvalid, load
from tests.agreement.pages import cells, section

PLATFORM = {"FUNCTIONS_WORKER_RUNTIME"}
"""Settings of the Functions host that the example needs, and no settings of the product."""
INSTEAD = {name for name in KNOWN if name.startswith(f"{STORAGE}__")} | {"AZURE_CLIENT_CERTIFICATE_PATH"}
"""Not in the example, since they stand in the place of another that is; empty ones would confuse the host. The README has them."""


class Recorder(Mapping[str, str]):
    """An environment that remembers which names it was asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values, self.asked = values, set[str]()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def read_by_load() -> set[str]:
    asked: set[str] = set()
    for values in ({}, {f"{STORAGE}__accountName": "tandem"}):
        environment = Recorder(values)
        with pytest.raises(SettingsInvalid):
            load(environment)
        asked |= environment.asked
    return asked


def test_the_code_reads_exactly_the_settings_that_are_not_merely_passed_on() -> None:
    passed = {name for name, setting in KNOWN.items() if setting.passed}
    assert read_by_load() - passed == set(KNOWN) - passed


def test_the_example_lists_every_setting_once_and_no_other() -> None:
    values = json.loads((ROOT / "local.settings.example.json").read_text())["Values"]
    assert set(values) - PLATFORM == set(KNOWN) - INSTEAD


def test_the_example_shows_defaults_and_holds_nothing_that_would_have_to_be_changed_back() -> None:
    """A value that is derived when it is absent is left empty: else it would be wrong for some who change only its neighbour."""
    values = json.loads((ROOT / "local.settings.example.json").read_text())["Values"]
    assert values[STORAGE] == "UseDevelopmentStorage=true"
    shown = {name: value for name, value in values.items() if name not in PLATFORM | {STORAGE}}
    assert shown == {name: KNOWN[name].default for name in shown}


def test_the_example_says_nothing_but_what_is_missing() -> None:
    """Somebody who copies it is told of exactly what they still have to fill in."""
    values = json.loads((ROOT / "local.settings.example.json").read_text())["Values"]
    with pytest.raises(SettingsInvalid) as invalid:
        load(values)
    assert {problem.setting for problem in invalid.value.problems} == {name for name, setting in KNOWN.items() if setting.required}


def test_the_readme_describes_every_setting_in_the_words_of_the_code() -> None:
    rows = cells(section("README.md", "Settings of the app"))
    assert [row[0].strip("`") for row in rows] == list(KNOWN)
    for (name, setting), row in zip(KNOWN.items(), rows, strict=True):
        expected = setting.description
        if setting.required:
            expected += " **Required.**"
        if setting.default:
            expected += f" Default: `{setting.default}`."
        assert row[1] == expected, name


def test_the_infrastructure_sets_no_setting_that_is_unknown() -> None:
    named: set[str] = set()
    for path in sorted((ROOT / "infra").rglob("*.bicep")):
        named |= set(re.findall(r"^\s*((?:SYNC|SALESFORCE|GRAPH)_[A-Z_]+):", path.read_text(encoding="utf-8"), re.MULTILINE))
    assert "SYNC_SCHEDULE" in named
    assert named <= set(KNOWN)


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "docs").glob("*.md")))
def test_the_pages_name_no_setting_that_is_unknown(name: str) -> None:
    named = set(
        re.findall(r"`((?:SYNC|SALESFORCE|GRAPH|AzureWebJobsStorage)_+[A-Za-z_]+)`", (ROOT / "docs" / name).read_text(encoding="utf-8"))
    )
    assert named <= set(KNOWN)
