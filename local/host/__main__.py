"""`python -m local.host`: runs the function app of a folder until SIGTERM or SIGINT."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

from local.host.host import Host
from local.host.index import IndexingError, import_app, index_app
from local.host.settings import HostRules, SettingError, load_rules, load_settings

logger = logging.getLogger("host")

LEVELS = {"Trace": "DEBUG", "Debug": "DEBUG", "Information": "INFO", "Warning": "WARNING", "Error": "ERROR", "Critical": "CRITICAL"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.host", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path.cwd(), help="the folder with function_app.py and host.json (default: here)")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "7071")), help="default: PORT, else 7071; 0: a free one")
    parser.add_argument("--environment-only", action="store_true", help="do not read local.settings.json")
    given = parser.parse_args()
    root: Path = given.root.resolve()
    try:
        rules = load_rules(root)
        _start_logging(rules)
        settings = dict(os.environ) if given.environment_only else load_settings(root, os.environ)
        os.environ.update(settings)  # the app reads them there, as on the real host
        host = Host(index_app(import_app(root), settings), rules, settings, root)
        return asyncio.run(_serve(host, given.port))
    except (SettingError, IndexingError) as error:
        print(f"host: {error}", file=sys.stderr)
        return 1


async def _serve(host: Host, port: int) -> int:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    for name, error in host.index.errors.items():
        logger.error("The '%s' function is in error: %s", name, error)
    if not host.index.functions:
        raise IndexingError("no function can be run")
    await host.start(port)
    for function in host.index.functions.values():
        logger.info("Function %s: %s %s", function.name, function.trigger, _summary(function.binding))
    logger.info("Host started on %s with %d functions", host.origin, len(host.index.functions))
    await stopping.wait()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.remove_signal_handler(number)  # a second one ends it at once
    logger.info("Host stops")
    await host.stop()
    return 0


def _summary(binding: object) -> str:
    known = ("schedule", "queueName", "route")
    return " ".join(str(binding[name]) for name in known if name in binding) if isinstance(binding, dict) else ""


def _start_logging(rules: HostRules) -> None:
    level = LEVELS.get(rules.log_level, "INFO")
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", stream=sys.stderr)
    for loud in ("azure", "httpx", "httpcore", "urllib3", "msal"):
        logging.getLogger(loud).setLevel(logging.WARNING)


if __name__ == "__main__":
    sys.exit(main())
