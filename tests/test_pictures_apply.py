"""One apply as a picture: who did what, with the milliseconds of the record."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

from test_pauses import entry, pod

from kubelab.history import Audit, Entry, Owner
from kubelab.pictures import apply as picture

CONTROLLERS = "system:serviceaccount:kube-system:"
REPLICA_SET = "hello-5d9c7b6f4d"
POD = f"{REPLICA_SET}-x7k2p"
NODE = "kubelab-worker2"


def request(
    at: float, user: str, resource: str, name: str, sub: str = "", code: int = 201
) -> Entry:
    verb = "create" if code == 201 else "patch"
    return entry(
        100.0 + at, verb=verb, user=user, resource=resource, name=name, subresource=sub, code=code
    )


ENTRIES = (
    request(-9.0, "kubernetes-admin", "deployments", "other"),
    request(0.0, "kubernetes-admin", "deployments", "hello"),
    request(0.02, f"{CONTROLLERS}deployment-controller", "replicasets", REPLICA_SET),
    request(0.04, f"{CONTROLLERS}replicaset-controller", "pods", ""),
    request(0.05, "system:kube-scheduler", "pods", POD, "binding"),
    request(0.2, f"system:node:{NODE}", "pods", POD, "status", 200),
    request(1.5, f"system:node:{NODE}", "pods", POD, "status", 200),
    request(1.6, f"{CONTROLLERS}deployment-controller", "deployments", "hello", "status", 200),
)


def sequence(ready: bool = True) -> picture.Sequenced:
    one = replace(
        pod(100.0, 101.51 if ready else None),
        name=POD,
        node=NODE,
        deployment=Owner("Deployment", "hello", "uid"),
    )
    return picture.sequence("hello", Audit(ENTRIES, 0.0), [one])


SEEN = sequence()


def test_every_component_stands_in_its_column_in_the_order_of_the_record() -> None:
    steps = sequence().steps
    assert [one.who for one in steps] == [
        "you", "kube-controller-manager", "kube-controller-manager", "kube-scheduler", "kubelet",
        "kubelet", "kube-apiserver", "kube-controller-manager",
    ]  # fmt: skip
    assert [round(one.at) for one in steps][:5] == [0, 20, 40, 50, 200]
    assert steps[1].user == "deployment-controller"
    assert steps[3].words == f"bind {POD} to {NODE}"


def test_the_text_carries_what_the_picture_shows() -> None:
    seen = sequence()
    svg = picture.svg(seen)
    ET.fromstring(svg)
    for step in seen.steps:
        assert step.words in picture.told(seen)
        assert step.words.split()[0] in svg
    assert f"create ReplicaSet {REPLICA_SET} (deployment-controller)" in svg
    assert "(+20)" in picture.told(seen)
    assert picture.told(seen).endswith("the Pod is ready")


def test_a_pod_that_is_not_ready_leaves_it_open() -> None:
    seen = sequence(ready=False)
    assert not seen.over
    assert "not ready yet" in picture.told(seen)


def test_without_a_record_it_says_so() -> None:
    seen = picture.sequence("hello", Audit((), None), [])
    assert "is on record" in picture.told(seen)
    ET.fromstring(picture.svg(seen))
