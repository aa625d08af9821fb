"""What Salesforce says when it refuses, and what that is in our words: the one table of its codes.

A refusal comes as a list of rows (`errorCode`), as rows of a collection (`statusCode`), as an OAuth object (`error`), or as a page of
HTML; `fields` may be missing. It knows neither how a request was sent nor what becomes of an error.
Source: REST API Developer Guide, "Status Codes and Error Responses"; Object Reference, "API Fault Elements".
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.errors import Code, Permanent, SyncError, Temporary

_T, _P = Temporary, Permanent

TABLE: dict[str, tuple[Code, type[Temporary] | type[Permanent]]] = {
    "REQUIRED_FIELD_MISSING": (Code.REQUIRED_FIELD_MISSING, _P),
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": (Code.VALIDATION_RULE, _P),
    "INVALID_EMAIL_ADDRESS": (Code.INVALID_VALUE, _P),
    "STRING_TOO_LONG": (Code.VALUE_TOO_LONG, _P),
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": (Code.INVALID_VALUE, _P),
    "FIELD_INTEGRITY_EXCEPTION": (Code.INVALID_VALUE, _P),
    "INVALID_TYPE_ON_FIELD_IN_RECORD": (Code.INVALID_VALUE, _P),
    "NUMBER_OUTSIDE_VALID_RANGE": (Code.INVALID_VALUE, _P),
    "JSON_PARSER_ERROR": (Code.INVALID_VALUE, _P),
    "INVALID_FIELD_FOR_INSERT_UPDATE": (Code.FIELD_NOT_WRITABLE, _P),
    "INVALID_FIELD": (Code.FIELD_NOT_WRITABLE, _P),
    "INVALID_TYPE": (Code.NO_ACCESS_TO_OBJECT, _P),
    "MALFORMED_QUERY": (Code.PROFILE_INVALID, _P),
    "INVALID_QUERY_FILTER_OPERATOR": (Code.PROFILE_INVALID, _P),
    "DUPLICATES_DETECTED": (Code.DUPLICATE_RULE, _P),
    "DUPLICATE_VALUE": (Code.DUPLICATE_RULE, _P),
    "ENTITY_IS_DELETED": (Code.GONE, _T),
    "NOT_FOUND": (Code.GONE, _T),
    "INVALID_CROSS_REFERENCE_KEY": (Code.NO_ACCESS_TO_RECORD, _P),
    "INSUFFICIENT_ACCESS_OR_READONLY": (Code.NO_ACCESS_TO_RECORD, _P),
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": (Code.NO_ACCESS_TO_RECORD, _P),
    "INSUFFICIENT_ACCESS": (Code.NO_ACCESS_TO_RECORD, _P),
    "INACTIVE_OWNER_OR_USER": (Code.INACTIVE_OWNER, _P),
    "CANNOT_UPDATE_CONVERTED_LEAD": (Code.REFUSED, _P),
    "ENTITY_IS_LOCKED": (Code.RECORD_LOCKED, _T),
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": (Code.CUSTOMER_CODE, _P),
    "CANNOT_EXECUTE_FLOW_TRIGGER": (Code.CUSTOMER_CODE, _P),
    "APEX_ERROR": (Code.CUSTOMER_CODE, _P),
    "UNABLE_TO_LOCK_ROW": (Code.ROW_BUSY, _T),
    "REQUEST_LIMIT_EXCEEDED": (Code.SALESFORCE_DAILY_LIMIT, _T),
    "INVALID_SESSION_ID": (Code.NOT_AUTHORISED, _P),
    "API_CURRENTLY_DISABLED": (Code.API_DISABLED, _P),
    "API_DISABLED_FOR_ORG": (Code.API_DISABLED, _P),
    "TXN_SECURITY_METERING_ERROR": (Code.UNAVAILABLE, _T),
    "QUERY_TIMEOUT": (Code.UNAVAILABLE, _T),
    "OPERATION_TOO_LARGE": (Code.UNAVAILABLE, _T),
    "EXCEEDED_ID_LIMIT": (Code.UNAVAILABLE, _T),
    "PROCESSING_HALTED": (Code.UNAVAILABLE, _T),
    "ALL_OR_NONE_OPERATION_ROLLED_BACK": (Code.UNAVAILABLE, _T),
    "SERVER_UNAVAILABLE": (Code.UNAVAILABLE, _T),
    "UNKNOWN_EXCEPTION": (Code.UNAVAILABLE, _T),
    "STORAGE_LIMIT_EXCEEDED": (Code.SALESFORCE_STORAGE_FULL, _P),
}
"""Salesforce's code → ours. Whatever is not here is REFUSED: somebody has to look at the text."""

SURE = frozenset(TABLE) - {"SERVER_UNAVAILABLE", "UNKNOWN_EXCEPTION"}
"""Codes that say that nothing was written, whatever the HTTP status."""

_LOCKED = "UNABLE_TO_LOCK_ROW"
_SAFE = frozenset(
    {
        *("REQUIRED_FIELD_MISSING", "INVALID_FIELD_FOR_INSERT_UPDATE", "DUPLICATES_DETECTED", "ENTITY_IS_DELETED", "NOT_FOUND"),
        *(
            "INSUFFICIENT_ACCESS_OR_READONLY",
            "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
            "INSUFFICIENT_ACCESS",
            "INACTIVE_OWNER_OR_USER",
        ),
        *("ENTITY_IS_LOCKED", "UNABLE_TO_LOCK_ROW", "REQUEST_LIMIT_EXCEEDED", "INVALID_SESSION_ID", "API_CURRENTLY_DISABLED"),
        *("API_DISABLED_FOR_ORG", "STORAGE_LIMIT_EXCEEDED", "PROCESSING_HALTED", "ALL_OR_NONE_OPERATION_ROLLED_BACK"),
        *("FIELD_CUSTOM_VALIDATION_EXCEPTION", "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "CANNOT_EXECUTE_FLOW_TRIGGER", "APEX_ERROR"),
        *("invalid_grant", "invalid_client", "invalid_client_id", "unsupported_grant_type", "inactive_user", "inactive_org"),
    }
)
"""Codes whose sentence names fields and ids only, or is an administrator's own. Any other may repeat a value of the record."""
_QUOTABLE = re.compile(r"max length=\d+|on record with id: \w{15,18}|No such column '\w+' on entity '\w+'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One reason that Salesforce gave."""

    code: str
    message: str = ""
    fields: tuple[str, ...] = ()
    matches: tuple[str, ...] = ()
    """Of a duplicate rule: the ids it found, where the service tells them."""


def refusals(body: Any) -> tuple[Refusal, ...]:
    """The reasons in a body, in any of the service's shapes; none where it holds none (HTML, nothing)."""
    rows: Sequence[Any] = body if isinstance(body, list) else [body]
    found: list[Refusal] = []
    for row in rows:
        if not isinstance(row, Mapping):
            continue
        if isinstance(row.get("errors"), list) and row["errors"]:
            found += refusals(row["errors"])
            continue
        code = row.get("errorCode") or row.get("statusCode") or row.get("error")
        if not isinstance(code, str):
            continue
        fields = row.get("fields")
        found.append(
            Refusal(
                code=code,
                message=str(row.get("message") or row.get("error_description") or ""),
                fields=tuple(str(name) for name in fields) if isinstance(fields, list) else (),
                matches=_matches(row),
            )
        )
    return tuple(found)


def _matches(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The records a duplicate rule found. The service misspells the key; newer versions may not."""
    result = row.get("duplicateResut") or row.get("duplicateResult")
    found: list[str] = []
    for match in result.get("matchResults") or [] if isinstance(result, Mapping) else []:
        for record in match.get("matchRecords") or []:
            record_id = (record.get("record") or {}).get("Id")
            if isinstance(record_id, str):
                found.append(record_id)
    return tuple(found)


def error_of(reasons: Sequence[Refusal], status: int = 0) -> SyncError:
    """The error that the first reason stands for. Without a reason the HTTP status decides."""
    if not reasons:
        return _error_of_status(status)
    first = reasons[0]
    code, kind = TABLE.get(first.code, (Code.REFUSED, Permanent))
    if code is Code.CUSTOMER_CODE and _LOCKED in first.message:  # a trigger ran into the lock of somebody else's transaction
        code, kind = Code.ROW_BUSY, Temporary
    if first.code == "REQUEST_LIMIT_EXCEEDED" and "concurrent" in first.message.lower():
        code = Code.THROTTLED
    if first.code not in TABLE and (status >= 500 or status in (406, 420, 429)):
        code, kind = _error_of_status(status).code, Temporary
    text = first.message if code is Code.VALIDATION_RULE else f"{first.code}: {_without_value(first)}".removesuffix(": ")
    if first.matches:
        text += f" ({', '.join(first.matches)})"
    return kind(code, text, field=first.fields[0] if first.fields else None)


def _without_value(reason: Refusal) -> str:
    """The service's sentence, or what of it is no value of a record: an error holds no personal data."""
    if reason.code in _SAFE:
        return reason.message
    return ", ".join(dict.fromkeys([*reason.fields, *_QUOTABLE.findall(reason.message)]))


def _error_of_status(status: int) -> SyncError:
    text = f"HTTP {status} without a reason that could be read"
    if status in (420, 429):
        return Temporary(Code.THROTTLED, text)
    if status >= 500 or status == 406 or 300 <= status < 400:
        return Temporary(Code.UNAVAILABLE, text)
    if status == 401:
        return Permanent(Code.NOT_AUTHORISED, text)
    if status == 403:  # a page instead of a reason: the network or the login policy keeps this user out
        return Permanent(Code.API_DISABLED, text)
    if status in (404, 410):
        return Temporary(Code.GONE, text)
    return Permanent(Code.REFUSED, text)
