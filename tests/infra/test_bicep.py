"""The real compiler has nothing to say about the templates, and predicts what is committed."""

import json
import shutil
from pathlib import Path

import pytest

from tests.infra.tools import IDS, INFRA, SETS, bicep, find_bicep, snapshot

TEMPLATES = sorted([*INFRA.glob("*.bicep"), *INFRA.glob("modules/*.bicep")])
PARAMETERS = sorted([*INFRA.glob("*.bicepparam"), *INFRA.glob("snapshots/*.bicepparam")])
CONFIG = json.loads((INFRA / "bicepconfig.json").read_text(encoding="utf-8"))
FROM_OUTSIDE = {"SALESFORCE_CLIENT_ID": "3MVG9", "SALESFORCE_USERNAME": "integration@example.com", "TANDEM_ALERT_EMAILS": "a@b.example"}
EXCEPTIONS = {
    ("modules/vault.bicep", "use-recent-api-versions"): "diagnosticSettings: every version that is not a preview lacks category groups"
}


def named(path: Path) -> str:
    return path.relative_to(INFRA).as_posix()


@pytest.mark.parametrize("template", TEMPLATES, ids=named)
def test_a_template_builds_and_lints_without_a_word(template: Path) -> None:
    assert json.loads(bicep("build", str(template), "--stdout"))["languageVersion"] == "2.0"
    assert bicep("lint", str(template)) == ""


@pytest.mark.parametrize("parameters", PARAMETERS, ids=named)
def test_a_parameter_file_builds_without_a_word(parameters: Path) -> None:
    assert bicep("build-params", str(parameters), "--stdout", environment=FROM_OUTSIDE)


@pytest.mark.parametrize("path", [*TEMPLATES, *PARAMETERS], ids=named)
def test_the_formatter_changes_nothing(path: Path) -> None:
    assert bicep("format", str(path), "--stdout") == path.read_text(encoding="utf-8")


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
    with pytest.raises(AssertionError, match="Error no-unused-params"):
        bicep("lint", str(wrong))
    with pytest.raises(AssertionError, match="Error use-description-params"):
        bicep("lint", str(wrong))


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
