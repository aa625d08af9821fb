"""What one administrator does somewhere must not cost or stop everybody: a new field in the org, an older version, a row made by hand."""

from sync.ports import Insert, Row
from tests.scenarios.stage import Somebody, Tenant, in_salesforce, links


async def test_a_new_field_of_the_org_that_is_not_synced_costs_nobody_a_full_read(tenant: Tenant, ada: Somebody) -> None:
    """Salesforce itself adds fields three times a year."""
    for number in range(450):
        in_salesforce(ada, f"Meyer{number}")
    await tenant.round()
    await tenant.later(minutes=65)
    await tenant.later(minutes=5)
    before = tenant.requests()
    await tenant.later(minutes=5)
    quiet = tenant.requests()["graph"] - before["graph"]
    tenant.salesforce.add_field("Contact", "Shoe_Size__c")
    tenant.start()  # describe is not kept
    before = tenant.requests()
    await tenant.later(minutes=5)
    assert tenant.requests()["graph"] - before["graph"] <= quiet + 1, "the whole mailbox was read anew"


async def test_an_error_row_of_a_newer_version_does_not_stop_the_rounds(tenant: Tenant, ada: Somebody) -> None:
    """After an upgrade that was taken back, or an edit by hand, in the partition that each round reads."""
    await tenant.round()
    row: Row = {"Code": "SomethingNew", "Text": "?", "FirstSeen": tenant.clock.now(), "LastSeen": tenant.clock.now(), "Times": 1}
    await tenant.tables.transact("SyncErrors", "everyone", [Insert(key="user|SomethingNew", values=row)])
    one = in_salesforce(ada, "Meyer")
    await tenant.later(minutes=5)
    assert one in links(tenant, ada)


async def test_an_error_row_that_was_edited_by_hand_does_not_stop_the_rounds(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    await tenant.tables.transact("SyncErrors", "everyone", [Insert(key="note", values={"Text": "Mary looks after this"})])
    one = in_salesforce(ada, "Meyer")
    await tenant.later(minutes=5)
    assert one in links(tenant, ada)


async def test_a_row_typed_without_an_at_sign_stops_nobody(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    await tenant.tables.transact("SyncUsers", "user", [Insert(key="mary", values={"Enabled": True})])
    await tenant.tables.transact("SyncUsers", "user", [Insert(key="nobody@contoso.example", values={"Enabled": True})])
    await tenant.tables.transact("SyncUsers", "user", [Insert(key="a b'c@contoso.example", values={"Enabled": True})])
    one = in_salesforce(ada, "Meyer")
    await tenant.later(minutes=5)
    assert one in links(tenant, ada)
