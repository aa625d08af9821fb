"""Contact folders and master categories."""

import pytest

from local.sandbox.graph import Knobs
from tests.sandbox.graph.asking import Tenant, refused


def test_only_the_children_of_the_default_folder_are_listed(tenant: Tenant) -> None:
    child = tenant.ask("POST", f"{tenant.at}/contactFolders/{tenant.folder}/childFolders", {"displayName": "Deeper"}).json()
    listed = tenant.get(f"{tenant.at}/contactFolders")["value"]
    assert [folder["displayName"] for folder in listed] == ["Salesforce Contacts"]
    default = tenant.get(f"{tenant.at}/contactFolders/contacts")
    assert listed[0]["parentFolderId"] == default["id"]
    assert default["displayName"] == "Contacts"
    deeper = tenant.get(f"{tenant.at}/contactFolders/{tenant.folder}/childFolders")["value"]
    assert [folder["id"] for folder in deeper] == [child["id"]]
    assert tenant.get(f"{tenant.at}/contactFolders/{default['id']}/childFolders")["value"] == listed


def test_folders_come_in_pages_of_ten(tenant: Tenant) -> None:
    for number in range(12):
        tenant.people.create_folder(f"F{number}")
    first = tenant.get(f"{tenant.at}/contactFolders")
    assert (len(first["value"]), len(tenant.get(first["@odata.nextLink"])["value"])) == (10, 3)
    assert len(tenant.get(f"{tenant.at}/contactFolders?$top=50")["value"]) == 13


def test_a_folder_is_renamed_and_keeps_its_id(tenant: Tenant) -> None:
    changed = tenant.ask("PATCH", f"{tenant.at}/contactFolders/{tenant.folder}", {"displayName": "CRM"})
    assert (changed.status, changed.json()["id"], changed.json()["displayName"]) == (200, tenant.folder, "CRM")


@pytest.mark.parametrize("name", ["salesforce contacts", "Salesforce Contacts"])
def test_siblings_have_different_names_whatever_their_case(tenant: Tenant, name: str) -> None:
    assert refused(tenant.ask("POST", f"{tenant.at}/contactFolders", {"displayName": name}), 409, "ErrorFolderExists")


def test_a_nameless_or_decorated_folder_is_refused(tenant: Tenant) -> None:
    assert refused(tenant.ask("POST", f"{tenant.at}/contactFolders", {}), 400, "ErrorInvalidRequest")
    assert refused(tenant.ask("POST", f"{tenant.at}/contactFolders", {"displayName": "x", "color": "red"}), 400, "RequestBodyRead")


def test_what_is_in_a_folder_goes_with_it(tenant: Tenant) -> None:
    inner = tenant.people.create_folder("Inner", tenant.folder)
    kept = tenant.people.create_contact("contacts", {"surname": "Kept"})
    gone = [tenant.people.create_contact(folder, {"surname": "Gone"}) for folder in (tenant.folder, inner)]
    assert tenant.ask("DELETE", f"{tenant.at}/contactFolders/{tenant.folder}").status == 204
    assert [contact["id"] for contact in tenant.people.contacts()] == [kept]
    for one in gone:
        assert refused(tenant.ask("GET", f"{tenant.at}/contacts/{one}"), 404, "ErrorItemNotFound")
    assert refused(tenant.ask("GET", f"{tenant.at}/contactFolders/{inner}"), 404, "ErrorItemNotFound")
    assert tenant.people.create_folder("Salesforce Contacts") != tenant.folder


def test_the_default_folder_stays(tenant: Tenant) -> None:
    assert refused(tenant.ask("DELETE", f"{tenant.at}/contactFolders/contacts"), 403, "ErrorDeleteDistinguishedFolder")
    assert refused(tenant.ask("PATCH", f"{tenant.at}/contactFolders/contacts", {"displayName": "x"}), 403, "ErrorAccessDenied")


def test_a_second_deleted_folder_of_one_name_collides_when_it_is_so_set() -> None:
    tenant = Tenant(Knobs(deleted_names_collide=True))
    tenant.ask("DELETE", f"{tenant.at}/contactFolders/{tenant.folder}")
    again = tenant.people.create_folder("Salesforce Contacts")
    assert refused(tenant.ask("DELETE", f"{tenant.at}/contactFolders/{again}"), 409, "ErrorFolderExists")
    tenant.ask("PATCH", f"{tenant.at}/contactFolders/{again}", {"displayName": "x"})
    assert tenant.ask("DELETE", f"{tenant.at}/contactFolders/{again}").status == 204


def test_folders_have_a_delta_of_their_own(tenant: Tenant) -> None:
    first, link, _ = tenant.round(f"{tenant.at}/contactFolders/delta")
    assert [folder["id"] for folder in first] == [tenant.folder]
    other = tenant.people.create_folder("Other")
    tenant.people.rename_folder(tenant.folder, "Renamed")
    tenant.people.delete_folder(other)
    second, link, _ = tenant.round(link)
    assert [folder.get("displayName") for folder in second] == ["Renamed"]
    tenant.people.delete_folder("Renamed")
    third, _, _ = tenant.round(link)
    assert [(folder["id"], folder["@removed"]) for folder in third] == [(tenant.folder, {"reason": "deleted"})]


def test_a_category_is_made_once_and_keeps_its_name(tenant: Tenant) -> None:
    path = f"{tenant.at}/outlook/masterCategories"
    made = tenant.ask("POST", path, {"displayName": "Salesforce", "color": "preset9"})
    assert made.status == 201
    assert refused(tenant.ask("POST", path, {"displayName": "salesforce"}), 409, "CategoryNameDuplicate")
    assert refused(tenant.ask("POST", path, {"color": "preset1"}), 400, "ErrorInvalidProperty")
    assert refused(tenant.ask("POST", path, {"displayName": "x", "color": "red"}), 400, "UnableToDeserializePostBody")
    one = f"{path}/{made.json()['id']}"
    assert refused(tenant.ask("PATCH", one, {"displayName": "y"}), 400, "ErrorInvalidPropertySet")
    assert tenant.ask("PATCH", one, {"color": "preset2"}).json()["color"] == "preset2"
    assert [category["displayName"] for category in tenant.get(path)["value"]] == ["Salesforce"]
    assert tenant.ask("DELETE", one).status == 204
    assert tenant.get(path)["value"] == []
    journal = [write.operation.value for write in tenant.graph.writes if write.kind == "outlookCategory"]
    assert journal == ["created", "updated", "deleted"]


def test_a_contact_may_carry_a_category_that_is_in_no_list(tenant: Tenant) -> None:
    assert tenant.make(surname="A", categories=["Nowhere"])["categories"] == ["Nowhere"]
    assert tenant.people.categories() == []
