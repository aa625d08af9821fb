"""Microsoft Graph on one machine: takes a request, decides whether it may pass, and hands it to the resource it is for.

The core knows tokens, roles, mailboxes, batches, throttling and headers; it knows no resource beyond the list of route tables
in `RESOURCES`. Another resource (calendars, To Do lists) is a module with `ROUTES`, a table of fields in `schema.py` and its `Kind`s
in `store.py`; ids, versions, moves, delta (`Feed`), lists and preconditions are there for any kind.
"""

import random
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from local.sandbox.graph import categories, contacts, directory, folders
from local.sandbox.graph.answers import Refusal, error_response, http_date
from local.sandbox.graph.batch import read_steps, run_steps, write_responses
from local.sandbox.graph.delta import DeltaStates
from local.sandbox.graph.directory import Directory, Group, User
from local.sandbox.graph.faults import SubFault, When
from local.sandbox.graph.ids import IdMint
from local.sandbox.graph.journal import Write
from local.sandbox.graph.knobs import Knobs
from local.sandbox.graph.people import People
from local.sandbox.graph.routing import Call, Route, Router, is_batch, read_options, read_prefer
from local.sandbox.graph.store import Mailbox
from local.sandbox.graph.throttle import Budgets
from local.sandbox.graph.tokens import AccessTokens, Verdict
from local.sandbox.http import Clock, Request, Response

RESOURCES: tuple[tuple[Route, ...], ...] = (directory.ROUTES, folders.ROUTES, contacts.ROUTES, categories.ROUTES)
DEFAULT_ROLES = frozenset({"Contacts.ReadWrite", "MailboxSettings.ReadWrite", "GroupMember.Read.All", "User.Read.All"})
BODY_LIMIT = 4 * 1024 * 1024
Counter = Callable[[str, Request, Response], None]


class GraphSandbox:
    """One tenant behind one origin. The same clock, seed and calls give the same answers.

    `roles` are the application permissions granted; `writes` is the journal of effects; `on_request` is told about
    every answered request, kind `http` or, for the items of a batch, `sub`.
    """

    def __init__(
        self,
        clock: Clock,
        rng: random.Random,
        *,
        tenant_id: str | None = None,
        origin: str = "https://graph.microsoft.com",
        accept_token: Callable[[str], bool] | None = None,
        roles: Iterable[str] = DEFAULT_ROLES,
        knobs: Knobs | None = None,
        on_request: Counter | None = None,
    ) -> None:
        self.clock = clock
        self.rng = rng
        self.mint = IdMint(rng)
        self.tenant_id = tenant_id or self.mint.guid()
        self.origin = origin
        self.roles = set(roles)
        self._knobs = knobs or Knobs()
        self.tokens = AccessTokens(clock, rng, audience=origin)
        self.accept_token = accept_token
        self.directory = Directory()
        self.writes: list[Write] = []
        self.sub_faults: list[SubFault] = []
        self.batch_fault: Callable[[Request], Response | None] | None = None
        self.on_request = on_request
        self.budgets = Budgets(self.knobs)
        self.delta_states = DeltaStates(clock, rng, self.mint, self.knobs)
        self.page_tokens: dict[str, tuple[int, dict[str, str]]] = {}
        self._mailboxes: dict[str, Mailbox] = {}
        self._router = Router(route for routes in RESOURCES for route in routes)

    @property
    def knobs(self) -> Knobs:
        return self._knobs

    @knobs.setter
    def knobs(self, knobs: Knobs) -> None:
        self._knobs = self.delta_states.knobs = self.budgets.knobs = knobs

    def set_knobs(self, **values: float) -> None:
        """Turns single knobs by name. Raises: ValueError for a name there is not."""
        for name, value in values.items():
            if name not in Knobs.__dataclass_fields__:
                raise ValueError(f"there is no knob {name}")
            setattr(self._knobs, name, value)

    # the tenant, as an administrator makes it; arguments and results are JSON

    def add_user(
        self,
        upn: str,
        *,
        mail: str | None = None,
        display_name: str | None = None,
        user_id: str | None = None,
        enabled: bool = True,
        has_mailbox: bool = True,
        access_denied: bool = False,
        **more: Any,
    ) -> str:
        """Returns the new user's object id; `mail` is the principal name unless given."""
        user = User(
            id=(user_id or self.mint.guid()).lower(),
            upn=upn,
            mail=upn if mail is None else mail or None,
            display_name=display_name or upn.split("@", maxsplit=1)[0],
            enabled=enabled,
            has_mailbox=has_mailbox,
            access_denied=access_denied,
            more=more,
        )
        self.directory.add(user)
        self._mailboxes[user.id] = Mailbox(user_id=user.id, user=user.upn, clock=self.clock, mint=self.mint, journal=self.writes)
        return user.id

    def change_user(self, name: str, **values: Any) -> None:
        """Changes `upn`, `mail`, `display_name`, `enabled`, `has_mailbox`, `access_denied` or `full`."""
        user = self._user(name)
        for field, value in values.items():
            if field == "upn":
                self.directory.rename(user, value)
                self._mailboxes[user.id].user = value
            elif field in ("mail", "display_name", "enabled", "has_mailbox", "access_denied", "full"):
                setattr(user, field, value)
            else:
                raise ValueError(f"a user has no {field}")

    def remove_user(self, name: str) -> None:
        """Deletes the user; the mailbox goes too."""
        user = self._user(name)
        self.directory.remove(user)
        del self._mailboxes[user.id]

    def add_group(self, display_name: str, members: Iterable[str] = (), *, group_id: str | None = None) -> str:
        """A group of users (id or principal name) and groups (id); returns its object id."""
        made = (group_id or self.mint.guid()).lower()
        self.directory.groups[made] = Group(id=made, display_name=display_name, history=[(self.clock.now(), self._member_ids(members))])
        return made

    def set_members(self, group_id: str, members: Iterable[str]) -> None:
        self.directory.groups[group_id.lower()].history.append((self.clock.now(), self._member_ids(members)))

    def mailbox(self, name: str) -> People:
        """The person's own hands on their mailbox."""
        return People(self, self._mailboxes[self._user(name).id])

    def expire_delta_tokens(self, name: str) -> int:
        """All delta links of a mailbox answer 410 from now on; returns how many token chains were forgotten."""
        return self.delta_states.expire(self._user(name).id)

    def in_flight(self, request: Request) -> AbstractContextManager[None]:
        """Counts the connections a request opens to each mailbox (a batch: up to four) while the block runs.

        `handle` returns at once, so whoever adds latency around it holds this, to make the limit of connections real.
        """
        return self.budgets.in_flight(self._connections(request))

    # answering

    def handle(self, request: Request) -> Response:
        response = self._answer(request, self._handle_batch if is_batch(request.path) else self._handle_one)
        if self.on_request is not None:
            self.on_request("http", request, response)
        return response

    def delta_path(self, call: Call) -> str:
        """How a link spells the path it was asked on: as it came, or in one of the service's other ways."""
        if not self.knobs.odd_links or self.rng.random() < 0.5:
            return call.request.path
        folder = f"contactfolders('{quote(call.params['folder'], safe='')}')/" if "folder" in call.params else ""
        collection = call.route.template.split("/")[-2]
        if self.rng.random() < 0.5:
            return f"/v1.0/users('{quote(call.params['user'], safe='@')}')/{folder}{collection}/microsoft.graph.delta()"
        return f"/v1.0/users/{quote(call.params['user'], safe='@')}/{folder}{collection.lower()}/delta"

    def _answer(self, request: Request, process: Callable[[Request], Response]) -> Response:
        """Carries out what `process` does and gives the answer, or the refusal, the headers every answer has."""
        request_id = self.mint.guid()
        client_id = request.headers.get("client-request-id", request_id)
        now = self.clock.now()
        try:
            response = process(request)
        except Refusal as refusal:
            response = error_response(refusal, request_id=request_id, client_request_id=client_id, now=now)
        shared = {"request-id": request_id, "client-request-id": client_id, "date": http_date(now), "cache-control": "private"}
        return replace(response, headers={**shared, **response.headers})

    def _handle_batch(self, request: Request) -> Response:
        self._check_token(request)
        if request.method != "POST":
            raise Refusal(405, "MethodNotAllowed", "Specified HTTP method is not allowed for the request target.", {"allow": "POST"})
        _check_size(request)
        if "json" not in request.headers.get("content-type", ""):
            raise Refusal(400, "BadRequest", "Unable to read JSON request payload. Please ensure Content-Type header is set.")
        try:
            envelope = request.json()
        except ValueError:
            raise Refusal(400, "BadRequest", "Unable to read JSON request payload.") from None
        steps = read_steps(request, envelope)
        answers = run_steps(steps, self._handle_step, self.rng, shuffle=self.knobs.shuffle_batch)
        return Response.of(200, write_responses(answers))

    def _handle_step(self, request: Request) -> Response:
        response = self._answer(request, self._process_step)
        if self.on_request is not None:
            self.on_request("sub", request, response)
        return response

    def _process_step(self, request: Request) -> Response:
        if is_batch(request.path):
            raise Refusal(400, "BadRequest", "Nested batch requests are not supported.")
        if self.batch_fault is not None and (replacement := self.batch_fault(request)) is not None:
            return replacement
        fault = next((fault for fault in self.sub_faults if fault.strikes(request)), None)
        if fault is None:
            return self._handle_one(request)
        if fault.when is When.AFTER:
            self._handle_one(request)
        raise Refusal(fault.status, fault.code, fault.message, fault.headers())

    def _handle_one(self, request: Request) -> Response:
        self._check_token(request)
        _check_size(request)
        route, params = self._router.find(request.method, request.path)
        box = self._open(route, params, request)
        call = Call(
            sandbox=self,
            request=request,
            route=route,
            params=params,
            options=read_options(request, route),
            prefer=read_prefer(request.headers.get("prefer", "")),
            mailbox=box,
        )
        if box is not None and call.immutable:
            call.applied.append('IdType="ImmutableId"')
        response = route.handler(call)
        if call.applied:
            response = replace(response, headers={**response.headers, "preference-applied": ", ".join(call.applied)})
        return response

    def _open(self, route: Route, params: Mapping[str, str], request: Request) -> Mailbox | None:
        """The mailbox of a request, if it is for one and the app may.

        Raises: Refusal 403 without the role or by policy, 404 without user or mailbox, 429 over a limit.
        """
        if not route.of_mailbox:
            if not self.roles.intersection(route.roles):
                raise Refusal(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
            return None
        name = params["user"]
        user = self.directory.user(name)
        if user is None:
            if "@" in name:
                raise Refusal(404, "ErrorInvalidUser", f"The requested user '{name}' is invalid.")
            raise Refusal(404, "ResourceNotFound", "Resource could not be discovered.")
        if not self.roles.intersection(route.roles):
            raise Refusal(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
        if not user.has_mailbox:
            message = "The mailbox is either inactive, soft-deleted, or is hosted on-premise."
            raise Refusal(404, "MailboxNotEnabledForRESTAPI", message)
        if user.access_denied:
            raise Refusal(403, "ErrorAccessDenied", "Access to OData is disabled.")
        if user.full and request.method == "POST":
            raise Refusal(507, "ErrorQuotaExceeded", "The mailbox has exceeded its storage quota.")
        box = self._mailboxes[user.id]
        self.budgets.charge(box.user_id, self.clock.now(), len(request.body) if request.method != "GET" else 0)
        return box

    def _check_token(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        problem = ""
        if scheme.lower() != "bearer" or not token.strip():
            problem = "Access token is empty."
        elif self.accept_token is not None:
            problem = "" if self.accept_token(token.strip()) else Verdict.UNKNOWN.value
        else:
            problem = self.tokens.judge(token.strip()).value
        if problem:
            raise Refusal(401, "InvalidAuthenticationToken", problem, {"www-authenticate": f'Bearer realm="", error="{problem}"'})

    def _connections(self, request: Request) -> list[tuple[str, int]]:
        urls = [request]
        if is_batch(request.path):
            try:
                urls = [step.request for step in read_steps(request, request.json())]
            except (Refusal, ValueError):
                return []
        counts: dict[str, int] = {}
        for one in urls:
            try:
                route, params = self._router.find(one.method, one.path)
            except Refusal:
                continue
            user = self.directory.user(params["user"]) if route.of_mailbox else None
            if user is not None and user.id in self._mailboxes:
                counts[user.id] = min(4, counts.get(user.id, 0) + 1)
        return list(counts.items())

    def _member_ids(self, members: Iterable[str]) -> tuple[str, ...]:
        found: list[str] = []
        for name in members:
            user = self.directory.user(name)
            found.append(user.id if user is not None else self.directory.groups[name.lower()].id)
        return tuple(found)

    def _user(self, name: str) -> User:
        user = self.directory.user(name)
        if user is None:
            raise KeyError(name)
        return user


def _check_size(request: Request) -> None:
    if len(request.body) > BODY_LIMIT and "/$value" not in request.path:
        raise Refusal(413, "RequestEntityTooLarge", "The page was not displayed because the request entity is too large.")
