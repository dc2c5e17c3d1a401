"""How far the learner is, and what is there: the facts behind `./lab` and `./lab status`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from kubelab import progress
from kubelab.errors import KubelabError
from kubelab.labs import Lab, Task
from kubelab.site import Site

Facts = dict[str, Any]


def gather(site: Site) -> Facts:
    """Everything that `status --json` holds; what is absent is None. Raises nothing."""
    from kubelab import cluster, engine, jupyter

    def container_engine() -> Facts:
        found = engine.find()
        return {"version": found.version, "ours": found.ours} if found else ABSENT_ENGINE

    def notebooks() -> Facts:
        return jupyter.status(site) or ABSENT_JUPYTER

    with ThreadPoolExecutor() as pool:  # Each waits for somebody else's answer.
        asked = pool.submit(cluster.status, site)
        docker = pool.submit(_or, ABSENT_ENGINE, container_engine)
        lab = pool.submit(_or, ABSENT_JUPYTER, notebooks)
        there = asked.result()
        started = started_labs(site) if there.get("version") else set()
        return {
            "cluster": there,
            "made": site.kubeconfig.exists(),
            "engine": docker.result(),
            "jupyter": lab.result(),
            "up": working(site),
            "labs": labs(site, started),
            "work": str(site.work),
        }


ABSENT_ENGINE: Facts = {"version": None, "ours": None}
ABSENT_JUPYTER: Facts = {"url": None, "port": None, "pid": None}


def working(site: Site) -> Facts | None:
    """What an `up` is doing at this moment, or how the last one broke off; else None."""
    record = progress.read(site.progress)
    if record is None or record["state"] == "done":
        return None
    running = [one["title"] for one in record["stages"] if one["state"] == "running"]
    failed = [one["title"] for one in record["stages"] if one["state"] == "failed"]
    return {
        "state": record["state"],
        "stage": (running or failed or [None])[0],
        "left": record["left"],
        "message": record["message"],
    }


def labs(site: Site, started: Iterable[str] = ()) -> list[Facts]:
    """Every lab in order, with its points: a task that was once passed stays passed."""
    from kubelab import labs as course
    from kubelab import report

    own = [one for one in report.read(site.results) if not one.get("student")]
    return [standing(lab, own, lab.number in started) for lab in course.every(site.root)]


def standing(lab: Lab, records: Iterable[Mapping[str, Any]], started: bool) -> Facts:
    """One lab's line: whether it is started and done, the points earned and how many there are."""
    by_task: dict[str, list[Mapping[str, Any]]] = {id_: [] for id_ in lab.tasks}
    for one in records:
        by_task.get(str(one.get("check")), []).append(one)
    tasks = [task_standing(task, by_task[task.id]) for task in lab.tasks.values()]
    return {
        "lab": lab.number,
        "title": lab.title,
        "about": lab.about,
        "minutes": lab.minutes,
        "notebook": lab.notebook.name,
        "started": started,
        "done": all(one["done"] for one in tasks),
        "points": sum(one["points"] for one in tasks),
        "of": lab.points,
        "attempts": sum(one["attempts"] for one in tasks),
        "tasks": tasks,
    }


def task_standing(task: Task, records: Iterable[Mapping[str, Any]]) -> Facts:
    """One task's line; a check that could not be made is no attempt.

    `reference` says that the course had solved it, or had shown the reference, before the pass.
    """
    judged = [one for one in records if one.get("verdict") != "env"]
    passed = next((one for one in judged if one.get("verdict") == "pass"), None)
    hints = max((int(one.get("hints_used") or 0) for one in judged), default=0)
    return {
        "task": task.id,
        "title": task.sentence,
        "done": passed is not None,
        "points": task.points if passed is not None else 0,
        "of": task.points,
        "attempts": len(judged),
        "hints": min(hints, len(task.hints)),
        "reference": passed is not None and int(passed.get("hints_used") or 0) > len(task.hints),
    }


def started_labs(site: Site) -> set[str]:
    """The numbers of the labs whose namespace is there; empty where the cluster is silent."""
    from kubelab.api import connect
    from kubelab.learner import LAB_LABEL, is_started

    try:
        found = connect(site).objects("Namespace", labels=LAB_LABEL)
    except KubelabError:
        return set()
    numbers = {
        one["metadata"]["name"]: one["metadata"]["labels"][LAB_LABEL]
        for one in found
        if is_started(one)
    }
    # A lab in another namespace is somebody else's, or a trial.
    return {number for name, number in numbers.items() if name == f"lab-{number}"}


def next_step(facts: Facts) -> tuple[str, str]:
    """The next step in words, and the one command to paste for it."""
    up = facts["up"] or {}
    if up.get("state") == "running":
        return "`./lab up` is at work: follow it.", "./lab up"
    if not facts["cluster"]["version"]:
        if up:
            return f"`./lab up` did not end well ({up['state']}): let it go on.", "./lab up"
        if facts["made"]:
            return f"Bring the cluster back{_and_go_on(facts['labs'])}.", "./lab up"
        return "Make the cluster and open the course.", "./lab up"
    if not facts["jupyter"]["url"]:
        return "Open the notebooks.", "./lab open"
    open_labs = [one for one in facts["labs"] if not one["done"]]
    if not open_labs:
        return "Every lab is done. Save your objects and free this machine.", "./lab down"
    started = next((one for one in open_labs if one["started"]), None)
    if started is not None:
        return (
            f"Do the tasks of lab {started['lab']}, then check them.",
            f"./lab check {started['lab']}",
        )
    first = open_labs[0]["lab"]
    return f"Start lab {first}.", f"./lab start {first}"


def _and_go_on(several: Iterable[Facts]) -> str:
    lab = current(several)
    return f", and go on with lab {lab['lab']}" if lab else ""


def current(several: Iterable[Facts]) -> Facts | None:
    """The lab to go on with: one that was begun, else the first that is not done; or None."""
    todo = [one for one in several if not one["done"]]
    begun = (one for one in todo if one["started"] or one["attempts"])
    return next(begun, todo[0] if todo else None)


def _or(absent: Facts, ask: Callable[[], Facts]) -> Facts:
    try:
        return ask()
    except (KubelabError, OSError):
        return absent
