"""What describe says of an object, as one user sees it, kept for an hour by the process.

Most users see the same: equal schemas are kept once. It speaks no HTTP.
Source: REST API Developer Guide, "sObject Describe".
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sync.translate.kind import FieldSchema, Schema

LIFETIME = timedelta(hours=1)
DISTINCT = 20
"""Different schemas of one object that are remembered for being shared."""


def to_schema(describe: Mapping[str, Any], key_field: str) -> Schema:
    fields = {str(field["name"]): _to_field(field) for field in describe["fields"]}
    key = fields.get(key_field)
    return Schema(
        name=str(describe["name"]),
        fields=fields,
        createable=bool(describe.get("createable", True)),
        key_field=key_field if key is not None and key.createable else "",
    )


def _to_field(field: Mapping[str, Any]) -> FieldSchema:
    values: frozenset[str] = frozenset()
    if field.get("restrictedPicklist"):
        values = frozenset(str(entry["value"]) for entry in field.get("picklistValues") or [] if entry.get("active", True))
    return FieldSchema(
        type=str(field["type"]),
        length=int(field.get("length") or 0),
        createable=bool(field.get("createable")),
        updateable=bool(field.get("updateable")),
        values=values,
    )


class Schemas:
    """The process's schemas. Without a lock: at worst two users' threads describe the same object at once."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._kept: dict[tuple[str, str], tuple[Schema, datetime]] = {}
        self._distinct: dict[str, list[Schema]] = {}

    def get(self, user_id: str, name: str) -> Schema | None:
        kept = self._kept.get((user_id, name))
        return kept[0] if kept is not None and self._now() - kept[1] < LIFETIME else None

    def put(self, user_id: str, name: str, schema: Schema) -> Schema:
        """Keep it, or rather the equal one that is kept already."""
        alike = self._distinct.setdefault(name, [])
        schema = next((known for known in alike if known == schema), schema)
        alike[:] = [schema, *(known for known in alike if known is not schema)][:DISTINCT]
        self._kept[user_id, name] = (schema, self._now())
        return schema

    def forget(self, user_id: str, name: str) -> None:
        self._kept.pop((user_id, name), None)
