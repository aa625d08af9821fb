"""SOQL literals: what a person typed stays what it is, and nothing more."""

from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simple_salesforce.format import format_soql

from local.sandbox.salesforce import soql as parser
from sync.connectors.salesforce import soql

SAID = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=40)


@given(SAID)
def test_a_quoted_text_is_escaped_as_simple_salesforce_does(text: str) -> None:
    assert soql.quoted(text) == format_soql("{}", text)


@given(SAID)
def test_a_text_survives_quoting_encoding_and_parsing(text: str) -> None:
    query = soql.select(["Id"], "Contact", soql.among("Name", [text]))
    assert unquote(soql.encoded(query)) == query
    parsed = parser.parse(query)
    assert [literal.text for literal in getattr(parsed.where, "values")] == [text]  # noqa: B009


def test_a_control_character_does_not_spoil_the_query() -> None:
    assert soql.quoted("a\x00b\x1fc\nd") == "'abc\\nd'"


def test_wildcards_are_literal_where_a_text_is_searched_for() -> None:
    assert soql.containing("Name", "50%_o'f\\") == "Name LIKE '%50\\%\\_o\\'f\\\\%'"


def test_a_composite_reference_cannot_be_smuggled_in() -> None:
    assert "@{" not in soql.encoded("SELECT Id FROM Contact WHERE Email = 'a@{b.c}'")


@pytest.mark.parametrize(
    ("when", "literal"),
    [
        (datetime(2026, 1, 1, 12, tzinfo=UTC), "2026-01-01T12:00:00Z"),
        (datetime(2026, 1, 1, 12, 0, 0, 250_000, tzinfo=UTC), "2026-01-01T12:00:00.250Z"),
        (datetime(2026, 1, 1, 14, tzinfo=timezone(timedelta(hours=2))), "2026-01-01T12:00:00Z"),
    ],
)
def test_a_moment_is_written_in_utc(when: datetime, literal: str) -> None:
    assert soql.moment(when) == literal


@given(st.lists(SAID, max_size=60), st.integers(50, 400))
def test_chunks_keep_every_value_and_fit_unless_a_value_alone_does_not(values: list[str], room: int) -> None:
    parts = soql.chunks(values, "'{}',", room, 10)
    assert [value for part in parts for value in part] == values
    for part in parts:
        assert len(part) == 1 or (len(part) <= 10 and len(soql.encoded("".join(f"'{value}'," for value in part))) <= room)
