"""What a learner has found out about the control plane, compared with the live cluster."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from kubelab import controlplane, history
from kubelab.errors import Busy
from kubelab.objects import Object, controller, dig, meta, name_of, registered
from kubelab.seen import Seen
from kubelab.views.base import View

if TYPE_CHECKING:
    from kubelab.checking import LabView

# The flags of whoever talks to etcd, and under which prefix it keeps its keys.
STORES = "--etcd-servers="
PREFIX = "--etcd-prefix="
REGISTRY = "/registry"
# What the API shows of a static Pod carries it.
MIRROR = "kubernetes.io/config.mirror"
SYSTEM_ACCOUNT = "system:serviceaccount:kube-system:"
# Words around a name that change nothing.
AROUND = {
    "a", "account", "alone", "an", "by", "called", "component", "control", "host", "in", "inside",
    "is", "it", "its", "just", "k8s", "kubernetes", "kubesystem", "machine", "named", "namespace",
    "node", "of", "on", "only", "part", "plane", "pod", "process", "program", "s", "service",
    "serviceaccount", "static", "system", "the", "user", "within",
}  # fmt: skip
# What the owner is, too; behind one of these words it would be the name of another one.
CONTROLLER = "controller"
OF_OTHERS = {"account", "namespace", "node", "pod", "service", "serviceaccount"}
# The program in which the controllers run: right beside the user that one of them is, alone not.
PROGRAM = "kube-controller-manager"
# Who schedules, said beside the node; alone it names none.
SCHEDULERS = ("kube-scheduler", "scheduler")
# The same words in Chinese. What is left over of a longer word is refused: of 其它, which are
# others, nothing may be here.
IN_CHINESE = {
    "服务器": "server", "控制器": "controller", "管理器": "manager", "调度器": "scheduler",
    "调度程序": "scheduler", "节点": "node", "主机": "host", "机器": "machine", "组件": "component",
    "进程": "process", "程序": "program", "静态": "static", "用户": "user", "账号": "account",
    "账户": "account", "服务账号": "serviceaccount", "服务账户": "serviceaccount",
    "服务": "service", "命名空间": "namespace", "名字空间": "namespace", "控制平面": "plane",
    "控制面": "plane", "只有": "only", "只": "only", "仅有": "only", "仅": "only",
    "唯一": "only", "一个": "a", "这个": "the", "名为": "named", "叫做": "called", "由": "by",
    "是": "is", "在": "in", "里面": "in", "里": "in", "中": "in", "内": "in", "上面": "on",
    "上": "on", "的": "of",
}  # fmt: skip
# What stands behind the node in the name of a Lease's holder: an id of each process.
HOLDERS = re.compile(r"_([0-9a-z-]+)(?![0-9a-z_-])")


def plain(text: str) -> str:
    """A name without case and signs."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


def words_of(text: str) -> list[str]:
    """The words of an entry, without case and signs; what is no name is a word, too."""
    for word in sorted(IN_CHINESE, key=len, reverse=True):
        text = text.replace(word, f" {IN_CHINESE[word]} ")
    # A hyphen, a dot or an underscore is a part of a name, as of `kube-apiserver`.
    found = re.findall(r"[^\W_]+(?:[-._]+[^\W_]+)*", text.lower())
    return [re.sub(r"[-._]", "", one) for one in found]


def names(text: str, known: Iterable[str], beside: Iterable[str] = ()) -> bool:
    """Whether a text names one of `known` and nothing else, in whatever words around it.

    A name may be in several words ("API server") and said twice; `beside` says nothing wrong.
    """
    wanted, allowed = {plain(one) for one in known} - {""}, {plain(one) for one in beside}
    several = words_of(text)
    # After each number of words: can they be read so, and was a name among them?
    read = [{False}, *(set[bool]() for _ in several)]
    for start, before in enumerate(read):
        for end in range(start + 1, len(several) + 1):
            joined = "".join(several[start:end])
            if joined in wanted or without_kubernetes(joined) in wanted:
                read[end] |= {True} if before else set()
            elif joined in allowed or (end == start + 1 and says_nothing(several[:end])):
                read[end] |= before
    return True in read[-1]


def says_nothing(several: list[str]) -> bool:
    """Whether the last of several words changes nothing."""
    *before, last = several
    return last in AROUND or (last == CONTROLLER and not OF_OTHERS & set(before[-1:]))


def without_kubernetes(word: str) -> str:
    """`KubernetesApiServer` is the API server, too."""
    return re.sub(r"^(the)?(kubernetes|k8s)", "", word)


class ControlPlaneView(View):
    """The ConfigMap with the answers; `deployment` is the one that two of them are about."""

    KIND = "ConfigMap"

    def __init__(self, lab: LabView, name: str, deployment: str) -> None:
        super().__init__(lab, name)
        self._deployment = deployment

    @property
    def store(self) -> Seen:
        """Whether it names the component that talks to etcd.

        Raises Busy where no kubelet shows it just now.
        """
        stores = [one for one in self._components() if flag(one, STORES)]
        if not stores:
            raise Busy(
                "No Pod of kube-apiserver is shown just now: check again.",
                look="kubectl -n kube-system get pods -l tier=control-plane",
            )
        known, nodes = set(names_of(stores)), nodes_of(stores)
        return self._entry(
            "store",
            "the component that alone talks to etcd",
            lambda text: names(text, known, beside=nodes),
        )

    @property
    def scheduler(self) -> Seen:
        """Whether it names the node whose scheduler holds the Lease; an id behind it may stay.

        While it is taken over, or was written by hand, the only one that there is counts. Raises
        Busy where it could be several.
        """
        lease = self._lab.cluster.get("Lease", "kube-scheduler", controlplane.NAMESPACE)
        holder = str(dig(lease, "spec", "holderIdentity") or "").rpartition("_")[0]
        able = nodes_of(self._components("kube-scheduler"))
        if holder not in able and len(able) == 1:
            (holder,) = able
        if holder not in able:
            raise Busy(
                "No kube-scheduler of the cluster holds its Lease just now: check again.",
                look="kubectl -n kube-system get lease kube-scheduler",
            )
        return self._entry(
            "scheduler",
            "the node whose scheduler holds the Lease",
            lambda text: any(
                names(one, [holder, f"kube-scheduler-{holder}"], beside=SCHEDULERS)
                for one in (text, self._without_id(text))
            ),
        )

    def _without_id(self, text: str) -> str:
        """A holder without the id of its process; another node is no id."""
        nodes = {name_of(one) for one in self._lab.cluster.objects("Node")}
        return HOLDERS.sub(lambda found: found[0] if found[1] in nodes else "", text.lower())

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

        Raises Busy where the record does not say it, or not yet.
        """
        sets = self._replica_sets()
        known = {one.removeprefix(SYSTEM_ACCOUNT) for one in self._creators(sets)}
        if not sets:
            # Right after the start its controller may not have come to make one.
            self._lab.look("Deployment", self._deployment)
            return self._seen(
                False,
                "owner",
                "not-found",
                show=lambda _: f"no ReplicaSet of Deployment {self._deployment} is there",
                look=f"kubectl -n {self._lab.namespace} get deployment,replicaset",
            )
        if not known:
            raise Busy(
                f"Who made the ReplicaSet of {self._deployment} is not on record.",
                look=f"./lab reset {self._lab.task.id.partition('.')[0]}",
            )
        return self._entry(
            "owner",
            f"the user that created the ReplicaSet of {self._deployment}",
            lambda text: names(text, known, beside=(PROGRAM, PROGRAM.removeprefix("kube-"))),
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

    def _components(self, name: str | None = None) -> list[Object]:
        """The static Pods of the control plane, or of one component."""
        cluster = self._lab.cluster
        machines = {name_of(one) for one in cluster.objects("Node") if registered(one)}
        found = cluster.objects("Pod", controlplane.NAMESPACE, labels=controlplane.LABEL)
        return [
            one
            for one in found
            if is_static(one)
            and dig(one, "spec", "nodeName") in machines
            and name in (None, dig(one, "metadata", "labels", "component"))
        ]

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


def is_static(pod: Object) -> bool:
    """Whether a kubelet keeps a Pod and shows it: its marks alone are anybody's to write.

    It removes one that it does not know at once, and never tells that it runs.
    """
    owner = controller(pod) or {}
    return (
        MIRROR in (meta(pod).get("annotations") or {})
        and (owner.get("kind"), owner.get("name")) == ("Node", dig(pod, "spec", "nodeName"))
        and dig(pod, "status", "phase") == "Running"
        and not meta(pod).get("deletionTimestamp")
    )


def names_of(pods: Iterable[Object]) -> Iterator[str]:
    """The names of components: with `kube-`, without, and those of their Pods."""
    for one in pods:
        component = str(dig(one, "metadata", "labels", "component"))
        yield from (component, component.removeprefix("kube-"), name_of(one))


def nodes_of(pods: Iterable[Object]) -> set[str]:
    """The nodes on which Pods are."""
    return {str(dig(one, "spec", "nodeName")) for one in pods}


def flag(pod: Object, start: str) -> str:
    """The value of a flag of a static Pod; empty where it has none."""
    words = dig(pod, "spec", "containers", 0, "command") or ()
    return next((one.removeprefix(start) for one in words if one.startswith(start)), "")
