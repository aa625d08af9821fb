"""Faults happen when they are asked to, have the effect they name and are counted."""

import random
from datetime import UTC, datetime

import pytest

from local.sandbox.faults import ConnectionCut, Count, Effect, Faults, Rule, template_of, user_in_path
from local.sandbox.http import Request, Response, SettableClock


class Echo:
    """A simulator that remembers what took effect."""

    def __init__(self) -> None:
        self.effects: list[str] = []

    def handle(self, request: Request) -> Response:
        self.effects.append(request.path)
        return Response.of(200, {"n": len(self.effects)})


def get(path: str, body: bytes = b"") -> Request:
    return Request(method="GET", url=f"https://127.0.0.1:1{path}", body=body)


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def faults(clock: SettableClock) -> Faults:
    return Faults(clock, random.Random(1))


def test_without_rules_everything_passes(faults: Faults) -> None:
    service = faults.around("graph", Echo())
    assert service.handle(get("/a")).status == 200


def test_an_answer_takes_the_place_of_the_effect(faults: Faults) -> None:
    echo = Echo()
    service = faults.around("graph", echo)
    faults.plant(Rule(effect=Effect.ANSWER, status=429, headers={"retry-after": "1.5"}, answer={"error": "x"}))
    response = service.handle(get("/a"))
    assert (response.status, response.headers["retry-after"], response.json()) == (429, "1.5", {"error": "x"})
    assert echo.effects == []


def test_a_rule_applies_from_the_nth_matching_request_and_so_many_times(faults: Faults) -> None:
    service = faults.around("graph", Echo())
    faults.plant(Rule(effect=Effect.ANSWER, path="/b", nth=2, times=2))
    statuses = [service.handle(get(path)).status for path in ("/b", "/a", "/b", "/b", "/b")]
    assert statuses == [200, 200, 503, 503, 200]


def test_a_rule_is_for_its_service_method_path_and_body_only(faults: Faults) -> None:
    graph, salesforce = faults.around("graph", Echo()), faults.around("salesforce", Echo())
    faults.plant(Rule(effect=Effect.ANSWER, service="graph", method="GET", path=r"x=ä", body="needle"))
    assert graph.handle(get("/a?x=%C3%A4", b"a needle")).status == 503
    assert salesforce.handle(get("/a?x=%C3%A4", b"a needle")).status == 200
    assert graph.handle(get("/a?x=%C3%A4", b"hay")).status == 200
    assert graph.handle(Request(method="POST", url="https://h/a?x=%C3%A4", body=b"needle")).status == 200


@pytest.mark.parametrize(("effect", "took_effect"), [(Effect.CUT_BEFORE, []), (Effect.CUT_AFTER, ["/a"])])
def test_a_cut_gives_no_answer_and_the_effect_it_names(faults: Faults, effect: Effect, took_effect: list[str]) -> None:
    echo = Echo()
    faults.plant(Rule(effect=effect))
    with pytest.raises(ConnectionCut):
        faults.around("graph", echo).handle(get("/a"))
    assert echo.effects == took_effect
    assert faults.journal[-1].status is None


def test_a_late_effect_arrives_when_the_clock_has_passed_and_before_the_request_that_notices(faults: Faults, clock: SettableClock) -> None:
    echo = Echo()
    service = faults.around("graph", echo)
    faults.plant(Rule(effect=Effect.LATE, path="/slow", seconds=300))
    with pytest.raises(ConnectionCut):
        service.handle(get("/slow"))
    clock.advance(299)
    service.handle(get("/before"))
    clock.advance(1)
    service.handle(get("/after"))
    assert echo.effects == ["/before", "/slow", "/after"]
    assert faults.under_way == 0


def test_late_effects_arrive_in_the_order_of_their_times(faults: Faults, clock: SettableClock) -> None:
    echo = Echo()
    service = faults.around("graph", echo)
    for path, seconds in (("/second", 20), ("/first", 10)):
        faults.plant(Rule(effect=Effect.LATE, path=path, seconds=seconds))
        with pytest.raises(ConnectionCut):
            service.handle(get(path))
    clock.advance(60)
    faults.tick()
    assert echo.effects == ["/first", "/second"]


def test_a_delay_is_told_to_the_server_and_not_waited_for_in_the_process(faults: Faults) -> None:
    faults.plant(Rule(effect=Effect.DELAY, seconds=3))
    exchange = faults.around("graph", Echo()).exchange(get("/a"))
    assert (exchange.delay, exchange.response.status) == (3, 200)


def test_chance_is_drawn_from_the_given_randomness(clock: SettableClock) -> None:
    def history(seed: int) -> list[int]:
        faults = Faults(clock, random.Random(seed))
        faults.plant(Rule(effect=Effect.ANSWER, probability=0.5))
        service = faults.around("graph", Echo())
        return [service.handle(get("/a")).status for _ in range(40)]

    assert history(1) == history(1)
    assert set(history(1)) == {200, 503}


def test_requests_are_counted_by_template_and_user(faults: Faults) -> None:
    service = faults.around("graph", Echo())
    for contact in ("AAMkAGI2THVSAAA0=", "AAMkAGI2THVSAAA1="):
        service.handle(get(f"/v1.0/users/ada@example.com/contacts/{contact}"))
    expected = Count(service="graph", method="GET", template="/v1.0/users/{id}/contacts/{id}", user="ada@example.com")
    assert faults.counts == {expected: 2}


def test_names_of_resources_are_no_ids() -> None:
    assert template_of("/services/data/v62.0/composite/sobjects") == "/services/data/v62.0/composite/sobjects"
    assert template_of("/services/data/v62.0/sobjects/Contact/0035g00001AbCdEAAZ").endswith("/Contact/{id}")


def test_a_batch_is_on_behalf_of_the_one_user_its_steps_name() -> None:
    body = b'{"requests": [{"url": "/users/u1/contacts"}, {"url": "users/u1/contactFolders"}]}'
    mixed = body.replace(b"users/u1/contactF", b"users/u2/contactF")
    assert user_in_path(get("/v1.0/$batch", body)) == "u1"
    assert user_in_path(get("/v1.0/$batch", mixed)) == ""
    assert user_in_path(get("/v1.0/$batch", b"nonsense")) == ""
