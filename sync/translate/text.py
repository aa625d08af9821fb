"""Canonical forms of values, the same for every kind."""

import re
from typing import Any

from shared.records import Value

HALF = re.compile("[\ud800-\udfff]")


def canonical(value: Any) -> Value:
    """Text without surrounding blanks and with `\\n` line ends; None for what is empty. Salesforce trims and turns '' into null itself."""
    if value is None:
        return None
    text = str(value).replace("\r\n", "\n").replace("\r", "\n").strip()
    return (text if text.isascii() else whole(text)) or None


def whole(text: str) -> str:
    """Text in which U+FFFD stands for half a character: clients that cut texts by UTF-16 units leave such halves."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace") if HALF.search(text) else text


def date_part(value: Any) -> Value:
    """The date of a date or date-time as it stands: a date is never shifted into a zone."""
    text = canonical(value)
    return text[:10] if text else None


def cut(value: Value, length: int) -> Value:
    """At most `length` as Salesforce counts, without a torn character or a trailing blank at the end. 0: no limit."""
    if value is None or not length or salesforce_length(value) <= length:
        return value
    units = value.replace("\n", "\r\n").encode("utf-16-le")
    return canonical(units[: 2 * length].decode("utf-16-le", errors="ignore"))


def salesforce_length(text: str) -> int:
    """UTF-16 units, a line end as two: Salesforce keeps it as carriage return and line feed."""
    units = len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2
    return units + text.count("\n")
