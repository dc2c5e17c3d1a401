"""The notebooks' Python kernel: cells that stop at the first failing command, and say why.

Started by Jupyter as `python -m kubelab.kernel -f CONNECTION_FILE`.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from subprocess import CalledProcessError
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

from kubelab import cells, language
from kubelab.site import ROOT, Site, here, tools
from kubelab.words import said

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

BASH_ENV = Path(__file__).with_name("cell.bash")


class CellError(Exception):
    """A cell that was not run, or that stopped at a failing command."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback."""
        return str(self).splitlines()


def main() -> None:
    """Run the kernel until Jupyter ends it."""
    site = here()
    os.environ.update(environment(site, dict(os.environ)))
    for folder in (Path(os.environ["IPYTHONDIR"]), site.state / "jupyter"):
        folder.mkdir(parents=True, exist_ok=True)
    from ipykernel.kernelapp import IPKernelApp

    app = IPKernelApp.instance(
        # A file of the learner's, named like a library, must not break the kernel.
        ignore_cwd=True,
    )
    app.initialize(sys.argv[1:])
    prepare(cast("InteractiveShell", app.shell), site)
    threading.Thread(target=_warm, daemon=True).start()
    app.start()


def environment(site: Site, inherited: dict[str, str]) -> dict[str, str]:
    """The variables that a cell's commands see, made from `inherited`, those of this process."""
    notebook = inherited.get("JPY_SESSION_NAME", "")
    lab = lab_of(notebook)
    kubeconfig = site.lab_kubeconfig(lab) if lab else site.current_kubeconfig
    first = [str(site.root), str(tools()), str(Path(sys.executable).parent)]
    rest = [part for part in inherited.get("PATH", os.defpath).split(os.pathsep) if part]
    return {
        "BASH_ENV": str(BASH_ENV),
        "IPYTHONDIR": str(site.state / "ipython"),
        "KUBECONFIG": str(kubeconfig),
        "KUBELAB_CLUSTER": site.name,
        language.VARIABLE: language.of_notebook(notebook) or language.current(site, inherited),
        "KUBELAB_STOPPED": str(site.state / "jupyter" / f"stopped-{os.getpid()}"),
        "PATH": os.pathsep.join([*first, *(part for part in rest if part not in first)]),
        "PYTHONPATH": str(ROOT),
    }


def lab_of(notebook: str) -> str | None:
    """The lab's number in a notebook's path (`work/02-pods.ipynb` -> `02`); None without one."""
    match = re.match(r"(\d\d)-", notebook.replace("\\", "/").rsplit("/", 1)[-1])
    return match.group(1) if match else None


def prepare(shell: InteractiveShell, site: Site) -> None:
    """Teach an IPython shell the course's rules for cells."""
    shell.system_raise_on_error = True
    shell.input_transformers_cleanup.append(_refuser(site, lab_of(_session())))
    shell.set_custom_exc((CalledProcessError,), _command_failed)


def _session() -> str:
    return os.environ.get("JPY_SESSION_NAME", "")


def _refuser(site: Site, lab: str | None) -> Callable[[list[str]], list[str]]:
    """An input transformer: raises where the cell must not run, changes nothing."""

    def refuse(lines: list[str]) -> list[str]:
        source = "".join(lines)
        reason = cells.refusal(source, lab) or _not_started(source, site, lab)
        if reason:
            raise CellError(said(reason))
        return lines

    # IPython leaves such a transformer out when it only asks whether the input is complete.
    refuse.has_side_effects = True  # type: ignore[attr-defined]
    return refuse


def _not_started(source: str, site: Site, lab: str | None) -> str | None:
    if lab is None or site.lab_kubeconfig(lab).exists() or cells.uses(source, "lab"):
        return None
    if not cells.uses(source, "kubectl"):
        return None
    return (
        f"Lab {lab} is not started, so this cell was not run.\n"
        f"Run the set-up cell above, or in a terminal: ./lab start {lab}"
    )


def _command_failed(
    shell: InteractiveShell, kind: type, error: Any, trace: TracebackType, tb_offset: Any = None
) -> list[str]:
    """Show a failed command as one line; its own output stands above."""
    stopped = CellError(said(_reason(error)))
    lines = stopped._render_traceback_()
    shell._showtraceback(CellError, stopped, lines)
    return lines


def _reason(error: CalledProcessError) -> str:
    number = _stopped_line()
    if error.returncode in (-2, 130):
        return "Interrupted."
    how = f"exit code {error.returncode}"
    if error.returncode < 0:
        how = f"ended by signal {-error.returncode}"
    if not isinstance(error.cmd, bytes):
        return f"The command failed: {how}."
    source = error.cmd.decode("utf-8", "replace").splitlines()
    if number is None or not 0 < number <= len(source):
        return f"The cell ended with {how}."
    first = number - 1
    while first > 0 and source[first - 1].endswith("\\"):
        first -= 1
    text = " ".join(line.rstrip("\\").strip() for line in source[first:number])
    text = text if len(text) <= 60 else text[:59] + "…"
    # The cell's own line 1 is `%%bash`, so the editor's line is one further down.
    return f"The cell stopped at line {first + 2}, {how}: {text}"


def _stopped_line() -> int | None:
    """The line at which bash stopped, as `cell.bash` wrote it; the note is removed."""
    note = Path(os.environ.get("KUBELAB_STOPPED", os.devnull))
    try:
        number = int(note.read_text(encoding="ascii"))
        note.unlink()
    except (OSError, ValueError):
        return None
    return number


def _warm() -> None:
    """Load what the first `check` needs while the learner still reads."""
    # What fails here fails again in `check`, which says it where the learner looks.
    with contextlib.suppress(Exception):
        import kubelab.notebook

        kubelab.notebook.warm()


if __name__ == "__main__":
    main()
