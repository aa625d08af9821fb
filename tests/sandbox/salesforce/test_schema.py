"""The tables agree with what real orgs describe, and with the published ids."""

import json
import random
from pathlib import Path

import pytest

from local.sandbox.salesforce.ids import IdMint, suffix_of, to_18
from local.sandbox.salesforce.kinds import Features, build_objects
from local.sandbox.salesforce.schema import parse_field

from .conftest import Client, Keys, World

FLAGS = (
    "createable",
    "updateable",
    "nillable",
    "defaultedOnCreate",
    "filterable",
    "sortable",
    "idLookup",
    "groupable",
    "aggregatable",
    "restrictedPicklist",
    "externalId",
    "unique",
    "caseSensitive",
    "permissionable",
    "nameField",
    "compoundFieldName",
    "relationshipName",
    "referenceTo",
)
PARTICULAR_TO_THE_CAPTURED_ORG = {"RecordTypeId", "JigsawContactId", "JigsawCompanyId"}


@pytest.mark.parametrize("name", ["Contact", "Account", "Lead"])
def test_every_standard_field_is_described_as_a_real_org_does(contract_data: Path, name: str) -> None:
    real = json.loads((contract_data / f"{name}.describe.json").read_text())
    wanted = {field["name"]: field for field in real["fields"] if not field["name"].endswith("__c") and field["name"] != "RecordTypeId"}
    kind = build_objects(Features(custom_fields={}))[name.lower()]
    ours = {field.name: field.describe() for field in kind.fields.values()}
    assert list(ours) == list(wanted)
    for field_name, field in wanted.items():
        mine = ours[field_name]
        for key in ("type", "length", "label", *FLAGS, "precision", "scale", "digits"):
            if key == "relationshipName" and field_name in PARTICULAR_TO_THE_CAPTURED_ORG:
                continue
            assert mine[key] == field[key], f"{name}.{field_name}.{key}"
        assert [value["value"] for value in mine["picklistValues"]] == [value["value"] for value in field["picklistValues"]], field_name
    assert kind.prefix == real["keyPrefix"]
    assert [scope["name"] for scope in real["supportedScopes"]] == list(kind.scopes)
    assert (kind.mergeable, kind.deletable) == (real["mergeable"], real["deletable"])


def test_a_described_field_has_no_key_that_the_service_does_not_send(contract_data: Path, alice: Client) -> None:
    real = json.loads((contract_data / "Contact.describe.json").read_text())
    known = {key for field in real["fields"] for key in field}
    ours = alice.call("GET", "sobjects/Contact/describe").json()
    assert {key for field in ours["fields"] for key in field} <= known
    assert set(ours) <= set(real)


def test_required_is_what_is_neither_nillable_nor_defaulted() -> None:
    objects = build_objects(Features(custom_fields={}))
    required = {name: [field.name for field in objects[name].fields.values() if field.required] for name in ("contact", "lead", "account")}
    assert required == {"contact": ["LastName"], "lead": ["LastName", "Company"], "account": ["Name"]}


def test_optional_features_add_their_fields(keys: Keys) -> None:
    world = World(keys, middle_name=True, name_suffix=True, state_country_picklists=True, person_accounts=True)
    fields = {field["name"]: field for field in world.client().call("GET", "sobjects/Contact/describe").json()["fields"]}
    assert {"MiddleName", "Suffix", "MailingCountryCode", "OtherStateCode", "IsPersonAccount"} <= set(fields)
    assert fields["Name"]["length"] == 203
    assert fields["MailingCountryCode"]["restrictedPicklist"]


def test_an_unknown_flag_in_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="Odd"):
        parse_field("Odd string 10 CZ")


def test_the_suffix_of_an_id_is_the_published_one() -> None:
    assert suffix_of("0038M0000016Wv8") == "QAE"
    assert suffix_of("001R00000064wdt") == "IAA"
    assert to_18("0038M0000016Wv8") == "0038M0000016Wv8QAE"
    assert to_18("0038m0000016wv8qae") == "0038M0000016Wv8QAE"
    assert to_18("0038M0000016Wv8QAF") is None
    assert to_18("not an id") is None


def test_ids_ascend_and_case_twins_occur() -> None:

    mint = IdMint(random.Random(1))
    ids = [mint.mint("003") for _ in range(100)]
    assert ids == sorted(ids)
    assert len({each.lower()[:15] for each in ids}) < 100
    assert len({each.lower() for each in ids}) == 100
