"""The triggers, a few lines each. What they do is built in `sync/wiring.py`."""

from typing import List  # noqa: UP035 - the Functions worker knows typing's alias only, not list[str]

import azure.functions as func

from sync import wiring
from sync.messages import QUEUE

STORAGE = "AzureWebJobsStorage"

app = func.FunctionApp()


@app.timer_trigger(schedule=wiring.schedule(), arg_name="timer", run_on_startup=False, use_monitor=True)
@app.queue_output(arg_name="wakeups", queue_name=QUEUE, connection=STORAGE)
async def plan_sync(timer: func.TimerRequest, wakeups: func.Out[List[str]]) -> None:  # noqa: UP006
    """A round: a message for each user who syncs."""
    tandem = await wiring.app()
    if tandem is not None:
        wakeups.set(await tandem.plan())


@app.queue_trigger(arg_name="message", queue_name=QUEUE, connection=STORAGE)
@app.queue_output(arg_name="wakeups", queue_name=QUEUE, connection=STORAGE)
async def sync_user(message: func.QueueMessage, wakeups: func.Out[List[str]]) -> None:  # noqa: UP006
    """One user's run; a long one queues its own continuation."""
    tandem = await wiring.app()
    if tandem is not None:
        wakeups.set(await tandem.sync(message.get_body().decode(errors="replace")))


@app.queue_trigger(arg_name="message", queue_name=f"{QUEUE}-poison", connection=STORAGE)
async def sync_user_poison(message: func.QueueMessage) -> None:
    """A message that failed too often."""
    tandem = await wiring.app()
    if tandem is not None:
        await tandem.poison(message.get_body().decode(errors="replace"))
