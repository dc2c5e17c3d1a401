"""Look at this machine without changing anything: each line is ok, or has the exact fix."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from kubelab.errors import EnvironmentFault
from kubelab.site import here

EXAMPLES = ["./lab doctor", "./lab doctor --json"]


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(chosen: argparse.Namespace) -> int:
    """Look, print, and say by the exit code whether all is well: 0, else 4."""
    from kubelab.doctor import FIX, diagnose, gather, line

    found = diagnose(gather(here()))
    well = all(one.state != FIX for one in found)
    if chosen.json:
        print(json.dumps({"ok": well, "findings": [asdict(one) for one in found]}, indent=2))
    else:
        print("\n".join(line(one) for one in found))
    return 0 if well else EnvironmentFault.exit_code
