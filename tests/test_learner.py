"""The learner's namespace, kubeconfig and saved work."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from fakes import COURSE, FakeCluster, TinySite, pod, resource

from kubelab import labs, learner
from kubelab.api import KINDS, SYSTEM
from kubelab.errors import EnvironmentFault
from kubelab.objects import meta
from kubelab.proofs import Proofs, Undo
from kubelab.site import ROOT, Site

ADMIN = {
    "clusters": [{"name": "kind-kubelab", "cluster": {"server": "https://127.0.0.1:1"}}],
    "users": [{"name": "kind-kubelab", "user": {"client-key-data": "k"}}],
    "contexts": [
        {"name": "kind-kubelab", "context": {"cluster": "kind-kubelab", "user": "kind-kubelab"}}
    ],
}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setattr(Site, "state", property(lambda _: tmp_path / "state"))
    found = TinySite(root=COURSE)
    object.__setattr__(found, "folder", tmp_path / "work")
    found.state.mkdir()
    found.kubeconfig.write_text(yaml.safe_dump(ADMIN), encoding="utf-8")
    return found


@pytest.fixture
def cluster(site: Site, monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    fake = FakeCluster(site)
    fake.delete("Namespace", "lab-90")
    monkeypatch.setattr(learner, "connect", lambda _: fake)
    return fake


def test_a_start_makes_the_namespace_with_room_and_defaults(
    site: Site, cluster: FakeCluster
) -> None:
    assert learner.start(site, "90") is True
    namespace = cluster.get("Namespace", "lab-90")
    assert namespace is not None
    assert meta(namespace)["labels"] == {"kubelab.dev/lab": "90"}
    assert learner.started(cluster, "lab-90")
    for kind in ("ResourceQuota", "LimitRange"):
        assert cluster.get(kind, "lab", "lab-90") is not None


def test_a_start_of_a_started_lab_changes_nothing(site: Site, cluster: FakeCluster) -> None:
    learner.start(site, "90")
    before = dict(cluster.stored)
    assert learner.start(site, "90") is False
    assert cluster.stored == before


def test_an_interrupted_start_is_run_again(
    site: Site, cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(cluster, "patch", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            learner.start(site, "90")
    assert not learner.started(cluster, "lab-90")
    assert learner.start(site, "90") is True
    assert learner.started(cluster, "lab-90")


START = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: given
"""


@pytest.fixture
def given(site: Site, tmp_path: Path) -> Site:
    """A course whose lab has a start state and a load."""
    root = tmp_path / "course"
    shutil.copytree(COURSE, root, ignore=shutil.ignore_patterns("__pycache__"))
    folder = root / "labs" / "90-tiny"
    (folder / "start").mkdir()
    (folder / "start" / "given.yaml").write_text(START, encoding="utf-8")
    with (folder / "lab.yaml").open("a", encoding="utf-8") as out:
        out.write("load: [shop, api]\n")
    object.__setattr__(site, "root", root)
    return site


def test_the_uids_of_the_start_state_are_kept_outside_of_the_namespace(
    given: Site, cluster: FakeCluster
) -> None:
    learner.start(given, "90")
    assert learner.baseline(cluster, "lab-90") == {"ConfigMap/given": "uid-given"}
    assert cluster.get("ConfigMap", "start-lab-90", "kubelab-system") is not None
    assert learner.baseline(cluster, "lab-91") == {}


def test_a_start_fills_in_numbers_that_are_the_namespaces_own(
    given: Site, cluster: FakeCluster
) -> None:
    (given.root / "labs" / "90-tiny" / "start" / "numbers.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\n"
        'metadata: {name: numbers, labels: {kubelab.dev/numbers: "2"}}\n'
    )
    learner.start(given, "90")
    made = cluster.get("ConfigMap", "numbers", "lab-90") or {}
    assert list(made["data"]) == ["shard-0", "shard-1"]
    # The course's own: neither saved nor compared.
    assert not learner.is_own({"kind": "ConfigMap"} | made)


def test_the_namespace_names_the_services_that_the_recorder_asks(
    given: Site, cluster: FakeCluster
) -> None:
    learner.start(given, "90")
    annotations = meta(cluster.get("Namespace", "lab-90") or {})["annotations"]
    assert annotations["kubelab.dev/load"] == "shop,api"


def test_what_was_to_be_put_back_has_gone_with_its_namespace(
    site: Site, cluster: FakeCluster
) -> None:
    undo = Undo("Service", "odd", body={"metadata": {"name": "odd"}})
    Proofs(cluster, "lab-90").promise(undo)
    learner.start(site, "90")
    assert cluster.get("Service", "odd", "lab-90") is None
    assert Proofs(cluster, "lab-90").promised() == []


def test_a_start_forgets_what_was_known_of_a_namespace_of_this_name(
    site: Site, cluster: FakeCluster
) -> None:
    asked = []
    cluster.answer = lambda question: asked.append(question) or []
    for name in ("proofs-lab-90", "start-lab-90"):
        cluster.put("ConfigMap", {"metadata": {"name": name}, "data": {"x": "1"}}, SYSTEM)
    learner.start(site, "90")
    assert asked == [{"namespace": "lab-90"}]
    assert cluster.get("ConfigMap", "proofs-lab-90", SYSTEM) is None
    assert learner.baseline(cluster, "lab-90") == {}


def test_a_start_after_an_interrupted_reset_removes_what_was_left(
    site: Site, cluster: FakeCluster
) -> None:
    half = {"name": "lab-90", "annotations": {learner.RESETTING: "/work/90/saved.yaml"}}
    cluster.put("Namespace", {"metadata": half})
    cluster.put("Pod", pod(), "lab-90")
    assert learner.start(site, "90") is True
    assert cluster.get("Pod", "web", "lab-90") is None
    assert learner.started(cluster, "lab-90")


@pytest.mark.parametrize("lab", list(labs.every(ROOT)), ids=lambda lab: lab.slug)
def test_a_start_state_is_of_yaml_alone_that_names_no_namespace(lab: labs.Lab) -> None:
    for file in sorted(lab.start.iterdir()) if lab.start.is_dir() else ():
        assert file.suffix == ".yaml"
        for manifest in learner.documents(file):
            assert "namespace" not in manifest["metadata"]
            assert manifest["kind"] in KINDS


def test_a_half_deleted_namespace_is_told_with_what_holds_it(
    site: Site, cluster: FakeCluster
) -> None:
    held = "Some content in the namespace has finalizers remaining: example.com/x in 1 resource"
    conditions = [
        {"type": "NamespaceDeletionContentFailure", "status": "False", "message": "no"},
        {"type": "NamespaceFinalizersRemaining", "status": "True", "message": held},
    ]
    status = {"phase": "Terminating", "conditions": conditions}
    cluster.put("Namespace", {"metadata": {"name": "lab-90"}, "status": status})
    with pytest.raises(EnvironmentFault, match=r"is being deleted: .*example\.com/x") as told:
        learner.start(site, "90")
    assert "kubectl" in str(told.value.look)


def test_the_learners_kubeconfig_impersonates_and_names_the_namespace(
    site: Site, cluster: FakeCluster
) -> None:
    learner.start(site, "90")
    file = site.lab_kubeconfig("90")
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert config["current-context"] == "lab-90"
    (context,) = config["contexts"]
    assert context["context"]["namespace"] == "lab-90"
    (user,) = config["users"]
    assert user["user"] == {
        "client-key-data": "k",
        "as": "learner",
        "as-groups": ["system:masters", "kubelab:learners"],
    }
    assert file.stat().st_mode & 0o077 == 0
    assert site.current_kubeconfig.resolve() == file.resolve()


def test_another_namespace_leaves_the_kubeconfig_alone(site: Site, cluster: FakeCluster) -> None:
    assert learner.start(site, "90", namespace="ann-lab-90") is True
    assert not site.lab_kubeconfig("90").exists()


@pytest.fixture
def work(cluster: FakeCluster, site: Site, monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    """A started lab that holds a Pod of the learner's and things that are nobody's work."""
    learner.start(site, "90")
    cluster.put("Pod", pod(), "lab-90")
    cluster.put("ConfigMap", {"metadata": {"name": "kube-root-ca.crt"}}, "lab-90")
    owned = {"name": "web-1", "ownerReferences": [{"kind": "ReplicaSet", "controller": True}]}
    cluster.put("Pod", {"metadata": owned}, "lab-90")
    copy = {"name": "web-copy", "labels": {"kubelab.dev/copy-of": "web"}}
    cluster.put("Pod", {"metadata": copy}, "lab-90")
    kinds = [resource("Pod"), resource("ConfigMap"), resource("Event"), resource("PodList")]
    kinds += [resource("Node", namespaced=False), resource("LimitRange")]
    found = SimpleNamespace(resources=[kinds[:3], *kinds[3:]])
    monkeypatch.setattr(FakeCluster, "discovery", found)
    return cluster


def test_the_learners_objects_are_saved_and_nobody_elses(site: Site, work: FakeCluster) -> None:
    (file,) = learner.save(site)
    assert file.parent == site.work / "90"
    (saved,) = yaml.safe_load_all(file.read_text(encoding="utf-8"))
    assert list(saved)[:2] == ["apiVersion", "kind"]
    assert (saved["kind"], saved["metadata"]["name"]) == ("Pod", "web")
    assert "status" not in saved
    assert "nodeName" not in saved["spec"]


def test_unchanged_work_is_not_saved_a_second_time(site: Site, work: FakeCluster) -> None:
    first = learner.save(site)
    assert learner.save(site) == first
    assert len(list((site.work / "90").iterdir())) == 1


def test_an_empty_lab_leaves_no_file(site: Site, work: FakeCluster) -> None:
    work.delete("Pod", "web", "lab-90")
    assert learner.save(site) == []
    assert not site.work.exists()


def test_a_manifest_may_name_its_namespace_as_a_part_of_a_host(tmp_path: Path) -> None:
    file = tmp_path / "door.yaml"
    file.write_text("kind: Ingress\nspec: {rules: [{host: 'menu.{namespace}.localhost'}]}\n")
    (found,) = learner.documents(file, "ann-lab-05")
    assert found["spec"]["rules"][0]["host"] == "menu.ann-lab-05.localhost"
