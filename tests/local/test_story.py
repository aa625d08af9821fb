"""The verdict of `make run` can fail: a sync that did nothing, too much or the wrong thing is found out."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from local.sample import CATEGORY, IN_SALESFORCE, LONG_NOTE, Sample, load_sample
from local.sandbox.control import OwnHands
from local.sandbox.http import SettableClock
from local.sandbox.world import GRAPH, SALESFORCE, World
from local.story import Story


class Tenant:
    def __init__(self) -> None:
        self.clock = SettableClock(datetime(2026, 5, 4, 9, tzinfo=UTC))
        self.world = World(self.clock, 1)
        self.hands = OwnHands({GRAPH: self.world.graph, SALESFORCE: self.world.salesforce})
        self.sample: Sample = load_sample(self.hands)
        self.story = Story(self.hands, self.sample)
        self.story.begin()
        self.clock.advance(3600)


@pytest.fixture
def tenant() -> Tenant:
    return Tenant()


def test_the_sample_is_the_same_for_the_same_seed_and_large_enough() -> None:
    one, two = Tenant(), Tenant()
    people = one.sample.people
    assert people == two.sample.people
    snapshots = [one.story.snapshot(person) for person in people]
    assert snapshots == [two.story.snapshot(person) for person in people]
    assert sum(len(snapshot.rows) for snapshot in snapshots) == IN_SALESFORCE * len(people) >= 300
    assert sum(len(snapshot.contacts) for snapshot in snapshots) >= 300


def test_the_sample_is_as_messy_as_address_books_are(tenant: Tenant) -> None:
    contacts = [contact for person in tenant.sample.people for contact in tenant.story.snapshot(person).contacts.values()]
    rows = tenant.world.salesforce.records("Account")
    assert any(contact["surname"] is None for contact in contacts)
    assert any(len(contact["personalNotes"] or "") == LONG_NOTE for contact in contacts)
    assert any(len(contact["emailAddresses"]) == 3 for contact in contacts)
    assert any(CATEGORY in contact["categories"] for contact in contacts)
    assert len({row["Name"] for row in rows}) < len(rows)


def test_a_sync_that_did_nothing_is_found_out(tenant: Tenant) -> None:
    problems = tenant.story.problems()
    assert len(problems) > IN_SALESFORCE * 3
    assert any("1 in Salesforce, 0 in Outlook" in problem for problem in problems)
    assert any("lack the category" in problem for problem in problems)


def touch_private(tenant: Tenant) -> None:
    anna = tenant.sample.people[0]
    tenant.world.graph.mailbox(anna.upn).edit_contact(anna.outlook["private 1"], {"jobTitle": "x"})


def delete_private(tenant: Tenant) -> None:
    anna = tenant.sample.people[0]
    tenant.world.graph.mailbox(anna.upn).delete_contact(anna.outlook["private 1"])


@pytest.mark.parametrize("disturb", [touch_private, delete_private])
def test_a_contact_that_is_not_the_syncs_business_is_watched(tenant: Tenant, disturb: Callable[[Tenant], None]) -> None:
    def watched() -> list[str]:
        return [problem for problem in tenant.story.problems() if "outside the folder were touched" in problem]

    assert watched() == []
    disturb(tenant)
    assert watched() == ["Anna Weber: 1 contacts outside the folder were touched"]


def test_a_person_who_was_made_twice_is_found_out(tenant: Tenant) -> None:
    anna = tenant.sample.people[0]

    def doubled() -> list[str]:
        return [problem for problem in tenant.story.problems() if "times in Salesforce" in problem]

    assert doubled() == []  # the sample's own double is known
    row = tenant.world.salesforce.record(anna.salesforce["customer 3"])
    assert row is not None
    same = {name: row[name] for name in ("FirstName", "LastName", "Email")}
    tenant.world.salesforce.as_user(anna.username).create("Contact", same)
    assert [problem.partition(" is ")[2] for problem in doubled()] == ["2 times in Salesforce"]
