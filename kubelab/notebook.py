"""What a notebook imports: check, hint, predict, observe. Text first, never a traceback."""

from __future__ import annotations

import functools
import importlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec

from kubelab import labs
from kubelab import notebook_picture as picture
from kubelab import notebook_predictions as predictions
from kubelab import notebook_show as view
from kubelab.errors import KubelabError, UsageError
from kubelab.progress import human
from kubelab.site import Site, here

P = ParamSpec("P")


def told(function: Callable[P, None]) -> Callable[P, None]:
    """Turn every error of `function` into sentences: a notebook never raises at the learner."""

    @functools.wraps(function)
    def safe(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except KubelabError as error:
            look = f"\n{view.labelled('look', error.look)}" if error.look else ""
            view.show(view.paragraph(error.message) + look)
        except KeyboardInterrupt:
            view.show("Interrupted.")
        except Exception as error:
            view.show(
                view.paragraph(
                    f"This is a fault of the course, not yours: {type(error).__name__}: {error}"
                )
                + f"\n{view.labelled('look', './lab doctor')}"
            )

    return safe


@told
def check(what: str, timeout: float | None = None) -> None:
    """Check a task or a lab (`check("02.1")`); `timeout` in seconds replaces the deadline."""
    from kubelab import notebook_result, report, runner

    site = here()
    lab = _lab(site, what)
    tasks = [lab.task(what)] if "." in str(what) else list(lab.tasks.values())
    seconds = timeout or max(task.deadline for task in tasks)
    place = view.Place(f"{what}  looking at the cluster, at most {seconds:.0f} s ...")
    runner.run(
        site,
        [what],
        timeout=timeout,
        tell=lambda one: place.show(report.text(one), notebook_result.markup(one)),
    )


@told
def hint(task: str) -> None:
    """Show the next of a task's three hints (`hint("02.1")`), and the ones shown before."""
    from kubelab import report

    site = here()
    hints = _lab(site, task).task(task).hints
    rung = min(report.hints_used(site.work, task) + 1, len(hints))
    _append(site, "hints.jsonl", {"at": time.time(), "task": task, "rung": rung})
    head = f"{task}  hint {rung} of {len(hints)}"
    tail = "" if rung < len(hints) else "That was the last hint."
    text = [head, *(view.labelled(str(n), h) for n, h in enumerate(hints[:rung], 1)), tail]
    markup = view.box(view.line(head, strong=True), view.items(hints[:rung]), view.line(tail))
    view.show("\n".join(part for part in text if part), markup)


@told
def predict(prediction: str, choice: int | None = None) -> None:
    """Ask a question before the doing, or keep the answer: `predict("02.p1", 2)`."""
    site = here()
    asked = _prediction(site, prediction)
    if choice is None:
        _ask(site, asked)
        return
    if type(choice) is not int or not 1 <= choice <= len(asked.choices):
        raise UsageError(
            f"{prediction} has the choices 1 to {len(asked.choices)}; {choice!r} is none of them."
        )
    predictions.keep(_file(site), prediction, choice)
    text = f"{prediction}  kept: {choice}  {asked.choices[choice - 1]}"
    view.show(view.paragraph(text), view.box(view.line(text)))


@told
def observe(prediction: str) -> None:
    """Set the kept prediction beside what this cluster's record says."""
    from kubelab.api import connect

    site = here()
    asked = _prediction(site, prediction)
    seen = predictions.look(connect(site), _lab(site, prediction), asked)
    if seen.pending:
        text = f"{prediction}  nothing to observe yet: {seen.pending}"
        view.show(view.paragraph(text), view.box(view.line(text)))
        return
    pairs = _side_by_side(site, asked, seen)
    head = f"{prediction}  {asked.question}"
    lines = [view.paragraph(head), "", *(view.labelled(*pair) for pair in pairs)]
    parts = [view.line(head, strong=True), view.rows(pairs)]
    if seen.history:
        lines += ["", picture.told(seen.history)]
        parts += [picture.svg(seen.history), view.preformatted(picture.told(seen.history))]
    view.show("\n".join(lines), view.box(*parts))


def warm() -> None:
    """Load in the background what the first `check` needs: about a second of imports."""
    for name in ("kubernetes.client", "kubernetes.config", "pytest", "kubelab.plugin"):
        importlib.import_module(name)


def _ask(site: Site, asked: labs.Prediction) -> None:
    before = predictions.kept(_file(site), asked.id)
    how = f'Answer with a number: predict("{asked.id}", 1)'
    if before:
        how = f'You chose {before.number}. Change it with predict("{asked.id}", 1)'
    head = f"{asked.id}  {asked.question}"
    text = "\n".join([view.paragraph(head), view.numbered(asked.choices), "", how])
    markup = view.box(
        view.line(head, strong=True), view.items(asked.choices), view.line(_as_code(how))
    )
    view.show(text, markup)


def _as_code(how: str) -> str:
    before, call, rest = how.partition("predict(")
    return f"{before}`{call}{rest}`"


def _side_by_side(
    site: Site, asked: labs.Prediction, seen: predictions.Observation
) -> list[tuple[str, str]]:
    kept = predictions.kept(_file(site), asked.id)
    predicted = "nothing was chosen"
    if kept:
        ago = human(time.time() - kept.at)
        predicted = f"{kept.number}  {asked.choices[kept.number - 1]} (chosen {ago} ago)"
    recorded = "none of the choices: this cluster did something else"
    if seen.number:
        recorded = f"{seen.number}  {asked.choices[seen.number - 1]}"
    pairs = [("predicted", predicted), ("recorded", recorded)]
    pairs.append(("shown by", predictions.told(seen.facts)))
    if seen.because:
        pairs.append(("why", seen.because))
    return pairs


def _file(site: Site) -> Path:
    return site.work / "predictions.jsonl"


def _lab(site: Site, identity: str) -> labs.Lab:
    return labs.find(site.root, str(identity))


def _prediction(site: Site, identity: str) -> labs.Prediction:
    lab = _lab(site, identity)
    try:
        return lab.predictions[identity]
    except KeyError:
        have = ", ".join(lab.predictions) or "none"
        raise UsageError(
            f"There is no prediction {identity}; lab {lab.number} has {have}."
        ) from None


def _append(site: Site, name: str, record: dict[str, object]) -> None:
    site.work.mkdir(parents=True, exist_ok=True)
    with (site.work / name).open("a", encoding="utf-8") as out:
        out.write(json.dumps(record) + "\n")
