"""The picture of a namespace: where the names of Services lead, and why some lead nowhere."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any

from fakes import FakeCluster

from kubelab.pictures import drawing
from kubelab.pictures import topology as picture
from kubelab.site import Site

SPACE = "{http://www.w3.org/2000/svg}"


def pod(
    name: str, labels: dict[str, str], ready: bool = True, node: str = "node"
) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "uid": f"u-{name}", "labels": labels},
        "spec": {"nodeName": node, "containers": [{"name": "web", "image": "kubelab/web:1.0"}]},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": str(ready)}],
        },
    }


def service(name: str, selector: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    ports = [{"port": 80, "targetPort": "http"}]
    return {
        "metadata": {"name": name},
        "spec": {"clusterIP": "10.96.0.7", "ports": ports, "selector": selector} | spec,
    }


def endpoints(name: str, *pods: str, unready: tuple[str, ...] = ()) -> dict[str, Any]:
    def one(number: int, pod: str, ready: bool) -> dict[str, Any]:
        return {
            "addresses": [f"10.244.{int(ready)}.{number}"],
            "conditions": {"ready": ready},
            "targetRef": {"kind": "Pod", "name": pod} if pod else None,
        }

    several = [one(n, pod, True) for n, pod in enumerate(pods)]
    several += [one(n, pod, False) for n, pod in enumerate(unready)]
    labels = {"kubernetes.io/service-name": name}
    return {"metadata": {"name": f"{name}-x", "labels": labels}, "endpoints": several}


SEEN = picture.topology(
    "lab-03",
    [
        service("web", {"app": "web"}),
        service("api", {"app": "api-v1"}),
        service("slow", {"app": "slow"}),
    ],
    [
        endpoints("web", "web-1", "web-2", unready=("web-3",)),
        endpoints("slow", unready=("slow-1",)),
    ],
    [
        pod("web-1", {"app": "web"}),
        pod("web-2", {"app": "web"}, node="node2"),
        pod("web-3", {"app": "web"}, ready=False),
        pod("slow-1", {"app": "slow"}, ready=False),
        pod("lonely", {"app": "api"}),
    ],
)


def test_the_text_tells_where_each_service_leads_and_why_not() -> None:
    assert (
        picture.told(SEEN)
        == """\
Namespace lab-03

Service api  10.96.0.7, port 80 to http
  selects app=api-v1
  addresses: 0 ready, 0 not ready
  leads nowhere: no Pod has the labels app=api-v1

Service slow  10.96.0.7, port 80 to http
  selects app=slow
  addresses: 0 ready, 1 not ready
  leads nowhere: it selects 1 Pod, and none is ready
  no way to slow-1: web:1.0, not ready, on node

Service web  10.96.0.7, port 80 to http
  selects app=web
  addresses: 2 ready, 1 not ready
  -> web-1: web:1.0, ready, on node
  -> web-2: web:1.0, ready, on node2
  no way to web-3: web:1.0, not ready, on node

Selected by no Service
  lonely: web:1.0, ready, on node"""
    )


def test_the_picture_draws_a_way_to_each_ready_pod_and_to_no_other() -> None:
    root = ElementTree.fromstring(picture.svg(SEEN))
    assert root.findtext(f"{SPACE}desc") == picture.told(SEEN)
    links = [one.text for one in root.findall(f".//{SPACE}path[@class='link']/{SPACE}title")]
    assert links == ["web leads to web-1", "web leads to web-2"]
    hatched = [
        group.findtext(f"{SPACE}title", "").split(":")[0]
        for group in root.iter(f"{SPACE}g")
        if any("hatch" in rect.get("fill", "") for rect in group)
    ]
    assert hatched == ["slow-1", "web-3"]
    words = " ".join(one.text or "" for one in root.iter(f"{SPACE}text"))
    for text in (
        "no Pod has the labels app=api-v1",
        "selected by no Service",
        "node2",
        "1 not ready",
    ):
        assert text in words
    assert len(root.findall(f".//{SPACE}rect[@class='empty']")) == 2


def test_nothing_lies_outside_the_picture_whatever_the_names() -> None:
    long = "a-name-of-a-service-that-is-far-longer-than-the-box-it-stands-in"
    seen = picture.topology(
        "lab-03",
        [service(long, {"app.kubernetes.io/name": long})],
        [endpoints(long, long)],
        [pod(long, {"app.kubernetes.io/name": long}, node=long)],
    )
    root = ElementTree.fromstring(picture.svg(seen))
    for text in root.iter(f"{SPACE}text"):
        assert float(text.get("x", "")) + len(text.text or "") * 5.6 <= drawing.WIDTH, text.text
    assert long in picture.told(seen)


def test_many_pods_are_grouped_and_still_counted() -> None:
    pods = [pod(f"web-6c9-{n:03}", {"app": "web"}, ready=n % 3 > 0) for n in range(60)]
    ready = [one["metadata"]["name"] for n, one in enumerate(pods) if n % 3]
    unready = tuple(one["metadata"]["name"] for n, one in enumerate(pods) if n % 3 == 0)
    seen = picture.topology(
        "lab-03",
        [service("web", {"app": "web"})],
        [endpoints("web", *ready, unready=unready)],
        pods,
    )
    assert sorted((row.number, row.ready) for row in seen.pods) == [(20, False), (40, True)]
    assert "-> web-6c9-… (40 Pods): web:1.0, ready, on node" in picture.told(seen)
    assert "no way to web-6c9-… (20 Pods)" in picture.told(seen)
    ElementTree.fromstring(picture.svg(seen))


def test_services_of_other_kinds_say_what_they_are() -> None:
    seen = picture.topology(
        "lab-03",
        [
            service("dns", {"app": "web"}, clusterIP="None"),
            service("hand"),
            service("node", {"app": "web"}, type="NodePort"),
            service("out", type="ExternalName", externalName="example.com", clusterIP=None),
        ],
        [endpoints("hand", "")],
        [pod("web-1", {"app": "web"})],
    )
    told = picture.told(seen)
    assert "Service dns  headless, no address of its own" in told
    assert "it selects 1 Pod, and none has an address yet" in told
    assert "1 of them belong to no Pod" in told
    assert "Service node  NodePort 10.96.0.7" in told
    assert "another name for example.com" in told
    assert "leads nowhere: it is another name for a host outside" in told
    ElementTree.fromstring(picture.svg(seen))


def test_an_empty_namespace_is_said_to_be_empty() -> None:
    seen = picture.topology("lab-03", [], [], [])
    assert picture.told(seen) == "Namespace lab-03: no Service and no Pod is there"
    ElementTree.fromstring(picture.svg(seen))


def test_a_pod_on_its_way_out_and_one_without_a_node_are_drawn() -> None:
    ending, waiting = pod("ending", {"app": "web"}), pod("waiting", {"app": "web"}, ready=False)
    ending["metadata"]["deletionTimestamp"] = "2026-11-01T10:00:00Z"
    waiting["status"] = {"phase": "Pending"}
    del waiting["spec"]["nodeName"]
    seen = picture.topology("lab-03", [service("web", {"app": "web"})], [], [ending, waiting])
    assert "no way to ending: web:1.0, ending, on node" in picture.told(seen)
    assert "no way to waiting: web:1.0, Pending\n" in picture.told(seen) + "\n"
    ElementTree.fromstring(picture.svg(seen))


def test_the_courses_own_pods_are_left_out(tmp_path: Any) -> None:
    cluster = FakeCluster(Site(root=tmp_path), namespace="lab-03")
    cluster.put("Pod", pod("web", {"app": "web"}), "lab-03")
    cluster.put("Pod", pod("copy", {"kubelab.dev/copy-of": "web"}), "lab-03")
    assert [row.name for row in picture.read(cluster, "lab-03").pods] == ["web"]
