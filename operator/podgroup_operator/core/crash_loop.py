"""CrashLoop: a container crashes again and again, and its kubelet lets it wait ever longer.

By the number of restarts or by the time, whichever comes first: the kubelet's back-off differs by node since Kubernetes
1.35 (KEP-5593, KEP-4603), so that five restarts take minutes on one and half a minute on another.

A run of ten minutes begins a new loop, as for the kubelet's own back-off, and so does a pod that was Ready for a minute
longer than `minReadySeconds`. What is restarted by a rule of its template is in no loop (KEP-5307, KEP-5532); its
reading (`api/wire/signs.py`) leaves it out.
"""

import math

from podgroup_operator.core.model.ailment import Ailment
from podgroup_operator.core.model.loss import Cause
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.model.signs import Loop
from podgroup_operator.core.view import View

STEADY = 60.0
"""Seconds beyond `minReadySeconds` for which a pod must be Ready to have come up well."""

LONG_RUN = 600.0
"""Seconds after which a container's kubelet, too, begins to count anew."""


def crash_loop(view: View, pod: Pod) -> Ailment | None:
    """Tell whether a container of a pod is in a crash loop; of several the first that makes it count as sick."""
    loops = pod.signs.loops if pod.signs else ()
    found = [ailment for loop in loops if (ailment := ailment_of(view, pod, loop))]
    return min(found, key=lambda ailment: ailment.due, default=None)


def ailment_of(view: View, pod: Pod, loop: Loop) -> Ailment | None:
    """Tell whether a container is in a crash loop; that it runs for a while between two crashes is no end."""
    wishes, now = view.desired.healing, view.now
    if loop.since is None or not (wishes.crash_loop_restarts or wishes.crash_loop_seconds):
        return None
    steady = STEADY + view.desired.min_ready_seconds
    before, since = (loop.well_before, loop.well_since) if loop.well >= steady else (loop.before, loop.since)
    restarts = loop.restarts - before
    due = since + wishes.crash_loop_seconds if wishes.crash_loop_seconds else math.inf
    if 0 < wishes.crash_loop_restarts <= restarts:
        due = min(due, since)
    if not loop.waits or pod.ready_since is not None:
        up = now - (now if loop.up is None else loop.up)
        if up >= LONG_RUN or (pod.ready_since is not None and up >= steady):
            return None
        due = math.inf  # it may stay up this time, and it serves meanwhile
    return Ailment(Cause.CRASH_LOOP, since, due, f"container {loop.container}: {loop.seen}, {restarts} restarts")
