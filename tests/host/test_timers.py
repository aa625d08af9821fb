"""Timer triggers follow NCRONTAB: six fields, UTC, one firing at a time."""

from datetime import UTC, datetime, timedelta

import pytest

from local.host.settings import SettingError
from local.host.timers import check_schedule, keep_firing, next_firing

START = datetime(2026, 3, 1, 10, 0, 30, tzinfo=UTC)  # a Sunday


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("0 */5 * * * *", datetime(2026, 3, 1, 10, 5, tzinfo=UTC)),
        ("*/15 * * * * *", datetime(2026, 3, 1, 10, 0, 45, tzinfo=UTC)),
        ("30 30 9 * * 1-5", datetime(2026, 3, 2, 9, 30, 30, tzinfo=UTC)),
        ("0 0 0 13 * 5", datetime(2026, 3, 13, tzinfo=UTC)),  # a Friday the 13th: both fields must match
    ],
)
def test_the_next_firing(schedule: str, expected: datetime) -> None:
    assert next_firing(schedule, START) == expected


@pytest.mark.parametrize("schedule", ["", "*/5 * * * *", "0 */5 * * * * *", "0 61 * * * *", "every five minutes and a half", "00:05:00"])
def test_what_is_no_schedule_is_named_with_what_would_be_one(schedule: str) -> None:
    with pytest.raises(SettingError, match="six fields"):
        check_schedule(schedule)


async def test_a_firing_that_comes_due_while_the_last_one_runs_is_left_out() -> None:
    now = START
    fired: list[datetime] = []

    class EndOfTest(Exception):
        pass

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += timedelta(seconds=seconds)

    async def fire() -> None:
        nonlocal now
        fired.append(now)
        now += timedelta(minutes=7)  # longer than the schedule's five
        if len(fired) == 3:
            raise EndOfTest

    with pytest.raises(EndOfTest):
        await keep_firing("0 */5 * * * *", fire, lambda: now, sleep)
    assert [moment.minute for moment in fired] == [5, 15, 25]


async def test_a_sleep_that_ends_early_does_not_fire_twice() -> None:
    now = START
    fired: list[datetime] = []

    class EndOfTest(Exception):
        pass

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += timedelta(seconds=seconds - 0.002)

    async def fire() -> None:
        fired.append(now + timedelta(seconds=0.5))
        if len(fired) == 2:
            raise EndOfTest

    with pytest.raises(EndOfTest):
        await keep_firing("0 */5 * * * *", fire, lambda: now, sleep)
    assert [moment.minute for moment in fired] == [5, 10]
