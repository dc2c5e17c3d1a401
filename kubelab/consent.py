"""Asking before something is removed or replaced."""

from __future__ import annotations

import sys

from kubelab.errors import UsageError
from kubelab.words import said


def agreed(what: str, *, look: str, otherwise: str = "Nothing was changed.") -> None:
    """Ask; raises UsageError where nobody can answer, and on any answer but yes.

    `look` is the command that asks nothing.
    """
    if not sys.stdin.isatty():
        raise UsageError(f"{what} Nobody can be asked here.", look=look)
    print(said(what))
    if input(said("Type yes to go on: ")).strip().lower() not in ("y", "yes"):
        raise UsageError(otherwise)
