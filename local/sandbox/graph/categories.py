"""The master list of categories. Items name categories by their text and may name ones that are not in this list.

Source: learn.microsoft.com/graph/api/resources/outlookcategory (the name is unique and cannot be changed).
"""

from local.sandbox.graph.answers import Refusal, bad_request, item_not_found
from local.sandbox.graph.items import context
from local.sandbox.graph.journal import Actor, Operation
from local.sandbox.graph.routing import Call, Route
from local.sandbox.graph.schema import CATEGORY, read_body
from local.sandbox.http import Response

KIND = "outlookCategory"
READ = ("MailboxSettings.Read", "MailboxSettings.ReadWrite")
WRITE = ("MailboxSettings.ReadWrite",)


def _list(call: Call) -> Response:
    return Response.of(200, {"@odata.context": context(call, "outlook/masterCategories"), "value": list(call.box.categories.values())})


def _one(call: Call, category: dict[str, str], status: int = 200) -> Response:
    return Response.of(status, {"@odata.context": context(call, "outlook/masterCategories/$entity"), **category})


def _find(call: Call) -> dict[str, str]:
    category = call.box.categories.get(call.params["category"].lower())
    if category is None:
        raise item_not_found()
    return category


def _create(call: Call) -> Response:
    values = read_body("outlookCategory", CATEGORY, call.body(), stamps_allowed=False).values
    name = values.get("displayName")
    if not name:
        raise bad_request("The property 'displayName' is required when creating the entity.", "ErrorInvalidProperty")
    if any(category["displayName"].casefold() == name.casefold() for category in call.box.categories.values()):
        raise Refusal(409, "CategoryNameDuplicate", "A category with the specified name already exists.")
    category = {"id": call.sandbox.mint.guid(), "displayName": name, "color": values.get("color", "none")}
    call.box.categories[category["id"]] = category
    call.box.note(KIND, category["id"], Actor.APP, Operation.CREATED, category)
    return _one(call, category, 201)


def _patch(call: Call) -> Response:
    category = _find(call)
    values = read_body("outlookCategory", CATEGORY, call.body(), stamps_allowed=False).values
    if "displayName" in values:
        raise bad_request("Set action is invalid for property 'displayName'.", "ErrorInvalidPropertySet")
    category["color"] = values.get("color", category["color"])
    call.box.note(KIND, category["id"], Actor.APP, Operation.UPDATED, {"color": category["color"]})
    return _one(call, category)


def _delete(call: Call) -> Response:
    category = _find(call)
    del call.box.categories[category["id"]]
    call.box.note(KIND, category["id"], Actor.APP, Operation.DELETED, {})
    return Response(status=204)


_LIST = "users/{user}/outlook/masterCategories"
ROUTES = (
    Route(method="GET", template=_LIST, handler=_list, roles=READ),
    Route(method="POST", template=_LIST, handler=_create, roles=WRITE),
    Route(method="GET", template=f"{_LIST}/{{category}}", handler=lambda call: _one(call, _find(call)), roles=READ),
    Route(method="PATCH", template=f"{_LIST}/{{category}}", handler=_patch, roles=WRITE),
    Route(method="DELETE", template=f"{_LIST}/{{category}}", handler=_delete, roles=WRITE),
)
