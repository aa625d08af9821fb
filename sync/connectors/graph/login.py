"""The app's token for Graph: fetched once under concurrency, kept for its lifetime, replaced when the service refuses it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol

from shared.errors import Code, Permanent, Temporary
from sync.ports import Clock

EARLY = timedelta(minutes=5)


class AccessToken(Protocol):
    @property
    def token(self) -> str: ...

    @property
    def expires_on(self) -> int:
        """Seconds since 1970."""
        ...


class GetToken(Protocol):
    """What the client needs of a login."""

    async def __call__(self, *, refused: str = "") -> str:
        """A token that is valid for some minutes, and not the one that was refused, if the identity has another."""
        ...


class GraphLogin:
    """`credential.get_token` of azure-identity (aio) behind a cache. Scope: the cloud's endpoint + `/.default`."""

    def __init__(self, get_token: Callable[[str], Awaitable[AccessToken]], endpoint: str, clock: Clock) -> None:
        self._get_token, self._scope, self._clock = get_token, f"{endpoint.rstrip('/')}/.default", clock
        self._kept: AccessToken | None = None
        self._lock = asyncio.Lock()

    async def __call__(self, *, refused: str = "") -> str:
        async with self._lock:
            kept = self._kept
            soon = (self._clock.now() + EARLY).timestamp()
            if kept is None or kept.token == refused or kept.expires_on <= soon:
                kept = self._kept = await self._fetch()
            return kept.token

    async def _fetch(self) -> AccessToken:
        """The SDK's text may name accounts and addresses: only its type is told."""
        from azure.core.exceptions import AzureError, ClientAuthenticationError  # noqa: PLC0415 - cold start

        try:
            return await self._get_token(self._scope)
        except ClientAuthenticationError as error:
            raise Permanent(Code.GRAPH_LOGIN_REFUSED, f"no token for Graph: {type(error).__name__}") from error
        except AzureError as error:
            raise Temporary(Code.NETWORK, f"no token for Graph: {type(error).__name__}") from error
