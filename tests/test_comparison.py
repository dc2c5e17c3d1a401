"""Mine and the reference: compared as objects, told in 80 columns."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fakes import COURSE, FakeCluster, TinySite

from kubelab import answers, comparison, hints, labs, learner, report
from kubelab.api import Refused
from kubelab.cli import main
from kubelab.commands import diff
from kubelab.comparison import Comparison, Difference
from kubelab.errors import NoCluster, UsageError
from kubelab.fields import fields, same
from kubelab.objects import Object
from kubelab.site import Site

LAB = labs.find(COURSE, "90")
(REFERENCE,) = learner.documents(COURSE / "labs" / "90-tiny" / "solution" / "web.yaml")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    found = TinySite(root=COURSE)
    object.__setattr__(found, "folder", tmp_path / "work")
    monkeypatch.setattr(diff, "here", lambda: found)
    return found


@pytest.fixture
def cluster(site: Site, monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    fake = FakeCluster(site)
    monkeypatch.setattr(comparison, "connect", lambda _: fake)
    return fake


def pod(**container: Any) -> Object:
    """The reference's Pod with another container."""
    body = copy.deepcopy(REFERENCE)
    body["spec"]["containers"][0] |= container
    return body


def found(site: Site, cluster: FakeCluster, *mine: Object) -> list[tuple[str, Any, Any]]:
    for body in mine:
        cluster.put(body["kind"], body, "lab-90")
    several = comparison.compare(site, LAB).differences
    return [(one.path, one.mine, one.reference) for one in several]


# Fields


def test_members_of_a_list_are_told_apart_by_their_key_and_not_by_their_place() -> None:
    env = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    assert fields(pod(env=env)) == fields(pod(env=env[::-1]))
    assert fields(pod(env=env))["spec.containers[web].env[B].value"] == "2"


def test_ports_are_told_apart_by_number_so_that_a_name_can_differ() -> None:
    ports = [{"containerPort": 8080, "name": "http"}]
    assert fields(pod(ports=ports))["spec.containers[web].ports[8080].name"] == "http"
    bare = fields(pod(ports=[{"containerPort": 8080}]))
    assert bare["spec.containers[web].ports[8080]"] == "is there"


def test_the_order_of_words_counts() -> None:
    assert fields(pod(args=["a", "b"])) != fields(pod(args=["b", "a"]))


def test_what_says_something_though_it_is_empty_is_a_field() -> None:
    spec = {"volumes": [{"name": "v", "emptyDir": {}}]}
    body = {"kind": "Pod", "metadata": {"name": "web"}, "spec": spec}
    assert fields(body) == {"spec.volumes[v].emptyDir": {}}


@pytest.mark.parametrize(
    ("path", "one", "other", "expected"),
    [
        ("spec.containers[web].resources.limits.cpu", "500m", "0.5", True),
        ("spec.containers[web].resources.limits.memory", "1Gi", "1024Mi", True),
        ("spec.containers[web].resources.limits.memory", "1G", "1Gi", False),
        ("spec.containers[web].env[N].value", "500m", "0.5", False),
        ("spec.replicas", 3, "3", False),
        ("spec.replicas", None, 3, False),
    ],
)
def test_quantities_are_compared_as_quantities_and_nothing_else_is(
    path: str, one: Any, other: Any, expected: bool
) -> None:
    assert same(path, one, other) is expected


# Objects


def test_the_same_with_what_the_server_sets_is_no_difference(
    site: Site, cluster: FakeCluster
) -> None:
    mine = pod()
    mine["metadata"] |= {"uid": "u", "resourceVersion": "5", "generation": 1}
    mine["status"] = {"phase": "Running"}
    assert found(site, cluster, mine) == []


def test_each_difference_has_path_mine_and_reference(site: Site, cluster: FakeCluster) -> None:
    mine = pod(image="kubelab/web:2.0", workingDir="/tmp")
    assert found(site, cluster, mine) == [
        ("spec.containers[web].image", "kubelab/web:2.0", "kubelab/web:1.0"),
        ("spec.containers[web].workingDir", "/tmp", None),
    ]


def test_defaults_of_the_server_are_on_both_sides(
    site: Site, cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def create(kind: str, body: Object, namespace: str, *, dry_run: bool) -> Object:
        assert dry_run
        made = copy.deepcopy(body)
        made["spec"]["restartPolicy"] = "Always"
        return made

    monkeypatch.setattr(cluster, "create", create)
    mine = pod()
    mine["spec"]["restartPolicy"] = "Always"
    assert found(site, cluster, mine) == []
    mine["spec"]["restartPolicy"] = "Never"
    assert found(site, cluster, mine) == [("spec.restartPolicy", "Never", "Always")]


def test_where_the_server_gives_no_defaults_only_what_the_reference_says_counts(
    site: Site, cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: Any, **__: Any) -> Object:
        raise Refused("exceeded quota")

    monkeypatch.setattr(cluster, "create", refuses)
    mine = pod(image="other", imagePullPolicy="Always")
    assert found(site, cluster, mine) == [
        ("spec.containers[web].image", "other", "kubelab/web:1.0")
    ]


def test_a_missing_object_is_one_difference(site: Site, cluster: FakeCluster) -> None:
    assert found(site, cluster) == [("", None, "is there")]


def test_an_object_of_mine_alone_is_named_and_no_difference(
    site: Site, cluster: FakeCluster
) -> None:
    extra = pod() | {"metadata": {"name": "bare"}}
    assert found(site, cluster, pod(), extra) == []
    assert comparison.compare(site, LAB).extra == ("pod/bare",)


SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}


def service(**port: Any) -> Object:
    """A Service with one port."""
    return copy.deepcopy(SERVICE) | {"spec": {"ports": [{"port": 80} | port]}}


def test_a_port_that_the_server_chooses_counts_only_where_the_reference_says_it() -> None:
    made = service(nodePort=30123)
    unsaid = comparison.Reference(comparison.written(made, service()), whole=True)
    mine = service(nodePort=31000)
    assert list(comparison.differences(("Service", "web"), mine, unsaid)) == []
    said = comparison.Reference(comparison.written(made, made), whole=True)
    (one,) = comparison.differences(("Service", "web"), mine, said)
    assert (one.path, one.mine, one.reference) == ("spec.ports[80].nodePort", 31000, 30123)


def test_a_key_is_another_one_each_time_and_counts_only_where_it_is_missing() -> None:
    secret = {"kind": "Secret", "metadata": {"name": "tls"}, "type": "kubernetes.io/tls"}
    theirs = comparison.Reference(fields(secret | {"data": {"tls.key": "b2xk"}}), whole=True)
    key, mine = ("Secret", "tls"), secret | {"data": {"tls.key": "bmV3"}}
    assert list(comparison.differences(key, mine, theirs)) == []
    (one,) = comparison.differences(key, secret, theirs)
    assert one.mine is None
    opaque = comparison.differences(key, mine | {"type": "Opaque"}, theirs)
    assert {one.path for one in opaque} == {"type", "data.[tls.key]"}


def test_a_reference_that_is_a_history_is_run_in_a_namespace_of_its_own(
    site: Site, cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    history = tmp_path / "1.sh"
    history.touch()
    places: list[str] = []

    @contextmanager
    def place(_: Site, lab: labs.Lab, name: str, folder: Path) -> Iterator[answers.Place]:
        places.append(name)
        yield answers.Place(site, lab, f"{name}-lab-90", folder / "kubeconfig")

    def apply(files: list[Path], kubeconfig: Path) -> None:
        assert files == [history]
        cluster.put("Pod", pod(image="kubelab/web:2.0"), f"{places[-1]}-lab-90")

    monkeypatch.setattr(answers, "solution", lambda _: [history])
    monkeypatch.setattr(answers, "place", place)
    monkeypatch.setattr(answers, "apply", apply)
    expected = ("spec.containers[web].image", "kubelab/web:1.0", "kubelab/web:2.0")
    assert found(site, cluster, pod()) == [expected]
    assert found(site, cluster) == [expected]
    assert len(set(places)) == 2


def test_pods_of_generated_names_are_told_apart_without_what_was_generated() -> None:
    def let_go(hash_: str) -> Object:
        labels = {"pod-template-hash": hash_, "taken": "out"}
        generated = {"name": f"api-{hash_}-x2x4p", "generateName": f"api-{hash_}-"}
        return {"kind": "Pod", "metadata": {**generated, "labels": labels}, "spec": {}}

    one, other = let_go("568d8"), let_go("7f9c1")
    assert comparison.identity(one) == comparison.identity(other) == ("Pod", "api-*")
    reference = comparison.Reference(comparison.written(one, {}), whole=True)
    assert list(comparison.differences(("Pod", "api-*"), other, reference)) == []


def test_a_lab_that_is_not_started_is_usage(site: Site, cluster: FakeCluster) -> None:
    cluster.delete("Namespace", "lab-90")
    with pytest.raises(UsageError, match=r"Lab 90 is not started\.") as raised:
        comparison.compare(site, LAB)
    assert raised.value.look == "./lab start 90"


# When it may be seen


def passed(site: Site, *tasks: str) -> None:
    report.append(site.results, [{"check": one, "verdict": "pass"} for one in tasks])


def test_before_every_task_is_done_it_needs_a_word_more(site: Site, cluster: FakeCluster) -> None:
    passed(site, "90.1", "90.2")
    with pytest.raises(UsageError, match="not all of its tasks are done") as raised:
        comparison.reveal(site, LAB, show=False)
    assert raised.value.look == "./lab diff 90 --show"
    assert not (site.work / hints.FILE).exists()


def test_seeing_it_before_the_end_is_recorded_for_every_task(
    site: Site, cluster: FakeCluster
) -> None:
    cluster.put("Pod", pod(), "lab-90")
    comparison.reveal(site, LAB, show=True)
    assert {report.hints_used(site.work, task) for task in LAB.tasks} == {4}


def test_what_could_not_be_shown_is_not_recorded(
    site: Site, cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.delete("Namespace", "lab-90")
    with pytest.raises(UsageError, match="not started"):
        comparison.reveal(site, LAB, show=True)

    def away(_: Site) -> FakeCluster:
        raise NoCluster("There is no cluster yet.")

    monkeypatch.setattr(comparison, "connect", away)
    with pytest.raises(NoCluster):
        comparison.reveal(site, LAB, show=True)
    assert not (site.work / hints.FILE).exists()


def test_after_every_task_is_done_nothing_is_recorded(site: Site, cluster: FakeCluster) -> None:
    cluster.put("Pod", pod(), "lab-90")
    passed(site, *LAB.tasks)
    comparison.reveal(site, LAB, show=True)
    comparison.reveal(site, LAB, show=False)
    assert not (site.work / hints.FILE).exists()


# Text


def test_no_differences_are_said_so() -> None:
    told = comparison.text(Comparison("90", (), ()))
    assert told == "Lab 90: yours and the reference are the same."


def test_a_difference_is_a_line_below_its_object() -> None:
    args = "spec.template.spec.containers[web].args[0]"
    several = (
        Difference("pod/web", "spec.containers[web].livenessProbe.periodSeconds", 5, 2),
        Difference("pod/web", "spec.hostNetwork", True, None),
        Difference("deployment/b", args, "exec python3 /app/ap.py", "exec python3 /app/app.py"),
        Difference("pod/kitchen", "", None, "is there"),
    )
    assert (
        comparison.text(Comparison("90", several, ("pod/bare",)))
        == """\
pod/web                                             mine  reference
  spec.containers[web].livenessProbe.periodSeconds  5     2
  spec.hostNetwork                                  true  -

deployment/b                                  mine          reference
  spec.template.spec.containers[web].args[0]  ...app/ap.py  ...app/app.py

pod/kitchen               mine  reference
  the object              -     is there

yours alone: pod/bare"""
    )


def test_long_paths_and_values_keep_to_80_columns() -> None:
    path = "spec.template.spec.containers[web].lifecycle.preStop.exec.command[0]"
    one = Difference("deployment/web", path, "x" * 90, "y" * 90)
    lines = comparison.text(Comparison("90", (one,), tuple("pod/extra" for _ in range(20))))
    assert max(map(len, lines.splitlines())) <= 80
    assert "...le.preStop.exec.command[0]" in lines or "exec.command[0]" in lines


def test_the_command_prints_text_or_json(
    site: Site, cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.put("Pod", pod(image="x"), "lab-90")
    assert main(["diff", "90"]) == 2
    assert main(["diff", "90", "--show"]) == 0
    assert "spec.containers[web].image" in capsys.readouterr().out
    assert main(["diff", "90", "--show", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["differences"][0]["reference"] == "kubelab/web:1.0"


def test_what_another_student_passed_shows_nobody_else_the_reference(
    site: Site, cluster: FakeCluster
) -> None:
    theirs = copy.deepcopy(cluster.get("Namespace", "lab-90") or {})
    theirs["metadata"]["name"] = "ann-lab-90"
    cluster.put("Namespace", theirs)
    passed(site, *LAB.tasks)
    with pytest.raises(UsageError):
        comparison.reveal(site, LAB, "ann-lab-90", show=False)
    results = [{"check": one, "verdict": "pass", "student": "ann"} for one in LAB.tasks]
    report.append(site.results, results)
    comparison.reveal(site, LAB, "ann-lab-90", show=False)
