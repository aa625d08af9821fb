"""A Salesforce org in memory, strict as the service, for the local stack and the tests.

Layers, top down: `sandbox` (the service) with `administration` (the hands on the org) – `api` (paths) – `rows`,
`sobject_collections`, `composite`, `queries`, `describe`, `oauth`, `people` – `records` with `references` and `journal`
(writing), `query` with `conditions` (reading) – `access`, `rules`, `checks`, `kinds` – `store`, `schema`, `tables`, `soql` –
`ids`, `times`, `errors`. A further object is a table in `tables` and an entry, perhaps with rules, in `kinds`.
"""

from local.sandbox.salesforce.errors import Refusal
from local.sandbox.salesforce.journal import Write
from local.sandbox.salesforce.sandbox import SalesforceSandbox

__all__ = ["Refusal", "SalesforceSandbox", "Write"]
