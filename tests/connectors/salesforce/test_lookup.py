"""Finding possible matches, accounts and people."""

import pytest

from sync.ports import Org, SalesforceUser, SalesforceUsers
from sync.translate.kind import Account
from tests.connectors.salesforce.conftest import ALICE, BOB, INTEGRATION, World
from tests.connectors.salesforce.kinds import PERSON, person


async def test_candidates_are_found_by_address_and_by_name_whatever_their_case(world: World) -> None:
    by_address = world.contact("Roe", FirstName="Jane", Email="Jane.Roe@X.example")
    by_name = world.contact("O'Neil", FirstName="Zoë")
    deleted = world.contact("Roe", FirstName="Jane")
    world.contact("Else", FirstName="Someone", Email="else@x.example")
    world.sandbox.as_user(ALICE).delete(deleted)
    org = await world.org()
    await org.schema(PERSON)
    world.sent()
    found = await org.look_up(PERSON, [person("jane.roe@x.example", name="jane roe"), person(name="zoë o'neil"), person()], [])
    assert {item.id for item in found.items} == {by_address, by_name}
    assert world.sent() == ["POST composite"]


async def test_two_hundred_new_items_are_looked_up_in_one_call(world: World) -> None:
    world.contact("Roe 7", Email="roe7@office.example")
    org = await world.org()
    await org.schema(PERSON)
    world.sent()
    identities = [person(f"roe{n}@office.example", f"r{n}@home.example", name=f"first {n} roe {n}") for n in range(200)]
    found = await org.look_up(PERSON, identities, [f"Company number {n} of many" for n in range(200)])
    assert len(found.items) == 1
    assert world.sent() == ["POST composite"]


async def test_of_two_accounts_with_one_name_the_earlier_is_taken(world: World) -> None:
    world.clock.advance(10)
    alice = world.sandbox.as_user(ALICE)
    alice.create("Account", {"Name": "ACME"})
    found = await (await world.org()).look_up(PERSON, [], ["acme", "Nobody"])
    assert found.companies.exact == {"acme": Account(id=world.account, name="Acme")}


async def test_a_containing_account_counts_only_where_it_is_the_only_one(world: World) -> None:
    alice = world.sandbox.as_user(ALICE)
    only = alice.create("Account", {"Name": "The 100%_Club Ltd"})
    for name in ("Blue Ocean", "Green Ocean", "ab"):
        alice.create("Account", {"Name": name})
    found = await (await world.org()).look_up(PERSON, [], ["100%_club", "ocean", "0%_cl", "ab", "100xxclub"])
    account = Account(id=only, name="The 100%_Club Ltd")
    assert found.companies.containing == {"100%_club": account, "0%_cl": account}


async def test_names_that_too_many_accounts_contain_do_not_hide_the_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.connectors.salesforce.lookup.ALL", 4)
    alice = world.sandbox.as_user(ALICE)
    for number in range(6):
        alice.create("Account", {"Name": f"Ocean {number}"})
    only = alice.create("Account", {"Name": "Zebra Limited"})
    found = await (await world.org()).look_up(PERSON, [], ["ocean", "zebra"])
    assert found.companies.containing == {"zebra": Account(id=only, name="Zebra Limited")}


async def test_a_user_who_may_not_read_accounts_still_finds_candidates(world: World) -> None:
    known = world.contact("Roe", Email="roe@x.example")
    world.sandbox.set_object_permission(ALICE, "Account", "read", granted=False)
    found = await (await world.org()).look_up(PERSON, [person("roe@x.example")], ["Acme"])
    assert [item.id for item in found.items] == [known]
    assert not found.companies.exact


async def test_nothing_to_look_for_is_no_call(world: World) -> None:
    org = await world.org()
    await org.schema(PERSON)
    world.sent()
    assert (await org.look_up(PERSON, [person()], ["", " "])).items == ()
    assert world.sent() == []


async def test_only_ones_own_recent_records_are_found(world: World) -> None:
    world.contact("Roe", BOB, Email="roe@x.example", AccountId=world.sandbox.as_user(BOB).create("Account", {"Name": "B"}))
    world.contact("Roe", Email="roe@x.example")
    world.clock.advance(60)
    since = world.clock.now()
    recent = world.contact("Roe", Email="roe@x.example")
    found = await (await world.org()).find_recent(PERSON, since)
    assert [item.id for item in found] == [recent]


async def test_people_are_found_by_any_of_three_names_active_or_not(world: World) -> None:
    world.sandbox.set_user(ALICE, {"FederationIdentifier": "alice@tenant.example"})
    world.sandbox.set_user(BOB, {"Email": "robert@acme.example", "IsActive": False})
    users = await world.users()
    world.sent()
    names = [INTEGRATION, "nobody@x.example"]
    found = await users.find(federation_ids=["Alice@Tenant.example"], emails=["ROBERT@acme.example"], usernames=names)
    assert {(user.username, user.active) for user in found} == {(ALICE, True), (BOB, False), (INTEGRATION, True)}
    assert SalesforceUser(id=world.ids[ALICE], username=ALICE, federation_id="alice@tenant.example", email=ALICE, active=True) in found
    assert world.sent() == ["POST composite"]
    assert users.org_id == world.sandbox.org_id


async def test_looking_for_nobody_is_no_call(world: World) -> None:
    users = await world.users()
    world.sent()
    assert list(await users.find(federation_ids=[], emails=[""], usernames=[])) == []
    assert world.sent() == []


async def test_the_connector_is_what_the_engine_asks_for(world: World) -> None:
    """mypy reads these two lines; at run time both are just there."""
    org: Org = await world.org()
    users: SalesforceUsers = await world.users()
    assert org.org_id == users.org_id
