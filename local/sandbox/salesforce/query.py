"""SOQL: from a tree to records, as one user sees them.

Why this file exists: field names are resolved and types are checked against what the user may see, before any record is
looked at; sharing is asked for every record. Knows no paging and no HTTP.
Source: SOQL and SOSL Reference (comparison operators, ORDER BY, LIMIT, OFFSET, USING SCOPE, relationship queries).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from local.sandbox.salesforce.access import Access
from local.sandbox.salesforce.conditions import Getter, Test, comparison, earliest_stamp, membership
from local.sandbox.salesforce.errors import Code, refuse
from local.sandbox.salesforce.ids import to_18
from local.sandbox.salesforce.schema import TEXT_TYPES, Field, FieldType, ObjectType
from local.sandbox.salesforce.soql import Among, Compare, Condition, Junction, Literal, Order, Query, malformed
from local.sandbox.salesforce.store import Store, Values

_MAX_OFFSET = 2000
_MAX_DEPTH = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Path:
    """A resolved field path: how to get the value of a row, and the field at its end."""

    get: Getter
    field: Field
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a query found: all rows after LIMIT and OFFSET, already rendered; `count` for SELECT COUNT()."""

    records: tuple[dict[str, Any], ...]
    count: int


class Reader:
    """Runs queries for one user at one moment. `url_root` is `/services/data/vXX.0`."""

    def __init__(self, store: Store, access: Access, user_id: str, now: datetime, url_root: str) -> None:
        self._store = store
        self._access = access
        self._user = user_id
        self._today = now.date()
        self._root = url_root

    def run(self, query: Query, *, include_deleted: bool) -> Found:
        """Raises Refusal: INVALID_TYPE, INVALID_FIELD, MALFORMED_QUERY, INVALID_QUERY_FILTER_OPERATOR, NUMBER_OUTSIDE_VALID_RANGE."""
        kind = self._kind(query)
        if query.offset > _MAX_OFFSET:
            raise refuse(400, Code.NUMBER_OUTSIDE_VALID_RANGE, f"Maximum SOQL offset allowed is {_MAX_OFFSET}")
        paths = [self._resolve(kind, name, query) for name in self._expand(kind, query)]
        seen: set[str] = set()
        for path in paths:
            dotted = ".".join(path.names)
            if dotted in seen:
                malformed(f"duplicate field selected: {path.names[-1]}")
            seen.add(dotted)
        rows = self._rows(query, kind, include_deleted)
        if query.count:
            return Found(records=(), count=len(rows) if query.limit is None else min(len(rows), query.limit))
        for order in reversed(query.order):
            rows = self._sorted(rows, order, kind, query)
        rows = rows[query.offset :]
        if query.limit is not None:
            rows = rows[: query.limit]
        return Found(records=tuple(self._render(kind, row, paths) for row in rows), count=len(rows))

    def ids(self, query: Query, *, include_deleted: bool) -> set[Any]:
        """The values of the one field a subselect selects."""
        kind = self._kind(query)
        if len(query.select) != 1:
            malformed("semi join sub-selects can only query one field")
        path = self._resolve(kind, query.select[0], query)
        if path.field.type not in (FieldType.ID, FieldType.REFERENCE):
            malformed("semi join sub-selects can only query id fields")
        return {path.get(row) for row in self._rows(query, kind, include_deleted)} - {None}

    def render(self, kind: ObjectType, row: Values, names: Iterable[str]) -> dict[str, Any]:
        """One row with the named fields (relationship paths allowed). Raises Refusal with INVALID_FIELD."""
        query = Query(text="", select=(), count=False, source=kind.name)
        return self._render(kind, row, [self._resolve(kind, name, query) for name in names])

    def _kind(self, query: Query) -> ObjectType:
        kind = self._access.view(self._user, query.source)
        if kind is None:
            text = (
                f"\nFROM {query.source}\n     ^\nERROR at Row:1:Column:{query.text.find(query.source) + 1}\n"
                f"sObject type '{query.source}' is not supported."
                " If you are attempting to use a custom object, be sure to append the '__c' after the entity name."
                " Please reference your WSDL or the describe call for the appropriate names."
            )
            raise refuse(400, Code.INVALID_TYPE, text)
        if query.scope is not None and query.scope not in {scope.lower() for scope in kind.scopes}:
            malformed(f"Scope: {query.scope} is not supported for {kind.name}")
        return kind

    def _expand(self, kind: ObjectType, query: Query) -> list[str]:
        names: list[str] = []
        for name in query.select:
            if not name.startswith("FIELDS("):
                names.append(name)
                continue
            if name not in ("FIELDS(ALL)", "FIELDS(STANDARD)", "FIELDS(CUSTOM)"):
                malformed(f"unexpected token: '{name}'")
            if name != "FIELDS(STANDARD)" and (query.limit is None or query.limit > 200):
                malformed(f"The SOQL {name} function must have a LIMIT of at most 200")
            names += [field.name for field in kind.fields.values() if name == "FIELDS(ALL)" or field.custom == (name == "FIELDS(CUSTOM)")]
        return names

    def _no_such(self, name: str, kind: ObjectType, query: Query) -> NoReturn:
        at = query.text.find(name)
        text = (
            f"\n{query.text[max(0, at - 40) : at + 40].strip()}\n^\nERROR at Row:1:Column:{at + 1}\n"
            f"No such column '{name}' on entity '{kind.name}'."
            " If you are attempting to use a custom field, be sure to append the '__c' after the custom field name."
            " Please reference your WSDL or the describe call for the appropriate names."
        )
        raise refuse(400, Code.INVALID_FIELD, text)

    def _resolve(self, kind: ObjectType, path: str, query: Query) -> _Path:
        *steps, last = path.split(".")
        if steps and steps[0].lower() == kind.name.lower() and kind.name == query.source:
            steps = steps[1:]
        if len(steps) > _MAX_DEPTH:
            malformed(f"SELECT FROM {query.source}: relationship paths have at most {_MAX_DEPTH} levels")
        getters: list[Callable[[Mapping[str, Any]], Mapping[str, Any] | None]] = []
        names: list[str] = []
        current = kind
        for step in steps:
            reference = next((field for field in current.fields.values() if (field.relationship or "").lower() == step.lower()), None)
            target = next(
                (view for name in (reference.reference_to if reference else ()) if (view := self._access.view(self._user, name))), None
            )
            if reference is None or target is None:
                text = f"Didn't understand relationship '{step}' in field path."
                hint = (
                    " If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name."
                )
                raise refuse(400, Code.INVALID_FIELD, text + hint)
            getters.append(self._follow(reference, target.name))
            names.append(reference.relationship or step)
            current = target
        field = current.field(last)
        if field is None:
            self._no_such(last, current, query)
        read = _reader(field)
        if not getters:
            return _Path(get=read, field=field, names=(field.name,))

        def get(row: Mapping[str, Any]) -> Any:
            here: Mapping[str, Any] | None = row
            for getter in getters:
                here = getter(here) if here is not None else None
            return read(here) if here is not None else None

        return _Path(get=get, field=field, names=(*names, field.name))

    def _follow(self, reference: Field, target: str) -> Callable[[Mapping[str, Any]], Mapping[str, Any] | None]:
        store, access, user, name = self._store, self._access, self._user, reference.name

        def follow(row: Mapping[str, Any]) -> Mapping[str, Any] | None:
            value = row.get(name)
            parent = store.get(target, value) if value else None
            return parent if parent is not None and access.can_read(user, target, parent) else None

        return follow

    def _rows(self, query: Query, kind: ObjectType, include_deleted: bool) -> list[Values]:
        test = self._compile(query.where, kind, query, include_deleted) if query.where is not None else None
        access, user, name, scope = self._access, self._user, kind.name, query.scope
        return [
            row
            for row in self._candidates(query, kind)
            if (include_deleted or not row.get("IsDeleted"))
            and (test is None or test(row))
            and access.can_read(user, name, row)
            and (scope is None or access.in_scope(user, scope, row))
        ]

    def _candidates(self, query: Query, kind: ObjectType) -> Iterable[Values]:
        """All rows, or only those the statement names by id or by stamp: indexes, as Salesforce has them."""
        rows = self._store.rows(kind.name)
        parts = query.where.parts if isinstance(query.where, Junction) and query.where.op == "AND" else (query.where,)
        for part in parts:
            wanted: tuple[Literal, ...] = ()
            if isinstance(part, Among) and not part.negated and part.select is None and part.path.lower() == "id":
                wanted = part.values
            elif isinstance(part, Compare) and part.op == "=" and part.path.lower() == "id":
                wanted = (part.value,)
            if wanted:
                return [rows[each] for each in dict.fromkeys(to_18(literal.text) for literal in wanted) if each in rows]
        earliest = earliest_stamp(query.where)
        if earliest is not None:
            return self._store.since(kind.name, earliest)
        return list(rows.values())

    def _sorted(self, rows: list[Values], order: Order, kind: ObjectType, query: Query) -> list[Values]:
        path = self._resolve(kind, order.path, query)
        if not path.field.sortable:
            raise refuse(400, Code.INVALID_FIELD, f"field '{order.path}' can not be sorted in a query call")
        fold = path.field.type in TEXT_TYPES and not path.field.case_sensitive
        nulls = [row for row in rows if path.get(row) is None]
        filled = [row for row in rows if path.get(row) is not None]
        filled.sort(key=lambda row: path.get(row).lower() if fold else path.get(row), reverse=order.descending)
        return nulls + filled if order.nulls_first else filled + nulls

    def _render(self, kind: ObjectType, row: Values, paths: list[_Path]) -> dict[str, Any]:
        record: dict[str, Any] = {"attributes": self._attributes(kind.name, row["Id"])}
        for path in paths:
            if len(path.names) == 1:
                record[path.names[0]] = path.get(row)
                continue
            self._nest(record, kind, row, path)
        return record

    def _nest(self, record: dict[str, Any], kind: ObjectType, row: Values, path: _Path) -> None:
        holder, here, current = record, row, kind
        for name in path.names[:-1]:
            reference = next(field for field in current.fields.values() if field.relationship == name)
            target = self._access.view(self._user, next(each for each in reference.reference_to if self._access.view(self._user, each)))
            parent = self._follow(reference, target.name)(here) if target else None
            if parent is None or target is None:
                holder[name] = None
                return
            holder.setdefault(name, {"attributes": self._attributes(target.name, parent["Id"])})
            holder, here, current = holder[name], dict(parent), target
        holder[path.names[-1]] = _reader(path.field)(here)

    def _attributes(self, name: str, row_id: str) -> dict[str, str]:
        return {"type": name, "url": f"{self._root}/sobjects/{name}/{row_id}"}

    def _compile(self, condition: Condition, kind: ObjectType, query: Query, include_deleted: bool) -> Test:
        if isinstance(condition, Junction):
            if condition.op == "OR" and any(isinstance(part, Among) and part.select is not None for part in condition.parts):
                malformed("Semi join sub-selects are not allowed with the 'OR' operator")
            tests = [self._compile(part, kind, query, include_deleted) for part in condition.parts]
            if condition.op == "NOT":
                inner = tests[0]
                return lambda row: not inner(row)
            if condition.op == "AND":
                return lambda row: all(test(row) for test in tests)
            return lambda row: any(test(row) for test in tests)
        path = self._resolve(kind, condition.path, query)
        if not path.field.filterable or path.field.type is FieldType.ADDRESS:
            raise refuse(400, Code.INVALID_FIELD, f"field '{condition.path}' can not be filtered in a query call")
        get = path.get
        if isinstance(condition, Among):
            if condition.select is not None:
                if path.field.type not in (FieldType.ID, FieldType.REFERENCE):
                    malformed(f"field '{condition.path}' can not be used in a semi join")
                found = self.ids(condition.select, include_deleted=include_deleted)
                return (lambda row: get(row) not in found) if condition.negated else (lambda row: get(row) in found)
            return membership(get, path.field, condition.values, self._today, negated=condition.negated)
        return comparison(get, path.field, condition.op, condition.value, self._today)


def _reader(field: Field) -> Getter:
    name = field.name
    if field.type is FieldType.ADDRESS:
        return lambda row: address_of(row, name.removesuffix("Address"))
    if field.type is FieldType.BOOLEAN:
        return lambda row: row.get(name, False)
    return lambda row: row.get(name)


def address_of(row: Mapping[str, Any], prefix: str) -> dict[str, Any] | None:
    """The compound address, or null when all its parts are."""
    parts = ("City", "Country", "GeocodeAccuracy", "Latitude", "Longitude", "PostalCode", "State", "Street")
    address = {part[0].lower() + part[1:]: row.get(prefix + part) for part in parts}
    for part in ("CountryCode", "StateCode"):
        if prefix + part in row:
            address[part[0].lower() + part[1:]] = row[prefix + part]
    return address if any(value is not None for value in address.values()) else None
