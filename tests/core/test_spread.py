"""Spread: the scheduler's own constraints, for who asks for them and has none."""

from copy import deepcopy
from typing import Any

import pytest

from builders import desired
from podgroup_operator.core.manifest import pod_manifest
from podgroup_operator.core.model.actions import Create
from podgroup_operator.core.spread import spread, without_ours

SPEC: dict[str, Any] = {"containers": [{"name": "web", "image": "nginx"}]}
THEIRS = {"topologyKey": "rack", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {}}
SPREAD = desired(spread=True)


def test_who_does_not_ask_is_not_spread() -> None:
    """By default a pod's spec is the template's: constraints of our own would override what an admin has configured."""
    assert pod_manifest(desired(), {"spec": SPEC}, Create("web-0-abcde", 0, 0, "r1"))["spec"] == SPEC


def test_who_asks_gets_the_schedulers_own_constraints() -> None:
    """They are soft, of the scheduler's own skews for nodes and zones, and about the group's pods of one template."""
    made = pod_manifest(SPREAD, {"spec": SPEC}, Create("web-0-abcde", 0, 0, "r1"))["spec"]
    about = {"matchLabels": {"selfheal.dev/podgroup": "web", "selfheal.dev/revision": "r1"}}
    soft = {"whenUnsatisfiable": "ScheduleAnyway", "labelSelector": about}
    assert made == SPEC | {
        "topologySpreadConstraints": [
            {"topologyKey": "kubernetes.io/hostname", "maxSkew": 3, **soft},
            {"topologyKey": "topology.kubernetes.io/zone", "maxSkew": 5, **soft},
        ]
    }


def test_constraints_of_the_template_stand() -> None:
    """Where the template has constraints none are added, as the scheduler adds none."""
    spec = SPEC | {"topologySpreadConstraints": [THEIRS]}
    assert spread(spec, SPREAD, "r1") == spec


def test_the_template_is_left_as_it_is() -> None:
    """Adding constraints to a pod changes nothing in the template."""
    spec = deepcopy(SPEC)
    spread(spec, SPREAD, "r1")
    assert spec == SPEC


@pytest.mark.parametrize("theirs", [{}, {"topologySpreadConstraints": [THEIRS]}])
def test_ours_are_told_from_those_of_others(theirs: dict[str, Any]) -> None:
    """What is compared with a template is the pod without our constraints, and with all others."""
    ours = spread(SPEC, SPREAD, "r1")["topologySpreadConstraints"]
    both = {"topologySpreadConstraints": [*ours, *theirs.get("topologySpreadConstraints", [])]}
    assert without_ours(SPEC | both) == SPEC | theirs
