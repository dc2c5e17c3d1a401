"""A Pod that somebody placed on a node, as a check reads it: who, and how."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kubelab import acting, history
from kubelab.history import Entry
from kubelab.objects import dig, meta, registered, seconds
from kubelab.proofs import Proof
from kubelab.seen import Seen
from kubelab.views.pods import PodView

if TYPE_CHECKING:
    from kubelab.checking import LabView

# Every component of the cluster has such a name, kube-scheduler for one.
COMPONENT = "system:"
# But of these none binds a Pod: one that does is a scheduler that the learner runs.
ACCOUNT = "system:serviceaccount:"
# How its program calls itself, whose name anybody may borrow who reads its kubeconfig.
PROGRAM = "kube-"


class PlacedView(PodView):
    """One Pod of the start state that waits for a scheduler which does not exist."""

    def __init__(self, lab: LabView, name: str) -> None:
        super().__init__(lab, name)
        self._bindings: tuple[Entry, ...] | None = None

    @property
    def scheduler(self) -> Seen:
        """The scheduler that it asks for."""
        return self._seen(
            dig(self.body, "spec", "schedulerName"), "schedulerName", "wrong-scheduler", given=True
        )

    @property
    def bound_by_hand(self) -> Seen:
        """Whether the record shows a Binding of it, made by a person."""
        node = dig(self.body, "spec", "nodeName")
        proved = self.body is not None and self._lab.snapshot.proofs.find(self._key()) is not None
        made = () if proved or not node else self._made()
        makers = [who(one) for one in made]
        people = any(by_somebody(one) for one in made)
        if people:
            self._lab.snapshot.proofs.keep(Proof(self._key(), True, at=time.time()))
        if not node:
            words = "on no node yet"
        elif makers:
            words = f"bound to {node} by {makers[0]}"
        else:
            words = f"on {node}, and no Binding on record"
        return self._seen(
            bool(node and (proved or people)),
            "binding",
            "wrong-binder" if makers else "no-binding",
            given=True,
            show=lambda one: "placed by a Binding of yours" if one else words,
        )

    @property
    def on_a_node(self) -> Seen:
        """Whether the node to which it was sent is one of the cluster."""
        node = str(dig(self.body, "spec", "nodeName") or "")
        there = bool(node) and self._lab.cluster.get("Node", node) is not None
        return self._seen(
            there,
            "node",
            "no-such-node",
            given=True,
            show=lambda one: "on a node of the cluster" if one else f"no node is called {node}",
        )

    @property
    def ready(self) -> Seen:
        """Whether it is ready, on a node whose kubelet can say so."""
        node = str(dig(self.body, "spec", "nodeName") or "")
        if not node or registered(self._lab.cluster.get("Node", node)):
            return super().ready
        words = f"no kubelet works on {node}"
        return self._seen(False, "ready", "not-ready", given=True, show=lambda _: words)

    @property
    def same(self) -> Seen:
        """Whether it is the Pod of the start state."""
        given = self._lab.uid_at_start(self.KIND, self.name)
        return self._seen(
            meta(self.body or {}).get("uid") == given,
            "same object",
            "made-anew",
            given=True,
            show=lambda one: "the given Pod" if one else "another Pod of the same name",
        )

    def _key(self) -> str:
        return acting.key(self._lab.task.id, self.body or {}, spec=False, what="binding")

    def _made(self) -> tuple[Entry, ...]:
        """The Bindings of this Pod, in both ways in which the API takes one."""
        since = (seconds(meta(self.body or {}).get("creationTimestamp")) or 0.0) - 1.0
        record = history.audit(self._lab.cluster, self._lab.namespace, since)
        return (
            *record.who("create", "pods", self.name, "binding"),
            *record.who("create", "bindings", self.name),
        )


def by_somebody(entry: Entry) -> bool:
    """Whether a person did it, in whatever name, or a program that a person runs."""
    user = entry.user
    component = user.startswith(COMPONENT) and not user.startswith(ACCOUNT)
    return bool(entry.impersonated) or not (component and entry.user_agent.startswith(PROGRAM))


def who(entry: Entry) -> str:
    """Who did it: the learner where somebody acts as one."""
    return entry.impersonated or entry.user
