"""Pods that are changed in place: what the operator's patches make of them, and what their nodes do."""

import math
from dataclasses import replace

from podgroup_operator.core.model.actions import Change
from podgroup_operator.core.model.changing import BETWEEN, Changing, Ease, Stage
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.pod import Pod

PATIENCE = 60.0
"""Seconds that a node has."""

STEPS = {Stage.UNSEEN: Stage.RUNNING, Stage.RUNNING: Stage.STARTING, Stage.STARTING: Stage.DONE}
"""What comes next of a pod whose containers restart."""


def ease(one: str, other: str) -> Ease:
    """Tell what it takes to come from one template to another: only from r1 to r3 nothing restarts."""
    if one == other:
        return Ease.GENTLE
    return {"r1 r2": Ease.RESTART, "r1 r3": Ease.GENTLE}.get(" ".join(sorted((one, other))), Ease.NEVER)


def origins_of(pod: Pod) -> tuple[str, ...]:
    """Give the templates of which a pod has something."""
    return (pod.changing.former, pod.changing.to) if pod.changing else (pod.revision,)


def restarts(pod: Pod, group: Desired) -> bool:
    """Tell whether containers restart to bring a pod to the present template."""
    return any(ease(each, group.revision) is not Ease.GENTLE for each in origins_of(pod))


def goes_its_way(change: Change) -> bool:
    """Tell whether a patch goes on with what was begun."""
    return change.pod.changing is not None and change.pod.changing.to == change.revision


def changed(change: Change, group: Desired, now: float, halfway: bool) -> Pod:  # noqa: FBT001 - a fact
    """Give a pod as it is after a patch, or after the mark alone."""
    pod, former = change.pod, origins_of(change.pod)[0]
    if change.last:
        return replace(pod, revision=change.revision, changing=None)
    stage = Stage.UNWRITTEN if halfway else Stage.UNSEEN
    until = math.inf if halfway else now + PATIENCE
    restarting = pod.changing.restarts if pod.changing and goes_its_way(change) else restarts(pod, group)
    way = Changing(former, change.revision, restarting, stage, until)
    return replace(pod, revision=BETWEEN, changing=way)


def goes_on(pod: Pod, changing: Changing, *, good: bool) -> bool:
    """Tell whether a node has something left to do; of a bad template nothing ever runs."""
    if changing.stage in (Stage.DONE, Stage.STARTING):
        return good and (changing.stage is Stage.STARTING or pod.ready_since is None)
    return changing.stage in STEPS


def gone_on(pod: Pod, changing: Changing, now: float) -> Pod:
    """Give a pod after its node has done a step."""
    if changing.stage is Stage.DONE:
        return replace(pod, ready_since=now)
    stage = STEPS[changing.stage] if changing.restarts else Stage.DONE
    ready = pod.ready_since
    if changing.restarts:
        ready = {Stage.STARTING: None, Stage.DONE: now}.get(stage, ready)
    until = now + PATIENCE if stage is Stage.RUNNING else math.inf
    return replace(pod, ready_since=ready, changing=replace(changing, stage=stage, until=until))
