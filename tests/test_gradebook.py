"""Grading a class: the same checks, one list a kind, and no student in another's way."""

from __future__ import annotations

import csv
import json
import shutil
import sys
import threading
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from fakes import COURSE, FakeCluster, TinySite, pod

from kubelab import gradebook, labs, learner, report
from kubelab.acting import Proof
from kubelab.classroom import Shared
from kubelab.commands import grade
from kubelab.errors import EnvironmentFault, NoCluster, UsageError
from kubelab.gradebook import Gradebook
from kubelab.labs import Lab
from kubelab.objects import Object
from kubelab.site import Site

TIME = "2026-11-24T12:00:00Z"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    found = TinySite(root=COURSE)
    object.__setattr__(found, "folder", tmp_path / "work")
    return found


@pytest.fixture
def lab() -> Lab:
    return labs.find(COURSE, "90")


class Classroom(FakeCluster):
    """A fake that tells which kinds were listed, and for whom."""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.delete("Namespace", "lab-90")
        self.lists: list[tuple[str, str | None]] = []

    def join(self, name: str, *bodies: Object, started: bool = True, **labels: str) -> str:
        """A student's namespace with Pods."""
        namespace = f"{name}-lab-90"
        marks = {learner.STARTED: TIME} if started else {}
        meta = {"name": namespace, "labels": {learner.LAB_LABEL: "90"} | labels}
        self.put("Namespace", {"metadata": meta | {"annotations": marks}})
        for body in bodies:
            self.put("Pod", body, namespace)
        return namespace

    def objects(self, kind: str, namespace: str | None = None, **more: Any) -> list[Object]:
        self.lists.append((kind, namespace))
        return super().objects(kind, namespace, **more)


def mislabelled() -> Object:
    body = pod()
    body["metadata"]["labels"] = {"app": "webb"}
    return body


@pytest.fixture
def cluster(site: Site) -> Classroom:
    found = Classroom(site)
    found.join("anna", pod())
    found.join("bo", mislabelled())
    found.join("cleo")
    found.join("dan", started=False)
    return found


def book(site: Site, lab: Lab, cluster: FakeCluster) -> Gradebook:
    return Gradebook(site, lab, cluster)  # type: ignore[arg-type]


def graded(site: Site, lab: Lab, cluster: FakeCluster, glob: str = "*") -> list[report.Record]:
    names = gradebook.namespaces(cluster, lab, glob)  # type: ignore[arg-type]
    return book(site, lab, cluster).grade(names)


def words(records: list[report.Record]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in records:
        found.setdefault(one["student"], []).append(gradebook.word(one))
    return found


def test_each_student_gets_the_verdicts_of_the_labs_own_checks(
    site: Site, lab: Lab, cluster: Classroom
) -> None:
    assert words(graded(site, lab, cluster)) == {
        "anna": ["done", "done", "no check"],
        "bo": ["done", "not done", "no check"],
        "cleo": ["not done", "not done", "no check"],
        "dan": ["no start", "no start", "no start"],
    }


def test_one_list_a_kind_serves_the_class(site: Site, lab: Lab, cluster: Classroom) -> None:
    for number in range(20):
        cluster.join(f"s{number:02}", *([pod()] if number % 2 else []))
    names = gradebook.namespaces(cluster, lab, "*")  # type: ignore[arg-type]
    cluster.lists.clear()
    assert len(book(site, lab, cluster).grade(names)) == 24 * 3
    assert [one for one in cluster.lists if one[1] is not None] == [], "none for one student"
    kinds = [kind for kind, _ in cluster.lists]
    assert len(kinds) == len(set(kinds))


def test_results_are_appended_to_the_one_results_file(
    site: Site, lab: Lab, cluster: Classroom
) -> None:
    graded(site, lab, cluster)
    graded(site, lab, cluster, "anna-*")
    schema = json.loads(report.SCHEMA.read_text(encoding="utf-8"))
    written = list(report.read(site.results))
    assert len(written) == 4 * 3 + 3
    for one in written:
        jsonschema.validate(one, schema)
    attempts = [one["attempt"] for one in written if one["student"] == "anna"]
    assert attempts == [1, 1, 1, 2, 2, 2]


def test_namespaces_of_other_labs_of_the_bank_and_of_nobody_are_left_out(
    lab: Lab, cluster: Classroom
) -> None:
    cluster.join("bank0", **{"kubelab.dev/trial": "true"})
    cluster.put(
        "Namespace", {"metadata": {"name": "eve-lab-91", "labels": {learner.LAB_LABEL: "91"}}}
    )
    cluster.put("Namespace", {"metadata": {"name": "default"}})
    cluster.put("Namespace", {"metadata": {"name": "fay-lab-90"}})
    every = gradebook.namespaces(cluster, lab, "*")  # type: ignore[arg-type]
    assert every == ["anna-lab-90", "bo-lab-90", "cleo-lab-90", "dan-lab-90", "fay-lab-90"]
    some = gradebook.namespaces(cluster, lab, "[ab]*-lab-90")  # type: ignore[arg-type]
    assert some == ["anna-lab-90", "bo-lab-90"]
    with pytest.raises(UsageError, match="No namespace of lab 90 matches `zoe-"):
        gradebook.namespaces(cluster, lab, "zoe-*")  # type: ignore[arg-type]


def test_a_fault_in_one_namespace_is_told_there_and_stops_no_other(
    site: Site, lab: Lab, cluster: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = gradebook.ClassView.begin

    def begin(view: gradebook.ClassView) -> None:
        if view.namespace.startswith("bo-"):
            raise ValueError("a name that nobody thought of")
        look(view)

    monkeypatch.setattr(gradebook.ClassView, "begin", begin)
    found = words(graded(site, lab, cluster))
    assert found["bo"] == ["no check"] * 3
    assert found["anna"][:2] == ["done", "done"]


def test_a_cluster_that_goes_away_costs_nobody_points(
    site: Site, lab: Lab, cluster: Classroom
) -> None:
    names = gradebook.namespaces(cluster, lab, "*")  # type: ignore[arg-type]

    def away(*_: Any, **__: Any) -> list[Object]:
        raise NoCluster("The cluster's API server does not answer.", look="./lab doctor")

    cluster.objects = away  # type: ignore[method-assign]
    records = book(site, lab, cluster).grade(names)
    assert {one["verdict"] for one in records} == {"env"}
    assert {one["student"] for one in records} == {"anna", "bo", "cleo", "dan"}
    assert gradebook.possible(records) == 0


def test_what_is_moving_is_watched_as_it_is_now(
    site: Site, lab: Lab, cluster: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.put("Pod", pod("pod-never-ready"), "cleo-lab-90")
    looks: list[tuple[bool, float | None]] = []
    made = gradebook.plugin.result

    def result(*words: Any, **more: Any) -> report.Record:
        view = words[2]
        looks.append((isinstance(view.cluster, Shared), more["timeout"]))
        found = made(*words, **more)
        return found | {"verdict": "not_yet"} if len(looks) == 1 else found

    monkeypatch.setattr(gradebook.plugin, "result", result)
    one = book(site, lab, cluster)
    one.task("cleo-lab-90", lab.task("90.1"))
    assert looks == [(True, 0.0), (False, None)]


def test_acting_waits_for_its_turn_and_few_act_at_once(
    site: Site, lab: Lab, cluster: Classroom
) -> None:
    for number in range(12):
        cluster.join(f"s{number:02}", pod())
    names = gradebook.namespaces(cluster, lab, "s*")  # type: ignore[arg-type]
    one = book(site, lab, cluster)
    now, most = [0], [0]
    lock = threading.Lock()
    gate = threading.Event()

    def check(view: Any) -> None:
        found = view.pod("web")
        assert found.ready

        def act(key: str) -> Proof:
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
                if now[0] == gradebook.ACTING:
                    gate.set()
            gate.wait(5)
            with lock:
                now[0] -= 1
            return Proof(key, True)

        assert view.prove(found.body, act).passed

    one.checks = {"90.1": check, "90.2": check, "90.3": check}
    records = one.grade(names)
    assert {record["verdict"] for record in records} == {"pass"}
    assert most[0] == gradebook.ACTING


def test_a_task_after_one_that_acted_sees_the_namespace_as_it_is(
    site: Site, lab: Lab, cluster: Classroom
) -> None:
    seen: list[bool] = []

    def acts(view: Any) -> None:
        found = view.pod("web")
        assert found.ready

        def act(key: str) -> Proof:
            cluster.delete("Pod", "web", "anna-lab-90")
            return Proof(key, True)

        assert view.prove(found.body, act).passed

    def looks(view: Any) -> None:
        found = view.pod("web")
        seen.append(found.body is not None)
        assert not found.ready

    one = book(site, lab, cluster)
    one.checks = {"90.1": acts, "90.2": looks, "90.3": looks}
    one.grade(["anna-lab-90"])
    assert not any(seen), "the Pod is gone, whatever the shared list says"


def test_a_check_that_is_not_there_is_a_fault_of_the_course(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Python keeps modules by name.
    monkeypatch.delitem(sys.modules, "test_90_tiny", raising=False)
    root = tmp_path / "course"
    shutil.copytree(COURSE, root)
    broken = labs.find(root, "90")
    broken.checks.write_text("import nonesuch\n")
    with pytest.raises(EnvironmentFault, match=r"The check of 90\.1 is a fault.*nonesuch"):
        gradebook.criteria(Site(root=root), broken)


# The screen and the files


@pytest.fixture
def records(site: Site, lab: Lab, cluster: Classroom) -> list[report.Record]:
    return graded(site, lab, cluster)


def test_the_matrix_has_a_line_a_student_and_a_word_a_task(
    lab: Lab, records: list[report.Record]
) -> None:
    names = ["anna-lab-90", "x" * 90]
    lines = [
        gradebook.heading(lab, names),
        gradebook.row(lab, names, names[0], records[:3]),
        gradebook.row(lab, names, names[1], records[:3]),
    ]
    assert lines[0].split() == ["namespace", "90.1", "90.2", "90.3", "points"]
    assert lines[1].split() == ["anna-lab-90", "done", "done", "no", "check", "3/3"]
    assert {len(line) for line in lines} <= set(range(81))
    assert lines[2].split()[0].endswith("...")


def test_what_could_not_be_checked_costs_nothing_and_is_an_empty_cell(
    lab: Lab, records: list[report.Record]
) -> None:
    rows = list(csv.reader(gradebook.as_csv(lab, records).splitlines()))
    assert rows[0] == ["student", "90.1", "90.2", "90.3", "points", "of"]
    assert rows[1] == ["anna", "2", "1", "", "3", "3"]
    assert rows[4] == ["dan", "0", "0", "0", "0", "4"]


def test_no_spreadsheet_takes_a_name_for_a_formula(lab: Lab, records: list[report.Record]) -> None:
    evil = [one | {"student": "=cmd()"} for one in records[:3]]
    assert gradebook.as_csv(lab, evil).splitlines()[1].startswith("'=cmd()")


def test_the_summary_counts_the_words(records: list[report.Record]) -> None:
    told = gradebook.summary(records, 1.25)
    assert told.startswith("4 namespaces in 1.2 s: ")
    assert "3 done" in told
    assert told.endswith("What could not be checked costs no points and may be graded again.")


def test_the_command_writes_every_file_and_the_records_alone_to_the_output(
    site: Site,
    cluster: Classroom,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from kubelab import api, cli

    monkeypatch.setattr(api, "connect", lambda _: cluster)
    monkeypatch.setattr(grade, "here", lambda: site)
    files = ["--junit", str(tmp_path / "a.xml"), "--csv", str(tmp_path / "a.csv")]
    command = ["grade", "90", "--namespaces", "[ab]*", "--json", "-", *files]
    assert cli.main(command) == 4, "90.3 is a check with a mistake"
    out, err = capsys.readouterr()
    assert [one["student"] for one in json.loads(out)] == ["anna"] * 3 + ["bo"] * 3
    assert err.splitlines()[0].startswith("namespace ")
    assert (tmp_path / "a.xml").read_text().count("<testsuite ") == 2
    assert (tmp_path / "a.csv").read_text().count("\n") == 3


def test_junit_alone_goes_to_the_output_and_only_one_of_the_two(
    site: Site,
    cluster: Classroom,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from kubelab import api, cli

    monkeypatch.setattr(api, "connect", lambda _: cluster)
    monkeypatch.setattr(grade, "here", lambda: site)
    command = ["grade", "90", "--namespaces", "[ab]*", "--junit"]
    assert cli.main(command) == 4
    out, _ = capsys.readouterr()
    assert out.startswith("<?xml ")
    assert out.endswith("</testsuites>\n")
    assert cli.main([*command, "--json"]) == 2
