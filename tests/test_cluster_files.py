"""The files of cluster/: what kind and the API server are given."""

from __future__ import annotations

import string
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubelab.nodeimage import gobuild, manifests, sources
from kubelab.site import ROOT

CLUSTER = ROOT / "cluster"
POLICY = yaml.safe_load((CLUSTER / "audit-policy.yaml").read_text(encoding="utf-8"))
VALUES = {
    "NAME": "kubelab",
    "NODE_IMAGE": "kubelab/node:1",
    "HTTP_PORT": "8080",
    "HTTPS_PORT": "8443",
    "AUDIT_POLICY": "/somewhere/audit-policy.yaml",
}


@pytest.fixture
def kind() -> dict[str, Any]:
    template = string.Template((CLUSTER / "kind.yaml").read_text(encoding="utf-8"))
    document: dict[str, Any] = yaml.safe_load(template.substitute(VALUES))
    return document


def patches(kind: dict[str, Any]) -> dict[str, dict[str, Any]]:
    parsed = [yaml.safe_load(patch) for patch in kind["kubeadmConfigPatches"]]
    return {patch["kind"]: patch for patch in parsed}


def level(
    verb: str,
    resource: str,
    *,
    group: str = "",
    namespace: str = "lab-02",
    user: str = "kubernetes-admin",
    groups: tuple[str, ...] = (),
) -> str:
    """The level that the audit policy gives a request on a resource: the first rule decides."""
    for rule in POLICY["rules"]:
        if _matches(rule, verb, resource, group, namespace, user, groups):
            return str(rule["level"])
    return "None"


def _matches(
    rule: dict[str, Any],
    verb: str,
    resource: str,
    group: str,
    namespace: str,
    user: str,
    groups: tuple[str, ...],
) -> bool:
    """As k8s.io/apiserver/pkg/audit/policy/checker.go has it: every given field must match."""
    if "nonResourceURLs" in rule:
        return False
    return (
        user in rule.get("users", [user])
        and (not rule.get("userGroups") or bool(set(groups) & set(rule["userGroups"])))
        and verb in rule.get("verbs", [verb])
        and namespace in rule.get("namespaces", [namespace])
        and _matches_resource(rule.get("resources"), resource, group)
    )


def _matches_resource(wanted: list[dict[str, Any]] | None, resource: str, group: str) -> bool:
    if wanted is None:
        return True
    return any(
        entry["group"] == group
        and (
            "resources" not in entry
            or any(fnmatch(resource, pattern) for pattern in entry["resources"])
        )
        for entry in wanted
    )


@pytest.mark.parametrize(
    ("verb", "resource", "more"),
    [
        ("create", "pods", {}),
        ("patch", "deployments", {"group": "apps"}),
        ("delete", "pods", {"namespace": "default"}),
        ("create", "pods/binding", {"user": "system:kube-scheduler"}),
        ("create", "pods", {"user": "system:serviceaccount:kube-system:job-controller"}),
        ("create", "pods/exec", {}),
        ("get", "pods/exec", {}),
        ("create", "serviceaccounts/token", {}),
        ("patch", "nodes", {"namespace": ""}),
        ("create", "namespaces", {"namespace": ""}),
    ],
)
def test_writes_and_entering_a_container_are_kept(
    verb: str, resource: str, more: dict[str, str]
) -> None:
    assert level(verb, resource, **more) == "Metadata"


@pytest.mark.parametrize(
    ("verb", "resource", "more"),
    [
        ("get", "pods", {}),
        ("list", "secrets", {}),
        ("watch", "pods", {"namespace": ""}),
        ("get", "pods/log", {}),
        ("create", "events", {}),
        ("update", "leases", {"group": "coordination.k8s.io"}),
        ("create", "pods", {"namespace": "kube-system"}),
        ("create", "pods/exec", {"namespace": "kubelab-system"}),
        ("create", "services/proxy", {"namespace": "kubelab-system"}),
        ("patch", "nodes/status", {"namespace": ""}),
        ("create", "subjectaccessreviews", {"group": "authorization.k8s.io", "namespace": ""}),
        ("create", "serviceaccounts/token", {"groups": ("system:nodes",)}),
        ("create", "clusterroles", {"user": "system:apiserver", "namespace": ""}),
    ],
)
def test_reads_system_namespaces_and_noise_are_dropped(
    verb: str, resource: str, more: dict[str, Any]
) -> None:
    assert level(verb, resource, **more) == "None"


def test_no_rule_of_the_policy_writes_a_body() -> None:
    assert {rule["level"] for rule in POLICY["rules"]} == {"None", "Metadata"}


def test_every_placeholder_of_the_kind_file_has_a_meaning() -> None:
    template = string.Template((CLUSTER / "kind.yaml").read_text(encoding="utf-8"))
    assert set(template.get_identifiers()) == set(VALUES)


def test_there_are_one_control_plane_and_two_workers(kind: dict[str, Any]) -> None:
    assert [node["role"] for node in kind["nodes"]] == ["control-plane", "worker", "worker"]
    assert {node["image"] for node in kind["nodes"]} == {"kubelab/node:1"}


def test_the_ports_are_on_loopback_only(kind: dict[str, Any]) -> None:
    ports = kind["nodes"][0]["extraPortMappings"]
    found = [(port["listenAddress"], port["hostPort"], port["containerPort"]) for port in ports]
    assert found == [("127.0.0.1", 8080, 80), ("127.0.0.1", 8443, 443)]


def test_the_kubelet_accepts_cgroup_v1(kind: dict[str, Any]) -> None:
    assert patches(kind)["KubeletConfiguration"]["failCgroupV1"] is False


def test_the_api_server_sees_the_policy_and_the_log_where_its_flags_say(
    kind: dict[str, Any],
) -> None:
    server = patches(kind)["ClusterConfiguration"]["apiServer"]
    flags = {flag["name"]: flag["value"] for flag in server["extraArgs"]}
    mounted = {volume["mountPath"] for volume in server["extraVolumes"]}
    assert str(Path(flags["audit-policy-file"]).parent) in mounted
    assert str(Path(flags["audit-log-path"]).parent) in mounted
    assert kind["nodes"][0]["extraMounts"][0]["containerPath"] == flags["audit-policy-file"]


def images(file: Path) -> set[str]:
    """Every image that the Pods of a manifest name."""
    found: set[str] = set()
    for document in yaml.safe_load_all(file.read_text(encoding="utf-8")):
        template = document.get("spec", {}).get("template", {}).get("spec", {})
        for container in template.get("initContainers", []) + template.get("containers", []):
            found.add(container["image"])
    return found


def test_the_add_ons_name_the_images_that_the_node_image_holds() -> None:
    pinned = sources.load()
    contour = images(CLUSTER / "contour" / "contour.yaml")
    assert pinned.pull["contour"] in contour
    assert images(CLUSTER / "metrics-server.yaml") == {pinned.pull["metrics_server"]}
    module = gobuild.module_zip("github.com/projectcontour/contour", pinned.versions["contour"])
    if module.is_file():
        assert contour == {pinned.pull["contour"], manifests.envoy_image(module)}


def test_contour_pins_one_version_for_build_and_manifests() -> None:
    text = (ROOT / "images" / "contour" / "go.mod").read_text(encoding="utf-8")
    assert f"github.com/projectcontour/contour {sources.load().versions['contour']}" in text
