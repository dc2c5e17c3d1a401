"""The user's browser, where there is one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import webbrowser
from pathlib import Path


def open_browser(url: str) -> bool:
    """Open `url` in the user's browser; False where there is none to open."""
    if is_wsl():
        command = shutil.which("wslview") or shutil.which("explorer.exe")
        return command is not None and _run([command, url])
    if sys.platform == "darwin":
        return _run(["open", url])
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    try:
        return webbrowser.open(url)
    except webbrowser.Error:
        return False


def is_wsl() -> bool:
    """Whether this Linux runs under Windows."""
    try:
        return "microsoft" in Path("/proc/sys/kernel/osrelease").read_text().lower()
    except OSError:
        return False


def _run(command: list[str]) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    # explorer.exe opens the page and answers 1 all the same.
    return done.returncode == 0 or command[0].endswith("explorer.exe")
