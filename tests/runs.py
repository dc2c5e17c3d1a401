"""Jobs and their Pods for tests, as the API server tells of them."""

from __future__ import annotations

from typing import Any

from kubelab.jobs import INDEX
from kubelab.objects import Object, stamp

NAMESPACE = "lab-90"
NOON = 1_795_521_600.0  # 2026-11-24T12:00:00Z
IMAGE = "kubelab/toolbox:1.0"


def job(name: str = "pi", ended: str = "", reason: str = "", **more: Any) -> Object:
    """A Job; `ended` is Complete or Failed. What is not of its spec goes to `status`."""
    status = more.pop("status", {})
    if ended:
        status["conditions"] = [{"type": ended, "status": "True", "reason": reason}]
    template = {
        "spec": {"restartPolicy": "Never", "containers": [{"name": "work", "image": IMAGE}]}
    }
    return {
        "kind": "Job",
        "metadata": {"name": name, "uid": f"uid-{name}"},
        "spec": {"completions": 6, "parallelism": 3, "template": template} | more,
        "status": status,
    }


def pod(
    name: str,
    created: float,
    started: float | None = None,
    ended: float | None = None,
    code: int = 0,
    *,
    owner: str = "pi",
    index: int | None = None,
) -> Object:
    """A Pod of a Job; times are seconds after noon, cut to whole ones."""
    phase = "Pending" if started is None else "Running"
    state: Object = {}
    if ended is not None:
        phase = "Failed" if code else "Succeeded"
        times = {"startedAt": at(started or created), "finishedAt": at(ended)}
        state = {"terminated": {"exitCode": code, **times}}
    elif started is not None:
        state = {"running": {"startedAt": at(started)}}
    metadata: Object = {
        "name": name,
        "generateName": f"{owner}-",
        "creationTimestamp": at(created),
        "managedFields": [
            {
                "manager": "kube-controller-manager",
                "fieldsV1": {"f:metadata": {"f:generateName": {}}},
            }
        ],
        "ownerReferences": [
            {"kind": "Job", "name": owner, "uid": f"uid-{owner}", "controller": True}
        ],
    }
    if index is not None:
        metadata["annotations"] = {INDEX: str(index)}
    return {
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"restartPolicy": "Never", "containers": [{"name": "work", "image": IMAGE}]},
        "status": {"phase": phase, "containerStatuses": [{"name": "work", "state": state}]},
    }


def at(seconds: float) -> str:
    """A time after noon as the API writes it."""
    return stamp(NOON + seconds)


def two_rounds() -> list[Object]:
    """Six runs of 5 s, three at a time."""
    first = [pod(f"pi-{number}", 0, 1, 6) for number in range(3)]
    return first + [pod(f"pi-{number}", 8, 9, 14) for number in range(3, 6)]
