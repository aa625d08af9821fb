"""Importing `function_app` costs every cold start: what only a run needs is imported by the run."""

import subprocess
import sys

import pytest

from local.stack.process import ROOT

HEAVY = {
    *("azure.core", "azure.data", "azure.identity", "azure.storage", "msal", "msgraph", "msgraph_core", "kiota_abstractions", "kiota_http"),
    *("httpx", "aiohttp", "requests", "urllib3", "simple_salesforce", "zeep", "jwt", "cryptography", "opentelemetry"),
}


@pytest.fixture(scope="module")
def imported() -> set[str]:
    """Every module of a fresh interpreter that has imported the app and indexed it."""
    program = "import sys, function_app; function_app.app.get_functions(); print(*sys.modules, sep='\\n')"
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    return set(ended.stdout.split())


def test_indexing_the_app_imports_nothing_heavy(imported: set[str]) -> None:
    assert {"function_app", "sync.wiring", "azure.functions"} <= imported
    assert sorted(HEAVY & imported) == []


def test_indexing_the_app_imports_nothing_of_the_local_stack_or_the_tests(imported: set[str]) -> None:
    assert [name for name in imported if name.partition(".")[0] in {"local", "tests", "pytest"}] == []
