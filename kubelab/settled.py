"""Whether an object is at rest, still moving, or stuck for good: pure functions of its state."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kubelab.objects import (
    Object,
    condition,
    containers,
    dig,
    full_name,
    init_containers,
    last_change,
    meta,
    name_of,
    readiness_time,
    seconds,
)

# Services, EndpointSlices, Ingress and DNS have no observedGeneration and reach the data path
# a moment later: nothing that changed within this time is believed to be at rest.
QUIET = 3.0
# The third exit: a container that was restarted twice and ended again.
RESTARTS = 2
# A container that ran longer than this before it ended is not crash-looping.
SHORT_RUN = 25.0

IMAGE = ("ImagePullBackOff", "ErrImagePull", "ErrImageNeverPull", "InvalidImageName")
CONFIG = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError")


@dataclass(frozen=True)
class Motion:
    """What still moves, and in how many seconds it is at rest if nothing else happens.

    `wait` None: nobody can tell. `terminal` marks a state that does not mend itself.
    """

    what: str = ""
    wait: float | None = 0.0
    terminal: bool = False

    @property
    def settled(self) -> bool:
        """Whether nothing moves any more."""
        return self.terminal or not self.what


REST = Motion()


@dataclass(frozen=True)
class Trouble:
    """Why a Pod is not ready: a reason id, the container at fault, and whether it is terminal."""

    reason: str
    container: str = ""
    terminal: bool = False
    words: str = ""


def pod_trouble(pod: Object) -> Trouble | None:
    """What keeps a Pod from being ready, the container at fault first; None when it is ready."""
    if meta(pod).get("deletionTimestamp"):
        return Trouble("terminating", words="Terminating")
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable":
        return Trouble("unschedulable", terminal=True, words="Pending: Unschedulable")
    everything = [*init_containers(pod), *containers(pod)]
    for container, status in everything:
        trouble = container_trouble(container["name"], status)
        if trouble is not None:
            return trouble
    phase = dig(pod, "status", "phase")
    if phase in ("Succeeded", "Failed"):
        ended = next((name for name, one in ends(everything) if one), everything[0][0]["name"])
        return Trouble("exited", ended, terminal=True, words=str(phase))
    if condition(pod, "Ready").get("status") == "True":
        return None
    late = next((one["name"] for one, status in everything if not status.get("ready")), "")
    return Trouble("not-ready", late, words=f"{phase or 'Pending'}, not ready")


def ends(everything: Iterable[tuple[Object, Object]]) -> Iterable[tuple[str, int]]:
    """Each ended container with its exit code."""
    for container, status in everything:
        code = dig(status, "state", "terminated", "exitCode")
        if code is not None:
            yield container["name"], code


def container_trouble(name: str, status: Object) -> Trouble | None:
    """What keeps one container from running."""
    reason = dig(status, "state", "waiting", "reason")
    restarts = status.get("restartCount", 0)
    if reason in IMAGE:
        return Trouble("image-unavailable", name, terminal=True, words=reason)
    if reason in CONFIG:
        return Trouble("container-config", name, terminal=True, words=reason)
    if reason == "CrashLoopBackOff":
        return Trouble("crash-loop", name, terminal=restarts >= RESTARTS, words=reason)
    if not status.get("ready") and dig(status, "lastState", "terminated") and restarts >= RESTARTS:
        return Trouble("crash-loop", name, words=f"restarted {restarts} times")
    if dig(status, "state", "terminated", "exitCode"):
        return Trouble("crash-loop", name, words="ended with an error")
    return None


def pod_motion(pod: Object, now: float, stable_for: float = 0.0) -> Motion:
    """What still moves in a Pod at `now` (seconds since the epoch)."""
    name = f"Pod {name_of(pod)}"
    if meta(pod).get("deletionTimestamp"):
        return Motion(f"{name} is being deleted", None)
    trouble = pod_trouble(pod)
    if trouble and trouble.terminal:
        return Motion(f"{name}: {trouble.words}", terminal=True)
    if trouble and trouble.reason == "crash-loop":
        return Motion(f"{name}: container {trouble.container} is being restarted", None)
    if dig(pod, "status", "observedGeneration") not in (None, meta(pod).get("generation")):
        return Motion(f"{name}: the kubelet has not seen the change yet", None)
    waits = [0.0]
    for container, status in containers(pod):
        if being_replaced(pod, container, status):
            return Motion(f"{name}: container {container['name']} is being replaced", None)
        started = seconds(dig(status, "state", "running", "startedAt"))
        if started is None:
            if stays_ended(pod, status):
                continue
            return Motion(f"{name}: container {container['name']} is starting", None)
        ran = now - started
        waits += [stable_for - ran, outlives(status) - ran]
        if not status.get("ready"):
            waits.append(readiness_time(container) - ran)
    return at_rest_in(max(waits), name, "is getting ready", quiet(pod, now))


def being_replaced(pod: Object, container: Object, status: Object) -> bool:
    """Whether a container of an image that was changed still has to end (its grace may be long)."""
    if status.get("ready") or meta(pod).get("generation", 1) < 2 or not status.get("image"):
        return False
    return bool(full_name(status["image"]) != full_name(container["image"]))


def stays_ended(pod: Object, status: Object) -> bool:
    """Whether a container has ended and its Pod's restart policy leaves it so."""
    code = dig(status, "state", "terminated", "exitCode")
    policy = dig(pod, "spec", "restartPolicy")
    return code is not None and (policy == "Never" or (policy == "OnFailure" and code == 0))


def outlives(status: Object) -> float:
    """The seconds a container must run to be believed after a short run that ended badly."""
    last = dig(status, "lastState", "terminated") or {}
    began, ended = seconds(last.get("startedAt")), seconds(last.get("finishedAt"))
    if began is None or ended is None or ended - began > SHORT_RUN:
        return 0.0
    return ended - began + QUIET


def workload_motion(body: Object, now: float) -> Motion:
    """What still moves in an object that has replicas: generation, rollout, and quiet time."""
    name = f"{body.get('kind', 'object')} {name_of(body)}"
    if meta(body).get("deletionTimestamp"):
        return Motion(f"{name} is being deleted", None)
    status = body.get("status") or {}
    if condition(body, "Progressing").get("reason") == "ProgressDeadlineExceeded":
        return Motion(f"{name}: ProgressDeadlineExceeded", terminal=True)
    if status.get("observedGeneration", 0) < meta(body).get("generation", 0):
        return Motion(f"{name}: its controller has not seen the change yet", None)
    wanted = dig(body, "spec", "replicas")
    wanted = 1 if wanted is None else wanted
    counts = [status.get(key, 0) for key in ("replicas", "updatedReplicas", "availableReplicas")]
    if body.get("kind") == "Deployment" and counts != [wanted] * 3:
        return Motion(f"{name} is rolling out", None)
    return at_rest_in(0.0, name, "has just changed", quiet(body, now))


def other_motion(body: Object, now: float) -> Motion:
    """What still moves in any other object: it is being deleted, or has just changed."""
    name = f"{body.get('kind', 'object')} {name_of(body)}"
    if meta(body).get("deletionTimestamp"):
        return Motion(f"{name} is being deleted", None)
    return at_rest_in(0.0, name, "has just changed", quiet(body, now))


def quiet(body: Object, now: float) -> float:
    """The seconds until the object has been unchanged for long enough."""
    changed = last_change(body)
    return 0.0 if changed is None else QUIET - (now - changed)


def at_rest_in(wait: float, name: str, what: str, still: float) -> Motion:
    """A motion that ends by itself after the longer of two times; rest where both are over."""
    wait = max(wait, still)
    return REST if wait <= 0 else Motion(f"{name} {what}", wait)


MOTIONS: dict[str, Callable[[Object, float], Motion]] = {
    "Deployment": workload_motion,
    "StatefulSet": workload_motion,
    "ReplicaSet": workload_motion,
}


def motion(objects: Iterable[tuple[str, Object]], now: float, stable_for: float = 0.0) -> Motion:
    """What moves among several objects: a terminal state first, then what takes longest."""
    found = [
        pod_motion(body, now, stable_for)
        if kind == "Pod"
        else MOTIONS.get(kind, other_motion)(body, now)
        for kind, body in objects
    ]
    moving = [one for one in found if not one.settled]
    if not moving:
        return next((one for one in found if one.terminal), REST)
    unknown = next((one for one in moving if one.wait is None), None)
    return unknown or max(moving, key=lambda one: one.wait or 0.0)
