"""Is a name told of Pods that are not ready? A never-ready Pod of the course shows it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kubelab import ask, endpoints
from kubelab.acting import STEP, Holder, Proof, acting, beside, make, runs, until
from kubelab.api import Cluster
from kubelab.errors import Busy
from kubelab.objects import Object, dig, name_of
from kubelab.proofs import outcome
from kubelab.replacing import blame_a_busy_machine

MANIFEST = Path(__file__).parent / "manifests" / "never-ready.yaml"
WANTED = "DNS leaves out a Pod that is not ready"
START = 60.0
# Seconds in which an address that is listed at all has reached EndpointSlice and DNS.
LISTED = 6.0
# A busy controller lists a Pod that is selected so many seconds later.
LATE = 30.0
QUESTIONS = 5


@dataclass(frozen=True)
class Trial:
    """The headless Service, its whole name, and a Pod in whose place the stand-in stands."""

    service: str
    host: str
    pod: str
    labels: Mapping[str, str]


def lists_only_ready(cluster: Cluster, namespace: str, trial: Trial, key: str) -> Proof:
    """Stand a never-ready Pod beside the learner's, and ask DNS for the name.

    Raises EnvironmentFault where the Pod can't be made or gets no address.
    """
    with acting(cluster, namespace) as holder:
        body = beside(holder, MANIFEST, "never-ready", trial.labels, trial.pod)
        make(cluster, namespace, body)
        pod, running = until(holder, name_of(body), runs, START)
        if pod is None or not running:
            raise Busy(
                "The course's never-ready Pod did not start.",
                look=f"kubectl -n {namespace} get events",
            )
        address = str(dig(pod, "status", "podIP"))
        service = holder.cluster.get("Service", trial.service, namespace)
        # None where there is no Service any more.
        chosen = None if service is None else endpoints.selects(service, body)
        known = chosen is not False and listed(holder, trial, address, LATE if chosen else LISTED)
        given = told(holder, trial, address if known and publishes(service) else "")
        if not known and chosen:
            raise holder.too_busy("An EndpointSlice did not follow a Pod that its Service selects")
        if not known and chosen is None:
            blame_a_busy_machine(cluster)
    found = ""
    if not known:
        found = "its EndpointSlices do not follow a new Pod with these labels"
    elif address in given:
        found = f"DNS gives {address}, a Pod that is not ready"
    reason = "" if not found else "not-followed" if not known else "unready-address"
    return outcome(key, WANTED, reason, found)


def publishes(service: Object | None) -> bool:
    """Whether a Service gives the addresses of Pods that are not ready, too."""
    return bool(dig(service, "spec", "publishNotReadyAddresses"))


def listed(holder: Holder, trial: Trial, address: str, limit: float) -> bool:
    """Whether the Service's EndpointSlices come to know an address, ready or not."""
    end = time.monotonic() + limit
    while True:
        slices = holder.cluster.objects("EndpointSlice", holder.namespace)
        several = endpoints.slices_of(trial.service, slices)
        known = endpoints.addresses(several) | endpoints.addresses(several, ready=False)
        if address in known or time.monotonic() > end:
            return address in known
        holder.renew()
        time.sleep(STEP)


def told(holder: Holder, trial: Trial, late: str = "") -> set[str]:
    """Every address that DNS gives for the name, asked for about two seconds.

    `late`: an address that is published, which DNS gives in the end; it is waited for.
    """
    found: set[str] = set()
    asked, end = 0, time.monotonic() + LATE
    while asked < QUESTIONS or (late and late not in found and time.monotonic() < end):
        holder.renew()
        time.sleep(STEP * 2)
        (answer,) = ask.dns(holder.cluster, trial.host)
        found |= set(answer.addresses)
        asked += 1
    return found
