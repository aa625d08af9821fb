"""The scripts of an installation, run with a stand-in for the Azure CLI first on PATH. Nothing is sent anywhere."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.infra import fake_az
from tests.infra.tools import ROOT


@dataclass(frozen=True, slots=True)
class Ran:
    code: int
    said: str
    calls: Sequence[str]
    """Of the CLI, in order, as far as they change something or look at the whole."""


class FakeAzure:
    def __init__(self, folder: Path, **state: Any) -> None:
        self._state, self._log, self._path = folder / "state.json", folder / "calls.log", folder / "bin"
        self._path.mkdir()
        start = {"groups": ["rg"], "secrets": {}, "held": [], "refused": "", "unresolved": 0, "unlisted": 0}
        self._state.write_text(json.dumps({**start, **state}))
        az = self._path / "az"
        az.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "{fake_az.__file__}" "$@"\n')
        az.chmod(az.stat().st_mode | stat.S_IXUSR)

    def run(self, script: str, *arguments: str, typed: str = "") -> Ran:
        self._log.write_text("")
        environment = {
            "PATH": f"{self._path}{os.pathsep}{os.environ['PATH']}",
            "FAKE_AZURE": str(self._state),
            "FAKE_AZURE_LOG": str(self._log),
            "TANDEM_WAIT": "0",
        }
        command = ["bash", str(ROOT / "infra" / script), *arguments]
        ran = subprocess.run(command, input=typed, capture_output=True, text=True, check=False, timeout=120, env=environment)
        return Ran(ran.returncode, ran.stdout + ran.stderr, tuple(self._log.read_text().splitlines()))

    @property
    def state(self) -> Mapping[str, Any]:
        content: Mapping[str, Any] = json.loads(self._state.read_text())
        return content

    def change(self, **state: Any) -> None:
        self._state.write_text(json.dumps({**self.state, **state}))
