"""My objects of a lab beside the reference's: compared as objects, with the server's defaults."""

from __future__ import annotations

import itertools
import json
import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubelab import answers, hints, learner, report
from kubelab.api import Cluster, Conflict, Refused, connect
from kubelab.errors import EnvironmentFault, UsageError
from kubelab.fields import THERE, Fields, chosen, fields, same
from kubelab.labs import Lab
from kubelab.objects import Object, meta, name_of
from kubelab.progress import Progress, Stage
from kubelab.site import Site
from kubelab.verdict import Verdict
from kubelab.words import said

WIDTH = 80
# The widest column for a value; the path takes what is left.
VALUE = 20
ABSENT = "-"
# Characters of a same beginning that are shown of long values.
SAME = 6
# A name that nobody has, for asking the server what it would make of a manifest.
PROBE = "diff"
TLS = "kubernetes.io/tls"
APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

Identity = tuple[str, str]


@dataclass(frozen=True)
class Difference:
    """One difference; None on a side that does not have it. `path` is empty for a whole object."""

    object: str
    path: str
    mine: Any
    reference: Any


@dataclass(frozen=True)
class Comparison:
    """All differences of a lab, and what is mine alone, which is no difference."""

    lab: str
    differences: tuple[Difference, ...]
    extra: tuple[str, ...]


def allowed(site: Site, lab: Lab, namespace: str | None = None) -> bool:
    """Whether every task of the lab was passed once, so that the reference gives nothing away.

    `namespace` is the lab's own, or that of a student whose results then count.
    """
    who = learner.student(namespace or lab.namespace)
    records = report.read(site.results)
    passed = {
        one.get("check")
        for one in records
        if one.get("verdict") == Verdict.PASS and (one.get("student") or "") == who
    }
    return set(lab.tasks) <= passed


def reveal(site: Site, lab: Lab, namespace: str | None = None, *, show: bool) -> Comparison:
    """What `compare` finds, where it may be seen: before the lab is done on request, and recorded.

    Raises UsageError where nobody asked, and what `compare` raises; nothing is recorded then.
    """
    early = not allowed(site, lab, namespace)
    if early and not show:
        raise UsageError(
            f"The reference of lab {lab.number} shows every answer, and not all of its tasks are "
            "done. With --show you see it all the same; that is recorded.",
            look=f"./lab diff {lab.number} --show",
        )
    found = compare(site, lab, namespace)
    if early:
        hints.solution_seen(site, lab, lab.tasks, "diff")
    return found


def compare(site: Site, lab: Lab, namespace: str | None = None) -> Comparison:
    """Compare the learner's objects with the reference.

    Raises NoCluster or ForeignCluster, and UsageError where the lab is not started.
    """
    cluster = connect(site)
    name = namespace or lab.namespace
    if not learner.started(cluster, name):
        raise UsageError(f"Lab {lab.number} is not started.", look=f"./lab start {lab.number}")
    mine = {identity(one): one for one in learner.own_objects(cluster, name)}
    known = start_state(lab)
    found: list[Difference] = []
    reference = wanted(site, lab, cluster, name)
    for key, one in reference.items():
        found += differences(key, mine.get(key), one)
    extra = [told(key) for key in mine if key not in reference and key not in known]
    return Comparison(lab.number, tuple(found), tuple(sorted(extra)))


def identity(body: Object) -> Identity:
    """What tells an object from the others of its namespace.

    A Pod that its ReplicaSet has let go keeps a generated name, another one each time: `api-*`.
    """
    name, generated = name_of(body), str(meta(body).get("generateName") or "")
    hashed = (meta(body).get("labels") or {}).get("pod-template-hash")
    if generated:
        name = f"{generated.removesuffix('-').removesuffix(f'-{hashed}')}-*"
    return str(body["kind"]), name


def told(key: Identity) -> str:
    """An object as kubectl names it: `pod/web`."""
    return f"{key[0].lower()}/{key[1]}"


def start_state(lab: Lab) -> set[Identity]:
    """The objects that the lab began with."""
    files = sorted(lab.start.glob("*.yaml"))
    return {identity(one) for file in files for one in learner.documents(file)}


@dataclass(frozen=True)
class Reference:
    """The fields of one object of the reference; `whole`: the server's defaults are in it."""

    fields: Fields
    whole: bool


def wanted(site: Site, lab: Lab, cluster: Cluster, namespace: str) -> dict[Identity, Reference]:
    """The reference's objects."""
    files = answers.solution(lab)
    if any(file.suffix == ".sh" for file in files):
        return dict(lived(site, lab, files, namespace))
    bodies = [one for file in files for one in learner.documents(file)]
    return {identity(one): defaulted(cluster, one, namespace) for one in bodies}


def defaulted(cluster: Cluster, body: Object, namespace: str) -> Reference:
    """A manifest as the server would make it, by a dry run; as it stands where it refuses."""
    # Under another name: the learner's own object would stand in the way.
    body = {**body, "metadata": {**body["metadata"], "name": PROBE, "namespace": namespace}}
    try:
        made = cluster.create(body["kind"], body, namespace, dry_run=True)
    except (Conflict, Refused):
        return Reference(fields(body), whole=False)
    made = {"apiVersion": body["apiVersion"], "kind": body["kind"], **made}
    return Reference(written(made, body), whole=True)


def lived(
    site: Site, lab: Lab, files: list[Path], namespace: str
) -> Iterator[tuple[Identity, Reference]]:
    """The objects of a reference that is a history: it is run in a namespace of its own.

    Where they name it, as in a host, they are given the learner's.
    """
    name = f"{PROBE}-{secrets.token_hex(3)}"
    progress = Progress([Stage("reference", "Run the reference in a namespace of its own", 40)])
    with (
        progress.stage("reference"),
        tempfile.TemporaryDirectory() as folder,
        answers.place(site, lab, name, Path(folder)) as place,
    ):
        try:
            answers.apply(files, place.kubeconfig)
        except answers.NotApplied as error:
            raise EnvironmentFault(
                f"The reference of lab {lab.number} does not work here: {error}",
                look="./lab doctor",
            ) from None
        for lived_in in learner.own_objects(connect(site), place.namespace):
            body = json.loads(json.dumps(lived_in).replace(place.namespace, namespace))
            applied = json.loads((meta(body).get("annotations") or {}).get(APPLIED, "{}"))
            yield identity(body), Reference(written(body, applied), whole=True)


def written(made: Object, manifest: Object) -> Fields:
    """The fields of an object without those that the server chose, not the manifest."""
    said = fields(manifest) if manifest else {}
    return {path: one for path, one in fields(made).items() if path in said or not chosen(path)}


def differences(key: Identity, mine: Object | None, reference: Reference) -> Iterator[Difference]:
    """The differences of one object."""
    if mine is None:
        yield Difference(told(key), "", None, THERE)
        return
    ours, theirs = fields(mine), reference.fields
    for path in paths(ours, reference):
        one, other = ours.get(path), theirs.get(path)
        if not same(path, one, other) and not (one and other and is_random(mine, path)):
            yield Difference(told(key), path, one, other)


def is_random(body: Object, path: str) -> bool:
    """Whether a value is another one each time it is made: a key, and the certificate for it."""
    return body.get("type") == TLS and path.startswith("data.")


def paths(mine: Fields, reference: Reference) -> Iterator[str]:
    """The paths to compare, in the reference's order."""
    yield from reference.fields
    if reference.whole:
        yield from (path for path in mine if path not in reference.fields and not chosen(path))


# Text


def text(found: Comparison) -> str:
    """The comparison as the learner reads it: a line a difference, 80 columns."""
    if not found.differences:
        parts = [said(f"Lab {found.lab}: yours and the reference are the same.")]
    else:
        by_object = itertools.groupby(found.differences, lambda one: one.object)
        parts = ["\n".join(table(name, list(several))) for name, several in by_object]
    if found.extra:
        parts.append(report.filled(", ".join(found.extra), said("yours alone: ")))
    return "\n\n".join(parts)


def table(name: str, several: list[Difference]) -> Iterator[str]:
    """The differences of one object, in columns that fit it."""
    rows = [apart(shown(one.mine), shown(one.reference)) for one in several]
    widths = [
        min(VALUE, max(len(cell) for cell in column))
        for column in zip(("mine", "reference"), *rows, strict=True)
    ]
    longest = max(len(one.path) for one in several) + 2
    room = min(max(longest, len(name), 24), WIDTH - sum(widths) - 4)
    yield said(columns(name, "mine", "reference", room, widths))
    for one, row in zip(several, rows, strict=True):
        if one.path:
            yield columns(f"  {one.path}", *row, room, widths)
        else:
            yield said(columns("  the object", *row, room, widths))


def columns(path: str, mine: str, reference: str, room: int, widths: list[int]) -> str:
    """One line; a long path loses its beginning, a long value its end."""
    if len(path) > room:
        path = f"  ...{path[len(path) - room + 5 :]}"
    left = f"{path:<{room}}  {report.cut(mine, widths[0]):<{widths[0]}}"
    return f"{left}  {report.cut(reference, widths[1])}".rstrip()


def apart(one: str, other: str) -> tuple[str, str]:
    """Two values; of long ones that begin alike, only the end of the same beginning."""
    if max(len(one), len(other)) <= VALUE:
        return one, other
    whole = min(len(one), len(other))
    alike = next((place for place in range(whole) if one[place] != other[place]), whole)
    if alike <= SAME:
        return one, other
    return f"...{one[alike - SAME :]}", f"...{other[alike - SAME :]}"


def shown(value: Any) -> str:
    """A value on one line."""
    if value is None:
        return ABSENT
    if isinstance(value, str):
        return value.replace("\n", " ") or '""'
    return json.dumps(value, ensure_ascii=False)
