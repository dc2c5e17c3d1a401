"""For `pytest checks/` and the project's own tests: the plugin, and a safe `kind_cluster`."""

from __future__ import annotations

from typing import Any

import pytest

from kubelab import kindfixture
from kubelab.errors import KubelabError
from kubelab.site import Site, here

pytest_plugins = ["kubelab.plugin"]


def pytest_configure(config: pytest.Config) -> None:
    """Give pytest-kind its options before its fixture reads them."""
    kindfixture.configure(config, here())


@pytest.fixture(scope="session")
def site() -> Site:
    """The site of these tests: the learner's, or the one that KUBELAB_CLUSTER names."""
    return here()


@pytest.fixture(scope="session")
def kind_cluster_is_there(pytestconfig: pytest.Config, site: Site) -> None:
    """An error in one sentence where the course's cluster is not there."""
    fault = None
    try:
        kindfixture.require(pytestconfig, site)
    except KubelabError as error:
        fault = f"could not check: {error.message}" + (f" Look: {error.look}" * bool(error.look))
    if fault is not None:
        pytest.fail(fault, pytrace=False)


@pytest.fixture(scope="session")
def kind_cluster(kind_cluster_is_there: None, kind_cluster: Any) -> Any:
    """pytest-kind's fixture, attached to the course's cluster; it creates and deletes nothing."""
    return kindfixture.tame(kind_cluster)
