"""Lab 03 on the real cluster: the words of a failure, five runs one verdict, crashes mended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from answers import Place, joined, place

from kubelab import acting, labs
from kubelab import answers as given
from kubelab.api import connect
from kubelab.objects import cleaned
from kubelab.proofs import Proofs, Undo
from kubelab.site import ROOT, Site
from kubelab.snapshot import COPY_LABEL

LAB = labs.find(ROOT, "03")
BANK = {one.name: one.file for one in given.every(LAB.bank)}

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def started(
    kind_cluster: object, site: Site, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Place]:
    """Lab 03, started in a namespace of the test's own, all of its Pods ready."""
    name = f"t{abs(hash(request.node.nodeid)) % 10**8}"
    with place(site, LAB, name, tmp_path) as found:
        found.kubectl("wait", "--for=condition=Available", "deployment", "--all", "--timeout=90s")
        yield found


SELECTOR = """\
03.4  not done                                                     0 of 2 points
Port 80 of `api` reaches the Pods of `api`, at least two of them, and nobody
else.

  wanted   service/api   answers on port 80
  found    service/api   no ready address behind it

  Service api                       selector app=api-v1, port 80 -> 9090
  ├─ EndpointSlice api-"""
NEAR = """\
  └─ not selected: 3 Pods with app=api,part=shop

  near     the selector asks app=api-v1, and no Pod of {namespace} carries that

  why      """


def test_a_selector_that_fits_nobody_is_told_word_by_word(started: Place) -> None:
    text = started.command("03.4").stdout
    assert text.startswith(SELECTOR)
    assert joined(NEAR.format(namespace=started.namespace)) in joined(text)
    assert text.endswith(f"  look     kubectl -n {started.namespace} describe service api\n")
    assert max(map(len, text.splitlines())) <= 80


def test_a_port_where_nobody_listens_is_told_with_the_ports_there_are(started: Place) -> None:
    given.apply([BANK["wrong-api-port-left"]], started.kubeconfig)
    text = started.command("03.4").stdout
    assert "  found    service/api   refused at targetPort 9090\n" in text
    assert text.count("ready, port http/8080\n") == 3
    assert "  near     targetPort 9090; the Pods' containers name 8080, http\n" in text


def test_a_stranger_is_told_by_name(started: Place) -> None:
    given.apply([BANK["wrong-selector-too-wide"]], started.kubeconfig)
    text = started.command("03.1").stdout
    assert "  wanted   service/web   answers from web alone" in text
    assert "  found    service/web   answers from preview-" in text


def test_an_address_in_place_of_a_name_is_told_and_everything_is_put_back(started: Place) -> None:
    given.apply([BANK["wrong-name-bound-to-the-address"]], started.kubeconfig)
    where = ("get", "service", "backend", "-o", "jsonpath={.spec.clusterIP}")
    before = started.kubectl(*where)
    text = started.command("03.2").stdout
    assert LAB.task("03.2").first[:40] in joined(text)
    assert f"asks {before}, and its Service has the address" in joined(text)
    assert started.kubectl(*where) == before


def test_a_service_that_is_not_there_is_no_wrong_kind(started: Place) -> None:
    code, (found,) = started.records("03.1")
    assert (code, found["reason"], found["near"]) == (1, "not-found", [])


@pytest.mark.parametrize("answer", ["solution", "right-numbers-and-readiness"])
def test_five_runs_say_the_same_of_every_task(started: Place, answer: str) -> None:
    files = given.solution(LAB) if answer == "solution" else [BANK[answer]]
    given.apply(files, started.kubeconfig)
    for _ in range(5):
        code, found = started.records("03")
        assert code == 0, [(one["check"], one["reason"], one["found"]) for one in found]
    pods = json.loads(started.kubectl("get", "pods", "-o", "json"))["items"]
    assert not [one for one in pods if COPY_LABEL in one["metadata"]["labels"]]
    assert started.kubectl("get", "lease", "-o", "name") == ""


def test_a_wrong_answer_is_refused_five_times_for_the_same_reason(started: Place) -> None:
    given.apply([BANK["wrong-name-bound-to-the-address"]], started.kubeconfig)
    reasons = [started.records("03.2")[1][0]["reason"] for _ in range(5)]
    assert reasons == ["fixed-address"] * 5


def test_a_check_that_crashed_while_the_service_was_gone_is_mended(
    started: Place, site: Site
) -> None:
    given.apply(given.solution(LAB), started.kubeconfig)
    cluster = connect(site)
    there = ("get", "service", "backend", "--ignore-not-found", "-o", "name")
    service = cluster.get("Service", "backend", started.namespace)
    assert service is not None
    # What a check does before it disturbs; then it is gone, and its Lease has never been there.
    proofs = Proofs(cluster, started.namespace)
    proofs.promise(Undo("Service", "backend", body=cleaned(service)))
    cluster.delete("Service", "backend", started.namespace)
    assert not started.kubectl(*there)
    acting.mend(cluster, started.namespace)
    assert started.kubectl(*there)
    code, (found,) = started.records("03.2")
    assert (code, found["verdict"]) == (0, "pass")
