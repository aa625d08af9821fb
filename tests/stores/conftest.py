import pytest

from sync.stores import TABLES
from sync.stores.memory import MemoryTables


@pytest.fixture
def requests() -> list[tuple[str, str]]:
    """(operation, table) of each service call."""
    return []


@pytest.fixture
def tables(requests: list[tuple[str, str]]) -> MemoryTables:
    return MemoryTables(TABLES, on_request=lambda operation, table: requests.append((operation, table)))
