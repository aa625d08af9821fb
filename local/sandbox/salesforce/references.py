"""Fields that point at other records: what they may point at, and by which name.

Why this file exists: a reference is refused for five different reasons, each with a code of its own, and a client tells its
user a different thing for each. Source: SOAP API Developer Guide, "Core Data Types" (status codes).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.sandbox.salesforce.access import Access
from local.sandbox.salesforce.errors import Code, Problem, no_such_column, not_found, refuse
from local.sandbox.salesforce.journal import Caller
from local.sandbox.salesforce.schema import FieldType, ObjectType
from local.sandbox.salesforce.store import Store, Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Where references lead: the records, the objects, and who may see them."""

    store: Store
    access: Access
    objects: Mapping[str, ObjectType]

    def view(self, caller: Caller, object_name: str) -> ObjectType:
        """The object as the caller sees it. Raises Refusal (404)."""
        kind = self.access.view(caller.user_id, object_name)
        if kind is None:
            raise not_found()
        return kind


def resolve_external(scope: Scope, caller: Caller, kind: ObjectType, payload: Mapping[str, Any]) -> Values:
    """`{"Account": {"Key__c": "x"}}` as `{"AccountId": "001..."}`."""
    resolved: Values = {}
    for name, value in payload.items():
        reference = next((each for each in kind.fields.values() if each.relationship == name), None)
        if reference is None or not isinstance(value, dict):
            resolved[name] = value
            continue
        keys = {key: wanted for key, wanted in value.items() if key != "attributes"}
        target = scope.view(caller, reference.reference_to[0])
        key, wanted = next(iter(keys.items()), ("", None))
        field = target.field(key)
        if field is None or len(keys) != 1 or not (field.external_id or field.type is FieldType.ID):
            raise no_such_column(key, target.name)
        matches = [
            row["Id"]
            for row in scope.store.rows(target.name).values()
            if row.get(field.name) == wanted and not row.get("IsDeleted") and scope.access.can_read(caller.user_id, target.name, row)
        ]
        if len(matches) != 1:
            text = f"Foreign key external ID: {wanted} not found for field {field.name} in entity {target.name}"
            raise refuse(400, Code.INVALID_FIELD, text)
        resolved[reference.name] = matches[0]
    return resolved


def check_references(scope: Scope, caller: Caller, kind: ObjectType, before: Values | None, written: Mapping[str, Any]) -> list[Problem]:
    problems = []
    for name, value in written.items():
        field = kind.field(name)
        if field is None or field.type is not FieldType.REFERENCE or value is None or (before or {}).get(name) == value:
            continue
        problem = _check_reference(scope, caller, kind, name, value)
        if problem is not None:
            problems.append(problem)
    return problems


def _check_reference(scope: Scope, caller: Caller, kind: ObjectType, name: str, value: str) -> Problem | None:
    field = kind.fields[name.lower()]
    targets = [scope.objects[each.lower()] for each in field.reference_to if each.lower() in scope.objects]
    target = next((each for each in targets if each.prefix == value[:3]), None)
    if target is None:
        text = f"{field.label}: id value of incorrect type: {value}"
        return Problem(code=Code.FIELD_INTEGRITY_EXCEPTION, message=text, fields=(name,))
    row = scope.store.get(target.name, value)
    if row is None:
        return Problem(code=Code.INVALID_CROSS_REFERENCE_KEY, message="invalid cross reference id", fields=(name,))
    if row.get("IsDeleted"):
        return Problem(code=Code.ENTITY_IS_DELETED, message="entity is deleted", fields=(name,))
    if not scope.access.can_read(caller.user_id, target.name, row):
        text = f"insufficient access rights on cross-reference id: {value}"
        return Problem(code=Code.INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY, message=text, fields=(name,))
    if target.name == "User" and name == "OwnerId" and not row.get("IsActive"):
        text = f"operation performed with inactive user [{value}] as owner of {kind.name.lower()}"
        return Problem(code=Code.INACTIVE_OWNER_OR_USER, message=text, fields=(name,))
    return None
