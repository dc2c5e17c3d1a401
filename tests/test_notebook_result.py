"""A check's result in a notebook: its text, and an HTML twin that says the same."""

from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest

from kubelab import notebook, notebook_result, report, runner
from kubelab.site import Site

RECORD: dict[str, Any] = {
    "lab": "02",
    "check": "02.1",
    "title": "Pod `web` is ready & answers.",
    "verdict": "fail",
    "points": 3,
    "earned": 0,
    "reason": "not-ready",
    "wanted": "pod/web ready",
    "found": "pod/web not ready",
    "why": "A readiness probe keeps requests away.",
    "look": "kubectl -n lab-02 describe pod web",
    "chain": ["Pod web", "└─ container <server>: readiness probe: HTTP 503"],
    "events": [{"age": 12.0, "reason": "Unhealthy", "message": "Readiness failed", "count": 3}],
    "near": ["lab-02 has webb; the task asks web"],
    "log": ["listens on port 8080"],
}


class Words(HTMLParser):
    """The text of a piece of HTML, as its reader sees it."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.words = ""
        self.feed(markup)

    def handle_data(self, data: str) -> None:
        self.words += f"{data} "


def seen(markup: str) -> str:
    return "".join(Words(markup).words.split())


def plain(text: str) -> str:
    return "".join(text.replace("`", "").split())


def test_the_html_says_all_that_the_text_says() -> None:
    shown = seen(notebook_result.markup(RECORD))
    for part in ("title", "wanted", "found", "why", "look"):
        assert plain(RECORD[part]) in shown, part
    for line in report.tree(RECORD):
        assert plain(line) in shown
    assert plain(RECORD["near"][0]) in shown
    assert plain(RECORD["log"][0]) in shown
    assert "02.1notdone,0of3points" in shown


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("pass", "done, 3 of 3 points"),
        ("fail", "not done, 0 of 3 points"),
        ("not_yet", "still converging, 0 of 3 points"),
        ("env", "could not check, 0 of 3 points"),
    ],
)
def test_the_verdict_is_a_word_and_never_a_colour_alone(verdict: str, words: str) -> None:
    one = RECORD | {"verdict": verdict, "earned": 3 if verdict == "pass" else 0}
    assert f"<b>02.1  {words}</b>" in notebook_result.markup(one)


def test_a_lab_that_was_not_started_is_one_line() -> None:
    shown = notebook_result.markup(RECORD | {"reason": "not-started"})
    assert seen(shown) == "02.1notstarted:./labstart02"


def test_a_reason_of_the_environment_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    one = RECORD | {"verdict": "env", "wanted": None, "found": "The API server is away."}
    shown = seen(notebook_result.markup(one))
    assert "becauseTheAPIserverisaway." in shown
    assert plain(RECORD["why"]) not in shown


def test_check_prints_the_text_of_its_result(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(
        site: Site,
        names: list[str],
        *,
        timeout: float | None,
        tell: Callable[[Any], None],
        **_: Any,
    ) -> None:
        assert (names, timeout) == (["02.1"], 5)
        tell(RECORD)

    monkeypatch.setattr(runner, "run", run)
    notebook.check("02.1", timeout=5)
    assert capsys.readouterr().out == f"{report.text(RECORD)}\n"


def test_a_task_that_is_not_there_is_said_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    notebook.check("02.9")
    assert "There is no task 02.9" in capsys.readouterr().out
