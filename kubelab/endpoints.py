"""What stands behind a Service: pure functions of Services, EndpointSlices and Pods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kubelab.objects import Object, condition, containers, dig, in_header, meta
from kubelab.variables import Source, variable
from kubelab.writers import endpoints_by_hand

SERVICE_LABEL = "kubernetes.io/service-name"


def labels_of(body: Object) -> Mapping[str, str]:
    """The labels of an object."""
    found: Mapping[str, str] = meta(body).get("labels") or {}
    return found


def selector_of(service: Object | None) -> Mapping[str, str]:
    """The labels that a Service asks for; empty where it has no selector."""
    found: Mapping[str, str] = dig(service, "spec", "selector") or {}
    return found


def selects(service: Object | None, pod: Object) -> bool:
    """Whether a Pod carries every label that the Service asks for."""
    wanted = selector_of(service)
    have = labels_of(pod)
    return bool(wanted) and all(have.get(key) == value for key, value in wanted.items())


def words_of(labels: Mapping[str, str]) -> str:
    """Labels as `kubectl` prints them."""
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items())) or "none"


def slices_of(name: str, slices: Iterable[Object]) -> list[Object]:
    """The EndpointSlices of a Service."""
    return [one for one in slices if labels_of(one).get(SERVICE_LABEL) == name]


def service_of(slice_: Object) -> str:
    """The name of the Service that an EndpointSlice is for."""
    return str(labels_of(slice_).get(SERVICE_LABEL))


def by_hand(slices: Iterable[Object]) -> list[Object]:
    """The EndpointSlices that somebody wrote, not the controller."""
    return [one for one in slices if endpoints_by_hand(one)]


def addresses(slices: Iterable[Object], *, ready: bool = True) -> dict[str, str]:
    """The addresses that are ready, or those that are not, with the Pod's name where it is told."""
    found: dict[str, str] = {}
    for one in slices:
        for endpoint in one.get("endpoints") or ():
            # An absent condition counts as ready.
            if (dig(endpoint, "conditions", "ready") is not False) == ready:
                for address in endpoint.get("addresses", ()):
                    found[address] = str(dig(endpoint, "targetRef", "name") or "")
    return found


def port_of(service: Object | None, number: int) -> Object | None:
    """The TCP port of a Service with this number."""
    ports: list[Object] = dig(service, "spec", "ports") or []
    fitting = (
        one for one in ports if one.get("port") == number and one.get("protocol", "TCP") == "TCP"
    )
    return next(fitting, None)


def is_ready(pod: Object) -> bool:
    """Whether a Pod is ready, and stays."""
    return condition(pod, "Ready").get("status") == "True" and not meta(pod).get(
        "deletionTimestamp"
    )


def staying(pods: Iterable[Object]) -> list[Object]:
    """The Pods that are not on their way out."""
    return [
        one
        for one in pods
        if not meta(one).get("deletionTimestamp")
        and dig(one, "status", "phase") not in ("Succeeded", "Failed")
    ]


def selected(service: Object | None, pods: Iterable[Object]) -> list[Object]:
    """The Pods that a Service selects, those on their way out left out."""
    return [one for one in staying(pods) if selects(service, one)]


def called(pod: Object, source: Source = lambda kind, name: None) -> str:
    """The name that a Pod tells of itself: its host's, which its template may choose.

    The course's image takes one from POD_NAME before that; `source` has what that may come from.
    A Pod in its node's network has that host's name.
    """
    given = (variable(pod, box, "POD_NAME", source).strip() for box, _ in containers(pod))
    spec: Object = pod.get("spec") or {}
    if own := next(filter(None, given), ""):
        return in_header(own)
    if spec.get("hostNetwork") and spec.get("nodeName"):
        return str(spec["nodeName"])
    name = str(spec.get("hostname") or meta(pod).get("name"))
    if spec.get("setHostnameAsFQDN") and spec.get("subdomain"):
        namespace = meta(pod).get("namespace")
        name = f"{name}.{spec['subdomain']}.{namespace}.svc.cluster.local"
    return str(spec.get("hostnameOverride") or name)


def listens_on(pod: Object) -> list[Object]:
    """The container ports of a Pod."""
    return [port for container, _ in containers(pod) for port in container.get("ports") or ()]
