"""Lab 05 on the real cluster: the words of a failure, five runs one verdict, the picture."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from answers import Place, joined, place

from kubelab import answers as given
from kubelab import comparison, labs
from kubelab.api import connect
from kubelab.pictures import doors
from kubelab.site import ROOT, Site

LAB = labs.find(ROOT, "05")
BANK = {one.name: one.file for one in given.every(LAB.bank)}

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def started(
    kind_cluster: object, site: Site, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Place]:
    """Lab 05, started in a namespace of the test's own, all of its Pods ready."""
    name = f"t{abs(hash(request.node.nodeid)) % 10**8}"
    with place(site, LAB, name, tmp_path) as found:
        found.kubectl("wait", "--for=condition=Available", "deployment", "--all", "--timeout=90s")
        yield found


def test_a_class_that_nobody_reads_is_told_with_the_way_of_the_request(started: Place) -> None:
    text = started.command("05.4").stdout
    assert text.startswith("05.4  not done")
    assert "  found    ingress/menu   " in text
    assert "class nginx" in text
    assert "Prefix -> menu:8080, listens on 80" in joined(text)
    assert "get ingress,ingressclass" in joined(text)
    assert max(map(len, text.splitlines())) <= 80


def test_each_repair_of_the_menu_shows_the_fault_behind_it(started: Place) -> None:
    change = ("patch", "ingress", "menu", "--type=json", "-p")
    port = "/spec/rules/0/http/paths/0/backend/service/port/number"
    repairs = (
        ("wrong-class", (*change, json.dumps([
            {"op": "replace", "path": "/spec/ingressClassName", "value": "contour"}]))),
        ("wrong-port", (*change, json.dumps([{"op": "replace", "path": port, "value": 80}]))),
        ("no-endpoints", ("set", "selector", "service", "menu", "app=menu")),
    )  # fmt: skip
    for reason, repair in repairs:
        assert started.records("05.4")[1][0]["reason"] == reason
        started.kubectl(*repair)
    code, (found,) = started.records("05.4")
    assert (code, found["verdict"]) == (0, "pass"), found


def test_the_certificate_of_another_name_is_told(started: Place) -> None:
    given.apply([BANK["wrong-certificate-name"]], started.kubeconfig)
    text = joined(started.command("05.2").stdout)
    assert "found secret/shop-tls" in text
    assert "for shop.example.com" in text
    assert "data" not in text


def test_what_the_gateway_refuses_is_told_with_its_reason(started: Place) -> None:
    given.apply([BANK["wrong-listener-host"]], started.kubeconfig)
    text = joined(started.command("05.3").stdout)
    assert "Accepted False: NoMatchingListenerHostname" in text


# Each run asks more than a thousand times: one takes minutes on a busy machine.
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("answer", ["solution", "right-two-ingresses"])
def test_five_runs_say_the_same_of_every_task(started: Place, answer: str) -> None:
    files = given.solution(LAB) if answer == "solution" else [BANK[answer]]
    given.apply(files, started.kubeconfig)
    for _ in range(5):
        code, found = started.records("05")
        assert code == 0, [(one["check"], one["reason"], one["found"]) for one in found]


def test_a_wrong_share_is_refused_five_times_for_the_same_reason(started: Place) -> None:
    given.apply([BANK["wrong-two-to-one"]], started.kubeconfig)
    reasons = [started.records("05.3")[1][0]["reason"] for _ in range(5)]
    assert reasons == ["wrong-weight"] * 5


def test_the_reference_and_the_solved_lab_do_not_differ(started: Place, site: Site) -> None:
    given.apply(given.solution(LAB), started.kubeconfig)
    found = comparison.compare(site, LAB, started.namespace)
    assert found.differences == ()
    assert found.extra == ()


def test_the_picture_asks_every_door(started: Place, site: Site) -> None:
    given.apply(given.solution(LAB), started.kubeconfig)
    started.records("05")  # It waits until all of it has reached Envoy.
    seen = doors.read(connect(site), started.namespace)
    assert seen is not None
    told = doors.told(seen)
    assert "/api Prefix -> api:80: 200 by api 1.0" in told
    assert "/ Prefix -> web:80: 200 by web 1.0" in told
    assert "TLS by Secret shop-tls" in told
    assert "weight 3 -> web:80: " in told
    assert " by web 2.0" in told
    # Another test may have a rule for every host just now.
    assert "any other host: " in told
