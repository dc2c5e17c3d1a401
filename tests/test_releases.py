"""An update and a bad release as a check reads them, from a recorder's answers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from fakes import Clock, FakeCluster

from kubelab import draining, history, labs
from kubelab.checking import LabView
from kubelab.objects import Object
from kubelab.proofs import Proof
from kubelab.site import ROOT, Site
from kubelab.snapshot import Snapshot
from kubelab.verdict import Judgement, Verdict, judge
from kubelab.views import releases

LAB = labs.find(ROOT, "04")
NAMESPACE = "lab-90"
NAME = "nginx-deployment"


class Recorded(FakeCluster):
    """A cluster whose recorder answers what a test puts in; times are seconds before now."""

    changes: tuple[tuple[float, str], ...] = ()
    pods: tuple[tuple[str, str, float, float | None, float | None], ...] = ()
    versions: tuple[tuple[float, float, str | None], ...] = ()

    # How often the recorder still says that a Pod is there which has gone.
    late = 0

    def objects(self, kind: str, namespace: str | None = None, **selectors: Any) -> list[Object]:
        """The Pods are those of the record that have not gone."""
        if kind != "Pod":
            return super().objects(kind, namespace, **selectors)
        names = (name for name, *_, gone in self.pods if gone is None)
        return [{"metadata": {"name": name, "uid": name}} for name in names]

    def proxied(self, service: str, path: str, body: Any = None, *, timeout: float = 0) -> Any:
        now = time.time()
        owner = {"kind": "Deployment", "name": NAME, "uid": f"uid-{NAME}"}
        if path == "deployments":
            changes = [
                {
                    "at": now - ago,
                    "generation": 1,
                    "images": {"web": f"kubelab/web:{version}"},
                    "version": version,
                    "replicas": 4,
                    "paused": False,
                    "template": version,
                }
                for ago, version in self.changes
            ]
            one = {"uid": f"uid-{NAME}", "name": NAME, "created": now - 100, "gone": None}
            return {"deployments": [{**one, "changes": changes, "progress": []}]}
        if path == "pods":
            self.late -= 1
            return {
                "pods": [
                    {
                        "uid": name,
                        "name": name,
                        "created": now - made,
                        "node": None,
                        "ip": None,
                        "restarts": 0,
                        "version": version,
                        "deployment": owner,
                        "deleting": None if gone is None else now - gone - 5,
                        "gone": None if gone is None or self.late >= 0 else now - gone,
                        "labels": [],
                        "owners": [],
                        "images": [],
                        "ready": [] if ready is None else [[now - ready, True]],
                    }
                    for name, version, made, ready, gone in self.pods
                ]
            }
        lines = []
        for begin, end, version in self.versions:
            for step in range(round((begin - end) * 4)):
                at = now - begin + step / 4
                status, reason = (200, None) if version else (None, "refused")
                lines.append([at, at, 1, 0.01, status, version, None, reason, reason])
        return {"since": now - 100, "lines": lines}


@pytest.fixture
def cluster() -> Recorded:
    found = Recorded(Site())
    box = {"name": "web", "image": "kubelab/web:2.0"}
    body: Object = {
        "kind": "Deployment",
        "metadata": {"name": NAME, "generation": 1},
        "spec": {"replicas": 4, "template": {"spec": {"containers": [box]}}},
        "status": {
            "observedGeneration": 1,
            "replicas": 4,
            "updatedReplicas": 4,
            "availableReplicas": 4,
        },
    }
    found.put("Deployment", body, NAMESPACE)
    return found


@pytest.fixture
def view(cluster: Recorded) -> Iterator[LabView]:
    snapshot = Snapshot(cluster, NAMESPACE)
    yield LabView(cluster, LAB, LAB.task("04.3"), snapshot)
    snapshot.close()


def undone(view: LabView) -> Judgement:
    names = view.names

    def check() -> None:
        deployment = view.deployment(names.deployment, image=names.repository)
        release = deployment.bad_release(names.service, names.bad)
        assert release.seen
        assert not release.gets_ready
        assert release.lost == 0
        assert deployment.serves(names.second)

    return judge(check, view, 0.2)


def tried(cluster: Recorded, *, ready: float | None = None) -> None:
    cluster.changes = ((90.0, "2.0"), (60.0, "3.0"), (40.0, "2.0"))
    cluster.pods = (("good", "2.0", 90.0, 85.0, None), ("bad", "3.0", 59.0, ready, 30.0))
    cluster.versions = ((85.0, 0.0, "2.0"),)


def test_a_bad_release_that_was_undone_passes_and_stays_proved(
    cluster: Recorded, view: LabView
) -> None:
    tried(cluster)
    assert undone(view).verdict == Verdict.PASS
    cluster.changes = cluster.pods = ()
    assert undone(view).verdict == Verdict.PASS, "the record is bounded, the proof is not"


def test_the_record_of_a_pod_that_has_gone_is_waited_for(
    cluster: Recorded, view: LabView, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else an update would be over in the cluster, and never come to its end on record."""
    monkeypatch.setattr(history, "STEP", 0.0)
    cluster.changes = ((90.0, "1.0"), (60.0, "2.0"))
    cluster.pods = (("old", "1.0", 89.0, 88.0, 40.0), ("new", "2.0", 59.0, 55.0, None))
    cluster.versions = ((85.0, 50.0, "1.0"), (50.0, 0.0, "2.0"))
    cluster.late = 3
    names = view.names
    deployment = view.deployment(names.deployment, image=names.repository)
    assert deployment.update(names.service, names.first, names.second).ended
    assert cluster.late < 0


def test_a_recorder_that_takes_its_time_is_no_silence_of_the_load(
    cluster: Recorded, view: LabView, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bad release's Pod still ends: the load is heard of up to now."""
    clock = Clock()
    for module in (history, releases):
        monkeypatch.setattr(module, "time", clock)
    # The record stands still; what the load asks goes on.
    began, proxied = clock.now, cluster.proxied

    def slowly(service: str, path: str, body: Any = None, *, timeout: float = 0) -> Any:
        found = proxied(service, path, body, timeout=timeout)
        if path in ("pods", "deployments"):
            clock.sleep(4.0)
        elif "lines" in found:
            asked = [began - 60 + step / 4 for step in range(round(clock.now - began + 60) * 4)]
            found["lines"] = [[at, at, 1, 0.01, 200, "2.0", None, None, None] for at in asked]
        return found

    monkeypatch.setattr(cluster, "proxied", slowly)
    tried(cluster)
    cluster.pods = (("good", "2.0", 90.0, 85.0, None), ("bad", "3.0", 59.0, None, None))
    names = view.names
    deployment = view.deployment(names.deployment, image=names.repository)
    seen = deployment.bad_release(names.service, names.bad).seen
    assert seen.value, seen.fact.words(seen.value)


def test_a_bad_release_that_got_ready_is_refused(cluster: Recorded, view: LabView) -> None:
    tried(cluster, ready=55.0)
    found = undone(view)
    assert (found.verdict, found.reason) == (Verdict.FAIL, "bad-release-ready"), found.message


def test_a_lost_request_is_refused(cluster: Recorded, view: LabView) -> None:
    tried(cluster)
    cluster.versions = (*cluster.versions, (50.0, 49.0, None))
    found = undone(view)
    assert (found.verdict, found.reason) == (Verdict.FAIL, "requests-lost")
    assert found.rows[-1].found.startswith("4 of ")


def test_what_is_not_on_record_is_told_with_the_command_that_repeats_it(
    cluster: Recorded, view: LabView
) -> None:
    cluster.changes = ((90.0, "2.0"),)
    found = undone(view)
    assert (found.verdict, found.reason) == (Verdict.FAIL, "not-seen")
    command = f"kubectl -n {NAMESPACE} set image deployment/{NAME} '*=kubelab/web:3.0'"
    assert found.rows[-1].fact.look == command


def test_another_deployment_of_the_name_begins_anew(cluster: Recorded, view: LabView) -> None:
    tried(cluster)
    assert undone(view).verdict == Verdict.PASS
    body = cluster.stored["Deployment", NAMESPACE, NAME]
    body["metadata"]["uid"] = "uid-2"
    cluster.put("Deployment", body, NAMESPACE)
    view.snapshot._stores.clear()
    assert undone(view).reason == "not-seen"


@pytest.mark.parametrize("version", ["1.0", "3.0"])
def test_another_version_does_not_serve(cluster: Recorded, view: LabView, version: str) -> None:
    tried(cluster)
    body = cluster.stored["Deployment", NAMESPACE, NAME]
    body["spec"]["template"]["spec"]["containers"][0]["image"] = f"kubelab/web:{version}"
    found = undone(view)
    assert found.reason == "wrong-version"
    assert found.rows[-1].wanted == "image web:2.0, 4/4 updated, 4 available"
    assert found.rows[-1].found == f"image web:{version}, 4/4 updated, 4 available"


def test_the_page_has_to_drain_and_no_helper_of_its_image(
    cluster: Recorded, view: LabView, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The template of the new version is that in which the page runs it."""
    tried: list[draining.Trial] = []

    def drains(_: Any, __: str, trial: draining.Trial, key: str) -> Proof:
        tried.append(trial)
        return trial.proof(key)

    monkeypatch.setattr(draining, "drains", drains)
    helper = {"name": "numbers", "ports": [{"containerPort": 9100}]}
    page = {"name": "web", "ports": [{"containerPort": 8080}], "readinessProbe": {"exec": {}}}

    def template(numbers: str, web: str) -> Object:
        images = (f"kubelab/web:{numbers}", f"kubelab/web:{web}")
        boxes = [one | {"image": image} for one, image in zip((helper, page), images, strict=True)]
        return {"spec": {"containers": boxes}}

    body = cluster.stored["Deployment", NAMESPACE, NAME]
    body["spec"]["template"] = template("2.0", "3.0")
    owner = {"kind": "Deployment", "name": NAME, "uid": body["metadata"]["uid"]}
    old: Object = {
        "kind": "ReplicaSet",
        "metadata": {"name": "old", "ownerReferences": [owner]},
        "spec": {"template": template("1.0", "2.0")},
    }
    cluster.put("ReplicaSet", old, NAMESPACE)
    deployment = view.deployment(NAME, image="kubelab/web")
    update = deployment.update("nginx", "kubelab/web:1.0", "kubelab/web:2.0")
    assert update.drains
    (one,) = tried
    assert (one.container, one.port, one.gated) == ("web", 8080, True)
    assert one.pod["spec"] == template("1.0", "2.0")["spec"]
