"""The OCI shim takes away what the host cannot grant, and nothing else."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

from kubelab import oci_shim

ALL = "CapBnd:\t000001ffffffffff\n"
WITHOUT_SYS_RESOURCE = "CapBnd:\t000001fffeffffff\n"


def test_a_full_bounding_set_is_what_a_privileged_container_asks_for() -> None:
    assert oci_shim.bounding_set(ALL) == oci_shim.PRIVILEGED


def test_the_missing_capability_is_named() -> None:
    assert oci_shim.PRIVILEGED - oci_shim.bounding_set(WITHOUT_SYS_RESOURCE) == {"SYS_RESOURCE"}


def test_capabilities_that_the_host_lacks_are_dropped_from_every_set() -> None:
    process = {
        "capabilities": {
            "bounding": ["CAP_SYS_RESOURCE", "CAP_SYS_ADMIN"],
            "ambient": None,
        }
    }
    oci_shim.clamp(process, oci_shim.bounding_set(WITHOUT_SYS_RESOURCE), 0)
    assert process["capabilities"] == {"bounding": ["CAP_SYS_ADMIN"], "ambient": []}


def test_limits_are_lowered_to_the_hard_limit_and_never_raised() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    process = {
        "rlimits": [
            {"type": "RLIMIT_NOFILE", "hard": hard * 4, "soft": 64},
            {"type": "RLIMIT_OF_ANOTHER_KERNEL", "hard": 1, "soft": 1},
        ]
    }
    oci_shim.clamp(process, oci_shim.PRIVILEGED, 0)
    assert process["rlimits"][0] == {"type": "RLIMIT_NOFILE", "hard": hard, "soft": 64}
    assert process["rlimits"][1]["hard"] == 1


def test_oom_score_adj_is_raised_to_the_hosts_and_left_alone_above() -> None:
    low, high = {"oomScoreAdj": -999}, {"oomScoreAdj": 500}
    oci_shim.clamp(low, oci_shim.PRIVILEGED, 0)
    oci_shim.clamp(high, oci_shim.PRIVILEGED, 0)
    assert (low["oomScoreAdj"], high["oomScoreAdj"]) == (0, 500)


def test_options_are_read_in_both_forms() -> None:
    assert oci_shim.option(["create", "--bundle", "/b", "id"], "--bundle", "-b") == "/b"
    assert oci_shim.option(["exec", "--process=/p", "id"], "--process", "-p") == "/p"
    assert oci_shim.option(["state", "id"], "--bundle", "-b") is None


def test_the_program_clamps_the_bundle_and_becomes_runc(tmp_path: Path) -> None:
    """Run as Docker runs it, with a runc that tells how it was called."""
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    config = {"process": {"capabilities": {"bounding": ["CAP_CHOWN", "CAP_NO_SUCH"]}}}
    (bundle / "config.json").write_text(json.dumps(config))
    runc = tmp_path / "runc"
    runc.write_text('#!/bin/sh\necho "runc $@"\n')
    runc.chmod(0o755)
    source = (
        Path(oci_shim.__file__)
        .read_text()
        .replace("/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin:/sbin:/bin", str(tmp_path))
    )
    program = tmp_path / "shim.py"
    program.write_text(source)
    done = subprocess.run(
        [sys.executable, "-ES", str(program), "create", "--bundle", str(bundle), "id"],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"]},
    )
    assert done.stdout.strip() == f"runc create --bundle {bundle} id"
    written = json.loads((bundle / "config.json").read_text())
    assert written["process"]["capabilities"]["bounding"] == ["CAP_CHOWN"]
