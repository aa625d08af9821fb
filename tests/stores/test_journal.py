from datetime import UTC, datetime, timedelta

import pytest

from shared.records import Side
from sync.ports import Before
from sync.stores.journal import TABLE, Journal
from sync.stores.memory import MemoryTables

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = "2026-03-01"


def overwritten(number: int = 0, **fields: str | None) -> Before:
    return Before(side=Side.SALESFORCE, action="overwrite", salesforce_id=f"003{number}", outlook_id="AA/1", fields=fields)


@pytest.fixture
def journal(tables: MemoryTables) -> Journal:
    return Journal(tables)


async def write(journal: Journal, *entries: Before, now: datetime = NOW) -> None:
    await journal.write("u", "ann", "contact", entries, now=now, run="r1")


async def entries(journal: Journal, day: str = DAY) -> list[Before]:
    return [kept.entry for kept in await journal.entries("u", day)]


async def test_previous_values_are_plain_columns_and_come_back(journal: Journal, tables: MemoryTables) -> None:
    await write(journal, overwritten(phone="1", notes=None))
    (row,) = [row async for row in tables.scan(TABLE, f"{DAY}|u")]
    assert row.values == {
        "When": NOW,
        "User": "ann",
        "RunId": "r1",
        "Kind": "contact",
        "Side": "salesforce",
        "Action": "overwrite",
        "SalesforceId": "0030",
        "OutlookId": "AA/1",
        "Fields": "phone,notes",
        "Before_phone": "1",
        "Before_notes": "",
    }
    (kept,) = await journal.entries("u", DAY)
    assert kept.entry == overwritten(phone="1", notes=None)
    assert (kept.when, kept.run, kept.kind, kept.user) == (NOW, "r1", "contact", "ann")


async def test_entries_come_back_in_the_order_they_were_written(journal: Journal, requests: list[tuple[str, str]]) -> None:
    await write(journal, *[overwritten(n, phone=str(n)) for n in range(150)])
    assert requests == [("transact", TABLE)] * 2
    await write(journal, overwritten(999), now=NOW - timedelta(seconds=1))
    await write(journal, overwritten(150), overwritten(150))
    assert [entry.salesforce_id for entry in await entries(journal)] == ["003999", *[f"003{n}" for n in range(151)], "003150"]


@pytest.mark.parametrize("size", [100, 31_990, 400_000, 460_000, 2_000_000])
@pytest.mark.parametrize("letter", ["x", "é", "🙂"])
async def test_an_item_of_any_size_is_kept_whole(journal: Journal, size: int, letter: str) -> None:
    gone = Before(
        side=Side.OUTLOOK,
        action="delete",
        outlook_id="AA",
        fields={"notes": "n" * 50_000, "phone": "1"},
        whole={"personalNotes": letter * (size // (2 if letter == "🙂" else 1)), "categories": ["a"]},
    )
    await write(journal, gone, overwritten(2))
    assert await entries(journal) == [gone, overwritten(2)]


async def test_a_value_of_any_size_is_kept_whole(journal: Journal) -> None:
    await write(journal, overwritten(notes="n" * 1_500_000, phone="1"), overwritten(2))
    assert await entries(journal) == [overwritten(notes="n" * 1_500_000, phone="1"), overwritten(2)]


async def test_two_fields_can_not_share_a_column(journal: Journal) -> None:
    with pytest.raises(ValueError, match="Before_line2"):
        await write(journal, overwritten(line="x" * 40_000, line2="y"))
