"""What can go wrong, and with which exit code a command of `./lab` says it.

    KubelabError
    ├── NotDone (1)             the learner is not done
    ├── UsageError (2)          the command line asks for what does not exist
    ├── StillConverging (3)     not done yet, and something is still moving
    └── EnvironmentFault (4)    the environment is broken; it costs the learner nothing
        ├── NoEngine            no container engine answers
        ├── NoCluster           the course's cluster is not there or does not answer
        ├── ForeignCluster      the context leads to a cluster without the course's marker
        ├── Busy                something did not answer in time; a second try may do
        └── BuildFailed         an image, a tool or the cluster could not be made

Every error is one clear sentence; `look` is a command to paste that shows or mends it.
"""

from __future__ import annotations

INTERRUPTED = 130


class KubelabError(Exception):
    """An error that is told to the learner: one sentence, and the next step."""

    exit_code = 4

    def __init__(self, message: str, *, look: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.look = look


class NotDone(KubelabError):
    """The learner is not done."""

    exit_code = 1


class UsageError(KubelabError):
    """The command line asks for something that does not exist."""

    exit_code = 2


class StillConverging(KubelabError):
    """Not done yet, and something that it depends on is still moving."""

    exit_code = 3


class EnvironmentFault(KubelabError):
    """The environment is broken: never the learner's fault."""


class NoEngine(EnvironmentFault):
    """No container engine answers, and none can be started."""


class NoCluster(EnvironmentFault):
    """The course's cluster is not there, or does not answer."""


class ForeignCluster(EnvironmentFault):
    """The cluster at hand does not carry the course's marker object."""


class Busy(EnvironmentFault):
    """Something of the course did not answer in time, as on a busy machine: a second try may do."""


class BuildFailed(EnvironmentFault):
    """An image, a tool or the cluster could not be made."""
