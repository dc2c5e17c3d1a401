"""The picture of the ways in: hosts and paths as a tree, each leaf with its answer."""

from __future__ import annotations

import time
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest
import shop
from fakes import COURSE, FakeCluster
from shop import NAMESPACE
from test_routing import ingress, path
from test_views_ingress import HOST, Door, by, ref, route

from kubelab import labs, notebook_facts_routes
from kubelab.notebook_facts import Asked
from kubelab.objects import Object, stamp
from kubelab.pictures import doors
from kubelab.site import Site


def a_door() -> Door:
    found = Door()
    found.paths = {"/": answers("web-1-a", "web"), "/api": {"status": 503, "body": "no healthy"}}
    found.hosts = {HOST, f"gw.{NAMESPACE}.localhost"}
    return found


def answers(pod: str, name: str) -> Object:
    found = by(pod)
    found["turns"][0]["headers"] |= {"x-web-name": name, "x-web-version": "1.0"}
    return found


def a_cluster(door: Door) -> FakeCluster:
    found = FakeCluster(Site())
    for name in ("web", "api"):
        shop.deployment(found, name, 1, {"app": name})
        found.put("Service", shop.service(name, {"app": name}), NAMESPACE)
    marker = {"metadata": {"name": "kubelab"}, "data": {"httpPort": "8088", "httpsPort": "8443"}}
    found.put("ConfigMap", marker, "kubelab-system")
    found.answer = door
    return found


def everything(cluster: FakeCluster) -> doors.Doors:
    tls = [{"hosts": [HOST], "secretName": "shop-tls"}]
    paths = (path("/api", "Exact", "api"), path("/", "Prefix", "web"))
    cluster.put("Ingress", ingress(*paths, host=HOST, tls=tls), NAMESPACE)
    menu = ingress(path("/", "Prefix", "menu"), host="menu.localhost", name="menu")
    menu["spec"]["ingressClassName"] = "nginx"
    cluster.put("Ingress", menu, NAMESPACE)
    both = route(ref("web", 3), ref("api"), host=f"gw.{NAMESPACE}.localhost", ResolvedRefs="False")
    cluster.put("HTTPRoute", both, NAMESPACE)
    found = doors.read(cluster, NAMESPACE)  # type: ignore[arg-type]
    assert found is not None
    return found


@pytest.fixture
def door() -> Door:
    return a_door()


@pytest.fixture
def cluster(door: Door) -> FakeCluster:
    return a_cluster(door)


SEEN = everything(a_cluster(a_door()))

TOLD = f"""\
Ways into {NAMESPACE}, through 127.0.0.1:8088 and 127.0.0.1:8443
├─ menu.localhost  (Ingress menu)
│  class nginx: no controller here takes it
│  └─ / Prefix -> menu:80: 404, nobody takes it
├─ {HOST}  (Ingress shop)
│  TLS by Secret shop-tls
│  ├─ /api Exact -> api:80: 503 no healthy
│  └─ / Prefix -> web:80: 200 by web 1.0
├─ gw.{NAMESPACE}.localhost  (HTTPRoute shop)
│  ResolvedRefs False: ResolvedRefs
│  ├─ / Prefix, weight 3 -> web:80: 100 of 100 by web 1.0
│  └─ / Prefix, weight 1 -> api:80: 0 of 100
└─ any other host: 404, nobody takes it"""


def test_the_text_has_a_leaf_a_path_with_the_answer_it_gave(cluster: FakeCluster) -> None:
    assert doors.told(everything(cluster)) == TOLD


def test_the_picture_is_well_formed_and_carries_the_text(cluster: FakeCluster) -> None:
    seen = everything(cluster)
    root = ElementTree.fromstring(doors.svg(seen))
    assert root.attrib["width"] == "720"
    assert root.findtext("{http://www.w3.org/2000/svg}desc") == doors.told(seen)
    words = " ".join(root.itertext())
    for one in ("503 no healthy", "200 by web 1.0", "any other host", "TLS by Secret shop-tls"):
        assert one in words


def test_nothing_leaves_the_picture(cluster: FakeCluster) -> None:
    root = ElementTree.fromstring(doors.svg(everything(cluster)))
    height = float(root.attrib["height"])
    for one in root.iter("{http://www.w3.org/2000/svg}rect"):
        if "x" in one.attrib:
            assert float(one.attrib["x"]) + float(one.attrib["width"]) <= 720
            assert float(one.attrib["y"]) + float(one.attrib["height"]) <= height


def test_without_any_rule_there_is_nothing_to_draw(cluster: FakeCluster) -> None:
    assert doors.read(cluster, NAMESPACE) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("host", "asked"),
    [
        ("*.lab-90.localhost", "any.lab-90.localhost"),
        ("", "any.lab-90.localhost"),
        ("shop.lab-90.localhost", "shop.lab-90.localhost"),
    ],
)
def test_a_rule_for_several_hosts_is_asked_at_one_of_them(host: str, asked: str) -> None:
    assert doors.asked_host(host, "lab-90") == asked


# The facts of predictions


def facts(cluster: FakeCluster, kind: str, body: Object | None, **more: Any) -> Any:
    every = ("served", "address", "status", "answered_by", "accepted", "requests", "percent_last")
    lab = labs.find(COURSE, "90")
    asked = Asked(cluster, lab, "shop", frozenset(every), **more)  # type: ignore[arg-type]
    return getattr(notebook_facts_routes, kind)(asked, body)


def test_the_facts_of_an_ingress_are_asked_at_its_path(cluster: FakeCluster) -> None:
    body = ingress(path("/api", "Exact", "api"), host=HOST)
    assert facts(cluster, "ingress", body, path="/") == {
        "served": True,
        "address": False,
        "status": 200,
        "answered_by": "web",
    }
    assert facts(cluster, "ingress", body, path="/api")["status"] == 503
    assert facts(cluster, "ingress", None) is None


def test_a_class_that_was_changed_just_now_tells_nothing_while_the_page_still_answers(
    cluster: FakeCluster,
) -> None:
    body = ingress(path("/", "Prefix", "web"), host=HOST, ingressClassName="nginx")
    body["metadata"]["creationTimestamp"] = stamp(time.time() - 5.0)
    assert facts(cluster, "ingress", body)["status"] is None
    body["metadata"]["creationTimestamp"] = stamp(time.time() - 60.0)
    assert facts(cluster, "ingress", body)["status"] == 200


def test_the_facts_of_a_route_are_the_shares_of_its_backends(
    cluster: FakeCluster, door: Door
) -> None:
    door.paths["/"] = by("web-1-a", "api-1-a", "web-1-a", "web-1-a", "web-1-a")
    body = route(ref("web"), ref("api"))
    found = facts(cluster, "route", body)
    assert found == {"accepted": True, "requests": 500, "percent_last": 20}
    door.paths["/"] = {"status": 503}
    assert facts(cluster, "route", body)["percent_last"] == 0
    assert facts(cluster, "route", None) is None
