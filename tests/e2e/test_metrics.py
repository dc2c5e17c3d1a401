"""Resource metrics: what `kubectl top` prints."""

from __future__ import annotations

from typing import Any


def test_top_prints_every_node(kind_cluster: Any) -> None:
    lines = kind_cluster.kubectl("top", "nodes", "--no-headers").splitlines()
    assert len(lines) == 3
    assert all(line.split()[1].endswith("m") for line in lines)


def test_top_prints_the_pods_of_the_add_ons(kind_cluster: Any) -> None:
    printed = kind_cluster.kubectl("top", "pods", "-n", "projectcontour", "--no-headers")
    assert printed.startswith("contour-")
