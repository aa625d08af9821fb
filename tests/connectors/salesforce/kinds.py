"""A small kind of its own: the connector must not need the contacts'."""

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from shared.records import Fields, Value
from sync.core.match import Identity
from sync.translate.kind import Kind, Schema

COLUMNS = {"first_name": "FirstName", "last_name": "LastName", "email": "Email", "title": "Title"}


def _select(schema: Schema) -> Sequence[str]:
    return [column for column in COLUMNS.values() if column in schema.fields]


def _read(row: Mapping[str, Any], schema: Schema) -> Fields:
    return {name: row[column] for name, column in COLUMNS.items() if column in schema.fields}


def _comparable(_name: str, value: str) -> str:
    return value.casefold()


def _unused(*_args: Any) -> NoReturn:
    raise AssertionError("the connector has no business with this")


PERSON = Kind(
    name="person",
    salesforce_object="Contact",
    outlook_select=(),
    key_field="Tandem_Key__c",
    salesforce_select=_select,
    read_salesforce=_read,
    read_outlook=_unused,
    draft_salesforce=_unused,
    draft_outlook=_unused,
    comparable=_comparable,
    held=_unused,
    identity=_unused,
    company=_unused,
    copy_outlook=_unused,
    strong_column="Email",
    weak_column="Name",
    company_object="Account",
    company_field="company",
)


def person(*emails: str, name: Value = None) -> Identity:
    return Identity(strong=frozenset(emails), weak=name or "")
