"""A tenant and its first people, for every story."""

import pytest

from tests.tenant import Somebody, Tenant


@pytest.fixture
def tenant() -> Tenant:
    return Tenant()


@pytest.fixture
def ada(tenant: Tenant) -> Somebody:
    return tenant.person("ada")


@pytest.fixture
def bob(tenant: Tenant, ada: Somebody) -> Somebody:
    """A colleague, made after Ada."""
    return tenant.person("bob")
