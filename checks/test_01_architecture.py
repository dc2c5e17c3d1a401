"""Lab 01: what must hold of the components, and of what was done in their place."""

from kubelab.checking import LabView, task


@task("01.1")
def test_the_answers_are_what_the_cluster_says(lab: LabView) -> None:
    """`answers` says who talks to etcd, who schedules, under which key `sleepy` is, who made its
    ReplicaSet."""
    names = lab.names
    answers = lab.control_plane(names.answers, names.sleepy)
    assert answers.store
    assert answers.scheduler
    assert answers.key
    assert answers.owner


@task("01.2")
def test_waiting_was_placed_by_a_binding_of_the_learner(lab: LabView) -> None:
    """`waiting`, the Pod that you were given, runs on the node to which your Binding sent it."""
    names = lab.names
    waiting = lab.placed(names.waiting)
    assert waiting.scheduler == names.by_hand
    assert waiting.bound_by_hand
    assert waiting.on_a_node
    assert waiting.same
    assert waiting.ready


@task("01.3")
def test_sleepy_was_changed_while_nobody_worked(lab: LabView) -> None:
    """`sleepy` was told to have more Pods, got none for 5 seconds or longer, and all of them
    later."""
    sleepy = lab.asleep(lab.names.sleepy)
    assert sleepy.asked
    assert sleepy.left_alone
    assert sleepy.converged
