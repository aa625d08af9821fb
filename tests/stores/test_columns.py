from datetime import UTC, datetime, timedelta, timezone

import pytest

from sync.stores.columns import WIDTH, day, join, newest_first, oldest_first, shorten, span
from sync.stores.limits import units

TIMES = [
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(2026, 2, 28, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(2026, 3, 1, tzinfo=UTC),
    datetime(2026, 3, 1, 0, 0, 0, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
]


@pytest.mark.parametrize("text", ["", "short", "x" * WIDTH, "x" * (WIDTH + 1), "é" * (2 * WIDTH), "🙂" * WIDTH, "x" + "🙂" * WIDTH])
def test_a_text_of_any_length_spans_columns_and_comes_back(text: str) -> None:
    columns = span("Whole", text)
    assert join(columns, "Whole") == text
    assert all(units(part) <= WIDTH for part in columns.values())
    assert list(columns) == ["Whole", "Whole2", "Whole3"][: len(columns)]
    assert len(columns) == max(1, -(-units(text) // WIDTH)) or text.startswith("x🙂")


def test_a_text_that_was_never_written_is_empty() -> None:
    assert join({"Other": "x", "Whole2": "y"}, "Whole") == ""


def test_a_long_text_is_shortened_with_an_ellipsis() -> None:
    assert shorten("x" * 1000) == "x" * 1000
    assert shorten("x" * 1001) == "x" * 999 + "…"


def test_keys_of_times_sort_as_the_times_do() -> None:
    assert sorted(map(oldest_first, TIMES)) == [oldest_first(time) for time in TIMES]
    assert sorted(map(newest_first, TIMES)) == [newest_first(time) for time in reversed(TIMES)]
    assert len({len(key) for time in TIMES for key in (oldest_first(time), newest_first(time))}) == 1


def test_a_day_is_the_day_in_utc() -> None:
    assert day(datetime(2026, 3, 1, 1, tzinfo=timezone(timedelta(hours=2)))) == "2026-02-28"
