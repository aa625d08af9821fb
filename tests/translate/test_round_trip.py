"""Nothing that both sides can hold is lost or changed, there and back, as a new record and as an update; what only one side can hold
stays there and never flows back."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from shared.records import Fields, Item, Side, Value
from sync.core.fingerprint import Base, half, hasher
from sync.core.merge import merge
from sync.core.policy import Policy, Winner
from sync.translate.contact import CONTACT, FIELDS
from sync.translate.kind import Companies
from tests.translate.vendors import (
    COMPANIES,
    SCHEMA,
    VALUES,
    edits,
    faithful_to_outlook,
    keep,
    outlook_item,
    read_record,
    records,
    salesforce_row,
    with_more,
)

RULES = Path(__file__).parents[2] / "docs" / "sync-rules.md"
HASH = hasher(b"k" * 32, CONTACT.comparable)
HELD = CONTACT.held(SCHEMA)
NAMES = [field.name for field in FIELDS]


# --------------------------------------------------------------------------- every field has its parts


def test_every_field_is_exercised_by_the_round_trip() -> None:
    assert sorted(VALUES) == sorted(NAMES)


def test_every_field_is_in_the_mapping_that_people_read() -> None:
    assert RULES.is_file(), "docs/sync-rules.md is not written yet"
    rows = [line for line in RULES.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    cells = {row.split("`")[1]: [cell.strip() for cell in row.strip("| ").split("|")] for row in rows}
    missing = [name for name in NAMES if name not in cells]
    assert not missing, f"the mapping table of docs/sync-rules.md has no row for {missing}: | `field` | Salesforce | Outlook | note |"
    for field in FIELDS:
        _, salesforce, outlook, *_ = cells[field.name]
        assert field.salesforce in salesforce, f"docs/sync-rules.md names another Salesforce field than {field.salesforce}: {salesforce}"
        where = field.outlook.property
        where += f"[{field.outlook.index}]" if field.outlook.index is not None else f".{field.outlook.part}" if field.outlook.part else ""
        assert where in outlook, f"docs/sync-rules.md names another Outlook property than {where}: {outlook}"


def test_every_property_that_is_written_is_also_read() -> None:
    assert {field.outlook.property for field in FIELDS} <= set(CONTACT.outlook_select)
    assert {field.salesforce for field in FIELDS} <= set(CONTACT.salesforce_select(SCHEMA))


# --------------------------------------------------------------------------- new records


@given(records())
def test_a_record_of_salesforce_comes_back_from_outlook_whole(fields: dict[str, Value]) -> None:
    record = read_record(salesforce_row(fields))
    assert record.fields == fields
    draft = CONTACT.draft_outlook(record.fields, None)
    item = faithful_to_outlook(draft, None)
    assert item.fields == fields == draft.held
    back = CONTACT.draft_salesforce(item.fields, None, SCHEMA, COMPANIES)
    assert not back.problems
    assert not back.notices
    assert read_record(salesforce_row({}) | keep(salesforce_row({}), back.payload)).fields == fields == back.held


@given(records())
def test_an_item_of_outlook_comes_back_from_salesforce_whole(fields: dict[str, Value]) -> None:
    item = outlook_item(fields)
    assert item.fields == fields
    draft = CONTACT.draft_salesforce(item.fields, None, SCHEMA, COMPANIES)
    record = read_record(keep(salesforce_row({}), draft.payload))
    assert record.fields == fields == draft.held
    assert CONTACT.draft_outlook(record.fields, None).held == fields


# --------------------------------------------------------------------------- updates on top of what is there


@given(records(), records(), st.sets(st.sampled_from(NAMES)), st.integers(0, 2), st.integers(0, 1))
def test_an_update_of_outlook_changes_the_named_fields_and_nothing_else(
    before: Fields, after: Fields, names: set[str], emails: int, phones: int
) -> None:
    current = with_more(outlook_item(before), emails, phones)
    wanted = {name: after[name] for name in sorted(names)}
    draft = CONTACT.draft_outlook(wanted, current)
    item = faithful_to_outlook(draft, current.raw)
    changed = {name for name in NAMES if item.fields[name] != current.fields[name]}
    assert changed <= draft.held.keys()
    assert {name: item.fields[name] for name in draft.held} == draft.held
    moves_up = {"phone", "other_phone", *(("email",) if emails else ()), *(("home_phone",) if phones else ())}
    for name in NAMES:
        if name not in moves_up or (name in wanted and wanted[name] is not None and name != "other_phone"):
            assert item.fields[name] == wanted.get(name, current.fields[name]), name


@given(records(), records(), st.sets(st.sampled_from(NAMES)), st.integers(0, 2), st.integers(0, 1))
def test_an_update_of_outlook_keeps_what_salesforce_has_no_place_for(
    before: Fields, after: Fields, names: set[str], emails: int, phones: int
) -> None:
    current = with_more(outlook_item(before), emails, phones)
    item = faithful_to_outlook(CONTACT.draft_outlook({name: after[name] for name in sorted(names)}, current), current.raw)
    assert [entry for entry in current.raw["emailAddresses"][1:] if entry not in item.raw["emailAddresses"]] == []
    assert [entry for entry in current.raw["homePhones"][1:] if entry not in item.raw["homePhones"]] == []
    assert (item.raw["homeAddress"], item.raw["nickName"]) == ({"city": "Graz"}, "Ani")
    untouched = current.raw["emailAddresses"] if "email" not in names or after["email"] == before["email"] else []
    assert not untouched or item.raw["emailAddresses"] == untouched
    for phone, name in zip(current.raw["businessPhones"], ("phone", "other_phone"), strict=False):
        assert name in names or phone in item.raw["businessPhones"], "a telephone that nobody changed is gone"


@given(records(), records(), st.sets(st.sampled_from(NAMES)))
def test_an_update_of_salesforce_changes_the_named_fields_and_nothing_else(before: Fields, after: Fields, names: set[str]) -> None:
    row = salesforce_row(before)
    wanted = {name: after[name] for name in sorted(names)}
    draft = CONTACT.draft_salesforce(wanted, read_record(row), SCHEMA, COMPANIES)
    assert not draft.problems
    record = read_record(keep(row, draft.payload))
    assert draft.held.keys() == wanted.keys()
    assert {name: record.fields[name] for name in draft.held} == draft.held
    for name in NAMES:
        expected = wanted.get(name, before[name])
        if name == "company" and expected is None:
            expected = before[name]  # C5: never blanked
        assert record.fields[name] == expected, name


# --------------------------------------------------------------------------- what does not fit never flows back


def settle(record: Item, item: Item, base: Base, *, rounds: int = 1) -> tuple[Item, Item, Base]:
    """Merge and carry out, faithfully, as often as asked."""
    for _ in range(rounds):
        merged = merge(record.fields, item.fields, base, Policy(winner=Winner.SALESFORCE), HASH, HELD)
        to_salesforce = CONTACT.draft_salesforce(merged.to_salesforce, record, SCHEMA, COMPANIES)
        to_outlook = CONTACT.draft_outlook(merged.to_outlook, item) if merged.to_outlook else None
        assert not to_salesforce.problems
        agreed_here = {name: record.fields[name] for name in merged.agreed}
        agreed_there = {name: item.fields[name] for name in merged.agreed}
        from_here = {name: record.fields[name] for name in merged.to_outlook}
        from_there = {name: item.fields[name] for name in merged.to_salesforce if name in to_salesforce.held}
        record = read_record(keep(record.raw, to_salesforce.payload))
        item = faithful_to_outlook(to_outlook, item.raw) if to_outlook else item
        held_there = to_outlook.held if to_outlook else {}
        base = Base(
            salesforce={**base.salesforce, **half(HASH, agreed_here), **half(HASH, from_here), **half(HASH, to_salesforce.held)},
            outlook={**base.outlook, **half(HASH, agreed_there), **half(HASH, from_there), **half(HASH, held_there)},
        )
    return record, item, base


def quiet(record: Item, item: Item, base: Base) -> bool:
    merged = merge(record.fields, item.fields, base, Policy(), HASH, HELD)
    return (merged.to_salesforce, merged.to_outlook, merged.agreed, merged.conflicts) == ({}, {}, frozenset(), ())


any_notes = st.none() | st.builds(
    lambda letter, length, end: letter * length + end,
    st.sampled_from(["x", "é", "🙂", "x\n", "漢 "]),
    st.sampled_from([15_999, 16_000, 31_999, 32_000, 32_001, 40_000]),
    st.sampled_from(["e", "🙂", "e 🙂 e"]),
)


@st.composite
def any_item(draw: st.DrawFn) -> Item:
    """An Outlook item of any kind: long notes, birthdays without a year, companies that Salesforce does not have, further entries."""
    fields = {name: draw(strategy) for name, strategy in VALUES.items()}
    fields["last_name"] = fields["last_name"] or "Lee"
    fields["notes"] = draw(any_notes)
    fields["birthday"] = draw(st.sampled_from([fields["birthday"], "1604-02-29", "1699-12-31"]))
    fields["company"] = draw(st.sampled_from([fields["company"], "ACME", "Nobody Ltd"]))
    if not fields["phone"]:
        fields["other_phone"] = None
    return with_more(outlook_item(fields), draw(st.integers(0, 2)), draw(st.integers(0, 1)))


@given(any_item())
def test_an_item_that_salesforce_holds_only_in_part_is_left_alone_afterwards(item: Item) -> None:
    draft = CONTACT.draft_salesforce(item.fields, None, SCHEMA, COMPANIES)
    record = read_record(keep(salesforce_row({}), draft.payload))
    base = Base(salesforce=half(HASH, draft.held), outlook=half(HASH, item.fields))
    assert record.fields == draft.held
    assert quiet(record, item, base)


@given(st.fixed_dictionaries(dict(VALUES)), any_notes)
def test_a_record_that_outlook_holds_only_in_part_is_left_alone_afterwards(fields: dict[str, Value], notes: Value) -> None:
    """Also one with a second business telephone alone."""
    row = salesforce_row({**fields, "last_name": "Lee", "notes": HELD(Side.SALESFORCE, "notes", notes)})
    record = read_record(row)
    draft = CONTACT.draft_outlook(record.fields, None)
    item = faithful_to_outlook(draft, None)
    assert item.fields == draft.held
    assert quiet(record, item, Base(salesforce=half(HASH, record.fields), outlook=half(HASH, draft.held)))


@given(any_item(), edits(), edits(), st.booleans())
def test_after_any_edits_on_both_sides_one_exchange_is_enough(item: Item, here: Fields, there: Fields, adopted: bool) -> None:
    draft = CONTACT.draft_salesforce(item.fields, None, SCHEMA, COMPANIES)
    record = read_record(keep(salesforce_row({}), draft.payload))
    base = Base() if adopted else Base(salesforce=half(HASH, draft.held), outlook=half(HASH, item.fields))
    record = read_record(keep(record.raw, CONTACT.draft_salesforce(here, record, SCHEMA, COMPANIES).payload))
    item = faithful_to_outlook(CONTACT.draft_outlook(there, item), item.raw)
    record, item, base = settle(record, item, base)
    unagreed = {"company"} if item.fields["company"] == "Nobody Ltd" else set()  # told to the person, and tried again
    for name in unagreed:
        base = Base(
            salesforce={**base.salesforce, name: HASH(name, record.fields[name])},
            outlook={**base.outlook, name: HASH(name, item.fields[name])},
        )
    assert quiet(record, item, base)


@given(any_item(), st.sampled_from(["phone", "mobile_phone", "job_title", "notes"]), st.data())
def test_a_long_note_stays_whole_when_something_else_is_edited_in_salesforce(item: Item, name: str, data: st.DataObject) -> None:
    draft = CONTACT.draft_salesforce(item.fields, None, SCHEMA, COMPANIES)
    record = read_record(keep(salesforce_row({}), draft.payload))
    base = Base(salesforce=half(HASH, draft.held), outlook=half(HASH, item.fields))
    value = data.draw(VALUES[name])
    edited = read_record(keep(record.raw, CONTACT.draft_salesforce({name: value}, record, SCHEMA, Companies()).payload))
    _, after, _ = settle(edited, item, base)
    if name != "notes":
        assert after.fields["notes"] == item.fields["notes"]
    assert after.fields["birthday"] == item.fields["birthday"]
    assert after.fields["company"] == item.fields["company"]
    assert after.raw["emailAddresses"] == item.raw["emailAddresses"]
