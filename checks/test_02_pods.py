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


@task("02.2")
def test_kitchen_serves_a_menu_that_its_sidecar_keeps_fresh(lab: LabView) -> None:
    """Pod `kitchen` serves its uid in line 1, from an init container, and a line 2 that a sidecar
    renews within 6 s."""
    names = lab.names
    pod = lab.pod(names.kitchen, image=names.image)
    assert pod.has_sidecar
    assert pod.prepares_first
    assert pod.ready
    port = pod.port(names.port)
    menu = lab.file(pod, port, names.menu)
    assert menu.served == 200
    assert menu.line_is(1, pod.uid, "the Pod's uid")
    assert menu.changes_within(2, names.fresh)
    assert pod.written_in_order(port, names.menu, names.fresh)


@task("02.3")
def test_broken_is_repaired_in_place(lab: LabView) -> None:
    """Deployment `broken`, repaired in place, answers, stays up, and restarts a container that is
    not healthy."""
    names = lab.names
    deployment = lab.repaired(names.broken, image=names.image, container=names.broken_container)
    assert deployment.same
    assert deployment.keeps_image
    assert deployment.desired_replicas >= 1
    assert deployment.keeps_liveness
    assert deployment.generated
    lab.hold(deployment.proving_time)
    for pod in deployment.pods:
        assert pod.ready
        assert lab.ask.http(pod, pod.port(names.port)).status == 200
    assert deployment.complete
    newest = deployment.pods[0]
    assert newest.restarts_when_unhealthy(newest.port(names.port), "/fail")


@task("02.4")
def test_polite_ends_in_order(lab: LabView) -> None:
    """Pod `polite`, when deleted, still answers a request of 5 s that it has begun, and ends by
    itself before its grace of at most 60 s is over."""
    names = lab.names
    pod = lab.pod(names.polite, image=names.image)
    port = pod.port(names.port)
    assert pod.runs(names.image)
    assert pod.grace >= 1
    assert pod.grace <= names.longest_grace
    assert pod.ready
    assert lab.ask.http(pod, port).status == 200
    assert pod.ends_in_order(port, "/slow?s=5", takes=5)
