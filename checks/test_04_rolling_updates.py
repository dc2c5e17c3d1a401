"""Lab 04: what must hold of the updates."""

from kubelab.checking import LabView, task


@task("04.1")
def test_four_pods_are_available(lab: LabView) -> None:
    """Deployment `nginx-deployment` runs four Pods of the page, and all four are available."""
    names = lab.names
    deployment = lab.deployment(names.deployment, image=names.repository)
    assert deployment.runs(names.repository)
    assert deployment.desired_replicas == names.replicas
    assert deployment.available_replicas == names.replicas
    assert deployment.answering == names.replicas


@task("04.2")
def test_the_update_loses_no_request(lab: LabView) -> None:
    """The update from 1.0 to 2.0 loses no request, and a Pod told to stop accepts 2 s longer."""
    names = lab.names
    deployment = lab.deployment(names.deployment, image=names.repository)
    update = deployment.update(names.service, names.first, names.second)
    assert update.seen
    assert update.drains
    assert update.lost == 0
    assert update.ended


@task("04.3")
def test_the_bad_release_is_undone(lab: LabView) -> None:
    """The bad release is undone: every request gets 2.0 and the rollout is complete."""
    names = lab.names
    deployment = lab.deployment(names.deployment, image=names.repository)
    release = deployment.bad_release(names.service, names.bad)
    assert not deployment.paused
    assert deployment.kept_revisions > 0
    assert release.seen
    assert not release.gets_ready
    assert release.lost == 0
    assert deployment.serves(names.second)
    page = lab.shares(names.service, names.repository)
    assert page.answering(names.service_port, ("2.0",)) == ("2.0",)
    assert page.lost(names.service_port) == 0


@task("04.4")
def test_one_address_of_four_is_the_canary(lab: LabView) -> None:
    """One in four addresses behind Service `shop` is new: three answer 2.0, and one 2.1."""
    names = lab.names
    shop = lab.shares(names.shop, names.repository)
    canary = lab.deployment(names.canary, image=names.repository)
    assert canary.serves(names.canary_image)
    assert shop.affinity == "None"
    assert shop.hand_made == 0
    assert shop.versions(names.service_port) == {"2.0": 3, "2.1": 1}
    assert shop.includes(canary)
    assert shop.answering(names.service_port, ("2.0", "2.1")) == ("2.0", "2.1")
