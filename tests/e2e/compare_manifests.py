"""`make compare-manifests DIR=...`: the Deployments of a folder, each also as a PodGroup, and their pods compared.

Of each manifest it says in a line whether the PodGroup is accepted, and whether one pod of it is what one pod of the
Deployment is. What the API server refuses as a Deployment too is no matter here. The namespaces, ServiceAccounts,
PriorityClasses and RuntimeClasses that a manifest names are made, for without them neither kind would make pods.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from e2e.api import Api, Refused
from e2e.local_cluster import WITH_CRDS, start_local_cluster
from e2e.operator_process import OperatorProcess
from e2e.twins import (
    BOTH,
    DEPLOYMENT,
    PODGROUP,
    deployments_in,
    differences,
    documents_of,
    meaning,
    objection,
    pods_of,
    want_one_pod,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from e2e.twins import Kind

Json = dict[str, Any]

AT_ONCE = 8
POD_SECONDS = 60.0
"""How long a pod may take to be made; the controller manager makes its requests one after the other."""

REFUSED_SECONDS = 10.0
"""For how long a refusal must have stood: what has just been made, admission may not have heard of yet."""

PAUSE = 0.2
SHOWN = 8
"""Fields that are named where pods differ."""

EQUAL, DIFFERENT, REFUSED = "equal", "DIFFERENT", "REFUSED"
NO_DEPLOYMENT, NO_POD, UNREADABLE = "no Deployment", "no pod", "unreadable"
BAD = (DIFFERENT, REFUSED)

FAILURES = ("ReplicaFailure", "Stalled")
"""Conditions that say why there is no pod."""


class Manifest(NamedTuple):
    """A Deployment's manifest: where it stands, and its words; no words if nobody can read the file."""

    place: str
    text: str
    problem: str = ""

    @property
    def body(self) -> Json:
        """What it says, as far as Python reads it."""
        body: Json = yaml.safe_load(self.text)
        return body

    @property
    def key(self) -> tuple[str, str]:
        """Its namespace and name."""
        metadata = self.body.get("metadata") or {}
        return str(metadata.get("namespace") or "default"), str(metadata.get("name"))


class Verdict(NamedTuple):
    """What came of a manifest, and why."""

    place: str
    word: str
    why: str = ""

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.word:14} {self.place}" + (f": {self.why}" if self.why else "")


def manifests_of(folder: Path) -> Iterator[Manifest]:
    """The Deployments in the YAML and JSON files of a folder and those below it."""
    for path in sorted(chain.from_iterable(folder.rglob(f"*.{ending}") for ending in ("yaml", "yml", "json"))):
        for number, document in enumerate(documents_of(path.read_text(encoding="utf-8", errors="replace"))):
            place = f"{path.relative_to(folder)}" + (f"#{number}" if number else "")
            try:
                yield from (Manifest(place, text) for text in deployments_in(document))
            except ValueError as error:
                yield Manifest(place, "", " ".join(str(error).split()))


def compare(kubeconfig: Path, manifests: Iterable[Manifest]) -> Iterator[Verdict]:
    """Compare both kinds of all manifests, some at once; those of one name one after the other."""
    alike = defaultdict[tuple[str, str], list[Manifest]](list)
    for manifest in manifests:
        alike[manifest.key if manifest.text else ("", manifest.place)].append(manifest)

    def compare_each(group: list[Manifest]) -> list[Verdict]:
        with Api(kubeconfig) as api:
            return [compare_one(api, manifest) for manifest in group]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for verdicts in pool.map(compare_each, alike.values()):
            yield from verdicts


def compare_one(api: Api, manifest: Manifest) -> Verdict:
    """Have both kinds made of a manifest, one after the other asked about and then with a pod each; leave nothing."""
    if not manifest.text:
        return Verdict(manifest.place, UNREADABLE, manifest.problem)
    namespace, name = manifest.key
    make_room(api, manifest)
    if said := objection(api, DEPLOYMENT, namespace, manifest.text, dryRun="All"):
        return Verdict(manifest.place, NO_DEPLOYMENT, said)
    if said := objection(api, PODGROUP, namespace, manifest.text, dryRun="All"):
        return Verdict(manifest.place, REFUSED, said)
    try:
        for kind in BOTH:
            if said := objection(api, kind, namespace, manifest.text):
                return Verdict(manifest.place, NO_DEPLOYMENT if kind is DEPLOYMENT else REFUSED, said)
            want_one_pod(api, kind, namespace, name)
        return compare_pods(manifest.place, *(first_pod(api, kind, namespace, name) for kind in BOTH))
    finally:
        for kind in BOTH:
            with suppress(Refused):
                api.request("DELETE", kind.path(namespace, name), {"propagationPolicy": "Background"})


def compare_pods(place: str, of_deployment: Json | str, of_group: Json | str) -> Verdict:
    """Compare two pods, or what keeps them from being made."""
    if isinstance(of_deployment, str):
        return Verdict(place, NO_POD, of_deployment)
    if isinstance(of_group, str):
        return Verdict(place, DIFFERENT, f"no pod of the PodGroup: {of_group}")
    paths = list(differences(meaning(of_deployment), meaning(of_group)))
    return Verdict(place, DIFFERENT if paths else EQUAL, ", ".join(paths[:SHOWN]))


def first_pod(api: Api, kind: Kind, namespace: str, name: str) -> Json | str:
    """A pod, as soon as there is one; or why there is none."""
    began = time.monotonic()
    while not (pods := pods_of(api, kind, namespace, name)):
        waited = time.monotonic() - began
        said = refusal(api, kind, namespace, name) if waited > REFUSED_SECONDS else ""
        if said or waited > POD_SECONDS:
            return said or f"none within {POD_SECONDS:.0f} s"
        time.sleep(PAUSE)
    return pods[0]


def refusal(api: Api, kind: Kind, namespace: str, name: str) -> str:
    """Why a Deployment or PodGroup can make no pod, as its conditions say; empty if nothing is known against it."""
    conditions = (api.request("GET", kind.path(namespace, name)).get("status") or {}).get("conditions") or ()
    failures = (each for each in conditions if each["type"] in FAILURES and each["status"] == "True")
    return next((str(each["message"]) for each in failures), "")


def make_room(api: Api, manifest: Manifest) -> None:
    """Make what a manifest's pods are refused without: their namespace, and what they name."""
    namespace = manifest.key[0]
    make(api, "/api/v1/namespaces", {"metadata": {"name": namespace}})
    spec = ((manifest.body.get("spec") or {}).get("template") or {}).get("spec") or {}
    account = spec.get("serviceAccountName") or spec.get("serviceAccount") or "default"
    make(api, f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": account}})
    if priority := spec.get("priorityClassName"):
        body = {"metadata": {"name": priority}, "value": spec.get("priority") or 1}
        make(api, "/apis/scheduling.k8s.io/v1/priorityclasses", body)
    if runtime := spec.get("runtimeClassName"):
        overhead = {"overhead": {"podFixed": spec["overhead"]}} if spec.get("overhead") else {}
        make(api, "/apis/node.k8s.io/v1/runtimeclasses", {"metadata": {"name": runtime}, "handler": "any", **overhead})


def make(api: Api, path: str, body: Json) -> None:
    """Make something, unless it is there or may not be; then what needs it is refused, and says so."""
    with suppress(Refused):
        api.request("POST", path, body)


def main() -> int:
    """Compare a folder on a control plane of its own; 1 if a PodGroup was refused or its pod is another."""
    top = argparse.ArgumentParser(prog="make compare-manifests", description="Compare Deployments with PodGroups.")
    top.add_argument("folder", type=Path, help="where the manifests are")
    folder = top.parse_args().folder
    if not folder.is_dir():
        top.error(f"{folder} is no folder: give one with manifests, as in `make compare-manifests DIR=manifests`")
    with start_local_cluster("compare", *WITH_CRDS) as cluster, tempfile.TemporaryDirectory() as logs:
        kubeconfig = Path(cluster.kubeconfig_path)
        with OperatorProcess(kubeconfig, Path(logs) / "operator.log") as operator:
            operator.start()
            counted = tell(compare(kubeconfig, manifests_of(folder)))
    return int(any(counted[word] for word in BAD))


def tell(verdicts: Iterable[Verdict]) -> Counter[str]:
    """Print each verdict, and then how many there were of each; give that."""
    counted = Counter[str]()
    for verdict in verdicts:
        sys.stdout.write(f"{verdict}\n")
        sys.stdout.flush()
        counted[verdict.word] += 1
    sys.stdout.write("".join(f"{number:6} {word}\n" for word, number in counted.most_common()))
    return counted


if __name__ == "__main__":
    sys.exit(main())
