"""The pytest plugin: a check is judged by the course's rules, and its failure is told in words."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator
from typing import Any

import pytest

from kubelab import controlplane, labs, report
from kubelab.acting import sweep_after_crash
from kubelab.api import Cluster, connect
from kubelab.checking import LabView
from kubelab.errors import KubelabError, UsageError
from kubelab.evidence import Evidence, broken_environment, gather
from kubelab.learner import started, student
from kubelab.report import line as first_line
from kubelab.report import total
from kubelab.settled import LATEST
from kubelab.site import Site, here
from kubelab.snapshot import Snapshot
from kubelab.verdict import Judgement, Verdict, broken, judge

MARKER = "kubelab_task"
LINES = {
    Verdict.PASS: {"green": True},
    Verdict.FAIL: {"red": True},
    Verdict.NOT_YET: {"yellow": True},
    Verdict.ENV: {"yellow": True, "bold": True},
}


class Told(Exception):
    """A check that did not pass; the record says everything."""

    def __init__(self, record: report.Record) -> None:
        super().__init__(report.line(record))
        self.record = record


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of `pytest checks/`; pytest-kind takes --kubeconfig and --cluster-name."""
    group = parser.getgroup("lab", "the checks of the labs")
    group.addoption("--lab-timeout", type=float, help="seconds, instead of each task's deadline")
    group.addoption("--lab-namespace", help="the namespace to check, instead of lab-NN")
    group.addoption("--lab-task", action="append", help="check this task alone; may be repeated")


def pytest_configure(config: pytest.Config) -> None:
    """Bring the checks in, unless `./lab` or a notebook did so already."""
    if not any(isinstance(one, Checks) for one in config.pluginmanager.get_plugins()):
        checks = Checks(
            here(),
            tasks=set(config.getoption("lab_task") or ()),
            timeout=config.getoption("lab_timeout"),
            namespace=config.getoption("lab_namespace"),
        )
        config.pluginmanager.register(checks, "kubelab-checks")


class Checks:
    """The checks of one run of pytest, on one snapshot of each lab's namespace."""

    def __init__(
        self,
        site: Site,
        *,
        tasks: set[str],
        timeout: float | None = None,
        namespace: str | None = None,
        tell: Callable[[report.Record], None] | None = None,
        announce: Callable[[str], None] | None = None,
        keep: bool = True,
    ) -> None:
        self.site = site
        self.tasks = tasks
        self.timeout = timeout
        self.namespace = namespace
        self.tell = tell
        self.announce = announce or self._announced
        self.keep = keep
        self.records: list[report.Record] = []
        self._cluster: Cluster | KubelabError | None = None
        self._snapshots: dict[str, Snapshot] = {}
        self._started: dict[str, bool] = {}
        self._plugins: pytest.PytestPluginManager | None = None

    # Collection

    def pytest_configure(self, config: pytest.Config) -> None:
        """Declare the marker that `@task` sets."""
        config.addinivalue_line("markers", f"{MARKER}(id): the check of one task of lab.yaml")
        self._plugins = config.pluginmanager

    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Leave out the checks that were not asked for."""
        if not self.tasks:
            return
        left_out = [one for one in items if (id_ := task_id(one)) and id_ not in self.tasks]
        if left_out:
            config.hook.pytest_deselected(items=left_out)
            items[:] = [one for one in items if one not in left_out]

    # Running

    @pytest.fixture
    def lab(self, request: pytest.FixtureRequest) -> LabView | None:
        """The cluster as a check reads it; None where there is nothing to read."""
        found: LabView | None = None
        try:
            found = self._view(request.node)
        except Exception as error:
            # Told in the call phase, where a check's result belongs.
            request.node.stash[FAULT] = error
        return found

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        """Judge a check in place of calling it once; raises Told unless it passes."""
        id_ = task_id(pyfuncitem)
        if id_ is None:
            return None
        record = self._record(pyfuncitem, id_)
        if self.keep:
            report.append(self.site.results, [record])
        self.records.append(record)
        if self.tell is not None:
            self.tell(record)
        if record["verdict"] != Verdict.PASS:
            raise Told(record)
        return True

    def _record(self, item: pytest.Function, id_: str) -> report.Record:
        view: Any = item.funcargs.get("lab")
        fault = None
        if view is None:
            fault = item.stash.get(FAULT, UsageError("The check has no fixture `lab`."))
        names = item._fixtureinfo.argnames
        wanted = {name: item.funcargs[name] for name in names}
        return result(
            self.site,
            labs.find(self.site.root, id_).task(id_),
            view if fault is None else fault,
            lambda: item.obj(**wanted),
            started=view is not None and self._started[view.namespace],
            timeout=self.timeout,
        )

    def _view(self, item: pytest.Item) -> LabView:
        id_ = task_id(item)
        if id_ is None:
            raise UsageError("The fixture `lab` is for tests that are marked with @task.")
        lab = labs.find(self.site.root, id_)
        namespace = self.namespace or lab.namespace
        cluster = self._connected()
        if namespace not in self._snapshots:
            self._started[namespace] = started(cluster, namespace)
            self._snapshots[namespace] = Snapshot(cluster, namespace)
        view = LabView(cluster, lab, lab.task(id_), self._snapshots[namespace])
        view.announce = lambda words: self.announce(report.announcement(id_, words))
        return view

    def _connected(self) -> Cluster:
        if self._cluster is None:
            try:
                self._cluster = controlplane.connected(self.site, connect)
            except KubelabError as error:
                # Once is enough: every other check of this run says the same.
                self._cluster = error
        if isinstance(self._cluster, KubelabError):
            raise self._cluster
        return self._cluster

    def pytest_unconfigure(self) -> None:
        """End all watches."""
        for snapshot in self._snapshots.values():
            snapshot.close()

    # Telling

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put the text in place of the traceback."""
        told: pytest.TestReport = yield
        if call.excinfo is not None and isinstance(call.excinfo.value, Told):
            record = call.excinfo.value.record
            told.longrepr = report.text(record)
            properties = [("verdict", record["verdict"]), ("reason", record["reason"])]
            told.user_properties.extend(properties)
            # JUnit takes those of the item, when all of it is over.
            item.user_properties.extend(properties)
            if record["verdict"] == Verdict.ENV:
                # To pytest and JUnit, what fails before the call is an error, not a failure.
                told.when = "setup"
        return told

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Count checks as pytest does, without a letter: each gets a line of its own."""
        if not is_result(report):
            return None
        otherwise = Verdict.PASS if report.passed else Verdict.ENV
        verdict = dict(report.user_properties).get("verdict", otherwise)
        category = "error" if verdict == Verdict.ENV else report.outcome
        return category, "", Verdict(str(verdict)).words.upper()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A line a check."""
        reporter = self._reporter()
        if reporter is not None and is_result(report) and self.records:
            file, record = reporter.currentfspath, self.records[-1]
            reporter.ensure_newline()
            reporter.write_line(first_line(record), **LINES[Verdict(record["verdict"])])
            # Its name stands above the first line already.
            reporter.currentfspath = file

    def pytest_terminal_summary(self) -> None:
        """The points at the end."""
        reporter = self._reporter()
        if self.records and reporter is not None:
            reporter.write_line(total(self.records))

    def _announced(self, words: str) -> None:
        """Say in pytest's own output what a check is about to disturb."""
        reporter = self._reporter()
        if reporter is not None:
            reporter.ensure_newline()
            reporter.write_line(words)

    def _reporter(self) -> Any:
        return self._plugins.get_plugin("terminalreporter") if self._plugins else None


def result(
    site: Site,
    task: labs.Task,
    view: LabView | Exception,
    check: Callable[[], None],
    *,
    started: bool,
    timeout: float | None = None,
    attempt: int | None = None,
) -> report.Record:
    """The result record of one check; `view` is what keeps it from being made, or the lab."""
    evidence = Evidence("environment")
    lab = view if isinstance(view, LabView) else None
    if not isinstance(view, LabView):
        found = broken(view)
    elif not started:
        found = Judgement(Verdict.FAIL, "not-started")
    else:
        deadline, patience = (task.deadline, LATEST) if timeout is None else (timeout, 0.0)
        found = judge(check, view, deadline, patience)
        found = blamed_rightly(view, found)
        if view.snapshot.copies:
            with contextlib.suppress(Exception):
                sweep_after_crash(view.cluster, view.namespace)
    if lab is None or found.verdict != Verdict.PASS:
        evidence = conclude(lab, found)
    who = student(lab.namespace) if lab else ""
    return report.record(
        task,
        found,
        evidence,
        cluster=lab.cluster if lab else None,
        root=site.root,
        student=who,
        attempt=attempt or report.attempts(site.results, task.id, who) + 1,
        hints_used=report.hints_used(site.work, task.id),
    )


def is_result(report: pytest.TestReport) -> bool:
    """Whether a report is the one that says how a check ended."""
    return (
        MARKER in report.keywords
        and (report.when == "call" or "verdict" in dict(report.user_properties))
        and report.when != "teardown"
    )


FAULT: pytest.StashKey[Exception] = pytest.StashKey()


def task_id(item: pytest.Item) -> str | None:
    """The task that a test checks; None for a test that is no check."""
    mark = item.get_closest_marker(MARKER)
    return str(mark.args[0]) if mark else None


def blamed_rightly(view: LabView, found: Judgement) -> Judgement:
    """The same judgement, unless the cluster itself is what keeps the state from being right."""
    if found.verdict not in (Verdict.FAIL, Verdict.NOT_YET) or not found.rows:
        return found
    fact = found.rows[-1].fact
    if fact.given or fact.final:
        return found
    try:
        wrong = broken_environment(view.cluster, time.time())
    except Exception as error:
        return broken(error)
    if wrong is None:
        return found
    return Judgement(Verdict.ENV, "environment", message=wrong.message, look=wrong.look)


def conclude(view: LabView | None, found: Judgement) -> Evidence:
    """The evidence for a judgement, also where there is no cluster to ask."""
    if view is None:
        return Evidence("environment", message=found.message, look=found.look or "./lab doctor")
    if found.reason == "not-started":
        return Evidence("not-started", look=f"./lab start {view.task.lab}")
    return gather(view, found)
