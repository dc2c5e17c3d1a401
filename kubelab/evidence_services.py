"""Where a Service leads, drawn for a failure: its slices, its Pods, and what does not fit."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from kubelab import endpoints
from kubelab.checking import LabView
from kubelab.objects import Object, controller, dig, name_of
from kubelab.settled import pod_trouble

# Lines of Pods under a Service.
MOST = 5
# Values this much alike (1 is the same) were meant to be the same; they are short.
NEAR = 0.6
# Labels that a controller adds, which say nothing about what somebody meant.
ADDED = ("pod-template-hash", "controller-revision-hash", "statefulset.kubernetes.io/pod-name")


def chain(lab: LabView, service: Object) -> list[str]:
    """Service, EndpointSlices, and the Pods behind it, or those that it may have meant."""
    pods = list(lab.snapshot.kind("Pod").values())
    slices = endpoints.slices_of(name_of(service), lab.snapshot.kind("EndpointSlice").values())
    told = [f"EndpointSlice {name_of(one):<16} {slice_words(one)}" for one in slices[:2]]
    chosen = [one for one in pods if endpoints.selects(service, one)]
    if chosen:
        behind = [f"Pod {name_of(one):<26} {pod_words(one)}" for one in chosen]
    else:
        behind = [
            f"not selected: {count} Pod{'s' * (count != 1)} with {labels}"
            for labels, count in meant(service, pods).items()
        ]
    if len(behind) > MOST:
        behind = [*behind[: MOST - 1], f"and {len(behind) - MOST + 1} more Pods"]
    told += behind
    marks = ["├─"] * (len(told) - 1) + ["└─"]
    head = f"Service {name_of(service):<25} {words(service)}"
    return [head, *(f"{mark} {one}" for mark, one in zip(marks, told, strict=False))]


def words(service: Object) -> str:
    """Selector and ports of a Service in a few words."""
    ports = [
        f"{one.get('port')} -> {one.get('targetPort')}"
        for one in dig(service, "spec", "ports") or ()
    ]
    selector = endpoints.words_of(endpoints.selector_of(service))
    return f"selector {selector}, port {', '.join(ports) or 'none'}"


def slice_words(one: Object) -> str:
    """How many addresses an EndpointSlice holds."""
    ready = len(endpoints.addresses([one]))
    late = len(endpoints.addresses([one], ready=False))
    hand = ", written by hand" if endpoints.by_hand([one]) else ""
    return f"{ready} ready, {late} not ready{hand}"


def pod_words(pod: Object) -> str:
    """Whether a Pod is ready, and where its containers listen."""
    trouble = pod_trouble(pod)
    ports = ", ".join(
        "/".join(str(port[key]) for key in ("name", "containerPort") if key in port)
        for port in endpoints.listens_on(pod)
    )
    return f"{trouble.words if trouble else 'ready'}, port {ports or 'none'}"


def meant(service: Object, pods: Iterable[Object]) -> dict[str, int]:
    """The labels of the Pods that a Service may have meant, with their number."""
    keys = set(endpoints.selector_of(service))
    found: dict[str, int] = {}
    for pod in endpoints.staying(pods):
        labels = {key: value for key, value in endpoints.labels_of(pod).items() if key not in ADDED}
        if keys & set(labels) and near(service, pod):
            text = endpoints.words_of(labels)
            found[text] = found.get(text, 0) + 1
    return found


def near(service: Object, pod: Object) -> bool:
    """Whether a value of the selector resembles the Pod's, or the Pod's owner has its name."""
    labels = endpoints.labels_of(pod)
    pairs = [(value, labels.get(key)) for key, value in endpoints.selector_of(service).items()]
    owner = (controller(pod) or {}).get("name", "")
    hash_ = labels.get("pod-template-hash", "")
    named = owner.removesuffix(f"-{hash_}") == name_of(service)
    return named or any(have is not None and resembles(value, have) for value, have in pairs)


def resembles(one: str, other: str) -> bool:
    """Whether two values of a label are easily taken for one another."""
    return difflib.SequenceMatcher(None, one, other).ratio() >= NEAR


def near_misses(lab: LabView, service: Object) -> Iterator[str]:
    """What keeps a Service from its Pods, as far as one difference explains it."""
    pods = list(lab.snapshot.kind("Pod").values())
    chosen = endpoints.selected(service, pods)
    if not chosen and endpoints.selector_of(service):
        asked = endpoints.words_of(endpoints.selector_of(service))
        yield f"the selector asks {asked}, and no Pod of {lab.namespace} carries that"
    for port in dig(service, "spec", "ports") or ():
        target = port.get("targetPort")
        have = {
            value
            for one in chosen
            for each in endpoints.listens_on(one)
            for value in (each.get("name"), each.get("containerPort"))
        }
        if chosen and have and target not in have:
            known = ", ".join(sorted(str(one) for one in have if one is not None))
            yield f"targetPort {target}; the Pods' containers name {known}"
