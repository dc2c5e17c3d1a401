"""The pages of the site: all of the course's text, nothing of its answers, and no broken link."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubelab import diagrams, labs, pages, search_index, translation, website
from kubelab.errors import BuildFailed
from kubelab.pages import CHINESE, EDITIONS, ENGLISH, Edition
from kubelab.site import ROOT, Site

LABS = list(labs.every(ROOT))
ALL = {code: {page.place: page for page in pages.every(ROOT, EDITIONS[code])} for code in EDITIONS}
DOCUMENTS = {
    code: [path.name for path in (ROOT / "docs" / one.folder).glob("*.md")]
    for code, one in EDITIONS.items()
}
KNOWN = {code: {*ALL[code], *DOCUMENTS[code]} for code in EDITIONS}
CHINESE_SIGN = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(params=EDITIONS.values(), ids=EDITIONS)
def edition(request: pytest.FixtureRequest) -> Edition:
    return request.param


@pytest.fixture(params=LABS, ids=lambda lab: lab.slug)
def lab(request: pytest.FixtureRequest, edition: Edition) -> labs.Lab:
    """A lab with its text in the language of the edition."""
    return translation.told(request.param, edition.language)


def text_of(edition: Edition, place: str) -> str:
    return ALL[edition.language][place].text


def test_the_navigation_has_every_lab_and_every_document_once(edition: Edition) -> None:
    named = json.dumps(pages.navigation(ROOT, edition))
    found = re.findall(r"[a-z0-9/-]+\.md", named)
    assert sorted(found) == sorted(KNOWN[edition.language])
    assert [place for place in found if "/" in place] == [f"labs/{lab.slug}.md" for lab in LABS]


def test_a_labs_page_has_its_text_its_tasks_and_their_reasons(
    edition: Edition, lab: labs.Lab
) -> None:
    text = text_of(edition, pages.place(lab))
    prose = pages.DIAGRAM.sub("", text)
    for cell in pages.cells(ROOT, lab.slug, edition):
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


def test_no_page_tells_a_hint(edition: Edition, lab: labs.Lab) -> None:
    several = ALL[edition.language].values()
    text = " ".join(" ".join(page.text.split()) for page in several)
    for task in lab.tasks.values():
        assert not [hint for hint in task.hints if " ".join(hint.split()) in text]


def test_a_diagram_is_a_picture_with_its_source_as_text() -> None:
    page = ALL["en"]["labs/03-services.md"]
    (picture,) = page.diagrams
    assert page.diagrams[picture].startswith("flowchart LR")
    assert f"![Diagram: Where does a name lead?](../{picture})" in page.text
    assert '??? note "The same as text"\n\n    ```text\n    flowchart LR' in page.text
    assert f"![图：名字通向哪里？](../{picture})" in ALL["zh"]["labs/03-services.md"].text


def test_the_start_page_has_the_labs_in_place_of_the_live_map(
    edition: Edition, lab: labs.Lab
) -> None:
    text = text_of(edition, "index.md")
    assert (
        f"| [{lab.number} {lab.title}](labs/{lab.slug}.md) | {lab.about} | {lab.minutes} |" in text
    )
    assert "Shift+Enter" not in text


def test_every_task_stands_in_the_table_for_teachers(edition: Edition, lab: labs.Lab) -> None:
    text = text_of(edition, "tasks.md")
    for task in lab.tasks.values():
        assert f"| {task.id} | {task.sentence} | {task.points} |" in text


# In Chinese


def test_every_word_of_the_site_is_chinese() -> None:
    for field in dataclasses.fields(Edition):
        ours, theirs = (getattr(one, field.name) for one in (CHINESE, ENGLISH))
        assert ours
        assert ours != theirs, field.name
        if field.name not in ("language", "folder"):
            several = [ours] if isinstance(ours, str) else ours
            assert all(CHINESE_SIGN.search(str(one)) for one in several), field.name


def test_the_chinese_words_have_the_same_places() -> None:
    for field in dataclasses.fields(Edition):
        ours, theirs = (
            re.findall(r"\{\w+\}", str(getattr(one, field.name))) for one in (CHINESE, ENGLISH)
        )
        assert sorted(ours) == sorted(theirs), field.name


def test_what_is_configured_is_said_in_chinese() -> None:
    ours = yaml.safe_load((ROOT / "mkdocs.zh.yml").read_text(encoding="utf-8"))
    assert ours["theme"]["language"] == CHINESE.language
    words = [ours["site_description"], *(one["toggle"]["name"] for one in ours["theme"]["palette"])]
    assert all(map(CHINESE_SIGN.search, words))


def test_a_lab_is_told_in_chinese_and_what_is_missing_stays_english() -> None:
    lab = labs.find(ROOT, "03")
    ours = translation.told(lab, "zh")
    pieces = translation.translated(lab)
    assert (ours.title, ours.about) == (pieces["title"], pieces["about"])
    assert ours.task("03.1").hints[1] == pieces["tasks.03.1.hints.2"]
    assert ours.predictions["03.p1"].choices[2] == pieces["predictions.03.p1.choices.3"]
    assert ours.task("03.1").points == lab.task("03.1").points
    assert translation.told(lab, "en") == lab


# From one edition to another


def links(edition: Edition, page: str) -> list[str]:
    return [one["link"] for one in pages.switch(edition, page, KNOWN)]


def test_the_switch_leads_to_the_same_page_or_to_the_start_page() -> None:
    assert links(ENGLISH, "labs/02-pods.md") == ["labs/02-pods.html", "zh/labs/02-pods.html"]
    assert links(CHINESE, "labs/02-pods.md") == ["../labs/02-pods.html", "labs/02-pods.html"]
    assert links(ENGLISH, "commands.md") == ["commands.html", "zh/index.html"]
    assert [one["name"] for one in pages.switch(CHINESE, "index.md", KNOWN)] == [
        "English",
        "简体中文",
    ]


def test_a_link_out_of_the_edition_is_html_and_has_to_lead_to_a_document() -> None:
    text = "[a](../commands.md#x), [b](reasons.md), [c](../../site.md), [d](../gone.md)"
    told, lost = pages.outward(text, "tasks.md", KNOWN["en"])
    assert told.startswith('<a href="../commands.html#x" hreflang="en">a</a>, [b](reasons.md), ')
    assert lost == ["../../site.md", "../gone.md"]
    inside = "[e](../tasks.md)"
    assert pages.outward(inside, "labs/02-pods.md", KNOWN["en"]) == (inside, [])


def test_no_chinese_page_links_an_english_document_that_is_not_there() -> None:
    several = {place: page.text for place, page in ALL["zh"].items()}
    for name in DOCUMENTS["zh"]:
        several[name] = (ROOT / "docs" / "zh" / name).read_text(encoding="utf-8")
    found = [pages.outward(text, place, KNOWN["en"]) for place, text in several.items()]
    assert [lost for _, lost in found if lost] == []
    assert sum(text.count('hreflang="en"') for text, _ in found) >= 2


# What Chinese needs besides


def test_the_search_knows_what_begins_at_each_chinese_sign() -> None:
    section = {"location": "a", "title": "就绪", "text": "<p>Pod 的就绪探针，探针</p>"}
    index = search_index.searchable({"config": {"fields": {}}, "docs": [section]})
    (found,) = index["docs"]
    end = search_index.END
    words = ["就绪", "绪", "的就绪探针", "就绪探针", "绪探针", "探针", "针"]
    assert found["words"].split() == [f"{word}{end}" for word in words]
    assert found["text"] == f"<p>Pod 的就绪探针{end}，探针{end}</p>"
    assert "words" in index["config"]["fields"]


def test_a_word_of_the_index_is_no_longer_than_it_has_to_be() -> None:
    assert search_index.words("一二三四五六七八").split()[0] == f"一二三四五六{search_index.END}"


def test_a_chinese_sign_is_measured_as_wide_as_it_is() -> None:
    measure = diagrams.widened(lambda _, text, size: (text, size))
    assert measure(None, "Pod，就绪", 16) == ("Pod\u2014\u2014\u2014", 16)


# A cell


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
    assert "--quiet" not in runs.commands[-1]  # it silences what a strict build counts
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
        "[*pages.every(ROOT), *pages.every(ROOT, pages.CHINESE)]; print(*sys.modules)"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not {"nbformat", "kubernetes", "jsonschema", "IPython", "pytest"} & set(
        told.stdout.split()
    )
