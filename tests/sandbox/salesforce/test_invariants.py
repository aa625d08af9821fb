"""Whatever is sent: an answer of the service, and a store in which indexes and records agree."""

import random
from typing import Any

import pytest

from .conftest import ALICE, Keys, World

VALUES: list[Any] = [
    None,
    "",
    " x ",
    "a@b.example",
    5,
    1.5,
    True,
    [],
    {},
    {"Id": "x"},
    "2026-01-01",
    "003000000000001",
    "US",
    "x" * 300,
    10**400,
]


class Sender:
    """Sends random requests, many of them nonsense."""

    def __init__(self, seed: int, world: World) -> None:
        self._rng = random.Random(seed)
        self._client = world.client(ALICE)
        self._names = [
            *(field.name for field in world.sandbox.org.objects["contact"].fields.values()),
            "Account",
            "attributes",
            "id",
            "Foo",
        ]

    def _row(self) -> dict[str, Any]:
        rng = self._rng
        row = {rng.choice(self._names): rng.choice(VALUES) for _ in range(rng.randrange(3))}
        if rng.random() < 0.8:
            row |= {"attributes": {"type": "Contact"}, "LastName": rng.choice("AB")}
        if rng.random() < 0.4:
            row["Tandem_Key__c"] = rng.choice("klm")
        return row

    def send(self, ids: list[str]) -> int:
        rng = self._rng
        some = rng.choice([*ids, "003000000000001", "x"])
        rows = [self._row() | ({"id": some} if rng.random() < 0.3 else {}) for _ in range(rng.randrange(4))]
        parts = [
            {
                "method": rng.choice(["POST", "PATCH", "DELETE", "GET"]),
                "url": f"/services/data/v62.0/sobjects/Contact{rng.choice(['', '/' + some, '/Tandem_Key__c/k'])}",
                "referenceId": f"r{index}",
                "body": row,
            }
            for index, row in enumerate(rows)
        ]
        switch = {"allOrNone": rng.choice([True, False])}
        method, path, body = rng.choice(
            [
                ("POST", "composite/sobjects", {"records": rows} | switch),
                ("PATCH", "composite/sobjects", {"records": rows} | switch),
                ("PATCH", "composite/sobjects/Contact/Tandem_Key__c", {"records": rows} | switch),
                ("DELETE", f"composite/sobjects?ids={some},{rng.choice(ids or ['x'])}", None),
                ("POST", "composite", {"compositeRequest": parts} | switch),
                ("POST", "sobjects/Contact", self._row()),
                ("PATCH", f"sobjects/Contact/{some}", self._row()),
                ("POST", "composite/sobjects/Contact", {"ids": [some], "fields": [rng.choice(self._names)]}),
                ("PATCH", "composite", rng.choice(VALUES)),
            ]
        )
        return self._client.call(method, path, body).status


@pytest.mark.parametrize("seed", range(3))
def test_random_requests_leave_indexes_and_records_in_agreement(keys: Keys, seed: int) -> None:
    world = World(keys, person_accounts=True, state_country_picklists=True)
    sender, statuses = Sender(seed, world), set()
    for _ in range(400):
        everything = world.sandbox.records("Contact", deleted=True)
        statuses.add(sender.send([row["Id"] for row in everything][-6:]))
        world.clock.advance(0.4)
        store = world.sandbox.org.store
        everything = world.sandbox.records("Contact", deleted=True)
        assert [row["Id"] for row in store.since("Contact", "")] == [
            row["Id"] for row in sorted(everything, key=lambda row: (row["SystemModstamp"], row["Id"]))
        ]
        for key in "klm":
            holders = [row["Id"] for row in everything if row.get("Tandem_Key__c") == key and not row["IsDeleted"]]
            assert holders == [each for each in [store.holder("Contact", "Tandem_Key__c", key)] if each]
    assert statuses >= {200, 201, 400}
    assert statuses <= {200, 201, 204, 304, 400, 404, 405}
