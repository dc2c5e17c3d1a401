"""The checks of the course of one lab."""

from kubelab.checking import LabView, task


@task("90.1")
def test_web_is_ready(lab: LabView) -> None:
    """Pod `web` is ready."""
    assert lab.pod(lab.names.pod).ready


@task("90.2")
def test_web_has_its_label(lab: LabView) -> None:
    """Pod `web` carries the label `app=web`."""
    pod = lab.pod(lab.names.pod)
    assert pod.runs(lab.names.image)
    assert pod.label("app") == "web"


@task("90.3")
def test_with_a_mistake(lab: LabView) -> None:
    """A mistake of the author's is no fault of the learner's."""
    assert lab.pod("web").no_such_thing
