"""In place: which pods of another revision are patched as they run, and how a change in place fares.

Where `strategy.inPlace` says so and the templates allow it (`difference.py`) a rolling update patches a pod that is on
a node. A pod whose containers restart for that is unavailable by our doing until its node has done it; where none may
be (`maxUnavailable: 0`) only what restarts nothing is changed so. What comes to nothing is replaced as always.
"""

from collections.abc import Sequence

from podgroup_operator.core.model.changing import Ease, Stage
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.view import View


def ease_of(view: View, pod: Pod) -> Ease:
    """Tell what it takes to bring a pod to the present revision in place."""
    desired, known, changing = view.desired, view.observed.eases, pod.changing
    if not pod.node or pod.kept or pod.asked or has_failed(view, pod):
        return Ease.NEVER
    if changing and changing.to == desired.revision and changing.stage is Stage.DONE:
        return Ease.GENTLE  # whatever the strategy is by now
    if not desired.strategy.changes_in_place:
        return Ease.NEVER
    origins = (changing.former, changing.to) if changing else (pod.revision,)
    ease = max(known.get(origin, Ease.NEVER) for origin in origins)
    idle = desired.strategy.unavailable(desired.replicas) == 0 and not is_out(pod)
    return Ease.NEVER if ease is Ease.RESTART and idle else ease


def has_failed(view: View, pod: Pod) -> bool:
    """Tell whether a pod's change in place has come to nothing; what a node cannot do may be taken back."""
    changing = pod.changing
    if changing is None:
        return False
    refused = changing.stage is Stage.REFUSED and changing.to == view.desired.revision
    return refused or view.now >= changing.until


def is_out(pod: Pod) -> bool:
    """Tell whether a pod is unavailable by our doing, whatever it says of itself."""
    changing = pod.changing
    return changing is not None and changing.restarts and changing.stage is not Stage.DONE


def is_due(view: View, pod: Pod) -> bool:
    """Tell whether a pod of another revision is to be patched or replaced now.

    One that is on its way there is finished (`change_in_place.py`). If the containers of one that is on another way are
    about to restart it is left until they have, for nobody could tell for which of two patches they did.
    """
    changing, ease = pod.changing, ease_of(view, pod)
    if changing is None or ease >= Ease.UNKNOWN:
        return ease is not Ease.UNKNOWN
    return changing.to != view.desired.revision and not (
        changing.restarts and changing.stage in (Stage.UNSEEN, Stage.RUNNING)
    )


def paced(view: View, active: Sequence[Pod], due: Sequence[Pod]) -> Sequence[Pod]:
    """Give those of the pods in which nothing restarts that are patched now: as many at once as may be unavailable.

    One at least: that costs nobody anything, but what nodes refuse shall not be asked of all pods.
    """
    desired, ours = view.desired, {pod.uid for pod in due}
    under_way = sum(pod.changing is not None and not has_failed(view, pod) for pod in active if pod.uid not in ours)
    return due[: max(desired.strategy.unavailable(desired.replicas), 1, under_way) - under_way]
