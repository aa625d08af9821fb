"""Finding records by what they are recognised by, and accounts by their names.

Which columns hold the keys, and which object the companies, the `Kind` says. Comparisons in SOQL ignore case; what is found is
compared again in the kind's own comparable form where that decides.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from shared.records import Item
from sync.connectors.salesforce import soql
from sync.connectors.salesforce.client import CallRefused, Client
from sync.connectors.salesforce.ids import to_18
from sync.connectors.salesforce.rows import columns_of, to_item, to_items
from sync.core.match import Identity
from sync.ports import Candidates
from sync.translate.kind import Account, Companies, Kind, Schema

LONGEST = 255
"""No key and no account name is longer; a longer text finds nothing."""
SHORTEST_PART = 3
"""A shorter name is contained in too many others."""
ALL = 2000
"""Accounts that one query for names that contain something may bring; then more exist than were seen."""
_ALIVE = "IsDeleted = false"
_NAME = "Name"

Row: TypeAlias = dict[str, Any]


async def look_up(client: Client, kind: Kind, schema: Schema, identities: Sequence[Identity], companies: Sequence[str]) -> Candidates:
    """One call for up to 200 identities of usual length; five queries to a call where they are longer."""
    for_items = [
        soql.select(columns_of(kind, schema), kind.salesforce_object, soql.all_of(condition, _ALIVE))
        for condition in _identity_conditions(kind, schema, identities)
    ]
    names = _usable(companies) if kind.company_object else []
    exact = [_exact(kind, part) for part in soql.chunks(names, "'{}',")]
    parts = soql.chunks([name for name in names if len(name) >= SHORTEST_PART], f"{_NAME} LIKE '%{{}}%' OR ")
    try:
        found = await client.rows([*for_items, *exact, *(_containing(kind, part) for part in parts)])
    except CallRefused as refused:
        if not names or not refused.answer.has("INVALID_TYPE"):
            raise
        exact, parts = [], []  # this user may not read accounts at all
        found = await client.rows(for_items)
    items, accounts = found[: len(for_items)], found[len(for_items) :]

    def fold(text: str) -> str:
        return kind.comparable(kind.company_field, text)

    containing: dict[str, Account] = {}
    for part, rows in zip(parts, accounts[len(exact) :], strict=True):
        containing |= await _only_containing(client, kind, part, rows, fold)
    earliest: dict[str, Account] = {}
    for row in (row for rows in accounts[: len(exact)] for row in rows):
        earliest.setdefault(fold(str(row[_NAME])), _account(row))
    return Candidates(
        items=to_items([row for rows in items for row in rows], kind, schema),
        companies=Companies(exact=earliest, containing=containing),
    )


async def find_keys(client: Client, kind: Kind, schema: Schema, keys: Sequence[str]) -> Mapping[str, Item]:
    """One call for up to 2,000 keys of usual length."""
    if not schema.key_field or not keys:
        return {}
    columns = [*columns_of(kind, schema), schema.key_field]
    conditions = [soql.among(schema.key_field, part) for part in soql.chunks(list(dict.fromkeys(keys)), "'{}',")]
    found = await client.rows([soql.select(columns, kind.salesforce_object, soql.all_of(each, _ALIVE)) for each in conditions])
    wanted = {key.casefold(): key for key in keys} | {key: key for key in keys}
    by_key: dict[str, Item] = {}
    for row in (row for rows in found for row in rows):
        sent = str(row[schema.key_field])
        key = wanted.get(sent) or wanted.get(sent.casefold())
        if key is not None:
            by_key[key] = to_item(row, kind, schema)
    return by_key


async def find_recent(client: Client, kind: Kind, schema: Schema, since: datetime, creator: str) -> Sequence[Item]:
    made = soql.all_of(f"CreatedById = {soql.quoted(creator)}", f"CreatedDate >= {soql.moment(since.replace(microsecond=0))}", _ALIVE)
    (rows,) = await client.rows([soql.select(columns_of(kind, schema), kind.salesforce_object, made)])
    return to_items(rows, kind, schema)


def _identity_conditions(kind: Kind, schema: Schema, identities: Sequence[Identity]) -> list[str]:
    strong = _usable(key for identity in identities for key in sorted(identity.strong))
    weak = _usable(identity.weak for identity in identities)
    conditions = [soql.among(kind.strong_column, part) for part in soql.chunks(strong, "'{}',") if kind.strong_column in schema.fields]
    if kind.weak_column not in schema.fields:
        return conditions
    if schema.fields.keys() & set(kind.weak_fillers):  # a middle name stands within the name, a suffix behind it
        parts = soql.chunks(weak, f"{kind.weak_column} LIKE '{{}}%' OR ")
        return [*conditions, *(soql.any_of(soql.spread(kind.weak_column, words) for words in part) for part in parts)]
    return [*conditions, *(soql.among(kind.weak_column, part) for part in soql.chunks(weak, "'{}',"))]


def _usable(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(text.strip() for text in texts if text.strip() and len(text) <= LONGEST))


def _exact(kind: Kind, names: Sequence[str]) -> str:
    where = soql.all_of(soql.among(_NAME, names), _ALIVE)
    return soql.select(["Id", _NAME], kind.company_object, where, "ORDER BY CreatedDate, Id")


def _containing(kind: Kind, names: Sequence[str]) -> str:
    where = soql.all_of(soql.any_of(soql.containing(_NAME, name) for name in names), _ALIVE)
    return soql.select(["Id", _NAME], kind.company_object, where, f"LIMIT {ALL}")


async def _only_containing(
    client: Client, kind: Kind, names: Sequence[str], rows: Sequence[Row], fold: Callable[[str], str]
) -> dict[str, Account]:
    """The names that exactly one account contains. Where there were too many accounts to see them all, the names that are not
    ambiguous yet are asked for again without the others, twice at most (a call each); what is still not certain counts as not found."""
    undecided = list(names)
    for _ in range(3):
        matches = {name: [row for row in rows if fold(name) in fold(str(row[_NAME]))] for name in undecided}
        if len(rows) < ALL:
            return {fold(name): _account(found[0]) for name, found in matches.items() if len(found) == 1}
        left = [name for name, found in matches.items() if len(found) < 2]
        if not left or len(left) == len(undecided):
            return {}
        undecided = left
        (rows,) = await client.rows([_containing(kind, undecided)])
    return {}


def _account(row: Row) -> Account:
    return Account(id=to_18(str(row["Id"])), name=str(row[_NAME]))
