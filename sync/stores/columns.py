"""How things are written into plain columns and keys: long texts, times that sort. It knows no table.

A long text spans the columns `Name`, `Name2`, `Name3` …, so that it stays readable in Storage Explorer and is put together again without
a count: the columns are read until one is missing.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from sync.ports import Scalar

WIDTH = 32_000
"""UTF-16 units in one column; the service takes 32,768."""

_EPOCH = datetime(1, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LAST_TICK = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_DIGITS = len(str(_LAST_TICK))


def span(name: str, text: str) -> dict[str, str]:
    """A text as columns of at most 32,000 UTF-16 units. A character is never torn; an empty text is one empty column."""
    parts = list(_cut(text)) or [""]
    return {name if number == 1 else f"{name}{number}": part for number, part in enumerate(parts, 1)}


def join(values: Mapping[str, Scalar], name: str) -> str:
    """The text that `span` wrote; empty if there is none."""
    parts = []
    column = name
    while isinstance(part := values.get(column), str):
        parts.append(part)
        column = f"{name}{len(parts) + 1}"
    return "".join(parts)


def _cut(text: str) -> Iterator[str]:
    if text.isascii():
        yield from (text[start : start + WIDTH] for start in range(0, len(text), WIDTH))
        return
    start = size = 0
    for place, letter in enumerate(text):
        more = 2 if letter > "\uffff" else 1
        if size + more > WIDTH:
            yield text[start:place]
            start, size = place, 0
        size += more
    yield text[start:]


def shorten(text: str, length: int = 1000) -> str:
    """At most `length` characters; a longer text ends in an ellipsis."""
    return text if len(text) <= length else text[: length - 1] + "…"


def oldest_first(time: datetime) -> str:
    """A key part that sorts by time: microseconds since the year 1, of a fixed width."""
    return f"{(time.astimezone(UTC) - _EPOCH) // _MICROSECOND:0{_DIGITS}}"


def newest_first(time: datetime) -> str:
    """A key part that sorts the newest first."""
    return f"{_LAST_TICK - (time.astimezone(UTC) - _EPOCH) // _MICROSECOND:0{_DIGITS}}"


def day(time: datetime) -> str:
    """The day in UTC, as YYYY-MM-DD."""
    return f"{time.astimezone(UTC):%Y-%m-%d}"
