"""The CRD on a real API server: it installs in each way, is up to date, explains itself, and takes what it should.

What it refuses is in test_crd_refusals.py.
"""

from __future__ import annotations

import copy
import json
import runpy
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from pytest_kind import KindCluster

pytestmark = pytest.mark.usefixtures("podgroup_crd")

ROOT = Path(__file__).resolve().parents[2]
GENERATOR = runpy.run_path(str(ROOT / "crds" / "generate.py"))
CRD_FILE: Path = GENERATOR["GENERATED"]
EXAMPLES = sorted((ROOT / "deploy" / "examples").glob("*.yaml"))

Manifest = dict[str, Any]

DEFAULTS = {
    "replicas": 1,
    "minReadySeconds": 0,
    "revisionHistoryLimit": 10,
    "progressDeadlineSeconds": 600,
    "podReplacementPolicy": "TerminationStarted",
}


def create(cluster: KindCluster, namespace: str, manifest: Manifest) -> str:
    """What the API server makes of a manifest, as JSON; nothing is kept."""
    command = ("create", "--dry-run=server", "--output=json", "--namespace", namespace, "--filename", "-")
    try:
        return str(cluster.kubectl(*command, input=json.dumps(manifest), stderr=subprocess.PIPE))
    except subprocess.CalledProcessError as refused:
        pytest.fail(refused.stderr)


def group(spec: str) -> Manifest:
    """A PodGroup with this spec, which is given as YAML."""
    return {
        "apiVersion": "selfheal.dev/v1",
        "kind": "PodGroup",
        "metadata": {"name": "web"},
        "spec": yaml.safe_load(spec),
    }


def test_it_is_what_the_servers_openapi_yields(kind_cluster: KindCluster) -> None:
    """Written from this server's OpenAPI, the file comes out as it is committed, to the byte."""
    openapi = json.loads(kind_cluster.kubectl("get", "--raw", "/openapi/v3/api/v1"))
    committed = CRD_FILE.read_text(encoding="utf-8")
    version = openapi["info"]["version"]
    if f"Kubernetes {version}:" not in committed.splitlines()[0]:
        pytest.skip(f"the cluster is Kubernetes {version}, and the CRD was written from another: {committed[:120]}")
    written = yaml.safe_load(GENERATOR["WRITTEN"].read_bytes())
    assert committed == GENERATOR["render"](written, openapi), "run `make crd`"


def test_a_plain_apply_installs_it_again_and_again(kind_cluster: KindCluster) -> None:
    """`kubectl apply -f` takes the CRD, whose copy in an annotation is not too long, and then has nothing to do."""
    kind_cluster.kubectl("apply", "--filename", str(CRD_FILE))
    again = kind_cluster.kubectl("apply", "--filename", str(CRD_FILE))
    assert again == "customresourcedefinition.apiextensions.k8s.io/podgroups.selfheal.dev unchanged\n"


@pytest.mark.parametrize(
    "way",
    [
        pytest.param(("--server-side", "--force-conflicts", "--filename", str(CRD_FILE)), id="server-side"),
        pytest.param(("--kustomize", str(CRD_FILE.parent)), id="kustomize"),
    ],
)
def test_it_installs_in_other_ways(kind_cluster: KindCluster, way: tuple[str, ...]) -> None:
    """A server-side apply takes the CRD, and so does one of its folder by kustomize."""
    answer = kind_cluster.kubectl("apply", "--dry-run=server", *way)
    assert answer.startswith("customresourcedefinition.apiextensions.k8s.io/podgroups.selfheal.dev ")


def test_the_server_keeps_all_of_it(kind_cluster: KindCluster) -> None:
    """Nothing of the file is lost or read in another way (YAML's `y`, unknown keywords) on its way into the server."""
    stored = json.loads(kind_cluster.kubectl("get", "crd", "podgroups.selfheal.dev", "--output=json"))
    (ours,) = yaml.safe_load(CRD_FILE.read_bytes())["spec"]["versions"]
    (theirs,) = stored["spec"]["versions"]
    assert ours["schema"] == theirs["schema"]
    assert ours["additionalPrinterColumns"] == theirs["additionalPrinterColumns"]


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ("podgroups", "keeps a number of identical pods running"),
        ("podgroups.spec.replicas", "Number of pods to keep, 0 to 10000. Default: 1."),
        ("podgroups.spec.selector.matchExpressions.operator", "ENUM: In NotIn Exists DoesNotExist"),
        ("podgroups.spec.strategy.type", "ENUM: RollingUpdate Recreate OnDelete"),
        ("podgroups.spec.strategy.rollingUpdate.maxSurge", "rounded up. Default: 25%."),
        ("podgroups.status.rollout.rolledBackFrom", "The revision that missed its deadline"),
        ("podgroups.spec.template.spec.restartPolicy", "One of Always, Never, OnFailure."),
        ("podgroups.spec.template.spec.containers.livenessProbe.httpGet.port", "Name or number of the port to access"),
        ("podgroups.spec.template.spec.volumes.projected.sources.serviceAccountToken.audience", "<string>"),
        ("podgroups.status.healing.lastRecoverySeconds", "FIELD: lastRecoverySeconds <number>"),
        ("podgroups.status.conditions.reason", "Why, in one word for programs."),
        ("pgrp.spec.template.spec.containers", "-required-"),
    ],
)
def test_explain_answers_to_the_last_field(kind_cluster: KindCluster, field: str, says: str) -> None:
    """`kubectl explain` knows each field, ours and those of the pod template, and tells what it does."""
    answer = kind_cluster.kubectl("explain", field, "--api-version=selfheal.dev/v1")
    assert says in " ".join(answer.split())


def test_a_template_is_enough(kind_cluster: KindCluster, namespace: str) -> None:
    """Without replicas, selector and labels a PodGroup is taken, and gets a Deployment's defaults and nothing else."""
    spec = "template: {spec: {containers: [{name: web, image: nginx}]}}"
    made = json.loads(create(kind_cluster, namespace, group(spec)))
    template = {"spec": {"containers": [{"name": "web", "image": "nginx"}]}}
    assert made["spec"] == {**DEFAULTS, "template": template}


@pytest.mark.parametrize(
    "selector",
    [
        "matchLabels: {app: web}",
        "matchLabels: {app: web, tier: front}",
        "matchExpressions: [{key: app, operator: In, values: [web, api]}]",
        "matchExpressions: [{key: app, operator: NotIn, values: [api]}, {key: zone, operator: NotIn, values: [a]}]",
        "matchExpressions: [{key: example.com/role, operator: Exists}, {key: zone, operator: DoesNotExist}]",
        "{matchLabels: {app: web}, matchExpressions: [{key: tier, operator: In, values: [front]}]}",
        "matchLabels: {selfheal.dev/podgroup: web}",
    ],
)
def test_a_selector_that_matches_is_taken(kind_cluster: KindCluster, namespace: str, selector: str) -> None:
    """A selector is taken in each of its forms, if the template's labels match it."""
    manifest = group("""
      template:
        metadata: {labels: {app: web, tier: front, example.com/role: "", selfheal.dev/podgroup: web}}
        spec: {containers: [{name: web, image: nginx}]}
    """)
    manifest["spec"]["selector"] = yaml.safe_load(selector)
    create(kind_cluster, namespace, manifest)


BOUNDS = {"maxSurge": "25%", "maxUnavailable": "25%"}


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("{}", {"type": "RollingUpdate"}),
        ("{type: null}", {"type": "RollingUpdate"}),
        ("{rollingUpdate: null}", {"type": "RollingUpdate", "rollingUpdate": None}),
        ("{type: Recreate, rollingUpdate: null}", {"type": "Recreate", "rollingUpdate": None}),
        ("{type: OnDelete}", {"type": "OnDelete"}),
        ("{rollingUpdate: {}}", {"type": "RollingUpdate", "rollingUpdate": BOUNDS}),
        ("{rollingUpdate: {maxSurge: 0}}", {"type": "RollingUpdate", "rollingUpdate": {**BOUNDS, "maxSurge": 0}}),
        (
            "{rollingUpdate: {maxSurge: 0%, maxUnavailable: 1}}",
            {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "0%", "maxUnavailable": 1}},
        ),
        (
            "{type: RollingUpdate, rollingUpdate: {maxSurge: 200%, maxUnavailable: 0}}",
            {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "200%", "maxUnavailable": 0}},
        ),
        (
            "{rollingUpdate: {maxSurge: null, partition: 50%}}",
            {"type": "RollingUpdate", "rollingUpdate": {**BOUNDS, "partition": "50%"}},
        ),
        ('{type: ""}', {"type": ""}),
        ('{type: "", rollingUpdate: {}}', {"type": "", "rollingUpdate": BOUNDS}),
        (
            "{rollingUpdate: {maxSurge: 1000%}}",
            {"type": "RollingUpdate", "rollingUpdate": {**BOUNDS, "maxSurge": "1000%"}},
        ),
        ("{inPlace: IfPossible}", {"type": "RollingUpdate", "inPlace": "IfPossible"}),
    ],
)
def test_a_strategy_is_taken_in_each_form(
    kind_cluster: KindCluster, namespace: str, written: str, kept: Manifest
) -> None:
    """What a Deployment takes as a strategy is taken and filled up as there; no bounds are added where none are."""
    spec = f"{{strategy: {written}, template: {{spec: {{containers: [{{name: web, image: nginx}}]}}}}}}"
    made = json.loads(create(kind_cluster, namespace, group(spec)))
    assert made["spec"]["strategy"] == kept


NULLS = """
  replicas: null
  minReadySeconds: null
  paused: null
  revisionHistoryLimit: null
  progressDeadlineSeconds: null
  strategy: {type: null, rollingUpdate: null}
  selector: {matchLabels: {app: web}, matchExpressions: null}
  template:
    metadata: {labels: {app: web}, annotations: null}
    spec:
      nodeSelector: null
      volumes: null
      initContainers: null
      hostNetwork: null
      affinity: {nodeAffinity: null}
      containers:
        - {name: web, image: nginx, command: null, resources: null, securityContext: {runAsUser: null},
           ports: [{containerPort: 80, name: null, protocol: null}], livenessProbe: {httpGet: {port: 80, path: null}}}
"""


@pytest.mark.parametrize("option", ["--server-side=false", "--server-side"])
@pytest.mark.parametrize(("version", "kind"), [("apps/v1", "Deployment"), ("selfheal.dev/v1", "PodGroup")])
def test_a_null_is_as_if_left_out(
    kind_cluster: KindCluster, namespace: str, option: str, version: str, kind: str
) -> None:
    """A field that may be left out may be null, in a Deployment and in a PodGroup, by either way of applying it."""
    manifest = {**group(NULLS), "apiVersion": version, "kind": kind}
    command = ("apply", option, "--dry-run=server", "--output=json", "--namespace", namespace, "--filename", "-")
    made = json.loads(kind_cluster.kubectl(*command, input=json.dumps(manifest)))
    assert (made["spec"]["replicas"], made["spec"]["strategy"]["type"]) == (1, "RollingUpdate")


@pytest.mark.parametrize("policy", ["Always", "OnFailure", "Never"])
def test_each_restart_policy_is_taken(kind_cluster: KindCluster, namespace: str, policy: str) -> None:
    """All restart policies of a pod are taken, where a Deployment takes Always only."""
    spec = f"template: {{spec: {{restartPolicy: {policy}, containers: [{{name: web, image: nginx}}]}}}}"
    create(kind_cluster, namespace, group(spec))


@pytest.mark.parametrize("name", ["w" * 63, "a", "web.v2"])
def test_a_name_is_taken(kind_cluster: KindCluster, namespace: str, name: str) -> None:
    """A name that a Deployment may have is taken, up to 63 characters."""
    manifest = group("template: {spec: {containers: [{name: web, image: nginx}]}}")
    manifest["metadata"]["name"] = name
    create(kind_cluster, namespace, manifest)


DEPLOYMENT = yaml.safe_load((Path(__file__).parent / "deployment.yaml").read_bytes())


@pytest.mark.parametrize("option", ["--server-side=false", "--server-side"])
def test_a_deployment_becomes_a_podgroup(kind_cluster: KindCluster, namespace: str, option: str) -> None:
    """A Deployment's manifest with nearly all that a pod can have is taken after two lines changed, and kept so."""
    command = ("apply", option, "--dry-run=server", "--output=json", "--namespace", namespace, "--filename", "-")
    kind_cluster.kubectl(*command, input=json.dumps(DEPLOYMENT))
    manifest = {**DEPLOYMENT, "apiVersion": "selfheal.dev/v1", "kind": "PodGroup"}
    made = json.loads(kind_cluster.kubectl(*command, input=json.dumps(manifest)))
    expected = copy.deepcopy(DEPLOYMENT["spec"]["template"])
    expected["metadata"].pop("creationTimestamp")
    made["spec"]["template"]["metadata"].pop("creationTimestamp", None)
    assert made["spec"] == {**DEFAULTS, **DEPLOYMENT["spec"], "template": expected}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_valid(kind_cluster: KindCluster, namespace: str, path: Path) -> None:
    """The API server takes each example, and finds no fault with its template as Kubernetes' own PodTemplate."""
    manifest = yaml.safe_load(path.read_bytes())
    create(kind_cluster, namespace, manifest)
    template = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "any"}}
    create(kind_cluster, namespace, {**template, "template": manifest["spec"]["template"]})


STATUS = {
    "ready": "2/3",
    "updatedReplicas": 3,
    "availableReplicas": 1,
    "selector": "app=web",
    "healing": {
        "total": 7,
        "lastTime": "2000-01-01T12:00:00.123456Z",
        "lastCause": "Deleted",
        "lastRecoverySeconds": 0.812345,
    },
    "conditions": [
        {
            "type": "Ready",
            "status": "False",
            "observedGeneration": 1,
            "lastTransitionTime": "2020-01-01T12:00:00Z",
            "reason": "Healing",
            "message": "2 of 3 pods are Ready.",
        }
    ],
}


def test_the_columns_show_the_status(kind_cluster: KindCluster, namespace: str) -> None:
    """`kubectl get -o wide` shows the state at a glance; a time with microseconds is understood as one."""
    spec = "{replicas: 0, template: {spec: {containers: [{name: a, image: nginx:1}, {name: b, image: redis:8}]}}}"
    kind_cluster.kubectl("create", "--namespace", namespace, "--filename", "-", input=json.dumps(group(spec)))
    answer = kind_cluster.api.patch(
        version="selfheal.dev/v1",
        namespace=namespace,
        url="podgroups/web/status",
        params={"dryRun": "All"},
        data=json.dumps({"status": STATUS}),
        headers={
            "Content-Type": "application/merge-patch+json",
            "Accept": "application/json;as=Table;v=v1;g=meta.k8s.io",
        },
    )
    table = answer.json()
    (row,) = table["rows"]
    shown = dict(zip([column["name"] for column in table["columnDefinitions"]], row["cells"], strict=True))
    assert shown.pop("LAST-HEAL").endswith("y")
    assert shown.pop("AGE").endswith("s")
    assert shown == {
        "Name": "web",
        "READY": "2/3",
        "UP-TO-DATE": 3,
        "AVAILABLE": 1,
        "HEALED": 7,
        "IMAGES": "nginx:1",
        "SELECTOR": "app=web",
        "REASON": "Healing",
    }
