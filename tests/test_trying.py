"""Jobs tried as copies: what is copied, and what is made of how it goes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import runs
from fakes import Clock, FakeCluster
from runs import NAMESPACE, NOON

from kubelab import acting, trying
from kubelab.errors import Busy, EnvironmentFault
from kubelab.objects import Object, meta, name_of
from kubelab.proofs import Proof
from kubelab.site import Site
from kubelab.writers import COPY_LABEL

SPEC: Object = {
    "completions": 2,
    "parallelism": 2,
    "backoffLimit": 1,
    "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": "1"}},
    "ttlSecondsAfterFinished": 0,
    "suspend": True,
    "template": {
        "metadata": {"labels": {"app": "web", "job-name": "flaky"}},
        "spec": {
            "restartPolicy": "Never",
            "containers": [
                {"name": "helper", "image": "a"},
                {
                    "name": "work",
                    "image": "b",
                    "command": ["x"],
                    "args": ["y"],
                    "livenessProbe": {"exec": {}},
                    "resources": {"requests": {"cpu": "20m"}},
                },
            ],
        },
    },
}
JOB: Object = {"kind": "Job", "metadata": {"name": "flaky", "uid": "uid-flaky"}, "spec": SPEC}
TRIAL = trying.Exits(JOB, "work", runs.IMAGE, 75, 3)


def test_a_copy_has_the_spec_and_labels_of_its_own() -> None:
    before = copy.deepcopy(SPEC)
    found = trying.copy_of("flaky", SPEC)
    assert before == SPEC
    assert name_of(found).startswith("flaky-copy-")
    assert meta(found)["labels"] == {COPY_LABEL: "flaky"}
    assert found["spec"]["template"]["metadata"]["labels"] == {COPY_LABEL: "flaky"}
    assert set(found["spec"]) == {
        "completions", "parallelism", "backoffLimit", "template", "activeDeadlineSeconds"
    }  # fmt: skip
    assert "activeDeadlineSeconds" not in found["spec"]["template"]["spec"]


def test_exit_codes_are_tried_without_the_time_of_the_whole_job() -> None:
    """What is never counted may be tried for long: the copy's question is another."""
    job = copy.deepcopy(JOB)
    job["spec"]["activeDeadlineSeconds"] = 30
    found = trying.Exits(job, "work", runs.IMAGE, 75, 3).copy({"value": "3"})["spec"]
    assert found["activeDeadlineSeconds"] == trying.BUDGET


def test_exit_codes_are_tried_with_little_memory() -> None:
    """There are two copies, and a quota may be just enough for the one Job."""
    job = copy.deepcopy(JOB)
    for box in job["spec"]["template"]["spec"]["containers"]:
        box["resources"] = {"limits": {"memory": "3Gi"}}
    found = trying.Exits(job, "work", runs.IMAGE, 75, 3).copy({"value": "3"})["spec"]
    boxes = {one["name"]: one for one in found["template"]["spec"]["containers"]}
    assert boxes["work"]["resources"] == {"limits": {"memory": "256Mi"}}


def test_a_shorter_deadline_of_its_own_stays() -> None:
    spec = copy.deepcopy(SPEC) | {"activeDeadlineSeconds": 9}
    spec["template"]["spec"]["activeDeadlineSeconds"] = 7
    found = trying.copy_of("flaky", spec)["spec"]
    assert found["activeDeadlineSeconds"] == 9
    assert found["template"]["spec"]["activeDeadlineSeconds"] == 7


def test_a_copy_ends_as_it_is_told_and_keeps_everything_but_its_program() -> None:
    spec = TRIAL.copy({"value": "3"})["spec"]
    helper, work = spec["template"]["spec"]["containers"]
    assert helper["image"] == "a"
    assert work == {
        "name": "work",
        "resources": {"requests": {"cpu": "20m"}},
        "image": runs.IMAGE,
        "command": [*trying.PROGRAM, "x"],
        "args": ["y"],
        "env": [{"name": "CODE", "value": "3"}],
    }
    assert (spec["parallelism"], spec["completions"], spec["backoffLimit"]) == (1, 1, 1)


def test_a_program_leaves_behind_what_it_leaves_and_is_told_another_code() -> None:
    job = copy.deepcopy(JOB)
    work = job["spec"]["template"]["spec"]["containers"][1]
    work["env"] = [{"name": "CODE", "value": "75"}, {"name": "MINE", "value": "yes"}]
    work["volumeMounts"] = [{"name": "shared", "mountPath": "/shared"}]
    trial = trying.Exits(job, "work", runs.IMAGE, 75, 3)
    found = trial.copy({"value": "3"})["spec"]["template"]["spec"]["containers"][1]
    assert found["env"] == [{"name": "CODE", "value": "3"}, {"name": "MINE", "value": "yes"}]
    assert found["volumeMounts"] == work["volumeMounts"]


def test_the_container_that_the_rules_name_is_told() -> None:
    job = copy.deepcopy(JOB)
    rule = {"action": "Ignore", "onExitCodes": {"containerName": "work", "values": [75]}}
    job["spec"]["podFailurePolicy"] = {"rules": [{"action": "Count"}, rule]}
    assert trying.Exits(job, "other", runs.IMAGE, 75, 3).name == "work"


def test_a_run_keeps_the_volumes_that_last() -> None:
    spec = copy.deepcopy(SPEC)
    volume = {"name": "ticks", "persistentVolumeClaim": {"claimName": "ticks"}}
    spec["template"]["spec"]["volumes"] = [volume]
    kept = trying.copy_of("tick", spec, lasting=True)["spec"]["template"]["spec"]["volumes"]
    assert kept == [volume]
    (empty,) = trying.copy_of("tick", spec)["spec"]["template"]["spec"]["volumes"]
    assert empty == {"name": "ticks", "emptyDir": {}}


def test_what_ends_with_a_code_keeps_the_volumes_that_last() -> None:
    job = copy.deepcopy(JOB)
    volume = {"name": "suppliers", "persistentVolumeClaim": {"claimName": "suppliers"}}
    job["spec"]["template"]["spec"]["volumes"] = [volume]
    found = trying.Exits(job, "work", runs.IMAGE, 75, 3).copy({"value": "3"})["spec"]
    assert found["template"]["spec"]["volumes"] == [volume]


@pytest.mark.parametrize(
    ("selector", "affinity", "kept"),
    [
        ({}, "podAffinity", {"app": "tick", "tier": "batch"}),
        ({"app": "web"}, "podAffinity", {"app": "tick", "tier": "batch"}),
        ({"app": "tick"}, "podAffinity", {"tier": "batch"}),
        ({"app": "tick", "tier": "batch"}, "podAffinity", {}),
        ({}, "podAntiAffinity", {}),
    ],
)
def test_the_pods_of_a_copy_share_labels_by_which_no_service_selects_them(
    monkeypatch: pytest.MonkeyPatch, selector: Object, affinity: str, kept: Object
) -> None:
    spec = copy.deepcopy(SPEC)
    given = {"app": "tick", "tier": "batch", "batch.kubernetes.io/job-name": "tick"}
    spec["template"]["metadata"]["labels"] = given
    spec["template"]["spec"]["affinity"] = {affinity: {"required": [{}]}}
    made: list[Object] = []

    class Played(Controller):
        def goes(self, job: Object) -> None:  # type: ignore[override]
            made.append(dict(meta(job["spec"]["template"])["labels"]))
            code = {"reason": "PodFailurePolicy"} if len(made) > 1 else {}
            self.end(job, "Failed" if code else "Complete", **code)

    cluster = Played(Site())
    service = {"metadata": {"name": "tick"}, "spec": {"selector": selector}}
    cluster.put("Service", service, NAMESPACE)
    one_clock(monkeypatch)
    assert trying.run_succeeds(cluster, NAMESPACE, "tick", spec, "key").passed  # type: ignore[arg-type]
    trial = trying.Exits(JOB | {"spec": spec}, "work", runs.IMAGE, 75, 3)
    trying.tells_exits_apart(cluster, NAMESPACE, trial, "key")  # type: ignore[arg-type]
    assert made[0] == {COPY_LABEL: "tick", **kept}
    assert made[1] == {COPY_LABEL: "flaky", **kept}


def test_the_first_container_is_told_where_none_has_the_name() -> None:
    trial = trying.Exits(JOB, "other", runs.IMAGE, 75, 3)
    boxes = trial.copy({"value": "3"})["spec"]["template"]["spec"]["containers"]
    assert [one["image"] for one in boxes] == [runs.IMAGE, "b"]


@pytest.mark.parametrize(
    ("job", "pods", "said"),
    [
        (runs.job(), [], None),
        (runs.job(), [runs.pod("a", 0, 1)], None),
        (runs.job(ended="Complete"), [runs.pod("a", 0, 1, 2)], ("", "")),
        (
            runs.job(ended="Failed", reason="BackoffLimitExceeded"),
            [runs.pod("a", 0, 1, 2, 4)],
            ("run-failed", "the run failed: BackoffLimitExceeded, exit code 4"),
        ),
        (runs.job(), [runs.pod("a", 0, 1, 2, 4), runs.pod("b", 12, 13, 14, 4)], None),
        (
            runs.job(),
            [runs.pod(str(number), 0, 1, 2, 4) for number in range(3)],
            ("run-failed", "the run failed 3 times, exit code 4"),
        ),
        (runs.job(), [runs.pod("a", -90, -80)], ("never-ends", "the run goes on after 60 s")),
        (
            runs.job(ended="Complete"),
            [runs.pod(f"p{at}", at, at + 2, at + 27) for at in (0, 30, 60)],
            ("never-ends", "the run works for 75 s, and the next one begins after 60 s"),
        ),
        (
            runs.job(),
            [runs.pod("a", -80, -78, -40), runs.pod("b", -30, -28)],
            ("never-ends", "the run goes on after 60 s"),
        ),
        # Side by side they take less, and the time between them is no work.
        (
            runs.job(ended="Complete"),
            [runs.pod(f"p{at}", at, at + 2, at + 27) for at in (0, 1, 2)],
            ("", ""),
        ),
        (
            runs.job(ended="Complete"),
            [runs.pod("a", 0, 2, 10, 1), runs.pod("b", 80, 82, 90)],
            ("", ""),
        ),
    ],
)
def test_how_a_run_ends_is_judged(job: Object, pods: list[Object], said: Any) -> None:
    assert trying.how_it_ran(job, pods, NOON + 20) == said


def with_sidecar(pod: Object, started: float, ended: float | None = None) -> Object:
    """The Pod with a helper beside its work; it goes on as long as the helper does."""
    pod["spec"]["initContainers"] = [{"name": "helper", "restartPolicy": "Always"}]
    state: Object = {"running": {"startedAt": runs.at(started)}}
    if ended is not None:
        times = {"startedAt": runs.at(started), "finishedAt": runs.at(ended)}
        state = {"terminated": {"exitCode": 137, **times}}
    else:
        pod["status"]["phase"] = "Running"
    pod["status"]["initContainerStatuses"] = [{"name": "helper", "state": state}]
    return pod


@pytest.mark.parametrize(
    ("job", "pod", "reason"),
    [
        (runs.job(ended="Complete"), with_sidecar(runs.pod("a", 0, 1, 41), 1, 71), "never-ends"),
        (runs.job(ended="Complete"), with_sidecar(runs.pod("a", 0, 36, 71), 1, 72), "never-ends"),
        (runs.job(ended="Complete"), with_sidecar(runs.pod("a", 0, 3, 5), 1, 36), ""),
        (runs.job(), with_sidecar(runs.pod("a", -80, -79, -40), -79), "never-ends"),
        (runs.job(), with_sidecar(runs.pod("a", -80), -79), "never-ends"),
        (runs.job(), with_sidecar(runs.pod("a", -20, -19, -10), -19), None),
    ],
)
def test_a_run_is_as_long_as_its_sidecars_keep_it(job: Object, pod: Object, reason: Any) -> None:
    said = trying.how_it_ran(job, [pod], NOON + 20)
    assert (said and said[0]) == reason


def test_a_container_that_is_restarted_in_place_counts_each_time() -> None:
    pod = runs.pod("a", 0)
    pod["status"]["containerStatuses"][0] |= {
        "restartCount": 3,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": 2}},
    }
    said = trying.how_it_ran(runs.job(), [pod], NOON)
    assert said == ("run-failed", "the run failed 3 times, exit code 2")


def test_a_run_that_can_not_start_says_why() -> None:
    pod = runs.pod("a", 0)
    pod["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": "ErrImagePull"}}
    said = trying.how_it_ran(runs.job(), [pod], NOON)
    assert said == ("image-unavailable", "the run does not start: ErrImagePull")


@pytest.mark.parametrize(
    ("waits", "message", "reason"),
    [
        (4, "0/3 nodes are available: 3 Insufficient cpu.", None),
        (11, "0/3 nodes are available: 3 Insufficient cpu.", "unschedulable"),
        (50, "2 node(s) had untolerated taint {node.kubernetes.io/unreachable: }.", None),
    ],
)
def test_a_node_that_is_late_with_its_lease_is_back_in_a_moment(
    waits: float, message: str, reason: str | None
) -> None:
    pod = runs.pod("a", 0)
    placed = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    placed |= {"lastTransitionTime": runs.at(0), "message": message}
    pod["status"]["conditions"] = [placed]
    said = trying.how_it_ran(runs.job(), [pod], NOON + waits)
    assert (said and said[0]) == reason


@pytest.mark.parametrize(("job", "many"), [(runs.job(), 3), (runs.job(ended="Failed"), 1)])
def test_a_program_that_is_not_there_has_ended_with_no_code_of_its_own(
    job: Object, many: int
) -> None:
    pods = [runs.pod(str(number), 0, 1, 2, 128) for number in range(many)]
    for pod in pods:
        state = pod["status"]["containerStatuses"][0]["state"]
        state["terminated"] |= {"reason": "StartError", "startedAt": "1970-01-01T00:00:00Z"}
    assert trying.how_it_ran(runs.job(), pods[:1], NOON) is None
    said = trying.how_it_ran(job, pods, NOON)
    assert said == ("container-config", "the run does not start: StartError")


def test_a_program_that_is_not_there_is_looked_for_again_in_place() -> None:
    pod = runs.pod("a", 0)
    pod["status"]["containerStatuses"][0] |= {
        "restartCount": 3,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": 128, "reason": "StartError"}},
    }
    said = trying.how_it_ran(runs.job(), [pod], NOON)
    assert said == ("container-config", "the run does not start: StartError")


def failed(reason: str) -> Object:
    return runs.job(ended="Failed", reason=reason)


ONE, TWO = [runs.pod("a", 0, 1, 2, 3)], [runs.pod(one, 0, 1, 2, 3) for one in "ab"]


@pytest.mark.parametrize(
    ("job", "pods", "reason"),
    [
        (failed("PodFailurePolicy"), ONE, ""),
        (failed("PodFailurePolicy"), TWO, "not-stopped"),
        (failed("BackoffLimitExceeded"), TWO, "not-stopped"),
        (failed("BackoffLimitExceeded"), ONE, "not-stopped"),
        (runs.job(), TWO, "not-stopped"),
        (runs.job(ended="Complete"), ONE, "not-stopped"),
        (runs.job(), ONE, None),
    ],
)
def test_bad_input_has_to_fail_at_once(job: Object, pods: list[Object], reason: str | None) -> None:
    said = trying.after_bad(TRIAL, job, pods)
    assert (said and said[0]) == reason


@pytest.mark.parametrize(
    ("completions", "action", "pods", "reason"),
    [
        (1, "FailIndex", ONE, ""),
        (1, "FailIndex", TWO, "not-stopped"),
        (4, "FailIndex", ONE, "not-stopped"),
        (1, "Count", ONE, "not-stopped"),
    ],
)
def test_a_rule_may_fail_the_only_index(
    completions: int, action: str, pods: list[Object], reason: str
) -> None:
    rule = {"action": action, "onExitCodes": {"operator": "In", "values": [3]}}
    spec = SPEC | {"completions": completions, "podFailurePolicy": {"rules": [rule]}}
    trial = trying.Exits(JOB | {"spec": spec}, "work", runs.IMAGE, 75, 3)
    said = trying.after_bad(trial, failed("FailedIndexes"), pods)
    assert said is not None
    assert said[0] == reason
    said = trying.after_later(trial, failed("FailedIndexes"), pods)
    assert said is not None
    assert said[0] == ("retry-counted" if reason else "stopped-too-early")


def test_a_container_that_is_started_anew_is_no_end_at_once() -> None:
    """A container may have rules of its own for exit codes: `restartPolicyRules`."""
    pod = started_anew(2)
    said = trying.after_bad(TRIAL, runs.job(), [pod])
    assert said is not None
    assert said[0] == "not-stopped"
    assert trying.after_later(TRIAL, runs.job(), [pod]) is None
    assert trying.ends([pod]) == 2
    assert trying.ends(TWO) == 2


def started_anew(times: int) -> Object:
    pod = runs.pod("a", 0, 1)
    pod["status"]["containerStatuses"][0] |= {
        "restartCount": times, "lastState": {"terminated": {"exitCode": 75}}
    }  # fmt: skip
    return pod


@pytest.mark.parametrize(
    ("job", "reason"),
    [
        (runs.job(ended="Complete"), ""),
        (failed("BackoffLimitExceeded"), "retry-counted"),
        (failed("PodFailurePolicy"), "stopped-too-early"),
        (runs.job(), None),
    ],
)
def test_later_has_to_be_tried_again(job: Object, reason: str | None) -> None:
    said = trying.after_later(TRIAL, job, TWO)
    assert (said and said[0]) == reason


def test_a_pod_whose_task_is_over_must_not_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    pod = runs.pod("a", 0, 1, 2, 75)
    pod["status"]["phase"] = "Running"
    pod["spec"]["containers"].append({"name": "helper"})
    state = {"running": {"startedAt": runs.at(1)}}
    pod["status"]["containerStatuses"].append({"name": "helper", "state": state})
    monkeypatch.setattr(trying, "time", Clock(NOON + 10))
    assert trying.lingering(TRIAL, [pod]) is None
    monkeypatch.setattr(trying, "time", Clock(NOON + 40))
    assert trying.after_later(TRIAL, runs.job(), [pod]) == (
        "never-ends", "container helper goes on after the task has ended"
    )  # fmt: skip


# The whole way


def one_clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (trying, acting):
        monkeypatch.setattr(module, "time", clock)
    return clock


class Controller(FakeCluster):
    """A cluster that lets copies go as `goes` says, a look at a time."""

    goes: Callable[[Controller, Object], None]

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        if kind == "Job" and (kind, namespace, name) in self.stored:
            type(self).goes(self, self.stored[kind, namespace, name])
        return super().get(kind, name, namespace)

    def ended(self, job: Object, code: int) -> int:
        """One more Pod of a copy has ended; how many there are."""
        own = [one for (kind, _, _), one in self.stored.items() if kind == "Pod"
               and meta(one)["ownerReferences"][0]["uid"] == meta(job)["uid"]]  # fmt: skip
        pod = runs.pod(f"{name_of(job)}-{len(own)}", 0, 1, 2, code)
        meta(pod)["labels"] = {COPY_LABEL: "flaky"}
        meta(pod)["ownerReferences"][0]["uid"] = meta(job)["uid"]
        self.put("Pod", pod, NAMESPACE)
        return len(own) + 1

    def end(self, job: Object, kind: str, reason: str = "") -> None:
        job["status"] = {"conditions": [{"type": kind, "status": "True", "reason": reason}]}


def code_of(cluster: Controller, job: Object) -> int:
    """The code with which a copy would end now."""
    (variable,) = job["spec"]["template"]["spec"]["containers"][1]["env"]
    asked = variable.get("valueFrom", {}).get("configMapKeyRef")
    if asked is None:
        return int(variable["value"])
    body = cluster.stored["ConfigMap", NAMESPACE, asked["name"]]
    return int(body["data"]["code"])


def right(cluster: Controller, job: Object) -> None:
    code = code_of(cluster, job)
    if job.get("status"):
        return
    cluster.ended(job, code)
    if code == 0:
        cluster.end(job, "Complete")
    if code == 3:
        cluster.end(job, "Failed", "PodFailurePolicy")


def counts(cluster: Controller, job: Object) -> None:
    code = code_of(cluster, job)
    if not job.get("status") and code == 3:
        right(cluster, job)
    elif not job.get("status") and cluster.ended(job, code) == 2:
        cluster.end(job, "Failed", "BackoffLimitExceeded")


def ignores(cluster: Controller, job: Object) -> None:
    cluster.ended(job, code_of(cluster, job))


def tried(monkeypatch: pytest.MonkeyPatch, goes: Any) -> tuple[Proof, Controller]:
    class Played(Controller):
        pass

    Played.goes = goes
    cluster = Played(Site())
    one_clock(monkeypatch)
    with acting.limited(100):
        proof = trying.tells_exits_apart(cluster, NAMESPACE, TRIAL, "key")  # type: ignore[arg-type]
    return proof, cluster


@pytest.mark.parametrize(
    ("goes", "reason"), [(right, ""), (counts, "retry-counted"), (ignores, "not-stopped")]
)
def test_two_copies_tell_what_a_job_makes_of_exit_codes(
    monkeypatch: pytest.MonkeyPatch, goes: Any, reason: str
) -> None:
    proof, cluster = tried(monkeypatch, goes)
    assert (proof.passed, proof.reason) == (not reason, reason)
    kinds = {kind for kind, place, _ in cluster.stored if place == NAMESPACE}
    assert kinds == set(), "Copies, their Pods and the codes are removed."


def test_copies_that_come_to_no_end_cost_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EnvironmentFault, match="no end within 100 s"):
        tried(monkeypatch, lambda *_: None)


SHIM = "failed to create shim task: context deadline exceeded"
RUNC = (
    "OCI runtime create failed: unable to retrieve OCI runtime error (open /run/log.json: "
    "no such file or directory): runc did not terminate successfully: signal: killed"
)
MISSING = 'exec: "clock": executable file not found in $PATH'


def unstarted(cluster: Controller, job: Object, message: str) -> None:
    """One more Pod of a copy has ended, of which a container was not started."""
    number = cluster.ended(job, 128)
    pod = cluster.stored["Pod", NAMESPACE, f"{name_of(job)}-{number - 1}"]
    end = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    end |= {"reason": "StartError", "message": message}


@pytest.mark.parametrize("message", [SHIM, RUNC])
@pytest.mark.parametrize("code", [75, 3])
def test_a_copy_that_could_not_be_started_has_no_exit_code(
    monkeypatch: pytest.MonkeyPatch, message: str, code: int
) -> None:
    left = [code]

    def goes(cluster: Controller, job: Object) -> None:
        if code_of(cluster, job) in left:
            unstarted(cluster, job, message)
            left.clear()
        else:
            counts(cluster, job)

    with pytest.raises(Busy, match="could not be started"):
        tried(monkeypatch, goes)


def test_what_keeps_a_container_from_its_start_each_time_alike_is_the_jobs_own() -> None:
    holder = acting.Holder(FakeCluster(Site()), NAMESPACE)  # type: ignore[arg-type]

    def ended(message: str) -> Object:
        end = {"exitCode": 128, "reason": "StartError", "message": message}
        status = {"name": "run", "state": {"terminated": end}}
        spec = {"containers": [{"name": "run"}]}
        return {"spec": spec, "status": {"containerStatuses": [status]}}

    alike = [ended(f"failed to create task {number}: no such device") for number in range(3)]
    trying.require_started(holder, alike)
    for several in (alike[:2], [*alike[:2], ended(SHIM)], [ended(RUNC)] * 3):
        with pytest.raises(Busy, match="could not be started"):
            trying.require_started(holder, several)


def test_a_helper_whose_program_is_not_there_is_the_jobs_own_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proof, _ = tried(monkeypatch, lambda cluster, job: unstarted(cluster, job, MISSING))
    assert proof.reason == "not-stopped"


@pytest.mark.parametrize("box", ["containerStatuses", "initContainerStatuses"])
def test_a_run_that_fails_because_a_container_could_not_be_started_costs_nothing(
    monkeypatch: pytest.MonkeyPatch, box: str
) -> None:
    class Played(Controller):
        message = SHIM

        def goes(self, job: Object) -> None:  # type: ignore[override]
            unstarted(self, job, self.message)
            pod = self.stored["Pod", NAMESPACE, f"{name_of(job)}-0"]
            pod["spec"]["initContainers"] = [{"name": "work"}]
            pod["status"][box] = pod["status"]["containerStatuses"]
            self.end(job, "Failed", "BackoffLimitExceeded")

    cluster = Played(Site())
    one_clock(monkeypatch)
    with pytest.raises(Busy, match="could not be started"):
        trying.run_succeeds(cluster, NAMESPACE, "tick", SPEC, "key")  # type: ignore[arg-type]
    cluster.message = MISSING
    proof = trying.run_succeeds(cluster, NAMESPACE, "tick", SPEC, "key")  # type: ignore[arg-type]
    assert proof.reason == "container-config"


BUSY = "busy"
PROBE: Object = {"startupProbe": {"exec": {"command": ["true"]}}}
HOOK: Object = {"lifecycle": {"postStart": {"sleep": {"seconds": 40}}}}


@pytest.mark.parametrize(
    ("pod", "more", "reason"),
    [
        # The node let the work wait for 40 s.
        (with_sidecar(runs.pod("a", 0, 45, 66), 5, 67), {}, BUSY),
        (with_sidecar(runs.pod("a", 0, 45, 106), 5, 107), {}, "never-ends"),
        (with_sidecar(runs.pod("a", 0, 45, 66), 5, 67), PROBE, "never-ends"),
        (with_sidecar(runs.pod("a", 0, 45, 66), 5, 67), HOOK, "never-ends"),
        # The work was started at once: its helper goes on.
        (with_sidecar(runs.pod("a", 0, 6, 46), 5, 76), {}, "never-ends"),
        (with_sidecar(runs.pod("a", 0, 7, 66), 5, 66), {}, "never-ends"),
    ],
)
def test_what_a_busy_node_let_wait_is_not_held_against_a_run(
    monkeypatch: pytest.MonkeyPatch, pod: Object, more: Object, reason: str
) -> None:
    pod = copy.deepcopy(pod)
    pod["spec"]["initContainers"][0] |= more

    class Played(Controller):
        def goes(self, job: Object) -> None:  # type: ignore[override]
            meta(pod)["labels"] = {COPY_LABEL: "tick"}
            meta(pod)["ownerReferences"][0]["uid"] = meta(job)["uid"]
            self.put("Pod", pod, NAMESPACE)
            self.end(job, "Complete")

    one_clock(monkeypatch)
    cluster = Played(Site())
    if reason == BUSY:
        with pytest.raises(Busy, match="started late"):
            trying.run_succeeds(cluster, NAMESPACE, "tick", SPEC, "key")  # type: ignore[arg-type]
    else:
        proof = trying.run_succeeds(cluster, NAMESPACE, "tick", SPEC, "key")  # type: ignore[arg-type]
        assert proof.reason == reason


def test_a_run_that_its_node_let_wait_and_that_goes_on_never_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is watched for as long as it had to wait more."""
    clock = one_clock(monkeypatch)
    began = clock.now

    class Played(Controller):
        def goes(self, job: Object) -> None:  # type: ignore[override]
            now = began - runs.NOON
            pod = with_sidecar(runs.pod("a", now, now + 12), now + 2, None)
            meta(pod)["labels"] = {COPY_LABEL: "tick"}
            meta(pod)["ownerReferences"][0]["uid"] = meta(job)["uid"]
            self.put("Pod", pod, NAMESPACE)

    proof = trying.run_succeeds(
        Played(Site()),  # type: ignore[arg-type]
        NAMESPACE, "tick", SPEC, "key",
    )  # fmt: skip
    assert proof.reason == "never-ends"
    assert clock.now - began > 2 + trying.LONGEST + 7


def test_a_run_is_made_and_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Played(Controller):
        goes = staticmethod(lambda self, job: self.end(job, "Complete"))  # type: ignore[assignment]

    cluster = Played(Site())
    one_clock(monkeypatch)
    proof = trying.run_succeeds(cluster, NAMESPACE, "tick", SPEC, "key")  # type: ignore[arg-type]
    assert proof.passed
    assert not [key for key in cluster.stored if key[0] == "Job"]


def test_a_run_that_is_not_started_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Played(Controller):
        goes = staticmethod(lambda *_: None)

    cluster = Played(Site())
    one_clock(monkeypatch)
    with pytest.raises(EnvironmentFault, match="was not started in time"):
        trying.run_succeeds(cluster, NAMESPACE, "tick", SPEC, "key")  # type: ignore[arg-type]


def test_a_namespace_without_room_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = FakeCluster(Site())
    full = {"metadata": {"name": "lab"}, "status": {"hard": {"pods": "1"}, "used": {"pods": "1"}}}
    cluster.put("ResourceQuota", full, NAMESPACE)
    with pytest.raises(EnvironmentFault, match="no room"):
        trying.run_succeeds(cluster, NAMESPACE, "tick", SPEC, "key")  # type: ignore[arg-type]
