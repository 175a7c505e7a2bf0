"""With deploy/kustomize a kustomization does for a PodGroup what it does for a Deployment.

Each feature is used on a Deployment and, with two lines of the manifest and one of the kustomization changed, on a
PodGroup; all that comes out must be the same, but for those two lines.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from tools.kustomization import COMPONENT, SHOP, Refused, as_group, kustomize, objects

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("kubectl")

Json = dict[str, Any]

RESOURCES = "resources: [shop.yaml]\n"

GENERATORS = """\
configMapGenerator:
  - {name: settings, literals: [mode=fast]}
secretGenerator:
  - {name: password, literals: [word=tell-nobody]}
"""

STRATEGIC_PATCH = """
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: web}
      spec:
        strategy: {type: Recreate}
        template:
          spec:
            topologySpreadConstraints:
              - {maxSkew: 2, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway}
            initContainers: [{name: init, $patch: delete}]
            containers:
              - name: sidecar
                image: envoy:1
              - name: web
                env: [{name: LEVEL, value: debug}, {name: NEW, value: "1"}, {name: MODE, $patch: delete}]
                ports: [{containerPort: 81}]
                volumeMounts: [{mountPath: /tmp, name: tmp}]
            volumes: [{name: tmp, emptyDir: {}}]
"""

WITHOUT_HELP = {
    "images": "images: [{name: nginx, newTag: '1.29'}, {name: busybox, newName: mirror/busybox, digest: 'sha256:0'}]",
    "JSON patch": """
patches:
  - target: {kind: Deployment}
    patch: |-
      - {op: remove, path: /spec/template/spec/volumes/0}
""",
    "labels": "labels: [{pairs: {team: shop}}]",
    "namespace": "namespace: shop",
    "replacements": """
replacements:
  - source: {kind: Service, name: web, fieldPath: spec.ports.0.port}
    targets:
      - {select: {kind: Deployment}, fieldPaths: ['spec.template.spec.containers.[name=web].ports.0.containerPort']}
  - source: {kind: Deployment, name: web, fieldPath: metadata.name}
    targets:
      - {select: {kind: Service}, fieldPaths: [metadata.annotations.of], options: {create: true}}
""",
}
"""Features that treat all kinds alike."""

WITH_HELP = {
    "replicas": "replicas: [{name: web, count: 5}]",
    "generators": GENERATORS,
    "namePrefix": "namePrefix: test-",
    "nameSuffix": "nameSuffix: -v2",
    "names and generators": GENERATORS + "namePrefix: test-\nnameSuffix: -v2",
    "commonLabels": "commonLabels: {team: shop}",
    "labels with selectors": "labels: [{pairs: {team: shop}, includeSelectors: true}]",
    "labels with templates": "labels: [{pairs: {team: shop}, includeTemplates: true}]",
    "commonAnnotations": "commonAnnotations: {team: shop}",
    "strategic patch": f"patches:\n  - patch: |-{STRATEGIC_PATCH}",
    "patchesStrategicMerge": f"patchesStrategicMerge:\n  - |-{STRATEGIC_PATCH}",
    "vars": "namePrefix: test-\nvars: [{name: SERVICE, objref: {apiVersion: v1, kind: Service, name: web}}]",
}
"""Features for which kustomize has to know a kind's fields."""

FEATURES = WITHOUT_HELP | WITH_HELP


def as_deployment(folder: Path, files: Mapping[str, str]) -> dict[str, Json]:
    """What comes out for a Deployment, with the two lines of a PodGroup's manifest."""
    return objects(as_group(kustomize(folder / "deployment", files)))


def as_podgroup(folder: Path, files: Mapping[str, str], components: Iterable[str] = ("",)) -> dict[str, Json]:
    """What comes out for a PodGroup.

    Args:
        folder: where to write the files.
        files: a Deployment's.
        components: the folders, each ending with a slash, whose kustomizations name the component.
    """
    files = {name: as_group(text) for name, text in files.items()}
    for each in components:
        files[f"{each}kustomization.yaml"] += "\ncomponents: [COMPONENT]\n"
    return objects(kustomize(folder / "podgroup", files))


def using(feature: str) -> dict[str, str]:
    """A kustomization that uses a feature on the shop."""
    return {"kustomization.yaml": RESOURCES + feature, "shop.yaml": SHOP}


@pytest.mark.parametrize("name", FEATURES)
def test_it_does_for_a_podgroup_what_it_does_for_a_deployment(name: str, tmp_path: Path) -> None:
    """The same pod template, the same Service, the same names everywhere; and the feature does something."""
    files = using(FEATURES[name])
    made = as_podgroup(tmp_path, files)
    assert made == as_deployment(tmp_path, files)
    assert made != objects(as_group(SHOP))


@pytest.mark.parametrize("name", FEATURES)
def test_the_component_is_needed_where_kustomize_must_know_the_kind(name: str, tmp_path: Path) -> None:
    """Without it the features that docs/tools.md names come out right; others wrong, or they are refused."""
    files = using(FEATURES[name])
    alike = False
    with suppress(Refused):
        alike = as_podgroup(tmp_path, files, components=()) == as_deployment(tmp_path, files)
    assert alike == (name in WITHOUT_HELP)


@pytest.mark.parametrize("name", ["commonLabels", "labels with selectors"])
def test_services_select_the_pods(name: str, tmp_path: Path) -> None:
    """All labels of the Service's and of the PodGroup's selectors are in the template."""
    made = as_podgroup(tmp_path, using(FEATURES[name]))
    group, service = made["PodGroup web"]["spec"], made["Service web"]["spec"]
    labels = group["template"]["metadata"]["labels"]
    assert labels == service["selector"] == group["selector"]["matchLabels"] == {"app": "web", "team": "shop"}


def test_a_selector_that_is_left_out_is_filled_in_as_a_deployments(tmp_path: Path) -> None:
    """Bases of Deployments that leave it to commonLabels stay what they are."""
    base = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: []}}}\n"
    files = {"kustomization.yaml": RESOURCES + "commonLabels: {app: web}", "shop.yaml": base}
    made = as_podgroup(tmp_path, files)
    assert made == as_deployment(tmp_path, files)
    assert made["PodGroup web"]["spec"]["selector"] == {"matchLabels": {"app": "web"}}


OVERLAY = f"""\
resources: [base]
namePrefix: prod-
commonLabels: {{env: prod}}
replicas: [{{name: web, count: 9}}]
patches:
  - patch: |-{STRATEGIC_PATCH}"""


@pytest.mark.parametrize("components", [["base/"], ["", "base/"], [""]], ids=["base", "both", "overlay"])
def test_it_serves_overlays(components: list[str], tmp_path: Path) -> None:
    """The base's component serves its overlays, which may name it again; a plain base of others needs none."""
    base = RESOURCES + ("namePrefix: base-\n" + GENERATORS if "base/" in components else "")
    files = {"kustomization.yaml": OVERLAY, "base/kustomization.yaml": base, "base/shop.yaml": SHOP}
    assert as_podgroup(tmp_path, files, components) == as_deployment(tmp_path, files)


@pytest.mark.parametrize("name", WITH_HELP)
def test_deployments_beside_it_are_as_they_were(name: str, tmp_path: Path) -> None:
    """In a kustomization that names the component a Deployment comes out as in one that does not."""
    files = using(FEATURES[name])
    without = kustomize(tmp_path / "without", files)
    files["kustomization.yaml"] += "\ncomponents: [COMPONENT]\n"
    assert kustomize(tmp_path / "with", files) == without


def test_podgroups_of_others_are_left_alone(tmp_path: Path) -> None:
    """The schedulers' PodGroups have no template, and get none."""
    other = "apiVersion: scheduling.x-k8s.io/v1alpha1\nkind: PodGroup\nmetadata: {name: web}\nspec: {minMember: 3}\n"
    feature = "commonLabels: {team: shop}\ncommonAnnotations: {team: shop}\ncomponents: [COMPONENT]\n"
    made = objects(kustomize(tmp_path, {"kustomization.yaml": RESOURCES + feature, "shop.yaml": other}))
    assert made["PodGroup web"]["spec"] == {"minMember": 3}


FIRST = f"patches:\n  - patch: |-{STRATEGIC_PATCH}"


def test_a_base_that_patches_needs_the_component_itself(tmp_path: Path) -> None:
    """What it merges is merged before an overlay has its say."""
    files = {
        "kustomization.yaml": "resources: [base]",
        "base/kustomization.yaml": RESOURCES + FIRST,
        "base/shop.yaml": SHOP,
    }
    assert as_podgroup(tmp_path / "base", files, ["base/"]) == as_deployment(tmp_path, files)
    assert as_podgroup(tmp_path / "overlay", files) != as_deployment(tmp_path, files)


@pytest.mark.parametrize("order", ["COMPONENT, other", "other, COMPONENT"])
def test_it_stands_before_components_that_patch(order: str, tmp_path: Path) -> None:
    """Components work one after another."""
    other = f"apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n{FIRST}"
    files = {
        "kustomization.yaml": RESOURCES + "components: [other]",
        "other/kustomization.yaml": other,
        "shop.yaml": SHOP,
    }
    deployment = as_deployment(tmp_path, files)
    files["kustomization.yaml"] = RESOURCES + f"components: [{order}]"
    assert (as_podgroup(tmp_path, files, components=()) == deployment) == order.startswith("COMPONENT")


@pytest.mark.parametrize("knows_podgroups", [True, False])
def test_a_schema_of_ones_own_is_taken(tmp_path: Path, *, knows_podgroups: bool) -> None:
    """A kustomization has one schema: patches of PodGroups are merged if that has them."""
    schema = (COMPONENT / "schema.json").read_text()
    schema = schema if knows_podgroups else schema.replace('"kind":"PodGroup"', '"kind":"Other"')
    files = using(FIRST + "\nopenapi: {path: own.json}")
    deployment = as_deployment(tmp_path, files | {"own.json": schema})
    assert (as_podgroup(tmp_path, files | {"own.json": schema}) == deployment) == knows_podgroups
