"""Queue triggers and output bindings, by the rules of the real listener.

Followed here, as observed of Microsoft.Azure.WebJobs.Extensions.Storage.Queues 5.3: a poll asks for batchSize
messages and hides them for ten minutes; while messages come the next poll follows at once, an empty queue is polled
at doubling intervals up to maxPollingInterval; up to batchSize + newBatchThreshold messages are worked on at once;
success deletes, failure makes the message visible after host.json's visibilityTimeout, the failure number
maxDequeueCount moves it to `<queue>-poison`; a long run is renewed every five minutes. A message on a poison queue
is never moved and, when it fails, stays hidden for the ten minutes. A message that can not be decoded is moved
without any function having seen it.
"""

import asyncio
import base64
import binascii
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.identity.aio import DefaultAzureCredential
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from local.host.index import IndexedFunction, QueueOutput
from local.host.invoke import FunctionFailedError, Invoker, queue_message
from local.host.settings import QueueRules, SettingError, find_connection, find_endpoint

logger = logging.getLogger("host.queues")

SHORTEST_POLL = 0.1
PUTS_AT_ONCE = 16
POISON = "-poison"


class Queues:
    """Connections to the storage accounts the bindings name."""

    def __init__(self, settings: Mapping[str, str], rules: QueueRules) -> None:
        self.rules = rules
        self._settings = settings
        self._services: dict[str, QueueServiceClient] = {}
        self._credential: DefaultAzureCredential | None = None
        self._watchers: dict[str, asyncio.Event] = {}

    def client(self, connection: str, queue: str) -> QueueClient:
        """Raises `SettingError` when the connection is not set or makes no sense."""
        if connection not in self._services:
            self._services[connection] = self._connect(connection)
        return self._services[connection].get_queue_client(queue)

    def watcher(self, queue: str) -> asyncio.Event:
        """Set when this host itself puts a message: the listener need not wait for its next poll."""
        return self._watchers.setdefault(queue, asyncio.Event())

    async def put(self, output: QueueOutput, messages: Sequence[str]) -> None:
        """Writes the messages of an output binding; the queue is made when it is missing."""
        client = self.client(output.connection, output.queue)
        places = asyncio.Semaphore(PUTS_AT_ONCE)

        async def put_one(message: str) -> None:
            async with places:
                await client.send_message(encode(message, self.rules))

        try:
            await put_one(messages[0])
        except ResourceNotFoundError:
            await create_queue(client)
            await put_one(messages[0])
        self.watcher(output.queue).set()
        async with asyncio.TaskGroup() as group:
            for message in messages[1:]:
                group.create_task(put_one(message))
        self.watcher(output.queue).set()

    async def close(self) -> None:
        for service in self._services.values():
            await service.close()
        if self._credential is not None:
            await self._credential.close()

    def _connect(self, connection: str) -> QueueServiceClient:
        endpoint = find_endpoint(connection, self._settings)
        if endpoint is not None:
            self._credential = self._credential or DefaultAzureCredential()
            return QueueServiceClient(endpoint, credential=self._credential)
        try:
            return QueueServiceClient.from_connection_string(find_connection(connection, self._settings))
        except ValueError as error:
            raise SettingError(f"{connection} is not a connection string: {error}") from None


class Listener:
    """Polls one queue for one function, until cancelled."""

    def __init__(self, function: IndexedFunction, queues: Queues, invoker: Invoker) -> None:
        self._function = function
        self._queues = queues
        self._rules = queues.rules
        self._hidden = round(queues.rules.hidden_for.total_seconds())
        self._invoker = invoker
        self._connection: str = function.binding["connection"]
        self._name: str = function.binding["queueName"]
        self._client = queues.client(self._connection, self._name)
        self._running: set[asyncio.Task[None]] = set()
        self._free = asyncio.Event()

    async def listen(self) -> None:
        wait = SHORTEST_POLL
        while True:
            await self._wait_for_room()
            found = await self._poll()
            for message in found:
                self._start(message)
            if found:
                wait = SHORTEST_POLL
                continue
            put_here = self._queues.watcher(self._name)
            with suppress(TimeoutError):
                await asyncio.wait_for(put_here.wait(), wait)
                wait = SHORTEST_POLL / 2
            put_here.clear()
            wait = min(wait * 2, self._rules.max_polling_interval.total_seconds())

    async def drain(self, seconds: float) -> None:
        """Lets what runs end; what does not is cancelled, and its message comes back when its visibility ends."""
        if not self._running:
            return
        _, late = await asyncio.wait(self._running, timeout=seconds)
        for task in late:
            logger.warning("%s: a message is left behind; it comes back within %s", self._function.name, self._rules.hidden_for)
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _wait_for_room(self) -> None:
        while len(self._running) > self._rules.threshold:
            self._free.clear()
            await self._free.wait()

    async def _poll(self) -> list[QueueMessage]:
        try:
            pages = self._client.receive_messages(messages_per_page=self._rules.batch_size, visibility_timeout=self._hidden).by_page()
            return [message async for message in await anext(pages)]
        except (ResourceNotFoundError, StopAsyncIteration):
            return []  # nobody has made the queue yet
        except AzureError as error:
            logger.error("%s: queue %s can not be read: %s", self._function.name, self._name, _first_line(error))
            return []

    def _start(self, message: QueueMessage) -> None:
        task = asyncio.create_task(self._process(message))
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._free.set()
        if not task.cancelled() and (error := task.exception()):
            logger.error("%s: a message of queue %s was lost sight of: %s", self._function.name, self._name, _first_line(error))

    async def _process(self, message: QueueMessage) -> None:
        try:
            body = decode(message.content, self._rules)
        except ValueError as error:
            logger.error("%s: message %s can not be decoded and is moved unseen: %s", self._function.name, message.id, error)
            await self._bury(message)
            return
        renewing = asyncio.create_task(self._renew(message))
        try:
            await self._invoker.run(self._function, queue_message(body, metadata_of(message)), f"New queue message on '{self._name}'")
            succeeded = True
        except FunctionFailedError:
            succeeded = False
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
        with suppress(ResourceNotFoundError):  # somebody else has the message by now: it is theirs
            await (self._client.delete_message(message.id, message.pop_receipt) if succeeded else self._fail(message))

    async def _fail(self, message: QueueMessage) -> None:
        if self._name.endswith(POISON):
            return  # stays hidden, so that it does not come back at once for ever
        if (message.dequeue_count or 0) >= self._rules.max_dequeue_count:
            logger.error("%s: message %s failed %d times", self._function.name, message.id, message.dequeue_count)
            await self._bury(message)
            return
        delay = round(self._rules.retry_delay.total_seconds())
        await self._client.update_message(message.id, message.pop_receipt, visibility_timeout=delay)

    async def _bury(self, message: QueueMessage) -> None:
        if self._name.endswith(POISON):
            return
        client = self._queues.client(self._connection, self._name + POISON)
        try:
            await client.send_message(message.content)
        except ResourceNotFoundError:
            await create_queue(client)
            await client.send_message(message.content)
        await self._client.delete_message(message.id, message.pop_receipt)
        self._queues.watcher(self._name + POISON).set()

    async def _renew(self, message: QueueMessage) -> None:
        while True:
            await asyncio.sleep(self._hidden / 2)
            try:
                renewed = await self._client.update_message(message.id, message.pop_receipt, visibility_timeout=self._hidden)
                message.pop_receipt = renewed.pop_receipt
            except AzureError as error:
                logger.error("%s: message %s could not be renewed: %s", self._function.name, message.id, _first_line(error))


async def create_queue(client: QueueClient) -> None:
    """Makes the queue, unless it is there."""
    with suppress(ResourceExistsError):
        await client.create_queue()


def encode(text: str, rules: QueueRules) -> str:
    return base64.b64encode(text.encode()).decode() if rules.base64 else text


def decode(content: str, rules: QueueRules) -> str:
    """Raises `ValueError`."""
    if not rules.base64:
        return content
    try:
        return base64.b64decode("".join(content.split()), validate=True).decode()
    except (binascii.Error, UnicodeError) as error:
        raise ValueError(f"messageEncoding is base64, and it is not Base64 of UTF-8 text ({error})") from None


def metadata_of(message: QueueMessage) -> dict[str, Any]:
    """What the host tells the function about a message."""
    stamp: Callable[[datetime | None], str | None] = lambda moment: moment.isoformat() if moment else None  # noqa: E731
    return {
        "Id": message.id,
        "DequeueCount": message.dequeue_count,
        "PopReceipt": message.pop_receipt,
        "ExpirationTime": stamp(message.expires_on),
        "InsertionTime": stamp(message.inserted_on),
        "NextVisibleTime": stamp(message.next_visible_on),
    }


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
