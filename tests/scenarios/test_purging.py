"""The daily purge belongs to the round, and must not cost it anything."""

import logging

import pytest

from shared.errors import Code, Temporary
from sync.stores.memory import Call
from tests.scenarios.stage import Somebody, Tenant, linked

DAYS = 86_400


@pytest.mark.parametrize("error", [Temporary(Code.UNAVAILABLE, "cut"), RuntimeError("a mistake of ours")])
async def test_a_purge_that_fails_costs_the_round_no_message_and_is_told(
    tenant: Tenant, ada: Somebody, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async def before(call: Call) -> None:
        if call.table == "SyncJournal":
            raise error

    tenant.tables.before = before
    assert len(await tenant.app.plan()) == 1
    (told,) = [record for record in caplog.records if "old rows" in record.getMessage()]
    assert told.levelno == logging.WARNING
    assert "a mistake" not in told.getMessage()
    tenant.tables.before = None
    tenant.clock.advance(300)
    caplog.clear()
    assert len(await tenant.app.plan()) == 1
    assert not [record for record in caplog.records if "old rows" in record.getMessage()]
    (row,) = [row for row in await tenant.rows("SyncClaims") if row.partition == "purge"]
    assert row.values["Done"], "the next round made up for it"


async def test_old_runs_and_previous_values_are_gone_after_their_days(tenant: Tenant, ada: Somebody) -> None:
    one, _ = await linked(tenant, ada, "Meyer")
    ada.crm.update(one, {"Phone": "1"})
    await tenant.later(minutes=5)
    runs, journal = await tenant.rows("SyncRuns"), await tenant.rows("SyncJournal")
    assert runs
    assert journal
    tenant.clock.advance(29 * DAYS)
    await tenant.round()
    assert {row.key for row in runs} <= {row.key for row in await tenant.rows("SyncRuns")}
    tenant.clock.advance(2 * DAYS)
    await tenant.round()
    assert not {row.key for row in runs} & {row.key for row in await tenant.rows("SyncRuns")}
    assert not {row.key for row in journal} & {row.key for row in await tenant.rows("SyncJournal")}
    assert len(await tenant.rows("SyncRuns")) >= 2, "the later runs stay"
