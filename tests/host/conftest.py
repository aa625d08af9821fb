"""What the tests of the host share."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """On a loaded machine a connection to Azurite has been seen to wait for ever: such a test is begun again, twice at most."""
    for item in items:
        if "tests/host/" in item.nodeid:
            item.add_marker(pytest.mark.timeout(60))
            item.add_marker(pytest.mark.flaky(reruns=2))
