"""Objects of a small shop for tests of Services: a Deployment with its Pods, a Service, slices."""

from __future__ import annotations

from typing import Any

from fakes import FakeCluster

from kubelab.objects import Object
from kubelab.writers import MANAGED_BY, SLICES

NAMESPACE = "lab-90"
LONG_AGO = "2026-11-24T12:00:00Z"
READY = {"type": "Ready", "status": "True", "lastTransitionTime": LONG_AGO}
CONTROLLER = [{"manager": "kube-controller-manager", "fieldsV1": {"f:endpoints": {}}}]


def owner(kind: str, name: str) -> list[Object]:
    """The ownerReferences to a controller."""
    return [{"kind": kind, "name": name, "uid": f"uid-{name}", "controller": True}]


def pod(
    name: str, number: int, labels: Object, *, ready: bool = True, of: str | None = None
) -> Object:
    """A Pod that has run for long at 10.0.0.<number>."""
    state = {"running": {"startedAt": LONG_AGO}}
    return {
        "kind": "Pod",
        "metadata": {
            "name": name,
            "labels": labels,
            "ownerReferences": owner("ReplicaSet", of) if of else [],
        },
        "spec": {
            "containers": [
                {
                    "name": "web",
                    "image": "kubelab/web:1.0",
                    "ports": [{"name": "http", "containerPort": 8080}],
                }
            ]
        },
        "status": {
            "phase": "Running",
            "podIP": f"10.0.0.{number}",
            "conditions": [READY | {"status": str(ready)}],
            "containerStatuses": [
                {"name": "web", "ready": ready, "restartCount": 0, "state": state}
            ],
        },
    }


def deployment(cluster: FakeCluster, name: str, count: int, labels: Object) -> None:
    """A Deployment, its ReplicaSet `<name>-1`, and its Pods `<name>-1-a`, `-b`, ..."""
    template = {"spec": {"containers": [{"name": "web", "image": "kubelab/web:1.0"}]}}
    status = {"replicas": count, "updatedReplicas": count, "availableReplicas": count}
    body: Object = {
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"replicas": count, "template": template},
        "status": status,
    }
    cluster.put("Deployment", body, NAMESPACE)
    metadata = {"name": f"{name}-1", "ownerReferences": owner("Deployment", name)}
    sets: Object = {"kind": "ReplicaSet", "metadata": metadata, "spec": {"replicas": count}}
    sets["status"] = {"replicas": count}
    cluster.put("ReplicaSet", sets, NAMESPACE)
    for number in range(count):
        one = pod(f"{name}-1-{'abcdef'[number]}", number + 1, labels, of=f"{name}-1")
        cluster.put("Pod", one, NAMESPACE)


def service(name: str = "web", selector: Object | None = None, **spec: Any) -> Object:
    """A Service on port 80."""
    body: Object = {"clusterIP": "10.96.0.9", "type": "ClusterIP"}
    body["ports"] = [{"port": 80, "protocol": "TCP", "targetPort": "http"}]
    body["selector"] = {"app": "web"} if selector is None else selector
    metadata = {"name": name, "creationTimestamp": LONG_AGO}
    return {"kind": "Service", "metadata": metadata, "spec": body | spec}


def slice_of(
    name: str, ready: dict[str, str], late: dict[str, str] | None = None, *, by: str | None = None
) -> Object:
    """An EndpointSlice: Pods by address; `by` is whoever wrote it instead of the controller."""
    fields = CONTROLLER if by is None else [CONTROLLER[0] | {"manager": by}]
    endpoints = [
        {"addresses": [address], "conditions": {"ready": good}, "targetRef": {"name": one}}
        for several, good in ((ready, True), (late or {}, False))
        for address, one in several.items()
    ]
    return {
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{name}-{by or 'x1'}",
            "labels": {"kubernetes.io/service-name": name, MANAGED_BY: SLICES},
            "managedFields": fields,
        },
        "endpoints": endpoints,
    }


def answering(*pods: str | None) -> Any:
    """A prober to which these Pods answer in turn; None stands for a request that is refused."""
    asked = iter(range(10**6))

    def answer(question: Object) -> list[Object]:
        found = []
        for _ in range(question["count"]):
            one = pods[next(asked) % len(pods)]
            good = {"status": 200, "headers": {"x-web-pod": one}, "body": ""}
            bad = {"status": None, "reason": "refused", "error": "the connection is refused"}
            found.append(good if one else bad)
        return found

    return answer
