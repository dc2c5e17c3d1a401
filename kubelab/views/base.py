"""One object as a check reads it; absent fields and an absent object are values."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kubelab.objects import Object, meta
from kubelab.proofs import Proof
from kubelab.seen import Fact, Seen

if TYPE_CHECKING:
    from kubelab.checking import LabView


class View:
    """One object of one kind; `body` is None where it is not there."""

    KIND = ""

    def __init__(self, lab: LabView, name: str) -> None:
        self._lab = lab
        self.name = name
        self.subject = f"{self.KIND.lower()}/{name}"
        self.body: Object | None = lab.look(self.KIND, name)

    def _seen(
        self,
        value: Any,
        label: str,
        reason: str | Callable[[Any], str],
        *,
        given: bool = False,
        final: bool = False,
        show: Callable[[Any], str] | None = None,
        found: str | None = None,
        look: str = "",
    ) -> Seen:
        """A value with its fact (see `seen.Fact`); of an absent object it is None, `not-found`."""
        if self.body is None:
            value, reason, given = None, "not-found", True
        elif meta(self.body).get("deletionTimestamp"):
            given = False
        told = reason if callable(reason) else lambda _: reason
        fact = Fact(self.subject, label, told, given, show, final, found, look)
        return Seen(value, fact, self._lab.log)

    def _proved(
        self,
        body: Object | None,
        act: Callable[[str], Proof],
        label: str,
        wanted: str | None = None,
        *,
        what: str = "",
    ) -> Seen:
        """What acting has shown for an object: the proof on record, or the one that `act` makes.

        `wanted` is the criterion as a phrase; the proof's own where it is None.
        """
        if body is None:
            return self._seen(False, label, "not-found", given=True)
        proof = self._lab.prove(body, act, what=what)
        good = proof.wanted if wanted is None else wanted
        return self._seen(
            proof.passed,
            label,
            proof.reason,
            show=lambda one: good if one else proof.found,
            final=True,
        )
