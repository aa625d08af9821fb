"""Dates and times as Salesforce writes and reads them.

Why this file exists: a datetime is kept as the text Salesforce answers (`2026-01-01T12:00:00.000+0000`), which sorts as
time does; parsing and HTTP dates are in one place. It takes no time from anywhere.
"""

import re
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime

_MOST_UNITS = 10_000
_DATETIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)")


def to_stamp(moment: datetime) -> str:
    """A system stamp: one-second resolution."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def from_stamp(stamp: str) -> datetime:
    return datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S.%f%z")


def parse_datetime(text: str) -> str | None:
    """An ISO 8601 datetime with a zone as a stamp (milliseconds kept), or None when it is none."""
    match = _DATETIME.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(match.group(index)) for index in range(1, 7))
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        zone = match.group(8).replace(":", "")
        if zone != "Z":
            offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5]))
            moment = moment - offset if zone[0] == "+" else moment + offset
    except (ValueError, OverflowError):
        return None
    milliseconds = ((match.group(7) or "") + "000")[:3]
    return moment.strftime(f"%Y-%m-%dT%H:%M:%S.{milliseconds}+0000").rjust(28, "0")


def parse_date(text: str) -> str | None:
    """A date `YYYY-MM-DD`, or None when it is none."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return None
    try:
        date.fromisoformat(text)
    except ValueError:
        return None
    return text


def to_http_date(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC).replace(microsecond=0), usegmt=True)


def parse_http_date(text: str) -> datetime | None:
    """An HTTP date, or None when it is none."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _months_later(day: date, months: int) -> date:
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def literal_range(name: str, count: int | None, today: date) -> tuple[date, date] | None:
    """First day and day after the last of a SOQL date literal in UTC, or None when there is no such literal.

    Source: SOQL and SOSL Reference, "Date Formats and Date Literals". Weeks begin on Sunday.
    """
    if count is not None and count > _MOST_UNITS:
        return None
    one = timedelta(days=1)
    week = today - timedelta(days=(today.weekday() + 1) % 7)
    month = today.replace(day=1)
    year = today.replace(month=1, day=1)
    if count is None:
        fixed = {
            "YESTERDAY": (today - one, today),
            "TODAY": (today, today + one),
            "TOMORROW": (today + one, today + 2 * one),
            "LAST_WEEK": (week - 7 * one, week),
            "THIS_WEEK": (week, week + 7 * one),
            "NEXT_WEEK": (week + 7 * one, week + 14 * one),
            "LAST_MONTH": (_months_later(month, -1), month),
            "THIS_MONTH": (month, _months_later(month, 1)),
            "NEXT_MONTH": (_months_later(month, 1), _months_later(month, 2)),
            "LAST_90_DAYS": (today - 90 * one, today + one),
            "NEXT_90_DAYS": (today + one, today + 91 * one),
            "LAST_YEAR": (year.replace(year=year.year - 1), year),
            "THIS_YEAR": (year, year.replace(year=year.year + 1)),
            "NEXT_YEAR": (year.replace(year=year.year + 1), year.replace(year=year.year + 2)),
        }
        return fixed.get(name)
    counted = {
        "LAST_N_DAYS": (today - count * one, today + one),
        "NEXT_N_DAYS": (today + one, today + (count + 1) * one),
        "N_DAYS_AGO": (today - count * one, today - (count - 1) * one),
        "LAST_N_WEEKS": (week - 7 * count * one, week),
        "NEXT_N_WEEKS": (week + 7 * one, week + 7 * (count + 1) * one),
        "LAST_N_MONTHS": (_months_later(month, -count), month),
        "NEXT_N_MONTHS": (_months_later(month, 1), _months_later(month, count + 1)),
    }
    return counted.get(name)
