"""Runs one function: builds its arguments with azure-functions' own converters, and collects what it gives its output bindings."""

import asyncio
import contextvars
import functools
import json
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import azure.functions as func
from azure.functions import meta

from local.host.index import IndexedFunction, QueueOutput, Trigger

logger = logging.getLogger("host")


class FunctionFailedError(Exception):
    """The function raised, ran too long, or gave an output binding something that it does not take."""


class _Out(func.Out[Any]):
    def __init__(self) -> None:
        self._value: Any = None

    def set(self, val: Any) -> None:
        self._value = val

    def get(self) -> Any:
        return self._value


class _Context(func.Context):
    """What a parameter named `context` gets."""

    def __init__(self, name: str, directory: Path, invocation: str) -> None:
        self._name = name
        self._directory = directory
        self._invocation = invocation
        self._storage = threading.local()

    @property
    def invocation_id(self) -> str:
        return self._invocation

    @property
    def thread_local_storage(self) -> Any:
        return self._storage

    @property
    def function_name(self) -> str:
        return self._name

    @property
    def function_directory(self) -> str:
        return str(self._directory)

    @property
    def trace_context(self) -> Any:
        return None

    @property
    def retry_context(self) -> Any:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoker:
    """`put` writes messages to the queue of an output binding."""

    root: Path
    timeout: timedelta | None
    put: Callable[[QueueOutput, Sequence[str]], Awaitable[None]]

    async def run(self, function: IndexedFunction, argument: Any, reason: str) -> Any:
        """What the function returned, its output bindings written. Raises `FunctionFailedError`."""
        invocation = str(uuid4())
        outs = {output.parameter: _Out() for output in function.outputs if output.parameter != "$return"}
        arguments: dict[str, Any] = {function.parameter: argument, **outs}
        if function.takes_context:
            arguments["context"] = _Context(function.name, self.root, invocation)
        logger.info("Executing '%s' (Reason='%s', Id=%s)", function.name, reason, invocation)
        began = time.monotonic()
        try:
            async with asyncio.timeout(self.timeout.total_seconds() if self.timeout else None):
                result = await _call(function, arguments)
            for output in function.outputs:
                value = result if output.parameter == "$return" else outs[output.parameter].get()
                if messages := messages_of(value):
                    await self.put(output, messages)
        except Exception as error:
            text = f"it ran longer than {self.timeout}" if isinstance(error, TimeoutError) else f"{type(error).__name__}: {error}"
            logger.exception("Executed '%s' (Failed, Id=%s, Duration=%dms)", function.name, invocation, _ms(began))
            raise FunctionFailedError(f"{function.name}: {text}") from error
        logger.info("Executed '%s' (Succeeded, Id=%s, Duration=%dms)", function.name, invocation, _ms(began))
        return result


async def _call(function: IndexedFunction, arguments: Mapping[str, Any]) -> Any:
    """Coroutines run on the one event loop, plain functions in a thread, as in the Python worker."""
    if function.is_async:
        return await function.call(**arguments)
    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(None, functools.partial(context.run, function.call, **arguments))


def timer_request(*, past_due: bool = False) -> Any:
    value = json.dumps({"Schedule": {"AdjustForDST": True}, "ScheduleStatus": None, "IsPastDue": past_due})
    return _converter(Trigger.TIMER).decode(meta.Datum(value, "json"), trigger_metadata={})


def queue_message(body: str, metadata: Mapping[str, Any]) -> Any:
    """`metadata`: Id, DequeueCount, PopReceipt, and ExpirationTime, InsertionTime, NextVisibleTime in ISO 8601."""
    given = {name: meta.Datum(json.dumps(value), "json") for name, value in metadata.items() if value is not None}
    return _converter(Trigger.QUEUE).decode(meta.Datum(body, "string"), trigger_metadata=given)


def messages_of(value: Any) -> list[str]:
    """The messages that a value given to a queue output binding makes. Raises `TypeError`.

    Text and lists of text only: what becomes of a `func.QueueMessage` differs between versions of the real host.
    """
    if value is None:
        return []
    if not (isinstance(value, str | bytes) or (isinstance(value, list) and all(isinstance(item, str) for item in value))):
        raise TypeError(f"a queue output binding takes text or a list of texts, not {type(value).__name__}")
    datum = _converter("queue").encode(value, expected_type=None)
    if datum.type == "bytes":
        return [datum.value.decode()]
    return [str(message) for message in json.loads(datum.value)] if datum.type == "json" else [datum.value]


def _converter(binding: str) -> Any:
    registry: Any = func.get_binding_registry()  # type: ignore[no-untyped-call, unused-ignore]
    return registry.get(str(binding))


def _ms(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
