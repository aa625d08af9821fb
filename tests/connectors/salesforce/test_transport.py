"""The transport for real: over TLS, with the product's own session – and not loaded before it is needed."""

import asyncio
import gc
import random
import subprocess
import sys
import weakref
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from local.sandbox.faults import Effect, Faults, Rule
from local.sandbox.http import Service
from local.sandbox.server import SandboxServer
from local.sandbox.tls import make_authority
from sync.connectors.salesforce.client import Surroundings
from sync.connectors.salesforce.org import open_org
from sync.connectors.salesforce.schema import Schemas
from sync.connectors.salesforce.tokens import Connection, Tokens
from sync.connectors.salesforce.transport import CONNECT_SECONDS, READ_SECONDS, new_session, send
from sync.ports import Done, NewSalesforce, Search, Unsure
from tests.connectors.salesforce.conftest import ALICE, CONSUMER, INTEGRATION, World
from tests.connectors.salesforce.kinds import PERSON
from tests.transports_requests import ServiceAdapter, session_for


async def test_a_record_is_created_over_tls_and_a_cut_leaves_the_next_one_unsure(
    world: World, keys: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = make_authority(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))
    faults = Faults(world.clock, random.Random(1))
    server = SandboxServer({"salesforce": faults.around("salesforce", world.sandbox)}, authority.context, world.clock)
    await server.start()

    def now() -> datetime:
        return world.clock.now()

    connection = Connection(
        login_url=server.origins["salesforce"],
        audience="https://login.salesforce.com",
        client_id=CONSUMER,
        private_key=keys[0],
        integration_user=INTEGRATION,
    )
    http = new_session()
    around = Surroundings(http=http, in_thread=asyncio.to_thread, sleep=asyncio.sleep, now=now)
    try:
        org = await open_org(ALICE, Tokens(connection, http=http, now=now), Schemas(now), around)
        (made,) = await org.create(PERSON, [NewSalesforce(key="k1", body={"LastName": "Müller"})])
        assert isinstance(made, Done)
        seen = await org.get(PERSON, [made.id], Search(name="all", condition=""))
        assert seen[made.id].fields["last_name"] == "Müller"
        faults.plant(Rule(effect=Effect.CUT_AFTER, method="POST", path="composite/sobjects"))
        (lost,) = await org.create(PERSON, [NewSalesforce(key="k2", body={"LastName": "Meier"})])
        assert isinstance(lost, Unsure)
        assert list(await org.find_keys(PERSON, ["k2"])) == ["k2"]
    finally:
        http.close()
        gc.collect()  # urllib3 closes a pool's sockets when the pool is collected, and a cut leaves it in a cycle of its own
        await server.stop()


def test_every_request_of_the_products_session_has_a_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[Any] = []

    def send(_self: HTTPAdapter, _request: Any, *_args: Any, **kwargs: Any) -> Any:
        limits.append(kwargs["timeout"])
        raise ConnectionError

    monkeypatch.setattr(HTTPAdapter, "send", send)
    with new_session() as http:
        for timeout in (None, 5):
            with pytest.raises(ConnectionError):
                http.get("https://acme.my.salesforce.com/", timeout=timeout)
    assert limits == [(CONNECT_SECONDS, READ_SECONDS), 5]


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    heavy = "{'requests', 'simple_salesforce', 'jwt', 'zeep'}"
    code = f"import sys, sync.connectors.salesforce.org, sync.connectors.salesforce.users; print({heavy} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3])
    assert told.stdout.strip() == "set()"


class Noting(ServiceAdapter):
    """Remembers its answers without holding them."""

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self.told: list[weakref.ref[requests.Response]] = []

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        response = super().send(request, *args, **kwargs)
        self.told.append(weakref.ref(response))
        return response


def test_an_answer_is_freed_as_soon_as_it_is_used(world: World) -> None:
    token = world.tokens.get(ALICE)
    wire = Noting(world.sandbox)
    http = session_for(wire)
    gc.collect()
    gc.disable()
    try:
        for path, status in (("limits", 200), ("nowhere", 404)):
            assert send(http, token, "GET", path, None, None).status == status
        assert [reference() for reference in wire.told] == [None, None]
    finally:
        gc.enable()
