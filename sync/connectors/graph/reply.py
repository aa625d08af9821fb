"""One request to Graph and what came of it, alone or inside a `$batch`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.errors import SyncError


@dataclass(frozen=True, slots=True, kw_only=True)
class SubRequest:
    """A request to be carried in a `$batch`. `url` is relative to `/v1.0` and begins with a slash."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None

    @property
    def writes(self) -> bool:
        return self.method != "GET"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The service's answer; or, with a `fault`, that there is none and why. Header names are lower case."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    """The JSON, None where there was none or it was something else."""
    content: bytes = b""
    """The body as it came; only of a request sent alone."""
    fault: SyncError | None = None
    unsure: bool = False
    """A write that may have taken effect, or may still. `fault` says why."""

    @property
    def ok(self) -> bool:
        return self.fault is None and 200 <= self.status < 300

    @property
    def values(self) -> list[dict[str, Any]]:
        """The rows of a collection."""
        rows = self.body.get("value") if isinstance(self.body, dict) else None
        return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []

    def link(self, name: str) -> str:
        """`@odata.nextLink` or `@odata.deltaLink`, '' without one."""
        link = self.body.get(name) if isinstance(self.body, dict) else None
        return link if isinstance(link, str) else ""
