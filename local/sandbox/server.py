"""Puts simulators behind TLS on free ports of 127.0.0.1.

A simulator is called inline, so that requests take effect one after the other; only latency is waited for, beside
all other connections. A cut closes the socket without an answer.
"""

import asyncio
import ssl
from collections.abc import Mapping
from email.utils import format_datetime

from aiohttp import web

from local.sandbox.faults import ConnectionCut, FaultyService
from local.sandbox.http import Clock, Request


class SandboxServer:
    """`origins` names each simulator's `https://127.0.0.1:port` once started."""

    def __init__(self, services: Mapping[str, FaultyService], context: ssl.SSLContext, clock: Clock) -> None:
        self._services = services
        self._context = context
        self._clock = clock
        self._runners: list[web.ServerRunner] = []
        self.origins: dict[str, str] = {}

    async def start(self) -> None:
        for name, service in self._services.items():
            server = web.Server(lambda request, service=service: self._answer(service, request), access_log=None)  # type: ignore[misc]
            runner = web.ServerRunner(server, access_log=None)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=self._context, backlog=1024)
            await site.start()
            self._runners.append(runner)
            self.origins[name] = f"https://127.0.0.1:{runner.addresses[0][1]}"

    async def stop(self) -> None:
        for runner in self._runners:
            await runner.cleanup()
        self._runners.clear()

    async def _answer(self, service: FaultyService, incoming: web.BaseRequest) -> web.StreamResponse:
        request = Request(
            method=incoming.method,
            url=f"https://{incoming.host}{incoming.raw_path}",
            headers={name.lower(): value for name, value in incoming.headers.items()},
            body=await incoming.content.read(),
        )
        with service.in_flight(request):
            try:
                exchange = service.exchange(request)
            except ConnectionCut:
                await self._wait(service.faults.latency)
                if incoming.transport is not None:
                    incoming.transport.abort()
                raise asyncio.CancelledError from None
            await self._wait(service.faults.latency + exchange.delay)
        response = exchange.response
        headers = {"date": format_datetime(self._clock.now(), usegmt=True), **response.headers}
        return web.Response(status=response.status, headers=headers, body=response.body or None)

    async def _wait(self, seconds: float) -> None:
        if seconds > 0:
            await asyncio.sleep(seconds)
