"""The judges from outside: where each one is found, and how it is asked. An absent one skips its tests, under `make infra` fails them."""

import functools
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"
CHECKS = INFRA / "checks"
CHECKOV = ROOT / ".build" / "infra" / "venv" / "bin" / "checkov"
SETS = ("plain", "private")
"""The parameter sets whose snapshots are committed."""

BICEP_MISSING = (
    "no bicep was found: put the compiler on PATH (https://aka.ms/bicep-install, the version in infra/bicepconfig.json) "
    "or run: az bicep install"
)
IDS = {
    "--tenant-id": "00000000-0000-4000-8000-0000000000a0",
    "--subscription-id": "00000000-0000-4000-8000-0000000000a1",
    "--resource-group": "tandem",
    "--location": "westeurope",
    "--deployment-name": "main",
}
"""All together, else the outputs of modules stay unresolved in a snapshot."""


def find_bicep() -> str | None:
    """On PATH, or where `az bicep install` puts it."""
    installed = Path(os.environ.get("AZURE_CONFIG_DIR") or Path.home() / ".azure") / "bin" / "bicep"
    return shutil.which("bicep") or (str(installed) if installed.exists() else None)


def absent(why: str) -> None:
    """Skips the test, except where everything was to be there."""
    if os.environ.get("TANDEM_INFRA"):
        pytest.fail(why)
    pytest.skip(why)


@functools.cache
def _home() -> str:
    """Bicep unpacks itself into HOME, which may not be writable."""
    return tempfile.mkdtemp(prefix="bicep-home-")


def bicep(*arguments: str, environment: Mapping[str, str] | None = None, folder: Path = INFRA) -> str:
    """What the compiler prints. It fails on anything in stderr too: warnings about types exit with 0 and cannot be made errors."""
    found = find_bicep()
    if found is None:
        absent(BICEP_MISSING)
    command = [str(found), *arguments]
    home = {**os.environ, "HOME": _home(), **(environment or {})}
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=home, cwd=folder)
    assert ran.returncode == 0, ran.stderr or ran.stdout
    assert ran.stderr == "", ran.stderr
    return ran.stdout


def node(script: Path, *arguments: str, given: str = "") -> Any:
    """The JSON that a script of infra/checks prints."""
    if not (CHECKS / "node_modules" / ".package-lock.json").exists():
        absent("the npm packages of infra/checks are not installed: make infra")
    interpreter = ROOT / ".venv" / "bin" / "node"
    command = [str(interpreter) if interpreter.exists() else "node", str(script), *arguments]
    ran = subprocess.run(command, input=given, capture_output=True, text=True, check=False, timeout=300, cwd=CHECKS)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@functools.cache
def compiled() -> Mapping[str, Any]:
    """The main template with all modules in it. A build lints them too."""
    template: Mapping[str, Any] = json.loads(bicep("build", "main.bicep", "--stdout"))
    return template


@functools.cache
def snapshot(name: str) -> Mapping[str, Any]:
    content: Mapping[str, Any] = json.loads((INFRA / "snapshots" / f"{name}.snapshot.json").read_text(encoding="utf-8"))
    return content


def resources(name: str, kind: str) -> Sequence[Mapping[str, Any]]:
    """The predicted resources of exactly this type."""
    return [each for each in snapshot(name)["predictedResources"] if each["type"].casefold() == kind.casefold()]


def only(name: str, kind: str) -> Mapping[str, Any]:
    (found,) = resources(name, kind)
    return found


def renew_snapshots() -> None:
    """`make infra-snapshots`: write down anew what the compiler predicts."""
    for name in SETS:
        ids = [word for pair in IDS.items() for word in pair]
        bicep("snapshot", str(INFRA / "snapshots" / f"{name}.bicepparam"), "--mode", "overwrite", *ids)
        print(f"infra/snapshots/{name}.snapshot.json")


if __name__ == "__main__":
    renew_snapshots()
