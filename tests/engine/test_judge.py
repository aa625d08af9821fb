"""The judge says no: each kind of damage, done by hand to a history that was right, is found."""

from collections.abc import Callable
from typing import Any

import pytest

from sync.ports import Remove
from tests.engine.histories import History, Told, draw, live
from tests.engine.judge import Judge
from tests.engine.people import Act, Side
from tests.engine.weather import CALM
from tests.tenant import Somebody, Tenant


def calm_history() -> Told:
    """One without trouble, in which everything is carried both ways."""
    drawn = draw(1)
    steps = tuple(step for step in drawn.steps if step.what in ("create_item", "create_record", "edit_item", "edit_record"))
    return live(History(seed=1, people=2, rounds=3, steps=steps, climate=CALM))


def judge(told: Told) -> list[str]:
    tenant = told.plant.tenant
    return told.plant.loop.run(Judge(tenant=tenant, ledger=told.ledger, policy=told.history.policy, everybody=False).findings())


def whoever_has_items(tenant: Tenant) -> Somebody:
    return next(who for who in tenant.people if who.items())


def test_a_calm_history_is_right() -> None:
    told = calm_history()
    assert told.findings == []
    assert judge(told) == []
    assert any(who.items() for who in told.plant.tenant.people)


def lose_an_edit(tenant: Tenant, told: Told) -> None:
    told.ledger.acts.append(Act(at=1.0, what="type_outlook", side=Side.OUTLOOK, who="x", id="x", person="P1", field="title", value="v9999"))


def disagree(tenant: Tenant, told: Told) -> None:
    who = whoever_has_items(tenant)
    who.outlook.edit_contact(who.items()[0]["id"], {"department": "something else"})


def double_an_item(tenant: Tenant, told: Told) -> None:
    who = whoever_has_items(tenant)
    who.outlook.copy_contact(who.items()[0]["id"], who.folder())


def double_a_record(tenant: Tenant, told: Told) -> None:
    row = tenant.contacts()[0]
    tenant.people[0].crm.create("Contact", {"LastName": row["LastName"]})


def delete_an_item_as_the_app(tenant: Tenant, told: Told) -> None:
    from local.sandbox.graph.journal import Actor  # noqa: PLC0415

    who = whoever_has_items(tenant)
    item = who.items()[0]
    box = who.outlook._box
    box.remove(who.outlook._contact(item["id"]), Actor.APP)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lose_an_edit, "lost:"),
        (disagree, "in Salesforce and"),
        (double_an_item, "never came to Salesforce"),
        (double_a_record, "people made"),
        (delete_an_item_as_the_app, "nobody gave a reason"),
    ],
)
def test_damage_is_found(damage: Callable[[Tenant, Told], None], said: str) -> None:
    told = calm_history()
    damage(told.plant.tenant, told)
    assert any(said in finding for finding in judge(told))


def test_a_lost_link_is_found() -> None:
    told = calm_history()
    tables: Any = told.plant.tenant.tables

    async def lose() -> None:
        rows = [row for row in await told.plant.tenant.rows("SyncState") if row.key.startswith("link|")]
        await tables.transact("SyncState", rows[0].partition, [Remove(key=rows[0].key)])

    told.plant.loop.run(lose())
    findings = judge(told)
    assert any("never came to" in finding for finding in findings)
    assert any("the lease counts" in finding for finding in findings)
