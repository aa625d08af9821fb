"""Which request is whose: the table of routes that every resource module contributes to, and what a handler is given.

A resource (contacts now; calendars, To Do lists later) is a module with `ROUTES`; the core never names one. It knows OData's spellings of
a path: `/contactFolders/x`, `/contactfolders('x')`, `delta`, `delta()`, `microsoft.graph.delta()`.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from local.sandbox.graph.answers import Refusal, bad_request
from local.sandbox.graph.store import Mailbox
from local.sandbox.http import Request, Response

if TYPE_CHECKING:
    from local.sandbox.graph.sandbox import GraphSandbox

_KEYED = re.compile(r"(?P<name>[A-Za-z]+)\((?P<key>'(?:[^']|'')*')\)")
_PREFERENCE = re.compile(r"""\s*([^\s=,;"]+)\s*(?:=\s*("[^"]*"|[^,;\s]*))?\s*(?:[,;]|$)""")
_KNOWN_OPTIONS = ("select", "filter", "expand", "orderby", "top", "skip", "count", "search", "skiptoken", "deltatoken", "format")


@dataclass(slots=True, kw_only=True)
class Call:
    """One request on its way through a handler. `params` are the path's ids; `options` the query by `$name`."""

    sandbox: "GraphSandbox"
    request: Request
    route: "Route"
    params: Mapping[str, str]
    options: Mapping[str, str]
    prefer: Mapping[str, str]
    mailbox: Mailbox | None = None
    applied: list[str] = field(default_factory=list)

    @property
    def box(self) -> Mailbox:
        assert self.mailbox is not None
        return self.mailbox

    @property
    def immutable(self) -> bool:
        return self.prefer.get("idtype", "").strip('"').lower() == "immutableid"

    @property
    def origin(self) -> str:
        parts = urlsplit(self.request.url)
        return f"{parts.scheme}://{parts.netloc}"

    def link(self, path: str | None = None, /, **options: str) -> str:
        """An absolute link on the origin this request came to; option names without `$`."""
        query = "&".join(f"${name}={_quote(value)}" for name, value in options.items())
        return f"{self.origin}{path or self.request.path}?{query}"

    def body(self) -> Any:
        """The JSON body. Raises: Refusal 400 when it is none."""
        if not self.request.headers.get("content-type", "").lower().startswith("application/json"):
            raise bad_request(
                "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format."
            )
        try:
            return self.request.json()
        except ValueError:
            raise bad_request(
                "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format."
            ) from None


Handler = Callable[[Call], Response]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """`template` is the path after /v1.0, variables in braces; a template that begins with `users/{user}/` addresses a mailbox,
    unless `directory` says that it does not. `roles`: any one of them is enough. `options`: the query options understood."""

    method: str
    template: str
    handler: Handler
    roles: tuple[str, ...]
    options: frozenset[str] = frozenset()
    directory: bool = False

    @property
    def of_mailbox(self) -> bool:
        return not self.directory


class Router:
    def __init__(self, routes: Iterable[Route]) -> None:
        self._by_shape: dict[int, list[tuple[tuple[str, ...], Route]]] = {}
        for route in routes:
            parts = tuple(part if part.startswith("{") else part.lower() for part in route.template.split("/"))
            self._by_shape.setdefault(len(parts), []).append((parts, route))
        for shapes in self._by_shape.values():
            shapes.sort(key=lambda entry: [part.startswith("{") for part in entry[0]])

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """The route of a still percent-encoded path that begins with /v1.0.

        Raises: Refusal 400 (version), 404 (no such path), 405 (path without this method).
        """
        segments = _segments(path)
        if not segments or segments[0].lower() != "v1.0":
            raise bad_request(f"Invalid version: {segments[0] if segments else ''}.")
        rest = segments[1:]
        if rest and rest[0].lower() == "me":
            raise bad_request("/me request is only valid with delegated authentication flow.")
        allowed: list[str] = []
        for parts, route in self._by_shape.get(len(rest), ()):
            params = _match(parts, rest)
            if params is None:
                continue
            if route.method == method:
                return route, params
            allowed.append(route.method)
        if allowed:
            message = "Specified HTTP method is not allowed for the request target."
            raise Refusal(405, "MethodNotAllowed", message, {"allow": ", ".join(sorted(set(allowed)))})
        raise Refusal(404, "ResourceNotFound", f"Resource not found for the segment '{rest[-1] if rest else ''}'.")


def is_batch(path: str) -> bool:
    return [segment.lower() for segment in _segments(path)] == ["v1.0", "$batch"]


def read_options(request: Request, route: Route) -> dict[str, str]:
    """The query options by name without `$`.

    Raises: Refusal 400 for one that the path does not understand, or one given twice.
    """
    options: dict[str, str] = {}
    for name, value in parse_qsl(urlsplit(request.url).query, keep_blank_values=True):
        plain = name.removeprefix("$")
        if plain.lower() in _KNOWN_OPTIONS:
            plain = plain.lower()
        if plain not in route.options:
            raise bad_request(f"The query parameter '{name}' is not supported.")
        if plain in options:
            raise bad_request(f"Query option '${plain}' was specified more than once, but it must be specified at most once.")
        options[plain] = value
    return options


def read_prefer(header: str) -> dict[str, str]:
    """Preferences by lower-case name; the ones nobody knows are simply never asked for."""
    return {name.lower(): value for name, value in _PREFERENCE.findall(header)}


def _segments(path: str) -> list[str]:
    segments: list[str] = []
    # Empty segments are skipped: Microsoft's SDK joins its base address and a path with two slashes.
    for raw in filter(None, path.split("/")):
        part = unquote(raw)
        keyed = _KEYED.fullmatch(part)
        if keyed is not None:
            segments += [keyed["name"], keyed["key"][1:-1].replace("''", "'")]
        else:
            segments.append(_plain_operation(part))
    return segments


def _plain_operation(part: str) -> str:
    lower = part.lower()
    if lower in ("delta()", "microsoft.graph.delta", "microsoft.graph.delta()"):
        return "delta"
    if lower in ("microsoft.graph.permanentdelete", "permanentdelete()", "microsoft.graph.permanentdelete()"):
        return "permanentDelete"
    return part


def _match(parts: tuple[str, ...], segments: list[str]) -> dict[str, str] | None:
    params: dict[str, str] = {}
    for part, segment in zip(parts, segments, strict=True):
        if part.startswith("{"):
            params[part[1:-1]] = segment
        elif part != segment.lower():
            return None
    return params


def _quote(value: str) -> str:
    return value.replace("%", "%25").replace("&", "%26").replace("#", "%23").replace("+", "%2B").replace(" ", "%20")
