"""What the platform itself checks in a value that is written, and how it stores it.

Why this file exists: the strictness of the simulator is here, field by field, driven by the schema. It knows neither the
other records nor the user's permissions on them (`records.py`), nor the customer's rules (`rules.py`).
Source: REST API Developer Guide; Object Reference, "Field Types"; error texts as captured from orgs.
"""

import re
from collections.abc import Mapping
from typing import Any

from local.sandbox.salesforce.errors import Code, Problem, Refusal, no_such_column, refuse
from local.sandbox.salesforce.ids import to_18
from local.sandbox.salesforce.schema import NUMBER_TYPES, TEXT_TYPES, Field, FieldType, ObjectType
from local.sandbox.salesforce.store import Values
from local.sandbox.salesforce.times import parse_date, parse_datetime

_ATOM = r"[A-Za-z0-9!#$%&'*/=?^_+`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+")
_BLANKS = "".join(map(chr, range(33)))
_JSON_NAMES = {
    bool: "VALUE_TRUE",
    int: "VALUE_NUMBER_INT",
    float: "VALUE_NUMBER_FLOAT",
    str: "VALUE_STRING",
    dict: "START_OBJECT",
    list: "START_ARRAY",
}


def deserialize(kind: ObjectType, payload: Mapping[str, Any], *, creating: bool) -> Values:
    """The payload by canonical field name, values still as sent; nested objects stay under the relationship's name.

    Raises Refusal: INVALID_FIELD for a name this user does not see, INVALID_FIELD_FOR_INSERT_UPDATE for what may not be
    written, JSON_PARSER_ERROR (for the whole request) for a value of another JSON type.
    """
    written: Values = {}
    refused = []
    for name, value in payload.items():
        if name == "attributes":
            continue
        if name.lower() == "id":
            raise refuse(400, Code.INVALID_FIELD, "The Id field should not be specified in the sobject data.")
        field = kind.field(name)
        if field is None:
            reference = next(
                (each for each in kind.fields.values() if each.relationship and each.relationship.lower() == name.lower()), None
            )
            if reference is None or not isinstance(value, dict):
                raise no_such_column(name, kind.name)
            field = reference
            written[reference.relationship or name] = value
        else:
            _check_json_type(field, value)
            written[field.name] = value
        if not (field.createable if creating else field.updateable):
            refused.append(field.name)
    if refused:
        names = ", ".join(refused)
        text = (
            f"Unable to create/update fields: {names}. Please check the security settings of this field and verify that it is "
            "read/write for your profile or permission set."
        )
        raise Refusal(400, Problem(code=Code.INVALID_FIELD_FOR_INSERT_UPDATE, message=text, fields=tuple(refused)))
    return written


def _check_json_type(field: Field, value: Any) -> None:
    if value is None:
        return
    if field.type is FieldType.BOOLEAN:
        fits = isinstance(value, bool)
    elif field.type is FieldType.INT:
        fits = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
    elif field.type in NUMBER_TYPES:
        fits = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
    elif field.type is FieldType.DATE:
        fits = isinstance(value, str) and (parse_date(value) is not None or not value.strip(_BLANKS))
    elif field.type is FieldType.DATETIME:
        fits = isinstance(value, str) and (parse_datetime(value) is not None or not value.strip(_BLANKS))
    else:
        fits = isinstance(value, str)
    if not fits:
        wanted = {FieldType.INT: "int", FieldType.CURRENCY: "double"}.get(field.type, field.type.value)
        text = (
            f"Cannot deserialize instance of {wanted if field.type not in TEXT_TYPES else 'string'} from {_JSON_NAMES[type(value)]} value "
            f"{value} or request may be missing a required field at [line:1, column:1]"
        )
        raise refuse(400, Code.JSON_PARSER_ERROR, text, whole=True)


def normalize(kind: ObjectType, written: Mapping[str, Any], *, crlf: bool) -> Values:
    """As it is stored: blanks around a text cut off, an empty text null, ids with 18 characters, `\\r\\n` in text areas if `crlf`."""
    stored: Values = {}
    for name, given in written.items():
        field = kind.fields[name.lower()]
        value = given.strip(_BLANKS) or None if isinstance(given, str) else given
        if value is None:
            stored[name] = False if field.type is FieldType.BOOLEAN and field.nillable else None
        elif field.type is FieldType.TEXTAREA and crlf:
            stored[name] = re.sub(r"\r\n|\r|\n", "\r\n", value)
        elif field.type in (FieldType.REFERENCE, FieldType.ID):
            stored[name] = to_18(value) or value
        elif field.type is FieldType.DATETIME:
            stored[name] = parse_datetime(value)
        elif field.type in (FieldType.DOUBLE, FieldType.CURRENCY):
            stored[name] = float(value)
        else:
            stored[name] = value
    return stored


def check_values(kind: ObjectType, stored: Mapping[str, Any]) -> list[Problem]:
    """Everything wrong with single values: lengths, addresses, picklists, ranges, ids that are none."""
    problems = []
    for name, value in stored.items():
        if value is None:
            continue
        problem = _check_value(kind.fields[name.lower()], value)
        if problem is not None:
            problems.append(problem)
    return problems


def _check_value(field: Field, value: Any) -> Problem | None:
    def wrong(code: str, text: str) -> Problem:
        return Problem(code=code, message=f"{field.label}: {text}", fields=(field.name,))

    if field.type in TEXT_TYPES:
        if length_of(value) > field.length:
            return wrong(Code.STRING_TOO_LONG, f"data value too large: {value} (max length={field.length})")
        if field.type is FieldType.EMAIL and not (_EMAIL.fullmatch(value) and len(value.partition("@")[0]) <= 64):
            return wrong(Code.INVALID_EMAIL_ADDRESS, f"invalid email address: {value}")
        if field.restricted and value not in field.picklist:
            return wrong(Code.INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST, f"bad value for restricted picklist field: {value}")
    elif field.type in (FieldType.REFERENCE, FieldType.ID):
        if to_18(value) is None:
            return wrong(Code.MALFORMED_ID, f"id value of incorrect type: {value}")
    elif field.type in NUMBER_TYPES:
        if abs(value) >= 10 ** (field.precision - field.scale):
            return wrong(Code.NUMBER_OUTSIDE_VALID_RANGE, f"value outside of valid range on numeric field: {value}")
    elif field.type in (FieldType.DATE, FieldType.DATETIME) and not "1700" <= value[:4] <= "4000":
        return wrong(Code.FIELD_INTEGRITY_EXCEPTION, f"invalid date: {value}")
    return None


def length_of(text: str) -> int:
    """In UTF-16 code units, as a service written in Java counts: an emoji is two."""
    return len(text) + sum(1 for char in text if ord(char) > 0xFFFF)


def check_required(kind: ObjectType, values: Mapping[str, Any], *, creating: bool, written: Mapping[str, Any]) -> list[Problem]:
    """REQUIRED_FIELD_MISSING for what a create leaves out, or an update empties."""
    if creating:
        missing = [field.name for field in kind.fields.values() if field.required and values.get(field.name) is None]
        missing += [name for name in written if name not in missing and values.get(name) is None and not kind.fields[name.lower()].nillable]
    else:
        missing = [name for name in written if values.get(name) is None and not kind.fields[name.lower()].nillable]
    if not missing:
        return []
    return [
        Problem(code=Code.REQUIRED_FIELD_MISSING, message=f"Required fields are missing: [{', '.join(missing)}]", fields=tuple(missing))
    ]
