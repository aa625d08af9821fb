"""The Salesforce source directory: it converts, and every element is one that Salesforce knows (the converter accepts misspelt ones)."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path

import pytest

from local.sandbox.salesforce.kinds import external_key
from sync.connectors.salesforce.transport import API_VERSION
from sync.translate.contact import CONTACT
from tests.infra.tools import CHECKS, INFRA, node

FOLDER = INFRA / "salesforce"
SOURCE = FOLDER / "force-app" / "main" / "default"
NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"
OBJECTS = ("Activity", "Contact", "Lead")
FIELD = {
    "fullName": "Tandem_Key__c",
    "caseSensitive": "true",
    "externalId": "true",
    "label": "Tandem Key",
    "length": "64",
    "required": "false",
    "type": "Text",
    "unique": "true",
}
"""Of Metadata API's CustomField, besides two texts for people."""
TEXTS = {"description": 1000, "inlineHelpText": 510}
"""Longest allowed."""


def children(path: Path, root: str) -> list[tuple[str, ET.Element]]:
    element = ET.parse(path).getroot()
    assert element.tag == NAMESPACE + root
    assert element.attrib == {}
    return [(child.tag.removeprefix(NAMESPACE), child) for child in element]


def permission_set(name: str) -> Mapping[str, list[Mapping[str, str]]]:
    """Its lists of permissions, each element as a dict; plain texts under ''."""
    found: dict[str, list[Mapping[str, str]]] = {"": [{}]}
    plain: dict[str, str] = {}
    for tag, child in children(SOURCE / "permissionsets" / f"{name}.permissionset-meta.xml", "PermissionSet"):
        if len(child):
            assert len({each.tag for each in child}) == len(child)
            found.setdefault(tag, []).append({each.tag.removeprefix(NAMESPACE): each.text or "" for each in child})
        else:
            assert tag not in plain
            plain[tag] = child.text or ""
    found[""] = [plain]
    return found


@pytest.mark.parametrize("name", OBJECTS)
def test_the_key_field_has_exactly_these_elements(name: str) -> None:
    found = children(SOURCE / "objects" / name / "fields" / "Tandem_Key__c.field-meta.xml", "CustomField")
    tags = [tag for tag, _ in found]
    assert len(set(tags)) == len(tags)
    assert {tag: child.text for tag, child in found if tag not in TEXTS} == FIELD
    for tag, longest in TEXTS.items():
        (text,) = [child.text or "" for each, child in found if each == tag]
        assert 10 < len(text) <= longest
    assert not [child for _, child in found if len(child) or child.attrib]


def test_the_key_field_is_what_the_code_and_the_simulator_mean() -> None:
    assert FIELD["fullName"] == CONTACT.key_field
    simulated = external_key()
    assert (simulated.name, simulated.length) == (FIELD["fullName"], int(FIELD["length"]))


def test_the_users_permission_set_gives_the_key_field_and_the_api_and_nothing_else() -> None:
    found = permission_set("Tandem_User")
    assert set(found) == {"", "fieldPermissions", "userPermissions"}
    assert set(found[""][0]) == {"description", "hasActivationRequired", "label"}
    assert found["userPermissions"] == [{"enabled": "true", "name": "ApiEnabled"}]
    fields = [f"{name}.Tandem_Key__c" for name in ("Contact", "Event", "Lead", "Task")]
    assert found["fieldPermissions"] == [{"editable": "true", "field": field, "readable": "true"} for field in fields]


def test_the_integration_users_permission_set_finds_users_and_sees_no_record() -> None:
    found = permission_set("Tandem_Integration")
    assert set(found) == {"", "userPermissions"}
    assert set(found[""][0]) == {"description", "hasActivationRequired", "label"}
    assert [each["name"] for each in found["userPermissions"]] == ["ApiEnabled", "ViewAllUsers"]
    assert {each["enabled"] for each in found["userPermissions"]} == {"true"}


def test_there_is_nothing_else_in_the_directory() -> None:
    fields = {SOURCE / "objects" / name / "fields" / "Tandem_Key__c.field-meta.xml" for name in OBJECTS}
    sets = {SOURCE / "permissionsets" / f"Tandem_{name}.permissionset-meta.xml" for name in ("User", "Integration")}
    assert {path for path in (FOLDER / "force-app").rglob("*") if path.is_file()} == fields | sets


def test_it_is_deployed_with_the_api_version_that_the_code_speaks() -> None:
    project = json.loads((FOLDER / "sfdx-project.json").read_text(encoding="utf-8"))
    assert project["sourceApiVersion"] == API_VERSION
    assert project["packageDirectories"] == [{"path": "force-app", "default": True}]


def test_salesforces_own_library_converts_it(tmp_path: Path) -> None:
    found = node(CHECKS / "convert.cjs", str(FOLDER), str(tmp_path))
    assert {kind: sorted(names) for kind, names in found.items()} == {
        "CustomField": [f"{name}.Tandem_Key__c" for name in OBJECTS],
        "PermissionSet": ["Tandem_Integration", "Tandem_User"],
    }
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {
        "package.xml",
        *(f"objects/{name}.object" for name in OBJECTS),
        "permissionsets/Tandem_Integration.permissionset",
        "permissionsets/Tandem_User.permissionset",
    }
