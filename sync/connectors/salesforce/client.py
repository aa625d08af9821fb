"""Salesforce's REST API as one user: what the transport lacks.

That is: tokens renewed once, what may be sent again and what must not, the service's clock, several queries in one call.
It knows no kind of record and no port.
"""

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from shared.errors import Code, Permanent, Temporary, Unknown
from sync.connectors.salesforce import soql
from sync.connectors.salesforce.errors import SURE
from sync.connectors.salesforce.tokens import Token, Tokens
from sync.connectors.salesforce.transport import ROOT, Answer, send
from sync.ports import InThread

if TYPE_CHECKING:
    import requests

QUERIES_PER_CALL = 5
"""A Composite request takes at most five queries (and collections) among its 25 steps."""
RETRIES = 4
RETRY_BUDGET = 60.0
"""Seconds of waiting between the attempts of one call."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of a Composite request. `path` is relative to the API's root, or absolute."""

    method: str
    path: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """One page of a query's result. `next` names the rest, if there is one."""

    records: list[dict[str, Any]]
    next: str = ""
    date: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the connector needs from outside. `on_call` is told every request, with the service's `Sforce-Limit-Info`."""

    http: "requests.Session"
    in_thread: InThread
    sleep: Callable[[float], Awaitable[None]]
    now: Callable[[], datetime]
    jitter: Callable[[], float] = random.random
    on_call: Callable[[str], None] = lambda _limit_info: None


class CallRefused(Exception):
    """A query, or a whole Composite request, was refused for what it asks, without effect; `answer` says why."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class Client:
    """Salesforce's REST API as `username`."""

    def __init__(self, username: str, tokens: Tokens, around: Surroundings) -> None:
        self._username = username
        self._tokens = tokens
        self._around = around

    async def token(self) -> Token:
        """The user's token; a login only if there is none yet."""
        token: Token = await self._again(lambda: self._around.in_thread(self._tokens.get, self._username))
        return token

    def date_of(self, answer: Answer) -> datetime:
        """The service's clock; ours where the answer does not tell."""
        try:
            date = parsedate_to_datetime(answer.headers.get("date", ""))
        except ValueError:
            return self._around.now()
        return date if date.tzinfo else date.replace(tzinfo=UTC)

    async def call(
        self, method: str, path: str, *, json: Any = None, headers: Mapping[str, str] | None = None, repeatable: bool = False
    ) -> Answer:
        """One request. What surely took no effect is sent again for a while; what may have taken effect only if it is `repeatable`.

        Returns any answer that is about the request itself. Raises Permanent and Temporary for what concerns the user or the org,
        Unknown where a request that is not repeatable was cut or answered 5xx.
        """
        return await self._again(lambda: self._once(method, path, json, headers), repeatable=repeatable)

    async def composite(self, steps: Sequence[Step], *, repeatable: bool = False) -> list[Answer | None]:
        """Up to 25 independent steps, of which five may be queries, as one call. The answers are in the order asked; None: it has none.
        Raises CallRefused, and what `call` raises."""
        return await self._again(lambda: self._composite_once(steps), repeatable=repeatable)

    async def queries(self, queries: Sequence[str]) -> list[Rows]:
        """The first page of each, deleted rows included: a call per five queries. Raises CallRefused."""
        paths = [f"queryAll?q={soql.encoded(query)}" for query in queries]
        pages: list[Rows] = []
        for start in range(0, len(paths), QUERIES_PER_CALL):
            pages += await self._again(partial(self._query_once, paths[start : start + QUERIES_PER_CALL]))
        return pages

    async def rows(self, queries: Sequence[str]) -> list[list[dict[str, Any]]]:
        """All rows of each query: a call per five, and further ones while the service hands out its pages."""
        return [rows.records for rows in await self.finish(await self.queries(queries))]

    async def finish(self, pages: Sequence[Rows]) -> list[Rows]:
        """The pages with what follows them appended."""
        done = [Rows(records=list(page.records), date=page.date, next=page.next) for page in pages]
        while waiting := [at for at, page in enumerate(done) if page.next][:QUERIES_PER_CALL]:
            further = await self._again(partial(self._query_once, [done[at].next for at in waiting]))
            for at, page in zip(waiting, further, strict=True):
                done[at] = Rows(records=done[at].records + page.records, date=done[at].date, next=page.next)
        return done

    async def pause(self) -> None:
        """Long enough for somebody else's transaction to end."""
        await self._around.sleep(1.0 + self._around.jitter())

    async def _query_once(self, paths: Sequence[str]) -> list[Rows]:
        date, answers = await self._steps([Step(method="GET", path=path) for path in paths])
        pages: list[Rows] = []
        for answer in answers:
            if answer is None:
                raise Temporary(Code.UNAVAILABLE, "a query was not answered")
            if not answer.ok or not isinstance(answer.body, Mapping):
                error = answer.error()
                raise error if isinstance(error, Temporary) else CallRefused(answer)
            more = "" if answer.body.get("done", True) else str(answer.body.get("nextRecordsUrl") or "")
            pages.append(Rows(records=answer.body.get("records") or [], next=more, date=date))
        return pages

    async def _composite_once(self, steps: Sequence[Step]) -> list[Answer | None]:
        return (await self._steps(steps))[1]

    async def _steps(self, steps: Sequence[Step]) -> tuple[datetime, list[Answer | None]]:
        wanted: list[dict[str, Any]] = []
        for number, step in enumerate(steps):
            url = step.path if step.path.startswith("/") else ROOT + step.path
            sent: dict[str, Any] = {"method": step.method, "url": url, "referenceId": f"step{number}"}
            if step.headers:
                sent["httpHeaders"] = dict(step.headers)
            if step.body is not None:
                sent["body"] = step.body
            wanted.append(sent)
        whole = await self._once("POST", "composite", {"allOrNone": False, "compositeRequest": wanted}, None)
        if not whole.ok:
            raise CallRefused(whole)
        told = whole.body.get("compositeResponse") if isinstance(whole.body, Mapping) else None
        if not isinstance(told, list):
            raise Unknown(Code.UNAVAILABLE, "the answer to a Composite request could not be read")
        by_name: dict[str, Answer] = {}
        for part in told:
            status = int(part.get("httpStatusCode") or 0)
            by_name[str(part.get("referenceId"))] = Answer(status=status, body=part.get("body"))
        return self.date_of(whole), [by_name.get(f"step{number}") for number in range(len(steps))]

    async def _again(self, attempt: Callable[[], Awaitable[T]], *, repeatable: bool = True) -> T:
        """Attempt until it is answered, the attempts or the time between them are used up."""
        waited = 0.0
        for number in range(RETRIES):
            try:
                return await attempt()
            except Temporary as error:
                if error.code not in (Code.THROTTLED, Code.UNAVAILABLE, Code.NETWORK) or (isinstance(error, Unknown) and not repeatable):
                    raise
                delay = error.retry_after if error.retry_after is not None else 2.0**number * (0.5 + self._around.jitter())
                if number == RETRIES - 1 or waited + delay > RETRY_BUDGET:
                    raise Temporary(error.code, error.text, retry_after=error.retry_after) from error
                waited += delay
            await self._around.sleep(delay)
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _once(self, method: str, path: str, json: Any, headers: Mapping[str, str] | None) -> Answer:
        answer: Answer = await self._around.in_thread(self._exchange, method, path, json, headers)
        error = answer.error() if answer.status >= 300 else None
        if error is None:
            return answer
        if error.code in (Code.SALESFORCE_DAILY_LIMIT, Code.API_DISABLED, Code.THROTTLED):
            raise error
        if answer.status == 401:
            raise Permanent(Code.API_DISABLED if _needs_more_than_a_login(answer) else Code.NOT_AUTHORISED, error.text)
        if (answer.status >= 500 or answer.status == 406) and not any(reason.code in SURE for reason in answer.reasons):
            raise Unknown(Code.UNAVAILABLE, error.text, retry_after=error.retry_after)
        if 300 <= answer.status < 400 and isinstance(error, Temporary):
            raise error
        return answer

    def _exchange(self, method: str, path: str, json: Any, headers: Mapping[str, str] | None) -> Answer:
        """Blocks. Sends once more after a 401, with another token: a 401 takes no effect."""
        token = self._tokens.get(self._username)
        answer = self._send(token, method, path, json, headers)
        if answer.status == 401:
            another = self._tokens.renew(self._username, token)
            if another is None:
                return answer
            token = another
            answer = self._send(token, method, path, json, headers)
        if answer.status != 401:
            self._tokens.accept(self._username, token)
        return answer

    def _send(self, token: Token, method: str, path: str, json: Any, headers: Mapping[str, str] | None) -> Answer:
        answer = send(self._around.http, token, method, path, json, headers)
        self._around.on_call(answer.headers.get("sforce-limit-info", ""))
        return answer


def _needs_more_than_a_login(answer: Answer) -> bool:
    """A profile that asks for a high-assurance session answers INVALID_SESSION_ID too (jsforce#1301)."""
    return any("not valid for use" in reason.message.lower() for reason in answer.reasons)
