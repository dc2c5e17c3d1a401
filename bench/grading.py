"""A class that has worked on lab 03: a third finished, a third wrong, a third empty, and graded.

A sample of each kind runs for real: `BENCH_REAL` (4) of those that finished, one of each kind of
wrong answer, and one empty. The Pods of all others are simulated (`bench/simulated.py`): their
objects are the lab's own, made by the same start and the same answers, and the cluster's own
controllers, DNS and recorder work on them; no container of theirs runs.

What acting on copies would show of a simulated namespace is put on record as its twin's proof, as
of a class that was graded before: the sample is graded first, and its proofs are the engine's own.
What a check asks a simulated Pod over HTTP is answered by the twin's: each different question is
put to the sample once; a last measurement puts every one to the twin's Pods.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import simulated
import yaml

from kubelab import answers, gradebook, labs, learner, removal
from kubelab.api import Cluster, connect
from kubelab.labs import Lab
from kubelab.objects import meta, name_of
from kubelab.report import Record
from kubelab.settled import FOLLOWED, generation_seen, rolled_out
from kubelab.site import Site

MANY = int(os.environ.get("BENCH_CLASS", "200"))
REAL = int(os.environ.get("BENCH_REAL", "4"))
NUMBER = "03"
PREFIX = "bench-"
# Namespaces made, answered and removed at once.
AT_ONCE = 8
# Seconds in which the controllers make all Pods of a class, at 20 requests a second each.
MADE = 1200.0
TASKS = ("03.1", "03.2", "03.3", "03.4", "03.5")


@dataclass(frozen=True)
class Sort:
    """One sort of student: the answers of the bank that were given, and the reason of each task.

    None as a reason: the task is done.
    """

    name: str
    files: tuple[str, ...]
    reasons: tuple[str | None, ...]

    def paths(self, lab: Lab) -> list[Path]:
        """The answers as files, in the order in which they are given."""
        return answers.solution(lab) if self is FINISHED else [lab.bank / one for one in self.files]


FINISHED = Sort("finished", (), (None,) * 5)
EMPTY = Sort(
    "empty",
    (),
    ("not-found", "backend-not-found", "not-found", "no-endpoints", "no-endpoints"),
)
WRONG = (
    Sort(
        "wrong names",
        (
            "wrong-selector-typo.yaml",
            "wrong-name-of-backend.sh",
            "wrong-headless-typo.yaml",
            "wrong-api-port-left.sh",
        ),
        (
            "no-endpoints",
            "backend-not-found",
            "no-endpoints",
            "wrong-target-port",
            "wrong-target-port",
        ),
    ),
    Sort(
        "wrong fields",
        (
            "wrong-port.yaml",
            "wrong-page.sh",
            "wrong-cluster-ip.yaml",
            "wrong-api-selector-left.sh",
        ),
        ("wrong-port", "backend-not-found", "not-headless", "no-endpoints", "no-endpoints"),
    ),
    Sort(
        "too wide",
        ("wrong-selector-too-wide.yaml", "wrong-headless-too-wide.yaml", "wrong-nobody-out.sh"),
        ("extra-endpoints", "backend-not-found", "extra-endpoints", None, "none-out"),
    ),
    Sort(
        "wrong behind",
        (
            "wrong-target-port.yaml",
            "wrong-no-caller.sh",
            "wrong-headless-name.yaml",
            "wrong-api-affinity.sh",
        ),
        ("wrong-target-port", "not-ready", "not-found", "session-affinity", "session-affinity"),
    ),
    Sort(
        "refused by acting",
        (
            "wrong-session-affinity.yaml",
            "wrong-service-address.sh",
            "wrong-publish-not-ready.yaml",
            "wrong-pod-deleted.sh",
        ),
        ("session-affinity", "fixed-address", "unready-address", None, "none-out"),
    ),
)


@dataclass(frozen=True)
class Student:
    """One namespace of the class; `twin` is the real one whose answers it has, None for itself."""

    namespace: str
    sort: Sort
    twin: str | None

    @property
    def expected(self) -> dict[tuple[str, str], str | None]:
        """The reason of each record, None where the task is done."""
        who = learner.student(self.namespace)
        return {(who, task): why for task, why in zip(TASKS, self.sort.reasons, strict=True)}


def enrolled(many: int, real: int) -> list[Student]:
    """The class: by turns one that finished, one that is wrong, one that is empty."""
    found: list[Student] = []
    sample: dict[Sort, list[str]] = {}
    for number in range(many):
        turn, kind = divmod(number, 3)
        sort = (FINISHED, WRONG[turn % len(WRONG)], EMPTY)[kind]
        namespace = f"{PREFIX}{number:03}-lab-{NUMBER}"
        runs = sample.setdefault(sort, [])
        if len(runs) < (real if sort is FINISHED else 1):
            runs.append(namespace)
            found.append(Student(namespace, sort, None))
        else:
            found.append(Student(namespace, sort, runs[number % len(runs)]))
    return found


# Making


def make(cluster: Cluster, lab: Lab, students: Sequence[Student]) -> None:
    """Start the lab in each namespace, and give the answers when its Pods are there."""
    step(f"{len(students)} namespaces, {sum(not one.twin for one in students)} of them real")
    # The policy may take a moment; what it sends to the fake node once it goes on sending there.
    first = next((one for one in students if one.twin), None)
    if first is not None:
        start(cluster, lab, first)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        others = [one for one in students if one is not first]
        list(pool.map(lambda one: start(cluster, lab, one, wait=False), others))
    step("the lab is started in each")
    rest(cluster)
    step("all Pods are ready")
    config = yaml.load(cluster.site.kubeconfig.read_text("utf-8"), Loader=labs.LOADER)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda one: answer(cluster, lab, one, config, Path(folder)), students))
    rest(cluster)
    # What has just changed is looked at twice; a class is graded when it has gone home.
    time.sleep(FOLLOWED + 1)
    step("all answers are given")


def start(cluster: Cluster, lab: Lab, one: Student, *, wait: bool = True) -> None:
    """Start the lab in one namespace."""
    if one.twin:
        marked = {"name": one.namespace, "labels": simulated.LABEL}
        cluster.create("Namespace", {"metadata": marked})
    if one.twin and wait:
        simulated.within(MADE, lambda: simulated.takes_pods(cluster, one.namespace), "no policy")
    learner.create(cluster, lab, one.namespace)


def answer(cluster: Cluster, lab: Lab, one: Student, config: dict, folder: Path) -> None:
    """Give one student's answers, as kubectl gives them."""
    files = one.sort.paths(lab)
    if files:
        file = folder / one.namespace
        mine = learner.learners(config, cluster.site.context, one.namespace)
        file.write_text(yaml.safe_dump(mine), encoding="utf-8")
        try:
            answers.apply(files, file)
        except answers.NotApplied as error:
            # A rollout that took longer than a minute, with a class at work.
            step(f"{one.namespace}: {error}; once more")
            answers.apply(files, file)


def rest(cluster: Cluster) -> None:
    """Wait until every Deployment of the class is rolled out."""

    def done() -> bool:
        found = [one for one in cluster.objects("Deployment") if ours(meta(one)["namespace"])]
        return all(generation_seen(one) and rolled_out(one) for one in found)

    simulated.within(MADE, done, "the class is not at rest")


def ours(namespace: str) -> bool:
    """Whether a namespace belongs to a class of the bench."""
    return namespace.startswith(PREFIX) and namespace.endswith(f"-lab-{NUMBER}")


def remove(cluster: Cluster) -> None:
    """Remove every namespace of a class, and what the course keeps about them."""
    left = [name_of(one) for one in cluster.objects("Namespace") if ours(name_of(one))]
    # All are deleted before any is waited for: the namespace controller does several at once.
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda name: answers.remove(cluster, name), left))
    with ThreadPoolExecutor(2) as pool:
        gone = [pool.submit(removal.remove, cluster, one, MADE, MADE) for one in left]
        for one in gone:
            one.result()


# Grading


def pair(cluster: simulated.Counted, students: Iterable[Student]) -> None:
    """Find the twins of the simulated namespaces, and put their proofs on record."""
    lists = {kind: cluster.objects(kind) for kind in ("Pod", "Service", "Deployment")}
    several = [simulated.twin(one.namespace, one.twin, lists) for one in students if one.twin]
    cluster.pair(several)
    for one in several:
        simulated.put_on_record(cluster, one)


def graded(cluster: Cluster, lab: Lab, students: Sequence[Student]) -> tuple[list[Record], float]:
    """The records of some namespaces, as `./lab grade` makes them, and the seconds."""
    began = time.monotonic()
    book = gradebook.Gradebook(cluster.site, lab, cluster)
    chosen = {one.namespace for one in students}
    every = gradebook.namespaces(cluster, lab, f"{PREFIX}*")
    records = book.grade([name for name in every if name in chosen])
    return records, time.monotonic() - began


def misjudged(students: Iterable[Student], records: Iterable[Record]) -> list[str]:
    """What was judged otherwise than expected, in words."""
    expected = {key: why for one in students for key, why in one.expected.items()}
    found = {(one["student"], one["check"]): one for one in records}
    assert found.keys() == expected.keys(), "a record is missing"
    return [
        f"{who} {task}: {one['verdict']} {one['reason']}, not {expected[who, task] or 'pass'}"
        f" ({one['found']})"
        for (who, task), one in found.items()
        if one["reason"] != expected[who, task]
        or one["verdict"] != ("fail" if expected[who, task] else "pass")
    ]


def told(cluster: simulated.Counted, records: Sequence[Record], seconds: float) -> None:
    """Print what grading took, and what it asked for."""
    print(f"  {gradebook.summary(records, seconds)}")
    counts = ", ".join(f"{count} {kind}" for kind, count in cluster.kinds.most_common())
    print(f"  {cluster.requests} requests: {counts}", flush=True)
    if cluster.lent and not cluster.asking:
        print(f"  {cluster.lent} more questions about simulated Pods were answered by the bench")


def step(words: str) -> None:
    """Say how far it is."""
    load = os.getloadavg()[0]
    print(f"{time.strftime('%H:%M:%S')} load {load:.1f}: {words}", flush=True)


@dataclass(frozen=True)
class Apart(Site):
    """The course's cluster, and results that are nobody's."""

    folder: Path = Path()

    @property
    def work(self) -> Path:
        """Not the learner's."""
        return self.folder


@contextmanager
def in_session(students: Sequence[Student]) -> Iterator[tuple[simulated.Counted, Lab]]:
    """A class that has worked; removed afterwards, also after Ctrl-C."""
    with tempfile.TemporaryDirectory() as folder:
        site = Apart(folder=Path(folder))
        lab = labs.find(site.root, NUMBER)
        cluster = simulated.Counted(connect(site))
        with simulated.node(cluster):
            try:
                remove(cluster)
                make(cluster, lab, students)
                yield cluster, lab
            finally:
                step("removing all of it")
                remove(cluster)
        step("removed")


def grade() -> None:
    """The figure: a class graded, with every verdict as expected."""
    students = enrolled(MANY, REAL)
    sample = [one for one in students if one.twin is None]
    wrong: list[str] = []
    paired = False
    with in_session(students) as (cluster, lab):
        for name, several, asking in (
            (f"the sample, for the first time: {len(sample)} real namespaces, acting", sample, 1),
            (f"the class: {len(students) - len(sample)} of {len(students)} simulated", students, 0),
            # What a proof is known by may hold an address of its own: some were made just now.
            ("the same, each proof on record", students, 0),
            ("the same, every question put to real Pods", students, 1),
        ):
            if several is students and not paired:
                pair(cluster, students)
                paired = True
            cluster.begin(asking=bool(asking))
            step(name)
            records, seconds = graded(cluster, lab, several)
            told(cluster, records, seconds)
            wrong += misjudged(several, records)
            step("graded")
    for one in wrong:
        print(f"misjudged: {one}")
    assert not wrong, f"{len(wrong)} verdicts are not as expected"
