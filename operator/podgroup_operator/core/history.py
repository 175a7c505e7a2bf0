"""History: how many finished pods are kept for a look, and which of them go.

ReplicaSet keeps every Failed pod until the pod garbage collector finds 12,500 of them; here
`healing.failedPodsHistoryLimit` bounds them, as a CronJob's failedJobsHistoryLimit bounds its Jobs. The newest stay,
and those that must be kept besides. Until all pods are Ready the last one of a streak of failures stays in any case: it
says when the next may be tried (`backoff.py`).
"""

from podgroup_operator.core.budget import BURST, Budget
from podgroup_operator.core.model.actions import Remove, Why
from podgroup_operator.core.model.refusal import Lane
from podgroup_operator.core.step import Step
from podgroup_operator.core.times import finish_of
from podgroup_operator.core.view import View


def history(view: View, budget: Budget) -> Step:
    """Remove the finished pods beyond the limit, oldest first."""
    finished = [pod for pod in view.finished if not pod.kept]
    surplus = len(finished) - view.desired.failed_pods_history_limit
    if surplus <= 0 or view.observed.waits(Lane.REMOVE):
        return Step()
    oldest = sorted(finished, key=lambda pod: (finish_of(pod), pod.epoch, pod.uid))[:surplus]
    needed = [streak.last for streak in view.streaks.values()] if view.tally.ready < view.desired.replicas else []
    old = [pod for pod in oldest if pod not in needed and pod.uid not in view.observed.stuck]
    return Step(removes=tuple(Remove(pod, Why.HISTORY) for pod in old[:BURST] if budget.take(pod)))
