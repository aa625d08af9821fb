"""The hand-written tables agree with Microsoft's own metadata, where that is at hand."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from local.sandbox.graph.contacts import NAMES
from local.sandbox.graph.schema import (
    ADDRESS_PARTS,
    CATEGORY,
    COLOURS,
    CONTACT,
    CONTACT_FOLDER,
    EMAIL_PARTS,
    IGNORED_FIELDS,
    SERVER_FIELDS,
    Field,
    Type,
)

DATA = Path(os.environ.get("TANDEM_CONTRACT_DATA", Path(__file__).parents[4] / "shared" / "data"))


@pytest.fixture(scope="module")
def metadata() -> Any:
    path = DATA / "graph" / "graph-outlook-types.json"
    if not path.exists():
        pytest.skip("the slice of the Graph metadata is not here; TANDEM_CONTRACT_DATA names its folder")
    return json.loads(path.read_text())


@pytest.mark.parametrize(
    ("name", "fields"),
    [("contact", CONTACT), ("contactFolder", CONTACT_FOLDER), ("outlookCategory", CATEGORY)],
    ids=["contact", "folder", "category"],
)
def test_every_property_is_known_with_its_type(metadata: Any, name: str, fields: dict[str, Field]) -> None:
    declared = {key: value for key, value in metadata["types"][name]["properties"].items() if key not in IGNORED_FIELDS}
    ours = {key: (field.edm, field.type in (Type.TEXTS, Type.EMAILS)) for key, field in fields.items() if key != "categories"}
    assert ours == {key: (value["type"], value["collection"]) for key, value in declared.items()}


def test_what_all_outlook_items_have_is_known(metadata: Any) -> None:
    declared = set(metadata["types"]["outlookItem"]["properties"])
    assert declared | {"id"} == {*SERVER_FIELDS, "categories"}
    assert declared <= NAMES


def test_the_parts_of_addresses_and_the_colours_are_known(metadata: Any) -> None:
    assert set(metadata["types"]["physicalAddress"]["properties"]) == set(ADDRESS_PARTS)
    assert set(metadata["types"]["emailAddress"]["properties"]) == set(EMAIL_PARTS)
    colours = metadata["enums"]["categoryColor"]
    assert set(colours["members"] if isinstance(colours, dict) else colours) == COLOURS
