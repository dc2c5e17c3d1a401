"""What a regular expression of a route takes."""

from __future__ import annotations

import sys

import pytest

from kubelab import expressions
from kubelab.errors import Busy

ORDERS = (
    "/",
    "/a",
    "/api",
    "/api/",
    "/api/v1",
    "/api/orders",
    "/api/v1/x",
    "/apix",
    "/menu",
    "/v1",
)


@pytest.mark.parametrize(
    ("expression", "taken"),
    [
        ("/api(/.*)?", {"/api", "/api/", "/api/v1", "/api/orders", "/api/v1/x"}),
        ("/api(/[^/]*)?", {"/api", "/api/", "/api/v1", "/api/orders"}),
        ("/api/?|/api/v1|/api/[^/]+/.*", {"/api", "/api/", "/api/v1", "/api/v1/x"}),
        ("/api/orders", {"/api/orders"}),
        ("/(menu|card)", {"/menu"}),
        ("/v[0-9]+", {"/v1"}),
        ("/.+", {*ORDERS} - {"/"}),
        ("/.*", {*ORDERS}),
        # What Envoy refuses.
        ("(", set()),
        ("/(?=api).*", set()),
        (r"/(a)\1?.*", set()),
    ],
)
def test_an_expression_takes_whole_paths_as_envoy_reads_it(
    expression: str, taken: set[str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert {one for one in ORDERS if expressions.matches(expression, one)} == taken
    assert capfd.readouterr() == ("", "")


@pytest.mark.timeout(30)
def test_no_expression_takes_for_ever() -> None:
    """Python's own reader tries 3^n ways through this one, and lets no other thread run."""
    path = "/" + "." * 200
    assert not expressions.matches("/(.+)+$A", path)
    assert not expressions.matches("/(.*)*(.*)*x", path)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python for which there is no RE2."""
    monkeypatch.setitem(sys.modules, "re2", None)
    expressions.matches.cache_clear()


@pytest.mark.usefixtures("alone")
def test_without_envoys_library_pythons_own_reads_apart(capfd: pytest.CaptureFixture[str]) -> None:
    taken = [expressions.matches("/api(/.*)?", one) for one in ("/api", "/api/v1", "/apix")]
    assert taken == [True, True, False]
    assert not expressions.matches("(", "/")
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("alone")
@pytest.mark.timeout(30)
def test_what_python_cannot_read_in_time_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expressions, "PATIENCE", 0.5)
    with pytest.raises(Busy, match="too long"):
        expressions.matches("/(.+)+$A", "/" + "." * 200)
