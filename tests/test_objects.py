"""Small questions to plain Kubernetes objects."""

from __future__ import annotations

import pytest
from fakes import pod

from kubelab import objects
from kubelab.objects import Object, asked_for, restarts, start_time


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("kubelab/web:1.0", "kubelab/web"),
        ("docker.io/kubelab/web", "kubelab/web"),
        ("kubelab/web@sha256:00", "kubelab/web"),
        ("localhost:5000/web:1.0", "localhost:5000/web"),
        ("docker.io/library/redis:7", "redis"),
        (None, None),
    ],
)
def test_the_repository_of_an_image(image: str | None, name: str | None) -> None:
    assert objects.repository(image) == name


def test_what_the_server_set_is_removed() -> None:
    body = objects.cleaned(pod())
    assert set(body) == {"apiVersion", "kind", "metadata", "spec"}
    assert body["metadata"]["labels"] == {"app": "web"}
    assert "uid" not in body["metadata"]
    for key in ("nodeName", "serviceAccountName", "tolerations", "volumes", "priority"):
        assert key not in body["spec"], key
    (container,) = body["spec"]["containers"]
    assert "volumeMounts" not in container


def test_a_toleration_of_the_learners_stays() -> None:
    body = pod()
    own = {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "tolerationSeconds": 5}
    body["spec"]["tolerations"].append(own)
    assert objects.cleaned(body)["spec"]["tolerations"] == [own]


def test_a_service_loses_its_address_but_stays_headless() -> None:
    spec = {"clusterIP": "10.96.0.9", "clusterIPs": ["10.96.0.9"], "ports": []}
    service: Object = {"kind": "Service", "metadata": {"name": "web"}, "spec": spec}
    assert objects.cleaned(service)["spec"] == {"ports": []}
    service["spec"] = {"clusterIP": "None", "ports": []}
    assert objects.cleaned(service)["spec"]["clusterIP"] == "None"


def test_a_job_loses_the_selector_that_its_controller_made() -> None:
    labels = {"batch.kubernetes.io/controller-uid": "x", "app": "pi"}
    job: Object = {
        "kind": "Job",
        "metadata": {"name": "pi", "labels": dict(labels)},
        "spec": {"selector": {}, "template": {"metadata": {"labels": dict(labels)}}},
    }
    cleaned = objects.cleaned(job)
    assert "selector" not in cleaned["spec"]
    assert cleaned["spec"]["template"]["metadata"]["labels"] == {"app": "pi"}


def test_the_time_of_a_probe_follows_from_its_fields_and_their_defaults() -> None:
    assert objects.probe_time({}) == 30
    probe = {"initialDelaySeconds": 5, "periodSeconds": 2, "failureThreshold": 4}
    assert objects.probe_time(probe) == 13


def test_a_probes_port_may_be_a_number_or_a_name() -> None:
    container: Object = {"ports": [{"name": "http", "containerPort": 8080}]}
    for port, number in ((8080, 8080), ("http", 8080), ("8080", 8080), ("none", None)):
        assert objects.probe_port({"httpGet": {"port": port}}, container) == number


def test_what_a_pod_reads_is_found_wherever_it_is_named() -> None:
    spec: Object = {
        "containers": [
            {
                "env": [
                    {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "a", "key": "x"}}},
                    {"name": "B", "valueFrom": {"secretKeyRef": {"name": "b", "key": "x"}}},
                    {"name": "C", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                ],
                "envFrom": [{"configMapRef": {"name": "d"}}, {"secretRef": {"name": "e"}}],
            }
        ],
        "volumes": [
            {"name": "v", "configMap": {"name": "f"}},
            {"name": "w", "secret": {"secretName": "g"}},
            {
                "name": "x",
                "projected": {
                    "sources": [
                        {"configMap": {"name": "kube-root-ca.crt"}},
                        {"configMap": {"name": "h"}},
                        {"secret": {"name": "i"}},
                    ]
                },
            },
        ],
    }
    found = sorted(objects.sources({"template": {"spec": spec}}))
    assert found == [
        *(("ConfigMap", one) for one in "adfh"),
        *(("Secret", one) for one in "begi"),
    ]
    assert not list(objects.sources([{"selector": {"secret": "x"}}, None, "configMap"]))


def test_a_probe_that_asks_no_port_tells_none() -> None:
    container: Object = {"ports": [{"containerPort": 9100}, {"containerPort": 8080}]}
    assert objects.probe_port({}, container) is None
    assert objects.serving_port(container, ["readinessProbe"], 8080) == 8080


def test_the_kind_of_a_probe() -> None:
    assert objects.probe_kind(None) is None
    assert objects.probe_kind({"httpGet": {}}) == "http"
    assert objects.probe_kind({"exec": {}, "periodSeconds": 1}) == "exec"


def test_a_fingerprint_does_not_depend_on_the_order_of_keys() -> None:
    assert objects.fingerprint({"a": 1, "b": 2}) == objects.fingerprint({"b": 2, "a": 1})
    assert objects.fingerprint({"a": 1}) != objects.fingerprint({"a": 2})


def test_times_go_there_and_back() -> None:
    for micro in (False, True):
        assert objects.seconds(objects.stamp(1795525200, micro=micro)) == 1795525200


def test_digging_into_what_is_absent_gives_none() -> None:
    assert objects.dig({"a": [{"b": 1}]}, "a", 0, "b") == 1
    assert objects.dig({"a": []}, "a", 0, "b") is None
    assert objects.dig(None, "a") is None


@pytest.mark.parametrize(
    ("boxes", "name", "wanted"),
    [
        ([], None, None),
        ([("a", "x:1", None)], None, "a"),
        ([("a", "x:1", None), ("b", "kubelab/web:1.0", None)], None, "b"),
        ([("a", "kubelab/web:2.0", "9090"), ("b", "kubelab/web:1.0", None)], None, "b"),
        ([("a", "kubelab/web:2.0", "9090"), ("b", "kubelab/web:1.0", "9091")], None, "a"),
        ([("a", "kubelab/web:1.0", None), ("b", "x:1", None)], "b", "b"),
        ([("a", "kubelab/web:1.0", None), ("b", "x:1", None)], "c", "a"),
    ],
)
def test_the_container_that_a_task_is_about(
    boxes: list[tuple[str, str, str | None]], name: str | None, wanted: str | None
) -> None:
    several = [
        {"name": one, "image": image, "env": [{"name": "PORT", "value": port}] if port else []}
        for one, image, port in boxes
    ]
    assert asked_for(several, "kubelab/web:1.0", name).get("name") == wanted


def test_how_long_a_pod_took_to_start() -> None:
    body: Object = {"spec": {"containers": [{"name": "a"}]}}
    assert start_time(body) == 0.0
    running = {"running": {"startedAt": "2026-11-24T12:01:20Z"}}
    status: Object = {"name": "a", "state": running}
    body["status"] = {"startTime": "2026-11-24T12:00:00Z", "containerStatuses": [status]}
    assert start_time(body) == 80.0
    status["restartCount"] = 1
    assert start_time(body) == 0.0
    # One that its node could not start at first has not run before.
    status["lastState"] = {"terminated": {"reason": "StartError", "exitCode": 128}}
    assert start_time(body) == 80.0


@pytest.mark.parametrize(
    ("count", "reason", "found"),
    [(0, None, 0), (2, "Error", 2), (1, "StartError", 0), (3, "StartError", 2)],
)
def test_a_try_that_did_not_run_is_no_restart(count: int, reason: str | None, found: int) -> None:
    last = {"terminated": {"reason": reason}} if reason else {}
    assert restarts({"restartCount": count, "lastState": last}) == found
