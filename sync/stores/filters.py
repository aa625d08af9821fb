"""Conditions of scans: how a value is written in OData, and what a condition means for a row.

The second half serves the twin in memory, which has to select what the service selects. Supported are comparisons of plain columns
joined by `and`; nothing here knows a table. A comparison with a column that a row does not have is false, whatever the operator.
"""

import operator
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sync.ports import Row, Scalar

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}
_CONDITION = re.compile(
    r"\s*(?P<column>\w+)\s+(?P<operator>eq|ne|lt|le|gt|ge)\s+"
    r"(?P<literal>datetime'[^']*'|'(?:[^']|'')*'|true|false|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?L?)\s*(?:\band\b|$)"
)


def literal(value: Scalar) -> str:
    """A value as OData writes it. Quotes in texts are doubled."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return "'" + value.replace("'", "''") + "'"
        case datetime():
            return f"datetime'{value.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%S.%fZ')}'"
        case int():
            return str(value) if -(2**31) <= value < 2**31 else f"{value}L"
        case float():
            return repr(value)


def compare(column: str, how: str, value: Scalar) -> str:
    """One comparison; `how` is eq, ne, lt, le, gt or ge."""
    if how not in _COMPARE:
        raise ValueError(f"not a comparison: {how!r}")
    return f"{column} {how} {literal(value)}"


def both(*conditions: str) -> str:
    """The conditions that are not empty, joined by `and`."""
    return " and ".join(condition for condition in conditions if condition)


def ordinal(text: str) -> bytes:
    """The order in which the service sorts texts: by UTF-16 unit."""
    return text.encode("utf-16-be", "surrogatepass")


def matcher(where: str) -> Callable[[Row], bool]:
    """What a condition means: a function that says whether it holds for a row. Raises ValueError for what is not supported."""
    tests: list[tuple[str, Callable[[Any, Any], bool], Scalar]] = []
    position = 0
    while position < len(where):
        found = _CONDITION.match(where, position)
        if found is None:
            raise ValueError(f"not a supported condition: {where[position:]!r}")
        tests.append((found["column"], _COMPARE[found["operator"]], _read(found["literal"])))
        position = found.end()
    return lambda row: all(name in row and _holds(row[name], test, value) for name, test, value in tests)


def _read(text: str) -> Scalar:
    if text in {"true", "false"}:
        return text == "true"
    if text.startswith("'"):
        return text[1:-1].replace("''", "'")
    if text.startswith("datetime'"):
        return datetime.fromisoformat(text[9:-1])
    return int(text.removesuffix("L")) if re.fullmatch(r"-?\d+L?", text) else float(text)


def _holds(here: Scalar, test: Callable[[Any, Any], bool], there: Scalar) -> bool:
    if isinstance(here, str) and isinstance(there, str):
        return test(ordinal(here), ordinal(there))
    numbers = isinstance(here, (int, float)) and isinstance(there, (int, float))
    if (numbers and isinstance(here, bool) == isinstance(there, bool)) or (isinstance(here, datetime) and isinstance(there, datetime)):
        return test(here, there)
    return False
