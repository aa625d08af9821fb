"""A row of SyncProfiles as a value: how each column is read, what it may hold, what it means when nobody wrote it.

Pure: columns in, a `Profile` and the values that are not allowed out. It knows no table service.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from sync.core.guards import Limits
from sync.core.policy import Direction, Policy, Winner
from sync.ports import Row, Scalar

TABLE = "SyncProfiles"
OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class BadValue:
    """A value that an administrator wrote and that is not allowed there."""

    table: str
    row: str
    column: str
    value: str
    allowed: str

    @property
    def text(self) -> str:
        return f"{self.table}, row {self.row}: {self.column} is {self.value!r}; allowed: {self.allowed}."


class ContactsSearch(StrEnum):
    MINE = "My contacts"
    ALL = "All contacts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How people of a profile sync. `policy` is None while contacts are off."""

    name: str
    policy: Policy | None
    search: ContactsSearch
    max_contacts: int
    limits: Limits
    folder_name: str
    category_name: str
    sweep: timedelta
    """How often the membership of the search is swept."""
    compare: timedelta
    """How often both sides and the links are compared in full."""
    journal_days: int
    written: Mapping[str, Scalar]
    """What the row's columns say, in one spelling each: what a profile's version is made of."""


def flag(value: Scalar) -> bool | None:
    """true or false, as a boolean or as text of any case; None for anything else."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(str(value).strip().lower())


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """`read` gives the value in its one spelling, or None if it is not allowed."""

    default: Scalar
    read: Callable[[Scalar], Scalar | None]
    allowed: str


def _choice(default: str, *others: str) -> Column:
    values = tuple(map(str, (default, *others)))
    by_name = {value.lower(): value for value in values}
    return Column(default=values[0], read=lambda value: by_name.get(str(value).strip().lower()), allowed=", ".join(values))


def _flag(default: bool) -> Column:
    return Column(default=default, read=flag, allowed="true, false")


def _number(default: int, least: int, most: int) -> Column:
    def read(value: Scalar) -> int | None:
        text = str(value).strip()
        number = None if isinstance(value, bool) or not (text.isascii() and text.isdecimal()) else int(text)
        if isinstance(value, float) and value.is_integer():  # Storage Explorer offers Double as well
            number = int(value)
        return number if number is not None and least <= number <= most else None

    return Column(default=default, read=read, allowed=f"a whole number from {least} to {most}")


def _text(default: str, longest: int) -> Column:
    def read(value: Scalar) -> str | None:
        text = str(value).strip()
        return text if len(text) <= longest and text.isprintable() else None

    return Column(default=default, read=read, allowed=f"a text of at most {longest} characters")


_CATEGORY_LENGTH = 255
"""Graph, outlookCategory: displayName."""

PROFILE_COLUMNS: Mapping[str, Column] = {
    "ContactsDirection": _choice(*Direction, OFF),
    "ContactsSearch": _choice(*ContactsSearch),
    "MaxContacts": _number(25_000, 1, 100_000),
    "ContactsConflictRule": _choice(*Winner),
    "ContactsDeleteInSalesforce": _flag(False),
    "ContactsDeleteInOutlook": _flag(True),
    "GuardCount": _number(Limits().count, 0, 100_000),
    "GuardPercent": _number(Limits().percent, 0, 100),
    "FolderName": _text("Salesforce Contacts", 255),
    "CategoryName": _text("Salesforce", _CATEGORY_LENGTH),
    "SweepMinutes": _number(60, 5, 10_080),
    "CompareHours": _number(24, 1, 720),
    "JournalDays": _number(30, 1, 365),
}


def defaults() -> dict[str, Scalar]:
    """A whole row of defaults."""
    return {name: column.default for name, column in PROFILE_COLUMNS.items()}


def read_profile(name: str, row: Row) -> tuple[Profile, tuple[BadValue, ...]]:
    """A row as a profile; a column that is missing or empty holds its default, one that is not allowed is named."""
    values: dict[str, Any] = {}
    bad: list[BadValue] = []
    for column, how in PROFILE_COLUMNS.items():
        written = row.get(column, "")
        value = how.default if str(written).strip() == "" else how.read(written)
        if value is None:
            bad.append(BadValue(table=TABLE, row=name, column=column, value=str(written), allowed=how.allowed))
            value = how.default
        values[column] = value
    off = values["ContactsDirection"] == OFF
    policy = Policy(
        direction=Direction.BOTH if off else Direction(values["ContactsDirection"]),
        winner=Winner(values["ContactsConflictRule"]),
        remove_in_salesforce=values["ContactsDeleteInSalesforce"],
        remove_in_outlook=values["ContactsDeleteInOutlook"],
    )
    profile = Profile(
        name=name,
        policy=None if off else policy,
        search=ContactsSearch(values["ContactsSearch"]),
        max_contacts=values["MaxContacts"],
        limits=Limits(count=values["GuardCount"], percent=values["GuardPercent"]),
        folder_name=values["FolderName"],
        category_name=values["CategoryName"],
        sweep=timedelta(minutes=values["SweepMinutes"]),
        compare=timedelta(hours=values["CompareHours"]),
        journal_days=values["JournalDays"],
        written=values,
    )
    return profile, tuple(bad)
