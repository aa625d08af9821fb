"""Runs the app under Microsoft's own worker library: `python worker.py ROOT`, with Python 3.13 and azure-functions-runtime.

The library is handed the host's requests as protobuf messages and answers with such; it only reads and sets attributes, so plain objects
with the fields of https://github.com/Azure/azure-functions-language-worker-protobuf do. Prints `Worker {…}`: what it indexed, and what
became of a round, of every message of it, and of a malformed one. It knows nothing of the product.
"""

import asyncio
import json
import logging
import sys
import uuid
from types import SimpleNamespace
from typing import Any


class Message(SimpleNamespace):
    """A protobuf message: its fields as attributes, absent ones as None."""

    def __getattr__(self, _name: str) -> Any:
        return None


class OneOf(SimpleNamespace):
    """A protobuf message that holds one of several fields."""

    def WhichOneof(self, _group: str) -> str:  # noqa: N802 - protobuf's name
        (only,) = vars(self)
        return only


class BindingInfo(Message):
    undefined, string, binary, stream = range(4)
    out, inout = 1, 2


class StatusResult(Message):
    Failure, Success = 0, 1


def protocol() -> SimpleNamespace:
    """The messages of FunctionRpc.proto that the library makes."""
    names = (
        *("WorkerInitResponse", "WorkerMetadata", "FunctionMetadataResponse", "RpcFunctionMetadata", "FunctionLoadResponse"),
        *("InvocationResponse", "ParameterBinding", "TypedData", "RpcException", "RpcRetryOptions"),
    )
    return SimpleNamespace(BindingInfo=BindingInfo, StatusResult=StatusResult, **{name: type(name, (Message,), {}) for name in names})


def ask(kind: str, **fields: Any) -> Any:
    return SimpleNamespace(request=Message(**{kind: Message(**fields)}), properties={"host": "127.0.0.1", "protos": protocol()})


def data(kind: str, value: str) -> OneOf:
    return OneOf(**{kind: value})


async def serve(root: str) -> dict[str, Any]:
    import azure_functions_runtime as library  # noqa: PLC0415 - not installed where the types are checked

    started = await library.worker_init_request(ask("worker_init_request", capabilities={}, function_app_directory=root))
    if started.result.status != StatusResult.Success:
        raise RuntimeError(started.result.exception)
    listed = await library.functions_metadata_request(ask("functions_metadata_request"))
    ids = {function.name: function.function_id for function in listed.function_metadata_results}

    async def invoke(name: str, parameter: str, value: OneOf) -> dict[str, Any]:
        loaded = await library.function_load_request(ask("function_load_request", function_id=ids[name]))
        assert loaded.result.status == StatusResult.Success
        answer = await library.invocation_request(
            ask(
                "invocation_request",
                invocation_id=str(uuid.uuid4()),
                function_id=ids[name],
                input_data=[SimpleNamespace(name=parameter, data=value, WhichOneof=lambda _group: "data")],
                trigger_metadata={},
                trace_context=Message(),
                retry_context=Message(),
            )
        )
        outputs = {each.name: vars(each.data) for each in answer.output_data or ()}
        error = answer.result.exception
        return {"succeeded": answer.result.status == StatusResult.Success, "outputs": outputs, "error": str(error) if error else ""}

    timer = json.dumps({"Schedule": {"AdjustForDST": True}, "ScheduleStatus": None, "IsPastDue": False})
    planned = await invoke("plan_sync", "timer", data("json", timer))
    messages = json.loads(planned["outputs"].get("wakeups", {}).get("json", "[]"))
    return {
        "python": list(sys.version_info[:2]),
        "bindings": {function.name: [json.loads(raw) for raw in function.raw_bindings] for function in listed.function_metadata_results},
        "planned": planned,
        "synced": [await invoke("sync_user", "message", data("string", message)) for message in messages],
        "malformed": await invoke("sync_user", "message", data("string", "not JSON: ä")),
        "poison": await invoke("sync_user_poison", "message", data("string", messages[0] if messages else "")),
    }


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    sys.path[0] = sys.argv[1]
    print("Worker", json.dumps(asyncio.run(serve(sys.argv[1]))))
