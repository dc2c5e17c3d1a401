"""Whether an object is at rest, still moving, or stuck for good: pure functions of its state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from kubelab import endpoints, jobs
from kubelab.errors import Busy, EnvironmentFault
from kubelab.objects import (
    Object,
    condition,
    containers,
    controller,
    dig,
    full_name,
    init_containers,
    last_change,
    meta,
    name_of,
    readiness_time,
    restarts,
    seconds,
)
from kubelab.routing import GATEWAY, gateways
from kubelab.writers import status_by_hand

# Services, EndpointSlices, Ingress and DNS have no observedGeneration and reach the data path
# a moment later: what changed within this time is not believed to be at rest. Only a Pod whose
# readiness was asked for, and found, needs no such time.
QUIET = 3.0
# Seconds in which the controller has surely brought a changed Pod into its EndpointSlices, and the
# data path has followed what was written.
FOLLOWED = 15.0
# Seconds in which the course's own Gateway has said something of a route.
SAID = 60.0
# The scheduler of the cluster, and the seconds that a Pod may be held by a gate, or wait for
# another one: that may be a loop of the learner's, which a busy machine makes slow.
SCHEDULER = "default-scheduler"
GATED = 10.0
UNCLAIMED = 30.0
WRITTEN = ("Service", "EndpointSlice", "Ingress", "HTTPRoute", "HTTPProxy", "Secret")
# Seconds in which a Pod that was ready is so again, where a busy node let its probes time out.
LAPSE = 15.0
# The third exit: a container that was restarted twice and ended again.
RESTARTS = 2
# A container that ran longer than this before it ended is not crash-looping.
SHORT_RUN = 25.0

IMAGE = ("ImagePullBackOff", "ErrImagePull", "ErrImageNeverPull", "InvalidImageName")
CONFIG = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError")
# Of the runtime's errors those that last; a busy machine makes others, and the kubelet tries again.
LASTING = ("not found", "no such file", "permission denied", "invalid", "is a directory")
# The most that a slow start of a container may add to the time in which it gets ready.
LATEST = 30.0


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


def unready(trouble: Trouble | None) -> type[EnvironmentFault]:
    """The fault where a copy of the course is not ready in time: what may pass is tried again."""
    return EnvironmentFault if trouble is not None and trouble.terminal else Busy


def is_unschedulable(pod: Object) -> bool:
    """Whether no node takes a Pod now."""
    trouble = pod_trouble(pod)
    return trouble is not None and trouble.reason == "unschedulable"


def unclaimed(pod: Object, now: float) -> Trouble | None:
    """What keeps a Pod from any node that no scheduler of the cluster looks at; None at first."""
    spec = pod.get("spec") or {}
    age = now - (seconds(meta(pod).get("creationTimestamp")) or now)
    pending = dig(pod, "status", "phase") in (None, "Pending") and not spec.get("nodeName")
    if not pending:
        return None
    scheduler, words = spec.get("schedulerName") or SCHEDULER, ""
    if scheduler != SCHEDULER and age >= UNCLAIMED:
        words = f"Pending: no scheduler {scheduler} has placed it"
    if spec.get("schedulingGates") and age >= GATED:
        words = "Pending: SchedulingGated"
    return Trouble("unschedulable", terminal=True, words=words) if words else None


def ends(everything: Iterable[tuple[Object, Object]]) -> Iterable[tuple[str, int]]:
    """Each ended container with its exit code."""
    for container, status in everything:
        code = dig(status, "state", "terminated", "exitCode")
        if code is not None:
            yield container["name"], code


def container_trouble(name: str, status: Object) -> Trouble | None:
    """What keeps one container from running."""
    reason = dig(status, "state", "waiting", "reason")
    times = status.get("restartCount", 0)
    if reason in IMAGE:
        return Trouble("image-unavailable", name, terminal=True, words=reason)
    if reason in CONFIG:
        said = str(dig(status, "state", "waiting", "message"))
        lasts = reason == CONFIG[0] or times >= RESTARTS or any(one in said for one in LASTING)
        return Trouble("container-config", name, terminal=lasts, words=reason)
    if reason == "CrashLoopBackOff":
        return Trouble("crash-loop", name, terminal=times >= RESTARTS, words=reason)
    if not status.get("ready") and dig(status, "lastState", "terminated") and times >= RESTARTS:
        return Trouble("crash-loop", name, words=f"restarted {times} times")
    if dig(status, "state", "terminated", "exitCode"):
        return Trouble("crash-loop", name, words="ended with an error")
    return None


def pod_motion(
    pod: Object, now: float, stable_for: float = 0.0, *, patient: bool = False
) -> Motion:
    """What still moves in a Pod at `now` (seconds since the epoch).

    `patient`: what a busy machine may explain is given time, too, before anything is refused.
    """
    name = f"Pod {name_of(pod)}"
    if meta(pod).get("deletionTimestamp"):
        return Motion(f"{name} is being deleted", None)
    trouble = unclaimed(pod, now) or pod_trouble(pod)
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
        slow = lateness(pod, started) if not restarts(status) else 0.0
        if not status.get("ready"):
            waits.append(readiness_time(container) + slow - ran)
            if patient:
                waits.append(lapse(pod, started, now))
        elif patient and slow and not container.get("readinessProbe"):
            # Ready because it runs: a machine that was slow to start it is slow to make it listen.
            waits.append(QUIET + slow - ran)
    still = 0.0 if trouble is None and probed(pod) else quiet(pod, now)
    return at_rest_in(max(waits), name, "is getting ready", still)


def probed(pod: Object) -> bool:
    """Whether a probe has to find each container of a Pod ready."""
    return all(container.get("readinessProbe") for container, _ in containers(pod))


def lateness(pod: Object, started: float) -> float:
    """The seconds more that a container gets, on a machine that took long to start it.

    From the time at which the Pod was placed, or its init containers were done; what its sandbox
    took tells of the machine, too.
    """
    ready = [condition(pod, kind) for kind in ("PodScheduled", "Initialized")]
    since = [seconds(one.get("lastTransitionTime")) for one in ready if one.get("status") == "True"]
    begun = max((one for one in since if one is not None), default=started)
    made, placed = (
        seconds(condition(pod, kind).get("lastTransitionTime"))
        for kind in ("PodReadyToStartContainers", "PodScheduled")
    )
    sandbox = made - placed if made and placed and made <= started else 0.0
    return min(LATEST, 2 * max(0.0, max(started - begun, sandbox) - 2.0))


def lapse(pod: Object, started: float, now: float) -> float:
    """The seconds in which a Pod may be found ready again that was so since a container's start."""
    since = seconds(condition(pod, "Ready").get("lastTransitionTime"))
    return LAPSE - (now - since) if since is not None and since > started else 0.0


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
    ran = last_run(status)
    return 0.0 if ran is None or ran > SHORT_RUN else ran + QUIET


def last_run(status: Object) -> float | None:
    """The seconds that a container ran before it was started again; None where it never was."""
    last = dig(status, "lastState", "terminated") or {}
    began, ended = seconds(last.get("startedAt")), seconds(last.get("finishedAt"))
    return None if began is None or ended is None else ended - began


def workload_motion(body: Object, now: float) -> Motion:
    """What still moves in an object that has replicas: generation, rollout, and quiet time."""
    name = title(body)
    if meta(body).get("deletionTimestamp"):
        return Motion(f"{name} is being deleted", None)
    if not generation_seen(body):
        return Motion(f"{name}: its controller has not seen the change yet", None)
    wanted = replicas_wanted(body)
    if body.get("kind") == "ReplicaSet" and dig(body, "status", "replicas") not in (None, wanted):
        failure = condition(body, "ReplicaFailure")
        if failure.get("status") != "True":
            return Motion(f"{name} is still making or removing Pods", None)
        return Motion(f"{name}: {failure.get('reason') or 'ReplicaFailure'}", terminal=True)
    # What a ReplicaSet counts changes with its Pods, which are looked at beside it.
    still = 0.0 if body.get("kind") == "ReplicaSet" else quiet(body, now)
    return at_rest_in(0.0, name, "has just changed", still)


def deployment_motion(
    body: Object, pods: Sequence[Object], now: float, *, patient: bool = False
) -> Motion:
    """What still moves in a Deployment, its Pods looked at.

    A rollout goes on while Pods start, end, or wait for `minReadySeconds`. Where each Pod is at
    rest and one is not ready, the controller waits for nobody knows what: that is settled.
    """
    name = title(body)
    if meta(body).get("deletionTimestamp"):
        return Motion(f"{name} is being deleted", None)
    if not generation_seen(body):
        return Motion(f"{name}: its controller has not seen the change yet", None)
    still = quiet(body, now)
    if rolled_out(body) and pods and all(is_sure(pod) for pod in pods):
        return REST
    if dig(body, "spec", "paused") or rolled_out(body):
        return at_rest_in(0.0, name, "has just changed", still)
    if condition(body, "Progressing").get("reason") == "ProgressDeadlineExceeded":
        return Motion(f"{name}: ProgressDeadlineExceeded", terminal=True)
    found = [pod_motion(pod, now, patient=patient) for pod in pods]
    moving = [one for one in found if not one.settled]
    if moving:
        return next((one for one in moving if one.wait is None), moving[0])
    stuck = next((one for one in found if one.terminal), None)
    if stuck is not None:
        return stuck
    failure = condition(body, "ReplicaFailure")
    if failure.get("status") == "True":
        return Motion(f"{name}: {failure.get('reason') or 'ReplicaFailure'}", terminal=True)
    if all(pod_trouble(pod) is None for pod in pods):
        wait = unavailable_for(body, pods, now)
        return Motion(f"{name} is rolling out", wait if wait > 0 else None)
    return at_rest_in(0.0, name, "has just changed", still)


def job_motion(body: Object, pods: Sequence[Object], now: float) -> Motion:
    """What still moves in a Job, its Pods that have not ended looked at: it runs to its end."""
    name = title(body)
    if meta(body).get("deletionTimestamp"):
        return Motion(f"{name} is being deleted", None)
    if failed := jobs.failed(body):
        return Motion(f"{name}: {failed.get('reason')}", terminal=True)
    if jobs.ending(body):
        # A Job is complete only when none of its Pods is at work: their ends are told late.
        late = any(not jobs.has_ended(pod) for pod in pods)
        return Motion(f"{name}: its Pods are told late", None) if late else REST
    if dig(body, "spec", "suspend"):
        return Motion(f"{name} is suspended", terminal=True)
    if jobs.is_hopeless(body):
        return Motion(f"{name}: Pod after Pod fails", terminal=True)
    found = [pod_motion(pod, now) for pod in pods]
    if found and all(one.terminal for one in found):
        return found[0]
    return Motion(f"{name} is not over yet", None)


def is_sure(pod: Object) -> bool:
    """Whether a Pod is ready because it was asked."""
    return probed(pod) and pod_trouble(pod) is None


def generation_seen(body: Object) -> bool:
    """Whether the controller has seen the newest spec."""
    seen: int = dig(body, "status", "observedGeneration") or 0
    return bool(seen >= meta(body).get("generation", 0))


def replicas_wanted(body: Object) -> int:
    """The number of Pods that the spec asks for; 1 where it names none."""
    wanted = dig(body, "spec", "replicas")
    return 1 if wanted is None else int(wanted)


def rolled_out(body: Object) -> bool:
    """Whether every Pod of a Deployment is of the newest template and available."""
    counts = [
        dig(body, "status", key) or 0
        for key in ("replicas", "updatedReplicas", "availableReplicas")
    ]
    return counts == [replicas_wanted(body)] * 3


def unavailable_for(body: Object, pods: Iterable[Object], now: float) -> float:
    """The seconds until every ready Pod counts as available (`minReadySeconds`)."""
    least = float(dig(body, "spec", "minReadySeconds") or 0)
    since = [seconds(condition(pod, "Ready").get("lastTransitionTime")) or now for pod in pods]
    return max([least - (now - one) for one in since if least], default=0.0)


def title(body: Object) -> str:
    """Kind and name."""
    return f"{body.get('kind', 'object')} {name_of(body)}"


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


def route_motion(body: Object, now: float) -> Motion:
    """What still moves in an HTTPRoute: its Gateway says something of every generation.

    One that asks for a Gateway that is not there is never told of.
    """
    moving = other_motion(body, now)
    said = [one for two in dig(body, "status", "parents") or () for one in two["conditions"]]
    seen = min((one.get("observedGeneration") or 0 for one in said), default=0)
    if not moving.settled or seen >= meta(body).get("generation", 1):
        return moving
    what = "is not seen by its Gateway yet"
    ours = "/".join(GATEWAY) in gateways(body, str(meta(body).get("namespace")))
    wait = (SAID if ours else FOLLOWED) - (now - (last_change(body) or 0.0))
    return at_rest_in(wait, title(body), what, 0.0)


MOTIONS: dict[str, Callable[[Object, float], Motion]] = {
    "StatefulSet": workload_motion,
    "ReplicaSet": workload_motion,
    "HTTPRoute": route_motion,
}


def motion(
    objects: Iterable[tuple[str, Object]],
    now: float,
    stable_for: float = 0.0,
    *,
    patient: bool = False,
) -> Motion:
    """What moves among several objects: a terminal state first, then what takes longest."""
    several = list(objects)
    found = []
    for kind, body in several:
        if kind == "Pod":
            found.append(pod_motion(body, now, stable_for, patient=patient))
        elif kind == "Deployment":
            own = pods_of(body, several)
            found.append(deployment_motion(body, own, now, patient=patient))
        elif kind == "Service":
            found.append(service_motion(body, several, now))
        elif kind == "Job":
            own = jobs.pods_of(body, (one for what, one in several if what == "Pod"))
            found.append(job_motion(body, own, now))
        else:
            found.append(MOTIONS.get(kind, other_motion)(body, now))
        writer = status_by_hand(kind, body)
        if writer is not None:
            who = f"{kind} {name_of(body)}"
            found.append(Motion(f"The status of {who} was written by {writer}", None))
    moving = [one for one in found if not one.settled]
    if not moving:
        return next((one for one in found if one.terminal), REST)
    unknown = next((one for one in moving if one.wait is None), None)
    return unknown or max(moving, key=lambda one: one.wait or 0.0)


def following(objects: Iterable[tuple[str, Object]], now: float) -> Motion:
    """What moves where requests go another way than what is written, until they must follow it."""
    several = [body for kind, body in objects if kind in WRITTEN]
    newest = max((at for one in several if (at := last_change(one)) is not None), default=0.0)
    return at_rest_in(FOLLOWED - (now - newest), "The way of the requests", "is changing", 0.0)


def service_motion(body: Object, objects: Iterable[tuple[str, Object]], now: float) -> Motion:
    """What still moves in a Service: its EndpointSlices follow its Pods a moment later."""
    moving = other_motion(body, now)
    if not moving.settled or not endpoints.selector_of(body):
        return moving
    several = list(objects)
    slices = [one for kind, one in several if kind == "EndpointSlice"]
    kept = endpoints.slices_of(name_of(body), slices)
    written = endpoints.by_hand(kept)
    kept = [one for one in kept if one not in written]
    chosen = [one for kind, one in several if kind == "Pod" and endpoints.selects(body, one)]
    late = [one for one in chosen if endpoints.is_ready(one) and not listed(one, kept)]
    if not dig(body, "spec", "publishNotReadyAddresses"):
        late += [one for one in chosen if not endpoints.is_ready(one) and listed(one, kept)]
    since = last_change(body) or 0.0
    fresh = [one for one in late if now - max(since, last_change(one) or 0.0) < FOLLOWED]
    have = {name_of(one) for one in chosen}
    gone = [name for name in endpoints.addresses(kept).values() if name and name not in have]
    if fresh or gone:
        return Motion(f"Service {name_of(body)}: its EndpointSlices follow its Pods", None)
    return REST


def listed(pod: Object, slices: Iterable[Object]) -> bool:
    """Whether a Pod's address is among the ready ones of some EndpointSlices."""
    return dig(pod, "status", "podIP") in endpoints.addresses(slices)


def pods_of(deployment: Object, objects: Iterable[tuple[str, Object]]) -> list[Object]:
    """The Pods among `objects` that belong to a Deployment, by way of its ReplicaSets."""
    several = list(objects)
    uid = meta(deployment).get("uid")
    sets = {
        meta(body).get("uid")
        for kind, body in several
        if kind == "ReplicaSet" and (controller(body) or {}).get("uid") == uid
    }
    return [
        body
        for kind, body in several
        if kind == "Pod" and (controller(body) or {}).get("uid") in sets
    ]
