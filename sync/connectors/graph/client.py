"""HTTP to Graph v1.0: single requests and `$batch`, with immutable ids, one fresh token on 401, waits as the service asks.

It knows no kind of item and translates no answer; it only decides what is safe to send again. A read is repeated within the budget;
a write only where it certainly had no effect. What was sent and not answered is `unsure`, and is never repeated blindly.

    answer to a sub-request     read      PATCH, DELETE    POST
    429, 424, never sent        again     again            again
    503                         again     again            again if it names a time to wait, else unsure
    408, 500, 502, 504, cut     again     unsure           unsure
    the whole batch 5xx         again     unsure           unsure

(A POST that is told `503` without a time may have got through to the store behind the gateway that says so.)
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4
from weakref import WeakValueDictionary

from shared.errors import Code, Permanent, SyncError, Temporary
from sync.connectors.graph.errors import codes_of, read_error, unknown
from sync.connectors.graph.login import GetToken
from sync.connectors.graph.reply import Reply, SubRequest
from sync.connectors.graph.retry import Chance, Patience, Sleep, asked_wait
from sync.ports import Clock

if TYPE_CHECKING:
    import httpx

BATCH = 20
IMMUTABLE = 'IdType="ImmutableId"'

log = logging.getLogger(__name__)


class GraphClient:
    """`endpoint`: origin without `/v1.0`. `timeout`: the longest a request may take, in seconds. `budget`: seconds that one call may
    spend waiting. `on_request` is told method and URL of every HTTP request."""

    def __init__(
        self,
        *,
        endpoint: str,
        get_token: GetToken,
        http: "httpx.AsyncClient",
        clock: Clock,
        sleep: Sleep,
        chance: Chance,
        budget: float = 60.0,
        timeout: float = 60.0,
        on_request: Callable[[str, str], None] = lambda _method, _url: None,
        new_id: Callable[[], str] = lambda: str(uuid4()),
    ) -> None:
        self.base = f"{endpoint.rstrip('/')}/v1.0"
        self.timeout = timeout
        self._get_token, self._http, self._clock, self._sleep, self._chance = get_token, http, clock, sleep, chance
        self._budget, self._on_request, self._new_id = budget, on_request, new_id
        self._token = self._refused = ""
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def relative(self, link: str) -> str:
        """A link of the service as a URL relative to `/v1.0`, otherwise untouched: links are opaque, and their host is not trusted."""
        path = "/" + (link.partition("://")[2].partition("/")[2] if "://" in link.partition("?")[0] else link.lstrip("/"))
        head, version, tail = path.partition("/v1.0/")
        return f"/{tail}" if version and "?" not in head else path

    async def request(self, method: str, url: str, *, headers: Mapping[str, str] | None = None, content: bytes | None = None) -> Reply:
        """One idempotent request (GET, PUT), repeated within the budget. Raises Temporary, and Permanent for a refused login."""
        patience = Patience(self._clock, self._sleep, self._chance, self._budget)
        while True:
            reply = await self._send(method, url, headers or {}, content)
            if reply.fault is None and reply.status not in {408, 424, 429} and (reply.status < 500 or reply.status == 507):
                return reply
            if isinstance(reply.fault, Permanent) or not await patience.wait(asked_wait(reply.headers, self._clock.now())):
                error = read_error(reply)
                raise error if isinstance(error, SyncError) else Temporary(Code.UNAVAILABLE, f"Graph answered {reply.status}")

    async def batch(self, mailbox: str, requests: Sequence[SubRequest], before: Callable[[], Awaitable[None]] | None = None) -> list[Reply]:
        """Send independent requests, 20 to a `$batch`, and give their replies in the order asked. It raises nothing but what `before`
        raises, which is awaited before each batch.

        A mailbox runs four requests at a time (Graph, Outlook service limits), which one parallel batch fills: batches of one mailbox
        take turns.
        """
        turn = self._turns.setdefault(mailbox, asyncio.Lock())
        async with turn:
            patience = Patience(self._clock, self._sleep, self._chance, self._budget)
            replies: list[Reply] = []
            for start in range(0, len(requests), BATCH):
                chunk = requests[start : start + BATCH]
                if before is not None:
                    await before()
                done = await self._exchange(chunk, patience)
                replies += done
                if all(isinstance(reply.fault, SyncError) and not reply.unsure for reply in done):
                    # Nothing gets through now: what is left is not even sent.
                    replies += [done[-1]] * (len(requests) - len(replies))
                    break
            return replies

    async def _exchange(self, requests: Sequence[SubRequest], patience: Patience) -> list[Reply]:
        """At most 20 requests, until each is settled or the patience is at its end."""
        patience.start()
        settled: dict[int, Reply] = {}
        todo = list(range(len(requests)))
        renewed = False
        while todo:
            replies = await self._post_batch([requests[i] for i in todo])
            again: dict[int, Reply] = {}
            for i, reply in zip(todo, replies, strict=True):
                if (reply.fault is None and reply.status == 401 and not renewed) or _repeatable(requests[i], reply):
                    again[i] = reply
                else:
                    settled[i] = _settle(requests[i], reply)
            if not again:
                break
            todo = sorted(again)
            if any(reply.status == 401 for reply in again.values()):
                renewed = True
                self._refused = self._token
                continue
            asked = [wait for reply in again.values() if (wait := asked_wait(reply.headers, self._clock.now())) is not None]
            if not await patience.wait(max(asked, default=None)):
                settled.update({i: _give_up(reply, max(asked, default=None)) for i, reply in again.items()})
                break
        return [settled[i] for i in range(len(requests))]

    async def _post_batch(self, requests: Sequence[SubRequest]) -> list[Reply]:
        """One HTTP request; a reply for each sub-request."""
        parts = [_part(str(number), request) for number, request in enumerate(requests, 1)]
        content = json.dumps({"requests": parts}, separators=(",", ":")).encode()
        whole = await self._send("POST", "/$batch", {"Content-Type": "application/json"}, content)
        answers = whole.body.get("responses") if isinstance(whole.body, dict) else None
        if isinstance(answers, list):
            by_id = {str(answer.get("id")): _answer(answer) for answer in answers if isinstance(answer, dict)}
            nothing = Reply(fault=unknown("Graph left the request of a batch unanswered"))
            return [by_id.get(str(number)) or replace(nothing, unsure=request.writes) for number, request in enumerate(requests, 1)]
        if whole.status in {400, 413} and len(requests) > 1:
            # One request spoils the batch, or it is too large: nothing was processed, and halves tell which.
            middle = len(requests) // 2
            return await self._post_batch(requests[:middle]) + await self._post_batch(requests[middle:])
        if whole.fault is None and (whole.ok or whole.status >= 500 or whole.status == 408):
            lost = replace(whole, fault=unknown(f"Graph answered {whole.status} to a batch"))
            return [replace(lost, unsure=True) if request.writes else lost for request in requests]
        return [whole if not whole.unsure else replace(whole, unsure=request.writes) for request in requests]

    async def _send(self, method: str, url: str, headers: Mapping[str, str], content: bytes | None) -> Reply:
        """One HTTP request, twice if the token is refused. Raises nothing: network and login end in `fault`."""
        try:
            token = self._token = await self._get_token(refused=self._refused)
            reply = await self._send_once(method, url, headers, content, token)
            if reply.status == 401 and reply.fault is None:
                token = self._token = await self._get_token(refused=token)
                reply = await self._send_once(method, url, headers, content, token)
                if reply.status == 401 and reply.fault is None:
                    codes = codes_of(reply.body)
                    return Reply(fault=Permanent(Code.GRAPH_LOGIN_REFUSED, f"Graph answered 401 {codes[0] if codes else ''}".strip()))
            return reply
        except SyncError as error:
            return Reply(fault=error)

    async def _send_once(self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, token: str) -> Reply:
        import httpx  # noqa: PLC0415 - cold start: the functions are indexed without it

        request_id = self._new_id()
        sent = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json",
            "client-request-id": request_id,
            **headers,
            "Prefer": _prefer(headers),
        }
        self._on_request(method, self.base + url)
        try:
            async with asyncio.timeout(self.timeout):
                response = await self._http.request(method, self.base + url, headers=sent, content=content, timeout=self.timeout)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:  # never sent
            return Reply(fault=Temporary(Code.NETWORK, f"Graph could not be reached: {type(error).__name__}"))
        except (httpx.RequestError, TimeoutError) as error:
            return Reply(fault=unknown(f"the request to Graph was cut: {type(error).__name__}"), unsure=method != "GET")
        reply = Reply(
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=_json(response.content),
            content=response.content,
        )
        if not reply.ok:
            log.info(
                "Graph answered %s %s to %s, client-request-id %s, request-id %s",
                reply.status, codes_of(reply.body), method, request_id, reply.headers.get("request-id", ""),
            )  # fmt: skip
        return reply


def _prefer(headers: Mapping[str, str]) -> str:
    own = next((value for name, value in headers.items() if name.lower() == "prefer"), "")
    return f"{IMMUTABLE}, {own}" if own else IMMUTABLE


def _part(number: str, request: SubRequest) -> dict[str, Any]:
    """A request as `$batch` has it (Microsoft Graph, "Combine multiple HTTP requests using JSON batching")."""
    part: dict[str, Any] = {"id": number, "method": request.method, "url": request.url}
    part["headers"] = {**request.headers, "Prefer": _prefer(request.headers)}
    if request.body is not None:
        part["headers"]["Content-Type"] = "application/json"
        part["body"] = request.body
    return part


def _answer(answer: Mapping[str, Any]) -> Reply:
    headers, status = answer.get("headers"), answer.get("status")
    return Reply(
        status=status if isinstance(status, int) else int(status) if isinstance(status, str) and status.isdigit() else 500,
        headers={str(name).lower(): str(value) for name, value in headers.items()} if isinstance(headers, Mapping) else {},
        body=answer.get("body"),
    )


def _json(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return None


def _repeatable(request: SubRequest, reply: Reply) -> bool:
    """Whether the same request may be sent again: see the table above."""
    if reply.fault is not None:
        return not reply.unsure and not isinstance(reply.fault, Permanent)
    if reply.status in {424, 429}:
        return True
    if reply.status == 503:
        return request.method != "POST" or "retry-after" in reply.headers
    return not request.writes and (reply.status in {408, 500, 502, 504})


def _settle(request: SubRequest, reply: Reply) -> Reply:
    """The final reply: an answer that leaves the effect of a write open becomes `unsure`."""
    if reply.fault is None and request.writes and reply.status in {408, 500, 502, 503, 504}:
        codes = codes_of(reply.body)
        return replace(reply, fault=unknown(f"Graph answered {reply.status} {codes[0] if codes else ''}".strip()), unsure=True)
    return reply


def _give_up(reply: Reply, asked: float | None) -> Reply:
    """It was not processed (or is a read), and there is no time left to try again now."""
    if reply.fault is not None:
        return replace(reply, fault=Temporary(Code.NETWORK, reply.fault.text))
    code = Code.THROTTLED if reply.status in {424, 429} else Code.UNAVAILABLE
    codes = codes_of(reply.body)
    return replace(reply, fault=Temporary(code, f"Graph answered {reply.status} {codes[0] if codes else ''}".strip(), retry_after=asked))
