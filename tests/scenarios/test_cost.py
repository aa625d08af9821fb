"""What the sync costs (E5, and the budgets of a first sync): counted at the transports, not taken from what the product says of itself."""

import json
from collections import Counter
from dataclasses import dataclass, field

import pytest

from sync.stores.memory import Call
from tests.scenarios.stage import FOLDER, agrees, error_rows, in_outlook, in_salesforce, links, our_writes, set_profile
from tests.tenant import Somebody, Tenant

N = 400


@dataclass
class Meter:
    """Counts what goes out between two looks."""

    tenant: Tenant
    tables: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        async def count(call: Call) -> None:
            self.tables[call.name] += 1

        self.tenant.tables.before = count
        self.reset()

    def reset(self) -> None:
        self.tables.clear()
        self.tenant.graph_transport.requests.clear()
        self.tenant.salesforce_adapter.requests.clear()

    @property
    def graph(self) -> int:
        return len(self.tenant.graph_transport.requests)

    @property
    def graph_writes(self) -> int:
        """HTTP requests that carry at least one write."""
        return sum(
            1
            for one in self.tenant.graph_transport.requests
            if one.url.endswith("$batch") and any(step["method"] != "GET" for step in json.loads(one.body)["requests"])
        )

    @property
    def salesforce(self) -> int:
        """API calls; a login is none."""
        return sum(1 for one in self.tenant.salesforce_adapter.requests if "/services/data/" in one.url)


async def sync(tenant: Tenant, meter: Meter, after_minutes: float = 5) -> None:
    """One person's runs of one round, counted without the round's planning."""
    tenant.clock.advance(after_minutes * 60)
    queue = await tenant.app.plan()
    meter.reset()
    while queue:
        queue += await tenant.app.sync(queue.pop(0))


@pytest.mark.parametrize("count", [10, 300])
async def test_a_quiet_run_costs_the_same_with_ten_and_with_three_hundred_links(tenant: Tenant, ada: Somebody, count: int) -> None:
    for number in range(count):
        in_salesforce(ada, f"Nr{number:03d}")
    await tenant.round()
    await tenant.later(minutes=15)
    await tenant.later(minutes=15)
    meter = Meter(tenant)
    before = our_writes(tenant)
    for _ in range(3):
        await sync(tenant, meter)
        assert (meter.graph, meter.salesforce) == (1, 1)
        tables = sum(meter.tables.values())
        assert tables <= 5, meter.tables
        run = await tenant.last_run()
        assert (run["GraphRequests"], run["SalesforceCalls"], run["TableOperations"]) == (1, 1, tables), "the run's row tells the truth"
    assert our_writes(tenant) == before


async def test_a_quiet_run_with_opted_out_and_opted_in_contacts_costs_no_more(tenant: Tenant, ada: Somebody) -> None:
    for number in range(20):
        in_salesforce(ada, f"Nr{number:03d}")
    await tenant.round()
    for item in ada.items()[:5]:
        ada.outlook.move_contact(item["id"], "contacts")
    for number in range(5):
        in_outlook(ada, f"Own{number}")
    await tenant.later(minutes=5)
    await tenant.later(minutes=15)
    await tenant.later(minutes=15)
    meter = Meter(tenant)
    await sync(tenant, meter)
    assert (meter.graph, meter.salesforce) == (1, 1)
    assert sum(meter.tables.values()) <= 5, meter.tables


async def test_what_waits_for_a_person_costs_a_quiet_run_no_more_than_a_look(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsConflictRule="ask")
    made = [in_salesforce(ada, f"Nr{number:03d}", Title="Old") for number in range(10)]
    await tenant.round()
    for one in made[:3]:
        ada.crm.update(one, {"Title": "A"})
        ada.outlook.edit_contact(links(tenant, ada)[one], {"jobTitle": "B"})
    await tenant.later(minutes=5)
    await tenant.later(minutes=15)
    await tenant.later(minutes=15)
    meter = Meter(tenant)
    await sync(tenant, meter)
    assert (meter.graph, meter.salesforce) == (1, 1)
    assert sum(meter.tables.values()) <= 6, meter.tables


async def test_the_first_sync_to_outlook_keeps_to_its_budget(tenant: Tenant, ada: Somebody) -> None:
    for number in range(N):
        in_salesforce(ada, f"Nr{number:03d}", FirstName="Mary", Email=f"m{number}@example.com")
    meter = Meter(tenant)
    await sync(tenant, meter)
    assert len(ada.items()) == N
    assert meter.graph_writes <= N / 20 * 1.05
    assert meter.salesforce <= N / 100 + N / 2000 + 10
    assert meter.tables["transact"] <= N / 15 + 20
    await agrees(tenant, ada)


async def test_the_first_sync_to_salesforce_keeps_to_its_budget(tenant: Tenant, ada: Somebody) -> None:
    ada.outlook.create_folder(FOLDER)
    for number in range(N):
        in_outlook(ada, f"Nr{number:03d}", givenName="Mary", emailAddresses=[{"address": f"m{number}@example.com", "name": "M"}])
    meter = Meter(tenant)
    await sync(tenant, meter)
    assert (len(tenant.contacts()), await error_rows(tenant, ada)) == (N, [])
    assert meter.graph_writes <= N / 20 * 1.05
    assert meter.salesforce <= N / 100 + N / 2000 + 10
    assert meter.tables["transact"] <= N / 15 + 20
    await agrees(tenant, ada)


async def test_a_first_sync_that_finds_everything_on_both_sides_keeps_to_its_budget(tenant: Tenant, ada: Somebody) -> None:
    ada.outlook.create_folder(FOLDER)
    for number in range(N):
        in_salesforce(ada, f"Nr{number:03d}", FirstName="Mary", Email=f"m{number}@example.com")
        in_outlook(ada, f"Nr{number:03d}", givenName="Mary", emailAddresses=[{"address": f"m{number}@example.com", "name": "M"}])
    meter = Meter(tenant)
    await sync(tenant, meter)
    assert (len(tenant.contacts()), len(ada.items()), len(links(tenant, ada))) == (N, N, N)
    assert meter.graph_writes <= N / 20 * 1.05
    assert meter.salesforce <= N / 100 + N / 2000 + 10
    assert meter.tables["transact"] <= N / 15 + 20
    await agrees(tenant, ada)


async def test_updates_in_outlook_keep_to_their_budget(tenant: Tenant, ada: Somebody) -> None:
    for number in range(N):
        in_salesforce(ada, f"Nr{number:03d}")
    await tenant.round()
    await tenant.later(minutes=15)
    for item in ada.items():
        ada.outlook.edit_contact(item["id"], {"jobTitle": "Boss"})
    meter = Meter(tenant)
    await sync(tenant, meter)
    assert {row["Title"] for row in tenant.contacts()} == {"Boss"}
    assert meter.salesforce <= N / 25 + N / 2000 + 10
    assert meter.tables["transact"] <= N / 15 + 20
    await agrees(tenant, ada)


async def test_updates_in_salesforce_keep_to_their_budget(tenant: Tenant, ada: Somebody) -> None:
    made = [in_salesforce(ada, f"Nr{number:03d}") for number in range(N)]
    await tenant.round()
    await tenant.later(minutes=15)
    for one in made:
        ada.crm.update(one, {"Title": "Boss"})
    meter = Meter(tenant)
    await sync(tenant, meter)
    assert {item["jobTitle"] for item in ada.items()} == {"Boss"}
    assert meter.graph_writes <= N / 20 * 1.05
    assert meter.salesforce <= N / 25 + N / 2000 + 10
    assert meter.tables["transact"] <= N / 15 + 20
    await agrees(tenant, ada)


async def test_deletions_in_salesforce_are_made_in_batches(tenant: Tenant, ada: Somebody) -> None:
    made = [in_salesforce(ada, f"Nr{number:03d}") for number in range(N)]
    await tenant.round()
    await tenant.later(minutes=15)
    for one in made[:48]:
        ada.crm.delete(one)
    meter = Meter(tenant)
    await sync(tenant, meter)
    assert len(ada.items()) == N - 48
    assert meter.graph_writes <= 48 / 20 + 1
    assert meter.salesforce <= 6
    await agrees(tenant, ada)


async def test_a_single_edit_costs_the_same_whatever_the_number_of_links(tenant: Tenant, ada: Somebody) -> None:
    costs = []
    made = [in_salesforce(ada, "First")]
    await tenant.round()
    meter = Meter(tenant)
    for more in (9, 290):
        made += [in_salesforce(ada, f"Nr{more}-{number:03d}") for number in range(more)]
        for _ in range(3):
            await tenant.later(minutes=15)
        ada.crm.update(made[0], {"Title": f"With {more} more"})
        await sync(tenant, meter)
        costs.append((meter.graph, meter.salesforce, meter.tables["transact"]))
    assert costs[0] == costs[1]
    assert costs[0][1] <= 2


async def test_no_record_is_fetched_alone(tenant: Tenant, ada: Somebody) -> None:
    meter = Meter(tenant)
    made = [in_salesforce(ada, f"Nr{number:03d}") for number in range(60)]
    await tenant.round()
    for one in made[:30]:
        ada.crm.update(one, {"Phone": "1"})
    for one in made[30:]:
        ada.outlook.edit_contact(links(tenant, ada)[one], {"jobTitle": "Boss"})
    await tenant.later(minutes=5)
    contacts = [one for one in tenant.graph_transport.requests if "/contacts" in one.url or "contactFolders" in one.url]
    assert contacts == [], "everything of a mailbox goes through $batch"
    single = [one.url for one in tenant.salesforce_adapter.requests if "/sobjects/Contact/003" in one.url]
    assert single == []
    assert meter.graph < 20
