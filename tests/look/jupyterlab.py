"""The notebooks in JupyterLab in headless Chromium: pictures to look at, and what is wrong.

    apt-get install -y chromium
    python tests/look/jupyterlab.py --out /tmp/pictures [--brief|--run] [02-pods.ipynb ...]

Each notebook is shown in the light and in the dark theme, also in a narrow window, and saved one
screen after another; each drawing is saved apart. The exit code is 1 where something of ours is
wider than its place, where words leave a drawing, or where axe finds a serious or critical fault in
our text or output; also where a fault that the look has planted itself is not found.
JupyterLab's own faults are counted, and listed in `jupyterlab.txt`.

It works on copies in a folder of its own. Without `--run` no cluster is needed: the start page is
run, and so is `specimens.ipynb`, a notebook of everything that the course says and draws. With
`--run` every cell of every notebook is run first, in the labs of the cluster that KUBELAB_CLUSTER
names (the project's own: kubelab-test).
With `--brief`, for every day, a notebook that is not run is only text: it is looked at in the light
theme, and no picture of it is kept but that of the narrow window.
A notebook may also be a path, as of a translation, or of a trial that is no part of the course.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import faults
import specimens
from playwright.sync_api import Locator, Page, sync_playwright

from kubelab import jupyter, jupyter_files
from kubelab.site import ROOT, Site, here

SCREEN = {"width": 1280, "height": 900}
# A small laptop's window with the list of files open: a cell is 500 px wide there.
NARROW = {"width": 800, "height": 900}
RUN_SECONDS = 300
# These are run without a cluster.
NEED_NONE = (jupyter_files.INDEX, specimens.NAME, specimens.PLANTED)
# All cells are in the page at once, where axe can see them.
SETTINGS = {"@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"}}
# Nothing of Chromium's own asks the network.
QUIET = ("no-sandbox", "disable-background-networking", "disable-component-update", "disable-sync")


@dataclass(frozen=True)
class Studio(Site):
    """A site whose notebooks and JupyterLab are its own, beside an existing cluster."""

    folder: Path = Path()

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def work(self) -> Path:
        return self.folder / "work"


@dataclass
class Look:
    """One notebook in one theme: where it is shown, and under which name its pictures are kept."""

    page: Page
    name: str
    scheme: str
    out: Path

    @property
    def stem(self) -> str:
        """What its pictures' names begin with."""
        return f"{Path(self.name).stem}-{self.scheme}"

    def screens(self) -> Iterator[None]:
        """Scroll from one screen to the next, and save each."""
        outer = self.page.locator(".jp-WindowedPanel-outer").first
        height = outer.evaluate("e => e.scrollHeight")
        step = outer.evaluate("e => e.clientHeight") - 40
        for number, top in enumerate(range(0, height, step), 1):
            outer.evaluate("(e, top) => { e.scrollTop = top }", top)
            self.page.wait_for_timeout(500)
            self.page.screenshot(path=self.out / f"{self.stem}-{number:02}.png")
            yield

    def drawings(self, known: set[str]) -> list[str]:
        """Save every drawing that is new; what leaves a drawing, one line each."""
        wrong = []
        for one in self.page.locator("svg.kl-pic").all():
            key = one.evaluate("e => e.querySelector('title').textContent + e.innerHTML.length")
            if key not in known:
                known.add(key)
                wrong += self.drawing(one, len(known))
        return wrong

    def drawing(self, one: Locator, number: int) -> list[str]:
        """Save a drawing; what is wrong with it."""
        one.screenshot(path=self.out / f"{self.stem}-drawing-{number:02}.png")
        wrong = [f"drawing {number}: {words!r} leaves it" for words in one.evaluate(faults.OUTSIDE)]
        if one.evaluate("e => e.getBoundingClientRect().width") > 720.5:
            wrong.append(f"drawing {number} is wider than 720 px")
        return wrong


def main() -> None:
    """Take the pictures that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--run", action="store_true", help="run every cell first")
    parser.add_argument("--brief", action="store_true", help="text in one theme, without pictures")
    parser.add_argument("--chromium", default=shutil.which("chromium"))
    parser.add_argument("notebooks", nargs="*")
    asked = parser.parse_args()
    if asked.chromium is None:
        sys.exit("There is no Chromium here.\nlook: apt-get install -y chromium")
    asked.out.mkdir(parents=True, exist_ok=True)
    jupyter_files.SETTINGS.update(merged(SETTINGS))
    wrong: list[str] = []
    theirs: set[str] = set()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        site = Studio(name=here().name, root=ROOT, folder=Path(folder))
        link(site)
        names = [specimens.plant(site.work), *notebooks(site, asked.notebooks)]
        info = jupyter.start(site)
        browser = playwright.chromium.launch(
            executable_path=asked.chromium, args=[f"--{one}" for one in QUIET]
        )
        try:
            for name, scheme in themes(names, brief=asked.brief):
                page = browser.new_page(viewport=SCREEN, color_scheme=scheme)
                look = Look(page, name, scheme, asked.out)
                screens = not asked.brief or name in NEED_NONE
                ours, others = take(look, info, run=asked.run, screens=screens)
                page.close()
                if name == specimens.PLANTED:
                    ours = unseen(ours)
                wrong += [f"{look.stem}: {one}" for one in ours]
                theirs |= others
                print(f"{look.stem}: {len(ours)} of ours", flush=True)
        finally:
            browser.close()
            jupyter.stop(site)
    (asked.out / "jupyterlab.txt").write_text("\n".join(sorted(theirs)) + "\n", encoding="utf-8")
    print(f"JupyterLab's own: {len(theirs)}, see {asked.out / 'jupyterlab.txt'}")
    print("\n".join(wrong) if wrong else "Nothing of ours is wrong.")
    sys.exit(1 if wrong else 0)


def unseen(found: list[str]) -> list[str]:
    """The planted faults that were not found."""
    return [f"{one!r} was not seen" for one in specimens.FAULTS if one not in "\n".join(found)]


def themes(names: list[str], *, brief: bool) -> Iterator[tuple[str, Literal["light", "dark"]]]:
    """Each notebook with its themes."""
    for name in names:
        yield name, "light"
        if not brief or name in NEED_NONE:
            yield name, "dark"


def merged(changed: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The course's settings for JupyterLab, with those of this look."""
    return {key: {**jupyter_files.SETTINGS.get(key, {}), **one} for key, one in changed.items()}


def link(site: Studio) -> None:
    """Let the studio's kernel find the kubeconfigs of the cluster that is there."""
    site.state.mkdir()
    site.work.mkdir()
    for name in ("kubeconfig", "labs", "clusters"):
        if (here().state / name).exists():
            (site.state / name).symlink_to(here().state / name)


def notebooks(site: Studio, asked: list[str]) -> list[str]:
    """The names of the notebooks to look at, with copies of those that are paths."""
    if not asked:
        asked = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
        asked += sorted(str(path) for path in (ROOT / "notebooks").glob("*/*.ipynb"))
        asked.append(specimens.write(site.work))
    names = []
    for one in asked:
        path = Path(one)
        names.append(path.name if "/" not in one else f"{path.parent.name}-{path.name}")
        if "/" in one:
            shutil.copy(one, site.work / names[-1])
    return names


def take(
    look: Look, info: jupyter.JupyterInfo, *, run: bool, screens: bool
) -> tuple[list[str], set[str]]:
    """Look at one notebook, and run it first in the light theme; what is ours, what is not."""
    page = look.page
    page.goto(f"http://127.0.0.1:{info.port}/lab/tree/{look.name}?token={info.token}&reset")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=120_000)
    page.wait_for_selector(".jp-MarkdownOutput h1", timeout=60_000)
    runs = look.scheme == "light" and (run or look.name in NEED_NONE)
    if runs:
        run_all(page)
    page.wait_for_timeout(3000)
    known: set[str] = set()
    wrong: list[str] = []
    for _ in look.screens() if screens else ():
        wrong += look.drawings(known)
    wrong += faults.wide(page)
    page.set_viewport_size(NARROW)
    page.wait_for_timeout(1000)
    page.screenshot(path=look.out / f"{look.stem}-narrow.png")
    wrong += [f"in a narrow window {one}" for one in faults.wide(page)]
    page.set_viewport_size(SCREEN)
    found = faults.accessibility(page)
    if runs:
        page.keyboard.press("Control+s")
        page.wait_for_timeout(1500)
    ours = {str(one) for one in found if one.ours}
    return [*dict.fromkeys(wrong), *sorted(ours)], {str(one) for one in found if not one.ours}


def run_all(page: Page) -> None:
    """Run every cell by the menu, and wait until the last has run or one has failed."""
    page.get_by_text("kubelab | Idle").wait_for(timeout=120_000)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    page.wait_for_function(
        "() => { const all = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')]"
        ".map(e => e.textContent);"
        " return all.some(t => /\\d/.test(t)) && !all.some(t => t.includes('*')) }",
        timeout=RUN_SECONDS * 1000,
    )


if __name__ == "__main__":
    main()
