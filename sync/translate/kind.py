"""What a kind of record has to say about itself, so that runner and core need not know any kind by name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.errors import Code
from shared.records import Fields, Item, Value
from sync.core.match import Identity
from sync.core.merge import Held


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSchema:
    """What describe says of a field, as one user sees it. `length` in characters, 0 where there is none."""

    type: str
    length: int
    createable: bool
    updateable: bool
    values: frozenset[str] = frozenset()
    """The allowed values of a restricted picklist, else empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """A Salesforce object as one user sees it. A field that is missing is not visible to that user."""

    name: str
    fields: Mapping[str, FieldSchema]
    createable: bool = True
    key_field: str = ""
    """The package's unique external-id field, where the org has it and this user may write it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a value cannot be written; it stops its item only. `field` is the vendor's name of the field."""

    code: Code
    field: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is to be sent, and what the side will then hold of the fields it was asked to write."""

    payload: Mapping[str, Any]
    held: Fields
    problems: tuple[Problem, ...] = ()
    """Errors: the draft must not be sent while there are any."""
    notices: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A company that a reference was resolved to."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Companies:
    """What was found for company names: exact matches and, for new records, names that contain it."""

    exact: Mapping[str, Account] = field(default_factory=dict)
    """Company name in comparable form → the earliest created account of exactly that name."""
    containing: Mapping[str, Account] = field(default_factory=dict)
    """Company name in comparable form → the only account whose name contains it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of record. The functions are pure; `Schema` is the Salesforce object as the user sees it."""

    name: str
    salesforce_object: str
    outlook_select: tuple[str, ...]
    """The properties asked of Graph."""
    key_field: str
    """API name of the package's unique external-id field."""
    salesforce_select: Callable[[Schema], Sequence[str]]
    """The columns to query, visible ones only, without Id, SystemModstamp, IsDeleted."""
    read_salesforce: Callable[[Mapping[str, Any], Schema], Fields]
    read_outlook: Callable[[Mapping[str, Any]], Fields]
    draft_salesforce: Callable[[Fields, Item | None, Schema, Companies], Draft]
    """(fields to write, what Salesforce holds now or None for a new record, schema, companies)."""
    draft_outlook: Callable[[Fields, Item | None], Draft]
    """(fields to write, what Outlook holds now or None for a new item)."""
    comparable: Callable[[str, str], str]
    """(field, value) → the form in which equal things look equal."""
    held: Callable[[Schema], Held]
    """What a side would hold of a value."""
    identity: Callable[[Item], Identity]
    company: Callable[[Fields], Value]
    """The name to be resolved to an account when the fields are written to Salesforce, None where nothing is."""
    copy_outlook: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    """A full item → the body that makes the same item elsewhere (contacts cannot be moved by Graph)."""
    strong_column: str = ""
    """The Salesforce column that holds the strong key of an `Identity`; '' where there is none."""
    identifying: Callable[[Fields], Sequence[Sequence[str]]] = lambda fields: (tuple(name for name, value in fields.items() if value),)
    """The groups of filled fields of which any one, being equal, says that two records are the same; by default all fields together."""
    weak_column: str = ""
    """The Salesforce column that holds the weak key; '' where there is none."""
    weak_fillers: tuple[str, ...] = ()
    """Columns whose values may stand within or behind the weak key in that column, where the org has them."""
    company_object: str = ""
    """The Salesforce object that company names are resolved to; '' where the kind has no company."""
    company_field: str = ""
    """Our name of the field that names the company."""
