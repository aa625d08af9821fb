"""The real compiler has nothing to say about the templates, and predicts what is committed."""

import json
import re
import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from tests.infra.tools import IDS, INFRA, SETS, bicep, compiled, find_bicep, snapshot

TEMPLATES = sorted([*INFRA.glob("*.bicep"), *INFRA.glob("modules/*.bicep")])
PARAMETERS = sorted([*INFRA.glob("*.bicepparam"), *INFRA.glob("snapshots/*.bicepparam")])
CONFIG = json.loads((INFRA / "bicepconfig.json").read_text(encoding="utf-8"))
FROM_OUTSIDE = {"SALESFORCE_CLIENT_ID": "3MVG9", "SALESFORCE_USERNAME": "integration@example.com", "TANDEM_ALERT_EMAILS": "a@b.example"}
EXCEPTIONS = {
    ("modules/vault.bicep", "use-recent-api-versions"): "diagnosticSettings: every version that is not a preview lacks category groups"
}


def named(path: Path) -> str:
    return path.relative_to(INFRA).as_posix()


def test_the_templates_build_and_lint_without_a_word() -> None:
    assert compiled()["languageVersion"] == "2.0"
    sources = "\n".join(path.read_text(encoding="utf-8") for path in TEMPLATES)
    for template in TEMPLATES:
        assert template.name == "main.bicep" or f"{template.name}' = " in sources, "a module that nothing uses is not built"


def test_the_parameters_build_without_a_word() -> None:
    """Those of the snapshots are built there."""
    assert bicep("build-params", "main.bicepparam", "--stdout", environment=FROM_OUTSIDE)


def test_every_parameter_is_explained() -> None:
    lines = (INFRA / "main.bicepparam").read_text(encoding="utf-8").splitlines()
    given = {line.split()[1] for before, line in pairwise(lines) if line.startswith("param ") and before.startswith("// ")}
    assert given == set(re.findall(r"^param (\w+)", (INFRA / "main.bicep").read_text(encoding="utf-8"), flags=re.MULTILINE))


def test_the_formatter_changes_nothing(tmp_path: Path) -> None:
    copy = tmp_path / "infra"
    shutil.copytree(INFRA, copy, ignore=shutil.ignore_patterns("node_modules"))
    (copy / "spaced.bicep").write_text("param   a   string\n", encoding="utf-8")
    (copy / "spaced.bicepparam").write_text("using   'spaced.bicep'\n", encoding="utf-8")
    for pattern in ("**/*.bicep", "**/*.bicepparam"):
        bicep("format", "--pattern", pattern, folder=copy)
    for path in [*TEMPLATES, *PARAMETERS]:
        assert (copy / named(path)).read_text(encoding="utf-8") == path.read_text(encoding="utf-8")
    assert (copy / "spaced.bicep").read_text(encoding="utf-8") == "param a string\n", "it does change what is not formatted"
    assert (copy / "spaced.bicepparam").read_text(encoding="utf-8") == "using 'spaced.bicep'\n"


@pytest.mark.parametrize("name", SETS)
def test_the_compiler_predicts_what_is_committed(name: str, tmp_path: Path) -> None:
    """To renew a snapshot: `make infra-snapshots`."""
    if find_bicep():
        shutil.copytree(INFRA, tmp_path / "infra", ignore=shutil.ignore_patterns("node_modules"))
        (tmp_path / "infra" / "snapshots" / f"{name}.snapshot.json").unlink()
    folder = tmp_path / "infra" / "snapshots"
    ids = [word for pair in IDS.items() for word in pair]
    bicep("snapshot", str(folder / f"{name}.bicepparam"), "--mode", "overwrite", *ids)
    assert json.loads((folder / f"{name}.snapshot.json").read_text(encoding="utf-8")) == snapshot(name)


def test_the_linter_finds_what_is_wrong(tmp_path: Path) -> None:
    """Names of rules that do not exist are ignored without a word: see that the configuration is really in force."""
    shutil.copy(INFRA / "bicepconfig.json", tmp_path)
    wrong = tmp_path / "wrong.bicep"
    wrong.write_text("param unused string\n", encoding="utf-8")
    with pytest.raises(AssertionError, match=r"(?s)Error no-unused-params.*Error use-description-params"):
        bicep("build", str(wrong), "--stdout")


def test_the_compiler_in_use_is_the_pinned_one() -> None:
    assert f" {CONFIG['bicep']['version']} " in bicep("--version")


def test_every_rule_is_an_error_and_exceptions_have_their_reason() -> None:
    assert {rule["level"] for rule in CONFIG["analyzers"]["core"]["rules"].values()} == {"error"}
    assert "experimentalFeaturesEnabled" not in CONFIG
    disabled = {
        (named(path), rule)
        for path in [*TEMPLATES, *PARAMETERS]
        for line in path.read_text(encoding="utf-8").splitlines()
        if "#disable-" in line
        for rule in line.split()[1:]
    }
    assert disabled == set(EXCEPTIONS)
