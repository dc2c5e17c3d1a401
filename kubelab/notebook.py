"""What a notebook imports, nine names: text first, HTML where it shows, never a traceback."""

from __future__ import annotations

import functools
import importlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec

from kubelab import labs
from kubelab import notebook_predictions as predictions
from kubelab import notebook_show as view
from kubelab.errors import KubelabError, UsageError
from kubelab.pictures import pod as picture
from kubelab.progress import human
from kubelab.site import Site, here
from kubelab.words import said, template

P = ParamSpec("P")


def told(function: Callable[P, None]) -> Callable[P, None]:
    """Turn every error of `function` into sentences: a notebook never raises at the learner."""

    @functools.wraps(function)
    def safe(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except KubelabError as error:
            look = f"\n{view.labelled('look', error.look)}" if error.look else ""
            view.show(view.paragraph(said(error.message)) + look)
        except KeyboardInterrupt:
            view.show(said("Interrupted."))
        except Exception as error:
            view.show(
                view.paragraph(
                    said(
                        f"This is a fault of the course, not yours: {type(error).__name__}: {error}"
                    )
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
    place = view.Place(said(f"{what}  looking at the cluster, at most {seconds:.0f} s ..."))
    runner.run(
        site,
        [what],
        timeout=timeout,
        tell=lambda one: place.show(report.text(one), notebook_result.markup(one)),
        announce=lambda words: view.show(words),
    )


@told
def hint(task: str) -> None:
    """Show the next of a task's three hints (`hint("02.1")`), and the ones shown before."""
    from kubelab import hints

    shown = hints.following(here(), str(task))
    found = [view.rows([("found", said(shown.found))])] if shown.found else []
    head, tail = hints.head(shown), hints.tail(shown)
    markup = view.box(
        view.line(head, strong=True),
        *found,
        view.items(list(map(said, shown.hints))),
        *([view.line(tail)] if tail else []),
    )
    view.show(hints.text(shown), markup)


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
    text = said(f"{prediction}  kept: {choice}  {asked.choices[choice - 1]}")
    view.show(view.paragraph(text), view.box(view.line(text)))


@told
def observe(prediction: str) -> None:
    """Set the kept prediction beside what this cluster's record says."""
    from kubelab.api import connect

    site = here()
    asked = _prediction(site, prediction)
    kept = predictions.kept(_file(site), asked.id)
    chosen = kept.at if kept else None
    seen = predictions.look(connect(site), _lab(site, prediction), asked, chosen)
    if seen.pending:
        text = said(f"{prediction}  nothing to observe yet: {seen.pending}")
        view.show(view.paragraph(text), view.box(view.line(text)))
        return
    pairs = _side_by_side(site, asked, seen)
    head = f"{prediction}  {said(asked.question)}"
    lines = [view.paragraph(head), "", *(view.labelled(*pair) for pair in pairs)]
    parts = [view.line(head, strong=True), view.rows(pairs)]
    if seen.history:
        lines += ["", picture.told(seen.history)]
        parts += [picture.svg(seen.history), view.preformatted(picture.told(seen.history))]
    view.show("\n".join(lines), view.box(*parts))


@told
def watch(what: str, lab: str | None = None) -> None:
    """Draw a rollout, a Pod, a Service or a Job live: `watch("job/pi")`; returns at once."""
    from kubelab import notebook_watch
    from kubelab.api import connect

    site, called = here(), time.time()
    of = labs.find(site.root, _number(site, lab))
    # Each thread has a connection of its own.
    notebook_watch.start(
        lambda: notebook_watch.subject(connect(site), of, str(what), called), str(what)
    )


@told
def topology(lab: str | None = None) -> None:
    """Draw where the names of a lab's namespace lead: hosts, Services, EndpointSlices, Pods."""
    from kubelab.api import connect
    from kubelab.pictures import doors
    from kubelab.pictures import topology as drawn

    site = here()
    of = labs.find(site.root, _number(site, lab))
    cluster = connect(site)
    ways = doors.read(cluster, of.namespace)
    if ways:
        text = doors.told(ways)
        view.show(text, view.box(doors.svg(ways), view.folded("the same as text", text)))
    seen = drawn.read(cluster, of.namespace)
    text = drawn.told(seen)
    view.show(text, view.box(drawn.svg(seen), view.folded("the same as text", text)))


@told
def diff(lab: str | None = None, show: bool = False) -> None:
    """Compare your objects with the reference's; `show=True` shows it before the lab is done."""
    from kubelab import comparison

    site = here()
    of = labs.find(site.root, _number(site, lab))
    if not show and not comparison.allowed(site, of):
        raise UsageError(
            f"The reference of lab {of.number} shows every answer, and not all of its tasks are "
            f'done. `diff("{of.number}", show=True)` shows it all the same; that is recorded.'
        )
    view.show(comparison.text(comparison.reveal(site, of, show=show)))


@told
def reset(lab: str | None = None, sure: bool = False) -> None:
    """Save your objects of a lab and begin it anew; only with `sure=True`."""
    from kubelab import resetting

    site = here()
    of = labs.find(site.root, _number(site, lab))
    if not sure:
        text = said(
            f"This saves your objects of lab {of.number} under {site.work / of.number}, removes "
            f"namespace {of.namespace}, and makes its start state again. Nothing is done yet. "
            f'To do it: `reset("{of.number}", sure=True)`'
        )
        view.show(view.paragraph(text), view.box(view.line(text)))
        return
    done = resetting.reset(site, of.number)
    lines = list(map(said, resetting.told(done)))
    view.show("\n".join(lines), view.box(*(view.line(line) for line in lines)))


@told
def status() -> None:
    """Show the map of the course, how far you are, and where to go on; it needs no cluster."""
    from kubelab import notebook_course, standing

    facts = standing.gather(here())
    when = time.strftime(template("As of %Y-%m-%d %H:%M. Run this cell again to look again."))
    view.show(notebook_course.text(facts, when), notebook_course.markup(facts, when))


def warm() -> None:
    """Load in the background what the first `check` needs: about a second of imports."""
    for name in ("kubernetes.client", "kubernetes.config", "pytest", "kubelab.plugin"):
        importlib.import_module(name)


def _ask(site: Site, asked: labs.Prediction) -> None:
    before = predictions.kept(_file(site), asked.id)
    how = said(f'Answer with a number: predict("{asked.id}", 1)')
    if before:
        how = said(f'You chose {before.number}. Change it with predict("{asked.id}", 1)')
    head, choices = f"{asked.id}  {said(asked.question)}", list(map(said, asked.choices))
    text = "\n".join([view.paragraph(head), view.numbered(choices), "", how])
    markup = view.box(view.line(head, strong=True), view.items(choices), view.line(_as_code(how)))
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
    pairs = [("predicted", said(predicted)), ("recorded", said(recorded))]
    pairs.append(("shown by", predictions.told(seen.facts)))
    if seen.because:
        pairs.append(("why", said(seen.because)))
    return pairs


def _number(site: Site, lab: str | int | None) -> str:
    """The lab that is meant: the named one, else the notebook's, else the one started last."""
    from kubelab.kernel import lab_of

    if lab is not None:
        return str(lab)
    found = lab_of(os.environ.get("JPY_SESSION_NAME", ""))
    link = site.current_kubeconfig
    if found is None and link.is_symlink():
        found = link.readlink().parent.name
    if found is None:
        raise UsageError(f'Name the lab, as in `topology("{next(labs.every(site.root)).number}")`.')
    return found


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
