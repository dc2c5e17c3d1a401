"""Is a name told of Pods that are not ready? A never-ready Pod of the course shows it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kubelab import ask, endpoints
from kubelab.acting import STEP, Holder, Proof, acting, beside, make, runs, until
from kubelab.api import Cluster
from kubelab.errors import EnvironmentFault
from kubelab.objects import dig, name_of
from kubelab.proofs import outcome
from kubelab.replacing import blame_a_busy_machine

MANIFEST = Path(__file__).parent / "manifests" / "never-ready.yaml"
WANTED = "DNS leaves out a Pod that is not ready"
START = 60.0
# Seconds in which an address that is listed at all has reached EndpointSlice and DNS.
LISTED = 6.0
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
            raise EnvironmentFault(
                "The course's never-ready Pod did not start.",
                look=f"kubectl -n {namespace} get events",
            )
        address = str(dig(pod, "status", "podIP"))
        known = listed(holder, trial, address)
        given = told(holder, trial)
        if not known:
            blame_a_busy_machine(cluster)
    found = ""
    if not known:
        found = "its EndpointSlices do not follow a new Pod with these labels"
    elif address in given:
        found = f"DNS gives {address}, a Pod that is not ready"
    reason = "" if not found else "not-followed" if not known else "unready-address"
    return outcome(key, WANTED, reason, found)


def listed(holder: Holder, trial: Trial, address: str) -> bool:
    """Whether the Service's EndpointSlices come to know an address, ready or not."""
    end = time.monotonic() + LISTED
    while True:
        slices = holder.cluster.objects("EndpointSlice", holder.namespace)
        several = endpoints.slices_of(trial.service, slices)
        known = endpoints.addresses(several) | endpoints.addresses(several, ready=False)
        if address in known or time.monotonic() > end:
            return address in known
        holder.renew()
        time.sleep(STEP)


def told(holder: Holder, trial: Trial) -> set[str]:
    """Every address that DNS gives for the name, asked for about two seconds."""
    found: set[str] = set()
    for _ in range(QUESTIONS):
        holder.renew()
        time.sleep(STEP * 2)
        (answer,) = ask.dns(holder.cluster, trial.host)
        found |= set(answer.addresses)
    return found
