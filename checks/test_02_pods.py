"""Lab 02: what must hold of the Pods."""

from kubelab.checking import LabView, task


@task("02.1")
def test_web_is_ready_and_restarted_when_unhealthy(lab: LabView) -> None:
    """Pod `web` is ready and answers, and it is restarted when it is no longer healthy."""
    names = lab.names
    pod = lab.pod(names.pod, image=names.image)
    port = pod.port(names.port)
    assert pod.label("app") == names.app
    assert pod.runs(names.image)
    assert pod.ready
    assert lab.ask.http(pod, port).status == 200
    assert pod.readiness == "http"
    assert pod.liveness == "http"
    assert pod.restarts_when_unhealthy(port, "/fail")
