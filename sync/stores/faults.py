"""What an error of the Azure client means: the one place that turns it into ours, and that says whether a repetition is safe.

Three things matter about a failed call: whether it was refused for sure (repeat freely), whether it may have taken effect (repeat only
what is idempotent), and which row stood in the way. It imports `azure.*` lazily, as everything here does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.errors import Code, Permanent, Temporary, Unknown
from sync.ports import Operation, RowChanged, RowExists

if TYPE_CHECKING:
    from azure.core.exceptions import AzureError

_REFUSED = frozenset({429, 503})
"""ServerBusy: the service turned the request away before it looked at it."""
_UNSURE = frozenset({408, 500, 502, 504})
"""InternalError, OperationTimedOut and proxies' words: it may have taken effect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """`passing`: a later attempt may succeed. `refused`: it was, for sure, without effect."""

    error: Exception
    passing: bool = False
    refused: bool = True
    retry_after: float | None = None


def understand(error: "AzureError", table: str, operations: Sequence[Operation] = ()) -> Fault:
    """What a call's error means. `operations` is what the call wanted to write; empty for a read."""
    from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceModifiedError  # noqa: PLC0415

    status = getattr(error, "status_code", None)
    code = getattr(error, "error_code", None) or _header(error, "x-ms-error-code") or ""
    code = str(getattr(code, "value", code))
    if isinstance(error, ClientAuthenticationError) or status in {401, 403}:
        return Fault(error=Permanent(Code.TABLES_DENIED, f"Table {table}: access was refused ({status or 'no token'} {code})."))
    if status == 404 and code == "TableNotFound":
        return Fault(error=Temporary(Code.UNAVAILABLE, f"The table {table} does not exist; the next round makes it."))
    if operations and (status in {404, 412} or isinstance(error, ResourceModifiedError)):
        return Fault(error=RowChanged(_key(error, operations)))
    if operations and status == 409 and code == "EntityAlreadyExists":
        return Fault(error=RowExists(_key(error, operations)))
    if status == 409:  # TableBeingDeleted: for about half a minute after somebody deleted it
        return Fault(error=Temporary(Code.UNAVAILABLE, f"Table {table}: {code}."), passing=False)
    if isinstance(error, HttpResponseError) and status is not None and status not in _REFUSED | _UNSURE:
        return Fault(error=error)
    refused = status in _REFUSED or (status is None and _never_sent(error))
    text = f"Table {table}: {f'{status} {code}' if status else type(error).__name__}."
    kind = Temporary if refused or not operations else Unknown
    retry_after = _header(error, "Retry-After")
    seconds = float(retry_after) if retry_after and retry_after.isdecimal() else None
    return Fault(error=kind(Code.UNAVAILABLE, text, retry_after=seconds), passing=True, refused=refused, retry_after=seconds)


def _never_sent(error: BaseException) -> bool:
    """Whether no connection was made at all.

    The client calls every aiohttp error a `ServiceRequestError` ("the request was not sent"), also a connection that was reset while
    the answer was awaited (azure-core, transport/_aiohttp.py): only the cause tells.
    """
    from aiohttp import ClientConnectorError, ConnectionTimeoutError  # noqa: PLC0415

    cause = error.__cause__
    return isinstance(cause, (ClientConnectorError, ConnectionTimeoutError))


def _key(error: "AzureError", operations: Sequence[Operation]) -> str:
    """The key of the row that failed: a transaction's error says its place."""
    index = getattr(error, "index", 0)
    return operations[index].key if 0 <= index < len(operations) else ""


def _header(error: "AzureError", name: str) -> str | None:
    response = getattr(error, "response", None)
    value = None if response is None else response.headers.get(name)
    return value if isinstance(value, str) else None
