"""The map from paths to resources under `/services/data`.

Why this file exists: which path and method lead where, and nothing else; the same map serves requests and subrequests.
Source: REST API Developer Guide, "Resource URIs" and "Methods".
"""

import re
from urllib.parse import unquote, urlsplit

from local.sandbox.http import Request, Response
from local.sandbox.salesforce import composite, describe, queries, rows, sobject_collections
from local.sandbox.salesforce.bodies import refused
from local.sandbox.salesforce.errors import Code, Refusal, not_found, refuse
from local.sandbox.salesforce.org import Call, Org

OLDEST_VERSION, NEWEST_VERSION = 52, 67
_ROOT = re.compile(r"/services/data/v(\d+)\.0(?:/(.*))?")


def list_versions() -> Response:
    """`/services/data`, which needs no session."""
    versions = range(OLDEST_VERSION, NEWEST_VERSION + 1)
    return Response.of(
        200, [{"label": f"API {number}.0", "url": f"/services/data/v{number}.0", "version": f"{number}.0"} for number in versions]
    )


def answer(org: Org, user_id: str, request: Request, *, nested: bool = False) -> Response:
    """Answer one request, or a subrequest, of an authenticated user."""
    try:
        match = _ROOT.fullmatch(urlsplit(request.url).path)
        if match is None or not OLDEST_VERSION <= int(match.group(1)) <= NEWEST_VERSION:
            raise not_found()
        segments = tuple(unquote(part) for part in (match.group(2) or "").split("/") if part)
        call = Call(request=request, user_id=user_id, version=f"{match.group(1)}.0", segments=segments, nested=nested)
        return _route(org, call)
    except Refusal as refusal:
        return refused(refusal)


def _method(call: Call, *allowed: str) -> str:
    method = call.request.method.upper()
    override = call.request.query.get("_HttpMethod")
    if method == "POST" and override:
        method = override.upper()
    if method not in allowed:
        text = f"HTTP Method '{method}' not allowed. Allowed are {','.join(allowed)}"
        raise refuse(405, Code.METHOD_NOT_ALLOWED, text)
    return method


def _subrequest(org: Org) -> composite.Answer:
    def one(call: Call, url: str, request: Request) -> Response:
        if re.search(r"/v\d+\.0/composite/?$|/composite/batch/?$", urlsplit(url).path):
            return refused(refuse(400, Code.BAD_REQUEST, "A composite request can't contain another one"))
        return answer(org, call.user_id, request, nested=True)

    return one


def _route(org: Org, call: Call) -> Response:
    match call.segments:
        case ():
            _method(call, "GET")
            return _list_resources(org, call)
        case ("limits",):
            _method(call, "GET")
            return describe.limits(org)
        case ("query", *rest) | ("queryAll", *rest):
            _method(call, "GET")
            return _query(org, call, rest)
        case ("composite", *rest):
            return _composite(org, call, rest)
        case ("sobjects", *rest):
            return _sobjects(org, call, rest)
    raise not_found()


def _list_resources(org: Org, call: Call) -> Response:
    parts = urlsplit(call.request.url)
    resources = {name: f"{call.root}/{name}" for name in ("sobjects", "query", "queryAll", "composite", "limits")}
    # The service names its login host here; the simulator has one host.
    return Response.of(200, resources | {"identity": f"{parts.scheme}://{parts.netloc}/id/{org.id}/{call.user_id}"})


def _query(org: Org, call: Call, rest: list[str]) -> Response:
    match rest:
        case []:
            return queries.run(org, call, include_deleted=call.segments[0] == "queryAll")
        case [locator]:
            return queries.more(org, call, locator)
    raise not_found()


def _composite(org: Org, call: Call, rest: list[str]) -> Response:
    match rest:
        case []:
            _method(call, "POST")
            return composite.run(org, call, _subrequest(org))
        case ["batch"]:
            _method(call, "POST")
            return composite.run_batch(org, call, _subrequest(org))
        case ["sobjects"]:
            endpoints = {"POST": sobject_collections.create, "PATCH": sobject_collections.update, "DELETE": sobject_collections.delete}
            return endpoints[_method(call, "POST", "PATCH", "DELETE")](org, call)
        case ["sobjects", name]:
            _method(call, "GET", "POST")
            return sobject_collections.retrieve(org, call, name)
        case ["sobjects", name, field]:
            _method(call, "PATCH")
            return sobject_collections.upsert(org, call, name, field)
    raise not_found()


def _sobjects(org: Org, call: Call, rest: list[str]) -> Response:
    match rest:
        case []:
            _method(call, "GET")
            return describe.list_objects(org, call)
        case [name]:
            if _method(call, "GET", "POST") == "POST":
                return rows.create(org, call, name)
            return describe.describe_briefly(org, call, name)
        case [name, "describe"]:
            _method(call, "GET")
            return describe.describe(org, call, name)
        case [name, "updated"]:
            _method(call, "GET")
            return queries.updated(org, call, name)
        case [name, "deleted"]:
            _method(call, "GET")
            return queries.deleted(org, call, name)
        case [name, row_id]:
            endpoints = {"GET": rows.read, "PATCH": rows.update, "DELETE": rows.delete}
            return endpoints[_method(call, "GET", "PATCH", "DELETE")](org, call, name, row_id)
        case [name, field, value]:
            external = {"GET": rows.read_external, "PATCH": rows.upsert, "DELETE": rows.delete_external}
            return external[_method(call, "GET", "PATCH", "DELETE")](org, call, name, field, value)
    raise not_found()
