"""The deployment package: only what runs, always the same bytes, and it runs where there is nothing else."""

import ast
import json
import os
import re
import subprocess
import sys
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import httpx
import pytest

from local.stack.process import Process
from tests.infra.tools import ROOT
from tests.shared.test_settings import good

FUNCTIONS = {"plan_sync": "timerTrigger", "sync_user": "queueTrigger", "sync_user_poison": "queueTrigger"}
LOOK = """
import json, function_app, shared.settings, sync.wiring
bindings = {each.get_function_name(): json.loads(each.get_function_json())["bindings"] for each in function_app.app.get_functions()}
triggers = {name: [one["type"] for one in all if one["type"].endswith("Trigger")] for name, all in bindings.items()}
print(json.dumps({"triggers": triggers, "from": [function_app.__file__, sync.wiring.__file__, shared.settings.__file__]}))
"""


def build(target: Path) -> str:
    ran = subprocess.run(
        [sys.executable, "infra/package.py", str(target)], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    return ran.stdout


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("package") / "tandem.zip"
    build(target)
    return target


@pytest.fixture
def unpacked(package: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    with zipfile.ZipFile(package) as opened:
        opened.extractall(folder)
    return folder


def test_it_prints_its_size(tmp_path: Path) -> None:
    printed = build(tmp_path / "tandem.zip")
    size = (tmp_path / "tandem.zip").stat().st_size
    assert f" {size:,} bytes, " in printed
    assert size < 2_000_000


def test_the_same_source_gives_the_same_bytes(package: Path, tmp_path: Path) -> None:
    build(tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == package.read_bytes()


def test_it_holds_what_runs_and_nothing_else(package: Path) -> None:
    with zipfile.ZipFile(package) as opened:
        entries = opened.infolist()
    names = [entry.filename for entry in entries]
    assert names == sorted(names)
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {name for name in names if "/" not in name} == {"function_app.py", "host.json", "requirements.txt"}
    assert all(re.fullmatch(r"(sync|shared)/[\w/]+\.py", name) for name in names if "/" in name)
    here = {path.relative_to(ROOT).as_posix() for folder in ("sync", "shared") for path in (ROOT / folder).rglob("*.py")}
    assert {name for name in names if "/" in name} == here


def test_azd_is_given_the_same_files(package: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "infra/package.py", "--folder", str(tmp_path / "app")], cwd=ROOT, check=True, timeout=60)
    with zipfile.ZipFile(package) as opened:
        packed = {name: opened.read(name) for name in opened.namelist()}
    laid = {path.relative_to(tmp_path / "app").as_posix(): path.read_bytes() for path in (tmp_path / "app").rglob("*") if path.is_file()}
    assert laid == packed
    recipe = (ROOT / "azure.yaml").read_text(encoding="utf-8")
    assert "python3 infra/package.py --folder .build/app" in recipe
    assert "dist: .build/app" in recipe


def test_what_is_installed_with_it_is_pinned_by_hash(unpacked: Path) -> None:
    text = (unpacked / "requirements.txt").read_text(encoding="utf-8")
    assert text == (ROOT / "requirements-lock.txt").read_text(encoding="utf-8")
    pinned = re.findall(
        r"^([a-z0-9_.-]+(?:\[[a-z,]+\])?)==\S+ \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", text, flags=re.MULTILINE
    )
    assert len(pinned) == len(re.findall(r"^[a-z]", text, flags=re.MULTILINE))
    assert "://" not in text, "no address of a registry"
    wanted = re.findall(r"^([A-Za-z][A-Za-z0-9_.-]*)", (ROOT / "requirements.txt").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert {name.lower() for name in wanted} <= {name.partition("[")[0] for name, _ in pinned}


def test_it_imports_nothing_that_is_not_installed_with_it(package: Path) -> None:
    """The virtual environment of the tests holds more than what is deployed."""
    names = {"sync", "shared", *sys.stdlib_module_names}
    with zipfile.ZipFile(package) as opened:
        pinned = set(re.findall(r"^([a-z0-9_.-]+)", opened.read("requirements.txt").decode(), flags=re.MULTILINE))
        trees = {name: ast.parse(opened.read(name)) for name in opened.namelist() if name.endswith(".py")}
    providers = {module: {_plain(each) for each in given} for module, given in packages_distributions().items()}
    imported = {(module, file) for file, tree in trees.items() for node in ast.walk(tree) for module in _roots(node) if module not in names}
    assert {"azure", "httpx", "msgraph", "simple_salesforce"} <= {module for module, _ in imported}
    missing = {(module, file) for module, file in imported if not providers[module] & {_plain(each) for each in pinned}}
    assert missing == set()


def _roots(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [each.name.partition(".")[0] for each in node.names]
    return [(node.module or "").partition(".")[0]] if isinstance(node, ast.ImportFrom) and not node.level else []


def _plain(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def test_its_functions_are_indexed_where_there_is_nothing_else(unpacked: Path) -> None:
    """Isolated (-I): neither this folder nor PYTHONPATH, only the packages that are installed."""
    code = f"import sys; sys.path.insert(0, {str(unpacked)!r}); {LOOK.strip()}"
    command = [sys.executable, "-I", "-c", code.replace("; import json", "\nimport json")]
    ran = subprocess.run(command, cwd=unpacked, capture_output=True, text=True, check=True, timeout=60, env={"PATH": os.environ["PATH"]})
    found = json.loads(ran.stdout)
    assert found["triggers"] == {name: [trigger] for name, trigger in FUNCTIONS.items()}
    assert all(path.startswith(str(unpacked)) for path in found["from"])


def test_its_functions_run_on_the_local_host(unpacked: Path, storage: str, tmp_path: Path) -> None:
    """Switched off, so that no vendor is needed: it takes settings, tables and all of the code's imports to say so."""
    with (unpacked / "function_app.py").open("a", encoding="utf-8") as file:
        file.write('\n\nprint(f"the code is from {wiring.__file__}", flush=True)\n')
    settings = good(AzureWebJobsStorage=storage, SYNC_ENABLED="false", SYNC_SCHEDULE="0 0 0 1 1 *")
    environment = {"PATH": os.environ["PATH"], **settings}
    command = [sys.executable, "-m", "local.host", "--root", str(unpacked), "--port", "0", "--environment-only"]
    host = Process("host", command, tmp_path / "host.log", environment)
    try:
        origin = host.wait_for_line(r"Host started on (\S+) with 3 functions")[1]
        assert httpx.post(f"{origin}/admin/functions/plan_sync", json={"input": ""}).status_code == 202
        host.wait_for_line(r'"event": "SwitchedOff", "function": "plan_sync"')
        assert f"the code is from {unpacked}/sync/wiring.py" in host.output
    finally:
        host.stop()
