"""Reading a request's body and headers as strictly as the service does.

Why this file exists: every writing endpoint refuses a wrong content type, broken JSON or a wrong shape in the same words.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from local.sandbox.http import Request, Response
from local.sandbox.salesforce.errors import Code, Refusal, refuse
from local.sandbox.salesforce.times import parse_http_date


def _refuse_constant(name: str) -> None:
    raise refuse(400, Code.JSON_PARSER_ERROR, f"Non-standard token '{name}': not allowed in JSON", whole=True)


def json_body(request: Request) -> Any:
    """The JSON body. Raises Refusal: 415 for another content type, JSON_PARSER_ERROR for what is no JSON."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        text = f"Content type header value is not supported: {content_type or 'none'}"
        raise refuse(415, Code.UNSUPPORTED_MEDIA_TYPE, text)
    try:
        return json.loads(request.body.decode("utf-8"), parse_constant=_refuse_constant)
    except RecursionError:
        raise refuse(400, Code.JSON_PARSER_ERROR, "The body is nested too deeply", whole=True) from None
    except UnicodeDecodeError as error:
        raise refuse(400, Code.JSON_PARSER_ERROR, f"Invalid UTF-8 at byte {error.start}", whole=True) from None
    except json.JSONDecodeError as error:
        text = f"{error.msg} at [line:{error.lineno}, column:{error.colno}]"
        raise refuse(400, Code.JSON_PARSER_ERROR, text, whole=True) from None


def json_object(request: Request, *allowed: str) -> Mapping[str, Any]:
    """The JSON body when it must be an object; with `allowed`, one of these members only."""
    body = json_body(request)
    if not isinstance(body, dict):
        raise refuse(400, Code.JSON_PARSER_ERROR, "The request body must be a JSON object at [line:1, column:1]", whole=True)
    unknown = [name for name in body if allowed and name not in allowed]
    if unknown:
        raise refuse(400, Code.JSON_PARSER_ERROR, f'Unrecognized field "{unknown[0]}" at [line:1, column:1]', whole=True)
    return body


def flag(value: Any, name: str) -> bool:
    """A boolean of a body or a query; absent is false."""
    if value is None or value is False or value == "false":
        return False
    if value is True or value == "true":
        return True
    raise refuse(400, Code.JSON_PARSER_ERROR, f"{name} must be a boolean at [line:1, column:1]", whole=True)


def http_date(request: Request, name: str) -> datetime | None:
    """A date header, None when absent. Raises Refusal (400) when it is no HTTP date."""
    text = request.headers.get(name)
    if text is None:
        return None
    moment = parse_http_date(text)
    if moment is None:
        raise refuse(400, Code.INVALID_HTTP_HEADER, f"Invalid date value in header {name}: {text}")
    return moment


def refused(refusal: Refusal) -> Response:
    """The single-row shape of a refusal."""
    return Response.of(refusal.status, [problem.as_row() for problem in refusal.problems])
