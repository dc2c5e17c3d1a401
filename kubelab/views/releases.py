"""An update or a bad release of a Deployment, as the record and a copy of its Pods show it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubelab import acting, draining, history, rollouts
from kubelab.objects import Object, asked_for, dig, full_name, meta, name_of, start_time
from kubelab.proofs import Proof
from kubelab.seen import Seen

if TYPE_CHECKING:
    from kubelab.views.deployments import DeploymentView

ANY = "*"
GATES = ("readinessProbe", "startupProbe")


@dataclass(frozen=True)
class Tried:
    """What is on record: the try that counts (None: none), and the command that repeats it."""

    label: str
    image: str
    found: rollouts.Update | None
    repeat: str
    proved: bool = False


class ReleaseView:
    """One release of a Deployment; what was once proved for its uid stays proved."""

    def __init__(self, deployment: DeploymentView, tried: Tried) -> None:
        self._deployment = deployment
        self._tried = tried

    @property
    def seen(self) -> Seen:
        """Whether the record shows it as a whole."""
        tried, found = self._tried, self._tried.found
        fault = found.fault if found else "not-seen"
        words = (found.words if found else "") or "not on record"
        return self._deployment._seen(
            tried.proved or not fault,
            tried.label,
            "not-seen",
            show=lambda one: f"{tried.label} on record" if one else f"{tried.label}: {words}",
            look=tried.repeat,
        )

    @property
    def gets_ready(self) -> Seen:
        """Whether one of its Pods was ready, in the try that counts."""
        image, found = self._tried.image, self._tried.found
        return self._deployment._seen(
            found is not None and found.ready,
            "gets ready",
            "bad-release-ready",
            show=lambda one: f"a Pod of {image} {'was' if one else 'is never'} ready",
            look=self._tried.repeat,
        )

    @property
    def lost(self) -> Seen:
        """How many requests were lost from its beginning to its end."""
        tried, found = self._tried, self._tried.found
        return self._deployment._seen(
            0 if tried.proved or found is None else found.lost,
            "lost",
            "requests-lost",
            show=lambda one: lost_words(one, found),
            look=tried.repeat,
        )

    @property
    def ended(self) -> Seen:
        """Whether its last Pod has gone."""
        found = self._tried.found
        return self._deployment._seen(
            self._tried.proved or (found is not None and found.ended is not None),
            "ended",
            "terminating",
            show=lambda one: "the old Pods gone" if one else "old Pods still end",
        )

    @property
    def drains(self) -> Seen:
        """Whether a copy of its Pods, told to stop, still accepts, and is ready no sooner."""
        view, lab = self._deployment, self._deployment._lab
        if view.body is None:
            return view._seen(False, "drains", "not-found", given=True)
        found = template(view, self._tried.image)
        spec = found["spec"]
        box = page(view, found)
        hooked = bool(dig(box, "lifecycle", "postStart"))
        gated = hooked or any(box.get(one) for one in GATES)
        pod = {"metadata": meta(found) | {"name": view.name}, "spec": spec}
        port = view.page_port or view.port(8080)
        prepares = max((start_time(one) for one in view._own()), default=0.0)
        trial = draining.Trial(pod, port, gated, hooked, str(box.get("name")), prepares)
        key = {"metadata": {"uid": meta(view.body)["uid"]}, "spec": spec}
        return view._proved(
            key,
            lambda one: draining.drains(lab.cluster, lab.namespace, trial, one),
            "drains",
            trial.wanted,
            what="drain",
        )


def lost_words(lost: int, found: rollouts.Update | None) -> str:
    """A number of lost requests in words, and how it went with the first of them."""
    if found is None or not found.asked:
        return "none lost"
    count = f"{lost or 'no'} of {found.asked} requests lost"
    return f"{count}, the first: {found.first}" if lost and found.first else count


def update(view: DeploymentView, service: str, origin: str, target: str) -> ReleaseView:
    """The update from one image to another."""
    first, second = tag(origin), tag(target)
    lab = view._lab
    label = f"update {first} to {second}"
    now = dig(view._box, "image") or ""
    # From any other version the way leads back to the first one.
    step = target if full_name(now) == full_name(origin) else origin
    repeat = set_image(lab.namespace, view.name, step)
    if view.body is None or proved(view):
        return ReleaseView(view, Tried(label, target, None, repeat, proved=view.body is not None))
    found = best_update(view, service, first, second)
    if found is not None and found.clean and (wait := found.under_way(time.time())):
        # Its last Pod has gone just now: what is under way must be on record, too.
        time.sleep(wait)
        found = best_update(view, service, first, second)
    if found is not None and found.clean:
        keep(view)
    wait_for(view, found)
    return ReleaseView(view, Tried(label, target, found, repeat))


def best_update(
    view: DeploymentView, service: str, origin: str, target: str
) -> rollouts.Update | None:
    """The update that counts, as far as it is on record."""
    record = record_of(view, service)
    return rollouts.best(rollouts.updates(record, origin, target)) if record else None


def bad_release(view: DeploymentView, service: str, image: str) -> ReleaseView:
    """The release of an image that never gets ready."""
    version, lab = tag(image), view._lab
    label, repeat = f"release {version}", set_image(lab.namespace, view.name, image)
    if view.body is None or proved(view):
        return ReleaseView(view, Tried(label, image, None, repeat, proved=view.body is not None))
    record = record_of(view, service)
    found = rollouts.best(rollouts.bad_releases(record, version)) if record else None
    if found is not None and found.clean and not found.under_way(time.time()):
        keep(view)
    return ReleaseView(view, Tried(label, version, found, repeat))


def record_of(view: DeploymentView, service: str) -> rollouts.Record | None:
    """What the recorder has about the Deployment and the load on its Service."""
    lab = view._lab
    uid = str(meta(view.body or {}).get("uid"))
    pods = history.pods_by_now(lab.cluster, lab.namespace)
    several = history.deployments(lab.cluster, lab.namespace)
    # Last: seconds that a busy machine spends in between would seem ones in which nobody asked.
    requests = history.requests(lab.cluster, lab.namespace, service)
    return rollouts.record_of(uid, several, pods, requests, time.time(), view._box)


def wait_for(view: DeploymentView, found: rollouts.Update | None) -> None:
    """Note the Pods that are on their way out: an update that goes on ends with them."""
    if found is None or found.fault or found.ended is not None:
        return
    for one in leaving(view):
        view._lab.look("Pod", name_of(one))


def leaving(view: DeploymentView) -> list[Object]:
    """The Pods that are on their way out."""
    several = view._lab.snapshot.kind("Pod").values()
    return [one for one in several if meta(one).get("deletionTimestamp")]


def proved(view: DeploymentView) -> bool:
    """Whether the record of this Deployment's uid was clean once."""
    return view._lab.snapshot.proofs.find(record_key(view)) is not None


def keep(view: DeploymentView) -> None:
    """Keep what the record shows now: it is bounded, the proof is not."""
    view._lab.snapshot.proofs.keep(Proof(record_key(view), True, at=time.time()))


def record_key(view: DeploymentView) -> str:
    """The key of the proof."""
    return acting.key(view._lab.task.id, view.body or {}, spec=False, what="record")


def template(view: DeploymentView, image: str) -> Object:
    """The template of the Pods that run this image: the Deployment's, or an older ReplicaSet's."""
    several = [view.body or {}]
    several += sorted(
        view.replica_sets, key=lambda one: str(meta(one).get("creationTimestamp")), reverse=True
    )
    found: list[Object] = [dig(one, "spec", "template") or {"spec": {}} for one in several]
    return next((one for one in found if runs(page(view, one), image)), found[0])


def page(view: DeploymentView, found: Object) -> Object:
    """The container of a template that serves the page: the one of the Deployment, by its name."""
    boxes = dig(found, "spec", "containers") or ()
    return asked_for(boxes, view._box.get("image"), view._box.get("name"))


def runs(container: Object, image: str) -> bool:
    """Whether a container runs exactly this image."""
    return full_name(container.get("image") or "") == full_name(image)


def tag(image: str) -> str:
    """The version in an image's name."""
    return image.rpartition(":")[2]


def set_image(namespace: str, name: str, image: str) -> str:
    """The command that makes a Deployment run an image."""
    return f"kubectl -n {namespace} set image deployment/{name} '{ANY}={image}'"
