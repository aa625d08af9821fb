"""Reads the OData query options other than `$filter`: `$select`, `$expand`, `$orderby` and numbers.

What is not understood is refused with 400 and never ignored.
"""

import re
from collections.abc import Mapping

from local.sandbox.graph.answers import bad_request
from local.sandbox.graph.filters import Filter, Sort, read_tokens, refuse_filter, unquote
from local.sandbox.graph.schema import STAMPS_FIELD, normal_stamp_id


def parse_select(text: str, known: frozenset[str], type_name: str) -> tuple[str, ...]:
    """The selected properties; an unknown one is refused, `*` selects everything (an empty result)."""
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    if "*" in names:
        return ()
    for name in names:
        if name not in known:
            raise bad_request(f"Could not find a property named '{name}' on type 'microsoft.graph.{type_name}'.", "RequestBroker--ParseUri")
    return names


def parse_stamp_expand(text: str) -> tuple[str, ...]:
    """The extended property ids that `$expand=singleValueExtendedProperties($filter=id eq '…')` asks for.

    Without a filter the service answers nothing at all: the result is empty.
    """
    found = re.fullmatch(rf"{STAMPS_FIELD}(?:\(\s*\$filter\s*=(?P<filter>.*)\))?", text.strip(), re.DOTALL)
    if found is None:
        raise bad_request(f"The $expand '{text}' is not supported.", "RequestBroker--ParseUri")
    if found["filter"] is None:
        return ()
    ids: list[str] = []
    tokens = read_tokens(found["filter"])
    for at in range(0, len(tokens), 4):
        group = tokens[at : at + 4]
        kinds = [(token.kind, token.text) for token in group]
        if len(kinds) < 3 or kinds[0] != ("name", "id") or kinds[1] != ("name", "eq") or kinds[2][0] != "string":
            raise refuse_filter("Extended properties are expanded by \"id eq '…'\" only.")
        if len(kinds) == 4 and (kinds[3] != ("name", "or") or at + 4 >= len(tokens)):
            raise refuse_filter("Extended properties are expanded by \"id eq '…'\" joined by or.")
        ids.append(normal_stamp_id(unquote(group[2].text)))
    return tuple(ids)


def parse_order(text: str, sorts: Mapping[str, Sort], filtered: Filter | None) -> list[tuple[str, bool]]:
    """(property, descending) pairs.

    With a filter, Exchange wants the ordered properties in it first (learn.microsoft.com/graph/api/user-list-messages).
    """
    order: list[tuple[str, bool]] = []
    for part in text.split(","):
        words = part.split()
        if not words or len(words) > 2 or (len(words) == 2 and words[1].lower() not in ("asc", "desc")):
            raise bad_request("Syntax error in $orderby.", "RequestBroker--ParseUri")
        if sorts.get(words[0]) not in (Sort.TEXT, Sort.INSTANT):
            raise bad_request(f"Could not find a property named '{words[0]}' that can be ordered by.", "RequestBroker--ParseUri")
        order.append((words[0], len(words) == 2 and words[1].lower() == "desc"))
    names = [name for name, _ in order]
    if filtered is not None and list(dict.fromkeys(filtered.names))[: len(names)] != names:
        raise bad_request("The restriction or sort order is too complex for this operation.", "InefficientFilter")
    return order


def parse_count(text: str, name: str, *, low: int, high: int) -> int:
    """A whole number between the bounds."""
    if not re.fullmatch(r"\d{1,9}", text) or not low <= int(text) <= high:
        raise bad_request(f"Invalid value '{text}' for {name} query option found. It must be between {low} and {high} inclusive.")
    return int(text)
