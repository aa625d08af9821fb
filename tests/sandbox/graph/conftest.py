"""The tenant most tests start from."""

import pytest

from tests.sandbox.graph.asking import Tenant


@pytest.fixture
def tenant() -> Tenant:
    return Tenant()
