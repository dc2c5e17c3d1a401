"""Numbers in shards, made from a namespace's uid: no two learners have the same total."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Sequence
from hashlib import sha256

from kubelab.objects import Object, meta

# On a ConfigMap of a start state: how many shards of numbers it is filled with.
LABEL = "kubelab.dev/numbers"
KEY = "shard-{}"
LENGTH = 40
LOW, HIGH = 100, 999

Shards = Sequence[Sequence[int]]


def numbers(uid: str, count: int) -> Shards:
    """The numbers of each shard, the same each time for a uid."""
    tries = (
        [
            [number(f"{uid}/{salt}/{shard}/{place}") for place in range(LENGTH)]
            for shard in range(count)
        ]
        for salt in itertools.count()
    )
    return next(filter(told_apart, tries))


def number(text: str) -> int:
    """A number of three digits, by chance and always the same."""
    return LOW + int(sha256(text.encode()).hexdigest()[:8], 16) % (HIGH - LOW + 1)


def told_apart(shards: Shards) -> bool:
    """Whether no shard's sum appears while another one is added up."""
    sums = [sum(shard) for shard in shards]
    return not any(
        sums[other] in itertools.accumulate(shard)
        for place, shard in enumerate(shards)
        for other in range(len(shards))
        if other != place
    )


def filled(manifest: Object, uid: str) -> Object:
    """A manifest of a start state; one with the label gets its numbers, a line each."""
    count = (meta(manifest).get("labels") or {}).get(LABEL)
    if count is None:
        return manifest
    found = copy.deepcopy(manifest)
    found["data"] = {
        KEY.format(place): "".join(f"{one}\n" for one in shard)
        for place, shard in enumerate(numbers(uid, int(count)))
    }
    return found
