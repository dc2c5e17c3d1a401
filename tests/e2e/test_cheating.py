"""What is made to look right on the real cluster, and is not: no check is fooled."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from answers import Place, place

from kubelab import labs
from kubelab.api import connect
from kubelab.site import ROOT, Site
from kubelab.snapshot import COPY_LABEL

LAB = labs.find(ROOT, "02")
REFERENCE = LAB.solution / "web.yaml"

pytestmark = pytest.mark.timeout(300)


def web(**changes: Any) -> dict[str, Any]:
    """The reference Pod, with parts of its only container changed."""
    body: dict[str, Any] = yaml.safe_load(REFERENCE.read_text(encoding="utf-8"))
    body["spec"]["containers"][0] |= changes
    return body


def given(place: Place, folder: Path, body: dict[str, Any]) -> None:
    """Apply an object as the learner does."""
    file = folder / "answer.json"
    file.write_text(json.dumps(body), encoding="utf-8")
    place.kubectl("apply", "-f", str(file))


NEVER = {"httpGet": {"path": "/healthz", "port": 8080, "scheme": "HTTPS"}, "periodSeconds": 1}
READY = {
    "status": {
        "conditions": [
            {"type": kind, "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
            for kind in ("Ready", "ContainersReady")
        ]
    }
}


def test_a_status_that_was_patched_is_not_believed(started: Place, tmp_path: Path) -> None:
    """A Pod that never becomes ready, with a status that says it is, patched again and again."""
    given(started, tmp_path, web(readinessProbe=NEVER))
    started.kubectl("wait", "--for=jsonpath={.status.phase}=Running", "pod/web", "--timeout=60s")
    body = json.loads(started.kubectl("get", "pod", "web", "-o", "json"))
    (status,) = body["status"]["containerStatuses"]
    change = READY["status"] | {"containerStatuses": [status | {"ready": True, "started": True}]}
    patch = ["patch", "pod", "web", "--subresource=status", "--type=merge", "-p"]
    started.kubectl(*patch, json.dumps({"status": change}))
    _, found = started.check("02.1", "--timeout", "3")
    assert found["verdict"] in ("fail", "not_yet"), found


def test_the_label_of_a_copy_hides_nothing(started: Place, tmp_path: Path) -> None:
    """The Pod that is asked for bears it: it is judged, and it is not swept away."""
    body = web()
    body["metadata"]["labels"][COPY_LABEL] = "web"
    given(started, tmp_path, body)
    code, found = started.check("02.1")
    assert (code, found["verdict"]) == (0, "pass"), found
    labelled = started.kubectl("get", "pods", "-l", COPY_LABEL, "-o", "name").split()
    assert labelled == ["pod/web"], "the learner's stays, and the course's own copy is gone"


def test_the_labels_of_the_prober_change_nothing(
    started: Place, site: Site, tmp_path: Path
) -> None:
    """A Pod that looks like the prober gets no question, and gives no answer for it."""
    service = connect(site).get("Service", "prober", "kubelab-system") or {}
    body = web()
    body["metadata"]["name"] = "prober"
    body["metadata"]["labels"] = service["spec"]["selector"]
    given(started, tmp_path, body)
    code, found = started.check("02.1")
    assert (code, found["reason"]) == (1, "not-found")


@pytest.mark.parametrize("name", ["webb", "web-1", "web2"])
def test_a_near_miss_is_named_and_not_taken(started: Place, tmp_path: Path, name: str) -> None:
    body = web()
    body["metadata"]["name"] = name
    given(started, tmp_path, body)
    code, found = started.check("02.1")
    assert (code, found["reason"]) == (1, "not-found")
    assert found["near"] == [f"{started.namespace} has Pod `{name}`"]


def test_another_kubectl_on_the_path_changes_no_verdict(
    started: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that says that all is well: a check asks the API server itself."""
    liar = tmp_path / "bin" / "kubectl"
    liar.parent.mkdir()
    liar.write_text("#!/bin/sh\necho '{\"items\": []}'\n", encoding="utf-8")
    liar.chmod(0o755)
    alias = tmp_path / "bashrc"
    alias.write_text("alias kubectl='echo all is well'\n", encoding="utf-8")
    monkeypatch.setenv("BASH_ENV", str(alias))
    monkeypatch.setenv("PATH", f"{liar.parent}:/usr/bin:/bin")
    code, found = started.check("02.1")
    assert (code, found["reason"]) == (1, "not-found")


def test_a_page_that_another_server_fakes_is_not_taken_for_the_image(
    started: Place, tmp_path: Path
) -> None:
    """The toolbox answers like the shop's page: what runs counts, not what it says."""
    script = (
        "import http.server as h\n"
        "class H(h.BaseHTTPRequestHandler):\n"
        "  def do_GET(s):\n"
        "    s.send_response(200); s.send_header('X-Web-Version', '1.0'); s.end_headers()\n"
        '    s.wfile.write(b\'{"version": "1.0"}\')\n'
        "h.HTTPServer(('', 8080), H).serve_forever()\n"
    )
    image = "kubelab/agent:1.0"
    given(started, tmp_path, web(image=image, command=["python3", "-c", script]))
    code, found = started.check("02.1")
    assert (code, found["reason"]) == (1, "wrong-image")


# Lab 03: who is behind a Service


@pytest.fixture
def services(
    kind_cluster: Any, site: Site, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Place]:
    """Lab 03, started, with the reference Services."""
    name = f"c{abs(hash(request.node.nodeid)) % 10**8}"
    with place(site, labs.find(ROOT, "03"), name, tmp_path) as found:
        found.kubectl("apply", "-f", str(found.lab.solution / "1-services.yaml"))
        for name in ("web", "preview", "api"):
            found.kubectl("rollout", "status", f"deployment/{name}", "--timeout=90s")
        yield found


def test_a_stranger_that_bears_a_members_name_is_a_stranger(services: Place) -> None:
    """The preview is behind the Service, and says that it is one of the Pods of `web`."""
    pods = services.kubectl("get", "pods", "-l", "track=stable", "-o", "name").split()
    last = sorted(pods)[-1].removeprefix("pod/")
    services.kubectl("set", "env", "deployment/preview", f"POD_NAME={last}")
    services.kubectl("rollout", "status", "deployment/preview", "--timeout=90s")
    selector = [{"op": "remove", "path": "/spec/selector/track"}]
    services.kubectl("patch", "service", "web", "--type=json", "-p", json.dumps(selector))
    code, found = services.check("03.1")
    assert (code, found["reason"]) == (1, "extra-endpoints"), found


@pytest.mark.parametrize("label", ["mine", "endpointslice-controller.k8s.io"])
def test_an_endpointslice_by_hand_is_told_from_the_controllers(services: Place, label: str) -> None:
    """A Service that selects nobody, and a slice with the right addresses, whoever it claims."""
    template = "{range .items[*]}{.status.podIP} {end}"
    path = ["get", "pods", "-l", "track=stable", "-o", f"jsonpath={template}"]
    addresses = services.kubectl(*path).split()
    services.kubectl("patch", "service", "web", "--type=merge", "-p", '{"spec":{"selector":null}}')
    services.kubectl("delete", "endpointslices", "-l", "kubernetes.io/service-name=web")
    slice_ = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "web-mine",
            "labels": {
                "kubernetes.io/service-name": "web",
                "endpointslice.kubernetes.io/managed-by": label,
            },
        },
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": 8080}],
        "endpoints": [{"addresses": [one], "conditions": {"ready": True}} for one in addresses],
    }
    file = services.kubeconfig.with_name("slice.json")
    file.write_text(json.dumps(slice_), encoding="utf-8")
    services.kubectl("apply", "-f", str(file))
    code, found = services.check("03.1")
    assert code == 1, found
    assert found["reason"] in ("no-selector", "endpoints-by-hand")
