"""Reads the functions of an app, their triggers and bindings, by azure-functions' own means.

A function that can not be indexed is in error and is left out, as on the real host; the others run.
"""

import importlib
import inspect
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import azure.functions as func

from local.host.settings import SettingError, check_connection, resolve
from local.host.timers import check_schedule


class IndexingError(Exception):
    """The app as a whole can not be read."""


class Trigger(StrEnum):
    """The triggers this host serves; named as azure-functions names them."""

    TIMER = "timerTrigger"
    QUEUE = "queueTrigger"
    HTTP = "httpTrigger"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueOutput:
    """`parameter` is `$return` for the returned value."""

    parameter: str
    queue: str
    connection: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedFunction:
    """A function that can be run. `binding` is the trigger's, with all settings resolved."""

    name: str
    call: Callable[..., Any]
    trigger: Trigger
    parameter: str
    binding: Mapping[str, Any]
    outputs: tuple[QueueOutput, ...]
    takes_context: bool

    @property
    def is_async(self) -> bool:
        return inspect.iscoroutinefunction(self.call)


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """`errors` holds one sentence for each function that is in error."""

    functions: Mapping[str, IndexedFunction]
    errors: Mapping[str, str]


def import_app(root: Path) -> func.FunctionApp:
    """The one FunctionApp in function_app.py. Raises `IndexingError`."""
    if not (root / "function_app.py").exists():
        raise IndexingError(f"there is no function_app.py in {root}")
    sys.path.insert(0, str(root))
    try:
        module = importlib.import_module("function_app")
    except Exception as error:
        raise IndexingError(f"function_app.py can not be imported: {type(error).__name__}: {error}") from error
    apps = [value for value in vars(module).values() if isinstance(value, func.FunctionApp)]
    if len(apps) != 1:
        raise IndexingError(f"function_app.py must hold exactly one FunctionApp, but holds {len(apps)}")
    return apps[0]


def index_app(app: func.FunctionApp, settings: Mapping[str, str]) -> Index:
    """Raises `IndexingError` when the app as a whole is wrong (a name used twice, a function without a trigger)."""
    try:
        found = list(app.get_functions())
    except Exception as error:  # azure-functions raises plain exceptions of several sorts
        raise IndexingError(f"the functions of function_app.py can not be read: {error}") from error
    functions: dict[str, IndexedFunction] = {}
    errors: dict[str, str] = {}
    for function in found:
        name = str(function.get_function_name())
        try:
            functions[name] = _index(name, function, settings)
        except SettingError as error:
            errors[name] = str(error)
    return Index(functions=functions, errors=errors)


def _index(name: str, function: Any, settings: Mapping[str, str]) -> IndexedFunction:
    bindings: list[dict[str, Any]] = [
        {key: resolve(value, settings) if isinstance(value, str) else value for key, value in binding.items()}
        for binding in json.loads(function.get_function_json())["bindings"]
    ]
    triggers = [binding for binding in bindings if binding["type"].lower().endswith("trigger")]
    if len(triggers) != 1:
        raise SettingError(f"it must have exactly one trigger, but has {len(triggers)}")
    binding = triggers[0]
    try:
        trigger = Trigger(binding["type"])
    except ValueError:
        raise SettingError(f"this host does not serve the trigger {binding['type']}") from None
    _check_trigger(trigger, binding, settings)
    call = function.get_user_function()
    outputs = tuple(_outputs(bindings, settings))
    takes_context = _check_parameters(call, binding["name"], outputs)
    return IndexedFunction(
        name=name,
        call=call,
        trigger=trigger,
        parameter=binding["name"],
        binding=binding,
        outputs=outputs,
        takes_context=takes_context,
    )


def _check_trigger(trigger: Trigger, binding: Mapping[str, Any], settings: Mapping[str, str]) -> None:
    if trigger is Trigger.TIMER:
        check_schedule(str(binding["schedule"]))
    elif trigger is Trigger.QUEUE:
        check_connection(binding["connection"], settings)


def _outputs(bindings: Iterable[Mapping[str, Any]], settings: Mapping[str, str]) -> Iterable[QueueOutput]:
    for binding in bindings:
        if binding["direction"] != "OUT" or binding["type"] == "http":
            continue
        if binding["type"] != "queue":
            raise SettingError(f"this host does not serve the output binding {binding['type']}")
        check_connection(binding["connection"], settings)
        yield QueueOutput(parameter=binding["name"], queue=binding["queueName"], connection=binding["connection"])


def _check_parameters(call: Callable[..., Any], trigger: str, outputs: Iterable[QueueOutput]) -> bool:
    """Whether the function takes the context. Raises `SettingError` when parameters and bindings do not agree."""
    parameters = set(inspect.signature(call).parameters)
    bound = {trigger, *(output.parameter for output in outputs if output.parameter != "$return")}
    takes_context = "context" in parameters - bound
    missing, unknown = bound - parameters, parameters - bound - {"context"}
    if missing:
        raise SettingError(f"bindings without a parameter: {', '.join(sorted(missing))}")
    if unknown:
        raise SettingError(f"parameters without a binding: {', '.join(sorted(unknown))}")
    return takes_context
