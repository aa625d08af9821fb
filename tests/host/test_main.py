"""`python -m local.host` as a process: it says what is wrong with an app, and ends in order."""

import os
import signal
import socket
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import httpx
import pytest

from local.stack.process import ROOT, Process

GOOD = """
import os
import azure.functions as func

app = func.FunctionApp()

@app.timer_trigger(schedule="%WHEN%", arg_name="timer")
def plan(timer: func.TimerRequest) -> None: ...

@app.route("setting", auth_level=func.AuthLevel.ANONYMOUS)
def setting(req: func.HttpRequest) -> str:
    return os.environ["FROM_FILE"]
"""


def app_folder(folder: Path, source: str) -> Path:
    (folder / "function_app.py").write_text(source)
    (folder / "host.json").write_text('{"version": "2.0"}')
    (folder / "local.settings.json").write_text('{"Values": {"FROM_FILE": "read", "WHEN": "0 0 0 1 1 *"}}')
    return folder


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "local.host", "--root", str(folder), *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_it_serves_until_it_is_told_to_end(tmp_path: Path) -> None:
    folder = app_folder(tmp_path, GOOD)
    host = Process("host", [sys.executable, "-m", "local.host", "--root", str(folder), "--port", "0"], tmp_path / "host.log")
    origin = host.wait_for_line(r"Host started on (\S+) with 2 functions")[1]
    assert httpx.get(origin + "/admin/host/status").json()["state"] == "Running"
    assert httpx.get(origin + "/api/setting").text == "read"
    host.stop()
    assert host.wait() == 0
    assert "Host stops" in host.output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_exit_code_0(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "local.host", "--root", str(app_folder(tmp_path, GOOD)), "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as host:
        assert host.stderr is not None
        assert any("Host started" in line for line in host.stderr)
        os.kill(host.pid, number)
        assert host.wait(30) == 0


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import nothing_of_that_name", "function_app.py can not be imported: ModuleNotFoundError"),
        ("x = 1", "exactly one FunctionApp, but holds 0"),
        ("import azure.functions as func\napp = func.FunctionApp()\nb = func.FunctionApp()", "exactly one FunctionApp, but holds 2"),
        (GOOD.replace("%WHEN%", "*/5 * * * *").replace("@app.route", "#").replace("def setting", "def _"), "six fields"),
        (GOOD.replace("def setting", "def plan"), "can not be read"),
    ],
)
def test_an_app_that_can_not_run_is_one_clear_sentence_and_exit_code_1(tmp_path: Path, source: str, said: str) -> None:
    ended = run(app_folder(tmp_path, source), "--port", "0")
    assert ended.returncode == 1
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_folder_without_an_app_is_named(tmp_path: Path) -> None:
    ended = run(tmp_path)
    assert ended.returncode == 1
    assert "host.json is missing" in ended.stderr


def test_a_port_in_use_is_named_with_the_way_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run(app_folder(tmp_path, GOOD), "--port", str(port))
    assert ended.returncode == 1
    assert f"port {port} can not be used" in ended.stderr


@pytest.mark.parametrize("name", ["sync", "shared"])
def test_no_dependency_has_a_package_of_our_folders_names(name: str) -> None:
    """The Python worker prefers a third-party package over a folder of the app."""
    assert name not in packages_distributions()
