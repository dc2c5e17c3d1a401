"""The map of the course: as text, and as HTML that says the same."""

from __future__ import annotations

from typing import Any

import pytest
from test_notebook_result import plain, seen

from kubelab import course, notebook, notebook_course, standing
from kubelab.site import ROOT, Site

TASKS = [
    {"task": "03.1", "title": "It is `so`.", "done": True, "points": 3, "of": 3, "attempts": 2,
     "hints": 1, "reference": True},
    {"task": "03.2", "title": "It is <so>.", "done": False, "points": 0, "of": 2, "attempts": 1,
     "hints": 0, "reference": False},
    {"task": "03.3", "title": "It is.", "done": False, "points": 0, "of": 1, "attempts": 0,
     "hints": 0, "reference": False},
]  # fmt: skip


def lab(number: str, **changed: Any) -> standing.Facts:
    whole = {
        "lab": number, "title": f"Lab & {number}", "about": "one name for <many>", "minutes": 30,
        "notebook": f"{number}-x.ipynb", "started": False, "done": False, "points": 0, "of": 6,
        "attempts": 0, "tasks": [],
    }  # fmt: skip
    return whole | changed


LABS = [
    lab("02", done=True, points=6, attempts=3),
    lab("03", points=3, attempts=3, tasks=TASKS),
    lab("04"),
]


def facts(**changed: Any) -> standing.Facts:
    return {"labs": LABS, "up": None, "cluster": {"version": "v1.37.2"}} | changed


def test_the_text_of_the_map() -> None:
    assert course.lines(LABS) == [
        "1 of 3 labs done, 9 of 18 points. The rest takes about 60 minutes.",
        "",
        "  02  Lab & 02  30 min  done         6 of 6 points",
        "  03  Lab & 03  30 min  begun        3 of 6 points",
        "      03.1  done      3 of 3 points  2 attempts, 1 hint, with the reference",
        "      03.2  not done  0 of 2 points  1 attempt",
        "      03.3  open      0 of 1 points",
        "  04  Lab & 04  30 min  not begun    0 of 6 points",
    ]
    done = [lab("02", done=True, points=6, attempts=3)]
    assert course.summary(done) == "Every lab is done: 6 of 6 points."


def test_a_long_title_stays_within_80_columns() -> None:
    long = lab("05", title="What " * 12, points=10, of=10)
    assert max(len(line) for line in course.lines([long, *LABS])) <= 80


@pytest.mark.parametrize(
    ("changed", "words", "onward"),
    [
        ({}, "go on with the next lab", "03"),
        ({"labs": LABS[::2]}, "open the next lab", "04"),
        ({"labs": LABS[:1]}, "`./lab down` saves your objects", None),
        ({"cluster": {"version": None}}, "Type `./lab up` in a terminal", "03"),
        (
            {"up": {"state": "running", "stage": None, "left": 130.0}},
            "being made (beginning), 2 min 10 s left",
            "03",
        ),
    ],
)
def test_where_to_go_on_follows_from_what_is_there(
    changed: dict[str, Any], words: str, onward: str | None
) -> None:
    told, found = course.onward(facts(**changed))
    assert words in told
    assert (found["lab"] if found else None) == onward


def test_the_html_says_what_the_text_says_and_links_the_notebooks() -> None:
    for changed in ({}, {"labs": LABS[:1]}):
        text = notebook_course.text(facts(**changed), "As of today.")
        markup = notebook_course.markup(facts(**changed), "As of today.")
        shown = seen(markup)
        for one in facts(**changed)["labs"]:
            assert f'<a href="{one["notebook"]}">' in markup
            for part in (one["title"], one["about"], str(one["minutes"]), course.state(one)):
                assert plain(part) in shown
            for task in one["tasks"] if course.begun(one) else ():
                for part in (task["task"], task["title"], course.points(task), *course.notes(task)):
                    assert plain(part) in shown
        for line in (course.summary(facts(**changed)["labs"]), "As of today."):
            assert line in text
            assert plain(line) in shown
        assert plain(course.onward(facts(**changed))[0]) in shown


def test_the_tasks_of_a_lab_that_was_not_begun_are_not_told() -> None:
    assert "<details>" not in notebook_course.table([lab("04", tasks=TASKS)])
    assert "03.1" not in "\n".join(course.lines([lab("04", tasks=TASKS)]))


def test_status_in_a_notebook_needs_neither_cluster_nor_engine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "labs").symlink_to(ROOT / "labs")
    monkeypatch.setattr(notebook, "here", lambda: Site(root=tmp_path))
    monkeypatch.setattr("kubelab.engine.find", lambda: None)
    notebook.status()
    told = capsys.readouterr().out
    assert "labs done, 0 of" in told
    assert "`./lab up`" in told
    assert "ipynb" in told
