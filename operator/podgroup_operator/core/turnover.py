"""The turnover: which pods of a group are to be replaced though they live, and what takes their places.

Pods of another revision are, while a rollout is under way, and those whose owner has asked for it (the annotation
`selfheal.dev/delete`). Both obey the strategy's bounds together. How many pods stay as they are is counted first:
`partition` says so, and nobody takes away what bears `selfheal.dev/keep`. A pod that has the new template already is
not taken back when `partition` is raised.

Those that are not available go first, for that costs nobody anything; then those that were asked for, those that a
drain would take (`maintenance.py`), those whose seat a new pod has taken, and the rest in ReplicaSet's order
(`victims.py`). A pod that is Ready, though not yet for `minReadySeconds`, answers already: it goes only where enough
others are Ready. A new one that is Ready, but not for so long, stands in for no old one: it is what `minReadySeconds`
has yet to try, whatever the old ones have been through.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from podgroup_operator.core.classify import Bucket, classify, is_finished
from podgroup_operator.core.in_place import ease_of, is_due, is_out, paced
from podgroup_operator.core.model.changing import Ease
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.model.strategy import StrategyType
from podgroup_operator.core.times import birth_of
from podgroup_operator.core.victims import rank
from podgroup_operator.core.view import View


@dataclass(frozen=True, slots=True)
class Turnover:
    """What is to be replaced, and by what.

    Attributes:
        rolled: the UIDs of all that are not to stay as they are.
        going: the pods that go, in this order.
        leaving: those of them that may go now.
        changing: the pods that are patched now, instead of going.
        surge: how many pods there may be beyond `replicas` for their sake.
        new: how many pods of the update revision are yet to be made.
        old: how many pods are yet to be made as they were.
        blocked: nothing may be made as long as pods of another revision are there (Recreate).
    """

    going: tuple[Pod, ...]
    leaving: tuple[Pod, ...]
    surge: int
    new: int
    old: int
    blocked: bool = False
    changing: tuple[Pod, ...] = ()
    rolled: frozenset[str] = frozenset()


def turnover_of(view: View, active: Sequence[Pod], spares: int = 0) -> Turnover:
    """Find what is to be replaced.

    Args:
        view: the group.
        active: the pods that count, those that are taken in in this very plan among them.
        spares: how many are there besides, for the sake of maintenance: both have one `maxSurge`.
    """
    desired = view.desired
    outdated = [pod for pod in active if pod.revision != desired.revision]
    rolls = is_rolling(desired, outdated)
    stay = staying(desired, outdated, len(active) - len(outdated), rolls=rolls)
    asked = [pod for pod in active if is_asked(pod)]
    # There may be ten thousand, and nearly always nothing is to be replaced: then nobody asks how each of them stands.
    buckets = buckets_of(view, active) if outdated or asked else {}
    rolled = chosen(view, active, outdated, asked, len(outdated) - stay if rolls else 0, buckets)
    eases = {pod.uid: ease for pod in rolled if (ease := ease_of(view, pod)) is not Ease.NEVER}
    going = tuple(pod for pod in rolled if pod.uid not in eases)
    old = len({pod.uid for pod in outdated} - {pod.uid for pod in rolled})
    recreate = rolls and desired.strategy.type is StrategyType.RECREATE
    since = trial_since(view) if rolled else math.inf
    able = [pod for pod in rolled if pod.uid not in view.observed.stuck and not is_coming_up(pod, since)]
    costly = [pod for pod in able if eases.get(pod.uid, Ease.NEVER) > Ease.GENTLE and is_due(view, pod)]
    now = costly if recreate and outdated else list(affordable(view, costly, buckets, on_trial(view, rolled, buckets)))
    gentle = [pod for pod in able if eases.get(pod.uid) is Ease.GENTLE and is_due(view, pod)]
    return Turnover(
        going=going,
        leaving=tuple(pod for pod in now if pod.uid not in eases),
        changing=(*(pod for pod in now if pod.uid in eases), *paced(view, active, gentle)),
        rolled=frozenset(pod.uid for pod in rolled),
        surge=surge(desired, going, outdated, active, spares),
        new=max(desired.replicas - stay - (len(active) - len(going) - old), 0),
        old=max(stay - old, 0),
        blocked=recreate and (bool(outdated) or any(is_old_and_leaving(pod, desired) for pod in view.terminating)),
    )


def is_rolling(desired: Desired, outdated: Sequence[Pod]) -> bool:
    """Tell whether pods of another revision are replaced; Recreate takes none as long as one of them must be kept."""
    if desired.paused or desired.held or desired.strategy.type is StrategyType.ON_DELETE:
        return False
    return desired.strategy.type is StrategyType.ROLLING_UPDATE or not any(pod.kept for pod in outdated)


def staying(desired: Desired, outdated: Sequence[Pod], updated: int, *, rolls: bool) -> int:
    """Count the pods that shall be as they were when all is done: what is missing of them is made as it was."""
    rest = max(desired.replicas - updated, 0)
    if rolls:
        return max(sum(pod.kept for pod in outdated), min(desired.strategy.staying(desired.replicas), rest))
    if desired.held or (desired.strategy.type is StrategyType.ON_DELETE and not desired.paused):
        return sum(not is_asked(pod) for pod in outdated)
    return rest


def chosen(
    view: View,
    active: Sequence[Pod],
    outdated: Sequence[Pod],
    asked: Sequence[Pod],
    number: int,
    buckets: Mapping[str, Bucket],
) -> tuple[Pod, ...]:
    """Choose what goes: all that were asked for and, they among them, so many of another revision; in their order."""
    if number <= 0 and not asked:
        return ()
    number -= sum(pod.revision != view.desired.revision for pod in asked)
    seats, crowd = Counter(pod.slot for pod in active), Counter(pod.node for pod in active if pod.node)

    drained = view.observed.maintained if view.desired.healing.surge_on_drain else ()

    def order(pod: Pod) -> tuple[object, ...]:
        doubled = pod.slot is not None and (seats[pod.slot] > 1 or pod.slot >= view.desired.replicas)
        first = buckets[pod.uid], not is_asked(pod), pod.node not in drained, not doubled
        return *first, rank(pod, crowd), pod.created, pod.uid

    others = sorted((pod for pod in outdated if not (pod.kept or is_asked(pod))), key=order)
    return tuple(sorted([*asked, *others[: max(number, 0)]], key=order))


def on_trial(view: View, rolled: Iterable[Pod], buckets: Mapping[str, Bucket]) -> int:
    """Count the new pods that are Ready, not yet available, and so no reason for an old one to go."""
    revision = view.desired.revision
    if all(pod.revision == revision for pod in rolled):
        return 0
    return sum(pod.revision == revision and buckets.get(pod.uid) is Bucket.READY for pod in view.active)


def affordable(view: View, going: Iterable[Pod], buckets: Mapping[str, Bucket], on_trial: int = 0) -> Iterator[Pod]:
    """Give those that may go now: all that are not Ready, and as many others as leave enough that are available.

    Args:
        view: the group.
        going: those that are to go, in this order.
        buckets: where each pod that counts stands, by UID.
        on_trial: how many of the Ready ones stand in for none that goes.
    """
    desired, counts = view.desired, Counter(buckets.values())
    least = desired.least_available
    available = counts[Bucket.AVAILABLE] - least
    ready = len(buckets) - counts[Bucket.STARTING] - on_trial - least
    for pod in going:
        bucket = buckets[pod.uid]
        if bucket is Bucket.STARTING:
            yield pod
        elif (available if bucket is Bucket.AVAILABLE else ready) > 0:
            available, ready = available - (bucket is Bucket.AVAILABLE), ready - 1
            yield pod


def surge(
    desired: Desired, going: Sequence[Pod], outdated: Sequence[Pod], active: Sequence[Pod], spares: int = 0
) -> int:
    """Count the pods that there may be beyond `replicas` and spares; who pauses a rollout in its middle keeps them."""
    halfway = min(len(outdated), len(active) - len(outdated)) if desired.paused else 0
    most = max(desired.strategy.surge(desired.replicas) - spares, 0)
    return min(most, max(len(going), halfway))


def is_coming_up(pod: Pod, since: float) -> bool:
    """Tell whether a pod that came again as it was is to be left to come up, though it is not available yet.

    Args:
        pod: one that is to go.
        since: from when on pods that came are left (`trial_since`).
    """
    return pod.ready_since is None and max(birth_of(pod), pod.lost_at or 0.0) >= since and not is_asked(pod)


def trial_since(view: View) -> float:
    """Give since when something new is being tried that has yet to prove good; infinity if nothing is.

    While it is, and too few are available, what comes again as it was is left to come up: else it would be made for
    nothing. Where nothing new is tried yet, a pod that never comes up must not be in its way. Until the status tells of
    the rollout, its first pod does.
    """
    desired, rollout, tally = view.desired, view.observed.status.rollout, view.tally
    short = tally.available < desired.least_available
    if not (short and tally.updated) or is_proved(view):
        return math.inf
    if rollout.revision == desired.revision:
        return rollout.start
    births = (birth_of(pod) for pod in view.active if pod.revision == desired.revision)
    return min(births, default=math.inf)


def is_proved(view: View) -> bool:
    """Tell whether any pod of the new revision has been available in this rollout."""
    rollout = view.observed.status.rollout
    told = rollout.revision == view.desired.revision and rollout.first_available is not None
    return told or view.tally.updated_available > 0


def is_asked(pod: Pod) -> bool:
    """Tell whether somebody has asked for a pod's replacement, and nobody for its being kept."""
    return pod.asked and not pod.kept


def buckets_of(view: View, active: Iterable[Pod]) -> dict[str, Bucket]:
    """Give where each of the active pods stands in its life, by UID."""
    return {pod.uid: bucket_of(view, pod) for pod in active}


def bucket_of(view: View, pod: Pod) -> Bucket:
    """Give where an active pod stands in its life; one whose containers are about to restart is not available."""
    return Bucket.STARTING if is_out(pod) else classify(pod, view.desired.min_ready_seconds, view.now)


def is_old_and_leaving(pod: Pod, desired: Desired) -> bool:
    """Tell whether a pod of another revision has yet to come to its end."""
    return pod.revision != desired.revision and not is_finished(pod)
