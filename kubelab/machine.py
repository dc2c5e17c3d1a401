"""What `./lab doctor` knows about this machine: read, never changed, in six seconds at most."""

from __future__ import annotations

import gzip
import os
import platform
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubelab.disk import Room, rooms
from kubelab.errors import EnvironmentFault, ForeignCluster, KubelabError, NoEngine
from kubelab.reach import clocks, in_time
from kubelab.site import ROOT, Site

SECONDS = 6.0
ANSWER_SECONDS = 5.0
# Before anything else can be asked.
GO_SECONDS = 2.0
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
# Where an engine that is not there yet will keep its images.
INSTALLED = Path("/var/lib/docker")
# The kernel options behind what the course needs, and the modules that hold them.
KERNEL = {
    "overlay": ("CONFIG_OVERLAY_FS", "overlay"),
    "nft": ("CONFIG_NF_TABLES", "nf_tables"),
    "nfqueue": ("CONFIG_NETFILTER_XT_TARGET_NFQUEUE", "xt_NFQUEUE"),
}


@dataclass(frozen=True)
class Facts:
    """One machine; bytes, seconds since the epoch, and None for what could not be told.

    `cluster` is whether the course's runs, None without one; `refused` is what `up` would raise;
    `go_server` is the host of Go modules, None where none is named.
    """

    system: str = "Linux"
    machine: str = "x86_64"
    root: bool = True
    apt: bool = True
    wsl: bool = False
    engine: str | None = None
    engine_ours: bool = False
    engine_error: str | None = None
    cgroup: str | None = None
    controllers: frozenset[str] = frozenset()
    bounding: int | None = None
    inotify: Mapping[str, int] = field(default_factory=dict)
    memory: int | None = None
    disks: Mapping[str, Room] = field(default_factory=dict)
    cluster: bool | None = None
    image: bool = False
    ports: Mapping[int, bool] = field(default_factory=dict)
    now: float = 0.0
    newest_file: float = 0.0
    others_now: float | None = None
    proxies: Mapping[str, str] = field(default_factory=dict)
    registries: Mapping[str, bool] = field(default_factory=dict)
    packages: Mapping[str, bool] = field(default_factory=dict)
    mmdebstrap: bool = True
    refused: Mapping[str, KubelabError] = field(default_factory=dict)
    go: str | None = None
    go_needed: str = ""
    go_server: str | None = None
    kernel: Mapping[str, bool | None] = field(default_factory=dict)


def look(site: Site) -> Facts:
    """The facts of this machine. Raises nothing: what does not answer in time is None or empty."""
    from kubelab.cluster import PORTS
    from kubelab.nodeimage import sources
    from kubelab.nodeimage.build import has_mmdebstrap

    server = go_server()
    to_pull, to_build = addresses(server)
    questions: dict[str, Callable[[], Any]] = {
        "docker": lambda: docker(site),
        "unreached": unreached,
        "go": go,
        "kubectl": kubectl,
        "network": lambda: clocks([*to_pull, *to_build]),
    }
    answers = in_time(questions, SECONDS)
    engine: Mapping[str, Any] | None = answers["docker"]
    if engine is None:  # Empty where there is no docker.
        engine = {"engine_error": "docker does not answer"}
    network: Mapping[str, float | None] = answers["network"] or {}
    times = [one for one in network.values() if one]
    registries, packages = answering(to_pull, network), answering(to_build, network)
    there = engine.get("image") or engine.get("cluster") is not None
    how = "here" if there else "pull" if all(registries.values()) else "build"
    refused = {**engine.get("refused", {}), **(answers["kubectl"] or {})}
    if "engine_error" in engine:
        refused |= answers["unreached"] or {}
    known = {key: engine[key] for key in engine if key not in ("docker_root", "refused")}
    return Facts(
        system=platform.system(),
        machine=platform.machine(),
        root=os.geteuid() == 0,
        apt=shutil.which("apt-get") is not None,
        wsl="microsoft" in read("/proc/sys/kernel/osrelease").lower(),
        cgroup=cgroup()[0],
        controllers=cgroup()[1],
        bounding=bounding(read("/proc/self/status")),
        inotify=inotify(),
        memory=available_memory(read("/proc/meminfo")),
        disks=disks(how, engine.get("docker_root")),
        ports={port: is_free(port) for port in PORTS.get(site.name, ())},
        now=time.time(),
        newest_file=newest_file(),
        others_now=max(times) if times else None,
        proxies=proxies(os.environ),
        registries=registries,
        packages=packages,
        mmdebstrap=has_mmdebstrap(),
        refused=refused,
        go=answers["go"],
        go_needed=go_needed(),
        go_server=sources.host(server) if server else None,
        kernel=kernel(),
        **known,
    )


def docker(site: Site) -> dict[str, Any]:
    """What the container engine says of itself, and whether cluster and image are there."""
    from kubelab import cluster, engine, nodeimage

    if not shutil.which("docker"):
        return {}
    info = output(["docker", "info", "--format", "{{.ServerVersion}} {{.DockerRootDir}}"])
    version, _, folder = info.partition(" ")
    found = engine.find() if version else None
    if found is None:
        said = subprocess.run(
            ["docker", "version"], capture_output=True, text=True, timeout=SECONDS, check=False
        )
        return {"engine_error": (said.stderr.strip().splitlines() or ["no answer"])[-1]}
    runs, refused = None, {}
    try:
        runs = cluster.runs(site, found)
    except ForeignCluster as error:
        refused = {"cluster": error}
    return {
        "engine": version,
        "engine_ours": found.ours,
        "docker_root": folder,
        "cluster": runs,
        "refused": refused,
        "image": found.has_image(nodeimage.reference()),
    }


def unreached() -> dict[str, KubelabError]:
    """What `up` says of a dockerd that runs here, where no engine answers."""
    from kubelab import engine

    try:
        engine.require_way()
    except NoEngine as error:
        return {"engine": error}
    hangs = engine.hanging() if os.geteuid() == 0 else None
    return {"engine": hangs} if hangs else {}


def kubectl() -> dict[str, KubelabError]:
    """What `up` says where the course has no kubectl for this system, and none on the PATH fits."""
    from kubelab import tools

    try:
        tools.require_kubectl()
    except EnvironmentFault as error:
        return {"kubectl": error}
    return {}


def addresses(server: str) -> tuple[dict[str, str], dict[str, str]]:
    """What the course pulls from and builds from: URL to ask, and the host to tell.

    `server` is that of Go modules.
    """
    from kubelab.nodeimage import pull, sources

    pinned = sources.load()
    packages = [pinned.release(pinned.build["debian"] or pinned.pull["debian"])]
    if server.startswith("http"):
        packages.append(f"{server}/sigs.k8s.io/kind/@v/list")
    return pull.addresses(pinned), {address: sources.host(address) for address in packages}


def answering(asked: Mapping[str, str], clocks: Mapping[str, float | None]) -> dict[str, bool]:
    """Which hosts gave an answer to all that they were asked."""
    answers: dict[str, bool] = {}
    for address, host in asked.items():
        answers[host] = answers.get(host, True) and clocks.get(address) is not None
    return answers


def go() -> str | None:
    """The version of the Go that builds, or of one on the PATH that is too old; None without."""
    from kubelab.nodeimage import toolchain

    found = toolchain.command() or shutil.which("go")
    return (toolchain.version(str(found)) or None) if found else None


def go_server() -> str:
    """The server of Go modules that is asked first; empty where none is named."""
    from kubelab.nodeimage import toolchain

    return next(iter(toolchain.proxies(GO_SECONDS)), "")


def go_needed() -> str:
    """The Go that building the node image needs at least."""
    from kubelab.nodeimage import toolchain

    return toolchain.needed()


def cgroup() -> tuple[str | None, frozenset[str]]:
    """The version of cgroups, `v1` or `v2`, and their controllers."""
    base = Path("/sys/fs/cgroup")
    if (base / "cgroup.controllers").exists():
        return "v2", frozenset(read(base / "cgroup.controllers").split())
    if (base / "memory").is_dir():
        return "v1", frozenset(one.name for one in base.iterdir())
    return None, frozenset()


def bounding(status: str) -> int | None:
    """The capability bounding set out of /proc/self/status."""
    match = re.search(r"^CapBnd:\s*([0-9a-f]+)$", status, re.MULTILINE)
    return int(match.group(1), 16) if match else None


def inotify() -> dict[str, int]:
    """The limits of inotify, by their names."""
    names = ("max_user_instances", "max_user_watches")
    values = {name: read(f"/proc/sys/fs/inotify/{name}").strip() for name in names}
    return {name: int(value) for name, value in values.items() if value.isdigit()}


def available_memory(meminfo: str) -> int | None:
    """The bytes that programs can still have, out of /proc/meminfo."""
    match = re.search(r"^MemAvailable:\s*(\d+) kB$", meminfo, re.MULTILINE)
    return int(match.group(1)) * 1024 if match else None


def disks(how: str, told: str | None) -> dict[str, Room]:
    """The room that the node image takes, by how it comes and where the engine says it keeps it."""
    from kubelab import nodeimage

    engines = nodeimage.storage(told) if told else INSTALLED
    return {str(path): room for path, room in rooms(nodeimage.disk_wanted(how, engines)).items()}


def is_free(port: int) -> bool:
    """Whether nobody listens on this port of loopback."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) != 0


def newest_file() -> float:
    """When the newest file of the course was written."""
    return max(path.stat().st_mtime for path in (ROOT / "kubelab").glob("*.py"))


def proxies(environ: Mapping[str, str]) -> dict[str, str]:
    """The proxy variables, by their upper-case names; the lower-case one wins, as in curl."""
    found = {name: environ.get(name.lower()) or environ.get(name) for name in PROXIES}
    return {name: value for name, value in found.items() if value}


def kernel() -> dict[str, bool | None]:
    """Which features this kernel has; None where it does not tell."""
    config = ""
    for file in (Path("/proc/config.gz"), Path(f"/boot/config-{platform.release()}")):
        with suppress(OSError):
            data = file.read_bytes()
            config = (gzip.decompress(data) if file.suffix == ".gz" else data).decode()
            break
    modules = Path("/lib/modules") / platform.release()
    names = (
        read("/proc/modules") + read(modules / "modules.dep") + read(modules / "modules.builtin")
    )
    return features(config, names, read("/proc/filesystems"))


def features(config: str, modules: str, filesystems: str) -> dict[str, bool | None]:
    """The features out of a kernel's configuration, its modules and its file systems."""
    found: dict[str, bool | None] = {}
    for feature, (option, module) in KERNEL.items():
        there = re.search(rf"^{option}=[ym]$", config, re.MULTILINE)
        there = there or re.search(rf"(^|/){module}(\.ko|\s)", modules, re.MULTILINE)
        found[feature] = True if there else False if config else None
    if "\toverlay" in filesystems:
        found["overlay"] = True
    return found


def read(path: str | Path) -> str:
    """A file's text; empty where it can't be read."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def output(command: list[str]) -> str:
    """What a command prints; empty where it fails."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=ANSWER_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
