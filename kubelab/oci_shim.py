"""An OCI runtime for hosts that grant less than a privileged container asks for.

Where the capability bounding set of a host lacks, say, CAP_SYS_RESOURCE, runc refuses every
privileged container. This file, installed as Docker's runtime, takes from the bundle's
`config.json` (of `create` and `run`) or the process file (of `exec`) what the host cannot grant,
then becomes the real runc. It runs as a program of its own and imports the standard library only.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import sys
from pathlib import Path
from typing import Any

INSTALLED = Path("/var/lib/kubelab/oci-shim")

# In the order of their numbers: linux/include/uapi/linux/capability.h.
CAPABILITIES = """
CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO
SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG
MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM
BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE
""".split()  # noqa: SIM905 (41 quoted names would hide their order)
# What Docker gives to `--privileged`, less what it does not: all of them.
PRIVILEGED = frozenset(CAPABILITIES)


def bounding_set(status: str) -> frozenset[str]:
    """The capabilities in the `CapBnd` line of `/proc/self/status`, without `CAP_`."""
    for line in status.splitlines():
        if line.startswith("CapBnd:"):
            mask = int(line.split()[1], 16)
            return frozenset(name for bit, name in enumerate(CAPABILITIES) if mask >> bit & 1)
    return PRIVILEGED


def needed() -> bool:
    """Whether this host lacks a capability that a privileged container asks for."""
    return bounding_set(Path("/proc/self/status").read_text(encoding="ascii")) != PRIVILEGED


def install() -> Path:
    """Put this file in place as a program; return its path."""
    source = Path(__file__).read_text(encoding="utf-8")
    interpreter = Path(sys.executable).resolve()
    INSTALLED.parent.mkdir(parents=True, exist_ok=True)
    following = INSTALLED.with_suffix(".next")
    following.write_text(f"#!{interpreter} -ES\n{source}", encoding="utf-8")
    following.chmod(0o755)
    following.replace(INSTALLED)
    return INSTALLED


def clamp(process: dict[str, Any], granted: frozenset[str], oom_score_adj: int) -> None:
    """Take from an OCI `process` what the host cannot grant (OCI runtime-spec, config.md)."""
    allowed = {f"CAP_{name}" for name in granted}
    for kind, names in (process.get("capabilities") or {}).items():
        process["capabilities"][kind] = [name for name in names or [] if name in allowed]
    for limit in process.get("rlimits") or []:
        number = getattr(resource, limit["type"], None)
        if number is None:
            continue
        hard = resource.getrlimit(number)[1]
        if hard != resource.RLIM_INFINITY:
            limit["hard"] = min(limit["hard"], hard)
            limit["soft"] = min(limit["soft"], hard)
    wanted = process.get("oomScoreAdj")
    if wanted is not None and wanted < oom_score_adj:
        process["oomScoreAdj"] = oom_score_adj


def clamp_file(file: Path, *, bundle: bool) -> None:
    """Clamp the process in a bundle's `config.json`, or in the process file of an `exec`."""
    document = json.loads(file.read_text(encoding="utf-8"))
    granted = bounding_set(Path("/proc/self/status").read_text(encoding="ascii"))
    oom_score_adj = int(Path("/proc/self/oom_score_adj").read_text(encoding="ascii"))
    clamp(document["process"] if bundle else document, granted, oom_score_adj)
    file.write_text(json.dumps(document), encoding="utf-8")


def option(arguments: list[str], *names: str) -> str | None:
    """The value of an option in `--name value` or `--name=value` form."""
    for position, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name in names:
            return value if equals else next(iter(arguments[position + 1 :]), None)
    return None


def main(arguments: list[str]) -> None:
    """Clamp what this call of the runtime would start, then become runc."""
    if {"create", "run", "restore"} & set(arguments):
        bundle = Path(option(arguments, "--bundle", "-b") or ".")
        clamp_file(bundle / "config.json", bundle=True)
    elif "exec" in arguments:
        process = option(arguments, "--process", "-p")
        if process:
            clamp_file(Path(process), bundle=False)
    runc = shutil.which("runc", path="/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin:/sbin:/bin")
    if runc is None:
        sys.exit("oci-shim: no runc on this machine")
    os.execv(runc, ["runc", *arguments])


if __name__ == "__main__":
    main(sys.argv[1:])
