"""A simulator as a `requests` transport: what is sent through the session reaches it in the process."""

import io
from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse
from urllib3._collections import HTTPHeaderDict

from local.sandbox.faults import ConnectionCut
from local.sandbox.http import Request, Response, Service


class ServiceAdapter(BaseAdapter):
    """Mount it on a session. `before` sees each request and may raise or answer in the simulator's place."""

    def __init__(self, service: Service, before: Callable[[Request], Response | None] | None = None) -> None:
        super().__init__()
        self.service = service
        self.before = before
        self.requests: list[Request] = []

    def send(self, request: requests.PreparedRequest, *_args: Any, **_kwargs: Any) -> requests.Response:
        body = request.body or b""
        asked = Request(
            method=request.method or "GET",
            url=request.url or "",
            headers={name.lower(): str(value) for name, value in request.headers.items()},
            body=body.encode() if isinstance(body, str) else bytes(body),
        )
        self.requests.append(asked)
        try:
            told = (self.before(asked) if self.before else None) or self.service.handle(asked)
        except ConnectionCut as cut:
            raise requests.ConnectionError(str(cut), request=request) from cut
        return _to_requests(told, request)

    def close(self) -> None:
        pass


def _to_requests(told: Response, request: requests.PreparedRequest) -> requests.Response:
    raw = HTTPResponse(body=io.BytesIO(told.body), headers=HTTPHeaderDict(dict(told.headers)), status=told.status, preload_content=False)
    response = requests.Response()
    response.status_code = told.status
    response.headers.update(told.headers)
    response.raw = raw
    response.url = request.url or ""
    response.request = request
    response.encoding = requests.utils.get_encoding_from_headers(response.headers)
    return response


def session_for(adapter: BaseAdapter) -> requests.Session:
    """A session that sends everything through the adapter, and reads nothing from the environment."""
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", adapter)
    return session
