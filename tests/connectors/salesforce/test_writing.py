"""Creating, changing, deleting: an outcome for each record, and nothing sent again that may have taken effect."""

from collections.abc import Callable
from typing import Any

import pytest

from local.sandbox.faults import ConnectionCut
from local.sandbox.http import Request, Response
from shared.errors import Code, Temporary, Unknown
from sync.connectors.salesforce.org import SalesforceOrg
from sync.connectors.salesforce.write import http_date
from sync.ports import Done, Failed, Missing, NewSalesforce, Outcome, SalesforceChange, Search, Stale, Unsure
from tests.connectors.salesforce.conftest import ALICE, BOB, World
from tests.connectors.salesforce.kinds import PERSON

HTML = Response(status=503, headers={"content-type": "text/html"}, body=b"<html><h1>We are down for maintenance.</h1></html>")


def cut_before(request: Request) -> Response:
    raise ConnectionCut(request.path)


def answer(status: int, value: Any) -> Callable[[Request], Response]:
    return lambda _request: Response.of(status, value)


def new(last_name: str | None, key: str = "", **fields: Any) -> NewSalesforce:
    return NewSalesforce(key=key, body={**({"LastName": last_name} if last_name else {}), **fields})


def error_codes(outcomes: Any) -> list[Code]:
    return [outcome.error.code for outcome in outcomes if isinstance(outcome, Failed | Unsure)]


async def stamped(org: SalesforceOrg, record: str, **body: Any) -> SalesforceChange:
    seen = await org.get(PERSON, [record], Search(name="all", condition=""))
    return SalesforceChange(id=record, unmodified_since=getattr(seen[record], "version", ""), body=body)


# --------------------------------------------------------------------------- creating


async def test_two_hundred_records_are_one_call_and_each_has_its_outcome(world: World) -> None:
    org = await world.org()
    await org.schema(PERSON)
    world.sent()
    outcomes = await org.create(PERSON, [new(f"Roe {n}", key=f"k{n}") if n != 7 else new(None) for n in range(200)])
    assert world.sent() == ["POST composite/sobjects"]
    assert error_codes(outcomes) == [Code.REQUIRED_FIELD_MISSING]
    assert isinstance(outcomes[7], Failed)
    assert outcomes[7].error.field == "LastName"
    first = outcomes[0]
    assert isinstance(first, Done)
    record = world.sandbox.record(first.id)
    assert record is not None
    assert (record["LastName"], record["Tandem_Key__c"], record["CreatedById"]) == ("Roe 0", "k0", world.ids[ALICE])


async def test_a_key_that_exists_names_the_record_to_adopt(world: World) -> None:
    existing = world.contact("Roe", Tandem_Key__c="k1")
    outcomes = await (await world.org()).create(PERSON, [new("Roe", key="k1"), new("Doe", key="k2")])
    assert outcomes[0] == Done(id=existing, existed=True)
    assert isinstance(outcomes[1], Done)
    assert not outcomes[1].existed


async def test_an_existing_key_whose_record_is_not_named_is_looked_up(world: World) -> None:
    existing = world.contact("Roe", Tandem_Key__c="k1")
    org = await world.org()
    await org.schema(PERSON)
    message = "duplicate value found: <unknown> duplicates value on record with id: <unknown>"
    world.sent()
    world.script = [answer(200, [{"success": False, "errors": [{"statusCode": "DUPLICATE_VALUE", "message": message, "fields": []}]}])]
    (outcome,) = await org.create(PERSON, [new("Roe", key="k1")])
    assert isinstance(outcome, Done)
    assert (outcome.id, outcome.existed) == (existing, True)
    assert world.sent() == ["POST composite/sobjects", "POST composite"]


async def test_another_unique_field_is_no_reason_to_adopt(world: World) -> None:
    org = await world.org()
    message = "duplicate value found: Badge__c duplicates value on record with id: 003A0000000aaaa"
    await org.schema(PERSON)
    world.script = [answer(200, [{"success": False, "errors": [{"statusCode": "DUPLICATE_VALUE", "message": message, "fields": []}]}])]
    assert error_codes(await org.create(PERSON, [new("Roe", key="k1")])) == [Code.DUPLICATE_RULE]


@pytest.mark.parametrize(
    "fault",
    [
        cut_before,
        lambda _request: HTML,
        answer(500, [{"errorCode": "UNKNOWN_EXCEPTION", "message": "An unexpected error occurred"}]),
        answer(200, []),
        answer(200, [{"success": True, "errors": []}] * 2),
        answer(200, None),
        lambda _request: Response(status=200, headers={"content-type": "text/html"}, body=b"<html>login</html>"),
    ],
)
async def test_a_create_without_a_clear_answer_is_unsure_and_never_sent_again(
    world: World, fault: Callable[[Request], Response | None]
) -> None:
    org = await world.org()
    await org.schema(PERSON)
    world.sent()
    world.script = [fault]
    outcomes = await org.create(PERSON, [new("Roe"), new("Doe")])
    assert [type(outcome) for outcome in outcomes] == [Unsure, Unsure]
    assert all(isinstance(outcome, Unsure) and isinstance(outcome.error, Unknown) for outcome in outcomes)
    assert world.sent() == ["POST composite/sobjects"]


async def test_a_create_whose_answer_is_lost_took_effect_and_is_found_by_its_key_or_as_recent(world: World) -> None:
    org = await world.org()
    await org.schema(PERSON)

    def cut_after(request: Request) -> Response:
        world.sandbox.handle(request)
        raise ConnectionCut(request.path)

    began = world.clock.now()
    world.script = [cut_after]
    outcomes = await org.create(PERSON, [new("Roe", key="k1", FirstName="Jane")])
    assert [type(outcome) for outcome in outcomes] == [Unsure]
    by_key = await org.find_keys(PERSON, ["k1", "k2"])
    assert [item.fields["last_name"] for item in by_key.values()] == ["Roe"]
    assert list(by_key) == ["k1"]
    recent = await org.find_recent(PERSON, began)
    assert [item.id for item in recent] == [by_key["k1"].id]
    world.clock.advance(5)
    assert await org.find_recent(PERSON, world.clock.now()) == ()


async def test_a_create_that_was_surely_not_carried_out_is_sent_again(world: World) -> None:
    org = await world.org()
    await org.schema(PERSON)
    world.sandbox.knobs.concurrent_refusals = 1
    world.script = [lambda _request: Response(status=429, headers={"retry-after": "0.5"})]
    (outcome,) = await org.create(PERSON, [new("Roe")])
    assert isinstance(outcome, Done)
    assert len(world.sandbox.records("Contact")) == 1
    assert world.sleeps[0] == 0.5


async def test_a_locked_row_is_tried_once_more_in_the_same_call(world: World) -> None:
    world.sandbox.add_row_fault("UNABLE_TO_LOCK_ROW", match={"LastName": "Busy"}, times=1)
    world.sandbox.add_row_fault("UNABLE_TO_LOCK_ROW", match={"LastName": "Busier"}, times=2)
    org = await world.org()
    await org.schema(PERSON)
    world.sent()
    outcomes = await org.create(PERSON, [new("Roe"), new("Busy"), new("Busier")])
    assert [type(outcome) for outcome in outcomes] == [Done, Done, Failed]
    assert error_codes(outcomes) == [Code.ROW_BUSY]
    assert isinstance(outcomes[2], Failed)
    assert isinstance(outcomes[2].error, Temporary)
    assert world.sent() == ["POST composite/sobjects"] * 2
    assert len(world.sandbox.records("Contact")) == 2


async def test_one_record_that_spoils_its_request_does_not_hold_back_the_others(world: World) -> None:
    world.sandbox.knobs.unknown_field_fails_request = True
    outcomes = await (await world.org()).create(PERSON, [new(f"Roe {n}", **({"Shoe__c": "4"} if n == 66 else {})) for n in range(200)])
    assert [n for n, outcome in enumerate(outcomes) if not isinstance(outcome, Done)] == [66]
    assert error_codes(outcomes) == [Code.FIELD_NOT_WRITABLE]


async def test_rules_of_the_org_speak_for_themselves(world: World) -> None:
    world.sandbox.add_validation_rule("Contact", "Give a title, please.", field="Title", operator="is_empty")
    world.sandbox.add_duplicate_rule("Contact", ("Email",), block=True)
    world.contact("Roe", Email="roe@x.example", Title="Dr.")
    outcomes = await (await world.org()).create(PERSON, [new("Doe"), new("Roe", Title="Dr.", Email="roe@x.example")])
    assert error_codes(outcomes) == [Code.VALIDATION_RULE, Code.DUPLICATE_RULE]
    assert isinstance(outcomes[0], Failed)
    assert (outcomes[0].error.text, outcomes[0].error.field) == ("Give a title, please.", "Title")


async def test_an_alerting_duplicate_rule_does_not_stop_a_create(world: World) -> None:
    world.sandbox.add_duplicate_rule("Contact", ("Email",), block=False)
    world.contact("Roe", Email="roe@x.example")
    outcomes = await (await world.org()).create(PERSON, [new("Roe", Email="roe@x.example")])
    assert [type(outcome) for outcome in outcomes] == [Done]


async def test_assignment_rules_do_not_take_the_record_away(world: World) -> None:
    world.sandbox.set_assignment_rule("Contact", BOB)
    org = await world.org()
    (made,) = await org.create(PERSON, [new("Roe", AccountId=world.account)])
    assert isinstance(made, Done)
    await org.update(PERSON, [await stamped(org, made.id, Title="Dr.")])
    record = world.sandbox.record(made.id)
    assert record is not None
    assert (record["Title"], record["OwnerId"]) == ("Dr.", world.ids[ALICE])


# --------------------------------------------------------------------------- changing


async def test_changes_are_sent_twenty_five_to_a_call(world: World) -> None:
    made = [world.contact(f"Roe {n}") for n in range(60)]
    org = await world.org()
    changes = [await stamped(org, each, Title="Dr.") for each in made]
    world.sent()
    outcomes = await org.update(PERSON, changes)
    assert outcomes == [Done(id=each) for each in made]
    assert world.sent() == ["POST composite"] * 3


async def test_a_change_over_a_newer_version_is_stale_and_of_a_missing_record_missing(world: World) -> None:
    stale, gone, hidden, fresh = (world.contact(name) for name in ("Stale", "Gone", "Hidden", "Fresh"))
    org = await world.org()
    changes = [await stamped(org, each, Title="Ours") for each in (stale, gone, hidden, fresh)]
    world.clock.advance(5)
    world.sandbox.as_user(ALICE).update(stale, {"Title": "Theirs"})
    world.sandbox.as_user(ALICE).delete(gone)
    world.sandbox.system.update(hidden, {"OwnerId": world.ids[BOB]})
    outcomes = await org.update(PERSON, changes)
    assert outcomes == [Stale(), Missing(), Missing(), Done(id=fresh)]
    record = world.sandbox.record(stale)
    assert record is not None
    assert record["Title"] == "Theirs"


async def test_null_clears_a_field(world: World) -> None:
    record_id = world.contact(Title="Dr.")
    org = await world.org()
    await org.update(PERSON, [await stamped(org, record_id, Title=None)])
    record = world.sandbox.record(record_id)
    assert record is not None
    assert record["Title"] is None


async def test_a_value_that_looks_like_a_composite_reference_arrives_as_it_is(world: World) -> None:
    odd, plain = world.contact("Odd"), world.contact("Plain")
    org = await world.org()
    changes = [await stamped(org, odd, Title="see @{step0.id}"), await stamped(org, plain, Title="Dr.")]
    world.sent()
    assert await org.update(PERSON, changes) == [Done(id=odd), Done(id=plain)]
    assert world.sent() == ["POST composite", f"PATCH sobjects/Contact/{odd}"]
    record = world.sandbox.record(odd)
    assert record is not None
    assert record["Title"] == "see @{step0.id}"


async def test_a_cut_in_the_second_call_leaves_the_other_outcomes_known(world: World) -> None:
    made = [world.contact(f"Roe {n}") for n in range(60)]
    org = await world.org()
    changes = [await stamped(org, each, Title="Dr.") for each in made]
    world.sent()
    world.script = [lambda _request: None, cut_before]
    outcomes = await org.update(PERSON, changes)
    assert [type(outcome) for outcome in outcomes] == [Done] * 25 + [Unsure] * 25 + [Done] * 10
    assert world.sent() == ["POST composite"] * 3


async def test_the_daily_limit_met_on_the_way_keeps_the_outcomes_before_it(world: World) -> None:
    made = [world.contact(f"Roe {n}") for n in range(30)]
    org = await world.org()
    changes = [await stamped(org, each, Title="Dr.") for each in made]
    world.sandbox.knobs.daily_limit = world.sandbox.knobs.api_usage + 1
    outcomes = await org.update(PERSON, changes)
    assert [type(outcome) for outcome in outcomes] == [Done] * 25 + [Failed] * 5
    assert set(error_codes(outcomes)) == {Code.SALESFORCE_DAILY_LIMIT}
    with pytest.raises(Temporary) as met:
        await org.update(PERSON, changes)
    assert met.value.code is Code.SALESFORCE_DAILY_LIMIT


async def test_a_step_that_fails_in_the_service_is_unsure_and_a_locked_one_is_tried_again(world: World) -> None:
    made = [world.contact(name) for name in "ABC"]
    org = await world.org()
    changes = [await stamped(org, each, Title="Dr.") for each in made]
    locked = [{"errorCode": "UNABLE_TO_LOCK_ROW", "message": "unable to obtain exclusive access to this record"}]
    steps = [
        {"referenceId": "step1", "httpStatusCode": 500, "httpHeaders": {}, "body": locked},
        {"referenceId": "step0", "httpStatusCode": 503, "httpHeaders": {}, "body": None},
    ]
    world.script = [answer(200, {"compositeResponse": steps})]
    outcomes = await org.update(PERSON, changes)
    assert [type(outcome) for outcome in outcomes] == [Unsure, Done, Unsure]


@pytest.mark.parametrize(
    ("stamp", "date"),
    [
        ("2026-01-01T12:00:00.000+0000", "Thu, 01 Jan 2026 12:00:00 GMT"),
        ("2026-01-01T12:00:00.250Z", "Thu, 01 Jan 2026 12:00:01 GMT"),
        ("2026-01-01T14:00:00+02:00", "Thu, 01 Jan 2026 12:00:00 GMT"),
    ],
)
def test_a_precondition_is_never_earlier_than_the_stamp(stamp: str, date: str) -> None:
    assert http_date(stamp) == date


# --------------------------------------------------------------------------- deleting


async def test_deleting_tells_what_was_gone_already(world: World) -> None:
    kept, gone, other = world.contact("Kept"), world.contact("Gone"), world.contact("Other")
    world.sandbox.as_user(ALICE).delete(gone)
    org = await world.org()
    world.sent()
    outcomes: Any = await org.delete(PERSON, [kept, gone, other])
    assert outcomes == [Done(id=kept), Missing(), Done(id=other)]
    assert world.sent() == ["DELETE composite/sobjects"]


async def test_a_delete_that_stays_unanswered_is_unsure(world: World) -> None:
    record = world.contact()
    org = await world.org()
    world.script = [cut_before] * 4
    outcomes: list[Outcome] = list(await org.delete(PERSON, [record]))
    assert [type(outcome) for outcome in outcomes] == [Unsure]
