"""Who writes the file that a Pod serves? Tried on copies of which containers are left out.

A container of the course's own reads the files of a copy's volumes where its server does not say
who wrote them: a server may wait, and may do on a signal what a sidecar should. In one copy only
init containers may write to their volumes: what is served there out of their files is theirs.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kubelab import acting, ask
from kubelab.acting import Holder, Proof, copy_of, make
from kubelab.api import Cluster
from kubelab.errors import Busy
from kubelab.objects import Object, dig, is_sidecar, meta, name_of, start_time
from kubelab.proofs import outcome
from kubelab.settled import pod_trouble
from kubelab.snapshot import COPY_LABEL

START = 60.0
BUDGET = START + 120
# Longer than the criterion by what an answer may be late.
ALLOWANCE = 0.5
# What a server does in its first moments (writing a first line, too) is no refreshing.
FIRST_MOMENT = 1.0
# More sidecars than this are not tried, the last ones first.
MOST_SIDECARS = 6
STEP = 0.3
# The reader: it tells which files of the volumes hold the uid, with a checksum of each.
IMAGE = "kubelab/toolbox:1.0"
FILES = Path(__file__).parent / "manifests" / "files.py"
FILES_PORT = 17171
FOLDER = "/volumes"
READER = "course-reader"
# What Pod Security's standard `restricted` wants of every container.
ENFORCED = "pod-security.kubernetes.io/enforce"
RESTRICTED: Object = {
    "runAsNonRoot": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


@dataclass(frozen=True)
class Menu:
    """Where the file is served, and within how many seconds its second line must change."""

    port: int
    path: str
    within: float

    @property
    def time(self) -> float:
        """The seconds to watch a file for."""
        return self.within + ALLOWANCE


@dataclass
class Watched:
    """One copy and the answers it gave so far.

    `files` where only its reader answers, `beside` where its server does, too.
    """

    pod: Object
    out: tuple[str, ...] = ()
    uid: str = ""
    began: float | None = None
    ended: float = 0.0
    lines: list[tuple[float, list[str]]] = field(default_factory=list)
    trouble: str = ""
    files: bool = False
    beside: bool = False
    served: list[int] = field(default_factory=list)
    read: list[tuple[float, dict[str, int]]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    @property
    def first_line(self) -> str:
        """Line 1 as it was last."""
        return line(self.lines[-1][1], 1) if self.lines else ""

    @property
    def own_uid(self) -> bool:
        """Whether line 1 is the uid of this copy."""
        return bool(self.uid) and self.first_line == self.uid

    @property
    def refreshed(self) -> bool:
        """Whether line 2 changed after the first moment."""
        later = [line(lines, 2) for at, lines in self.lines if at >= FIRST_MOMENT]
        return len(set(later)) > 1

    @property
    def holds_uid(self) -> bool:
        """Whether a line of a file is the uid of this copy."""
        return any(files for _, files in self.read)

    @property
    def written(self) -> set[int]:
        """The texts with the uid that came into a file, or with one, after the first moment."""
        later = [
            set(files.items()) for at, files in self.read if at - self.read[0][0] >= FIRST_MOMENT
        ]
        came = set[tuple[str, int]]().union(*later) - later[0] if later else set()
        return {text for _, text in came}

    @property
    def file_changes(self) -> bool:
        """Whether a text with the uid came after the first moment."""
        return bool(self.written)

    @property
    def serves_written(self) -> bool:
        """Whether its server gives what has come into the files: its own uid, and a new line 2."""
        return self.own_uid and self.refreshed and not self.written.isdisjoint(self.served)

    def answered(self, text: str) -> None:
        """Take one answer of the server in."""
        began, now = self.heard()
        self.lines.append((now - began, text.splitlines()))
        self.served.append(zlib.crc32(text.encode()))

    def told(self, files: dict[str, int]) -> None:
        """Take one answer of the reader in."""
        self.read.append((time.monotonic(), files))
        if self.files:
            self.heard()

    def heard(self) -> tuple[float, float]:
        """Note that there was an answer; when the first one was, and this one."""
        self.ended = time.monotonic()
        self.began = self.ended if self.began is None else self.began
        self.times.append(self.ended - self.began)
        return self.began, self.ended

    def done(self, seconds: float, *, late: bool = False) -> bool:
        """Whether it was watched for long enough; `late`: who says nothing by now says nothing."""
        if late and self.began is None:
            return True
        # The reader beside a server may come up later than that.
        read = [at - self.read[0][0] for at, _ in self.read]
        return long_enough(self.times, seconds) and (
            late or not self.beside or long_enough(read, seconds)
        )


def long_enough(times: list[float], seconds: float) -> bool:
    """Whether answers at these times, the first at 0, tell what happened in so many seconds."""
    # Those after the first moment are compared: a busy machine may give one.
    later = [at for at in times if at >= FIRST_MOMENT]
    return len(later) > 1 and later[-1] - later[0] >= seconds - STEP


def line(lines: list[str], number: int) -> str:
    """One line of a file, empty where there is none."""
    return lines[number - 1].strip() if len(lines) >= number else ""


def written_in_order(cluster: Cluster, namespace: str, pod: Object, menu: Menu, key: str) -> Proof:
    """Whether an init container writes line 1 and a sidecar after it rewrites line 2.

    One copy is whole, one has no init containers, and one for each sidecar lacks that sidecar and
    all init containers after it. In the last one only what is started first writes. Raises
    EnvironmentFault where none starts.
    """
    with acting.acting(cluster, namespace) as holder:
        copies = [Watched(one, out) for one, out in variants(pod)]
        copies.append(Watched(only_reading(copy_of(pod, BUDGET)), beside=True))
        create(holder, *copies)
        whole, bare, *others, last = copies
        watch(holder, copies, menu, START + start_time(pod))
        reason, found = verdict(whole, bare, others)
        if reason == "wrong-writer" and not bare.own_uid and any(map(prepared, others)):
            # The sidecar may put the file together; alone it does not know the uid then.
            apart = Watched(sidecars_alone(copy_of(pod, BUDGET)))
            create(holder, apart)
            watch(holder, [apart], menu, START + start_time(pod))
            if not apart.own_uid:
                reason = found = ""
        if not reason:
            reason, found = of_init_containers(holder, pod, last, menu)
    wanted = "a copy writes its own uid first, and its sidecar alone rewrites line 2"
    return outcome(key, wanted, reason, found)


def variants(pod: Object) -> Iterator[tuple[Object, tuple[str, ...]]]:
    """The copies to try, each with the names of the sidecars that it lacks."""
    yield copy_of(pod, BUDGET), ()
    bare = copy_of(pod, BUDGET)
    first = bare["spec"].pop("initContainers", [])
    yield bare, ()
    places = [place for place, one in enumerate(first) if is_sidecar(one)]
    # The last ones first: as much as possible is done before.
    for place in places[: -MOST_SIDECARS - 1 : -1]:
        copy = copy_of(pod, BUDGET)
        copy["spec"]["containers"].append(reader(copy, FILES_PORT))
        copy["spec"]["initContainers"] = first[:place]
        yield copy, tuple(one["name"] for one in first[place:] if is_sidecar(one))


def sidecars_alone(copy: Object) -> Object:
    """A copy without the init containers that end."""
    copy["spec"]["initContainers"] = list(filter(is_sidecar, copy["spec"]["initContainers"]))
    return copy


def shared(copy: Object) -> set[str]:
    """The volumes to which the init containers of a copy may write."""
    volumes = {one["name"] for one in copy["spec"].get("volumes") or () if "emptyDir" in one}
    first = copy["spec"].get("initContainers") or ()
    return volumes & {mount["name"] for one in first for mount in one.get("volumeMounts") or ()}


def only_reading(copy: Object) -> Object:
    """A copy in which only the init containers may write to their volumes; a reader beside."""
    names = shared(copy)
    for box in copy["spec"]["containers"]:
        for mount in box.get("volumeMounts") or ():
            if mount["name"] in names:
                mount["readOnly"] = True
    copy["spec"]["containers"].append(reader(copy, FILES_PORT))
    return copy


def alone(copy: Object, port: int) -> Object:
    """A copy in which a reader stands in place of the containers that are started last.

    It listens at the server's port, too: a sidecar may wait for somebody there.
    """
    copy["spec"]["containers"] = [reader(copy, FILES_PORT, port)]
    return copy


def create(holder: Holder, *copies: Watched) -> None:
    """Create copies; their readers keep to a namespace in which nobody may be root."""
    namespace = holder.cluster.get("Namespace", holder.namespace) or {}
    if (meta(namespace).get("labels") or {}).get(ENFORCED) == "restricted":
        for one in copies:
            restrict(one.pod)
    make(holder.cluster, holder.namespace, *(one.pod for one in copies))


def restrict(copy: Object) -> None:
    """Let the reader of a copy be the user of its first container, whose files it can read."""
    spec = copy["spec"]
    boxes = [*(spec.get("initContainers") or ()), *spec["containers"]]
    given = boxes[0].get("securityContext") or {}
    user = {key: given[key] for key in ("runAsUser", "runAsGroup") if key in given}
    for box in boxes:
        if box["name"] == READER:
            box["securityContext"] = RESTRICTED | user


def reader(copy: Object, *ports: int) -> Object:
    """A container that serves the files of the copy's volumes at these ports."""
    mounts = [
        {"name": one, "mountPath": f"{FOLDER}/{one}", "readOnly": True}
        for one in sorted(shared(copy))
    ]
    program = FILES.read_text(encoding="utf-8")
    few = {"cpu": "10m", "memory": "32Mi"}
    return {
        "name": READER,
        "image": IMAGE,
        "command": ["python3", "-c", program, FOLDER, *map(str, ports)],
        "env": [{"name": "POD_UID", "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}}],
        "volumeMounts": mounts,
        # Whoever wrote a file: it can be read. In some namespaces nobody is root (`restrict`).
        "securityContext": {"runAsUser": 0, "runAsNonRoot": False},
        "resources": {"requests": few, "limits": {"cpu": "200m", "memory": "64Mi"}},
    }


def watch(holder: Holder, copies: list[Watched], menu: Menu, start: float) -> None:
    """Ask all copies for their file again and again, until each was watched for long enough.

    One that says nothing within `start` seconds says nothing.
    """
    end = time.monotonic() + start
    names = {name_of(one.pod): one for one in copies}
    while True:
        for pod in holder.cluster.objects("Pod", holder.namespace, labels=COPY_LABEL):
            one = names.get(name_of(pod))
            if one is not None:
                look(holder.cluster, one, pod, menu)
        late = time.monotonic() > end
        if all(one.done(menu.time, late=late) for one in copies):
            return
        holder.renew()
        time.sleep(STEP)


def look(cluster: Cluster, one: Watched, pod: Object, menu: Menu) -> None:
    """Ask one copy once; no answer is none yet."""
    one.uid = meta(pod).get("uid", "")
    trouble = pod_trouble(pod)
    one.trouble = trouble.words if trouble else ""
    ip = dig(pod, "status", "podIP")
    if ip is None or dig(pod, "status", "phase") != "Running":
        return
    if one.out or one.files or one.beside:
        (answer,) = ask.http(cluster, ask.address(ip, FILES_PORT), timeout=1.0)
        if answer.healthy:
            one.told(answer.json)
    text = None if one.files else read(cluster, ip, menu)
    if text is not None:
        one.answered(text)


def read(cluster: Cluster, ip: str, menu: Menu) -> str | None:
    """The text of the file; empty where the server says no, None where nobody answers."""
    (answer,) = ask.http(cluster, ask.address(ip, menu.port, menu.path), timeout=1.0)
    if answer.status is None:
        return None
    return answer.body if answer.healthy else ""


def verdict(whole: Watched, bare: Watched, others: list[Watched]) -> tuple[str, str]:
    """The reason and what was found; both empty where all is as it should be."""
    if whole.began is None:
        if whole.trouble.startswith(("CrashLoopBackOff", "restarted", "ended")):
            return "crash-loop", f"a fresh copy does not come up: {whole.trouble}"
        raise Busy(
            f"The course's copy of the Pod did not answer within {START:.0f} s "
            f"({whole.trouble or 'it runs'}).",
            look="./lab doctor",
        )
    if not whole.own_uid:
        return "wrong-content", f"line 1 of a fresh copy is {told(whole)}, not its uid"
    if not whole.refreshed:
        return "not-refreshed", "line 2 of a fresh copy does not change"
    if bare.own_uid:
        return "wrong-writer", "without any init container, line 1 is the uid all the same"
    right = [one for one in others if not one.refreshed and (one.own_uid or waits(one))]
    if right:
        return "", ""
    quiet = next((one for one in others if not one.refreshed), None)
    if quiet is None:
        name = others[0].out[0] if others else "a sidecar"
        return "wrong-refresher", f"without {name}, line 2 is rewritten all the same"
    return "wrong-writer", f"what is done before {quiet.out[0]} starts does not write line 1"


def waits(one: Watched) -> bool:
    """Whether a server answers nothing, and what is done before it has written line 1.

    Where the reader does not answer either, nobody knows, and it is believed.
    """
    return one.began is None and (one.holds_uid or not one.read)


def prepared(one: Watched) -> bool:
    """Whether what is done before a sidecar leaves the uid in a file, and line 2 waits for it."""
    return one.holds_uid and not one.refreshed


def of_init_containers(holder: Holder, pod: Object, one: Watched, menu: Menu) -> tuple[str, str]:
    """The reason and what was found where what is served is not what init containers write.

    `one` is the copy in which nobody else may write. A server that can't live there, or makes the
    menu of several files, is left out in another copy.
    """
    start = START + start_time(pod)
    if one.own_uid and not one.serves_written:
        # A busy machine may be late once, with a new menu or with what the files hold.
        one = Watched(one.pod, beside=True)
        watch(holder, [one], menu, start)
    if one.serves_written:
        return "", ""
    if one.own_uid and not one.refreshed:
        return "wrong-refresher", "where only init containers write, line 2 is not rewritten"
    first = Watched(alone(copy_of(pod, BUDGET), menu.port), files=True)
    create(holder, first)
    watch(holder, [first], menu, start)
    return without_server(first)


def without_server(one: Watched) -> tuple[str, str]:
    """The reason and what was found where the containers that are started last do the work."""
    if not one.read:
        return "", ""
    if not one.holds_uid:
        return "wrong-writer", "without the server, nobody writes the uid"
    if not one.file_changes:
        return "wrong-refresher", "without the server, no file is rewritten"
    return "", ""


def told(one: Watched) -> str:
    """Line 1 in a few characters."""
    text = one.first_line
    return f"`{text[:20]}{'…' if len(text) > 20 else ''}`" if text else "empty"
