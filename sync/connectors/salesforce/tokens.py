"""Access tokens, one per Salesforce user: the OAuth 2.0 JWT bearer flow, cached for the life of the process.

A token request is a line in the org's login history, so a token is used until the service refuses it. All calls block and are meant
for a thread: a lock per user makes one login of many that are wanted at once, whichever event loops and threads they come from.
Source: Salesforce Help, "OAuth 2.0 JWT Bearer Flow for Server-to-Server Integration".
"""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from shared.errors import Code, Permanent, SyncError, Temporary
from sync.connectors.salesforce.ids import to_18

if TYPE_CHECKING:
    import requests

LIFETIME = timedelta(minutes=3)
"""Of the assertion; the service takes no more than five minutes."""
SETTLED = timedelta(seconds=10)
"""A token that a renewal brought and that is refused at once is not renewed again within this time: a new login would not help."""
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_IDENTITY = re.compile(r"/id/(\w{15}(?:\w{3})?)/(\w{15}(?:\w{3})?)(?!\w)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a login brought. The instance URL belongs to the token: another login may name another one."""

    access_token: str = field(repr=False)
    instance_url: str
    org_id: str
    user_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Where and as what the app logs in (the settings SALESFORCE_…)."""

    login_url: str
    audience: str
    client_id: str
    private_key: str = field(repr=False)
    integration_user: str


@dataclass(slots=True)
class _Slot:
    """One user's place in the cache."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    token: Token | None = None
    since: datetime | None = None
    renewed: bool = False
    """The token came by a renewal."""
    accepted: bool = False
    """The service has taken it at least once."""


class Tokens:
    """The process's tokens. `on_login` is told every request for one, with the username."""

    def __init__(
        self,
        connection: Connection,
        *,
        http: "requests.Session",
        now: Callable[[], datetime],
        on_login: Callable[[str], None] = lambda _username: None,
    ) -> None:
        self._connection = connection
        self._http = http
        self._now = now
        self._on_login = on_login
        self._slots: dict[str, _Slot] = {}
        self._lock = threading.Lock()
        self._parsed: Any = None

    @property
    def integration_user(self) -> str:
        return self._connection.integration_user

    def get(self, username: str) -> Token:
        """The token in use, or a new one. Raises Permanent (the user's or everybody's) and Temporary."""
        slot = self._slot(username)
        with slot.lock:
            return self._log_in(slot, username) if slot.token is None else slot.token

    def renew(self, username: str, refused: Token) -> Token | None:
        """The token to try after a 401: one that somebody else brought meanwhile, or one from a new login; None where none would help."""
        slot = self._slot(username)
        with slot.lock:
            if slot.token is not None and slot.token != refused:
                return slot.token
            fresh = slot.since is not None and abs(self._now() - slot.since) < SETTLED
            if slot.token is not None and slot.renewed and not slot.accepted and fresh:
                return None
            slot.token = None
            token = self._log_in(slot, username)
            slot.renewed = True
            return token

    def accept(self, username: str, token: Token) -> None:
        """The service took this token."""
        slot = self._slot(username)
        if not slot.accepted:
            with slot.lock:
                if slot.token == token:
                    slot.accepted = True

    def _key(self) -> Any:
        """The private key, parsed once: that costs more than a signature."""
        from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415 - cold start

        if self._parsed is None:
            self._parsed = load_pem_private_key(self._connection.private_key.encode(), None)
        return self._parsed

    def _slot(self, username: str) -> _Slot:
        with self._lock:
            return self._slots.setdefault(username.casefold(), _Slot())

    def _log_in(self, slot: _Slot, username: str) -> Token:
        token = self._request(username)
        slot.token, slot.since, slot.renewed, slot.accepted = token, self._now(), False, False
        return token

    def _request(self, username: str) -> Token:
        import requests  # noqa: PLC0415 - not before it is needed: cold start

        url = self._connection.login_url.rstrip("/") + "/services/oauth2/token"
        form = {"grant_type": _GRANT, "assertion": self._assertion(username)}
        self._on_login(username)
        try:
            response = self._http.post(url, data=form, allow_redirects=False)
        except requests.RequestException as error:
            raise Temporary(Code.NETWORK, f"the login could not be answered: {type(error).__name__}") from error
        try:
            body = response.json()
        except ValueError:
            body = None
        if response.status_code != 200 or not isinstance(body, dict) or "access_token" not in body:
            raise self._refusal(username, response.status_code, body if isinstance(body, dict) else {})
        identity = _IDENTITY.search(str(body.get("id", "")))
        if identity is None or not body.get("instance_url"):
            raise Permanent(Code.SALESFORCE_LOGIN_REFUSED, "the login's answer names no user or instance: is SALESFORCE_LOGIN_URL right?")
        return Token(
            access_token=str(body["access_token"]),
            instance_url=str(body["instance_url"]),
            org_id=to_18(identity.group(1)),
            user_id=to_18(identity.group(2)),
        )

    def _assertion(self, username: str) -> str:
        import jwt  # noqa: PLC0415

        claims: dict[str, Any] = {
            "iss": self._connection.client_id,
            "sub": username,
            "aud": self._connection.audience,
            "exp": int((self._now() + LIFETIME).timestamp()),
        }
        try:
            return jwt.encode(claims, self._key(), algorithm="RS256")
        except (ValueError, TypeError, jwt.PyJWTError) as error:
            text = "SALESFORCE_PRIVATE_KEY is no private RSA key in PEM form"
            raise Permanent(Code.SALESFORCE_LOGIN_REFUSED, text) from error

    def _refusal(self, username: str, status: int, body: dict[str, Any]) -> SyncError:
        name, description = str(body.get("error", "")), str(body.get("error_description", ""))
        error = classify(name, description, status)
        if isinstance(error, Permanent) and username.casefold() == self.integration_user.casefold():
            return Permanent(Code.SALESFORCE_LOGIN_REFUSED, f"the integration user's login was refused: {error.text}")
        return error


_OF_THE_APP = ("audience", "invalid assertion", "signature", "client identifier", "consumer key", "client credentials", "certificate")
_PASSING = ("rate exceeded", "try again", "temporarily")


def classify(name: str, description: str, status: int) -> SyncError:
    """What a refused login means: for the app, for this user, or for now. `name` and `description` are OAuth's two texts."""
    text = f"{name}: {description}".strip(": ") or f"HTTP {status} without a reason that could be read"
    said = description.lower()
    if status >= 500 or status in (406, 420, 429) or not name or any(word in said for word in _PASSING):
        return Temporary(Code.THROTTLED if status in (420, 429) or "rate exceeded" in said else Code.UNAVAILABLE, text)
    if name in ("server_error", "temporarily_unavailable", "rate_limit_exceeded", "unknown_error"):
        return Temporary(Code.UNAVAILABLE, text)
    if "inactive" in name or "inactive" in said:
        return Permanent(Code.INACTIVE_SALESFORCE_USER, text)
    if any(word in said for word in _OF_THE_APP):
        return Permanent(Code.SALESFORCE_LOGIN_REFUSED, text)
    if "expired" in said:
        return Permanent(Code.SALESFORCE_LOGIN_REFUSED, f"{text} (is this machine's clock right?)")
    if name in ("invalid_grant", "invalid_app_access", "access_denied", "inactive_org"):
        return Permanent(Code.NOT_AUTHORISED, text)
    return Permanent(Code.SALESFORCE_LOGIN_REFUSED, text)
