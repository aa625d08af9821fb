"""Delta: rounds, pages, generations and every unpleasant habit of the sync state."""

import pytest

from local.sandbox.graph import Knobs
from tests.sandbox.graph.asking import IMMUTABLE, STAMP, Json, Tenant, code, refused


def names(items: list[Json]) -> list[str]:
    return [item.get("surname", "@removed") for item in items]


def delta(tenant: Tenant, query: str = "") -> str:
    return f"{tenant.contacts}/delta{query}"


def test_the_first_round_shows_what_is_there_and_the_next_what_changed(tenant: Tenant) -> None:
    kept, edited, deleted = (tenant.make(surname=name)["id"] for name in ("Kept", "Edited", "Deleted"))
    items, link, pages = tenant.round(delta(tenant), size=2)
    assert (names(items), pages) == (["Kept", "Edited", "Deleted"], 2)
    assert items[0]["@odata.type"] == "#microsoft.graph.contact"
    assert items[0]["@odata.etag"] == tenant.get(f"{tenant.at}/contacts/{kept}")["@odata.etag"]
    tenant.people.edit_contact(edited, {"jobTitle": "x"})
    tenant.ask("DELETE", f"{tenant.at}/contacts/{deleted}")
    tenant.make(surname="New")
    items, link, _ = tenant.round(link)
    assert names(items) == ["Edited", "@removed", "New"]
    assert items[1] == {"@odata.type": "#microsoft.graph.contact", "id": deleted, "@removed": {"reason": "deleted"}}
    assert tenant.round(link)[0] == []


@pytest.mark.parametrize("spelling", ["delta", "delta()", "microsoft.graph.delta()", "microsoft.graph.delta"])
def test_delta_has_several_spellings(tenant: Tenant, spelling: str) -> None:
    tenant.make(surname="A")
    assert names(tenant.round(f"{tenant.contacts}/{spelling}")[0]) == ["A"]


def test_the_selection_stays_in_the_token(tenant: Tenant) -> None:
    made = tenant.make(surname="A", jobTitle="x")
    items, link, _ = tenant.round(delta(tenant, "?$select=surname"))
    assert set(items[0]) == {"@odata.type", "@odata.etag", "id", "surname"}
    tenant.people.edit_contact(made["id"], {"jobTitle": "y"})
    items, link, _ = tenant.round(link)
    assert set(items[0]) == {"@odata.type", "@odata.etag", "id", "surname"}
    assert tenant.ask("GET", f"{link}&$select=jobTitle").status == 400


@pytest.mark.parametrize(
    "option", ["$filter=surname eq 'x'", "$expand=photo", "$top=5", "$orderby=surname", "$deltatoken=", "$select=nope"]
)
def test_only_select_is_understood(tenant: Tenant, option: str) -> None:
    response = tenant.ask("GET", delta(tenant, f"?{option}"))
    assert response.status == (200 if option == "$deltatoken=" else 400)


def test_the_answer_says_which_preferences_it_honoured(tenant: Tenant) -> None:
    response = tenant.ask("GET", delta(tenant), prefer=f"{IMMUTABLE}, odata.maxpagesize=7, respond-sooner")
    assert response.headers["preference-applied"] == 'IdType="ImmutableId", odata.maxpagesize=7, odata.track-changes'
    assert "preference-applied" not in tenant.ask("GET", f"{tenant.at}/contacts", prefer="respond-sooner").headers


def test_a_move_by_a_person_is_removed_here_and_new_there_under_one_immutable_id(tenant: Tenant) -> None:
    made = tenant.make(surname="A")
    _, here, _ = tenant.round(delta(tenant))
    _, there, _ = tenant.round(f"{tenant.at}/contactFolders/contacts/contacts/delta")
    regular = tenant.people.regular_id(made["id"])
    tenant.people.move_contact(made["id"], "contacts")
    gone, _, _ = tenant.round(here)
    came, _, _ = tenant.round(there)
    assert [(item["id"], "@removed" in item) for item in gone] == [(made["id"], True)]
    assert [(item["id"], "@removed" in item) for item in came] == [(made["id"], False)]
    assert tenant.get(there, prefer=None)["value"][0]["id"] == tenant.people.regular_id(made["id"]) != regular


def test_a_restored_contact_comes_back_under_its_immutable_id(tenant: Tenant) -> None:
    made = tenant.make(surname="A")
    _, link, _ = tenant.round(delta(tenant))
    tenant.people.delete_contact(made["id"])
    items, link, _ = tenant.round(link)
    assert names(items) == ["@removed"]
    tenant.people.restore_contact(made["id"], tenant.folder)
    items, _, _ = tenant.round(link)
    assert [item["id"] for item in items] == [made["id"]]


def test_a_photo_does_not_surface_but_a_stamp_does(tenant: Tenant) -> None:
    made = tenant.make(surname="A")
    _, link, _ = tenant.round(delta(tenant))
    tenant.ask("PUT", f"{tenant.at}/contacts/{made['id']}/photo/$value", b"x", content_type="image/png")
    items, link, _ = tenant.round(link)
    assert items == []
    tenant.ask("PATCH", f"{tenant.at}/contacts/{made['id']}", {"singleValueExtendedProperties": [{"id": STAMP, "value": "1"}]})
    items, _, _ = tenant.round(link)
    assert names(items) == ["A"]
    assert "singleValueExtendedProperties" not in items[0]


def test_a_round_shows_the_mailbox_as_it_was_when_it_began(tenant: Tenant) -> None:
    ids = [tenant.make(surname=f"{number}")["id"] for number in range(3)]
    first = tenant.get(delta(tenant), prefer=f"{IMMUTABLE}, odata.maxpagesize=1")
    tenant.people.edit_contact(ids[2], {"surname": "changed"})
    tenant.people.delete_contact(ids[1])
    rest, link, _ = tenant.round(first["@odata.nextLink"])
    assert names(rest) == ["1", "2"]
    assert sorted(names(tenant.round(link)[0])) == ["@removed", "changed"]


def test_a_page_may_show_the_newest_state_before_the_round_ends() -> None:
    tenant = Tenant(Knobs(p_fresh_page=1))
    ids = [tenant.make(surname=f"{number}")["id"] for number in range(2)]
    first = tenant.get(delta(tenant), prefer=f"{IMMUTABLE}, odata.maxpagesize=1")
    tenant.people.edit_contact(ids[1], {"surname": "changed"})
    rest, link, _ = tenant.round(first["@odata.nextLink"])
    assert names(rest) == ["changed"]
    assert names(tenant.round(link)[0]) == ["changed"]


def test_links_die_three_generations_later_even_while_paging(tenant: Tenant) -> None:
    for number in range(8):
        tenant.make(surname=str(number))
    prefer = "odata.maxpagesize=1"
    links = [tenant.get(delta(tenant), prefer=prefer)["@odata.nextLink"]]
    for _ in range(3):
        links.append(tenant.get(links[-1], prefer=prefer)["@odata.nextLink"])
    assert refused(tenant.ask("GET", links[0]), 410, "SyncStateNotFound")
    message = tenant.ask("GET", links[0]).json()["error"]["message"]
    assert message.startswith("The sync state generation is not found; generation=")
    assert tenant.ask("GET", links[3], prefer=prefer).status == 200


def test_a_link_can_be_fetched_again_after_a_lost_answer(tenant: Tenant) -> None:
    for number in range(4):
        tenant.make(surname=str(number))
    link = tenant.get(delta(tenant), prefer="odata.maxpagesize=2")["@odata.nextLink"]
    once, again = tenant.get(link), tenant.get(link)
    assert once["value"] == again["value"]
    assert once["@odata.deltaLink"] != again["@odata.deltaLink"]
    tenant.make(surname="New")
    assert names(tenant.round(once["@odata.deltaLink"])[0]) == ["New"]


def test_all_links_of_a_mailbox_can_expire(tenant: Tenant) -> None:
    for number in range(3):
        tenant.make(surname=str(number))
    paging = tenant.get(delta(tenant), prefer="odata.maxpagesize=1")["@odata.nextLink"]
    _, done, _ = tenant.round(f"{tenant.at}/contactFolders/delta")
    assert tenant.graph.expire_delta_tokens("anna@contoso.com") == 2
    for link in (paging, done):
        assert refused(tenant.ask("GET", link), 410, "SyncStateNotFound")
    assert len(tenant.round(delta(tenant))[0]) == 3


def test_a_forgotten_link_may_be_answered_in_any_documented_way(tenant: Tenant) -> None:
    tenant.graph.set_knobs(odd_expiry=True)
    _, link, _ = tenant.round(delta(tenant))
    tenant.graph.expire_delta_tokens(tenant.anna)
    seen = set()
    for _ in range(40):
        response = tenant.ask("GET", link)
        seen.add((response.status, code(response)))
        if code(response) == "resyncRequired":
            assert tenant.round(response.headers["location"])[0] == []
    assert seen == {(410, "SyncStateNotFound"), (410, "syncStateNotFound"), (410, "resyncRequired"), (400, "InvalidDeltaToken")}


def test_a_round_may_never_end(tenant: Tenant) -> None:
    tenant.graph.set_knobs(endless_delta=True)
    tenant.make(surname="A")
    link, links = delta(tenant), set()
    for _ in range(10):
        page = tenant.get(link)
        assert names(page["value"]) == ["A"]
        link = page["@odata.nextLink"]
        links.add(link)
    assert len(links) == 10


def test_a_removal_may_get_lost(tenant: Tenant) -> None:
    tenant.graph.set_knobs(p_lost_removal=1)
    made = tenant.make(surname="A")
    _, link, _ = tenant.round(delta(tenant))
    tenant.people.delete_contact(made["id"])
    assert tenant.round(link)[0] == []


def test_the_oldest_chain_is_evicted_when_there_are_too_many() -> None:
    tenant = Tenant(Knobs(delta_chains=2))
    links = [tenant.round(delta(tenant))[1] for _ in range(3)]
    assert [tenant.ask("GET", link).status for link in links] == [410, 200, 200]


def test_a_link_belongs_to_its_collection(tenant: Tenant) -> None:
    _, link, _ = tenant.round(delta(tenant))
    token = link.partition("?")[2]
    assert tenant.ask("GET", f"{tenant.at}/contactFolders/contacts/contacts/delta?{token}").status == 400


def test_the_link_of_a_deleted_folder_finds_nothing(tenant: Tenant) -> None:
    _, link, _ = tenant.round(delta(tenant))
    tenant.people.delete_folder(tenant.folder)
    assert code(tenant.ask("GET", link)) == "ErrorItemNotFound"


def test_a_page_may_be_empty_and_still_have_a_next_link() -> None:
    tenant = Tenant(Knobs(p_empty_page=1))
    tenant.make(surname="A")
    first = tenant.get(delta(tenant))
    assert (first["value"], "@odata.nextLink" in first) == ([], True)
    assert names(tenant.round(first["@odata.nextLink"])[0]) == ["A"]


def test_a_change_shows_only_after_the_lag() -> None:
    tenant = Tenant(Knobs(delta_lag=30))
    _, link, _ = tenant.round(delta(tenant))
    tenant.make(surname="A")
    items, link, _ = tenant.round(link)
    assert items == []
    tenant.clock.advance(30)
    assert names(tenant.round(link)[0]) == ["A"]


def test_a_replay_shows_an_older_state_and_the_round_after_is_right_again() -> None:
    tenant = Tenant(Knobs(p_replay=1))
    made = tenant.make(surname="Old")
    tenant.clock.advance(5)
    tenant.people.edit_contact(made["id"], {"surname": "New"})
    link, seen = delta(tenant), set()
    for _ in range(20):
        items, link, _ = tenant.round(link)
        seen |= {(item["surname"], item["lastModifiedDateTime"]) for item in items}
    assert seen == {("Old", "2026-03-01T08:00:00Z"), ("New", "2026-03-01T08:00:05Z")}


def test_an_item_may_come_twice_in_a_round() -> None:
    tenant = Tenant(Knobs(p_duplicate=1, shuffle_delta=True))
    for number in range(4):
        tenant.make(surname=str(number))
    first = tenant.get(delta(tenant), prefer="odata.maxpagesize=3")
    second = tenant.get(first["@odata.nextLink"], prefer="odata.maxpagesize=3")
    shown = names(first["value"]) + names(second["value"])
    assert (len(shown), len(set(shown))) == (5, 4)


@pytest.mark.parametrize(("chance", "expected"), [(0.0, []), (1.0, ["@removed"])])
def test_what_came_and_went_between_two_reads_may_show_as_removed(chance: float, expected: list[str]) -> None:
    tenant = Tenant(Knobs(p_ghost_removed=chance))
    _, link, _ = tenant.round(delta(tenant))
    tenant.people.delete_contact(tenant.make(surname="A")["id"])
    assert names(tenant.round(link)[0]) == expected


def test_odd_links_lead_to_the_same_place() -> None:
    tenant = Tenant(Knobs(odd_links=True))
    link, spellings = delta(tenant), set()
    for number in range(12):
        tenant.make(surname=str(number))
        items, link, _ = tenant.round(link)
        assert names(items) == [str(number)]
        spellings.add(link.partition("?")[0].replace(tenant.folder, "F").replace(tenant.anna, "U"))
    assert len(spellings) > 1


@pytest.mark.parametrize("seed", range(25))
def test_a_client_that_looks_closer_at_removals_and_at_times_ends_with_the_truth(seed: int) -> None:
    """The hostile service may repeat, reorder and age what it shows; the last state of every item still arrives."""
    knobs = Knobs.hostile()
    knobs.p_transient_412 = 0
    tenant = Tenant(knobs, seed=seed)
    rng = tenant.graph.rng
    known: dict[str, Json] = {}
    link = delta(tenant)

    def read(link: str) -> str:
        items, after, _ = tenant.round(link, size=3)
        for item in items:
            if "@removed" in item:
                if tenant.ask("GET", f"{tenant.contacts}/{item['id']}").status == 404:
                    known.pop(item["id"], None)
            elif item["id"] not in known or known[item["id"]]["lastModifiedDateTime"] <= item["lastModifiedDateTime"]:
                known[item["id"]] = item
        return after

    for step in range(40):
        tenant.clock.advance(3)
        here = tenant.people.contacts(tenant.folder)
        match rng.randrange(5) if here else 0:
            case 0 | 1:
                tenant.people.create_contact(tenant.folder, {"surname": f"{step}"})
            case 2:
                tenant.people.edit_contact(rng.choice(here)["id"], {"surname": f"{step}"})
            case 3:
                tenant.people.delete_contact(rng.choice(here)["id"])
            case _:
                tenant.people.move_contact(rng.choice(here)["id"], "contacts")
        if rng.random() < 0.5:
            link = read(link)
    tenant.clock.advance(10)
    read(read(link))
    truth = {contact["id"]: contact["surname"] for contact in tenant.people.contacts(tenant.folder)}
    assert {one: item["surname"] for one, item in known.items()} == truth
