"""The labs as data: one folder `labs/NN-slug` each, one `lab.yaml` for all of its facts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml

from kubelab.errors import UsageError

SLUG = re.compile(r"^\d\d-[a-z0-9]+(?:-[a-z0-9]+)*$")
SCHEMA = Path(__file__).parent / "schemas" / "lab.schema.json"
# libyaml's loader is ten times faster; a PyYAML built without it still works.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Task:
    """One task of a lab; `deadline`, `stable_for` and `acts` are seconds.

    `once` marks a task that the record proves, not the state at the check. `acts` is the longest
    that its check may act. `first` is what the course says before a check disturbs something.
    """

    id: str
    lab: str
    sentence: str
    points: int
    why: str
    look: str
    hints: tuple[str, ...]
    deadline: float = 30.0
    stable_for: float = 0.0
    once: bool = False
    acts: float = 20.0
    first: str = ""


@dataclass(frozen=True)
class Prediction:
    """A question asked before the doing; `observe` says which recorded facts decide it."""

    id: str
    question: str
    choices: tuple[str, ...]
    observe: Mapping[str, Any]


@dataclass(frozen=True)
class Lab:
    """One lab and the files that follow from its slug.

    `load`: the Services that the recorder asks from the start on, a line per request.
    `about`: what one learns, in the map of the course; empty where the lab does not say it.
    """

    root: Path
    slug: str
    title: str
    minutes: int
    rights: str
    names: Mapping[str, Any]
    tasks: Mapping[str, Task]
    predictions: Mapping[str, Prediction]
    limit_range: bool = True
    load: tuple[str, ...] = ()
    about: str = ""

    @property
    def number(self) -> str:
        """The two digits of the lab."""
        return self.slug[:2]

    @property
    def namespace(self) -> str:
        """The learner's namespace of this lab."""
        return f"lab-{self.number}"

    @property
    def folder(self) -> Path:
        """Where the lab's data is."""
        return self.root / "labs" / self.slug

    @property
    def start(self) -> Path:
        """The manifests of the start state."""
        return self.folder / "start"

    @property
    def solution(self) -> Path:
        """The reference solution."""
        return self.folder / "solution"

    @property
    def bank(self) -> Path:
        """Right and wrong answers."""
        return self.folder / "bank"

    @property
    def checks(self) -> Path:
        """The criteria as pytest tests."""
        return self.root / "checks" / f"test_{self.slug.replace('-', '_')}.py"

    @property
    def notebook(self) -> Path:
        """The committed notebook, which learners get a copy of."""
        return self.root / "notebooks" / f"{self.slug}.ipynb"

    @property
    def points(self) -> int:
        """The points of all tasks."""
        return sum(task.points for task in self.tasks.values())

    def attributes(self) -> SimpleNamespace:
        """The names of `lab.yaml` as attributes, as checks read them."""
        return SimpleNamespace(**self.names)

    def task(self, task_id: str) -> Task:
        """The task with this id (`02.1`); raises UsageError where there is none."""
        try:
            return self.tasks[task_id]
        except KeyError:
            raise UsageError(
                f"There is no task {task_id}; lab {self.number} has {', '.join(self.tasks)}."
            ) from None


def every(root: Path) -> Iterator[Lab]:
    """All labs of the checkout at `root`, in order."""
    for folder in sorted((root / "labs").iterdir()):
        if SLUG.match(folder.name) and (folder / "lab.yaml").is_file():
            yield load(folder)


def find(root: Path, number: str) -> Lab:
    """Lab `NN` (`2`, `02` and `02-pods` name the same); raises UsageError where there is none."""
    wanted = number.split("-", 1)[0].split(".", 1)[0].zfill(2)
    for folder in sorted((root / "labs").glob(f"{wanted}-*")):
        if SLUG.match(folder.name) and (folder / "lab.yaml").is_file():
            return load(folder)
    have = ", ".join(lab.number for lab in every(root))
    raise UsageError(f"There is no lab {number}; the course has {have}.", look="./lab status")


@lru_cache(maxsize=64)
def load(folder: Path) -> Lab:
    """Read `lab.yaml` of one lab's folder; raises KeyError or TypeError on a malformed one."""
    data = yaml.load((folder / "lab.yaml").read_text(encoding="utf-8"), Loader=LOADER)
    number = folder.name[:2]
    tasks = {
        key: Task(id=key, lab=number, **(task | {"hints": tuple(task["hints"])}))
        for key, task in data["tasks"].items()
    }
    predictions = {
        key: Prediction(id=key, **(one | {"choices": tuple(one["choices"])}))
        for key, one in data.get("predictions", {}).items()
    }
    return Lab(
        root=folder.parent.parent,
        slug=folder.name,
        title=data["title"],
        minutes=data["minutes"],
        rights=data["rights"],
        names=data["names"],
        tasks=tasks,
        predictions=predictions,
        limit_range=data.get("limit_range", True),
        load=tuple(data.get("load", ())),
        about=data.get("about", ""),
    )


def problems(folder: Path) -> list[str]:
    """What the schema and the house rules have against `lab.yaml`, one sentence each."""
    import json

    import jsonschema

    data = yaml.load((folder / "lab.yaml").read_text(encoding="utf-8"), Loader=LOADER)
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    found = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(data)]
    number = folder.name[:2]
    for key in [*data.get("tasks", {}), *data.get("predictions", {})]:
        if not str(key).startswith(f"{number}."):
            found.append(f"{key} does not belong to lab {number}")
    return found
