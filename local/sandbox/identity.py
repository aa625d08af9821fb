"""The App Service managed identity endpoint, so that azure-identity's DefaultAzureCredential works unchanged.

Protocol: "REST endpoint reference" of https://learn.microsoft.com/azure/app-service/overview-managed-identity.
Token lifetimes follow the real clock, not the sandbox's: azure-identity keeps tokens by the real one.
"""

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aiohttp import web

LIFETIME = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class _Issued:
    resource: str
    expires: datetime


@dataclass(slots=True)
class Identity:
    """Issues tokens and knows the ones it issued. `issued` counts the requests for one."""

    secret: str = field(default_factory=lambda: secrets.token_hex(16))
    issued: int = 0
    audience: str | None = None
    """The only resource whose tokens are accepted; `None`: any."""
    _tokens: dict[str, _Issued] = field(default_factory=dict)

    def issue(self, resource: str) -> dict[str, str]:
        token = secrets.token_urlsafe(32)
        expires = datetime.now(UTC) + LIFETIME
        self._tokens[token] = _Issued(resource, expires)
        self.issued += 1
        return {"access_token": token, "expires_on": str(int(expires.timestamp())), "resource": resource, "token_type": "Bearer"}

    def accepts(self, token: str) -> bool:
        """Whether the token is one of ours and has not expired."""
        found = self._tokens.get(token)
        if found is None or found.expires <= datetime.now(UTC):
            return False
        return self.audience is None or found.resource.rstrip("/") == self.audience

    async def answer(self, request: web.Request) -> web.Response:
        """GET ?resource=…&api-version=2019-08-01 with the header X-IDENTITY-HEADER."""
        if request.headers.get("X-IDENTITY-HEADER") != self.secret:
            return _refuse(401, "the header X-IDENTITY-HEADER is missing or wrong")
        if request.query.get("api-version") != "2019-08-01":
            return _refuse(400, "api-version must be 2019-08-01")
        resource = request.query.get("resource")
        if not resource:
            return _refuse(400, "resource is missing")
        return web.json_response(self.issue(resource))


def _refuse(status: int, message: str) -> web.Response:
    return web.json_response({"statusCode": status, "message": message}, status=status)
