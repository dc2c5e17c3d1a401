"""Values that remember what a plain assert compared them with."""

from __future__ import annotations

from typing import Any

import pytest

from kubelab.seen import Fact, Log, Seen


def seen(value: Any, log: Log, label: str = "replicas", **more: Any) -> Seen:
    return Seen(value, Fact("deployment/web", label, lambda _: "wrong-replicas", **more), log)


def test_a_comparison_is_written_down_with_both_sides() -> None:
    log = Log()
    assert not seen(3, log) == 4  # noqa: SIM201 (`==` is what checks write)
    (row,) = log.rows
    assert (row.wanted, row.found, row.held) == ("replicas 4", "replicas 3", False)


@pytest.mark.parametrize(
    ("compare", "wanted"),
    [
        (lambda one: one >= 4, "replicas at least 4"),
        (lambda one: one < 3, "replicas below 3"),
        (lambda one: one != 3, "replicas not 3"),
        (lambda one: one.among((4, 5)), "replicas one of 4, 5"),
    ],
)
def test_every_comparison_has_words(compare: Any, wanted: str) -> None:
    log = Log()
    assert not compare(seen(3, log))
    assert log.rows[-1].wanted == wanted


def test_an_absent_value_satisfies_no_order_and_raises_nothing() -> None:
    log = Log()
    nothing = seen(None, log)
    assert not nothing > 0
    assert not nothing <= 0
    assert not nothing.among([1])
    assert log.rows[-1].found == "replicas none"


def test_truth_is_a_comparison_too() -> None:
    log = Log()
    ready = seen(False, log, "ready", show=lambda one: "ready" if one else "not ready")
    assert not ready
    assert (log.rows[-1].wanted, log.rows[-1].found) == ("ready", "not ready")


def test_two_seen_values_compare_by_value() -> None:
    log = Log()
    assert seen(2, log) == seen(2, log)
    assert log.rows[-1].held
