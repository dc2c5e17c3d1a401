"""Fixtures of the tests on the real cluster: `site` and `kind_cluster` come from the root."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from answers import Place, place

from kubelab import labs
from kubelab.site import Site


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the notebooks: each takes minutes, and the others run beside them."""
    items.sort(key=lambda item: "notebook" not in item.nodeid)


@pytest.fixture
def started(
    kind_cluster: Any, site: Site, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Place]:
    """Lab 02, started in a namespace of the test's own."""
    name = f"t{abs(hash(request.node.nodeid)) % 10**8}"
    with place(site, labs.find(site.root, "02"), name, tmp_path) as found:
        yield found
