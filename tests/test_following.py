"""One `up` at a time: the second one waits, and tells what the first one does."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kubelab import following
from kubelab.errors import EnvironmentFault
from kubelab.progress import Progress, Stage
from kubelab.site import ROOT, Site

HOLDER = """
import sys
from pathlib import Path
from kubelab import following
from kubelab.site import Site
with following.alone(Site(root=Path(sys.argv[1])), "up"):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(root=tmp_path)


def holder(site: Site) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(site.root)],
        env={"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_the_second_one_waits_for_the_first_and_then_goes_on(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = holder(site)
    waited = []

    def until(free: Any) -> None:
        waited.append(free())
        process.communicate("\n", timeout=20)
        waited.append(free())

    monkeypatch.setattr(following, "_until", until)
    with following.alone(site, "up"):
        assert waited == [False, True]


def test_down_does_not_wait_but_says_who_is_at_work(site: Site) -> None:
    process = holder(site)
    with (
        pytest.raises(EnvironmentFault, match=r"`\./lab up` is at work"),
        following.alone(site, "down", wait=False),
    ):
        pass
    process.communicate("\n", timeout=20)


def test_a_killed_holder_leaves_nothing_to_wait_for(site: Site) -> None:
    process = holder(site)
    process.kill()
    process.communicate(timeout=20)
    with following.alone(site, "down", wait=False):
        pass


def test_two_sites_do_not_wait_for_each_other(site: Site) -> None:
    with (
        following.alone(site, "up"),
        following.alone(Site("kubelab-test", site.root), "up", wait=False),
    ):
        pass


def test_following_ends_with_the_work_and_tells_each_stage_once(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Progress([Stage("a", "First", 5), Stage("b", "Second", 10)], site.progress)
    said: list[str] = []

    def until(ended: Any) -> None:
        assert not ended()
        with made.stage("a"):
            assert not ended()
            assert not ended()
        assert not ended()
        with made.stage("b"):
            assert not ended()
        made.finish()
        assert ended()

    monkeypatch.setattr(following, "_until", until)
    record = following.follow(site, said.append)
    assert record is not None
    assert record["state"] == "done"
    assert "at work (process" in said[0]
    assert [line.split(";")[0].strip() for line in said[1:]] == [
        "First",
        "First: done in 0 s",
        "Second",
    ]


def test_where_nothing_was_begun_there_is_nothing_to_follow(site: Site) -> None:
    assert following.follow(site, print) is None


def test_a_record_of_a_dead_process_is_not_followed(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    script = "from kubelab.progress import *; import sys; from pathlib import Path\n"
    script += "Progress([Stage('a', 'A', 1)], Path(sys.argv[1]))"
    subprocess.run(
        [sys.executable, "-c", script, str(site.progress)],
        env={"PYTHONPATH": str(ROOT)},
        check=True,
    )
    record = following.follow(site)
    assert record is not None
    assert record["state"] == "interrupted"
    assert capsys.readouterr().err == ""
