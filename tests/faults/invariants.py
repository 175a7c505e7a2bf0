"""What must hold whatever goes wrong: each invariant looks at a whole story and tells what broke it.

After the theorem about ReplicaSet that Anvil (OSDI'24) has proved, and what outages of controllers have taught. "No
surplus" is checked at every revision of the store, not now and then.
"""

from __future__ import annotations

from collections import Counter
from http import HTTPStatus
from typing import TYPE_CHECKING

from faults.asked import WRITES
from faults.rollouts import ROLLOUT_INVARIANTS, surge_at
from faults.story import NEWS_SECONDS, is_group, moments, version_of, version_wanted
from podgroup_operator.core.lease import NARROW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from faults.asked import Asked
    from faults.story import Moment, Story

    Invariant = Callable[[Story], Iterator[str]]

BYSTANDER = "bystander"
"""The pod that nobody may touch."""

REFUSALS_PER_SECOND = 25
"""Requests that get no good answer: more of them in a second is a hot loop."""

WRITES_AGAIN = 4
"""Times that one and the same write may be asked for within a second."""

THERE_AND_BACK = 6
"""Patches of one pod within a second: its mark, its images and its label, and the same for the way back."""

MOST_FINISHED = 5
"""Pods that a group may keep; one is meant for a look, and the operator may be away for some time."""

GOOD = frozenset({HTTPStatus.OK, HTTPStatus.CREATED})

MAY_WRITE = frozenset(
    {
        *("create pods", "delete pods", "patch pods", "patch pods/resize", "patch podgroups/status", "create events"),
        *("create controllerrevisions", "patch controllerrevisions", "delete controllerrevisions"),
    }
)


def no_surplus(story: Story) -> Iterator[str]:
    """No pod joins a group that has enough, by any number that was wanted within the last seconds.

    While there are pods to replace it may have as many more as its strategy says.
    """
    wanted: list[tuple[float, int]] = []
    before: set[str] = set()
    for moment in moments(story.changes):
        heard = moment.change.heard
        if is_group(moment.change):
            wanted.append((heard, moment.change.pod.body["spec"]["replicas"]))
        if not moment.groups:
            continue
        pods = {pod.uid: pod for uid in moment.groups for pod in moment.live(uid)}
        limit = most_wanted(wanted, heard - NEWS_SECONDS - story.blind) + surge_at(moment)
        if pods.keys() - before and len(pods) > limit:
            yield f"{len(pods)} pods live where {limit} are wanted, with {moment.change.pod.name} at {heard:.3f}"
        before = set(pods)


def most_wanted(wanted: Sequence[tuple[float, int]], since: float) -> int:
    """Give the highest number that was wanted at any time since then."""
    latest = [number for heard, number in wanted if heard <= since][-1:]
    return max([*latest, *(number for heard, number in wanted if heard > since)])


def no_foreign_delete(story: Story) -> Iterator[str]:
    """Every delete names, by UID, a pod that is the group's own; nobody else's pod is touched."""
    owners = {change.pod.uid for change in story.changes if is_group(change)}
    own = {change.pod.uid: change.pod.name for change in story.changes if change.pod.controller in owners}
    for asked in story.requests:
        if asked.verb != "delete":
            continue
        uid = asked.body.get("preconditions", {}).get("uid", "")
        if asked.resource not in {"pods", "controllerrevisions"} or not asked.name or not uid:
            yield f"a delete of {asked.resource}/{asked.name or '*'} names no UID"
        elif asked.resource == "pods" and own.get(uid) != asked.name:
            yield f"a delete of {asked.name} ({uid}), which is not the group's own"


def writes_only_its_own(story: Story) -> Iterator[str]:
    """The operator writes pods, Events, revisions of templates and its status, and nothing else."""
    wrote = {asked.key for asked in story.requests if asked.writes}
    yield from (f"{key} was asked for" for key in sorted(wrote - MAY_WRITE))


def one_replacement(story: Story) -> Iterator[str]:
    """Each lost pod gets exactly one replacement, each wanted pod is made once, no pod too many is deleted."""
    owners = {change.pod.uid for change in story.changes if is_group(change)}
    born = [change.pod for change in story.changes if change.kind == "ADDED" and change.pod.controller in owners]
    if not story.births <= len(born) <= story.births + story.spare:
        wanted = f"{story.births}" + (f" to {story.births + story.spare}" if story.spare else "")
        yield f"{len(born)} pods were made, not {wanted}: {', '.join(pod.name for pod in born)}"
    lives = Counter(pod.name for pod in born)  # a pod that vanished while no operator ran may come again under its name
    # What replaced it may have vanished so too, and come again: then it replaces the last that is known to be lost.
    pairs = {(pod.replaces, pod.name) for pod in born if pod.replaces}
    for lost, number in Counter(lost for lost, _ in pairs).items():
        if number > max(lives[lost], 1):
            yield f"{lost} was replaced {number} times, by {sorted(heir for each, heir in pairs if each == lost)}"
    deletes = [(asked.body["preconditions"]["uid"], asked.code) for asked in story.requests if deletes_by_uid(asked)]
    deleted = {uid for uid, code in deletes if code == HTTPStatus.OK}
    # Cut while it was handed on: the API server may have done it, and nobody has heard its answer.
    perhaps = {uid for uid, code in deletes if code is None}
    most = story.removals + story.spare
    if not (len(deleted) <= most and story.removals <= len(deleted | perhaps)):
        more = len(perhaps - deleted)
        wanted = f"{story.removals}" + (f" to {most}" if story.spare else "")
        yield f"the operator deleted {len(deleted)} pods, and perhaps {more} more, not {wanted}"


def deletes_by_uid(asked: Asked) -> bool:
    """Tell whether a request deletes a pod that it names by UID."""
    return asked.key == "delete pods" and "uid" in asked.body.get("preconditions", {})


def no_hot_loop(story: Story) -> Iterator[str]:
    """What is refused is not asked for again and again."""
    failed = [asked for asked in story.requests if asked.told is None or asked.told >= HTTPStatus.BAD_REQUEST]
    most = busiest([asked.at for asked in failed])
    if most > REFUSALS_PER_SECOND:
        common = Counter(asked.key for asked in failed).most_common(3)
        yield f"{most} requests without a good answer within a second: {', '.join(f'{key} {n}' for key, n in common)}"
    same: dict[tuple[int, str, str], list[float]] = {}
    for asked in story.requests:
        if asked.writes and asked.resource != "events":
            same.setdefault((asked.operator, asked.key, asked.about), []).append(asked.at)
    for (_, key, name), times in same.items():
        limit = 1 + int(1 / 0.25) if "/status" in key else THERE_AND_BACK if key == "patch pods" else WRITES_AGAIN
        if busiest(times) > limit:
            yield f"{key} {name}: {busiest(times)} times within a second"


def busiest(times: Sequence[float]) -> int:
    """Count the most that fall into any one second; they are in order."""
    most = first = 0
    for last, time in enumerate(times):
        while times[first] <= time - 1:
            first += 1
        most = max(most, last - first + 1)
    return most


def little_litter(story: Story) -> Iterator[str]:
    """Of finished pods a few are kept, and no more."""
    for moment in moments(story.changes):
        for uid in moment.groups:
            finished = [pod for pod in moment.pods.values() if pod.controller == uid and pod.finished]
            if len(finished) > MOST_FINISHED:
                yield f"{len(finished)} finished pods are kept, with {moment.change.pod.name}"


def status_is_true(story: Story) -> Iterator[str]:
    """The status tells the truth within two seconds of the last change, or of the end of the trouble."""
    played = moments(story.changes)
    if not played or not played[-1].groups:
        return
    last = max([story.calm_from + story.pause, *(change.heard for change in story.changes if not is_group(change))])
    last = max(last, first_heard(story, generation(played[-1])))
    for uid, group in played[-1].groups.items():
        true_since = None
        for moment in played:
            told = uid in moment.groups and tells_the_truth(moment, uid)
            true_since = (true_since or moment.change.heard) if told else None
        if true_since is None:
            yield f"the status is wrong in the end: {group.body.get('status')}"
        elif true_since > last + NEWS_SECONDS:
            yield f"the status became true {true_since - last:.1f} s after the last change"


def generation(moment: Moment) -> int:
    """Give the highest generation of a PodGroup."""
    return max(int(group.body["metadata"]["generation"]) for group in moment.groups.values())


def first_heard(story: Story, number: int) -> float:
    """Tell when a PodGroup's spec was changed to this generation."""
    groups = (change for change in story.changes if is_group(change))
    return next(change.heard for change in groups if change.pod.body["metadata"]["generation"] == number)


def tells_the_truth(moment: Moment, uid: str) -> bool:
    """Tell whether a group's status is what its pods are at this moment."""
    body = moment.groups[uid].body
    status, pods = body.get("status") or {}, moment.live(uid)
    ready = sum(pod.ready for pod in pods)
    version = version_wanted(moment.groups[uid])
    updated = sum(version_of(pod) == version for pod in pods)
    told = (status.get("observedGeneration"), status.get("replicas", 0), status.get("readyReplicas", 0))
    return (*told, status.get("updatedReplicas", 0)) == (body["metadata"]["generation"], len(pods), ready, updated)


def idle_writes_nothing(story: Story) -> Iterator[str]:
    """A group with nothing to do causes no write."""
    late = Counter(asked.key for asked in story.requests if asked.writes and asked.at > story.idle_from)
    yield from (f"{key} {number} times while nothing was to do" for key, number in late.items())


def stays_so(story: Story) -> Iterator[str]:
    """Once complete a group stays complete."""
    for moment in moments(story.changes):
        if moment.change.heard <= story.idle_from:
            continue
        for uid, group in moment.groups.items():
            wanted = group.body["spec"]["replicas"]
            if len(moment.live(uid)) != wanted:
                yield f"{len(moment.live(uid))} pods of {wanted} after it was complete, by {moment.change.pod.name}"


def no_create_for_the_dying(story: Story) -> Iterator[str]:
    """No pod is made for a group that is being deleted, once that can be known."""
    dead: dict[str, float] = {}
    for moment in moments(story.changes):
        change = moment.change
        if is_group(change) and (change.kind == "DELETED" or change.pod.terminating):
            dead.setdefault(change.pod.uid, change.heard)
        late = change.heard - dead.get(change.pod.controller, change.heard)
        if change.kind == "ADDED" and late > NEWS_SECONDS + story.blind:
            yield f"{change.pod.name} was made {late:.1f} s after its group was deleted"


def only_the_leader_writes(story: Story) -> Iterator[str]:
    """Where a leader is elected, no other operator writes: the leader is who has written the namespace's Lease last."""
    leader: int | None = None
    elected = any(asked.resource == "leases" and asked.verb in WRITES for asked in story.requests)
    for asked in story.requests if elected else ():
        if asked.resource == "leases":
            if asked.about != NARROW or asked.verb not in WRITES or asked.code not in GOOD:
                continue  # the other one keeps version 0.1.0 away, and several hold it together
            leader = asked.operator if asked.body["spec"].get("holderIdentity", True) else None
        elif asked.writes and asked.code in GOOD and asked.operator != leader:
            yield f"operator {asked.operator} wrote ({asked.key} {asked.about}) when {leader} led"


def bystander_lives(story: Story) -> Iterator[str]:
    """A pod with the group's labels but another controller is left alone."""
    for change in story.changes:
        if change.pod.name == BYSTANDER and (change.kind == "DELETED" or change.pod.terminating):
            yield f"{BYSTANDER} was taken away"
            return


INVARIANTS: tuple[Invariant, ...] = (
    no_surplus,
    no_foreign_delete,
    writes_only_its_own,
    one_replacement,
    no_hot_loop,
    little_litter,
    status_is_true,
    idle_writes_nothing,
    stays_so,
    no_create_for_the_dying,
    only_the_leader_writes,
    bystander_lives,
    *ROLLOUT_INVARIANTS,
)


def violations(story: Story) -> list[str]:
    """Tell everything that a story breaks."""
    return [f"{invariant.__name__}: {what}" for invariant in INVARIANTS for what in invariant(story)]
