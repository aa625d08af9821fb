"""How changes are found: pages, tokens that expire, late commits, replays, the sweep and the full comparison (E6)."""

import json

import pytest

from local.sandbox.graph.knobs import Knobs
from local.sandbox.http import Request
from sync.messages import Why
from sync.ports import Remove, Replace
from tests.scenarios.stage import (
    CATEGORY,
    DEFAULT_FOLDER,
    FOLDER,
    NOTES,
    account,
    address,
    agrees,
    approvals,
    error_rows,
    has_item,
    in_outlook,
    in_salesforce,
    is_deleted,
    linked,
    links,
    names_in,
    our_writes,
    record,
    set_profile,
    state_rows,
    stays_quiet,
    the_item,
    the_record,
)
from tests.tenant import Somebody, Tenant


async def test_a_delta_token_that_expired_is_no_deletion_and_makes_no_duplicates(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDeleteInSalesforce=True)
    for number in range(25):
        in_salesforce(ada, f"Nr{number:02d}")
    await tenant.round()
    tenant.graph.expire_delta_tokens(ada.upn)
    before = our_writes(tenant)
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert our_writes(tenant) == before
    assert (len(ada.items()), len(tenant.contacts())) == (25, 25)
    await agrees(tenant, ada)


async def test_what_happened_while_the_token_expired_is_found_by_the_full_read(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDeleteInSalesforce=True)
    made = [in_salesforce(ada, f"Nr{number:02d}") for number in range(25)]
    await tenant.round()
    deleted, edited, moved = (links(tenant, ada)[one] for one in made[:3])
    ada.outlook.delete_contact(deleted)
    ada.outlook.edit_contact(edited, {"jobTitle": "Boss"})
    ada.outlook.move_contact(moved, DEFAULT_FOLDER)
    in_outlook(ada, "Fresh")
    in_outlook(ada, "Friend", DEFAULT_FOLDER, categories=[CATEGORY])
    tenant.graph.expire_delta_tokens(ada.upn)
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert is_deleted(tenant, made[0])
    assert record(tenant, made[1])["Title"] == "Boss"
    assert list(links(tenant, ada, "opted out")) == [made[2]]
    assert {"Fresh", "Friend"} <= set(names_in(ada))
    assert sorted(row["LastName"] for row in tenant.contacts()) == sorted([*names_in(ada), "Nr02"])
    await stays_quiet(tenant)


async def test_tokens_that_expire_while_paging_make_no_duplicates(tenant: Tenant, ada: Somebody) -> None:
    tenant.graph.set_knobs(delta_page_size=7)
    ada.outlook.create_folder(FOLDER)
    for number in range(40):
        in_outlook(ada, f"Nr{number:02d}")
    batches: list[int] = []

    def expire_now_and_then(asked: Request) -> None:
        if asked.url.endswith("$batch") and b"delta" in asked.body:
            batches.append(1)
            if len(batches) in (3, 5):
                tenant.graph.expire_delta_tokens(ada.upn)

    tenant.graph_transport.before = expire_now_and_then
    await tenant.round()
    tenant.graph_transport.before = None
    assert len(batches) > 6
    assert (len(ada.items()), len(tenant.contacts())) == (40, 40)
    await agrees(tenant, ada)


@pytest.mark.parametrize("seed", range(4))
async def test_a_hostile_mailbox_changes_nothing_about_the_outcome(seed: int) -> None:
    tenant = Tenant(seed=seed)
    tenant.graph.knobs = Knobs.hostile()
    tenant.graph.set_knobs(delta_page_size=9)
    ada = tenant.person("ada")
    await set_profile(tenant, ContactsDeleteInSalesforce=True)
    made = [in_salesforce(ada, f"Nr{number:02d}", Description="eins\nzwei") for number in range(20)]
    ada.outlook.create_folder(FOLDER)
    for number in range(20, 40):
        in_outlook(ada, f"Nr{number:02d}", personalNotes="drei\nvier")
    await tenant.round()
    await tenant.later(minutes=5)
    assert (len(ada.items()), len(tenant.contacts())) == (40, 40)
    for one in made[:5]:
        ada.outlook.edit_contact(links(tenant, ada)[one], {"jobTitle": "Boss"})
    ada.crm.update(made[6], {"Phone": "1"})
    ada.crm.delete(made[7])
    ada.outlook.delete_contact(links(tenant, ada)[made[8]])
    for _ in range(6):
        await tenant.later(minutes=5)
    assert [record(tenant, one)["Title"] for one in made[:5]] == ["Boss"] * 5
    assert (len(ada.items()), len(tenant.contacts())) == (38, 38)
    tenant.graph.set_knobs(p_transient_412=0.0, notes_crlf=False)
    await agrees(tenant, ada)


async def test_a_record_that_is_committed_late_is_not_missed(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    ada.crm.create("Contact", {"LastName": "Late"}, visible_after=400)
    ada.crm.update(one, {"Phone": "1"}, visible_after=400)
    in_salesforce(ada, "Early")
    await tenant.later(minutes=5)
    assert names_in(ada) == ["Early", "Meyer"]
    in_salesforce(ada, "Later")
    await tenant.later(minutes=3)
    assert names_in(ada) == ["Early", "Late", "Later", "Meyer"]
    assert ada.outlook.contact(item)["businessPhones"] == ["1"]
    await agrees(tenant, ada)


async def test_many_records_with_one_stamp_are_read_over_all_pages(tenant: Tenant, ada: Somebody) -> None:
    tenant.salesforce.set_knobs(page_rows=10)
    made = [in_salesforce(ada, f"Nr{number:02d}") for number in range(45)]
    await tenant.round()
    assert len(ada.items()) == 45
    for one in made:
        ada.crm.update(one, {"Phone": "1"})
    await tenant.later(minutes=5)
    assert [item["businessPhones"] for item in ada.items()] == [["1"]] * 45
    await agrees(tenant, ada)


async def test_records_that_appear_while_the_first_read_pages_are_not_missed(tenant: Tenant, ada: Somebody) -> None:
    for number in range(45):
        in_salesforce(ada, f"Nr{number:02d}")
    added: list[str] = []

    def add_one(asked: Request) -> None:
        if "composite" in asked.url and b"FROM" in asked.body and len(added) < 3:
            added.append(in_salesforce(ada, f"Added{len(added)}"))

    tenant.salesforce_adapter.before = add_one
    await tenant.round()
    tenant.salesforce_adapter.before = None
    await tenant.later(minutes=5)
    assert added
    assert len(ada.items()) == 45 + len(added)
    await agrees(tenant, ada)


async def test_a_touched_record_is_no_change(tenant: Tenant, ada: Somebody) -> None:
    one, _ = await linked(tenant, ada)
    before = our_writes(tenant)
    for _ in range(3):
        tenant.salesforce.touch(one)
        await tenant.later(minutes=5)
    assert our_writes(tenant) == before
    await agrees(tenant, ada)


async def test_a_change_of_a_field_that_is_not_synced_is_no_change(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    before = our_writes(tenant)
    ada.crm.update(one, {"LeadSource": "Web"})
    ada.outlook.edit_contact(item, {"spouseName": "Alex", "initials": "M."})
    await tenant.later(minutes=5)
    assert our_writes(tenant) == before
    await agrees(tenant, ada)


# --------------------------------------------------------------------------- full comparison and sweep (E6)


async def test_a_full_comparison_repairs_what_the_cursors_did_not_see(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDeleteInSalesforce=True)
    made = [in_salesforce(ada, f"Nr{number:02d}") for number in range(20)]
    await tenant.round()
    tenant.graph.set_knobs(p_lost_removal=1.0)
    ada.outlook.delete_contact(links(tenant, ada)[made[0]])
    await tenant.later(minutes=5)
    assert not is_deleted(tenant, made[0]), "the removal was never told"
    tenant.graph.set_knobs(p_lost_removal=0.0)
    await tenant.later(minutes=5)
    tenant.clock.advance(300)
    await tenant.round(why=Why.COMPARE)
    assert is_deleted(tenant, made[0])
    assert (await tenant.last_run()).get("ContactsDrifted") == 1, "what drifted is reported"
    await agrees(tenant, ada)


async def test_the_full_comparison_runs_by_itself_once_a_day(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDeleteInSalesforce=True)
    made = [in_salesforce(ada, f"Nr{number:02d}") for number in range(20)]
    await tenant.round()
    tenant.graph.set_knobs(p_lost_removal=1.0)
    ada.outlook.delete_contact(links(tenant, ada)[made[0]])
    await tenant.later(minutes=5)
    tenant.graph.set_knobs(p_lost_removal=0.0)
    await tenant.later(hours=12)
    assert not is_deleted(tenant, made[0])
    await tenant.later(hours=13)
    assert is_deleted(tenant, made[0])
    await agrees(tenant, ada)


async def test_a_full_comparison_of_what_agrees_writes_nothing(tenant: Tenant, ada: Somebody) -> None:
    for number in range(60):
        in_salesforce(ada, f"Nr{number:02d}")
    await tenant.round()
    before = our_writes(tenant)
    for _ in range(2):
        tenant.clock.advance(300)
        await tenant.round(why=Why.COMPARE)
    assert our_writes(tenant) == before
    assert not (await tenant.last_run()).get("ContactsDrifted")
    await agrees(tenant, ada)


async def test_lost_links_are_found_again_by_the_comparison_without_a_duplicate(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada, FirstName="Mary", Email="m@example.com")
    await tenant.later(minutes=20)
    for row in state_rows(tenant, ada, ""):
        if row["_key"].startswith(("link|", "pointer|")):
            await tenant.tables.transact("SyncState", ada.id, [Remove(key=row["_key"])])
    tenant.clock.advance(300)
    await tenant.round(why=Why.COMPARE)
    assert links(tenant, ada) == {one: item}
    assert (len(ada.items()), len(tenant.contacts())) == (1, 1)
    await stays_quiet(tenant)


async def test_a_person_whose_whole_state_is_lost_is_paired_anew_without_duplicates(tenant: Tenant, ada: Somebody) -> None:
    for number in range(30):
        in_salesforce(ada, f"Nr{number:02d}", FirstName="Mary", Email=f"m{number}@example.com" if number % 2 else None, Phone="1")
    await tenant.round()
    before = dict(links(tenant, ada))
    for row in state_rows(tenant, ada, ""):
        await tenant.tables.transact("SyncState", ada.id, [Remove(key=row["_key"])])
    writes = our_writes(tenant)
    await tenant.later(minutes=5)
    assert links(tenant, ada) == before
    assert our_writes(tenant) == writes
    await agrees(tenant, ada)


@pytest.mark.parametrize("rule", ["salesforce", "outlook", "ask"])
async def test_long_notes_stay_whole_in_outlook_although_the_whole_state_is_lost(tenant: Tenant, ada: Somebody, rule: str) -> None:
    await set_profile(tenant, ContactsConflictRule=rule)
    ada.outlook.create_folder(FOLDER)
    item = in_outlook(ada, "Long", personalNotes=NOTES, emailAddresses=address("m@example.com"))
    await tenant.round()
    for row in state_rows(tenant, ada, ""):
        await tenant.tables.transact("SyncState", ada.id, [Remove(key=row["_key"])])
    writes = our_writes(tenant)
    await tenant.later(minutes=5)
    assert our_writes(tenant) == writes, "Salesforce holds of them all that it can"
    ada.crm.update(the_record(tenant, "Long")["Id"], {"Phone": "1"})
    await tenant.later(minutes=5)
    assert (ada.outlook.contact(item)["personalNotes"], ada.outlook.contact(item)["businessPhones"]) == (NOTES, ["1"])
    await agrees(tenant, ada)


async def test_lost_cursors_lead_to_a_full_read_and_nothing_else(tenant: Tenant, ada: Somebody) -> None:
    for number in range(30):
        in_salesforce(ada, f"Nr{number:02d}")
    await tenant.round()
    for row in state_rows(tenant, ada, "b-cursor|"):
        await tenant.tables.transact("SyncState", ada.id, [Remove(key=row["_key"])])
    before = our_writes(tenant)
    await tenant.later(minutes=5)
    assert our_writes(tenant) == before
    assert len(links(tenant, ada)) == 30
    await agrees(tenant, ada)


async def test_a_new_hash_key_compares_afresh_and_overwrites_nothing(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsConflictRule="ask")
    one, item = await linked(tenant, ada, Phone="1", FirstName="Mary")
    for number in range(10):
        in_salesforce(ada, f"Nr{number:02d}", Phone="1")
    await tenant.later(minutes=5)
    tenant.environ["SYNC_HASH_KEY"] = "a" * 43 + "="
    tenant.start()
    before = our_writes(tenant)
    await tenant.later(minutes=5)
    assert our_writes(tenant) == before
    ada.outlook.edit_contact(item, {"jobTitle": "Boss"})
    await tenant.later(minutes=5)
    assert record(tenant, one)["Title"] == "Boss"
    await agrees(tenant, ada)


async def test_the_sweep_finds_what_bears_no_newer_stamp(tenant: Tenant, ada: Somebody, bob: Somebody) -> None:
    await set_profile(tenant, ContactsSearch="All contacts")
    home = account(tenant, bob, "Home")
    old = in_salesforce(bob, "Old", AccountId=home)
    for number in range(5):
        in_salesforce(ada, f"Own{number}")
    await tenant.round()
    await tenant.later(hours=3)
    tenant.salesforce.share(old, ada.username, "edit")
    await tenant.later(minutes=5)
    await tenant.later(minutes=65)
    assert "Old" in names_in(ada), "a new share bumps no stamp; the sweep brings the record"
    await stays_quiet(tenant)


async def test_a_sweep_over_several_pages_deletes_nothing_that_is_on_the_next_page(tenant: Tenant, ada: Somebody) -> None:
    tenant.salesforce.set_knobs(page_rows=10)
    for number in range(45):
        in_salesforce(ada, f"Nr{number:02d}")
    await tenant.round()
    before = our_writes(tenant)
    for _ in range(3):
        await tenant.later(minutes=65)
    assert our_writes(tenant) == before
    assert await approvals(tenant, ada) == []
    await agrees(tenant, ada)


async def test_other_settings_lead_to_a_full_read_that_keeps_the_links(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    await set_profile(tenant, CategoryName="Kunde")
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert "Kunde" in ada.outlook.contact(item)["categories"]
    assert links(tenant, ada) == {one: item}
    await stays_quiet(tenant)


async def test_an_older_state_that_comes_again_is_a_replay_and_not_an_edit(tenant: Tenant, ada: Somebody) -> None:
    tenant.graph.set_knobs(p_replay=1.0)
    one, item = await linked(tenant, ada, Title="A")
    for title in ("B", "C", "D"):
        ada.crm.update(one, {"Title": title})
        await tenant.later(minutes=5)
        assert (record(tenant, one)["Title"], ada.outlook.contact(item)["jobTitle"]) == (title, title)
    ada.outlook.edit_contact(item, {"jobTitle": "E"})
    await tenant.later(minutes=5)
    assert record(tenant, one)["Title"] == "E"
    await agrees(tenant, ada)


async def test_ghosts_that_came_and_went_between_two_reads_harm_nothing(tenant: Tenant, ada: Somebody) -> None:
    tenant.graph.set_knobs(p_ghost_removed=1.0, replay_deleted=True, p_replay=0.5)
    await linked(tenant, ada)
    for number in range(4):
        ghost = in_outlook(ada, f"Ghost{number}")
        ada.outlook.delete_contact(ghost)
        await tenant.later(minutes=5)
    assert [row["LastName"] for row in tenant.contacts()] == ["Meyer"]
    assert await error_rows(tenant, ada) == []
    await agrees(tenant, ada)


async def test_an_endless_delta_does_not_run_for_ever(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    tenant.graph.set_knobs(endless_delta=True)
    ada.outlook.edit_contact(item, {"jobTitle": "Boss"})
    before = len(tenant.graph_transport.requests)
    await tenant.later(minutes=5)
    assert len(tenant.graph_transport.requests) - before < 400
    tenant.graph.set_knobs(endless_delta=False)
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert record(tenant, one)["Title"] == "Boss"
    await agrees(tenant, ada)


async def test_contact_lists_in_the_folder_are_left_alone(tenant: Tenant, ada: Somebody) -> None:
    await linked(tenant, ada)
    ada.outlook.add_contact_list(FOLDER)
    await tenant.later(hours=25)
    assert names_in(ada) == ["Meyer"]
    await agrees(tenant, ada)


async def test_many_folders_take_turns_and_none_is_forgotten(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    folders = [ada.outlook.create_folder(f"Folder{number:02d}") for number in range(45)]
    await tenant.later(minutes=5)
    for number, folder in enumerate(folders):
        in_outlook(ada, f"Nr{number:02d}", folder, categories=[CATEGORY])
    for _ in range(12):
        await tenant.later(minutes=5)
    assert len(ada.items()) == 45
    for requests in tenant.graph_transport.requests:
        if requests.url.endswith("$batch"):
            assert len(json.loads(requests.body)["requests"]) <= 20
    await agrees(tenant, ada)


async def test_a_contact_that_changes_hands_between_folders_during_the_round_is_not_lost(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsDeleteInSalesforce=True)
    one, item = await linked(tenant, ada)
    moved: list[bool] = []

    def move_out_and_back(asked: Request) -> None:
        if asked.url.endswith("$batch") and not moved:
            moved.append(True)
            ada.outlook.move_contact(item, DEFAULT_FOLDER)
        elif asked.url.endswith("$batch") and len(moved) == 1:
            moved.append(True)
            ada.outlook.move_contact(item, FOLDER)

    tenant.graph_transport.before = move_out_and_back
    await tenant.later(minutes=5)
    tenant.graph_transport.before = None
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert not is_deleted(tenant, one)
    assert has_item(ada, item)
    await agrees(tenant, ada)


async def test_a_spoilt_etag_in_the_state_costs_one_look_and_no_write(tenant: Tenant, ada: Somebody) -> None:
    one, item = await linked(tenant, ada)
    (row,) = state_rows(tenant, ada, "link|")
    values = {name: value for name, value in row.items() if name != "_key"} | {"Etag": 'W/"old"'}
    await tenant.tables.transact("SyncState", ada.id, [Replace(key=row["_key"], values=values)])
    ada.crm.update(one, {"Phone": "1"})
    await tenant.later(minutes=5)
    assert ada.outlook.contact(item)["businessPhones"] == ["1"]
    await agrees(tenant, ada)


async def test_the_same_item_in_two_pages_of_a_first_read_makes_one_record(tenant: Tenant, ada: Somebody) -> None:
    tenant.graph.set_knobs(p_duplicate=1.0, delta_page_size=5)
    ada.outlook.create_folder(FOLDER)
    for number in range(23):
        in_outlook(ada, f"Nr{number:02d}", emailAddresses=address(f"a{number}@example.com"))
    await tenant.round()
    assert len(tenant.contacts()) == 23
    await agrees(tenant, ada)


async def test_an_item_that_is_opted_in_while_another_page_is_read_is_found(tenant: Tenant, ada: Somebody) -> None:
    tenant.graph.set_knobs(delta_page_size=5)
    for number in range(20):
        in_outlook(ada, f"Private{number:02d}", DEFAULT_FOLDER)
    seen: list[int] = []

    def opt_in(asked: Request) -> None:
        if asked.url.endswith("$batch"):
            seen.append(1)
            if len(seen) == 4:
                ada.outlook.edit_contact(the_item(ada, "Private00", DEFAULT_FOLDER)["id"], {"categories": [CATEGORY]})

    tenant.graph_transport.before = opt_in
    await tenant.round()
    tenant.graph_transport.before = None
    await tenant.later(minutes=5)
    assert names_in(ada) == ["Private00"]
    assert the_record(tenant, "Private00")
    await agrees(tenant, ada)
