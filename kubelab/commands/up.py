"""Make everything and open the course.

JupyterLab first, then the container engine, the node image, kind and kubectl, and the cluster
with its add-ons. What is there already is used; what was interrupted goes on where it stopped.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kubelab import following, language
from kubelab.errors import KubelabError
from kubelab.progress import Progress, Stage
from kubelab.site import Site, here
from kubelab.words import said, tell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubelab.cluster import ClusterInfo
    from kubelab.engine import Engine
    from kubelab.jupyter import JupyterInfo

EXAMPLES = [
    "./lab up              from nothing 13 to 22 minutes where no registry answers",
    "./lab up --no-open    the same without opening a browser",
    "./lab up --lang zh    the same in Chinese, from now on; --lang en goes back",
]
INTERRUPTED = "Interrupted. `./lab up` goes on where it stopped."
OLDER = (
    "The cluster runs an older node image than this course has.\n"
    "`./lab down`, then `./lab up` makes it anew and saves your objects first."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("--no-open", action="store_true", help="do not open a browser")
    parser.add_argument(
        "--lang",
        choices=list(language.LANGUAGES),
        help="the language of the course from now on: en, or zh for 简体中文",
    )


def run(chosen: argparse.Namespace) -> int:
    """Do it; ends with what to do next."""
    site = here()
    if chosen.lang:
        language.keep(site, chosen.lang)
    with following.alone(site, "up"):
        work = Work(site, site.log, browser=not chosen.no_open)
        everything(work, STEPS)
    print("\n".join(map(said, closing(work, next_lab(site)))))
    if work.fault is not None:
        raise work.fault
    return 0


@dataclass
class Work:
    """What the steps hand to each other; `progress` begins when they do."""

    site: Site
    log: Path
    browser: bool = False
    progress: Progress = field(default_factory=lambda: Progress([]))
    engine: Engine | None = None
    image: str = ""
    exists: bool = False
    cluster: ClusterInfo | None = None
    jupyter: JupyterInfo | None = None
    fault: KubelabError | None = None

    @property
    def docker(self) -> Engine:
        """The engine, once there is one."""
        assert self.engine is not None
        return self.engine


Step = Callable[[Work], None]


def everything(work: Work, steps: tuple[Step, ...]) -> None:
    """Run the steps under one progress, which says at the end how it went.

    Raises KubelabError; what was made by then stays and is used the next time.
    """
    from kubelab import engine

    work.log.parent.mkdir(parents=True, exist_ok=True)
    work.engine = engine.find()
    work.progress = Progress(stages(work, notebooks=jupyterlab in steps), work.site.progress)
    with _ending(work.progress):
        for step in steps:
            step(work)


def jupyterlab(work: Work) -> None:
    """JupyterLab first: a lab's story can be read while the rest is made."""
    from kubelab import jupyter

    try:
        with work.progress.stage("jupyter") as stage:
            if jupyter.status(work.site):
                stage.state = "cached"
            work.jupyter = jupyter.start(work.site)
    except KubelabError as error:
        # The labs can be done in a terminal too: told at the end, after the cluster was made.
        work.fault = error
        return
    if not work.exists:  # Else the end, which says it too, is two seconds away.
        print(said(f"The course's notebooks: {work.jupyter.url}"), flush=True)
    if work.browser:
        jupyter.open_browser(work.jupyter.url)


def kubectl_elsewhere(work: Work) -> None:
    """What only Linux gets from the node image: told before anything long begins."""
    from kubelab import tools

    tools.require_kubectl()


def container_engine(work: Work) -> None:
    """A running Docker, or one that is installed and started."""
    from kubelab import cluster, engine

    if work.engine is None:
        with work.progress.stage("engine"):
            work.engine = engine.connect()
    work.exists = cluster.exists(work.site, work.docker)


def node_image(work: Work) -> None:
    """The image of the nodes, unless a cluster runs on one already."""
    from kubelab import cluster, nodeimage

    if work.exists:
        work.image = cluster.image_of(work.site, work.docker)
        _replan(work, [])
        if work.image != nodeimage.reference():
            tell(OLDER)
        return
    how, image = nodeimage.plan(work.docker)
    _replan(work, image)
    work.image = nodeimage.ensure(work.docker, work.progress, how, work.log)


def kind_and_kubectl(work: Work) -> None:
    """The two programs that the course runs on this machine."""
    from kubelab import tools

    with work.progress.stage("tools"):
        tools.ensure(work.docker, work.image, work.log)


def kind_cluster(work: Work) -> None:
    """The cluster and its add-ons: made, brought back, or found well."""
    from kubelab import cluster

    work.cluster = cluster.ensure(work.site, work.docker, work.image, work.progress, work.log)


CLUSTER: tuple[Step, ...] = (
    kubectl_elsewhere,
    container_engine,
    node_image,
    kind_and_kubectl,
    kind_cluster,
)
STEPS: tuple[Step, ...] = (jupyterlab, *CLUSTER)


def stages(work: Work, *, notebooks: bool) -> list[Stage]:
    """The stages that lie ahead, as far as they can be told before anything was asked."""
    from kubelab import cluster, engine, nodeimage

    first = [Stage("jupyter", "JupyterLab", 5)] if notebooks else []
    if work.engine is None:
        return [*first, *engine.stages(), *nodeimage.build.stages(), *_last(work)]
    work.exists = cluster.exists(work.site, work.engine)
    if work.exists or work.engine.has_image(nodeimage.reference()):
        return [*first, *_last(work)]
    return [*first, *nodeimage.build.stages(), *_last(work)]


def _last(work: Work) -> list[Stage]:
    from kubelab import cluster, tools

    made = cluster.stages()
    there = [replace(stage, estimate=2) for stage in made]
    return [*tools.stages(), *(there if work.exists else made)]


def _replan(work: Work, image: list[Stage]) -> None:
    """Put what is known by now in place of the stages that still wait."""
    begun = [one for one in work.progress.stages if one.state != "waiting"]
    work.progress.stages = [*begun, *image, *_last(work)]


@contextmanager
def _ending(progress: Progress) -> Iterator[None]:
    """Keep in the progress file how the work ended, whatever ended it."""
    try:
        yield
    except KeyboardInterrupt:
        progress.finish("interrupted", "`./lab up` was interrupted.")
        raise
    except BaseException as error:
        progress.finish("failed", getattr(error, "message", "") or repr(error))
        raise
    progress.finish()


def next_lab(site: Site) -> str | None:
    """The number of the first lab that is not done."""
    from kubelab import standing

    return next((one["lab"] for one in standing.labs(site) if not one["done"]), None)


def closing(work: Work, lab: str | None) -> list[str]:
    """What `up` says at its end: that it is ready, and in two lines what to do next."""
    info = work.cluster
    assert info is not None
    ports = f"HTTP on port {info.http_port}, HTTPS on {info.https_port}"
    lines = [f"Ready: Kubernetes {info.version} on {info.nodes} nodes, {ports}."]
    if work.jupyter is not None:
        lines.append(f"Next: open {work.jupyter.url}")
    command = f"./lab start {lab}" if lab else "./lab status"
    lines.append(f"In a terminal: {command}")
    return lines
