"""Microsoft Graph as Outlook contacts need it: strict, deterministic, in the process.

`sandbox.py` answers requests; `people.py` is the person at the other end; `knobs.py` is what can be made to happen. Start with
`GraphSandbox(clock, rng)`, `add_user`, `tokens.issue()`, `handle(request)`.
"""

from local.sandbox.graph.faults import SubFault, When
from local.sandbox.graph.journal import Actor, Operation, Write
from local.sandbox.graph.knobs import Knobs
from local.sandbox.graph.people import People
from local.sandbox.graph.sandbox import GraphSandbox
from local.sandbox.graph.tokens import AccessToken, AccessTokens

__all__ = ["AccessToken", "AccessTokens", "Actor", "GraphSandbox", "Knobs", "Operation", "People", "SubFault", "When", "Write"]
