"""What the node image takes out of the zip of Contour's module."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubelab.errors import BuildFailed
from kubelab.nodeimage import gobuild, manifests, sources

PREFIX = "github.com/projectcontour/contour@v1.33.8/"


def definition(kind: str, *versions: tuple[str, bool, bool]) -> dict[str, Any]:
    """A small CustomResourceDefinition; of a version its name, whether it is served and stored."""
    schema = {
        "description": "prose",
        "type": "object",
        "properties": {"description": {"type": "string", "description": "prose"}},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.lower()}s.example.com"},
        "spec": {
            "names": {"kind": kind},
            "versions": [
                {
                    "name": name,
                    "served": served,
                    "storage": stored,
                    "schema": {"openAPIV3Schema": schema},
                }
                for name, served, stored in versions
            ],
        },
        "status": {"conditions": None},
    }


@pytest.fixture
def module_zip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module's zip with one file of three kinds, of which two are wanted."""
    text = yaml.safe_dump_all(
        [
            definition(
                "Wanted", ("v1", True, True), ("v1beta1", True, False), ("v1alpha2", False, False)
            ),
            definition("Unwanted", ("v1", True, True)),
            definition("Old", ("v1beta1", True, True)),
        ]
    )
    source = manifests.Source(
        "examples/crds.yaml",
        hashlib.sha256(text.encode()).hexdigest(),
        frozenset({"Wanted", "Old"}),
        described=False,
    )
    monkeypatch.setattr(manifests, "SOURCES", {"crds.json": source})
    target = tmp_path / "v1.33.8.zip"
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(PREFIX + "examples/crds.yaml", text)
        archive.writestr(
            PREFIX + manifests.ENVOY_MANIFEST,
            "  image: ghcr.io/a/contour:v1\n  image: docker.io/b/envoy:v2\n",
        )
    return target


def kinds(content: bytes) -> list[str]:
    return [item["spec"]["names"]["kind"] for item in json.loads(content)["items"]]


def test_only_the_named_kinds_are_kept(module_zip: Path) -> None:
    assert kinds(manifests.collect(module_zip)["crds.json"]) == ["Wanted", "Old"]


def test_versions_that_are_not_served_are_left_out(module_zip: Path) -> None:
    items = json.loads(manifests.collect(module_zip)["crds.json"])["items"]
    served = [[version["name"] for version in item["spec"]["versions"]] for item in items]
    assert served == [["v1", "v1beta1"], ["v1beta1"]]


def test_the_prose_goes_and_a_property_named_description_stays(module_zip: Path) -> None:
    item = json.loads(manifests.collect(module_zip)["crds.json"])["items"][0]
    schema = item["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert schema == {"type": "object", "properties": {"description": {"type": "string"}}}


def test_the_status_that_upstream_writes_goes(module_zip: Path) -> None:
    assert all(
        "status" not in item
        for item in json.loads(manifests.collect(module_zip)["crds.json"])["items"]
    )


def test_a_changed_file_is_refused(module_zip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = manifests.Source("examples/crds.yaml", "0" * 64, frozenset(), described=False)
    monkeypatch.setattr(manifests, "SOURCES", {"crds.json": source})
    with pytest.raises(BuildFailed, match="has the hash"):
        manifests.collect(module_zip)


def test_a_missing_file_is_refused(module_zip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = manifests.Source("examples/other.yaml", "0" * 64, frozenset(), described=False)
    monkeypatch.setattr(manifests, "SOURCES", {"crds.json": source})
    with pytest.raises(BuildFailed, match=r"holds no examples/other\.yaml"):
        manifests.collect(module_zip)


def test_the_envoy_image_is_the_one_that_contours_manifests_name(module_zip: Path) -> None:
    assert manifests.envoy_image(module_zip) == "docker.io/b/envoy:v2"


def test_the_pinned_module_holds_what_contour_watches() -> None:
    version = sources.load().versions["contour"]
    real = gobuild.module_zip("github.com/projectcontour/contour", version)
    if not real.is_file():
        pytest.skip("Contour's module is not on this machine")
    collected = manifests.collect(real)
    found = sorted(kind for content in collected.values() for kind in kinds(content))
    assert found == [
        "Gateway",
        "GatewayClass",
        "HTTPProxy",
        "HTTPRoute",
        "ReferenceGrant",
        "TLSCertificateDelegation",
    ]
    assert sum(map(len, collected.values())) < 300_000
