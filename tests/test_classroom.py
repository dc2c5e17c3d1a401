"""What a class shares: lists and answers, and never what is no longer true."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fakes import COURSE, TinySite, pod
from test_gradebook import Classroom, mislabelled

from kubelab import ask, classroom
from kubelab.classroom import Shared


@pytest.fixture
def cluster(tmp_path: Path) -> Classroom:
    site = TinySite(root=COURSE)
    object.__setattr__(site, "folder", tmp_path / "work")
    found = Classroom(site)
    found.join("anna", pod())
    found.join("bo", mislabelled())
    found.join("cleo")
    return found


# Lists


def test_a_namespace_in_which_a_check_acted_is_read_as_it_is(cluster: Classroom) -> None:
    shared = Shared(cluster)  # type: ignore[arg-type]
    assert len(shared.objects("Pod", "anna-lab-90")) == 1
    cluster.delete("Pod", "web", "anna-lab-90")
    assert len(shared.objects("Pod", "anna-lab-90")) == 1, "the list is still fresh"
    shared.create("Lease", {"metadata": {"name": "kubelab-acting"}}, "anna-lab-90")
    assert shared.objects("Pod", "anna-lab-90") == []
    assert len(shared.objects("Pod", "bo-lab-90")) == 1


def test_what_is_recorded_about_a_namespace_is_found_again_at_once(cluster: Classroom) -> None:
    shared = Shared(cluster)  # type: ignore[arg-type]
    name, label = "proofs-anna-lab-90", {"kubelab.dev/proofs": "true"}
    assert shared.get("ConfigMap", name, "kubelab-system") is None
    body = {"metadata": {"name": name, "labels": label}}
    shared.create("ConfigMap", body, "kubelab-system")
    assert shared.get("ConfigMap", name, "kubelab-system") is not None


def test_a_list_is_read_again_when_it_is_old(cluster: Classroom) -> None:
    now = [0.0]
    shared = Shared(cluster, lambda: now[0])  # type: ignore[arg-type]
    shared.objects("Pod", "anna-lab-90")
    cluster.delete("Pod", "web", "anna-lab-90")
    now[0] = classroom.FRESH + 1
    assert shared.objects("Pod", "anna-lab-90") == []


def test_a_name_is_found_in_the_shared_list(cluster: Classroom) -> None:
    shared = Shared(cluster)  # type: ignore[arg-type]
    cluster.lists.clear()
    found = shared.objects("Pod", fields="metadata.name=web")
    assert {one["metadata"]["namespace"] for one in found} == {"anna-lab-90", "bo-lab-90"}
    assert shared.objects("Pod", "cleo-lab-90", fields="metadata.name=web") == []
    assert cluster.lists == [("Pod", None)]
    shared.objects("Pod", "anna-lab-90", labels="app=web")
    assert cluster.lists[-1] == ("Pod", "anna-lab-90"), "a selector is the server's to judge"


def test_a_touched_namespace_is_read_as_it_is_and_so_are_its_proofs(cluster: Classroom) -> None:
    shared = Shared(cluster)  # type: ignore[arg-type]
    name, label = "proofs-anna-lab-90", {"kubelab.dev/proofs": "true"}
    assert shared.get("ConfigMap", name, "kubelab-system") is None
    assert len(shared.objects("Pod", "anna-lab-90")) == 1
    cluster.put("ConfigMap", {"metadata": {"name": name, "labels": label}}, "kubelab-system")
    cluster.delete("Pod", "web", "anna-lab-90")
    shared.touch("anna-lab-90")
    assert shared.get("ConfigMap", name, "kubelab-system") is not None
    assert shared.objects("Pod", "anna-lab-90") == []
    assert len(shared.objects("Pod", "bo-lab-90")) == 1


# Answers


GOOD = {"status": 200, "headers": {"x-web-pod": "web-1"}, "body": ""}
LATE = {"status": None, "reason": "timeout", "error": "no answer within 2 s"}


class Questions:
    """A prober that gives these answers in turn, the last for ever."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, question: Any) -> list[dict[str, Any]]:
        self.asked.append(str(question.get("url") or question.get("name")))
        return [self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]]


class Announced:
    """A clock that goes on by one each time, and says that it was read."""

    def __init__(self, ready: threading.Semaphore) -> None:
        self.times = itertools.count()
        self.ready = ready

    def __call__(self) -> float:
        self.ready.release()
        return float(next(self.times))


def url(namespace: str) -> str:
    return f"http://web.{namespace}.svc.cluster.local:80/"


def test_a_good_answer_serves_the_next_task_for_some_seconds(cluster: Classroom) -> None:
    now = [0.0]
    cluster.answer = questions = Questions(GOOD)
    shared: Any = Shared(cluster, lambda: now[0])  # type: ignore[arg-type]
    for _ in range(2):
        (answer,) = ask.http(shared, url("anna-lab-90"))
        assert answer.pod == "web-1"
    ask.http(shared, url("bo-lab-90"))
    assert questions.asked == [url("anna-lab-90"), url("bo-lab-90")]
    now[0] += classroom.SAME + 1
    ask.http(shared, url("anna-lab-90"))
    assert len(questions.asked) == 3


def test_an_answer_that_was_late_is_asked_for_again(cluster: Classroom) -> None:
    cluster.answer = questions = Questions(LATE, GOOD)
    shared: Any = Shared(cluster, lambda: 0.0)  # type: ignore[arg-type]
    found = [ask.http(shared, url("anna-lab-90"))[0].status for _ in range(3)]
    assert found == [None, 200, 200]
    assert len(questions.asked) == 2


def test_the_same_question_of_several_at_once_is_asked_once(cluster: Classroom) -> None:
    begun, go, asked = threading.Event(), threading.Event(), []

    def answer(question: Any) -> list[dict[str, Any]]:
        asked.append(question["url"])
        begun.set()
        assert go.wait(5)
        return [LATE]

    cluster.answer = answer
    ready = threading.Semaphore(0)
    shared: Any = Shared(cluster, Announced(ready))  # type: ignore[arg-type]
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda _: ask.http(shared, url("anna-lab-90"))[0].status, range(4))
        for _ in range(4):
            # Each has read the clock, so each has wanted an answer before the first one came.
            assert ready.acquire(timeout=5)
        assert begun.wait(5)
        go.set()
        assert list(found) == [None] * 4
    assert len(asked) == 1


def test_what_acting_touches_is_asked_anew(cluster: Classroom) -> None:
    cluster.answer = questions = Questions(GOOD)
    shared: Any = Shared(cluster, lambda: 0.0)  # type: ignore[arg-type]
    ask.http(shared, url("anna-lab-90"))
    shared.touch("anna-lab-90")
    ask.http(shared, url("anna-lab-90"))
    assert len(questions.asked) == 2


def test_what_the_recorder_says_is_never_kept(cluster: Classroom) -> None:
    asked: list[str] = []

    def recorder(path: str, _: Any) -> Any:
        asked.append(path)
        return {"pods": []}

    cluster.recorder = recorder
    shared: Any = Shared(cluster)  # type: ignore[arg-type]
    for _ in range(2):
        assert shared.proxied("recorder:8080", "pods", {"namespace": "anna-lab-90"}) == {"pods": []}
    assert asked == ["pods", "pods"]
