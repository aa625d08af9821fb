"""Fixtures: one Azurite for each test worker, and for each test that asks a storage account that nobody has used."""

from collections.abc import Iterator

import pytest

from local.stack.azurite import Azurite

ACCOUNTS = 1000
"""More than tests that ask for one."""


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    azurite = Azurite(tmp_path_factory.mktemp("azurite") / "azurite.log", ACCOUNTS)
    yield azurite.wait()
    azurite.stop()


@pytest.fixture
def storage(azurite: Azurite) -> str:
    """The connection string of an empty storage account."""
    return next(azurite.accounts())
