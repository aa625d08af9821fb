"""The query resources: paging, and the replication calls.

Why this file exists: pages are an affair of this resource alone – `soql.py` and `query.py` know none.
Source: REST API Developer Guide, "Query", "QueryAll", "Query Options Header", "Get Updated", "Get Deleted".
"""

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from local.sandbox.http import Response
from local.sandbox.salesforce import soql
from local.sandbox.salesforce.errors import Code, refuse
from local.sandbox.salesforce.org import Call, Locator, Org
from local.sandbox.salesforce.query import Reader
from local.sandbox.salesforce.rows import kind_for
from local.sandbox.salesforce.store import Values
from local.sandbox.salesforce.times import from_stamp, parse_datetime, to_stamp


def run(org: Org, call: Call, *, include_deleted: bool) -> Response:
    """`?q=`; the first page."""
    text = call.request.query.get("q")
    if text is None:
        raise refuse(400, Code.MALFORMED_QUERY, "A query string has to be specified")
    found = Reader(org.store, org.access, call.user_id, org.clock.now(), call.root).run(soql.parse(text), include_deleted=include_deleted)
    page = _page_size(org, call)
    if len(found.records) <= page:
        return Response.of(200, {"totalSize": found.count, "done": True, "records": list(found.records)})
    for stale in [each for each, locator in org.locators.items() if org.clock.now() >= locator.expires]:
        del org.locators[stale]
    locator_id = org.mint.mint("01g")
    expires = org.clock.now() + timedelta(seconds=org.knobs.locator_ttl)
    org.locators[locator_id] = Locator(user_id=call.user_id, records=found.records, page=page, expires=expires)
    return _page(call, locator_id, org.locators[locator_id], 0)


def more(org: Org, call: Call, text: str) -> Response:
    """`nextRecordsUrl`; queryAll goes on here, too."""
    match = re.fullmatch(r"([A-Za-z0-9]{15,18})-(\d+)", text)
    locator = org.locators.get(match.group(1)) if match else None
    if match is None or locator is None or locator.user_id != call.user_id or org.clock.now() >= locator.expires:
        raise refuse(400, Code.INVALID_QUERY_LOCATOR, "invalid query locator")
    return _page(call, match.group(1), locator, int(match.group(2)))


def _page_size(org: Org, call: Call) -> int:
    options = call.request.headers.get("sforce-query-options", "")
    match = re.search(r"batchSize\s*=\s*(\d+)", options, re.IGNORECASE)
    asked = min(max(int(match.group(1)), 200), 2000) if match else 2000
    return min(asked, org.knobs.page_rows)


def _page(call: Call, locator_id: str, locator: Locator, start: int) -> Response:
    end = start + locator.page
    body: dict[str, Any] = {"totalSize": len(locator.records), "done": end >= len(locator.records)}
    if not body["done"]:
        body["nextRecordsUrl"] = f"{call.root}/query/{locator_id}-{end}"
    return Response.of(200, body | {"records": list(locator.records[start:end])})


def _window(org: Org, call: Call, days: int) -> tuple[str, str]:
    query = call.request.query
    start, end = (parse_datetime(query.get(name, "")) for name in ("start", "end"))
    if start is None or end is None:
        raise refuse(400, Code.MALFORMED_QUERY, "start and end must be ISO 8601 datetimes with a zone")
    if from_stamp(end) - from_stamp(start) < timedelta(minutes=1):
        raise refuse(400, Code.INVALID_REPLICATION_DATE, "endDate must be at least one minute greater than startDate")
    if from_stamp(start) < org.clock.now() - timedelta(days=days):
        raise refuse(400, Code.INVALID_REPLICATION_DATE, f"startDate cannot be more than {days} days ago")
    return start[:17], end[:17]


def _changed(org: Org, call: Call, name: str, days: int, *, deleted: bool) -> tuple[Iterable[Values], str]:
    """Rows in the window, and its end. Seconds are ignored, as documented."""
    kind = kind_for(org, call, name)
    start, end = _window(org, call, days)
    rows = [
        row
        for row in org.store.rows(kind.name).values()
        if bool(row.get("IsDeleted")) is deleted
        and start <= row["SystemModstamp"][:17] <= end
        and org.access.can_read(call.user_id, kind.name, row)
    ]
    return rows, min(f"{end}00.000+0000", to_stamp(org.clock.now()))


def updated(org: Org, call: Call, name: str) -> Response:
    rows, covered = _changed(org, call, name, 30, deleted=False)
    return Response.of(200, {"ids": [row["Id"] for row in rows], "latestDateCovered": covered})


def deleted(org: Org, call: Call, name: str) -> Response:
    rows, covered = _changed(org, call, name, 15, deleted=True)
    records = [{"id": row["Id"], "deletedDate": row["SystemModstamp"]} for row in rows]
    earliest = to_stamp(org.clock.now() - timedelta(days=15))
    return Response.of(200, {"deletedRecords": records, "earliestDateAvailable": earliest, "latestDateCovered": covered})
