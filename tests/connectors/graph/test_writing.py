"""Looking at contacts by id and writing them, against the simulator."""

from dataclasses import replace

import pytest

from local.sandbox.faults import ConnectionCut
from local.sandbox.graph.faults import SubFault, When
from local.sandbox.http import Request, Response
from shared.errors import Code, Permanent, Temporary
from shared.records import Absent, Item, Lack, Place, Unread
from sync.connectors.graph import Home
from sync.connectors.graph.contact_item import STAMP
from sync.ports import Done, Failed, Missing, NewOutlook, OutlookChange, OutlookItems, Stale, Unsure
from tests.connectors.graph.scene import CATEGORY, FOLDER, Scene, parts


async def begun() -> tuple[Scene, OutlookItems]:
    scene = Scene()
    await scene.read()
    return scene, scene.mailbox.items("contact")


def new(stamp: str, surname: str = "New", **values: object) -> NewOutlook:
    return NewOutlook(stamp=stamp, body={"surname": surname, "displayName": surname, **values})


def only(seen: object) -> Item:
    assert isinstance(seen, Item)
    return seen


async def test_created_contacts_are_in_the_folder_stamped_and_marked_and_forty_take_two_requests() -> None:
    scene, items = await begun()
    start = len(scene.wire.requests)

    outcomes = await items.create([new(f"003{n:015}", f"P{n}", categories=["Friends"]) for n in range(40)])

    assert len(scene.wire.requests) == start + 2
    assert all(isinstance(outcome, Done) for outcome in outcomes)
    for n, outcome in enumerate(outcomes):
        assert isinstance(outcome, Done)
        made = scene.people.contact(outcome.id)
        assert (made["surname"], made["categories"], made["parentFolderId"]) == (f"P{n}", ["Friends", CATEGORY], scene.folder)
        assert made["singleValueExtendedProperties"] == [{"id": STAMP, "value": f"003{n:015}"}]
        assert outcome.version == f'W/"{made["changeKey"]}"'
        assert outcome.modified == scene.clock.now()


async def test_a_contact_created_outside_has_no_mark_and_is_in_the_default_folder() -> None:
    scene, items = await begun()
    (outcome,) = await items.create([new("003A", categories=["Friends", "salesforce"])], inside=False)
    assert isinstance(outcome, Done)
    made = scene.people.contact(outcome.id)
    assert made["categories"] == ["Friends"]
    assert made["parentFolderId"] == scene.people.folders()[0]["id"]


async def test_a_look_by_id_tells_place_and_absence() -> None:
    scene, items = await begun()
    inside, outside, gone = scene.person_makes("A"), scene.person_makes("B", "contacts"), scene.person_makes("C")
    scene.people.delete_contact(gone)

    seen = await items.get([inside, outside, gone, inside])

    assert only(seen[inside]).place is Place.INSIDE
    assert only(seen[outside]).place is Place.OUTSIDE
    assert only(seen[outside]).fields == {"last_name": "B", "phone": "1"}
    assert seen[gone] == Absent(id=gone, lack=Lack.DELETED)


async def test_a_missing_user_is_not_taken_for_deleted_contacts() -> None:
    scene, items = await begun()
    known = scene.person_makes("A")
    scene.graph.remove_user(scene.anna)
    with pytest.raises(Permanent) as raised:
        await items.get([known])
    assert raised.value.code is Code.NO_MAILBOX
    with pytest.raises(Permanent):
        await items.delete([(known, 'W/"x"')])


async def test_a_service_that_says_resource_not_found_of_contacts_still_tells_deletions() -> None:
    scene, items = await begun()
    known = scene.person_makes("A")
    scene.graph.sub_faults.append(SubFault(method="GET", path="/contacts/", status=404, code="ResourceNotFound", times=None))
    assert await items.get([known]) == {known: Absent(id=known, lack=Lack.DELETED)}


async def test_an_update_with_the_seen_etag_is_done_and_with_an_older_one_stale() -> None:
    scene, items = await begun()
    one = scene.person_makes("Before")
    etag = only((await items.get([one]))[one]).version
    body = {"surname": "After", "displayName": "After"}

    (done,) = await items.update([OutlookChange(id=one, etag=etag, body=body)])
    (stale,) = await items.update([OutlookChange(id=one, etag=etag, body=body)])

    assert isinstance(done, Done)
    assert (done.id, scene.people.contact(one)["surname"]) == (one, "After")
    assert stale == Stale()
    assert await items.get([one]) != {}
    assert only((await items.get([one]))[one]).version == done.version


async def test_deleting_needs_the_seen_etag_and_a_second_time_finds_nothing() -> None:
    scene, items = await begun()
    one = scene.person_makes("Before")
    old = only((await items.get([one]))[one]).version
    scene.people.edit_contact(one, {"surname": "Edited"})
    new_etag = only((await items.get([one]))[one]).version

    assert [*await items.delete([(one, old)])] == [Stale()]
    assert [*await items.delete([(one, new_etag)])] == [Done(id=one)]
    assert [*await items.delete([(one, new_etag)])] == [Missing()]


async def test_a_refused_item_fails_alone_and_its_text_says_nothing_personal() -> None:
    _, items = await begun()
    phones = ["1", "2", "3"]
    outcomes = await items.create([new("003A"), new("003B", businessPhones=phones), new("003C")])
    assert [type(outcome) for outcome in outcomes] == [Done, Failed, Done]
    assert isinstance(outcomes[1], Failed)
    assert isinstance(outcomes[1].error, Permanent)
    assert "@" not in str(outcomes[1].error)


async def test_stamped_contacts_are_found_where_they_were_put_only() -> None:
    scene, items = await begun()
    await items.create([new("003A", "In"), new("003B", "Other")])
    await items.create([new("003A", "Out")], inside=False)
    copied = scene.people.copy_contact(next(one["id"] for one in scene.people.contacts(FOLDER) if one["surname"] == "Other"), FOLDER)

    inside = await items.find_stamped(["003A", "003B", "003C"])
    outside = await items.find_stamped(["003A", "003B"], inside=False)

    assert {stamp: [item.fields["last_name"] for item in found] for stamp, found in inside.items()} == {
        "003A": ["In"],
        "003B": ["Other", "Other"],
        "003C": [],
    }
    assert copied in {item.id for item in inside["003B"]}
    assert {stamp: len(found) for stamp, found in outside.items()} == {"003A": 1, "003B": 0}


async def test_recovery_before_any_read_knows_the_renamed_folder_from_the_kept_cursor() -> None:
    scene, items = await begun()
    await items.create([new("003A")])
    scene.people.rename_folder(FOLDER, "Customers")
    fresh = scene.open()
    assert (await fresh.items("contact").find_stamped(["003A"]))["003A"] == ()  # by name there is no such folder
    fresh.recall({"contact": scene.state})
    assert len((await fresh.items("contact").find_stamped(["003A"]))["003A"]) == 1


async def test_without_a_folder_nothing_is_created_and_it_is_temporary() -> None:
    scene = Scene()
    (outcome,) = await scene.mailbox.items("contact").create([new("003A")])
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, Temporary)
    assert scene.people.contacts() == []


async def test_a_folder_deleted_meanwhile_fails_the_creation_for_now() -> None:
    scene, items = await begun()
    scene.people.delete_folder(FOLDER)
    (outcome,) = await items.create([new("003A")])
    assert isinstance(outcome, Failed)
    assert (type(outcome.error), outcome.error.code) == (Temporary, Code.GONE)


async def test_the_mark_is_put_on_and_off_beside_the_persons_own_categories() -> None:
    scene, items = await begun()
    one = scene.person_makes("A", categories=["Friends", "salesforce"])
    seen = only((await items.get([one]))[one])

    off = items.mark(seen, on=False)
    assert off == {"categories": ["Friends"], "displayName": "A"}
    await items.update([OutlookChange(id=one, etag=seen.version, body=off)])
    seen = only((await items.get([one]))[one])
    assert not seen.marked
    assert items.mark(seen, on=True)["categories"] == ["Friends", CATEGORY]
    assert items.mark(replace(seen, raw={"categories": ["Salesforce"]}), on=True) == {"categories": ["Salesforce"]}


async def test_a_photo_is_carried_and_none_is_no_error() -> None:
    scene, items = await begun()
    source, target, bare = scene.person_makes("A", "contacts"), scene.person_makes("B"), scene.person_makes("C")
    scene.people.set_photo(source, "/9j/4AAQ", "image/jpeg")

    await items.copy_photos([(source, target)])
    await items.copy_photos([(bare, source)])

    assert scene.people.contact(target)["hasPhoto"]
    assert not scene.people.contact(bare)["hasPhoto"]


async def test_whole_items_come_with_everything_and_gone_ones_not_at_all() -> None:
    scene, items = await begun()
    one, gone = scene.person_makes("A", nickName="Nick"), scene.person_makes("B")
    scene.people.delete_contact(gone)
    whole = await items.get_whole([one, gone])
    assert list(whole) == [one]
    assert whole[one]["nickName"] == "Nick"
    assert whole[one]["@odata.etag"].startswith("W/")


async def test_a_cut_batch_of_creations_is_unsure_and_is_not_sent_again() -> None:
    scene, items = await begun()

    def cut(request: Request, answer: Response) -> Response:
        raise ConnectionCut

    scene.wire.after = cut
    start = len(scene.wire.requests)
    outcomes = await items.create([new("003A"), new("003B")])
    assert [type(outcome) for outcome in outcomes] == [Unsure, Unsure]
    assert len(scene.wire.requests) == start + 1
    scene.wire.after = None
    assert len((await items.find_stamped(["003A"]))["003A"]) == 1


async def test_a_creation_that_failed_after_its_effect_is_unsure_and_is_made_once() -> None:
    scene, items = await begun()
    scene.graph.sub_faults.append(SubFault(method="POST", status=504, when=When.AFTER))
    outcomes = await items.create([new("003A"), new("003B")])
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Done", "Unsure"]
    assert len(scene.people.contacts(FOLDER)) == 2


async def test_throttled_items_alone_are_sent_again_after_the_longest_wait() -> None:
    scene, items = await begun()
    scene.graph.sub_faults.append(SubFault(method="POST", status=429, code="ApplicationThrottled", retry_after=2.128, times=3))
    start = len(scene.wire.requests)
    outcomes = await items.create([new(f"003{n}") for n in range(10)])
    assert all(isinstance(outcome, Done) for outcome in outcomes)
    assert [len(parts(request)) for request in scene.wire.requests[start:]] == [10, 3]
    assert scene.waits.seconds == [2.128]
    assert len(scene.people.contacts(FOLDER)) == 10


async def test_an_error_of_the_user_beside_effects_is_the_outcome_of_its_item_and_is_raised_the_next_time() -> None:
    scene, items = await begun()
    scene.graph.sub_faults.append(SubFault(method="POST", status=507, code="ErrorQuotaExceeded", times=2))
    first = await items.create([new("003A"), new("003B")][:1] + [new("003C")] * 2)
    codes = [outcome.error.code for outcome in first if isinstance(outcome, Failed)]
    assert codes == [Code.MAILBOX_FULL] * 2
    scene.graph.sub_faults.append(SubFault(method="POST", status=507, code="ErrorQuotaExceeded", times=None))
    with pytest.raises(Permanent) as raised:
        await items.create([new("003D")])
    assert raised.value.code is Code.MAILBOX_FULL


async def test_ids_with_slashes_and_equals_signs_are_one_segment() -> None:
    scene, _ = await begun()
    scene.mailbox = scene.open(Home(user=scene.anna, name=FOLDER, category=CATEGORY, folder=scene.folder))
    start = len(scene.wire.requests)
    seen = await scene.mailbox.items("contact").get(["A/b+c=="])
    assert isinstance(seen["A/b+c=="], Unread), "an id that is none concerns its item only"
    assert parts(scene.wire.requests[start])[0]["url"].split("?")[0].endswith("/contacts/A%2Fb%2Bc%3D%3D")
