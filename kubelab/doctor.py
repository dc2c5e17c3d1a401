"""What is wrong with a machine, and the exact fix: pure functions over the facts about it."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kubelab.disk import GB
from kubelab.errors import KubelabError
from kubelab.machine import Facts, look
from kubelab.nodeimage import build, sources, toolchain

gather = look

OK = "ok"
FIX = "fix"
GIB = 2**30
# Bits of the capability sets (linux/capability.h).
NEEDED = {"NET_ADMIN": 12, "SYS_ADMIN": 21}
SYS_RESOURCE = 24
# kind's known issues ask for 512 instances; one node's containerd and kubelet watch thousands.
INOTIFY = {"max_user_instances": (512, 1024), "max_user_watches": (65536, 524288)}
MEMORY = 4 * GIB
# What never goes through a proxy: loopback, and kubeadm's and kind's ranges of Services and Pods.
DIRECT = ("localhost", "127.0.0.1", "10.96.0.0/16", "10.244.0.0/16", ".svc", ".cluster.local")
CLOCK_SECONDS = 300.0
DAY = 86400.0


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, `ok` or `fix`, what was found, and the command that mends."""

    name: str
    state: str
    text: str
    fix: str | None = None


def diagnose(facts: Facts) -> list[Finding]:
    """Every finding, in the order in which they matter."""
    return [finding for check in CHECKS for finding in check(facts)]


def line(finding: Finding) -> str:
    """A finding as text: the fix stands on a line of its own, to be pasted."""
    first = f"{finding.state:<4} {finding.name:<13} {finding.text}"
    return first if finding.fix is None else f"{first}\n       {finding.fix}"


def architecture(facts: Facts) -> Iterator[Finding]:
    """amd64 and arm64 have images and builds."""
    try:
        yield Finding("processor", OK, sources.architecture(facts.machine))
    except KubelabError as error:
        yield Finding("processor", FIX, error.message, "use a machine with amd64 or arm64")


def engine(facts: Facts) -> Iterator[Finding]:
    """A Docker that answers, or one that can be installed."""
    name = "engine"
    if facts.engine:
        whose = "started by the course" if facts.engine_ours else "was running"
        yield Finding(name, OK, f"Docker {facts.engine}, {whose}")
    elif name in facts.refused:
        return  # `refused` tells it.
    elif facts.system != "Linux":
        fix = "open -a Docker" if facts.engine_error else "brew install --cask docker"
        yield Finding(name, FIX, "no container engine answers", fix)
    elif "permission denied" in (facts.engine_error or "").lower():
        fix = 'sudo usermod -aG docker "$USER" && newgrp docker'
        yield Finding(name, FIX, "Docker runs, and this user may not use it", fix)
    elif facts.root and facts.apt:
        yield Finding(name, OK, "none answers; `./lab up` installs and starts Debian's Docker")
    elif facts.engine_error:
        yield Finding(
            name, FIX, "Docker is installed and does not answer", "sudo service docker start"
        )
    elif facts.apt:
        yield Finding(name, FIX, "no container engine here", "sudo apt-get install docker.io")
    else:
        fix = "https://docs.docker.com/engine/install/"
        yield Finding(name, FIX, "no container engine here: install Docker", fix)


def refused(facts: Facts) -> Iterator[Finding]:
    """What `./lab up` would end with, in its own words."""
    for name, error in facts.refused.items():
        yield Finding(name, FIX, error.message, error.look)


def cgroups(facts: Facts) -> Iterator[Finding]:
    """cgroups with the controllers that the kubelet needs."""
    if facts.cgroup is None:
        yield Finding("cgroups", FIX, "not mounted", "sudo mount -t cgroup2 none /sys/fs/cgroup")
        return
    missing = sorted({"cpu", "memory", "pids"} - facts.controllers)
    if missing:
        what = f"{facts.cgroup} without {', '.join(missing)}"
        fix = "add cgroup_enable=memory cgroup_memory=1 to the kernel's command line, then reboot"
        yield Finding("cgroups", FIX, what, fix)
    else:
        yield Finding("cgroups", OK, f"{facts.cgroup} with cpu, memory and pids")


def capabilities(facts: Facts) -> Iterator[Finding]:
    """What a privileged container needs of an engine that runs in this environment."""
    if facts.bounding is None or (facts.engine and not facts.engine_ours):
        yield Finding("capabilities", OK, "are the engine's own matter")
        return
    missing = [name for name, bit in NEEDED.items() if not facts.bounding >> bit & 1]
    if missing and not facts.engine:
        what = f"{', '.join(missing)} missing: an engine can't run in here"
        yield Finding("capabilities", FIX, what, "docker run --privileged ... (this container)")
    elif not facts.bounding >> SYS_RESOURCE & 1:
        yield Finding("capabilities", OK, "no SYS_RESOURCE: the course's runtime shim stands in")
    else:
        yield Finding("capabilities", OK, "all that privileged containers need")


def inotify(facts: Facts) -> Iterator[Finding]:
    """Limits that three nodes reach on many machines."""
    for name, value in facts.inotify.items():
        least, better = INOTIFY[name]
        if value < least:
            fix = f"sudo sysctl -w fs.inotify.{name}={better}"
            yield Finding("inotify", FIX, f"{name} is {value}, too few for three nodes", fix)
        else:
            yield Finding("inotify", OK, f"{name} is {value}")


def memory(facts: Facts) -> Iterator[Finding]:
    """Room for the nodes; a cluster that runs already has it."""
    if facts.memory is None:
        yield Finding("memory", OK, "can't be told here; the cluster wants 4 GiB")
        return
    free = f"{facts.memory / GIB:.1f} GiB free"
    if facts.cluster or facts.memory >= MEMORY:
        yield Finding("memory", OK, free)
    elif facts.wsl:
        fix = r"set memory=8GB under [wsl2] in %UserProfile%\.wslconfig, then: wsl --shutdown"
        yield Finding("memory", FIX, f"{free}, 4 GiB are wanted", fix)
    else:
        fix = "ps -eo rss,comm --sort=-rss | head    # close what is large"
        yield Finding("memory", FIX, f"{free}, 4 GiB are wanted", fix)


def disk(facts: Facts) -> Iterator[Finding]:
    """Room for images, and for Go's caches where the node image is still to be built."""
    for path, room in facts.disks.items():
        text = f"{room.free // GB} GB free at {path}"
        if room.free >= room.wanted:
            yield Finding("disk", OK, text)
        else:
            fix = f"docker system df; df -h {path}    # remove what is not needed"
            yield Finding("disk", FIX, f"{text}, {room.wanted / GB:g} GB are wanted", fix)


def ports(facts: Facts) -> Iterator[Finding]:
    """The ports of HTTP and HTTPS on loopback; a busy one is no fault."""
    if facts.cluster:
        yield Finding("ports", OK, "the cluster has them: ./lab status")
        return
    busy = [str(port) for port, free in facts.ports.items() if not free]
    free = [str(port) for port, free in facts.ports.items() if free]
    if free:
        yield Finding("ports", OK, f"{', '.join(free)} free")
    if busy:
        yield Finding("ports", OK, f"{', '.join(busy)} taken: `./lab up` takes the next free one")


def clock(facts: Facts) -> Iterator[Finding]:
    """Certificates of a cluster made in the wrong year are not valid in the right one."""
    fix = "sudo hwclock -s" if facts.wsl else "sudo timedatectl set-ntp true"
    today = time.strftime("%Y-%m-%d %H:%M", time.gmtime(facts.now))
    if facts.now < facts.newest_file - DAY:
        yield Finding("clock", FIX, f"{today} UTC is before the course's own files", fix)
    elif facts.others_now and abs(facts.now - facts.others_now) > CLOCK_SECONDS:
        off = abs(facts.now - facts.others_now)
        yield Finding("clock", FIX, f"{today} UTC is {off / 60:.0f} minutes off", fix)
    else:
        yield Finding("clock", OK, f"{today} UTC")


def proxy(facts: Facts) -> Iterator[Finding]:
    """A proxy must be left out for loopback and for the cluster's own addresses."""
    given = facts.proxies.get("NO_PROXY", "")
    if not set(facts.proxies) - {"NO_PROXY"}:
        yield Finding("proxy", OK, "none set")
        return
    entries = [one.strip() for one in given.split(",") if one.strip()]
    missing = [one for one in DIRECT if not any(_covers(entry, one) for entry in entries)]
    if missing:
        value = ",".join([*entries, *missing])
        fix = f"export NO_PROXY={value} no_proxy={value}"
        yield Finding("proxy", FIX, f"NO_PROXY lacks {', '.join(missing)}", fix)
    else:
        yield Finding("proxy", OK, "set, and left out for the cluster's addresses")


def _covers(entry: str, wanted: str) -> bool:
    if entry == "*" or entry.lstrip("*.") == wanted.lstrip("."):
        return True
    try:
        return ipaddress.ip_network(wanted).subnet_of(ipaddress.ip_network(entry, strict=False))  # type: ignore[arg-type]
    except (ValueError, TypeError):
        return False


def network(facts: Facts) -> Iterator[Finding]:
    """Registries and a mirror to pull from, or else what building takes."""
    silent = [name for name, answers in facts.registries.items() if not answers]
    what = f"no answer from {', '.join(silent)}"
    if not silent:
        yield Finding("registries", OK, "all answer")
    elif facts.image or facts.cluster is not None:
        yield Finding("registries", OK, f"{what}; the node image is here")
    else:
        yield _building(facts, silent, what)


def _building(facts: Facts, silent: list[str], what: str) -> Finding:
    """Package mirrors to build from, and mmdebstrap, where no package can be installed."""
    name, another = "registries", "export KUBELAB_{}    # or others: see images/sources.toml"
    missing = [name for name, answers in facts.packages.items() if not answers]
    if missing:
        others = [name for name in missing if name not in silent]
        what += f", nor from {' and '.join(others)}" if others else ""
        if missing == [facts.go_server]:
            return Finding(name, FIX, what, f"export GOPROXY={toolchain.ANOTHER}")
        # Where every registry answers, Debian's mirror alone is in the way.
        debian = set(silent) <= set(missing)
        one = "DEBIAN=http://MIRROR/debian" if debian else "MIRROR='docker.io=MIRROR'"
        return Finding(name, FIX, what, another.format(one))
    if facts.go_server is None and _too_old(facts):
        what += f"; GOPROXY names no server to fetch Go {facts.go_needed} from"
        return Finding(name, FIX, what, f"export GOPROXY={toolchain.PROXY}")
    if facts.mmdebstrap:
        return Finding(name, OK, f"{what}; `./lab up` builds the image")
    if facts.apt:
        return Finding(name, FIX, f"{what}; building the image needs mmdebstrap", build.BY_HAND)
    what += "; the image is built on Debian or Ubuntu alone"
    return Finding(name, FIX, what, another.format("MIRROR='docker.io=MIRROR'"))


def go(facts: Facts) -> Iterator[Finding]:
    """Go is fetched where it is missing or too old."""
    if facts.go is None:
        yield Finding("Go", OK, f"none; {facts.go_needed} is fetched where an image is built")
    elif _too_old(facts):
        what = f"{facts.go} is older than {facts.go_needed}, which is fetched when needed"
        yield Finding("Go", OK, what)
    else:
        yield Finding("Go", OK, facts.go)


def _too_old(facts: Facts) -> bool:
    """Whether there is no Go that builds the programs."""
    return toolchain.numbers(facts.go or "") < toolchain.numbers(facts.go_needed)


def kernel(facts: Facts) -> Iterator[Finding]:
    """overlayfs for images, nf_tables and NFQUEUE for Services and NetworkPolicies."""
    fixes = {
        "overlay": "sudo modprobe overlay",
        "nft": "sudo modprobe nf_tables",
        "nfqueue": "sudo modprobe xt_NFQUEUE",
    }
    absent = [name for name, there in facts.kernel.items() if there is False]
    unknown = [name for name, there in facts.kernel.items() if there is None]
    for name in absent:
        yield Finding("kernel", FIX, f"has no {name}", fixes[name])
    if unknown:
        yield Finding("kernel", OK, f"does not tell of {', '.join(unknown)}")
    elif not absent:
        yield Finding("kernel", OK, ", ".join(facts.kernel))


CHECKS: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    architecture,
    engine,
    refused,
    cgroups,
    capabilities,
    inotify,
    memory,
    disk,
    ports,
    clock,
    proxy,
    network,
    go,
    kernel,
)
