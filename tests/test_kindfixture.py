"""pytest-kind's fixture, made safe: what it must never do, tried without a cluster."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kubelab import api as _  # noqa: F401 (loads the module that `require` asks)
from kubelab import kindfixture
from kubelab.errors import EnvironmentFault, NoCluster
from kubelab.site import ROOT, Site

FORWARD = """#!{python}
import os, sys, time
with open(os.environ["KUBECONFIG"] + ".starts", "a") as log:
    log.write(" ".join(sys.argv[1:]) + " PATH" * ("PATH" in os.environ) + "\\n")
print("Forwarding from 127.0.0.1:43210 -> 8080", flush=True)
time.sleep(60)
"""


def config(*, plugin: bool = True) -> Any:
    option = SimpleNamespace(keep_cluster=False, cluster_name="pytest-kind", kubeconfig=None)
    manager = SimpleNamespace(hasplugin=lambda name: plugin and name == "pytest-kind")
    return SimpleNamespace(option=option, pluginmanager=manager)


def script(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def test_the_plugin_gets_our_cluster_and_may_not_delete_it() -> None:
    given = config()
    kindfixture.configure(given, Site("kubelab-test"))
    assert given.option.keep_cluster is True
    assert given.option.cluster_name == "kubelab-test"
    assert given.option.kubeconfig.endswith("/kubelab-test/kubeconfig")


def test_without_the_plugin_nothing_is_set() -> None:
    given = config(plugin=False)
    kindfixture.configure(given, Site())
    assert given.option.keep_cluster is False
    with pytest.raises(EnvironmentFault, match="not installed"):
        kindfixture.require(given, Site())


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A cluster that answers, and a kind that knows the clusters in a file."""
    clusters = tmp_path / "clusters"
    kind = script(tmp_path / "kind", f"#!/bin/sh\ncat {clusters}\n")
    tools = SimpleNamespace(kind=lambda: kind, kubectl=lambda: tmp_path / "kubectl")
    monkeypatch.setattr("kubelab.tools", tools, raising=False)
    monkeypatch.setitem(sys.modules, "kubelab.tools", tools)
    monkeypatch.setattr(sys.modules["kubelab.api"], "connect", lambda site: None)
    return clusters


def test_a_cluster_that_kind_does_not_know_is_never_created(there: Path) -> None:
    there.write_text("kind\nkubelab-test\n", encoding="utf-8")
    with pytest.raises(NoCluster, match="kind knows no cluster kubelab"):
        kindfixture.require(config(), Site())


def test_our_own_binaries_are_handed_over(there: Path) -> None:
    there.write_text("kubelab\n", encoding="utf-8")
    given = config()
    kindfixture.require(given, Site())
    assert given.option.kind_bin == str(there.parent / "kind")
    assert given.option.kind_kubectl_bin == str(there.parent / "kubectl")


def tamed(tmp_path: Path, kubectl: str) -> Any:
    folder = tmp_path / ".pytest-kind" / "kubelab"
    folder.mkdir(parents=True)
    return kindfixture.tame(
        SimpleNamespace(
            name="kubelab",
            path=folder,
            kubectl_path=script(tmp_path / "kubectl", kubectl),
            kubeconfig_path=tmp_path / "kubeconfig",
        )
    )


def test_the_cluster_is_not_deleted_by_a_test(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="do not delete"):
        tamed(tmp_path, "").delete()


def test_its_empty_folder_for_downloads_is_removed(tmp_path: Path) -> None:
    tamed(tmp_path, "")
    assert not (tmp_path / ".pytest-kind").exists()


def test_a_port_forward_is_one_process_with_an_environment(tmp_path: Path) -> None:
    cluster = tamed(tmp_path, FORWARD.format(python=sys.executable))
    with cluster.port_forward("pod/web", 8080, "-n", "lab-02") as port:
        assert port == 43210
    starts = (tmp_path / "kubeconfig.starts").read_text(encoding="utf-8").splitlines()
    assert starts == ["port-forward pod/web :8080 -n lab-02 PATH"]


def test_a_port_forward_that_fails_says_why(tmp_path: Path) -> None:
    cluster = tamed(tmp_path, "#!/bin/sh\necho 'error: pods \"web\" not found'\nexit 1\n")
    with pytest.raises(EnvironmentFault, match="not found"), cluster.port_forward("pod/web", 1):
        pass


def test_no_cluster_is_one_sentence_and_no_traceback() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "tests/e2e/test_metrics.py",
        ],
        cwd=ROOT,
        env={**os.environ, "KUBELAB_CLUSTER": "nonesuch", "COLUMNS": "120"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "could not check: The course's cluster is not there. Look: ./lab up" in done.stdout
    assert "Traceback" not in done.stdout
    assert "2 errors" in done.stdout
    assert not (ROOT / ".pytest-kind").exists()
