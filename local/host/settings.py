"""Where the host takes its settings from: the environment, local.settings.json and host.json."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any


class SettingError(Exception):
    """A setting is missing, or its value is not allowed. The message names it and says what would be."""


def load_settings(root: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment, and under it the `Values` of local.settings.json (Core Tools: the environment wins). Raises `SettingError`."""
    path = root / "local.settings.json"
    values: Any = _read_json(path).get("Values", {}) if path.exists() else {}
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise SettingError(f"{path.name}: Values must be an object whose values are all strings")
    return {**values, **environment}


def resolve(text: str, settings: Mapping[str, str]) -> str:
    """Replaces every %NAME% by that setting. Raises `SettingError` for one that is missing or empty."""

    def value_of(match: re.Match[str]) -> str:
        value = settings.get(match[1], "")
        if not value:
            raise SettingError(f"'%{match[1]}%' does not resolve to a value: set {match[1]} in the environment or in local.settings.json")
        return value

    return re.sub(r"%([^%]+)%", value_of, text)


def find_connection(name: str, settings: Mapping[str, str]) -> str:
    """The connection string that a binding's `connection` names; AzureWebJobs before the name is optional. Raises `SettingError`."""
    for candidate in (name, f"AzureWebJobs{name}"):
        if settings.get(candidate):
            return settings[candidate]
    raise SettingError(f"{name} is not set: it must hold the connection string of a storage account (Azurite: UseDevelopmentStorage=true)")


def find_endpoint(name: str, settings: Mapping[str, str]) -> str | None:
    """The queue endpoint of a connection that is made with an identity: `NAME__queueServiceUri`, or `NAME__accountName`; else `None`."""
    account = settings.get(f"{name}__accountName")
    return settings.get(f"{name}__queueServiceUri") or (f"https://{account}.queue.core.windows.net" if account else None)


def check_connection(name: str, settings: Mapping[str, str]) -> None:
    """Raises `SettingError`."""
    if find_endpoint(name, settings) is None:
        find_connection(name, settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRules:
    """`extensions.queues` of host.json, with the host's defaults.

    https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue#hostjson-settings
    """

    batch_size: int = 16
    new_batch_threshold: int | None = None
    """`None`: half the batch size for each core."""
    max_dequeue_count: int = 5
    retry_delay: timedelta = timedelta(0)
    """host.json calls it visibilityTimeout."""
    max_polling_interval: timedelta = timedelta(minutes=1)
    base64: bool = True
    hidden_for: timedelta = timedelta(minutes=10)
    """How long a message is hidden while it is worked on; renewed at half of it. Not in host.json: the host's own constant."""

    @property
    def threshold(self) -> int:
        return self.new_batch_threshold if self.new_batch_threshold is not None else self.batch_size // 2 * (os.cpu_count() or 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRules:
    """What the host reads in host.json."""

    queues: QueueRules = QueueRules()
    function_timeout: timedelta | None = timedelta(minutes=30)
    route_prefix: str = "api"
    log_level: str = "Information"


def load_rules(root: Path) -> HostRules:
    """Raises `SettingError`."""
    path = root / "host.json"
    if not path.exists():
        raise SettingError(f"{path} is missing: it marks the folder of a function app")
    host = _read_json(path)
    if host.get("version") != "2.0":
        raise SettingError('host.json: "version" must be "2.0"')
    extensions = host.get("extensions", {})
    timeout = host.get("functionTimeout", "00:30:00")
    levels = host.get("logging", {}).get("logLevel", {})
    return HostRules(
        queues=_queue_rules(extensions.get("queues", {})),
        function_timeout=None if timeout == "-1" else _span("functionTimeout", timeout),
        route_prefix=extensions.get("http", {}).get("routePrefix", "api"),
        log_level=levels.get("default", "Information"),
    )


def _queue_rules(given: Mapping[str, Any]) -> QueueRules:
    unknown = set(given) - {
        "batchSize",
        "newBatchThreshold",
        "maxDequeueCount",
        "visibilityTimeout",
        "maxPollingInterval",
        "messageEncoding",
    }
    if unknown:
        raise SettingError(f"host.json: extensions.queues has no {', '.join(sorted(unknown))}")
    encoding = given.get("messageEncoding", "base64")
    if encoding not in ("base64", "none"):
        raise SettingError(f'host.json: messageEncoding must be "base64" or "none", not {encoding!r}')
    batch_size = _number("batchSize", given.get("batchSize", 16), 1, 32)
    threshold = given.get("newBatchThreshold")
    return QueueRules(
        batch_size=batch_size,
        new_batch_threshold=None if threshold is None else _number("newBatchThreshold", threshold, 0, 10_000),
        max_dequeue_count=_number("maxDequeueCount", given.get("maxDequeueCount", 5), 1, 10_000),
        retry_delay=_span("visibilityTimeout", given.get("visibilityTimeout", "00:00:00")),
        max_polling_interval=_span("maxPollingInterval", given.get("maxPollingInterval", "00:01:00")),
        base64=encoding == "base64",
    )


def _number(name: str, value: Any, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise SettingError(f"host.json: {name} must be a whole number from {least} to {most}, not {value!r}")
    return value


def _span(name: str, value: Any) -> timedelta:
    """A .NET TimeSpan: [days.]hours:minutes:seconds[.fraction]."""
    match = re.fullmatch(r"(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2}(?:\.\d+)?)", value) if isinstance(value, str) else None
    if match is None:
        raise SettingError(f"host.json: {name} must be a time span like 00:00:30, not {value!r}")
    days, hours, minutes, seconds = match.groups()
    return timedelta(days=int(days or 0), hours=int(hours), minutes=int(minutes), seconds=float(seconds))


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise SettingError(f"{path.name} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise SettingError(f"{path.name} must hold an object")
    return value
