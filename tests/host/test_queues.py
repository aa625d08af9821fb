"""Queue triggers and output bindings on a real Azurite."""

import asyncio
import base64
from dataclasses import replace
from datetime import timedelta

import azure.functions as func
import httpx
import pytest
from azure.storage.queue.aio import QueueClient

from tests.host.running import PATIENCE, PLAIN, exists, host_of, messages_in, queue, running_host

CONNECTION = "AzureWebJobsStorage"


class Seen:
    """What a function was given, and a way to wait for it."""

    def __init__(self) -> None:
        self.messages: list[func.QueueMessage] = []
        self._came = asyncio.Event()

    def note(self, message: func.QueueMessage) -> None:
        self.messages.append(message)
        self._came.set()

    @property
    def bodies(self) -> list[str]:
        return [message.get_body().decode() for message in self.messages]

    async def wait(self, number: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while len(self.messages) < number:
                await self._came.wait()
                self._came.clear()


def app_listening(seen: Seen, *, fails: bool = False, poison: Seen | None = None) -> func.FunctionApp:
    app = func.FunctionApp()

    @app.queue_trigger(arg_name="message", queue_name="%QUEUE%", connection=CONNECTION)
    async def work(message: func.QueueMessage) -> None:
        seen.note(message)
        if fails:
            raise ValueError("on purpose")

    if poison is not None:

        @app.queue_trigger(arg_name="message", queue_name="work-poison", connection=CONNECTION)
        def bury(message: func.QueueMessage) -> None:
            poison.note(message)

    return app


async def test_a_message_arrives_with_what_the_host_knows_of_it_and_is_deleted(storage: str) -> None:
    seen = Seen()
    async with queue(storage, "work") as client:
        sent = await client.send_message("Grüße, <b>&amp;</b>")
        async with running_host(app_listening(seen), storage, QUEUE="work"):
            await seen.wait(1)
        message = seen.messages[0]
        assert message.get_body().decode() == "Grüße, <b>&amp;</b>"
        assert (message.id, message.dequeue_count) == (sent.id, 1)
        assert message.insertion_time is not None
        assert message.time_next_visible is not None
        assert message.time_next_visible - message.insertion_time > timedelta(minutes=9)
        assert await messages_in(client) == 0


async def test_a_failing_message_comes_back_at_once_and_after_its_last_failure_goes_to_the_poison_queue(storage: str) -> None:
    seen, poison = Seen(), Seen()
    rules = replace(PLAIN, max_dequeue_count=3)
    async with queue(storage, "work") as client, queue(storage, "other-poison") as other:
        await client.send_message("x")
        async with running_host(app_listening(seen, fails=True, poison=poison), storage, rules, QUEUE="work"):
            await poison.wait(1)
        assert [message.dequeue_count for message in seen.messages] == [1, 2, 3]
        assert poison.bodies == ["x"]
        assert await messages_in(client) == 0
        assert await messages_in(other) == 0


async def test_a_failing_message_waits_for_the_visibility_timeout_of_host_json(storage: str) -> None:
    seen = Seen()
    rules = replace(PLAIN, retry_delay=timedelta(seconds=1))
    async with queue(storage, "work") as client:
        await client.send_message("x")
        async with running_host(app_listening(seen, fails=True), storage, rules, QUEUE="work"):
            await seen.wait(2)
        first, second = (message.time_next_visible for message in seen.messages[:2])
        assert first is not None
        assert second is not None
        assert second - first >= timedelta(seconds=1)


async def test_a_failure_on_a_poison_queue_leaves_the_message_there_hidden(storage: str) -> None:
    seen = Seen()
    async with queue(storage, "work-poison") as client:
        await client.send_message("x")
        async with running_host(app_listening(seen, fails=True), storage, replace(PLAIN, max_dequeue_count=1), QUEUE="work-poison"):
            await seen.wait(1)
        assert await messages_in(client) == 1
        assert await client.peek_messages() == []
    async with QueueClient.from_connection_string(storage, "work-poison-poison") as another:
        assert not await exists(another)


async def test_text_that_is_not_base64_is_moved_to_the_poison_queue_and_no_function_sees_it(storage: str) -> None:
    seen, poison = Seen(), Seen()
    rules = replace(PLAIN, base64=True)
    async with queue(storage, "work") as client, queue(storage, "work-poison") as grave:
        await client.send_message('{"not": "base64"}')
        await client.send_message(base64.b64encode("gültig".encode()).decode())
        async with running_host(app_listening(seen, poison=poison), storage, rules, QUEUE="work"):
            await seen.wait(1)
            async with asyncio.timeout(PATIENCE):
                while await messages_in(grave) == 0 or await messages_in(client) > 0:
                    pass
        assert seen.bodies == ["gültig"]
        assert poison.messages == []
        assert await messages_in(grave) == 1


async def test_with_the_encoding_none_every_text_arrives(storage: str) -> None:
    seen = Seen()
    async with queue(storage, "work") as client:
        await client.send_message("no JSON, no Base64")
        async with running_host(app_listening(seen), storage, QUEUE="work"):
            await seen.wait(1)
    assert seen.bodies == ["no JSON, no Base64"]


async def test_no_more_messages_run_at_once_than_batch_and_threshold_allow(storage: str) -> None:
    seen, released = Seen(), asyncio.Semaphore(0)
    app = func.FunctionApp()

    @app.queue_trigger(arg_name="message", queue_name="work", connection=CONNECTION)
    async def work(message: func.QueueMessage) -> None:
        seen.note(message)
        await released.acquire()

    async with queue(storage, "work") as client:
        for number in range(6):
            await client.send_message(str(number))
        async with running_host(app, storage, replace(PLAIN, batch_size=2, new_batch_threshold=1)):
            await seen.wait(2)
            assert len(await client.peek_messages(max_messages=10)) == 4
            released.release()
            await seen.wait(4)
            assert len(await client.peek_messages(max_messages=10)) == 2
            for _ in range(5):
                released.release()
            await seen.wait(6)


async def test_a_long_run_keeps_its_message_to_itself(storage: str) -> None:
    seen, ended = Seen(), asyncio.Event()
    app = func.FunctionApp()

    @app.queue_trigger(arg_name="message", queue_name="work", connection=CONNECTION)
    async def work(message: func.QueueMessage) -> None:
        seen.note(message)
        await asyncio.sleep(3.2)  # Azurite's clock can not be moved
        ended.set()

    async with queue(storage, "work") as client:
        await client.send_message("x")
        rules = replace(PLAIN, hidden_for=timedelta(seconds=2), max_polling_interval=timedelta(seconds=0.2))
        async with running_host(app, storage, rules), asyncio.timeout(PATIENCE):
            await ended.wait()
        assert len(seen.messages) == 1
        assert await messages_in(client) == 0


async def test_a_run_that_does_not_end_is_cancelled_when_the_host_stops_and_keeps_its_message(storage: str) -> None:
    seen = Seen()
    app = func.FunctionApp()

    @app.queue_trigger(arg_name="message", queue_name="work", connection=CONNECTION)
    async def work(message: func.QueueMessage) -> None:
        seen.note(message)
        await asyncio.Event().wait()

    async with queue(storage, "work") as client:
        await client.send_message("x")
        host = host_of(app, storage)
        await host.start(0)
        await seen.wait(1)
        await host.stop(grace=0)
        assert await messages_in(client) == 1


async def test_a_function_that_runs_longer_than_its_timeout_fails(storage: str) -> None:
    seen = Seen()
    app = func.FunctionApp()

    @app.queue_trigger(arg_name="message", queue_name="work", connection=CONNECTION)
    async def work(message: func.QueueMessage) -> None:
        seen.note(message)
        await asyncio.Event().wait()

    async with queue(storage, "work") as client:
        await client.send_message("x")
        host = host_of(app, storage, function_timeout=timedelta(milliseconds=50))
        await host.start(0)
        await seen.wait(2)
        await host.stop(grace=5)
    assert [message.dequeue_count for message in seen.messages[:2]] == [1, 2]


@pytest.mark.parametrize(("given", "expected"), [(["a", '{"b": 1}'] + ["c"] * 40, 42), ("one", 1), ("[1]", 1), ([], 0), (None, 0)])
async def test_an_output_binding_puts_text_or_a_list_of_texts(storage: str, given: list[str] | str | None, expected: int) -> None:
    done = asyncio.Event()
    app = func.FunctionApp()

    @app.timer_trigger(schedule="0 0 0 1 1 *", arg_name="timer")
    @app.queue_output(arg_name="messages", queue_name="out", connection=CONNECTION)
    async def plan(timer: func.TimerRequest, messages: func.Out[list[str]]) -> None:
        assert not timer.past_due
        if given is not None:
            messages.set(given)  # type: ignore[arg-type]
        done.set()

    async with running_host(app, storage) as host, httpx.AsyncClient(base_url=host.origin) as http:
        assert (await http.post("/admin/functions/plan", json={"input": ""})).status_code == 202
        async with asyncio.timeout(PATIENCE):
            await done.wait()
    async with queue(storage, "out") as client:
        assert await messages_in(client) == expected
        if expected:
            bodies = {message.content async for message in client.receive_messages(messages_per_page=32)}
            assert bodies == ({given} if isinstance(given, str) else set(given or []))


async def test_a_returned_value_can_be_an_output_in_base64(storage: str) -> None:
    done = asyncio.Event()
    app = func.FunctionApp()

    @app.queue_trigger(arg_name="message", queue_name="work", connection=CONNECTION)
    @app.queue_output(arg_name="$return", queue_name="out", connection=CONNECTION)
    async def work(message: func.QueueMessage) -> str:
        done.set()
        return message.get_body().decode() + "!"

    async with queue(storage, "work") as client, queue(storage, "out") as out:
        await client.send_message(base64.b64encode(b"x").decode())
        async with running_host(app, storage, replace(PLAIN, base64=True)), asyncio.timeout(PATIENCE):
            await done.wait()
        [message] = await out.peek_messages()
        assert base64.b64decode(message.content) == b"x!"


async def test_a_message_that_this_host_puts_wakes_its_own_listener(storage: str) -> None:
    seen = Seen()
    app = app_listening(seen)

    @app.timer_trigger(schedule="0 0 0 1 1 *", arg_name="timer")
    @app.queue_output(arg_name="messages", queue_name="work", connection=CONNECTION)
    def plan(timer: func.TimerRequest, messages: func.Out[list[str]]) -> None:
        messages.set(["a", "b"])

    async with running_host(app, storage, QUEUE="work") as host, httpx.AsyncClient(base_url=host.origin) as http:
        await http.post("/admin/functions/plan", json={"input": ""})
        await seen.wait(2)
    assert sorted(seen.bodies) == ["a", "b"]
