"""Lab 03: what must hold of the Services."""

from kubelab.checking import LabView, task


@task("03.1")
def test_web_leads_to_its_three_pods_and_nobody_else(lab: LabView) -> None:
    """Port 80 of `web` reaches its three Pods and nobody else, also after a Pod is replaced."""
    names = lab.names
    service, web, preview = (
        lab.service(names.service),
        lab.members(names.web),
        lab.members(names.preview),
    )
    assert service.has_address
    assert service.selects
    assert service.hand_made == 0
    assert web.desired_replicas >= names.copies
    assert preview.ready >= 1
    assert preview.label("app") == names.web
    answers = service.answers(names.port, web)
    assert answers.some
    assert answers.lost == 0
    assert answers.strangers == 0
    assert answers.silent == 0
    assert service.follows(web, names.port)


@task("03.2")
def test_caller_finds_its_backend_by_name(lab: LabView) -> None:
    """`caller` finds `backend` by name, and finds it again after the Service was made anew."""
    names = lab.names
    caller = lab.caller(names.caller, names.image, names.container_port)
    service = lab.service(names.backend)
    assert caller.runs(names.image)
    assert caller.generated
    assert caller.ready >= 1
    assert caller.backend == names.backend
    assert caller.by_name
    assert caller.finds_again(service)


@task("03.3")
def test_web_headless_names_every_ready_pod(lab: LabView) -> None:
    """The name `web-headless` gives the address of every ready Pod of `web`, and no other."""
    names = lab.names
    service, web, preview = (
        lab.service(names.headless),
        lab.members(names.web),
        lab.members(names.preview),
    )
    assert service.headless
    assert service.selects
    assert service.hand_made == 0
    assert web.ready >= 1
    assert preview.ready >= 1
    assert preview.label("app") == names.web
    assert service.addresses(web) == web.addresses
    assert service.lists_only_ready(web)


@task("03.4")
def test_api_leads_to_its_pods(lab: LabView) -> None:
    """Port 80 of `api` reaches the Pods of `api`, at least two of them, and nobody else."""
    names = lab.names
    service, api = lab.service(names.api), lab.members(names.api)
    assert service.has_address
    assert service.selects
    assert service.hand_made == 0
    assert api.desired_replicas >= names.least
    answers = service.answers(names.port, api)
    assert answers.some
    assert answers.lost == 0
    assert answers.strangers == 0
    # The one that task 5 takes out may be missing.
    assert answers.silent <= 1
    assert answers.reached >= names.least


@task("03.5")
def test_one_pod_of_api_is_out_and_lives(lab: LabView) -> None:
    """One Pod of `api` gets no request and lives on unrestarted, and the others answer."""
    names = lab.names
    service, api = lab.service(names.api), lab.members(names.api)
    assert service.selects
    answers = service.answers(names.port, api)
    assert answers.some
    assert answers.lost == 0
    assert answers.strangers == 0
    assert answers.silent <= 1
    assert lab.taken_out(answers).some
