"""Users and groups, and the rules of advanced queries over them."""

import pytest

from local.sandbox.graph import Knobs
from tests.sandbox.graph.asking import Json, Tenant, refused

CAST = "transitiveMembers/microsoft.graph.user"
QUERY = "?$select=id,userPrincipalName,mail,displayName,accountEnabled&$count=true&$top=999"


@pytest.fixture
def crew(tenant: Tenant) -> str:
    """A group of Anna, Ben and a group of Cleo, Ben and the group itself."""
    for name in ("ben", "cleo"):
        tenant.graph.add_user(f"{name}@contoso.com", display_name=name.title(), enabled=name != "cleo")
    inner = tenant.graph.add_group("Inner", ["cleo@contoso.com", "ben@contoso.com"])
    outer = tenant.graph.add_group("Outer", ["anna@contoso.com", "ben@contoso.com", inner])
    tenant.graph.set_members(inner, ["cleo@contoso.com", "ben@contoso.com", outer])
    return outer


def members(tenant: Tenant, group: str, query: str = QUERY) -> Json:
    return tenant.get(f"/groups/{group}/{CAST}{query}", consistencylevel="eventual")


def test_a_user_is_found_by_id_and_by_name(tenant: Tenant) -> None:
    by_name = tenant.get("/users/ANNA@contoso.com")
    assert by_name["id"] == tenant.anna
    assert "accountEnabled" not in by_name
    selected = tenant.get(f"/users/{tenant.anna}?$select=accountEnabled,mail")
    assert (selected["accountEnabled"], selected["mail"], "displayName" in selected) == (True, "anna@contoso.com", False)
    assert refused(tenant.ask("GET", "/users/nobody@contoso.com"), 404, "Request_ResourceNotFound")
    assert refused(tenant.ask("GET", f"/users/{tenant.anna}?$select=shoeSize"), 400, "RequestBroker--ParseUri")


def test_a_renamed_user_is_found_by_the_new_name_with_the_same_mailbox(tenant: Tenant) -> None:
    made = tenant.make(surname="A")
    tenant.graph.change_user(tenant.anna, upn="anna.new@contoso.com")
    assert refused(tenant.ask("GET", "/users/anna@contoso.com"), 404, "Request_ResourceNotFound")
    assert tenant.get(f"/users/anna.new@contoso.com/contacts/{made['id']}")["surname"] == "A"


def test_members_of_nested_groups_come_flat_and_once(tenant: Tenant, crew: str) -> None:
    page = members(tenant, crew)
    assert [entry["displayName"] for entry in page["value"]] == ["Anna", "Ben", "Cleo"]
    assert page["@odata.count"] == 3
    assert [entry["accountEnabled"] for entry in page["value"]] == [True, True, False]


def test_the_cast_needs_the_consistency_header_and_count(tenant: Tenant, crew: str) -> None:
    path = f"/groups/{crew}/{CAST}"
    assert refused(tenant.ask("GET", f"{path}{QUERY}"), 400, "Request_UnsupportedQuery")
    assert refused(tenant.ask("GET", f"{path}?$select=id", consistencylevel="eventual"), 400, "Request_UnsupportedQuery")
    device = f"/groups/{crew}/transitiveMembers/microsoft.graph.fruit?$count=true"
    assert refused(tenant.ask("GET", device, consistencylevel="eventual"), 400, "Request_UnsupportedQuery")
    assert refused(tenant.ask("GET", f"{path}?$count=true&$top=1000", consistencylevel="eventual"), 400, "Request_UnsupportedQuery")


def test_without_the_cast_every_kind_of_member_comes(tenant: Tenant, crew: str) -> None:
    page = tenant.get(f"/groups/{crew}/transitiveMembers")
    kinds = [entry["@odata.type"] for entry in page["value"]]
    assert sorted(kinds) == ["#microsoft.graph.group", *["#microsoft.graph.user"] * 3]
    direct = tenant.get(f"/groups/{crew}/members")["value"]
    assert len(direct) == 3


def test_members_come_in_pages_of_a_hundred(tenant: Tenant) -> None:
    people = [tenant.graph.add_user(f"u{number}@contoso.com") for number in range(230)]
    group = tenant.graph.add_group("Many", people)
    first = members(tenant, group, "?$select=id&$count=true")
    assert (len(first["value"]), first["@odata.count"]) == (100, 230)
    assert refused(tenant.ask("GET", first["@odata.nextLink"]), 400, "Request_UnsupportedQuery")
    second = tenant.get(first["@odata.nextLink"], consistencylevel="eventual")
    third = tenant.get(second["@odata.nextLink"], consistencylevel="eventual")
    found = [entry["id"] for page in (first, second, third) for entry in page["value"]]
    assert found == people
    assert set(second["value"][0]) == {"@odata.type", "id"}
    assert len(members(tenant, group)["value"]) == 230


def test_without_permission_for_users_only_id_and_type_are_told(tenant: Tenant, crew: str) -> None:
    tenant.graph.roles = {"GroupMember.Read.All"}
    entry = members(tenant, crew)["value"][0]
    assert entry == {
        "@odata.type": "#microsoft.graph.user",
        "id": tenant.anna,
        "userPrincipalName": None,
        "mail": None,
        "displayName": None,
        "accountEnabled": None,
    }


def test_with_basic_permission_whether_an_account_is_enabled_stays_hidden(tenant: Tenant, crew: str) -> None:
    tenant.graph.roles = {"GroupMember.Read.All", "User.ReadBasic.All"}
    entry = members(tenant, crew)["value"][0]
    assert (entry["userPrincipalName"], entry["accountEnabled"]) == ("anna@contoso.com", None)
    assert tenant.get(f"/users/{tenant.anna}?$select=mail,accountEnabled")["accountEnabled"] is None


def test_an_unknown_group_is_not_found_and_a_crooked_id_is_refused(tenant: Tenant) -> None:
    unknown = tenant.ask("GET", f"/groups/{tenant.graph.mint.guid()}/{CAST}{QUERY}", consistencylevel="eventual")
    assert refused(unknown, 404, "Request_ResourceNotFound")
    assert refused(tenant.ask("GET", f"/groups/x/{CAST}{QUERY}", consistencylevel="eventual"), 400, "Request_BadRequest")


def test_the_index_of_members_lags_behind() -> None:
    tenant = Tenant(Knobs(directory_lag=60))
    ben = tenant.graph.add_user("ben@contoso.com")
    group = tenant.graph.add_group("G", [tenant.anna])
    tenant.clock.advance(100)
    tenant.graph.set_members(group, [ben])
    assert [entry["id"] for entry in members(tenant, group)["value"]] == [tenant.anna]
    assert [entry["id"] for entry in tenant.get(f"/groups/{group}/members")["value"]] == [ben]
    tenant.clock.advance(60)
    assert [entry["id"] for entry in members(tenant, group)["value"]] == [ben]


def test_a_removed_user_is_gone_with_the_mailbox(tenant: Tenant, crew: str) -> None:
    tenant.graph.remove_user("ben@contoso.com")
    assert [entry["displayName"] for entry in members(tenant, crew)["value"]] == ["Anna", "Cleo"]
    assert refused(tenant.ask("GET", "/users/ben@contoso.com/contacts"), 404, "ErrorInvalidUser")


def test_users_can_be_listed_and_filtered(tenant: Tenant, crew: str) -> None:
    assert len(tenant.get("/users")["value"]) == 3
    found = tenant.get("/users?$filter=mail eq 'BEN@contoso.com' and accountEnabled eq true&$select=id,mail")["value"]
    assert [entry["mail"] for entry in found] == ["ben@contoso.com"]
    assert tenant.get(f"/groups/{crew}?$select=displayName")["displayName"] == "Outer"
