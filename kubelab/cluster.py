"""The course's kind cluster: made, found again, looked at and removed."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
import string
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from kubelab import site as sites
from kubelab import tools
from kubelab.engine import Engine
from kubelab.errors import BuildFailed, EnvironmentFault, ForeignCluster, KubelabError, NoCluster
from kubelab.objects import condition, name_of
from kubelab.progress import Progress, Stage
from kubelab.site import ROOT, Site
from kubelab.words import tell

MANIFESTS = ROOT / "cluster"
NAMESPACE = "kubelab-system"
MARKER = "kubelab"
# What the nodes of a cluster of the course run, whatever its digest.
NODE_IMAGE = "kubelab/node:"
# Where add-ons run; what a learner leaves broken elsewhere must not keep `up` waiting.
SYSTEM_NAMESPACES = ("kube-system", NAMESPACE, "local-path-storage", "projectcontour")
# Preferred ports on loopback; the next free one is taken where one is busy. Not 8080: a kubectl
# without a kubeconfig asks there, and the answer of an Ingress would mislead.
PORTS = {sites.LEARNER: (8088, 8443), sites.TEST: (18080, 18443)}
READY_TIMEOUT = 240.0
API_TIMEOUT = 5
# Seconds for programs that hang where the engine or the cluster does: far beyond what they take.
KUBECTL_TIMEOUT = 120.0
NODE_TIMEOUT = 600.0
KIND_TIMEOUT = 1800.0
SYSTEM_PODS = "./lab shell -- kubectl get pods -A"


@dataclass(frozen=True)
class ClusterInfo:
    """What `status --json` says of a cluster; absent parts are None, ports are on loopback."""

    name: str
    context: str | None = None
    kubeconfig: str | None = None
    version: str | None = None
    nodes: int | None = None
    node_image: str | None = None
    http_port: int | None = None
    https_port: int | None = None


def stages() -> list[Stage]:
    """The stages of `ensure` when the cluster has to be made."""
    return [
        Stage("cluster", "Cluster of a control plane and two workers", 50),
        Stage("addons", "Ingress, Gateway, metrics, prober", 25),
    ]


def ensure(site: Site, engine: Engine, image: str, progress: Progress, log: Path) -> ClusterInfo:
    """Make the cluster, or bring back the one that is there; every add-on answers afterwards.

    Raises BuildFailed, NoCluster or ForeignCluster.
    """
    with progress.stage("cluster") as stage:
        state = _state(site, engine)
        known = state == "ours" and _current(site)
        if state == "ours":
            stage.state = "cached"
        elif state == "stopped":
            stage.note = "starting the nodes again"
            engine.run("start", *_nodes(site, engine), log=log, timeout=NODE_TIMEOUT)
        else:
            if state == "unfinished":
                stage.note = "removing an unfinished one"
                _delete(site, log)
            _create(site, engine, image, log)
        stage.note = ""
        if not known:
            _export_kubeconfig(site, log)
            _wait("the API server", lambda: bool(_kubectl(site, "get", "--raw=/readyz")))
    with progress.stage("addons") as stage:
        if not known and not _current(site):
            _apply_addons(site, engine, log)
            _record_marker(site, engine, image)
        _wait_for_nodes(site, engine, stage)
        _wait_for_addons(site, engine, stage)
    return require(site)


def require(site: Site) -> ClusterInfo:
    """The course's cluster, once it answered. Raises NoCluster or ForeignCluster."""
    if not site.kubeconfig.exists():
        raise NoCluster("There is no cluster yet.", look="./lab up")
    marker = _marker(site)
    if marker is None:
        raise ForeignCluster(
            f"The cluster behind {site.kubeconfig} is not the course's: it has no ConfigMap "
            f"`{MARKER}` in namespace {NAMESPACE}. Nothing was touched.",
            look="./lab up",
        )
    check_marker(marker, site)
    data = marker["data"]
    return ClusterInfo(
        name=site.name,
        context=site.context,
        kubeconfig=str(site.kubeconfig),
        version=data["version"],
        nodes=int(data["nodes"]),
        node_image=data["nodeImage"],
        http_port=int(data["httpPort"]),
        https_port=int(data["httpsPort"]),
    )


def check_marker(marker: dict[str, Any] | None, site: Site) -> None:
    """Refuse a cluster whose marker is missing or another's. Raises ForeignCluster."""
    named = ((marker or {}).get("data") or {}).get("cluster")
    if named != site.name:
        raise ForeignCluster(
            f"The cluster behind {site.kubeconfig} does not carry the course's marker for "
            f"`{site.name}`. Nothing was touched.",
            look="./lab up",
        )


def status(site: Site) -> dict[str, Any]:
    """The `cluster` object of `status --json`; what is not there is None."""
    try:
        return asdict(require(site))
    except KubelabError:
        return asdict(ClusterInfo(name=site.name))


def exists(site: Site, engine: Engine) -> bool:
    """Whether the course's cluster is there, running or stopped. Raises ForeignCluster."""
    return runs(site, engine) is not None


def runs(site: Site, engine: Engine) -> bool | None:
    """Whether every node of the course's cluster runs; None without one. Raises ForeignCluster."""
    return {"ours": True, "stopped": False}.get(_state(site, engine))


def image_of(site: Site, engine: Engine) -> str:
    """The image that the nodes of the cluster run."""
    return _images(engine, [f"{site.name}-control-plane"])[0]


def delete(site: Site, engine: Engine) -> bool:
    """Remove the cluster, if it is the course's; says whether there was one.

    Raises ForeignCluster for a kind cluster of the same name that the course did not make.
    """
    state = _state(site, engine)
    if state != "absent":
        _delete(site, site.log)
    site.kubeconfig.unlink(missing_ok=True)
    return state != "absent"


def free_port(preferred: int, taken: Iterable[int] = ()) -> int:
    """The preferred port of loopback if nobody listens there, else the next that is free."""
    for port in range(preferred, preferred + 100):
        if port not in taken and _is_free(port):
            return port
    raise EnvironmentFault(
        f"No free port between {preferred} and {preferred + 99} on 127.0.0.1.", look="ss -ltn"
    )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # Docker's proxy binds without SO_REUSEADDR's leniency towards a listener; so does this.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _intent(site: Site) -> Path:
    """What tells a cluster that the course began from one of the same name by somebody else."""
    return sites.cache() / "clusters" / f"{site.name}.json"


def _state(site: Site, engine: Engine) -> str:
    """`absent`, `ours`, `stopped` or `unfinished`. Raises ForeignCluster."""
    nodes = _containers(site, engine)
    if not nodes:
        return "absent"
    try:
        intent = json.loads(_intent(site).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise _not_made(site) from None
    owner = Path(intent["root"])
    if owner != site.root and owner.exists():
        raise ForeignCluster(
            f"The cluster `{site.name}` belongs to the course in {owner}.",
            look=f"{owner}/lab down",
        )
    if not intent.get("finished"):
        # Begun and not ended: of its nodes nothing is known but the image that they would run.
        if any(not image.startswith(NODE_IMAGE) for image in _images(engine, nodes)):
            raise _not_made(site)
        return "unfinished"
    # A record of an older course names no containers.
    known = intent.get("containers")
    if known is not None and not set(known) & set(nodes):
        raise _not_made(site)
    running = engine.run("ps", "--quiet", *_filter(site)).split()
    return "ours" if len(running) == len(nodes) else "stopped"


def _not_made(site: Site) -> ForeignCluster:
    return ForeignCluster(
        f"There is a kind cluster `{site.name}` that the course did not make. Nothing was touched.",
        look=f"kind delete cluster --name {site.name}",
    )


def _filter(site: Site) -> list[str]:
    return ["--filter", f"label=io.x-k8s.kind.cluster={site.name}"]


def _nodes(site: Site, engine: Engine) -> list[str]:
    return engine.run("ps", "--all", "--format", "{{.Names}}", *_filter(site)).split()


def _containers(site: Site, engine: Engine) -> list[str]:
    """The ids of the nodes' containers: they stay while a node is stopped and started."""
    return engine.run("ps", "--all", "--no-trunc", "--quiet", *_filter(site)).split()


def _images(engine: Engine, nodes: list[str]) -> list[str]:
    return engine.run("inspect", "--format", "{{.Config.Image}}", *nodes).split()


def _create(site: Site, engine: Engine, image: str, log: Path) -> None:
    preferred_http, preferred_https = PORTS.get(site.name, PORTS[sites.TEST])
    http = free_port(preferred_http)
    https = free_port(preferred_https, taken=[http])
    for preferred, chosen in ((preferred_http, http), (preferred_https, https)):
        if preferred != chosen:
            tell(f"Port {preferred} is busy: using {chosen}.")
    site.state.mkdir(parents=True, exist_ok=True)
    template = string.Template((MANIFESTS / "kind.yaml").read_text(encoding="utf-8"))
    config = site.state / "kind.yaml"
    config.write_text(
        template.substitute(
            NAME=site.name,
            NODE_IMAGE=image,
            HTTP_PORT=http,
            HTTPS_PORT=https,
            AUDIT_POLICY=MANIFESTS / "audit-policy.yaml",
        ),
        encoding="utf-8",
    )
    _write_intent(site)
    _run(
        _kind("create", "cluster", site, "--config", str(config), "--wait", "0s"),
        log,
    )
    _write_intent(site, _containers(site, engine))


def _kind(verb: str, noun: str, site: Site, *more: str) -> list[str]:
    """A kind command on this site's cluster; the user's kubeconfig is never its target."""
    command = [str(tools.kind()), verb, noun, "--name", site.name]
    return [*command, "--kubeconfig", str(site.kubeconfig), *more]


def _write_intent(site: Site, containers: list[str] | None = None) -> None:
    """Note a cluster that is begun, or with its nodes' containers one that is made."""
    record: dict[str, Any] = {"root": str(site.root), "finished": containers is not None}
    if containers is not None:
        record["containers"] = containers
    # Half of it would make the cluster a stranger's.
    sites.write(_intent(site), json.dumps(record))


def _delete(site: Site, log: Path) -> None:
    _run(_kind("delete", "cluster", site), log)
    _intent(site).unlink(missing_ok=True)


def _export_kubeconfig(site: Site, log: Path) -> None:
    _run(_kind("export", "kubeconfig", site), log)
    site.kubeconfig.chmod(0o600)


def _apply_addons(site: Site, engine: Engine, log: Path) -> None:
    def on_node(*words: str, stdin: IO[bytes] | None = None) -> str:
        node = f"{site.name}-control-plane"
        return engine.run(
            "exec", *(["--interactive"] if stdin else []), node, *words,
            stdin=stdin, log=log if stdin else None, timeout=NODE_TIMEOUT,
        )  # fmt: skip

    # First what takes longest to be ready: metrics-server has to see each node twice.
    _apply(site, (MANIFESTS / "metrics-server.yaml").read_text(encoding="utf-8"), log)
    _apply(site, (MANIFESTS / "kubelab-system.yaml").read_text(encoding="utf-8"), log)
    for name in on_node("sh", "-c", "ls /kubelab/manifests/*.json").split():
        _apply(site, on_node("cat", name), log)
    _wait("the custom resources", lambda: _established(site))
    script = MANIFESTS / "default-certificate.sh"
    with script.open("rb") as stream:
        on_node("bash", "-s", stdin=stream)
    for file in addon_files():
        _apply(site, file.read_text(encoding="utf-8"), log)


def addon_files() -> list[Path]:
    """The manifests that need the custom resources, in the order in which they are applied."""
    contour = MANIFESTS / "contour"
    return [
        contour / "namespace.yaml",
        contour / "rbac.yaml",
        contour / "contour.yaml",
        MANIFESTS / "gateway.yaml",
    ]


def _established(site: Site) -> bool:
    _kubectl(site, "wait", "--for=condition=Established", "--timeout=30s", "crd", "--all")
    return True


def _record_marker(site: Site, engine: Engine, image: str) -> None:
    version = json.loads(_kubectl(site, "get", "--raw=/version"))["gitVersion"]
    data = {
        "cluster": site.name,
        "version": version,
        "nodes": str(len(_nodes(site, engine))),
        "nodeImage": image,
        "addons": _addons_address(),
        "httpPort": str(_host_port(site, engine, 80)),
        "httpsPort": str(_host_port(site, engine, 443)),
    }
    marker = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": MARKER,
            "namespace": NAMESPACE,
            "labels": {"kubelab.dev/marker": "true"},
        },
        "data": data,
    }
    _apply(site, json.dumps(marker), site.log)


def _host_port(site: Site, engine: Engine, port: int) -> int:
    published = engine.run("port", f"{site.name}-control-plane", f"{port}/tcp")
    return int(published.splitlines()[0].rsplit(":", 1)[1])


def _addons_address() -> str:
    from kubelab.nodeimage import sources

    return sources.digest([MANIFESTS])


def _current(site: Site) -> bool:
    """Whether the cluster answers and carries the add-ons of this checkout."""
    try:
        marker = _marker(site)
    except NoCluster:
        return False
    return marker is not None and marker["data"].get("addons") == _addons_address()


def _marker(site: Site) -> dict[str, Any] | None:
    """The marker object; None where the cluster has none. Raises NoCluster when it is silent."""
    arguments = ["-n", NAMESPACE, "get", "configmap", MARKER, "--ignore-not-found", "-o", "json"]
    found = _kubectl(site, *arguments)
    marker: dict[str, Any] | None = json.loads(found) if found.strip() else None
    return marker


def _wait_for_nodes(site: Site, engine: Engine, stage: Stage) -> None:
    """A node can join and its kubelet never come to stay: kind does not wait for workers."""
    names = sorted(_nodes(site, engine))
    waiting: list[str] = []

    def all_ready() -> bool:
        nonlocal waiting
        waiting = []  # What the API server does not tell, nobody knows.
        found = json.loads(_kubectl(site, "get", "nodes", "-o", "json"))["items"]
        ready = {name_of(one) for one in found if condition(one, "Ready").get("status") == "True"}
        waiting = [name for name in names if name not in ready]
        stage.note = f"waiting for {', '.join(waiting[:2])}" if waiting else ""
        return not waiting

    def seen() -> str:
        return f"not ready: {', '.join(waiting)}" if waiting else ""

    def restart() -> str:
        return " ".join(["docker", "restart", *waiting]) if waiting else SYSTEM_PODS

    _wait("the nodes", all_ready, seen, look=restart)


def _wait_for_addons(site: Site, engine: Engine, stage: Stage) -> None:
    def deployments() -> bool:
        found = json.loads(_kubectl(site, "get", "deployments,daemonsets", "-A", "-o", "json"))
        ours = [i for i in found["items"] if i["metadata"]["namespace"] in SYSTEM_NAMESPACES]
        waiting = [item["metadata"]["name"] for item in ours if not _available(item)]
        stage.note = f"waiting for {', '.join(waiting[:2])}" if waiting else ""
        return not waiting

    _wait("the add-ons", deployments, lambda: stage.note)
    ports = {80: "http", 443: "https"}
    for port, scheme in ports.items():
        # By name: without SNI Envoy answers 421. The path is the course's own (gateway.yaml).
        url = f"{scheme}://localhost:{_host_port(site, engine, port)}/.kubelab/healthz"
        _wait(f"{scheme} on loopback", lambda url=url: _answers(url))  # type: ignore[misc]
    _wait("the metrics API", lambda: _measured(site))
    stage.note = ""


def _measured(site: Site) -> bool:
    """Whether `kubectl top` prints nodes and Pods; of Pods the add-ons' are the youngest."""
    _kubectl(site, "top", "nodes")
    return all(_kubectl(site, "top", "pods", "-n", name) for name in SYSTEM_NAMESPACES)


def _available(item: dict[str, Any]) -> bool:
    current = item.get("status", {})
    if current.get("observedGeneration", 0) < item["metadata"]["generation"]:
        return False
    if item["kind"] == "DaemonSet":
        wanted = current.get("desiredNumberScheduled", 0)
        return bool(wanted > 0 and current.get("numberAvailable", 0) == wanted)
    return int(current.get("availableReplicas", 0)) >= int(item["spec"]["replicas"])


def _answers(url: str) -> bool:
    """Envoy is there and configured: any answer that is not a failure of its own."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )
    try:
        opener.open(url, timeout=API_TIMEOUT).close()
    except urllib.error.HTTPError as error:
        return bool(error.code < 500)
    except OSError:
        return False
    return True


def _wait(
    what: str,
    ready: Callable[[], bool],
    seen: Callable[[], str] = lambda: "",
    look: Callable[[], str] = lambda: SYSTEM_PODS,
) -> None:
    """The one way of waiting here: until `ready`, or NoCluster that says what was last seen."""
    deadline = time.monotonic() + READY_TIMEOUT
    last = ""
    while True:
        try:
            if ready():
                return
        except KubelabError as error:
            last = error.message
        if time.monotonic() > deadline:
            raise NoCluster(
                f"Waited {READY_TIMEOUT:.0f} s for {what}: {seen() or last or 'no answer'}",
                look=look(),
            )
        time.sleep(0.5)


def _apply(site: Site, manifest: str, log: Path) -> None:
    _kubectl(
        site, "apply", "--server-side", "--force-conflicts", "-f", "-", stdin=manifest, log=log
    )


def _kubectl(site: Site, *args: str, stdin: str | None = None, log: Path | None = None) -> str:
    """Run kubectl as the course. Raises NoCluster with its last line."""
    command = [str(tools.kubectl()), "--kubeconfig", str(site.kubeconfig)]
    command += ["--context", site.context, f"--request-timeout={API_TIMEOUT * 4}s", *args]
    try:
        done = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=KUBECTL_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NoCluster(
            f"The cluster does not answer: kubectl did not end within {KUBECTL_TIMEOUT:.0f} s.",
            look="./lab up",
        ) from None
    if log is not None:
        with log.open("a", encoding="utf-8") as file:
            file.write(f"$ kubectl {' '.join(args)}\n{done.stdout}{done.stderr}")
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise NoCluster(f"The cluster does not answer: {lines[-1][:200]}", look="./lab up")
    return done.stdout


def _run(command: list[str], log: Path) -> None:
    """Run kind with its output into `log`; an interrupted one ends with this process.

    Raises BuildFailed for one that fails, and for one that hangs.
    """
    environment = {**os.environ, "KIND_EXPERIMENTAL_PROVIDER": "docker"}
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as file:
        file.write(f"$ {' '.join(command)}\n")
        file.flush()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=environment
        )
        try:
            process.wait(timeout=KIND_TIMEOUT)
        except BaseException as error:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=10)
            if isinstance(error, subprocess.TimeoutExpired):
                raise BuildFailed(
                    f"`kind {command[1]} {command[2]}` did not end within {KIND_TIMEOUT:.0f} s.",
                    look=f"tail -n 40 {log}",
                ) from None
            raise
    if process.returncode != 0:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        errors = [line for line in lines if "ERROR" in line or "Error" in line]
        last = (errors or lines or ["no output"])[-1][:300]
        raise BuildFailed(
            f"`kind {command[1]} {command[2]}` failed: {last}",
            look=f"tail -n 40 {log}",
        )


__all__ = [
    "ClusterInfo",
    "addon_files",
    "check_marker",
    "delete",
    "ensure",
    "exists",
    "free_port",
    "image_of",
    "require",
    "runs",
    "stages",
    "status",
]
