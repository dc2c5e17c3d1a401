"""The site with the course's text in both languages: its own environment, and MkDocs in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from kubelab.errors import BuildFailed
from kubelab.site import ROOT, Site

REQUIREMENTS = ROOT / "requirements-docs.txt"
ADDRESS = "127.0.0.1:8089"
# What the pages come from beside docs/ and mkdocs.yml, which MkDocs watches anyway.
WATCHED = ("labs", "notebooks", "mkdocs.zh.yml")


def folder(site: Site) -> Path:
    """Where the site is built."""
    return site.state / "site"


def build(site: Site) -> Path:
    """Build the site, strictly; the English page to open. Raises BuildFailed."""
    # Without --quiet: it silences the warnings before a strict build counts them.
    mkdocs(site, ["build", "--strict", "--site-dir", str(folder(site))])
    return folder(site) / "index.html"


def serve(site: Site) -> None:
    """Show the site on loopback until it is interrupted. Raises BuildFailed."""
    watched = [word for path in WATCHED for word in ("--watch", path)]
    mkdocs(site, ["serve", "--dev-addr", ADDRESS, *watched])


def mkdocs(site: Site, words: Sequence[str]) -> None:
    """Run MkDocs in its own environment, in the folder whose packages it is to find."""
    command = [str(environment(site) / "bin" / "python"), "-m", "mkdocs", *words]
    # MkDocs Material prints an advertisement otherwise, which no reader of the output can act on.
    variables = {**os.environ, "NO_MKDOCS_2_WARNING": "true"}
    if subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode != 0:
        raise BuildFailed("The site was not built: MkDocs says why above.", look="./lab docs")


def environment(site: Site) -> Path:
    """The site's own environment: made anew when `requirements-docs.txt` changed."""
    made = site.state / "docs"
    mark = made / REQUIREMENTS.name
    if mark.is_file() and mark.read_bytes() == REQUIREMENTS.read_bytes():
        return made
    print("Making the site's environment, once: about 30 s.", file=sys.stderr, flush=True)
    shutil.rmtree(made, ignore_errors=True)
    site.state.mkdir(parents=True, exist_ok=True)
    pip = [str(made / "bin" / "python"), "-m", "pip", "install", "--quiet", "--require-hashes"]
    pip += ["--no-input", "--no-compile", "--disable-pip-version-check"]
    pip += ["--requirement", str(REQUIREMENTS)]
    for command in ([sys.executable, "-m", "venv", str(made)], pip):
        if subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode != 0:
            raise BuildFailed("The site's packages could not be installed.", look=" ".join(command))
    shutil.copy(REQUIREMENTS, mark)
    return made
