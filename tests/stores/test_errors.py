from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import CATALOGUE, Code, Permanent
from shared.records import Side
from sync.stores.errors import EVERYONE, OUTLOOK_LINK, TABLE, Errors, Report, of_error, pair_key, salesforce_link
from sync.stores.memory import MemoryTables

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
USER = "00000000-0000-4000-8000-000000000001"


def refused(name: str = "S0035g00000AAAAAAA1", text: str = "Bitte ein Land angeben", code: Code = Code.VALIDATION_RULE) -> Report:
    return Report(
        code=code,
        text=text,
        kind="contact",
        name=name,
        side=Side.SALESFORCE,
        field="MailingCountry",
        salesforce_id="0035g00000AAAAAAA1",
        outlook_id="AAMk/a+b=",
        salesforce_link=salesforce_link("https://acme.my.salesforce.com", "Contact", "0035g00000AAAAAAA1"),
    )


@pytest.fixture
def errors(tables: MemoryTables) -> Errors:
    return Errors(tables)


async def test_a_row_says_what_happened_who_can_mend_it_and_where_to_look(errors: Errors, tables: MemoryTables) -> None:
    await errors.report(USER, "ann@acme.example", [refused()], now=NOW, run="r1")
    (row,) = [row async for row in tables.scan(TABLE, USER)]
    entry = CATALOGUE[Code.VALIDATION_RULE]
    assert row.key.startswith("contact|salesforce|")
    assert row.values == {
        "User": "ann@acme.example",
        "Code": "ValidationRule",
        "Nature": entry.meaning,
        "FixableBy": "the user",
        "Remedy": entry.remedy,
        "Text": "Bitte ein Land angeben",
        "Kind": "contact",
        "Side": "salesforce",
        "Field": "MailingCountry",
        "Item": "0035g00000AAAAAAA1",
        "SalesforceId": "0035g00000AAAAAAA1",
        "OutlookId": "AAMk/a+b=",
        "SalesforceLink": "https://acme.my.salesforce.com/lightning/r/Contact/0035g00000AAAAAAA1/view",
        "OutlookLink": OUTLOOK_LINK,
        "FirstSeen": NOW,
        "LastSeen": NOW,
        "Times": 1,
        "RunId": "r1",
    }


async def test_a_repeated_error_keeps_first_seen_counts_and_takes_the_newest_reason(errors: Errors) -> None:
    await errors.report(USER, "ann", [refused()], now=NOW, run="r1")
    await errors.report(USER, "ann", [refused(text="Anders", code=Code.INVALID_VALUE)], now=LATER, run="r2")
    (row,) = await errors.of_user(USER)
    assert (row.first_seen, row.last_seen, row.times, row.run) == (NOW, LATER, 2, "r2")
    assert row.report == refused(text="Anders", code=Code.INVALID_VALUE)


async def test_many_errors_cost_a_scan_and_few_transactions(errors: Errors, requests: list[tuple[str, str]]) -> None:
    reports = [refused(f"O{n}") for n in range(150)]
    await errors.report(USER, "ann", reports, now=NOW, run="r1")
    assert [operation for operation, _ in requests] == ["scan", "transact", "transact"]
    await errors.report(USER, "ann", reports[:100], now=LATER, run="r2")
    assert sorted({row.times for row in await errors.of_user(USER)}) == [1, 2]
    requests.clear()
    await errors.solve(USER, [report.key for report in [*reports[:100], *[refused(f"S{n}") for n in range(50)]]])
    assert [operation for operation, _ in requests] == ["scan", "transact"]
    assert {row.key for row in await errors.of_user(USER)} == {report.key for report in reports[100:]}


async def test_ids_that_differ_by_case_only_have_rows_of_their_own(errors: Errors) -> None:
    await errors.report(USER, "ann", [refused("OAAMkA"), refused("OAAMka"), refused("SAAMkA")], now=NOW, run="r1")
    assert len(await errors.of_user(USER)) == 3


async def test_what_is_solved_is_gone_and_solving_nothing_is_no_error(errors: Errors) -> None:
    await errors.report(USER, "ann", [refused("S1"), refused("S2")], now=NOW, run="r1")
    await errors.solve(USER, [pair_key("contact", "S1"), pair_key("contact", "S9")])
    await errors.solve(USER, [])
    assert [row.report.name for row in await errors.of_user(USER, kind="contact")] == ["S2"]
    assert await errors.of_user(USER, kind="task") == []


async def test_errors_of_everybody_are_told_exactly(errors: Errors) -> None:
    def wrong(setting: str) -> Report:
        return Report(code=Code.SETTINGS_INVALID, name=setting, text=f"{setting} is missing.")

    other = of_error(Permanent(Code.GROUP_NOT_FOUND, "no such group"))
    await errors.report(EVERYONE, "", [other], now=NOW, run="")
    await errors.tell_exactly(EVERYONE, "", Code.SETTINGS_INVALID, [wrong("A"), wrong("B")], now=NOW, run="")
    await errors.tell_exactly(EVERYONE, "", Code.SETTINGS_INVALID, [wrong("B"), wrong("C")], now=LATER, run="")
    rows = {row.report.name: row for row in await errors.of_user(EVERYONE)}
    assert set(rows) == {"", "B", "C"}
    assert (rows["B"].first_seen, rows["B"].times, rows["C"].first_seen) == (NOW, 2, LATER)
    assert rows[""].key == "user|GroupNotFound"
    await errors.tell_exactly(EVERYONE, "", Code.SETTINGS_INVALID, [], now=LATER, run="")
    assert [row.report.code for row in await errors.of_user(EVERYONE)] == [Code.GROUP_NOT_FOUND]
