"""The vendor's words become ours; the way of a request through a service that is not well."""

from dataclasses import replace
from typing import Any

import pytest

from local.sandbox.faults import ConnectionCut
from local.sandbox.http import Request, Response
from shared.errors import CATALOGUE, Code, Permanent, Temporary
from sync.connectors.salesforce.client import Client
from sync.connectors.salesforce.errors import TABLE, error_of, refusals
from sync.connectors.salesforce.ids import to_18
from sync.ports import Search
from tests.connectors.salesforce.conftest import ALICE, World
from tests.connectors.salesforce.kinds import PERSON

EVERYTHING = Search(name="all", condition="")
DUPLICATE = {
    "allowSave": False,
    "matchResults": [{"matchRecords": [{"record": {"Id": "0038M0000016Wv8QAE"}}], "rule": "Standard_Contact_Match_Rule_v1_1"}],
}


def test_every_code_of_the_table_is_in_the_catalogue() -> None:
    assert all(code in CATALOGUE for code, _ in TABLE.values())


def row(code: str, message: str = "m", *fields: str) -> list[dict[str, Any]]:
    return [{"errorCode": code, "message": message, "fields": list(fields)}]


IN_A_COLLECTION = {"success": False, "errors": [{"statusCode": "INVALID_EMAIL_ADDRESS", "fields": ["Email"]}]}


@pytest.mark.parametrize(
    ("body", "status", "kind", "code", "field"),
    [
        (row("REQUIRED_FIELD_MISSING", "m", "LastName"), 400, Permanent, Code.REQUIRED_FIELD_MISSING, "LastName"),
        ([{"errorCode": "STRING_TOO_LONG", "message": "m"}], 400, Permanent, Code.VALUE_TOO_LONG, None),
        (IN_A_COLLECTION, 200, Permanent, Code.INVALID_VALUE, "Email"),
        ([{"errorCode": "UNABLE_TO_LOCK_ROW", "message": "m", "fields": None}], 500, Temporary, Code.ROW_BUSY, None),
        (row("APEX_ERROR", "System.DmlException: UNABLE_TO_LOCK_ROW, unable"), 400, Temporary, Code.ROW_BUSY, None),
        (row("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"), 400, Permanent, Code.CUSTOMER_CODE, None),
        (row("ENTITY_IS_LOCKED"), 400, Temporary, Code.RECORD_LOCKED, None),
        (row("STORAGE_LIMIT_EXCEEDED"), 400, Permanent, Code.SALESFORCE_STORAGE_FULL, None),
        (row("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), 403, Temporary, Code.SALESFORCE_DAILY_LIMIT, None),
        (row("REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded."), 403, Temporary, Code.THROTTLED, None),
        (row("SOMETHING_NEW"), 400, Permanent, Code.REFUSED, None),
        (row("SOMETHING_NEW"), 500, Temporary, Code.UNAVAILABLE, None),
        ("<html>We are setting things up</html>", 420, Temporary, Code.THROTTLED, None),
        (b"<html>", 503, Temporary, Code.UNAVAILABLE, None),
        ("<html>Restricted</html>", 403, Permanent, Code.API_DISABLED, None),
        ("", 406, Temporary, Code.UNAVAILABLE, None),
        ({"unexpected": True}, 400, Permanent, Code.REFUSED, None),
        ([{"errorCode": 7}, None, "x"], 400, Permanent, Code.REFUSED, None),
    ],
)
def test_what_salesforce_says_becomes_ours(body: Any, status: int, kind: type, code: Code, field: str | None) -> None:
    error = error_of(refusals(body), status)
    assert (type(error), error.code, error.field) == (kind, code, field)


def test_a_validation_rule_speaks_in_its_own_words() -> None:
    error = error_of(refusals([{"errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "Bitte Anrede wählen.", "fields": []}]))
    assert error.text == "Bitte Anrede wählen."


@pytest.mark.parametrize("spelling", ["duplicateResut", "duplicateResult"])
def test_the_records_of_a_duplicate_rule_are_named_in_either_spelling(spelling: str) -> None:
    error = error_of(refusals([{spelling: DUPLICATE, "errorCode": "DUPLICATES_DETECTED", "message": "Use one of these records?"}]))
    assert error.code is Code.DUPLICATE_RULE
    assert error.text == "DUPLICATES_DETECTED: Use one of these records? (0038M0000016Wv8QAE)"


def test_a_short_id_gets_the_suffix_the_service_would_give_it() -> None:
    assert to_18("0038M0000016Wv8") == "0038M0000016Wv8QAE"
    assert to_18("0038M0000016Wv8QAE") == "0038M0000016Wv8QAE"


# --------------------------------------------------------------------------- the way of a request


async def test_a_read_outlives_an_outage_a_cut_and_throttling(world: World) -> None:
    world.contact()
    org = await world.org()

    def cut(request: Request) -> Response:
        raise ConnectionCut(request.path)

    outage = Response(status=503, headers={"content-type": "text/html"}, body=b"<html>down</html>")
    world.script = [cut, lambda _request: outage, lambda _request: Response(status=429, headers={"retry-after": "3.5"})]
    assert await org.count(PERSON, EVERYTHING) == 1
    assert world.sleeps == [1.0, 2.0, 3.5]


async def test_a_read_gives_up_in_the_end_and_says_that_it_is_temporary(world: World) -> None:
    org = await world.org()
    world.sandbox.knobs.html_outages = 100
    world.sent()
    with pytest.raises(Temporary) as met:
        await org.count(PERSON, EVERYTHING)
    assert (type(met.value), met.value.code) == (Temporary, Code.UNAVAILABLE)
    assert len(world.sent()) == 4


async def test_a_wait_longer_than_the_budget_is_left_to_the_next_round(world: World) -> None:
    org = await world.org()
    world.script = [lambda _request: Response(status=503, headers={"retry-after": "600"})]
    with pytest.raises(Temporary) as met:
        await org.count(PERSON, EVERYTHING)
    assert met.value.retry_after == 600
    assert world.sleeps == []


async def test_a_query_that_fails_inside_its_composite_is_asked_again(world: World) -> None:
    world.contact()
    org = await world.org()
    await org.schema(PERSON)
    failed = {"referenceId": "step0", "httpStatusCode": 400, "body": [{"errorCode": "QUERY_TIMEOUT", "message": "too long"}]}
    world.script = [lambda _request: Response.of(200, {"compositeResponse": [failed]})]
    assert len(await org.get(PERSON, [world.contact()], EVERYTHING)) == 1
    assert len(world.sleeps) == 1


async def test_the_daily_limit_stops_at_once_and_the_concurrent_one_only_waits(world: World) -> None:
    org = await world.org()
    world.sandbox.knobs.concurrent_refusals = 2
    assert await org.count(PERSON, EVERYTHING) == 0
    assert len(world.sleeps) == 2
    world.sandbox.knobs.daily_limit = 0
    world.sent()
    with pytest.raises(Temporary) as met:
        await org.count(PERSON, EVERYTHING)
    assert met.value.code is Code.SALESFORCE_DAILY_LIMIT
    assert len(world.sent()) == 1


async def test_requests_carry_what_the_service_is_to_know(world: World) -> None:
    usage: list[str] = []
    await Client(ALICE, world.tokens, replace(world.around, on_call=usage.append)).call("GET", "limits", repeatable=True)
    asked = world.wire.requests[-1]
    assert asked.headers["sforce-call-options"] == "client=Tandem/1.0"
    assert "x-prettyprint" not in asked.headers
    assert usage == ["api-usage=1/100000"]


async def test_without_a_date_header_our_own_clock_counts(world: World) -> None:
    client = world.client()
    step = {"referenceId": "step0", "httpStatusCode": 200, "body": {"done": True, "records": []}}
    world.script = [lambda _request: Response.of(200, {"compositeResponse": [step]})]
    (page,) = await client.queries(["SELECT Id FROM Contact"])
    assert page.date == world.clock.now()
