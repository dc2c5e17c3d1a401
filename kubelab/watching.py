"""`./lab check --watch`: the task at hand, checked again whenever something changed."""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import IO

from kubelab import controlplane, labs, report, runner
from kubelab.api import Cluster, connect
from kubelab.errors import INTERRUPTED, KubelabError
from kubelab.labs import Task
from kubelab.report import Record
from kubelab.site import Site
from kubelab.snapshot import Snapshot
from kubelab.verdict import LOOK_AGAIN, Verdict
from kubelab.words import said

# What checks depend on: a change of any of these is a reason to look again.
KINDS = ("Pod", "Deployment", "ReplicaSet", "Service", "EndpointSlice", "ConfigMap",
         "Secret", "Ingress", "HTTPRoute", "Job", "CronJob")  # fmt: skip
# A rollout changes many objects in a moment: look once after them.
BURST = 0.2
# Where nothing changes, there is no reason to look; this is only a turn of the loop.
REST = 3600.0
# Seconds until a cluster that did not answer is asked again.
RETRY = 2.0
CHECK, HINT, CHANGED = "check", "hint", "changed"
KEYS = {"\n": CHECK, "\r": CHECK, "h": HINT}

Look = Callable[[Task], Record]
Say = Callable[[str], None]


def watch(site: Site, selectors: Sequence[str]) -> int:
    """Check task after task as they get done; ends with 0 when all are.

    Ctrl-C ends it with 130. Raises UsageError for a lab or task that does not exist.
    """
    runner.chosen(site.root, selectors)

    def look(task: Task) -> Record:
        # Whatever moves is seen by the watch, so a look need not wait for it.
        return runner.run(site, [task.id], timeout=0, keep=False, announce=say)[0]

    with keyboard(sys.stdin) as keys:
        session = Session(site, look, keys, say)
        try:
            for task in tasks(site, selectors):
                session.follow(task, labs.find(site.root, task.lab).namespace)
        except KeyboardInterrupt:
            say(said("\nNo longer watching. Your objects stay as they are."))
            return INTERRUPTED
        finally:
            session.end()
    say(said(f"\nAll done: {report.total(session.passed)}."))
    return 0


def tasks(site: Site, selectors: Sequence[str]) -> list[Task]:
    """The tasks that selectors name, in the order of their labs."""
    _, wanted = runner.chosen(site.root, selectors)
    numbers = dict.fromkeys(labs.find(site.root, one).number for one in selectors)
    every = [task for number in numbers for task in labs.find(site.root, number).tasks.values()]
    return [task for task in every if task.id in wanted]


class Session:
    """One run of `--watch`: what was told already, and the watch of one namespace."""

    def __init__(
        self,
        site: Site,
        look: Look,
        keys: Keys,
        say: Say,
        cluster: Callable[[Site], Cluster] = connect,
    ) -> None:
        self.site = site
        self.look = look
        self.keys = keys
        self.say = say
        self.connect = cluster
        self.passed: list[Record] = []
        self._snapshot: Snapshot | None = None

    def follow(self, task: Task, namespace: str) -> None:
        """Look at one task until it is done."""
        told: tuple[object, ...] | None = None
        asked = CHANGED
        while True:
            self.prepare(namespace)
            one = self.look(task)
            moving = one["verdict"] == Verdict.NOT_YET
            # What is moving says something else at every look.
            seen = (one["verdict"], one["reason"], None if moving else one["found"])
            if seen != told or asked == CHECK:
                told = seen
                report.append(self.site.results, [one])
                self.say("\n" + (report.line(one) if moving else report.text(one)))
                if one["verdict"] == Verdict.PASS:
                    self.passed.append(one)
                    return
                if not moving:
                    self.say(self.invitation(namespace))
            asked = self.wait(one)
            if asked == HINT:
                self.hint(task)
                asked = CHANGED

    def prepare(self, namespace: str) -> None:
        """Have the namespace watched, from before the look on: no change is missed."""
        if self._snapshot is not None and self._snapshot.namespace != namespace:
            self.end()
        with contextlib.suppress(KubelabError):
            if self._snapshot is None:
                self._snapshot = Snapshot(
                    controlplane.connected(self.site, self.connect), namespace
                )
                self.keys.wake = self._snapshot.wake
            self._snapshot.refresh()
            for kind in KINDS:
                self._snapshot.kind(kind)

    def wait(self, one: Record) -> str:
        """Wait for a change or a key; what it was."""
        moving = one["verdict"] in (Verdict.NOT_YET, Verdict.ENV)
        snapshot = self._snapshot
        if snapshot is None:
            return self.keys.pressed(RETRY) or CHANGED
        while True:
            asked = self.keys.pressed()
            if asked:
                return asked
            try:
                changed = snapshot.wait(LOOK_AGAIN if moving else REST)
            except Exception:
                # The API server went away: a new watch, as soon as it answers again.
                self.end()
                return self.keys.pressed(RETRY) or CHANGED
            asked = self.keys.pressed(BURST)
            if asked or changed or moving:
                return asked or CHANGED

    def hint(self, task: Task) -> None:
        """The task's next hint."""
        from kubelab import hints

        self.say("\n" + hints.text(hints.following(self.site, task.id)))

    def invitation(self, namespace: str) -> str:
        """What one can do now, in one line."""
        if not self.keys.live:
            return said(f"\nWatching {namespace}. Ctrl-C ends.")
        return said(f"\nWatching {namespace}. Enter checks now, h shows a hint, Ctrl-C ends.")

    def end(self) -> None:
        """End the watch."""
        if self._snapshot is not None:
            self._snapshot.close()
            self._snapshot = None


class Keys:
    """The keys pressed; `wake` is called with each, so that nobody waits on."""

    def __init__(self, live: bool = False) -> None:
        self.live = live
        self.wake: Callable[[], None] = lambda: None
        self._pressed: queue.Queue[str] = queue.Queue()

    def press(self, key: str) -> None:
        """Take one key in; one without a meaning is ignored."""
        if key in KEYS:
            self._pressed.put(KEYS[key])
            self.wake()

    def pressed(self, seconds: float = 0.0) -> str | None:
        """What the next key asks for, waiting at most so long; None where none was pressed."""
        try:
            return self._pressed.get(timeout=seconds) if seconds else self._pressed.get_nowait()
        except queue.Empty:
            return None


@contextlib.contextmanager
def keyboard(stdin: IO[str] | None) -> Iterator[Keys]:
    """The keys of a terminal, one by one; where there is no terminal, none."""
    try:
        import termios
        import tty

        terminal = stdin.fileno() if stdin is not None and stdin.isatty() else None
        before = termios.tcgetattr(terminal) if terminal is not None else None
    except (ImportError, OSError, ValueError):
        terminal = before = None
    if terminal is None or before is None:
        yield Keys()
        return
    keys, number = Keys(live=True), terminal

    def read() -> None:
        with contextlib.suppress(OSError):
            while key := os.read(number, 1):
                keys.press(key.decode("ascii", "replace"))

    tty.setcbreak(terminal)
    try:
        threading.Thread(target=read, daemon=True, name="keyboard").start()
        yield keys
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def say(words: str) -> None:
    """Words on the screen, at once."""
    print(words, flush=True)


__all__ = ["Keys", "Session", "keyboard", "tasks", "watch"]
