"""What Graph and Exchange Online say, in our words: the one table of their error codes.

Branch on codes, nested ones included, never on messages; case does not count (Microsoft Graph, "error responses and resource types").
To Do and some gateways nest the real code in `innerError` (or `innererror`).
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeAlias

from shared.errors import Code, Permanent, Reach, SyncError, Temporary, Unknown
from sync.connectors.graph.reply import Reply
from sync.ports import Done as _Done
from sync.ports import Failed, Missing, Outcome, Stale, Unsure


class Meaning(StrEnum):
    """Answers that are no errors: the protocol expects them."""

    STALE = "stale"  # the precondition failed
    MISSING = "missing"  # there is no such item
    EXPIRED = "expired"  # the delta link is no longer known


Row: TypeAlias = Meaning | tuple[type[SyncError], Code]

_P, _T = Permanent, Temporary

CODES: dict[str, Row] = {
    # the protocol
    "errorirresolvableconflict": Meaning.STALE,
    "errorchangekeyrequiredforwriteoperations": Meaning.STALE,
    "preconditionfailed": Meaning.STALE,
    "erroritemnotfound": Meaning.MISSING,
    "errorfoldernotfound": Meaning.MISSING,
    "imagenotfound": Meaning.MISSING,
    "syncstatenotfound": Meaning.EXPIRED,
    "syncstateinvalid": Meaning.EXPIRED,
    "errorinvalidsyncstatedata": Meaning.EXPIRED,
    "resyncrequired": Meaning.EXPIRED,
    "resyncapplydifferences": Meaning.EXPIRED,
    "resyncuploaddifferences": Meaning.EXPIRED,
    "resyncchangesapplydifferences": Meaning.EXPIRED,
    "resyncchangesuploaddifferences": Meaning.EXPIRED,
    "invaliddeltatoken": Meaning.EXPIRED,
    # the mailbox
    "mailboxnotenabledforrestapi": (_P, Code.NO_MAILBOX),
    "mailboxnotsupportedforrestapi": (_P, Code.NO_MAILBOX),
    "errornonexistentmailbox": (_P, Code.NO_MAILBOX),
    "errormailboxnotfound": (_P, Code.NO_MAILBOX),
    "errorinvaliduser": (_P, Code.NO_MAILBOX),
    "request_resourcenotfound": (_P, Code.NO_MAILBOX),
    "extensionerror": (_P, Code.NO_MAILBOX),
    "erroraccessdenied": (_P, Code.MAILBOX_ACCESS_DENIED),
    "errorquotaexceeded": (_P, Code.MAILBOX_FULL),
    "quotalimitreached": (_P, Code.MAILBOX_FULL),
    # the app
    "authorization_requestdenied": (_P, Code.GRAPH_PERMISSION_MISSING),
    "invalidauthenticationtoken": (_P, Code.GRAPH_LOGIN_REFUSED),
    "compacttoken": (_P, Code.GRAPH_LOGIN_REFUSED),
    # an item
    "errorinvalidproperty": (_P, Code.INVALID_VALUE),
    "errorpropertyvalidationfailure": (_P, Code.INVALID_VALUE),
    "errorinvalidrequest": (_P, Code.INVALID_VALUE),
    "errorinvalidargument": (_P, Code.INVALID_VALUE),
    "errorinvalidparameter": (_P, Code.INVALID_VALUE),
    "requestbodyread": (_P, Code.INVALID_VALUE),
    "unabletodeserializepostbody": (_P, Code.INVALID_VALUE),
    "invaliddatetime": (_P, Code.INVALID_VALUE),
    "errorinvalididmalformed": (_P, Code.REFUSED),
    "errormessagesizeexceeded": (_P, Code.VALUE_TOO_LONG),
    # passing
    "applicationthrottled": (_T, Code.THROTTLED),
    "toomanyrequests": (_T, Code.THROTTLED),
    "errortoomanyobjectsopened": (_T, Code.THROTTLED),
    "errorserverbusy": (_T, Code.THROTTLED),
    "mailboxinfostale": (_T, Code.UNAVAILABLE),
    "errorincorrectroutinghint": (_T, Code.UNAVAILABLE),
    "errorinternalservertransienterror": (_T, Code.UNAVAILABLE),
    "errorinternalservererror": (_T, Code.UNAVAILABLE),
    "errormailboxmoveinprogress": (_T, Code.UNAVAILABLE),
    "errormailboxstoreunavailable": (_T, Code.UNAVAILABLE),
    "serviceunavailable": (_T, Code.UNAVAILABLE),
}

STATUSES: dict[int, Row] = {
    401: (_P, Code.GRAPH_LOGIN_REFUSED),
    403: (_P, Code.MAILBOX_ACCESS_DENIED),
    404: Meaning.MISSING,
    408: (_T, Code.UNAVAILABLE),
    409: (_T, Code.ROW_BUSY),
    410: Meaning.EXPIRED,
    412: Meaning.STALE,
    413: (_P, Code.VALUE_TOO_LONG),
    423: (_T, Code.ROW_BUSY),
    424: (_T, Code.THROTTLED),
    429: (_T, Code.THROTTLED),
    507: (_P, Code.MAILBOX_FULL),
}
"""For answers whose code the table does not know."""

CERTAIN = frozenset({410, 412, 429, 507})
"""Statuses that say more than any code beside them."""

SENTENCES = tuple(
    re.compile(pattern)
    for pattern in (
        r"The multi value property \w+ has \d+ entries, that exceeds the max allowed value of \d+\.?",
        r"The property '\w+' is required when creating the entity\.",
        r"Application is over its \w+ limit\.",
        r"Mailbox info is stale\.",
        r"The mailbox is either inactive, soft-deleted, or is hosted on-premise\.",
        r"Access to OData is disabled\.",
        r"Access is denied\. Check credentials and try again\.",
        r"Insufficient privileges to complete the operation\.",
        r"The specified object was not found in the store\.",
    )
)
"""Vendor sentences that are known to hold no personal data; of every other error only the code is told."""

_PROPERTY = re.compile(r"\bproperty '?([A-Z][A-Za-z]{2,30})\b")


def codes_of(body: Any) -> list[str]:
    """The code of an error body and those nested in it, outermost first, as the service spells them; [] for anything else."""
    found: list[str] = []
    part = body.get("error") if isinstance(body, Mapping) else None
    while isinstance(part, Mapping) and len(found) < 10:
        code = part.get("code")
        if isinstance(code, str) and re.fullmatch(r"[A-Za-z][\w.]{1,80}", code):
            found.append(code)
        inner = [value for name, value in part.items() if name.lower() == "innererror"]
        part = inner[0] if inner else None
    return found


def read_error(reply: Reply) -> Meaning | SyncError:
    """What an answer other than 2xx, or none at all, means."""
    if reply.fault is not None:
        return reply.fault
    codes = codes_of(reply.body)
    row = STATUSES.get(reply.status) if reply.status in CERTAIN else None
    row = row or next((CODES[code.lower()] for code in codes if code.lower() in CODES), None) or STATUSES.get(reply.status)
    if isinstance(row, Meaning):
        return row
    kind, code = row or ((_T, Code.UNAVAILABLE) if reply.status >= 500 else (_P, Code.REFUSED))
    message = _message_of(reply.body)
    field = _PROPERTY.search(message)
    return kind(code, _text(reply.status, codes, message), field=field[1] if field else None)


def is_plain(reply: Reply) -> bool:
    """Whether a 404 leaves no doubt what is missing, item or mailbox: `ResourceNotFound` is said of both."""
    return any(code.lower() in CODES for code in codes_of(reply.body))


def _message_of(body: Any) -> str:
    error = body.get("error") if isinstance(body, Mapping) else None
    message = error.get("message") if isinstance(error, Mapping) else None
    return message if isinstance(message, str) else ""


def _text(status: int, codes: list[str], message: str) -> str:
    said = f"Graph answered {status}" + (f" {codes[0]}" if codes else "")
    nested = [code for code in codes[1:] if code != codes[0]]
    said += f" ({', '.join(nested)})" if nested else ""
    return f"{said}: {message}" if any(s.fullmatch(message) for s in SENTENCES) else said


def concerns_more_than_the_item(error: SyncError) -> bool:
    return error.reach in {Reach.USER, Reach.EVERYTHING}


def unknown(text: str) -> Unknown:
    """The fault of a write that may have taken effect."""
    return Unknown(Code.OUTCOME_UNKNOWN, text)


def outcome_of(reply: Reply, done: _Done, *, created: bool = False) -> Outcome:
    """The outcome of a write. `done` is what a 2xx means; a 404 to a creation says that the folder is gone."""
    if reply.ok:
        return done
    meaning = read_error(reply)
    if isinstance(meaning, SyncError):
        return Unsure(error=meaning) if reply.unsure else Failed(error=meaning)
    match meaning:
        case Meaning.STALE if not created:
            return Stale()
        case Meaning.MISSING if not created:
            return Missing()
        case _:
            return Failed(error=Temporary(Code.GONE, f"Graph answered {reply.status}: the folder is gone"))
