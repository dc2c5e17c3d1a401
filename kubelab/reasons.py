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
# The image stands there always: no line of a probe says that there is none.
PROBES = DESCRIBE + " | grep -E 'Image:|Liveness|Readiness|Startup'"
YAML = "kubectl -n {namespace} get {kind} {name} -o yaml"
JOB_PODS = "kubectl -n {namespace} get pods -l job-name={name} --sort-by=.status.startTime"
# What was made by hand has no such name before its own.
MADE = (
    "kubectl -n {namespace} get pods "
    "-o custom-columns=POD:.metadata.name,MADE-FROM:.metadata.generateName"
)
SERVICE = "kubectl -n {namespace} describe service {name}"
SLICES = "kubectl -n {namespace} get endpointslices -l kubernetes.io/service-name={name}"
HOSTS = "kubectl -n {namespace} get ingress"
CLASSES = HOSTS + ",ingressclass"

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
        Reason("wrong-replicas", "It asks for another number of Pods.", DESCRIBE),
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
        Reason("no-sidecar", "No init container keeps running beside the others.", DESCRIBE),
        Reason("no-init-container", "No init container prepares anything and ends.", DESCRIBE),
        Reason("wrong-order", "The sidecar starts before what must be done first.", DESCRIBE),
        Reason("wrong-content", "A file that is served holds something else.", DESCRIBE),
        Reason("not-refreshed", "A file that is served does not change in time.", DESCRIBE),
        Reason("wrong-writer", "Another container than the init container writes.", DESCRIBE),
        Reason("wrong-refresher", "Another container than the sidecar rewrites.", DESCRIBE),
        Reason(
            "wrong-grace", "The time between SIGTERM and SIGKILL is too long or none.", DESCRIBE
        ),
        Reason("killed", "A container of a deleted Pod was ended by SIGKILL.", DESCRIBE),
        Reason("request-lost", "A request that was under way got no answer.", DESCRIBE),
        Reason("ends-late", "A container did not end before its grace was over.", DESCRIBE),
        Reason("made-anew", "The object was deleted and made again.", LIST),
        Reason("no-selector", "The Service selects nothing, so nobody keeps its endpoints.", YAML),
        Reason("no-cluster-ip", "The Service has no address of its own.", YAML),
        Reason("wrong-port", "The Service does not listen on the port.", YAML),
        Reason("wrong-target-port", "Nobody listens where the Service sends requests.", SERVICE),
        Reason("no-endpoints", "No ready Pod stands behind the Service.", SERVICE),
        Reason("extra-endpoints", "A Pod that should not be there gets requests.", SERVICE),
        Reason("missing-endpoints", "A ready Pod is left out.", SERVICE),
        Reason("session-affinity", "One client always meets the same Pod.", YAML),
        Reason("endpoints-by-hand", "Endpoints were written by hand.", SLICES),
        Reason("pod-by-hand", "A Pod was made by hand where a controller makes them.", MADE),
        Reason("not-followed", "A replaced Pod is not found.", SLICES),
        Reason("not-replaced", "No Pod that works comes in place of a deleted one.", DESCRIBE),
        Reason("wrong-count", "The counts of one visitor do not go 1, 2, 3."),
        Reason("wrong-store", "Visits are counted in another store than the one given."),
        Reason("not-headless", "The Service has an address of its own.", YAML),
        Reason("unready-address", "DNS names a Pod that is not ready.", YAML),
        Reason("backend-not-found", "The page does not reach its backend."),
        Reason("fixed-address", "The backend is called at an address that has changed."),
        Reason("none-out", "No living Pod was taken out of the Service."),
        Reason("restarted", "The Pod was restarted."),
        Reason("not-available", "Too few Pods are available.", DESCRIBE),
        Reason(
            "not-created",
            "The Pods cannot be created; ReplicaFailure, or an Event, says why.",
            DESCRIBE,
        ),
        Reason("not-rolled-out", "The rollout is not complete."),
        Reason("wrong-version", "Pods run, or claim to be, another version."),
        Reason("paused", "The rollout is paused.", DESCRIBE),
        Reason("no-history", "No old revision is kept to go back to.", DESCRIBE),
        Reason("not-seen", "The record does not show the step."),
        Reason("requests-lost", "Requests got no answer during the step."),
        Reason("no-drain", "A Pod that is told to stop refuses new requests at once."),
        Reason("ready-too-early", "A Pod counts as ready before it accepts requests.", PROBES),
        Reason("bad-release-ready", "A Pod of the bad release was ready."),
        Reason("wrong-share", "The versions have other shares of the addresses."),
        Reason("no-entry", "The ConfigMap has no such entry.", YAML),
        Reason("wrong-entry", "An entry of the ConfigMap is not what the cluster says.", YAML),
        Reason("wrong-scheduler", "The Pod asks for another scheduler.", YAML),
        Reason("no-binding", "No Binding has placed the Pod.", DESCRIBE),
        Reason("no-such-node", "The cluster has no node of that name.", "kubectl get nodes"),
        Reason("wrong-binder", "A component of the cluster made the Binding.", DESCRIBE),
        Reason("never-quiet", "A controller went on working."),
        Reason("not-converged", "The Pods that were asked for did not come.", DESCRIBE),
        Reason("wrong-host", "No rule is for the host.", DESCRIBE),
        Reason("wrong-class", "No controller here serves the class of the Ingress.", CLASSES),
        Reason("wrong-path", "No rule takes the path.", DESCRIBE),
        Reason("wrong-path-type", "The type of a path takes too much or too little.", DESCRIBE),
        Reason("no-service", "A rule names a Service that is not there.", DESCRIBE),
        Reason("wrong-backend", "Somebody else answers than should.", DESCRIBE),
        Reason("not-routed", "Envoy knows no way for the request: 404.", DESCRIBE),
        Reason("every-host", "A host that nobody named is answered, too.", HOSTS),
        Reason("no-tls", "No TLS entry names the host.", DESCRIBE),
        Reason("other-certificate", "Another certificate than the Secret's is shown.", HOSTS),
        Reason("wrong-certificate-name", "The certificate is for another name."),
        Reason("expired-certificate", "The certificate is not valid now."),
        Reason("carried-by-ingress", "An Ingress carries the host, too.", HOSTS),
        Reason("wrong-gateway", "The route does not ask for the course's Gateway.", YAML),
        Reason("not-accepted", "The Gateway does not accept the route.", YAML),
        Reason(
            "unresolved-refs",
            "A backend of the route is not there, or may not be named.",
            YAML,
        ),
        Reason("wrong-weight", "The weights of the backends are others.", YAML),
        Reason("wrong-split", "The requests are split in another way.", YAML),
        Reason("wrong-completions", "It asks for another number of Pods that succeed.", DESCRIBE),
        Reason("too-many-at-once", "More Pods than wanted were at work at one time.", JOB_PODS),
        Reason("too-few-at-once", "Fewer Pods than wanted were at work at one time.", JOB_PODS),
        Reason("short-run", "A run was over sooner than it should take.", JOB_PODS),
        Reason("not-complete", "The Job has not come to its end.", JOB_PODS),
        Reason("job-failed", "The Job, or Pod after Pod of it, has failed.", DESCRIBE),
        Reason("not-kept", "The Job is deleted soon after its end.", YAML),
        Reason("suspended", "The Job is suspended, so nothing runs.", YAML),
        Reason("not-indexed", "The Pods of the Job have no numbers of their own.", YAML),
        Reason("no-log", "A Pod logged no number, or its log is gone."),
        Reason("wrong-sum", "A Pod logged another sum than that of its own shard."),
        Reason("no-total", "The total is not written down."),
        Reason("wrong-total", "The total is another one."),
        Reason("wrong-schedule", "The runs begin at other times.", DESCRIBE),
        Reason("runs-overlap", "A run may begin while the one before goes on.", DESCRIBE),
        Reason("wrong-history", "Another number of successful runs is kept.", DESCRIBE),
        Reason("run-failed", "A run that the course made failed."),
        Reason("never-ends", "A run, or a Pod whose task is over, goes on."),
        Reason("wrong-backoff-limit", "It tolerates another number of failures.", YAML),
        Reason(
            "wrong-restart-policy",
            "The kubelet does something else with a container that has ended.",
            YAML,
        ),
        Reason("no-failure-policy", "The Job does not look at exit codes.", YAML),
        Reason(
            "retry-counted",
            "An exit code that means a later try counts as a failure.",
            DESCRIBE,
        ),
        Reason("stopped-too-early", "An exit code that means a later try stops the Job.", DESCRIBE),
        Reason(
            "not-stopped",
            "An exit code that no retry mends does not stop the Job at once.",
            DESCRIBE,
        ),
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
