"""Whether a regular expression of a route takes a path, as Envoy reads it: a learner wrote it.

Python's own reader may take for ever, and lets no other thread run meanwhile.
"""

from __future__ import annotations

import subprocess
import sys
from functools import lru_cache

from kubelab.errors import Busy

ALONE = "import re, sys; sys.exit(re.fullmatch(*sys.argv[1:]) is None)"
# Seconds for Python's own reader, its start included.
PATIENCE = 5.0


@lru_cache(maxsize=1024)
def matches(expression: str, path: str) -> bool:
    """Whether a regular expression takes a path as a whole; one that Envoy refuses takes none."""
    try:
        # Envoy's own library: it takes as long as the path is.
        import re2
    except ImportError:
        return alone(expression, path)
    quiet = re2.Options()
    quiet.log_errors = False
    try:
        return re2.fullmatch(expression, path, quiet) is not None
    except re2.error:
        return False


def alone(expression: str, path: str) -> bool:
    """The same by Python's own reader, in a process that can be ended; raises Busy then."""
    words = [sys.executable, "-I", "-S", "-c", ALONE, expression, path]
    try:
        return not subprocess.run(words, stderr=subprocess.DEVNULL, timeout=PATIENCE).returncode
    except subprocess.TimeoutExpired:
        raise Busy(
            "A regular expression of a route takes too long to be read on this machine.",
            look="kubectl get ingress,httproute,httpproxy -o yaml",
        ) from None
