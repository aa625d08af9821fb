"""Both simulators behind one set of faults, with one clock and one seed: what a server serves and a test drives in its own process."""

import random
from collections.abc import Callable

from local.sandbox.faults import Faults, FaultyService
from local.sandbox.graph import GraphSandbox
from local.sandbox.http import Request, Response, SettableClock
from local.sandbox.salesforce import SalesforceSandbox

GRAPH, SALESFORCE = "graph", "salesforce"
KEY_FIELD = "Tandem_Key__c"
"""The unique external key that the Salesforce package brings."""


class World:
    """`services` are what requests go through; `graph` and `salesforce` are the simulators themselves.

    `accept_token` judges Graph tokens (default: the simulator's own). `with_package`: the org has our package.
    """

    def __init__(
        self,
        clock: SettableClock,
        seed: int,
        *,
        accept_token: Callable[[str], bool] | None = None,
        with_package: bool = True,
    ) -> None:
        self.clock = clock
        self.faults = Faults(clock, random.Random(f"{seed} faults"))
        self.graph = GraphSandbox(clock, random.Random(f"{seed} graph"), accept_token=accept_token, on_request=self._note)
        fields = {"Contact": [KEY_FIELD]} if with_package else {}
        self.salesforce = SalesforceSandbox(clock, random.Random(f"{seed} salesforce"), custom_fields=fields)
        self.services: dict[str, FaultyService] = {
            GRAPH: self.faults.around(GRAPH, self.graph),
            SALESFORCE: self.faults.around(SALESFORCE, self.salesforce, self._salesforce_user),
        }

    def _note(self, kind: str, request: Request, _: Response) -> None:
        if kind == "sub":
            self.faults.count_step(GRAPH, request)

    def _salesforce_user(self, request: Request) -> str:
        """Whose token it is; "" for token requests and unknown tokens."""
        token = request.headers.get("authorization", "").partition(" ")[2]
        session = self.salesforce.sign_in.sessions.get(token)
        return self.salesforce.org.username(session.user_id) if session is not None else ""
