"""The recorder of images/agent: what it reads, keeps and tells."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from image_program import IMAGES, Program, agent

sys.path.insert(0, str(IMAGES / "agent"))
from agent import audit, labs, record, recorder, tail

CLUSTER = IMAGES.parent / "cluster"
EVENT = {
    "kind": "Event",
    "apiVersion": "audit.k8s.io/v1",
    "level": "Metadata",
    "auditID": "a1",
    "stage": "ResponseComplete",
    "requestURI": "/api/v1/namespaces/lab-02/pods?fieldManager=kubectl-client-side-apply",
    "verb": "create",
    "user": {"username": "kubernetes-admin", "groups": ["kubeadm:cluster-admins"]},
    "impersonatedUser": {"username": "learner", "groups": ["kubelab:learners"]},
    "sourceIPs": ["172.18.0.1"],
    "userAgent": "kubectl/v1.37.2",
    "objectRef": {"resource": "pods", "namespace": "lab-02", "name": "web", "apiVersion": "v1"},
    "responseStatus": {"metadata": {}, "code": 201},
    "requestReceivedTimestamp": "2026-11-24T13:00:00.500000Z",
    "stageTimestamp": "2026-11-24T13:00:00.510000Z",
}
BEGIN = datetime(2026, 11, 24, 13, 0, 0, 500000, UTC).timestamp()


def event(number: int, namespace: str = "lab-02", user: str | None = None, **more: Any) -> bytes:
    """A line of the log; its `number` is also the second in which it happened."""
    moment = datetime.fromtimestamp(BEGIN + number, UTC).isoformat().replace("+00:00", "Z")
    changed: dict[str, Any] = {
        **EVENT,
        "auditID": f"id-{number}",
        "requestReceivedTimestamp": moment,
        "objectRef": {**EVENT["objectRef"], "namespace": namespace, "name": f"web-{number}"},
        **more,
    }
    if user:
        changed |= {"user": {"username": user}, "impersonatedUser": None}
    return json.dumps(changed).encode() + b"\n"


def write(log: Path, *lines: bytes) -> None:
    with log.open("ab") as stream:
        stream.writelines(lines)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    folder = tmp_path / "log"
    folder.mkdir()
    return folder / "kube-apiserver-audit.log"


@pytest.fixture
def start(log: Path, tmp_path: Path) -> Callable[[], Any]:
    """Starts a recorder; each one finds what the one before has left."""
    env = {"AUDIT_LOG": str(log), "STATE": str(tmp_path / "state" / "deep")}
    return lambda: agent("recorder", env)


@pytest.fixture
def recording(log: Path) -> Iterator[Callable[[Path], recorder.Recorder]]:
    """A recorder in this process, which looks when it is told to."""
    with ExitStack() as stack:
        yield lambda state: stack.enter_context(closing(recorder.Recorder(log, state)))


def names(program: Program, query: str = "namespace=lab-02") -> list[str]:
    answer = program.ask(f"/audit?{query}")
    assert answer.status == 200, answer.text
    return [entry["name"] for entry in answer.json["entries"]]


def rotate(log: Path) -> None:
    """As the API server does it."""
    log.rename(log.with_name(f"{log.stem}-2026-11-24T13-00-00.000.log"))


# What is told


def test_an_entry_tells_who_did_what_when(log, start):
    """The learner by impersonation, with the verb, the object and the answer's code."""
    write(log, json.dumps(EVENT).encode() + b"\n")
    with start() as program:
        answer = program.ask("/audit?namespace=lab-02").json
    assert answer == {
        "complete": {},
        "entries": [
            {
                "id": "a1/ResponseComplete",
                "at": BEGIN,
                "stage": "ResponseComplete",
                "verb": "create",
                "user": "kubernetes-admin",
                "impersonated": "learner",
                "user_agent": "kubectl/v1.37.2",
                "group": "",
                "resource": "pods",
                "subresource": "",
                "namespace": "lab-02",
                "name": "web",
                "uid": None,
                "dry_run": False,
                "code": 201,
            }
        ],
    }


def test_what_was_done_before_the_question_is_in_the_answer(log, start):
    """Every question reads the log to its end first, so nothing has to be waited for."""
    log.touch()
    with start() as program:
        for number in range(30):
            write(log, event(number))
            assert names(program)[-1] == f"web-{number}"


def test_questions_choose_namespace_time_and_number(log, start):
    """The newest ones after `since`, oldest first; no namespace is all, an empty one is none."""
    write(log, *(event(n, "lab-02" if n % 2 else "lab-03") for n in range(8)), event(9, ""))
    with start() as program:
        assert names(program) == ["web-1", "web-3", "web-5", "web-7"]
        assert names(program, "namespace=lab-02&limit=2") == ["web-5", "web-7"]
        assert names(program, f"namespace=lab-02&since={BEGIN + 3}") == ["web-5", "web-7"]
        assert len(names(program, "")) == 9
        assert names(program, "namespace=") == ["web-9"]
        assert names(program, "namespace=lab-77") == []
        assert program.ask("/audit?limit=0").status == 400
        assert program.ask("/audit?since=yesterday").status == 400
        assert program.ask("/audit?namespace=lab-77").json == {"entries": [], "complete": {}}


def test_a_dry_run_is_told_from_a_deed():
    """`kubectl apply --dry-run=server` changes nothing."""
    line = event(1, requestURI="/api/v1/namespaces/lab-02/pods?dryRun=All&fieldManager=x")
    assert audit.entry(line)["dry_run"] is True


def test_what_is_no_event_is_left_out(log, start):
    """Half lines, other JSON, bytes."""
    write(log, b"{\n", b"[]\n", b"\xff\xfe\n", b"\n", b"{}\n", b'{"user": 5}\n', event(1))
    write(log, event(2, objectRef=None), event(3, responseStatus=None, userAgent="x" * 999))
    with start() as program:
        found = program.ask("/audit").json["entries"]
    assert [one["resource"] for one in found] == ["pods", "", "pods"]
    assert (found[2]["code"], len(found[2]["user_agent"])) == (None, 200)


# How the log is followed


def test_a_line_counts_when_it_is_whole(log, start):
    """The API server may be in the middle of writing."""
    line = event(1)
    write(log, line[:50])
    with start() as program:
        assert names(program) == []
        write(log, line[50:])
        assert names(program) == ["web-1"]


def test_a_rotated_log_is_followed(log, start):
    """What was written last to the old file, and what comes first in the new one."""
    write(log, event(1))
    with start() as program:
        assert names(program) == ["web-1"]
        write(log, event(2))
        rotate(log)
        write(log, event(3))
        assert names(program) == ["web-1", "web-2", "web-3"]


def test_the_moment_between_two_files_is_no_fault(log, start):
    """The old name is gone, the new file is not there yet."""
    write(log, event(1))
    with start() as program:
        assert names(program) == ["web-1"]
        rotate(log)
        assert names(program) == ["web-1"]
        write(log, event(2))
        assert names(program) == ["web-1", "web-2"]


def test_a_truncated_log_is_read_from_its_beginning(log, start):
    """Same file, less in it."""
    write(log, event(1), event(2))
    with start() as program:
        assert len(names(program)) == 2
        log.write_bytes(event(3))
        assert names(program) == ["web-1", "web-2", "web-3"]


def test_a_line_without_end_is_dropped(log, start, tmp_path):
    """It does not fill the memory, and the next line counts."""
    write(log, b"x" * (3 * tail.LONGEST), b"\n", event(1))
    with start() as program:
        assert names(program) == ["web-1"]


# What outlives the recorder


def test_a_restart_goes_on_where_it_stopped(log, start):
    """Nothing is lost and nothing is there twice."""
    write(log, event(1))
    with start() as program:
        assert names(program) == ["web-1"]
    write(log, event(2))
    with start() as program:
        assert names(program) == ["web-1", "web-2"]


def test_the_record_outlives_the_log(log, start):
    """The file that the first entries came from is gone."""
    write(log, event(1))
    with start() as program:
        assert names(program) == ["web-1"]
    log.unlink()
    write(log, event(2))
    with start() as program:
        assert names(program) == ["web-1", "web-2"]


def test_a_rotation_while_nobody_looks_loses_nothing(log, start):
    """The rest of the older file is read first."""
    write(log, event(1))
    with start() as program:
        assert names(program) == ["web-1"]
    write(log, event(2))
    rotate(log)
    write(log, event(3))
    with start() as program:
        assert names(program) == ["web-1", "web-2", "web-3"]


@pytest.mark.parametrize("damage", [b"", b"{", b'{"inode": 1}', b'{"inode": 1, "offset": 5}'])
def test_a_lost_position_makes_nothing_double(log, start, tmp_path, damage):
    """Entries are known by their id, so reading again adds nothing."""
    write(log, event(1), event(2))
    with start() as program:
        assert len(names(program)) == 2
    (tmp_path / "state" / "deep" / "audit.position.json").write_bytes(damage)
    write(log, event(3))
    with start() as program:
        assert names(program) == ["web-1", "web-2", "web-3"]


def test_a_record_that_was_cut_off_is_mended(log, start, tmp_path):
    """The last write before a power loss is half a line."""
    write(log, event(1), event(2))
    with start() as program:
        assert len(names(program)) == 2
    kept = tmp_path / "state" / "deep" / "audit.jsonl"
    kept.write_bytes(kept.read_bytes()[:-20])
    write(log, event(3))
    with start() as program:
        assert names(program) == ["web-1", "web-3"]
    for line in kept.read_bytes().splitlines():
        json.loads(line)


# Bounds


NODE = "system:node:kubelab-worker"
ACCOUNT = "system:serviceaccount:lab-02:by-hand"
CONTROLLER = "system:serviceaccount:kube-system:deployment-controller"


def test_nobody_is_pushed_out_by_others(tmp_path, monkeypatch):
    """Each kind has its own number of entries in a namespace; the newest stay, and it is told."""
    monkeypatch.setattr(record, "MOST", dict.fromkeys(record.MOST, 2) | {"nodes": 3})
    kept = record.Record(tmp_path / "audit.jsonl")
    for number in range(3):
        kept.add(audit.entry(event(number)))
    kept.add(audit.entry(event(3, user=CONTROLLER)))
    for number in range(4, 50):
        kept.add(audit.entry(event(number, user=NODE)))
    for number in range(50, 60):
        kept.add(audit.entry(event(number, user=ACCOUNT)))
    kept.add(audit.entry(event(60, "lab-03")))
    found = [one["name"] for one in kept.entries("lab-02", 0, 100)]
    assert found == [f"web-{n}" for n in (1, 2, 3, 47, 48, 49, 58, 59)]
    assert kept.complete("lab-02") == {
        "people": BEGIN, "nodes": BEGIN + 46, "accounts": BEGIN + 57
    }  # fmt: skip
    assert kept.complete("lab-03") == {}
    assert len(kept) == 9


def test_what_is_refused_pushes_out_no_deed(tmp_path, monkeypatch):
    """A loop that asks again and again for what is there by now."""
    monkeypatch.setattr(record, "REFUSED", dict.fromkeys(record.REFUSED, 2))
    kept = record.Record(tmp_path / "audit.jsonl")
    kept.add(audit.entry(event(0, user=ACCOUNT)))
    for number in range(1, 50):
        no = {"code": 409}
        kept.add(audit.entry(event(number, user=ACCOUNT, responseStatus=no)))
    assert [one["code"] for one in kept.entries("lab-02", 0, 100)] == [201, 409, 409]
    assert kept.complete("lab-02") == {"refused accounts": BEGIN + 47}


def test_after_a_restart_a_full_record_may_have_dropped_something(tmp_path, monkeypatch):
    """Nobody has written down whether it did."""
    monkeypatch.setattr(record, "MOST", dict.fromkeys(record.MOST, 3))
    kept = record.Record(tmp_path / "audit.jsonl")
    for number in range(3):
        kept.add(audit.entry(event(number)))
    kept.flush()
    assert kept.complete("lab-02") == {}
    assert record.Record(kept.file).complete("lab-02") == {"people": BEGIN}


def test_all_namespaces_together_are_bounded(tmp_path, monkeypatch):
    """The fullest gives way."""
    monkeypatch.setattr(record, "ALL", 10)
    kept = record.Record(tmp_path / "audit.jsonl")
    kept.add(audit.entry(event(0, "lab-02")))
    for number in range(1, 40):
        kept.add(audit.entry(event(number, "lab-03")))
    assert len(kept) == 10
    assert len(kept.entries("lab-02", 0, 100)) == 1
    assert kept.entries("lab-03", 0, 100)[0]["name"] == "web-31"


def test_the_file_is_bounded_and_holds_what_memory_holds(tmp_path, monkeypatch):
    """It is written anew when it grows too large."""
    monkeypatch.setitem(record.MOST, "people", 5)
    file = tmp_path / "audit.jsonl"
    kept = record.Record(file, largest=10_000)
    for number in range(500):
        kept.add(audit.entry(event(number)))
        kept.flush()
        assert file.stat().st_size <= 10_000
    again = record.Record(file)
    assert again.entries("lab-02", 0, 9) == kept.entries("lab-02", 0, 9)
    assert len(again) == 5


def test_a_full_disk_loses_no_entry(tmp_path, log, recording):
    """What could not be written is written when there is room again."""
    write(log, event(1))
    state = tmp_path / "state"
    one = recording(state)
    file = state / "audit.jsonl"
    file.unlink()
    file.mkdir()  # Opening it fails, as on a disk that has gone.
    one.catch_up()
    status, answer = one.audit({})
    assert (status, answer["error"]) == (503, f"{file}: Is a directory")
    file.rmdir()
    status, answer = one.audit({})
    assert (status, [entry["name"] for entry in answer["entries"]]) == (200, ["web-1"])
    assert len(record.Record(file)) == 1


# Health


def test_a_log_that_is_not_there_is_not_well(log, start):
    """503 with a sentence; and well as soon as the log is there."""
    with start() as program:
        assert program.ask("/audit").status == 503
        answer = program.ask("/healthz")
        assert (answer.status, answer.json["ok"]) == (503, False)
        assert answer.json["error"] == f"{log}: No such file or directory"
        write(log, event(1))
        assert names(program) == ["web-1"]
        assert program.ask("/healthz").status == 200


def test_health_tells_how_far_behind_the_log_it_is(log, start):
    """In seconds since the last look and in bytes that are not read."""
    write(log, event(1), event(2)[:9])
    with start() as program:
        assert names(program) == ["web-1"]
        found = program.ask("/healthz").json
    assert (found["ok"], found["role"], found["entries"]) == (True, "recorder", 1)
    assert found["lag_bytes"] == 9
    assert 0 <= found["lag_seconds"] < 5


def test_it_looks_by_itself(log, start):
    """Without a question the record grows, so it outlives a log that is rotated twice."""
    write(log, event(1))
    deadline = time.monotonic() + 15
    with start() as program:
        while program.ask("/healthz").json["entries"] != 1:
            assert time.monotonic() < deadline


def test_a_recorder_that_stopped_looking_is_not_well(log, recording, tmp_path, monkeypatch):
    """Its last look is more than ten seconds ago."""
    write(log, event(1))
    one = recording(tmp_path / "state")
    assert one.healthz({})[0] == 503
    one.catch_up()
    assert one.healthz({})[0] == 200
    later = time.monotonic() + 11
    monkeypatch.setattr(recorder.time, "monotonic", lambda: later)
    assert one.healthz({})[0] == 503


# The manifest


@pytest.fixture(scope="module")
def objects() -> dict[tuple[str, str], Any]:
    text = (CLUSTER / "kubelab-system.yaml").read_text(encoding="utf-8")
    return {(one["kind"], one["metadata"]["name"]): one for one in yaml.safe_load_all(text)}


def test_the_manifest_runs_both_programs_bounded(objects):
    """Images that are never pulled, bounds on what they take, a read-only system."""
    for role in ("prober", "recorder"):
        spec = objects["Deployment", role]["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        assert (container["args"], container["image"]) == ([role], "kubelab/agent:1.0")
        assert container["imagePullPolicy"] == "Never"
        assert set(container["resources"]) == {"requests", "limits"}
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        selector = objects["Service", role]["spec"]["selector"]
        labels = objects["Deployment", role]["spec"]["template"]["metadata"]["labels"]
        assert selector.items() <= labels.items()
        assert objects["Service", role]["spec"]["ports"][0]["port"] == 8080


def test_the_prober_has_no_rights_and_the_recorder_reads_what_it_records(objects):
    """No token for the one; for the other nothing but reading, and no Secret."""
    assert objects["ServiceAccount", "prober"]["automountServiceAccountToken"] is False
    assert objects["ServiceAccount", "recorder"]["automountServiceAccountToken"] is True
    rules = objects["ClusterRole", "kubelab-recorder"]["rules"]
    assert {verb for rule in rules for verb in rule["verbs"]} == {"get", "list", "watch"}
    read = {resource for rule in rules for resource in rule["resources"]}
    plurals = {"namespaces", *(plural for _, plural in labs.PATHS.values())}
    assert read == plurals
    (binding,) = [one for (kind, _), one in objects.items() if "RoleBinding" in kind]
    (subject,) = binding["subjects"]
    assert subject["name"] == "recorder"
    assert binding["roleRef"]["name"] == "kubelab-recorder"


def test_the_recorder_reads_the_log_that_the_api_server_writes(objects):
    """kind.yaml, the manifest and the program name one path."""
    spec = objects["Deployment", "recorder"]["spec"]["template"]["spec"]
    paths = {volume["name"]: volume["hostPath"]["path"] for volume in spec["volumes"]}
    source = (IMAGES / "agent" / "agent" / "__main__.py").read_text(encoding="utf-8")
    log = f"{paths['audit-log']}/kube-apiserver-audit.log"
    assert log in (CLUSTER / "kind.yaml").read_text(encoding="utf-8")
    assert log in source
    assert f'"{paths["record"]}"' in source
    for mount in spec["containers"][0]["volumeMounts"]:
        assert mount["mountPath"] == paths[mount["name"]]
