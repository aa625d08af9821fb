"""One sandbox over TLS for each module; hosts and storage accounts are each test's own."""

from collections.abc import Iterator

import pytest

from local.stack.stack import Stack


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("surface") / "logs") as stack:
        stack.start_vendors()
        yield stack
