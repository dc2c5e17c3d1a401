"""Lab 06: what must hold of the Jobs."""

from kubelab.checking import LabView, task


@task("06.1")
def test_pi_runs_six_times_three_at_a_time(lab: LabView) -> None:
    """Job `pi` is kept, six Pods of it succeeded after 5 s each, and three worked at a time,
    never more."""
    names = lab.names
    job = lab.job(names.pi)
    assert job.completions == names.runs
    assert job.kept
    assert not job.suspended
    assert job.ran_at_once(names.at_once)
    assert job.succeeded == names.runs
    assert job.lasted(names.seconds)


@task("06.2")
def test_each_index_adds_up_its_shard(lab: LabView) -> None:
    """Each index of Job `shards` logs the sum of its shard alone, and `answers` holds the total
    of all four."""
    names = lab.names
    job, answers = lab.shards(names.shards, names.count), lab.total(names.answers, names.count)
    assert job.indexed
    assert job.completions == names.count
    assert not job.suspended
    assert job.completed == names.count
    assert job.logged
    assert answers.agrees(names.total)


@task("06.3")
def test_tick_begins_a_run_every_minute(lab: LabView) -> None:
    """CronJob `tick` begins a run every minute, never two at once, keeps 2 successes, and a run
    succeeds."""
    names = lab.names
    cron_job = lab.cron_job(names.tick)
    assert cron_job.every_minute
    assert cron_job.policy.among(("Forbid", "Replace"))
    assert cron_job.kept_successes == names.successes
    assert cron_job.kept
    assert cron_job.run_succeeds


@task("06.4")
def test_flaky_tells_exit_codes_apart(lab: LabView) -> None:
    """With `backoffLimit: 1`, `flaky` repeats exit 75 without counting it and fails at once on
    exit 3."""
    names = lab.names
    job = lab.exits(names.flaky, names.container, names.image)
    assert not job.suspended
    assert job.backoff_limit == names.limit
    assert job.restart_policy == "Never"
    assert job.has_failure_policy
    assert job.starts
    assert job.tells_apart(names.later, names.bad)
