"""The budget: what is left for the next policy, and that no pod is given away twice."""

import pytest

from builders import NOW, OTHER_UID, desired, gone, observed, orphan, pod, seated
from podgroup_operator.core.budget import Budget
from podgroup_operator.core.claims import claims
from podgroup_operator.core.model.desired import Desired, PodReplacement
from podgroup_operator.core.model.observed import Observed
from podgroup_operator.core.model.pod import Phase
from podgroup_operator.core.model.strategy import Share, Strategy
from podgroup_operator.core.view import view_of

COMPLETE = PodReplacement.TERMINATION_COMPLETE
ELSE = {"app": "else"}
CAPTIVE = pod("captive", labels=ELSE)

# How many are missing, and how many of those may be made now.
ROOMS: dict[str, tuple[Desired, Observed, int, int]] = {
    "what is missing may be made": (desired(3), observed(*seated(0)), 2, 2),
    "nothing is missing": (desired(1), observed(*seated(0)), 0, 0),
    "what a rollout has beyond for a while is missing nowhere": (
        desired(2, revision="r2", former="r1", strategy=Strategy(max_surge=Share(1), max_unavailable=Share(0))),
        observed(*seated(0, 1), pod("new", slot=0, revision="r2", ready_since=None)),
        -1,
        -1,
    ),
    "there is one too many": (desired(1), observed(*seated(0, 1)), -1, -1),
    "an orphan that is taken in counts": (desired(3), observed(*seated(0), orphan()), 1, 1),
    "a dying pod is replaced at once": (desired(2), observed(*seated(0), gone("web-1")), 1, 1),
    "with TerminationComplete a dying pod keeps its place": (
        desired(3, pod_replacement=COMPLETE),
        observed(*seated(0), gone("web-1")),
        2,
        1,
    ),
    "with TerminationComplete a dying pod whose containers have ended does not": (
        desired(3, pod_replacement=COMPLETE),
        observed(*seated(0), gone("web-1", phase=Phase.SUCCEEDED)),
        2,
        2,
    ),
    "with TerminationComplete another controller's dying pod does not": (
        desired(3, pod_replacement=COMPLETE),
        observed(*seated(0), gone("web-1", controller=OTHER_UID)),
        2,
        2,
    ),
    "a pod that may not be let go keeps its place": (
        desired(3),
        observed(*seated(0), CAPTIVE, stuck=frozenset({CAPTIVE.uid})),
        2,
        1,
    ),
    "a pod that is let go does not": (desired(3), observed(*seated(0), CAPTIVE), 2, 2),
}


@pytest.mark.parametrize(("group", "seen", "missing", "room"), ROOMS.values(), ids=ROOMS.keys())
def test_there_is_room_for_what_is_missing_and_keeps_no_place(
    group: Desired, seen: Observed, missing: int, room: int
) -> None:
    """`replicas` minus the pods that count, and of those minus what has yet to go or may not be let go."""
    view = view_of(group, seen, NOW)
    budget = Budget(view)
    claims(view, budget)

    assert (budget.missing, budget.room) == (missing, room)


def test_a_pod_is_given_away_once() -> None:
    """Two policies that choose the same pod do not remove it twice; another pod of its name is another pod."""
    one, namesake, other = pod("web-0"), pod("web-0", uid="another"), pod("web-1")
    budget = Budget(view_of(desired(), observed(one, namesake, other), NOW))

    assert [budget.take(each) for each in (one, other, one, namesake, other)] == [True, True, False, True, False]
