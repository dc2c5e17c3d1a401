"""Small questions to plain Kubernetes objects: no cluster, no state."""

from __future__ import annotations

import copy
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

Object = dict[str, Any]

SERVER_METADATA = (
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "managedFields",
    "selfLink",
)
SERVER_ANNOTATIONS = (
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/revision",
    "kubernetes.io/limit-ranger",
    "pv.kubernetes.io/bind-completed",
    "pv.kubernetes.io/bound-by-controller",
    "volume.kubernetes.io/selected-node",
    "volume.kubernetes.io/storage-provisioner",
    "volume.beta.kubernetes.io/storage-provisioner",
)
READINESS = "readinessProbe"
# Where the course's web server listens unless somebody says otherwise.
WEB_PORT = 8080
# What admission (DefaultTolerationSeconds) adds to every Pod, for 300 s.
ADMITTED = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


def seconds(timestamp: str | None) -> float | None:
    """An RFC 3339 time of the API as seconds since the epoch."""
    if not timestamp:
        return None
    return datetime.fromisoformat(timestamp.replace("Z", "+00:00")).timestamp()


def stamp(at: float, *, micro: bool = False) -> str:
    """Seconds since the epoch as the API writes a time; `micro` for a MicroTime."""
    form = "%Y-%m-%dT%H:%M:%S.%fZ" if micro else "%Y-%m-%dT%H:%M:%SZ"
    return datetime.fromtimestamp(at, UTC).strftime(form)


def in_header(text: str) -> str:
    """A text as the course's web image writes it into a header, where only ASCII has a place."""
    return re.sub(r"[^ -~]", "?", text)


def meta(body: Object) -> Object:
    """The metadata of an object."""
    found: Object = body.get("metadata") or {}
    return found


def name_of(body: Object) -> str:
    """The name of an object."""
    return str(meta(body).get("name", ""))


def dig(body: Any, *path: Any) -> Any:
    """The value under a path of keys and indexes, or None where a step is absent."""
    for step in path:
        try:
            body = body[step]
        except (KeyError, IndexError, TypeError):
            return None
    return body


def last_change(body: Object) -> float | None:
    """When the object last changed, as far as it says itself (seconds since the epoch).

    The newest of all times in its metadata and status: field managers, conditions, containers.
    """
    times: list[str] = []
    collect_times(meta(body), times)
    collect_times(body.get("status"), times)
    # All are UTC in one format, so the greatest text is the newest time.
    return seconds(max(times)) if times else None


TIMES = frozenset(
    (
        "creationTimestamp",
        "deletionTimestamp",
        "time",
        "lastTransitionTime",
        "startedAt",
        "finishedAt",
        "startTime",
        "lastUpdateTime",
        "completionTime",
    )
)


def collect_times(body: Any, times: list[str]) -> None:
    """Add every time in `body` to `times`."""
    if isinstance(body, dict):
        for key, value in body.items():
            if key in TIMES and isinstance(value, str):
                times.append(value)
            elif key != "fieldsV1":  # Names of fields, most of an object, and no time.
                collect_times(value, times)
    elif isinstance(body, list):
        for value in body:
            collect_times(value, times)


def controller(body: Object) -> Object | None:
    """The ownerReference of the object's controller."""
    return next(
        (one for one in meta(body).get("ownerReferences", ()) if one.get("controller")), None
    )


def containers(pod: Object) -> list[tuple[Object, Object]]:
    """Every regular container of a Pod with its status (empty where there is none yet)."""
    statuses = {one["name"]: one for one in dig(pod, "status", "containerStatuses") or ()}
    return [(one, statuses.get(one["name"], {})) for one in dig(pod, "spec", "containers") or ()]


def init_containers(pod: Object) -> list[tuple[Object, Object]]:
    """Every init container of a Pod, sidecars included, with its status."""
    statuses = {one["name"]: one for one in dig(pod, "status", "initContainerStatuses") or ()}
    return [
        (one, statuses.get(one["name"], {})) for one in dig(pod, "spec", "initContainers") or ()
    ]


def condition(body: Object, kind: str) -> Object:
    """The condition of this type in the object's status; empty where there is none."""
    found = dig(body, "status", "conditions") or ()
    return next((one for one in found if one.get("type") == kind), {})


def repository(image: str | None) -> str | None:
    """An image reference without registry default, tag and digest: `kubelab/web`."""
    if not image:
        return None
    head, slash, tail = full_name(image.split("@", 1)[0]).rpartition("/")
    return head + slash + tail.split(":", 1)[0]


def full_name(image: str) -> str:
    """An image reference without the registry that is meant where none is named."""
    return image.removeprefix("docker.io/").removeprefix("library/")


def is_sidecar(container: Object) -> bool:
    """Whether an init container is one that keeps running."""
    return bool(container.get("restartPolicy") == "Always")


def probe_kind(probe: Object | None) -> str | None:
    """How a probe asks: http, tcp, exec or grpc; None where there is no probe."""
    if not probe:
        return None
    words = {"httpGet": "http", "tcpSocket": "tcp", "exec": "exec", "grpc": "grpc"}
    return next((word for key, word in words.items() if probe.get(key) is not None), None)


def probe_time(probe: Object) -> float:
    """The seconds in which a probe notices a failure: delay + period x threshold."""
    period = probe.get("periodSeconds", 10)
    return float(probe.get("initialDelaySeconds", 0) + period * probe.get("failureThreshold", 3))


def asked_of(probe: Object) -> Object:
    """Host, port and path that a probe asks; empty where it asks nobody."""
    found: Object = probe.get("httpGet") or probe.get("tcpSocket") or {}
    return found


def probe_port(probe: Object, container: Object) -> int | None:
    """The number of the port that a probe asks, a named one looked up in its container."""
    port = asked_of(probe).get("port")
    if port is None:
        return None
    if isinstance(port, int):
        return port
    if isinstance(port, str) and port.isdigit():
        return int(port)
    named = (one for one in container.get("ports", ()) if one.get("name") == port)
    return next((int(one["containerPort"]) for one in named), None)


def serving_port(container: Object, probes: Iterable[str], default: int) -> int:
    """Where a container serves: what one of its probes asks, else the port that it names.

    Of several the image's own (`default`) goes first; without any, its variable PORT tells.
    """
    asked = (probe_port(container.get(one) or {}, container) for one in probes)
    found = next((one for one in asked if one), None)
    named = [int(one["containerPort"]) for one in container.get("ports") or ()]
    if found or named:
        return found or (default if default in named else named[0])
    return port_variable(container) or default


def asked_for(boxes: Sequence[Object], image: str | None, name: str | None = None) -> Object:
    """The container that a task is about; empty where there is none.

    The one of this name, else one of this image: several may run it, and the one at the image's
    own port goes first. Else the first of all.
    """
    named = [one for one in boxes if name and one.get("name") == name]
    same = [one for one in boxes if repository(one.get("image")) == repository(image)]
    usual = [one for one in same if serving_port(one, (READINESS,), WEB_PORT) == WEB_PORT]
    return next(iter([*named, *usual, *same, *boxes]), {})


def port_variable(container: Object) -> int | None:
    """The port that the variable PORT gives to the course's image; None without a number."""
    given = (one.get("value") for one in container.get("env") or () if one.get("name") == "PORT")
    return next((int(one) for one in map(str, given) if one.isdigit()), None)


def readiness_time(container: Object) -> float:
    """The seconds after its start in which a healthy container gets ready by itself."""
    startup = container.get("startupProbe")
    total = probe_time(startup) if startup else 0.0
    probe = container.get("readinessProbe")
    if probe:
        period = probe.get("periodSeconds", 10)
        total += probe.get("initialDelaySeconds", 0) + probe.get("timeoutSeconds", 1)
        # A server that was not up at the first question is asked again a period later.
        total += period * (probe.get("successThreshold", 1) + 1)
    return float(total + 5)


def restarts(status: Object) -> int:
    """How often a container was started again after it had run.

    The kubelet counts a try that its runtime could not start, too (reason StartError), which a
    busy machine brings about.
    """
    failed = bool(dig(status, "lastState", "terminated", "reason") == "StartError")
    return max(0, int(status.get("restartCount", 0)) - failed)


def was_restarted(pod: Object) -> bool:
    """Whether a container of the Pod was started again after it had run."""
    return any(restarts(status) for _, status in containers(pod))


def start_time(pod: Object) -> float:
    """The seconds that a Pod took until its last container ran, for its init containers say.

    0 where it has not started, or is a template.
    """
    begun = [seconds(dig(one, "state", "running", "startedAt")) for _, one in containers(pod)]
    created = seconds(dig(pod, "status", "startTime"))
    found = [one for one in begun if one is not None]
    # A container that was restarted began later than its Pod did.
    if created is None or not found or was_restarted(pod):
        return 0.0
    return max(0.0, max(found) - created)


def ready_after(pod: Object | None) -> float | None:
    """The seconds from the start of a Pod's last container until the Pod was ready."""
    ready = seconds(condition(pod or {}, "Ready").get("lastTransitionTime"))
    begun = [
        began
        for _, status in containers(pod or {})
        if (began := seconds(dig(status, "state", "running", "startedAt"))) is not None
    ]
    return ready - max(begun) if ready is not None and begun else None


def registered(node: Object | None) -> bool:
    """Whether a kubelet has told the API of its machine: a Node alone is none."""
    return bool(dig(node, "status", "nodeInfo", "kubeletVersion"))


def grace_of(pod: Object) -> int:
    """The seconds that a Pod's containers have from SIGTERM to SIGKILL."""
    found = dig(pod, "spec", "terminationGracePeriodSeconds")
    return 30 if found is None else int(found)


def fingerprint(body: Any) -> str:
    """A short hash that is the same for the same content."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


# Under which keys of a Pod's spec a ConfigMap or a Secret is named, and by which field.
SOURCES = {
    **dict.fromkeys(("configMapKeyRef", "configMapRef", "configMap"), ("ConfigMap", "name")),
    **dict.fromkeys(("secretKeyRef", "secretRef"), ("Secret", "name")),
    "secret": ("Secret", "secretName"),
}
# What the kubelet gives every Pod.
OF_THE_CLUSTER = "kube-root-ca.crt"


def sources(spec: Any) -> Iterator[tuple[str, str]]:
    """The ConfigMaps and Secrets, kind and name, that a spec with a Pod's in it names."""
    if isinstance(spec, list):
        for one in spec:
            yield from sources(one)
    elif isinstance(spec, dict):
        for key, value in spec.items():
            kind, field = SOURCES.get(key, ("", ""))
            # In a projected volume a Secret has a name as a ConfigMap has.
            name = dig(value, field) or (dig(value, "name") if kind else None)
            if isinstance(name, str) and name != OF_THE_CLUSTER:
                yield kind, name
            else:
                yield from sources(value)


def cleaned(body: Object) -> Object:
    """The object as its author might have written it: what the server sets is removed."""
    body = copy.deepcopy(body)
    body.pop("status", None)
    metadata = meta(body)
    for key in SERVER_METADATA:
        metadata.pop(key, None)
    annotations = metadata.get("annotations", {})
    for key in SERVER_ANNOTATIONS:
        annotations.pop(key, None)
    if not annotations:
        metadata.pop("annotations", None)
    spec = body.get("spec", {})
    match body.get("kind"):
        case "Pod":
            clean_pod(spec)
        case "Service":
            for key in ("clusterIPs", "ipFamilies", "ipFamilyPolicy", "healthCheckNodePort"):
                spec.pop(key, None)
            if spec.get("clusterIP") != "None":
                spec.pop("clusterIP", None)
        case "PersistentVolumeClaim":
            spec.pop("volumeName", None)
        case "Job":
            clean_job(body)
    return body


def clean_pod(spec: Object) -> None:
    """Remove from a Pod's spec what admission, scheduler and debugging added."""
    for key in ("nodeName", "ephemeralContainers", "priority", "preemptionPolicy"):
        spec.pop(key, None)
    if spec.get("serviceAccountName") == "default":
        spec.pop("serviceAccountName")
    spec.pop("serviceAccount", None)
    added = {
        one["name"]
        for one in spec.get("volumes", ())
        if one["name"].startswith("kube-api-access-") and "projected" in one
    }
    drop(spec, "volumes", lambda one: one["name"] in added)
    for container in (*spec.get("containers", ()), *spec.get("initContainers", ())):
        drop(container, "volumeMounts", lambda one: one["name"] in added)
    drop(
        spec,
        "tolerations",
        lambda one: one.get("key") in ADMITTED and one.get("tolerationSeconds") == 300,
    )


def clean_job(body: Object) -> None:
    """Remove from a Job the selector and labels that its controller generated."""
    spec = body["spec"]
    if not spec.get("manualSelector"):
        spec.pop("selector", None)
    for labels in (meta(body).get("labels", {}), dig(spec, "template", "metadata", "labels") or {}):
        for key in [
            key for key in labels if key.rpartition("/")[2] in ("controller-uid", "job-name")
        ]:
            del labels[key]


def drop(body: Object, key: str, unwanted: Any) -> None:
    """Remove the unwanted members of a list; an empty list goes as a whole."""
    if key in body:
        body[key] = [one for one in body[key] if not unwanted(one)]
        if not body[key]:
            del body[key]
