"""The closed list of reasons that a check can give, each with the command to look with.

`docs/reasons.md` is this table in words; a test holds the two together.
In a command, {namespace}, {plural}, {name} and {container} stand for the object at fault.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """What a reason id means, and the command that shows it (empty: the task's own)."""

    id: str
    meaning: str
    look: str = ""


DESCRIBE = "kubectl -n {namespace} describe {kind} {name}"
LIST = "kubectl -n {namespace} get {plural} --show-labels"
PROBES = "kubectl -n {namespace} describe {kind} {name} | grep -E 'Liveness|Readiness'"

REASONS: dict[str, Reason] = {
    reason.id: reason
    for reason in (
        Reason("not-started", "The lab has no start record.", "./lab start {lab}"),
        Reason("not-found", "No object of this kind has the name.", LIST),
        Reason(
            "wrong-namespace",
            "The object is in another namespace.",
            "kubectl get {plural} --all-namespaces --field-selector metadata.name={name}",
        ),
        Reason(
            "wrong-kind",
            "An object of another kind has the name.",
            "kubectl -n {namespace} get all",
        ),
        Reason("wrong-label", "A label is missing or has another value.", LIST),
        Reason("wrong-image", "A container runs another image.", DESCRIBE),
        Reason("image-unavailable", "The image is not on the node and cannot be had.", DESCRIBE),
        Reason("container-config", "The container cannot be created or started.", DESCRIBE),
        Reason("unschedulable", "No node takes the Pod.", DESCRIBE),
        Reason(
            "crash-loop",
            "A container ends again and again.",
            "kubectl -n {namespace} logs {name} -c {container} --previous",
        ),
        Reason(
            "exited",
            "A container has ended and is not started again.",
            "kubectl -n {namespace} logs {name} -c {container}",
        ),
        Reason("not-ready", "The object runs and is not ready.", DESCRIBE),
        Reason("terminating", "The object is being deleted.", DESCRIBE),
        Reason("no-answer", "A request from inside the cluster gets no answer.", DESCRIBE),
        Reason("wrong-answer", "A request gets another answer than the one wanted.", DESCRIBE),
        Reason("no-readiness-probe", "The container has no readiness probe.", PROBES),
        Reason("wrong-readiness-probe", "The readiness probe asks in another way.", PROBES),
        Reason("no-liveness-probe", "The container has no liveness probe.", PROBES),
        Reason("wrong-liveness-probe", "The liveness probe asks in another way.", PROBES),
        Reason("not-restarted", "An unhealthy copy was not restarted in time.", PROBES),
        Reason("restarted-healthy", "A healthy container was restarted.", DESCRIBE),
        Reason("unsettled", "All of it holds, and the state is not at rest yet.", DESCRIBE),
        Reason("not-met", "A criterion does not hold; the message names it."),
        Reason(
            "environment",
            "The check could not be made; nothing the learner did caused it.",
            "./lab doctor",
        ),
    )
}


def look(reason: str, default: str, **facts: str) -> str:
    """The command for a reason with its facts filled in; `default` where it has none."""
    template = REASONS[reason].look or default
    return template.format_map(facts)
