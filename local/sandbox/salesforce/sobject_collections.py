"""sObject Collections: up to 200 records a call, 200 OK whatever becomes of the rows.

Why this file exists: rows fail one by one, in another error shape, in request order, unless `allOrNone`.
Source: REST API Developer Guide, "sObject Collections" (create, update, upsert, delete, retrieve).
"""

from collections.abc import Callable, Mapping
from typing import Any

from local.sandbox.http import Response
from local.sandbox.salesforce.bodies import flag, json_object
from local.sandbox.salesforce.errors import Code, Problem, Refusal, no_such_column, refuse
from local.sandbox.salesforce.org import Call, Org
from local.sandbox.salesforce.query import Reader
from local.sandbox.salesforce.records import canonical_id
from local.sandbox.salesforce.rows import external_field, kind_for, matches_of
from local.sandbox.salesforce.schema import FieldType

_MAX_ROWS = 200
_MAX_CHUNKS = 10
_MAX_RETRIEVED = 2000
_ROLLED_BACK = Problem(
    code=Code.ALL_OR_NONE_OPERATION_ROLLED_BACK,
    message="Record rolled back because not all records were valid and the request was using AllOrNone header",
)
Row = tuple[str | None, Callable[[], dict[str, Any]]]
"""The id a row already has, and what to do; the result holds at least `id`."""


def _records_of(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    records = body.get("records")
    if not isinstance(records, list) or not records or not all(isinstance(record, dict) for record in records):
        raise refuse(400, Code.JSON_PARSER_ERROR, "records must be a list of objects at [line:1, column:1]", whole=True)
    if len(records) > _MAX_ROWS:
        raise refuse(400, Code.LIMIT_EXCEEDED, f"record size limit reached. Max allowed is {_MAX_ROWS}")
    return records


def _types_of(records: list[dict[str, Any]]) -> list[str]:
    types = []
    for record in records:
        attributes = record.get("attributes")
        if not isinstance(attributes, dict) or not isinstance(attributes.get("type"), str):
            raise refuse(400, Code.INVALID_TYPE, "attributes.type is required for every record", whole=True)
        types.append(attributes["type"])
    chunks = sum(1 for index, name in enumerate(types) if index == 0 or name != types[index - 1])
    if chunks > _MAX_CHUNKS:
        raise refuse(400, Code.LIMIT_EXCEEDED, f"Too many chunks of different types: {chunks}. Max allowed is {_MAX_CHUNKS}")
    return types


def _without(record: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key.lower() not in names and key != "attributes"}


def _run(org: Org, rows: list[Row], *, all_or_none: bool) -> Response:
    results: list[dict[str, Any]] = []
    with org.transaction() as transaction:
        for row_id, act in rows:
            try:
                with org.transaction():
                    results.append({**act(), "success": True, "errors": []})
            except Refusal as refusal:
                if refusal.whole or (org.knobs.unknown_field_fails_request and refusal.problems[0].code == Code.INVALID_FIELD):
                    transaction.undo = True
                    results = []
                    whole = refusal
                    break
                errors = [problem.in_collection() for problem in refusal.problems]
                results.append({**({"id": row_id} if row_id else {}), "success": False, "errors": errors})
        else:
            whole = None
            if all_or_none and not all(result["success"] for result in results):
                transaction.undo = True
                for result in results:
                    if result["success"]:
                        result |= {"success": False, "errors": [_ROLLED_BACK.in_collection()]}
    if whole is not None:
        raise whole
    return Response.of(200, results)


def create(org: Org, call: Call) -> Response:
    body = json_object(call.request, "allOrNone", "records")
    records = _records_of(body)
    types = _types_of(records)

    def row(record: dict[str, Any], name: str) -> Row:
        def act() -> dict[str, Any]:
            if any(key.lower() == "id" for key in record):
                raise refuse(400, Code.INVALID_FIELD_FOR_INSERT_UPDATE, "cannot specify Id in an insert call", "Id")
            return {"id": org.records.create(call.caller, kind_for(org, call, name).name, _without(record))}

        return None, act

    return _run(org, [row(*each) for each in zip(records, types, strict=True)], all_or_none=flag(body.get("allOrNone"), "allOrNone"))


def update(org: Org, call: Call) -> Response:
    body = json_object(call.request, "allOrNone", "records")
    records = _records_of(body)
    types = _types_of(records)
    seen: set[str] = set()

    def row(record: dict[str, Any], name: str) -> Row:
        given = next((value for key, value in record.items() if key.lower() == "id"), None)

        def act() -> dict[str, Any]:
            if given is None:
                raise refuse(400, Code.MISSING_ARGUMENT, "Id not specified in an update call")
            row_id = canonical_id(given)
            if row_id in seen:
                raise refuse(400, Code.INVALID_ID_FIELD, f"duplicate id specified: {row_id}", "Id")
            seen.add(row_id)
            kind = kind_for(org, call, name)
            if not row_id.startswith(kind.prefix):
                raise refuse(400, Code.INVALID_CROSS_REFERENCE_KEY, "invalid cross reference id")
            org.records.update(call.caller, kind.name, row_id, _without(record, "id"))
            return {"id": row_id}

        return given if isinstance(given, str) else None, act

    return _run(org, [row(*each) for each in zip(records, types, strict=True)], all_or_none=flag(body.get("allOrNone"), "allOrNone"))


def upsert(org: Org, call: Call, name: str, field_name: str) -> Response:
    """By external id; one object, no ids; adds `created`."""
    kind = kind_for(org, call, name)
    field = external_field(kind, field_name)
    body = json_object(call.request, "allOrNone", "records")
    records = _records_of(body)
    if any(each.lower() != kind.name.lower() for each in _types_of(records)):
        raise refuse(400, Code.INVALID_TYPE, f"all records must be of type {kind.name}")

    def row(record: dict[str, Any]) -> Row:
        def act() -> dict[str, Any]:
            if field.type is not FieldType.ID and any(key.lower() == "id" for key in record):
                raise refuse(400, Code.INVALID_FIELD, "The Id field should not be specified in the sobject data.")
            value = next((each for key, each in record.items() if key.lower() == field.name.lower()), None)
            if value is None:
                if field.type is FieldType.ID:
                    return {"id": org.records.create(call.caller, kind.name, _without(record, "id")), "created": True}
                raise refuse(400, Code.MISSING_ARGUMENT, f"{field.name} not specified")
            matches = matches_of(org, call, kind, field, str(value))
            if len(matches) > 1:
                text = f"{field.name}: more than one record found for external id field: [{', '.join(matches)}]"
                raise refuse(400, "DUPLICATE_EXTERNAL_ID", text)
            if matches:
                org.records.update(call.caller, kind.name, matches[0], _without(record, field.name.lower()))
                return {"id": matches[0], "created": False}
            if field.type is FieldType.ID:
                raise refuse(404, Code.INVALID_CROSS_REFERENCE_KEY, "invalid cross reference id")
            return {"id": org.records.create(call.caller, kind.name, _without(record)), "created": True}

        return None, act

    return _run(org, [row(record) for record in records], all_or_none=flag(body.get("allOrNone"), "allOrNone"))


def delete(org: Org, call: Call) -> Response:
    """`?ids=a,b&allOrNone=false`."""
    query = call.request.query
    ids = [part for part in query.get("ids", "").split(",") if part]
    if not ids:
        raise refuse(400, Code.MISSING_ARGUMENT, "The ids query parameter is required")
    if len(ids) > _MAX_ROWS:
        raise refuse(400, Code.LIMIT_EXCEEDED, f"record size limit reached. Max allowed is {_MAX_ROWS}")

    def row(given: str) -> Row:
        def act() -> dict[str, Any]:
            row_id = canonical_id(given)
            org.records.delete(call.caller, row_id)
            return {"id": row_id}

        return given, act

    return _run(org, [row(given) for given in ids], all_or_none=flag(query.get("allOrNone"), "allOrNone"))


def retrieve(org: Org, call: Call, name: str) -> Response:
    """`{"ids","fields"}` or `?ids=&fields=`: in the order of the ids, null for what is deleted, gone, or not this user's to see."""
    kind = kind_for(org, call, name)
    if call.request.method == "GET":
        query = call.request.query
        ids: Any = [part for part in query.get("ids", "").split(",") if part]
        fields: Any = [part for part in query.get("fields", "").split(",") if part]
    else:
        body = json_object(call.request, "ids", "fields")
        ids, fields = body.get("ids"), body.get("fields")
    for text, value in (("ids", ids), ("fields", fields)):
        if not isinstance(value, list) or not value or not all(isinstance(part, str) for part in value):
            raise refuse(400, Code.MISSING_ARGUMENT, f"{text} must be a list of strings")
    if len(ids) > _MAX_RETRIEVED:
        raise refuse(400, Code.LIMIT_EXCEEDED, f"record size limit reached. Max allowed is {_MAX_RETRIEVED}")
    for field_name in fields:
        if "." not in field_name and kind.field(field_name) is None:
            raise no_such_column(field_name, kind.name)
    reader = Reader(org.store, org.access, call.user_id, org.clock.now(), call.root)
    names = list(dict.fromkeys(["Id", *(field.name if (field := kind.field(each)) else each for each in fields)]))
    answer: list[dict[str, Any] | None] = []
    for given in ids:
        row = org.store.get(kind.name, canonical_id(given))
        visible = row is not None and not row.get("IsDeleted") and org.access.can_read(call.user_id, kind.name, row)
        answer.append(reader.render(kind, row, names) if row is not None and visible else None)
    return Response.of(200, answer)
