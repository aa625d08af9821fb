import pytest

from shared.errors import CATALOGUE, Code, Mender, Permanent, Reach, SyncError, Temporary, Unknown


@pytest.mark.parametrize("code", Code)
def test_every_error_says_what_it_means_how_far_it_reaches_and_what_helps(code: Code) -> None:
    entry = CATALOGUE[code]
    assert entry.meaning.endswith(".")
    assert entry.remedy.endswith(".")
    error = Permanent(code)
    assert (error.reach, error.text, error.entry) == (entry.reach, entry.meaning, entry)
    assert str(error) == f"{code}: {entry.meaning}"


def test_codes_are_unique_and_all_in_the_catalogue() -> None:
    assert list(CATALOGUE) == list(Code)
    assert len({code.value for code in Code}) == len(Code)


def test_an_unknown_outcome_is_temporary_and_temporary_is_not_permanent() -> None:
    assert issubclass(Unknown, Temporary)
    assert issubclass(Temporary, SyncError)
    assert not issubclass(Temporary, Permanent)


def test_an_error_carries_the_vendors_sentence_field_and_pause() -> None:
    error = Temporary(Code.THROTTLED, "slow down", field="Email", retry_after=1.5)
    assert (str(error), error.text, error.field, error.retry_after) == ("Throttled: slow down", "slow down", "Email", 1.5)


def test_what_stops_everything_is_for_an_administrator_or_passes_by_itself() -> None:
    assert {entry.mender for entry in CATALOGUE.values() if entry.reach is Reach.EVERYTHING} <= {Mender.ADMINISTRATOR, Mender.ITSELF}
