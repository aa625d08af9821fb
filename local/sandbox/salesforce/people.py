"""The people of the org: what a person does in the browser.

Why this file exists: a person's edit takes the same road as the API's (`records.py`) under the person's own rights, and is
told apart in the journal. Arguments are JSON values, so a control plane can call every method. Knows no HTTP.
Source: Salesforce Help, "Merge Duplicate Contacts", "Convert Leads".
"""

from collections.abc import Mapping, Sequence
from typing import Any

from local.sandbox.salesforce.errors import Code, refuse
from local.sandbox.salesforce.journal import Actor, Caller
from local.sandbox.salesforce.org import Org
from local.sandbox.salesforce.records import canonical_id
from local.sandbox.salesforce.times import to_stamp


class Person:
    """One user at the browser. Every method raises `errors.Refusal` where the page would show an error.

    Ids may have 15 or 18 characters. `visible_after` (seconds): the change is stamped now and seen by others only then; the
    row is locked meanwhile. An alerting duplicate rule does not stop a person, a blocking one does.
    """

    def __init__(self, org: Org, user_id: str) -> None:
        self._org = org
        self.id = user_id
        self._caller = Caller(user_id=user_id, actor=Actor.PERSON, allow_duplicates=True)

    def _settle(self) -> None:
        self._org.store.settle(to_stamp(self._org.clock.now()))

    def create(self, object_name: str, fields: Mapping[str, Any], visible_after: float = 0.0) -> str:
        """The new record's id."""
        self._settle()
        return self._org.records.create(self._caller, object_name, fields, visible_after=visible_after)

    def update(self, record: str, fields: Mapping[str, Any], visible_after: float = 0.0) -> None:
        """Also changes the owner, renames an account, and so on: all are fields."""
        self._settle()
        row_id = canonical_id(record)
        kind = self._org.records.kind_of(self._caller, row_id, None)
        self._org.records.update(self._caller, kind.name, row_id, fields, visible_after=visible_after)

    def delete(self, record: str, visible_after: float = 0.0) -> None:
        """Into the recycle bin."""
        self._settle()
        self._org.records.delete(self._caller, canonical_id(record), visible_after=visible_after)

    def undelete(self, record: str) -> None:
        """Out of the recycle bin."""
        self._settle()
        self._org.records.undelete(self._caller, canonical_id(record))

    def merge(self, master: str, losers: Sequence[str], fields: Mapping[str, Any] | None = None) -> None:
        """Merge one or two records into `master`; `fields` are the values chosen from the losers."""
        self._settle()
        self._org.records.merge(self._caller, canonical_id(master), [canonical_id(loser) for loser in losers], fields or {})

    def purge(self, record: str) -> None:
        """Delete for good: no trace in queryAll."""
        self._settle()
        self._org.records.purge(self._caller, canonical_id(record))

    def convert_lead(self, lead: str, account: str | None = None) -> dict[str, str]:
        """Turn a lead into a contact (and an account, unless one is named); returns `{"AccountId", "ContactId"}`."""
        self._settle()
        lead_id = canonical_id(lead)
        row = self._org.store.get("Lead", lead_id)
        if row is None or row.get("IsDeleted") or row.get("IsConverted"):
            raise refuse(400, Code.CANNOT_UPDATE_CONVERTED_LEAD, "cannot reference converted lead")
        account_id = canonical_id(account) if account else self.create("Account", {"Name": row["Company"], "OwnerId": row["OwnerId"]})
        shared = (
            "LastName",
            "FirstName",
            "Salutation",
            "Title",
            "Phone",
            "MobilePhone",
            "Fax",
            "Email",
            "Description",
            "LeadSource",
            "OwnerId",
        )
        fields = {name: row[name] for name in shared if row.get(name) is not None}
        fields |= {f"Mailing{part}": row[part] for part in ("Street", "City", "State", "PostalCode", "Country") if row.get(part)}
        contact_id = self.create("Contact", {**fields, "AccountId": account_id})
        converted = {
            "IsConverted": True,
            "Status": "Closed - Converted",
            "ConvertedDate": self._org.clock.now().date().isoformat(),
            "ConvertedAccountId": account_id,
            "ConvertedContactId": contact_id,
        }
        self._org.records.set_computed(self._caller, "Lead", lead_id, converted)
        return {"AccountId": account_id, "ContactId": contact_id}
