"""Die at every IO call, before and after its effect; lose every answer; let every effect come late: the end is always the same.

`make test` disturbs every STRIDE-th call and begins at another one for each kind of trouble; with TANDEM_SOAK set it is every call.
"""

import os
from collections.abc import Mapping
from functools import cache

import pytest

from tests.crash.scenario import Ended, http_calls, run
from tests.engine.weather import Fate

STRIDE = 1 if os.environ.get("TANDEM_SOAK") else 2

DEATHS = (Fate.DIED_BEFORE, Fate.DIED_AFTER)
LOST = (Fate.CUT_BEFORE, Fate.CUT_AFTER, Fate.FAILED_AFTER, Fate.LATE)


@cache
def undisturbed(with_package: bool) -> Ended:
    return run(with_package=with_package)


def points(calls: tuple[str, ...], fate: Fate) -> list[int]:
    """The calls that a kind of trouble can strike: an answer can be lost on the way from a vendor, a process can die anywhere."""
    return list(range(len(calls))) if fate in DEATHS else http_calls(calls)


def differences(wanted: Mapping[str, object], got: Mapping[str, object]) -> list[str]:
    return [f"{name}: {wanted[name]} became {got[name]}" for name in wanted if wanted[name] != got[name]]


@pytest.mark.parametrize("with_package", [True, False], ids=["with the key", "without the key"])
def test_the_undisturbed_round_does_everything_it_should(with_package: bool) -> None:
    ended = undisturbed(with_package)
    links = ended.content["links"]
    assert len(ended.calls) > 60
    assert len(http_calls(ended.calls)) > 20
    assert ended.content["count"] == 0
    assert ended.content["open"] == []
    assert ended.content["errors"] == []
    assert ended.content["folders"] == ["Contacts", "Salesforce Contacts"]
    assert links == sorted(
        [
            f"{n} active"
            for n in ("Conflict", "EditedInOutlook", "EditedInSalesforce", "Matched", "NewInOutlook", "NewInSalesforce", "OptedIn")
        ]
        + ["MovedOut opted out"]
    )
    assert any("settled conflict job_title outlook" in one for one in ended.content["conflicts"])


@pytest.mark.parametrize("with_package", [True, False], ids=["with the key", "without the key"])
@pytest.mark.parametrize("fate", DEATHS, ids=lambda fate: fate.value)
def test_a_process_that_dies_at_any_call_changes_nothing_in_the_end(fate: Fate, with_package: bool) -> None:
    disturb(fate, with_package)


@pytest.mark.parametrize("with_package", [True, False], ids=["with the key", "without the key"])
@pytest.mark.parametrize("fate", LOST, ids=lambda fate: fate.value)
def test_an_answer_that_is_lost_at_any_request_changes_nothing_in_the_end(fate: Fate, with_package: bool) -> None:
    disturb(fate, with_package)


def disturb(fate: Fate, with_package: bool) -> None:
    wanted = undisturbed(with_package)
    first = ((*DEATHS, *LOST).index(fate) + with_package) % STRIDE
    found: list[str] = []
    for at in points(wanted.calls, fate)[first::STRIDE]:
        ended = run(with_package=with_package, at=at, fate=fate)
        found += [f"{fate} at call {at} ({wanted.calls[at]}): {text}" for text in differences(wanted.content, ended.content)]
    assert found == []
