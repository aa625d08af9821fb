"""HTTP routes and the admin endpoints."""

import azure.functions as func
import httpx
import pytest

from local.host.web import paths_of
from tests.host.running import running_host


def make_app() -> func.FunctionApp:
    app = func.FunctionApp()

    @app.route("people/{id}", methods=["GET", "PUT"], auth_level=func.AuthLevel.FUNCTION)
    async def person(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        body = f"{req.method} {req.route_params['id']} {req.params.get('q')} {req.get_body().decode()} {context.function_name}"
        return func.HttpResponse(body, status_code=201, headers={"X-Mine": "yes"}, mimetype="text/csv")

    @app.route("open", auth_level=func.AuthLevel.ANONYMOUS)
    def unlocked(req: func.HttpRequest) -> str:
        return "open to all"

    @app.route("broken", auth_level=func.AuthLevel.ANONYMOUS)
    def broken(req: func.HttpRequest) -> str:
        raise ValueError("on purpose")

    return app


async def test_a_route_gets_the_request_and_its_answer_arrives(storage: str) -> None:
    async with running_host(make_app(), storage) as host, httpx.AsyncClient(base_url=host.origin) as http:
        answer = await http.put("/api/people/7?q=ä", content="body")
        assert (answer.status_code, answer.text) == (201, "PUT 7 ä body person")
        assert (answer.headers["x-mine"], answer.headers["content-type"]) == ("yes", "text/csv; charset=utf-8")
        assert (await http.get("/api/open")).text == "open to all"
        assert (await http.post("/api/people/7")).status_code == 405
        assert (await http.get("/api/nothing")).status_code == 404
        assert (await http.get("/api/broken")).status_code == 500


async def test_with_a_key_only_who_has_it_may_use_functions_and_admin(storage: str) -> None:
    async with running_host(make_app(), storage, HOST_KEY="k") as host, httpx.AsyncClient(base_url=host.origin) as http:
        assert (await http.get("/api/people/7")).status_code == 401
        assert (await http.get("/api/people/7", headers={"x-functions-key": "wrong"})).status_code == 401
        assert (await http.get("/api/people/7", headers={"x-functions-key": "k"})).status_code == 201
        assert (await http.get("/api/people/7?code=k")).status_code == 201
        assert (await http.get("/api/open")).status_code == 200
        assert (await http.get("/admin/host/status")).status_code == 401
        assert (await http.post("/admin/functions/person?code=wrong", json={"input": ""})).status_code == 401


async def test_the_status_says_that_the_host_runs_and_which_functions_are_in_error(storage: str) -> None:
    app = make_app()

    @app.timer_trigger(schedule="%NOT_SET%", arg_name="timer")
    def plan(timer: func.TimerRequest) -> None: ...

    async with running_host(app, storage) as host, httpx.AsyncClient(base_url=host.origin) as http:
        status = (await http.get("/admin/host/status")).json()
        assert (await http.get("/api/open")).status_code == 200
        assert (await http.post("/admin/functions/plan", json={"input": ""})).status_code == 404
    assert status["state"] == "Running"
    assert len(status["errors"]) == 1
    assert "'plan' function is in error" in status["errors"][0]
    assert "NOT_SET" in status["errors"][0]


async def test_what_can_not_be_started_by_hand_is_refused(storage: str) -> None:
    async with running_host(make_app(), storage) as host, httpx.AsyncClient(base_url=host.origin) as http:
        assert (await http.post("/admin/functions/nobody", json={"input": ""})).status_code == 404
        assert (await http.post("/admin/functions/person", json={"input": ""})).status_code == 400
        assert (await http.post("/admin/functions/person", content="no json")).status_code == 400


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        ("a/b", ["/a/b"]),
        ("a/{id}/b", ["/a/{id:[^/]+}/b"]),
        ("a/{id:int}", [r"/a/{id:-?\d+}"]),
        ("a/{id?}", ["/a", "/a/{id:[^/]+}"]),
        ("{*rest}", ["/{rest:.*}"]),
    ],
)
def test_route_templates_are_understood(route: str, expected: list[str]) -> None:
    assert paths_of(route) == expected
