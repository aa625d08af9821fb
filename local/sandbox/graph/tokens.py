"""Access tokens as Graph and the identity endpoint share them: opaque strings with an audience and an end.

The identity endpoint issues, the simulator checks. Nothing is signed: the real tokens are opaque to their clients too.
"""

import random
import string
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from local.sandbox.http import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    value: str
    resource: str
    expires_on: datetime


class Verdict(Enum):
    GOOD = ""
    UNKNOWN = "IDX14100: JWT is not well formed, there are no dots (.)."
    EXPIRED = "Lifetime validation failed, the token is expired."
    OTHER_AUDIENCE = "Access token validation failure. Invalid audience."


class AccessTokens:
    """Issues tokens for any resource and says which of them are good for one audience."""

    def __init__(self, clock: Clock, rng: random.Random, *, audience: str, lifetime_seconds: float = 86_399) -> None:
        self.audience = audience
        self.lifetime_seconds = lifetime_seconds
        self.issued = 0
        self._clock = clock
        self._rng = rng
        self._tokens: dict[str, AccessToken] = {}

    def issue(self, resource: str | None = None) -> AccessToken:
        """A token for `resource` (origin, or scope ending in `/.default`); by default for our audience."""
        self.issued += 1
        value = "eyJ" + "".join(self._rng.choices(string.ascii_letters + string.digits + "-_", k=200))
        token = AccessToken(
            value=value,
            resource=_origin(resource or self.audience),
            expires_on=self._clock.now() + timedelta(seconds=self.lifetime_seconds),
        )
        self._tokens[value] = token
        return token

    def judge(self, value: str) -> Verdict:
        token = self._tokens.get(value)
        if token is None:
            return Verdict.UNKNOWN
        if token.expires_on <= self._clock.now():
            return Verdict.EXPIRED
        return Verdict.GOOD if token.resource == _origin(self.audience) else Verdict.OTHER_AUDIENCE

    def accepts(self, value: str) -> bool:
        return self.judge(value) is Verdict.GOOD

    def revoke_all(self) -> None:
        self._tokens.clear()


def _origin(resource: str) -> str:
    return resource.removesuffix("/.default").rstrip("/").lower()
