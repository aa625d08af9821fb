"""Describe: what an object is, for this user.

Why this file exists: clients take lengths, flags and required fields from here, so it shows field-level security and
permissions exactly as the writing side enforces them. Source: REST API Developer Guide, "sObject Describe".
"""

from typing import Any

from local.sandbox.http import Response
from local.sandbox.salesforce.bodies import http_date
from local.sandbox.salesforce.org import Call, Org
from local.sandbox.salesforce.rows import kind_for
from local.sandbox.salesforce.schema import ObjectType
from local.sandbox.salesforce.times import to_http_date

_SCOPE_LABELS = {
    "everything": "All {0}",
    "mine": "My {0}",
    "team": "My team's {0}",
    "scopingRule": "Filter by scope",
    "queue_owned": "Queue owned {0}",
    "user_owned": "User owned {0}",
}


def summary(kind: ObjectType, root: str) -> dict[str, Any]:
    """An object in the list of objects."""
    base = f"{root}/sobjects/{kind.name}"
    return {
        "activateable": False,
        "associateEntityType": None,
        "associateParentEntity": None,
        "createable": kind.createable,
        "custom": False,
        "customSetting": False,
        "deepCloneable": False,
        "deletable": kind.deletable,
        "deprecatedAndHidden": False,
        "feedEnabled": True,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": kind.prefix,
        "label": kind.name,
        "labelPlural": kind.plural,
        "layoutable": True,
        "mergeable": kind.mergeable,
        "mruEnabled": True,
        "name": kind.name,
        "queryable": True,
        "replicateable": True,
        "retrieveable": True,
        "searchable": kind.searchable,
        "triggerable": True,
        "undeletable": kind.soft_deletes,
        "updateable": any(field.updateable for field in kind.fields.values()),
        "urls": {"sobject": base, "describe": f"{base}/describe", "rowTemplate": base + "/{ID}"},
    }


def describe(org: Org, call: Call, name: str) -> Response:
    """The full describe; `If-Modified-Since` after the last change of the schema or of anybody's access makes it 304."""
    kind = kind_for(org, call, name)
    headers = {"last-modified": to_http_date(org.schema_changed)}
    since = http_date(call.request, "if-modified-since")
    if since is not None and org.schema_changed.replace(microsecond=0) <= since:
        return Response(status=304, headers=headers)
    body = summary(kind, call.root) | {
        "actionOverrides": [],
        "childRelationships": [],
        "compactLayoutable": True,
        "fields": [field.describe() for field in kind.fields.values()],
        "listviewable": None,
        "lookupLayoutable": None,
        "namedLayoutInfos": [],
        "networkScopeFieldName": None,
        "recordTypeInfos": [
            {
                "active": True,
                "available": True,
                "defaultRecordTypeMapping": True,
                "developerName": "Master",
                "master": True,
                "name": "Master",
                "recordTypeId": "012000000000000AAA",
                "urls": {"layout": f"{call.root}/sobjects/{kind.name}/describe/layouts/012000000000000AAA"},
            }
        ],
        "searchLayoutable": True,
        "supportedScopes": [{"label": _SCOPE_LABELS[scope].format(kind.plural.lower()), "name": scope} for scope in kind.scopes],
    }
    return Response.of(200, body, headers)


def list_objects(org: Org, call: Call) -> Response:
    """The global describe, of the objects there are here."""
    kinds = (org.access.view(call.user_id, name) for name in org.objects)
    sobjects = [summary(kind, call.root) for kind in kinds if kind is not None]
    return Response.of(200, {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": sobjects})


def describe_briefly(org: Org, call: Call, name: str) -> Response:
    """GET of the object itself."""
    return Response.of(200, {"objectDescribe": summary(kind_for(org, call, name), call.root), "recentItems": []})


def limits(org: Org) -> Response:
    """The limits a client would look at."""
    remaining = max(org.knobs.daily_limit - org.knobs.api_usage, 0)
    return Response.of(
        200,
        {
            "DailyApiRequests": {"Max": org.knobs.daily_limit, "Remaining": remaining},
            "DataStorageMB": {"Max": 1024, "Remaining": 1000},
        },
    )
