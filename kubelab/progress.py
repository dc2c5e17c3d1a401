"""What long work is doing and how long it will take, told to terminal and notebook alike."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kubelab import site
from kubelab.words import tell

HEARTBEAT = 20.0
# The share of a stage that tells how fast this machine is.
ENOUGH = 0.1


@dataclass
class Stage:
    """One stage of the work; times are seconds since the epoch, `estimate` is in seconds.

    `share` is the part of its work that is done, between 0 (not known) and 1; `counted` is when
    it was first known.
    """

    name: str
    title: str
    estimate: float
    state: str = "waiting"
    note: str = ""
    started: float | None = None
    ended: float | None = None
    share: float = 0.0
    counted: float | None = None

    def tell(self, note: str, share: float = 0.0) -> None:
        """Say how far it is."""
        self.note, self.share = note, share
        if share and self.counted is None:
            self.counted = time.time()

    def spent(self, now: float) -> float:
        """The seconds that its work has taken so far, without what came before its share grew."""
        began = self.started if self.counted is None else self.counted
        return (self.ended or now) - began if began is not None else 0.0

    def pace(self, now: float) -> float | None:
        """How many times its estimate it takes; None where its share does not tell yet."""
        if self.share < ENOUGH:
            return None
        return self.spent(now) / self.share / self.estimate

    def left(self, now: float, pace: float = 1.0) -> float:
        """The seconds that this stage still needs, as far as is known.

        `pace` is how many times their estimates the stages take on this machine.
        """
        if self.state in ("done", "cached", "failed"):
            return 0.0
        spent = self.spent(now)
        # A stage past its estimate is never "0 s left": a tenth of what it has taken is honest.
        return max(self.estimate * (self.pace(now) or pace) - spent, spent / 10)


class Progress:
    """A list of stages, printed line by line and kept as JSON in `file` for other processes."""

    def __init__(self, stages: Sequence[Stage], file: Path | None = None) -> None:
        self.stages = list(stages)
        self.file = file
        self.began = time.time()
        self._lock = threading.RLock()
        self._save("running")

    def extend(self, stages: Sequence[Stage]) -> None:
        """Put stages before those that still wait; of the same name they take the place."""
        names = {stage.name for stage in stages}
        kept = [stage for stage in self.stages if stage.name not in names]
        ended = [stage for stage in kept if stage.state != "waiting"]
        waiting = [stage for stage in kept if stage.state == "waiting"]
        self.stages = [*ended, *stages, *waiting]

    @contextmanager
    def stage(self, name: str) -> Iterator[Stage]:
        """Run one stage: its line at the start, a heartbeat while it runs, its time at the end."""
        stage = next(s for s in self.stages if s.name == name)
        with self._lock:
            stage.state, stage.started = "running", time.time()
            tell(f"{self._count(stage)} {stage.title} ... about {human(stage.estimate)}")
            self._save("running")
        stop = threading.Event()
        beat = threading.Thread(target=self._beat, args=(stage, stop), daemon=True)
        beat.start()
        try:
            yield stage
        except BaseException as error:
            stage.state, stage.ended = "failed", time.time()
            stage.note = getattr(error, "message", "") or type(error).__name__
            self._save("failed")
            raise
        else:
            with self._lock:
                stage.ended = time.time()
                stage.state = "cached" if stage.state == "cached" else "done"
                word = "was there" if stage.state == "cached" else "done"
                note = f" ({stage.note})" if stage.note else ""
                spent = human(stage.ended - (stage.started or stage.ended))
                tell(f"{self._count(stage)} {stage.title}: {word} in {spent}{note}")
                self._save("running")
        finally:
            stop.set()
            beat.join()

    def left(self) -> float:
        """The seconds that all stages still need, corrected while stages run and as they end."""
        now = time.time()
        pace = max([1.0, *filter(None, (stage.pace(now) for stage in self.stages))])
        return sum(stage.left(now, pace) for stage in self.stages)

    def finish(self, state: str = "done", message: str = "") -> None:
        """Record that all the work ended; `state` is done, failed or interrupted."""
        self._save(state, message)

    def _beat(self, stage: Stage, stop: threading.Event) -> None:
        while not stop.wait(HEARTBEAT):
            with self._lock:
                # Not both: they would not stand in 80 columns, and the stage was told above.
                tell(f"      {stage.note or stage.title}; {human(self.left())} left in all")
                self._save("running")

    def _count(self, stage: Stage) -> str:
        return f"[{self.stages.index(stage) + 1}/{len(self.stages)}]"

    def _save(self, state: str, message: str = "") -> None:
        if self.file is None:
            return
        with self._lock:
            record = {
                "state": state,
                "message": message,
                "pid": os.getpid(),
                "born": born(os.getpid()),
                "began": self.began,
                "at": time.time(),
                "left": round(self.left(), 1),
                "stages": [asdict(stage) for stage in self.stages],
            }
            site.write(self.file, json.dumps(record))


def read(file: Path) -> dict[str, Any] | None:
    """What a `Progress` last wrote to `file`; None where there is nothing or half of it.

    A record whose process is gone without an end is given the state `interrupted`.
    """
    try:
        record: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if record.get("state") == "running" and not _at_work(record):
        record["state"] = "interrupted"
    return record


def _at_work(record: dict[str, Any]) -> bool:
    """Whether the process of a record still runs; after a reboot its number may be another's."""
    pid = int(record.get("pid", 0))
    return alive(pid) and record.get("born") in (None, born(pid))


def born(pid: int) -> str | None:
    """When a process began, in the kernel's ticks since boot; None where that is not told."""
    fields = _stat(pid)
    return fields[19] if fields else None


def _stat(pid: int) -> list[str]:
    """What Linux says of a process, from its state on; empty elsewhere."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return []


def alive(pid: int) -> bool:
    """Whether a process with this id runs."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    # A zombie still answers the signal, yet runs no more.
    return _stat(pid)[:1] != ["Z"]


def human(seconds: float) -> str:
    """A duration as people say it: `8 s`, `2 min 10 s`, `14 min`."""
    seconds = max(0, round(seconds))
    if seconds < 60:
        return f"{seconds} s"
    minutes, rest = divmod(seconds, 60)
    return f"{minutes} min {rest} s" if rest and minutes < 10 else f"{minutes} min"
