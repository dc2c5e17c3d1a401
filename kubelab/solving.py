"""The course solves a lab, or the labs before one, with the reference that its tests hold."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from kubelab import answers, hints, labs, learner, resetting
from kubelab.answers import NotApplied
from kubelab.api import Cluster, connect
from kubelab.errors import EnvironmentFault, UsageError
from kubelab.labs import LOADER, Lab
from kubelab.objects import meta
from kubelab.progress import Progress, Stage
from kubelab.site import Site

# On a namespace: `goto` has begun to solve this lab and is not done yet.
BUILDING = "kubelab.dev/building"
TASKS = re.compile(r"\b\d\d\.\d+\b")
# Seconds: a manifest is applied at once, a history waits for rollouts.
MANIFEST, HISTORY = 1.0, 60.0


@dataclass(frozen=True)
class Solved:
    """A lab that the course solved, the tasks of it, and where the learner's work was saved."""

    lab: Lab
    tasks: tuple[str, ...]
    namespace: str
    saved: Path | None


def solve(site: Site, what: str, namespace: str | None = None) -> Solved:
    """Save the learner's objects, then apply the reference of a lab (`02`) or a task (`02.1`).

    A lab that is not started is started. Raises NoCluster or ForeignCluster; UsageError where
    the reference has nothing for a task; EnvironmentFault where the cluster does not take it.
    """
    lab, tasks, files = chosen(site, what)
    name = namespace or lab.namespace
    cluster = connect(site)
    resetting.refuse_foreign(lab, name, cluster.get("Namespace", name))
    progress = Progress([Stage("save", "Save your objects", 1), stage(lab, files)])
    with progress.stage("save") as saving:
        learner.start(site, lab.number, namespace)
        saved = resetting.save_work(cluster, site, lab, name)
        saving.note = str(saved) if saved else "none were there"
    with progress.stage(lab.number):
        # Recorded first: an interrupted one has given things away, too.
        hints.solution_seen(site, lab, tasks, "solve")
        apply(site, lab, files, name)
    return Solved(lab, tasks, name, saved)


def chosen(site: Site, what: str) -> tuple[Lab, tuple[str, ...], list[Path]]:
    """The lab, the tasks and the files of the reference that a word names."""
    lab = labs.find(site.root, what)
    files = answers.solution(lab)
    if "." not in what:
        return lab, tuple(lab.tasks), files
    task = lab.task(f"{lab.number}.{what.partition('.')[2]}").id
    own = [file for file in files if task in tasks_of(file)]
    if not own:
        raise UsageError(
            f"The reference of lab {lab.number} has no file for task {task} alone.",
            look=f"./lab solve {lab.number}",
        )
    solved = sorted({one for file in own for one in tasks_of(file) if one in lab.tasks})
    return lab, tuple(solved), own


def tasks_of(file: Path) -> list[str]:
    """The tasks that a file of the reference names in its first comment."""
    lines = file.read_text(encoding="utf-8").splitlines()
    head = next((line for line in lines if not line.startswith("#!")), "")
    return TASKS.findall(head) if head.startswith("#") else []


def stage(lab: Lab, files: list[Path]) -> Stage:
    """The stage of applying a lab's reference."""
    histories = sum(file.suffix == ".sh" for file in files)
    estimate = MANIFEST * (len(files) - histories) + HISTORY * histories
    return Stage(lab.number, f"Solve lab {lab.number}", estimate)


def apply(site: Site, lab: Lab, files: list[Path], namespace: str) -> None:
    """Apply files of the reference; raises EnvironmentFault where the cluster refuses them."""
    with kubeconfig(site, namespace) as file:
        try:
            answers.apply(files, file)
        except NotApplied as error:
            raise EnvironmentFault(
                f"The reference of lab {lab.number} was not taken: {error}",
                look=f"./lab reset {lab.number}",
            ) from None


@contextmanager
def kubeconfig(site: Site, namespace: str) -> Iterator[Path]:
    """A learner's kubeconfig of a namespace, for as long as the block runs."""
    config = yaml.load(site.kubeconfig.read_text(encoding="utf-8"), Loader=LOADER)
    with tempfile.TemporaryDirectory() as folder:  # Of the user's alone, and so is the file.
        file = Path(folder) / "kubeconfig"
        file.write_text(yaml.safe_dump(learner.learners(config, site.context, namespace)))
        yield file


# goto


def goto(site: Site, number: str, say: Callable[[str], None] = print) -> Lab:
    """Solve every lab before `NN` that was not started, then start `NN`; the lab.

    Labs that the learner started are left alone. What was interrupted goes on.
    """
    lab = labs.find(site.root, number)
    cluster = connect(site)
    before = [one for one in labs.every(site.root) if one.number < lab.number]
    todo = [one for one in before if is_missing(cluster, one)]
    for one in before:
        if one not in todo:
            say(f"Lab {one.number} is started: it is left as it is.")
    progress = Progress([*(stage(one, answers.solution(one)) for one in todo), START])
    for one in todo:
        with progress.stage(one.number):
            build(site, cluster, one)
        say(f"Lab {one.number} is solved by the course: namespace {one.namespace}.")
    with progress.stage(START.name):
        learner.start(site, lab.number)
    return lab


START = Stage("start", "Start the lab", 2)


def is_missing(cluster: Cluster, lab: Lab) -> bool:
    """Whether a lab is not started, or `goto` was interrupted while it solved it."""
    namespace = cluster.get("Namespace", lab.namespace)
    if not learner.is_started(namespace):
        return True
    return BUILDING in (meta(namespace or {}).get("annotations") or {})


def build(site: Site, cluster: Cluster, lab: Lab) -> None:
    """Start a lab and apply its reference; the mark goes when all of it is there."""
    learner.start(site, lab.number)
    mark(cluster, lab, "true")
    hints.solution_seen(site, lab, lab.tasks, "goto")
    apply(site, lab, answers.solution(lab), lab.namespace)
    mark(cluster, lab, None)


def mark(cluster: Cluster, lab: Lab, value: str | None) -> None:
    """Set or remove the mark of a lab that is being solved."""
    cluster.patch("Namespace", lab.namespace, {"metadata": {"annotations": {BUILDING: value}}})
