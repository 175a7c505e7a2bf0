"""The verbs that the README says take a PodGroup as they take a Deployment do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from e2e.kubectl_table import README
from e2e.namespace import template
from e2e.terminal import Terminal
from e2e.versions import LABELS

if TYPE_CHECKING:
    from pytest_kind import KindCluster

    from e2e.namespace import Namespace
    from e2e.operator_process import OperatorProcess

Json = dict[str, Any]

SPEC: Json = {"replicas": 2, "selector": {"matchLabels": LABELS}, "template": template({"labels": LABELS})}
PODGROUP: Json = {"apiVersion": "selfheal.dev/v1", "kind": "PodGroup", "metadata": {"name": "web"}, "spec": SPEC}

VERBS = {
    "get": ("kubectl get pgrp/web -o jsonpath={.status.readyReplicas}", "2"),
    "describe": ("kubectl describe pgrp/web", "Created pod"),
    "explain": ("kubectl explain podgroups.spec.replicas --api-version=selfheal.dev/v1", "Number of pods to keep"),
    "apply": ("kubectl apply -f web.yaml; kubectl apply --server-side --force-conflicts -f web.yaml", "unchanged"),
    "replace": ("kubectl get pgrp web -o yaml > live.yaml; kubectl replace -f live.yaml", "web replaced"),
    "edit": ("KUBE_EDITOR='sed -i s/minReadySeconds:.0/minReadySeconds:\\ 1/' kubectl edit pgrp/web", "web edited"),
    "diff": ("sed 's/replicas: 2/replicas: 3/' web.yaml | kubectl diff -f - || [ $? = 1 ]", "+  replicas: 3"),
    "label": ("kubectl label pgrp/web team=shop; kubectl get pgrp -l team=shop -o name", "podgroup.selfheal.dev/web"),
    "annotate": ("kubectl annotate pgrp/web owner=shop", "web annotated"),
    "scale": ("kubectl scale pgrp/web --replicas=3 --current-replicas=2", "web scaled"),
    "autoscale": (
        "kubectl autoscale pgrp/web --max=5; kubectl get hpa web -o jsonpath={.spec.scaleTargetRef}",
        '{"apiVersion":"selfheal.dev/v1","kind":"PodGroup","name":"web"}',
    ),
    "wait": ("kubectl wait pgrp/web --for=condition=Available --timeout=30s", "condition met"),
    "delete": ("kubectl delete pgrp/web --wait=false", '"web" deleted'),
}
"""A command for each, and what it must say, in the order in which they are typed."""


@pytest.fixture(scope="module")
def terminal(
    kind_cluster: KindCluster,
    shop_here: Namespace,
    operator_here: OperatorProcess,
    tmp_path_factory: pytest.TempPathFactory,
) -> Terminal:
    """A terminal where the PodGroup of a file runs."""
    folder = tmp_path_factory.mktemp("verbs")
    (folder / "web.yaml").write_text(yaml.safe_dump(PODGROUP))
    terminal = Terminal(kind_cluster, shop_here, folder)
    terminal.type("kubectl apply -f web.yaml")
    shop_here.complete()
    return terminal


def test_they_are_those_of_the_readme() -> None:
    """Each that it names is tried here."""
    sentence = (
        README.read_text().partition("and the others\n")[2].partition(" take a\nPodGroup as they take a Deployment")[0]
    )
    assert re.findall("`([a-z]+)`", sentence) == list(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_the_verb_works(terminal: Terminal, verb: str) -> None:
    """It says what it says of a Deployment."""
    command, answer = VERBS[verb]
    assert answer in terminal.type(command)
