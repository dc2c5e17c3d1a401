"""What a learner has found out about the control plane, compared with the live cluster."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from kubelab import controlplane, history
from kubelab.errors import EnvironmentFault
from kubelab.objects import Object, controller, dig, meta, name_of
from kubelab.seen import Seen
from kubelab.views.base import View

if TYPE_CHECKING:
    from kubelab.checking import LabView

# The flags of whoever talks to etcd, and under which prefix it keeps its keys.
STORES = "--etcd-servers="
PREFIX = "--etcd-prefix="
REGISTRY = "/registry"
SYSTEM_ACCOUNT = "system:serviceaccount:kube-system:"
# Words around a name that change nothing.
AROUND = re.compile(r"^(the|kubernetes|k8s|node|pod|user|system|serviceaccount|kubesystem)+")
# What the Chinese edition calls them.
IN_CHINESE = {"服务器": "server", "控制器": "controller", "节点": "node", "用户": "user"}


def plain(text: str) -> str:
    """A name without case, signs and the words around it."""
    for word, meaning in IN_CHINESE.items():
        text = text.replace(word, meaning)
    return AROUND.sub("", re.sub(r"[^a-z0-9]", "", text.lower()))


class ControlPlaneView(View):
    """The ConfigMap with the answers; `deployment` is the one that two of them are about."""

    KIND = "ConfigMap"

    def __init__(self, lab: LabView, name: str, deployment: str) -> None:
        super().__init__(lab, name)
        self._deployment = deployment

    @property
    def store(self) -> Seen:
        """Whether it names the component that talks to etcd."""
        return self._entry(
            "store",
            "the component that alone talks to etcd",
            lambda text: plain(text) in {plain(one) for one in self._storing()},
        )

    @property
    def scheduler(self) -> Seen:
        """Whether it names the node whose scheduler holds the Lease; a suffix may stay."""
        lease = self._lab.cluster.get("Lease", "kube-scheduler", controlplane.NAMESPACE)
        holder = str(dig(lease, "spec", "holderIdentity") or "").rpartition("_")[0]
        return self._entry(
            "scheduler",
            "the node whose scheduler holds the Lease",
            lambda text: bool(holder) and plain(text.partition("_")[0]) == plain(holder),
        )

    @property
    def key(self) -> Seen:
        """Whether it is the whole key under which etcd keeps the Deployment."""
        wanted = f"{self._prefix()}/deployments/{self._lab.namespace}/{self._deployment}"
        return self._entry(
            "key",
            f"the whole etcd key of Deployment {self._deployment}",
            lambda text: text.strip(" \n\t\"'`").strip("/").lower() == wanted.strip("/").lower(),
        )

    @property
    def owner(self) -> Seen:
        """Whether it names who created the Deployment's ReplicaSet, as the record has it.

        Raises EnvironmentFault where the record does not say it.
        """
        sets = self._replica_sets()
        known = {plain(one.removeprefix(SYSTEM_ACCOUNT)) for one in self._creators(sets)}
        if not sets:
            return self._seen(
                False,
                "owner",
                "not-found",
                show=lambda _: f"no ReplicaSet of Deployment {self._deployment} is there",
                look=f"kubectl -n {self._lab.namespace} get deployment,replicaset",
            )
        if not known:
            raise EnvironmentFault(
                f"Who made the ReplicaSet of {self._deployment} is not on record.",
                look=f"./lab reset {self._lab.task.id.partition('.')[0]}",
            )
        return self._entry(
            "owner",
            f"the user that created the ReplicaSet of {self._deployment}",
            lambda text: plain(text) in known,
        )

    def _entry(self, key: str, what: str, right: Callable[[str], bool]) -> Seen:
        text = str(dig(self.body, "data", key) or "").strip()
        return self._seen(
            bool(text) and right(text),
            key,
            "wrong-entry" if text else "no-entry",
            given=True,
            show=lambda one: f"{key}: {what if one else text or 'nothing'}",
        )

    def _components(self) -> list[Object]:
        return self._lab.cluster.objects("Pod", controlplane.NAMESPACE, labels=controlplane.LABEL)

    def _storing(self) -> Iterable[str]:
        """The names of what talks to etcd: the component, without `kube-`, and its Pods."""
        for one in self._components():
            if flag(one, STORES):
                component = str(dig(one, "metadata", "labels", "component"))
                yield from (component, component.removeprefix("kube-"), name_of(one))

    def _prefix(self) -> str:
        found = (flag(one, PREFIX) for one in self._components())
        return next((one for one in found if one), REGISTRY).rstrip("/")

    def _replica_sets(self) -> set[str]:
        """The names of the Deployment's ReplicaSets."""
        deployment = self._lab.snapshot.get("Deployment", self._deployment)
        uid = meta(deployment or {}).get("uid")
        sets = self._lab.snapshot.kind("ReplicaSet").values()
        return {name_of(one) for one in sets if uid and (controller(one) or {}).get("uid") == uid}

    def _creators(self, names: set[str]) -> set[str]:
        """The users that created a ReplicaSet of one of these names."""
        record = history.audit(self._lab.cluster, self._lab.namespace)
        made = {one.user for one in record.who("create", "replicasets") if one.name in names}
        # A set that somebody made beside, and that was adopted, is not what the question is about.
        return {one for one in made if one.startswith(SYSTEM_ACCOUNT)} or made


def flag(pod: Object, start: str) -> str:
    """The value of a flag of a static Pod; empty where it has none."""
    words = dig(pod, "spec", "containers", 0, "command") or ()
    return next((one.removeprefix(start) for one in words if one.startswith(start)), "")
