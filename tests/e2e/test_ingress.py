"""Ingress and Gateway API on the one Envoy, asked through the host ports."""

from __future__ import annotations

import json
import ssl
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asking import Answer, Ports, ports, until

MANIFESTS = Path(__file__).parent / "ingress"
NAMESPACE = "lab-90"
SHOP, SPLIT = "shop.lab-90.localhost", "gw.lab-90.localhost"
REQUESTS = 400
# Five standard deviations around a quarter of the requests: one failure in two million runs.
SHARE = range(REQUESTS // 4 - 44, REQUESTS // 4 + 44)


@pytest.fixture(scope="module")
def envoy(kind_cluster: Any) -> Ports:
    return ports(kind_cluster)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for the shop's name: tls.key and tls.crt in a folder."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "2",
         "-subj", "/CN=shop", "-addext", f"subjectAltName=DNS:{SHOP}",
         "-keyout", str(folder / "tls.key"), "-out", str(folder / "tls.crt")],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def routed(kind_cluster: Any, envoy: Ports, certificate: Path) -> Iterator[Ports]:
    """The ports, once the shop is served over HTTPS and the split over HTTP."""
    kubectl = kind_cluster.kubectl
    kubectl("apply", "-f", str(MANIFESTS / "backends.yaml"))
    try:
        files = [f"--key={certificate / 'tls.key'}", f"--cert={certificate / 'tls.crt'}"]
        kubectl("-n", NAMESPACE, "create", "secret", "tls", "shop-tls", *files)
        kubectl("apply", "-f", str(MANIFESTS / "routes.yaml"))
        kubectl("-n", NAMESPACE, "rollout", "status", "deployment/web", "--timeout=60s")
        kubectl("-n", NAMESPACE, "rollout", "status", "deployment/api", "--timeout=60s")
        until(lambda: envoy.get(SPLIT).status, lambda status: status == 200)
        until(lambda: envoy.get_tls(SHOP, "/api").status, lambda status: status == 200)
        yield envoy
    finally:
        kubectl("delete", "namespace", NAMESPACE, f"{NAMESPACE}-outside", "--ignore-not-found")


def name(answer: Answer) -> str:
    """Which of the two Services answered."""
    return str(json.loads(answer.body)["name"])


def conditions(kind_cluster: Any, namespace: str, route: str) -> dict[str, tuple[str, str]]:
    """The conditions of a route's one parent, once Contour has written them."""

    def look() -> dict[str, tuple[str, str]]:
        found = json.loads(
            kind_cluster.kubectl("-n", namespace, "get", "httproute", route, "-o", "json")
        )
        parents = found.get("status", {}).get("parents", [])
        return {
            condition["type"]: (condition["status"], condition["reason"])
            for parent in parents
            for condition in parent["conditions"]
        }

    return until(look, bool)


def test_a_name_that_nobody_claims_is_404_on_both_ports(envoy: Ports) -> None:
    assert envoy.get("nobody.localhost").status == 404
    assert envoy.get_tls("nobody.localhost").status == 404


def test_the_courses_own_path_reaches_the_prober_on_both_ports(envoy: Ports) -> None:
    assert envoy.get("localhost", "/.kubelab/healthz").status == 200
    assert envoy.get_tls("localhost", "/.kubelab/healthz").status == 200


@pytest.mark.parametrize(
    ("path", "service"),
    [("/", "web"), ("/menu", "web"), ("/apix", "web"), ("/api", "api"), ("/api/v1", "api")],
)
def test_an_ingress_sends_each_path_to_its_service(routed: Ports, path: str, service: str) -> None:
    assert name(routed.get(SHOP, path)) == service
    assert name(routed.get_tls(SHOP, path)) == service


def test_an_ingress_shows_the_certificate_of_its_own_secret(
    routed: Ports, certificate: Path
) -> None:
    wanted = ssl.PEM_cert_to_DER_cert((certificate / "tls.crt").read_text(encoding="ascii"))
    assert routed.get_tls(SHOP).certificate == wanted


def test_every_other_name_is_shown_the_courses_certificate(
    routed: Ports, certificate: Path
) -> None:
    shop = ssl.PEM_cert_to_DER_cert((certificate / "tls.crt").read_text(encoding="ascii"))
    shown = {routed.get_tls(host).certificate for host in (SPLIT, "nobody.localhost")}
    assert len(shown) == 1
    assert shop not in shown


def test_the_status_of_an_ingress_is_the_address_on_loopback(
    kind_cluster: Any, routed: Ports
) -> None:
    found = json.loads(
        kind_cluster.kubectl("-n", NAMESPACE, "get", "ingress", "shop", "-o", "json")
    )
    assert found["spec"]["ingressClassName"] == "contour"
    assert found["status"]["loadBalancer"]["ingress"] == [{"ip": "127.0.0.1"}]


def test_an_httproute_splits_requests_three_to_one(routed: Ports) -> None:
    answered = Counter(name(routed.get(SPLIT)) for _ in range(REQUESTS))
    assert set(answered) == {"web", "api"}
    assert answered["api"] in SHARE


def test_an_httproute_answers_over_https_too(routed: Ports) -> None:
    assert routed.get_tls(SPLIT).status == 200


def test_the_route_of_a_lab_is_accepted(kind_cluster: Any, routed: Ports) -> None:
    assert conditions(kind_cluster, NAMESPACE, "split") == {
        "Accepted": ("True", "Accepted"),
        "ResolvedRefs": ("True", "ResolvedRefs"),
    }


def test_the_route_of_another_namespace_is_refused(kind_cluster: Any, routed: Ports) -> None:
    found = conditions(kind_cluster, f"{NAMESPACE}-outside", "outside")
    assert found["Accepted"] == ("False", "NotAllowedByListeners")
    assert routed.get("outside.lab-90.localhost").status == 404


def test_a_route_for_a_name_outside_localhost_is_refused(kind_cluster: Any, routed: Ports) -> None:
    found = conditions(kind_cluster, NAMESPACE, "elsewhere")
    assert found["Accepted"] == ("False", "NoMatchingListenerHostname")
    assert routed.get("gw.example.com").status == 404


def test_an_ingress_without_a_host_takes_the_unclaimed_names(
    kind_cluster: Any, routed: Ports
) -> None:
    manifest = str(MANIFESTS / "hostless.yaml")
    kind_cluster.kubectl("apply", "-f", manifest)
    try:
        seen = until(lambda: routed.get("nobody.localhost"), lambda seen: seen.status == 200)
        assert name(seen) == "api"
        assert name(routed.get(SHOP)) == "web"
    finally:
        kind_cluster.kubectl("delete", "-f", manifest)
        until(lambda: routed.get("nobody.localhost").status, lambda status: status == 404)
