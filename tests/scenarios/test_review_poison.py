"""One bad thing must not stop the rest: a contact or a photo that cannot be read, storage that stays unsure, counters after a crash."""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from local.sandbox.faults import Effect, Rule
from local.sandbox.http import Request, Response
from shared.errors import Code, Unknown
from sync.messages import Message, Why, write
from sync.stores.memory import Call
from tests.scenarios.stage import (
    CATEGORY,
    DEFAULT_FOLDER,
    FOLDER,
    Somebody,
    Tenant,
    in_outlook,
    in_salesforce,
    linked,
    links,
    names_in,
    set_profile,
    state_of,
    state_rows,
    the_item,
    the_record,
)


def answer_to(method: str, url_part: str, status: int, code: str) -> Callable[[Request, Response], Response]:
    """Within a `$batch`, this answer instead of the service's for each matching sub-request."""

    def after(request: Request, response: Response) -> Response:
        if not request.url.endswith("/$batch"):
            return response
        asked = {one["id"]: one for one in json.loads(request.body)["requests"]}
        told = json.loads(response.body)
        for one in told["responses"]:
            part = asked[one["id"]]
            if part["method"] == method and url_part in part["url"]:
                one["status"], one["body"] = status, {"error": {"code": code, "message": "?"}}
        return replace(response, body=json.dumps(told).encode())

    return after


@pytest.mark.parametrize(("status", "code"), [(500, "ErrorInternalServerError"), (400, "ErrorItemCorrupt")])
async def test_one_contact_that_graph_can_not_show_does_not_stop_the_others(tenant: Tenant, ada: Somebody, status: int, code: str) -> None:
    one, item = await linked(tenant, ada, "Corrupt")
    two, _ = await linked(tenant, ada, "Sound")
    tenant.graph_transport.after = answer_to("GET", item.rstrip("="), status, code)
    ada.crm.update(one, {"Phone": "1"})
    ada.crm.update(two, {"Phone": "2"})
    in_outlook(ada, "New")
    for _ in range(3):
        await tenant.later(minutes=5)
    assert the_item(ada, "Sound")["businessPhones"] == ["2"]
    assert the_record(tenant, "New")
    assert await state_of(tenant, ada) == "connected"


async def test_one_photo_that_can_not_be_read_does_not_stop_the_others(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    item = in_outlook(ada, "Moved", DEFAULT_FOLDER, categories=[CATEGORY])
    ada.outlook.set_photo(item, "AAAA")
    tenant.sandbox.faults.plant(Rule(effect=Effect.ANSWER, service="graph", method="GET", path="/photo/", status=500))
    for _ in range(3):
        await tenant.later(minutes=5)
    two = in_salesforce(ada, "Sound")
    for _ in range(3):
        await tenant.later(minutes=5)
    assert two in links(tenant, ada)
    assert await state_of(tenant, ada) == "connected"


async def test_storage_whose_answers_are_lost_again_and_again_ends_the_run(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    (message,) = await tenant.app.plan()
    calls = 0

    async def before(call: Call) -> None:
        nonlocal calls
        if call.name == "transact" and call.table == "SyncState":
            calls += 1
            assert calls < 200, "it tries for ever, without a pause"
            raise Unknown(Code.UNAVAILABLE, "cut")

    tenant.tables.before = before
    await tenant.app.sync(message)


async def test_the_number_of_links_is_right_again_after_a_death_within_a_commit(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    for number in range(80):
        in_salesforce(ada, f"Meyer{number}")
    tenant.clock.advance(300)
    (message,) = await tenant.app.plan()

    class Died(BaseException):
        pass

    async def before(call: Call) -> None:
        if call.table == "SyncState" and any(one.key.startswith("pointer|") for one in call.operations):
            seen.append(call)
            if len(seen) == 2:
                raise Died

    seen: list[Call] = []
    tenant.tables.before = before
    with pytest.raises(Died):
        await tenant.app.sync(message)
    tenant.tables.before = None
    tenant.start()
    await tenant.later(minutes=15)
    await tenant.later(minutes=15)
    await tenant.later(hours=25)
    assert len(links(tenant, ada)) == 80
    (lease,) = state_rows(tenant, ada, "a-lease")
    assert lease["Links_contact"] == 80


async def test_the_log_has_no_line_for_each_request(tenant: Tenant, ada: Somebody, caplog: pytest.LogCaptureFixture) -> None:
    """httpx tells every request at INFO, with its address – and a person who was typed into SyncUsers is looked up by principal name."""
    caplog.set_level(logging.INFO)
    await linked(tenant, ada)
    assert [record.getMessage() for record in caplog.records if record.name.startswith("httpx")] == []


async def test_a_comparison_that_was_asked_for_during_a_run_is_made(tenant: Tenant, ada: Somebody) -> None:
    one, _ = await linked(tenant, ada)
    ada.crm.update(one, {"Phone": "1"})
    tenant.clock.advance(300)
    (message,) = await tenant.app.plan()
    inner: list[list[str]] = []

    async def before(call: Call) -> None:
        if call.table == "SyncJournal" and not inner:
            inner.append([])
            inner[0] = await tenant.app.sync(write(Message(user=ada.id, why=Why.COMPARE)))

    tenant.tables.before = before
    queue = await tenant.app.sync(message)
    tenant.tables.before = None
    assert inner == [[]], "the lease was held"
    compared = [row["State"] for row in state_rows(tenant, ada, "b-cursor|contact|sweep")]
    while queue:
        queue += await tenant.app.sync(queue.pop(0))
    assert [row["State"] for row in state_rows(tenant, ada, "b-cursor|contact|sweep")] != compared, "nothing was compared"


async def test_what_is_not_carried_to_outlook_is_not_counted_against_the_cap(tenant: Tenant, ada: Somebody) -> None:
    await tenant.app.plan()
    await set_profile(tenant, ContactsDirection="outlook to salesforce", MaxContacts=3)
    for number in range(5):
        in_salesforce(ada, f"Meyer{number}")
    ada.outlook.create_folder(FOLDER)
    in_outlook(ada, "New")
    tenant.start()
    await tenant.round()
    assert the_record(tenant, "New")
    assert names_in(ada) == ["New"]


async def test_a_sweep_reads_no_records_that_are_not_carried_to_outlook(tenant: Tenant, ada: Somebody) -> None:
    await tenant.app.plan()
    await set_profile(tenant, ContactsDirection="outlook to salesforce")
    for number in range(2500):
        in_salesforce(ada, f"Meyer{number}")
    await tenant.round()
    before = tenant.requests()["salesforce"]
    await tenant.later(minutes=61)
    assert tenant.requests()["salesforce"] - before <= 6, "two pages of changes (the overlap), two of ids, a describe, the users' match"


async def test_a_new_process_does_not_read_all_tables_before_each_round(tenant: Tenant, ada: Somebody) -> None:
    """Apps that scale to zero start a new process for nearly every round."""
    await tenant.round()
    scans: list[str] = []

    async def before(call: Call) -> None:
        if call.name == "scan" and not call.partition:
            scans.append(call.table)

    tenant.tables.before = before
    for _ in range(3):
        tenant.start()
        tenant.clock.advance(timedelta(minutes=5).total_seconds())
        await tenant.app.plan()
    assert len(scans) <= 4, scans
