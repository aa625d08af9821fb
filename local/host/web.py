"""The host's HTTP side: the app's routes, and the admin endpoints of the real host.

Locally every route is open, as under Core Tools. When the environment sets HOST_KEY, routes with the level function
or admin, and the admin endpoints, want it as the header `x-functions-key` or the query parameter `code`.
"""

import hmac
import json
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import azure.functions as func
from aiohttp import web

from local.host.index import Index, IndexedFunction, Trigger
from local.host.invoke import FunctionFailedError, Invoker

logger = logging.getLogger("host")

LARGEST_BODY = 100 * 1024 * 1024
VERSION = "4.0.0-local"
KEY_HEADER = "x-functions-key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Everything the endpoints need. `start` runs a function in the background with the text given to the admin endpoint."""

    index: Index
    invoker: Invoker
    start: Callable[[IndexedFunction, str], None]
    route_prefix: str
    key: str | None
    id: str = field(default_factory=lambda: uuid4().hex)

    def application(self) -> web.Application:
        """Raises `ValueError` for a route that can not be served."""
        application = web.Application(client_max_size=LARGEST_BODY)
        application.router.add_get("/admin/host/status", self._status)
        application.router.add_get("/admin/host/ping", self._ping)
        application.router.add_get("/admin/functions", self._list)
        application.router.add_post("/admin/functions/{name}", self._start)
        for function in self.index.functions.values():
            if function.trigger is Trigger.HTTP:
                self._add_route(application, function)
        return application

    def _add_route(self, application: web.Application, function: IndexedFunction) -> None:
        route = str(function.binding.get("route") or function.name).strip("/")
        methods = [str(method).upper() for method in function.binding.get("methods") or ("GET", "POST")]
        for path in paths_of("/".join(part for part in (self.route_prefix, route) if part)):
            for method in methods:
                application.router.add_route(method, path, self._handler(function))

    def _handler(self, function: IndexedFunction) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        guarded = str(function.binding.get("authLevel", "FUNCTION")).upper() != "ANONYMOUS"

        async def handle(request: web.Request) -> web.StreamResponse:
            if guarded and not self._admits(request):
                return web.Response(status=401)
            asked = func.HttpRequest(
                request.method,
                str(request.url),
                headers=dict(request.headers),
                params=dict(request.query),
                route_params=dict(request.match_info),
                body=await request.read(),
            )
            try:
                answer = await self.invoker.run(function, asked, "This function was called by HTTP")
            except FunctionFailedError:
                return web.Response(status=500)  # the reason is in the log, as on the real host
            return _answer_of(answer)

        return handle

    async def _status(self, request: web.Request) -> web.Response:
        if not self._admits(request):
            return web.Response(status=401)
        errors = [f"The '{name}' function is in error: {error}" for name, error in self.index.errors.items()]
        return web.json_response({"id": self.id, "state": "Running", "version": VERSION, "versionDetails": VERSION, "errors": errors})

    async def _ping(self, _: web.Request) -> web.Response:
        return web.Response(status=200)

    async def _list(self, request: web.Request) -> web.Response:
        if not self._admits(request):
            return web.Response(status=401)
        functions = self.index.functions.values()
        return web.json_response([{"name": each.name, "config": {"bindings": [dict(each.binding)]}} for each in functions])

    async def _start(self, request: web.Request) -> web.Response:
        """POST {"input": "…"}: starts a timer function, or any other with that text, and answers at once."""
        if not self._admits(request):
            return web.Response(status=401)
        function = self.index.functions.get(request.match_info["name"])
        if function is None:
            return web.Response(status=404)
        try:
            asked = await request.json()
            text = asked.get("input", "")
        except (json.JSONDecodeError, AttributeError):
            return web.Response(status=400)
        if not isinstance(text, str | None) or function.trigger is Trigger.HTTP:
            return web.Response(status=400)
        self.start(function, text or "")
        return web.Response(status=202)

    def _admits(self, request: web.Request) -> bool:
        given = request.headers.get(KEY_HEADER) or request.query.get("code", "")
        return self.key is None or hmac.compare_digest(given.encode(), self.key.encode())


def paths_of(route: str) -> list[str]:
    """A route template of ASP.NET in the ways aiohttp knows: {id}, {id:int}, {id?} and {*rest}."""
    constraints = {"int": r"-?\d+", "guid": r"[0-9a-fA-F-]{36}", "alpha": r"[A-Za-z]+"}
    paths = [""]
    for segment in route.split("/"):
        match = re.fullmatch(r"\{(\*?)(\w+)(?::(\w+))?(\?)?\}", segment)
        if match is None:
            paths = [f"{path}/{segment}" for path in paths]
            continue
        rest, name, constraint, optional = match.groups()
        pattern = ".*" if rest else constraints.get(constraint or "", "[^/]+")
        with_it = [f"{path}/{{{name}:{pattern}}}" for path in paths]
        paths = paths + with_it if optional else with_it
    return paths


def _answer_of(answer: Any) -> web.Response:
    if isinstance(answer, func.HttpResponse):
        headers = {**dict(answer.headers), "Content-Type": _content_type(answer)}
        return web.Response(status=answer.status_code, headers=headers, body=answer.get_body())
    return web.Response(text=str(answer)) if answer is not None else web.Response(status=204)


def _content_type(answer: func.HttpResponse) -> str:
    return str(answer.headers.get("Content-Type") or f"{answer.mimetype}; charset={answer.charset}")
