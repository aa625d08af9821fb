"""Creating, changing and deleting records: one outcome for each, in the order asked, whatever became of the request.

What may have taken effect is never sent again; what surely did not (a row that somebody else had locked) is sent once more.
Source: REST API Developer Guide, "Use sObject Collections", "Composite", "Conditional Requests".
"""

import json
import re
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from shared.errors import Code, SyncError, Temporary, Unknown
from sync.connectors.salesforce import soql
from sync.connectors.salesforce.client import CallRefused, Client, Step
from sync.connectors.salesforce.errors import SURE, error_of, refusals
from sync.connectors.salesforce.ids import is_id, to_18
from sync.connectors.salesforce.transport import WRITE_HEADERS, Answer
from sync.ports import Done, Failed, Missing, NewSalesforce, Outcome, SalesforceChange, Stale, Unsure

COLLECTION = 200
STEPS = 25
HALVINGS = 16
"""How often the requests of one call may be halved: enough to find one record among 200."""
_DUPLICATE = re.compile(r"duplicate value found:\s*(\S+)\s+duplicates value on record with id:\s*(\w{15,18})", re.IGNORECASE)
_GONE = frozenset({"ENTITY_IS_DELETED", "NOT_FOUND"})
_PASSING = frozenset({Code.THROTTLED, Code.UNAVAILABLE, Code.NETWORK})
_REFERENCE = "@{"
"""In a Composite request this begins a reference to another step, in values too, and cannot be escaped."""


# --------------------------------------------------------------------------- creating


async def create(client: Client, source: str, key_field: str, new: Sequence[NewSalesforce]) -> list[Outcome | None]:
    """Insert as one collection. None: a record with this unique key exists, and the service did not say which."""
    records = [{"attributes": {"type": source}, **each.body, **({key_field: each.key} if key_field and each.key else {})} for each in new]

    async def insert(positions: Sequence[int]) -> list[Outcome | None]:
        chosen = {"allOrNone": False, "records": [records[at] for at in positions]}
        answer = await client.call("POST", "composite/sobjects", json=chosen)
        return [_outcome_of_insert(row, key_field) for row in _rows_of(answer, len(positions))]

    return await _in_parts(client, len(records), COLLECTION, insert)


def _outcome_of_insert(row: Mapping[str, Any], key_field: str) -> Outcome | None:
    if row.get("success") is True:
        if isinstance(row.get("id"), str):
            return Done(id=to_18(row["id"]))
        return _unsure("a record was created, but its id is missing from the answer")
    reasons = refusals(row)
    if key_field and reasons and reasons[0].code == "DUPLICATE_VALUE":
        told = _DUPLICATE.search(reasons[0].message)
        if told is None or not is_id(told.group(2)):
            return None
        if told.group(1).casefold() == key_field.casefold():
            return Done(id=to_18(told.group(2)), existed=True)
    return Failed(error=error_of(reasons, 400))


# --------------------------------------------------------------------------- changing


async def update(client: Client, source: str, changes: Sequence[SalesforceChange]) -> list[Outcome]:
    """PATCH, 25 to a call; a change that holds `@{` in a value takes a call of its own."""
    alone = [at for at, change in enumerate(changes) if _REFERENCE in json.dumps(change.body)]
    together = [at for at in range(len(changes)) if at not in set(alone)]

    async def patch(positions: Sequence[int]) -> list[Outcome | None]:
        chosen = [changes[together[at]] for at in positions]
        answers = await client.composite([_step(source, change) for change in chosen])
        return [_outcome_of_patch(change, answer) for change, answer in zip(chosen, answers, strict=True)]

    async def patch_alone(positions: Sequence[int]) -> list[Outcome | None]:
        (change,) = [changes[alone[at]] for at in positions]
        step = _step(source, change)
        return [_outcome_of_patch(change, await client.call("PATCH", step.path, json=step.body, headers=step.headers))]

    outcomes: dict[int, Outcome] = {}
    for places, most, send in ((together, STEPS, patch), (alone, 1, patch_alone)):
        for at, outcome in zip(places, await _in_parts(client, len(places), most, send, some=bool(outcomes)), strict=True):
            outcomes[at] = outcome or _unsure("the answer is missing")
    return [outcomes[at] for at in range(len(changes))]


def _step(source: str, change: SalesforceChange) -> Step:
    """Only some headers of a Composite request reach its steps: those that matter are repeated in each."""
    headers = dict(WRITE_HEADERS)
    if change.unmodified_since:
        headers["If-Unmodified-Since"] = http_date(change.unmodified_since)
    return Step(method="PATCH", path=f"sobjects/{source}/{change.id}", body=dict(change.body), headers=headers)


def http_date(stamp: str) -> str:
    """A stamp as an HTTP date, never before the stamp: an HTTP date has no fractions of a second."""
    when = soql.parse_moment(stamp).astimezone(UTC)
    whole: datetime = when.replace(microsecond=0)
    return format_datetime(whole + timedelta(seconds=1) if when > whole else whole, usegmt=True)


def _outcome_of_patch(change: SalesforceChange, answer: Answer | None) -> Outcome:
    if answer is None:
        return _unsure("the answer to this step is missing")
    if answer.ok:
        return Done(id=change.id)
    if answer.status == 412 or answer.has("ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE"):
        return Stale()
    if answer.status == 404 or answer.has("ENTITY_IS_DELETED"):
        return Missing()
    if answer.status >= 500 and not any(reason.code in SURE for reason in answer.reasons):
        return _unsure(answer.error().text)
    return Failed(error=answer.error())


# --------------------------------------------------------------------------- deleting


async def delete(client: Client, ids: Sequence[str]) -> list[Outcome]:
    """Delete as one collection. What is gone already is Missing; so is what an attempt of this call deleted whose answer was lost."""

    async def remove(positions: Sequence[int]) -> list[Outcome | None]:
        chosen = [ids[at] for at in positions]
        path = f"composite/sobjects?ids={','.join(chosen)}&allOrNone=false"
        try:
            answer = await client.call("DELETE", path, repeatable=True)
        except Temporary as error:
            if error.code in (Code.UNAVAILABLE, Code.NETWORK):
                raise Unknown(error.code, error.text) from error
            raise
        if answer.status == 404 and all(reason.code in _GONE for reason in answer.reasons):
            return [Missing() for _ in chosen]
        return [_outcome_of_delete(each, row) for each, row in zip(chosen, _rows_of(answer, len(chosen)), strict=True)]

    return [outcome or _unsure("the answer is missing") for outcome in await _in_parts(client, len(ids), COLLECTION, remove)]


def _outcome_of_delete(record_id: str, row: Mapping[str, Any]) -> Outcome:
    if row.get("success") is True:
        return Done(id=record_id)
    reasons = refusals(row)
    if reasons and (reasons[0].code in _GONE or reasons[0].code == "INVALID_CROSS_REFERENCE_KEY"):
        return Missing()
    return Failed(error=error_of(reasons, 400))


# --------------------------------------------------------------------------- in common


async def _in_parts(
    client: Client, count: int, most: int, send: Callable[[Sequence[int]], Awaitable[list[Outcome | None]]], *, some: bool = False
) -> list[Outcome | None]:
    """Send positions 0 … count - 1, `most` at a time, and once more those that somebody else had locked.

    A request that is refused as a whole is halved, so that one record the service chokes on does not hold back its neighbours.

    An error that concerns more than these records is raised, unless outcomes would be lost by it (`some`: there are earlier ones);
    then it is the outcome of all that was not sent.
    """
    outcomes: dict[int, Outcome | None] = {}
    waiting = deque([*range(start, min(start + most, count))] for start in range(0, count, most))
    halvings = HALVINGS
    while waiting:
        part = waiting.popleft()
        try:
            told = await _send(part, send)
        except CallRefused as refused:
            if len(part) > 1 and halvings and refused.answer.status == 400:
                halvings -= 1
                middle = len(part) // 2
                waiting.extendleft([part[middle:], part[:middle]])
                continue
            told = [Failed(error=refused.answer.error()) for _ in part]
        except SyncError as error:
            if not some and not outcomes and error.code not in _PASSING:
                raise
            return [outcomes[at] if at in outcomes else Failed(error=error) for at in range(count)]
        outcomes.update(zip(part, told, strict=True))
    busy = [at for at, outcome in outcomes.items() if isinstance(outcome, Failed) and outcome.error.code is Code.ROW_BUSY]
    for start in range(0, len(busy), most):
        await client.pause()
        part = busy[start : start + most]
        try:
            told = await _send(part, send)
        except (SyncError, CallRefused):  # they are busy still, and the next request will meet this error itself
            break
        outcomes.update(zip(part, told, strict=True))
    return [outcomes[at] for at in range(count)]


async def _send(positions: Sequence[int], send: Callable[[Sequence[int]], Awaitable[list[Outcome | None]]]) -> list[Outcome | None]:
    try:
        return await send(positions)
    except Unknown as error:
        return [_unsure(error.text) for _ in positions]


def _rows_of(answer: Answer, count: int) -> Sequence[Mapping[str, Any]]:
    """A collection's rows. Raises CallRefused if the whole request was refused, Unknown if the rows are not those that were sent."""
    if not answer.ok:
        raise CallRefused(answer)
    rows = answer.body or []
    if not isinstance(rows, list) or len(rows) != count or not all(isinstance(row, Mapping) for row in rows):
        raise Unknown(Code.OUTCOME_UNKNOWN, "the answer does not tell what became of each record")
    return rows


def _unsure(text: str) -> Unsure:
    return Unsure(error=Unknown(Code.OUTCOME_UNKNOWN, text))
