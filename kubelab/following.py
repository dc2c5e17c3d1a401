"""One `up` or `down` at a time per site; whoever comes second follows the first one's progress."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from kubelab import progress
from kubelab.errors import EnvironmentFault
from kubelab.progress import human
from kubelab.site import Site
from kubelab.words import tell

Say = Callable[[str], None]
LOOK_AGAIN = 0.5
HEARTBEAT = 20.0


@contextmanager
def alone(site: Site, name: str, *, wait: bool = True, file: str = "lock") -> Iterator[None]:
    """Hold the site's lock while `./lab NAME` works; another holder is followed to its end first.

    Without `wait` another holder raises EnvironmentFault. The system frees the lock of a process
    that died.
    """
    site.state.mkdir(parents=True, exist_ok=True)
    with (site.state / file).open("a+", encoding="utf-8") as lock:
        if not _taken(lock):
            _yield_to(site, lock, wait)
        lock.truncate(0)
        lock.write(name)
        lock.flush()
        yield


def follow(site: Site, say: Say | None = None) -> dict[str, Any] | None:
    """Tell what a running `up` does until it ends; return its last record, None without one."""
    news = News(say or tell)

    def ended() -> bool:
        record = progress.read(site.progress)
        if record is None or record["state"] != "running":
            return True
        news.tell(record)
        return False

    _until(ended)
    return progress.read(site.progress)


class News:
    """Tells of a record that is written again and again only what is new in it."""

    def __init__(self, say: Say) -> None:
        self.say = say
        self.known: set[str] = set()
        self.spoke = float("-inf")

    def tell(self, record: dict[str, Any]) -> None:
        """Say which stages ended, which one runs, and now and then how long it will take."""
        stages = record["stages"]
        if not self.known:
            self.known = {"", *(one["name"] for one in stages if _ended(one))}
            self.say(f"`./lab up` is at work (process {record['pid']}); following it.")
        for one in stages:
            if _ended(one) and one["name"] not in self.known:
                self.known.add(one["name"])
                self.say(f"  {one['title']}: done in {human(one['ended'] - one['started'])}")
                self.spoke = float("-inf")
        running = [one for one in stages if one["state"] == "running"]
        if running and time.monotonic() - self.spoke >= HEARTBEAT:
            self.spoke = time.monotonic()
            what = running[0]["note"] or running[0]["title"]
            self.say(f"  {what}; {human(record['left'])} left in all")


def _ended(stage: dict[str, Any]) -> bool:
    return stage["state"] in ("done", "cached")


def _yield_to(site: Site, lock: IO[str], wait: bool) -> None:
    lock.seek(0)
    holder = lock.read() or "up"
    if not wait:
        raise EnvironmentFault(
            f"`./lab {holder}` is at work: wait for its end, or press Ctrl-C in its terminal.",
            look="./lab status",
        )
    if holder != "up":
        tell(f"`./lab {holder}` is at work; waiting for it.")
    news = News(tell)

    def free() -> bool:
        if _taken(lock):
            return True
        record = progress.read(site.progress)
        if record is not None and record["state"] == "running":
            news.tell(record)
        return False

    _until(free)


def _taken(lock: IO[str]) -> bool:
    """Take the lock if nobody has it; whether it is this process's now."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _until(ended: Callable[[], bool]) -> None:
    # Without a deadline: what is followed has its own, and its process may die at any time.
    while not ended():
        time.sleep(LOOK_AGAIN)
