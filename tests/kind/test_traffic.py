"""No request is lost when pods are replaced that people may go on asking: real containers, a real kubelet and proxy.

With `maxUnavailable: 0`, a readiness probe and a `preStop` that sleeps, nothing fails: a Deployment beside it is the
control. Without a preStop something may, for a pod ends before all have heard that it does: that is printed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from e2e.api import Api
from e2e.namespace import Namespace
from e2e.operator_fixtures import install_crds, new_namespace
from e2e.operator_process import OperatorProcess
from e2e.waiting import wait_for
from kind.traffic import KINDS, PRE_STOP, REPLICAS, Site

LEAST_ASKED = 40
"""Requests: of twenty a second, in the few seconds that anything here takes."""

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_kind import KindCluster

    from kind.traffic import Heard


@pytest.fixture(scope="module")
def api(cluster: KindCluster) -> Iterator[Api]:
    """A connection to the cluster."""
    with Api(Path(cluster.kubeconfig_path)) as connection:
        yield connection


@pytest.fixture(scope="module")
def shop(cluster: KindCluster, api: Api) -> Iterator[Namespace]:
    """A namespace to work in, with the CRD."""
    install_crds(cluster, api)
    with new_namespace(api) as name:
        yield Namespace(cluster, api, name)


@pytest.fixture(scope="module")
def operator(
    cluster: KindCluster, shop: Namespace, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorProcess]:
    """The operator, as a process beside the cluster."""
    log = tmp_path_factory.mktemp("operator") / "log"
    options = [f"--namespace={shop.name}"]
    with OperatorProcess(Path(cluster.kubeconfig_path).resolve(), log, options) as process:
        process.launch()  # a busy machine may take its time: whoever waits for pods waits for this too
        yield process
        sys.stdout.write(f"The operator's log:\n{process.log()}\n")


@pytest.fixture(scope="module", params=[PRE_STOP, 0], ids=["pre-stop", "no-pre-stop"])
def sites(request: pytest.FixtureRequest, shop: Namespace, operator: OperatorProcess) -> list[Site]:
    """A PodGroup and a Deployment under traffic."""
    made = [Site(kind, shop, request.param) for kind in KINDS]
    for each in made:
        each.start()
    return made


@pytest.fixture
def judge(pytestconfig: pytest.Config) -> Callable[..., None]:
    """Print what a client was answered; of a PodGroup with a preStop assert that nothing has failed."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")

    def judge(what: str, site: Site, heard: Heard) -> None:
        with capture.global_and_fixture_disabled():
            sys.stdout.write(f"\n{what}, {site}: {heard}")
        assert heard.asked > LEAST_ASKED
        if site.kind == "PodGroup" and site.pre_stop:
            assert heard.failed == [], str(heard)

    return judge


def test_a_rollout(sites: list[Site], judge: Callable[..., None]) -> None:
    """A changed template reaches all pods, and nobody is sent away."""
    marks = [site.mark() for site in sites]
    for site in sites:
        site.roll("2")
    for site in sites:
        site.rolled("2")
    for site, mark in zip(sites, marks, strict=True):
        judge("a rollout", site, site.heard(mark))


def test_a_pod_that_is_asked_for(sites: list[Site], judge: Callable[..., None]) -> None:
    """`selfheal.dev/delete` replaces one pod, and nobody is sent away."""
    site = sites[0]
    mark = site.mark()
    site.replace()
    judge("selfheal.dev/delete", site, site.heard(mark))


def test_an_upgrade_of_the_operator(sites: list[Site], operator: OperatorProcess, judge: Callable[..., None]) -> None:
    """The operator ends in the middle of a rollout and another one takes over, and nobody is sent away."""
    site = sites[0]
    mark = site.mark()
    site.roll("3")
    wait_for("a pod of the new template", lambda: site.count("3") > 0)
    operator.stop()
    assert site.count("3") < REPLICAS
    operator.launch()
    site.rolled("3")
    judge("a rollout with another operator from its middle on", site, site.heard(mark))
