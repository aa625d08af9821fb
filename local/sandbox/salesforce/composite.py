"""Composite and composite batch: several requests in one call.

Why this file exists: the limits of 25 and 5, the references between subrequests, and the rollback belong to the envelope,
not to what is inside it; a subrequest is answered by the same code as a request of its own.
Source: REST API Developer Guide, "Composite", "Composite Batch".
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from local.sandbox.http import Request, Response
from local.sandbox.salesforce.bodies import flag, json_object
from local.sandbox.salesforce.errors import Code, Problem, Refusal, refuse
from local.sandbox.salesforce.org import Call, Org

Answer = Callable[[Call, str, Request], Response]
"""Answers a subrequest to an absolute path, as the caller of the outer one."""

_MAX_SUBREQUESTS = 25
_MAX_QUERIES = 5
_REFERENCE = re.compile(r"@\{([A-Za-z0-9_]+)((?:\.[A-Za-z0-9_]+|\[\d+\])*)\}")
_FORBIDDEN_HEADERS = {"accept", "authorization", "content-type"}
_ROLLED_BACK = "The transaction was rolled back since another operation in the same transaction failed."


def _bad(message: str) -> Refusal:
    return refuse(400, Code.JSON_PARSER_ERROR, message)


def _subrequests(body: Mapping[str, Any], name: str, allowed: set[str], needed: set[str]) -> list[dict[str, Any]]:
    parts = body.get(name)
    if not isinstance(parts, list) or not parts or not all(isinstance(part, dict) for part in parts):
        raise _bad(f"{name} must be a list of objects at [line:1, column:1]")
    if len(parts) > _MAX_SUBREQUESTS:
        raise refuse(400, Code.LIMIT_EXCEEDED, f"The request can contain no more than {_MAX_SUBREQUESTS} subrequests")
    for part in parts:
        for key in part:
            if key not in allowed:
                raise _bad(f'Unrecognized field "{key}" at [line:1, column:1]')
        for key in needed:
            if not isinstance(part.get(key), str) or not part[key]:
                raise _bad(f"{key} is required in every subrequest at [line:1, column:1]")
    return parts


def run(org: Org, call: Call, answer: Answer) -> Response:
    """All subrequests in order; with `allOrNone`, one failure takes back everything."""
    body = json_object(call.request, "allOrNone", "collateSubrequests", "compositeRequest")
    all_or_none = flag(body.get("allOrNone"), "allOrNone")
    flag(body.get("collateSubrequests"), "collateSubrequests")
    parts = _subrequests(
        body, "compositeRequest", {"method", "url", "referenceId", "httpHeaders", "body"}, {"method", "url", "referenceId"}
    )
    _check_envelope(parts)
    results: dict[str, dict[str, Any]] = {}
    with org.transaction() as transaction:
        halted = False
        for part in parts:
            if halted:
                results[part["referenceId"]] = _halted(part["referenceId"])
                continue
            result = _one(call, part, results, answer)
            results[part["referenceId"]] = result
            if all_or_none and result["httpStatusCode"] >= 400:
                halted = transaction.undo = True
                for reference, done in list(results.items()):
                    if done["httpStatusCode"] < 400:
                        results[reference] = _halted(reference)
    return Response.of(200, {"compositeResponse": [results[part["referenceId"]] for part in parts]})


def _check_envelope(parts: list[dict[str, Any]]) -> None:
    references = [part["referenceId"] for part in parts]
    for reference in references:
        if not re.fullmatch(r"[A-Za-z0-9_]+", reference):
            text = f"Provided referenceId ('{reference}') must start with a letter or a number"
            raise _bad(f"{text}, and it can contain only letters, numbers and underscores ('_').")
    repeated = next((each for each in references if references.count(each) > 1), None)
    if repeated is not None:
        raise _bad(f"Duplicate ReferenceId provided: '{repeated}'.")
    heavy = 0
    for part in parts:
        if not re.match(r"/services/data/v\d+\.\d/", part["url"]):
            raise _bad(f"Invalid subrequest url: {part['url']}")
        heavy += bool(re.search(r"/(query|queryAll|composite/sobjects)(/|$)", urlsplit(part["url"]).path))
        headers = part.get("httpHeaders")
        if headers is not None and not (isinstance(headers, dict) and all(isinstance(value, str) for value in headers.values())):
            raise _bad("httpHeaders must be a map of strings")
        if headers and _FORBIDDEN_HEADERS & {key.lower() for key in headers}:
            raise _bad("httpHeaders can't contain Accept, Authorization or Content-Type")
    if heavy > _MAX_QUERIES:
        text = f"The request can contain no more than {_MAX_QUERIES} query or sObject Collections subrequests"
        raise refuse(400, Code.LIMIT_EXCEEDED, text)


def _halted(reference: str) -> dict[str, Any]:
    problem = Problem(code=Code.PROCESSING_HALTED, message=_ROLLED_BACK)
    return {"body": [problem.as_row()], "httpHeaders": {}, "httpStatusCode": 400, "referenceId": reference}


def _one(call: Call, part: Mapping[str, Any], results: Mapping[str, dict[str, Any]], answer: Answer) -> dict[str, Any]:
    reference = part["referenceId"]
    try:
        url = _REFERENCE.sub(lambda match: str(_lookup(match, results)), part["url"])
        body = _fill(part.get("body"), results)
    except Refusal as refusal:
        rows = [problem.as_row() for problem in refusal.problems]
        return {"body": rows, "httpHeaders": {}, "httpStatusCode": refusal.status, "referenceId": reference}
    response = answer(call, url, _request(call, part["method"], url, part.get("httpHeaders") or {}, body))
    headers = {
        name.title() if name != "etag" else "ETag": value
        for name, value in response.headers.items()
        if name in ("location", "etag", "last-modified")
    }
    return {
        "body": json.loads(response.body) if response.body else None,
        "httpHeaders": headers,
        "httpStatusCode": response.status,
        "referenceId": reference,
    }


def _request(call: Call, method: str, url: str, headers: Mapping[str, str], body: Any) -> Request:
    inherited = {name: value for name, value in call.request.headers.items() if name.startswith("sforce-")}
    own = {name.lower(): value for name, value in headers.items()}
    parts = urlsplit(call.request.url)
    return Request(
        method=method.upper(),
        url=f"{parts.scheme}://{parts.netloc}{url}",
        headers={**inherited, **own, "content-type": "application/json"},
        body=b"" if body is None else json.dumps(body).encode(),
    )


def _lookup(match: re.Match[str], results: Mapping[str, dict[str, Any]]) -> Any:
    reference, path = match.group(1), match.group(2)
    value: Any = results[reference]["body"] if reference in results and results[reference]["httpStatusCode"] < 400 else None
    for step in re.findall(r"[A-Za-z0-9_]+", path):
        if isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        elif isinstance(value, dict) and step in value:
            value = value[step]
        else:
            value = None
            break
    if value is None or isinstance(value, dict | list):
        text = f"Invalid reference specified. No value for {reference}{path} found in {reference}"
        raise refuse(400, Code.PROCESSING_HALTED, text)
    return value


def _fill(body: Any, results: Mapping[str, dict[str, Any]]) -> Any:
    if isinstance(body, str):
        whole = _REFERENCE.fullmatch(body)
        return _lookup(whole, results) if whole else _REFERENCE.sub(lambda match: str(_lookup(match, results)), body)
    if isinstance(body, dict):
        return {key: _fill(value, results) for key, value in body.items()}
    return [_fill(value, results) for value in body] if isinstance(body, list) else body


def run_batch(org: Org, call: Call, answer: Answer) -> Response:
    """Independent subrequests; with `haltOnError`, those after a failure answer 412."""
    body = json_object(call.request, "haltOnError", "batchRequests")
    halt_on_error = flag(body.get("haltOnError"), "haltOnError")
    parts = _subrequests(body, "batchRequests", {"method", "url", "richInput", "binaryPartName", "binaryPartNameAlias"}, {"method", "url"})
    results: list[dict[str, Any]] = []
    failed = False
    for part in parts:
        if failed and halt_on_error:
            halted = Problem(code="BATCH_PROCESSING_HALTED", message="Batch processing halted due to a previous failure.")
            results.append({"statusCode": 412, "result": [halted.as_row()]})
            continue
        url = part["url"]
        url = url if url.startswith("/services/data/") else "/services/data/" + url.lstrip("/")
        response = answer(call, url, _request(call, part["method"], url, {}, part.get("richInput")))
        failed = failed or response.status >= 400
        results.append({"statusCode": response.status, "result": json.loads(response.body) if response.body else None})
    return Response.of(200, {"hasErrors": failed, "results": results})
