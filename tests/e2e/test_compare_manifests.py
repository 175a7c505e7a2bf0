"""`make compare-manifests`: what it says of the manifests in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from e2e.compare_manifests import Verdict, compare, compare_pods, manifests_of, tell

if TYPE_CHECKING:
    import pytest
    from pytest_kind import KindCluster

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      serviceAccountName: of-its-own
      containers: [{{name: web, image: {image}}}]
"""


def deployment(namespace: str, name: str = "web", image: str = "nginx", replicas: int = 7) -> str:
    """A Deployment's manifest."""
    return DEPLOYMENT.format(namespace=namespace, name=name, image=image, replicas=replicas)


def test_of_a_folder_each_deployment_is_told(
    kind_cluster: KindCluster, operator: object, namespace: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Equal, refused as a PodGroup or as a Deployment, or unreadable; what else is there is passed over."""
    assert operator
    files = {
        "a.yaml": f"kind: Service\n---{deployment(namespace)}---{deployment(namespace, replicas=0)}",
        "below/b.yml": deployment(namespace, "w" * 64),
        "c.yaml": deployment(namespace, "no-image", '""'),
        "d.yaml": "kind: Deployment\n  {{ template }}: [",
        "e.json": '{"kind": "List", "items": []}',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    counted = tell(compare(Path(kind_cluster.kubeconfig_path), manifests_of(tmp_path)))
    told = {line[15:].partition(": ")[0]: line[:15].strip() for line in capsys.readouterr().out.splitlines()[:5]}
    assert told == {
        "a.yaml#1": "equal",
        "a.yaml#2": "equal",
        "below/b.yml": "REFUSED",
        "c.yaml": "no Deployment",
        "d.yaml": "unreadable",
    }
    assert counted == {"equal": 2, "REFUSED": 1, "no Deployment": 1, "unreadable": 1}


def test_pods_that_differ_are_told_by_their_fields() -> None:
    """The paths at which they do; what is each pod's own is no difference."""
    one, other = (
        {
            "metadata": {"name": name, "labels": {"app": "web", "pod-template-hash": name}},
            "spec": {"nodeName": name, "containers": [{"name": "web", "image": image}]},
        }
        for name, image in (("a", "nginx:1"), ("b", "nginx:2"))
    )
    assert compare_pods("x", one, one | {"metadata": other["metadata"]}) == Verdict("x", "equal")
    assert compare_pods("x", one, other) == Verdict("x", "DIFFERENT", "spec.containers[0].image")
    assert compare_pods("x", one, "no quota") == Verdict("x", "DIFFERENT", "no pod of the PodGroup: no quota")
    assert compare_pods("x", "no quota", other) == Verdict("x", "no pod", "no quota")
