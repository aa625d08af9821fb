"""Group members and people, against the simulator's directory."""

import pytest

from local.sandbox.http import Request, Response
from shared.errors import Code, Permanent
from sync.ports import Person
from tests.connectors.graph.scene import Scene, parts


def staffed(count: int) -> tuple[Scene, str]:
    scene = Scene()
    people = [scene.graph.add_user(f"p{n}@contoso.com", display_name=f"P{n}", enabled=n != 1) for n in range(count)]
    inner = scene.graph.add_group("Inner", people[1:])
    return scene, scene.graph.add_group("Sales", [people[0], inner])


async def test_members_of_nested_groups_come_flat_with_their_names() -> None:
    scene, group = staffed(3)
    members = await scene.directory.members(group)
    assert sorted((one.principal_name, one.mail, one.name, one.enabled) for one in members) == [
        ("p0@contoso.com", "p0@contoso.com", "P0", True),
        ("p1@contoso.com", "p1@contoso.com", "P1", False),
        ("p2@contoso.com", "p2@contoso.com", "P2", True),
    ]


async def test_the_request_is_the_documented_one() -> None:
    scene, group = staffed(1)
    await scene.directory.members(group)
    (request,) = scene.wire.requests
    assert request.path == f"/v1.0/groups/{group}/transitiveMembers/microsoft.graph.user"
    assert request.query == {"$select": "id,userPrincipalName,mail,displayName,accountEnabled", "$count": "true", "$top": "999"}
    assert request.headers["consistencylevel"] == "eventual"


async def test_a_large_group_comes_in_pages() -> None:
    scene, group = staffed(2_100)
    assert len({one.id for one in await scene.directory.members(group)}) == 2_100
    assert len(scene.wire.requests) == 3


async def test_a_service_that_refuses_the_cast_is_asked_without_it() -> None:
    scene, group = staffed(3)

    def refuse(request: Request) -> Response | None:
        return Response.of(400, {"error": {"code": "Request_UnsupportedQuery"}}) if "graph.user" in request.path else None

    scene.wire.before = refuse
    assert len(await scene.directory.members(group)) == 3


@pytest.mark.parametrize("group", ["11111111-1111-1111-1111-111111111111", "not an id", ""])
async def test_a_group_that_is_none_is_named_so(group: str) -> None:
    scene = Scene()
    with pytest.raises(Permanent) as raised:
        await scene.directory.members(group)
    assert raised.value.code is Code.GROUP_NOT_FOUND


@pytest.mark.parametrize(
    ("roles", "permission"), [({"User.ReadBasic.All"}, "GroupMember.Read.All"), ({"GroupMember.Read.All"}, "User.ReadBasic.All")]
)
async def test_a_missing_permission_is_named(roles: set[str], permission: str) -> None:
    scene, group = staffed(2)
    scene.graph.roles = roles
    with pytest.raises(Permanent) as raised:
        await scene.directory.members(group)
    assert raised.value.code is Code.GRAPH_PERMISSION_MISSING
    assert permission in raised.value.text


async def test_people_are_found_by_id_and_by_principal_name_in_one_request() -> None:
    scene = Scene()
    guest = scene.graph.add_user("eva_fabrikam.com#EXT#@contoso.com", mail="eva@fabrikam.com", display_name="Eva")

    found = await scene.directory.people([scene.anna, "eva_fabrikam.com#EXT#@contoso.com", "nobody@contoso.com", "", " "])

    eva = Person(id=guest, principal_name="eva_fabrikam.com#EXT#@contoso.com", mail="eva@fabrikam.com", name="Eva")
    assert found["eva_fabrikam.com#EXT#@contoso.com"] == eva
    assert (found["nobody@contoso.com"], found[""], found[" "]) == (None, None, None)
    assert found[scene.anna] is not None
    assert [len(parts(request)) for request in scene.wire.requests] == [3]


async def test_nobody_to_look_up_is_no_request() -> None:
    scene = Scene()
    assert await scene.directory.people([]) == {}
    assert scene.wire.requests == []
