"""SyncConflicts: what a person is asked, and what a rule settled; one row per pair of records.

Both versions are shown in plain columns, and a decision is bound to exactly what is shown (`Version`): when that changes, the decision is
cleared. A decision is handed out as it was typed; whether it is allowed is the caller's to say. It knows no vendor.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.records import Value
from sync.core.fingerprint import opaque
from sync.ports import Answer, Merge, Operation, Question, Remove, Replace, Scalar, Stored, Tables
from sync.stores.columns import shorten
from sync.stores.filters import both, compare

TABLE = "SyncConflicts"

COLUMNS: Mapping[str, type] = {
    "User": str,
    "Kind": str,
    "Pair": str,
    "State": str,
    "Question": str,
    "Fields": str,
    "Salesforce_<field>": str,
    "Outlook_<field>": str,
    "Version": str,
    "Decision": str,
    "AllowedDecisions": str,
    "Candidates": str,
    "SalesforceId": str,
    "OutlookId": str,
    "FirstSeen": datetime,
    "LastSeen": datetime,
    "RunId": str,
    "Winner": str,
}


class Status(StrEnum):
    WAITING = "waiting"  # for a decision
    DECIDED = "decided"  # a person's decision was carried out
    SETTLED = "settled"  # the rule decided; nobody is asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A row as it stands in the table. `decision` is what somebody typed, '' if nobody did."""

    key: str
    kind: str
    name: str
    status: Status
    question: str
    fields: Mapping[str, tuple[Value, Value]]
    version: str
    decision: str
    candidates: tuple[str, ...]
    salesforce_id: str
    outlook_id: str
    first_seen: datetime
    last_seen: datetime
    winner: str


def pair_key(kind: str, name: str) -> str:
    """The key of the row of a pair, named as in `Question.name`."""
    return f"{kind}|{opaque(name)}"


def allowed(question: Question) -> tuple[str, ...]:
    """The decisions that answer a question: a side, or one of the candidates or `create`."""
    if question.kind_of == "match":
        return (*question.candidates, "create")
    return ("create",) if question.kind_of == "copy" else ("salesforce", "outlook")


class Conflicts:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def ask(self, user: str, name: str, kind: str, questions: Sequence[Question], *, now: datetime, run: str) -> None:
        """Put questions, and note what a rule settled (those with a winner). A waiting row of the same version keeps its decision, which
        may be typed while this runs; of another version it is replaced and its decision cleared."""
        if not questions:
            return
        there = await self._find(user, {pair_key(kind, question.name) for question in questions})
        operations: list[Operation] = []
        for question in {question.name: question for question in questions}.values():
            key = pair_key(kind, question.name)
            old = there.get(key)
            same = old is not None and old.values.get("Version") == question.version
            waits = old is not None and old.values.get("State") == Status.WAITING and not question.winner
            first = old.values.get("FirstSeen", now) if same and old is not None else now
            values = _row(question, name, kind, first, now, run)
            operations.append(Merge(key=key, values=values) if same and waits else Replace(key=key, values={**values, "Decision": ""}))
        await self._tables.put_many(TABLE, user, operations)

    async def answers(self, user: str, kind: str) -> list[Answer]:
        """What was typed into waiting rows; one scan."""
        where = both(compare("Decision", "ne", ""), compare("State", "eq", Status.WAITING))
        rows = self._tables.scan(TABLE, user, start=f"{kind}|", end=f"{kind}}}", where=where, columns=("Pair", "Decision", "Version"))
        return [
            Answer(name=str(row.values["Pair"]), decision=str(row.values["Decision"]).strip(), version=str(row.values["Version"]))
            async for row in rows
            if row.values.keys() >= {"Pair", "Version"}  # a row that somebody made by hand asks nothing
        ]

    async def decide(self, user: str, kind: str, answers: Sequence[Answer], *, now: datetime, run: str) -> None:
        """Note that these decisions were carried out; the rows stay for the record until they are purged. A row that somebody removed
        meanwhile stays removed."""
        there = await self._find(user, {pair_key(kind, answer.name) for answer in answers})
        operations = [
            Merge(key=key, values={"State": str(Status.DECIDED), "Winner": answer.decision, "LastSeen": now, "RunId": run})
            for answer in answers
            if (key := pair_key(kind, answer.name)) in there
        ]
        await self._tables.put_many(TABLE, user, operations)

    async def close(self, user: str, kind: str, names: Collection[str]) -> None:
        """Remove the questions of these pairs that still wait: they are moot."""
        there = await self._find(user, {pair_key(kind, name) for name in names})
        moot = [key for key, row in there.items() if row.values.get("State") == Status.WAITING]
        await self._tables.put_many(TABLE, user, [Remove(key=key) for key in moot])

    async def of_user(self, user: str, *, status: Status | None = None) -> list[Asked]:
        where = compare("State", "eq", status) if status else ""
        return [_read(row) async for row in self._tables.scan(TABLE, user, where=where)]

    def old(self, before: datetime) -> AsyncIterator[Stored]:
        """Decided and settled rows last seen before. Questions stay until they are answered or moot."""
        return self._tables.scan_table(TABLE, where=both(compare("State", "ne", Status.WAITING), compare("LastSeen", "lt", before)))

    async def _find(self, user: str, keys: Collection[str]) -> dict[str, Stored]:
        """The rows that are there of these."""
        if len(keys) == 1:
            return {key: row for key in keys if (row := await self._tables.get(TABLE, user, key)) is not None}
        rows = self._tables.scan(TABLE, user, columns=("State", "Version", "FirstSeen"))
        return {row.key: row async for row in rows if row.key in keys} if keys else {}


def _row(question: Question, name: str, kind: str, first: Scalar, now: datetime, run: str) -> dict[str, Scalar]:
    """All columns but Decision, which belongs to people."""
    values: dict[str, Scalar] = {
        "User": name,
        "Kind": kind,
        "Pair": question.name,
        "State": str(Status.SETTLED if question.winner else Status.WAITING),
        "Question": question.kind_of,
        "Fields": ",".join(question.fields),
        "Version": question.version,
        "AllowedDecisions": "" if question.winner else ", ".join(allowed(question)),
        "Candidates": ",".join(question.candidates),
        "SalesforceId": question.salesforce_id,
        "OutlookId": question.outlook_id,
        "FirstSeen": first,
        "LastSeen": now,
        "RunId": run,
        "Winner": question.winner,
    }
    for field, (salesforce, outlook) in question.fields.items():
        values[f"Salesforce_{field}"] = shorten(salesforce or "")
        values[f"Outlook_{field}"] = shorten(outlook or "")
    return values


def _read(row: Stored) -> Asked:
    values = row.values
    text = {name: str(values.get(name, "")) for name in COLUMNS}
    first, last = values.get("FirstSeen"), values.get("LastSeen")
    if not (isinstance(first, datetime) and isinstance(last, datetime)):
        raise ValueError(f"{TABLE}: row {row.partition} {row.key} was changed by hand: FirstSeen or LastSeen")
    fields = [name for name in text["Fields"].split(",") if name]
    return Asked(
        key=row.key,
        kind=text["Kind"],
        name=text["Pair"],
        status=Status(text["State"]),
        question=text["Question"],
        fields={
            name: (str(values.get(f"Salesforce_{name}", "")) or None, str(values.get(f"Outlook_{name}", "")) or None) for name in fields
        },
        version=text["Version"],
        decision=text["Decision"].strip(),
        candidates=tuple(name for name in text["Candidates"].split(",") if name),
        salesforce_id=text["SalesforceId"],
        outlook_id=text["OutlookId"],
        first_seen=first,
        last_seen=last,
        winner=text["Winner"],
    )
