"""Who may: tokens, roles, mailboxes that cannot be used, limits, and the shape of every refusal."""

import random

import pytest

from local.sandbox.graph import AccessTokens, GraphSandbox, Knobs
from local.sandbox.http import Request
from tests.sandbox.graph.asking import ORIGIN, Tenant, code, refused


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic eHg=", "Bearer nonsense"])
def test_without_a_good_token_nothing_is_answered(tenant: Tenant, header: str) -> None:
    for method, path in (("GET", f"{tenant.at}/contacts"), ("POST", "/$batch")):
        response = tenant.ask(method, path, {"requests": []} if method == "POST" else None, authorization=header)
        assert refused(response, 401, "InvalidAuthenticationToken")
        assert "www-authenticate" in response.headers


def test_a_token_ends_with_its_lifetime_and_holds_for_one_audience(tenant: Tenant) -> None:
    tenant.clock.advance(86_398)
    assert tenant.ask("GET", f"{tenant.at}/contacts").status == 200
    tenant.clock.advance(1)
    assert refused(tenant.ask("GET", f"{tenant.at}/contacts"), 401, "InvalidAuthenticationToken")
    tokens: AccessTokens = tenant.graph.tokens
    other = tokens.issue("https://storage.azure.com/").value
    assert refused(tenant.ask("GET", f"{tenant.at}/contacts", authorization=f"Bearer {other}"), 401, "InvalidAuthenticationToken")
    good = [tokens.issue(resource).value for resource in (f"{ORIGIN}/.default", f"{ORIGIN}/", ORIGIN)]
    assert {tenant.ask("GET", f"{tenant.at}/contacts", authorization=f"Bearer {token}").status for token in good} == {200}
    tokens.revoke_all()
    assert not any(tokens.accepts(token) for token in good)


def test_tokens_can_be_checked_by_somebody_else(tenant: Tenant) -> None:
    graph = GraphSandbox(tenant.clock, random.Random(2), accept_token=lambda token: token == "abc")
    user = graph.add_user("x@contoso.com")
    url = f"{ORIGIN}/v1.0/users/{user}/contacts"
    assert graph.handle(Request(method="GET", url=url, headers={"authorization": "Bearer abc"})).status == 200
    assert graph.handle(Request(method="GET", url=url, headers={"authorization": "Bearer abd"})).status == 401


def test_a_role_that_was_not_granted_is_missed(tenant: Tenant) -> None:
    tenant.graph.roles = {"Contacts.Read"}
    assert tenant.ask("GET", f"{tenant.at}/contacts").status == 200
    assert refused(tenant.ask("POST", f"{tenant.at}/contacts", {}), 403, "ErrorAccessDenied")
    assert refused(tenant.ask("GET", f"{tenant.at}/outlook/masterCategories"), 403, "ErrorAccessDenied")
    assert refused(tenant.ask("GET", tenant.at), 403, "Authorization_RequestDenied")
    assert refused(tenant.ask("GET", f"/groups/{tenant.anna}/transitiveMembers"), 403, "Authorization_RequestDenied")


def test_a_mailbox_that_cannot_be_used_says_why(tenant: Tenant) -> None:
    tenant.graph.add_user("unlicensed@contoso.com", has_mailbox=False)
    tenant.graph.add_user("kept.out@contoso.com", access_denied=True)
    assert refused(tenant.ask("GET", "/users/unlicensed@contoso.com/contacts"), 404, "MailboxNotEnabledForRESTAPI")
    denied = tenant.ask("GET", "/users/kept.out@contoso.com/contacts")
    assert refused(denied, 403, "ErrorAccessDenied")
    assert denied.json()["error"]["message"] == "Access to OData is disabled."
    assert refused(tenant.ask("GET", "/users/nobody@contoso.com/contacts"), 404, "ErrorInvalidUser")
    assert refused(tenant.ask("GET", f"/users/{tenant.graph.mint.guid()}/contacts"), 404, "ResourceNotFound")
    tenant.graph.change_user("unlicensed@contoso.com", has_mailbox=True)
    assert tenant.ask("GET", "/users/unlicensed@contoso.com/contacts").status == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/users/x/contacts/y/z", 404),
        ("GET", "/me/contacts", 400),
        ("PUT", "/users", 405),
        ("DELETE", "/users/x/contacts", 405),
        ("GET", "/$batch", 405),
    ],
)
def test_what_does_not_exist_is_refused_in_graphs_shape(tenant: Tenant, method: str, path: str, status: int) -> None:
    response = tenant.ask(method, path)
    assert response.status == status
    assert code(response)


def test_another_version_is_refused(tenant: Tenant) -> None:
    assert refused(tenant.ask("GET", f"{ORIGIN}/beta/users"), 400, "BadRequest")


def test_every_answer_carries_its_request_id_and_the_clients(tenant: Tenant) -> None:
    first = tenant.ask("GET", f"{tenant.at}/contacts", client_request_id="mine")
    second = tenant.ask("GET", f"{tenant.at}/contacts")
    assert first.headers["client-request-id"] == "mine"
    assert first.headers["request-id"] != second.headers["request-id"]
    assert first.headers["date"] == "Sun, 01 Mar 2026 08:00:00 GMT"


def test_links_lead_to_the_origin_the_request_came_to(tenant: Tenant) -> None:
    for number in range(11):
        tenant.make(surname=str(number))
    page = tenant.get(f"https://127.0.0.1:8443/v1.0{tenant.contacts}")
    assert page["@odata.nextLink"].startswith("https://127.0.0.1:8443/v1.0/users/")
    assert page["@odata.context"].startswith("https://127.0.0.1:8443/v1.0/$metadata#")


def test_the_budget_of_a_mailbox_is_its_own_and_comes_back() -> None:
    tenant = Tenant(Knobs(requests_per_ten_minutes=2))
    ben = tenant.graph.add_user("ben@contoso.com")
    statuses = [tenant.ask("GET", f"{tenant.at}/contacts").status for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert tenant.ask("GET", f"/users/{ben}/contacts").status == 200
    tenant.clock.advance(400)
    throttled = tenant.ask("GET", f"{tenant.at}/contacts")
    assert refused(throttled, 429, "ApplicationThrottled")
    assert throttled.headers["retry-after"] == "200"
    tenant.clock.advance(200)
    assert tenant.ask("GET", f"{tenant.at}/contacts").status == 200


def test_uploads_have_a_budget_too() -> None:
    tenant = Tenant(Knobs(upload_bytes_per_five_minutes=100))
    assert tenant.ask("POST", tenant.contacts, {"surname": "A"}).status == 201
    assert refused(tenant.ask("POST", tenant.contacts, {"surname": "A" * 90}), 429, "ApplicationThrottled")
    tenant.clock.advance(300)
    assert tenant.ask("POST", tenant.contacts, {"surname": "A"}).status == 201


def test_more_connections_than_a_mailbox_has_are_throttled(tenant: Tenant) -> None:
    tenant.people.occupy(4)
    throttled = tenant.ask("GET", f"{tenant.at}/contacts")
    assert refused(throttled, 429, "ApplicationThrottled")
    assert "MailboxConcurrency" in throttled.json()["error"]["message"]
    tenant.people.occupy(0)
    assert tenant.ask("GET", f"{tenant.at}/contacts").status == 200


def test_requests_in_flight_count_as_connections(tenant: Tenant) -> None:
    lists = [{"id": str(n), "method": "GET", "url": f"{tenant.at}/contacts"} for n in range(20)]
    body = str({"requests": lists}).replace("'", '"').encode()
    batch = Request(method="POST", url=f"{ORIGIN}/v1.0/$batch", body=body)
    single = Request(method="GET", url=f"{ORIGIN}/v1.0{tenant.at}/contacts")
    with tenant.graph.in_flight(batch):
        assert tenant.ask("GET", f"{tenant.at}/contacts").status == 200
        with tenant.graph.in_flight(single):
            assert tenant.ask("GET", f"{tenant.at}/contacts").status == 429
    assert tenant.ask("GET", f"{tenant.at}/contacts").status == 200


def test_a_full_mailbox_takes_nothing_new(tenant: Tenant) -> None:
    made = tenant.make(surname="A")
    tenant.graph.change_user(tenant.anna, full=True)
    assert refused(tenant.ask("POST", tenant.contacts, {"surname": "B"}), 507, "ErrorQuotaExceeded")
    assert tenant.ask("DELETE", f"{tenant.contacts}/{made['id']}").status == 204


def test_knobs_are_turned_by_name_or_replaced_together(tenant: Tenant) -> None:
    tenant.graph.set_knobs(requests_per_ten_minutes=1)
    assert [tenant.ask("GET", f"{tenant.at}/contacts").status for _ in range(2)] == [200, 429]
    tenant.graph.knobs = Knobs(delta_default_page_size=1)
    tenant.make(surname="A")
    tenant.make(surname="B")
    assert len(tenant.get(f"{tenant.contacts}/delta")["value"]) == 1
    with pytest.raises(ValueError, match="no knob p_reply"):
        tenant.graph.set_knobs(p_reply=1)


def test_a_body_over_four_megabytes_is_refused(tenant: Tenant) -> None:
    assert refused(tenant.ask("POST", tenant.contacts, {"personalNotes": "x" * 4_200_000}), 413, "RequestEntityTooLarge")


def test_the_same_seed_gives_the_same_answers() -> None:
    def history(seed: int) -> list[bytes]:
        tenant = Tenant(Knobs.hostile(), seed=seed)
        answers = []
        for number in range(20):
            answers.append(tenant.ask("POST", tenant.contacts, {"surname": str(number)}).body)
            answers.append(tenant.ask("GET", f"{tenant.contacts}/delta").body)
        return answers

    assert history(7) == history(7)
    assert history(7) != history(8)
