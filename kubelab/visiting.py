"""Where are visits counted? A visitor of the course's own is counted, also while redis is gone."""

from __future__ import annotations

import ipaddress
import re
import secrets
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from kubelab import ask, endpoints, recovery, replacing
from kubelab.acting import STEP, Holder, Proof, acting
from kubelab.api import Cluster
from kubelab.errors import Busy
from kubelab.objects import name_of
from kubelab.proofs import outcome

WANTED = "counts again after redis was replaced"
# Visits in a row: the first tells whether anything counts at all; the last lot is for where one Pod
# alone answered before. The chance that two counters look like one in 20 visits is below 1 in 10^5.
ROUNDS = (1, 19, 20)
TIMEOUT = 8.0
# How often a machine that is late is asked anew, and the seconds after which it is not any more.
TRIES = 8
PATIENCE = 30.0
# Seconds in which the page finds the new redis: DNS remembers a headless name for up to 30. It is
# asked so often at least.
BACK = 45.0
LEAST = 3
# As many counts in a row, and redis is back for every Pod of the page.
AGAIN = 6
# `10-96-0-1.lab-00.pod.cluster.local` is 10.96.0.1, whatever has that address; a search list may
# hold what stands behind the address.
RECORD = re.compile(r"(\d{1,3}-){3}\d{1,3}(\.|$)|[0-9a-f-]+\.[a-z0-9-]+\.pod(\.|$)", re.IGNORECASE)
# What the kubelet writes into a Pod's hosts file for it.
OWN = ("localhost", "ip6-localhost", "ip6-loopback")
# The page's words where its store is away, or refuses to count.
STORE = re.compile(r"The store (\S+):\d+ ")
# The prober's words where the cluster's DNS gave it no answer in time: the page has a Service, so
# it has a name as well.
NAMELESS = "the name can't be resolved"
# What the prober and the page say where somebody, or DNS, did not answer in time.
LATE = ("no answer within", "Temporary failure in name resolution", NAMELESS)


@dataclass(frozen=True)
class Visits:
    """The counts of one visitor in a row, the stores and Pods that told them, and an error."""

    counts: tuple[int, ...] = ()
    stores: tuple[str, ...] = ()
    pods: tuple[str, ...] = ()
    error: str = ""

    @property
    def in_a_row(self) -> bool:
        """Whether the counts go 1, 2, 3, and so on."""
        return bool(self.counts) and self.counts == tuple(range(1, len(self.counts) + 1))

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts at which the page looks for its store, found there or not."""
        told = STORE.search(self.error)
        found = map(host_of, self.stores)
        return tuple(dict.fromkeys([*found, *(told.groups() if told else ())]))

    @property
    def fixed(self) -> tuple[str, ...]:
        """The stores that are called at an address in place of a name."""
        return tuple(one for one in self.stores if is_fixed(host_of(one)))


def host_of(store: str) -> str:
    """The host of a store that was told with its port."""
    return store.rpartition(":")[0]


def address_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The IP address that a host is, also as a number; None where it is a name."""
    for read in (str, socket.inet_aton):
        with suppress(ValueError, OSError):
            return ipaddress.ip_address(read(host.strip("[]")))
    return None


def is_address(host: str) -> bool:
    """Whether a host is an IP address, also as a number or as the name of a Pod's record."""
    return address_of(host) is not None or bool(RECORD.match(host))


def is_own(host: str) -> bool:
    """Whether a host is the Pod's own: a container there asks in its place."""
    found = address_of(host)
    if found is None:
        return host.lower().rstrip(".") in OWN
    return found.is_loopback or found.is_unspecified


def is_fixed(host: str) -> bool:
    """Whether a host is an address of somebody else."""
    return is_address(host) and not is_own(host)


@dataclass(frozen=True)
class Trial:
    """The page's Service with its port, and the Deployment of the store."""

    host: str
    port: int
    store: str


def visitor() -> str:
    """A visitor that was never there before."""
    return f"kubelab-{secrets.token_hex(6)}"


def counted(cluster: Cluster, host: str, port: int, pods: int) -> Visits:
    """Visit until so many Pods have counted; a machine that is late is asked anew.

    A late visit may have been counted all the same, so another visitor begins where one was late.
    """
    end, ever = time.monotonic() + PATIENCE, False
    for number in range(1, TRIES + 1):
        found = visited(cluster, host, port, pods)
        ever = ever or bool(found.counts)
        # Where nobody was ever counted, the second time is the last: that is no lost packet.
        if not late(found.error) or (number > 1 and (not ever or time.monotonic() > end)):
            break
    blame(cluster, found.error)
    return found


def visited(cluster: Cluster, host: str, port: int, pods: int) -> Visits:
    """One visitor's counts, one visit after the other, each on a new connection."""
    key, answers = visitor(), list[ask.Answer]()
    for number in ROUNDS:
        answers += visit(cluster, host, port, key, number)
        if any(not good(one) for one in answers) or len(pods_of(answers)) >= pods:
            break
    return Visits(
        counts=tuple(int(one.json["count"]) for one in answers if good(one)),
        stores=tuple(sorted({str(one.json.get("store")) for one in answers if good(one)})),
        pods=pods_of(answers),
        error=next((error_of(one) for one in answers if not good(one)), ""),
    )


def visit(cluster: Cluster, host: str, port: int, key: str, number: int) -> list[ask.Answer]:
    """So many visits, one after the other."""
    url = ask.address(host, port, f"/visits?visitor={key}")
    return ask.http(cluster, url, timeout=TIMEOUT, count=number)


def pods_of(answers: Sequence[ask.Answer]) -> tuple[str, ...]:
    """The Pods that answered."""
    return tuple(sorted({one.pod for one in answers if one.pod}))


def good(answer: ask.Answer) -> bool:
    """Whether a visit was counted."""
    return answer.status == 200 and type(answer.json.get("count")) is int


def error_of(answer: ask.Answer) -> str:
    """What a visit got in place of a count."""
    return str(answer.json.get("error") or answer.error or f"HTTP {answer.status}")


def late(error: str) -> bool:
    """Whether something did not answer in time."""
    return any(words in error for words in LATE)


def blame(cluster: Cluster, error: str) -> None:
    """Raise Busy where something was late, and it may not be the learner's."""
    if error == NAMELESS:
        raise Busy("The cluster's DNS does not answer in time.", look="./lab doctor")
    if late(error):
        replacing.blame_a_busy_machine(cluster)


# Acting


def outlives(cluster: Cluster, namespace: str, trial: Trial, key: str) -> Proof:
    """Replace every Pod of the store, and see that the page misses it and finds it again."""
    with acting(cluster, namespace) as holder:
        reason, why = replaced(holder, trial)
    return outcome(key, WANTED, reason, why)


@dataclass
class Row:
    """What one visitor gets while the store is replaced; `last` is the last count.

    `missed`: the page said that the store is away, or the counts began anew. `unsure`: some answer
    tells nothing, so the store may have been missed then. `elsewhere`: a visit was counted while
    no Pod of the store was there.
    """

    last: int
    missed: bool = False
    unsure: bool = False
    elsewhere: bool = False

    def saw(self, answer: ask.Answer) -> None:
        """Take one more answer in."""
        count = count_of(answer)
        if count is not None:
            # A question that was cut off is asked again, and counted twice: only a step back
            # tells of a store that began anew.
            self.missed = self.missed or count <= self.last
            self.last = count
        elif answer.status is None or late(error_of(answer)):
            self.unsure = True
        else:
            self.missed = True


def replaced(holder: Holder, trial: Trial) -> tuple[str, str]:
    """Delete the store's Pods while a visitor asks on; what went wrong, empty where nothing did.

    Raises Busy where answers that were lost may have told that the page missed its store.
    """
    cluster, who = holder.cluster, visitor()
    before = replacing.pods_of(holder, trial.store)
    ready = replacing.ready(before, trial.store)
    row = Row(first(holder, trial, who))
    for one in ready:
        cluster.delete("Pod", name_of(one), holder.namespace, grace=2)
    watch(holder, trial, who, row, replacing.uids(before))
    if not row.elsewhere:
        found = recovery.replacement(holder, trial.store, before)
        if found.pod is None:
            return "not-replaced", found.why
        if error := found_again(holder, trial, who, row):
            return "fixed-address", f"redis was replaced, and /visits: {error}"
    if row.missed:
        return "", ""
    if row.unsure and not row.elsewhere:
        raise untold(holder, trial)
    return "wrong-store", f"counts on while Deployment {trial.store} is gone"


def first(holder: Holder, trial: Trial, who: str) -> int:
    """Visit until the visitor is counted; the last count.

    Several visits at once: a store that begins anew has to count as many before it looks the same.
    """
    for _ in range(LEAST):
        answers = several(holder, trial, who)
        counts = [count for one in answers if (count := count_of(one)) is not None]
        if counts:
            return counts[-1]
    raise untold(holder, trial)


def watch(holder: Holder, trial: Trial, who: str, row: Row, before: set[str]) -> None:
    """Visit until the page misses its store, counts without it, or another Pod is in its place.

    While an old Pod still ends, it may be the one that counts.
    """
    end = time.monotonic() + recovery.REPLACED
    while time.monotonic() < end:
        gone = not replacing.leaving(holder, before)
        (answer,) = visit(holder.cluster, trial.host, trial.port, who, 1)
        row.saw(answer)
        if row.missed:
            return
        back = any(map(endpoints.is_ready, replacing.pods_of(holder, trial.store)))
        row.elsewhere = gone and not back and good(answer)
        if row.elsewhere or (gone and back):
            return
        holder.renew()
    row.unsure = True


def found_again(holder: Holder, trial: Trial, who: str, row: Row) -> str:
    """Visit until all of several visits are counted; empty, or what the last of them got."""
    end, tries = time.monotonic() + BACK, 0
    while True:
        answers = several(holder, trial, who)
        for one in answers:
            row.saw(one)
        error = next((error_of(one) for one in answers if not good(one)), "")
        tries += 1
        if not error:
            return ""
        if time.monotonic() > end and tries >= LEAST:
            blame(holder.cluster, error)
            return error
        time.sleep(STEP)


def several(holder: Holder, trial: Trial, who: str) -> list[ask.Answer]:
    """Several visits in a row, each of which may be late."""
    found = []
    for _ in range(AGAIN):
        found += visit(holder.cluster, trial.host, trial.port, who, 1)
        holder.renew()
    return found


def untold(holder: Holder, trial: Trial) -> Busy:
    """The fault of a machine that loses too many answers."""
    return holder.too_busy(f"Whether the page missed {trial.store} could not be told")


def count_of(answer: ask.Answer) -> int | None:
    """The count that a visit got."""
    return int(answer.json["count"]) if good(answer) else None
