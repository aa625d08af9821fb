"""Attacks in time: settings that change between continuations, edits between the last look and a deletion, effects that come late,
colleagues at the same moment, leases that run out while a run reads."""

import json
from datetime import datetime, timedelta

import pytest

from local.sandbox.faults import Effect, Rule
from local.sandbox.http import Request, Response
from sync.messages import Message, Why, write
from sync.runner import Times
from sync.stores.memory import Call
from sync.wiring import App
from tests.scenarios.stage import (
    FOLDER,
    Somebody,
    Tenant,
    account,
    address,
    agree_to_deletions,
    error_rows,
    in_outlook,
    in_salesforce,
    is_deleted,
    linked,
    links,
    record,
    set_profile,
    set_user,
    state_of,
    state_rows,
)


async def test_a_profile_that_changes_during_a_long_first_read_does_not_make_it_begin_again_and_again() -> None:
    tenant = Tenant(times=Times(budget=timedelta(seconds=30)))
    ada = tenant.person("ada")
    tenant.graph.knobs.delta_page_size = 10
    ada.outlook.create_folder(FOLDER)
    for number in range(100):
        in_outlook(ada, f"Meyer{number}")

    def slow(_request: Request) -> Response | None:
        tenant.clock.advance(4)
        return None

    tenant.graph_transport.before = slow
    queue = await tenant.app.plan()
    queue += await tenant.app.sync(queue.pop(0))
    assert queue, "it is to be continued"
    await set_profile(tenant, CategoryName="CRM")
    queue += await tenant.app.plan()
    for _ in range(60):
        if not queue:
            break
        queue += await tenant.app.sync(queue.pop(0))
    assert not queue, "two chains of continuations begin each other's reading again for ever"


async def test_an_edit_made_while_an_agreed_set_is_being_deleted_beats_its_deletion(tenant: Tenant, ada: Somebody) -> None:
    await tenant.app.plan()
    await set_profile(tenant, ContactsDeleteInSalesforce=True)
    records = [in_salesforce(ada, f"Meyer{number}") for number in range(210)]
    await tenant.round()
    await tenant.later(minutes=5)
    for item in list(links(tenant, ada).values()):
        ada.outlook.delete_contact(item)
    await tenant.later(minutes=5)
    await agree_to_deletions(tenant, ada)
    edited: list[str] = []

    def before(request: Request) -> Response | None:
        if request.method == "DELETE" and not edited:
            edited.append(next(one for one in sorted(records) if one not in request.url))
            tenant.clock.advance(30)
            ada.crm.update(edited[0], {"Phone": "edited"})
        return None

    tenant.salesforce_adapter.before = before
    await tenant.later(minutes=5)
    assert edited
    assert not is_deleted(tenant, edited[0]), "edited in Salesforce before it was deleted there: edit beats delete"


async def test_an_unsure_creation_with_a_key_is_not_doubled_in_outlook_when_it_shows_late(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    tenant.sandbox.faults.plant(
        Rule(effect=Effect.LATE, service="salesforce", method="POST", path="composite/sobjects", times=1, seconds=330)
    )
    # While the first insert is under way its key is locked: a second one waits for it and gives up.
    fault = tenant.salesforce.add_row_fault("UNABLE_TO_LOCK_ROW", op="create", times=None)
    item = in_outlook(ada, "Meyer", givenName="Zoe")
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert tenant.contacts() == []
    fault.times = 0
    for _ in range(4):
        await tenant.later(minutes=5)
    assert [row["LastName"] for row in tenant.contacts()] == ["Meyer"]
    assert [one["id"] for one in ada.items()] == [item]


async def test_an_unsure_creation_is_waited_for_before_the_same_person_is_created_from_another_item() -> None:
    tenant = Tenant(with_package=False)
    ada = tenant.person("ada")
    await tenant.round()
    tenant.sandbox.faults.plant(
        Rule(effect=Effect.LATE, service="salesforce", method="POST", path="composite/sobjects", times=1, seconds=420)
    )
    in_outlook(ada, "Meyer", givenName="Zoe", emailAddresses=address("zoe@example.com"))
    await tenant.later(minutes=5)
    in_outlook(ada, "Meyer", givenName="Zoe", emailAddresses=address("zoe@example.com"))
    for _ in range(6):
        await tenant.later(minutes=5)
    assert len(tenant.contacts()) == 1, "the second item is a copy, for a person to decide"


@pytest.mark.parametrize("at_once", [False, True], ids=["one after the other", "at once"])
async def test_one_person_known_by_address_here_and_by_name_there_becomes_one_record(
    tenant: Tenant, ada: Somebody, bob: Somebody, at_once: bool
) -> None:
    await tenant.app.plan()
    await set_profile(tenant, ContactsSearch="All contacts")
    tenant.salesforce.set_org_wide("Contact", "read_write")
    tenant.salesforce.set_org_wide("Account", "read_write")
    account(tenant, ada, "Acme")
    await tenant.round()
    in_outlook(ada, "Adams", givenName="Zoe", companyName="Acme", emailAddresses=address("zoe@example.com"))
    in_outlook(bob, "Adams", givenName="Zoe", companyName="Acme")
    tenant.clock.advance(300)
    first, second = sorted(await tenant.app.plan(), key=lambda text: json.loads(text)["user"] != ada.id)
    met: list[Call] = []

    async def before(call: Call) -> None:
        if call.table == "SyncClaims" and call.name == "transact" and not met:
            met.append(call)
            if at_once:
                await tenant.app.sync(second)

    tenant.tables.before = before
    await tenant.app.sync(first)
    assert met
    if not at_once:
        await tenant.app.sync(second)
    assert len(tenant.contacts()) == 1


async def test_two_new_items_of_one_name_in_one_page_are_asked_about_as_they_would_be_in_two(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    in_outlook(ada, "Adams", givenName="Zoe", emailAddresses=address("zoe@example.com"))
    in_outlook(ada, "Adams", givenName="Zoe")
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert len(tenant.contacts()) == 1


async def test_a_confirmation_given_once_does_not_confirm_another_org(tenant: Tenant, ada: Somebody) -> None:
    """A copied org (a sandbox) has users with the same ids."""
    await linked(tenant, ada)
    await set_user(tenant, ada, ConfirmIdentity=ada.crm.id)  # left from an earlier confirmation
    await tenant.later(minutes=5)
    await set_user(tenant, ada, OrgId="00D5g000009ZZZZEA2")  # as if the app were pointed at a copy of that org now
    tenant.start()
    await tenant.later(minutes=5)
    assert await state_of(tenant, ada) == "identity changed"


async def test_the_lease_is_renewed_while_a_run_reads_much(tenant: Tenant, ada: Somebody) -> None:
    for number in range(1300):
        in_salesforce(ada, f"Meyer{number}")
    await tenant.round()
    await tenant.later(minutes=5)
    for one in links(tenant, ada):
        ada.crm.delete(one)
    over: list[str] = []

    def slow(request: Request) -> Response | None:
        tenant.clock.advance(8)
        (lease,) = state_rows(tenant, ada, "a-lease")
        if lease["Holder"] and isinstance(lease["Until"], datetime) and lease["Until"] < tenant.clock.now():
            over.append(request.url)
        return None

    tenant.clock.advance(300)
    (message,) = await tenant.app.plan()
    tenant.graph_transport.before = slow
    await tenant.app.sync(message)
    assert over == [], f"{len(over)} requests were made under a lease that had run out: another run begins the same, and neither ends"


async def test_a_run_over_many_pendings_keeps_to_its_budget(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    tenant.salesforce.add_row_fault("FIELD_CUSTOM_VALIDATION_EXCEPTION", op="create", times=None)
    for number in range(2000):
        in_outlook(ada, f"Meyer{number}")
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert len(await error_rows(tenant, ada)) == 2000

    def slow(_request: Request) -> Response | None:
        tenant.clock.advance(8)
        return None

    tenant.clock.advance(300)
    (message,) = await tenant.app.plan()
    tenant.graph_transport.before = slow
    begun = tenant.clock.now()
    await tenant.app.sync(message)
    assert tenant.clock.now() - begun < timedelta(minutes=10), "functionTimeout kills the process, and the runs of others in it"


async def test_a_run_that_was_frozen_before_it_created_makes_no_second_record(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    one = in_salesforce(ada, "Meyer")
    tenant.clock.advance(300)
    (message,) = await tenant.app.plan()
    frozen: list[Call] = []

    async def after(call: Call) -> None:
        """Just after its intent was committed the process stands still, and another one takes over again and again."""
        if call.table == "SyncState" and any(one.key.startswith("c-intent") for one in call.operations) and not frozen:
            frozen.append(call)
            other = App(tenant.settings, tenant.world())
            for _ in range(4):
                tenant.clock.advance(330)
                await other.sync(write(Message(user=ada.id, why=Why.NOW)))

    tenant.tables.after = after
    await tenant.app.sync(message)
    tenant.tables.after = None
    for _ in range(3):
        await tenant.later(minutes=15)
    assert frozen
    assert record(tenant, one)
    assert len(tenant.contacts()) == 1
