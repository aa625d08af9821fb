"""Builders: a host in this process around a small app, and queues to look into."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import azure.functions as func
from azure.storage.queue.aio import QueueClient

from local.host.host import Host
from local.host.index import index_app
from local.host.settings import HostRules, QueueRules

PLAIN = QueueRules(batch_size=8, new_batch_threshold=4, base64=False)
PATIENCE = 20
"""Seconds a test waits for what must happen."""


def host_of(
    app: func.FunctionApp,
    storage: str,
    queues: QueueRules = PLAIN,
    function_timeout: timedelta | None = None,
    **settings: str,
) -> Host:
    given = {"AzureWebJobsStorage": storage, **settings}
    return Host(index_app(app, given), HostRules(queues=queues, function_timeout=function_timeout), given, Path.cwd())


@asynccontextmanager
async def running_host(app: func.FunctionApp, storage: str, queues: QueueRules = PLAIN, **settings: str) -> AsyncIterator[Host]:
    host = host_of(app, storage, queues, None, **settings)
    await host.start(0)
    try:
        yield host
    finally:
        await host.stop(grace=5)


@asynccontextmanager
async def queue(storage: str, name: str) -> AsyncIterator[QueueClient]:
    """A client of a queue that exists."""
    async with QueueClient.from_connection_string(storage, name) as client:
        if not await exists(client):
            await client.create_queue()
        yield client


async def exists(client: QueueClient) -> bool:
    try:
        await client.get_queue_properties()
    except Exception as error:
        if getattr(error, "status_code", None) != 404:
            raise
        return False
    return True


async def messages_in(client: QueueClient) -> int:
    """How many there are, hidden ones included."""
    return (await client.get_queue_properties()).approximate_message_count or 0
