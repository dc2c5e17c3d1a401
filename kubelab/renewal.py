"""Does a caller find its backend by name? The Service is deleted and made again to see."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from kubelab import ask
from kubelab.acting import STEP, Holder, Proof, Undo, acting, disturbing
from kubelab.api import Away, Cluster, Conflict, Refused
from kubelab.errors import EnvironmentFault
from kubelab.objects import SERVER_METADATA, Object, dig
from kubelab.proofs import created_again, outcome
from kubelab.replacing import blame_a_busy_machine

WANTED = "found again when its Service was made again"
# Seconds in which a deleted Service's address stops answering, and a new one's name answers.
GONE = 10.0
BACK = 20.0
# So much later the nodes of a busy machine follow.
LATE = 30.0
TRIES = 5


@dataclass(frozen=True)
class Trial:
    """The Service that is made again, and the URL of each caller that must find it."""

    service: str
    callers: Sequence[str]


def finds_again(cluster: Cluster, namespace: str, trial: Trial, key: str) -> Proof:
    """Delete the Service, make it again at another address, and ask the callers.

    The Service is put back as it was, its address too. Raises EnvironmentFault where it is gone.
    """
    with acting(cluster, namespace) as holder:
        service = cluster.get("Service", trial.service, namespace)
        if service is None:
            raise EnvironmentFault(f"Service {trial.service} is not there any more.")
        old = str(dig(service, "spec", "clusterIP"))
        with disturbing(holder, Undo("Service", trial.service, body=without_address(service))):
            try:
                reason, found = tried(holder, trial, service, old)
            finally:
                put_back(cluster, namespace, service)
        answering(holder, trial, True, BACK)
    return outcome(key, WANTED, reason, found)


def tried(holder: Holder, trial: Trial, service: Object, old: str) -> tuple[str, str]:
    """What went wrong while the Service was gone, and after it was made again."""
    cluster, namespace = holder.cluster, holder.namespace
    reached = reaches(cluster, service, old)
    cluster.delete("Service", trial.service, namespace)
    if not answering(holder, trial, False, GONE):
        # While the old address answers the course, too, the nodes have not heard of it yet.
        late = reached and reaches(cluster, service, old)
        if late:
            within(holder, lambda: not reaches(cluster, service, old), LATE)
        if not (late and answering(holder, trial, False, GONE)):
            blame_a_busy_machine(cluster)
            return "fixed-address", f"answers while Service {trial.service} is not there"
    new = old
    for _ in range(TRIES):
        made = created_again(cluster, "Service", moved(service), namespace)
        new = str(dig(made, "spec", "clusterIP"))
        if new != old or new == "None":
            break
        cluster.delete("Service", trial.service, namespace)
    if reached:
        # The callers' time begins when the course itself reaches the new address.
        within(holder, lambda: reaches(cluster, made, new), LATE)
    if not answering(holder, trial, True, BACK):
        blame_a_busy_machine(cluster)
        return "fixed-address", f"asks {old}, and its Service has the address {new} now"
    return "", ""


def reaches(cluster: Cluster, service: Object, address: str) -> bool:
    """Whether a page stands at a Service's address."""
    port = dig(service, "spec", "ports", 0, "port")
    if address == "None" or not port:
        return False
    return ask.http(cluster, ask.address(address, port), timeout=4.0)[0].status == 200


def put_back(cluster: Cluster, namespace: str, service: Object) -> None:
    """Make the Service as it was, with its address where that is still free."""
    name = service["metadata"]["name"]
    cluster.delete("Service", name, namespace)
    with suppress(Conflict):
        try:
            created_again(cluster, "Service", as_written(service), namespace)
        except Away:
            raise
        except Refused:
            created_again(cluster, "Service", without_address(service), namespace)


def as_written(service: Object) -> Object:
    """The Service without what the server sets; its address and its ports stay."""
    body = copy.deepcopy(service)
    body.pop("status", None)
    for key in SERVER_METADATA:
        body["metadata"].pop(key, None)
    return {"apiVersion": "v1", "kind": "Service"} | body


def without_address(service: Object) -> Object:
    """The same Service, for the API server to give it an address; a headless one has none."""
    body = as_written(service)
    if dig(body, "spec", "clusterIP") != "None":
        for key in ("clusterIP", "clusterIPs"):
            body["spec"].pop(key, None)
    return body


def moved(service: Object) -> Object:
    """The same Service at another address: its ports on the nodes are one, too."""
    body = without_address(service)
    for port in dig(body, "spec", "ports") or ():
        port.pop("nodePort", None)
    return body


def answering(holder: Holder, trial: Trial, wanted: bool, limit: float) -> bool:
    """Wait until all callers give their backend's page, or none does; whether it came to that."""

    def so() -> bool:
        return all((one == 200) == wanted for one in statuses(holder.cluster, trial.callers))

    return within(holder, so, limit)


def statuses(cluster: Cluster, urls: Sequence[str]) -> list[int | None]:
    """What each caller answers now."""
    return [ask.http(cluster, one, timeout=4.0)[0].status for one in urls]


def within(holder: Holder, done: Callable[[], bool], limit: float) -> bool:
    """Look until it is done, at most `limit` seconds; whether it is."""
    end = time.monotonic() + limit
    while not done():
        if time.monotonic() > end:
            return False
        holder.renew()
        time.sleep(STEP)
    return True
