"""sObject rows: one record per request.

Why this file exists: the single-row resource has its own answers – 201, 204, 300, 304, 412 – and splits 404 three ways.
Source: REST API Developer Guide, "sObject Rows", "sObject Rows by External ID", "Conditional Requests".
"""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from local.sandbox.http import Response
from local.sandbox.salesforce.bodies import http_date, json_object
from local.sandbox.salesforce.errors import Code, no_such_column, not_found, refuse
from local.sandbox.salesforce.ids import to_18
from local.sandbox.salesforce.org import Call, Org
from local.sandbox.salesforce.query import Reader
from local.sandbox.salesforce.schema import Field, FieldType, ObjectType
from local.sandbox.salesforce.times import from_stamp, to_http_date


def kind_for(org: Org, call: Call, name: str) -> ObjectType:
    """The object a path names. Raises Refusal (404) when it is not there for this user."""
    kind = org.access.view(call.user_id, name)
    if kind is None:
        raise not_found()
    return kind


def create(org: Org, call: Call, name: str) -> Response:
    kind = kind_for(org, call, name)
    row_id = org.records.create(call.caller, kind.name, json_object(call.request))
    return _created(call, kind, row_id)


def _created(call: Call, kind: ObjectType, row_id: str, **more: Any) -> Response:
    body = {"id": row_id, "success": True, "errors": [], **more}
    return Response.of(201, body, {"location": f"{call.root}/sobjects/{kind.name}/{row_id}"})


def read(org: Org, call: Call, name: str, text: str) -> Response:
    """GET by id; `?fields=` narrows, `If-Modified-Since` may make it 304."""
    kind = kind_for(org, call, name)
    row_id = to_18(text)
    if row_id is None:
        raise refuse(404, Code.NOT_FOUND, f"Provided external ID field does not exist or is not accessible: {text}")
    row = org.store.get(kind.name, row_id)
    if row is None or not org.access.can_read(call.user_id, kind.name, row):
        raise not_found()
    if row.get("IsDeleted"):
        raise refuse(404, Code.ENTITY_IS_DELETED, "entity is deleted")
    return _answer(org, call, kind, row)


def _answer(org: Org, call: Call, kind: ObjectType, row: Mapping[str, Any]) -> Response:
    headers = {}
    if "LastModifiedDate" in row:
        modified = from_stamp(row["LastModifiedDate"])
        headers["last-modified"] = to_http_date(modified)
        since = http_date(call.request, "if-modified-since")
        if since is not None and modified <= since:
            return Response(status=304, headers=headers)
    if kind.name == "Account":
        headers["etag"] = etag_of(row)
    fields = call.request.query.get("fields")
    names = [part.strip() for part in fields.split(",")] if fields else [field.name for field in kind.fields.values()]
    reader = Reader(org.store, org.access, call.user_id, org.clock.now(), call.root)
    for field_name in names:
        if "." not in field_name and kind.field(field_name) is None:
            raise no_such_column(field_name, kind.name)
    return Response.of(200, reader.render(kind, dict(row), names), headers)


def etag_of(row: Mapping[str, Any]) -> str:
    """Account rows alone have an ETag."""
    return '"' + hashlib.sha256(f"{row['Id']}{row['LastModifiedDate']}".encode()).hexdigest()[:24] + '--gzip"'


def update(org: Org, call: Call, name: str, text: str) -> Response:
    """PATCH by id; `If-Unmodified-Since` (whole seconds) and, on an Account, `If-Match` may make it 412."""
    kind = kind_for(org, call, name)
    payload = json_object(call.request)
    row_id = to_18(text)
    if row_id is None:
        raise refuse(404, Code.NOT_FOUND, f"Provided external ID field does not exist or is not accessible: {text}")
    _check_precondition(org, call, kind, row_id)
    org.records.update(call.caller, kind.name, row_id, payload)
    return Response(status=204)


def _check_precondition(org: Org, call: Call, kind: ObjectType, row_id: str) -> None:
    since = http_date(call.request, "if-unmodified-since")
    match = call.request.headers.get("if-match")
    if since is None and match is None:
        return
    row = org.store.get(kind.name, row_id)
    if row is None or row.get("IsDeleted") or not org.access.can_read(call.user_id, kind.name, row):
        return
    stale = since is not None and from_stamp(row["LastModifiedDate"]) >= since + timedelta(seconds=1)
    if match is not None and kind.name == "Account":
        wanted = {each.strip() for each in match.split(",")}
        stale = stale or not wanted & {"*", etag_of(row)}
    if stale:
        # What the service writes into the body of a 412 is not documented; clients should look at the status.
        raise refuse(412, Code.ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE, "Entity has been modified since it was retrieved")


def delete(org: Org, call: Call, name: str, text: str) -> Response:
    """DELETE by id. It takes no precondition: `If-Unmodified-Since` is ignored, as documented."""
    kind = kind_for(org, call, name)
    row_id = to_18(text)
    if row_id is None:
        raise refuse(404, Code.NOT_FOUND, f"Provided external ID field does not exist or is not accessible: {text}")
    org.records.delete(call.caller, row_id, object_name=kind.name)
    return Response(status=204)


def external_field(kind: ObjectType, name: str) -> Field:
    """The external id field (or Id) a path names. Raises Refusal (404)."""
    field = kind.field(name)
    if field is None or not (field.external_id or field.type is FieldType.ID):
        raise refuse(404, Code.NOT_FOUND, f"Provided external ID field does not exist or is not accessible: {name}")
    return field


def matches_of(org: Org, call: Call, kind: ObjectType, field: Field, value: str) -> list[str]:
    """Ids of the live, visible records with that external id; a field that is not unique may give several."""
    if field.type is FieldType.ID:
        wanted = to_18(value)
        row = org.store.get(kind.name, wanted) if wanted else None
        return [row["Id"]] if row is not None and not row.get("IsDeleted") and org.access.can_read(call.user_id, kind.name, row) else []
    fold = not field.case_sensitive
    return [
        row["Id"]
        for row in org.store.rows(kind.name).values()
        if (held := row.get(field.name)) is not None
        and not row.get("IsDeleted")
        and (held.lower() == value.lower() if fold and isinstance(held, str) else str(held) == value)
        and org.access.can_read(call.user_id, kind.name, row)
    ]


def _ambiguous(call: Call, kind: ObjectType, matches: list[str]) -> Response:
    return Response.of(300, [f"{call.root}/sobjects/{kind.name}/{match}" for match in matches])


def read_external(org: Org, call: Call, name: str, field_name: str, value: str) -> Response:
    kind = kind_for(org, call, name)
    matches = matches_of(org, call, kind, external_field(kind, field_name), value)
    if not matches:
        raise not_found()
    if len(matches) > 1:
        return _ambiguous(call, kind, matches)
    return _answer(org, call, kind, org.store.rows(kind.name)[matches[0]])


def upsert(org: Org, call: Call, name: str, field_name: str, value: str) -> Response:
    """PATCH by external id: 201 created, 200 updated, 300 ambiguous; `?updateOnly=true` never creates."""
    kind = kind_for(org, call, name)
    field = external_field(kind, field_name)
    payload = json_object(call.request)
    if any(key.lower() == field.name.lower() for key in payload):
        raise refuse(400, Code.INVALID_FIELD, f"The {field.name} field should not be specified in the sobject data.")
    matches = matches_of(org, call, kind, field, value)
    if len(matches) > 1:
        return _ambiguous(call, kind, matches)
    if matches:
        _check_precondition(org, call, kind, matches[0])
        org.records.update(call.caller, kind.name, matches[0], payload)
        return Response.of(200, {"id": matches[0], "success": True, "errors": [], "created": False})
    if call.request.query.get("updateOnly") == "true" or field.type is FieldType.ID:
        raise not_found()
    return _created(call, kind, org.records.create(call.caller, kind.name, {**payload, field.name: value}), created=True)


def delete_external(org: Org, call: Call, name: str, field_name: str, value: str) -> Response:
    kind = kind_for(org, call, name)
    matches = matches_of(org, call, kind, external_field(kind, field_name), value)
    if not matches:
        raise not_found()
    if len(matches) > 1:
        return _ambiguous(call, kind, matches)
    org.records.delete(call.caller, matches[0], object_name=kind.name)
    return Response(status=204)
