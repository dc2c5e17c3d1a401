"""The control plane's components: whether they run, stopping one for a while, bringing them back.

They are static Pods: the kubelet of the control plane's node runs whatever manifest lies in its
folder. A manifest that is taken away stops its component; `controlplane.sh` does it on the node.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from kubelab import engine as engines
from kubelab import site as sites
from kubelab.api import Cluster, Refused, connect
from kubelab.engine import Engine
from kubelab.errors import BuildFailed, EnvironmentFault, KubelabError, NoCluster, UsageError
from kubelab.objects import condition, dig
from kubelab.site import Site

COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
SHORT = {"apiserver": "kube-apiserver", "api-server": "kube-apiserver"}
LABEL = "tier=control-plane"
NAMESPACE = "kube-system"
SCRIPT = Path(__file__).with_name("controlplane.sh")
# Written whole before it is run: a timer of the node may be reading the one before.
INSTALL = (
    "mkdir -p /run/kubelab && cat >/run/kubelab/$$.sh && "
    "mv /run/kubelab/$$.sh /run/kubelab/controlplane.sh && "
    'exec bash /run/kubelab/controlplane.sh "$@"'
)
MEND = "./lab mend"
# Seconds after which the node brings a component back by itself, whoever stopped it.
LONGEST = 120
# Seconds for a component that was brought back a moment ago.
STARTING = 30.0
# Seconds for the node's script: mending waits 90 for an answer, 120 for Leases, 60 for the kubelet.
TIMEOUT = 300.0


class Stopped(EnvironmentFault):
    """A component of the control plane does not run."""

    def __init__(self, components: Sequence[str]) -> None:
        several = ", ".join(components)
        message = f"The control plane is not whole: {several} does not run. It costs you nothing."
        if len(components) > 1:
            message = f"The control plane is not whole: {several} do not run. It costs you nothing."
        super().__init__(message, look=MEND)


# Looking


def missing(cluster: Cluster) -> tuple[str, ...]:
    """The components that do not run, as the API server knows them.

    A cluster whose control plane has no Pods, or shows them to nobody, has none missing.
    """
    there = standing(cluster)
    return tuple(one for one in COMPONENTS if not there.get(one)) if there else ()


def standing(cluster: Cluster) -> dict[str, bool]:
    """The components that are there, each with whether it is ready."""
    try:
        pods = cluster.objects("Pod", NAMESPACE, labels=LABEL)
    except Refused:
        return {}
    return {
        str(dig(one, "metadata", "labels", "component")): (
            condition(one, "Ready").get("status") == "True"
        )
        for one in pods
    }


def require(cluster: Cluster, patience: float = STARTING) -> None:
    """Raise Stopped where a component does not run; one that is starting is waited for."""
    deadline = time.monotonic() + patience
    while there := standing(cluster):
        late = [one for one in COMPONENTS if not there.get(one)]
        if not late:
            return
        if time.monotonic() >= deadline or not set(late) <= set(there):
            raise Stopped(late)
        time.sleep(0.5)


def connected(site: Site, open_door: Callable[[Site], Cluster] = connect) -> Cluster:
    """The course's cluster with its control plane whole; raises Stopped, NoCluster, ForeignCluster.

    Where the API server is what was stopped, that is said in place of its silence. `open_door`
    makes the connection.
    """
    try:
        cluster = open_door(site)
        require(cluster)
    except NoCluster:
        found = taken_away(site)
        if found:
            raise Stopped(found) from None
        raise
    return cluster


def taken_away(site: Site) -> tuple[str, ...] | None:
    """The components whose manifest their node misses; None where the node is mute."""
    with contextlib.suppress(KubelabError, OSError):
        return tuple(on_node(site, "state", timeout=15.0).split())
    return None


# Changing


def mend(site: Site) -> list[str]:
    """Put every manifest back and wait until the components answer; those that were put back.

    It may be run at any time, and again. Raises NoEngine, NoCluster or EnvironmentFault.
    """
    try:
        return on_node(site, "mend").split()
    except BuildFailed as error:
        why = error.message.partition("failed: ")[2] or error.message
        raise EnvironmentFault(
            f"The control plane could not be mended: {why}.",
            look=f"docker exec {node_name(site)} journalctl -u kubelet -n 20 --no-pager",
        ) from None


def without(
    site: Site,
    component: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    longest: int = LONGEST,
    tell: Callable[[str], None] = lambda _: None,
) -> int:
    """Stop a component, run a command, and bring the component back; the command's exit code.

    It comes back also after Ctrl-C; and where this process is killed, its node brings it back
    after `longest` seconds. `tell` gets what happens, once it does. Raises UsageError for what is
    no component, and what `connected` and `mend` raise.
    """
    name = component_of(component)
    connected(site)
    tell(f"Stopping {name}; at most {longest} s.")
    try:
        on_node(site, "stop", name, str(longest))
        return subprocess.run(command, env=environment, check=False).returncode
    except OSError as error:
        raise UsageError(f"`{command[0]}` can't be run: {error.strerror}.") from None
    finally:
        with uninterrupted():
            mend(site)
        tell(f"{name} was brought back.")


def component_of(name: str) -> str:
    """The component's whole name: `scheduler` is `kube-scheduler`; raises UsageError."""
    low = name.lower()
    for one in (low, f"kube-{low}", SHORT.get(low)):
        if one in COMPONENTS:
            return one
    raise UsageError(f"{name} is no component of the control plane: {', '.join(COMPONENTS)}.")


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """The block is not ended by Ctrl-C, nor by a terminal that goes away."""
    kinds = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    try:
        before = [signal.signal(kind, signal.SIG_IGN) for kind in kinds]
    except ValueError:  # Not the main thread: no signal reaches it.
        yield
        return
    try:
        yield
    finally:
        for kind, handler in zip(kinds, before, strict=True):
            signal.signal(kind, handler)


# The node


def node_name(site: Site) -> str:
    """The container that is the control plane's node."""
    return f"{site.name}-control-plane"


def on_node(site: Site, *words: str, timeout: float = TIMEOUT) -> str:
    """Run controlplane.sh on the control plane's node; what it printed.

    Raises NoEngine, NoCluster for a node that is not there, BuildFailed where the script fails.
    """
    engine = engines.connect(install=False)
    node = node_of(site, engine)
    with SCRIPT.open("rb") as stream:
        return engine.run(
            "exec", "--interactive", node, "sh", "-c", INSTALL, "sh", *words,
            stdin=stream, timeout=timeout,
        )  # fmt: skip


def node_of(site: Site, engine: Engine) -> str:
    """The control plane's node of the course's own cluster. Raises NoCluster."""
    node = node_name(site)
    made = (sites.cache() / "clusters" / f"{site.name}.json").is_file()
    filters = ["--filter", f"name=^{node}$"]
    filters += ["--filter", f"label=io.x-k8s.kind.cluster={site.name}"]
    if not made or not site.kubeconfig.is_file() or not engine.run("ps", "--quiet", *filters):
        raise NoCluster("The course's cluster does not run here.", look="./lab up")
    return node


def environment_of(site: Site) -> dict[str, str]:
    """The environment of a command whose kubectl works where the caller's does."""
    from kubelab.commands import shell

    given = os.environ.get("KUBECONFIG")
    return shell.variables(site, Path(given) if given else shell.kubeconfig(site, None), os.environ)
