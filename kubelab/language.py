"""The language that the course speaks: chosen by `./lab up --lang`, else that of the terminal.

A notebook speaks the language that it is written in: its kernel is given `KUBELAB_LANG`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from kubelab import site as sites
from kubelab.site import Site, here

ENGLISH, CHINESE = "en", "zh"
LANGUAGES = {ENGLISH: "English", CHINESE: "简体中文"}
# The language of one command, or of one kernel; stronger than what was chosen.
VARIABLE = "KUBELAB_LANG"
FILE = "language"
# Traditional characters are another script: its readers choose for themselves.
SIMPLIFIED = ("zh", "zh_CN", "zh_SG", "zh_Hans")


def current(site: Site | None = None, environ: Mapping[str, str] = os.environ) -> str:
    """The language to speak now."""
    asked = environ.get(VARIABLE, "")
    if asked in LANGUAGES:
        return asked
    return kept(site or here()) or of_locale(environ)


def kept(site: Site) -> str | None:
    """The language that the learner has chosen; None where nothing was chosen."""
    with suppress(OSError):
        found = (site.state / FILE).read_text(encoding="utf-8").strip()
        return found if found in LANGUAGES else None
    return None


def keep(site: Site, language: str) -> None:
    """Remember the learner's choice until another one, or until `down --purge`."""
    sites.write(site.state / FILE, f"{language}\n")


def of_locale(environ: Mapping[str, str]) -> str:
    """The language of the terminal: the first of the three variables that is set counts."""
    several = (environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    locale = next(filter(None, several), "").partition(".")[0].partition("@")[0]
    return CHINESE if locale in SIMPLIFIED else ENGLISH


def notebooks(root: Path, language: str) -> Path:
    """Where the committed notebooks of a language are."""
    folder = root / "notebooks"
    return folder if language == ENGLISH else folder / language


def of_notebook(path: str) -> str | None:
    """The language of a learner's notebook (`work/zh/02-pods.ipynb`: zh); None without a path."""
    if not path:
        return None
    folder = Path(path.replace("\\", "/")).parent.name
    return folder if folder in LANGUAGES else ENGLISH
