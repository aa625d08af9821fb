"""A simulator as an httpx transport: what the client sends reaches it in the process."""

from collections.abc import Callable
from typing import TypeAlias

import httpx

from local.sandbox.faults import ConnectionCut
from local.sandbox.http import Request, Response, Service

Before: TypeAlias = Callable[[Request], Response | None]
After: TypeAlias = Callable[[Request, Response], Response]


class ServiceTransport(httpx.AsyncBaseTransport):
    """`before` sees each request and may answer in the simulator's place; `after` may replace the answer; both may raise."""

    def __init__(self, service: Service, before: Before | None = None, after: After | None = None) -> None:
        self.service, self.before, self.after = service, before, after
        self.requests: list[Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        asked = Request(
            method=request.method,
            url=str(request.url),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.aread(),
        )
        self.requests.append(asked)
        try:
            told = (self.before(asked) if self.before else None) or self.service.handle(asked)
            told = self.after(asked, told) if self.after else told
        except ConnectionCut as cut:
            raise httpx.ReadError(str(cut), request=request) from cut
        return httpx.Response(told.status, headers=dict(told.headers), content=told.body, request=request)
