"""A new lab, made from `templates/lab`: small, whole, and of one task that works."""

from __future__ import annotations

import re
from pathlib import Path

from kubelab.errors import UsageError
from kubelab.labs import SLUG, Lab, load

TEMPLATES = Path(__file__).parent / "templates" / "lab"
# A row of the table of labs in `README.md`.
ROW = re.compile(r"^\| \[(\d\d) [^]]+\]\(notebooks/[^)]+\) \|")


def make(root: Path, number: str, slug: str, title: str | None = None) -> list[Path]:
    """Make lab `NN-slug` in a checkout and return the files written, `README.md` the last.

    Raises UsageError for a malformed or taken name; nothing is ever overwritten.
    """
    name = f"{number.zfill(2)}-{slug}"
    if not SLUG.match(name):
        raise UsageError(
            f"`{number} {slug}` does not name a lab: two digits, then small letters, digits and -.",
            look="./lab new 05 configuration",
        )
    taken = sorted((root / "labs").glob(f"{name[:2]}-*"))
    if taken:
        raise UsageError(
            f"Lab {name[:2]} is there already: {taken[0].name}.", look=f"ls labs/{taken[0].name}"
        )
    words = {"@NN@": name[:2], "@TITLE@": title or slug.replace("-", " ").capitalize()}
    files = {path: filled(template, words) for template, path in places(root, name).items()}
    there = [path for path in files if path.exists()]
    if there:
        raise UsageError(f"{there[0].relative_to(root)} is there already.", look=f"ls {there[0]}")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return [*files, list_in_readme(root, load(root / "labs" / name))]


def places(root: Path, name: str) -> dict[str, Path]:
    """Where each template goes."""
    folder = root / "labs" / name
    return {
        "lab.yaml": folder / "lab.yaml",
        "start.yaml": folder / "start" / "greeting.yaml",
        "solution.yaml": folder / "solution" / "hello.yaml",
        "right.yaml": folder / "bank" / "right-plain.yaml",
        "wrong.yaml": folder / "bank" / "wrong-image.yaml",
        "checks.txt": root / "checks" / f"test_{name.replace('-', '_')}.py",
        "notebook.json": root / "notebooks" / f"{name}.ipynb",
    }


def filled(template: str, words: dict[str, str]) -> str:
    """A template with the words of this lab."""
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    for mark, word in words.items():
        text = text.replace(mark, word)
    return text


def list_in_readme(root: Path, lab: Lab) -> Path:
    """Give the lab its row in the table of `README.md`, in the order of the numbers."""
    file = root / "README.md"
    lines = file.read_text(encoding="utf-8").splitlines()
    rows = [(at, found[1]) for at, line in enumerate(lines) if (found := ROW.match(line))]
    if not rows:
        raise UsageError("README.md has no table of labs.", look="grep notebooks/ README.md")
    before = [at for at, number in rows if number < lab.number]
    at = before[-1] + 1 if before else rows[0][0]
    row = (
        f"| [{lab.number} {lab.title}](notebooks/{lab.slug}.ipynb) | {lab.about} | {lab.minutes} |"
    )
    lines.insert(at, row)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file
