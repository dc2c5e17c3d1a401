"""Requests through the cluster's front door, Envoy, as the course's prober asks them."""

from __future__ import annotations

import re
import time

from kubelab import ask
from kubelab.api import Cluster
from kubelab.ask import Answer, TlsAnswer
from kubelab.errors import Busy
from kubelab.replacing import SLOW, blame_a_busy_machine

ENVOY = "envoy.projectcontour.svc.cluster.local"
PORTS = {"http": 80, "https": 443}
AT_ONCE = 20
# Of many requests so many in one question, which has to be over within a minute.
MOST = 250
TIMEOUT = 5.0
# A busy machine loses a request now and then: what is lost once is asked again with patience.
PATIENCE = 15.0
# So few are asked for alone, and again and again, until the machine has caught up. Where more were
# lost it begins anew: all of them may be one backend's, and would turn a share.
FEW = 50
ROUNDS = 3
PAUSE = 1.0
# How Envoy says that it did not reach a Pod, and that the Pod's node refused: nobody listens there.
CUT = "upstream connect error or disconnect/reset before headers"
WHY = re.compile(r"reset reason: ([^,\n]+)")
REFUSED = ("connection failure", "remote connection failure")
REDIRECTS = (301, 302, 307, 308)
# The prober's words for a front door that is not there at all, and for one that went meanwhile.
SHUT = ("refused", "name", "unreachable")
RESET = "reset"
GAVE_UP = 504


def get(
    cluster: Cluster, host: str, path: str = "/", *, scheme: str = "http", count: int = 1
) -> list[Answer]:
    """Ask for a path of a host, each time on a new connection.

    What was lost on the way is asked again. Where HTTP leads on to HTTPS at the same host, that is
    followed. Raises Busy where Envoy does not answer, whatever the rules say.
    """

    def ask_it(number: int, timeout: float) -> list[Answer]:
        url, where = f"{scheme}://{host}{path}", f"{ENVOY}:{PORTS[scheme]}"
        several: list[Answer] = []
        for begun in range(0, number, MOST):
            several += ask.http(
                cluster,
                url,
                connect=where,
                timeout=timeout,
                count=min(MOST, number - begun),
                concurrency=AT_ONCE,
            )
            if all(map(is_lost, several)):
                break
        return several

    found = ask_it(count, TIMEOUT)
    for number in range(ROUNDS):
        came = [one for one in found if not is_lost(one)]
        lost = count - len(came)
        # Of few that were asked for alone and came, the rest is still to be asked for.
        if not lost or (number and lost > FEW and any(map(is_lost, found))):
            break
        if any(one.reason in SHUT for one in found):
            time.sleep(PAUSE)
        if lost > FEW and came:
            found = ask_it(count, PATIENCE)
        else:
            found = came + ask_it(min(lost, FEW), PATIENCE)
    if any(map(is_lost, found)):
        require_open(found)
        blame_a_busy_machine(cluster)
    if scheme == "http" and any(leads_on(one, host) for one in found):
        return get(cluster, host, path, scheme="https", count=count)
    return found


def certificate(cluster: Cluster, host: str) -> TlsAnswer:
    """The certificate that Envoy shows to whoever asks for a host."""
    for timeout in (TIMEOUT, PATIENCE):
        (found,) = ask.tls(cluster, f"{ENVOY}:{PORTS['https']}", sni=host, timeout=timeout)
        if found.reason not in (*SLOW, *SHUT, RESET):
            break
        if timeout == TIMEOUT and found.reason in SHUT:
            time.sleep(PAUSE)
    else:
        require_open([found])
        blame_a_busy_machine(cluster)
    return found


def is_lost(answer: Answer) -> bool:
    """Whether no answer came, or Envoy's own after it did not reach a Pod that refuses nobody.

    Whoever is asked is Envoy, which is the course's: what it answers can be the learner's doing.
    """
    why = cut(answer)
    way = answer.reason in (*SLOW, *SHUT, RESET) or answer.status == GAVE_UP
    return way or bool(why and why not in REFUSED)


def cut(answer: Answer) -> str:
    """Why Envoy did not reach a Pod, in its words: `connection timeout`; empty where it did."""
    if answer.status != 503 or not answer.body.startswith(CUT):
        return ""
    found = WHY.search(answer.body)
    return found[1].strip() if found else CUT


def leads_on(answer: Answer, host: str) -> bool:
    """Whether an answer sends the client to HTTPS at the same host."""
    to = answer.headers.get("location", "")
    return answer.status in REDIRECTS and to.startswith((f"https://{host}/", f"https://{host}:"))


def require_open(found: list[Answer] | list[TlsAnswer]) -> None:
    """Raise Busy where nobody stands at the door: the course keeps both ports open."""
    shut = next((one for one in found if one.reason in SHUT), None)
    if shut is not None:
        raise Busy(
            f"Envoy, the cluster's front door, does not answer: {shut.error}.",
            look="kubectl -n projectcontour get pods",
        )
