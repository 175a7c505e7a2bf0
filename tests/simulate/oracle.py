"""What must hold, asked at every change of the store and at every request; the first thing that does not ends the run.

- No surplus: never do more pods of the operator's making live than were wanted since the world was quiet last, and the
  surge of a rollout.
- No harm: the operator's deletes leave no fewer pods than were wanted, less those that others took away since; in a
  rollout no fewer that are Ready than it may leave.
- Nobody else's: it deletes, by UID, what is its own; it takes in only orphans that match, and frees only what does not.
- One replacement: no more pods are made than were wanted, lost, failed or of another template, and a handful.
- One count: the status tells of no more replacements than pods were asked for that say what they replace.
- One writer: who writes has the Lease.
- Pace: what is refused is not asked for again and again, and nothing is read again and again.

What must be so in the end (as many pods as wanted, a true status, then nothing any more) is in `quiet.py`.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fakeapi.resources import PODGROUPS, PODS, Obj
from simulate.asked import now
from simulate.kubelet import over

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from fakeapi.store import Change
    from simulate.apiserver import ApiServer
    from simulate.asked import Asked

HANDFUL = 6
"""Pods that may be made in vain between two times of quiet: of a template or a policy that turns out to be bad."""

MAY_WRITE = frozenset(
    {"create pods", "delete pods", "patch pods", "patch podgroups/status", "create events"}
    | {f"{verb} controllerrevisions" for verb in ("create", "patch", "update", "delete")}
)

REFUSALS_PER_SECOND = 25
"""Requests of one operator that get no good answer."""

REFUSALS_OF_A_KIND = 24
"""Refusals of one kind of write to one group's pods within ten seconds: a pause that doubles allows for few."""

LISTS_PER_SECOND = {"pods": 6, "podgroups.selfheal.dev": 12}
"""Of one collection by one operator; kopf pauses for a tenth of a second between two."""

KOPF_BEGINS_ANEW = ("watch podgroups", 410)
"""How often it does is bounded by its lists."""

CONFLICTS_PER_SECOND = 40
"""A conflict is tried again at once, and each time with newer news."""

WRITES_AGAIN = 5
"""Times that one and the same write may be asked for within a second; a status that changes may be told four times."""

NEWS_SECONDS = 45.0
"""For how long a dead watch may keep the end of a PodGroup from the operator, and a little more."""


class Violation(Exception):
    """Something happened that must not."""


@dataclass
class Group:
    """A PodGroup as the oracle sees it.

    Attributes:
        most: the most pods wanted since the world was quiet.
        least: the fewest.
        harm: how many of its pods others took away since then.
        due: how many pods there was reason to make since then.
        births: how many were made.
        heals: how many pods were ever made as replacements.
        ended: when it began to be deleted.
        template: of which its pods shall be.
        rolls: it was changed, or a pod of another one was taken in, since the beginning.
    """

    key: tuple[str, str]
    uid: str
    labels: dict[str, str]
    replicas: int
    most: int
    least: int
    harm: int = 0
    due: int = 0
    births: int = 0
    heals: int = 0
    ended: float | None = None
    template: Obj = field(default_factory=dict)
    rolls: bool = False

    @property
    def surge(self) -> int:
        """How many pods there may be beyond `most` in a rollout: a quarter, rounded up."""
        return -(-self.most // 4) if self.rolls else 0

    def roll(self) -> None:
        """Note that its pods are to be replaced."""
        self.rolls = True
        self.due += self.most + self.surge

    def counts(self, pod: Obj | None) -> bool:
        """Tell whether a pod is one of the group's that live."""
        return pod is not None and controller(pod) == self.uid and lives(pod) and self.matches(pod)

    def could_take(self, pod: Obj) -> bool:
        """Tell whether a pod lives that nobody controls, and that the group is to take in."""
        return lives(pod) and not controller(pod) and self.matches(pod)

    def should_free(self, pod: Obj) -> bool:
        """Tell whether a pod of the group lives that has its labels no more."""
        return lives(pod) and controller(pod) == self.uid and not self.matches(pod)

    def matches(self, pod: Obj) -> bool:
        """Tell whether a pod has the group's labels."""
        here = pod["metadata"]["namespace"] == self.key[0]
        return here and self.labels.items() <= (pod["metadata"].get("labels") or {}).items()


class Oracle:
    """Watches one simulation.

    Args:
        server: what is true.
        broken: told what has happened that must not.

    Attributes:
        groups: all that ever were, by UID.
    """

    def __init__(self, server: ApiServer, broken: Callable[[str], None]) -> None:
        self._server = server
        self._broken = broken
        self.groups: dict[str, Group] = {}
        self._live: dict[str, set[str]] = defaultdict(set)  # UIDs of pods, by that of their group
        self._made: set[str] = set()
        self._touched: set[str] = set()  # of these pods somebody has changed the labels: they may come back late
        self._rates: dict[Hashable, deque[float]] = defaultdict(deque)
        server.store.subscribers.append(self.see)

    def be_quiet(self) -> None:
        """Note that the past is past."""
        for group in self.groups.values():
            group.most = group.least = group.replicas
            group.harm = group.due = group.births = 0
            if group.rolls:
                group.roll()  # it may be in its middle

    def living(self, group: Group) -> int:
        """Count the live pods of a group."""
        return len(self._live[group.uid])

    def see(self, change: Change) -> None:
        """Judge a change of the store."""
        try:
            if change.resource is PODGROUPS:
                self._see_group(change)
            elif change.resource is PODS:
                self._see_pod(change)
        except Violation as violation:
            self._broken(str(violation))

    def _see_group(self, change: Change) -> None:
        body, metadata = change.object, change.object["metadata"]
        replicas = body["spec"].get("replicas", 1)
        group = self.groups.get(metadata["uid"])
        if group is None:
            labels = body["spec"]["selector"]["matchLabels"]
            key = metadata["namespace"], metadata["name"]
            self.groups[metadata["uid"]] = Group(
                key, metadata["uid"], labels, replicas, replicas, 0, due=replicas, template=body["spec"]["template"]
            )
            return
        told = ((body.get("status") or {}).get("healing") or {}).get("total", 0)
        if told > group.heals:
            raise Violation(f"one count: {group.key} tells of {told} replacements, {group.heals} were made")
        group.due += max(replicas - group.replicas, 0)
        group.replicas = replicas
        group.most, group.least = max(group.most, replicas), min(group.least, replicas)
        if body["spec"]["template"] != group.template:
            group.template = body["spec"]["template"]
            group.roll()
        if group.ended is None and (change.type == "DELETED" or metadata.get("deletionTimestamp")):
            group.ended, group.least = now(), 0

    def _see_pod(self, change: Change) -> None:
        before, after = change.previous, None if change.type == "DELETED" else change.object
        uid, cause = change.object["metadata"]["uid"], self._server.cause
        for owner in {controller(pod) for pod in (before, after) if pod} & self.groups.keys():
            group = self.groups[owner]
            counted, counts = uid in self._live[owner], group.counts(after)
            (self._live[owner].add if counts else self._live[owner].discard)(uid)
            if cause is None:
                self._see_others_doing(group, uid, counted=counted, counts=counts)
                if counts and before and after and revision(before) != revision(after):
                    group.roll()  # whoever takes the label off has the pod replaced
            elif cause.verb == "delete" and counted and not counts:
                self._see_harm(group, change)
        if cause and cause.verb == "create" and change.type == "ADDED":
            self._see_birth(change.object, cause)
        if cause and cause.verb == "patch" and before and after:
            self._see_claim(before, after)

    def _see_others_doing(self, group: Group, uid: str, *, counted: bool, counts: bool) -> None:
        if counted and not counts:
            group.harm += 1
            group.due += 1
        if counts and not counted:
            self._touched.add(uid)

    def _see_harm(self, group: Group, change: Change) -> None:
        if group.rolls:
            self._see_harm_of_rollout(group, change)
            return
        left = self.living(group)
        if left < group.least - group.harm:
            raise Violation(
                f"no harm: {name_of(change.object)} was deleted and {left} pods of {group.replicas} are left; at least "
                f"{group.least} were wanted, and others took {group.harm}"
            )

    def _see_harm_of_rollout(self, group: Group, change: Change) -> None:
        least = group.least - group.least // 4 - group.harm
        ready = sum(is_ready(pod) for pod in self._server.pods if group.counts(pod))
        if is_ready(change.previous or {}) and ready < least:
            raise Violation(
                f"no harm: {name_of(change.object)} was Ready and deleted in a rollout, {ready} Ready pods are left of "
                f"{group.replicas}; others took {group.harm}"
            )

    def _see_birth(self, pod: Obj, cause: Asked) -> None:
        group = self.groups.get(controller(pod))
        if group is None:
            raise Violation(f"nobody else's: {name_of(pod)} was made for no PodGroup that ever was")
        uid = pod["metadata"]["uid"]
        self._made.add(uid)
        group.births += 1
        group.heals += "selfheal.dev/cause" in (cause.body or {})["metadata"]["annotations"]
        ours = (self._live[group.uid] & self._made) - self._touched
        if len(ours) > group.most + group.surge:
            raise Violation(
                f"no surplus: {len(ours)} pods of {group.key} live with {name_of(pod)}, {group.most} wanted, "
                f"{group.surge} beyond"
            )
        if group.births > group.due + HANDFUL:
            raise Violation(f"one replacement: {group.births} pods made for {group.key}, {group.due} were due")
        if group.ended is not None and now() > group.ended + NEWS_SECONDS:
            raise Violation(f"{name_of(pod)} was made {now() - group.ended:.1f} s after its PodGroup was deleted")

    def _see_claim(self, before: Obj, after: Obj) -> None:
        had, has = controller(before), controller(after)
        group = self.groups.get(has or had)
        name = name_of(after)
        if group is None or (had and has and had != has):
            raise Violation(f"nobody else's: {name} of {had or 'nobody'} was patched")
        if has and not had and not group.matches(before):
            raise Violation(f"nobody else's: {name} was taken in and has not the group's labels")
        if has and not had:
            group.roll()  # it is of no revision of the group's
        if had and not has and group.matches(before):
            raise Violation(f"{name} was released and has the group's labels")

    def judge(self, asked: Asked) -> None:
        """Judge a request that was done or refused."""
        try:
            self._judge(asked)
        except Violation as violation:
            self._broken(str(violation))

    def _judge(self, asked: Asked) -> None:
        refused = asked.code is None or asked.code >= 400
        if asked.changes and not refused:
            self._judge_writer(asked)
        if asked.changes and asked.key not in MAY_WRITE:
            raise Violation(f"{asked.key} {asked.about} was asked for")
        if asked.key == "delete pods":
            self._judge_delete(asked)
        self._judge_pace(asked, refused=refused)

    def _judge_pace(self, asked: Asked, *, refused: bool) -> None:
        who = asked.process.name
        if asked.verb == "list" and asked.query.get("limit") != "1":  # one that only asks for the version is cheap
            self._limit(LISTS_PER_SECOND.get(asked.resource, 6), 1.0, "lists", who, asked.path)
        if asked.code == 409:
            self._limit(CONFLICTS_PER_SECOND, 1.0, "conflict", who)
            return
        if asked.changes and asked.resource != "events.events.k8s.io":
            self._limit(WRITES_AGAIN, 1.0, "again", who, asked.key, asked.about)
        if refused and asked.verb and (asked.key, asked.code) != KOPF_BEGINS_ANEW:
            self._limit(REFUSALS_PER_SECOND, 1.0, "refused", who)
            if asked.key in ("create pods", "delete pods", "patch pods"):
                self._limit(REFUSALS_OF_A_KIND, 10.0, "refused", who, asked.key, self._group_of(asked))

    def _judge_writer(self, asked: Asked) -> None:
        leases = [lease for lease in self._server.leases if lease["metadata"]["namespace"] == asked.namespace]
        holders = [lease["spec"].get("holderIdentity") or "" for lease in leases or self._server.leases]
        if not any(holder.startswith(f"{asked.process.name}/") for holder in holders):
            raise Violation(f"one writer: {asked.process.name} did {asked.key} {asked.about} while {holders} led")

    def _judge_delete(self, asked: Asked) -> None:
        uid = ((asked.body or {}).get("preconditions") or {}).get("uid")
        if not uid:
            raise Violation(f"nobody else's: a delete of {asked.about} names no UID")
        if asked.code == 200 and not self._is_ours(uid):
            raise Violation(f"nobody else's: {asked.about} ({uid}) was deleted, which is of no PodGroup")

    def _is_ours(self, uid: str) -> bool:
        last = next(each for each in reversed(self._server.store.history) if each.object["metadata"]["uid"] == uid)
        return controller(last.object) in self.groups

    def _group_of(self, asked: Asked) -> str:
        """Give what a pod's name begins with: the name of its group, for this oracle's purpose."""
        return f"{asked.namespace}/{asked.name.split('-')[0]}"

    def _limit(self, most: int, seconds: float, what: str, *whose: str) -> None:
        """Count something that may happen so often in so many seconds."""
        times = self._rates[what, *whose]
        times.append(now())
        while times[0] <= now() - seconds:
            times.popleft()
        if len(times) > most:
            raise Violation(f"pace: {what} {' '.join(whose)}: {len(times)} times within {seconds:g} s")


def lives(pod: Obj) -> bool:
    """Tell whether a pod is neither finished nor on its way out."""
    return not over(pod) and not pod["metadata"].get("deletionTimestamp")


def controller(pod: Obj) -> str:
    """Give the UID of the PodGroup, or of whom else, that controls a pod."""
    owners: list[dict[str, Any]] = pod["metadata"].get("ownerReferences") or []
    return next((owner["uid"] for owner in owners if owner.get("controller")), "")


def revision(pod: Obj) -> str:
    """Give the label that says of which template a pod is."""
    return str((pod["metadata"].get("labels") or {}).get("selfheal.dev/revision", ""))


def is_ready(pod: Obj) -> bool:
    """Tell whether a pod is Ready."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def name_of(obj: Obj) -> str:
    """Give namespace and name."""
    return f"{obj['metadata'].get('namespace', '')}/{obj['metadata']['name']}"
