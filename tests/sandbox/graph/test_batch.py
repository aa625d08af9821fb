"""`$batch`: the envelope, dependencies, order, throttled items and planted faults."""

from typing import Any

import pytest

from local.sandbox.graph import Knobs, SubFault, When
from local.sandbox.http import Request, Response
from tests.sandbox.graph.asking import IMMUTABLE, Json, Tenant, refused

JSON = {"Content-Type": "application/json", "Prefer": IMMUTABLE}


def post(tenant: Tenant, name: str, number: str, **more: Any) -> Json:
    return {"id": number, "method": "POST", "url": tenant.contacts, "headers": JSON, "body": {"surname": name}, **more}


def get(path: str, number: str, **more: Any) -> Json:
    return {"id": number, "method": "GET", "url": path, **more}


def test_items_are_carried_out_and_answered_by_id(tenant: Tenant) -> None:
    answers = tenant.batch(post(tenant, "A", "1"), get("/nowhere", "2"), get(tenant.at.lstrip("/") + "/contactFolders", "Three"))
    assert {name: answer["status"] for name, answer in answers.items()} == {"1": 201, "2": 404, "Three": 200}
    assert answers["1"]["headers"]["Preference-Applied"] == IMMUTABLE
    assert answers["1"]["body"]["surname"] == "A"
    assert answers["2"]["body"]["error"]["code"] == "ResourceNotFound"
    assert [contact["id"] for contact in tenant.people.contacts()] == [answers["1"]["body"]["id"]]


def test_a_preference_of_the_envelope_is_not_inherited(tenant: Tenant) -> None:
    made = tenant.make(surname="A")
    item = {"requests": [get(f"{tenant.at}/contacts/{made['id']}", "1")]}
    answer = tenant.ask("POST", "/$batch", item, prefer=IMMUTABLE).json()["responses"][0]
    assert answer["body"]["id"] == tenant.people.regular_id(made["id"])


def test_an_answer_without_content_has_no_body(tenant: Tenant) -> None:
    made = tenant.make(surname="A")
    answer = tenant.batch({"id": "1", "method": "DELETE", "url": f"{tenant.at}/contacts/{made['id']}"})["1"]
    assert (answer["status"], "body" in answer) == (204, False)


def test_order_is_not_promised(tenant: Tenant) -> None:
    orders = set()
    for _ in range(20):
        requests = {"requests": [get(f"{tenant.at}/contacts", str(number)) for number in range(5)]}
        orders.add(tuple(item["id"] for item in tenant.ask("POST", "/$batch", requests).json()["responses"]))
    assert len(orders) > 5


@pytest.mark.parametrize(
    "change",
    [
        {"requests": []},
        {"requests": None},
        {"request": []},
        [],
        {"requests": [{"id": "1", "method": "GET"}]},
        {"requests": [{"id": 1, "method": "GET", "url": "/users"}]},
        {"requests": [{"method": "GET", "url": "/users"}]},
        {"requests": [{"id": "1", "method": "FETCH", "url": "/users"}]},
        {"requests": [get("https://graph.microsoft.com/v1.0/users", "1")]},
        {"requests": [get("/users", "a"), get("/users", "A")]},
        {"requests": [get("/users", str(number)) for number in range(21)]},
        {"requests": [get("/users", "1", depends_on=["2"])]},
        {"requests": [get("/users", "1", dependsOn=["2"]), get("/users", "2")]},
        {"requests": [get("/users", "1", dependsOn="2")]},
        {"requests": [{"id": "1", "method": "POST", "url": "/users", "body": {}}]},
        {"requests": [{"id": "1", "method": "POST", "url": "/users", "headers": {"Content-Type": "application/json"}}]},
        {"requests": [{"id": "1", "method": "GET", "url": "/users", "headers": {"X": 1}}]},
    ],
)
def test_a_malformed_envelope_is_refused_as_a_whole(tenant: Tenant, change: Any) -> None:
    response = tenant.ask("POST", "/$batch", change)
    assert response.status == 400
    assert "error" in response.json()


def test_twenty_items_are_allowed_and_twenty_one_are_not(tenant: Tenant) -> None:
    assert len(tenant.batch(*(get(f"{tenant.at}/contacts", str(number)) for number in range(20)))) == 20
    many = {"requests": [get(f"{tenant.at}/contacts", str(number)) for number in range(21)]}
    assert refused(tenant.ask("POST", "/$batch", many), 400, "MaximumValueExceeded")


def test_a_serial_batch_runs_in_order_and_stops_at_a_failure(tenant: Tenant) -> None:
    for _ in range(10):
        answers = tenant.batch(
            post(tenant, "1", "1"),
            get("/nowhere", "2", dependsOn=["1"]),
            post(tenant, "3", "3", dependsOn=["2"]),
            post(tenant, "4", "4", dependsOn=["3"]),
        )
        assert [answers[name]["status"] for name in "1234"] == [201, 404, 424, 424]
        assert answers["3"]["body"]["error"]["code"] == "FailedDependency"
    assert {contact["surname"] for contact in tenant.people.contacts()} == {"1"}


def test_all_may_depend_on_the_same_but_not_on_this_and_that(tenant: Tenant) -> None:
    same = [get(f"{tenant.at}/contacts", "1"), *(get(f"{tenant.at}/contacts", name, dependsOn=["1"]) for name in "23")]
    assert {answer["status"] for answer in tenant.batch(*same).values()} == {200}
    mixed = [*same, get(f"{tenant.at}/contacts", "4", dependsOn=["2"])]
    assert refused(tenant.ask("POST", "/$batch", {"requests": mixed}), 400, "BadRequest")


def test_batches_do_not_nest(tenant: Tenant) -> None:
    answer = tenant.batch({"id": "1", "method": "POST", "url": "/$batch", "headers": JSON, "body": {"requests": []}})["1"]
    assert answer["status"] == 400


def test_a_photo_travels_as_base64(tenant: Tenant) -> None:
    made = tenant.make(surname="A")
    url = f"{tenant.at}/contacts/{made['id']}/photo/$value"
    answers = tenant.batch(
        {"id": "1", "method": "PUT", "url": url, "headers": {"content-type": "image/png"}, "body": "/9j/"},
        get(url, "2", dependsOn=["1"]),
    )
    assert (answers["2"]["status"], answers["2"]["body"], answers["2"]["headers"]["Content-Type"]) == (200, "/9j/", "image/png")


def test_items_are_throttled_one_by_one_with_decimals() -> None:
    tenant = Tenant(Knobs(requests_per_ten_minutes=3))
    tenant.clock.advance(0.25)
    tenant.get(f"{tenant.at}/contacts")
    tenant.clock.advance(0.25)
    answers = tenant.batch(*(get(f"{tenant.at}/contacts", str(number)) for number in range(5)))
    assert sorted(answer["status"] for answer in answers.values()) == [200, 200, 429, 429, 429]
    throttled = next(answer for answer in answers.values() if answer["status"] == 429)
    assert throttled["headers"]["Retry-After"] == "599.75"
    assert throttled["body"]["error"]["code"] == "ApplicationThrottled"


def test_a_planted_fault_hits_the_item_it_is_meant_for(tenant: Tenant) -> None:
    tenant.graph.sub_faults.append(
        SubFault(method="POST", path="/contacts$", skip=1, status=429, code="ApplicationThrottled", retry_after=0.249)
    )
    chain = [post(tenant, "0", "0"), *(post(tenant, str(n), str(n), dependsOn=["0"]) for n in (1, 2))]
    answers = tenant.batch(*chain)
    assert sorted(answer["status"] for answer in answers.values()) == [201, 201, 429]
    hit = next(answer for answer in answers.values() if answer["status"] == 429)
    assert hit["headers"]["Retry-After"] == "0.249"
    assert len(tenant.people.contacts()) == 2
    assert {answer["status"] for answer in tenant.batch(post(tenant, "x", "1")).values()} == {201}


def test_a_planted_fault_can_strike_after_the_effect(tenant: Tenant) -> None:
    tenant.graph.sub_faults.append(SubFault(when=When.AFTER, status=504, times=None))
    assert tenant.batch(post(tenant, "A", "1"))["1"]["status"] == 504
    assert [contact["surname"] for contact in tenant.people.contacts()] == ["A"]


def test_a_hook_may_answer_instead(tenant: Tenant) -> None:
    tenant.graph.batch_fault = lambda request: Response.of(503, {"error": {"code": "x"}}) if request.method == "POST" else None
    answers = tenant.batch(post(tenant, "A", "1"), get(f"{tenant.at}/contacts", "2"))
    assert (answers["1"]["status"], answers["2"]["status"]) == (503, 200)
    assert tenant.people.contacts() == []


def test_every_request_and_every_item_is_counted(tenant: Tenant) -> None:
    counted: list[tuple[str, str, int]] = []

    def count(kind: str, request: Request, response: Response) -> None:
        counted.append((kind, request.method, response.status))

    tenant.graph.on_request = count
    tenant.batch(get(f"{tenant.at}/contacts", "1"), get("/nowhere", "2"))
    tenant.get(f"{tenant.at}/contacts")
    assert sorted(counted) == [("http", "GET", 200), ("http", "POST", 200), ("sub", "GET", 200), ("sub", "GET", 404)]
