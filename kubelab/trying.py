"""A Job tried on copies: does a run come to a good end, and what becomes of exit codes?"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kubelab import acting, endpoints, jobs, settled
from kubelab.acting import LEASE, STEP, Holder, Proof
from kubelab.api import Away, Cluster, Conflict, Refused
from kubelab.errors import EnvironmentFault
from kubelab.objects import (
    Object,
    cleaned,
    condition,
    containers,
    dig,
    init_containers,
    meta,
    name_of,
    seconds,
)
from kubelab.proofs import outcome
from kubelab.room import modest, quantity
from kubelab.settled import Trouble, pod_trouble
from kubelab.writers import COPY_LABEL

# A container of a run has to start in this time, or the machine is too slow to judge.
START = 60.0
# A run that is begun every minute must not work longer than this.
LONGEST = 60.0
# As with a container that crashes, the third failure is believed.
FAILURES = 3
# A Pod whose task has ended, and that goes on because of another container.
LINGERS = 20.0
# A copy ends by itself, should nobody be left to remove it.
BUDGET = 300.0
# What lasts: a Pod that will not run however long one waits.
LASTING = ("image-unavailable", "container-config", "unschedulable")
# That no node takes a Pod is believed after so many seconds.
UNPLACED = 10.0
# The taints of a node that is late with its Lease, or has a trouble of its own.
OF_A_NODE = "node.kubernetes.io/"
# Of the runtime's errors those that last; where runc was killed, the file that lacks is runc's.
FAULTS = (
    *settled.LASTING,
    "not a directory",
    "memory limit too low",
    "read-only file system",
    "operation not permitted",
    "too long",
)
KILLED = "unable to retrieve OCI runtime error"
# How a container has ended that was never started, in the words of containerd and of Docker.
NEVER_RAN = ("StartError", "ContainerCannotRun")
# What the copies run: the program for a moment, for others may wait for what it leaves behind,
# and then the end with the code that they are given.
PROGRAM = ["sh", "-c", 'timeout 5 "$@"; exit "$CODE"', "program"]
KEPT = (
    *("name", "resources", "securityContext"),
    *("restartPolicy", "restartPolicyRules"),
    *("volumeMounts", "workingDir", "envFrom", "args"),
)
TRY_AGAIN = 2
# What the API server says of a Pod that it may take in a moment, and of one that a quota has no
# room for.
PASSING = ("Timeout:", "status unknown for quota", "/default: serviceaccount")
NO_ROOM = re.compile(r"requested: (\S+), used: \S+, limited: (\S+)")

# A reason and what was found, both empty where all is well; None while nobody knows yet.
Said = tuple[str, str] | None


def copy_of(
    name: str,
    spec: Object,
    *,
    lasting: bool = False,
    labels: Mapping[str, str] | None = None,
) -> Object:
    """A copy of a Job: same spec, another name, Pods with labels that no Service selects.

    A `lasting` one has what the original's runs have; `labels` are those that its Pods share.
    """
    spec = cleaned({"kind": "Job", "metadata": {}, "spec": spec})["spec"]
    for one in ("selector", "manualSelector", "ttlSecondsAfterFinished", "suspend"):
        spec.pop(one, None)
    own = dig(spec, "template", "spec", "activeDeadlineSeconds")
    template = {"metadata": meta(spec["template"]) | {"name": name}}
    template |= {"spec": spec["template"]["spec"]}
    pod = acting.copy_of(template, BUDGET, lasting=lasting)
    pod["spec"].pop("activeDeadlineSeconds")
    if own is not None:
        pod["spec"]["activeDeadlineSeconds"] = own
    kept = {key: meta(pod)[key] for key in ("labels", "annotations") if key in meta(pod)}
    kept["labels"] = {**(labels or {}), **kept["labels"]}
    spec["template"] = {"metadata": kept, "spec": pod["spec"]}
    spec["activeDeadlineSeconds"] = min(int(BUDGET), spec.get("activeDeadlineSeconds", int(BUDGET)))
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta(pod), "spec": spec}


def shared_labels(holder: Holder, spec: Object) -> dict[str, str]:
    """The labels of a Job's template that its copy may have: policies and affinities ask for them.

    Not those by which a Service selects its Pods, nor what a Job's controller gives. None at all
    where its Pods keep away from each other: they would keep the copy's away, too.
    """
    if dig(spec, "template", "spec", "affinity", "podAntiAffinity"):
        return {}
    template = {"metadata": meta(spec["template"])}
    services = holder.cluster.objects("Service", holder.namespace)
    selecting = [one for one in services if endpoints.selects(one, template)]
    selected = {key for one in selecting for key in endpoints.selector_of(one)}
    return {
        key: value
        for key, value in endpoints.labels_of(template).items()
        if key not in selected and key.rpartition("/")[2] not in acting.OF_A_JOB
    }


def make(holder: Holder, *copies: Object) -> None:
    """Create copies of Jobs; raises EnvironmentFault where there is no room for their Pods."""
    pods = [
        {"spec": dig(one, "spec", "template", "spec")}
        for one in copies
        for _ in range(dig(one, "spec", "parallelism") or 1)
    ]
    acting.make_fit(holder.cluster, holder.namespace, pods)
    for one in copies:
        try:
            holder.cluster.create("Job", one, holder.namespace)
        except Away:
            raise
        except Refused as error:
            raise EnvironmentFault(f"The course's copy of the Job is refused: {error}") from None


def looked_at(holder: Holder, name: str) -> tuple[Object, list[Object]]:
    """A copy and its Pods, as they are now; raises EnvironmentFault where it is gone."""
    job = holder.cluster.get("Job", name, holder.namespace)
    if job is None:
        raise EnvironmentFault(f"The course's copy {name} was removed while it was tried.")
    # Read last: no Pod may be missing of a Job that has ended.
    pods = holder.cluster.objects("Pod", holder.namespace, labels=COPY_LABEL)
    return job, jobs.pods_of(job, pods)


def pause(holder: Holder) -> None:
    """Let a moment pass between two looks; the Lease is kept."""
    holder.renew()
    time.sleep(STEP)


# A run


def run_succeeds(cluster: Cluster, namespace: str, name: str, spec: Object, key: str) -> Proof:
    """Make one run of a template, and see how it ends.

    Raises EnvironmentFault where it can't be made or does not start.
    """
    wanted = "a run that the course makes succeeds"
    with acting.acting(cluster, namespace) as holder:
        # As `kubectl create job --from` makes it: with what it is kept in.
        copy = copy_of(name, spec, lasting=True, labels=shared_labels(holder, spec))
        make(holder, copy)
        late = time.monotonic() + START
        while True:
            job, pods = looked_at(holder, name_of(copy))
            now = time.time()
            said = how_it_ran(job, pods, now)
            if said is not None and said[0] == "never-ends" and waited_for_its_node(pods, now):
                if jobs.ending(job):
                    raise holder.too_busy("A container of the course's run was started late")
                said = None
            if said is not None:
                if said != ("", ""):
                    require_started(holder, pods)
                return outcome(key, wanted, *said)
            if time.monotonic() > late and not any(map(begun, pods)):
                raise holder.too_busy(f"The course's run of {name} was not started in time")
            pause(holder)


def not_created(cluster: Cluster, namespace: str, name: str, template: Object) -> str:
    """Why the API server takes no Pod of a template; a copy asks for less, and may be taken.

    Empty where it does, or may do so in a moment.
    """
    metadata = meta(template) | {"name": name}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
    try:
        cluster.create("Pod", pod, namespace, dry_run=True)
    except Away:
        raise
    except Conflict:
        return ""
    except Refused as error:
        return "" if may_pass(str(error)) else str(error)
    return ""


def may_pass(said: str) -> bool:
    """Whether a refusal may pass: a quota has room again for what is no more than all of it."""
    found = NO_ROOM.search(said)
    if found is None:
        return any(one in said for one in PASSING)
    asked, most = (dict(pair.split("=", 1) for pair in part.split(",")) for part in found.groups())
    return all(quantity(asked[one]) <= quantity(most[one]) for one in most if one in asked)


def begun(pod: Object) -> bool:
    """Whether a container of a run was started."""
    run = jobs.run_of(pod)
    return bool(run.started or run.begun)


def how_it_ran(job: Object, pods: Sequence[Object], now: float) -> Said:
    """How a run has ended, or that it never will."""
    runs = [jobs.run_of(one) for one in pods]
    never_ran = [one for pod in pods if (one := never_started(pod))]
    codes = [one.code for one in runs if one.code] + [code for one in pods for code in again(one)]
    exits = f", exit code {codes[-1]}" if codes else ""
    end = jobs.ending(job)
    worked = jobs.worked(map(jobs.whole_run_of, pods), now)
    if end.get("type") == "Complete":
        found = f"the run works for {worked:.0f} s, and the next one begins after {LONGEST:.0f} s"
        return ("never-ends", found) if worked > LONGEST else ("", "")
    if never_ran and (end or len(codes) >= FAILURES):
        # No program has said anything with that exit code.
        return "container-config", f"the run does not start: {never_ran[-1]}"
    if end:
        return "run-failed", f"the run failed: {end.get('reason')}{exits}"
    if trouble := stuck(pods, now):
        return trouble.reason, f"the run does not start: {trouble.words}"
    if len(codes) >= FAILURES:
        return "run-failed", f"the run failed {len(codes)} times{exits}"
    if worked > LONGEST:
        return "never-ends", f"the run goes on after {LONGEST:.0f} s"
    return None


def stuck(pods: Sequence[Object], now: float) -> Trouble | None:
    """What keeps a Pod from running however long one waits."""
    for pod in pods:
        if trouble := settled.unclaimed(pod, now):
            return trouble
        trouble = pod_trouble(pod)
        if trouble is None or not trouble.terminal or trouble.reason not in LASTING:
            continue
        if trouble.reason != "unschedulable" or unplaced(pod, now):
            return trouble
    return None


def has_run(pod: Object) -> bool:
    """Whether a program of a Pod has run."""
    return begun(pod) and not never_started(pod)


def fault_that_lasts(pods: Sequence[Object]) -> str:
    """How a container could not be started, where the next one could not either; empty else."""
    ends = (one for pod in pods for one in start_faults(containers(pod)))
    return next((str(one["reason"]) for one in ends if lasts(str(one.get("message")))), "")


def lasts(message: str) -> bool:
    """Whether the runtime would say the same again of a container that it could not start."""
    return KILLED not in message and any(fault in message for fault in FAULTS)


def never_started(pod: Object) -> str:
    """How a Pod has ended of which a container could not be started; empty where all could."""
    return next((str(one["reason"]) for one in start_faults(containers(pod))), "")


def start_faults(boxes: Sequence[tuple[Object, Object]]) -> list[Object]:
    """The ends of containers that could not be started."""
    ends = (
        dig(status, "state", "terminated") or dig(status, "lastState", "terminated") or {}
        for _, status in boxes
    )
    return [one for one in ends if one.get("reason") in NEVER_RAN]


def require_started(holder: Holder, pods: Sequence[Object]) -> None:
    """Raise Busy where a container could not be started for something that may pass.

    Its exit code is nobody's: no program has run. What is said again and again lasts.
    """
    boxes = [box for pod in pods for box in (*init_containers(pod), *containers(pod))]
    said = [str(one.get("message")) for one in start_faults(boxes)]
    told = {one.rpartition(": ")[2] for one in said}
    if len(said) >= FAILURES and len(told) == 1 and not any(KILLED in one for one in said):
        return
    if not all(map(lasts, said)):
        raise holder.too_busy("A container of the course's copy could not be started")


def waited_for_its_node(pods: Sequence[Object], now: float) -> bool:
    """Whether a run is too long only because its node let its containers wait."""
    waited = max((jobs.kept_waiting(one, now) for one in pods), default=0.0)
    return jobs.worked(map(jobs.whole_run_of, pods), now) - waited <= LONGEST


def unplaced(pod: Object, now: float) -> bool:
    """Whether no node takes a Pod for good: one that is late with its Lease is back in a moment."""
    said = condition(pod, "PodScheduled")
    since = seconds(said.get("lastTransitionTime")) or 0.0
    return now - since > UNPLACED and OF_A_NODE not in str(said.get("message"))


def again(pod: Object) -> list[int]:
    """The exit codes with which containers of a Pod ended that were started again."""
    return [
        dig(status, "lastState", "terminated", "exitCode") or 0
        for _, status in containers(pod)
        for _ in range(status.get("restartCount", 0))
    ]


# Exit codes


@dataclass(frozen=True)
class Exits:
    """What is tried: a Job, its container, the code for `try later` and that for `bad input`.

    `image` has a shell, whatever the Job's own image has.
    """

    job: Object
    container: str
    image: str
    later: int
    bad: int

    @property
    def name(self) -> str:
        """The name of its container: the one it was given, one that its rules name, the first."""
        there = [one["name"] for one, _ in containers(dig(self.job, "spec", "template") or {})]
        rules = dig(self.job, "spec", "podFailurePolicy", "rules") or ()
        named = [dig(one, "onExitCodes", "containerName") for one in rules]
        return str(next(one for one in (self.container, *named, *there) if one in there))

    @property
    def wanted(self) -> str:
        """The criterion as a phrase."""
        return f"exits {self.later}, {self.later}, 0 end Complete; exit {self.bad} fails at once"

    @property
    def ended_by(self) -> tuple[str, ...]:
        """The reasons with which a rule ends the Job: one may fail its only index, and so all."""
        rules = dig(self.job, "spec", "podFailurePolicy", "rules") or ()
        by_index = any(one.get("action") == "FailIndex" for one in rules)
        only_one = by_index and dig(self.job, "spec", "completions") == 1
        return ("PodFailurePolicy", "FailedIndexes") if only_one else ("PodFailurePolicy",)

    def copy(self, code: Object, labels: Mapping[str, str] | None = None) -> Object:
        """A copy whose container ends with a code: `code` is the variable that holds it."""
        spec = cleaned(self.job)["spec"]
        # One Pod at a time tells which code was whose.
        spec |= {"parallelism": 1, "completions": 1}
        # Nor is the time that the Job has in all a part of the question.
        for one in ("successPolicy", "maxFailedIndexes", "activeDeadlineSeconds"):
            spec.pop(one, None)
        boxes = spec["template"]["spec"]["containers"]
        mine = next(one for one in boxes if one["name"] == self.name)
        others = [one for one in mine.get("env") or () if one["name"] != "CODE"]
        place = boxes.index(mine)
        boxes[place] = {key: mine[key] for key in KEPT if key in mine} | {
            "image": self.image,
            "command": [*PROGRAM, *(mine.get("command") or ["true"])],
            "env": [{"name": "CODE", **code}, *others],
        }
        # Two copies at a time, whose program takes no memory: a quota may be just enough for one.
        modest(boxes[place])
        return copy_of(name_of(self.job), spec, lasting=True, labels=labels)


def tells_exits_apart(cluster: Cluster, namespace: str, trial: Exits, key: str) -> Proof:
    """Let one copy end with `later` twice and then with 0, another one with `bad`.

    Raises EnvironmentFault where they can't be made, do not start or come to no end.
    """
    with acting.acting(cluster, namespace) as holder, codes_for(holder, trial) as codes:
        asked = {"configMapKeyRef": {"name": codes, "key": "code"}}
        labels = shared_labels(holder, trial.job["spec"])
        later = trial.copy({"valueFrom": asked}, labels)
        bad = trial.copy({"value": str(trial.bad)}, labels)
        make(holder, bad, later)
        good, waiting = False, True
        while True:
            said = None
            if not good:
                job, pods = looked_at(holder, name_of(bad))
                require_started(holder, pods)
                said = after_bad(trial, job, pods)
            good = good or said == ("", "")
            job, pods = looked_at(holder, name_of(later))
            require_started(holder, pods)
            if good:
                # The second verdict is known later, and told after the first one, always.
                said = after_later(trial, job, pods)
            if said is not None:
                return outcome(key, trial.wanted, *said)
            if waiting and ends(pods) >= TRY_AGAIN:
                cluster.patch("ConfigMap", codes, {"data": {"code": "0"}}, namespace)
                waiting = False
            pause(holder)


@contextlib.contextmanager
def codes_for(holder: Holder, trial: Exits) -> Iterator[str]:
    """A ConfigMap with the code that a copy ends with; it belongs to the Lease of who acts."""
    lease = holder.cluster.get("Lease", LEASE, holder.namespace) or {}
    name = f"{name_of(trial.job)[:50].rstrip('.-')}-codes-copy"
    owner = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "name": LEASE,
        "uid": meta(lease).get("uid", ""),
    }
    body: Object = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "labels": {COPY_LABEL: name_of(trial.job)[:63].rstrip(".-")},
            "ownerReferences": [owner],
        },
        "data": {"code": str(trial.later)},
    }
    holder.cluster.delete("ConfigMap", name, holder.namespace)
    with contextlib.suppress(Conflict):
        holder.cluster.create("ConfigMap", body, holder.namespace)
    try:
        yield name
    finally:
        holder.cluster.delete("ConfigMap", name, holder.namespace)


def ends(pods: Sequence[Object]) -> int:
    """How often the task has ended: a Pod ends with it, or starts its container again."""
    return sum(jobs.has_ended(one) + len(again(one)) for one in pods)


def in_words(count: int) -> str:
    """So many Pods."""
    return f"{count} Pods" if count != 1 else "one Pod"


def after_bad(trial: Exits, job: Object, pods: Sequence[Object]) -> Said:
    """What became of the copy that ends with `bad`."""
    end, count, many = jobs.ending(job), len(pods), in_words(len(pods))
    if end:
        found = f"exit {trial.bad} ends {end.get('type')}, {end.get('reason')}, after {many}"
        right = end.get("type") == "Failed" and end.get("reason") in trial.ended_by
        return ("", "") if right and count == 1 else ("not-stopped", found)
    if count > 1:
        return "not-stopped", f"exit {trial.bad} is tried again: {many}"
    if any(map(again, pods)):
        return "not-stopped", f"exit {trial.bad} is tried again: its container is started anew"
    return lingering(trial, pods)


def after_later(trial: Exits, job: Object, pods: Sequence[Object]) -> Said:
    """What became of the copy that ends with `later` at first."""
    end, many = jobs.ending(job), in_words(len(pods))
    if end.get("type") == "Complete":
        return "", ""
    if end:
        found = f"exit {trial.later} ends Failed, {end.get('reason')}, after {many}"
        at_once = end.get("reason") in trial.ended_by and len(pods) == 1
        stopped = at_once or end.get("reason") == "PodFailurePolicy"
        return "stopped-too-early" if stopped else "retry-counted", found
    return lingering(trial, pods)


def lingering(trial: Exits, pods: Sequence[Object]) -> Said:
    """A Pod that goes on though its task has ended: another container keeps it."""
    for pod in pods:
        if jobs.has_ended(pod) or meta(pod).get("deletionTimestamp"):
            continue
        boxes = containers(pod)
        mine = next(two for two in boxes if two[0]["name"] == trial.name)
        at = seconds(dig(mine[1], "state", "terminated", "finishedAt"))
        others = [one["name"] for one, status in boxes if dig(status, "state", "running")]
        if at is not None and others and time.time() - at > LINGERS:
            return "never-ends", f"container {others[0]} goes on after the task has ended"
    return None
