"""The engine itself (E1, E2, E3): its switch, its messages, long runs in pieces, wake-ups that come twice, leases that run out."""

import asyncio
import json
import logging
from datetime import timedelta

import pytest

from local.sandbox.http import Request
from sync.messages import Message, Why, write
from sync.runner import Times
from sync.stores.memory import Call
from sync.wiring import App
from tests.scenarios.stage import (
    FOLDER,
    agrees,
    in_outlook,
    in_salesforce,
    linked,
    links,
    names_in,
    our_writes,
    record,
    set_profile,
    state_of,
    state_rows,
    stays_quiet,
    table_of,
    the_item,
)
from tests.tenant import Somebody, Tenant


async def results(tenant: Tenant) -> list[str]:
    """Of all runs, the oldest first."""
    return [str(row.values["Result"]) for row in reversed(await tenant.rows("SyncRuns"))]


def message_for(tenant: Tenant, who: Somebody, why: Why = Why.NOW) -> str:
    return write(Message(user=who.id, why=why, asked=tenant.clock.now()))


# --------------------------------------------------------------------------- the switch


async def test_switched_off_no_round_starts_and_queued_work_is_refused(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    ada.crm.update(one, {"Phone": "1"})
    tenant.clock.advance(300)
    (queued,) = await tenant.app.plan()
    tenant.environ["SYNC_ENABLED"] = "false"
    tenant.start()
    asked = tenant.requests()
    before = {table: await tenant.rows(table) for table in ("SyncState", "SyncRuns", "SyncErrors", "SyncUsers")}
    assert await tenant.app.plan() == []
    assert await tenant.app.sync(queued) == []
    assert await tenant.app.sync(message_for(tenant, ada)) == []
    await tenant.app.poison("not json")
    assert tenant.requests() == asked, "nobody is asked anything"
    assert {table: await tenant.rows(table) for table in before} == before
    assert ada.outlook.contact(item)["businessPhones"] == []
    tenant.environ["SYNC_ENABLED"] = "true"
    tenant.start()
    await tenant.later(minutes=5)
    assert ada.outlook.contact(item)["businessPhones"] == ["1"]
    await agrees(tenant, ada)


async def test_switched_off_in_the_middle_of_a_long_sync_stops_the_continuations() -> None:
    tenant = Tenant(times=Times(budget=timedelta(minutes=1)))
    ada = tenant.person("ada")
    tenant.salesforce.set_knobs(page_rows=10)
    for number in range(40):
        in_salesforce(ada, f"Nr{number:02d}")
    tenant.graph_transport.before = lambda _asked: tenant.clock.advance(30)
    (queued,) = await tenant.app.plan()
    (continuation,) = await tenant.app.sync(queued)
    tenant.environ["SYNC_ENABLED"] = "false"
    tenant.start()
    before = our_writes(tenant)
    assert await tenant.app.sync(continuation) == []
    assert our_writes(tenant) == before
    tenant.environ["SYNC_ENABLED"] = "true"
    tenant.start()
    tenant.graph_transport.before = None
    await tenant.later(minutes=5)
    assert len(ada.items()) == 40
    await agrees(tenant, ada)


# --------------------------------------------------------------------------- messages


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "{}",
        "[]",
        "null",
        '{"user": ""}',
        '{"user": 7}',
        '{"user": "x", "why": "because"}',
        '{"user": "x", "asked": "soon"}',
        "\ufffd" * 50,
    ],
)
async def test_a_malformed_message_leaves_a_row_and_disturbs_nothing(tenant: Tenant, ada: Somebody, text: str) -> None:
    in_salesforce(ada, "Meyer")
    await tenant.app.make_tables()
    assert await tenant.app.sync(text) == []
    (row,) = await table_of(tenant, "SyncErrors", "messages")
    assert row["Code"] == "MalformedMessage"
    assert str(len(text)) in row["Text"]
    await tenant.round()
    assert names_in(ada) == ["Meyer"]


async def test_a_message_for_a_stranger_leaves_a_row(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    assert await tenant.app.sync(write(Message(user="00000000-0000-0000-0000-000000000000", why=Why.NOW))) == []
    (row,) = await table_of(tenant, "SyncErrors", "messages")
    assert row["Code"] == "UnknownUser"
    assert await state_of(tenant, ada) == "connected"


async def test_a_message_that_was_poisoned_is_told_until_a_run_ends_well(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    await tenant.app.poison(message_for(tenant, ada))
    (row,) = await table_of(tenant, "SyncErrors", ada.id)
    assert row["Code"] == "RunFailed"
    await tenant.later(minutes=5)
    assert await table_of(tenant, "SyncErrors", ada.id) == []
    assert await state_of(tenant, ada) == "connected"


async def test_a_message_typed_by_hand_syncs_at_once(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    ada.crm.update(one, {"Phone": "1"})
    tenant.clock.advance(10)
    assert await tenant.app.sync(json.dumps({"user": ada.id})) == []
    assert ada.outlook.contact(item)["businessPhones"] == ["1"]
    assert (await tenant.last_run())["Why"] == "now"


async def test_the_same_message_twice_runs_once(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    tenant.clock.advance(300)
    (queued,) = await tenant.app.plan()
    tenant.clock.advance(1)
    await tenant.app.sync(queued)
    runs = len(await tenant.rows("SyncRuns"))
    asked = tenant.requests()
    await tenant.app.sync(queued)
    assert tenant.requests() == asked
    assert len(await tenant.rows("SyncRuns")) == runs


async def test_many_users_have_a_message_each(tenant: Tenant, ada: Somebody) -> None:
    people = [ada, *(tenant.person(f"p{number}") for number in range(12))]
    for who in people:
        in_salesforce(who, "Meyer")
    queued = await tenant.app.plan()
    assert sorted(json.loads(text)["user"] for text in queued) == sorted(who.id for who in people)
    await asyncio.gather(*(tenant.app.sync(text) for text in queued))
    assert [names_in(who) for who in people] == [["Meyer"]] * 13
    await agrees(tenant, *people)


# --------------------------------------------------------------------------- long runs


@pytest.mark.parametrize("way", ["to Outlook", "to Salesforce", "both"])
async def test_a_long_first_sync_goes_on_in_pieces_by_itself(way: str) -> None:
    tenant = Tenant(times=Times(budget=timedelta(seconds=40)))
    ada = tenant.person("ada")
    tenant.salesforce.set_knobs(page_rows=15)
    tenant.graph.set_knobs(delta_page_size=15)
    ada.outlook.create_folder(FOLDER)
    expected = []
    for number in range(60):
        if way != "to Salesforce":
            expected.append(f"S{number:02d}")
            in_salesforce(ada, expected[-1])
        if way != "to Outlook":
            expected.append(f"O{number:02d}")
            in_outlook(ada, expected[-1])
    tenant.graph_transport.before = lambda _asked: tenant.clock.advance(9)
    tenant.salesforce_adapter.before = lambda _asked: tenant.clock.advance(9)
    await tenant.round()
    tenant.graph_transport.before = tenant.salesforce_adapter.before = None
    assert (await results(tenant)).count("continues") >= 2
    assert (await results(tenant))[-1] == "done"
    assert names_in(ada) == sorted(expected)
    assert sorted(row["LastName"] for row in tenant.contacts()) == sorted(expected)
    await agrees(tenant, ada)


async def test_every_piece_of_a_long_sync_makes_progress_that_can_be_seen() -> None:
    tenant = Tenant(times=Times(budget=timedelta(seconds=30)))
    ada = tenant.person("ada")
    tenant.salesforce.set_knobs(page_rows=10)
    for number in range(60):
        in_salesforce(ada, f"S{number:02d}")
    tenant.graph_transport.before = lambda _asked: tenant.clock.advance(10)
    await tenant.round()
    rows = [row.values for row in reversed(await tenant.rows("SyncRuns"))]
    created = [int(str(row.get("ContactsToOutlookNew", 0))) for row in rows]
    assert sum(created) == 60
    assert len([one for one in created if one]) > 2
    assert all(row["Why"] == "continuation" for row in rows[1:])


async def test_a_budget_smaller_than_one_request_still_ends() -> None:
    tenant = Tenant(times=Times(budget=timedelta(seconds=1)))
    ada = tenant.person("ada")
    tenant.salesforce.set_knobs(page_rows=10)
    for number in range(30):
        in_salesforce(ada, f"S{number:02d}")
    tenant.graph_transport.before = lambda _asked: tenant.clock.advance(5)
    await tenant.round()
    tenant.graph_transport.before = None
    await tenant.later(minutes=5)
    assert len(ada.items()) == 30
    await agrees(tenant, ada)


async def test_edits_made_during_a_long_first_sync_are_not_lost() -> None:
    tenant = Tenant(times=Times(budget=timedelta(seconds=60)))
    ada = tenant.person("ada")
    tenant.salesforce.set_knobs(page_rows=10)
    made = [in_salesforce(ada, f"S{number:02d}") for number in range(40)]
    asked: list[int] = []

    def people_at_work(_asked: Request) -> None:
        tenant.clock.advance(10)
        asked.append(1)
        if len(asked) % 3 == 0 and len(asked) // 3 <= len(made):
            ada.crm.update(made[len(asked) // 3 - 1], {"Phone": str(len(asked))})
        if len(asked) == 8:
            ada.outlook.edit_contact(ada.items()[0]["id"], {"jobTitle": "Boss"})
        if len(asked) == 9:
            in_outlook(ada, "Fresh")

    tenant.graph_transport.before = people_at_work
    await tenant.round()
    tenant.graph_transport.before = None
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert len(ada.items()) == 41
    assert sum(1 for item in ada.items() if item["jobTitle"] == "Boss") == 1
    await agrees(tenant, ada)


async def test_a_sweep_in_pieces_finds_what_vanished_and_nothing_else() -> None:
    tenant = Tenant(times=Times(budget=timedelta(seconds=25)))
    ada = tenant.person("ada")
    tenant.salesforce.set_knobs(page_rows=10)
    made = [in_salesforce(ada, f"S{number:02d}") for number in range(60)]
    await tenant.round()
    await tenant.later(minutes=15)
    tenant.salesforce.purge(made[55])
    tenant.salesforce_adapter.before = lambda _asked: tenant.clock.advance(10)
    await tenant.later(minutes=65)
    tenant.salesforce_adapter.before = None
    assert (await results(tenant)).count("continues") >= 1
    assert len(ada.items()) == 59
    await agrees(tenant, ada)


async def test_a_comparison_in_pieces_repairs_both_sides() -> None:
    tenant = Tenant(times=Times(budget=timedelta(seconds=25)))
    ada = tenant.person("ada")
    await set_profile(tenant, ContactsDeleteInSalesforce=True)
    tenant.salesforce.set_knobs(page_rows=10)
    tenant.graph.set_knobs(delta_page_size=10)
    made = [in_salesforce(ada, f"S{number:02d}") for number in range(60)]
    await tenant.round()
    await tenant.later(minutes=15)
    tenant.graph.set_knobs(p_lost_removal=1.0)
    ada.outlook.delete_contact(links(tenant, ada)[made[40]])
    await tenant.later(minutes=5)
    tenant.graph.set_knobs(p_lost_removal=0.0)
    tenant.salesforce.purge(made[55])
    before = len(await results(tenant))
    tenant.graph_transport.before = lambda _asked: tenant.clock.advance(10)
    tenant.clock.advance(300)
    await tenant.round(why=Why.COMPARE)
    tenant.graph_transport.before = None
    assert (await results(tenant))[before:].count("continues") >= 2
    assert len(ada.items()) == len(tenant.contacts()) == 58
    await agrees(tenant, ada)


async def test_settings_that_change_in_the_middle_of_a_first_sync_make_no_duplicates() -> None:
    tenant = Tenant(times=Times(budget=timedelta(seconds=25)))
    ada = tenant.person("ada")
    tenant.salesforce.set_knobs(page_rows=10)
    tenant.graph.set_knobs(delta_page_size=10)
    ada.outlook.create_folder(FOLDER)
    for number in range(40):
        in_salesforce(ada, f"S{number:02d}")
        in_outlook(ada, f"O{number:02d}")
    tenant.graph_transport.before = lambda _asked: tenant.clock.advance(9)
    (message,) = await tenant.app.plan()
    for column, value in (("SweepMinutes", 30), ("CategoryName", "Kunde"), ("ContactsSearch", "All contacts"), ("GuardCount", 40)):
        queue = await tenant.app.sync(message)
        assert queue, "it goes on"
        await set_profile(tenant, **{column: value})
        (message,) = await tenant.app.plan()
    tenant.graph_transport.before = None
    for _ in range(3):
        await tenant.later(minutes=5)
    assert len(ada.items()) == len(tenant.contacts()) == 80
    await stays_quiet(tenant)


# --------------------------------------------------------------------------- one writer


async def test_a_wake_up_during_a_run_is_remembered_and_queued_again(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    tenant.clock.advance(300)
    (first,) = await tenant.app.plan()
    ada.crm.update(one, {"Phone": "1"})
    answers: list[list[str]] = []

    async def second_wake_up(call: Call) -> None:
        if call.name == "transact" and call.table == "SyncState" and not answers:
            answers.append([])
            tenant.clock.advance(1)
            answers[0] = await App(tenant.settings, tenant.world(), lease=tenant.lease).sync(message_for(tenant, ada))
            ada.crm.update(one, {"MobilePhone": "7"})

    tenant.tables.after = second_wake_up
    queue = await tenant.app.sync(first)
    tenant.tables.after = None
    assert answers == [[]], "it does not run beside the first one"
    assert len(queue) == 1, "but is queued again"
    tenant.clock.advance(5)
    assert await tenant.app.sync(queue[0]) == []
    assert (ada.outlook.contact(item)["businessPhones"], ada.outlook.contact(item)["mobilePhone"]) == (["1"], "7")
    await agrees(tenant, ada)


async def test_two_workers_with_the_same_message_at_the_same_time_write_everything_once(tenant: Tenant, ada: Somebody) -> None:
    for number in range(30):
        in_salesforce(ada, f"S{number:02d}")
    (queued,) = await tenant.app.plan()
    other = App(tenant.settings, tenant.world(), lease=tenant.lease)
    nested: list[int] = []

    async def beside(_call: Call) -> None:
        if len(nested) < 20:
            nested.append(1)
            depth, tenant.tables.before = tenant.tables.before, None
            await other.sync(queued)
            tenant.tables.before = depth

    tenant.tables.before = beside
    await tenant.app.sync(queued)
    tenant.tables.before = None
    await tenant.later(minutes=5)
    assert names_in(ada) == [f"S{number:02d}" for number in range(30)]
    assert sum(1 for one in tenant.graph.writes if one.operation == "created" and one.kind == "contact") == 30
    await agrees(tenant, ada)


@pytest.mark.parametrize("at", range(1, 14))
async def test_a_run_that_lost_its_lease_stops_and_the_next_one_finishes(at: int) -> None:
    tenant = Tenant()
    ada = tenant.person("ada")
    one, item = await linked(tenant, ada)
    in_salesforce(ada, "New")
    in_outlook(ada, "Fresh", mobilePhone="7")
    ada.outlook.edit_contact(item, {"jobTitle": "Boss"})
    tenant.clock.advance(300)
    (queued,) = await tenant.app.plan()
    calls: list[int] = []

    async def sleep_long(call: Call) -> None:
        if call.table != "SyncState":
            return
        calls.append(1)
        if len(calls) == at:
            tenant.tables.before = None
            tenant.clock.advance(20 * 60)
            other = App(tenant.settings, tenant.world(), lease=tenant.lease)
            for text in await other.plan():
                await other.sync(text)

    tenant.tables.before = sleep_long
    await tenant.app.sync(queued)
    tenant.tables.before = None
    await tenant.later(minutes=15)
    await tenant.later(minutes=15)
    assert names_in(ada) == ["Fresh", "Meyer", "New"]
    assert sorted(row["LastName"] for row in tenant.contacts()) == ["Fresh", "Meyer", "New"]
    assert record(tenant, one)["Title"] == "Boss"
    await agrees(tenant, ada)


async def test_a_process_that_died_leaves_a_lease_that_runs_out(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    ada.crm.update(one, {"Phone": "1"})
    tenant.clock.advance(300)
    (queued,) = await tenant.app.plan()

    async def die(call: Call) -> None:
        if call.name == "transact" and any("c-intent" in operation.key for operation in call.operations):
            raise asyncio.CancelledError

    tenant.tables.after = die
    with pytest.raises(asyncio.CancelledError):
        await tenant.app.sync(queued)
    tenant.tables.after = None
    tenant.start()
    await tenant.later(minutes=1)
    assert ada.outlook.contact(item)["businessPhones"] == [], "the dead run still holds the lease"
    await tenant.later(minutes=6)
    await tenant.later(minutes=6)
    assert ada.outlook.contact(item)["businessPhones"] == ["1"]
    assert state_rows(tenant, ada, "c-intent|") == []
    await agrees(tenant, ada)


async def test_an_unexpected_failure_of_one_person_leaves_the_others_alone(tenant: Tenant, ada: Somebody, bob: Somebody) -> None:
    await set_profile(tenant, ContactsDeleteInSalesforce=True)
    in_salesforce(ada, "A")
    in_salesforce(bob, "B")
    queue = await tenant.app.plan()
    broken = next(text for text in queue if ada.id in text)
    fine = next(text for text in queue if bob.id in text)

    async def break_down(call: Call) -> None:
        if call.partition == ada.id and call.table == "SyncState" and call.name == "transact":
            raise RuntimeError("nobody thought of this")

    tenant.tables.before = break_down
    with pytest.raises(RuntimeError):
        await tenant.app.sync(broken)
    await tenant.app.sync(fine)
    tenant.tables.before = None
    assert names_in(bob) == ["B"]
    await tenant.later(minutes=10)
    assert the_item(ada, "A")
    await agrees(tenant, ada, bob)


# --------------------------------------------------------------------------- what is logged


async def test_rounds_and_runs_are_logged_without_personal_data(tenant: Tenant, ada: Somebody, caplog: pytest.LogCaptureFixture) -> None:
    in_salesforce(ada, "Geheim", Email="geheim@example.com", Phone="0170 55555")
    with caplog.at_level(logging.DEBUG):
        await tenant.round()
        in_outlook(ada, None, givenName="Vertraulich")
        await tenant.later(minutes=5)
    events = [json.loads(record.message)["event"] for record in caplog.records if record.name == "tandem"]
    assert {"RoundPlanned", "RunEnded"} <= set(events)
    assert not any(word in caplog.text for word in ("Geheim", "geheim", "0170 55555", "Vertraulich"))
    await stays_quiet(tenant)
