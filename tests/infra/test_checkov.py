"""A second opinion that nobody here wrote, with a reason for each point where we differ."""

import json
import os
import subprocess
from pathlib import Path

from tests.infra.tools import CHECKOV, CHECKS, SETS, absent, snapshot

REASONS = json.loads((CHECKS / "exceptions.json").read_text(encoding="utf-8"))
SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"


def test_checkov_has_no_objection_without_an_answer(tmp_path: Path) -> None:
    """It reads neither nested deployments nor resources by symbol, so it is given the predicted resources as one flat template."""
    if not CHECKOV.exists():
        absent("checkov is not installed: make infra")
    for name in SETS:
        flat = [{key: value for key, value in each.items() if key != "id"} for each in snapshot(name)["predictedResources"]]
        template = {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": flat}
        (tmp_path / f"{name}.json").write_text(json.dumps(template), encoding="utf-8")
    command = [str(CHECKOV), "-d", str(tmp_path), "--framework", "arm", "--skip-download", "--compact", "--quiet", "-o", "json"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env={**os.environ, "HOME": str(tmp_path)})
    report = json.loads(ran.stdout)
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["resource_count"] >= sum(len(snapshot(name)["predictedResources"]) for name in SETS)
    assert report["summary"]["passed"] > 0
    failed = {each["check_id"] for each in report["results"]["failed_checks"]}
    assert failed == set(REASONS), "an objection without an answer, or an answer that nothing asks for any more"
    assert all(len(reason) > 20 for reason in REASONS.values())
