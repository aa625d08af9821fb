"""SOQL: from a statement to a tree.

Why this file exists: a statement the product sends must be refused where Salesforce refuses it, so it is parsed by the
documented grammar and not matched against what is expected. Knows neither fields nor records; `query.py` gives meaning.
Left out: GROUP BY and aggregates other than COUNT(), child subqueries in SELECT, TYPEOF, FOR, geolocation.
Source: SOQL and SOSL Reference, "SOQL SELECT Syntax" and "Condition Expression Syntax (WHERE Clause)".
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn

from local.sandbox.salesforce.errors import Code, refuse
from local.sandbox.salesforce.times import parse_date, parse_datetime


class LiteralKind(StrEnum):
    """What a literal was written as."""

    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    NULL = "null"
    DATE = "date"
    DATETIME = "dateTime"
    DATE_LITERAL = "date literal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal:
    """A value; `text` is unescaped (a LIKE pattern keeps its `\\%` and `\\_`), `count` belongs to LAST_N_DAYS:n."""

    kind: LiteralKind
    text: str
    pattern: str = ""
    count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    """`path op value`; path is case-preserving, op upper case."""

    path: str
    op: str
    value: Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Among:
    """`path [NOT] IN (...)`, of values or of a subselect."""

    path: str
    negated: bool
    values: tuple[Literal, ...] = ()
    select: "Query | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Junction:
    """AND, OR or NOT over conditions."""

    op: str
    parts: tuple["Condition", ...]


Condition = Compare | Among | Junction


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One ORDER BY item; nulls come first unless NULLS LAST is said."""

    path: str
    descending: bool
    nulls_first: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One SELECT. `count` is SELECT COUNT(); `select` keeps the order of the statement."""

    text: str
    select: tuple[str, ...]
    count: bool
    source: str
    scope: str | None = None
    where: Condition | None = None
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0


_TOKEN = re.compile(
    r"""\s*(?:
    (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
  | (?P<date>\d{4}-\d\d-\d\d)
  | (?P<number>[+-]?\d+(?:\.\d+)?)
  | (?P<string>'(?:[^'\\]|\\.)*')
  | (?P<name>[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)*(?::\d+)?)
  | (?P<symbol><=|>=|!=|<>|[=<>(),])
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "\\": "\\", "'": "'", '"': '"'}
_RESERVED = {"AND", "OR", "NOT", "LIKE", "IN", "FROM", "WHERE", "ORDER", "LIMIT", "OFFSET", "SELECT", "USING", "ASC", "DESC", "NULLS"}
_LIMIT_OF_LITERAL = 4000
_LIMIT_OF_STATEMENT = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    kind: str
    text: str
    at: int


def malformed(message: str) -> NoReturn:
    """Refuse a statement."""
    raise refuse(400, Code.MALFORMED_QUERY, message)


def _tokenize(text: str) -> list[_Token]:
    tokens, at, end = [], 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            rest = text[at:].lstrip()
            malformed("Unterminated string literal" if rest.startswith("'") else f"unexpected token: '{rest[:1]}'")
        tokens.append(_Token(kind=match.lastgroup, text=match.group(match.lastgroup), at=match.start(match.lastgroup)))
        at = match.end()
    return tokens


def _unescape(raw: str) -> tuple[str, str]:
    """The value of a quoted string, and the same as a LIKE pattern, in which an escaped wildcard stays escaped."""
    value, pattern = [], []
    body = iter(raw[1:-1])
    for char in body:
        if char != "\\":
            value.append(char)
            pattern.append(char)
            continue
        escaped = next(body)
        if escaped in "%_":
            value.append("\\" + escaped)
            pattern.append("\\" + escaped)
        elif escaped.lower() in _ESCAPES:
            plain = _ESCAPES[escaped.lower()]
            value.append(plain)
            pattern.append("\\\\" if plain == "\\" else plain)
        else:
            malformed(f"Invalid string literal '{raw[1:-1]}'. Illegal character sequence '\\{escaped}' in string literal.")
    return "".join(value), "".join(pattern)


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokenize(text)
        self._at = 0

    def _peek(self) -> str:
        """The next token, a name in upper case; empty at the end."""
        if self._at >= len(self._tokens):
            return ""
        token = self._tokens[self._at]
        return token.text.upper() if token.kind == "name" else token.text

    def _accept(self, *words: str) -> bool:
        if tuple(self._peek_at(offset) for offset in range(len(words))) == words:
            self._at += len(words)
            return True
        return False

    def _peek_at(self, offset: int) -> str:
        self._at += offset
        text = self._peek()
        self._at -= offset
        return text

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            self._unexpected(f"expecting {word}")

    def _unexpected(self, hint: str = "") -> NoReturn:
        if self._at >= len(self._tokens):
            malformed("unexpected token: '<EOF>'" + (f" ({hint})" if hint else ""))
        token = self._tokens[self._at]
        line = self._text[: token.at].count("\n") + 1
        column = token.at - (self._text.rfind("\n", 0, token.at) + 1) + 1
        context = self._text[max(0, token.at - 30) : token.at + 30].strip()
        malformed(f"\n{context}\n^\nERROR at Row:{line}:Column:{column}\nunexpected token: '{token.text}'" + (f" ({hint})" if hint else ""))

    def _name(self) -> str:
        if self._at >= len(self._tokens) or self._tokens[self._at].kind != "name" or self._peek() in _RESERVED or ":" in self._peek():
            self._unexpected()
        self._at += 1
        return self._tokens[self._at - 1].text

    def _integer(self) -> int:
        if self._at >= len(self._tokens) or not self._tokens[self._at].text.isdigit():
            self._unexpected()
        self._at += 1
        return int(self._tokens[self._at - 1].text)

    def statement(self) -> Query:
        query = self._query()
        if self._at < len(self._tokens):
            self._unexpected()
        return query

    def _query(self) -> Query:
        self._expect("SELECT")
        count = self._accept("COUNT", "(", ")")
        select: list[str] = []
        if not count:
            select.append(self._item())
            while self._accept(","):
                select.append(self._item())
        self._expect("FROM")
        source = self._name()
        scope = None
        if self._accept("USING"):
            self._expect("SCOPE")
            scope = self._name().lower()
        where = self._condition() if self._accept("WHERE") else None
        order: list[Order] = []
        if self._accept("ORDER"):
            self._expect("BY")
            order.append(self._order())
            while self._accept(","):
                order.append(self._order())
        limit = self._integer() if self._accept("LIMIT") else None
        offset = self._integer() if self._accept("OFFSET") else 0
        return Query(
            text=self._text,
            select=tuple(select),
            count=count,
            source=source,
            scope=scope,
            where=where,
            order=tuple(order),
            limit=limit,
            offset=offset,
        )

    def _item(self) -> str:
        name = self._name()
        if name.upper() == "FIELDS" and self._accept("("):
            which = self._name().upper()
            self._expect(")")
            return f"FIELDS({which})"
        return name

    def _order(self) -> Order:
        path = self._name()
        descending = self._accept("DESC")
        if not descending:
            self._accept("ASC")
        nulls_first = True
        if self._accept("NULLS"):
            nulls_first = self._accept("FIRST")
            if not nulls_first:
                self._expect("LAST")
        return Order(path=path, descending=descending, nulls_first=nulls_first)

    def _condition(self) -> Condition:
        """AND and OR do not mix without parentheses, and NOT stands alone in its own."""
        if self._accept("NOT"):
            return Junction(op="NOT", parts=(self._simple(),))
        parts = [self._simple()]
        op = self._peek()
        if op not in ("AND", "OR"):
            return parts[0]
        while self._accept(op):
            parts.append(self._simple())
        if self._peek() in ("AND", "OR"):
            self._unexpected("AND and OR need parentheses")
        return Junction(op=op, parts=tuple(parts))

    def _simple(self) -> Condition:
        if self._accept("("):
            condition = self._condition()
            self._expect(")")
            return condition
        path = self._name()
        if self._accept("NOT", "IN"):
            return self._among(path, negated=True)
        if self._accept("IN"):
            return self._among(path, negated=False)
        op = self._peek()
        if op not in ("=", "!=", "<>", "<", ">", "<=", ">=", "LIKE"):
            self._unexpected()
        self._at += 1
        return Compare(path=path, op="!=" if op == "<>" else op, value=self._literal())

    def _among(self, path: str, *, negated: bool) -> Among:
        self._expect("(")
        if self._peek() == "SELECT":
            select = self._query()
            self._expect(")")
            return Among(path=path, negated=negated, select=select)
        values = [self._literal()]
        while self._accept(","):
            values.append(self._literal())
        self._expect(")")
        return Among(path=path, negated=negated, values=tuple(values))

    def _literal(self) -> Literal:
        if self._at >= len(self._tokens):
            self._unexpected()
        token = self._tokens[self._at]
        literal = self._as_literal(token)
        if literal is None:
            self._unexpected()
        self._at += 1
        return literal

    def _as_literal(self, token: _Token) -> Literal | None:
        if token.kind == "string":
            value, pattern = _unescape(token.text)
            if len(value) > _LIMIT_OF_LITERAL:
                malformed(f"SOQL string literal is too long: {len(value)} characters, at most {_LIMIT_OF_LITERAL}")
            return Literal(kind=LiteralKind.STRING, text=value, pattern=pattern)
        if token.kind == "number":
            return Literal(kind=LiteralKind.NUMBER, text=token.text)
        if token.kind == "date":
            if parse_date(token.text) is None:
                malformed(f"Invalid date: {token.text}")
            return Literal(kind=LiteralKind.DATE, text=token.text)
        if token.kind == "datetime":
            stamp = parse_datetime(token.text)
            if stamp is None:
                malformed(f"Invalid datetime: {token.text}")
            return Literal(kind=LiteralKind.DATETIME, text=stamp)
        if token.kind != "name" or token.text.upper() in _RESERVED or "." in token.text:
            return None
        word, _, count = token.text.upper().partition(":")
        if word == "NULL":
            return Literal(kind=LiteralKind.NULL, text="")
        if word in ("TRUE", "FALSE"):
            return Literal(kind=LiteralKind.BOOLEAN, text=word)
        return Literal(kind=LiteralKind.DATE_LITERAL, text=word, count=int(count) if count else None)


def parse(text: str) -> Query:
    """The tree of a statement.

    Raises Refusal with MALFORMED_QUERY, or QUERY_TOO_COMPLICATED for more than 100,000 characters.
    """
    if len(text) > _LIMIT_OF_STATEMENT:
        raise refuse(400, Code.QUERY_TOO_COMPLICATED, f"SOQL statements cannot be longer than {_LIMIT_OF_STATEMENT} characters.")
    if not text.strip():
        malformed("unexpected token: '<EOF>'")
    return _Parser(text).statement()
