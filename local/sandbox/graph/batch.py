"""`$batch`: the envelope, its rules, and the order in which its items are carried out.

Source: learn.microsoft.com/graph/json-batching and graph/known-issues (dependencies are all parallel, all serial, or all on the same).
What is wrong with the envelope refuses all of it with 400; what is wrong with an item is that item's answer. An item inherits the outer
authorization and nothing else: `Prefer` belongs into the item.
"""

import base64
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from local.sandbox.graph.answers import bad_request
from local.sandbox.http import Request, Response

LIMIT = 20
METHODS = frozenset({"GET", "POST", "PATCH", "PUT", "DELETE"})
BODY_METHODS = frozenset({"POST", "PATCH", "PUT"})
_HEADER_NAMES = {"etag": "ETag", "request-id": "request-id", "client-request-id": "client-request-id"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One item of a batch."""

    id: str
    request: Request
    depends_on: tuple[str, ...]


def read_steps(outer: Request, envelope: Any) -> list[Step]:
    """The items of an envelope.

    Raises: Refusal 400 when the envelope is malformed in any way the service refuses as a whole.
    """
    requests = envelope.get("requests") if isinstance(envelope, dict) else None
    if not isinstance(requests, list) or not requests:
        raise bad_request("Invalid batch payload format.")
    unknown = set(envelope) - {"requests"}
    if unknown:
        raise bad_request(f"Invalid batch payload format: '{sorted(unknown)[0]}' is not expected.")
    if len(requests) > LIMIT:
        raise bad_request(f"Number of batch request steps exceeds the maximum value of {LIMIT}.", "MaximumValueExceeded")
    steps: list[Step] = []
    seen: set[str] = set()
    for entry in requests:
        step = _read_step(outer, entry, seen)
        if step.id.lower() in seen:
            raise bad_request(f"Request Id '{step.id}' has to be unique in a batch.")
        seen.add(step.id.lower())
        steps.append(step)
    _check_dependencies(steps)
    return steps


def run_steps(
    steps: list[Step], process: Callable[[Request], Response], rng: random.Random, *, shuffle: bool
) -> list[tuple[Step, Response]]:
    """Carries the items out – independent ones in any order – and returns the answers, in any order."""
    answers: dict[str, tuple[Step, Response]] = {}
    waiting = list(steps)
    while waiting:
        ready = [step for step in waiting if all(name.lower() in answers for name in step.depends_on)]
        if shuffle:
            rng.shuffle(ready)
        for step in ready:
            failed = any(answers[name.lower()][1].status >= 400 for name in step.depends_on)
            answers[step.id.lower()] = (step, _failed_dependency() if failed else process(step.request))
        waiting = [step for step in waiting if step.id.lower() not in answers]
    done = list(answers.values())
    if shuffle:
        rng.shuffle(done)
    return done


def write_responses(answers: list[tuple[Step, Response]]) -> dict[str, Any]:
    """The envelope of answers; a body that is not JSON is Base64 text."""
    responses: list[dict[str, Any]] = []
    for step, response in answers:
        headers = {_header_name(name): value for name, value in response.headers.items() if name not in ("date", "content-length")}
        entry: dict[str, Any] = {"id": step.id, "status": response.status, "headers": headers}
        if response.body:
            is_json = "json" in response.headers.get("content-type", "")
            entry["body"] = response.json() if is_json else base64.b64encode(response.body).decode()
        responses.append(entry)
    return {"responses": responses}


def _read_step(outer: Request, entry: Any, seen: set[str]) -> Step:
    if not isinstance(entry, dict):
        raise bad_request("Invalid batch payload format.")
    step_id, method, url = entry.get("id"), entry.get("method"), entry.get("url")
    if not isinstance(step_id, str) or not step_id:
        raise bad_request("Request Id is required in every request of a batch and has to be a string.")
    unknown = set(entry) - {"id", "method", "url", "headers", "body", "dependsOn"}
    if unknown:
        raise bad_request(f"Invalid batch payload format: '{sorted(unknown)[0]}' of request Id: {step_id} is not expected.")
    if not isinstance(method, str) or method.upper() not in METHODS:
        raise bad_request(f"Invalid request method for request Id: {step_id}.")
    if not isinstance(url, str) or not url or urlsplit(url).scheme or url.startswith("//"):
        raise bad_request(f"Invalid request Url for request Id: {step_id}: it has to be relative.")
    headers = entry.get("headers", {})
    if headers is None:
        headers = {}
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        raise bad_request(f"Invalid headers for request Id: {step_id}.")
    headers = {name.lower(): value for name, value in headers.items()}
    if method.upper() in BODY_METHODS and ("body" not in entry or "content-type" not in headers):
        raise bad_request(f"Write request id : {step_id} does not contain Content-Type header or body.")
    depends_on = entry.get("dependsOn") or []
    if not isinstance(depends_on, list) or not all(isinstance(name, str) for name in depends_on):
        raise bad_request(f"Invalid dependsOn for request Id: {step_id}.")
    for name in depends_on:
        if name.lower() not in seen:
            raise bad_request(f"Invalid dependency for request Id: {step_id}.")
    parts = urlsplit(outer.url)
    version = parts.path.strip("/").split("/")[0]
    request = Request(
        method=method.upper(),
        url=f"{parts.scheme}://{parts.netloc}/{version}/{url.lstrip('/')}",
        headers=_inherited(outer.headers) | headers,
        body=_body(entry.get("body"), headers, step_id),
    )
    return Step(id=step_id, request=request, depends_on=tuple(depends_on))


def _body(body: Any, headers: Mapping[str, str], step_id: str) -> bytes:
    if body is None:
        return b""
    if "json" in headers.get("content-type", ""):
        return json.dumps(body).encode()
    if not isinstance(body, str):
        raise bad_request(f"The body of request Id: {step_id} has to be Base64 text.")
    try:
        return base64.b64decode(body, validate=True)
    except ValueError:
        raise bad_request(f"The body of request Id: {step_id} has to be Base64 text.") from None


def _check_dependencies(steps: list[Step]) -> None:
    stated = [tuple(sorted(name.lower() for name in step.depends_on)) for step in steps]
    if not any(stated):
        return
    serial = not stated[0] and all(stated[at] == (steps[at - 1].id.lower(),) for at in range(1, len(steps)))
    same = len({names for names in stated if names}) == 1
    if not serial and not same:
        raise bad_request("The requests of a batch have to be all parallel, all serial, or all dependent on the same request.")


def _inherited(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: headers[name] for name in ("authorization",) if name in headers}


def _failed_dependency() -> Response:
    message = "The request could not be performed because the requested action depended on another request and that request failed."
    return Response.of(424, {"error": {"code": "FailedDependency", "message": message}})


def _header_name(name: str) -> str:
    return _HEADER_NAMES.get(name, name.title())
