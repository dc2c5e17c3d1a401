"""Numbers in shards: the same for a uid, others for another one."""

from __future__ import annotations

import itertools

import pytest
import yaml

from kubelab import labs, shards
from kubelab.learner import documents
from kubelab.site import ROOT
from kubelab.views.shards import numbers_of


def test_a_uid_has_numbers_of_its_own() -> None:
    one = shards.numbers("a", 4)
    assert one == shards.numbers("a", 4)
    assert one != shards.numbers("b", 4)
    assert [len(shard) for shard in one] == [shards.LENGTH] * 4
    assert all(shards.LOW <= number <= shards.HIGH for shard in one for number in shard)


def test_no_sum_appears_while_another_shard_is_added_up() -> None:
    assert not shards.told_apart([[1, 2, 3], [2, 4]])
    assert not shards.told_apart([[1, 2], [3]])
    assert shards.told_apart([[1, 2], [4, 5]])
    for uid in map(str, range(20)):
        several = shards.numbers(uid, 4)
        sums = [sum(shard) for shard in several]
        seen = [set(itertools.accumulate(shard)) for shard in several]
        for place, other in itertools.permutations(range(4), 2):
            assert sums[place] not in seen[other]


def test_a_manifest_with_the_label_is_filled_and_no_other_one() -> None:
    lab = labs.find(ROOT, "06")
    several = {one["metadata"]["name"]: one for one in documents(lab.start / "shards.yaml")}
    numbers, answers = several[lab.names["numbers"]], several[lab.names["answers"]]
    found = shards.filled(numbers, "uid")
    assert list(found["data"]) == [f"shard-{place}" for place in range(lab.names["count"])]
    assert yaml.safe_load(found["data"]["shard-0"].split()[0]) in range(100, 1000)
    assert "data" not in numbers
    assert shards.filled(answers, "uid") == answers


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("22145", [22145]),
        ("22,145 104 998", [22145, 104998]),
        ("sum 1,234,567.0", [1234567]),
        ("1_234 and 5", [1234, 5]),
        ("1,234 567", [1234, 567]),
    ],
)
def test_digits_in_groups_are_one_number(line: str, found: list[int]) -> None:
    assert numbers_of([line]) == found


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("-22145", [-22145]),
        ("sum=-22,145 sum: -22145.0", [-22145, -22145]),
        ("shard-0 2026-11-24 - 5 ->7", [0, 2026, 11, 24, 5, 7]),
        ("sum:22145", [22145]),
    ],
)
def test_a_number_below_zero_is_another_number(line: str, found: list[int]) -> None:
    assert numbers_of([line]) == found
