"""Debian packages, installed as root where a program is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Sequence

from kubelab.errors import BuildFailed

# Debian's tools refuse to work two at once.
_ALONE = threading.Lock()
# Others' are waited for: unattended upgrades, on a machine that was switched on a moment ago.
_PATIENT = ("-o", "DPkg::Lock::Timeout=120")
# Seconds for one that hangs: cut too early, it would leave packages half configured.
TIMEOUT = 1800.0


def installable() -> bool:
    """Whether this process may install packages: root on Debian or a relative of it."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(*choices: Sequence[str]) -> None:
    """Install the first of these sets of packages that the mirror has, and nothing recommended.

    Raises BuildFailed with the last line that apt-get printed.
    """
    with _ALONE:
        _apt_get("update", "-qq")
        for packages in choices[:-1]:
            try:
                return _install(packages)
            except BuildFailed:
                continue
        return _install(choices[-1])


def _install(packages: Sequence[str]) -> None:
    _apt_get("install", "-y", "-qq", "--no-install-recommends", *packages)


def _apt_get(*words: str) -> None:
    look = " ".join(["apt-get", *words])
    try:
        done = subprocess.run(
            ["apt-get", *_PATIENT, *words],
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BuildFailed(
            f"`apt-get {words[0]}` did not end within {TIMEOUT:.0f} s.", look=look
        ) from None
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise BuildFailed(f"`apt-get {words[0]}` failed: {''.join(last)[:300]}", look=look)
