"""What is seen of a pod that may be sick; since when is for the cache to say, which sees it change."""

from collections.abc import Iterable, Mapping, Sequence

from podgroup_operator.api.fields import Fields
from podgroup_operator.core.model.signs import Loop, Signs

SEEN = 0.0
"""Some moment."""

LOOPS = "CrashLoopBackOff"
ON_ITS_WAY = frozenset({"", "ContainerCreating", "PodInitializing"})
"""What a container waits for that is well."""

SETTLED = 2.0
"""Seconds after a pod's start within which its kubelet first says that it is not Ready; the API has whole ones."""

LONGEST_WORDS = 200
"""Characters; a scheduler has a line for each kind of node."""


def read_signs(spec: Fields, status: Fields, conditions: Mapping[str, Fields]) -> Signs | None:
    """Read what is seen of a pod that has a node, or waits for one; None if there is nothing."""
    if status.text("phase") not in ("", "Pending", "Running"):
        return None
    containers = [*status.maps("initContainerStatuses"), *status.maps("containerStatuses")]
    ready = conditions.get("Ready")
    is_ready = ready is not None and ready.text("status") == "True"
    loops = () if is_restarted_whole(conditions) else read_loops(spec, containers)
    signs = Signs(
        unstarted=SEEN if spec.text("nodeName") and not any(map(has_run, containers)) else None,
        unready=SEEN if ready is not None and not is_ready and was_ready(ready, status) else None,
        waits_for="" if is_ready else waits_for(spec, containers, conditions),
        loop=loops[0] if loops else None,
        others=tuple(loops[1:]),
    )
    return None if signs == Signs() else signs


def was_ready(condition: Fields, status: Fields) -> bool:
    """Tell of a pod that is not Ready whether it was before: its condition has changed since its start."""
    changed, start = condition.time("lastTransitionTime"), status.time("startTime")
    return changed is not None and start is not None and changed > start + SETTLED


def is_restarted_whole(conditions: Mapping[str, Fields]) -> bool:
    """Tell whether all containers of a pod are being restarted by a rule of its template (KEP-5532)."""
    condition = conditions.get("AllContainersRestarting")
    return condition is not None and condition.text("status") == "True"


def has_run(container: Fields) -> bool:
    """Tell whether a container was ever started."""
    states = (container.map("state"), container.map("lastState"))
    return any(state.map(kind).text("startedAt") for state in states for kind in ("running", "terminated"))


def read_loops(spec: Fields, containers: Iterable[Fields]) -> Sequence[Loop]:
    """Read how each container ended last; those that wait for their next start first, then those restarted most."""
    templates = spec.maps("containers") + spec.maps("initContainers")
    rules = {each.text("name"): each.maps("restartPolicyRules") for each in templates}
    found = list[Loop]()
    for each in containers:
        waits = each.map("state").map("waiting").text("reason") == LOOPS
        end = each.map("lastState").map("terminated")
        if end.raw("finishedAt") is None and not waits:
            continue
        code = end.number("exitCode")
        if any(restarts(rule, code) for rule in rules.get(each.text("name"), ())):
            continue
        ended = end.time("finishedAt") or 0.0
        ran = max(ended - (end.time("startedAt") or ended), 0.0)
        words = f"exit code {code} ({end.text('reason') or 'no reason'})"
        found.append(Loop(each.text("name"), each.number("restartCount"), ran, ended, words, waits))
    return sorted(found, key=lambda loop: (not loop.waits, -loop.restarts))


def restarts(rule: Fields, code: int) -> bool:
    """Tell whether a container's own rule has it restarted after an exit code (KEP-5307)."""
    codes = rule.map("exitCodes")
    values = codes.raw("values")
    within = isinstance(values, list) and code in values
    return rule.text("action") in ("Restart", "RestartAllContainers") and within == (codes.text("operator") == "In")


def waits_for(spec: Fields, containers: Iterable[Fields], conditions: Mapping[str, Fields]) -> str:
    """Say what a pod waits for: a reason, and what of it no secret can be in."""
    scheduled = conditions.get("PodScheduled")
    if scheduled is not None and scheduled.text("reason") == "Unschedulable":
        return f"Unschedulable: {scheduled.text('message')}"[:LONGEST_WORDS]
    images = {each.text("name"): each.text("image") for each in spec.maps("containers") + spec.maps("initContainers")}
    for each in containers:
        reason = each.map("state").map("waiting").text("reason")
        if reason == LOOPS:
            return f"{reason} (exit code {each.map('lastState').map('terminated').number('exitCode')})"
        if reason not in ON_ITS_WAY:
            image = images.get(each.text("name"), "") if "Image" in reason or reason == "ErrImagePull" else ""
            return f"{reason} {image}".rstrip()
    return ""
