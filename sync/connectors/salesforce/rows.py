"""From a row of a query to what was seen, and which columns that takes. It knows a kind only through its value."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.records import LONG_AGO, Absent, Item, Lack, Place, Seen
from sync.connectors.salesforce import soql
from sync.connectors.salesforce.ids import to_18
from sync.translate.kind import Kind, Schema


def columns_of(kind: Kind, schema: Schema) -> list[str]:
    """The kind's columns and the system's. `MasterRecordId` exists only where records can be merged."""
    system = ["Id", "IsDeleted", "SystemModstamp"]
    if "MasterRecordId" in schema.fields:
        system.append("MasterRecordId")
    return list(dict.fromkeys([*system, *kind.salesforce_select(schema)]))


def to_item(row: Mapping[str, Any], kind: Kind, schema: Schema, place: Place = Place.INSIDE) -> Item:
    return Item(
        id=to_18(str(row["Id"])),
        fields=kind.read_salesforce(row, schema),
        version=str(row["SystemModstamp"]),
        modified=soql.parse_moment(row["SystemModstamp"]),
        place=place,
        raw=row,
    )


def to_seen(row: Mapping[str, Any], kind: Kind, schema: Schema, place: Place) -> Seen:
    """A deleted row is absent; the loser of a merge names the record that took its place."""
    if not row.get("IsDeleted"):
        return to_item(row, kind, schema, place)
    master = row.get("MasterRecordId")
    return Absent(
        id=to_18(str(row["Id"])),
        lack=Lack.MERGED if master else Lack.DELETED,
        now=to_18(str(master)) if master else None,
        fields=kind.read_salesforce(row, schema),
    )


def to_mere_item(row: Mapping[str, Any]) -> Item:
    """Of a sweep: no fields, and nothing known of them."""
    stamp = str(row.get("SystemModstamp") or "")
    return Item(id=to_18(str(row["Id"])), fields={}, version=stamp, modified=soql.parse_moment(stamp) if stamp else LONG_AGO)


def to_items(rows: Sequence[Mapping[str, Any]], kind: Kind, schema: Schema) -> tuple[Item, ...]:
    """Each record once."""
    return tuple({item.id: item for row in rows for item in [to_item(row, kind, schema)]}.values())
