"""The app under Microsoft's own worker library, which needs Python ≥ 3.13.

Which interpreter: the one the tests run with, if it is new enough; `TANDEM_PYTHON313`, the name or path of one; `python3.13` on the PATH.
One that lacks the packages gets an environment of its own in `.build`, once.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local.stack.prepare import _with_pip_settings as with_pip_settings
from local.stack.process import ROOT
from local.stack.stack import NEVER, Stack
from tests.surface.running import POISON, QUEUE, Company, clean, settings_of

WORKER = Path(__file__).with_name("worker.py")
ENVIRONMENT = ROOT / ".build" / "worker-python3.13"
NEEDED = ("-r", "requirements.txt", "azure-functions-runtime>=1.3,<2")


def interpreter() -> str | None:
    """A Python ≥ 3.13 that works."""
    for name in (sys.executable, os.environ.get("TANDEM_PYTHON313", ""), "python3.13"):
        found = shutil.which(name) if name else None
        if found is None:
            continue
        program = "import sys; sys.version_info < (3, 13) and sys.exit(1); print(sys.executable)"
        asked = subprocess.run(  # pyenv's python3.13 wants to be told that it is meant
            [found, "-c", program], capture_output=True, text=True, timeout=60, env={**os.environ, "PYENV_VERSION": "3.13"}, check=False
        )
        if asked.returncode == 0:
            return asked.stdout.strip()
    return None


def has_the_packages(python: str) -> bool:
    wanted = "import azure_functions_runtime, azure.functions, azure.identity, azure.data.tables, msgraph, simple_salesforce, croniter, jwt"
    return subprocess.run([python, "-c", wanted], cwd=ROOT, capture_output=True, timeout=120, check=False).returncode == 0


@pytest.fixture(scope="module")
def worker_python() -> str:
    """An interpreter that can run the worker; skips where there is none."""
    python = interpreter()
    if python is None:
        pytest.skip("no Python 3.13 or newer at hand: Microsoft's worker library needs one (name it in TANDEM_PYTHON313)")
    if has_the_packages(python):
        return python
    ENVIRONMENT.parent.mkdir(exist_ok=True)
    with ENVIRONMENT.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = str(ENVIRONMENT / "bin" / "python")
        if not (ENVIRONMENT.exists() and has_the_packages(made)):
            shutil.rmtree(ENVIRONMENT, ignore_errors=True)
            uv = Path(sys.executable).with_name("uv")
            for command in (["venv", "--python", python, str(ENVIRONMENT)], ["pip", "install", "--python", made, *NEEDED]):
                ended = subprocess.run(
                    [str(uv), "--quiet", *command],
                    cwd=ROOT,
                    env=with_pip_settings(sys.executable),
                    capture_output=True,
                    text=True,
                    check=False,
                )
                if ended.returncode:
                    pytest.skip(f"the worker's packages could not be installed for {python}: {ended.stderr.strip().splitlines()[-1:]}")
    return made


def test_microsofts_worker_indexes_the_app_and_runs_a_round_with_it(stack: Stack, storage: str, worker_python: str) -> None:
    company = Company(stack=stack, name="worker").open()
    ada = company.person("ada")
    company.in_salesforce(ada, LastName="By Microsoft's worker")
    environment = {**clean(os.environ), **settings_of(company, storage)}
    ended = subprocess.run(
        [worker_python, str(WORKER), str(ROOT)], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stderr
    (line,) = [line for line in ended.stdout.splitlines() if line.startswith("Worker ")]
    told = json.loads(line.removeprefix("Worker "))
    assert told["python"] >= [3, 13]

    triggers = {name: next(each for each in bindings if each["type"].endswith("Trigger")) for name, bindings in told["bindings"].items()}
    outputs = {name: [each for each in bindings if each["direction"] == "OUT"] for name, bindings in told["bindings"].items()}
    assert set(triggers) == {"plan_sync", "sync_user", "sync_user_poison"}
    assert (triggers["plan_sync"]["type"], triggers["plan_sync"]["schedule"]) == ("timerTrigger", NEVER)
    assert [(triggers[name]["type"], triggers[name]["queueName"]) for name in ("sync_user", "sync_user_poison")] == [
        ("queueTrigger", QUEUE),
        ("queueTrigger", POISON),
    ]
    for name in ("plan_sync", "sync_user"):
        (output,) = outputs[name]
        assert (output["type"], output["name"], output["queueName"], output["connection"]) == (
            "queue",
            "wakeups",
            QUEUE,
            "AzureWebJobsStorage",
        )
    assert outputs["sync_user_poison"] == []

    assert told["planned"]["succeeded"], told["planned"]["error"]
    (message,) = json.loads(told["planned"]["outputs"]["wakeups"]["json"])
    assert (json.loads(message)["user"], json.loads(message)["why"]) == (ada.id, "timer")
    assert [each["succeeded"] for each in (*told["synced"], told["malformed"], told["poison"])] == [True] * 3, ended.stderr
    assert company.outlook_names(ada) == ["By Microsoft's worker"]
    assert "HTTP Request:" not in ended.stderr, "a line of the log for each request: httpx tells them unless it is asked not to"
