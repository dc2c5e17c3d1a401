"""Lab 00: what must hold of the shop that comes back."""

from kubelab.checking import LabView, task


@task("00.1")
def test_web_keeps_two_pods(lab: LabView) -> None:
    """Deployment `web` keeps two Pods that answer with the page; a deleted one is replaced."""
    names = lab.names
    web = lab.kept(names.web, names.image)
    assert web.desired_replicas == names.copies
    assert web.runs(names.image)
    assert web.ready >= names.copies
    assert web.answering >= names.copies
    assert web.comes_back


@task("00.2")
def test_web_counts_in_redis(lab: LabView) -> None:
    """Port 80 of `web` reaches both Pods, which count in `redis` by its name, also after redis is
    replaced."""
    names = lab.names
    service, web, redis = (
        lab.service(names.web),
        lab.kept(names.web, names.image),
        lab.members(names.redis),
    )
    assert service.has_address
    assert service.selects
    assert service.hand_made == 0
    assert web.desired_replicas == names.copies
    assert web.runs(names.image)
    assert web.ready >= names.copies
    answers = service.answers(names.service_port, web)
    assert answers.some
    assert answers.strangers == 0
    assert answers.silent == 0
    assert answers.lost == 0
    visits = lab.visits(service, web, names.service_port)
    assert visits.answered
    assert visits.in_a_row
    assert visits.by_name
    assert redis.ready >= 1
    assert visits.outlive(redis)
