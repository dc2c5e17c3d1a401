"""The documentation: what is there is documented, and what is documented is there."""

import re

import pytest

from kubelab import cli, labs
from kubelab.site import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_and_option_is_documented(name: str) -> None:
    assert f"`./lab {name}" in README
    heading = next(line for line in COMMANDS.splitlines() if line.startswith(f"## `./lab {name}"))
    usage = cli.parser(cli.command(name)).format_usage()
    for option in re.findall(r"--[a-z]+(?:-[a-z]+)*", usage):
        assert option in heading


def test_every_lab_has_a_row_in_the_readme() -> None:
    found = list(labs.every(ROOT))
    assert found
    for lab in found:
        assert f"| [{lab.number} {lab.title}](notebooks/{lab.slug}.ipynb) |" in README
        assert f"| {lab.about or ''}" in README
        assert f"| {lab.minutes} |" in README


def test_every_link_leads_to_a_file() -> None:
    for name in ("README.md", "CONTRIBUTING.md", "docs/commands.md", "docs/authors.md"):
        folder = (ROOT / name).parent
        text = (ROOT / name).read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#:]+)\)", text) + re.findall(r'src="([^"]+)"', text):
            assert (folder / target).exists(), f"{name} links {target}"


def test_the_failed_check_of_the_readme_is_of_80_columns_and_of_this_course() -> None:
    block = README.split("$ ./lab check 02.1\n", 1)[1].split("\n\n## ", 1)[0]
    assert max(len(line.removeprefix("    ")) for line in block.splitlines()) <= 80
    task = labs.find(ROOT, "02").task("02.1")
    words = " ".join(block.split())
    assert task.sentence in words
    assert task.why in words
    assert f"0 of {task.points} points" in block
