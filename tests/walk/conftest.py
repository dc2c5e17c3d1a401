"""The walk's own run of pytest: one learner, one lab after the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from learner import Learner

from kubelab.site import Site


@pytest.fixture(scope="session")
def learner(
    kind_cluster: Any, site: Site, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Learner]:
    """A learner who begins with nothing on record; what was there before comes back."""
    aside: Path = tmp_path_factory.mktemp("aside")
    kept = [site.results, site.work / "hints.jsonl"]
    for file in kept:
        if file.is_file():
            file.rename(aside / file.name)
    yield Learner(site)
    for file in kept:
        file.unlink(missing_ok=True)
        if (aside / file.name).is_file():
            (aside / file.name).rename(file)
