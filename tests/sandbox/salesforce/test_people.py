"""What people do in the browser, and how it looks through the API."""

import copy

import pytest

from local.sandbox.salesforce import Refusal

from .conftest import ALICE, BOB, Client, Keys, World

FIELDS = "SELECT Id, LastName, IsDeleted, MasterRecordId, SystemModstamp FROM Contact ORDER BY LastName"


def test_a_persons_edit_bears_their_name_in_record_and_journal(world: World, alice: Client) -> None:
    contact = world.contact()
    alice.call("PATCH", f"sobjects/Contact/{contact}", {"Title": "By API"})
    world.clock.advance(60)
    world.sandbox.as_user(ALICE).update(contact, {"Title": "By hand"})
    row = alice.rows("SELECT LastModifiedById, LastModifiedDate, SystemModstamp, CreatedDate FROM Contact")[0]
    assert row["LastModifiedById"] == world.ids[ALICE]
    assert row["LastModifiedDate"] == row["SystemModstamp"] == "2026-01-01T12:01:00.000+0000"
    assert row["CreatedDate"] == "2026-01-01T12:00:00.000+0000"
    last, before = world.sandbox.writes[-1], world.sandbox.writes[-2]
    assert (before.actor, before.fields["Title"]) == ("api", "By API")
    assert (last.actor, last.user, last.op, last.id, last.time) == ("person", ALICE, "update", contact, row["SystemModstamp"])
    assert (last.fields["Title"], last.before["Title"]) == ("By hand", "By API")


def test_a_person_is_bound_by_the_same_rules(world: World) -> None:
    contact = world.contact(ALICE)
    with pytest.raises(Refusal, match="INVALID_CROSS_REFERENCE_KEY"):
        world.sandbox.as_user(BOB).update(contact, {"Title": "x"})
    with pytest.raises(Refusal, match="INVALID_EMAIL_ADDRESS"):
        world.sandbox.as_user(ALICE).update(contact, {"Email": "x"})


def test_a_late_commit_keeps_the_stamp_of_its_beginning(world: World, alice: Client) -> None:
    contact = world.contact(last_name="Old")
    world.clock.advance(100)
    world.sandbox.as_user(ALICE).update(contact, {"LastName": "New"}, visible_after=30)
    late = world.sandbox.as_user(ALICE).create("Contact", {"LastName": "Other"}, visible_after=30)
    assert [row["LastName"] for row in alice.rows(FIELDS)] == ["Old"]
    assert alice.call("GET", f"sobjects/Contact/{late}").status == 404
    locked = alice.call("PATCH", f"sobjects/Contact/{contact}", {"Title": "x"})
    assert locked.json()[0]["errorCode"] == "UNABLE_TO_LOCK_ROW"
    stale = alice.call("PATCH", f"sobjects/Contact/{contact}", {"Title": "x"}, {"if-unmodified-since": "Thu, 01 Jan 2026 11:00:00 GMT"})
    assert stale.status == 412
    world.clock.advance(30)
    rows = alice.rows(FIELDS)
    assert [row["LastName"] for row in rows] == ["New", "Other"]
    assert {row["SystemModstamp"] for row in rows} == {"2026-01-01T12:01:40.000+0000"}
    assert alice.call("PATCH", f"sobjects/Contact/{contact}", {"Title": "x"}).status == 204


def test_a_deleted_record_is_bumped_restored_and_at_last_purged(world: World, alice: Client) -> None:
    contact = world.contact()
    world.clock.advance(10)
    world.sandbox.as_user(ALICE).delete(contact)
    row = alice.rows(FIELDS, "queryAll")[0]
    assert (row["IsDeleted"], row["SystemModstamp"]) == (True, "2026-01-01T12:00:10.000+0000")
    world.sandbox.as_user(ALICE).undelete(contact)
    assert alice.rows(FIELDS)[0]["IsDeleted"] is False
    world.sandbox.as_user(ALICE).delete(contact)
    world.sandbox.purge(contact)
    assert alice.rows(FIELDS, "queryAll") == []
    with pytest.raises(Refusal):
        world.sandbox.as_user(ALICE).undelete(contact)


def test_the_recycle_bin_is_emptied_of_what_is_old(world: World, alice: Client) -> None:
    old, young = world.contact(), world.contact()
    world.sandbox.as_user(ALICE).delete(old)
    world.clock.advance(10 * 86_400)
    world.sandbox.as_user(ALICE).delete(young)
    world.clock.advance(5 * 86_400)
    assert world.sandbox.empty_recycle_bin() == [old]
    assert [row["Id"] for row in alice.rows(FIELDS, "queryAll")] == [young]


def test_a_purged_record_does_not_come_back_with_a_late_commit(world: World) -> None:
    contact = world.contact()
    world.sandbox.as_user(ALICE).update(contact, {"Title": "x"}, visible_after=10)
    world.sandbox.purge(contact)
    world.clock.advance(20)
    assert world.sandbox.record(contact) is None


def test_a_restored_record_whose_key_was_taken_is_refused(world: World) -> None:
    contact = world.contact(Tandem_Key__c="k")
    world.sandbox.as_user(ALICE).delete(contact)
    world.contact(Tandem_Key__c="k")
    with pytest.raises(Refusal, match="DUPLICATE_VALUE"):
        world.sandbox.as_user(ALICE).undelete(contact)


def test_a_merge_deletes_the_losers_which_name_the_winner(world: World, alice: Client) -> None:
    winner, loser = world.contact(last_name="Winner"), world.contact(last_name="Loser", Phone="1")
    world.clock.advance(10)
    world.sandbox.as_user(ALICE).merge(winner, [loser], {"Phone": "1"})
    rows = alice.rows(FIELDS, "queryAll")
    assert [(row["Id"], row["IsDeleted"], row["MasterRecordId"]) for row in rows] == [(loser, True, winner), (winner, False, None)]
    assert {row["SystemModstamp"] for row in rows} == {"2026-01-01T12:00:10.000+0000"}
    assert alice.rows("SELECT Phone FROM Contact") == [{"Phone": "1"}]


def test_a_merge_that_is_refused_changes_nothing(world: World, alice: Client) -> None:
    winner, loser = world.contact(last_name="Winner"), world.contact(last_name="Loser")
    journal = len(world.sandbox.writes)
    with pytest.raises(Refusal, match="INVALID_EMAIL_ADDRESS"):
        world.sandbox.as_user(ALICE).merge(winner, [loser], {"Email": "bad"})
    assert len(alice.rows(FIELDS)) == 2
    assert len(world.sandbox.writes) == journal


def test_renaming_an_account_leaves_its_contacts_stamps_alone(world: World, alice: Client) -> None:
    account = world.account()
    world.contact(AccountId=account)
    world.clock.advance(10)
    world.sandbox.as_user(ALICE).update(account, {"Name": "Renamed"})
    row = alice.query("SELECT SystemModstamp, Account.Name FROM Contact").json()["records"][0]
    assert (row["SystemModstamp"], row["Account"]["Name"]) == ("2026-01-01T12:00:00.000+0000", "Renamed")


def test_deleting_an_account_takes_its_contacts_along_and_back(world: World, alice: Client) -> None:
    account = world.account()
    world.contact(AccountId=account)
    world.sandbox.as_user(ALICE).delete(account)
    assert alice.rows(FIELDS) == []
    world.sandbox.as_user(ALICE).undelete(account)
    assert len(alice.rows(FIELDS)) == 1


def test_merging_accounts_moves_their_contacts(world: World, alice: Client) -> None:
    winner, loser = world.account(name="Winner"), world.account(name="Loser")
    world.contact(AccountId=loser)
    world.sandbox.as_user(ALICE).merge(winner, [loser])
    assert alice.rows("SELECT AccountId FROM Contact") == [{"AccountId": winner}]


def test_a_converted_lead_names_its_contact_and_is_read_only(world: World, alice: Client) -> None:
    person = world.sandbox.as_user(ALICE)
    lead = person.create("Lead", {"LastName": "Roe", "Company": "Acme", "Email": "r@x.example", "City": "Bonn"})
    result = person.convert_lead(lead)
    row = alice.rows("SELECT IsConverted, ConvertedContactId, ConvertedAccountId, Status FROM Lead")[0]
    assert row == {
        "IsConverted": True,
        "ConvertedContactId": result["ContactId"],
        "ConvertedAccountId": result["AccountId"],
        "Status": "Closed - Converted",
    }
    assert alice.rows("SELECT Email, MailingCity FROM Contact") == [{"Email": "r@x.example", "MailingCity": "Bonn"}]
    answer = alice.call("PATCH", f"sobjects/Lead/{lead}", {"Title": "x"})
    assert answer.json()[0]["errorCode"] == "CANNOT_UPDATE_CONVERTED_LEAD"


def test_an_automated_touch_bumps_the_system_stamp_only(world: World, alice: Client) -> None:
    contact = world.contact()
    world.clock.advance(10)
    world.sandbox.touch(contact)
    row = alice.rows("SELECT SystemModstamp, LastModifiedDate FROM Contact")[0]
    assert row == {"SystemModstamp": "2026-01-01T12:00:10.000+0000", "LastModifiedDate": "2026-01-01T12:00:00.000+0000"}


def test_a_copy_of_the_org_goes_its_own_way(world: World) -> None:
    contact = world.contact(last_name="Same")
    other = copy.deepcopy(world.sandbox)
    world.sandbox.as_user(ALICE).update(contact, {"LastName": "Here"})
    other.as_user(ALICE).update(contact, {"LastName": "There"})
    other.set_knobs(session_ttl=1)
    assert [row["LastName"] for row in world.sandbox.records("Contact") + other.records("Contact")] == ["Here", "There"]
    assert (world.sandbox.sign_in.knobs.session_ttl, other.sign_in.knobs.session_ttl) == (7200, 1)
    with pytest.raises(AttributeError):
        other.set_knobs(unknown=1)


def test_a_person_account_is_an_account_with_a_contact_of_its_own(keys: Keys) -> None:
    world = World(keys, person_accounts=True)
    alice = world.client(ALICE)
    account = alice.call("POST", "sobjects/Account", {"LastName": "Roe", "FirstName": "Jo", "PersonEmail": "jo@x.example"}).json()["id"]
    row = alice.rows("SELECT Id, Name, Email, IsPersonAccount, AccountId FROM Contact")[0]
    assert row == {"Id": row["Id"], "Name": "Jo Roe", "Email": "jo@x.example", "IsPersonAccount": True, "AccountId": account}
    assert alice.rows("SELECT Name, PersonContactId, IsPersonAccount FROM Account") == [
        {"Name": "Jo Roe", "PersonContactId": row["Id"], "IsPersonAccount": True}
    ]
    assert alice.call("PATCH", f"sobjects/Contact/{row['Id']}", {"Title": "x"}).json()[0]["errorCode"] == "INSUFFICIENT_ACCESS_OR_READONLY"
    world.clock.advance(5)
    assert alice.call("PATCH", f"sobjects/Account/{account}", {"PersonTitle": "CEO"}).status == 204
    assert alice.rows("SELECT Title, SystemModstamp FROM Contact") == [{"Title": "CEO", "SystemModstamp": "2026-01-01T12:00:05.000+0000"}]
    assert alice.rows("SELECT Id FROM Contact WHERE IsPersonAccount = false") == []
    plain = World(keys).client(ALICE)
    assert plain.error("SELECT Id FROM Contact WHERE IsPersonAccount = false") == "INVALID_FIELD"
