"""What stands behind a Service, told from its slices and Pods."""

from __future__ import annotations

import time

import pytest
import shop
from shop import NAMESPACE

from kubelab import endpoints
from kubelab.ask import Answer
from kubelab.objects import Object, stamp
from kubelab.settled import service_motion

WEB = {"app": "web"}


def test_a_service_selects_a_pod_that_carries_all_of_its_labels() -> None:
    both = shop.service(selector={"app": "web", "track": "stable"})
    assert endpoints.selects(both, shop.pod("a", 1, {"app": "web", "track": "stable", "x": "y"}))
    assert not endpoints.selects(both, shop.pod("a", 1, WEB))


def test_a_service_without_a_selector_selects_nothing() -> None:
    assert not endpoints.selects(shop.service(selector={}), shop.pod("a", 1, {}))


def test_addresses_are_told_apart_by_readiness() -> None:
    slices = [shop.slice_of("web", {"10.0.0.1": "a"}, {"10.0.0.2": "b"})]
    assert endpoints.addresses(slices) == {"10.0.0.1": "a"}
    assert endpoints.addresses(slices, ready=False) == {"10.0.0.2": "b"}


def test_an_absent_condition_counts_as_ready() -> None:
    assert endpoints.addresses([{"endpoints": [{"addresses": ["10.0.0.1"]}]}]) == {"10.0.0.1": ""}


def test_a_slice_that_the_controller_did_not_write_is_found() -> None:
    slices = [shop.slice_of("web", {}), shop.slice_of("web", {}, by="kubectl")]
    assert endpoints.by_hand(slices) == slices[1:]


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ({}, "web-1-a"),
        ({"hostname": "shop"}, "shop"),
        ({"hostname": "shop", "hostnameOverride": "other"}, "other"),
        ({"hostname": "shop", "subdomain": "web"}, "shop"),
        ({"setHostnameAsFQDN": True}, "web-1-a"),
        (
            {"setHostnameAsFQDN": True, "subdomain": "web"},
            f"web-1-a.web.{NAMESPACE}.svc.cluster.local",
        ),
    ],
)
def test_a_pod_is_called_as_its_host_is(spec: Object, name: str) -> None:
    pod = shop.pod("web-1-a", 1, {})
    pod["metadata"]["namespace"] = NAMESPACE
    pod["spec"] |= spec
    assert endpoints.called(pod) == name
    pod["spec"]["containers"][0]["env"] = [{"name": "POD_NAME", "value": "given"}]
    assert endpoints.called(pod) == "given"


@pytest.mark.parametrize("spec", [{}, {"hostname": "shop"}])
def test_a_pod_in_its_nodes_network_is_called_as_the_node_is(spec: Object) -> None:
    pod = shop.pod("web-1-a", 1, {})
    pod["spec"] |= {"hostNetwork": True, **spec}
    assert endpoints.called(pod) == spec.get("hostname", "web-1-a")
    pod["spec"]["nodeName"] = "shop-worker"
    assert endpoints.called(pod) == "shop-worker"
    pod["spec"]["containers"][0]["env"] = [{"name": "POD_NAME", "value": "given"}]
    assert endpoints.called(pod) == "given"


@pytest.mark.parametrize("headers", [{"x-web-pod": "??-1"}, {}])
def test_a_name_that_fits_into_no_header_is_the_same_in_every_place(headers: Object) -> None:
    """The image's header has question marks, its page the signs themselves."""
    pod = shop.pod("web-1-a", 1, {})
    pod["spec"]["containers"][0]["env"] = [{"name": "POD_NAME", "value": "商店-1"}]
    answer = Answer(status=200, body='{"pod": "商店-1"}', headers=headers)
    assert endpoints.called(pod) == answer.pod == "??-1"


def test_another_services_slices_are_left_out() -> None:
    slices = [shop.slice_of("web", {}), shop.slice_of("api", {})]
    assert endpoints.slices_of("web", slices) == slices[:1]


def test_a_udp_port_of_the_same_number_is_another_port() -> None:
    ports = [{"port": 80, "protocol": "UDP"}]
    assert endpoints.port_of(shop.service(ports=ports), 80) is None
    assert endpoints.port_of(shop.service(), 80) is not None


def objects(*bodies: endpoints.Object) -> list[tuple[str, endpoints.Object]]:
    return [(str(one["kind"]), one) for one in bodies]


def test_a_service_rests_when_its_slices_hold_its_ready_pods() -> None:
    one = shop.pod("a", 1, WEB)
    seen = objects(one, shop.slice_of("web", {"10.0.0.1": "a"}))
    assert service_motion(shop.service(), seen, time.time()).settled


def test_a_service_moves_while_a_fresh_pod_is_not_listed_yet() -> None:
    one = shop.pod("a", 1, WEB)
    one["metadata"]["creationTimestamp"] = stamp(time.time() - 5)
    assert not service_motion(shop.service(), objects(one), time.time()).settled


def test_a_pod_that_is_never_listed_does_not_keep_a_service_moving() -> None:
    assert service_motion(shop.service(), objects(shop.pod("a", 1, WEB)), time.time()).settled


def test_a_service_moves_while_a_pod_that_has_gone_is_listed() -> None:
    seen = objects(shop.slice_of("web", {"10.0.0.1": "a"}))
    assert not service_motion(shop.service(), seen, time.time()).settled


def test_a_slice_by_hand_does_not_keep_a_service_moving() -> None:
    seen = objects(shop.slice_of("web", {"10.0.0.1": "a"}, by="kubectl"))
    assert service_motion(shop.service(), seen, time.time()).settled
