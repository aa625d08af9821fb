import json
import logging
from typing import Any

import pytest

from shared.logs import EVENTS, tell


def test_an_event_is_one_json_line_with_its_name_first(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "tandem"):
        tell("SwitchedOff", level=logging.WARNING, function="plan_sync")
    (line,) = caplog.records
    assert line.levelno == logging.WARNING
    assert list(json.loads(line.getMessage()).items()) == [("event", "SwitchedOff"), ("function", "plan_sync")]


@pytest.mark.parametrize(("event", "keys"), [("Unheard", {}), ("SwitchedOff", {}), ("SwitchedOff", {"function": "a", "mail": "b"})])
def test_an_unknown_event_or_key_is_a_mistake_of_the_program(event: str, keys: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=event):
        tell(event, **keys)


def test_no_event_has_a_key_for_personal_data() -> None:
    keys = {key for names in EVENTS.values() for key in names}
    assert not keys & {"name", "email", "mail", "phone", "fields", "value", "values", "token", "key"}
