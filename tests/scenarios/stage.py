"""What the stories share: things people do in one line, and what may be said of the end of a story.

It knows the simulators and the columns of the tables, and nothing of how the product decides. Whether two records are equal is judged by
`local.compare`, which was written without the product's code.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from local.compare import compare_pair, differences
from sync.ports import Merge, Scalar
from tests.tenant import CATEGORY, FOLDER, START, Somebody, Tenant

__all__ = ["CATEGORY", "DEFAULT_FOLDER", "FOLDER", "START", "Somebody", "Tenant"]

DEFAULT_FOLDER = "contacts"
NOTES = "n" * 40_000
PHOTO = "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgyPC4zNDL/2Q=="


# --------------------------------------------------------------------------- what people do


def in_salesforce(who: Somebody, last_name: str, **fields: Any) -> str:
    """A new Salesforce contact of this person."""
    return who.crm.create("Contact", {"LastName": last_name, **fields})


def in_outlook(who: Somebody, last_name: str | None, folder: str = FOLDER, **values: Any) -> str:
    """A new Outlook contact, in the folder unless another is named."""
    name = {} if last_name is None else {"surname": last_name}
    return who.outlook.create_contact(folder, {**name, **values})


def address(text: str) -> list[dict[str, str]]:
    """What `emailAddresses` holds for one address or, separated by blanks, several."""
    return [{"address": one, "name": one} for one in text.split()]


def account(tenant: Tenant, who: Somebody, name: str) -> str:
    """A new account of this person; each is a second younger than the one before."""
    tenant.clock.advance(1)
    return who.crm.create("Account", {"Name": name})


async def linked(tenant: Tenant, who: Somebody, last_name: str = "Meyer", **fields: Any) -> tuple[str, str]:
    """A pair that the sync made from Salesforce: (Salesforce id, Outlook id)."""
    record = in_salesforce(who, last_name, **fields)
    await tenant.later(minutes=5)
    return record, links(tenant, who)[record]


# --------------------------------------------------------------------------- what administrators do


async def set_profile(tenant: Tenant, **columns: Scalar) -> None:
    await tenant.tables.transact("SyncProfiles", "profile", [Merge(key="default", values=columns)])


async def set_user(tenant: Tenant, who: Somebody, **columns: Scalar) -> None:
    await tenant.tables.transact("SyncUsers", "user", [Merge(key=who.id, values=columns)])


async def decide(tenant: Tenant, who: Somebody, decision: str) -> None:
    """Type a decision into every question that waits."""
    for row in await questions(tenant, who):
        await tenant.tables.transact("SyncConflicts", who.id, [Merge(key=str(row["_key"]), values={"Decision": decision})])


async def agree_to_deletions(tenant: Tenant, who: Somebody, decision: str = "approve") -> None:
    for row in await approvals(tenant, who):
        if row["State"] == "waiting":
            await tenant.tables.transact("SyncApprovals", who.id, [Merge(key=str(row["_key"]), values={"Decision": decision})])


# --------------------------------------------------------------------------- what is there


def record(tenant: Tenant, record_id: str) -> dict[str, Any]:
    """A Salesforce record that is alive."""
    found = tenant.salesforce.record(record_id)
    assert found is not None
    assert not found["IsDeleted"], "the record is in the recycle bin"
    return found


def is_deleted(tenant: Tenant, record_id: str) -> bool:
    found = tenant.salesforce.record(record_id)
    return found is None or bool(found["IsDeleted"])


def the_record(tenant: Tenant, last_name: str) -> dict[str, Any]:
    """The only Salesforce contact of that name."""
    (found,) = [row for row in tenant.contacts() if row["LastName"] == last_name]
    return found


def the_item(who: Somebody, last_name: str, folder: str | None = FOLDER) -> dict[str, Any]:
    """The only Outlook contact of that name in a folder, or (None) in the mailbox."""
    (found,) = [item for item in who.outlook.contacts(folder) if item["surname"] == last_name]
    return found


def names_in(who: Somebody, folder: str | None = FOLDER) -> list[str]:
    return sorted(item["surname"] or "" for item in who.outlook.contacts(folder))


def has_item(who: Somebody, outlook_id: str) -> bool:
    return any(item["id"] == outlook_id for item in who.outlook.contacts())


def links(tenant: Tenant, who: Somebody, status: str = "active") -> dict[str, str]:
    """Salesforce id → Outlook id of the links of a status."""
    return {
        str(row["_key"]).rpartition("|")[2]: str(row["OutlookId"]) for row in state_rows(tenant, who, "link|") if row["Status"] == status
    }


def state_rows(tenant: Tenant, who: Somebody, prefix: str) -> list[Mapping[str, Any]]:
    """Rows of SyncState as they lie in memory, without a table operation."""
    held = tenant.tables._tables["SyncState"].get(who.id)
    rows = held.rows if held else {}
    return [{"_key": key, **row.values} for key, row in sorted(rows.items()) if key.startswith(prefix)]


def pendings(tenant: Tenant, who: Somebody) -> list[Mapping[str, Any]]:
    return state_rows(tenant, who, "d-pending|")


async def table_of(tenant: Tenant, table: str, partition: str) -> list[dict[str, Any]]:
    return [{"_key": row.key, **row.values} for row in await tenant.rows(table, partition)]


async def error_rows(tenant: Tenant, who: Somebody) -> list[dict[str, Any]]:
    return await table_of(tenant, "SyncErrors", who.id)


async def the_error(tenant: Tenant, who: Somebody) -> dict[str, Any]:
    """The only error row of a person."""
    rows = await error_rows(tenant, who)
    assert len(rows) == 1, [(row["Code"], row["Text"]) for row in rows]
    return rows[0]


async def questions(tenant: Tenant, who: Somebody, state: str = "waiting") -> list[dict[str, Any]]:
    return [row for row in await table_of(tenant, "SyncConflicts", who.id) if row["State"] == state]


async def approvals(tenant: Tenant, who: Somebody) -> list[dict[str, Any]]:
    """The head rows of the sets of deletions."""
    return [row for row in await table_of(tenant, "SyncApprovals", who.id) if "State" in row]


async def state_of(tenant: Tenant, who: Somebody) -> str:
    (row,) = [row for row in await tenant.rows("SyncUsers") if row.key == who.id]
    return str(row.values["State"])


# --------------------------------------------------------------------------- what may be said of it


def our_writes(tenant: Tenant) -> tuple[int, int]:
    """How much the sync has written so far: in Outlook, in Salesforce."""
    graph = sum(1 for write in tenant.graph.writes if write.actor == "app" and write.kind in ("contact", "contactFolder"))
    return graph, sum(1 for write in tenant.salesforce.writes if write.actor == "api")


async def stays_quiet(tenant: Tenant, rounds: int = 2) -> None:
    """Further rounds, one of them after the overlap of reading and the hourly sweep, write nothing on either side."""
    before = our_writes(tenant)
    for number in range(rounds):
        await tenant.later(**({"minutes": 5} if number == 0 else {"minutes": 70}))
    assert our_writes(tenant) == before, "a quiet round wrote something"


def search_of(tenant: Tenant, who: Somebody) -> list[dict[str, Any]]:
    """The contacts that *My contacts* selects."""
    return [row for row in tenant.contacts() if row["OwnerId"] == who.crm.id]


def disagreements(tenant: Tenant, who: Somebody) -> list[str]:
    """What of the folder and of *My contacts* does not mirror each other, in sentences."""
    accounts = {row["Id"]: row["Name"] for row in tenant.salesforce.records("Account")}
    found = differences(search_of(tenant, who), who.items(), accounts)
    return found + [f"{item['surname']} lacks the category" for item in who.items() if CATEGORY not in item["categories"]]


def pair_differs(tenant: Tenant, who: Somebody, record_id: str, outlook_id: str) -> list[str]:
    accounts = {row["Id"]: row["Name"] for row in tenant.salesforce.records("Account")}
    return compare_pair(record(tenant, record_id), who.outlook.contact(outlook_id), accounts)


async def agrees(tenant: Tenant, *people: Somebody) -> None:
    """Both sides mirror each other for these people, nothing waits or failed, and a quiet round writes nothing."""
    for who in people:
        assert disagreements(tenant, who) == []
        assert [(row["Code"], row["Text"]) for row in await error_rows(tenant, who)] == []
        assert pendings(tenant, who) == []
        assert len(links(tenant, who)) == len(who.items())
    await stays_quiet(tenant)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)
