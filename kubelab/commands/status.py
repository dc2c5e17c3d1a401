"""What is there, how far you are, and what is next: the map of the labs with their tasks.

The same as JSON is for programs; absent parts are null.
"""

from __future__ import annotations

import argparse
import json

from kubelab import course, standing
from kubelab.site import here
from kubelab.standing import Facts
from kubelab.words import said

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
    words, command = standing.next_step(facts)
    return [*told, "", *course.lines(facts["labs"]), "", f"Next: {words}", f"  {command}"]


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
