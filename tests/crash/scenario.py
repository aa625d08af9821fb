"""One round that creates, updates, deletes, moves, matches and settles a conflict; and the same round disturbed at one call.

Whatever is done to that one call – the process dies before or after its effect, the answer is cut, the effect comes late – the rounds that
follow have to bring both sides, errors, conflicts and links to the same end. It knows fates and contents, nothing of the engine.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.sandbox.salesforce.journal import Actor
from sync.core.link import Status
from sync.core.policy import Winner
from sync.messages import Why
from sync.ports import Merge
from sync.stores.packing import read_link, read_pending
from tests.engine.judge import effects
from tests.engine.plant import Plant, build
from tests.engine.weather import TABLES, Climate, Errand, Fate
from tests.tenant import CATEGORY, FOLDER, Somebody, Tenant

MAX_ROUNDS = 12
Content = Mapping[str, Any]
"""What there is at the end, without ids, etags and times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a disturbed round ended. `calls`: the service of each IO call of the round, in order."""

    content: Content
    calls: tuple[str, ...]
    journaled: Counter[str]


def run(*, with_package: bool, at: int = -1, fate: Fate = Fate.WELL) -> Ended:
    """The round, with `fate` for its call number `at` (from 0), and what came of it in the end."""
    tenant = Tenant(seed=11, with_package=with_package)
    plant = build("crash", tenant)
    ada = tenant.person("ada")
    calls: list[str] = []

    def decide(service: str, _errand: Errand, _climate: Climate) -> Fate:
        calls.append(service)
        return fate if len(calls) - 1 == at else Fate.WELL

    async def live() -> Content:
        columns: dict[str, Any] = {"ContactsDeleteInSalesforce": True, "ContactsConflictRule": Winner.OUTLOOK.value}
        await tenant.tables.transact("SyncProfiles", "profile", [Merge(key="default", values=columns)])
        _before(ada)
        _colleague(tenant, ada)
        await plant.round()
        await plant.later(minutes=11)
        _meanwhile(ada)
        await asyncio.sleep(61.0)
        plant.weather.decide = decide
        await _disturbed_round(plant)
        plant.weather.decide = None
        await _until_nothing_is_due(plant)
        return await content(tenant, ada)

    ended = plant.loop.run(live())
    if plant.crashes:
        raise AssertionError(f"{fate} at call {at}: {plant.crashes}")
    journaled = Counter(f"{one.op} {one.fields.get('LastName', '')}" for one in tenant.salesforce.writes if one.actor is Actor.API)
    return Ended(content=ended, calls=tuple(calls), journaled=journaled)


def _before(ada: Somebody) -> None:
    """Pairs to be changed later, some from either side."""
    for name in ("EditedInSalesforce", "DeletedInOutlook", "DeletedInSalesforce", "MovedOut"):
        ada.crm.create("Contact", {"FirstName": "N", "LastName": name, "Email": f"{name}@people.example".lower(), "Title": "old"})
    for name in ("EditedInOutlook", "Conflict"):
        ada.outlook.create_contact("contacts", {"givenName": "N", "surname": name, "jobTitle": "old", "categories": [CATEGORY]})
    ada.outlook.create_contact("contacts", {"givenName": "N", "surname": "OptedIn", "jobTitle": "old", "mobilePhone": "1"})


def _colleague(tenant: Tenant, ada: Somebody) -> None:
    """A record outside of what is searched: it comes to Outlook only when it is matched."""
    tenant.salesforce.add_user("colleague@crm.example", last_name="Colleague")
    colleague = tenant.salesforce.as_user("colleague@crm.example")
    account = colleague.create("Account", {"Name": "Example Ltd"})  # without one, a contact is its owner's alone
    fields = {
        "FirstName": "N",
        "LastName": "Matched",
        "Email": "matched@people.example",
        "Department": "of Salesforce",
        "AccountId": account,
    }
    tenant.salesforce.share(colleague.create("Contact", fields), ada.crm.id, "edit")


def _meanwhile(ada: Somebody) -> None:
    """What the round in question has to carry."""
    items = {item["surname"]: item for item in ada.outlook.contacts()}
    records = {row["LastName"]: row["Id"] for row in ada.crm._org.store.rows("Contact").values()}
    ada.crm.create("Contact", {"FirstName": "N", "LastName": "NewInSalesforce", "Title": "new"})
    ada.outlook.create_contact(ada.folder(), {"givenName": "N", "surname": "NewInOutlook", "jobTitle": "new"})
    ada.crm.update(records["EditedInSalesforce"], {"Title": "edited", "Department": "edited"})
    ada.outlook.edit_contact(items["EditedInOutlook"]["id"], {"jobTitle": "edited"})
    ada.outlook.delete_contact(items["DeletedInOutlook"]["id"])
    ada.crm.delete(records["DeletedInSalesforce"])
    ada.outlook.move_contact(items["MovedOut"]["id"], "contacts")
    ada.outlook.edit_contact(items["OptedIn"]["id"], {"categories": [CATEGORY]})
    ada.outlook.set_photo(items["OptedIn"]["id"], "cGhvdG8=")
    ada.crm.update(records["Conflict"], {"Title": "of Salesforce"})
    ada.outlook.edit_contact(items["Conflict"]["id"], {"jobTitle": "of Outlook"})
    matched = {"givenName": "N", "surname": "Matched", "emailAddresses": [{"address": "matched@people.example", "name": "Matched"}]}
    ada.outlook.create_contact(ada.folder(), {**matched, "jobTitle": "of Outlook"})


async def _disturbed_round(plant: Plant) -> None:
    """One round in a process of its own. Its message is delivered once here, and again later if the process died."""
    process = plant.start()
    await plant.plan(process)
    if plant.queue and not process.dead:
        await plant.serve(process, plant.queue.pop(0))


async def _until_nothing_is_due(plant: Plant) -> None:
    for _ in range(MAX_ROUNDS):
        before = effects(plant.tenant)
        await plant.later(minutes=11)
        if effects(plant.tenant) == before and not await _due(plant) and not plant.weather.under_way:
            break
    else:
        raise AssertionError("it does not come to rest")
    await plant.later(minutes=70)
    before = effects(plant.tenant)
    await plant.round(Why.COMPARE)
    if effects(plant.tenant) != before:
        raise AssertionError("a comparison still found something to repair")


async def _due(plant: Plant) -> bool:
    now = plant.tenant.clock.now()
    rows = await plant.tenant.rows("SyncState")
    return any(row.key.startswith("c-intent") or (row.key.startswith("d-pending") and read_pending(row).due <= now) for row in rows)


async def content(tenant: Tenant, who: Somebody) -> Content:
    """Both sides and what people are told, without whatever differs from one creation to the next."""
    names = {folder["id"]: folder["displayName"] for folder in who.outlook.folders()}
    outlook = sorted(json.dumps(_item(item, names), sort_keys=True) for item in who.outlook.contacts())
    salesforce = sorted(json.dumps(_record(row), sort_keys=True) for row in tenant.contacts())
    surnames = {row["Id"]: row["LastName"] for row in tenant.salesforce.records("Contact", deleted=True)}
    state = await tenant.rows("SyncState", who.id)
    links = [read_link(row, str(row.values["HashKey"])) for row in state if row.key.startswith("link|")]
    return {
        "outlook": outlook,
        "salesforce": salesforce,
        "links": sorted(f"{surnames.get(link.salesforce_id)} {link.status}" for link in links),
        "count": sum(1 for link in links if link.status is Status.ACTIVE) - int(str(_lease(state).get("Links_contact", 0))),
        "open": sorted(row.key.partition("|")[0] for row in state if row.key.startswith(("c-", "d-"))),
        "errors": sorted(str(row.values["Code"]) for row in await tenant.rows("SyncErrors")),
        "conflicts": sorted({_conflict(row.values) for row in await tenant.rows("SyncConflicts")}),
        "folders": sorted(names.values()),
    }


def _lease(state: Any) -> Mapping[str, Any]:
    return next(row.values for row in state if row.key == "a-lease")


def _item(item: Mapping[str, Any], folders: Mapping[str, str]) -> dict[str, Any]:
    shown = ("surname", "givenName", "jobTitle", "department", "mobilePhone", "categories", "hasPhoto", "emailAddresses")
    place = FOLDER if folders[item["parentFolderId"]] == FOLDER else "elsewhere"
    return {**{name: item.get(name) for name in shown}, "folder": place}


def _record(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row.get(name) for name in ("LastName", "FirstName", "Title", "Department", "MobilePhone", "Email")}


def _conflict(values: Mapping[str, Any]) -> str:
    return f"{values['State']} {values['Question']} {values['Fields']} {values['Winner']}"


def http_calls(calls: tuple[str, ...]) -> list[int]:
    return [at for at, service in enumerate(calls) if service != TABLES]
