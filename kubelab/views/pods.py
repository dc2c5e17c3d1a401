"""A Pod as a check reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubelab import ask, ending, liveness, replacing, sidecar
from kubelab.objects import (
    Object,
    asked_for,
    asked_of,
    containers,
    dig,
    is_sidecar,
    meta,
    port_variable,
    probe_kind,
    probe_port,
    repository,
    serving_port,
)
from kubelab.seen import Seen
from kubelab.settled import pod_trouble
from kubelab.views.base import View

if TYPE_CHECKING:
    from kubelab.checking import LabView


class PodView(View):
    """One Pod; `image`, or a container's name, tells which of its containers it is about."""

    KIND = "Pod"

    def __init__(
        self, lab: LabView, name: str, image: str | None = None, container: str | None = None
    ) -> None:
        super().__init__(lab, name)
        self._image, self._container = image, container

    def label(self, key: str) -> Seen:
        """The value of a label."""
        value = dig(self.body, "metadata", "labels", key)
        return self._seen(
            value,
            f"label {key}",
            "wrong-label",
            given=True,
            show=lambda one: f"label {key}={one}" if one is not None else f"no label {key}",
        )

    def runs(self, image: str) -> Seen:
        """Whether the container runs this image, in whatever version."""
        found = dig(self.container, "image")
        return self._seen(
            repository(found) == repository(image),
            "image",
            "wrong-image",
            given=True,
            show=lambda _: f"image {image}",
            found=f"image {found}",
        )

    @property
    def ready(self) -> Seen:
        """Whether the Pod's condition Ready is true."""
        trouble = pod_trouble(self.body) if self.body is not None else None
        words = trouble.words if trouble else "not ready"
        return self._seen(
            self.body is not None and trouble is None,
            "ready",
            trouble.reason if trouble else "not-ready",
            show=lambda one: "ready" if one else words,
        )

    @property
    def is_ready(self) -> bool:
        """The same, for a choice among Pods: no comparison that a failure would show."""
        return self.body is not None and pod_trouble(self.body) is None

    @property
    def readiness(self) -> Seen:
        """How the readiness probe asks: http, tcp, exec, grpc or none."""
        return self._probe("readiness")

    @property
    def liveness(self) -> Seen:
        """How the liveness probe asks: http, tcp, exec, grpc or none."""
        return self._probe("liveness")

    def restarts_when_unhealthy(self, port: int, path: str) -> Seen:
        """Whether a copy, made unhealthy by a request to `path`, is restarted in time."""
        body, container = self.body, self.container
        if body is None or container is None or not probe_kind(container.get("livenessProbe")):
            return self._seen(False, "restarted when unhealthy", "no-liveness-probe", given=True)
        trial = liveness.Trial(body, container["name"], port, path)
        return self._proved(
            body,
            lambda key: liveness.restarts_when_unhealthy(
                self._lab.cluster, self._lab.namespace, trial, key
            ),
            "restarted when unhealthy",
            trial.wanted,
        )

    @property
    def has_sidecar(self) -> Seen:
        """Whether an init container is one that keeps running (`restartPolicy: Always`)."""
        return self._seen(
            any(is_sidecar(one) for one in self._first),
            "sidecar",
            "no-sidecar",
            given=True,
            show=lambda one: "a sidecar" if one else "no init container with restartPolicy Always",
        )

    @property
    def prepares_first(self) -> Seen:
        """Whether an init container that ends stands before the last sidecar."""
        kinds = [is_sidecar(one) for one in self._first]
        order = False in kinds and True in kinds[kinds.index(False) :]
        last = next((one["name"] for one in reversed(self._first) if is_sidecar(one)), "")
        return self._seen(
            order,
            "order",
            "wrong-order" if False in kinds else "no-init-container",
            given=True,
            show=lambda one: (
                "an init container that ends, then the sidecar"
                if one
                else f"sidecar {last} is started first"
                if False in kinds
                else "no init container that ends"
            ),
        )

    def written_in_order(self, port: int, path: str, within: float) -> Seen:
        """Whether, on copies, an init container writes line 1 and the sidecar alone line 2."""
        body = self.body
        if body is None or not self._first:
            return self._seen(False, "written in order", "no-sidecar", given=True)
        menu = sidecar.Menu(port, path, within)
        return self._proved(
            body,
            lambda key: sidecar.written_in_order(
                self._lab.cluster, self._lab.namespace, body, menu, key
            ),
            "written in order",
        )

    @property
    def grace(self) -> Seen:
        """The seconds from the delete to SIGKILL."""
        return self._seen(
            dig(self.body, "spec", "terminationGracePeriodSeconds"),
            "grace",
            "wrong-grace",
            given=True,
            show=lambda one: f"grace {one} s",
        )

    def ends_in_order(self, port: int, path: str, takes: float) -> Seen:
        """Whether a copy, deleted during a request, answers it and ends before its grace does."""
        body = self.body
        if body is None:
            return self._seen(False, "ends in order", "not-found")
        trial = ending.Trial(body, port, path, takes)
        return self._proved(
            body,
            lambda key: ending.ends_in_order(self._lab.cluster, self._lab.namespace, trial, key),
            "ends in order",
            trial.wanted,
        )

    @property
    def container(self) -> Object | None:
        """The container that the task is about."""
        if self.body is None:
            return None
        return asked_for([one for one, _ in containers(self.body)], self._image, self._container)

    def port(self, default: int) -> int:
        """Where the container serves: the first port with the page, else the readiness probe's.

        A port that it names opens none, and the probe may ask another container: of its ports,
        PORT and the image's own the first that answers where none has the page.
        """
        box = self.container or {}
        first = serving_port(box, ["readinessProbe"], default)
        if not self.is_ready:
            return first
        named = [int(one["containerPort"]) for one in box.get("ports") or ()]
        several = dict.fromkeys([first, *named, port_variable(box) or default, default])
        there, late = [], []
        for one in several:
            (answer,) = ask.http(self._lab.cluster, ask.address(str(self.ip), one))
            if replacing.good(answer):
                return one
            there += [one] if answer.status is not None else []
            late += [one] if answer.reason == "timeout" else []
        if probe_port(box.get("readinessProbe") or {}, box):
            return first
        # Who takes a connection and is slow is given time by whoever asks.
        return next(iter([*there, *late]), first)

    @property
    def uid(self) -> str | None:
        """The Pod's uid."""
        found: str | None = meta(self.body or {}).get("uid")
        return found

    @property
    def ip(self) -> str | None:
        """The Pod's address."""
        found: str | None = dig(self.body, "status", "podIP")
        return found

    @property
    def _first(self) -> list[Object]:
        """The init containers, sidecars included, in their order."""
        return dig(self.body, "spec", "initContainers") or []

    def _probe(self, which: str) -> Seen:
        probe = (self.container or {}).get(f"{which}Probe") or {}
        kind = probe_kind(probe)
        elsewhere = asks_elsewhere(probe, self.body or {})
        reason = f"wrong-{which}-probe" if kind else f"no-{which}-probe"
        return self._seen(
            None if elsewhere else kind,
            f"{which} probe",
            reason,
            given=True,
            found=f"{which} probe of another host" if elsewhere else None,
            show=lambda one: f"{which} probe over {one.upper()}" if one else f"no {which} probe",
        )


def asks_elsewhere(probe: Object, pod: Object) -> bool:
    """Whether a probe asks another host than its Pod; with the node's network that is the node."""
    return bool(asked_of(probe).get("host")) and not dig(pod, "spec", "hostNetwork")
