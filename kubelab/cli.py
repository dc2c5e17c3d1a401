"""The command line of `./lab`: which command, what went wrong, and the exit code.

Every command is one module of `kubelab.commands`: its docstring is the help, `EXAMPLES` the
lines to paste, `arguments` names its options and `run` does it. One is imported when it is asked
for, so that `./lab` answers at once.
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from types import FrameType
from typing import Any

from kubelab import columns
from kubelab.errors import INTERRUPTED, EnvironmentFault, KubelabError, UsageError
from kubelab.site import here
from kubelab.words import said

WIDTH = 80
COMMANDS = {
    "up": "make everything and open the course",
    "open": "open the course's notebooks (JupyterLab)",
    "start": "start a lab: its namespace and its start state",
    "check": "check a lab, or one of its tasks",
    "hint": "the next of a task's three hints",
    "status": "what is there, and how far you are",
    "reset": "save your objects of a lab and begin it anew",
    "diff": "compare your objects of a lab with the reference",
    "solve": "let the course solve a lab, or one of its tasks",
    "goto": "let the course solve every lab before one, and start it",
    "shell": "a shell, or one command, with kubectl set to a lab",
    "mend": "make the control plane whole, whatever was stopped",
    "without": "run a command while a component of the control plane is stopped",
    "doctor": "look for what is missing on this machine, with the fix",
    "down": "save your objects, then remove the cluster and stop the rest",
    "grade": "grade a lab of a whole class, a line a student",
    "new": "make a new lab, with one task that works",
    "translate": "what is missing or outdated of a lab in Chinese",
    "bank": "try the answer bank of a lab: right and wrong answers",
    "docs": "build the site with the course's text, to read anywhere",
    "test": "the project's own tests, on a cluster of their own",
}
# Without a word, `./lab` says where you are and what is next.
ALONE = "where"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code: 0 to 4, or 130 when interrupted."""
    words = list(sys.argv[1:] if argv is None else argv)
    _end_as_interrupted()
    interrupted = "Interrupted."
    try:
        if words and words[0] in ("-h", "--help", "help"):
            print(overview())
            return 0
        module = command(words.pop(0) if words else ALONE)
        interrupted = getattr(module, "INTERRUPTED", interrupted)
        words, after = apart(words) if hasattr(module, "AFTER") else (words, None)
        arguments = parser(module).parse_args(words)
        arguments.after = after
        return told(lambda: _flushed(module.run(arguments)), as_json=_wants_json(arguments))
    except KubelabError as error:
        return tell(error)
    except KeyboardInterrupt:
        print(f"\n{said(interrupted)}", file=sys.stderr)
        return INTERRUPTED


def command(name: str) -> Any:
    """The module of a command. Raises UsageError with the list where there is none."""
    if name != ALONE and name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, 1)
        meant = f" Did you mean `{near[0]}`?" if near else ""
        # Between backquotes a name is no word to be translated.
        listed = ", ".join(f"`{one}`" for one in COMMANDS)
        raise UsageError(
            f"There is no command `{name}`.{meant} There are {listed}.",
            look="./lab --help",
        )
    return import_module(f"kubelab.commands.{name}")


def parser(module: Any) -> argparse.ArgumentParser:
    """The parser of one command, with its examples."""
    name = module.__name__.rsplit(".", 1)[1]
    examples = "\n".join(f"  {line}" for line in module.EXAMPLES)
    made = argparse.ArgumentParser(
        prog="./lab" if name == ALONE else f"./lab {name}",
        description="\n\n".join(map(paragraph, (module.__doc__ or "").split("\n\n"))),
        epilog=f"examples:\n{examples}",
        formatter_class=_Formatter,
        allow_abbrev=False,
    )
    module.arguments(made)
    return made


def apart(words: list[str]) -> tuple[list[str], list[str] | None]:
    """The words before and after the first `--`; None where there is none.

    argparse drops the `--`, in a way that changed between Python's versions.
    """
    if "--" not in words:
        return words, None
    cut = words.index("--")
    return words[:cut], words[cut + 1 :]


def overview() -> str:
    """What `./lab --help` prints."""
    lines = [
        "usage: ./lab [COMMAND] [OPTIONS]",
        "",
        "A hands-on Kubernetes course that knows whether you did it right.",
        "",
        "  ./lab       where you are, what is next, one command to paste",
        *(f"  {name:<10}  {summary}" for name, summary in COMMANDS.items()),
        "",
        "examples:",
        "  ./lab up              make everything; from nothing 13 to 22 minutes",
        "  ./lab check 02.1      check task 1 of lab 02",
        "  ./lab check --help    more about one command",
        "",
        "Exit codes: 0 done, 1 not done, 2 usage, 3 still converging,",
        "4 the environment is broken, 130 interrupted.",
    ]
    return "\n".join(lines)


def told(run: Callable[[], int], *, as_json: bool = False) -> int:
    """Run a command; an error becomes sentences (or JSON) and an exit code, never a traceback."""
    try:
        return run()
    except KubelabError as error:
        return tell(error, as_json=as_json)
    except BrokenPipeError:
        # Whoever read the output has gone; what is left in the buffer must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EnvironmentFault.exit_code
    except Exception as error:
        return tell(_fault(error), as_json=as_json)


def tell(error: KubelabError, *, as_json: bool = False) -> int:
    """Print one error: the sentence, then the command to paste. Returns its exit code."""
    if as_json:
        print(json.dumps({"error": error.message, "look": error.look}))
    else:
        print(paragraph(said(error.message)), file=sys.stderr)
        if error.look:
            print(f"{said('look')}: {error.look}", file=sys.stderr)
    return error.exit_code


def paragraph(text: str) -> str:
    """The text in lines of at most 80 columns; paths and commands stay whole."""
    return columns.filled(text, WIDTH, break_long_words=False, break_on_hyphens=False)


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Help in 80 columns, whatever the terminal's width."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=24, width=WIDTH)


def _wants_json(arguments: argparse.Namespace) -> bool:
    # Some commands take a file there; what goes wrong is then told in words.
    return getattr(arguments, "json", False) is True


def _flushed(code: int) -> int:
    sys.stdout.flush()  # A closed pipe shows here, where it is caught.
    return code


def _fault(error: Exception) -> EnvironmentFault:
    """An error that nobody expected, with its traceback kept for a report."""
    if os.environ.get("KUBELAB_DEBUG"):
        traceback.print_exc()
    file = here().state / "fault.log"
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(traceback.format_exc(), encoding="utf-8")
    what = f"{type(error).__name__}: {error}".rstrip(": ")
    return EnvironmentFault(f"This is a fault of the course, not yours: {what}", look=f"cat {file}")


def _end_as_interrupted() -> None:
    """Being terminated, or losing the terminal, ends a command as tidily as Ctrl-C."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for kind in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(kind) is signal.SIG_DFL:
            signal.signal(kind, interrupt)
