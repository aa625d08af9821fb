"""How Graph says no, and how it spells time: the shapes every module of this simulator answers with.

Follows the documented error body `{"error": {"code", "message", "innerError": {"request-id", "date"}}}`
(learn.microsoft.com/graph/errors). It knows no resource.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from local.sandbox.http import Response


class Refusal(Exception):
    """A request that is not carried out: `status`, `code` and `message` as Graph sends them, headers in lower case."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})


def bad_request(message: str, code: str = "BadRequest") -> Refusal:
    return Refusal(400, code, message)


def item_not_found() -> Refusal:
    return Refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.")


def error_response(refusal: Refusal, *, request_id: str, client_request_id: str, now: datetime) -> Response:
    """The refusal as a response; `innerError` carries what support asks for."""
    inner: dict[str, Any] = {
        "date": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        "request-id": request_id,
        "client-request-id": client_request_id,
    }
    return Response.of(refusal.status, {"error": {"code": refusal.code, "message": refusal.message, "innerError": inner}}, refusal.headers)


def instant_text(moment: datetime) -> str:
    """A timestamp with the one-second resolution that Outlook items have."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def http_date(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC), usegmt=True)
