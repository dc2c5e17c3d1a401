"""The project's own tests: style and types, units, then a cluster that nobody else uses."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from kubelab import child, following
from kubelab.errors import (
    INTERRUPTED,
    EnvironmentFault,
    ForeignCluster,
    KubelabError,
    NotDone,
)
from kubelab.progress import human
from kubelab.site import ROOT, TEST, Site
from kubelab.site import tools as tools_folder

if TYPE_CHECKING:
    from kubelab.engine import Engine
    from kubelab.progress import Stage

# pytest's own last line: `==== 12 passed, 1 warning in 3.21s ====`.
CLOSING = re.compile(r"^=+ .*\bin \d+(\.\d+)?s( \([\d:]+\))? =+$")
# The miniature course is what units are tested on; its checks are meant to fail.
LEFT_OUT = [f"--ignore=tests/{name}" for name in ("e2e", "walk", "faults", "look", "course")]
# What runs beside something else is waited for so long, in seconds.
LONGEST = 1200.0
# Where the banks could not end so many seconds after the run began, they are cut: a machine that
# had to build the node image on slow processors would take two hours.
ENOUGH = 86 * 60.0
# What the short bank of a lab takes on slow processors, in seconds.
SHORT_BANK = 270.0
# What a bank says of itself.
RATES = ("wrong answers that", "right answers that", "without a verdict at")
# Tests at once, also on two cores: most of their time is waiting.
BESIDE = 3
# With the second, which images set, each of the tests' many processes would compile anew.
UNSET = {"KUBECONFIG", "PYTHONDONTWRITEBYTECODE"}
LEARNERS = Site()
UNITS = Site(TEST)
# What the look starts knows of no cluster, also while there is one.
STUDIO = Site(f"{TEST}-look")
CHROMIUM = "apt-get install -y chromium"
# Another checkout's tests may hold a name on this engine: then the next one is taken.
NAMES = [TEST, *(f"{TEST}-{number}" for number in range(2, 10))]


@dataclass
class Row:
    """One line of the table at the end; `seconds` is None for what was not run."""

    name: str
    result: str
    seconds: float | None = None
    note: str = ""


@dataclass
class Report:
    """What was run, how it went, pytest's own closing lines and the misjudged answers."""

    rows: list[Row] = field(default_factory=list)
    closings: list[tuple[bool, str]] = field(default_factory=list)
    code: int = 0
    began: float = field(default_factory=time.monotonic)

    def add(self, row: Row, code: int = 0) -> None:
        """Add a line; of several exit codes the most severe one holds."""
        self.rows.append(row)
        self.code = max(self.code, code)

    def text(self) -> str:
        """The table, then pytest's closing lines; what failed and misjudged answers stand last."""
        wide = max((len(row.name) for row in self.rows), default=0)
        lines = [""]
        for row in self.rows:
            spent = "" if row.seconds is None else human(row.seconds)
            lines.append(f"{row.name:<{wide}}  {row.result:<8}  {spent:>10}  {row.note}".rstrip())
        ordered = sorted(self.closings, key=lambda closing: not closing[0])
        return "\n".join([*lines, "", *(line for _, line in ordered)])


def run(which: str) -> int:
    """Run `quick`, `all`, `banks`, `look` or `faults`.

    0 all passed, 1 something failed, 4 could not be run.
    """
    report = Report()
    with following.alone(LEARNERS, "test", wait=False, file="test.lock"):
        try:
            developers_packages(report)
            if which not in ("look", "faults"):
                style_and_units(report)
            if which in ("all", "banks"):
                documents(report)
                on_a_cluster(report, whole_banks=which == "banks")
            if which == "look":
                look(report)
            if which == "faults":
                faults(report)
        finally:
            print(report.text(), flush=True)
    return report.code


def developers_packages(report: Report) -> None:
    """Put what the tests need on top into the environment, when that changed."""
    wanted = ROOT / "requirements-dev.txt"
    known = LEARNERS.environment / wanted.name
    if known.exists() and known.read_bytes() == wanted.read_bytes():
        report.add(Row("packages", "cached", note="requirements-dev.txt did not change"))
        return
    say("Installing what the tests need (requirements-dev.txt): about 20 s.")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes", "--no-input"]
    pip += ["--no-compile", "--disable-pip-version-check", "--progress-bar", "off"]
    pip += ["--requirement", str(wanted)]
    began = time.monotonic()
    if command(pip).code != 0:
        report.add(Row("packages", "FAILED", time.monotonic() - began))
        raise EnvironmentFault("The tests' packages could not be installed.", look=" ".join(pip))
    shutil.copy(wanted, known)
    report.add(Row("packages", "made", time.monotonic() - began))


def style_and_units(report: Report) -> None:
    """Style by ruff, then types by mypy beside the unit tests, which mostly wait."""
    programs = LEARNERS.environment / "bin"
    for words in (["ruff", "check", "."], ["ruff", "format", "--check", "."]):
        name = " ".join(words[:2])
        say(f"\n== {name}")
        told = command([str(programs / words[0]), *words[1:]])
        report.add(judged(name, told), failed(told))
    with beside(report, "mypy", [str(programs / "mypy")]):
        # A file's tests stay together, for they share what is made once.
        several = ["-n", str(BESIDE), "--dist", "loadfile"]
        pytest(report, "unit tests", ["tests", *LEFT_OUT, *several])


def documents(report: Report) -> None:
    """The site with the course's text: built strictly, so a broken link fails it."""
    say("\n== site")
    told = command([sys.executable, "-m", "kubelab", "docs"])
    report.add(judged("site", told), failed(told))


def look(report: Report) -> None:
    """Show the notebooks in JupyterLab and Chromium, in both themes; what is seen is kept.

    Raises EnvironmentFault where there is no Chromium.
    """
    if shutil.which("chromium") is None:
        raise EnvironmentFault("There is no Chromium to look at the notebooks.", look=CHROMIUM)
    say("\n== look")
    shutil.rmtree(STUDIO.state, ignore_errors=True)
    told = command(looking(), on_the_tests_site(STUDIO))
    report.add(judged("look", told, f"pictures in {pictures()}"), failed(told))


@contextmanager
def looked_at(report: Report) -> Iterator[None]:
    """Look at the notebooks briefly while the block runs; without Chromium say that nobody did."""
    if shutil.which("chromium") is None:
        report.add(Row("look", "not run", note=f"no Chromium: {CHROMIUM}"))
        yield
        return
    # What the last one has kept, hints for one, would change what is seen.
    shutil.rmtree(STUDIO.state, ignore_errors=True)
    words = [*looking(), "--brief"]
    note = f"pictures in {pictures()}"
    with beside(report, "look", words, on_the_tests_site(STUDIO), note):
        yield


def looking() -> list[str]:
    """The command that looks at the notebooks."""
    return [sys.executable, "tests/look/jupyterlab.py", "--out", str(pictures())]


def pictures() -> Path:
    """Where the look keeps what it saw."""
    return LEARNERS.state / "look"


@contextmanager
def beside(
    report: Report,
    name: str,
    words: Sequence[str],
    environment: dict[str, str] | None = None,
    note: str = "",
) -> Iterator[None]:
    """Run a command while the block runs; its output and its line come after both.

    Where the block is interrupted, the command is, too; one that hangs is ended, and has failed.
    """
    began = time.monotonic()
    with tempfile.TemporaryFile("w+", errors="replace") as out, ThreadPoolExecutor(1) as pool:
        process = subprocess.Popen(
            words,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        ending = pool.submit(lambda: (process.wait(), time.monotonic() - began))
        told: Told | None = None
        try:
            yield
            if not ending.done():
                say(f"Waiting for {name}.")
            with suppress(TimeoutError):
                code, seconds = ending.result(timeout=LONGEST)
                told = Told(code, [], seconds)
        finally:
            # A second Ctrl-C must not leave it behind: whoever waits for it would never end.
            if not ending.done():
                with undisturbed():
                    child.end(process)
            out.seek(0)
            lines = out.read().splitlines()
            say("\n".join([f"\n== {name}", *lines]))
            if told is None:
                report.add(Row(name, "FAILED", note="it did not end"), NotDone.exit_code)
            else:
                report.add(judged(name, told, note), failed(told))


def on_a_cluster(report: Report, *, whole_banks: bool) -> None:
    """A cluster of the tests' own, and the tests on it."""
    from kubelab.commands.up import CLUSTER, Work, everything

    log = LEARNERS.state / "test.log"
    log.unlink(missing_ok=True)
    with cleared(report) as site:
        say(f"\n== cluster {site.name} (the full output: {log})")
        work = Work(site, log)
        try:
            everything(work, CLUSTER)
        except KubelabError as error:
            report.rows += stage_rows(work.progress.stages)
            report.add(Row("cluster", "FAILED", note=error.message), EnvironmentFault.exit_code)
            told = log.read_text(errors="replace").splitlines() if log.exists() else []
            say("\n".join([*told[-40:], error.message]))
            witness(site)
            return
        report.rows += stage_rows(work.progress.stages)
        # A file's tests stay together: they share a namespace or a state that takes minutes.
        several = ["-n", str(BESIDE), "--dist", "loadfile", "--no-loadscope-reorder"]
        several += ["-m", "not alone"]
        pytest(report, "on the cluster", ["tests/e2e", *several], site)
        pytest(report, "one by one", ["tests/e2e", "-m", "alone"], site)
        # One learner, who mostly waits: it leaves half of two cores to the browser.
        with looked_at(report):
            pytest(report, "a learner's walk", ["tests/walk"], site)
        banks(report, site, whole=whole_banks)


def banks(report: Report, site: Site, *, whole: bool) -> None:
    """The answer bank of every lab, a line each; or a part of each, which touches every task.

    The part is the short bank, or the shortest where the run would take too long: the line says so.
    """
    from kubelab import labs

    several = [lab for lab in labs.every(site.root) if lab.bank.is_dir()]
    for done, lab in enumerate(several):
        left = report.began + ENOUGH - time.monotonic()
        cut = not whole and left < (len(several) - done) * SHORT_BANK
        say(f"\n== answer bank of lab {lab.number}")
        part = [] if whole else ["--shortest" if cut else "--short"]
        words = [sys.executable, "-m", "kubelab", "bank", lab.number, *part]
        told = command(words, on_the_tests_site(site))
        notes = [line for line in told.lines if line.startswith(RATES)]
        notes += ["cut to end in time"] if cut else []
        report.add(judged(f"bank {lab.number}", told, "; ".join(notes)), failed(told))
        # The reason of a failure stands in the last lines, which is what a long log is read for.
        report.closings += [(False, line) for line in told.lines if "   MISJUDGED  " in line]


def witness(site: Site) -> None:
    """Show what a cluster that did not become ready looks like, before it is removed."""
    from kubelab import tools

    if not site.kubeconfig.exists():
        return
    with suppress(KubelabError):
        kubectl = [str(tools.kubectl()), "--kubeconfig", str(site.kubeconfig)]
        kubectl += ["--request-timeout=10s", "get", "--all-namespaces"]
        command([*kubectl, "nodes,pods", "--output=wide"])
        command([*kubectl, "events", "--field-selector=type=Warning", "--sort-by=.lastTimestamp"])


def stage_rows(stages: Sequence[Stage]) -> list[Row]:
    """A line for every stage of the cluster: made or cached, and how long it took."""
    words = {"done": "made", "cached": "cached", "failed": "FAILED", "waiting": "not run"}
    rows = []
    for stage in stages:
        spent = stage.ended - stage.started if stage.started and stage.ended else None
        rows.append(Row(stage.title[:40], words.get(stage.state, stage.state), spent, stage.note))
    return rows


def faults(report: Report) -> None:
    """The slow faults. They make the tests' cluster themselves, with the command `./lab`.

    Those of the engine skip themselves, with the reason, on one that is not the project's.
    """
    with cleared(report) as site:
        pytest(report, "faults", ["tests/faults", "-rs"], site)


@contextmanager
def cleared(report: Report) -> Iterator[Site]:
    """A site of the tests' own on an engine that runs, without a cluster before and after.

    What they made is removed whatever ended them. Raises EnvironmentFault where there is no
    engine, or others hold every name.
    """
    from kubelab import engine

    with running_engine(report) as docker:
        with told_as(report, "cluster"):
            site = own_site(docker)
            clear(docker, site)
        try:
            yield site
        finally:
            with undisturbed():
                began = time.monotonic()
                try:
                    clear(engine.find(), site)
                except KubelabError as error:
                    say(f"The cluster {site.name} was not removed: {error.message}")
                spent = time.monotonic() - began
                report.add(Row("clean-up", "done", spent, f"removed {site.name}"))


@contextmanager
def running_engine(report: Report) -> Iterator[Engine]:
    """An engine that runs; one that the tests started is stopped afterwards."""
    from kubelab import engine

    began = time.monotonic()
    was_there = engine.find() is not None
    try:
        with told_as(report, "Container engine"):
            docker = engine.connect()
        if not was_there:
            report.add(Row("Container engine", "made", time.monotonic() - began))
        yield docker
    finally:
        if not was_there:
            with undisturbed():
                engine.stop_ours()


@contextmanager
def told_as(report: Report, name: str) -> Iterator[None]:
    """A fault inside the block has a line in the table, too."""
    try:
        yield
    except KubelabError as error:
        report.add(Row(name, "FAILED", note=error.message))
        raise


def own_site(docker: Engine) -> Site:
    """The first of the tests' sites whose cluster is absent or this checkout's.

    Raises ForeignCluster where others hold them all.
    """
    from kubelab import cluster

    for name in NAMES:
        site = Site(name, LEARNERS.root)
        try:
            cluster.exists(site, docker)
        except ForeignCluster as error:
            say(error.message)
            continue
        return site
    raise ForeignCluster(
        f"Each name from {NAMES[0]} to {NAMES[-1]} is another's cluster.", look="docker ps --all"
    )


def clear(docker: Engine | None, site: Site) -> None:
    """Remove the tests' cluster and folder; the learner's are others and stay."""
    from kubelab import cluster, jupyter

    with suppress(KubelabError):
        jupyter.stop(site)
    if docker is not None:
        cluster.delete(site, docker)
    for path in site.state.iterdir() if site.state.exists() else ():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def pytest(report: Report, name: str, words: Sequence[str], site: Site = UNITS) -> None:
    """Run pytest as anybody would, on a site of the tests; units make no cluster there."""
    say(f"\n== {name}")
    whole = [sys.executable, "-m", "pytest", *words, "--durations=5"]
    told = command(whole, on_the_tests_site(site))
    closing = next((line for line in reversed(told.lines) if CLOSING.match(line)), "")
    report.closings.append((told.code == 0, closing or f"pytest ended with code {told.code}"))
    report.add(judged(name, told, closing.strip("= ")), failed(told))


def on_the_tests_site(site: Site) -> dict[str, str]:
    """The environment of a command that is to use the tests' cluster and nobody else's."""
    own = [str(site.root), str(tools_folder()), str(site.environment / "bin")]
    return {
        **{key: value for key, value in os.environ.items() if key not in UNSET},
        "KUBELAB_CLUSTER": site.name,
        "PATH": os.pathsep.join([*own, os.environ.get("PATH", os.defpath)]),
    }


@dataclass
class Told:
    """How a command ended: its exit code, its output's lines, the seconds that it took."""

    code: int
    lines: list[str]
    seconds: float


def command(words: Sequence[str], environment: dict[str, str] | None = None) -> Told:
    """Run a command; its output is shown as it comes, and kept. It never outlives this process."""
    began = time.monotonic()
    lines: list[str] = []

    def show(line: str) -> None:
        print(line, end="", flush=True)
        lines.append(line.rstrip("\n"))

    code = child.follow(words, show, folder=ROOT, environment=environment, apart=True)
    if code in (-signal.SIGINT, INTERRUPTED):
        raise KeyboardInterrupt
    return Told(code, lines, time.monotonic() - began)


def judged(name: str, told: Told, note: str = "") -> Row:
    """The table's line of a command that was run."""
    return Row(name, "passed" if told.code == 0 else "FAILED", told.seconds, note)


def failed(told: Told) -> int:
    """The exit code of this command for a command's own: any failure is one of the project."""
    return NotDone.exit_code if told.code else 0


@contextmanager
def undisturbed() -> Iterator[None]:
    """Clean up to the end: a second Ctrl-C would leave a cluster behind."""

    def told(number: int, frame: FrameType | None) -> None:
        say("Cleaning up first, the tests' cluster too; a moment.")

    kinds = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(kind, told) for kind in kinds]
    try:
        yield
    finally:
        for kind, handler in zip(kinds, before, strict=True):
            signal.signal(kind, handler)


def say(line: str) -> None:
    """One line of progress, in order with what the commands print."""
    print(line, flush=True)
