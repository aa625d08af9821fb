import re

from hypothesis import given
from hypothesis import strategies as st

from sync.core.fingerprint import EMPTY, half, hasher, key_mark, opaque

KEY, OTHER = b"k" * 32, b"l" * 32
HASH = hasher(KEY)
TABLE_KEY = re.compile(r"[A-Za-z0-9_=-]{32}")


def test_a_hash_is_twelve_plain_characters_and_tells_neither_value_nor_field() -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{12}", HASH("phone", "+43 1 234"))
    assert HASH("phone", "1") == HASH("phone", "1")
    assert HASH("phone", "1") != HASH("home_phone", "1")
    assert HASH("phone", "1") != hasher(OTHER)("phone", "1")


def test_empty_needs_no_key_and_is_no_value() -> None:
    assert HASH("phone", None) == hasher(OTHER)("notes", None) == EMPTY
    assert HASH("phone", EMPTY) != EMPTY


def test_case_counts_unless_the_kind_says_otherwise() -> None:
    folding = hasher(KEY, lambda name, value: value.casefold() if name == "email" else value)
    assert HASH("email", "A@x.example") != HASH("email", "a@x.example")
    assert folding("email", "A@x.example") == folding("email", "a@x.example")
    assert folding("notes", "A") != folding("notes", "a")


def test_thousands_of_values_do_not_collide() -> None:
    hashes = {HASH(name, f"{number}") for name in ("phone", "notes", "a", "b") for number in range(5000)}
    assert len(hashes) == 20_000


@given(st.text(), st.text(), st.text(), st.text())
def test_where_the_field_ends_and_the_value_begins_is_part_of_the_hash(name: str, value: str, other: str, there: str) -> None:
    names = [text.replace("\0", "") for text in (name, other)]
    same = (names[0], value) == (names[1], there)
    assert (HASH(names[0], value) == HASH(names[1], there)) is same


@given(st.dictionaries(st.text(max_size=3), st.none() | st.text(max_size=3)))
def test_a_half_covers_exactly_the_visible_fields(fields: dict[str, str | None]) -> None:
    assert half(HASH, fields) == {name: HASH(name, value) for name, value in fields.items()}


def test_a_key_mark_tells_keys_apart_and_is_no_field_hash() -> None:
    assert len(key_mark(KEY)) == 8
    assert key_mark(KEY) == key_mark(KEY) != key_mark(OTHER)


@given(st.text(min_size=1, max_size=200))
def test_an_opaque_name_fits_into_a_table_key(text: str) -> None:
    assert TABLE_KEY.fullmatch(opaque(text))


def test_ids_that_differ_by_case_only_have_different_names() -> None:
    assert opaque("AAkALgAA") != opaque("AAkALgAa")
