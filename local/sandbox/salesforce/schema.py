"""Fields and objects as Salesforce describes them, read from the tables.

Why this file exists: the one description from which describe, SOQL and the checks of written values are served, so that
they cannot disagree. It knows no user (see `access.py`) and no record.
Source: Object Reference, "Field Types"; SOAP API Developer Guide, DescribeSObjectResult.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from local.sandbox.salesforce import tables


class FieldType(StrEnum):
    """The field types that occur in the tables."""

    ID = "id"
    STRING = "string"
    TEXTAREA = "textarea"
    PHONE = "phone"
    EMAIL = "email"
    URL = "url"
    PICKLIST = "picklist"
    COMBOBOX = "combobox"
    BOOLEAN = "boolean"
    INT = "int"
    DOUBLE = "double"
    CURRENCY = "currency"
    DATE = "date"
    DATETIME = "datetime"
    REFERENCE = "reference"
    ADDRESS = "address"


TEXT_TYPES = frozenset(
    {FieldType.STRING, FieldType.TEXTAREA, FieldType.PHONE, FieldType.EMAIL, FieldType.URL, FieldType.PICKLIST, FieldType.COMBOBOX}
)
NUMBER_TYPES = frozenset({FieldType.INT, FieldType.DOUBLE, FieldType.CURRENCY})
_SOAP_TYPES = {
    FieldType.ID: "tns:ID",
    FieldType.REFERENCE: "tns:ID",
    FieldType.BOOLEAN: "xsd:boolean",
    FieldType.INT: "xsd:int",
    FieldType.DOUBLE: "xsd:double",
    FieldType.CURRENCY: "xsd:double",
    FieldType.DATE: "xsd:date",
    FieldType.DATETIME: "xsd:dateTime",
    FieldType.ADDRESS: "urn:address",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field, as everybody sees it; `access.py` narrows it for a user. `length` is in UTF-16 code units."""

    name: str
    type: FieldType
    length: int = 0
    label: str = ""
    createable: bool = False
    updateable: bool = False
    nillable: bool = False
    defaulted_on_create: bool = False
    filterable: bool = False
    sortable: bool = False
    id_lookup: bool = False
    groupable: bool = False
    aggregatable: bool = False
    restricted: bool = False
    permissionable: bool = False
    is_name: bool = False
    external_id: bool = False
    unique: bool = False
    case_sensitive: bool = False
    reference_to: tuple[str, ...] = ()
    relationship: str | None = None
    compound: str | None = None
    precision: int = 0
    scale: int = 0
    picklist: tuple[str, ...] = ()
    default: Any = None

    @property
    def custom(self) -> bool:
        return self.name.endswith("__c")

    @property
    def required(self) -> bool:
        """Whether a create must name it."""
        return not self.nillable and self.createable and not self.defaulted_on_create

    def describe(self) -> dict[str, Any]:
        """The field as in the describe response."""
        is_id = self.type in (FieldType.ID, FieldType.REFERENCE)
        return {
            "aggregatable": self.aggregatable,
            "aiPredictionField": False,
            "autoNumber": False,
            "byteLength": self.length if is_id else self.length * 3,
            "calculated": False,
            "calculatedFormula": None,
            "cascadeDelete": False,
            "caseSensitive": self.case_sensitive,
            "compoundFieldName": self.compound,
            "controllerName": None,
            "createable": self.createable,
            "custom": self.custom,
            "defaultValue": self.default,
            "defaultedOnCreate": self.defaulted_on_create,
            "dependentPicklist": False,
            "deprecatedAndHidden": False,
            "digits": self.precision if self.type is FieldType.INT else 0,
            "encrypted": False,
            "externalId": self.external_id,
            "extraTypeInfo": "plaintextarea" if self.type is FieldType.TEXTAREA else None,
            "filterable": self.filterable,
            "groupable": self.groupable,
            "highScaleNumber": False,
            "htmlFormatted": False,
            "idLookup": self.id_lookup,
            "inlineHelpText": None,
            "label": self.label,
            "length": self.length,
            "name": self.name,
            "nameField": self.is_name,
            "namePointing": len(self.reference_to) > 1,
            "nillable": self.nillable,
            "permissionable": self.permissionable,
            "picklistValues": [
                {"active": True, "defaultValue": value == self.default, "label": value, "validFor": None, "value": value}
                for value in self.picklist
            ],
            "polymorphicForeignKey": len(self.reference_to) > 1,
            "precision": 0 if self.type is FieldType.INT else self.precision,
            "queryByDistance": self.type is FieldType.ADDRESS,
            "referenceTargetField": None,
            "referenceTo": list(self.reference_to),
            "relationshipName": self.relationship,
            "relationshipOrder": None,
            "restrictedDelete": False,
            "restrictedPicklist": self.restricted,
            "scale": self.scale,
            "soapType": _SOAP_TYPES.get(self.type, "xsd:string"),
            "sortable": self.sortable,
            "type": self.type.value,
            "unique": self.unique,
            "updateable": self.updateable,
            "writeRequiresMasterRead": False,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectType:
    """One object: its key prefix and fields (by lower-case name, in table order)."""

    name: str
    plural: str
    prefix: str
    fields: Mapping[str, Field]
    scopes: tuple[str, ...] = ("everything",)
    createable: bool = True
    deletable: bool = True
    mergeable: bool = False
    searchable: bool = True

    def field(self, name: str) -> Field | None:
        """By name in any case; None when there is none."""
        return self.fields.get(name.lower())

    def with_fields(self, *fields: Field) -> "ObjectType":
        return replace(self, fields={**self.fields, **{field.name.lower(): field for field in fields}})

    @property
    def has_owner(self) -> bool:
        return "ownerid" in self.fields

    @property
    def soft_deletes(self) -> bool:
        return "isdeleted" in self.fields


def spaced(name: str) -> str:
    """The label that Salesforce would give a field of this name."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name.removesuffix("__c").replace("_", " "))


def parse_field(line: str) -> Field:
    """A field from one line of a table (the format is in the docstring of `tables.py`).

    Raises ValueError for a type or flag that does not exist.
    """
    name, type_name, length, flags, *rest = line.split()
    options = dict(part.split("=", 1) for part in rest)
    unknown = set(flags) - set("CUNDFSIGARPTXQK-") or set(options) - {"to", "via", "in", "digits", "of", "default", "label"}
    if unknown:
        raise ValueError(f"{name}: unknown {sorted(unknown)}")
    field_type = FieldType(type_name)
    precision, _, scale = options.get("digits", "0.0").partition(".")
    default: Any = options.get("default", "").replace("_", " ") or (False if field_type is FieldType.BOOLEAN else None)
    return Field(
        name=name,
        type=field_type,
        length=int(length),
        label=options.get("label", "").replace("_", " ") or spaced(name),
        createable="C" in flags,
        updateable="U" in flags,
        nillable="N" in flags,
        defaulted_on_create="D" in flags,
        filterable="F" in flags,
        sortable="S" in flags,
        id_lookup="I" in flags,
        groupable="G" in flags,
        aggregatable="A" in flags,
        restricted="R" in flags,
        permissionable="P" in flags,
        is_name="T" in flags,
        external_id="X" in flags,
        unique="Q" in flags,
        case_sensitive="K" in flags,
        reference_to=tuple(options["to"].split("|")) if "to" in options else (),
        relationship=options.get("via"),
        compound=options.get("in"),
        precision=int(precision),
        scale=int(scale),
        picklist=tables.PICKLISTS[options["of"]] if "of" in options else (),
        default=default,
    )


def parse_table(text: str) -> dict[str, Field]:
    """All fields of a table, by lower-case name."""
    fields = [parse_field(line) for line in text.strip().splitlines()]
    return {field.name.lower(): field for field in fields}


def custom_field(
    name: str,
    type_name: str = "string",
    length: int = 255,
    *,
    external_id: bool = False,
    unique: bool = False,
    case_sensitive: bool = False,
    picklist: Sequence[str] = (),
    restricted: bool = False,
    required: bool = False,
) -> Field:
    """A field an administrator added; `name` ends in `__c`. A unique text field is unique without regard to case unless told."""
    field_type = FieldType(type_name)
    sized = field_type in TEXT_TYPES
    return Field(
        name=name,
        type=field_type,
        length=length if sized else 18 if field_type is FieldType.REFERENCE else 0,
        label=spaced(name),
        createable=True,
        updateable=True,
        nillable=not required and field_type is not FieldType.BOOLEAN,
        defaulted_on_create=field_type is FieldType.BOOLEAN,
        filterable=field_type is not FieldType.TEXTAREA or length <= 255,
        sortable=field_type is not FieldType.TEXTAREA or length <= 255,
        groupable=sized and length <= 255,
        aggregatable=field_type is not FieldType.BOOLEAN,
        id_lookup=external_id,
        permissionable=not required,
        external_id=external_id,
        unique=unique,
        case_sensitive=case_sensitive,
        precision=18 if field_type in NUMBER_TYPES else 0,
        picklist=tuple(picklist),
        restricted=restricted,
        default=False if field_type is FieldType.BOOLEAN else None,
    )


def with_state_codes(kind: ObjectType) -> ObjectType:
    """The object in an org with State and Country/Territory Picklists: a code beside every state and country."""
    added = []
    for field in kind.fields.values():
        part = next((part for part in ("State", "Country") if field.name.endswith(part) and field.compound), None)
        if part is None:
            continue
        codes = (
            tuple(tables.COUNTRIES)
            if part == "Country"
            else tuple(sorted({code for _, states in tables.COUNTRIES.values() for code in states}))
        )
        added.append(
            replace(
                field,
                name=f"{field.name}Code",
                label=f"{field.label} Code",
                type=FieldType.PICKLIST,
                length=10,
                picklist=codes,
                restricted=True,
            )
        )
    return kind.with_fields(*added)
