"""Timer triggers: six-field NCRONTAB in UTC, one firing at a time.

Not done here, unlike the real host: schedules are not remembered in blob storage, so that what was missed while the
host was down is not caught up with, and several hosts on one storage account do not take turns.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from croniter import CroniterError, croniter

from local.host.settings import SettingError


def check_schedule(schedule: str) -> None:
    """Raises `SettingError`."""
    try:
        next_firing(schedule, datetime(2026, 1, 1, tzinfo=UTC))
    except (CroniterError, ValueError, KeyError) as error:
        raise SettingError(
            f"the schedule '{schedule}' is not NCRONTAB with six fields (second minute hour day month weekday), "
            f"like '0 */5 * * * *': {error}"
        ) from None


def next_firing(schedule: str, after: datetime) -> datetime:
    """The first moment after `after`. A day must match both the day and the weekday field, as in NCRONTAB."""
    if len(schedule.split()) != 6:
        raise ValueError(f"it has {len(schedule.split())} fields")
    moment: datetime = croniter(schedule, after, ret_type=datetime, day_or=False, second_at_beginning=True).get_next()
    return moment


async def keep_firing(
    schedule: str,
    fire: Callable[[], Awaitable[None]],
    now: Callable[[], datetime],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Fires until cancelled. A firing that comes due while the last one still runs is left out."""
    due = next_firing(schedule, now())
    while True:
        await sleep(max(0.0, (due - now()).total_seconds()))
        await fire()
        due = next_firing(schedule, max(now(), due))  # sleep may end a moment early by the wall clock
