"""A Deployment as a tree: its ReplicaSets by version, their Pods, the container at fault."""

from __future__ import annotations

import re
import time

from kubelab.checking import LabView
from kubelab.endpoints import staying
from kubelab.objects import (
    Object,
    condition,
    containers,
    controller,
    dig,
    full_name,
    init_containers,
    meta,
    name_of,
    seconds,
)
from kubelab.progress import human
from kubelab.settled import Trouble, pod_trouble

LINES = 8
LEFT = 34
RIGHT = 78 - LEFT - 1
REVISION = "deployment.kubernetes.io/revision"
STATUS_CODE = re.compile(r"^(\w+) probe failed: HTTP probe failed with statuscode: (\d+)")
PROBE = re.compile(r"^(\w+) probe (?:failed|errored)[^:]*: (.*)", re.DOTALL)


def chain(lab: LabView, deployment: Object) -> list[str]:
    """The Deployment, its ReplicaSets with Pods, and one Pod of each that is not ready."""
    sets = sets_of(lab, deployment)
    blocks = [branch_of(lab, name_of(deployment), one) for one in sets]
    lines = [aligned(f"Deployment {name_of(deployment)}", words_of(deployment))]
    for number, block in enumerate(blocks):
        last = number == len(blocks) - 1
        head, rest = ("└─ ", "   ") if last else ("├─ ", "│  ")
        lines += [aligned(head + block[0][0], block[0][1])]
        lines += [aligned(rest + left, right) for left, right in block[1:]]
    return lines[:LINES]


def branch_of(lab: LabView, name: str, replica_set: Object) -> list[tuple[str, str]]:
    """One ReplicaSet, and below it the first of its Pods that is not ready."""
    pods = pods_of(lab, replica_set)
    ready = sum(pod_trouble(one) is None for one in pods)
    own = name_of(replica_set)
    title = f"ReplicaSet {shortened(own, name)} ({version_of(replica_set)})"
    failure = condition(replica_set, "ReplicaFailure")
    words = f"{len(pods)} {'Pod' if len(pods) == 1 else 'Pods'}, {ready} ready"
    if failure.get("status") == "True":
        words += f", {failure.get('reason')}"
    found = [(title, words)]
    late = next(((one, why) for one in pods if (why := pod_trouble(one))), None)
    if late is not None:
        pod, trouble = late
        found.append((f"└─ Pod {shortened(name_of(pod), own)}", pod_words(pod, trouble)))
        if trouble.container:
            words = container_words(lab, pod, trouble)
            found.append((f"   └─ container {trouble.container}", words))
    return found


def culprit(lab: LabView, deployment: Object) -> Object:
    """The object whose Events and log tell why: a Pod that is not ready, or a ReplicaSet."""
    for replica_set in sets_of(lab, deployment):
        if condition(replica_set, "ReplicaFailure").get("status") == "True":
            return replica_set
        for pod in pods_of(lab, replica_set):
            if pod_trouble(pod) is not None:
                return pod
    return deployment


def sets_of(lab: LabView, deployment: Object) -> list[Object]:
    """Its ReplicaSets that have or want Pods, the newest revision first."""
    found = [
        one
        for one in lab.snapshot.kind("ReplicaSet").values()
        if (controller(one) or {}).get("uid") == meta(deployment).get("uid")
        and (dig(one, "spec", "replicas") or dig(one, "status", "replicas"))
    ]
    return sorted(found, key=revision, reverse=True)


def pods_of(lab: LabView, replica_set: Object) -> list[Object]:
    """The Pods of a ReplicaSet that stay, by name."""
    uid = meta(replica_set).get("uid")
    pods = staying(lab.snapshot.kind("Pod").values())
    return sorted((one for one in pods if (controller(one) or {}).get("uid") == uid), key=name_of)


def revision(body: Object) -> int:
    """The number of a revision; 0 where there is none yet."""
    found = str((meta(body).get("annotations") or {}).get(REVISION, ""))
    return int(found) if found.isdigit() else 0


def words_of(deployment: Object) -> str:
    """Revision and progress of a Deployment."""
    progress = condition(deployment, "Progressing").get("reason")
    parts = [f"revision {revision(deployment)}"]
    parts += [f"Progressing: {progress}"] if progress else []
    parts += ["paused"] if dig(deployment, "spec", "paused") else []
    words = ", ".join(parts)
    return words if len(words) <= RIGHT else words.replace("Progressing: ", "")


def version_of(replica_set: Object) -> str:
    """The tag of its first container's image."""
    image = dig(replica_set, "spec", "template", "spec", "containers", 0, "image") or "none"
    return full_name(image).rpartition("/")[2].rpartition(":")[2]


def pod_words(pod: Object, trouble: Trouble) -> str:
    """The state of a Pod that is not ready."""
    since = seconds(condition(pod, "Ready").get("lastTransitionTime"))
    if trouble.reason != "not-ready" or since is None:
        return trouble.words
    return f"{trouble.words} for {human(time.time() - since)}"


def container_words(lab: LabView, pod: Object, trouble: Trouble) -> str:
    """What a container at fault waits for: its state, or what its probe was answered."""
    status = next(
        (
            one
            for box, one in (*init_containers(pod), *containers(pod))
            if box["name"] == trouble.container
        ),
        {},
    )
    waiting = dig(status, "state", "waiting", "reason")
    if waiting:
        return str(waiting)
    return probe_words(lab, pod) or "running, not ready"


def probe_words(lab: LabView, pod: Object) -> str:
    """The newest failure of a probe, in a few words."""
    fields = f"involvedObject.uid={meta(pod).get('uid')},reason=Unhealthy"
    events = lab.cluster.objects("Event", lab.namespace, fields=fields)
    newest = max(events, key=lambda one: str(one.get("lastTimestamp")), default={})
    message = str(newest.get("message", ""))
    if match := STATUS_CODE.match(message):
        return f"{match[1].lower()} probe: HTTP {match[2]}"
    if match := PROBE.match(message):
        return f"{match[1].lower()} probe: {match[2].strip().rpartition(': ')[2]}"
    return ""


def shortened(name: str, owner: str) -> str:
    """A name without its owner's, which stands a line above."""
    return f"...{name.removeprefix(owner)}" if name.startswith(f"{owner}-") else name


def aligned(left: str, right: str) -> str:
    """Two columns."""
    return f"{left:<{LEFT}} {right}".rstrip()
