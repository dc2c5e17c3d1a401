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

from kubelab import notebook_facts as facts_of
from kubelab.api import Cluster, Object
from kubelab.labs import Lab, Prediction
from kubelab.notebook_facts import Facts
from kubelab.pictures.pod import History, history
from kubelab.words import said, template

SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "!=": operator.ne,
    "=": operator.eq,
}
# A number, or the name of another fact: `>=1`, `<desired`.
COMPARISON = re.compile(r"(>=|<=|!=|=|>|<)\s*([0-9]+|[a-z_]+)")
FACT = re.compile(r"\{([a-z_]+)\}")
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


def look(
    cluster: Cluster, lab: Lab, prediction: Prediction, chosen: float | None = None
) -> Observation:
    """Read what the prediction asks about, live and from the record, and judge it.

    What still moves (nothing to observe yet, no choice true yet, a container on its way) is read
    again, for as long as the prediction's own patience, else PATIENCE. `chosen`: when the
    learner chose, in seconds since the epoch.
    """
    began, patience = time.monotonic(), float(prediction.observe.get("patience", PATIENCE))
    while True:
        seen, moves = _once(cluster, lab, prediction, chosen)
        # A container that ends again and again is always on its way, and the choice is known.
        longest = patience if seen.number is None else min(patience, PATIENCE)
        if not moves or time.monotonic() - began >= longest:
            return seen
        time.sleep(0.5)


def _once(
    cluster: Cluster, lab: Lab, prediction: Prediction, chosen: float | None
) -> tuple[Observation, bool]:
    """One look, and whether the next one may show something else."""
    rule = prediction.observe
    if rule.get("since") == "choice" and chosen is None:
        return Observation({}, pending="Choose first, then run the cell above."), False
    key = next(one for one in facts_of.SUBJECTS if one in rule)
    kind, name = facts_of.SUBJECTS[key], str(lab.names[rule[key]])
    load = rule.get("load")
    asked = facts_of.Asked(
        cluster=cluster,
        lab=lab,
        name=name,
        wanted=named(rule),
        since=rule.get("since", "change"),
        chosen=chosen,
        load=None if load is None else str(lab.names[load]),
        path=rule.get("path", "/"),
    )
    body = cluster.get(kind, name, lab.namespace)
    facts = facts_of.READERS[kind](asked, body)
    if facts is None:
        pending = f"{kind} {name} is not there. Run the cells above first."
        return Observation({}, pending=pending), "patience" in rule
    seen = judge(prediction, facts)
    moves = seen.number is None
    if kind == "Pod" and body is not None:
        moves = moves or not all_run(body)
        uid = body["metadata"]["uid"]  # A Pod of that name before this one has its Events, too.
        events = cluster.objects("Event", lab.namespace, fields=f"involvedObject.uid={uid}")
        seen = replace(seen, history=history(body, events, time.time()))
    return seen, moves


def named(rule: Mapping[str, Any]) -> frozenset[str]:
    """The facts that a rule names, in its conditions, its comparisons and its sentences."""
    cases = [*rule["after"], *(outcome["when"] for outcome in rule["outcomes"])]
    found = {key for case in cases for key in case}
    for value in (value for case in cases for value in case.values()):
        match = COMPARISON.fullmatch(value) if isinstance(value, str) else None
        if match and not match[2].isdigit():
            found.add(match[2])
    because = " ".join(outcome.get("because", "") for outcome in rule["outcomes"])
    return frozenset(found | set(FACT.findall(because)))


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
            because = FACT.sub(lambda match: _word(facts.get(match[1])), outcome.get("because", ""))
            return Observation(facts, outcome["choice"], because)
    return Observation(facts)


def holds(wanted: Mapping[str, Any], facts: Facts) -> bool:
    """Whether every wanted fact is so: equal, or as `>=1` and `<desired` say."""
    return all(_fits(value, facts.get(key), facts) for key, value in wanted.items())


def _fits(wanted: Any, found: Any, facts: Facts) -> bool:
    match = COMPARISON.fullmatch(wanted) if isinstance(wanted, str) else None
    if match is None:
        if isinstance(wanted, str) and wanted.startswith("!="):
            return bool(found != wanted[2:].strip())
        return bool(wanted == found)
    other = int(match[2]) if match[2].isdigit() else facts.get(match[2])
    numbers = isinstance(found, int) and isinstance(other, int)
    return bool(SIGNS[match[1]](found, other)) if numbers else False


def _word(value: Any) -> str:
    words = {True: "yes", False: "no", None: "no answer"}
    return words[value] if value is None or isinstance(value, bool) else str(value)


def told(facts: Facts) -> str:
    """The facts as a person reads them."""
    named = {"health": "health page", "cluster_ip": "cluster IP"}
    shape = template("{name} {value}")
    parts = [
        shape.format(name=said(named.get(key, key.replace("_", " "))), value=said(_word(value)))
        for key, value in facts.items()
    ]
    return template(", ").join(parts)
