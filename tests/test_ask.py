"""Questions from inside the cluster: what is put to the prober, and the answers it gives."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import FakeCluster

from kubelab import ask
from kubelab.errors import EnvironmentFault
from kubelab.site import Site

FAILED = {
    "at": 7.0,
    "seconds": 2.0,
    "ok": False,
    "status": None,
    "headers": {},
    "body": None,
    "reason": "timeout",
    "error": "no answer within 2 s",
}


@pytest.fixture
def cluster(site: Site) -> FakeCluster:
    fake = FakeCluster(site)
    fake.questions = []
    fake.replies = [FAILED]

    def answer(question: Any) -> list[Any]:
        fake.questions.append(question)
        return fake.replies

    fake.answer = answer
    return fake


def test_several_questions_are_one_request(cluster: FakeCluster) -> None:
    """`count` and `concurrency` go to the prober; what is not said is left out."""
    headers = {"x-web-version": "2.0", "x-web-pod": "web-1"}
    cluster.replies = [{"status": 200, "body": "hi", "headers": headers, "at": 5.0}] * 3
    answers = ask.http(cluster, "http://web.lab-90/", count=3, concurrency=3)
    assert [(one.version, one.pod, one.at) for one in answers] == [("2.0", "web-1", 5.0)] * 3
    assert answers[0].healthy
    assert cluster.questions == [
        {
            "kind": "http",
            "url": "http://web.lab-90/",
            "headers": {},
            "timeout": 2.0,
            "count": 3,
            "concurrency": 3,
            "every": 0.0,
        }
    ]


@pytest.mark.parametrize(
    ("headers", "body", "told"),
    [
        ({"x-web-version": "2.0", "x-web-pod": "web-1"}, "", ("2.0", "web-1")),
        ({}, '{"name": "web", "version": "2.0", "pod": "web-1"}', ("2.0", "web-1")),
        ({"x-web-pod": "web-1"}, '{"pod": "web-2"}', (None, "web-1")),
        ({}, '{"pod": {"name": "web-1"}}', (None, None)),
        ({}, "no JSON", (None, None)),
    ],
)
def test_a_page_tells_its_pod_where_a_route_took_the_headers_off(
    cluster: FakeCluster, headers: Any, body: str, told: Any
) -> None:
    cluster.replies = [{"status": 200, "body": body, "headers": headers}]
    (answer,) = ask.http(cluster, "http://web.lab-90/")
    assert (answer.version, answer.pod) == told


@pytest.mark.parametrize("kind", ["http", "tcp", "dns", "tls"])
def test_no_answer_has_a_reason_and_a_sentence(cluster: FakeCluster, kind: str) -> None:
    """Whatever was asked."""
    (answer,) = getattr(ask, kind)(cluster, "http://web/" if kind == "http" else "web:80")
    assert (answer.reason, answer.error) == ("timeout", "no answer within 2 s")
    assert (answer.at, answer.seconds) == (7.0, 2.0)


def test_dns_gives_addresses_and_records(cluster: FakeCluster) -> None:
    """And what the resolver said in one word."""
    record = {"name": "web", "type": "A", "ttl": 30, "data": "10.0.0.1"}
    said = {"ok": True, "rcode": "NOERROR", "records": [record], "addresses": ["10.0.0.1"]}
    cluster.replies = [{**FAILED, "reason": None, "error": None, **said}]
    (answer,) = ask.dns(cluster, "web.lab-90.svc.cluster.local")
    assert (answer.ok, answer.rcode, answer.addresses) == (True, "NOERROR", ("10.0.0.1",))
    assert answer.records == (ask.Record("web", "A", 30, "10.0.0.1"),)
    assert cluster.questions[0]["type"] == "A"
    assert "resolver" not in cluster.questions[0]


def test_tcp_and_tls_tell_who_answered(cluster: FakeCluster) -> None:
    """The peer; the names of the certificate."""
    cluster.replies = [{"ok": True, "peer": "10.0.0.1:80"}]
    assert ask.tcp(cluster, "web:80")[0].peer == "10.0.0.1:80"
    cluster.replies = [{"ok": True, "names": ["shop.localhost"], "protocol": "TLSv1.3"}]
    (answer,) = ask.tls(cluster, "web:443", sni="shop.localhost")
    assert (answer.names, answer.protocol) == (("shop.localhost",), "TLSv1.3")
    assert cluster.questions[-1]["sni"] == "shop.localhost"


def test_the_time_for_a_request_grows_with_what_is_asked(cluster: FakeCluster) -> None:
    """Up to the minute that the API server gives it."""
    limits: list[float] = []

    def put(_: Any, limit: float) -> Any:
        limits.append(limit)
        return {"answers": [FAILED]}

    asker = ask.Asker(put)
    asker.http("http://web/")
    asker.http("http://web/", count=60, concurrency=20)
    asker.http("http://web/", count=500)
    assert limits == [7.0, 11.0, 60.0]


@pytest.mark.parametrize("replies", [[], None])
def test_a_prober_without_an_answer_is_an_environment_fault(
    cluster: FakeCluster, replies: Any
) -> None:
    """It costs the learner nothing."""
    cluster.replies = replies
    with pytest.raises(EnvironmentFault, match="gave no answer"):
        ask.http(cluster, "http://web/")


def test_an_ipv6_address_gets_its_brackets() -> None:
    """In a URL."""
    assert ask.address("10.0.0.1", 80) == "http://10.0.0.1:80/"
    assert ask.address("fd00::1", 8080, "healthz", "HTTP") == "http://[fd00::1]:8080/healthz"
