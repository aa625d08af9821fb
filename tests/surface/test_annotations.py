"""What the platform's worker demands of a function's annotations, checked with any Python (test_worker.py asks the worker itself)."""

import runpy
import types
import typing

import azure.functions as func
import pytest

from local.host.index import Index, index_app
from local.stack.process import ROOT


@pytest.fixture(scope="module")
def index() -> Index:
    """Of an app of our own: azure-functions lists the functions of an app only once."""
    app = runpy.run_path(str(ROOT / "function_app.py"))["app"]
    return index_app(app, {"AzureWebJobsStorage": "UseDevelopmentStorage=true"})


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
