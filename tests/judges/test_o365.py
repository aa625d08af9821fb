"""python-o365, as the application, over TLS."""

from collections.abc import Iterator

import pytest
import requests
from O365 import Account, MSGraphProtocol
from O365.address_book import ContactFolder
from O365.utils.token import MemoryTokenBackend

from tests.judges.conftest import UPN, Tenant


@pytest.fixture
def account(tenant: Tenant) -> Iterator[Account]:
    protocol = MSGraphProtocol(timezone="UTC")
    protocol.protocol_url, protocol.service_url = f"{tenant.graph}/", f"{tenant.graph}/v1.0/"
    account = Account(
        ("client", "secret"),
        auth_flow_type="credentials",
        tenant_id="judges",
        protocol=protocol,
        token_backend=MemoryTokenBackend(),
        main_resource=UPN,
    )
    with requests.Session() as session:
        session.trust_env, session.verify = False, tenant.ca
        session.headers["Authorization"] = f"Bearer {tenant.token}"
        account.con.session = session
        yield account


def test_a_contact_is_made_found_changed_and_deleted(tenant: Tenant, account: Account) -> None:
    book = account.address_book()
    contact = book.new_contact()
    contact.name, contact.surname, contact.job_title = "Jörg", "Öztürk", "Chef"
    contact.emails.add("j@x.example")
    contact.business_phones = ["+43 1", "+43 2"]
    contact.categories = ["Salesforce"]
    assert contact.save()
    (found,) = book.get_contacts(query="emailAddresses/any(a:a/address eq 'J@X.example')")
    assert (found.full_name, found.business_phones, found.categories) == ("Jörg Öztürk", ["+43 1", "+43 2"], ["Salesforce"])
    found.job_title = "Chefin"
    assert found.save()
    assert [each["jobTitle"] for each in tenant.outlook("contacts")] == ["Chefin"]
    assert found.delete()
    assert tenant.outlook("contacts") == []


def test_pages_are_followed(tenant: Tenant, account: Account) -> None:
    folder = tenant.new_folder("Pages")
    for number in range(23):
        tenant.in_outlook(f"{number:02}", folder)
    found = ContactFolder(parent=account.address_book(), root=True).get_folder(folder_name="Pages")
    names = [contact.surname for contact in found.get_contacts(limit=None, batch=7, order_by="surname asc")]
    assert names == [f"{number:02}" for number in range(23)]


def test_folders_are_made_renamed_and_deleted(account: Account) -> None:
    root = ContactFolder(parent=account.address_book(), root=True)
    fresh = root.create_child_folder("Fresh")
    assert fresh.update_folder_name("Fresher")
    assert "Fresher" in [folder.name for folder in root.get_folders(limit=50)]
    assert fresh.delete()
    assert "Fresher" not in [folder.name for folder in root.get_folders(limit=50)]
