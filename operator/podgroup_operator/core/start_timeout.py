"""StartTimeout: a pod has a node, and no container of it was ever started.

An image that its node cannot pull, a volume that it cannot mount: kubernetes#21657, open since 2016. One that was
moved for that and does not start either will not be moved again (`heal.py`).
"""

from podgroup_operator.core.model.ailment import Ailment
from podgroup_operator.core.model.loss import Cause
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.view import View


def start_timeout(view: View, pod: Pod) -> Ailment | None:
    """Tell whether a pod does not start."""
    since, longest = pod.signs.unstarted if pod.signs else None, view.desired.healing.start_seconds
    if since is None or not longest:
        return None
    seen = pod.signs.waits_for if pod.signs and pod.signs.waits_for else "no container was started"
    return Ailment(Cause.START_TIMEOUT, since, since + longest, seen)
