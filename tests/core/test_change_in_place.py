"""Changes in place: which pods are patched instead of replaced, how many at once, and when one is done."""

from typing import Any

import pytest

from builders import NOW, desired, observed, planned, pod
from podgroup_operator.core.model.changing import BETWEEN, Changing, Ease, Stage
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.observed import Observed
from podgroup_operator.core.model.plan import Plan
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.model.refusal import Lane, Refusal
from podgroup_operator.core.model.strategy import Share, Strategy, StrategyType

LATER = NOW + 30


def group(replicas: int = 3, surge: int = 1, unavailable: int = 1, **changes: Any) -> Desired:
    """Build a group on its way from r1 to r2, in place where that will do."""
    strategy = Strategy(max_surge=Share(surge), max_unavailable=Share(unavailable), in_place=True)
    return desired(replicas, **({"revision": "r2", "former": "r1", "strategy": strategy} | changes))


def old(*slots: int, **changes: Any) -> tuple[Pod, ...]:
    """Build pods of r1, available."""
    return tuple(pod(f"old-{slot}", slot=slot, **({"revision": "r1"} | changes)) for slot in slots)


def new(*slots: int) -> tuple[Pod, ...]:
    """Build pods of r2, available."""
    return tuple(pod(f"new-{slot}", slot=slot, revision="r2") for slot in slots)


def way(stage: Stage, *slots: int, to: str = "r2", restarts: bool = True, until: float = LATER, **pod: Any) -> Any:
    """Build pods on their way, Ready by what they say."""
    return old(*slots, revision=BETWEEN, changing=Changing("r1", to, restarts, stage, until), **pod)


def seen(*pods: Pod, ease: Ease = Ease.RESTART, **changes: Any) -> Observed:
    """Build what is seen, with what it takes to come from r1 to r2."""
    return observed(*pods, eases={"r1": ease, "r2": Ease.GENTLE}, **changes)


def told(plan: Plan) -> str:
    """Give what a plan does in short: `~` is patched, `=` labelled, `-` removed, `+` made."""
    return " ".join(
        [
            *(("=" if each.last else "~") + each.pod.name for each in plan.changes),
            *(f"-{each.pod.name}" for each in plan.removes),
            *("+" for _ in plan.creates),
        ]
    )


STARTING: dict[str, Any] = {"ready_since": None}

PLANS: dict[str, tuple[Desired, Observed, str]] = {
    "as many at once as may be unavailable": (group(3, unavailable=2), seen(*old(0, 1, 2)), "~old-0 ~old-1"),
    "no surge is made for what is patched": (group(3, surge=3), seen(*old(0, 1, 2)), "~old-0"),
    "those that are not Ready go first, and cost nothing": (group(3), seen(*old(0, 1), *old(2, **STARTING)), "~old-2"),
    "one that is missing is made of the new revision, and counts as unavailable": (group(3), seen(*old(0, 1)), "+"),
    "where nothing may be unavailable what restarts is replaced": (
        group(2, unavailable=0),
        seen(*old(0, 1)),
        "+",
    ),
    "there what restarts nothing is patched, one at a time": (
        group(3, unavailable=0),
        seen(*old(0, 1, 2), ease=Ease.GENTLE),
        "~old-0",
    ),
    "the next of these waits for the one before": (
        group(3, unavailable=0),
        seen(*way(Stage.STARTING, 0, restarts=False), *old(1, 2), ease=Ease.GENTLE),
        "",
    ),
    "what takes another pod is replaced": (group(2), seen(*old(0, 1), ease=Ease.NEVER), "-old-0 +"),
    "what is not known yet waits": (group(2), seen(*old(0, 1), ease=Ease.UNKNOWN), ""),
    "a revision of which nothing is known is replaced": (group(2), seen(*old(0, 1, revision="r0")), "-old-0 +"),
    "a pod without a node is replaced": (group(1, surge=0), seen(*old(0, node="", **STARTING)), "-old-0"),
    "a kept pod is left alone": (group(1), seen(*old(0, kept=True)), ""),
    "one that was asked for is replaced": (group(1, surge=0), seen(*old(0, asked=True)), "-old-0"),
    "with Recreate all go": (
        group(2, strategy=Strategy(StrategyType.RECREATE, in_place=True)),
        seen(*old(0, 1)),
        "-old-0 -old-1",
    ),
    "with OnDelete nothing happens": (
        group(2, strategy=Strategy(StrategyType.ON_DELETE, in_place=True)),
        seen(*old(0, 1)),
        "",
    ),
    "paused nothing is patched": (group(2, paused=True), seen(*old(0, 1)), ""),
    "partition leaves pods": (
        group(3, strategy=Strategy(max_unavailable=Share(3), partition=Share(2), in_place=True)),
        seen(*old(0, 1, 2)),
        "~old-0",
    ),
    "one on its way counts as unavailable though it says that it is Ready": (
        group(3),
        seen(*way(Stage.RUNNING, 0), *old(1, 2)),
        "",
    ),
    "one that is done and available is labelled, and the next patched": (
        group(3),
        seen(*way(Stage.DONE, 0), *old(1, 2)),
        "~old-1 =old-0",
    ),
    "one that is done and not yet Ready is waited for": (
        group(3),
        seen(*way(Stage.DONE, 0, **STARTING), *old(1, 2)),
        "",
    ),
    "one that is left in the middle is patched on": (
        group(3),
        seen(*way(Stage.UNWRITTEN, 0), *old(1, 2)),
        "~old-0",
    ),
    "paused too": (group(3, paused=True), seen(*way(Stage.UNWRITTEN, 0), *old(1, 2)), "~old-0"),
    "and with OnDelete": (
        group(2, strategy=Strategy(StrategyType.ON_DELETE)),
        seen(*way(Stage.UNWRITTEN, 0), *way(Stage.DONE, 1)),
        "~old-0 =old-1",
    ),
    "and under a partition": (
        group(2, strategy=Strategy(partition=Share(2), in_place=True)),
        seen(*way(Stage.UNWRITTEN, 0), *way(Stage.DONE, 1)),
        "~old-0 =old-1",
    ),
    "paused on its former way, whatever the template is by now": (
        group(1, paused=True, revision="r1"),
        seen(*way(Stage.UNWRITTEN, 0)),
        "~old-0",
    ),
    "but no pod that is kept": (group(1, paused=True), seen(*way(Stage.UNWRITTEN, 0, kept=True)), ""),
    "nor one that is stuck": (
        group(1, paused=True),
        seen(*way(Stage.UNWRITTEN, 0), stuck=frozenset({"uid-old-0"})),
        "",
    ),
    "one that is done is not replaced though it might not be patched any more": (
        group(2, surge=0, strategy=Strategy(max_surge=Share(0), max_unavailable=Share(2))),
        seen(*way(Stage.DONE, 0), *way(Stage.UNWRITTEN, 1)),
        "=old-0 -old-1",
    ),
    "one that goes is not labelled": (
        group(2, revision="r3", strategy=Strategy(max_surge=Share(0), max_unavailable=Share(2))),
        seen(*way(Stage.DONE, 0), *way(Stage.DONE, 1)),
        "-old-0 -old-1",
    ),
    "paused what is done is labelled": (group(1, paused=True), seen(*way(Stage.DONE, 0)), "=old-0"),
    "a kept one is not labelled": (group(1), seen(*way(Stage.DONE, 0, kept=True)), ""),
    "what the node cannot do is replaced": (group(2, surge=0), seen(*way(Stage.REFUSED, 0), *old(1)), "-old-0"),
    "where that restarts nothing its successor comes first": (
        group(2, unavailable=0),
        seen(*way(Stage.REFUSED, 0, restarts=False), *new(1), ease=Ease.GENTLE),
        "+",
    ),
    "what the node does not take up in time is replaced": (
        group(2, surge=0),
        seen(*way(Stage.UNSEEN, 0, until=NOW), *old(1)),
        "-old-0",
    ),
    "back to where it came from in place": (
        group(2, revision="r1", former="r2"),
        observed(*way(Stage.STARTING, 0, **STARTING), *old(1), eases={"r1": Ease.GENTLE, "r2": Ease.RESTART}),
        "~old-0",
    ),
    "but not while a container is about to restart": (
        group(2, revision="r1", former="r2"),
        observed(*way(Stage.RUNNING, 0), *old(1), eases={"r1": Ease.GENTLE, "r2": Ease.RESTART}),
        "",
    ),
    "what the node cannot do may be taken back": (
        group(2, revision="r1", former="r2", unavailable=0),
        observed(*way(Stage.REFUSED, 0, restarts=False), *old(1), eases={"r1": Ease.GENTLE, "r2": Ease.GENTLE}),
        "~old-0",
    ),
    "on to a third one only if both that it has something of allow that": (
        group(2, surge=0, revision="r3"),
        observed(*way(Stage.STARTING, 0), *new(1), eases={"r1": Ease.RESTART, "r2": Ease.NEVER, "r3": Ease.GENTLE}),
        "-old-0",
    ),
    "after a refusal the lane waits": (
        group(2),
        seen(*old(0, 1), held={Lane.CHANGE: Refusal("no", 5.0)}),
        "",
    ),
    "what is patched is not taken for one that serves when there are too many": (
        group(2, surge=0, unavailable=1),
        seen(*old(0, 1), *new(2)),
        "~old-0 ~old-1",
    ),
}


@pytest.mark.parametrize("case", PLANS.values(), ids=PLANS.keys())
def test_what_is_done(case: tuple[Desired, Observed, str]) -> None:
    """What is patched, labelled, removed and made."""
    wanted, there, expected = case
    assert told(planned(wanted, there)) == expected


def test_a_change_that_may_come_to_nothing_is_looked_at_again() -> None:
    """When its node should have taken it up."""
    assert planned(group(1), seen(*way(Stage.UNSEEN, 0))).look_again == LATER
