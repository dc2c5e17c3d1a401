"""Bad luck, tried for real on a cluster of the tests' own (`./lab test --faults`)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from learner import Lab

from kubelab import engine
from kubelab.site import LEARNER, TEST, Site, here


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """The command on the tests' site; what it made is removed at the end."""
    chosen = here()
    learner = Lab(Site(TEST) if chosen.name == LEARNER else chosen)
    yield learner
    learner.run("down", "--yes")


@pytest.fixture
def up(lab: Lab) -> Lab:
    """The command, with the tests' cluster up."""
    done = lab.run("up", "--no-open")
    assert done.returncode == 0, done.stdout + done.stderr
    return lab


@pytest.fixture
def own_engine(lab: Lab) -> int:
    """The process id of a dockerd that the course started and nobody else needs."""
    pid = engine.started_by_us()
    if pid is None:
        pytest.skip("not run: this engine was not started by the course")
    found = engine.find()
    named = ["ps", "--format", '{{.Label "io.x-k8s.kind.cluster"}}']
    others = set(found.run(*named).split()) - {lab.site.name} if found is not None else set()
    if others:
        pytest.skip(f"not run: this runs on the engine too: {', '.join(sorted(others))}")
    return pid
