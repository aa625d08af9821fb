"""The house as a newcomer finds it: the map names every room, nothing of a workplace lies about, what `make` makes is not committed."""

import re
import subprocess
from functools import cache

import pytest

from local.stack.process import ROOT
from tests.agreement.pages import page

SIBLING = "../" + "shared"
MAY_NAME_THE_SIBLING = {".ci/run"}
"""Beside tests that skip where it is absent."""
WORKPLACE = re.compile(
    "|".join(
        (
            r"(?<![\w./])/(?:work|root|home|opt|Users)/\w",  # a path of somebody's machine
            r"\.pyenv",
            r"\bfacts/\w+\.md",
            r"\b(?:index|registry|artifactory|nexus|mirror|proxy)\.[\w.-]+\.(?:com|net|org|io|internal|local)\b",
            r"\bissue #?\d+\b",
            r"/tmp/(?:briefs|bugs)",
        )
    )
)
FOLDERS = {
    *(".venv/", "node_modules/", ".local/", ".build/", ".mypy_cache/", ".ruff_cache/", ".pytest_cache/", ".hypothesis/"),
    ".import_linter_cache/",
}
MADE = FOLDERS | {"sync/__pycache__/", "sync/runner.pyc", "local.settings.json", ".lint-imports.log"}
"""What the commands of the Makefile make, and what people make by the README."""


@cache
def tracked() -> tuple[str, ...]:
    asked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if asked.returncode:
        pytest.skip("not a git checkout: there are no tracked files to look at")
    return tuple(name for name in asked.stdout.splitlines() if (ROOT / name).is_file())


def texts() -> list[tuple[str, str]]:
    own = "tests/agreement/test_house.py"
    return [(name, (ROOT / name).read_text(encoding="utf-8", errors="replace")) for name in tracked() if name != own]


def test_the_map_names_every_module_at_the_top_of_the_product() -> None:
    known = page("docs/architecture.md")
    modules = [path.name for path in (ROOT / "sync").glob("*.py") if path.stem != "__init__"]
    packages = [f"{path.parent.name}/" for path in (ROOT / "sync").glob("*/__init__.py")]
    assert [name for name in (*modules, *packages) if name not in known] == []


def test_the_map_names_no_file_that_is_not_there() -> None:
    named = set(re.findall(r"`((?:sync|shared|local|infra|tests|docs)/[\w./-]+)`", page("docs/architecture.md")))
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


@pytest.mark.parametrize(
    "name",
    ["README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/architecture.md", "docs/operations.md", "docs/sync-rules.md", "docs/tables.md"],
)
def test_links_to_other_files_lead_somewhere(name: str) -> None:
    targets = re.findall(r"\]\((?!https?://|#|mailto:)([^)#]+)", page(name))
    missing = [target for target in targets if not ((ROOT / name).parent / target).exists()]
    assert missing == []


def test_nothing_of_a_workplace_is_in_the_files() -> None:
    found = [f"{name}: {match[0]}" for name, text in texts() for match in WORKPLACE.finditer(text)]
    assert found == []


def test_the_sibling_folder_is_named_only_where_it_may_be_absent() -> None:
    for name, text in texts():
        if SIBLING in text or '"shared" / "data"' in text:
            assert name in MAY_NAME_THE_SIBLING or "pytest.skip(" in text or name.endswith("prepare.py"), name


def test_the_lock_file_names_no_registry() -> None:
    assert '"resolved"' not in (ROOT / "package-lock.json").read_text()


def test_what_the_commands_make_is_ignored_and_nothing_tracked_is() -> None:
    tracked()
    asked = subprocess.run(["git", "check-ignore", *sorted(MADE)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert set(asked.stdout.split()) == MADE
    ignored = subprocess.run(["git", "ls-files", "-ci", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ignored.stdout == ""


def test_clean_removes_whatever_prepare_and_the_tools_make() -> None:
    (removed,) = re.findall(r"^clean:\n\trm -rf (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {folder.rstrip("/") for folder in FOLDERS} <= set(removed.split())


def test_the_commands_that_the_pages_show_are_targets_of_the_makefile() -> None:
    commands = set(re.findall(r"^make (\w+)", page("README.md"), re.MULTILINE)) | set(re.findall(r"`make (\w+)`", page("CONTRIBUTING.md")))
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"run", "test"} <= commands
    assert commands <= targets
