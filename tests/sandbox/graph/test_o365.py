"""A second client nobody here wrote: python-o365, over a requests adapter that calls the simulator."""

import pytest
from O365 import Account, MSGraphProtocol
from O365.address_book import ContactFolder
from O365.utils.token import MemoryTokenBackend

from tests.sandbox.graph.asking import Tenant
from tests.transports_requests import ServiceAdapter, session_for


@pytest.fixture
def account(tenant: Tenant) -> Account:
    """Signed in as the application, with a token of the simulator."""
    account = Account(
        ("client", "secret"),
        auth_flow_type="credentials",
        tenant_id=tenant.graph.tenant_id,
        protocol=MSGraphProtocol(timezone="UTC"),
        token_backend=MemoryTokenBackend(),
        main_resource="anna@contoso.com",
    )
    session = session_for(ServiceAdapter(tenant.graph))
    session.headers["Authorization"] = f"Bearer {tenant.token}"
    account.con.session = session
    return account


def test_o365_makes_finds_changes_and_deletes_a_contact(tenant: Tenant, account: Account) -> None:
    book = account.address_book()
    contact = book.new_contact()
    contact.name, contact.surname, contact.job_title = "Jörg", "Öztürk", "Chef"
    contact.emails.add("j@x.example")
    contact.business_phones = ["+43 1", "+43 2"]
    contact.categories = ["Salesforce"]
    contact.personal_notes = "Zeile\nzwei"
    assert contact.save()
    (found,) = book.get_contacts(query="emailAddresses/any(a:a/address eq 'J@X.example')")
    assert (found.full_name, found.business_phones, found.categories) == ("Jörg Öztürk", ["+43 1", "+43 2"], ["Salesforce"])
    found.job_title = "Chefin"
    assert found.save()
    assert [one["jobTitle"] for one in tenant.people.contacts("contacts")] == ["Chefin"]
    assert found.delete()
    assert tenant.people.contacts() == []


def test_o365_follows_the_pages_of_a_list(tenant: Tenant, account: Account) -> None:
    for number in range(25):
        tenant.people.create_contact("contacts", {"surname": f"{number:02}"})
    found = account.address_book().get_contacts(limit=None, batch=7, order_by="surname desc")
    assert [contact.surname for contact in found] == [f"{number:02}" for number in reversed(range(25))]


def test_o365_makes_renames_and_deletes_folders(tenant: Tenant, account: Account) -> None:
    root = ContactFolder(parent=account.address_book(), root=True)
    fresh = root.create_child_folder("Fresh")
    assert fresh.update_folder_name("Fresher")
    assert [folder.name for folder in root.get_folders(limit=50)] == ["Salesforce Contacts", "Fresher"]
    assert root.get_folder(folder_name="Fresher") == fresh
    assert fresh.delete()
    assert not tenant.people.has_folder("Fresher")
