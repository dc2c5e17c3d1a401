"""The one door to the cluster: plain dicts in and out, a time limit on every request."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from kubelab.errors import Busy, EnvironmentFault, ForeignCluster, NoCluster
from kubelab.site import Site

Object = dict[str, Any]

SYSTEM = "kubelab-system"
MARKER = "kubelab"
MARKER_LABEL = "kubelab.dev/marker"
USER_AGENT = "kubelab/0.1"
STARTED = re.compile(rb"^process_start_time_seconds ([0-9.e+]+)$", re.MULTILINE)
# A kubelet's words where the runtime, or the file of a log, does not answer it; the first come in
# place of the log, too.
UNREAD = ("unable to retrieve container logs for ", "failed to try ", "failed to open ")
IN_PLACE = re.compile(re.escape(UNREAD[0]) + r"[a-z-]+://[0-9a-f]+")
CONNECT = 5.0
TIMEOUT = 10.0
# How often an answer may break off before it counts as none.
CUT_ANSWERS = 3


@dataclass(frozen=True)
class Kind:
    """Where the API serves a kind."""

    name: str
    prefix: str
    plural: str
    namespaced: bool = True

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        """The URL path of a list, or of one object."""
        parts = [self.prefix]
        if self.namespaced and namespace:
            parts.append(f"namespaces/{namespace}")
        parts.append(self.plural)
        if name:
            parts.append(quote(name, safe=":"))
        return "/".join(parts)


# What checks read is known beforehand: no discovery, so no stale discovery cache either.
KINDS = {
    kind.name: kind
    for kind in (
        Kind("Pod", "/api/v1", "pods"),
        Kind("Event", "/api/v1", "events"),
        Kind("Service", "/api/v1", "services"),
        Kind("ConfigMap", "/api/v1", "configmaps"),
        Kind("Secret", "/api/v1", "secrets"),
        Kind("ResourceQuota", "/api/v1", "resourcequotas"),
        Kind("LimitRange", "/api/v1", "limitranges"),
        Kind("Namespace", "/api/v1", "namespaces", namespaced=False),
        Kind("Node", "/api/v1", "nodes", namespaced=False),
        Kind("Deployment", "/apis/apps/v1", "deployments"),
        Kind("ReplicaSet", "/apis/apps/v1", "replicasets"),
        Kind("StatefulSet", "/apis/apps/v1", "statefulsets"),
        Kind("DaemonSet", "/apis/apps/v1", "daemonsets"),
        Kind("Job", "/apis/batch/v1", "jobs"),
        Kind("CronJob", "/apis/batch/v1", "cronjobs"),
        Kind("Lease", "/apis/coordination.k8s.io/v1", "leases"),
        Kind("EndpointSlice", "/apis/discovery.k8s.io/v1", "endpointslices"),
        Kind("NetworkPolicy", "/apis/networking.k8s.io/v1", "networkpolicies"),
        Kind("Ingress", "/apis/networking.k8s.io/v1", "ingresses"),
        Kind("HTTPProxy", "/apis/projectcontour.io/v1", "httpproxies"),
        Kind("HTTPRoute", "/apis/gateway.networking.k8s.io/v1", "httproutes"),
    )
}


class Conflict(Exception):
    """The object was there already, or was changed by someone else meanwhile."""


class Refused(Exception):
    """The API server refuses the request; the message says why (a quota, an invalid field)."""


class Away(Refused, Busy):
    """The API server did not get through to whom it asks: a kubelet, a Pod behind a Service."""


class Expired(Exception):
    """A watch fell behind what the server remembers (410 Gone): list again."""


@dataclass(frozen=True)
class Stream:
    """One open watch: its events, and how to end it from another thread."""

    response: Any

    def __iter__(self) -> Iterator[tuple[str, Object]]:
        rest = b""
        for chunk in self.response.stream(amt=None, decode_content=False):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if line:
                    event = json.loads(line)
                    body = event["object"]
                    if event["type"] == "ERROR":
                        raise failure(body.get("code", 500), json.dumps(body).encode())
                    yield event["type"], body

    def close(self) -> None:
        """End the watch, also while another thread waits for its next event."""
        import contextlib
        import socket

        sock = getattr(getattr(self.response, "connection", None), "sock", None)
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


class Cluster:
    """The course's cluster, read and written through the official client."""

    def __init__(self, site: Site, client: Any) -> None:
        self.site = site
        self._client = client
        self.requests = 0

    # Reading

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """One object, or None where there is none."""
        found: Object | None = self._json("GET", KINDS[kind].path(namespace, name))
        return found

    def objects(
        self,
        kind: str,
        namespace: str | None = None,
        *,
        labels: str | None = None,
        fields: str | None = None,
        limit: int | None = None,
    ) -> list[Object]:
        """All objects of a kind, in one namespace or in all; selectors as kubectl takes them."""
        query = {"labelSelector": labels, "fieldSelector": fields, "limit": limit}
        answer = self._json("GET", KINDS[kind].path(namespace), query)
        return list(answer["items"]) if answer else []

    def at(self, path: str) -> list[Object]:
        """All objects of a list at a URL path, for kinds that are not known beforehand."""
        answer = self._json("GET", path)
        return list(answer["items"]) if answer else []

    def server_started(self) -> float:
        """When the API server was started, in seconds since the epoch; 0 where it does not say."""
        answer = self._call("GET", "/metrics")
        found = STARTED.search(answer.data) if answer else None
        return float(found[1]) if found else 0.0

    def watch(self, kind: str, namespace: str, seconds: float) -> Stream:
        """A streaming list: everything there is, a bookmark, then every change."""
        query = {
            "watch": "true",
            "sendInitialEvents": "true",
            "resourceVersionMatch": "NotOlderThan",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": max(1, int(seconds) + 1),
        }
        path = KINDS[kind].path(namespace)
        return Stream(self._call("GET", path, query, timeout=seconds + TIMEOUT))

    def logs(
        self, pod: str, namespace: str, container: str, *, previous: bool = False, lines: int = 5
    ) -> list[str]:
        """The last lines of a container's log; empty where it has none.

        Raises Away where its kubelet does not answer, and Busy where that cannot read it.
        """
        query = {"container": container, "previous": str(previous).lower(), "tailLines": lines}
        try:
            answer = self._call("GET", KINDS["Pod"].path(namespace, pod) + "/log", query)
        except Away:
            raise
        except Refused as refused:
            if str(refused).startswith(UNREAD):
                raise unread(pod, namespace) from None
            return []
        found: list[str] = answer.data.decode("utf-8", "replace").splitlines() if answer else []
        if len(found) == 1 and IN_PLACE.fullmatch(found[0]):
            raise unread(pod, namespace)
        return found

    def proxied(
        self, service: str, path: str, body: Object | None = None, *, timeout: float = TIMEOUT
    ) -> Any:
        """Ask a Service of the course (`name:port`) through the API server; JSON in and out."""
        url = f"{KINDS['Service'].path(SYSTEM, service)}/proxy/{path}"
        return self._proxied(service.split(":")[0], url, body, timeout)

    def proxied_pod(
        self,
        namespace: str,
        pod: str,
        path: str,
        body: Object | None = None,
        *,
        timeout: float = TIMEOUT,
    ) -> Any:
        """Ask a Pod of the course in any namespace (`name:port`); JSON in and out."""
        url = f"{KINDS['Pod'].path(namespace, pod)}/proxy/{path}"
        return self._proxied(f"Pod {pod.split(':')[0]}", url, body, timeout)

    def _proxied(self, who: str, url: str, body: Object | None, timeout: float) -> Any:
        from urllib3.exceptions import HTTPError

        # A connection that breaks within an answer says nothing about the next one.
        for _ in range(CUT_ANSWERS):
            try:
                method = "GET" if body is None else "POST"
                answer = self._call(method, url, body=body, timeout=timeout)
                if answer is None:
                    raise EnvironmentFault(f"The course's {who} is not there.", look="./lab doctor")
                return json.loads(answer.data)
            except Refused as error:
                raise Busy(
                    f"The course's {who} does not answer: {error}", look="./lab doctor"
                ) from None
            except HTTPError:
                continue
        raise Busy(f"The answers of the course's {who} are cut.", look="./lab doctor")

    @cached_property
    def marker(self) -> Object:
        """The course's marker object; raises ForeignCluster where there is none for this site."""
        marker = self.get("ConfigMap", MARKER, SYSTEM) or {}
        labels = marker.get("metadata", {}).get("labels") or {}
        ours = (marker.get("data") or {}).get("cluster") == self.site.name
        if labels.get(MARKER_LABEL) != "true" or not ours:
            raise ForeignCluster(
                "This cluster does not carry the course's marker object: nothing is done to it.",
                look="./lab up",
            )
        return marker

    @property
    def uid(self) -> str:
        """What tells this cluster from every other one, also from its namesakes before."""
        return str(self.marker["metadata"]["uid"])

    @property
    def version(self) -> str | None:
        """The version of Kubernetes, as the course recorded it: `v1.37.2`."""
        found: str | None = self.marker["data"].get("version")
        return found

    def cache(self, name: str) -> Path:
        """A file for what is known about this one cluster."""
        return self.site.state / "clusters" / self.uid / name

    @cached_property
    def discovery(self) -> Any:
        """The dynamic client, for kinds that are not known beforehand."""
        from kubernetes import dynamic

        # The client's own cache file is named after host and port, which clusters reuse.
        file = self.cache("discovery.json")
        file.parent.mkdir(parents=True, exist_ok=True)
        return dynamic.DynamicClient(self._client, cache_file=str(file))

    # Writing

    def create(
        self, kind: str, body: Object, namespace: str | None = None, *, dry_run: bool = False
    ) -> Object:
        """Create an object; raises Conflict where it exists, Refused where it may not be.

        A dry run answers with what would be made, and makes nothing.
        """
        query = {"dryRun": "All"} if dry_run else None
        return self._json("POST", KINDS[kind].path(namespace), query, body=body) or {}

    def replace(self, kind: str, body: Object, namespace: str | None = None) -> Object:
        """Replace an object; raises Conflict where its resourceVersion is not the newest."""
        path = KINDS[kind].path(namespace, body["metadata"]["name"])
        return self._json("PUT", path, body=body) or {}

    def patch(self, kind: str, name: str, body: Object, namespace: str | None = None) -> None:
        """Merge `body` into an object (JSON Merge Patch)."""
        path = KINDS[kind].path(namespace, name)
        self._call("PATCH", path, body=body, content="application/merge-patch+json")

    def apply(self, body: Object, namespace: str | None = None) -> Object:
        """Server-side apply of one manifest, as field manager `kubelab`; the object as it is."""
        kind = KINDS[body["kind"]]
        path = kind.path(namespace, body["metadata"]["name"])
        query = {"fieldManager": "kubelab", "force": "true", "fieldValidation": "Strict"}
        content = "application/apply-patch+yaml"
        return self._json("PATCH", path, query, body=body, content=content) or {}

    def delete(self, kind: str, name: str, namespace: str | None = None, grace: int = 0) -> None:
        """Delete an object if it is there, and what it owns; `grace` in seconds."""
        path = KINDS[kind].path(namespace, name)
        # Of a Job the API server would leave the Pods behind, unless it is told otherwise.
        query = {"gracePeriodSeconds": grace, "propagationPolicy": "Background"}
        self._call("DELETE", path, query)

    # The one request

    def _json(
        self, method: str, path: str, query: Mapping[str, Any] | None = None, **more: Any
    ) -> Any:
        answer = self._call(method, path, query, **more)
        return None if answer is None else json.loads(answer.data)

    def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None = None,
        *,
        body: Object | None = None,
        content: str = "application/json",
        timeout: float = TIMEOUT,
    ) -> Any:
        """The urllib3 response, None for 404; every other failure as an error of ours."""
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import HTTPError

        self.requests += 1
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = content
        request = self._client.param_serialize(
            method,
            path,
            query_params=[
                (key, value) for key, value in (query or {}).items() if value is not None
            ],
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            answer = self._client.call_api(*request, _request_timeout=(CONNECT, timeout)).response
        except (HTTPError, OSError, ApiException) as error:
            # The client wraps a broken TLS connection in an error of its own.
            why = str(getattr(error, "reason", None) or type(error).__name__).partition("\n")[0]
            raise NoCluster(
                f"The cluster's API server does not answer ({why[:60]}).",
                look="./lab doctor",
            ) from None
        if answer.status == 404:
            answer.drain_conn()
            return None
        if answer.status >= 400:
            raise failure(answer.status, answer.data)
        return answer


def unread(pod: str, namespace: str) -> Busy:
    """The error for a log that is there and cannot be read."""
    return Busy(
        f"The log of Pod {pod} cannot be read on its node for now.",
        look=f"kubectl -n {namespace} logs {pod}",
    )


def failure(status: int, data: bytes) -> Exception:
    """The exception for an HTTP status of the API server, with the server's own message."""
    try:
        answer = json.loads(data)
        # `error` is what the course's own services say.
        message = str(answer.get("message") or answer.get("error") or "")
    except (ValueError, AttributeError):
        message = data.decode("utf-8", "replace").strip()
    message = message or f"HTTP {status}"
    if status == 409:
        return Conflict(message)
    if status == 410:
        return Expired(message)
    if status in (400, 403, 405, 422):
        return Refused(message)
    fault = {
        # It has too much to do, or waited in vain for etcd or a kubelet.
        **dict.fromkeys((429, 500), Busy),
        **dict.fromkeys((502, 503, 504), Away),
    }.get(status, EnvironmentFault)
    return fault(f"The API server says: {message}", look="./lab doctor")


def connect(site: Site) -> Cluster:
    """The course's cluster; raises NoCluster or ForeignCluster."""
    if not site.kubeconfig.is_file() or not site.kubeconfig.stat().st_size:
        raise NoCluster("The course's cluster is not there.", look="./lab up")
    # Importing the client takes half a second: nothing that needs no cluster waits for it.
    from kubernetes import client, config

    configuration = client.Configuration()
    config.load_kube_config(str(site.kubeconfig), site.context, configuration)
    # The cluster is on loopback, whatever the environment says of proxies; a refused
    # connection is told at once, not after urllib3's three tries.
    configuration.proxy = None
    configuration.retries = False
    api = client.ApiClient(configuration)
    api.user_agent = f"{USER_AGENT} ({os.getpid()})"
    cluster = Cluster(site, api)
    _ = cluster.marker
    return cluster
