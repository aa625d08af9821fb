"""Reading a mailbox's contacts, against the simulator."""

from typing import Any

import pytest

from local.sandbox.faults import ConnectionCut
from local.sandbox.graph import Knobs
from local.sandbox.http import Request, Response
from shared.errors import Code, Permanent, Temporary
from shared.records import Place
from sync.connectors.graph import Home, begin_again
from tests.connectors.graph.scene import CATEGORY, FOLDER, Scene, parts

SELECT = "$select=id,parentFolderId,categories,changeKey,lastModifiedDateTime,surname,mobilePhone,displayName"
LISTING = "?$top=100&$select=id,displayName,parentFolderId"


async def test_a_quiet_read_is_one_http_request_with_these_requests_in_this_order() -> None:
    scene = Scene()
    await scene.read()
    scene.person_makes("Own", "contacts")
    await scene.read()
    start = len(scene.wire.requests)
    state = scene.state

    page = await scene.read_page()

    assert (page.items, page.removed, page.more, page.full) == ((), (), False, False)
    assert len(scene.wire.requests) == start + 1
    assert scene.sent(start) == [
        f"GET /users/anna/contactFolders{LISTING}",
        f"GET /users/anna/contactFolders/<{FOLDER}>/contacts/delta?$deltatoken=…",
        "GET /users/anna/contactFolders/contacts/contacts/delta?$deltatoken=…",
        f"GET /users/anna/contactFolders/<{FOLDER}>/childFolders{LISTING}",
    ]
    assert state.keys() == scene.state.keys()


async def test_the_first_read_makes_folder_and_category_and_reads_every_folder() -> None:
    scene = Scene()
    outer = scene.people.create_folder("Family")
    scene.people.create_folder("Cousins", outer)
    for name, folder in (("Default", "contacts"), ("Aunt", "Family"), ("Cousin", "Cousins")):
        scene.person_makes(name, folder)

    pages = await scene.read()

    assert [folder["displayName"] for folder in scene.people.folders()].count(FOLDER) == 1
    assert [category["displayName"] for category in scene.people.categories()] == [CATEGORY]
    assert {item.raw["surname"] for page in pages for item in page.items} == {"Default", "Aunt", "Cousin"}
    assert all(page.full for page in pages)
    assert not (await scene.read_page()).full


async def test_every_request_asks_for_immutable_ids_and_names_itself() -> None:
    scene = Scene()
    await scene.read()

    for request in scene.wire.requests:
        assert 'IdType="ImmutableId"' in request.headers["prefer"]
        assert request.headers["client-request-id"].startswith("request-")
        assert all('IdType="ImmutableId"' in part["headers"]["Prefer"] for part in parts(request))
    assert len(scene.counted) == len(scene.wire.requests)


async def test_items_tell_their_place_and_their_mark() -> None:
    scene = Scene()
    await scene.read()
    scene.person_makes("Inside", categories=["Friends", "SALESFORCE"])
    scene.person_makes("Bare")
    scene.person_makes("Marked", "contacts", categories=["Salesforce"])
    own = scene.person_makes("Own", "contacts")

    items = await scene.items()

    assert {name: (item.place, item.marked) for name, item in items.items()} == {
        "Inside": (Place.INSIDE, True),
        "Bare": (Place.INSIDE, False),
        "Marked": (Place.OUTSIDE, True),
        own: (Place.OUTSIDE, False),
    }
    assert items["Inside"].fields == {"last_name": "Inside", "phone": "1"}
    assert items["Inside"].version.startswith('W/"')
    assert items["Inside"].modified == scene.clock.now()


async def test_large_folders_come_a_page_at_a_time_and_the_state_is_enough_to_go_on() -> None:
    scene = Scene(page_size=10)
    scene.people.create_folder(FOLDER)
    for number in range(35):
        scene.person_makes(f"In{number}")
        scene.person_makes(f"Out{number}", "contacts", categories=[CATEGORY])
    seen: set[str] = set()
    pages = 0
    while True:
        scene.mailbox = scene.open()  # each page by another run
        page = await scene.read_page()
        pages += 1
        assert len(page.items) <= 20
        seen |= {item.fields["last_name"] or "" for item in page.items}
        if not page.more:
            break
    assert len(seen) == 70
    assert 4 <= pages <= 6


async def test_a_hostile_service_hides_nothing() -> None:
    scene = Scene(Knobs.hostile(), page_size=7)
    scene.people.create_folder(FOLDER)
    made = {scene.person_makes(f"P{number}") for number in range(40)}
    scene.clock.advance(10)

    seen = {item.id for page in await scene.read() for item in page.items}

    assert made <= seen


async def test_a_moved_contact_is_an_item_and_not_a_removal() -> None:
    scene = Scene()
    await scene.read()
    moved = scene.person_makes("Mover")
    await scene.read()
    scene.people.move_contact(moved, "contacts")

    (page,) = await scene.read()

    assert [(item.id, item.place) for item in page.items] == [(moved, Place.OUTSIDE)]
    assert page.removed == ()


async def test_a_deleted_contact_is_a_removal_and_absent_by_id() -> None:
    scene = Scene()
    await scene.read()
    gone = scene.person_makes("Gone")
    await scene.read()
    scene.people.delete_contact(gone)

    (page,) = await scene.read()

    assert (page.items, page.removed) == ((), (gone,))


async def test_a_renamed_folder_is_followed_also_when_everything_is_read_again() -> None:
    scene = Scene()
    await scene.read()
    folder = scene.folder
    scene.people.rename_folder(FOLDER, "Customers")
    scene.person_makes("New", "Customers")

    assert (await scene.items())["New"].place is Place.INSIDE
    scene.state = begin_again(scene.state)
    scene.mailbox = scene.open()
    assert (await scene.items())["New"].place is Place.INSIDE
    assert scene.folder == folder
    assert len(scene.people.folders()) == 2


async def test_a_deleted_folder_is_made_again_and_said_to_be() -> None:
    scene = Scene()
    await scene.read()
    old = scene.folder
    scene.person_makes("Lost")
    await scene.read()
    scene.people.delete_folder(FOLDER)

    pages = await scene.read()

    assert pages[0].refilled
    assert not any(page.full for page in pages)
    assert scene.folder != old
    assert scene.people.has_folder(FOLDER)
    start = len(scene.wire.requests)
    assert not (await scene.read_page()).refilled
    assert len(scene.wire.requests) == start + 1


async def test_a_folder_moved_under_another_is_still_the_folder() -> None:
    scene = Scene()
    await scene.read()
    original = scene.wire.service

    class Hiding:
        """The simulator cannot move folders: it only leaves it out of the listing."""

        def handle(self, request: Request) -> Response:
            answer = original.handle(request)
            if not request.path.endswith("$batch"):
                return answer
            body = answer.json()
            for row in body["responses"]:
                if row["id"] == "1":
                    row["body"]["value"] = []
            return Response.of(200, body)

    scene.wire.service = Hiding()
    first = await scene.read_page()
    start = len(scene.wire.requests)
    second = await scene.read_page()

    assert not first.refilled
    assert not second.refilled
    assert len(scene.wire.requests) == start + 1
    assert scene.sent(start)[1] == f"GET /users/anna/contactFolders/<{FOLDER}>?$select=id,displayName,parentFolderId"


async def test_a_cut_after_the_folder_was_made_does_not_make_two() -> None:
    scene = Scene()
    cuts = iter([True])

    def cut(request: Request, answer: Response) -> Response:
        if any(part["method"] == "POST" and part["url"].endswith("contactFolders") for part in parts(request)) and next(cuts, False):
            raise ConnectionCut
        return answer

    scene.wire.after = cut
    await scene.read()

    assert [folder["displayName"] for folder in scene.people.folders()].count(FOLDER) == 1
    assert scene.folder in {folder["id"] for folder in scene.people.folders()}


async def test_a_cut_before_the_folder_was_made_leaves_it_to_the_next_run() -> None:
    scene = Scene()
    cuts = iter([True])

    def cut(request: Request) -> Response | None:
        if any(part["method"] == "POST" and part["url"].endswith("contactFolders") for part in parts(request)) and next(cuts, False):
            raise ConnectionCut
        return None

    scene.wire.before = cut
    with pytest.raises(Temporary):
        await scene.read_page()
    await scene.read()
    assert [folder["displayName"] for folder in scene.people.folders()].count(FOLDER) == 1


async def test_of_several_folders_of_the_name_always_the_same_is_taken() -> None:
    scene = Scene()
    rows = [{"id": one, "displayName": FOLDER, "parentFolderId": "root"} for one in ("b", "a", "c")]
    told: list[dict[str, Any]] = []

    def answer(request: Request) -> Response | None:
        for part in parts(request):
            url = part["url"]
            body = (
                {"value": rows} if "contactFolders?" in url else {"value": [], "@odata.deltaLink": f"https://graph.microsoft.com/v1.0{url}"}
            )
            told.append({"id": part["id"], "status": 200, "headers": {}, "body": body})
        sent, told[:] = list(told), []
        return Response.of(200, {"responses": sent})

    scene.wire.before = answer
    await scene.read_page()
    assert scene.folder == "a"


async def test_a_new_folder_is_found_and_read_without_reading_the_others_again() -> None:
    scene = Scene()
    await scene.read()
    scene.people.create_folder("Nested", FOLDER)
    scene.person_makes("Inner", "Nested", categories=[CATEGORY])

    pages = await scene.read()

    assert [item.raw["surname"] for page in pages for item in page.items] == ["Inner"]
    assert not any(page.full for page in pages)
    scene.people.delete_folder("Nested")
    assert not (await scene.read())[-1].more


async def test_forgotten_links_lead_to_a_full_read_that_keeps_the_folder() -> None:
    scene = Scene(page_size=5)
    await scene.read()
    for number in range(12):
        scene.person_makes(f"P{number}")
    await scene.read_page()
    folder = scene.folder
    scene.graph.expire_delta_tokens(scene.anna)

    pages = await scene.read()

    assert (pages[0].full, pages[0].items, pages[0].more) == (False, (), True)
    assert all(page.full for page in pages[1:])
    assert len({item.id for page in pages for item in page.items}) == 12
    assert scene.folder == folder
    assert not any(page.refilled for page in pages)


async def test_a_service_that_always_forgets_is_left_alone_after_some_tries() -> None:
    scene = Scene()
    await scene.read()

    def forget(request: Request, answer: Response) -> Response:
        rows = answer.json().get("responses", [])
        urls = {part["id"]: part["url"] for part in parts(request)}
        for row in rows:
            if "/delta" in urls[row["id"]]:
                row.update(status=410, body={"error": {"code": "SyncStateNotFound", "message": ""}})
        return Response.of(200, {"responses": rows})

    scene.wire.after = forget
    with pytest.raises(Temporary) as raised:
        await scene.read()
    assert raised.value.code is Code.UNAVAILABLE


async def test_a_page_that_repeats_for_ever_ends_the_read() -> None:
    scene = Scene()
    await scene.read()
    numbers = iter(range(1000))

    def repeat(request: Request, answer: Response) -> Response:
        rows = answer.json().get("responses", [])
        urls = {part["id"]: part["url"] for part in parts(request)}
        for row in rows:
            if "/delta" in urls[row["id"]]:
                url = urls[row["id"]]
                folder = "a" if "contacts/contacts" in url or url.startswith("/a/") else "b"
                value: list[dict[str, Any]] = [
                    {"id": folder, "@odata.etag": 'W/"1"', "categories": [], "surname": "X", "mobilePhone": None}
                ]
                row.update(status=200, body={"value": value, "@odata.nextLink": f"https://elsewhere/v1.0/{folder}/delta?{next(numbers)}"})
        return Response.of(200, {"responses": rows})

    scene.wire.after = repeat
    with pytest.raises(Temporary):
        await scene.read()
    assert len(scene.wire.requests) < 60


async def test_more_folders_than_a_batch_holds_take_turns() -> None:
    scene = Scene()
    names = [f"Folder {number}" for number in range(30)]
    for name in names:
        scene.people.create_folder(name)
    await scene.read()
    for name in names:
        scene.person_makes(f"In {name}", name, categories=[CATEGORY])
    own = scene.person_makes("Own")
    seen: set[str] = set()
    for number in range(3):
        start = len(scene.wire.requests)
        page = await scene.read_page()
        assert len(scene.wire.requests) == start + 1
        assert len(parts(scene.wire.requests[-1])) == 20
        assert (own in {item.id for item in page.items}) == (number == 0)
        seen |= {item.fields["last_name"] or "" for item in page.items}
    assert seen == {"Own", *(f"In {name}" for name in names)}


async def test_an_item_that_cannot_be_understood_shows_no_field_and_stops_nothing() -> None:
    scene = Scene()
    await scene.read()
    scene.person_makes("unreadable")
    scene.person_makes("Readable")
    (page,) = await scene.read()
    assert sorted(len(item.fields) for item in page.items) == [0, 2]


async def test_an_item_that_comes_in_part_is_asked_for() -> None:
    scene = Scene()
    await scene.read()
    scene.person_makes("Part", categories=["Friends"])

    def strip(request: Request, answer: Response) -> Response:
        rows = answer.json().get("responses", [])
        urls = {part["id"]: part["url"] for part in parts(request)}
        for row in rows:
            if "/delta" in urls[row["id"]]:
                row["body"]["value"] = [{"id": item["id"]} for item in row["body"]["value"]]
        return Response.of(200, {"responses": rows})

    scene.wire.after = strip
    (page,) = await scene.read()
    assert [item.raw["categories"] for item in page.items] == [["Friends"]]


async def test_without_the_permission_for_categories_the_read_goes_on_and_asks_once() -> None:
    scene = Scene()
    scene.graph.roles = {"Contacts.ReadWrite"}
    await scene.read()
    start = len(scene.wire.requests)
    await scene.read()
    assert not any("masterCategories" in line for line in scene.sent(start))


@pytest.mark.parametrize(
    ("change", "code"),
    [({"has_mailbox": False}, Code.NO_MAILBOX), ({"access_denied": True}, Code.MAILBOX_ACCESS_DENIED)],
)
async def test_a_mailbox_that_is_not_to_be_read_stops_the_user(change: dict[str, bool], code: Code) -> None:
    scene = Scene()
    await scene.read()
    scene.graph.change_user("anna@contoso.com", **change)
    with pytest.raises(Permanent) as raised:
        await scene.read_page()
    assert raised.value.code is code


async def test_a_user_without_any_mailbox_stops_at_the_first_read() -> None:
    scene = Scene()
    scene.mailbox = scene.open(Home(user="00000000-0000-0000-0000-000000000000", name=FOLDER, category=CATEGORY))
    with pytest.raises(Permanent) as raised:
        await scene.read_page()
    assert raised.value.code is Code.NO_MAILBOX


@pytest.mark.parametrize(("status", "code"), [(400, "SyncStateInvalid"), (400, "BadRequest"), (404, "syncStateNotFound"), (410, "")])
async def test_a_link_that_is_refused_in_any_of_the_known_ways_is_forgotten(status: int, code: str) -> None:
    scene = Scene()
    await scene.read()
    times = iter([True])

    def refuse(request: Request, answer: Response) -> Response:
        rows = answer.json()["responses"]
        urls = {part["id"]: part["url"] for part in parts(request)}
        for row in rows:
            if "deltatoken" in urls[row["id"]].lower() and next(times, False):
                row.update(status=status, body={"error": {"code": code, "message": ""}})
        return Response.of(200, {"responses": rows})

    scene.wire.after = refuse
    pages = await scene.read()
    assert [page.full for page in pages] == [False, True]


async def test_a_service_that_does_not_know_the_name_contacts_is_asked_by_id() -> None:
    scene = Scene()
    scene.person_makes("Own", "contacts", categories=[CATEGORY])

    def refuse(request: Request, answer: Response) -> Response:
        rows = answer.json()["responses"]
        urls = {part["id"]: part["url"] for part in parts(request)}
        for row in rows:
            if "/contactFolders/contacts/" in urls[row["id"]]:
                row.update(status=404, body={"error": {"code": "ErrorItemNotFound", "message": ""}})
        return Response.of(200, {"responses": rows})

    scene.wire.after = refuse
    assert list(await scene.items()) == ["Own"]
    start = len(scene.wire.requests)
    await scene.read()
    assert len(scene.wire.requests) == start + 1


async def test_one_folder_that_may_not_be_read_does_not_stop_the_others() -> None:
    scene = Scene()
    shut = scene.people.create_folder("Shut")
    scene.person_makes("Own", "contacts", categories=[CATEGORY])

    def refuse(request: Request, answer: Response) -> Response:
        rows = answer.json()["responses"]
        urls = {part["id"]: part["url"] for part in parts(request)}
        for row in rows:
            if f"{shut}/contacts/delta" in urls[row["id"]].replace("%3D", "="):
                row.update(status=403, body={"error": {"code": "ErrorAccessDenied", "message": ""}})
        return Response.of(200, {"responses": rows})

    scene.wire.after = refuse
    assert list(await scene.items()) == ["Own"]
    assert not (await scene.read())[-1].more
