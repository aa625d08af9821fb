"""Sharing, field-level security, permissions: the same record for two users."""

from typing import Any

import pytest

from .conftest import ALICE, BOB, INTEGRATION, Client, Keys, World


def visible(client: Client) -> list[str]:
    return [row["LastName"] for row in client.rows("SELECT LastName FROM Contact ORDER BY LastName")]


def status(client: Client, method: str, path: str, body: Any = None) -> tuple[int, str | None]:
    answer = client.call(method, path, body)
    return answer.status, answer.json()[0]["errorCode"] if answer.status >= 400 else None


def test_private_contacts_are_the_owners_and_those_who_view_all(world: World) -> None:
    account = world.account()
    world.contact(ALICE, "With", AccountId=account)
    world.contact(ALICE, "Without")
    assert visible(world.client(ALICE)) == ["With", "Without"]
    assert visible(world.client(BOB)) == []
    assert visible(world.client(INTEGRATION)) == ["With", "Without"]


def test_a_share_shows_a_contact_unless_it_has_no_account(world: World, bob: Client) -> None:
    shared, private = world.contact(ALICE, "S", AccountId=world.account()), world.contact(ALICE, "P")
    stamp = world.sandbox.records("Contact")[0]["SystemModstamp"]
    world.clock.advance(60)
    for contact in (shared, private):
        world.sandbox.share(contact, BOB)
    assert visible(bob) == ["S"]
    assert {row["SystemModstamp"] for row in world.sandbox.records("Contact")} == {stamp}
    assert status(bob, "PATCH", f"sobjects/Contact/{shared}", {"Title": "x"}) == (400, "INSUFFICIENT_ACCESS_OR_READONLY")
    world.sandbox.share(shared, BOB, "edit")
    assert status(bob, "PATCH", f"sobjects/Contact/{shared}", {"Title": "x"}) == (204, None)
    assert status(bob, "DELETE", f"sobjects/Contact/{shared}") == (400, "INSUFFICIENT_ACCESS_OR_READONLY")
    world.sandbox.unshare(shared, BOB)
    assert visible(bob) == []


def test_a_new_owner_ends_the_shares_and_the_old_owners_sight(world: World, alice: Client, bob: Client) -> None:
    contact = world.contact(ALICE, "S", AccountId=world.account())
    world.sandbox.share(contact, INTEGRATION)
    world.sandbox.as_user(ALICE).update(contact, {"OwnerId": world.ids[BOB]})
    assert (visible(alice), visible(bob)) == ([], ["S"])
    assert status(alice, "GET", f"sobjects/Contact/{contact}") == (404, "NOT_FOUND")
    assert world.sandbox.org.access.shares == {}


@pytest.mark.parametrize(("default", "sees", "edits"), [("private", False, False), ("read", True, False), ("read_write", True, True)])
def test_the_org_wide_default_opens_an_object(keys: Keys, default: str, sees: bool, edits: bool) -> None:
    world = World(keys, org_wide={"Contact": default})
    contact = world.contact(ALICE, "C", AccountId=world.account())
    bob = world.client(BOB)
    assert (visible(bob) == ["C"]) is sees
    assert (bob.call("PATCH", f"sobjects/Contact/{contact}", {"Title": "x"}).status == 204) is edits
    assert bob.call("DELETE", f"sobjects/Contact/{contact}").status >= 400


def test_contacts_controlled_by_their_account_follow_it(keys: Keys) -> None:
    world = World(keys, org_wide={"Contact": "controlled_by_parent", "Account": "private"})
    account = world.account()
    world.contact(ALICE, "C", AccountId=account)
    bob = world.client(BOB)
    assert visible(bob) == []
    world.sandbox.share(account, BOB)
    assert visible(bob) == ["C"]


def test_who_sees_a_contact_sees_its_account(world: World, bob: Client) -> None:
    contact = world.contact(ALICE, "C", AccountId=world.account())
    assert bob.rows("SELECT Name FROM Account") == []
    world.sandbox.share(contact, BOB)
    assert bob.rows("SELECT Name FROM Account") == [{"Name": "Acme"}]


def test_a_contact_is_linked_only_to_an_account_its_writer_sees(world: World, bob: Client) -> None:
    account = world.account(ALICE)
    answer = bob.call("POST", "sobjects/Contact", {"LastName": "x", "AccountId": account})
    assert answer.status == 400
    assert answer.json()[0]["errorCode"] == "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"
    assert answer.json()[0]["message"] == f"insufficient access rights on cross-reference id: {account}"
    gone = world.account(BOB)
    world.sandbox.as_user(BOB).delete(gone)
    assert status(bob, "POST", "sobjects/Contact", {"LastName": "x", "AccountId": gone}) == (400, "ENTITY_IS_DELETED")


def test_a_hidden_field_does_not_exist_for_the_user(world: World, alice: Client, bob: Client) -> None:
    contact = world.contact(ALICE, Phone="1")
    world.sandbox.set_fls(ALICE, "Contact", "Phone", "hidden")
    assert alice.error("SELECT Phone FROM Contact") == "INVALID_FIELD"
    assert alice.error("SELECT Id FROM Contact WHERE Phone = '1'") == "INVALID_FIELD"
    assert status(alice, "PATCH", f"sobjects/Contact/{contact}", {"Phone": "2"}) == (400, "INVALID_FIELD")
    assert status(alice, "GET", f"sobjects/Contact/{contact}?fields=Phone") == (400, "INVALID_FIELD")
    assert "Phone" not in alice.call("GET", f"sobjects/Contact/{contact}").json()
    assert bob.rows("SELECT Phone FROM Contact") == []
    world.sandbox.set_fls(ALICE, "Contact", "Phone", "full")
    assert alice.rows("SELECT Phone FROM Contact") == [{"Phone": "1"}]


def test_a_readonly_field_is_read_and_not_written(world: World, alice: Client) -> None:
    contact = world.contact(ALICE, Phone="1")
    world.sandbox.set_fls(ALICE, "Contact", "Phone", "readonly")
    assert alice.rows("SELECT Phone FROM Contact") == [{"Phone": "1"}]
    answer = alice.call("PATCH", f"sobjects/Contact/{contact}", {"Phone": "2", "Title": "x"})
    assert answer.json()[0]["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert answer.json()[0]["fields"] == ["Phone"]


def test_a_field_that_is_always_there_has_no_field_security(world: World) -> None:
    with pytest.raises(ValueError, match="LastName"):
        world.sandbox.set_fls(ALICE, "Contact", "LastName", "hidden")


def test_object_permissions_take_away_what_sharing_grants(world: World, alice: Client) -> None:
    contact = world.contact()
    world.sandbox.set_object_permission(ALICE, "Contact", "edit", False)
    assert status(alice, "PATCH", f"sobjects/Contact/{contact}", {"Title": "x"}) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")
    world.sandbox.set_object_permission(ALICE, "Contact", "delete", False)
    assert status(alice, "DELETE", f"sobjects/Contact/{contact}") == (400, "INSUFFICIENT_ACCESS_OR_READONLY")
    world.sandbox.set_object_permission(ALICE, "Contact", "create", False)
    assert alice.call("GET", "sobjects/Contact/describe").json()["createable"] is False
    assert alice.call("POST", "sobjects/Contact", {"LastName": "x"}).status == 400
    world.sandbox.set_object_permission(ALICE, "Contact", "read", False)
    assert alice.error("SELECT Id FROM Contact") == "INVALID_TYPE"
    assert status(alice, "GET", "sobjects/Contact/describe") == (404, "NOT_FOUND")


def test_an_inactive_owner_is_refused(world: World, alice: Client) -> None:
    world.sandbox.set_user(BOB, {"IsActive": False})
    answer = alice.call("POST", "sobjects/Contact", {"LastName": "x", "OwnerId": world.ids[BOB]})
    assert answer.json()[0]["errorCode"] == "INACTIVE_OWNER_OR_USER"
    assert answer.json()[0]["message"] == f"operation performed with inactive user [{world.ids[BOB]}] as owner of contact"
