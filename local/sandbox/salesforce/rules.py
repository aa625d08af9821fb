"""What a customer's administrators and developers add to an org: validation, duplicate rules, triggers, and bad luck.

Why this file exists: these rules are data that a test or a control plane sets, apart from what the platform itself
enforces (`checks.py`). Every rule can be given as JSON; a validation rule or trigger also as a function.
Source: Salesforce Help, "Validation Rules", "Duplicate Management"; Apex Developer Guide, "Triggers".
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from local.sandbox.salesforce.errors import Code, Problem
from local.sandbox.salesforce.schema import FieldType, ObjectType
from local.sandbox.salesforce.store import Values


class RowOp(StrEnum):
    """What is done to a row; the operation in the journal, too."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    UNDELETE = "undelete"
    MERGE = "merge"
    PURGE = "purge"


class Operator(StrEnum):
    """How a JSON validation rule compares; the rule fires – refuses – when the comparison is true."""

    EQUALS = "equals"
    NOT_EQUALS = "not_equals"
    IS_EMPTY = "is_empty"
    CONTAINS = "contains"
    LONGER_THAN = "longer_than"
    MATCHES = "matches"
    NOT_MATCHES = "not_matches"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationRule:
    """Refuses a record with the administrator's own words. Either `test` or (`field`, `operator`, `value`) is given."""

    object: str
    message: str
    field: str | None = None
    operator: Operator | None = None
    value: Any = None
    test: Callable[[Mapping[str, Any]], bool] | None = None

    def fires(self, values: Mapping[str, Any]) -> bool:
        """Whether the record is refused."""
        if self.test is not None:
            return self.test(values)
        current = values.get(self.field or "")
        text = "" if current is None else str(current)
        match self.operator:
            case Operator.EQUALS:
                return bool(current == self.value)
            case Operator.NOT_EQUALS:
                return bool(current != self.value)
            case Operator.IS_EMPTY:
                return current is None
            case Operator.CONTAINS:
                return str(self.value).lower() in text.lower()
            case Operator.LONGER_THAN:
                return len(text) > int(self.value)
            case Operator.MATCHES:
                return re.search(str(self.value), text) is not None
            case Operator.NOT_MATCHES:
                return re.search(str(self.value), text) is None
        raise ValueError("a validation rule needs a test or an operator")


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateRule:
    """Two records of `object` are duplicates when all `fields` are filled and equal without regard to case."""

    object: str
    fields: tuple[str, ...] = ("Email",)
    block: bool = False
    name: str = "Standard_Contact_Duplicate_Rule"
    matching_rule: str = "Standard_Contact_Match_Rule_v1_1"
    message: str = "You're creating a duplicate record. We recommend you use an existing record instead."

    def key(self, values: Mapping[str, Any]) -> tuple[str, ...] | None:
        """What must be equal, or None when the record matches nothing."""
        parts = [values.get(name) for name in self.fields]
        return tuple(str(part).lower() for part in parts) if all(part is not None for part in parts) else None

    def find(self, rows: Iterable[Mapping[str, Any]], values: Mapping[str, Any]) -> list[str]:
        """Ids of the live records that match."""
        key = self.key(values)
        if key is None:
            return []
        return [row["Id"] for row in rows if row["Id"] != values.get("Id") and not row.get("IsDeleted") and self.key(row) == key]

    def problem(self, matches: list[str], url_root: str) -> Problem:
        """The refusal; only a single row carries the matches, under the key the service misspells."""
        records = [
            {
                "additionalInformation": [],
                "fieldDiffs": [],
                "matchConfidence": 100.0,
                "record": {"attributes": {"type": self.object, "url": f"{url_root}/sobjects/{self.object}/{match}"}, "Id": match},
            }
            for match in matches
        ]
        result = {
            "allowSave": not self.block,
            "duplicateRule": self.name,
            "duplicateRuleEntityType": self.object,
            "errorMessage": self.message,
            "matchResults": [
                {
                    "entityType": self.object,
                    "errors": [],
                    "matchEngine": "FuzzyMatchEngine",
                    "matchRecords": records,
                    "rule": self.matching_rule,
                    "size": len(records),
                    "success": True,
                }
            ],
        }
        return Problem(
            code=Code.DUPLICATES_DETECTED, message=self.message, extra={"duplicateResut": result}, short="Use one of these records?"
        )


class TriggerPreset(StrEnum):
    """What a before-save trigger does, by name."""

    FORMAT_PHONE = "format_phone"
    APPEND_SUFFIX = "append_suffix"
    UPPERCASE_LASTNAME = "uppercase_lastname"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """Rewrites a record before it is saved, whoever saves it.

    `field` and `text` belong to append_suffix; with `repeat` the suffix is appended at every save, not once.
    """

    object: str
    preset: TriggerPreset | None = None
    field: str = "Title"
    text: str = " *"
    repeat: bool = False
    rewrite: Callable[[Values], None] | None = None

    def apply(self, kind: ObjectType, values: Values) -> None:
        """Change `values` in place."""
        if self.rewrite is not None:
            self.rewrite(values)
        elif self.preset is TriggerPreset.FORMAT_PHONE:
            for each in kind.fields.values():
                if each.type is FieldType.PHONE and values.get(each.name):
                    values[each.name] = format_phone(values[each.name])
        elif self.preset is TriggerPreset.UPPERCASE_LASTNAME:
            values["LastName"] = (values.get("LastName") or "").upper() or None
        elif values.get(self.field) and (self.repeat or not values[self.field].endswith(self.text)):
            values[self.field] += self.text


def format_phone(text: str) -> str:
    """`(415) 555-1212` for ten digits, groups of three behind a plus; the same again when applied again."""
    digits = re.sub(r"\D", "", text)
    if text.startswith("+"):
        return "+" + " ".join(digits[at : at + 3] for at in range(0, len(digits), 3))
    if len(digits) == 10:
        return f"({digits[:3]}) {digits[3:6]}-{digits[6:]}"
    return text


@dataclass(slots=True, kw_only=True)
class RowFault:
    """The next `times` API writes of a matching row fail, after `skip` have been let through; None as a criterion matches all."""

    code: str
    message: str = ""
    object: str | None = None
    op: RowOp | None = None
    match: Mapping[str, Any] = field(default_factory=dict)
    fields: tuple[str, ...] = ()
    times: int | None = 1
    skip: int = 0

    def strikes(self, op: RowOp, object_name: str, values: Mapping[str, Any]) -> Problem | None:
        """The problem, when this write is one of those."""
        if self.times == 0 or (self.op or op) is not op or (self.object or object_name) != object_name:
            return None
        if any(values.get(name) != wanted for name, wanted in self.match.items()):
            return None
        if self.skip:
            self.skip -= 1
            return None
        if self.times is not None:
            self.times -= 1
        return Problem(code=self.code, message=self.message or _SAMPLES.get(self.code, self.code.lower()), fields=self.fields)


_SAMPLES = {
    "UNABLE_TO_LOCK_ROW": "unable to obtain exclusive access to this record or 1 records",
    "ENTITY_IS_LOCKED": "the entity is locked for editing",
    "INACTIVE_OWNER_OR_USER": "operation performed with inactive user as owner of contact",
    "STORAGE_LIMIT_EXCEEDED": "storage limit exceeded",
}


@dataclass(slots=True, kw_only=True)
class Rules:
    """All rules of an org, in the order in which they apply. `assignment` gives new or changed records an owner (user id)."""

    validation: list[ValidationRule] = field(default_factory=list)
    duplicates: list[DuplicateRule] = field(default_factory=list)
    triggers: list[Trigger] = field(default_factory=list)
    row_faults: list[RowFault] = field(default_factory=list)
    assignment: dict[str, str] = field(default_factory=dict)
