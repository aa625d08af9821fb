"""Which objects the simulated org has, and what is particular to each.

Why this file exists: it is the place where an object is added – its table, its prefix and, where describe does not say
everything (a lead that was converted, a contact nobody else may see), a class of rules with the hooks below. The rest of
the simulator knows no object by name except through here.
Source: Object Reference (Contact, Account, Lead, User); "State and Country/Territory Picklists" in Salesforce Help.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from local.sandbox.salesforce import tables
from local.sandbox.salesforce.errors import Code, Problem
from local.sandbox.salesforce.schema import Field, ObjectType, custom_field, parse_table, with_state_codes

Values = dict[str, Any]
"""A record: field name -> JSON value; what is absent is null."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What an administrator can switch on for the whole org. `custom_fields` are `schema.custom_field`s by object."""

    middle_name: bool = False
    name_suffix: bool = False
    state_country_picklists: bool = False
    person_accounts: bool = False
    custom_fields: Mapping[str, tuple[Field, ...]]


class ObjectRules:
    """What describe does not say about an object. The hooks do nothing for an object without peculiarities."""

    def reject(self, kind: ObjectType, before: Mapping[str, Any] | None, written: Mapping[str, Any], by_api: bool) -> list[Problem]:
        """Reasons to refuse `written` (already checked field by field) over `before` (None: a create)."""
        return []

    def derive(self, kind: ObjectType, values: Values) -> None:
        """Fill what Salesforce computes from other fields, in place."""

    def visible_to_owner_only(self, values: Mapping[str, Any]) -> bool:
        """Whether no sharing reaches the record."""
        return False


class PersonRules(ObjectRules):
    """Name from its parts; states and countries when they are picklists."""

    def derive(self, kind: ObjectType, values: Values) -> None:
        parts = (values.get(part) for part in ("FirstName", "MiddleName", "LastName", "Suffix"))
        values["Name"] = " ".join(part for part in parts if part) or None
        derive_places(kind, values)

    def reject(self, kind: ObjectType, before: Mapping[str, Any] | None, written: Mapping[str, Any], by_api: bool) -> list[Problem]:
        return reject_places(kind, before, written)


class ContactRules(PersonRules):
    """A contact without an account is private; a person account's contact is written through the account."""

    def visible_to_owner_only(self, values: Mapping[str, Any]) -> bool:
        return values.get("AccountId") is None

    def reject(self, kind: ObjectType, before: Mapping[str, Any] | None, written: Mapping[str, Any], by_api: bool) -> list[Problem]:
        if by_api and before is not None and before.get("IsPersonAccount"):
            return [Problem(code=Code.INSUFFICIENT_ACCESS_OR_READONLY, message="insufficient access rights on object id")]
        return super().reject(kind, before, written, by_api)


class LeadRules(PersonRules):
    """A converted lead is read-only."""

    def reject(self, kind: ObjectType, before: Mapping[str, Any] | None, written: Mapping[str, Any], by_api: bool) -> list[Problem]:
        if by_api and before is not None and before.get("IsConverted"):
            return [Problem(code=Code.CANNOT_UPDATE_CONVERTED_LEAD, message="cannot reference converted lead")]
        return super().reject(kind, before, written, by_api)


class AccountRules(ObjectRules):
    """A person account's name comes from its parts."""

    def derive(self, kind: ObjectType, values: Values) -> None:
        if kind.field("IsPersonAccount") and values.get("LastName"):
            values["IsPersonAccount"] = True
            values["Name"] = " ".join(part for part in (values.get("FirstName"), values.get("LastName")) if part) or None
        derive_places(kind, values)

    def reject(self, kind: ObjectType, before: Mapping[str, Any] | None, written: Mapping[str, Any], by_api: bool) -> list[Problem]:
        return reject_places(kind, before, written)


def person_contact_fields(account: Mapping[str, Any]) -> Values:
    """What the contact of a person account holds: the account's `Person...` fields, its name parts, phone and fax."""
    fields = {
        name.removeprefix("Person"): value for name, value in account.items() if name.startswith("Person") and name != "PersonContactId"
    }
    fields |= {name: account.get(name) for name in ("FirstName", "LastName", "Salutation", "Phone", "Fax", "OwnerId")}
    return fields | {"Id": account["PersonContactId"], "AccountId": account["Id"], "IsPersonAccount": True}


RULES: dict[str, ObjectRules] = {"Contact": ContactRules(), "Account": AccountRules(), "Lead": LeadRules(), "User": PersonRules()}


def _places(kind: ObjectType) -> list[str]:
    return [field.name.removesuffix("CountryCode") for field in kind.fields.values() if field.name.endswith("CountryCode")]


def derive_places(kind: ObjectType, values: Values) -> None:
    """With picklists on, keep code and text of a place in step; a code that was written has already been turned into both."""
    for prefix in _places(kind):
        country = values.get(f"{prefix}Country")
        code = next((code for code, (name, _) in tables.COUNTRIES.items() if name == country), None)
        values[f"{prefix}CountryCode"] = code
        states = tables.COUNTRIES[code][1] if code else {}
        state = values.get(f"{prefix}State")
        values[f"{prefix}StateCode"] = next((key for key, name in states.items() if name == state), None)


def reject_places(kind: ObjectType, before: Mapping[str, Any] | None, written: Mapping[str, Any]) -> list[Problem]:
    """With picklists on, refuse a state or country that is not of the list, or a state without its country."""
    problems = []
    for prefix in _places(kind):
        if not any(f"{prefix}{part}" in written for part in ("Country", "State", "CountryCode", "StateCode")):
            continue
        after = {**(before or {}), **written}
        country, state = after.get(f"{prefix}Country"), after.get(f"{prefix}State")
        code = next((code for code, (name, _) in tables.COUNTRIES.items() if name == country), None)
        label = spaced_label(kind, f"{prefix}Country")
        if country is not None and code is None:
            text = (
                "There's a problem with this country, even though it may appear correct. "
                f"Please select a country/territory from the list of valid countries.: {label}"
            )
            problems.append(Problem(code=Code.FIELD_INTEGRITY_EXCEPTION, message=text, fields=(f"{prefix}Country",)))
        elif state is not None:
            label = spaced_label(kind, f"{prefix}State")
            if code is None:
                text = f"A country/territory must be specified before specifying a state value for field: {label}"
                problems.append(Problem(code=Code.FIELD_INTEGRITY_EXCEPTION, message=text, fields=(f"{prefix}State",)))
            elif state not in tables.COUNTRIES[code][1].values():
                text = (
                    "There's a problem with this state, even though it may appear correct. "
                    f"Please select a state from the list of valid states.: {label}"
                )
                problems.append(Problem(code=Code.FIELD_INTEGRITY_EXCEPTION, message=text, fields=(f"{prefix}State",)))
    return problems


def spaced_label(kind: ObjectType, name: str) -> str:
    """The label of a field that is known to exist."""
    return kind.fields[name.lower()].label


def spell_out_codes(kind: ObjectType, before: Mapping[str, Any] | None, written: Values) -> None:
    """Turn written state and country codes into the texts they stand for, in place; a code wins over nothing, a text over a code."""
    for prefix in _places(kind):
        country_code, state_code = written.get(f"{prefix}CountryCode"), written.get(f"{prefix}StateCode")
        if f"{prefix}CountryCode" in written and f"{prefix}Country" not in written:
            known = tables.COUNTRIES.get(country_code or "")
            written[f"{prefix}Country"] = known[0] if known else None  # an unknown code is refused as a picklist value
        if f"{prefix}StateCode" in written and f"{prefix}State" not in written:
            country = written.get(f"{prefix}Country", (before or {}).get(f"{prefix}Country"))
            states = next((states for name, states in tables.COUNTRIES.values() if name == country), {})
            written[f"{prefix}State"] = states.get(state_code, state_code) if state_code else None


def build_objects(features: Features) -> dict[str, ObjectType]:
    """The objects of an org with these features, by lower-case name."""
    scopes = ("everything", "mine", "scopingRule", "team")
    kinds = [
        ObjectType(
            name="Account",
            plural="Accounts",
            prefix="001",
            fields=parse_table(tables.ACCOUNT),
            scopes=("everything", "mine", "team"),
            mergeable=True,
        ),
        ObjectType(name="Contact", plural="Contacts", prefix="003", fields=parse_table(tables.CONTACT), scopes=scopes, mergeable=True),
        ObjectType(
            name="Lead",
            plural="Leads",
            prefix="00Q",
            fields=parse_table(tables.LEAD),
            scopes=("everything", "mine", "queue_owned", "scopingRule", "team", "user_owned"),
            mergeable=True,
        ),
        ObjectType(
            name="Organization",
            plural="Organizations",
            prefix="00D",
            fields=parse_table(tables.ORGANIZATION),
            createable=False,
            deletable=False,
        ),
        ObjectType(name="User", plural="Users", prefix="005", fields=parse_table(tables.USER), deletable=False),
    ]
    return {kind.name.lower(): _with_features(kind, features) for kind in kinds}


def _with_features(kind: ObjectType, features: Features) -> ObjectType:
    person = kind.name in ("Contact", "Lead")
    for wanted, table in ((features.middle_name, tables.MIDDLE_NAME), (features.name_suffix, tables.SUFFIX)):
        if wanted and (person or kind.name == "User"):
            kind = kind.with_fields(*parse_table(table).values())
            name = kind.fields["name"]
            kind = kind.with_fields(replace(name, length=name.length + 41))
    if features.person_accounts and kind.name in ("Contact", "Account"):
        kind = kind.with_fields(*parse_table(tables.PERSON_CONTACT if kind.name == "Contact" else tables.PERSON_ACCOUNT).values())
    if features.state_country_picklists and kind.name in ("Contact", "Account", "Lead"):
        kind = with_state_codes(kind)
    return kind.with_fields(*features.custom_fields.get(kind.name, ()))


def external_key(name: str = "Tandem_Key__c", length: int = 64) -> Field:
    """A text field that is an external id, unique and case-sensitive: what a package brings to make creates repeatable."""
    return custom_field(name, "string", length, external_id=True, unique=True, case_sensitive=True)
