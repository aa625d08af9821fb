"""What every `Tables` does: the same assertions against memory and against Azurite."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, TypeAlias
from uuid import uuid4

import pytest

from shared.errors import Code, Temporary
from sync.ports import Insert, Merge, Operation, Remove, Replace, RowChanged, RowExists, Scalar, Stored
from sync.stores.filters import compare
from sync.stores.limits import MAX_STRING
from sync.stores.memory import MemoryTables
from sync.stores.tables import AzureTables

Requests: TypeAlias = list[tuple[str, str]]
AnyTables: TypeAlias = AzureTables | MemoryTables
TABLE = "SyncContract"
NOW = datetime(2026, 3, 1, 12, 30, 15, 123457, tzinfo=UTC)


@pytest.fixture
def requests() -> Requests:
    return []


@pytest.fixture(params=["memory", "azurite"])
async def tables(request: pytest.FixtureRequest, requests: Requests) -> AsyncIterator[AnyTables]:
    def note(operation: str, table: str) -> None:
        requests.append((operation, table))

    made: AnyTables
    if request.param == "memory":
        made = MemoryTables(on_request=note)
    else:
        made = AzureTables(connection=request.getfixturevalue("storage"), on_request=note)
    await made.create([TABLE, "SyncOther"])
    requests.clear()
    yield made
    await made.close()


@pytest.fixture
def partition() -> str:
    return f"user {uuid4()}"


async def rows(tables: AnyTables, partition: str, **options: Any) -> list[Stored]:
    return [row async for row in tables.scan(TABLE, partition, **options)]


async def keys(tables: AnyTables, partition: str, **options: Any) -> list[str]:
    return [row.key for row in await rows(tables, partition, **options)]


async def insert(tables: AnyTables, partition: str, *names: str, **values: Scalar) -> list[str]:
    return list(await tables.transact(TABLE, partition, [Insert(key=name, values=values) for name in names]))


async def read(tables: AnyTables, partition: str, key: str) -> Stored:
    row = await tables.get(TABLE, partition, key)
    assert row is not None
    return row


async def test_a_row_comes_back_with_every_value_exactly_as_written(tables: AnyTables, partition: str) -> None:
    values: dict[str, Scalar] = {
        "Text": "Zoë 'O''Neil' \\ \"x\" 🙂\r\nline",
        "Empty": "",
        "Small": -5,
        "Large": 2**31,
        "Largest": 2**63 - 1,
        "Ratio": 0.1,
        "Whole": 3.0,
        "Yes": True,
        "No": False,
        "When": NOW,
        "Early": datetime(1970, 1, 1, tzinfo=UTC),
        "Salesforce_mailing_city": "x",
    }
    await tables.transact(TABLE, partition, [Insert(key="a|b=", values=values)])
    row = await read(tables, partition, "a|b=")
    assert row.values == values
    assert {name: type(value) for name, value in row.values.items()} == {name: type(value) for name, value in values.items()}
    assert (row.partition, row.key) == (partition, "a|b=")
    assert row.etag


async def test_a_time_of_another_zone_comes_back_as_the_same_moment_in_utc(tables: AnyTables, partition: str) -> None:
    await insert(tables, partition, "a", When=NOW.astimezone(timezone(timedelta(hours=2))))
    when = (await read(tables, partition, "a")).values["When"]
    assert isinstance(when, datetime)
    assert (when, when.tzinfo) == (NOW, UTC)


async def test_a_row_that_is_not_there_is_none(tables: AnyTables, partition: str) -> None:
    assert await tables.get(TABLE, partition, "nobody") is None


async def test_keys_may_hold_quotes_blanks_and_foreign_letters(tables: AnyTables, partition: str) -> None:
    odd = f"{partition} o'neil ä%25 +&="
    await tables.transact(TABLE, odd, [Insert(key="k'y ö%20+&", values={"A": 1}), Insert(key="other", values={"A": 2})])
    assert (await read(tables, odd, "k'y ö%20+&")).values == {"A": 1}
    assert await keys(tables, odd, start="k'y") == ["k'y ö%20+&", "other"]
    await tables.transact(TABLE, odd, [Remove(key="k'y ö%20+&")])
    assert await keys(tables, odd) == ["other"]


async def test_insert_refuses_a_row_that_is_there_and_names_it(tables: AnyTables, partition: str) -> None:
    await insert(tables, partition, "b", A=1)
    with pytest.raises(RowExists) as alone:
        await insert(tables, partition, "b", A=2)
    with pytest.raises(RowExists) as among:
        await insert(tables, partition, "a", "b", "c", A=2)
    assert (alone.value.key, among.value.key) == ("b", "b")
    assert [(row.key, row.values) for row in await rows(tables, partition)] == [("b", {"A": 1})], "all or none"


async def test_replace_drops_other_columns_and_merge_keeps_them(tables: AnyTables, partition: str) -> None:
    await insert(tables, partition, "a", "b", A=1, B=2)
    await tables.transact(TABLE, partition, [Replace(key="a", values={"B": 3}), Merge(key="b", values={"B": 3})])
    assert (await read(tables, partition, "a")).values == {"B": 3}
    assert (await read(tables, partition, "b")).values == {"A": 1, "B": 3}


@pytest.mark.parametrize("others", [0, 1])
async def test_replace_and_merge_without_etag_make_a_missing_row(tables: AnyTables, partition: str, others: int) -> None:
    more = [Insert(key=f"z{n}", values={}) for n in range(others)]
    await tables.transact(TABLE, partition, [Replace(key="a", values={"A": 1}), *more])
    await tables.transact(TABLE, partition, [Merge(key="b", values={"A": 2}), *[Remove(key=op.key) for op in more]])
    assert await keys(tables, partition) == ["a", "b"]


CONDITIONAL: list[type[Replace | Merge | Remove]] = [Replace, Merge, Remove]


def conditional(kind: type[Replace | Merge | Remove], key: str, etag: str) -> Operation:
    return Remove(key=key, etag=etag) if issubclass(kind, Remove) else kind(key=key, values={"A": 9}, etag=etag)


@pytest.mark.parametrize("kind", CONDITIONAL)
@pytest.mark.parametrize("others", [0, 2])
async def test_an_etag_lets_exactly_one_of_two_writers_win(
    tables: AnyTables, partition: str, kind: type[Replace | Merge | Remove], others: int
) -> None:
    (etag,) = await insert(tables, partition, "m", A=1)
    assert (await read(tables, partition, "m")).etag == etag
    more = [Insert(key=name, values={}) for name in ("a", "z")[:others]]
    (newer,) = await tables.transact(TABLE, partition, [Replace(key="m", values={"A": 2}, etag=etag)])
    assert newer != etag
    with pytest.raises(RowChanged) as caught:
        await tables.transact(TABLE, partition, [*more[:1], conditional(kind, "m", etag), *more[1:]])
    assert caught.value.key == "m"
    assert [(row.key, row.values) for row in await rows(tables, partition)] == [("m", {"A": 2})]
    answer = await tables.transact(TABLE, partition, [*more[:1], conditional(kind, "m", newer), *more[1:]])
    assert len(answer) == 1 + others
    assert (answer[min(others, 1)] == "") == (kind is Remove)


@pytest.mark.parametrize("kind", CONDITIONAL)
@pytest.mark.parametrize("others", [0, 2])
async def test_a_conditional_write_of_a_row_that_is_gone_is_a_changed_row(
    tables: AnyTables, partition: str, kind: type[Replace | Merge | Remove], others: int
) -> None:
    (etag,) = await insert(tables, partition, "m", A=1)
    await tables.transact(TABLE, partition, [Remove(key="m")])
    more = [Insert(key=name, values={}) for name in ("a", "z")[:others]]
    with pytest.raises(RowChanged) as caught:
        await tables.transact(TABLE, partition, [*more[:1], conditional(kind, "m", etag), *more[1:]])
    assert caught.value.key == "m"
    assert await keys(tables, partition) == []


async def test_the_etags_of_a_transaction_are_those_of_the_rows(tables: AnyTables, partition: str) -> None:
    etags = await insert(tables, partition, "a", "b", A=1)
    etags = list(await tables.transact(TABLE, partition, [Merge(key="a", values={"A": 2}, etag=etags[0]), Remove(key="b")]))
    assert etags == [(await read(tables, partition, "a")).etag, ""]
    async for row in tables.scan(TABLE, partition, columns=["A"]):
        assert row.etag == etags[0]


async def test_removing_a_missing_row_alone_is_no_error_and_among_others_fails_all(tables: AnyTables, partition: str) -> None:
    assert list(await tables.transact(TABLE, partition, [Remove(key="x")])) == [""]
    with pytest.raises(RowChanged) as caught:
        await tables.transact(TABLE, partition, [Insert(key="a", values={}), Remove(key="x")])
    assert caught.value.key == "x"
    assert await keys(tables, partition) == []


async def test_put_many_takes_any_number_in_few_transactions_and_forgives_missing_rows(
    tables: AnyTables, partition: str, requests: Requests
) -> None:
    await tables.put_many(TABLE, partition, [Replace(key=f"{n:03}", values={"N": n}) for n in range(230)])
    assert requests == [("transact", TABLE)] * 3
    assert len(await rows(tables, partition)) == 230
    await tables.put_many(TABLE, partition, [Remove(key=f"{n:03}") for n in range(228, 232)])
    assert (await keys(tables, partition))[-1] == "227"


async def test_put_many_keeps_the_order_of_two_writes_to_one_row(tables: AnyTables, partition: str) -> None:
    await tables.put_many(TABLE, partition, [Insert(key="a", values={"N": 1}), Merge(key="a", values={"M": 2})])
    assert (await read(tables, partition, "a")).values == {"N": 1, "M": 2}


@pytest.mark.filterwarnings("ignore:Sending a large body")  # aiohttp, above 1 MiB; Python shows it to developers only
async def test_put_many_cuts_large_rows_into_transactions_the_service_takes(tables: AnyTables, partition: str) -> None:
    large = {f"Text{n}": "é" * 32_000 for n in range(12)}  # 768 KB stored, 2.3 MB on the way
    await tables.put_many(TABLE, partition, [Insert(key=f"{n}", values=large) for n in range(3)])
    assert await keys(tables, partition) == ["0", "1", "2"]
    assert (await read(tables, partition, "2")).values == large


async def test_a_scan_is_bounded_by_keys_and_sorted(tables: AnyTables, partition: str) -> None:
    await insert(tables, partition, "c", "a", "b", "B", "d")
    await tables.transact(TABLE, partition + "x", [Insert(key="b", values={})])
    assert await keys(tables, partition) == ["B", "a", "b", "c", "d"]
    assert await keys(tables, partition, start="a", end="c") == ["a", "b"]
    assert await keys(tables, partition, start="bb") == ["c", "d"]
    assert await keys(tables, partition, end="b") == ["B", "a"]


async def test_a_scan_of_more_than_a_page_brings_every_row_once(tables: AnyTables, partition: str, requests: Requests) -> None:
    await tables.put_many(TABLE, partition, [Insert(key=f"{n:05}", values={"N": n}) for n in range(1005)])
    requests.clear()
    assert await keys(tables, partition) == [f"{n:05}" for n in range(1005)]
    assert requests == [("scan", TABLE)] * 2


async def test_a_scan_of_named_columns_brings_only_those(tables: AnyTables, partition: str) -> None:
    await insert(tables, partition, "a", A=1, B="x")
    await insert(tables, partition, "b", A=2)
    assert [row.values for row in await rows(tables, partition, columns=["B", "A"])] == [{"A": 1, "B": "x"}, {"A": 2}]
    assert [row.values for row in await rows(tables, partition, columns=["B"])] == [{"B": "x"}, {}]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (compare("Name", "eq", "o'neil"), ["a"]),
        (compare("Name", "ne", "o'neil"), ["b", "c"]),
        (compare("Count", "gt", 1) + " and " + compare("Count", "le", 2), ["b"]),
        (compare("Large", "ge", 2**40 + 1), ["b", "c"]),
        (compare("On", "eq", True), ["a"]),
        (compare("When", "lt", NOW), ["a"]),
        (compare("When", "ge", NOW), ["b", "c"]),
        (compare("Name", "gt", "x") + " and " + compare("On", "eq", False), ["c"]),
        (compare("Ratio", "lt", 0.5), ["a"]),
        (compare("Missing", "eq", "x"), []),
    ],
)
async def test_a_condition_selects_rows(tables: AnyTables, partition: str, where: str, expected: list[str]) -> None:
    await insert(tables, partition, "a", Name="o'neil", Count=1, On=True, When=NOW - timedelta(milliseconds=1), Ratio=0.25, Large=2**40)
    await insert(tables, partition, "b", Name="", Count=2, On=False, When=NOW, Ratio=0.5, Large=2**40 + 1)
    await insert(tables, partition, "c", Name="y and z eq 'q'", Count=3, On=False, When=NOW + timedelta(days=1), Ratio=1.5, Large=2**50)
    assert await keys(tables, partition, where=where) == expected


async def test_a_table_is_scanned_up_to_a_partition(tables: AnyTables, partition: str) -> None:
    for name in ("1", "2", "3"):
        await tables.transact(TABLE, f"{partition}|{name}", [Insert(key=key, values={"P": partition, "K": key}) for key in ("b", "a")])
    found = [row async for row in tables.scan_table(TABLE, before=f"{partition}|3", where=compare("P", "eq", partition))]
    assert [(row.partition, row.key) for row in found] == [(f"{partition}|{n}", key) for n in "12" for key in "ab"]
    whole = [row async for row in tables.scan_table(TABLE, where=compare("P", "eq", partition))]
    assert len(whole) == 6
    where = compare("PartitionKey", "gt", f"{partition}|1") + " and " + compare("K", "eq", "a")
    assert [row.partition async for row in tables.scan_table(TABLE, before=f"{partition}|3", where=where)] == [f"{partition}|2"]


async def test_tables_are_made_once_and_a_missing_one_is_said(tables: AnyTables, partition: str) -> None:
    await tables.create([TABLE])
    calls: list[Any] = [
        lambda: tables.get("SyncNowhere", partition, "a"),
        lambda: tables.transact("SyncNowhere", partition, [Insert(key="a", values={})]),
        lambda: tables.transact("SyncNowhere", partition, [Insert(key="a", values={}), Remove(key="b")]),
        lambda: anext(tables.scan("SyncNowhere", partition)),
    ]
    for call in calls:
        with pytest.raises(Temporary) as caught:
            await call()
        assert caught.value.code is Code.UNAVAILABLE
        assert "SyncNowhere" in caught.value.text


@pytest.mark.parametrize(
    "operations",
    [
        [],
        [Insert(key="a/b", values={})],
        [Insert(key="a\n", values={})],
        [Insert(key="x" * 513, values={})],
        [Insert(key="a", values={"Text": "x" * (MAX_STRING + 1)})],
        [Insert(key="a", values={"Text": "🙂" * (MAX_STRING // 2 + 1)})],
        [Insert(key="a", values={f"C{n}": n for n in range(253)})],
        [Insert(key="a", values={f"C{n}": "x" * 32_000 for n in range(17)})],
        [Insert(key="a", values={"with blank": 1})],
        [Insert(key="a", values={"PartitionKey": "x"})],
        [Insert(key="a", values={"When": NOW.replace(tzinfo=None)})],
        [Insert(key="a", values={"N": 2**63})],
        [Insert(key="a", values={}), Remove(key="a")],
        [Insert(key=f"{n}", values={}) for n in range(101)],
        [Insert(key=f"{n}", values={f"C{m}": "x" * 32_000 for m in range(15)}) for n in range(10)],
    ],
)
async def test_what_the_service_refuses_is_refused_before_it_is_sent(
    tables: AnyTables, partition: str, operations: list[Operation], requests: Requests
) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (which rule is broken is the parameter's affair)
        await tables.transact(TABLE, partition, operations)
    assert requests == []


@pytest.mark.filterwarnings("ignore:Sending a large body")
async def test_the_largest_things_allowed_are_taken(tables: AnyTables, partition: str) -> None:
    largest = {f"C{n}": "x" * 32_000 for n in range(16)}
    await tables.transact(TABLE, partition, [Insert(key="k" * 512, values=largest)])
    await tables.transact(TABLE, partition, [Insert(key=f"{n:03}", values={"A": n}) for n in range(100)])
    await tables.transact(TABLE, partition, [Insert(key="wide", values={f"C{n}": n for n in range(252)})])
    await tables.transact(TABLE, partition, [Insert(key="long", values={"Text": "🙂" * (MAX_STRING // 2)})])
    assert len(await rows(tables, partition)) == 103
