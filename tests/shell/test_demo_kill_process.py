"""The demo's step that kills a process: what it holds to be a pod that lived on, and what it runs."""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from demo.kill_process import check_unmoved, members
from demo.manifests import ANYWHERE, LABELS, NAME, NEWCOMER, ON_KIND, Manifests
from demo.pods import Pod
from demo.trouble import Trouble
from kindnode.busybox import NAME as IMAGE
from kindnode.debian import IMAGES

if TYPE_CHECKING:
    from demo.api import Json

HIT = Pod("web-0-aaaaa", "uid-0", seat=0, owned=True, ready=True)
OTHER = Pod("web-1-bbbbb", "uid-1", seat=1, owned=True, ready=True)
STRANGER = Pod("newcomer", "uid-9", ready=True)
BEFORE = members((HIT, OTHER, STRANGER))


@pytest.mark.parametrize(
    "pods",
    [(HIT, OTHER), (OTHER, replace(HIT, restarts=1)), (HIT, OTHER, STRANGER), (HIT, replace(OTHER, ready=False))],
    ids=["all as it was", "one restarted", "a pod outside the group", "one not ready"],
)
def test_the_same_pods_have_lived_on(pods: tuple[Pod, ...]) -> None:
    """A restart, or a pod that is nobody's, changes nothing about who is in the group."""
    check_unmoved(BEFORE, pods)


@pytest.mark.parametrize(
    ("pods", "came", "went"),
    [
        ((replace(HIT, uid="uid-7"), OTHER), "web-0-aaaaa", "web-0-aaaaa"),
        ((replace(HIT, leaving=True), OTHER), "none", "web-0-aaaaa"),
        ((replace(HIT, phase="Failed"), OTHER), "none", "web-0-aaaaa"),
        ((HIT,), "none", "web-1-bbbbb"),
        ((HIT, OTHER, Pod("web-2-ccccc", "uid-2", seat=2, owned=True)), "web-2-ccccc", "none"),
    ],
    ids=["the same name, another UID", "one is told to end", "one has failed", "one is gone", "one has come"],
)
def test_a_pod_that_was_exchanged_is_told(pods: tuple[Pod, ...], came: str, went: str) -> None:
    """A name proves nothing, and who is on the way out has gone."""
    with pytest.raises(Trouble, match=re.escape(f"pods came ({came}) and went ({went}).")):
        check_unmoved(BEFORE, pods)


def bare(manifests: Manifests) -> tuple[Json, Json]:
    """Both objects of a set without their containers."""
    group, newcomer = deepcopy(manifests.group), deepcopy(manifests.newcomer)
    del group["spec"]["template"]["spec"]["containers"], newcomer["spec"]["containers"]
    return group, newcomer


def test_both_sets_of_manifests_tell_the_same_story() -> None:
    """They differ in nothing but the containers."""
    for manifests in (ANYWHERE, ON_KIND):
        assert manifests.group["metadata"]["name"] == NAME
        assert manifests.group["spec"]["selector"] == {"matchLabels": LABELS}
        assert manifests.newcomer["metadata"]["name"] == NEWCOMER
    assert bare(ANYWHERE) == bare(ON_KIND)


def test_what_is_killed_is_what_the_image_runs() -> None:
    """On kind all pods run the image that is loaded there, and the process to kill is the one that it starts."""
    containers = ON_KIND.group["spec"]["template"]["spec"]["containers"]
    assert containers == ON_KIND.newcomer["spec"]["containers"]
    assert IMAGE.endswith(f"/{containers[0]['image']}")
    assert f"; {ON_KIND.process} " in (IMAGES / "busybox" / "Dockerfile").read_text()
