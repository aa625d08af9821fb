"""SOQL, with the comparisons, orders and refusals of the service."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.sandbox.salesforce import Refusal
from local.sandbox.salesforce.soql import parse

from .conftest import ALICE, BOB, INTEGRATION, Client, World


@pytest.fixture
def people(world: World) -> dict[str, str]:
    """Four contacts, five seconds apart; the last one is in the recycle bin."""
    account = world.account()
    ids = {}
    for first, last, email in (("Ann", "Öz", "ann@x.example"), ("ben", "Öz", None), ("Cy", "Zed", "CY@x.example"), ("Dee", "Zed", None)):
        person = world.sandbox.as_user(ALICE)
        ids[first] = person.create("Contact", {"FirstName": first, "LastName": last, "Email": email, "AccountId": account})
        world.clock.advance(5)
    world.sandbox.as_user(ALICE).update(
        ids["Ann"], {"Birthdate": "1980-02-29", "Description": "50%_off", "Title": "50%_off", "MailingLatitude": 2}
    )
    world.sandbox.as_user(ALICE).delete(ids["Dee"])
    return ids


def names(client: Client, where: str, resource: str = "query") -> list[str]:
    return [row["FirstName"] for row in client.rows(f"SELECT FirstName FROM Contact WHERE {where} ORDER BY Id", resource)]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("FirstName = 'BEN'", ["ben"]),
        ("FirstName != 'ben'", ["Ann", "Cy"]),
        ("Email = null", ["ben"]),
        ("Email = ''", ["ben"]),
        ("Email != null", ["Ann", "Cy"]),
        ("Email != 'cy@x.example'", ["Ann", "ben"]),
        ("Email LIKE '%@X.example'", ["Ann", "Cy"]),
        ("FirstName LIKE 'c_'", ["Cy"]),
        (r"Title LIKE '50\%\_%'", ["Ann"]),
        (r"Title LIKE '5\%%'", []),
        ("FirstName IN ('ann','CY')", ["Ann", "Cy"]),
        ("FirstName NOT IN ('ann')", ["ben", "Cy"]),
        ("FirstName = 'Ann' OR FirstName = 'Cy'", ["Ann", "Cy"]),
        ("(FirstName = 'Ann' OR FirstName = 'Cy') AND Email LIKE 'a%'", ["Ann"]),
        ("NOT (FirstName = 'Ann')", ["ben", "Cy"]),
        ("(NOT FirstName = 'Ann') AND Email = null", ["ben"]),
        ("Birthdate < 1981-01-01", ["Ann"]),
        ("Birthdate = 1980-02-29", ["Ann"]),
        ("Birthdate <= TODAY", ["Ann"]),
        ("CreatedDate = TODAY", ["Ann", "ben", "Cy"]),
        ("CreatedDate < TODAY", []),
        ("CreatedDate = LAST_N_DAYS:3", ["Ann", "ben", "Cy"]),
        ("CreatedDate > 2026-01-01T12:00:05Z", ["Cy"]),
        ("CreatedDate >= 2026-01-01T13:00:05+01:00", ["ben", "Cy"]),
        ("IsDeleted = false AND LastName = 'öz'", ["Ann", "ben"]),
        ("Account.Name = 'acme' AND Owner.IsActive = true", ["Ann", "ben", "Cy"]),
        ("AccountId IN (SELECT Id FROM Account WHERE Name = 'ACME')", ["Ann", "ben", "Cy"]),
        ("Id NOT IN (SELECT ReportsToId FROM Contact)", ["Ann", "ben", "Cy"]),
        ("MasterRecordId = null", ["Ann", "ben", "Cy"]),
        ("MailingLatitude > 1.5", ["Ann"]),
        ("MailingLatitude IN (2, 3.5)", ["Ann"]),
        ("MailingLatitude NOT IN (2.0)", ["ben", "Cy"]),
        ("Birthdate >= 1980-02-29 AND Birthdate <= 1980-02-29", ["Ann"]),
        ("Birthdate != LAST_YEAR", ["Ann", "ben", "Cy"]),
        ("LastName > ''", []),
        ("Contact.FirstName = 'ann'", ["Ann"]),
        ("AccountId != ''", ["Ann", "ben", "Cy"]),
        ("Owner.Name LIKE 'ali%' AND CreatedBy.IsActive != false", ["Ann", "ben", "Cy"]),
        (
            "CreatedDate >= THIS_MONTH AND CreatedDate < NEXT_WEEK AND CreatedDate <= TOMORROW AND CreatedDate > LAST_MONTH",
            ["Ann", "ben", "Cy"],
        ),
    ],
)
def test_a_condition_finds(people: dict[str, str], alice: Client, where: str, found: list[str]) -> None:
    assert names(alice, where) == found


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("SELECT Id FROM Contact WHERE", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE LastName = 'a' AND LastName = 'b' OR LastName = 'c'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE LastName = 'a' AND NOT LastName = 'b'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE LastName = 'O'Hara'", "MALFORMED_QUERY"),
        ('SELECT Id FROM Contact WHERE LastName = "x"', "MALFORMED_QUERY"),
        ("SELECT Id, Id FROM Contact", "MALFORMED_QUERY"),
        ("SELECT * FROM Contact", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact LIMIT x", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact USING SCOPE queue_owned", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE CreatedDate > YESTERDAYS", "MALFORMED_QUERY"),
        (f"SELECT Id FROM Contact WHERE LastName = '{'x' * 4001}'", "MALFORMED_QUERY"),
        ("SELECT Nothing FROM Contact", "INVALID_FIELD"),
        ("SELECT Nobody.Name FROM Contact", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE Description LIKE 'x%'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact ORDER BY Description", "INVALID_FIELD"),
        ("SELECT Id FROM Contact ORDER BY MailingAddress", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE SystemModstamp > '2026-01-01T12:00:00Z'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE LastName = 5", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE IsDeleted = 'false'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE Id = 'abc'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Contact WHERE Id LIKE '003%'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM AccountTeamMember", "INVALID_TYPE"),
        ("SELECT Id FROM Contact WHERE LastName < null", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Contact WHERE IsDeleted > false", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Contact WHERE LastName = TODAY", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE LastName LIKE 5", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE MailingLatitude = '5'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE Birthdate = 2026-01-01T00:00:00Z", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE AccountId = 5", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE Birthdate = 2026-02-30", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE CreatedDate = 2026-01-01T25:00:00Z", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE CreatedDate = LAST_N_DAYS:99999999", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE Id IN (SELECT Id, Name FROM Contact)", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE Id IN (SELECT Name FROM Contact)", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE Name IN (SELECT Id FROM Contact)", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE Id = null OR Id IN (SELECT Id FROM Contact)", "MALFORMED_QUERY"),
        ("SELECT FIELDS(SOME) FROM Contact", "MALFORMED_QUERY"),
        ("SELECT ReportsTo.ReportsTo.ReportsTo.ReportsTo.ReportsTo.ReportsTo.Name FROM Contact", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact ORDER LastName", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE LastName IS NULL", "MALFORMED_QUERY"),
        ("", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact LIMIT 1 OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE"),
    ],
)
def test_a_statement_is_refused(alice: Client, soql: str, code: str) -> None:
    assert alice.error(soql) == code


def test_only_query_all_shows_the_recycle_bin(people: dict[str, str], alice: Client) -> None:
    assert names(alice, "LastName = 'zed'") == ["Cy"]
    rows = alice.rows("SELECT FirstName, IsDeleted FROM Contact WHERE LastName = 'zed' ORDER BY FirstName", "queryAll")
    assert rows == [{"FirstName": "Cy", "IsDeleted": False}, {"FirstName": "Dee", "IsDeleted": True}]


def test_order_takes_several_keys_and_puts_nulls_where_told(people: dict[str, str], alice: Client) -> None:
    def order(by: str) -> list[str]:
        return [row["FirstName"] for row in alice.rows(f"SELECT FirstName FROM Contact ORDER BY {by}")]

    assert order("LastName DESC, FirstName ASC") == ["Ann", "ben", "Cy"]
    assert order("LastName, FirstName DESC") == ["Cy", "ben", "Ann"]
    assert order("Email") == ["ben", "Ann", "Cy"]
    assert order("Email DESC NULLS LAST") == ["Cy", "Ann", "ben"]
    assert order("FirstName LIMIT 1 OFFSET 1") == ["ben"]


def test_ids_are_ordered_as_their_strings_and_compared_with_case(world: World, alice: Client) -> None:
    ids = [world.contact(last_name=f"N{index}") for index in range(80)]
    assert [row["Id"] for row in alice.rows("SELECT Id FROM Contact ORDER BY Id")] == sorted(ids)
    middle = sorted(ids)[40]
    assert [row["Id"] for row in alice.rows(f"SELECT Id FROM Contact WHERE Id > '{middle[:15]}' ORDER BY Id")] == sorted(ids)[41:]
    twins = [each for each in ids if sum(other[:15].lower() == each[:15].lower() for other in ids) > 1]
    twin = twins[0]
    assert [row["Id"] for row in alice.rows(f"SELECT Id FROM Contact WHERE Id = '{twin[:15]}'")] == [twin]


def test_the_keyset_page_of_a_sync_finds_rows_of_one_stamp_in_turn(world: World, alice: Client) -> None:
    ids = sorted(world.contact(last_name=f"N{index}") for index in range(7))
    stamp, last, seen = "2026-01-01T00:00:00Z", "000000000000000AAA", []
    while True:
        rows = alice.rows(
            f"SELECT Id, SystemModstamp FROM Contact WHERE (SystemModstamp = {stamp} AND Id > '{last}') OR SystemModstamp > {stamp}"
            " ORDER BY SystemModstamp, Id LIMIT 3"
        )
        if not rows:
            break
        seen += [row["Id"] for row in rows]
        stamp, last = rows[-1]["SystemModstamp"].replace("+0000", "Z"), rows[-1]["Id"]
    assert seen == ids


def test_relationships_nest_and_are_null_without_a_parent(world: World, alice: Client) -> None:
    account = world.account(name="Acme")
    world.contact(last_name="In", AccountId=account)
    world.contact(last_name="Out")
    records = alice.query("SELECT Name, account.name, Account.Owner.Name FROM Contact ORDER BY LastName").json()["records"]
    assert records[0]["Account"]["Name"] == "Acme"
    assert records[0]["Account"]["Owner"]["Name"] == "Alice"
    assert records[0]["Account"]["attributes"] == {"type": "Account", "url": f"/services/data/v62.0/sobjects/Account/{account}"}
    assert records[1]["Account"] is None
    assert records[0]["attributes"]["type"] == "Contact"


def test_scope_mine_is_the_tokens_user(world: World) -> None:
    world.contact(ALICE, "A")
    world.contact(BOB, "B")
    client = world.client(INTEGRATION)
    assert [row["LastName"] for row in client.rows("SELECT LastName FROM Contact ORDER BY LastName")] == ["A", "B"]
    assert client.rows("SELECT LastName FROM Contact USING SCOPE mine") == []
    assert [row["LastName"] for row in world.client(BOB).rows("SELECT LastName FROM Contact USING SCOPE Mine")] == ["B"]


def test_scope_team_follows_the_account_team(world: World, bob: Client) -> None:
    account = world.account(ALICE)
    contact = world.contact(ALICE, "T", AccountId=account)
    world.sandbox.share(contact, BOB)
    assert bob.rows("SELECT LastName FROM Contact USING SCOPE team") == []
    world.sandbox.add_team_member(account, BOB)
    assert bob.rows("SELECT LastName FROM Contact USING SCOPE team") == [{"LastName": "T"}]


def test_count_counts(people: dict[str, str], alice: Client) -> None:
    assert alice.query("SELECT COUNT() FROM Contact WHERE LastName = 'öz'").json() == {"totalSize": 2, "done": True, "records": []}


def test_fields_all_needs_a_limit(people: dict[str, str], alice: Client) -> None:
    assert alice.error("SELECT FIELDS(ALL) FROM Contact") == "MALFORMED_QUERY"
    row = alice.rows("SELECT FIELDS(ALL) FROM Contact WHERE FirstName = 'Ann' LIMIT 200")[0]
    assert row["Tandem_Key__c"] is None
    assert row["Name"] == "Ann Öz"


def test_pages_follow_the_locator_until_it_is_two_days_old(world: World, alice: Client, bob: Client) -> None:
    ids = [world.contact(last_name=f"N{index}") for index in range(450)]
    body = alice.query("SELECT Id FROM Contact ORDER BY Id", "queryAll", {"sforce-query-options": "batchSize=10"}).json()
    assert (body["totalSize"], body["done"], len(body["records"])) == (450, False, 200)
    assert body["nextRecordsUrl"].startswith("/services/data/v62.0/query/01g")
    assert body["nextRecordsUrl"].endswith("-200")
    seen, url = body["records"], body["nextRecordsUrl"]
    assert bob.call("GET", url).json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"
    while url:
        body = alice.call("GET", url).json()
        seen, url = seen + body["records"], body.get("nextRecordsUrl")
    assert body["done"] is True
    assert [row["Id"] for row in seen] == sorted(ids)
    first = alice.query("SELECT Id FROM Contact", headers={"sforce-query-options": "batchSize=200"}).json()["nextRecordsUrl"]
    world.clock.advance(2 * 86_400)
    alice.token = None
    assert alice.call("GET", first).json() == [{"message": "invalid query locator", "errorCode": "INVALID_QUERY_LOCATOR"}]


def test_the_service_may_return_smaller_pages_than_asked_for(world: World, alice: Client) -> None:
    for index in range(5):
        world.contact(last_name=f"N{index}")
    world.sandbox.knobs.page_rows = 2
    body = alice.query("SELECT Id FROM Contact").json()
    assert (len(body["records"]), body["done"]) == (2, False)


def test_too_long_a_uri_or_statement_is_refused(alice: Client) -> None:
    long_list = ",".join(f"'00380000{index:07d}'" for index in range(900))
    statement = f"SELECT Id FROM Contact WHERE Id IN ({long_list})"
    assert alice.query(statement).status == 414
    part = {"method": "GET", "url": f"/services/data/v62.0/query?q={quote(statement)}", "referenceId": "q"}
    assert alice.composite(part)[0]["httpStatusCode"] == 200
    endless = quote("SELECT Id FROM Contact WHERE LastName IN (" + ",".join(["'" + "x" * 3000 + "'"] * 40) + ")")
    part = {"method": "GET", "url": f"/services/data/v62.0/query?q={endless}", "referenceId": "q"}
    assert alice.composite(part)[0]["body"][0]["errorCode"] == "QUERY_TOO_COMPLICATED"


def test_an_external_key_is_compared_with_case(world: World, alice: Client) -> None:
    world.contact(last_name="Low", Tandem_Key__c="abc")
    world.contact(last_name="High", Tandem_Key__c="ABC")
    assert alice.rows("SELECT LastName FROM Contact WHERE Tandem_Key__c = 'abc'") == [{"LastName": "Low"}]
    assert alice.rows("SELECT LastName FROM Contact WHERE Tandem_Key__c IN ('ABC', 'x')") == [{"LastName": "High"}]


@given(st.text(alphabet="SELECTidfromCa.Nme WHER=<>!'\\%_()0123456789:,-TZnulORADY\n", max_size=60))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    for statement in (text, "SELECT Id FROM Contact WHERE " + text):
        try:
            source = parse(statement).source
        except Refusal as refusal:
            source = refusal.problems[0].code
        assert source


def test_a_bound_on_the_stamp_narrows_and_never_loses(world: World, alice: Client) -> None:
    for index in range(20):
        contact = world.contact(last_name=f"N{index:02}")
        world.clock.advance(1)
        if index % 3 == 0:
            world.sandbox.as_user(ALICE).update(contact, {"Title": "x"})
        if index % 5 == 0:
            world.sandbox.as_user(ALICE).delete(contact)
    everything = alice.rows("SELECT Id, SystemModstamp, LastName FROM Contact ORDER BY Id", "queryAll")
    at = "2026-01-01T12:00:10.000+0000"
    cases = {
        "SystemModstamp >= 2026-01-01T12:00:10Z": [row for row in everything if row["SystemModstamp"] >= at],
        "SystemModstamp > 2026-01-01T12:00:10Z AND LastName < 'N15'": [
            row for row in everything if row["SystemModstamp"] > at and row["LastName"] < "N15"
        ],
        "SystemModstamp > 2026-01-01T12:00:10Z OR LastName = 'N02'": [
            row for row in everything if row["SystemModstamp"] > at or row["LastName"] == "N02"
        ],
        "NOT SystemModstamp > 2026-01-01T12:00:10Z": [row for row in everything if not row["SystemModstamp"] > at],
    }
    for where, expected in cases.items():
        assert alice.rows(f"SELECT Id, SystemModstamp, LastName FROM Contact WHERE {where} ORDER BY Id", "queryAll") == expected
        assert 0 < len(expected) < 20


def test_users_are_found_by_federation_identifier(world: World) -> None:
    world.sandbox.set_user(ALICE, {"FederationIdentifier": "alice@tenant.example"})
    rows = world.client(INTEGRATION).rows("SELECT Id, Username, IsActive FROM User WHERE FederationIdentifier = 'ALICE@tenant.example'")
    assert rows == [{"Id": world.ids[ALICE], "Username": ALICE, "IsActive": True}]


def test_a_newline_and_a_quote_in_a_literal_are_escaped(world: World, alice: Client) -> None:
    world.contact(last_name="O'Hara")
    assert alice.rows(r"SELECT LastName FROM Contact WHERE LastName = 'O\'Hara'") == [{"LastName": "O'Hara"}]
    assert alice.error(r"SELECT LastName FROM Contact WHERE LastName = '\q'") == "MALFORMED_QUERY"
