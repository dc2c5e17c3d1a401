"""A lab in another language: its text and its notebook, piece by piece beside the English ones.

Every piece carries the hash of the English that it was written from. So a piece that is missing,
and one whose English has changed since, is found by its name. `docs/authors.md` tells how a lab
is translated.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from kubelab import language
from kubelab.labs import LOADER, Lab
from kubelab.language import CHINESE

SCHEMA = Path(__file__).parent / "schemas" / "lab.zh.schema.json"
HASH = 12
PLACE = re.compile(r"\{[a-z_]+\}")
CODE = re.compile(r"`[^`]+`")
WORD = re.compile(r"[A-Za-z]{2}")
# The place of a piece: its group, its number, what it is, and which one of several.
SHAPE = re.compile(r"(\w+)\.(\d\d\.p?\d)\.(\w+)(?:\.(\d))?")
SOURCES = re.compile(r"^sources:.*\n(?:[ \t]+.*\n?)*", re.MULTILINE)
# YAML makes a space of a line's end; after a Chinese stop there is none.
FOLD = re.compile(r"(?<=[，。；：？！、）”]) (?=\S)")
# The mark of a cell's English source, in the cell's metadata.
MARK = "kubelab"

Pieces = dict[str, str]
Notebook = dict[str, Any]


def hashed(text: str) -> str:
    """The hash of an English piece."""
    return hashlib.sha256(text.encode()).hexdigest()[:HASH]


# The text of a lab


def text_file(lab: Lab, chosen: str = CHINESE) -> Path:
    """Where the text of a lab in another language is."""
    return lab.folder / f"lab.{chosen}.yaml"


def read(file: Path) -> dict[str, Any]:
    """A YAML file; empty where there is none."""
    if not file.is_file():
        return {}
    found: dict[str, Any] = yaml.load(file.read_text(encoding="utf-8"), Loader=LOADER)
    return found


def english(lab: Lab) -> Pieces:
    """Every piece of `lab.yaml` that is words, by the place where its translation stands."""
    data = read(lab.folder / "lab.yaml")
    predictions = {
        key: {
            "question": one["question"],
            "choices": one["choices"],
            "pending": one["observe"]["pending"],
            "because": [
                outcome["because"] for outcome in one["observe"]["outcomes"] if "because" in outcome
            ],
        }
        for key, one in data.get("predictions", {}).items()
    }
    return dict(flat(data | {"predictions": predictions}))


def translated(lab: Lab, chosen: str = CHINESE) -> Pieces:
    """The pieces of a lab's text in another language."""
    data = read(text_file(lab, chosen))
    return {place: FOLD.sub("", text) for place, text in flat(data)}


def flat(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The texts of a lab, each with its place: `tasks.02.1.hints.3`."""
    yield from ((key, data[key]) for key in ("title", "about") if key in data)
    for group, keys in {
        "tasks": ("sentence", "why", "first", "hints"),
        "predictions": ("question", "choices", "pending", "because"),
    }.items():
        for number, one in (data.get(group) or {}).items():
            for key in (key for key in keys if key in one):
                yield from spread(f"{group}.{number}.{key}", one[key])


def spread(place: str, value: str | list[str]) -> Iterator[tuple[str, str]]:
    """One text, or each of a list."""
    if isinstance(value, str):
        yield place, value
    else:
        for number, text in enumerate(value, 1):
            yield f"{place}.{number}", text


def pairs(lab: Lab, chosen: str = CHINESE) -> Pieces:
    """English piece to translated one, of a lab that has a text; what is outdated is left out."""
    if not text_file(lab, chosen).is_file():
        return {}
    sources, known = english(lab), read(text_file(lab, chosen)).get("sources") or {}
    return {
        sources[place]: text
        for place, text in translated(lab, chosen).items()
        if place in sources and known.get(place) == hashed(sources[place])
    }


def told(lab: Lab, chosen: str) -> Lab:
    """A lab with its text in another language; what is missing or outdated stays English."""
    known = pairs(lab, chosen)

    def said(text: str) -> str:
        return known.get(text, text)

    tasks = {
        key: replace(
            one,
            sentence=said(one.sentence),
            why=said(one.why),
            first=said(one.first),
            hints=tuple(map(said, one.hints)),
        )
        for key, one in lab.tasks.items()
    }
    predictions = {
        key: replace(one, question=said(one.question), choices=tuple(map(said, one.choices)))
        for key, one in lab.predictions.items()
    }
    title, about = said(lab.title), said(lab.about)
    return replace(lab, title=title, about=about, tasks=tasks, predictions=predictions)


def text_problems(lab: Lab, chosen: str = CHINESE) -> Iterator[str]:
    """What is missing in a lab's text, outdated, or not as it has to be: a sentence each."""
    file = text_file(lab, chosen)
    name = f"labs/{lab.slug}/{file.name}"
    if not file.is_file():
        yield f"{name} is missing"
        return
    yield from (f"{name}: {one}" for one in malformed(file))
    sources, texts = english(lab), translated(lab, chosen)
    known = read(file).get("sources") or {}
    for place, source in sources.items():
        if place not in texts:
            yield f"{name}: {place} is missing"
        elif known.get(place) != hashed(source):
            yield f"{name}: {place} is outdated: its English has changed"
        elif sorted(PLACE.findall(source)) != sorted(PLACE.findall(texts[place])):
            yield f"{name}: {place} has other places than {' '.join(PLACE.findall(source))}"
        elif lost := set(CODE.findall(source)) - set(CODE.findall(texts[place])):
            yield f"{name}: {place} lacks {' '.join(sorted(lost))}"
    for place in {*texts, *known} - set(sources):
        yield f"{name}: {place} has no English piece"


def malformed(file: Path) -> Iterator[str]:
    """What the schema has against a lab's text."""
    import jsonschema

    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    for error in validator.iter_errors(read(file)):
        yield f"{error.json_path}: {error.message}"


# The notebook of a lab


def notebook_file(root: Path, name: str, chosen: str = CHINESE) -> Path:
    """Where a notebook in another language is."""
    return language.notebooks(root, chosen) / name


def notebook_problems(root: Path, name: str, chosen: str = CHINESE) -> Iterator[str]:
    """What is missing in a notebook, outdated, or differs where it must not: a sentence each."""
    file = notebook_file(root, name, chosen)
    label = file.relative_to(root)
    if not file.is_file():
        yield f"{label} is missing"
        return
    ours = json.loads(file.read_text(encoding="utf-8"))
    theirs = json.loads((root / "notebooks" / name).read_text(encoding="utf-8"))
    have = {cell["id"]: cell for cell in ours["cells"]}
    for cell in theirs["cells"]:
        if cell["id"] not in have:
            yield f"{label}: cell {cell['id']} is missing"
        elif fault := cell_fault(cell, have[cell["id"]]):
            yield f"{label}: cell {cell['id']} {fault}"
    wanted = [cell["id"] for cell in theirs["cells"]]
    for cell_id in have:
        if cell_id not in wanted:
            yield f"{label}: cell {cell_id} has no English cell"
    if [one for one in have if one in wanted] != [one for one in wanted if one in have]:
        yield f"{label}: the cells stand in another order"
    if ours["metadata"] != theirs["metadata"]:
        yield f"{label}: the notebook's metadata differ"


def cell_fault(source: Notebook, cell: Notebook) -> str:
    """What is wrong with one cell beside its English one; empty where nothing is."""
    if cell["cell_type"] != source["cell_type"]:
        return f"is {cell['cell_type']}, not {source['cell_type']}"
    if cell["cell_type"] == "code":
        same = text_of(cell) == text_of(source)
        if cell.get("outputs") or cell.get("execution_count"):
            return "holds an output"
        return "" if same else "differs: code is the same in every language"
    known = cell["metadata"].get(MARK, {}).get("source")
    if known is None:
        return "is not translated yet"
    return "" if known == hashed(text_of(source)) else "is outdated: its English has changed"


def text_of(cell: Notebook) -> str:
    """The source of a cell."""
    return "".join(cell["source"])


def problems(root: Path, lab: Lab, chosen: str = CHINESE) -> Iterator[str]:
    """What is missing or outdated in a lab."""
    yield from text_problems(lab, chosen)
    yield from notebook_problems(root, lab.notebook.name, chosen)


# For translators


def begin(root: Path, lab: Lab, chosen: str = CHINESE) -> list[Path]:
    """Make what is missing, in English, for a translator to write over; the files written."""
    made = []
    file = text_file(lab, chosen)
    if not file.exists():
        file.write_text(written(shaped(english(lab)), {}), encoding="utf-8")
        made.append(file)
    file = notebook_file(root, lab.notebook.name, chosen)
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(lab.notebook.read_bytes())
        made.append(file)
    return made


def accept(root: Path, lab: Lab, chosen: str = CHINESE) -> list[str]:
    """Note that every piece says what its English says today; the pieces that were noted anew.

    A piece that still is its English is not noted. Code, and what is missing, comes from there.
    """
    return [*accepted_text(lab, chosen), *accepted_notebook(root, lab.notebook.name, chosen)]


def accepted_text(lab: Lab, chosen: str) -> Iterator[str]:
    """The same for the text of a lab."""
    file = text_file(lab, chosen)
    data, sources, texts = read(file), english(lab), translated(lab, chosen)
    before = data.get("sources") or {}
    done = {
        place: hashed(source)
        for place, source in sources.items()
        if place in texts and (texts[place] != source or same_in_both(source))
    }
    body = SOURCES.sub("", file.read_text(encoding="utf-8"))
    file.write_text(f"{body.rstrip()}\n{sources_text(done)}", encoding="utf-8")
    yield from (place for place, one in done.items() if before.get(place) != one)


def accepted_notebook(root: Path, name: str, chosen: str = CHINESE) -> Iterator[str]:
    """The same for a notebook; nothing where there is none."""
    file = notebook_file(root, name, chosen)
    if not file.is_file():
        return
    theirs = json.loads((root / "notebooks" / name).read_text(encoding="utf-8"))
    ours = json.loads(file.read_text(encoding="utf-8"))
    have = {cell["id"]: cell for cell in ours["cells"]}
    cells = []
    for source in theirs["cells"]:
        cell = have.get(source["id"], source)
        if source["cell_type"] == "code":
            cell = source
        elif text_of(cell) != text_of(source):
            mark = {MARK: {"source": hashed(text_of(source))}}
            if cell["metadata"].get(MARK) != mark[MARK]:
                yield source["id"]
            cell = {**cell, "metadata": cell["metadata"] | mark}
        cells.append(cell)
    body = {**ours, "cells": cells, "metadata": theirs["metadata"]}
    text = json.dumps(body, indent=1, ensure_ascii=False) + "\n"
    file.write_text(text, encoding="utf-8")


def same_in_both(source: str) -> bool:
    """Whether an English piece may stay as it is: names, numbers and code alone."""
    return not WORD.search(CODE.sub("", PLACE.sub("", source)))


def shaped(pieces: Pieces) -> dict[str, Any]:
    """The pieces of a lab as `lab.zh.yaml` nests them."""
    data: dict[str, Any] = {}
    for place, text in pieces.items():
        found = SHAPE.fullmatch(place)
        if found is None:
            data[place] = text
            continue
        group, number, key, at = found.groups()
        one = data.setdefault(group, {}).setdefault(number, {})
        if at is None:
            one[key] = text
        else:
            one.setdefault(key, []).append(text)
    return data


def written(data: Mapping[str, Any], sources: Mapping[str, str]) -> str:
    """A lab's text as YAML."""
    text = yaml.safe_dump(dict(data), allow_unicode=True, sort_keys=False, width=96)
    return text + sources_text(sources)


def sources_text(sources: Mapping[str, str]) -> str:
    """The hashes as YAML, written by the machine alone."""
    if not sources:
        return "\nsources: {}\n"
    return (
        "\n".join(["", "sources:", *(f'  {place}: "{one}"' for place, one in sources.items())])
        + "\n"
    )


# The course's own words

# Modules whose words a learner reads; what they say is looked for in `words/zh.yaml`.
SPEAKING = (
    "views/*.py",
    "evidence*.py",
    "acting.py",
    "api.py",
    "ask.py",
    "asker.py",
    "cells.py",
    "checking.py",
    "child.py",
    "cluster.py",
    "comparison.py",
    "consent.py",
    "controlplane.py",
    "course.py",
    "disk.py",
    "draining.py",
    "ending.py",
    "engine.py",
    "envoy.py",
    "expressions.py",
    "fields.py",
    "following.py",
    "hints.py",
    "history.py",
    "jobs.py",
    "jupyter.py",
    "jupyter_files.py",
    "kernel.py",
    "labs.py",
    "learner.py",
    "liveness.py",
    "losses.py",
    "notebook.py",
    "notebook_course.py",
    "notebook_predictions.py",
    "notebook_result.py",
    "notebook_show.py",
    "notebook_watch.py",
    "packages.py",
    "plugin.py",
    "progress.py",
    "proofs.py",
    "reasons.py",
    "recovery.py",
    "removal.py",
    "renewal.py",
    "replacing.py",
    "report.py",
    "resetting.py",
    "rollouts.py",
    "room.py",
    "runner.py",
    "seen.py",
    "settled.py",
    "sidecar.py",
    "solving.py",
    "standin.py",
    "standing.py",
    "tools.py",
    "trying.py",
    "verdict.py",
    "visiting.py",
    "watching.py",
    "nodeimage/__init__.py",
    "nodeimage/build.py",
    "nodeimage/gobuild.py",
    "nodeimage/pull.py",
    "nodeimage/sources.py",
    "nodeimage/toolchain.py",
    "commands/check.py",
    "commands/diff.py",
    "commands/down.py",
    "commands/goto.py",
    "commands/hint.py",
    "commands/mend.py",
    "commands/open.py",
    "commands/reset.py",
    "commands/shell.py",
    "commands/solve.py",
    "commands/start.py",
    "commands/status.py",
    "commands/up.py",
    "commands/where.py",
    "commands/without.py",
)
# Arguments that are no words for people, and calls that take none.
SILENT = ("look", "fields", "labels", "prog", "name")
MUTE = ("compile", "add_argument", "addoption", "getLogger", "addinivalue_line", "Stage.name")
# What is pasted, asked, matched, or drawn.
COMMAND = re.compile(r"(kubectl|mkdir|sudo |body \.|var\(|-X|\./lab|https?:|/|#|%|\^|<|[a-z-]+:\S)")


def spoken(package: Path) -> dict[str, str]:
    """Every phrase of the speaking modules, as the catalogue keys it, with the module's name."""
    found: dict[str, str] = {}
    for pattern in SPEAKING:
        for file in sorted(package.glob(pattern)):
            name = str(file.relative_to(package))
            for phrase in phrases(ast.parse(file.read_text(encoding="utf-8"))):
                found.setdefault(phrase, name)
    return found


def phrases(tree: ast.Module) -> Iterator[str]:
    """The phrases of two words or more in a module, docstrings and commands left out."""
    skipped = set(map(id, unspoken(tree)))
    for node in ast.walk(tree):
        if id(node) not in skipped and (text := phrase(node)):
            yield text


def unspoken(tree: ast.Module) -> Iterator[ast.AST]:
    """The strings of a module that nobody reads: docstrings, options, parts of f-strings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr):
                yield first.value
        elif isinstance(node, ast.JoinedStr):
            yield from (part for part in node.values if isinstance(part, ast.Constant))
        elif isinstance(node, ast.Call):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in MUTE:
                yield from ast.walk(node)
            for one in node.keywords:
                if one.arg in SILENT:
                    yield from ast.walk(one.value)
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "EXAMPLES":
            yield from ast.walk(node.value)


def single(package: Path) -> set[str]:
    """Every string of the speaking modules as it stands: the words that are no phrases."""
    found = set()
    for pattern in SPEAKING:
        for file in package.glob(pattern):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if text := literal(node):
                    found.add(text.strip(" ,\n"))
    return found


def phrase(node: ast.AST) -> str:
    """The key of a string in the code, `{}` for each value; empty where it is no phrase."""
    text = literal(node).strip(" ,\n")
    if " " not in text or not WORD.search(text) or COMMAND.match(text):
        return ""
    return text


def literal(node: ast.AST) -> str:
    """A string of the code, `{}` for each value of an f-string; empty where it is none."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        parts = (one.value if isinstance(one, ast.Constant) else "{}" for one in node.values)
        return "".join(map(str, parts))
    return ""


def word_problems(
    root: Path, chosen: str = CHINESE, waiting: tuple[str, ...] = ()
) -> Iterator[str]:
    """What the catalogue lacks, and what it holds that nobody says: a sentence each.

    `waiting` names modules whose words are not translated yet.
    """
    from kubelab import words

    sections, said = words.sections(chosen), spoken(root / "kubelab")
    stays = set(words.read(chosen)["stays"])
    have = {key for part in sections.values() for key in part}
    name = f"words/{chosen}.yaml"
    for key, module in said.items():
        if key not in have | stays and module not in waiting:
            yield f"{name}: {module} says {key!r}"
    written = set(said) | single(root / "kubelab")
    for title, part in sections.items():
        if title not in words.FREE:
            unsaid = [key for key in part if WORD.search(key) and key not in written]
            yield from (f"{name}: nobody says {key!r} ({title})" for key in unsaid)
    yield from (f"{name}: nobody says {key!r} (stays)" for key in stays - written)
