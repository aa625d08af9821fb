"""Starts rounds of sync by hand and watches them as an administrator would: the host's log, the queue and the tables."""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueServiceClient

from local.stack.stack import Stack

PLAN, QUEUE = "plan_sync", "sync-users"
PATIENCE = 170.0
"""Seconds one round may last."""
_PLANNED = re.compile(rf"Executed '{PLAN}' \((Succeeded|Failed)")
_POLL = 0.1


class RoundError(Exception):
    """A round could not be started, or did not end in time."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table, as an administrator sees it."""

    partition: str
    key: str
    values: Mapping[str, Any]


class Rounds:
    """Used as a context, around a running stack."""

    def __init__(self, stack: Stack, say: Callable[[str], None]) -> None:
        self._stack = stack
        self._say = say
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._tables = self._open.enter_context(TableServiceClient.from_connection_string(self._stack.storage))
        queues = self._open.enter_context(QueueServiceClient.from_connection_string(self._stack.storage))
        self._queue = self._open.enter_context(queues.get_queue_client(QUEUE))
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def run(self, users: Sequence[str]) -> None:
        """One round: until every user (principal names) has a run that is not to be continued. Raises `RoundError`."""
        began, deadline = datetime.now(UTC), time.monotonic() + PATIENCE
        planned_before = len(_PLANNED.findall(self._stack.host.output))
        self._stack.start_function(PLAN)
        told: set[str] = set()
        while True:
            plans = _PLANNED.findall(self._stack.host.output)[planned_before:]
            if "Failed" in plans:
                raise RoundError(f"{PLAN} failed:\n{self._end_of_log()}")
            runs = [row for row in self.rows("SyncRuns") if row.values["Started"] >= began]
            for row in sorted(runs, key=lambda row: str(row.values["Started"])):
                if row.key not in told:
                    told.add(row.key)
                    self._say(describe_run(row.values))
            ended = {row.values["User"] for row in runs if row.values["Result"] != "continues"}
            if plans and ended >= set(users) and self._waiting() == 0:
                return
            if not self._stack.host.running:
                raise RoundError(f"the host ended:\n{self._end_of_log()}")
            if time.monotonic() > deadline:
                missing = ", ".join(sorted(set(users) - ended)) or f"{self._waiting()} messages"
                raise RoundError(f"after {PATIENCE:.0f} s the round still waits for {missing}:\n{self._end_of_log()}")
            time.sleep(_POLL)

    def rows(self, table: str) -> list[Row]:
        """Everything in a table; nothing while it does not exist."""
        try:
            return [Row(row["PartitionKey"], row["RowKey"], dict(row)) for row in self._entities(table)]
        except ResourceNotFoundError:
            return []

    def _entities(self, table: str) -> Iterator[Mapping[str, Any]]:
        return self._tables.get_table_client(table).list_entities()

    def _waiting(self) -> int:
        """Messages in the queue, those being worked on included."""
        try:
            return self._queue.get_queue_properties().approximate_message_count or 0
        except ResourceNotFoundError:
            return 0

    def _end_of_log(self) -> str:
        return "\n".join(self._stack.host.output.splitlines()[-40:])


def describe_run(values: Mapping[str, Any]) -> str:
    """One line: who, how it ended, what was done."""
    counts = {name: value for name, value in values.items() if isinstance(value, int) and not isinstance(value, bool) and value}
    done = ", ".join(f"{name} {value}" for name, value in sorted(counts.items())) or "nothing to do"
    text = f" – {values['Text']}" if values.get("Text") else ""
    return f"{values['User']}: {values['Result']} in {values['Seconds']:.1f} s: {done}{text}"
