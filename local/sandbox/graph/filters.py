"""`$filter`: a recursive-descent parser that compiles to a test over rows.

It is told which properties exist and what may be asked of them; it knows no resource and no store. What Exchange does not carry
out is refused with 400 rather than ignored, so that a client cannot believe that it filtered.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Any

from local.sandbox.graph.answers import Refusal, bad_request
from local.sandbox.graph.schema import STAMPS_FIELD, normal_stamp_id

Row = Mapping[str, Any]
Test = Callable[[Row], bool]
NODE_LIMIT = 100
_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^']|'')*')"
    r"|(?P<instant>\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?)"
    r"|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<name>[A-Za-z_@][\w.@]*(?:/[A-Za-z_][\w.]*)*)"
    r"|(?P<sign>[():,]))"
)
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: bool(a == b),
    "ne": lambda a, b: bool(a != b),
    "gt": lambda a, b: a is not None and bool(a > b),
    "ge": lambda a, b: a is not None and bool(a >= b),
    "lt": lambda a, b: a is not None and bool(a < b),
    "le": lambda a, b: a is not None and bool(a <= b),
}


class Sort(Enum):
    """What can be asked of a property in a filter."""

    TEXT = auto()
    INSTANT = auto()
    BOOLEAN = auto()
    TEXTS = auto()
    EMAILS = auto()
    STAMPS = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A compiled `$filter`; `names` are the properties it looks at, in order. A filter that is one equality of an e-mail
    address or extended property has it as `hint` (name or id, folded value): only items with it can be accepted."""

    accepts: Test
    names: tuple[str, ...]
    hint: tuple[str, str] | None = None


def parse_filter(text: str, sorts: Mapping[str, Sort]) -> Filter:
    """Compiles a filter over rows. Strings compare without case, as Exchange restrictions do.

    Raises: Refusal 400 with `ErrorInvalidUrlQueryFilter` or `RequestBroker--ParseUri`.
    """
    parser = _FilterParser(text, sorts)
    accepts = parser.parse()
    return Filter(accepts=accepts, names=tuple(parser.names), hint=parser.hint if parser.comparisons == 1 and not parser.negated else None)


def refuse_filter(message: str) -> Refusal:
    return bad_request(message, "ErrorInvalidUrlQueryFilter")


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str


class _FilterParser:
    """or < and < not < comparison | function | lambda | ( )"""

    def __init__(self, text: str, sorts: Mapping[str, Sort]) -> None:
        self._tokens = read_tokens(text)
        self._at = 0
        self._nodes = 0
        self._sorts = sorts
        self.names: list[str] = []
        self.hint: tuple[str, str] | None = None
        self.comparisons = 0
        self.negated = False

    def parse(self) -> Test:
        test = self._or()
        if self._peek() is not None:
            raise self._syntax()
        return test

    def _or(self) -> Test:
        tests = [self._and()]
        while self._word("or"):
            tests.append(self._and())
        return tests[0] if len(tests) == 1 else lambda row: any(test(row) for test in tests)

    def _and(self) -> Test:
        tests = [self._not()]
        while self._word("and"):
            tests.append(self._not())
        return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)

    def _not(self) -> Test:
        if self._word("not"):
            self.negated = True
            inner = self._not()
            return lambda row: not inner(row)
        if self._sign("("):
            inner = self._or()
            self._expect(")")
            return inner
        return self._primary()

    def _primary(self) -> Test:
        self._count()
        self.comparisons += 1
        name = self._take("name")
        if name.lower() in ("startswith", "contains", "endswith", "tolower", "toupper", "indexof", "length"):
            return self._function(name)
        collection, _, quantifier = name.rpartition("/")
        if quantifier.lower() in ("any", "all") and collection:
            return self._lambda(collection, quantifier.lower())
        sort = self._sort(name)
        if sort not in (Sort.TEXT, Sort.INSTANT, Sort.BOOLEAN):
            raise refuse_filter(f"The property '{name}' cannot be compared in $filter.")
        operator = self._operator()
        value = self._literal(sort)
        if sort is Sort.TEXT:
            compare = _COMPARE[operator]
            return lambda row: compare(_folded(row.get(name)), value)
        if sort is Sort.INSTANT:
            compare = _COMPARE[operator]
            return lambda row: compare(_instant(row.get(name)), value)
        if operator not in ("eq", "ne"):
            raise refuse_filter(f"Operator '{operator}' is not supported for '{name}'.")
        compare = _COMPARE[operator]
        return lambda row: compare(row.get(name), value)

    def _function(self, name: str) -> Test:
        if name.lower() != "startswith":
            raise refuse_filter(f"The function '{name}' is not supported in $filter for this resource.")
        self._expect("(")
        path = self._take("name")
        if self._sort(path) is not Sort.TEXT:
            raise refuse_filter(f"startswith is not supported for '{path}'.")
        self._expect(",")
        start = unquote(self._take("string")).casefold()
        self._expect(")")
        if self._word("eq") and self._take("name").lower() != "true":
            raise self._syntax()
        return lambda row: (_folded(row.get(path)) or "").startswith(start)

    def _lambda(self, collection: str, quantifier: str) -> Test:
        sort = self._sort(collection)
        if quantifier != "any" or sort not in (Sort.EMAILS, Sort.STAMPS, Sort.TEXTS):
            raise refuse_filter(f"'{collection}/{quantifier}' is not supported in $filter.")
        self._expect("(")
        variable = self._take("name")
        self._expect(":")
        if sort is Sort.STAMPS:
            test = self._stamp_body(collection, variable)
        else:
            path = variable if sort is Sort.TEXTS else f"{variable}/address"
            found = self._take("name")
            if found != path or not self._word("eq"):
                raise refuse_filter(f"Only '{path} eq' is supported in '{collection}/any'.")
            wanted = unquote(self._take("string")).casefold()
            if sort is Sort.TEXTS:

                def test(row: Row) -> bool:
                    return any(entry.casefold() == wanted for entry in row.get(collection) or ())

            else:
                self.hint = (collection, wanted)

                def test(row: Row) -> bool:
                    return any(_folded(entry.get("address")) == wanted for entry in row.get(collection) or ())

        self._expect(")")
        return test

    def _stamp_body(self, collection: str, variable: str) -> Test:
        """`ep/id eq '…' and ep/value eq '…'`: the id exactly (its name part is case-sensitive), the value without case."""
        parts: dict[str, tuple[str, str | None]] = {}
        while True:
            self._count()
            path = self._take("name")
            part = path.removeprefix(f"{variable}/")
            if part not in ("id", "value") or part == path or part in parts:
                raise refuse_filter(f"'{path}' is not supported in '{collection}/any'.")
            operator = self._operator()
            if operator not in ("eq", "ne") or (part == "id" and operator != "eq"):
                raise refuse_filter(f"Operator '{operator}' is not supported for '{path}'.")
            null = self._word("null")
            parts[part] = (operator, None if null else unquote(self._take("string")))
            if not self._word("and"):
                break
        wanted_id = parts.get("id", ("eq", None))[1]
        if wanted_id is None or "value" not in parts:
            raise refuse_filter("A filter on extended properties names their id and their value.")
        stamp_id = normal_stamp_id(wanted_id)
        operator, value = parts["value"]
        folded = None if value is None else value.casefold()
        compare = _COMPARE[operator]
        if operator == "eq" and folded is not None:
            self.hint = (stamp_id, folded)
        return lambda row: compare(_folded(row[STAMPS_FIELD].get(stamp_id)), folded)

    def _sort(self, name: str) -> Sort:
        sort = self._sorts.get(name)
        if sort is None:
            raise bad_request(f"Could not find a property named '{name}' that can be filtered.", "RequestBroker--ParseUri")
        self.names.append(name)
        return sort

    def _operator(self) -> str:
        word = self._take("name").lower()
        if word not in _COMPARE:
            raise self._syntax()
        return word

    def _literal(self, sort: Sort) -> Any:
        token = self._next()
        if token.kind == "name" and token.text == "null":
            return None
        if sort is Sort.TEXT and token.kind == "string":
            return unquote(token.text).casefold()
        if sort is Sort.INSTANT and token.kind == "instant":
            return _instant(token.text)
        if sort is Sort.BOOLEAN and token.kind == "name" and token.text in ("true", "false"):
            return token.text == "true"
        raise bad_request("A binary operator with incompatible types was detected in $filter.", "RequestBroker--ParseUri")

    def _peek(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _next(self) -> Token:
        token = self._peek()
        if token is None:
            raise self._syntax()
        self._at += 1
        return token

    def _take(self, kind: str) -> str:
        token = self._next()
        if token.kind != kind:
            raise self._syntax()
        return token.text

    def _word(self, word: str) -> bool:
        token = self._peek()
        if token is not None and token.kind == "name" and token.text.lower() == word:
            self._at += 1
            return True
        return False

    def _sign(self, sign: str) -> bool:
        token = self._peek()
        if token is not None and token.kind == "sign" and token.text == sign:
            self._at += 1
            return True
        return False

    def _expect(self, sign: str) -> None:
        if not self._sign(sign):
            raise self._syntax()

    def _count(self) -> None:
        self._nodes += 1
        if self._nodes * 3 > NODE_LIMIT:
            raise bad_request(f"The node count limit of '{NODE_LIMIT}' has been exceeded.", "RequestBroker--ParseUri")

    def _syntax(self) -> Refusal:
        return bad_request(f"Syntax error in $filter at token {self._at}.", "RequestBroker--ParseUri")


def read_tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise bad_request(f"Syntax error: character '{text[at:].strip()[0]}' is not valid in $filter.", "RequestBroker--ParseUri")
        tokens.append(Token(found.lastgroup, found[found.lastgroup]))
        at = found.end()
    if not tokens:
        raise bad_request("$filter is empty.", "RequestBroker--ParseUri")
    return tokens


def unquote(text: str) -> str:
    return text[1:-1].replace("''", "'")


def _folded(value: Any) -> str | None:
    return value.casefold() if isinstance(value, str) else None


def _instant(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    moment = datetime.fromisoformat(value)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
