"""What is there, how far you are, and what is next: the map of the labs with their tasks.

The same as JSON is for programs; absent parts are null.
"""

from __future__ import annotations

import argparse
import json

from kubelab import standing
from kubelab.columns import padded
from kubelab.commands.where import progress
from kubelab.site import here
from kubelab.standing import Facts
from kubelab.words import said, template

EXAMPLES = ["./lab status", "./lab status --json"]


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(chosen: argparse.Namespace) -> int:
    """Print it; what is not there is no error."""
    facts = standing.gather(here())
    facts["next"] = dict(zip(("words", "command"), standing.next_step(facts), strict=True))
    print(json.dumps(facts, indent=2) if chosen.json else "\n".join(map(said, lines(facts))))
    return 0


def lines(facts: Facts) -> list[str]:
    """The status as text."""
    up = facts["up"]
    told = [*_cluster(facts["cluster"]), f"engine      {_engine(facts['engine'])}"]
    told.append(f"notebooks   {facts['jupyter']['url'] or 'not open'}")
    told.append(f"your work   {facts['work']}")
    if up:
        told.append(f"up          {up['state']}{', ' + up['stage'] if up['stage'] else ''}")
    told.append("")
    for lab in facts["labs"]:
        told.append(f"lab {lab['lab']}      {lab['title']}: {progress(lab)}")
        if lab["started"] or lab.get("attempts"):
            told += [_task(one) for one in lab.get("tasks", ())]
    words, command = standing.next_step(facts)
    return [*told, "", f"Next: {words}", f"  {command}"]


def _task(one: Facts) -> str:
    state = said("done" if one["done"] else "not done") if judged(one) else template("open")
    notes = [counted(one["attempts"], "attempt"), counted(one["hints"], "hint")]
    notes += ["with the reference"] if one["reference"] else []
    points = template("{points} of {of}").format(**one)
    line = f"  {one['task']}      {padded(state, 9)} {points}   "
    return (line + said(", ".join(filter(None, notes)))).rstrip()


def judged(one: Facts) -> bool:
    """Whether a task was done or tried."""
    return bool(one["done"] or one["attempts"])


def counted(number: int, what: str) -> str:
    """`2 attempts`; empty for none."""
    return f"{number} {what}{'s' if number > 1 else ''}" if number else ""


def _cluster(cluster: Facts) -> list[str]:
    if not cluster["version"]:
        return ["cluster     not there, or it does not answer"]
    return [
        f"cluster     {cluster['name']}: Kubernetes {cluster['version']}, {cluster['nodes']} nodes",
        f"ports       HTTP {cluster['http_port']}, HTTPS {cluster['https_port']} on loopback",
        f"kubeconfig  {cluster['kubeconfig']}, context {cluster['context']}",
    ]


def _engine(engine: Facts) -> str:
    if not engine["version"]:
        return "none answers"
    whose = "started by the course" if engine["ours"] else "was running"
    return f"Docker {engine['version']}, {whose}"
