"""The measure's own arithmetic, its line protocol and its gauge: a bound that is broken is told."""

import re
import sys
from pathlib import Path

import pytest

from local.bench.child import Child, ChildFailedError
from local.bench.costs import MEGABYTE, Bound, Cost, Row, first_sync_bounds, memory_bounds, quiet_bounds, table_of, update_bounds, verdicts
from local.bench.gauge import Gauge, peak_memory

FINE = Cost(graph=260, graph_writes=250, salesforce=62, tables=353, cpu=4, peak=100 * MEGABYTE)
PLAIN = Cost(graph=5_000, cpu=40)


def broken(bounds: list[Bound]) -> list[str]:
    return [re.sub(r"^.*?: ", "", bound.what) for bound in bounds if not bound.kept]


def test_a_first_sync_within_its_bounds_breaks_none() -> None:
    assert broken(first_sync_bounds("first", 5_000, Row(title="first", ours=FINE, plain=PLAIN))) == []


@pytest.mark.parametrize(
    ("ours", "told"),
    [
        (Cost(graph_writes=263, cpu=4), "Graph writes ≤ N/20 + 5 %"),
        (Cost(salesforce=63, cpu=4), "Salesforce calls ≤ N/100 + N/2000 + 10"),
        (Cost(tables=354, cpu=4), "table requests ≤ N/15 + 20"),
        (Cost(cpu=8.1), "CPU ≤ 1/5 of the straightforward way's"),
    ],
)
def test_each_bound_of_a_first_sync_can_be_broken(ours: Cost, told: str) -> None:
    assert broken(first_sync_bounds("first", 5_000, Row(title="first", ours=ours, plain=PLAIN))) == [told]


def test_updates_have_a_call_for_each_25() -> None:
    assert broken(update_bounds("updates", 1_000, Cost(salesforce=50))) == []
    assert broken(update_bounds("updates", 1_000, Cost(salesforce=51))) == ["Salesforce calls ≤ N/25 + N/2000 + 10"]


def test_a_quiet_round_is_held_to_its_counts_and_to_its_cpu() -> None:
    quiet = Cost(graph=1, salesforce=1, tables=5, cpu=0.015)
    plain = Cost(cpu=0.01)
    assert broken(quiet_bounds(quiet, quiet, plain)) == []
    more = Cost(graph=2, salesforce=2, tables=6, cpu=0.021)
    assert broken(quiet_bounds(quiet, more, plain)) == [
        "Graph requests = 1",
        "Salesforce calls ≤ 1",
        "table requests ≤ 5",
        "CPU ≤ 2 × the straightforward way's",
        "the same counts with few and many links",
        "CPU with many links ≤ 1.2 × with few",
    ]
    assert "Graph requests = 1" in broken(quiet_bounds(Cost(cpu=0.01), Cost(cpu=0.01), plain))  # a round that asked nothing is none


def test_memory_may_neither_be_large_nor_grow() -> None:
    assert broken(memory_bounds(FINE, Cost(peak=119 * MEGABYTE))) == []
    assert broken(memory_bounds(FINE, Cost(peak=121 * MEGABYTE))) == ["many is as few, ± 20 %"]
    assert broken(memory_bounds(Cost(peak=201 * MEGABYTE), Cost(peak=202 * MEGABYTE))) == [
        "peak with few contacts ≤ 200 MB",
        "peak with many contacts ≤ 200 MB",
    ]


def test_a_sample_is_multiplied_and_its_memory_is_not() -> None:
    scaled = Cost(graph=10, salesforce=4, tables=20, cpu=0.5, wall=2, peak=7).scaled(3)
    assert scaled == Cost(graph=30, salesforce=12, tables=60, cpu=1.5, wall=6, peak=7)


def test_the_table_shows_both_ways_and_the_verdicts_name_what_is_broken() -> None:
    lines = table_of([Row(title="first sync", ours=FINE, plain=PLAIN)])
    assert "| first sync | Tandem | 260 (250) | 62 | 353 | 4.00 | 0.000 | 100 | 10.0 × |" in lines
    assert any("straightforward | 5,000 (0)" in line for line in lines)
    assert "**BROKEN**" in verdicts([Bound(what="x", measured=2, limit=1)])[-1]


def test_the_gauge_sees_the_work_of_this_process() -> None:
    gauge = Gauge()
    before = peak_memory()
    ballast = bytearray(b"x" * 64 * MEGABYTE)
    seen = gauge.read()
    assert seen["cpu"] > 0
    assert seen["peak"] >= before
    assert seen["peak"] >= len(ballast)


def test_a_child_that_fails_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    with Child("local.bench.worker", tmp_path / "worker.log", {}) as child, pytest.raises(ChildFailedError) as failed:
        child.ask("plan")
    assert "SettingsInvalid" in str(failed.value)


def test_what_is_measured_inherits_no_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "somebody's")
    monkeypatch.setenv("SALESFORCE_CLIENT_ID", "somebody's")
    program = "import json, os, sys; sys.stdin.readline(); print(json.dumps(sorted(os.environ)))"
    (tmp_path / "shows_environment.py").write_text(program)
    paths = {"PYTHONPATH": str(tmp_path), "PATH": sys.prefix}
    with Child("shows_environment", tmp_path / "child.log", paths) as child:
        names = child.ask("show")
    assert "PYTHONPATH" in names
    assert not {"AZURE_CLIENT_SECRET", "SALESFORCE_CLIENT_ID"} & set(names)
