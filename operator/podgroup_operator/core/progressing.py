"""The condition Progressing, in Deployment's words (k8s.io/kubernetes pkg/controller/deployment/progress.go).

Once a rollout was complete it stays so until the next one: pods that are lost later, or wanted in addition, are no
rollout. A paused one is Unknown, as upstream, and so is one that was not begun because of an upgrade.
"""

from podgroup_operator.core.model.status import Rollout
from podgroup_operator.core.model.strategy import StrategyType
from podgroup_operator.core.rollout import COMPLETE, GOES_ON, HELD, MISSED, PAUSED, deadline, is_complete, was_complete
from podgroup_operator.core.view import Tally, View

LEFT = (
    " were there before this operator kept revisions. They are left as they are until spec.template changes (a restart "
    "annotation will do); what is lost of them is made anew from the template."
)

NAMED = 5
"""So many kept pods are named."""


def find_progressing(view: View, tally: Tally, rollout: Rollout, now: float) -> tuple[str, str, str]:
    """Give the condition's status, reason and message."""
    desired = view.desired
    others = tally.replicas - tally.updated
    if desired.held and others:
        return (
            "Unknown",
            HELD,
            f"{others} pods{LEFT}",
        )
    if rollout.rolled_back_from:
        return "False", MISSED, came_back(view, rollout)
    if desired.paused:
        return "Unknown", PAUSED, "PodGroup is paused: its pods stay of the revision that they are."
    if is_complete(view, tally) or was_complete(view, tally):
        return "True", COMPLETE, f'PodGroup "{desired.name}" has successfully progressed.'
    if now >= deadline(view, rollout):
        return "False", MISSED, f'PodGroup "{desired.name}" has timed out progressing.{stays(view)}'
    return (
        "True",
        GOES_ON,
        f"Of {desired.replicas} pods {tally.updated} are of the new revision, {tally.updated_available} available.",
    )


def came_back(view: View, rollout: Rollout) -> str:
    """Say which revision runs, and why."""
    bad = rollout.rolled_back_from
    good = view.desired.revision if view.desired.revision != bad else view.observed.status.last_available_revision
    return (
        f"Revision {bad} has not come up within progressDeadlineSeconds, so the pods go back to revision {good}. "
        "spec.template is not tried again until it changes: correct it (a restart annotation tries the same again)."
    )


def stays(view: View) -> str:
    """Say why the pods are not taken back though that is asked for."""
    if not view.desired.rollback_on_deadline:
        return ""
    return " It is not rolled back: no earlier revision is known that was available."


def kept_in_words(view: View, tally: Tally) -> str:
    """Name the pods that must be kept and hold something up: the rollout, or a scale-in; "" if there are none."""
    desired = view.desired
    rolls = not (desired.paused or desired.held or desired.strategy.type is StrategyType.ON_DELETE)
    surplus = tally.replicas > desired.replicas
    kept = [pod for pod in view.active if pod.kept and (surplus or (rolls and pod.revision != desired.revision))]
    if not kept:
        return ""
    names = sorted(pod.name for pod in kept)
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f" Kept by selfheal.dev/keep: {', '.join(names[:NAMED])}{more}."
