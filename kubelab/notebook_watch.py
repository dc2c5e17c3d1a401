"""`watch`: a picture that redraws itself in its own cell while the next cells run."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from kubelab import history, jobs
from kubelab import notebook_show as view
from kubelab.api import Cluster, Stream
from kubelab.errors import KubelabError, UsageError
from kubelab.labs import Lab
from kubelab.objects import Object, dig, meta
from kubelab.pictures import apply as apply_picture
from kubelab.pictures import comeback
from kubelab.pictures import job as job_picture
from kubelab.pictures import pod as pod_picture
from kubelab.pictures import rollout as rollout_picture
from kubelab.pictures import service as service_picture
from kubelab.pictures.rollout_model import LEAD, began, rollout
from kubelab.words import said

LONGEST = 180.0
EVERY = 1.0
KINDS = {"deployment": "Deployment", "deploy": "Deployment", "pod": "Pod", "po": "Pod"}
KINDS |= {"service": "Service", "svc": "Service", "job": "Job", "apply": "apply"}
# A rollout that ended this long ago is still what the learner wants to see.
RECENT = 120.0
# Seconds for which an apply is looked on when its Pod is ready: the last report is a little later.
AFTERWARDS = 1.5


@dataclass(frozen=True)
class Frame:
    """One state of a picture; `over`: nothing more is to come."""

    text: str
    svg: str
    over: bool = False


class Subject(Protocol):
    """What is watched: looks once, and gives what is to be shown."""

    def look(self, now: float) -> Frame:
        """The picture as of now."""

    def close(self) -> None:
        """End what goes on beside the looks: of most, nothing."""
        return


def subject(cluster: Cluster, lab: Lab, what: str, began_at: float) -> Subject:
    """What `kind/name` names; raises UsageError where it can't be watched."""
    kind, _, name = what.lower().replace("pods/", "pod/").partition("/")
    kind = kind[:-1] if kind in ("deployments", "services", "jobs") else kind
    if kind not in KINDS or not name:
        raise UsageError(
            "`watch` takes apply/NAME, deployment/NAME, pod/NAME, service/NAME or job/NAME; "
            f"{what!r} is none of them."
        )
    watched: dict[str, Callable[[], Subject]] = {
        "Deployment": lambda: WatchedDeployment(cluster, lab, name, began_at),
        "Pod": lambda: WatchedPod(cluster, lab, name),
        "Service": lambda: WatchedService(cluster, lab, name, began_at),
        "Job": lambda: WatchedJob(cluster, lab, name),
        "apply": lambda: WatchedApply(cluster, lab, name),
    }
    if KINDS[kind] == "Service" and "," in name:
        return WatchedAnswers(cluster, lab, name.split(","))
    return watched[KINDS[kind]]()


class WatchedDeployment(Subject):
    """A rollout, from its change on; one that begins after the call takes its place."""

    def __init__(self, cluster: Cluster, lab: Lab, name: str, called: float) -> None:
        self._cluster, self._lab, self._name, self._called = cluster, lab, name, called
        self._zero: float | None = None
        self._service: str | None = None
        self._changed = False

    def look(self, now: float) -> Frame:
        """The rollout as of now."""
        found = history.deployments(self._cluster, self._lab.namespace)
        # Read last: it must not be older than the changes on record.
        live = self._cluster.get("Deployment", self._name, self._lab.namespace)
        if live is None:
            return Frame(f"deployment/{self._name} is not there yet.", "")
        uid = meta(live)["uid"]
        record = next((one for one in found if one.uid == uid), None)
        zero = self._begin(record, now)
        seen = rollout(
            live,
            record,
            history.pods(self._cluster, self._lab.namespace),
            self._requests(live, zero),
            zero,
            now,
        )
        text, over = rollout_picture.told(seen), seen.over
        if over and not self._changed:
            text, over = (
                f"{text}\n       next  waits for a change of deployment/{self._name}",
                False,
            )
        return Frame(text, rollout_picture.svg(seen), over)

    def _begin(self, record: history.DeploymentRecord | None, now: float) -> float:
        """When what is drawn began: with a change after the call, else the newest rollout."""
        if record is None:
            return self._called
        fresh = [change.at for change in record.changes[1:] if change.at > self._called - LEAD]
        if record.created > self._called - LEAD:
            fresh = [record.created]
        if fresh and not self._changed:
            self._changed = True
            # One that goes on already keeps its beginning.
            self._zero = fresh[0] if self._zero is None or self._idle else self._zero
        if self._zero is None:
            first = began(record)
            ended = [at for at, why in record.progress if why in ENDED and at > first]
            self._idle = bool(ended)
            self._changed = not ended
            recent = not ended or now - max(ended) < RECENT
            self._zero = first if recent else self._called
        return self._zero

    _idle = True

    def _requests(self, live: Object, zero: float) -> history.Requests | None:
        if self._service is None:
            self._service = load_of(self._cluster, self._lab, live) or ""
        if not self._service:
            return None
        return history.requests(
            self._cluster, self._lab.namespace, self._service, zero - LEAD - 1.0
        )


ENDED = ("NewReplicaSetAvailable", "ProgressDeadlineExceeded")


def load_of(cluster: Cluster, lab: Lab, deployment: Object) -> str | None:
    """The Service of the lab's load that selects a Deployment's Pods."""
    labels = dig(deployment, "spec", "template", "metadata", "labels") or {}
    for name in lab.load:
        service = cluster.get("Service", name, lab.namespace)
        selector = dig(service, "spec", "selector") or {}
        if selector and all(labels.get(key) == value for key, value in selector.items()):
            return name
    return None


class WatchedPod(Subject):
    """A Pod's containers until it is gone; every state that was seen is kept."""

    def __init__(self, cluster: Cluster, lab: Lab, name: str) -> None:
        self._cluster, self._lab, self._name = cluster, lab, name
        self._states: list[Object] = []
        self._events: list[Object] = []
        self._gone: float | None = None
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._stream: Stream | None = None
        # The last states of a Pod, with its exit codes, are there for a moment only.
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self) -> None:
        """Take in every change of the Pod; where this ends early, looking goes on."""
        with contextlib.suppress(Exception):
            stream = self._stream = self._cluster.watch("Pod", self._lab.namespace, LONGEST)
            with contextlib.closing(stream.response):
                if self._closed.is_set():
                    return
                for event, body in stream:
                    if event != "BOOKMARK" and meta(body).get("name") == self._name:
                        self._take(body)

    def close(self) -> None:
        """End the watch, one that is only being opened, too."""
        self._closed.set()
        if self._stream is not None:
            self._stream.close()

    def _take(self, body: Object) -> bool:
        """Keep a state of the Pod; whether it is one of the Pod that is watched."""
        with self._lock:
            if self._states and _uid(body) != _uid(self._states[-1]):
                return False
            version = meta(body).get("resourceVersion")
            known = [meta(one).get("resourceVersion") for one in self._states]
            if version not in known or version is None:
                self._states.append(body)
            return True

    def look(self, now: float) -> Frame:
        """The Pod as of now."""
        body = self._cluster.get("Pod", self._name, self._lab.namespace)
        same = body is not None and self._take(body)
        with self._lock:
            states = sorted(self._states, key=_version)
        if not states:
            return Frame(f"pod/{self._name} is not there yet.", "")
        fields = f"involvedObject.uid={_uid(states[-1])}"
        self._events = self._cluster.objects("Event", self._lab.namespace, fields=fields)
        if not same:
            self._gone = self._gone or now
        seen = pod_picture.history(states[-1], self._events, now, states[:-1], self._gone)
        text = f"pod/{self._name}\n{pod_picture.told(seen)}"
        return Frame(text, pod_picture.svg(seen), self._gone is not None)


class WatchedService(Subject):
    """The ready addresses of a Service over time, and who answered its requests."""

    def __init__(self, cluster: Cluster, lab: Lab, name: str, called: float) -> None:
        self._cluster, self._lab, self._name = cluster, lab, name
        self._called = called
        self._states: list[tuple[float, tuple[str, ...], tuple[str, ...]]] = []

    def look(self, now: float) -> Frame:
        """The Service as of now."""
        label = f"kubernetes.io/service-name={self._name}"
        service = self._cluster.get("Service", self._name, self._lab.namespace)
        if service is None and not self._states:
            return Frame(f"service/{self._name} is not there yet.", "")
        slices = self._cluster.objects("EndpointSlice", self._lab.namespace, labels=label)
        ready, unready = service_picture.behind(slices)
        if not self._states or self._states[-1][1:] != (ready, unready):
            self._states.append((now, ready, unready))
        requests = None
        if self._name in self._lab.load:
            requests = history.requests(
                self._cluster, self._lab.namespace, self._name, self._called - 30.0
            )
        seen = service_picture.service(self._name, self._states, requests, self._called, now)
        return Frame(service_picture.told(seen), service_picture.svg(seen))


class WatchedApply(Subject):
    """One apply of a Deployment, as the audit log and the recorder's watch have it."""

    def __init__(self, cluster: Cluster, lab: Lab, name: str) -> None:
        self._cluster, self._lab, self._name = cluster, lab, name
        self._ready: float | None = None

    def look(self, now: float) -> Frame:
        """The requests as of now."""
        record = history.audit(self._cluster, self._lab.namespace)
        pods = history.pods(self._cluster, self._lab.namespace)
        seen = apply_picture.sequence(self._name, record, pods)
        if seen.over and self._ready is None:
            self._ready = now
        over = self._ready is not None and now - self._ready >= AFTERWARDS
        return Frame(apply_picture.told(seen), apply_picture.svg(seen) if seen.steps else "", over)


class WatchedAnswers(Subject):
    """The answers of several Services, side by side, each around the newest kill of a Pod."""

    def __init__(self, cluster: Cluster, lab: Lab, names: Sequence[str]) -> None:
        unknown = [one for one in names if one not in lab.load]
        if unknown:
            known = ",".join(lab.load) or "none"
            raise UsageError(
                f"No requests to {', '.join(unknown)} are on record in lab {lab.number}; "
                f"there are those to service/{known}."
            )
        self._cluster, self._lab, self._names = cluster, lab, names

    def look(self, now: float) -> Frame:
        """All rows as of now."""
        cluster, namespace = self._cluster, self._lab.namespace
        pods, rows = history.pods(cluster, namespace), []
        for name in self._names:
            service = cluster.get("Service", name, namespace)
            if service is None:
                return Frame(f"service/{name} is not there yet.", "")
            requests = history.requests(cluster, namespace, name)
            rows.append(comeback.row(service, pods, requests, now))
        return Frame(comeback.told(rows), comeback.svg(rows), all(one.over for one in rows))


class WatchedJob(Subject):
    """A Job until its end; Pods that were seen stay in the picture when they are gone."""

    def __init__(self, cluster: Cluster, lab: Lab, name: str) -> None:
        self._cluster, self._lab, self._name = cluster, lab, name
        self._uid = ""
        self._pods: dict[str, Object] = {}

    def look(self, now: float) -> Frame:
        """The Job as of now; one that was made anew is another one."""
        job = self._cluster.get("Job", self._name, self._lab.namespace)
        if job is None:
            return Frame(f"job/{self._name} is not there yet.", "")
        if _uid(job) != self._uid:
            self._uid, self._pods = _uid(job), {}
        label = f"{jobs.NAME}={self._name}"
        pods = self._cluster.objects("Pod", self._lab.namespace, labels=label)
        self._pods |= {_uid(one): one for one in jobs.pods_of(job, pods)}
        seen = job_picture.gantt(job, self._pods.values(), now)
        return Frame(job_picture.told(seen), job_picture.svg(seen), seen.over)


def _version(body: Object) -> int:
    """What orders the states of one object: numbers, as the API promises since 1.35."""
    found = str(meta(body).get("resourceVersion"))
    return int(found) if found.isdigit() else 0


def _uid(body: Object) -> str:
    return str(meta(body).get("uid"))


class Watcher(threading.Thread):
    """Looks again and again, and shows what changed, until the end or LONGEST."""

    def __init__(
        self,
        connect: Callable[[], Subject],
        place: view.Living,
        what: str,
        longest: float = LONGEST,
        every: float = EVERY,
    ) -> None:
        super().__init__(name=f"watch {what}", daemon=place.in_notebook)
        self._connect, self._place, self._what = connect, place, what
        self._longest, self._every = longest, every
        self._watched: Subject | None = None
        self.stopped = threading.Event()

    def run(self) -> None:
        """Nothing that goes wrong here may reach the learner as a traceback."""
        try:
            self._watch()
        finally:
            if self._watched is not None:
                self._watched.close()

    def _watch(self) -> None:
        deadline = time.monotonic() + self._longest
        frame = Frame(f"{self._what}: nothing was seen", "")
        trouble = ""
        while not self.stopped.is_set():
            try:
                self._watched = self._watched or self._connect()
                frame, trouble = self._watched.look(time.time()), ""
            except UsageError as error:
                self._place.show(view.paragraph(said(error.message)), "", last=True)
                return
            except KubelabError as error:
                trouble = f"{error.message} Looking again."
            except Exception as error:
                trouble = f"A fault of the course: {type(error).__name__}: {error}"
            late = time.monotonic() >= deadline
            if frame.over or late:
                break
            self._draw(frame, trouble or "drawn anew every second; the next cell can run now")
            self.stopped.wait(self._every)
        minutes = f"{self._longest / 60:.0f} minutes"
        why = (
            "this was the last drawing"
            if frame.over
            else f"watched for {minutes}: the last drawing"
        )
        if self.stopped.is_set() and not frame.over:
            why = "a later cell draws it now"
        self._draw(frame, trouble or why, last=True)

    def _draw(self, frame: Frame, foot: str, *, last: bool = False) -> None:
        # A picture and its text twin speak Kubernetes' own words.
        words, foot = frame.text if frame.svg else said(frame.text), said(foot)
        text = f"{words}\n  {foot}."
        text = text.replace("..", ".")
        parts = [frame.svg] if frame.svg else [view.preformatted(words)]
        if frame.svg:
            parts.append(view.folded("the same as text", frame.text))
        parts.append(view.line(f"{self._what}: {foot}"))
        self._place.show(text, view.box(*parts), last=last)


_running: dict[str, Watcher] = {}


def start(connect: Callable[[], Subject], what: str) -> Watcher:
    """Watch in the background; the same picture a second time ends the first one."""
    before = _running.get(what)
    if before is not None:
        before.stopped.set()
    watcher = Watcher(connect, view.Living(said(f"watch  {what}  looking ...")), what)
    _running[what] = watcher
    watcher.start()
    return watcher
