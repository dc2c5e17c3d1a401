"""Where you are, what is next, and one command to paste. `./lab --help` lists the commands."""

from __future__ import annotations

import argparse

from kubelab import course, standing
from kubelab.progress import human
from kubelab.site import here
from kubelab.standing import Facts
from kubelab.words import said

EXAMPLES = ["./lab", "./lab --help"]


def arguments(parser: argparse.ArgumentParser) -> None:
    """No options."""


def run(chosen: argparse.Namespace) -> int:
    """Print it."""
    print("\n".join(map(said, where(standing.gather(here())))))
    return 0


def where(facts: Facts) -> list[str]:
    """The lines: what is there, the map of the course, the next step."""
    words, command = standing.next_step(facts)
    lines = ["kubelab: a hands-on Kubernetes course", ""]
    lines += [f"  cluster    {_cluster(facts)}"]
    lines += [f"  notebooks  {facts['jupyter']['url'] or 'not open'}"]
    lines += ["", *course.lines(facts["labs"], tasks=False)]
    return [*lines, "", f"Next: {words}", f"  {command}"]


def _cluster(facts: Facts) -> str:
    up = facts["up"]
    if up and up["state"] == "running":
        return f"being made ({up['stage'] or 'beginning'}), {human(up['left'])} left"
    if facts["cluster"]["version"]:
        return f"answers: Kubernetes {facts['cluster']['version']}"
    return "not there"
