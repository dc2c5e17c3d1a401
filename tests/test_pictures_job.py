"""The picture of a Job: a lane for each Pod, and the same facts as text."""

import xml.etree.ElementTree as ElementTree

import runs

from kubelab.pictures import job as picture

SPACE = "{http://www.w3.org/2000/svg}"
# An Indexed Job with a Pod of every kind: done, failed and tried again, at work, not started yet.
SEEN = picture.gantt(
    runs.job(status={"succeeded": 2}),
    [
        runs.pod("shards-0-x7k2p", 0, 1, 7, index=0),
        runs.pod("shards-1-m4d9q", 0, 2, 4, 1, index=1),
        runs.pod("shards-1-z8w3c", 14, 15, index=1),
        runs.pod("shards-2-b5n6t", 8, 9, 13, index=2),
        runs.pod("shards-3-h2j8v", 14, index=3),
    ],
    runs.NOON + 20,
)


def words(svg: str) -> list[str | None]:
    return [one.text for one in ElementTree.fromstring(svg).iter(f"{SPACE}text")]


def test_a_finished_job_shows_each_run_with_its_exit_code() -> None:
    body = runs.job(ended="Complete", status={"succeeded": 6})
    seen = picture.gantt(body, runs.two_rounds(), runs.NOON + 90)
    lines = picture.told(seen).splitlines()
    assert lines[0] == "job/pi: Complete, 6 of 6 succeeded, at most 3 Pods at a time"
    assert lines[1] == "  pi-0: from 1 s to 6 s, exit 0"
    assert lines[6] == "  pi-5: from 9 s to 14 s, exit 0"
    assert seen.over
    svg = picture.svg(seen)
    assert ElementTree.fromstring(svg).findtext(f"{SPACE}desc") == picture.told(seen)
    assert words(svg).count("exit 0") == 6
    # Whenever it is looked at, a finished Job ends with its last Pod.
    assert "14 s" in words(svg)


def test_lanes_of_an_indexed_job_stand_in_the_order_of_the_indexes() -> None:
    pods = [
        runs.pod("pi-1-x", 0, 1, 3, index=1),
        runs.pod("pi-0-x", 0, 1, 2, 1, index=0),
        runs.pod("pi-0-y", 12, 13, index=0),
        runs.pod("pi-2-x", 14, index=2),
    ]
    seen = picture.gantt(runs.job(status={"succeeded": 1}), pods, runs.NOON + 20)
    assert picture.told(seen).splitlines()[1:] == [
        "  index 0 (pi-0-x): from 1 s to 2 s, exit 1",
        "  index 0 (pi-0-y): from 13 s on, running",
        "  index 1 (pi-1-x): from 1 s to 3 s, exit 0",
        "  index 2 (pi-2-x): made at 14 s, waits",
    ]
    assert not seen.over
    shown = words(picture.svg(seen))
    assert [one for one in shown if str(one).startswith("index")] == [
        "index 0", "index 0", "index 1", "index 2"
    ]  # fmt: skip


def test_a_failed_job_says_why_and_one_without_pods_says_so() -> None:
    body = runs.job(ended="Failed", reason="BackoffLimitExceeded")
    assert "Failed (BackoffLimitExceeded)" in picture.told(picture.gantt(body, [], runs.NOON))
    seen = picture.gantt(runs.job(suspend=True), [], runs.NOON)
    assert picture.told(seen).splitlines()[1] == "  no Pod was made"
    assert "suspended" in seen.head
    ElementTree.fromstring(picture.svg(seen))


def test_of_very_many_pods_some_are_counted_only() -> None:
    pods = [runs.pod(f"pi-{number}", number, number, number + 1) for number in range(30)]
    seen = picture.gantt(runs.job(), pods, runs.NOON + 40)
    assert "and 6 more" in words(picture.svg(seen))


def test_how_a_short_run_ended_stands_behind_it_also_at_the_edge() -> None:
    pods = [runs.pod("pi-0", 0, 2, 2), runs.pod("pi-1", 0, 60, 60, 1)]
    root = ElementTree.fromstring(picture.svg(picture.gantt(runs.job(), pods, runs.NOON + 60)))
    boxes = [
        (float(one.attrib["x"]), float(one.attrib["width"])) for one in root.iter(f"{SPACE}rect")
    ]
    ends = {one.text: float(one.attrib["x"]) for one in root.iter(f"{SPACE}text")}
    assert ends["exit 1"] > max(x + width for x, width in boxes)
    assert ends["exit 1"] + 50 < float(root.attrib["width"])
