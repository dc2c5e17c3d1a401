"""Checks from a command or a notebook: pytest in this process, our text instead of its own."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubelab import labs, report
from kubelab.errors import EnvironmentFault, KubelabError, UsageError
from kubelab.site import Site
from kubelab.verdict import Verdict, exit_code

if TYPE_CHECKING:
    import pytest

# What a check needs none of: each costs time at the start, or output that is not ours.
WITHOUT = ("cacheprovider", "terminal", "junitxml", "capture", "logging", "doctest", "faulthandler")
WITHOUT_TOO = (
    "pastebin",
    "stepwise",
    "legacypath",
    "warnings",
    "unraisableexception",
    "threadexception",
)


def run_checks(
    site: Site,
    selectors: Iterable[str],
    *,
    timeout: float | None = None,
    json: bool = False,
    namespace: str | None = None,
    junit: Path | None = None,
    keep: bool = True,
) -> int:
    """Run the checks that `selectors` name (`02` or `02.1`), print them, return the exit code.

    0 done, 1 not done, 3 still converging, 4 could not check. `timeout` (seconds) replaces the
    tasks' own deadlines. With `json` one JSON array of result records goes to standard output,
    with `junit` the same as JUnit XML to a file. Without `keep` no result is recorded.
    Raises UsageError for a lab or task that does not exist.
    """
    told: list[report.Record] = []

    def tell(one: report.Record) -> None:
        if not json:
            print(("\n" if told else "") + report.text(one), flush=True)
        told.append(one)

    def announce(words: str) -> None:
        # With --json nothing but JSON belongs on standard output.
        print(words, file=sys.stderr if json else sys.stdout, flush=True)

    results = run(
        site,
        selectors,
        timeout=timeout,
        namespace=namespace,
        tell=tell,
        announce=announce,
        keep=keep,
    )
    if junit is not None:
        from kubelab import junit as xml

        xml.write(junit, results)
    if json:
        print(dumped(results))
    elif len(results) > 1:
        print(f"\n{report.total(results)}")
    return exit_code(Verdict(one["verdict"]) for one in results)


def dumped(results: list[report.Record]) -> str:
    """Records as one JSON array."""
    return json.dumps(results, ensure_ascii=False, indent=2)


def run(
    site: Site,
    selectors: Iterable[str],
    *,
    timeout: float | None = None,
    namespace: str | None = None,
    tell: Callable[[report.Record], None] = lambda _: None,
    announce: Callable[[str], None] = lambda _: None,
    keep: bool = True,
    files: Iterable[Path] | None = None,
) -> list[report.Record]:
    """Run checks and return their result records; `tell` gets each as soon as it is there.

    `announce` gets what a check says before it disturbs something of the learner's. Without
    `keep` nothing is written to the results file. `files` are criteria in place of the labs' own.
    Raises UsageError for a lab or task that does not exist.
    """
    from kubelab import plugin

    own, tasks = chosen(site.root, selectors)
    checks = plugin.Checks(
        site,
        tasks=tasks,
        timeout=timeout,
        namespace=namespace,
        tell=tell,
        announce=announce,
        keep=keep,
    )
    code, faults = collected(site, own if files is None else files, checks)
    if faults:
        raise EnvironmentFault(f"The checks are a fault of the course: {faults[0]}.")
    if not checks.records:
        raise RuntimeError(f"pytest ran no check (exit code {code}) in {own}.")
    return checks.records


class Collecting:
    """A plugin of pytest that keeps why a file could not be collected."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember the last line: what could not be imported."""
        if report.failed:
            self.faults.append(str(report.longrepr).splitlines()[-1])


def collected(site: Site, files: Iterable[Path], checks: object) -> tuple[int, list[str]]:
    """Let pytest collect files and run them with a plugin of ours.

    Returns its exit code, and why files could not be imported. Raises KeyboardInterrupt.
    """
    import pytest

    # Neither the project's options nor the user's: some belong to a plugin that is left out.
    arguments = ["--rootdir", str(site.root), "-c", os.devnull]
    arguments += ["--disable-plugin-autoload", "--noconftest"]
    for name in (*WITHOUT, *WITHOUT_TOO):
        arguments += ["-p", f"no:{name}"]
    collecting = Collecting()
    with without("PYTEST_ADDOPTS"):
        code = pytest.main([*arguments, *map(str, files)], plugins=[checks, collecting])
    # Pytest calls it an interruption, too, when it could not collect everything.
    if code == pytest.ExitCode.INTERRUPTED and not collecting.faults:
        raise KeyboardInterrupt
    return int(code), collecting.faults


@contextlib.contextmanager
def without(name: str) -> Iterator[None]:
    """The block runs without one environment variable."""
    before = os.environ.pop(name, None)
    try:
        yield
    finally:
        if before is not None:
            os.environ[name] = before


def chosen(root: Path, selectors: Iterable[str]) -> tuple[list[Path], set[str]]:
    """The files and the task ids that selectors name; raises UsageError for unknown ones."""
    files: dict[Path, Any] = {}
    tasks: set[str] = set()
    for selector in selectors:
        lab = labs.find(root, selector)
        if "." in selector:
            tasks.add(lab.task(f"{lab.number}.{selector.split('.', 1)[1]}").id)
        else:
            tasks.update(lab.tasks)
        if not lab.checks.is_file():
            raise UsageError(f"Lab {lab.number} has no checks yet.")
        files[lab.checks] = None
    if not files:
        raise UsageError("Name a lab or a task: ./lab check 02.1", look="./lab status")
    return list(files), tasks


def main(arguments: list[str] | None = None) -> int:
    """`python -m kubelab.runner 02.1`: what `./lab check` does, without its command line."""
    import argparse

    from kubelab.site import here

    parser = argparse.ArgumentParser(prog="kubelab.runner", description=main.__doc__)
    parser.add_argument("selectors", nargs="+", metavar="NN[.T]")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--timeout", type=float)
    parser.add_argument("--namespace")
    parser.add_argument("--no-record", action="store_true")
    given = parser.parse_args(arguments)
    try:
        return run_checks(
            here(),
            given.selectors,
            timeout=given.timeout,
            json=given.json,
            namespace=given.namespace,
            keep=not given.no_record,
        )
    except KubelabError as error:
        print(error.message, file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
