"""The learner's side of a lab: its namespace, its start state, a kubeconfig, saved work."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from kubelab import acting, controlplane, history, kinds, labs, removal, shards
from kubelab import site as sites
from kubelab.api import SYSTEM, Cluster, connect
from kubelab.errors import EnvironmentFault
from kubelab.labs import Lab
from kubelab.objects import Object, cleaned, controller, dig, meta, name_of, stamp
from kubelab.proofs import Proofs
from kubelab.site import Site

LAB_LABEL = "kubelab.dev/lab"
STARTED = "kubelab.dev/started"
# The learner's work is saved, and the namespace is about to be removed.
RESETTING = "kubelab.dev/resetting"
# The Services that the recorder asks, for its record of requests.
LOAD = "kubelab.dev/load"
MANIFEST = Path(__file__).parent / "manifests" / "lab-namespace.yaml"
LEARNER = {"as": "learner", "as-groups": ["system:masters", "kubelab:learners"]}


def start(site: Site, number: str, namespace: str | None = None) -> bool:
    """Start lab `NN`; whether it was not started before. On a started lab changes nothing.

    Raises NoCluster or ForeignCluster, and EnvironmentFault where an old namespace is in the way.
    """
    lab = labs.find(site.root, number)
    cluster = controlplane.connected(site, connect)
    name = namespace or lab.namespace
    if cluster.get("Namespace", name) is None:
        # What a crashed check was to put back there has gone with it.
        Proofs(cluster, name).forget()
    # First of all: a copy that a crashed check left would hold a namespace for ever.
    acting.mend(cluster, name)
    found = cluster.get("Namespace", name)
    refuse_half_deleted(name, found)
    fresh = not is_started(found)
    if fresh:
        if is_half_reset(found):
            removal.remove(cluster, name)
        forget(cluster, name)
        create(cluster, lab, name)
    if namespace is None:
        write_kubeconfig(site, lab)
        make_current(site, lab)
    return fresh


def started(cluster: Cluster, namespace: str) -> bool:
    """Whether a lab's namespace is there with the record of its start."""
    return is_started(cluster.get("Namespace", namespace))


def is_started(namespace: Object | None) -> bool:
    """Whether a namespace object carries the record of a start, and is not on its way out."""
    if namespace is None or meta(namespace).get("deletionTimestamp"):
        return False
    return STARTED in (meta(namespace).get("annotations") or {})


def is_half_reset(namespace: Object | None) -> bool:
    """Whether a `reset` was interrupted after it had saved the learner's work."""
    return RESETTING in (meta(namespace or {}).get("annotations") or {})


def forget(cluster: Cluster, namespace: str) -> None:
    """Forget what is known of a namespace of this name that was there before."""
    Proofs(cluster, namespace).forget()
    forget_baseline(cluster, namespace)
    # Where no recorder answers there is no load either; a check that needs it will say so.
    with contextlib.suppress(EnvironmentFault):
        history.forget(cluster, namespace)


def student(namespace: str) -> str:
    """The student of a class whose namespace is `<student>-lab-NN`; empty for `lab-NN`."""
    return namespace.rpartition("lab-")[0].rstrip("-")


def refuse_half_deleted(name: str, namespace: Object | None) -> None:
    """Raise EnvironmentFault, naming what holds it, for a namespace that is being deleted."""
    if namespace is None or dig(namespace, "status", "phase") != "Terminating":
        return
    conditions = dig(namespace, "status", "conditions") or []
    held = [
        one.get("message", "")
        for one in conditions
        if one.get("status") == "True"
        and one.get("type") in ("NamespaceContentRemaining", "NamespaceFinalizersRemaining")
    ]
    why = " ".join(held) or "its objects are still being removed."
    raise EnvironmentFault(
        f"Namespace {name} is being deleted: {why}",
        look=f"kubectl get namespace {name} -o jsonpath='{{.status.conditions}}'",
    )


def create(cluster: Cluster, lab: Lab, namespace: str) -> None:
    """Make the namespace and the start state; its record comes last, so it can be run again."""
    body: Object = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": namespace, "labels": {LAB_LABEL: lab.number}},
    }
    uid = str(meta(cluster.apply(body)).get("uid"))
    for manifest in documents(MANIFEST):
        if manifest["kind"] != "LimitRange" or lab.limit_range:
            cluster.apply(manifest, namespace)
    uids = {}
    for file in sorted(lab.start.glob("*.yaml")):
        for manifest in documents(file, namespace):
            made = cluster.apply(shards.filled(manifest, uid), namespace)
            uids[f"{manifest['kind']}/{name_of(made)}"] = str(meta(made)["uid"])
    keep_baseline(cluster, namespace, uids)
    annotations = {STARTED: stamp(time.time()), LOAD: ",".join(lab.load) or None}
    cluster.patch("Namespace", namespace, {"metadata": {"annotations": annotations}})


def keep_baseline(cluster: Cluster, namespace: str, uids: dict[str, str]) -> None:
    """Record which objects the start state was made of, out of reach of a namespace's rights."""
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": f"start-{namespace}", "labels": {"kubelab.dev/start": "true"}},
        "data": {"uids": json.dumps(uids)},
    }
    cluster.apply(body, SYSTEM)


def baseline(cluster: Cluster, namespace: str) -> dict[str, str]:
    """The uids of a start state's objects by kind and name (`Deployment/broken`)."""
    data = dig(cluster.get("ConfigMap", f"start-{namespace}", SYSTEM), "data", "uids")
    found: dict[str, str] = json.loads(data or "{}")
    return found


def forget_baseline(cluster: Cluster, namespace: str) -> None:
    """Remove the record of a start state, with the namespace that it tells of."""
    cluster.delete("ConfigMap", f"start-{namespace}", SYSTEM)


def documents(file: Path, namespace: str = "namespace") -> Iterator[Object]:
    """Every manifest of a YAML file; `{namespace}` in it, as in a host, becomes the namespace."""
    text = file.read_text(encoding="utf-8").replace("{namespace}", namespace)
    for one in yaml.load_all(text, Loader=labs.LOADER):
        if one:
            yield one


# Kubeconfig


def write_kubeconfig(site: Site, lab: Lab) -> Path:
    """The learner's kubeconfig of one lab: its namespace, and the user `learner`."""
    config = yaml.load(site.kubeconfig.read_text(encoding="utf-8"), Loader=labs.LOADER)
    file = site.lab_kubeconfig(lab.number)
    text = yaml.safe_dump(learners(config, site.context, lab.namespace), sort_keys=False)
    if not file.is_file() or file.read_text(encoding="utf-8") != text:
        sites.write(file, text, mode=0o600)
    return file


def learners(config: Object, context: str, name: str) -> Object:
    """The kubeconfig of a lab, made from the administrator's: the audit log tells them apart."""
    chosen = named(config["contexts"], context)["context"]
    cluster = named(config["clusters"], chosen["cluster"])["cluster"]
    user = named(config["users"], chosen["user"])["user"]
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": "learner", "user": user | LEARNER}],
        "contexts": [
            {"name": name, "context": {"cluster": name, "user": "learner", "namespace": name}}
        ],
        "current-context": name,
    }


def named(several: list[Any], name: str) -> Any:
    """The member of a kubeconfig's list that has this name."""
    return next(one for one in several if one["name"] == name)


def make_current(site: Site, lab: Lab) -> None:
    """Let the link to the current kubeconfig lead to this lab's."""
    link = site.current_kubeconfig
    target = site.lab_kubeconfig(lab.number).relative_to(link.parent)
    if link.is_symlink() and link.readlink() == target:
        return
    partial = link.with_name("current.partial")
    partial.unlink(missing_ok=True)
    partial.symlink_to(target)
    partial.replace(link)


# Saving


def save(site: Site) -> list[Path]:
    """Save the learner's objects of every started lab under `work/NN/`; the files written.

    Raises NoCluster or ForeignCluster where there is nothing to read.
    """
    cluster = connect(site)
    written = []
    for namespace in cluster.objects("Namespace", labels=LAB_LABEL):
        number = meta(namespace)["labels"][LAB_LABEL]
        if is_started(namespace) and name_of(namespace) == f"lab-{number}":
            file = save_lab(cluster, site.work / number, name_of(namespace))
            written += [file] if file else []
    return written


def save_lab(cluster: Cluster, folder: Path, namespace: str) -> Path | None:
    """Save one namespace into one file that `kubectl apply` takes; None where it is empty.

    What is saved already, unchanged, is not saved a second time.
    """
    bodies = [cleaned(body) for body in own_objects(cluster, namespace)]
    if not bodies:
        return None
    text = yaml.safe_dump_all(bodies, sort_keys=False, allow_unicode=True)
    before = sorted(folder.glob("saved-*.yaml"))
    if before and before[-1].read_text(encoding="utf-8") == text:
        return before[-1]
    file = folder / f"saved-{datetime.now():%Y-%m-%dT%H-%M-%S}.yaml"
    sites.write(file, text)
    return file


def own_objects(cluster: Cluster, namespace: str) -> Iterator[Object]:
    """The objects that the learner made: no controller's, no default, nothing of the course."""
    return filter(is_own, kinds.everything(cluster, namespace))


def is_own(body: Object) -> bool:
    """Whether an object is the learner's own."""
    labels = meta(body).get("labels") or {}
    if controller(body) is not None or any(key.startswith("kubelab.dev/") for key in labels):
        return False
    kind, name = body["kind"], name_of(body)
    if (kind, name) in (("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")):
        return False
    return not (kind == "Secret" and body.get("type") == "kubernetes.io/service-account-token")
