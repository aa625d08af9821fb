"""Signing in: the JWT bearer flow, and the sessions it opens.

Why this file exists: a token request is a login, counted apart from calls; a session slides with use and may be ended from
outside. The signature is really checked. It knows no record.
Source: Salesforce Help, "OAuth 2.0 JWT Bearer Flow for Server-to-Server Integration"; "OAuth Error Codes".
"""

import random
import string
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt

from local.sandbox.http import Clock, Request, Response
from local.sandbox.salesforce.access import Permissions
from local.sandbox.salesforce.errors import Code, OAuthRefusal, Refusal, refuse
from local.sandbox.salesforce.org import Knobs
from local.sandbox.salesforce.store import Store

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LONGEST_ASSERTION = timedelta(minutes=5)
_TIMELESS: Any = {f"verify_{claim}": False for claim in ("exp", "nbf", "iat", "aud", "sub", "iss", "jti")}
"""The library would look at the machine's clock; the claims are judged below, by the clock of the simulator."""
_CLOCK_SKEW = timedelta(minutes=1)


@dataclass(slots=True, kw_only=True)
class Session:
    """One access token's. `until` moves with every call."""

    user_id: str
    until: datetime


@dataclass(slots=True, kw_only=True)
class SignIn:
    """The token endpoint of one org. `consumers`: consumer key -> PEM of the public key or certificate's key."""

    org_id: str
    store: Store
    permissions: Mapping[str, Permissions]
    clock: Clock
    rng: random.Random
    knobs: Knobs
    audience: str
    origin: str | None
    consumers: dict[str, str]
    sessions: dict[str, Session] = field(default_factory=dict)
    logins: Counter[str] = field(default_factory=Counter)
    refusals: int = 0

    def token(self, request: Request) -> Response:
        """`POST /services/oauth2/token`."""
        try:
            return Response.of(200, self._grant(request), {"cache-control": "no-store"})
        except OAuthRefusal as refusal:
            self.refusals += 1
            return Response.of(refusal.status, refusal.body)

    def _grant(self, request: Request) -> dict[str, str]:
        if request.method != "POST":
            raise OAuthRefusal("invalid_request", "must use HTTP POST")
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
            raise OAuthRefusal("unsupported_grant_type", "grant type not supported")
        form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        if form.get("grant_type") != JWT_BEARER:
            raise OAuthRefusal("unsupported_grant_type", "grant type not supported")
        user_id = self._judge(form.get("assertion", ""))
        token = self._mint_token()
        self.sessions[token] = Session(user_id=user_id, until=self.clock.now() + timedelta(seconds=self.knobs.session_ttl))
        self.logins[self.store.rows("User")[user_id]["Username"]] += 1
        parts = urlsplit(request.url)
        return {
            "access_token": token,
            "scope": "id api",
            "instance_url": self.origin or f"{parts.scheme}://{parts.netloc}",
            "id": f"{self.audience}/id/{self.org_id}/{user_id}",
            "token_type": "Bearer",
        }

    def _judge(self, assertion: str) -> str:
        """The user the assertion speaks for. Raises OAuthRefusal."""
        try:
            claims = jwt.decode(assertion, options={"verify_signature": False})
        except jwt.InvalidTokenError:
            raise OAuthRefusal("invalid_grant", "invalid assertion") from None
        key = self.consumers.get(str(claims.get("iss")))
        if key is None:
            raise OAuthRefusal("invalid_client_id", "client identifier invalid")
        try:
            jwt.decode(assertion, key, algorithms=["RS256"], options=_TIMELESS)
        except jwt.InvalidTokenError:
            raise OAuthRefusal("invalid_grant", "invalid assertion") from None
        if claims.get("aud") != self.audience:
            raise OAuthRefusal("invalid_grant", "audience is invalid")
        self._judge_expiry(claims.get("exp"))
        username = str(claims.get("sub", "")).lower()
        user = next((row for row in self.store.rows("User").values() if row["Username"].lower() == username), None)
        if user is None or not self.permissions[user["Id"]].preauthorized:
            raise OAuthRefusal("invalid_grant", "user hasn't approved this consumer")
        if not user.get("IsActive"):
            raise OAuthRefusal("invalid_grant", "inactive user")
        return str(user["Id"])

    def _judge_expiry(self, exp: object) -> None:
        now = self.clock.now()
        try:
            seconds = float(str(exp))  # simple-salesforce writes it as a string, and the service takes it
            left = seconds - now.timestamp()
        except ValueError:
            raise OAuthRefusal("invalid_grant", "invalid assertion") from None
        if left <= 0:
            raise OAuthRefusal("invalid_grant", "expired authorization code")
        if left > (_LONGEST_ASSERTION + _CLOCK_SKEW).total_seconds():
            raise OAuthRefusal("invalid_grant", "invalid assertion")

    def _mint_token(self) -> str:
        alphabet = string.ascii_letters + string.digits + "._"
        return f"{self.org_id[:15]}!AQ" + "".join(self.rng.choice(alphabet) for _ in range(94))

    def authenticate(self, request: Request) -> str:
        """The user of the session, which slides. Raises Refusal (401), curable or not."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        session = self.sessions.get(token.strip()) if scheme.lower() in ("bearer", "oauth") else None
        now = self.clock.now()
        user = self.store.rows("User").get(session.user_id) if session else None
        if session is None or now >= session.until or user is None or not user.get("IsActive"):
            raise refuse(401, Code.INVALID_SESSION_ID, "Session expired or invalid")
        permissions = self.permissions[session.user_id]
        if permissions.high_assurance:
            raise refuse(401, Code.INVALID_SESSION_ID, "This session is not valid for use with the REST API")
        if not permissions.api_enabled:
            raise refuse(403, Code.API_DISABLED_FOR_ORG, "The REST API is not enabled for this Organization.")
        session.until = now + timedelta(seconds=self.knobs.session_ttl)
        return session.user_id

    def userinfo(self, request: Request) -> Response:
        """`/services/oauth2/userinfo` and the identity URL. Raises Refusal (403), as this resource does."""
        try:
            user_id = self.authenticate(request)
        except Refusal:
            return Response(status=403, headers={"content-type": "text/html"}, body=b"Bad_OAuth_Token")
        user = self.store.rows("User")[user_id]
        return Response.of(
            200,
            {
                "sub": f"{self.audience}/id/{self.org_id}/{user_id}",
                "user_id": user_id,
                "organization_id": self.org_id,
                "preferred_username": user["Username"],
                "name": user.get("Name"),
                "email": user.get("Email"),
                "active": user.get("IsActive"),
            },
        )
