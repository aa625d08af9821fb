"""One HTTP request to Salesforce, with simple-salesforce as the transport: nothing is repeated, renewed or interpreted here.

simple-salesforce's `SFType` is not used (it loops on 401, simple-salesforce#804), nor its own login. Its exceptions carry a body, and
only that is looked at; status and headers come from the response itself, through a hook of requests.
"""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from shared.errors import Code, SyncError, Temporary, Unknown
from sync.connectors.salesforce.errors import Refusal, error_of, refusals
from sync.connectors.salesforce.tokens import Token

if TYPE_CHECKING:
    import requests

API_VERSION = "62.0"
ROOT = f"/services/data/v{API_VERSION}/"
CONNECT_SECONDS, READ_SECONDS = 10, 120
WRITE_HEADERS = {
    "Sforce-Auto-Assign": "FALSE",  # otherwise assignment rules could give the record to somebody else
    "Sforce-Duplicate-Rule-Header": "allowSave=true; includeRecordDetails=false; runAsCurrentUser=true",  # alerts pass, blocks do not
}
CALL_HEADERS = {"Sforce-Call-Options": "client=Tandem/1.0", "X-PrettyPrint": None}


def new_session(connections: int = 32) -> "requests.Session":
    """The process's HTTP session: every request has a time limit, and no cookie travels from one user to another."""
    from http.cookiejar import DefaultCookiePolicy  # noqa: PLC0415

    import requests  # noqa: PLC0415 - not before it is needed: cold start
    from requests.adapters import HTTPAdapter  # noqa: PLC0415

    class Limited(HTTPAdapter):
        """simple-salesforce gives its requests no timeout (simple-salesforce#148)."""

        def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
            kwargs["timeout"] = kwargs.get("timeout") or (CONNECT_SECONDS, READ_SECONDS)
            return super().send(request, *args, **kwargs)

    session = requests.Session()
    session.mount("https://", Limited(pool_connections=connections, pool_maxsize=connections))
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer that is final, for better or worse. Header names are lower case; of a Composite step there are few."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def reasons(self) -> tuple[Refusal, ...]:
        return refusals(self.body)

    def has(self, code: str) -> bool:
        return any(reason.code == code for reason in self.reasons)

    def error(self) -> SyncError:
        error = error_of(self.reasons, self.status)
        with contextlib.suppress(ValueError):
            error.retry_after = float(self.headers.get("retry-after", ""))
        return error


def send(http: "requests.Session", token: Token, method: str, path: str, json: Any, headers: Mapping[str, str] | None) -> Answer:
    """One request and its answer, whatever its status. Raises Temporary if it was surely not sent, Unknown if it was cut."""
    import requests  # noqa: PLC0415
    from simple_salesforce.api import Salesforce  # noqa: PLC0415 - 0.3 s: not before it is needed
    from simple_salesforce.exceptions import SalesforceError  # noqa: PLC0415

    # An instance is a handful of strings and not safe to share between threads: it is made for one request.
    service = Salesforce(
        session_id=token.access_token,
        instance_url=token.instance_url,
        session=http,
        version=API_VERSION,
        object_pairs_hook=None,
    )
    seen: list[requests.Response] = []
    body: Any
    try:
        body = service.restful(
            path.removeprefix(ROOT),
            method=method,
            json=json,
            headers={**CALL_HEADERS, **({} if method == "GET" else WRITE_HEADERS), **(headers or {})},
            hooks={"response": lambda response, *_args, **_kwargs: seen.append(response)},
            allow_redirects=False,
        )
    except SalesforceError as error:
        body = error.content
    except (requests.exceptions.JSONDecodeError, TypeError) as error:  # a TypeError for a body of `null`
        raise Unknown(Code.UNAVAILABLE, "the answer is not JSON") from error
    except requests.RequestException as error:
        kind = Temporary if _was_not_sent(error) else Unknown
        raise kind(Code.NETWORK, f"the request was not answered: {type(error).__name__}") from error
    response = seen.pop()  # the request knows the hook, the hook knows the list: with the response in it they would keep each other alive
    told = {name.lower(): value for name, value in response.headers.items()}
    return Answer(status=response.status_code, body=body, headers=told)


def _was_not_sent(error: Exception) -> bool:
    """Whether no byte of the request can have reached the service."""
    import requests  # noqa: PLC0415
    from urllib3.exceptions import MaxRetryError, NewConnectionError  # noqa: PLC0415

    if isinstance(error, requests.ConnectTimeout) or "CERTIFICATE_VERIFY_FAILED" in str(error):
        return True
    reason = error.args[0] if error.args else None
    return isinstance(reason, MaxRetryError) and isinstance(reason.reason, NewConnectionError)
