"""Debian packages, installed as root where a program is missing."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Sequence

from kubelab.errors import BuildFailed
from kubelab.words import tell

# Debian's tools refuse to work two at once.
_ALONE = threading.Lock()
# Others' are waited for: unattended upgrades, on a machine that was switched on a moment ago.
_PATIENT = ("-o", "DPkg::Lock::Timeout=120")
# Seconds for one that hangs: cut too early, it would leave packages half configured.
TIMEOUT = 1800.0
# An earlier one was cut all the same, by a power cut for one: what apt advises in every language.
_CONFIGURE = "dpkg --configure -a"


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
    with subprocess.Popen(
        ["apt-get", *_PATIENT, *words],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise BuildFailed(
                f"`apt-get {words[0]}` did not end within {TIMEOUT:.0f} s.", look=look
            ) from None
        except KeyboardInterrupt:
            # apt itself hears of it, and what dpkg has begun it brings to an end.
            process.send_signal(signal.SIGINT)
            tell("Interrupted: packages that are half installed are finished first, a moment.")
            process.communicate()
            raise
    if process.returncode != 0:
        last = "".join((err or out).strip().splitlines()[-1:])
        raise BuildFailed(
            f"`apt-get {words[0]}` failed: {last[:300]}",
            look=_CONFIGURE if _CONFIGURE in last else look,
        )
