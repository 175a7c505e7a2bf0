"""Unready: a pod was Ready, and is not for too long, though its containers run.

Nothing else brings it back (kubernetes#85389). One that never was Ready is its template's matter, and its rollout's.
"""

from podgroup_operator.core.model.ailment import Ailment
from podgroup_operator.core.model.loss import Cause
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.view import View


def unready(view: View, pod: Pod) -> Ailment | None:
    """Tell whether a pod has ceased to be Ready."""
    since, longest = pod.signs.unready if pod.signs else None, view.desired.healing.unready_seconds
    if since is None or not longest:
        return None
    return Ailment(Cause.UNREADY, since, since + longest, f"not Ready for {longest} s")
