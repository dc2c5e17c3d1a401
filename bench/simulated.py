"""Pods that run nowhere: kwok plays their kubelet, and real Pods lend them their answers.

kwok comes from its Go module (`bench/kwok/go.mod`) and runs beside the cluster. It manages one
fake Node; an admission policy sends the Pods of labelled namespaces there, so no real node is
cordoned. kwok starts no container. So a namespace of simulated Pods has a twin: a namespace with
the same answer to the lab whose Pods run for real. What is asked of a simulated Pod is asked of
its twin's, and the names of Pods and namespaces in the answer are put right. DNS, the recorder and
everything that is read are the cluster's own.
"""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubelab import child, tools
from kubelab.api import SYSTEM, Cluster, Refused
from kubelab.ask import PROBER
from kubelab.nodeimage import gobuild, sources
from kubelab.objects import Object, condition, dig, meta, name_of
from kubelab.proofs import UNDO
from kubelab.site import Site, cache

FOLDER = Path(__file__).resolve().parent / "kwok"
PACKAGE = "sigs.k8s.io/kwok/cmd/kwok"
MODULE = re.compile(r"^require (sigs\.k8s\.io/kwok) (\S+)$", re.MULTILINE)
STAGES = (
    "node/fast/node-initialize",
    "node/heartbeat-with-lease/node-heartbeat-with-lease",
    "pod/fast/pod-ready",
    "pod/fast/pod-delete",
)
NODE = "kubelab-bench"
# On namespaces whose Pods go to the fake node.
LABEL = {"kubelab.dev/bench": "simulated"}
PATIENCE = 60.0


# kwok


def build() -> Path:
    """The program out of its Go module; what was built once is not built again."""
    inputs = [FOLDER / "go.mod", FOLDER / "go.sum"]
    target = cache() / "programs" / f"kwok-{sources.digest(inputs, sources.architecture())}"
    if not target.is_dir():
        partial = target.with_name(f"{target.name}.partial")
        partial.mkdir(parents=True, exist_ok=True)
        flags = ["-trimpath", "-gcflags=all=-dwarf=false", "-ldflags", "-s -w"]
        command = ["go", "build", *flags, "-o", str(partial / "kwok"), PACKAGE]
        log = cache() / "kwok.log"
        child.logged(command, log, folder=FOLDER, environment=gobuild.go_environment())
        partial.rename(target)
    return target / "kwok"


def stages() -> list[Path]:
    """What kwok does with Nodes and Pods, as its own module has it."""
    found = MODULE.search((FOLDER / "go.mod").read_text(encoding="utf-8"))
    assert found is not None
    folder = gobuild.module_folder(*found.groups()) / "kustomize" / "stage"
    return [folder / f"{one}.yaml" for one in STAGES]


@contextmanager
def node(cluster: Cluster) -> Iterator[None]:
    """The fake node, there and ready for as long as the block runs."""
    # Its name is its field manager: it plays the kubelet, whose word about Pods is believed.
    words = ["kubelet", "--kubeconfig", str(cluster.site.kubeconfig)]
    words += ["--manage-nodes-with-annotation-selector", "kwok.x-k8s.io/node=fake"]
    # Without a Lease the Node would be taken for dead after a minute, and its Pods with it.
    words += ["--node-lease-duration-seconds", "40"]
    for file in stages():
        words += ["--config", str(file)]
    with (cache() / "kwok.log").open("wb") as log:
        process = subprocess.Popen(
            words,
            executable=build(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # Not ended by Ctrl-C: it removes its Pods first.
            start_new_session=True,
        )
        try:
            kubectl(cluster.site, "apply", "-f", str(FOLDER))
            within(PATIENCE, lambda: is_there(cluster), "the fake node is not ready")
            yield
        finally:
            remove_node(cluster)
            process.terminate()
            process.wait()


def kubectl(site: Site, *words: str) -> None:
    """Run kubectl as the administrator; raises CalledProcessError."""
    config = ["--kubeconfig", str(site.kubeconfig), "--context", site.context]
    command = [str(tools.kubectl()), *config, *words]
    subprocess.run(command, capture_output=True, text=True, check=True)


def is_there(cluster: Cluster) -> bool:
    """Whether the node is ready."""
    there = cluster.get("Node", NODE) or {}
    return condition(there, "Ready").get("status") == "True"


def takes_pods(cluster: Cluster, namespace: str) -> bool:
    """Whether the policy sends the Pods of a namespace to the node."""
    body = {
        "metadata": {"name": "try"},
        "spec": {"containers": [{"name": "try", "image": "kubelab/web:1.0"}]},
    }
    try:
        made = cluster.create("Pod", body, namespace, dry_run=True)
    except Refused:
        # The namespace is some moments old, and its ServiceAccount is not there yet.
        return False
    return dig(made, "spec", "nodeName") == NODE


def remove_node(cluster: Cluster) -> None:
    """Remove the policy, the node, and what DaemonSets put there; nothing may be left of it."""
    words = ("delete", "--ignore-not-found", "--wait=false", "-f", str(FOLDER))
    kubectl(cluster.site, *words)
    within(PATIENCE, lambda: cluster.get("Node", NODE) is None, "the fake node does not go")
    for pod in cluster.objects("Pod", fields=f"spec.nodeName={NODE}"):
        cluster.delete("Pod", name_of(pod), meta(pod)["namespace"])


def within(limit: float, done: Callable[[], bool], otherwise: str) -> None:
    """Wait until it is done; raises TimeoutError after so many seconds."""
    end = time.monotonic() + limit
    while not done():
        if time.monotonic() > end:
            raise TimeoutError(f"After {limit:.0f} s {otherwise}.")
        time.sleep(0.5)


# Twins


@dataclass(frozen=True)
class Twin:
    """A namespace of simulated Pods and the real one with the same answer."""

    simulated: str
    real: str
    names: Mapping[str, str]
    addresses: Mapping[str, str]
    uids: Mapping[str, str]

    def question(self, body: Object) -> Object:
        """A question about a simulated Pod, put to the real one."""
        url = str(body["url"]).replace(f".{self.simulated}.svc.", f".{self.real}.svc.")
        host = host_of(url)
        return {**body, "url": url.replace(host, self.addresses.get(host, host))}

    def translated(self, reply: str) -> Any:
        """A real Pod's reply, told by the simulated one."""
        pattern = "|".join(map(re.escape, self.names))
        return json.loads(re.sub(pattern, lambda found: self.names[found[0]], reply))


def host_of(url: str) -> str:
    """The host of a URL."""
    return url.partition("://")[2].partition("/")[0].rpartition(":")[0].strip("[]")


def twin(simulated: str, real: str, lists: Mapping[str, list[Object]]) -> Twin:
    """Pair what two namespaces hold: Pods by their labels, the rest by kind and name."""
    ours, theirs = (of(lists["Pod"], one) for one in (simulated, real))
    pairs = list(zip(sorted(theirs, key=role), sorted(ours, key=role), strict=True))
    assert all(role(one)[0] == role(other)[0] for one, other in pairs), (simulated, real)
    assert all(dig(one, "spec", "nodeName") == NODE for one in ours), simulated
    uids = {}
    for kind in ("Service", "Deployment"):
        there = {name_of(one): meta(one)["uid"] for one in of(lists[kind], simulated)}
        for one in of(lists[kind], real):
            uids[meta(one)["uid"]] = there[name_of(one)]
    return Twin(
        simulated,
        real,
        {name_of(one): name_of(other) for one, other in pairs} | {real: simulated},
        {dig(other, "status", "podIP"): dig(one, "status", "podIP") for one, other in pairs},
        uids,
    )


def of(bodies: list[Object], namespace: str) -> list[Object]:
    """The objects of one namespace that are not on their way out."""
    mine = [one for one in bodies if meta(one)["namespace"] == namespace]
    return [one for one in mine if not meta(one).get("deletionTimestamp")]


def role(pod: Object) -> tuple[str, str]:
    """What a Pod is, the same in each namespace, and its name.

    Without the hash of its template, which may hold an address.
    """
    labels = {
        key: value
        for key, value in (meta(pod).get("labels") or {}).items()
        if key != "pod-template-hash"
    }
    return json.dumps(labels, sort_keys=True), name_of(pod)


def proofs(kept: Mapping[str, str], one: Twin) -> dict[str, str]:
    """The proofs on record for a real namespace, as those of its simulated twin."""
    found = {}
    for key, value in kept.items():
        uid = next((uid for uid in one.uids if uid in key), None)
        if uid is not None and not key.startswith(UNDO):
            found[key.replace(uid, one.uids[uid])] = value.replace(uid, one.uids[uid])
    return found


class Counted(Cluster):
    """The course's cluster: it counts its requests by kind, and asks twins for simulated Pods.

    `asking`: each question is put to a real Pod. Otherwise each different one is put once, and its
    answer serves every other twin.
    """

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster.site, cluster._client)
        self.kinds: Counter[str] = Counter()
        self.lent = 0
        self.asking = False
        self._twins: dict[str, Twin] = {}
        self._known: dict[str, str] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def pair(self, several: list[Twin]) -> None:
        """Know these twins from now on, by namespace and by address."""
        for one in several:
            self._twins |= dict.fromkeys([one.simulated, *one.addresses], one)

    def begin(self, *, asking: bool) -> None:
        """Count from now on."""
        self.kinds.clear()
        self._known.clear()
        self.requests, self.lent, self.asking = 0, 0, asking

    def proxied(
        self, service: str, path: str, body: Object | None = None, *, timeout: float = 10.0
    ) -> Any:
        """Ask a Service of the course; about a simulated Pod, what its twin's says."""
        one = self._twin(body or {}) if service == PROBER else None
        if one is None:
            return super().proxied(service, path, body, timeout=timeout)
        return one.translated(self._lent(one.question(body or {}), path, timeout))

    def _lent(self, question: Object, path: str, timeout: float) -> str:
        key = json.dumps(question, sort_keys=True)
        with self._lock:
            self.lent += 1
            lock = self._locks.setdefault(key, threading.Lock())
        if self.asking:
            return json.dumps(super().proxied(PROBER, path, question, timeout=timeout))
        with lock:
            if key not in self._known:
                reply = super().proxied(PROBER, path, question, timeout=timeout)
                self._known[key] = json.dumps(reply)
        return self._known[key]

    def _twin(self, question: Object) -> Twin | None:
        if question.get("kind") != "http":
            return None
        host = host_of(str(question["url"]))
        namespace = host.split(".")[1] if host.endswith(".svc.cluster.local") else host
        return self._twins.get(namespace)

    def _call(self, method: str, path: str, query: Any = None, **more: Any) -> Any:
        with self._lock:
            self.kinds[kind_of(method, path)] += 1
        return super()._call(method, path, query, **more)


def kind_of(method: str, path: str) -> str:
    """What a request is counted as: `list pods`, `write configmaps`, `ask prober`."""
    parts = path.strip("/").split("/")
    if "proxy" in parts:
        return f"ask {parts[parts.index('proxy') - 1].split(':')[0]}"
    rest = parts[2:] if parts[0] == "api" else parts[3:]
    if rest[:1] == ["namespaces"] and len(rest) > 2:
        rest = rest[2:]
    if method != "GET":
        return f"write {rest[0]}"
    return f"get {rest[0]}" if len(rest) > 1 else f"list {rest[0]}" if rest else "get /metrics"


def put_on_record(cluster: Cluster, one: Twin) -> None:
    """Let a simulated namespace have the proofs of its twin, as if graded before."""
    kept = cluster.get("ConfigMap", f"proofs-{one.real}", SYSTEM)
    if kept is None:
        return
    name = f"proofs-{one.simulated}"
    labels = meta(kept)["labels"]
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}}
    cluster.apply(body | {"data": proofs(dig(kept, "data") or {}, one)}, SYSTEM)
