"""The course of one lab is run by the machinery's tests, not collected beside them."""

import os
import signal
import sys
from pathlib import Path

import pytest

collect_ignore = ["course"]
# Seconds for a test that names none of its own: the last guard against one that hangs. Not in
# pyproject.toml, which `pytest checks/` reads also where pytest-timeout is not installed.
LONGEST = {Path(__file__).parent: 300, Path(__file__).parent / "e2e": 1200}
# The tests read English, whatever the terminal's language is; those of Chinese ask for it.
os.environ["KUBELAB_LANG"] = "en"
# A shell's background job ignores Ctrl-C, and so would every program that a test interrupts.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# jsonschema would make 35 parsers of IRIs when it is imported, a second of work or two, for a
# format that no schema here asks for; it does without where they are absent.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test its longest time."""
    for item in items:
        longest = LONGEST.get(item.path.parent)
        if longest and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(longest))
