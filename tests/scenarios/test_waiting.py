"""What waits for people is told once a day, for the alert."""

import json
from typing import Any

import pytest

from tests.scenarios.stage import FOLDER, in_outlook, in_salesforce, set_profile
from tests.tenant import Somebody, Tenant


def told(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    lines = [json.loads(line.getMessage()) for line in caplog.records if line.name == "tandem" and line.getMessage().startswith("{")]
    return [line for line in lines if line["event"] == "PeopleWaiting"]


async def test_a_question_that_waits_is_told_once_a_day_with_its_age(
    tenant: Tenant, ada: Somebody, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="tandem")
    await tenant.app.plan()
    await set_profile(tenant, ContactsConflictRule="ask")
    one = in_salesforce(ada, "Meyer", Phone="1")
    await tenant.round()
    item = ada.items()[0]["id"]
    await tenant.later(minutes=15)
    ada.crm.update(one, {"Phone": "2"})
    ada.outlook.edit_contact(item, {"businessPhones": ["3"]})
    await tenant.later(minutes=5)
    assert told(caplog) == [], "today it was looked at before there was anything"
    await tenant.later(hours=30)
    tenant.start()
    await tenant.later(minutes=5)
    (line,) = told(caplog)
    assert (line["conflicts"], line["approvals"]) == (1, 0)
    assert line["oldest_hours"] == pytest.approx(30.0, abs=0.2)


async def test_nothing_is_told_where_nothing_waits(tenant: Tenant, ada: Somebody, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="tandem")
    await tenant.round()
    in_outlook(ada, "Lone", FOLDER)
    await tenant.later(hours=25)
    assert told(caplog) == []
