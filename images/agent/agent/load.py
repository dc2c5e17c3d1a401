"""The load: about ten requests a second on each Service that a lab names, a line for each.

One thread has all of them under way at once, so a slow answer holds nothing up.
"""

from __future__ import annotations

import random
import selectors
import socket
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from . import exchange
from .connections import NoAddressError, failure
from .exchange import Found, Reply
from .service import Json

EVERY = 0.1  # seconds from one request to the next
# As long as the kernel needs to send a lost packet twice more (1 s, 3 s): a machine that stalls for
# a moment makes requests slow, and loses none.
TIMEOUT = 5.0
MOST = 40  # Services at once
# Requests a second of all Services together; where there are many, each is asked less often.
FASTEST = 160.0
# A Service that nobody answers for, a lab that is not begun yet, is asked less often: the packets
# that such a Service drops keep each request under way for long.
DOWN = 20  # failures after each other
RARELY = 0.5
LOOK_UP = 1.0  # seconds from one look-up to the next
REMEMBERED = 30.0  # seconds for which a name is remembered at most
REFRESH = 0.2
PAUSE = 0.05
UNDER_WAY = 1000

Targets = Callable[[], list[tuple[str, str, Json]]]
Add = Callable[[str, str, list[object]], None]


@dataclass
class Target:
    """A Service that is asked, and what is known of its name."""

    namespace: str
    service: str
    port: int
    identity: object
    due: float
    looked_up: float = 0.0
    looking: bool = False
    known: bool = False  # whether the resolver has said anything of this name yet
    addresses: tuple[str, ...] = ()
    until: float = 0.0  # when the addresses are too old
    failures: int = 0  # since the last answer

    @property
    def host(self) -> str:
        """The Service's whole DNS name."""
        return f"{self.service}.{self.namespace}.svc.cluster.local"


@dataclass
class Task:
    """A request or a look-up that is under way."""

    steps: Generator[Any, None, Any]
    target: Target
    at: float
    began: float
    done: Callable[[Task, Any, Exception | None], None]
    connection: socket.socket | None = None
    until: float = field(default=0.0)


class Load:
    """Asks, and hands every answer to `add`."""

    def __init__(self, targets: Targets, add: Add, resolver: str) -> None:
        self._wanted, self._add, self._resolver = targets, add, resolver
        self._targets: dict[tuple[str, str], Target] = {}
        self._selector = selectors.DefaultSelector()
        self._tasks: set[int] = set()
        self._refreshed = 0.0
        self._expired = 0.0
        self.asked = 0
        self.left_out: list[str] = []

    @property
    def services(self) -> int:
        """How many Services are asked now."""
        return len(self._targets)

    @property
    def every(self) -> float:
        """Seconds between two requests to one Service."""
        return max(EVERY, len(self._targets) / FASTEST)

    def start(self) -> None:
        """Ask from now on, in a thread."""
        threading.Thread(target=self._run, daemon=True).start()

    def close(self) -> None:
        """Let go of all that is under way."""
        for key in list(self._selector.get_map().values()):
            key.data.steps.close()
        self._selector.close()

    def _run(self) -> None:
        while True:
            self.turn()

    def turn(self) -> None:
        """Begin what is due, and go on with what has something to go on with."""
        now = time.monotonic()
        if now - self._refreshed >= REFRESH:
            self._refreshed = now
            self.refresh(now)
        for target in self._targets.values():
            self._begin(target, now)
        soonest = min((one.due for one in self._targets.values()), default=now + REFRESH)
        wait = max(0.0, min(soonest - time.monotonic(), PAUSE if self._tasks else REFRESH))
        for key, _ in self._selector.select(wait):
            self._step(key.data)
        now = time.monotonic()
        if now - self._expired >= PAUSE:
            self._expired = now
            for key in list(self._selector.get_map().values()):
                if key.data.until <= now:
                    self._step(key.data, TimeoutError())

    def refresh(self, now: float) -> None:
        """See which Services are to be asked."""
        wanted = self._wanted()
        self.asked = len(wanted)
        self.left_out = [f"{namespace}/{name}" for namespace, name, _ in wanted[MOST:]]
        targets = {}
        for namespace, name, service in wanted[:MOST]:
            found = self._targets.get((namespace, name))
            if found is None or found.identity != service["address"]:
                # Not all at the same moment.
                due = now + random.random() * EVERY
                found = Target(namespace, name, service["port"], service["address"], due)
            targets[namespace, name] = found
        self._targets = targets

    def _begin(self, target: Target, now: float) -> None:
        if not target.looking and now - target.looked_up >= LOOK_UP:
            target.looking, target.looked_up = True, now
            steps = exchange.look_up(target.host, self._resolver)
            self._step(Task(steps, target, time.time(), now, self._told))
        if now < target.due or not target.known:
            return
        # A machine that slept does not catch up.
        every = self.every if target.failures < DOWN else max(self.every, RARELY)
        target.due = max(target.due + every, now - 1.0)
        task = Task(self._request(target, now), target, time.time(), now, self._answered)
        if len(self._tasks) < UNDER_WAY:
            self._step(task)

    def _request(self, target: Target, now: float) -> exchange.Waiting:
        if now >= target.until:
            raise socket.gaierror
        if not target.addresses:
            raise NoAddressError
        address = random.choice(target.addresses)
        return (yield from exchange.get(address, target.port, target.host, TIMEOUT))

    def _step(self, task: Task, error: Exception | None = None) -> None:
        if task.connection is not None:
            self._selector.unregister(task.connection)
            task.connection = None
        self._tasks.discard(id(task))
        try:
            waits = task.steps.throw(error) if error else next(task.steps)
        except StopIteration as end:
            task.done(task, end.value, None)
        except Exception as trouble:  # A learner's server may answer anything at all.
            task.done(task, None, trouble)
        else:
            task.connection, events, task.until = waits
            self._selector.register(task.connection, events, task)
            self._tasks.add(id(task))

    def _told(self, task: Task, found: Found | None, error: Exception | None) -> None:
        target, now = task.target, time.monotonic()
        target.looking, target.known = False, True
        # Where the resolver says nothing, what it said before counts for its time, as anywhere.
        if found is not None:
            target.addresses = found.addresses
            target.until = now + min(max(found.ttl, 5.0), REMEMBERED)

    def _answered(self, task: Task, reply: Reply | None, error: Exception | None) -> None:
        seconds = round(time.monotonic() - task.began, 4)
        reason, sentence = failure(error, TIMEOUT) if error else (None, None)
        status, version, pod = reply or (None, None, None)
        at = round(task.at, 3)
        target = task.target
        target.failures = 0 if reply else target.failures + 1
        self._add(target.namespace, target.service,
                  [at, at, 1, seconds, status, version, pod, reason, sentence])  # fmt: skip
