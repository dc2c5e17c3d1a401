"""The pages of the site: all of the course's text, nothing of its answers, and no broken link."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kubelab import labs, pages, website
from kubelab.errors import BuildFailed
from kubelab.site import ROOT, Site

ALL = {page.place: page for page in pages.every(ROOT)}
LABS = list(labs.every(ROOT))
IN_NAVIGATION = re.findall(r"[a-z0-9/-]+\.md", json.dumps(pages.navigation(ROOT)))


def test_the_navigation_has_every_lab_and_every_document_once() -> None:
    documents = [path.name for path in (ROOT / "docs").glob("*.md")]
    assert sorted(IN_NAVIGATION) == sorted([*ALL, *documents])
    assert [place for place in IN_NAVIGATION if "/" in place] == [
        f"labs/{lab.slug}.md" for lab in LABS
    ]


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.slug)
def test_a_labs_page_has_its_text_its_tasks_and_their_reasons(lab: labs.Lab) -> None:
    text = ALL[pages.place(lab)].text
    prose = pages.DIAGRAM.sub("", text)
    for cell in json.loads(lab.notebook.read_text())["cells"]:
        for line in pages.DIAGRAM.sub("", pages.source(cell)).splitlines():
            if cell["cell_type"] == "markdown":
                assert line in prose
    plain = " ".join(text.split())
    for task in lab.tasks.values():
        assert plain.count(task.sentence) >= 2  # in the prose, and in the task's box
        assert " ".join(task.why.split()) in plain
    for one in lab.predictions.values():
        assert f"    {one.question}\n" in text
    assert "```mermaid" not in text


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.slug)
def test_no_page_tells_a_hint(lab: labs.Lab) -> None:
    text = " ".join(" ".join(page.text.split()) for page in ALL.values())
    for task in lab.tasks.values():
        assert not [hint for hint in task.hints if " ".join(hint.split()) in text]


def test_a_diagram_is_a_picture_with_its_source_as_text() -> None:
    page = ALL["labs/03-services.md"]
    (picture,) = page.diagrams
    assert page.diagrams[picture].startswith("flowchart LR")
    assert f"![Diagram: Where does a name lead?](../{picture})" in page.text
    assert '??? note "The same as text"\n\n    ```text\n    flowchart LR' in page.text


def test_the_start_page_has_the_labs_in_place_of_the_live_map() -> None:
    text = ALL["index.md"].text
    for lab in LABS:
        row = f"| [{lab.number} {lab.title}](labs/{lab.slug}.md) | {lab.about} | {lab.minutes} |"
        assert row in text
    assert "Shift+Enter" not in text


def test_every_task_stands_in_the_table_for_teachers() -> None:
    text = ALL["tasks.md"].text
    for lab in LABS:
        for task in lab.tasks.values():
            assert f"| {task.id} | {task.sentence} | {task.points} |" in text


def test_a_fence_is_longer_than_those_inside() -> None:
    assert pages.fenced("text", "a\n```\nb") == "````text\na\n```\nb\n````"


def test_a_cell_is_what_it_asks_or_what_it_runs() -> None:
    lab = labs.find(ROOT, "03")
    both = pages.code('predict("03.p1")\npredict("03.p2")', lab, pages.ENGLISH)
    assert both.count('!!! question "03.p') == 2
    look = pages.code("topology()", lab, pages.ENGLISH)
    assert look == "```python\ntopology()\n```"
    bash = pages.code("%%bash\nkubectl get pods\n", lab, pages.ENGLISH)
    assert bash == "```bash\nkubectl get pods\n```"


class Runs:
    """Stands in for `subprocess.run`: what was run, and that it went well or not."""

    def __init__(self, code: int = 0) -> None:
        self.code = code
        self.commands: list[list[str]] = []

    def __call__(self, command: list[str], **_: Any) -> Any:
        self.commands.append(command)
        if command[1:3] == ["-m", "venv"]:
            Path(command[-1]).mkdir(parents=True)
        return subprocess.CompletedProcess(command, self.code)


def test_the_sites_environment_is_made_once_and_anew_when_its_packages_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = Runs()
    monkeypatch.setattr(website.subprocess, "run", runs)
    monkeypatch.setattr(website, "REQUIREMENTS", tmp_path / "requirements-docs.txt")
    website.REQUIREMENTS.write_text("mkdocs==1\n")
    site = Site(root=tmp_path)
    page = website.build(site)
    assert page == tmp_path / ".kubelab" / "site" / "index.html"
    words = [command[1:4] for command in runs.commands]
    assert words[0][:2] == ["-m", "venv"]
    assert words[1:] == [["-m", "pip", "install"], ["-m", "mkdocs", "build"]]
    assert "--strict" in runs.commands[-1]
    website.serve(site)
    assert len(runs.commands) == 4
    website.REQUIREMENTS.write_text("mkdocs==2\n")
    website.build(site)
    assert len(runs.commands) == 7


def test_a_site_that_was_not_built_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(website.subprocess, "run", Runs(1))
    with pytest.raises(BuildFailed, match="packages could not be installed"):
        website.build(Site(root=tmp_path))


def test_the_pages_are_made_without_the_learners_packages() -> None:
    """The site's environment has MkDocs and PyYAML, and neither Jupyter nor Kubernetes' client."""
    program = (
        "import sys; from kubelab import pages; from kubelab.site import ROOT;"
        "list(pages.every(ROOT)); print(*sys.modules)"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not {"nbformat", "kubernetes", "jsonschema", "IPython", "pytest"} & set(
        told.stdout.split()
    )
