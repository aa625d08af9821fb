"""Faults of single `$batch` items. Faults of whole HTTP requests belong to whatever carries them and are not known here."""

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote

from local.sandbox.http import Request


class When(StrEnum):
    BEFORE = "before"
    """Answered instead of being carried out."""
    AFTER = "after"
    """Carried out, and then answered as if it had failed."""


@dataclass(slots=True, kw_only=True)
class SubFault:
    """Answers matching batch items with an error: the `skip`-th match and the `times - 1` after it (None: every one).

    `path` is a regular expression searched in the decoded path; `retry_after` is in seconds, decimals as the service sends them.
    """

    method: str | None = None
    path: str = ""
    skip: int = 0
    times: int | None = 1
    status: int = 503
    code: str = "UnknownError"
    message: str = ""
    retry_after: float | None = None
    when: When = When.BEFORE
    matched: int = 0

    def strikes(self, request: Request) -> bool:
        """Whether this request is hit; counts the match."""
        if self.method is not None and self.method.upper() != request.method:
            return False
        if re.search(self.path, unquote(request.path)) is None:
            return False
        self.matched += 1
        return self.matched > self.skip and (self.times is None or self.matched <= self.skip + self.times)

    def headers(self) -> dict[str, str]:
        return {"retry-after": f"{self.retry_after:g}"} if self.retry_after is not None else {}
