"""What is left behind: error rows that should have gone, texts that mislead, memory and tables that grow."""

from typing import Any

import pytest

import sync.apply.look as looking
from local.sandbox.faults import Effect, Rule
from shared.errors import CATALOGUE, Code
from sync.core.plan import Pair
from sync.stores.memory import Call
from tests.scenarios.stage import (
    Somebody,
    Tenant,
    agree_to_deletions,
    approvals,
    error_rows,
    in_salesforce,
    linked,
    links,
    set_profile,
    set_user,
    state_of,
)


async def test_the_error_of_a_mailbox_goes_also_when_the_person_was_paused_meanwhile(tenant: Tenant, ada: Somebody) -> None:
    await linked(tenant, ada)
    error = {"error": {"code": "MailboxNotEnabledForRESTAPI", "message": "?"}}
    tenant.sandbox.faults.plant(Rule(effect=Effect.ANSWER, service="graph", path="batch", status=404, answer=error))
    await tenant.later(minutes=5)
    assert [row["Code"] for row in await error_rows(tenant, ada)] == ["NoMailbox"]
    await set_user(tenant, ada, Paused=True)
    await tenant.later(minutes=5)
    tenant.sandbox.faults.clear()
    await set_user(tenant, ada, Paused=False)
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert await state_of(tenant, ada) == "connected"
    assert await error_rows(tenant, ada) == []


async def test_the_state_of_a_person_is_explained_in_a_sentence(tenant: Tenant, ada: Somebody) -> None:
    tenant.salesforce.set_user(ada.username, {"IsActive": False})
    await tenant.round()
    (row,) = await tenant.rows("SyncUsers")
    assert row.values["StateText"] == CATALOGUE[Code.INACTIVE_SALESFORCE_USER].meaning, "docs/tables.md: why, in a sentence"


async def test_a_search_that_shrinks_is_looked_at_in_pieces(
    tenant: Tenant, ada: Somebody, bob: Somebody, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run holds one page at a time, whatever the search was before."""
    await tenant.app.plan()
    await set_profile(tenant, ContactsSearch="All contacts")
    tenant.salesforce.set_org_wide("Account", "read_write")
    tenant.salesforce.set_org_wide("Contact", "read_write")
    home = bob.crm.create("Account", {"Name": "Acme"})
    for number in range(2600):
        in_salesforce(bob, f"Meyer{number}", AccountId=home)
    await set_user(tenant, bob, Enabled=False)
    await tenant.round()
    assert len(links(tenant, ada)) == 2600
    sizes: list[int] = []
    complete = looking.complete_pairs

    async def spy(desk: Any, pairs: Any, **how: Any) -> list[Pair]:
        sizes.append(len(pairs))
        return await complete(desk, pairs, **how)

    monkeypatch.setattr(looking, "complete_pairs", spy)
    await set_profile(tenant, ContactsSearch="My contacts")
    await tenant.later(minutes=5)
    assert max(sizes) <= 2000, sizes


async def test_messages_that_were_refused_are_forgotten_one_day(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    for number in range(3):
        await tenant.app.sync(f"nonsense {number}")
    assert len(await tenant.rows("SyncErrors", "messages")) > 0
    for _ in range(2):
        tenant.start()
        await tenant.later(days=40)
    assert await tenant.rows("SyncErrors", "messages") == [], "rows of messages never go: the table grows with each of them"


async def test_a_death_after_agreed_deletions_leaves_no_question_and_no_error(tenant: Tenant, ada: Somebody) -> None:
    records = [in_salesforce(ada, f"Meyer{number}") for number in range(8)]
    await tenant.round()
    for one in records:
        ada.crm.delete(one)
    await tenant.later(minutes=5)
    await agree_to_deletions(tenant, ada)
    tenant.clock.advance(300)
    (message,) = await tenant.app.plan()

    class Died(BaseException):
        pass

    async def before(call: Call) -> None:
        if call.name == "transact" and call.table == "SyncApprovals":
            raise Died

    tenant.tables.before = before
    with pytest.raises(Died):
        await tenant.app.sync(message)
    tenant.tables.before = None
    tenant.start()
    await tenant.later(minutes=11)
    await tenant.later(hours=25)
    assert ada.items() == []
    assert [row["State"] for row in await approvals(tenant, ada)] == ["done"]
    assert await error_rows(tenant, ada) == []
