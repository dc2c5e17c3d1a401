"""Predictions: what the learner expected, beside what this cluster's record says."""

from __future__ import annotations

import json
import operator
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kubelab import ask
from kubelab.api import Cluster, Object
from kubelab.labs import Lab, Prediction
from kubelab.notebook_picture import History, history

SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
Facts = dict[str, Any]
PATIENCE = 5.0  # seconds


@dataclass(frozen=True)
class Choice:
    """A kept prediction: the number chosen (from 1) and when, in seconds since the epoch."""

    number: int
    at: float


@dataclass(frozen=True)
class Observation:
    """What the record says; `number` is the choice that came true, None where none did."""

    facts: Facts
    number: int | None = None
    because: str = ""
    pending: str = ""
    history: History | None = None


def keep(file: Path, prediction: str, number: int) -> None:
    """Append one prediction to the learner's file (JSON Lines)."""
    file.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps({"at": time.time(), "prediction": prediction, "choice": number})
    with file.open("a", encoding="utf-8") as out:
        out.write(line + "\n")


def kept(file: Path, prediction: str) -> Choice | None:
    """The learner's newest choice; None where there is none."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    for line in reversed(lines):
        try:
            record = json.loads(line)
            if record["prediction"] == prediction:
                return Choice(int(record["choice"]), float(record["at"]))
        except (ValueError, KeyError, TypeError):
            continue  # Half a line, from a machine that lost power.
    return None


def look(cluster: Cluster, lab: Lab, prediction: Prediction) -> Observation:
    """Read what the prediction asks about from the live cluster, and judge it.

    A Pod that still moves (a container on its way, no choice true yet) is read again, for at
    most PATIENCE seconds.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        seen, moves = _once(cluster, lab, prediction)
        if not moves or time.monotonic() >= deadline:
            return seen
        time.sleep(0.5)


def _once(cluster: Cluster, lab: Lab, prediction: Prediction) -> tuple[Observation, bool]:
    """One look, and whether the next one may show something else."""
    name = str(lab.names[prediction.observe["pod"]])
    pod = cluster.get("Pod", name, lab.namespace)
    if pod is None:
        pending = f"Pod {name} is not there. Run the cells above first."
        return Observation({}, pending=pending), False
    facts = pod_facts(pod)
    if any("health" in case for case in prediction.observe["after"]):
        facts["health"] = health(cluster, pod)
    seen = judge(prediction, facts)
    moves = seen.number is None or not all_run(pod)
    uid = pod["metadata"]["uid"]  # A Pod of that name before this one has its Events, too.
    events = cluster.objects("Event", lab.namespace, fields=f"involvedObject.uid={uid}")
    return replace(seen, history=history(pod, events, time.time())), moves


def all_run(pod: Object) -> bool:
    """Whether every container of the Pod is running now."""
    containers = pod.get("status", {}).get("containerStatuses", [])
    return bool(containers) and all("running" in one.get("state", {}) for one in containers)


def judge(prediction: Prediction, facts: Facts) -> Observation:
    """Which choice the facts decide for, or why it is too early to say."""
    rule = prediction.observe
    if not any(holds(case, facts) for case in rule["after"]):
        return Observation(facts, pending=rule["pending"])
    for outcome in rule["outcomes"]:
        if holds(outcome["when"], facts):
            return Observation(facts, outcome["choice"], outcome.get("because", ""))
    return Observation(facts)


def holds(wanted: Mapping[str, Any], facts: Facts) -> bool:
    """Whether every wanted fact is so: equal, or as `>=1` says."""
    return all(_fits(value, facts.get(key)) for key, value in wanted.items())


def _fits(wanted: Any, found: Any) -> bool:
    match = re.fullmatch(r"(>=|<=|>|<)\s*(\d+)", wanted) if isinstance(wanted, str) else None
    if match is None:
        return bool(wanted == found)
    return found is not None and SIGNS[match.group(1)](found, int(match.group(2)))


def pod_facts(pod: Object) -> Facts:
    """What decides predictions about a Pod: ready, restarts, phase."""
    status = pod.get("status", {})
    conditions = {c["type"]: c["status"] for c in status.get("conditions", [])}
    containers = status.get("containerStatuses", [])
    return {
        "phase": status.get("phase", "Unknown"),
        "ready": conditions.get("Ready") == "True",
        "restarts": sum(c.get("restartCount", 0) for c in containers),
    }


def health(cluster: Cluster, pod: Object) -> int | None:
    """The HTTP status of the Pod's `/healthz`, asked from inside; None without an answer."""
    address = pod.get("status", {}).get("podIP")
    if not address:
        return None
    port = pod["spec"]["containers"][0]["ports"][0]["containerPort"]
    (answer,) = ask.http(cluster, ask.address(address, port, "/healthz"))
    return answer.status


def told(facts: Facts) -> str:
    """The facts as a person reads them."""
    words = {True: "yes", False: "no", None: "no answer"}
    parts = []
    for key, value in facts.items():
        shown = words[value] if value is None or isinstance(value, bool) else value
        parts.append(f"{'health page' if key == 'health' else key} {shown}")
    return ", ".join(parts)
