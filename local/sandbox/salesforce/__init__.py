"""A Salesforce org in memory, strict as the service, for the local stack and the tests.

Layers, top down: `sandbox` (the org and the hands on it) – `api` (paths) – `rows`, `sobject_collections`, `composite`,
`queries`, `describe`, `oauth`, `people` – `records` (writing), `query` (reading) – `access`, `rules`, `checks`, `kinds` –
`store`, `schema`, `tables`, `soql` – `ids`, `times`, `errors`.
"""

from local.sandbox.salesforce.errors import Refusal
from local.sandbox.salesforce.records import Write
from local.sandbox.salesforce.sandbox import SalesforceSandbox

__all__ = ["Refusal", "SalesforceSandbox", "Write"]
