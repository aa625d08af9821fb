"""What Salesforce says when it refuses, in the three shapes in which it says it.

Why this file exists: a single row answers `[{"message","errorCode","fields"}]`, a collection answers
`{"success":false,"errors":[{"statusCode","message","fields"}]}`, OAuth answers `{"error","error_description"}`; one
refusal must come out in whichever shape the request calls for. It knows no rule that leads to a refusal.
Source: REST API Developer Guide, "Status Codes and Error Responses" and "sObject Collections".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Code(StrEnum):
    """The codes the simulator raises by itself; a row fault may name any other."""

    ALL_OR_NONE_OPERATION_ROLLED_BACK = "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    API_DISABLED_FOR_ORG = "API_DISABLED_FOR_ORG"
    CANNOT_UPDATE_CONVERTED_LEAD = "CANNOT_UPDATE_CONVERTED_LEAD"
    DUPLICATES_DETECTED = "DUPLICATES_DETECTED"
    DUPLICATE_VALUE = "DUPLICATE_VALUE"
    ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE = "ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE"
    ENTITY_IS_DELETED = "ENTITY_IS_DELETED"
    FIELD_CUSTOM_VALIDATION_EXCEPTION = "FIELD_CUSTOM_VALIDATION_EXCEPTION"
    FIELD_INTEGRITY_EXCEPTION = "FIELD_INTEGRITY_EXCEPTION"
    INACTIVE_OWNER_OR_USER = "INACTIVE_OWNER_OR_USER"
    INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY = "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"
    INSUFFICIENT_ACCESS_OR_READONLY = "INSUFFICIENT_ACCESS_OR_READONLY"
    INVALID_CROSS_REFERENCE_KEY = "INVALID_CROSS_REFERENCE_KEY"
    INVALID_EMAIL_ADDRESS = "INVALID_EMAIL_ADDRESS"
    INVALID_FIELD = "INVALID_FIELD"
    INVALID_FIELD_FOR_INSERT_UPDATE = "INVALID_FIELD_FOR_INSERT_UPDATE"
    INVALID_HTTP_HEADER = "INVALID_HTTP_HEADER"
    INVALID_ID_FIELD = "INVALID_ID_FIELD"
    INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST = "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    INVALID_QUERY_FILTER_OPERATOR = "INVALID_QUERY_FILTER_OPERATOR"
    INVALID_QUERY_LOCATOR = "INVALID_QUERY_LOCATOR"
    INVALID_REPLICATION_DATE = "INVALID_REPLICATION_DATE"
    INVALID_SESSION_ID = "INVALID_SESSION_ID"
    INVALID_TYPE = "INVALID_TYPE"
    INVALID_TYPE_ON_FIELD_IN_RECORD = "INVALID_TYPE_ON_FIELD_IN_RECORD"
    JSON_PARSER_ERROR = "JSON_PARSER_ERROR"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    MALFORMED_ID = "MALFORMED_ID"
    MALFORMED_QUERY = "MALFORMED_QUERY"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    MISSING_ARGUMENT = "MISSING_ARGUMENT"
    NOT_FOUND = "NOT_FOUND"
    NUMBER_OUTSIDE_VALID_RANGE = "NUMBER_OUTSIDE_VALID_RANGE"
    PROCESSING_HALTED = "PROCESSING_HALTED"
    QUERY_TOO_COMPLICATED = "QUERY_TOO_COMPLICATED"
    REQUEST_LIMIT_EXCEEDED = "REQUEST_LIMIT_EXCEEDED"
    REQUIRED_FIELD_MISSING = "REQUIRED_FIELD_MISSING"
    STRING_TOO_LONG = "STRING_TOO_LONG"
    UNABLE_TO_LOCK_ROW = "UNABLE_TO_LOCK_ROW"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    BAD_REQUEST = "BAD_REQUEST"


_WITHOUT_FIELDS = frozenset(
    {
        Code.INVALID_FIELD,
        Code.INVALID_QUERY_LOCATOR,
        Code.INVALID_SESSION_ID,
        Code.INVALID_TYPE,
        Code.JSON_PARSER_ERROR,
        Code.MALFORMED_QUERY,
        Code.METHOD_NOT_ALLOWED,
        Code.NOT_FOUND,
        Code.PROCESSING_HALTED,
        Code.REQUEST_LIMIT_EXCEEDED,
        Code.UNSUPPORTED_MEDIA_TYPE,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One reason for a refusal. `extra` is merged into the single-row shape only (the match list of a duplicate rule).

    `short` replaces the message in a collection, which says less than a single row there.
    """

    code: str
    message: str
    fields: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    short: str | None = None

    def as_row(self) -> dict[str, Any]:
        row = {**self.extra, "message": self.message, "errorCode": self.code}
        if self.fields or self.code not in _WITHOUT_FIELDS:
            row["fields"] = list(self.fields)
        return row

    def in_collection(self) -> dict[str, Any]:
        return {"statusCode": self.code, "message": self.short or self.message, "fields": list(self.fields)}


class Refusal(Exception):
    """A request, or one row of it, is refused. `whole` says that no row of a collection can be judged any more."""

    def __init__(self, status: int, *problems: Problem, whole: bool = False) -> None:
        super().__init__("; ".join(f"{problem.code}: {problem.message}" for problem in problems))
        self.status = status
        self.problems = problems
        self.whole = whole


class OAuthRefusal(Exception):
    """The token endpoint refuses."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(f"{error}: {description}")
        self.status = status
        self.body = {"error": error, "error_description": description}


def refuse(status: int, code: str, message: str, *fields: str, whole: bool = False) -> Refusal:
    """A refusal for one reason."""
    return Refusal(status, Problem(code=code, message=message, fields=fields), whole=whole)


def not_found() -> Refusal:
    return refuse(404, Code.NOT_FOUND, "The requested resource does not exist")


def no_such_column(name: str, object_name: str) -> Refusal:
    """A field that does not exist, or that this user may not see: Salesforce does not tell them apart."""
    return refuse(400, Code.INVALID_FIELD, f"No such column '{name}' on sobject of type {object_name}")
