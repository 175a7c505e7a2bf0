"""What must hold in a rollout, at every revision of the store: its bounds, which templates pods are of, and its end.

Deployment's arithmetic is written down here once more: what is judged with the operator's own proves nothing.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from math import ceil, floor
from typing import TYPE_CHECKING, Any

from faults.story import CHANGING, NEWS_SECONDS, is_group, moments, version_of, version_wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from e2e.pod import Pod
    from faults.asked import Asked
    from faults.story import Moment, Story

Json = dict[str, Any]

ASKED = "selfheal.dev/delete"


def of(share: object, replicas: int, rounded: Callable[[float], int]) -> int:
    """Give an int, or a percentage of the replicas, as a number of pods."""
    return rounded(int(str(share).rstrip("%")) * replicas / 100) if str(share).endswith("%") else int(str(share))


def bounds(spec: Json) -> tuple[int, int]:
    """Give how many pods there may be beyond `replicas`, and how many may be unavailable."""
    strategy, replicas = spec.get("strategy") or {}, spec["replicas"]
    if strategy.get("type") == "Recreate":
        return 0, replicas
    rolling = strategy.get("rollingUpdate") or {}
    surge = of(rolling.get("maxSurge", "25%"), replicas, ceil)
    unavailable = of(rolling.get("maxUnavailable", "25%"), replicas, floor)
    return surge, unavailable or int(surge == 0)


def surge_at(moment: Moment) -> int:
    """Give how many pods there may be beyond `replicas` at a moment: some only if any is to be replaced."""
    most = 0
    for uid, group in moment.groups.items():
        version = version_wanted(group)
        if any(version_of(pod) != version or ASKED in pod.annotations for pod in moment.live(uid)):
            most = max(most, bounds(group.body["spec"])[0])
    return most


def never_too_few(story: Story) -> Iterator[str]:
    """No pod that the operator deletes leaves fewer available than `replicas` minus maxUnavailable.

    A pod that people took within the last seconds may not be known to it yet, nor a number that they changed.
    """
    ours = {asked.body.get("preconditions", {}).get("uid") for asked in story.requests if may_have_deleted(asked)}
    least: list[tuple[float, int]] = []
    gone: list[float] = []
    before: dict[str, Pod] = {}
    for moment in moments(story.changes):
        heard, since = moment.change.heard, moment.change.heard - NEWS_SECONDS - story.blind
        for uid, group in moment.groups.items():
            if is_group(moment.change):
                spec = group.body["spec"]
                least.append((heard, spec["replicas"] - bounds(spec)[1]))
            ready = {pod.uid: pod for pod in moment.live(uid) if pod.ready}
            left = before.keys() - ready.keys()
            others = left - (ours - story.lost)
            gone += [heard] * len(others)
            known = least_known(least, since) - sum(at > since for at in gone)
            if left - others and len(ready) < known:
                yield f"{len(ready)} pods are available, not {known}, without {moment.change.pod.name} at {heard:.3f}"
            before = ready


def may_have_deleted(asked: Asked) -> bool:
    """Tell whether a request has deleted a pod, or may have: nobody has heard its answer."""
    return asked.key == "delete pods" and asked.code in {None, HTTPStatus.OK}


def least_known(least: list[tuple[float, int]], since: float) -> int:
    """Give the lowest number that was the least at any time since then."""
    latest = [number for heard, number in least if heard <= since][-1:]
    return min([*latest, *(number for heard, number in least if heard > since)])


def no_third_revision(story: Story) -> Iterator[str]:
    """A new pod is of the template that is wanted, or that the group had wholly, or as what it replaces was.

    A template that could not be kept is tried again after a pause; until then the one before it is rolled out.
    """
    wanted: list[tuple[float, str]] = []
    whole, versions = "", dict[str, str]()
    for moment in moments(story.changes):
        change = moment.change
        for uid, group in moment.groups.items():
            if is_group(change):
                wanted.append((change.heard, version_wanted(group)))
            live = moment.live(uid)
            if len(live) == group.body["spec"]["replicas"] and len({version_of(pod) for pod in live}) == 1:
                whole = version_of(live[0]) if all(pod.ready for pod in live) else whole
        if is_group(change) or change.pod.controller not in moment.groups:
            continue
        pod, since = change.pod, change.heard - NEWS_SECONDS - story.blind - story.pause
        versions[pod.name] = version_of(pod)
        latest = [version for heard, version in wanted if heard <= since][-1:]
        may = {*latest, *(version for heard, version in wanted if heard > since), whole, versions.get(pod.replaces, "")}
        if change.kind == "ADDED" and version_of(pod) not in may:
            yield f"{pod.name} is of version {version_of(pod)!r}, where {sorted(may)} are wanted"


def recreate_keeps_apart(story: Story) -> Iterator[str]:
    """With Recreate no pod is made beside one of another template that has not ended."""
    for moment in moments(story.changes):
        change = moment.change
        group = moment.groups.get(change.pod.controller)
        if change.kind != "ADDED" or not group or (group.body["spec"].get("strategy") or {}).get("type") != "Recreate":
            continue
        others = [pod for pod in moment.pods.values() if pod.controller == group.uid and not pod.finished]
        old = sorted(pod.name for pod in others if version_of(pod) != version_of(change.pod))
        if old:
            yield f"{change.pod.name} was made beside {', '.join(old)}"


def few_at_once(story: Story) -> Iterator[str]:
    """No more pods are about to restart in place than may ever have been unavailable: what was begun is finished."""
    most = 0
    for moment in moments(story.changes):
        for uid, group in moment.groups.items():
            most = max(most, bounds(group.body["spec"])[1])
            out = sorted(pod.name for pod in moment.live(uid) if is_out(pod))
            if len(out) > most and moment.change.pod.name in out:
                yield f"{', '.join(out)} restart at once, of which {most} may be unavailable"


def is_out(pod: Pod) -> bool:
    """Tell whether containers of a pod are yet to restart, with what was patched in them."""
    awaited = json.loads(pod.annotations.get(CHANGING, "{}")).get("restarts", {})
    return any(each["imageID"] == awaited.get(each["name"], {}).get("imageID") for each in pod.containers)


def no_heal_for_a_rollout(story: Story) -> Iterator[str]:
    """What a rollout replaces is no heal: no more are counted, or told, than pods were lost."""
    for change in story.changes:
        total = ((change.pod.body.get("status") or {}).get("healing") or {}).get("total", 0) if is_group(change) else 0
        if total > len(story.lost):
            yield f"{total} heals are counted, of {len(story.lost)} lost pods, at {change.heard:.3f}"
            return
    told = {asked.body.get("note", "") for asked in story.requests if asked.body.get("reason") == "PodHealed"}
    if told and not story.lost:
        yield f"heals are told where nothing was lost: {sorted(told)}"


def ends_rolled(story: Story) -> Iterator[str]:
    """In the end all pods are of the template that is wanted."""
    played = moments(story.changes)
    for uid, group in played[-1].groups.items() if played else ():
        old = sorted(pod.name for pod in played[-1].live(uid) if version_of(pod) != version_wanted(group))
        if old:
            yield f"{', '.join(old)} are not of version {version_wanted(group)!r} in the end"


def one_revision_each(story: Story) -> Iterator[str]:
    """No template is kept by two names."""
    templates = {version_wanted(change.pod) for change in story.changes if is_group(change)}
    created = [asked for asked in story.requests if asked.key == "create controllerrevisions"]
    kept = {asked.about for asked in created if asked.code == HTTPStatus.CREATED}
    if len(kept) > len(templates):
        yield f"{len(kept)} revisions were made of {len(templates)} templates: {', '.join(sorted(kept))}"


ROLLOUT_INVARIANTS = (
    never_too_few,
    no_third_revision,
    recreate_keeps_apart,
    few_at_once,
    no_heal_for_a_rollout,
    ends_rolled,
    one_revision_each,
)
