"""Comparing values as SOQL does: what a literal may be compared with, and how.

Why this file exists: the rules of comparison – case, nulls, types, date literals – hold for a value however it was reached.
It knows no records, no paths, no sharing. Source: SOQL and SOSL Reference, "Comparison Operators", "Date Formats".
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, NoReturn

from local.sandbox.salesforce.errors import Code, refuse
from local.sandbox.salesforce.ids import to_18
from local.sandbox.salesforce.schema import NUMBER_TYPES, TEXT_TYPES, Field, FieldType
from local.sandbox.salesforce.soql import Compare, Condition, Junction, Literal, LiteralKind, malformed
from local.sandbox.salesforce.times import literal_range

Test = Callable[[Mapping[str, Any]], bool]
Getter = Callable[[Mapping[str, Any]], Any]


def comparison(get: Getter, field: Field, op: str, value: Literal, today: date) -> Test:
    """The test of `get(row) op value`. Raises Refusal when the field cannot be compared so."""
    if value.kind is LiteralKind.NULL:
        if op not in ("=", "!="):
            raise refuse(400, Code.INVALID_QUERY_FILTER_OPERATOR, f"invalid operator on null value of field {field.name}")
        return (lambda row: get(row) is None) if op == "=" else (lambda row: get(row) is not None)
    if op == "LIKE":
        return _like(get, field, value)
    if value.kind is LiteralKind.DATE_LITERAL:
        return _in_range(get, field, op, value, today)
    wanted = _comparable(field, value)
    if field.type is FieldType.BOOLEAN and op not in ("=", "!="):
        raise refuse(400, Code.INVALID_QUERY_FILTER_OPERATOR, f"invalid operator on boolean field {field.name}")
    fold = field.type in TEXT_TYPES and not field.case_sensitive

    def here(row: Mapping[str, Any]) -> Any:
        current = get(row)
        return current.lower() if fold and current is not None else current

    if op == "=":
        return lambda row: here(row) == wanted
    if op == "!=":
        return lambda row: here(row) != wanted
    if wanted is None:
        return lambda row: False
    if op == "<":
        return lambda row: (current := here(row)) is not None and current < wanted
    if op == "<=":
        return lambda row: (current := here(row)) is not None and current <= wanted
    if op == ">":
        return lambda row: (current := here(row)) is not None and current > wanted
    return lambda row: (current := here(row)) is not None and current >= wanted


def _in_range(get: Getter, field: Field, op: str, value: Literal, today: date) -> Test:
    span = literal_range(value.text, value.count, today)
    if span is None:
        malformed(f"unexpected token: '{value.text}'")
    if field.type not in (FieldType.DATE, FieldType.DATETIME):
        _wrong_type(field, "a quoted string" if field.type in TEXT_TYPES else field.type.value)
    first, after = (_day(field, day) for day in span)
    tests: dict[str, Test] = {
        "=": lambda row: (current := get(row)) is not None and first <= current < after,
        "!=": lambda row: (current := get(row)) is None or not first <= current < after,
        "<": lambda row: (current := get(row)) is not None and current < first,
        "<=": lambda row: (current := get(row)) is not None and current < after,
        ">": lambda row: (current := get(row)) is not None and current >= after,
        ">=": lambda row: (current := get(row)) is not None and current >= first,
    }
    return tests[op]


def membership(get: Getter, field: Field, values: tuple[Literal, ...], today: date, *, negated: bool) -> Test:
    """The test of `get(row) [NOT] IN values`; a set where the values allow it. Raises Refusal as `comparison` does."""
    if all(value.kind is LiteralKind.STRING for value in values) and field.type in (TEXT_TYPES | {FieldType.ID, FieldType.REFERENCE}):
        fold = field.type in TEXT_TYPES and not field.case_sensitive
        test = _member_test(get, {_comparable(field, value) for value in values}, fold)
    else:
        test = _any_of([comparison(get, field, "=", value, today) for value in values])
    return (lambda row: not test(row)) if negated else test


def earliest_stamp(condition: Condition | None) -> str | None:
    """A SystemModstamp before which no row can satisfy the condition, None when there is none to be seen."""
    if isinstance(condition, Compare):
        bounded = (
            condition.path.lower() == "systemmodstamp" and condition.op in ("=", ">", ">=") and condition.value.kind is LiteralKind.DATETIME
        )
        return condition.value.text if bounded else None
    if not isinstance(condition, Junction) or condition.op == "NOT":
        return None
    bounds = [earliest_stamp(part) for part in condition.parts]
    known = [bound for bound in bounds if bound is not None]
    if condition.op == "AND":
        return max(known, default=None)
    return min(known) if len(known) == len(bounds) else None


def _any_of(tests: list[Test]) -> Test:
    return lambda row: any(test(row) for test in tests)


def _member_test(get: Getter, wanted: set[Any], fold: bool) -> Test:
    if fold:
        return lambda row: (value.lower() if (value := get(row)) is not None else None) in wanted
    return lambda row: get(row) in wanted


def _day(field: Field, day: date) -> str:
    return day.isoformat() if field.type is FieldType.DATE else f"{day.isoformat()}T00:00:00.000+0000"


def _wrong_type(field: Field, wanted: str) -> NoReturn:
    raise refuse(400, Code.INVALID_FIELD, f"value of filter criterion for field '{field.name}' must be of type {wanted}")


def _comparable(field: Field, value: Literal) -> Any:
    """The literal as a value of the field's type. Raises Refusal when it is written as another type."""
    kind, expected = value.kind, field.type
    if expected in (FieldType.ID, FieldType.REFERENCE):
        if kind is not LiteralKind.STRING:
            _wrong_type(field, "string and should be enclosed in quotes")
        if value.text == "":
            return None
        row_id = to_18(value.text)
        if row_id is None:
            raise refuse(400, Code.INVALID_QUERY_FILTER_OPERATOR, f"invalid ID field: {value.text}")
        return row_id
    if expected in TEXT_TYPES:
        if kind is not LiteralKind.STRING:
            _wrong_type(field, "string and should be enclosed in quotes")
        return (value.text if field.case_sensitive else value.text.lower()) or None
    if expected is FieldType.BOOLEAN:
        if kind is not LiteralKind.BOOLEAN:
            _wrong_type(field, "boolean and should not be enclosed in quotes")
        return value.text == "TRUE"
    if expected in NUMBER_TYPES:
        if kind is not LiteralKind.NUMBER:
            _wrong_type(field, f"{expected.value} and should not be enclosed in quotes")
        return float(value.text)
    if expected is FieldType.DATE:
        if kind is not LiteralKind.DATE:
            _wrong_type(field, "date and should not be enclosed in quotes")
        return value.text
    if kind is not LiteralKind.DATETIME:
        _wrong_type(field, "dateTime and should not be enclosed in quotes")
    return value.text


def _like(get: Getter, field: Field, value: Literal) -> Test:
    if field.type not in TEXT_TYPES:
        raise refuse(400, Code.INVALID_QUERY_FILTER_OPERATOR, f"invalid operator on {field.type.value} field {field.name}")
    if value.kind is not LiteralKind.STRING:
        _wrong_type(field, "string and should be enclosed in quotes")
    expression, escaped = "", False
    for char in value.pattern:
        if not escaped and char == "\\":
            escaped = True
            continue
        expression += re.escape(char) if escaped or char not in "%_" else ".*" if char == "%" else "."
        escaped = False
    matches = re.compile(expression, re.IGNORECASE | re.DOTALL).fullmatch
    return lambda row: (current := get(row)) is not None and matches(current) is not None
