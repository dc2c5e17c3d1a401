"""The one door to the cluster, tried on a small HTTP server in place of the API server."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubelab import ask
from kubelab.api import Away, Cluster, Conflict, Expired, Refused, connect
from kubelab.errors import Busy, EnvironmentFault, ForeignCluster, NoCluster
from kubelab.site import Site

MARKER = {
    "metadata": {"uid": "u-1", "labels": {"kubelab.dev/marker": "true"}},
    "data": {"cluster": "kubelab", "version": "v1.37.2"},
}
MARKER_PATH = "/api/v1/namespaces/kubelab-system/configmaps/kubelab"


class Server(http.server.ThreadingHTTPServer):
    """Answers what a test put under a path, and remembers what was asked."""

    daemon_threads = True
    answers: dict[str, tuple[int, Any]]
    asked: list[tuple[str, str, dict[str, str], Any]]


class Handler(http.server.BaseHTTPRequestHandler):
    """One request."""

    server: Server

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        self.server.asked.append((self.command, self.path, dict(self.headers), body))
        status, content = self.server.answers.get(self.path.split("?")[0], (404, {}))
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 (http.server's names)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server(("127.0.0.1", 0), Handler)
    found.answers, found.asked = {MARKER_PATH: (200, MARKER)}, []
    thread = threading.Thread(target=found.serve_forever, args=(0.01,))
    thread.start()
    yield found
    found.shutdown()
    thread.join()
    found.server_close()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setattr(Site, "state", property(lambda _: tmp_path))
    return Site()


def configure(site: Site, url: str) -> None:
    context = {"cluster": "c", "user": "u"}
    config = {
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": {}}],
        "contexts": [{"name": site.context, "context": context}],
        "current-context": site.context,
    }
    site.kubeconfig.write_text(yaml.safe_dump(config), encoding="utf-8")


@pytest.fixture
def cluster(site: Site, server: Server) -> Cluster:
    configure(site, f"http://127.0.0.1:{server.server_port}")
    return connect(site)


def test_no_kubeconfig_is_no_cluster(site: Site) -> None:
    with pytest.raises(NoCluster, match="not there"):
        connect(site)


def test_a_silent_api_server_is_no_cluster(
    site: Site, capfd: pytest.CaptureFixture[str], server: Server
) -> None:
    configure(site, "http://127.0.0.1:1")
    with pytest.raises(NoCluster, match="does not answer"):
        connect(site)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "marker",
    [
        (404, {}),
        (200, {"metadata": {"uid": "u"}, "data": {"cluster": "kubelab"}}),
        (200, MARKER | {"data": {"cluster": "somebody-elses"}}),
    ],
)
def test_a_cluster_without_the_courses_marker_is_refused(
    site: Site, server: Server, marker: tuple[int, Any]
) -> None:
    configure(site, f"http://127.0.0.1:{server.server_port}")
    server.answers[MARKER_PATH] = marker
    with pytest.raises(ForeignCluster):
        connect(site)
    assert [one[0] for one in server.asked] == ["GET"]


def test_the_marker_tells_uid_and_version(cluster: Cluster) -> None:
    assert (cluster.uid, cluster.version) == ("u-1", "v1.37.2")
    assert cluster.cache("x").parent.name == "u-1"


def test_the_course_says_who_it_is(cluster: Cluster, server: Server) -> None:
    assert server.asked[0][2]["User-Agent"].startswith("kubelab/")


def test_an_absent_object_is_none_and_an_absent_list_is_empty(cluster: Cluster) -> None:
    assert cluster.get("Pod", "web", "lab-02") is None
    assert cluster.objects("Pod", "lab-02") == []


def test_a_list_takes_selectors(cluster: Cluster, server: Server) -> None:
    server.answers["/api/v1/namespaces/lab-02/pods"] = (200, {"items": [{"a": 1}]})
    assert cluster.objects("Pod", "lab-02", labels="app=web", fields="metadata.name=x") == [
        {"a": 1}
    ]
    assert server.asked[-1][1].endswith("?labelSelector=app%3Dweb&fieldSelector=metadata.name%3Dx")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, EnvironmentFault),
        (403, Refused),
        (409, Conflict),
        (410, Expired),
        (422, Refused),
        (429, Busy),
        (500, Busy),
        (503, Refused),
        (503, Busy),
    ],
)
def test_each_refusal_is_an_exception_with_the_servers_words(
    cluster: Cluster, server: Server, status: int, error: type[Exception]
) -> None:
    server.answers["/api/v1/namespaces/lab-02/pods"] = (status, {"message": "because"})
    with pytest.raises(error, match="because"):
        cluster.create("Pod", {"metadata": {"name": "web"}}, "lab-02")


def test_a_streaming_list_gives_events_across_chunks(cluster: Cluster, server: Server) -> None:
    lines = [{"type": "ADDED", "object": {"n": n}} for n in range(3)]
    data = b"".join(json.dumps(one).encode() + b"\n" for one in lines)
    server.answers["/api/v1/namespaces/lab-02/pods"] = (200, data)
    events = list(cluster.watch("Pod", "lab-02", 5))
    assert events == [("ADDED", {"n": n}) for n in range(3)]
    assert "sendInitialEvents=true" in server.asked[-1][1]
    assert "resourceVersionMatch=NotOlderThan" in server.asked[-1][1]


def test_a_watch_that_fell_behind_says_so(cluster: Cluster, server: Server) -> None:
    gone = {"type": "ERROR", "object": {"code": 410, "message": "too old"}}
    server.answers["/api/v1/namespaces/lab-02/pods"] = (200, json.dumps(gone).encode() + b"\n")
    with pytest.raises(Expired, match="too old"):
        list(cluster.watch("Pod", "lab-02", 5))


@pytest.mark.parametrize(("code", "error"), [(500, Busy), (504, Away), (403, Refused)])
def test_a_watch_that_is_refused_has_not_fallen_behind(
    cluster: Cluster, server: Server, code: int, error: type[Exception]
) -> None:
    status = {"type": "ERROR", "object": {"code": code, "message": "because"}}
    server.answers["/api/v1/namespaces/lab-02/pods"] = (200, json.dumps(status).encode() + b"\n")
    with pytest.raises(error, match="because"):
        list(cluster.watch("Pod", "lab-02", 5))


PROBER = "/api/v1/namespaces/kubelab-system/services/prober:8080/proxy/ask"


def test_a_question_goes_through_the_prober(cluster: Cluster, server: Server) -> None:
    server.answers[PROBER] = (200, {"answers": [{"status": 200, "body": "hello", "error": None}]})
    (answer,) = ask.http(cluster, ask.address("10.0.0.1", 8080, "/x"), headers={"a": "b"})
    assert (answer.status, answer.body, answer.healthy) == (200, "hello", True)
    question = server.asked[-1][3]
    assert question["url"] == "http://10.0.0.1:8080/x"
    assert (question["kind"], question["headers"]) == ("http", {"a": "b"})


@pytest.mark.parametrize(
    ("status", "content", "told"),
    [
        (503, {"message": "no endpoints available"}, "no endpoints available"),
        (404, {}, "is not there"),
        (400, {"error": "no such kind"}, "no such kind"),
        (200, {"answers": []}, "gave no answer"),
    ],
)
def test_a_prober_that_cannot_be_asked_is_no_fault_of_the_learners(
    cluster: Cluster, server: Server, status: int, content: Any, told: str
) -> None:
    server.answers[PROBER] = (status, content)
    with pytest.raises(EnvironmentFault, match=told):
        ask.http(cluster, "http://10.0.0.1:8080/")


def test_a_pod_of_the_course_is_asked_in_its_own_namespace(
    cluster: Cluster, server: Server
) -> None:
    path = "/api/v1/namespaces/lab-02/pods/asker-1:8080/proxy/ask"
    server.answers[path] = (200, {"answers": [1]})
    assert cluster.proxied_pod("lab-02", "asker-1:8080", "ask", {"kind": "tcp"}) == {"answers": [1]}
    with pytest.raises(EnvironmentFault, match="Pod asker-2 is not there"):
        cluster.proxied_pod("lab-02", "asker-2:8080", "healthz")


def test_an_ipv6_address_gets_its_brackets() -> None:
    assert ask.address("fd00::1", 80, "/x") == "http://[fd00::1]:80/x"
    assert ask.address("10.0.0.1", 80, scheme="HTTPS") == "https://10.0.0.1:80/"


def test_a_log_that_is_not_there_has_no_lines(cluster: Cluster, server: Server) -> None:
    path = "/api/v1/namespaces/lab-02/pods/web/log"
    assert cluster.logs("web", "lab-02", "web") == []
    server.answers[path] = (400, {"message": "container is waiting to start"})
    assert cluster.logs("web", "lab-02", "web") == []
    server.answers[path] = (200, b"failed to open the shop\n")
    assert cluster.logs("web", "lab-02", "web") == ["failed to open the shop"]
    server.answers[path] = (200, b"one\ntwo\n")
    assert cluster.logs("web", "lab-02", "web") == ["one", "two"]


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, {"message": f"unable to retrieve container logs for containerd://{'4f' * 32}"}),
        (400, {"message": "failed to try resolving symlinks in path /var/log/pods/x: not there"}),
        (200, f"unable to retrieve container logs for containerd://{'4f' * 32}".encode()),
    ],
)
def test_a_log_that_its_node_cannot_read_is_not_an_empty_one(
    cluster: Cluster, server: Server, status: int, said: object
) -> None:
    server.answers["/api/v1/namespaces/lab-02/pods/web/log"] = (status, said)
    with pytest.raises(Busy, match="The log of Pod web cannot be read") as caught:
        cluster.logs("web", "lab-02", "web")
    assert caught.value.look == "kubectl -n lab-02 logs web"


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_kubelet_that_does_not_answer_says_nothing_of_a_log(
    cluster: Cluster, server: Server, status: int
) -> None:
    path = "/api/v1/namespaces/lab-02/pods/web/log"
    server.answers[path] = (status, {"message": "dial tcp: i/o timeout"})
    with pytest.raises(Busy, match="i/o timeout"):
        cluster.logs("web", "lab-02", "web")


def test_the_api_server_says_when_it_was_started(cluster: Cluster, server: Server) -> None:
    assert cluster.server_started() == 0.0
    lines = b"a 1\nprocess_start_time_seconds 1.79554321e+09\nz 2\n"
    server.answers["/metrics"] = (200, lines)
    assert cluster.server_started() == 1_795_543_210.0
