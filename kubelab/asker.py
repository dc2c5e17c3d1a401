"""Questions from a Pod of the course with labels of its own, where policies look at labels."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from kubelab.acting import STEP, Holder, acting, beside, make, runs, until
from kubelab.api import Cluster
from kubelab.ask import Asker
from kubelab.errors import EnvironmentFault
from kubelab.objects import Object, name_of

MANIFEST = Path(__file__).parent / "manifests" / "asker.yaml"
PORT = 8080
START = 15.0


@contextlib.contextmanager
def from_pod(cluster: Cluster, namespace: str, labels: Mapping[str, str]) -> Iterator[Asker]:
    """Be the one that acts in a namespace, and ask from a Pod with these labels in it."""
    with acting(cluster, namespace) as holder, asker(holder, labels) as one:
        yield one


@contextlib.contextmanager
def asker(holder: Holder, labels: Mapping[str, str]) -> Iterator[Asker]:
    """Ask from a Pod with these labels, for whoever acts in a namespace already.

    After a crash `acting.sweep` removes the Pod. Raises EnvironmentFault where it does not start.
    """
    cluster, namespace = holder.cluster, holder.namespace
    body = beside(holder, MANIFEST, "asker", labels)
    name = name_of(body)
    make(cluster, namespace, body)
    try:
        pod, running = until(holder, name, runs, START)
        if pod is None or not running:
            raise unstarted(namespace)
        one = Asker(lambda question, limit: put(holder, name, question, limit))
        answering(holder, name)
        yield one
    finally:
        cluster.delete("Pod", name, namespace)


def answering(holder: Holder, name: str) -> None:
    """Wait until the program in the Pod listens; raises EnvironmentFault."""
    end = time.monotonic() + START
    while True:
        with contextlib.suppress(EnvironmentFault):
            holder.cluster.proxied_pod(holder.namespace, f"{name}:{PORT}", "healthz")
            return
        if time.monotonic() > end:
            raise unstarted(holder.namespace)
        holder.renew()
        time.sleep(STEP)


def put(holder: Holder, name: str, question: Object, limit: float) -> object:
    """Put a question to the Pod."""
    holder.renew()
    pod = f"{name}:{PORT}"
    return holder.cluster.proxied_pod(holder.namespace, pod, "ask", question, timeout=limit)


def unstarted(namespace: str) -> EnvironmentFault:
    """The error for a Pod of the course that does not come up."""
    return EnvironmentFault(
        "The course's Pod that asks did not start.", look=f"kubectl -n {namespace} get events"
    )
