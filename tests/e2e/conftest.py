"""Fixtures of the tests on the real cluster: `site` and `kind_cluster` come from the root."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from answers import Place, place

from kubelab import labs
from kubelab.site import Site

# Parts of files' names; the last one is in each of them.
LONGEST = ("notebook", "test_lab", "")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long: the other files run beside it."""
    items.sort(key=lambda item: next(n for n, one in enumerate(LONGEST) if one in item.nodeid))


@pytest.fixture
def started(
    kind_cluster: Any, site: Site, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Place]:
    """Lab 02, started in a namespace of the test's own."""
    name = f"t{abs(hash(request.node.nodeid)) % 10**8}"
    with place(site, labs.find(site.root, "02"), name, tmp_path) as found:
        yield found
