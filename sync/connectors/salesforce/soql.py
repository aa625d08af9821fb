"""SOQL: literals, conditions and their way into a URL. It knows no object and no field of any kind.

Source: SOQL and SOSL Reference, "Quoted String Escape Sequences", "Date Formats and Date Literals".
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from urllib.parse import quote as percent_encode

_ESCAPES = str.maketrans({"\\": r"\\", "'": r"\'", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\b": r"\b", "\f": r"\f"})
_CONTROLS = dict.fromkeys([*range(0x20), 0x7F])
_WILDCARDS = str.maketrans({"%": r"\%", "_": r"\_"})
_PLAIN = "'(),:*!~/"
"""Left as they are in a query: RFC 3986 allows them there, and a list of ids is half as long. Never `@` and `{`: `@{x}` is a reference
to another step in a Composite request."""

MAX_ENCODED = 15_000
"""Characters of one encoded query; the service takes URIs of 16,384 bytes."""


def _escaped(text: str) -> str:
    """Control characters without an escape of their own would make the whole query malformed: they are left out."""
    return text.translate(_ESCAPES).translate(_CONTROLS)


def quoted(text: str) -> str:
    return f"'{_escaped(text)}'"


def containing(column: str, text: str) -> str:
    """`column` contains `text`, literally."""
    return f"{column} LIKE '%{_escaped(text).translate(_WILDCARDS)}%'"


def spread(column: str, words: str) -> str:
    """`column` holds these words in this order, from its beginning, whatever stands between and behind them."""
    return f"{column} LIKE '{'%'.join(_escaped(word).translate(_WILDCARDS) for word in words.split())}%'"


def among(column: str, values: Iterable[str]) -> str:
    return f"{column} IN ({','.join(quoted(value) for value in values)})"


def moment(when: datetime) -> str:
    """A dateTime literal: seconds, or milliseconds where there are some."""
    when = when.astimezone(UTC)
    return when.strftime("%Y-%m-%dT%H:%M:%S") + (f".{when.microsecond // 1000:03}Z" if when.microsecond >= 1000 else "Z")


def parse_moment(text: str) -> datetime:
    """A dateTime as the service writes it (`2026-01-01T12:00:00.000+0000`). Raises ValueError."""
    when = datetime.fromisoformat(text)
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def all_of(*conditions: str) -> str:
    """The conditions joined by AND, empty ones left out. Each is put into brackets: they come from different hands."""
    given = [condition for condition in conditions if condition]
    return given[0] if len(given) == 1 else " AND ".join(f"({condition})" for condition in given)


def any_of(conditions: Iterable[str]) -> str:
    return " OR ".join(conditions)


def select(columns: Sequence[str], source: str, where: str, tail: str = "") -> str:
    condition = f" WHERE {where}" if where else ""
    return f"SELECT {','.join(dict.fromkeys(columns))} FROM {source}{condition}{f' {tail}' if tail else ''}"


def encoded(query: str) -> str:
    return percent_encode(query, safe=_PLAIN, errors="replace")


def chunks(values: Sequence[str], spell: str = "{}", room: int = MAX_ENCODED - 1500, most: int = 500) -> list[list[str]]:
    """Split values so that each part fits into one query. `spell` shows what surrounds a value; `room` is in encoded characters."""
    parts: list[list[str]] = []
    left, surroundings = 0, len(encoded(spell.format("")))
    for value in values:
        size = len(encoded(value)) + surroundings
        if not parts or left < size or len(parts[-1]) >= most:
            parts.append([])
            left = room
        parts[-1].append(value)
        left -= size
    return parts
