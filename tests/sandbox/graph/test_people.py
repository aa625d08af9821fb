"""The person in the mailbox, and the journal of what everybody wrote."""

import json

from local.sandbox.graph import Actor, Operation
from tests.sandbox.graph.asking import STAMP, Tenant


def test_a_copy_has_everything_but_the_id(tenant: Tenant) -> None:
    made = tenant.people.create_contact(
        tenant.folder, {"surname": "A", "categories": ["x"], "singleValueExtendedProperties": [{"id": STAMP, "value": "1"}]}
    )
    tenant.people.set_photo(made, "/9j/")
    copy = tenant.people.copy_contact(made, "contacts")
    one, other = tenant.people.contact(made), tenant.people.contact(copy)
    different = {name for name in one if one[name] != other[name]}
    assert different == {"id", "changeKey", "parentFolderId"}
    assert other["hasPhoto"]


def test_folders_are_named_by_id_by_name_or_as_contacts(tenant: Tenant) -> None:
    tenant.people.create_folder("Deep", "Salesforce Contacts")
    tenant.people.create_contact("Deep", {"surname": "A"})
    tenant.people.rename_folder("Deep", "Deeper")
    assert [folder["displayName"] for folder in tenant.people.folders()] == ["Contacts", "Salesforce Contacts", "Deeper"]
    assert len(tenant.people.contacts("Deeper")) == 1
    tenant.people.delete_folder("Salesforce Contacts")
    assert not tenant.people.has_folder("Deeper")
    assert tenant.people.contacts() == []


def test_the_journal_says_who_did_what_to_which_property(tenant: Tenant) -> None:
    tenant.graph.writes.clear()
    made = tenant.make(surname="A", jobTitle="x")
    tenant.people.edit_contact(made["id"], {"jobTitle": "y"})
    tenant.people.move_contact(made["id"], "contacts")
    tenant.ask("PATCH", f"{tenant.at}/contacts/{made['id']}", {"singleValueExtendedProperties": [{"id": STAMP, "value": "1"}]})
    tenant.ask("DELETE", f"{tenant.at}/contacts/{made['id']}")
    tenant.people.restore_contact(made["id"])
    writes = tenant.graph.writes
    assert [(write.actor, write.operation) for write in writes] == [
        (Actor.APP, Operation.CREATED),
        (Actor.PERSON, Operation.UPDATED),
        (Actor.PERSON, Operation.MOVED),
        (Actor.APP, Operation.UPDATED),
        (Actor.APP, Operation.DELETED),
        (Actor.PERSON, Operation.RESTORED),
    ]
    assert {write.item_id for write in writes} == {made["id"]}
    assert {write.user for write in writes} == {"anna@contoso.com"}
    assert writes[1].changed == {"jobTitle": "y"}
    assert writes[3].changed == {STAMP: "1"}
    assert all(write.mails_sent == () for write in writes)
    assert json.loads(json.dumps(writes[0].as_json()))["changed"]["surname"] == "A"


def test_a_snapshot_is_json_and_does_not_change_when_the_mailbox_does(tenant: Tenant) -> None:
    made = tenant.make(surname="A", businessPhones=["1"])
    before = tenant.people.contacts()
    text = json.dumps(before)
    tenant.people.edit_contact(made["id"], {"businessPhones": ["2"]})
    assert json.dumps(before) == text
