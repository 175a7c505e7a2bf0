"""How long a rollout of a thousand pods takes beside a Deployment's, in the same cluster, by turns.

Once kube-controller-manager's limits of requests a second are lifted, once they are its defaults. The scheduler's are
lifted both times, for it binds both's pods. One watch outside tells for both when the last pod of the new template is
Ready and the last old one is on its way out, and how many there were meanwhile.
"""

from __future__ import annotations

import random
import statistics
import time
from typing import TYPE_CHECKING, Any

import pytest

from bench.conftest import NODES
from bench.rivals import APPS
from e2e.api import MERGE_PATCH
from e2e.local_cluster import WITH_CRDS, start_local_cluster
from e2e.namespace import PODGROUPS, template
from e2e.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_kind import KindCluster

    from e2e.namespace import Namespace
    from e2e.operator_process import OperatorProcess
    from e2e.pod import Pod
    from e2e.recording import Recording

Json = dict[str, Any]

REPLICAS = 1000
MOST_LIVE, LEAST_READY = 1250, 750
ROUNDS = {"lifted": 3, "default": 1}
"""How often each is rolled, by the limits that kube-controller-manager has; with its own a rollout takes minutes."""

MOST = {"lifted": 1.0, "default": 0.1}
"""How much of a Deployment's time a PodGroup's rollout may take."""

LIFTED = ("--kube-api-qps=5000", "--kube-api-burst=10000")
MOST_SECONDS = 400.0

KINDS = {"PodGroup": ("podgroups", PODGROUPS), "Deployment": ("deployments", APPS)}


@pytest.fixture(scope="module", params=list(ROUNDS))
def limits(request: pytest.FixtureRequest) -> str:
    """Whether kube-controller-manager's limits are lifted."""
    return str(request.param)


@pytest.fixture(scope="module")
def cluster(limits: str) -> Iterator[KindCluster]:
    """A local control plane with these limits."""
    programs = ["kube-scheduler"] + (["kube-controller-manager"] if limits == "lifted" else [])
    flags = [f"--{program}-arg={flag}" for program in programs for flag in LIFTED]
    with start_local_cluster(f"bench-{limits}", f"--nodes={NODES}", *WITH_CRDS, "--pods-per-node=500", *flags) as made:
        yield made


class Contestant:
    """A thousand pods of one kind, as the outside watch sees them."""

    def __init__(self, kind: str, shop: Namespace, recording: Recording) -> None:
        self.kind = kind
        self._plural, self._root = KINDS[kind]
        self._shop, self._recording = shop, recording
        self._read = 0
        self._live: dict[str, Pod] = {}
        self._ready: set[str] = set()
        self._new: set[str] = set()
        self._version, self._heard = "1", 0.0
        self.most_live, self.least_ready = 0, REPLICAS

    def start(self) -> None:
        """Create all pods."""
        labels = {"app": self.kind}
        spec = {
            "replicas": REPLICAS,
            "selector": {"matchLabels": labels},
            "template": template({"labels": labels, "annotations": {"version": self._version}}),
            "strategy": {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
        }
        kind = {"apiVersion": self._root.removeprefix("/apis/"), "kind": self.kind}
        manifest = {**kind, "metadata": {"name": self.kind.lower()}, "spec": spec}
        self._shop.create(self._plural, manifest, self._root)
        wait_for(f"the pods of the {self.kind}", self._is_rolled, MOST_SECONDS)

    def roll(self, version: str) -> float:
        """Change the template; return after how many seconds all pods were of it, and Ready."""
        self._version, self.most_live, self.least_ready = version, 0, REPLICAS
        self._new.clear()
        patch = {"spec": {"template": {"metadata": {"annotations": {"version": version}}}}}
        began = time.monotonic()
        self._shop.api.request(
            "PATCH", self._shop.path(self._plural, self.kind.lower(), self._root), patch, MERGE_PATCH
        )
        wait_for(f"the rollout of the {self.kind}", self._is_rolled, MOST_SECONDS)
        return self._heard - began

    def _is_rolled(self) -> bool:
        changes = self._recording.changes
        for change in changes[self._read :]:
            if change.pod.labels.get("app") != self.kind:
                continue
            self._hear(change.pod, there=change.kind != "DELETED" and change.pod.live)
            self._heard = change.heard
            if len(self._new) == len(self._live) == REPLICAS:
                break
        self._read = len(changes)
        return len(self._new) == len(self._live) == REPLICAS

    def _hear(self, pod: Pod, *, there: bool) -> None:
        if there:
            self._live[pod.uid] = pod
        else:
            self._live.pop(pod.uid, None)
        new = pod.annotations.get("version") == self._version
        for known, well in ((self._ready, there and pod.ready), (self._new, there and pod.ready and new)):
            known.add(pod.uid) if well else known.discard(pod.uid)
        self.most_live = max(self.most_live, len(self._live))
        self.least_ready = min(self.least_ready, len(self._ready))


@pytest.mark.timeout(1800)
def test_rolls_like_a_deployment(
    limits: str, shop: Namespace, operator: OperatorProcess, measured: Callable[..., None]
) -> None:
    """A rollout takes no longer than a Deployment's whose limits are lifted, and a tenth of one that has the defaults.

    Its bounds hold at every revision of the store; by how many pods a Deployment's do not is told.
    """
    chance = random.Random(1)  # noqa: S311 - any order will do
    with shop.record() as recording:
        contestants = [Contestant(kind, shop, recording) for kind in KINDS]
        for each in contestants:
            each.start()
        times: dict[str, list[float]] = {kind: [] for kind in KINDS}
        for number in range(ROUNDS[limits]):
            for each in chance.sample(contestants, len(contestants)):
                times[each.kind].append(each.roll(str(number + 2)))
                measured(f"{each.kind}, rollout {number + 1} with {limits} limits", times[each.kind][-1], "s")
                measured(f"{each.kind}, rollout with {limits} limits, most pods", each.most_live, "")
                measured(f"{each.kind}, rollout with {limits} limits, fewest Ready", each.least_ready, "")
                if each.kind == "PodGroup":
                    assert each.most_live <= MOST_LIVE
                    assert each.least_ready >= LEAST_READY
    for kind, seconds in times.items():
        measured(f"{kind}, rollout of {REPLICAS} pods with {limits} limits, median", statistics.median(seconds), "s")
    ratio = statistics.median(times["PodGroup"]) / statistics.median(times["Deployment"])
    measured(f"PodGroup to Deployment, rollout with {limits} limits", ratio, "x", MOST[limits])
