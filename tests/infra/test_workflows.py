"""What is promised to those who carry it on: the workflow runs the README's command and the compiler, and dependencies are watched."""

import re

from tests.infra.tools import CHECKS, ROOT


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_workflow_runs_what_the_readme_promises_and_the_build_of_the_templates() -> None:
    workflow = read(".github/workflows/test.yml")
    commands = re.findall(r"^ +- run: (.+)$", workflow, flags=re.MULTILINE)
    assert commands == ["make test", "make run", "make infra", "make package"]
    readme = re.findall(r"^make (?:test|run)\b", read("README.md"), flags=re.MULTILINE)
    assert set(readme) <= set(commands)
    assert "az bicep install --version" in workflow
    assert "permissions:\n  contents: read\n" in workflow


def test_dependencies_are_watched() -> None:
    watched = re.findall(r"package-ecosystem: (\S+)", read(".github/dependabot.yml"))
    assert {"pip", "github-actions"} <= set(watched)


def test_every_target_that_pages_name_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), flags=re.MULTILINE))
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    named = {name for page in pages for name in re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(encoding="utf-8"), flags=re.MULTILINE)}
    assert {"infra", "infra-snapshots", "package", "deploy", "requirements-lock"} <= targets
    assert {"test", "run", "deploy"} <= named <= targets


def test_no_lock_file_names_a_registry() -> None:
    for path in (CHECKS / "package-lock.json", ROOT / "requirements-lock.txt"):
        text = path.read_text(encoding="utf-8")
        assert '"resolved"' not in text
        assert "--index-url" not in text
        assert "--find-links" not in text
