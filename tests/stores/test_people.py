from datetime import UTC, datetime, timedelta

import pytest

from shared.records import Side
from sync.core.guards import Limits
from sync.core.policy import Direction, Policy, Winner
from sync.ports import Insert, Merge, Scalar
from sync.stores.memory import Call, MemoryTables
from sync.stores.people import ADMINISTRATORS, PROFILES, USERS, Connection, Facts, People, UserRow, version
from sync.stores.profile import ContactsSearch, defaults, read_profile

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANN = "00000000-0000-4000-8000-000000000001"
FACTS = Facts(principal_name="ann@acme.example", name="Ann", salesforce_user_id="005A", state=Connection.CONNECTED, in_group=True)


@pytest.fixture
def people(tables: MemoryTables) -> People:
    return People(tables)


async def type_user(tables: MemoryTables, key: str, **values: Scalar) -> None:
    await tables.transact(USERS, "user", [Merge(key=key, values=values)])


async def type_profile(tables: MemoryTables, **values: Scalar) -> None:
    await tables.transact(PROFILES, "profile", [Merge(key="default", values=values)])


async def test_the_default_profile_is_made_once_with_every_column(people: People, tables: MemoryTables) -> None:
    profile, problems = await people.default_profile()
    assert problems == ()
    assert profile.policy == Policy()
    assert profile.limits == Limits()
    assert (profile.search, profile.folder_name, profile.category_name) == (ContactsSearch.MINE, "Salesforce Contacts", "Salesforce")
    assert (profile.sweep, profile.compare, profile.journal_days) == (timedelta(hours=1), timedelta(days=1), 30)
    row = await tables.get(PROFILES, "profile", "default")
    assert row is not None
    assert row.values == defaults()
    assert await people.default_profile() == (profile, ())


async def test_what_an_administrator_wrote_stays_and_missing_columns_are_filled_in(people: People, tables: MemoryTables) -> None:
    await type_profile(tables, ContactsDirection="Salesforce to Outlook", ContactsConflictRule="ASK", MaxContacts="200", FolderName="")
    profile, problems = await people.default_profile()
    assert problems == ()
    assert profile.policy == Policy(direction=Direction.TO_OUTLOOK, winner=Winner.ASK)
    assert (profile.max_contacts, profile.folder_name) == (200, "Salesforce Contacts")
    row = await tables.get(PROFILES, "profile", "default")
    assert row is not None
    assert row.values == {
        **defaults(),
        "ContactsDirection": "Salesforce to Outlook",
        "ContactsConflictRule": "ASK",
        "MaxContacts": "200",
        "FolderName": "",
    }


async def test_two_first_rounds_make_one_row(people: People, tables: MemoryTables) -> None:
    async def be_faster(call: Call) -> None:
        if call.operations and isinstance(call.operations[0], Insert):
            tables.before = None
            await type_profile(tables, ContactsSearch="All contacts")

    tables.before = be_faster
    profile, problems = await people.default_profile()
    assert (profile.search, problems) == (ContactsSearch.ALL, ())


def test_off_means_no_policy() -> None:
    assert read_profile("p", {"ContactsDirection": "off"})[0].policy is None


def test_every_wrong_value_is_named_and_none_raises() -> None:
    profile, problems = read_profile(
        "sales",
        {
            "ContactsDirection": "sideways",
            "ContactsSearch": "My",
            "MaxContacts": "many",
            "ContactsConflictRule": 5,
            "ContactsDeleteInSalesforce": "perhaps",
            "ContactsDeleteInOutlook": 1,
            "GuardCount": -1,
            "GuardPercent": 101,
            "FolderName": "x" * 256,
            "CategoryName": "a\nb",
            "SweepMinutes": True,
            "CompareHours": 1.5,
            "JournalDays": "²",
        },
    )
    assert [problem.column for problem in problems] == list(defaults())
    assert problems[0].text == (
        "SyncProfiles, row sales: ContactsDirection is 'sideways'; allowed: both, salesforce to outlook, outlook to salesforce, off."
    )
    assert profile.policy == Policy()


def test_numbers_and_switches_may_be_typed_as_storage_explorer_offers_them() -> None:
    profile, problems = read_profile(
        "p", {"MaxContacts": 7.0, "GuardCount": "0", "ContactsDeleteInSalesforce": "TRUE", "ContactsDeleteInOutlook": False}
    )
    assert problems == ()
    assert profile.policy is not None
    assert (profile.max_contacts, profile.limits.count) == (7, 0)
    assert (profile.policy.remove_in_salesforce, profile.policy.remove_in_outlook) == (True, False)
    assert profile.policy.direction.reaches(Side.OUTLOOK)


async def test_a_bad_row_of_a_user_is_returned_with_its_problems_and_the_others_are_fine(people: People, tables: MemoryTables) -> None:
    await type_user(tables, ANN, Enabled="ja", Paused="soon", State="nonsense")
    await type_user(tables, "bob@acme.example", Enabled=True, SalesforceUsername=" bob@sf ", Paused="false")
    await type_user(tables, "cem@acme.example", Enabled="")
    ann, bob, cem = await people.users()
    assert [(problem.column, problem.value) for problem in ann.problems] == [("Enabled", "ja"), ("Paused", "soon")]
    assert ann.problems[0].text == f"SyncUsers, row {ANN}: Enabled is 'ja'; allowed: true, false, or empty."
    assert (bob.enabled, bob.salesforce_username, bob.paused, bob.problems) == (True, "bob@sf", False, ())
    assert (cem.enabled, cem.problems) == (None, ())


async def test_what_is_known_is_written_once_and_never_over_an_administrator(
    people: People, tables: MemoryTables, requests: list[tuple[str, str]]
) -> None:
    await people.put([(UserRow(key=ANN), FACTS)], now=NOW)
    (first,) = await people.users()
    assert (first.facts, first.state_since) == (FACTS, NOW)
    await type_user(tables, ANN, Enabled="false", Paused=True)
    requests.clear()
    await people.put([(first, FACTS)], now=NOW + timedelta(hours=1))
    assert requests == []
    renamed = Facts(principal_name="ann.b@acme.example", state=Connection.CONNECTED)
    await people.put([(first, renamed)], now=NOW + timedelta(hours=1))
    second = await people.user(ANN)
    assert second is not None
    assert (second.enabled, second.paused, second.facts, second.state_since) == (False, True, renamed, NOW)
    stopped = Facts(principal_name="ann.b@acme.example", state=Connection.PAUSED)
    await people.put([(second, stopped)], now=NOW + timedelta(hours=2))
    third = await people.user(ANN)
    assert third is not None
    assert third.state_since == NOW + timedelta(hours=2)
    assert third.facts == stopped


async def test_a_typed_row_moves_to_the_object_id_in_one_step(people: People, tables: MemoryTables) -> None:
    await type_user(tables, "ann@acme.example", Enabled="true", SalesforceUsername="ann@sf")
    (typed,) = await people.users()
    assert await people.adopt(typed, ANN)
    (row,) = await people.users()
    assert (row.key, row.enabled, row.salesforce_username) == (ANN, True, "ann@sf")


async def test_a_typed_row_fills_only_what_is_empty_at_the_object_id(people: People, tables: MemoryTables) -> None:
    await people.put([(UserRow(key=ANN), FACTS)], now=NOW)
    await type_user(tables, ANN, SalesforceUsername="right@sf", Paused="")
    await type_user(tables, "ann@acme.example", Enabled="true", SalesforceUsername="wrong@sf", Paused="true")
    typed = await people.user("ann@acme.example")
    assert typed is not None
    assert await people.adopt(typed, ANN)
    (row,) = await people.users()
    assert (row.key, row.enabled, row.salesforce_username, row.paused, row.facts) == (ANN, True, "right@sf", True, FACTS)


async def test_a_typed_row_that_is_being_edited_is_left_to_the_next_round(people: People, tables: MemoryTables) -> None:
    await type_user(tables, "ann@acme.example", Enabled="true")
    (typed,) = await people.users()
    await type_user(tables, "ann@acme.example", Enabled="false")
    assert not await people.adopt(typed, ANN)
    assert [row.key for row in await people.users()] == ["ann@acme.example"]


async def test_the_version_changes_with_what_an_administrator_wrote_and_with_nothing_else(people: People, tables: MemoryTables) -> None:
    profile, _ = await people.default_profile()
    user = UserRow(key=ANN)
    same = UserRow(key=ANN, facts=FACTS, state_since=NOW, etag="x")
    assert version(profile, user) == version(profile, same)
    others = [
        UserRow(key=ANN, enabled=True),
        UserRow(key=ANN, salesforce_username="x"),
        UserRow(key=ANN, confirm_identity="x"),
        UserRow(key=ANN, paused=True),
    ]
    assert len(others) == len(ADMINISTRATORS)
    await type_profile(tables, JournalDays=31)
    changed, _ = await people.default_profile()
    await type_profile(tables, JournalDays="30")
    back, _ = await people.default_profile()
    assert len({version(profile, row) for row in [user, *others]} | {version(changed, user)}) == len(others) + 2
    assert version(back, user) == version(profile, user)
