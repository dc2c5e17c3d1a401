"""Who writes the file that a Pod serves, on a cluster in memory that plays its containers."""

from __future__ import annotations

import itertools
import json
import time
import zlib
from typing import Any

import pytest
from fakes import Clock, FakeCluster, pod

from kubelab import acting, sidecar
from kubelab.errors import Busy
from kubelab.objects import Object
from kubelab.sidecar import Menu, Watched, written_in_order
from kubelab.site import Site

NAMESPACE = "lab-90"
MENU = Menu(8080, "/file", 0.05)


# Every container of a test has the menu's volume.
MOUNTS = [{"name": "menu", "mountPath": "/data"}]


def first(name: str, *, always: bool = False) -> Object:
    body = {"name": name, "volumeMounts": MOUNTS}
    return body | ({"restartPolicy": "Always"} if always else {})


WRITER, REFRESHER = first("writer"), first("refresher", always=True)
# It gives a sign alone, and the server does the work.
IDLER = first("refresher", always=True) | {"idle": True}


class Kitchen(FakeCluster):
    """Its containers do what their names say; `server` and `idler` what a test adds."""

    def __init__(self, *does: str, status: int | None = 200) -> None:
        super().__init__(Site())
        self.does = set(does)
        self.status = status
        self.addresses = itertools.count(1)
        self.late: dict[str, float] = {}
        self.answer = self.reply

    def create(self, kind: str, body: Object, namespace: str | None = None) -> Object:
        if kind == "Pod":
            status = pod()["status"] | {"podIP": f"10.0.0.{next(self.addresses)}"}
            body = body | {"status": status}
        return super().create(kind, body, namespace)

    def reply(self, question: Any) -> list[Object]:
        for (kind, _, _), body in self.stored.items():
            if kind == "Pod" and f"//{body.get('status', {}).get('podIP')}:" in question["url"]:
                return [self.of_reader(body) if f":{sidecar.FILES_PORT}" in question["url"] else
                        self.of_server(body)]  # fmt: skip
        raise AssertionError(question)

    def of_reader(self, body: Object) -> Object:
        if "reader fails" in self.does:
            return {"status": None, "error": "refused"}
        (mount,) = body["spec"]["containers"][-1]["volumeMounts"]
        assert mount == {"name": "menu", "mountPath": "/volumes/menu", "readOnly": True}
        text = self.text(body)
        # Each menu may be a file of its own.
        folder = text.splitlines()[1] if "folders" in self.does else "current"
        path = f"/volumes/menu/{folder}/menu.txt"
        files = {path: zlib.crc32(text.encode())} if body["metadata"]["uid"] in text else {}
        if "heartbeat" in self.does:
            files["/volumes/menu/heartbeat"] = time.monotonic_ns()
        return {"status": 200, "body": json.dumps(files)}

    def of_server(self, body: Object) -> Object:
        first = {one["name"] for one in body["spec"].get("initContainers", ())}
        waits = "server waits" in self.does and "refresher" not in first
        # It writes a log beside the menu, and ends where it may not.
        waits |= "server logs" in self.does and only_reads(body)
        status = None if waits else self.status
        return {"status": status, "body": self.text(body), "error": "refused"}

    def text(self, body: Object) -> str:
        there = {one["name"] for one in body["spec"].get("initContainers", ())}
        server = body["spec"]["containers"][0]
        if server["name"] == "course-reader":
            there -= {"refresher"} if "refresher asks" in self.does else set()
        elif not only_reads(body):
            there |= {"server"}
        if "refresher is late" in self.does and only_reads(body):
            late = time.monotonic() < self.late.setdefault(body["metadata"]["name"], late_until())
            there -= {"refresher"} if late else set()
        if "signal" in self.does and "refresher" not in there:
            there -= {"server"}
        writes = {"writer"} | {one.partition(" ")[0] for one in self.does if "writes" in one}
        idle = {one["name"] for one in body["spec"].get("initContainers", ()) if "idle" in one}
        renews = ({"refresher"} - idle) | {
            one.partition(" ")[0] for one in self.does if "renews" in one
        }
        line_1 = body["metadata"]["uid"] if writes & there else "soon"
        # A text lasts for as long as several answers take.
        line_2 = str(time.monotonic_ns() // 10**7) if renews & there else "for ever"
        return f"{line_1}\n{line_2}\n"


def only_reads(body: Object) -> bool:
    """Whether a copy's server is there, and may not write to the menu's volume."""
    server = body["spec"]["containers"][0]
    return server["name"] != "course-reader" and bool(server["volumeMounts"][0].get("readOnly"))


def late_until() -> float:
    """Later than a copy is watched once."""
    return time.monotonic() + MENU.within + 0.03


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"START": 0.2, "ALLOWANCE": 0.0, "FIRST_MOMENT": 0.0, "STEP": 0.01}.items():
        monkeypatch.setattr(sidecar, name, value)


def run(cluster: Kitchen, *containers: Object) -> acting.Proof:
    body = pod()
    body["spec"] |= {
        "initContainers": list(containers),
        "volumes": [{"name": "menu", "emptyDir": {}}],
    }
    for box in body["spec"]["containers"]:
        box["volumeMounts"] = MOUNTS
    proof = written_in_order(cluster, NAMESPACE, body, MENU, "key")
    assert cluster.objects("Pod", NAMESPACE) == []
    return proof


def test_a_writer_and_then_a_sidecar_are_right() -> None:
    assert run(Kitchen(), WRITER, REFRESHER).passed


def test_a_sidecar_may_repeat_what_the_writer_wrote() -> None:
    assert run(Kitchen("refresher writes"), WRITER, REFRESHER).passed


def test_a_sidecar_may_put_the_file_together() -> None:
    """Before it starts nothing is served; the uid is in a file that it makes the menu of."""
    assert run(late_to_serve(Kitchen()), WRITER, REFRESHER).passed


@pytest.mark.parametrize(
    "does", ["folders", "refresher asks", "refresher is late", "server logs", "heartbeat"]
)
def test_what_is_served_may_come_from_the_sidecar_in_many_ways(does: str) -> None:
    """Each menu in a file of its own; made of what another container says; begun a little later;
    beside a server that writes a log; beside another file with the uid."""
    assert run(Kitchen(does), WRITER, REFRESHER).passed


def test_a_server_may_make_the_menu_of_a_file_that_the_sidecar_renews() -> None:
    kitchen = Kitchen()
    usual = kitchen.of_server

    def of_server(body: Object) -> Object:
        found = usual(body)
        return found | {"body": found["body"] + "bon appetit\n"}

    kitchen.of_server = of_server  # type: ignore[method-assign]
    assert run(kitchen, WRITER, REFRESHER).passed


def test_a_sidecar_that_knows_the_uid_itself_does_the_writers_work() -> None:
    """The init container writes the uid as well, to a file of which nobody makes anything."""
    found = run(late_to_serve(Kitchen("refresher writes")), WRITER, REFRESHER)
    assert (found.passed, found.reason) == (False, "wrong-writer")


def late_to_serve(kitchen: Kitchen) -> Kitchen:
    """Its server has nothing to serve before the refresher has begun."""
    usual = kitchen.of_server

    def of_server(body: Object) -> Object:
        first = {one["name"] for one in body["spec"].get("initContainers", ())}
        return usual(body) if "refresher" in first else {"status": 404, "body": ""}

    kitchen.of_server = of_server  # type: ignore[method-assign]
    return kitchen


def test_another_sidecar_may_stand_anywhere() -> None:
    logger = first("logger", always=True)
    for several in itertools.permutations([logger, WRITER, REFRESHER]):
        found = run(Kitchen(), *several)
        assert found.passed == (several.index(WRITER) < several.index(REFRESHER)), several


def test_two_sidecars_may_share_the_work() -> None:
    second = first("second", always=True)
    assert run(Kitchen("second renews"), WRITER, REFRESHER, second).passed


@pytest.mark.parametrize(
    ("does", "containers", "reason"),
    [
        (("server renews",), (WRITER, first("idler", always=True)), "wrong-refresher"),
        (("server renews",), (WRITER, REFRESHER), "wrong-refresher"),
        (("server renews", "signal"), (WRITER, IDLER), "wrong-refresher"),
        (("server renews", "signal", "heartbeat"), (WRITER, IDLER), "wrong-refresher"),
        (("server renews", "server writes", "signal"), (first("idle"), IDLER), "wrong-writer"),
        (("server waits", "refresher writes"), (first("idle"), REFRESHER), "wrong-writer"),
        (("server writes",), (first("idle"), REFRESHER), "wrong-writer"),
        (("refresher writes",), (first("idle"), REFRESHER), "wrong-writer"),
        ((), (first("idle"), REFRESHER, WRITER), "wrong-writer"),
        ((), (first("idle"), REFRESHER), "wrong-content"),
        ((), (WRITER, first("idler", always=True)), "not-refreshed"),
    ],
)
def test_whoever_else_writes_is_found(
    does: tuple[str, ...], containers: tuple[Object, ...], reason: str
) -> None:
    proof = run(Kitchen(*does), *containers)
    assert (proof.passed, proof.reason) == (False, reason), proof.found


def test_a_sidecar_may_come_after_many_others() -> None:
    several = [first(f"logger-{number}", always=True) for number in range(5)]
    assert run(Kitchen(), WRITER, *several, REFRESHER).passed
    assert run(Kitchen(), WRITER, REFRESHER, *several).passed


def test_a_server_may_wait_for_the_sidecar() -> None:
    assert run(Kitchen("server waits"), WRITER, REFRESHER).passed


def test_files_that_nobody_can_read_are_no_fault() -> None:
    assert run(Kitchen("server waits", "reader fails"), WRITER, REFRESHER).passed


def test_a_file_that_is_not_served_is_found() -> None:
    proof = run(Kitchen(status=404), WRITER, REFRESHER)
    assert (proof.reason, proof.found) == (
        "wrong-content",
        "line 1 of a fresh copy is empty, not its uid",
    )


def test_a_copy_that_answers_nobody_is_no_fault_of_the_learners() -> None:
    with pytest.raises(Busy, match="did not answer"):
        run(Kitchen(status=None), WRITER, REFRESHER)


@pytest.mark.parametrize(
    ("moments", "done"),
    [
        ((0.0, 8.0), False),
        ((0.0, 8.0, 12.0), False),
        ((0.0, 8.0, 16.0), True),
        ((0.0, 1.2, 7.2), False),
        ((0.0, 1.2, 7.5), True),
    ],
)
def test_a_copy_is_watched_until_two_answers_can_be_compared(
    monkeypatch: pytest.MonkeyPatch, moments: tuple[float, ...], done: bool
) -> None:
    """A busy machine may ask it once in eight seconds."""
    clock = Clock()
    began = clock.now
    monkeypatch.setattr(sidecar, "time", clock)
    for name, value in {"FIRST_MOMENT": 1.0, "STEP": 0.3}.items():
        monkeypatch.setattr(sidecar, name, value)
    whole, silent = Watched({}), Watched({}, files=True)
    for moment in moments:
        clock.now = began + moment
        whole.answered(f"uid\nsoup {moment}\n")
        silent.told({"/volumes/menu/menu.txt": round(moment)})
    assert whole.done(6.5) is silent.done(6.5) is done
    if done:
        assert whole.refreshed
        assert silent.file_changes


def test_a_reader_that_comes_up_after_its_server_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    began = clock.now
    monkeypatch.setattr(sidecar, "time", clock)
    for name, value in {"FIRST_MOMENT": 1.0, "STEP": 0.3}.items():
        monkeypatch.setattr(sidecar, name, value)
    one, seen = Watched({}, uid="uid", beside=True), list[bool]()
    for second in range(14):
        clock.now = began + second
        text = f"uid\nsoup {second // 2}\n"
        one.answered(text)
        if second >= 5:
            one.told({"/volumes/menu/menu.txt": zlib.crc32(text.encode())})
        seen.append(one.done(6.5))
    assert seen.index(True) == 13
    assert one.serves_written
    silent = Watched({}, uid="uid", beside=True)
    for second in range(10):
        clock.now = began + second
        silent.answered("uid\nsoup\n")
    assert (silent.done(6.5), silent.done(6.5, late=True)) == (False, True)


@pytest.mark.parametrize(
    "texts",
    [
        # Two menus that stand ready are put into the place of the one that is served, in turn.
        [{"menu": 1, "a": 1, "b": 2}, {"menu": 2, "a": 1, "b": 2}],
        # The one before is kept beside.
        [{"menu": 1, "menu.bak": 2}, {"menu": 2, "menu.bak": 1}],
        # Each menu gets a folder.
        [{"1/menu": 1}, {"2/menu": 2}],
    ],
)
def test_a_text_that_stood_elsewhere_is_new_where_it_comes_to(texts: list[dict[str, int]]) -> None:
    one = Watched({}, uid="uid")
    for number, files in enumerate(texts):
        one.told(files)
        one.read[-1] = (10.0 * number, files)
    assert one.written >= {2}
    assert one.file_changes


@pytest.mark.parametrize("user", [{}, {"runAsUser": 1000}])
def test_where_nobody_may_be_root_the_reader_is_the_writers_user(user: Object) -> None:
    cluster = Kitchen()
    made: list[Object] = []
    create = cluster.create

    def keep(kind: str, body: Object, namespace: str | None = None) -> Object:
        made.extend(body["spec"]["containers"] if kind == "Pod" else ())
        return create(kind, body, namespace)

    cluster.create = keep  # type: ignore[method-assign]
    labels = {sidecar.ENFORCED: "restricted"}
    writer = WRITER | ({"securityContext": user} if user else {})
    assert run(cluster, writer, REFRESHER).passed
    assert all(one["securityContext"]["runAsUser"] == 0 for one in readers(made))
    made.clear()
    cluster.put("Namespace", {"metadata": {"name": NAMESPACE, "labels": labels}})
    assert run(cluster, writer, REFRESHER).passed
    assert readers(made)
    assert all(one["securityContext"] == sidecar.RESTRICTED | user for one in readers(made))


def readers(boxes: list[Object]) -> list[Object]:
    return [one for one in boxes if one["name"] == sidecar.READER]
