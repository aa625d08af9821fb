"""What the platform reads in `function_app.py`: triggers, outputs, annotations. With any Python; test_worker.py asks the worker itself."""

import runpy
import types
import typing

import azure.functions as func
import pytest

from local.host.index import Index, QueueOutput, Trigger, index_app
from local.stack.process import ROOT
from shared.settings import KNOWN
from tests.surface.running import POISON, QUEUE

STORAGE = "AzureWebJobsStorage"


def read_index() -> Index:
    """Of an app of our own: azure-functions lists the functions of an app only once."""
    app = runpy.run_path(str(ROOT / "function_app.py"))["app"]
    return index_app(app, {STORAGE: "UseDevelopmentStorage=true"})


@pytest.fixture(scope="module")
def index() -> Index:
    return read_index()


def test_there_are_these_functions_and_no_other(index: Index) -> None:
    assert index.errors == {}
    assert {name: (function.trigger, function.is_async) for name, function in index.functions.items()} == {
        "plan_sync": (Trigger.TIMER, True),
        "sync_user": (Trigger.QUEUE, True),
        "sync_user_poison": (Trigger.QUEUE, True),
    }


def test_a_round_and_a_run_write_to_the_queue_of_the_users_and_poison_writes_nowhere(index: Index) -> None:
    wakeups = QueueOutput(parameter="wakeups", queue=QUEUE, connection=STORAGE)
    outputs = {name: function.outputs for name, function in index.functions.items()}
    assert outputs == {"plan_sync": (wakeups,), "sync_user": (wakeups,), "sync_user_poison": ()}
    assert index.functions["sync_user"].binding["queueName"] == QUEUE
    assert index.functions["sync_user_poison"].binding["queueName"] == POISON


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("0 0 6 * * MON-FRI", "0 0 6 * * MON-FRI"),
        ("every five minutes", KNOWN["SYNC_SCHEDULE"].default),
        ("*/5 * * * *", KNOWN["SYNC_SCHEDULE"].default),
        ("", KNOWN["SYNC_SCHEDULE"].default),
    ],
)
def test_a_schedule_that_is_none_does_not_keep_the_app_from_being_indexed(monkeypatch: pytest.MonkeyPatch, given: str, used: str) -> None:
    """Else nobody could be told: the round that starts by the default one says what is wrong."""
    monkeypatch.setenv("SYNC_SCHEDULE", given)
    assert read_index().functions["plan_sync"].binding["schedule"] == used


@pytest.mark.parametrize("name", ["plan_sync", "sync_user", "sync_user_poison"])
def test_annotations_are_classes_or_aliases_of_typing(index: Index, name: str) -> None:
    """`Out[list[str]]` is refused, `Out[typing.List[str]]` is not: azure-functions-runtime, utils/typing_inspect.py, `is_generic_type`.

    One function that cannot be loaded, and the platform loads none.
    """
    function = index.functions[name]
    annotations = {parameter: kind for parameter, kind in typing.get_type_hints(function.call).items() if parameter != "return"}
    assert function.parameter in annotations
    for kind in annotations.values():
        held = typing.get_args(kind)[0] if typing.get_origin(kind) is func.Out else kind
        assert not isinstance(held, types.GenericAlias), f"{held} is no class and no alias of typing"
        assert isinstance(held, type) or typing.get_origin(held) is list
