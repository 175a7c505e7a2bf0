"""Back-off: pods that keep failing are replaced ever more slowly, and a few at a time, until one proves good.

A ReplicaSet replaces a pod that its node rejects at birth at once, and the next one too: 1,800 a minute
(kubernetes#72593). Here pods that fail early make a streak. All of it is read off the pods, so that a restart forgets
nothing: the last corpse says when and how, and its annotation how many failed in a row before it was made. Should
somebody take that corpse away (a cleaner of failed pods), it is remembered.

- The first failure is made good at once, the second after `healing.backoff.initialSeconds`, each next one after twice
  as long, `maxSeconds` at most. Where no container was ever started it is four times as long and 20 s at most; and if
  several were wanted and none stands, the first waits too, for its cause is hardly its own.
- What is tried meanwhile are as many pods as are Ready, at least one (slow start, as for refused creates). A pod that
  was made in the streak is on trial until it is Ready and has lived longer than the last one that failed; the first
  that proves good frees the others.
- A pod that somebody deleted, or whose end was planned (an eviction, a preemption, a node's shutdown), has not failed:
  it is replaced at once, streak or no streak.
- The end of the last corpse ends the streak; so does time. Each template has its own: where old pods are made beside
  new ones, each is tried as its own failures say.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from podgroup_operator.core.classify import is_finished
from podgroup_operator.core.manifest import whole_seconds
from podgroup_operator.core.model.actions import Create
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.loss import Streak
from podgroup_operator.core.model.pod import Phase, Pod
from podgroup_operator.core.times import birth_of, finish_of, life_until_finish

EARLY = 600.0
"""Seconds; a pod that fails after a longer life starts no streak (as the kubelet's own back-off, which then ends)."""

EARLY_SUCCESS = 10.0
"""Seconds; a pod that succeeds sooner has done nothing, and would come again in a hot loop."""

FORGIVEN = 600.0
"""Seconds without a failure, and the longest pause, after which a streak is over."""

LONGEST_AT_BIRTH = 20.0
"""Seconds; the longest pause where no container was ever started: three tries a minute, recovery within 30 s."""

MOST_FAILURES = 30
"""What is counted at most: two to this power is longer than any pause, and annotations can be forged."""

CALM = Streak()


def failed_early(pod: Pod) -> bool:
    """Tell whether a pod has come to its end so soon that the next one may well do the same."""
    if pod.deleted is not None or pod.evicted or not is_finished(pod) or pod.finished is None:
        return False
    return life_until_finish(pod) < (EARLY if pod.phase is Phase.FAILED else EARLY_SUCCESS)


def streaks_of(
    desired: Desired, finished: Iterable[Pod], corpse: Pod | None, now: float, *, stands: bool
) -> dict[str, Streak]:
    """Find of which templates pods have failed in a row, how many, and when the next of each may be tried.

    Args:
        desired: what is wanted.
        finished: the group's pods that have come to an end.
        corpse: the last one that failed early, should it not be among them any more.
        now: seconds since the epoch.
        stands: whether any pod of the group is Ready.
    """
    failed = {pod.uid: pod for pod in finished if failed_early(pod)}
    if corpse:
        failed.setdefault(corpse.uid, corpse)
    lasts = desired.backoff_max_seconds + FORGIVEN
    by_revision = defaultdict[str, list[Pod]](list)
    for pod in failed.values():
        if now < finish_of(pod) + lasts:
            by_revision[pod.revision].append(pod)
    hopeless = desired.replicas > 1 and not stands
    return {revision: streak_of(desired, pods, hopeless=hopeless) for revision, pods in by_revision.items()}


def streak_of(desired: Desired, failed: Sequence[Pod], *, hopeless: bool) -> Streak:
    """Find how many pods of one template have failed in a row.

    Args:
        desired: what is wanted.
        failed: those that are still there, at least one.
        hopeless: several were wanted and none stands.
    """
    last = max(failed, key=lambda pod: (finish_of(pod), pod.uid))
    failures = 1 + min(max(pod.failures for pod in failed), MOST_FAILURES)
    return Streak(
        failures=failures,
        last=last,
        until=finish_of(last) + pause(desired, last, failures, hopeless=hopeless) * jitter(last.uid),
        patience=pause(desired, last, failures + 1, hopeless=hopeless),
        over=min(finish_of(pod) for pod in failed) + desired.backoff_max_seconds + FORGIVEN,
    )


def pause(desired: Desired, last: Pod, failures: int, *, hopeless: bool = False) -> float:
    """Give the seconds to wait after so many failures in a row."""
    if last.started:
        steps, factor, longest = failures - 2, 2.0, float(desired.backoff_max_seconds)
    else:
        steps, factor = failures - 2 + 2 * hopeless, 4.0
        longest = min(desired.backoff_max_seconds, LONGEST_AT_BIRTH)
    return 0.0 if steps < 0 else min(desired.backoff_initial_seconds * factor**steps, longest)


def jitter(uid: str) -> float:
    """Draw a factor from 0.8 to 1: many groups that failed together do not come back together."""
    return 0.8 + 0.2 * int.from_bytes(hashlib.sha256(uid.encode()).digest()[:4], "big") / 2**32


def restrain(
    creates: Sequence[Create], found: Streak, active: Sequence[Pod], now: float, *, first_look: bool = False
) -> tuple[Create, ...]:
    """Hold back the creates that would only go on with the streak; what is made in a streak says so.

    Args:
        creates: what is missing.
        found: the streak.
        active: the pods that count.
        now: seconds since the epoch.
        first_look: what was lost before is not all known: one corpse may be all that is left of many.
    """
    if found.last is None:
        return tuple(creates)
    trials = {pod.uid for pod in on_trial(found, active, now)}
    good = [pod for pod in active if pod.ready_since is not None and pod.uid not in trials]
    retries = 0 if now < found.until else max(max(len(good), 1) - len(trials), 0)
    freed = any(pod.failures >= found.failures for pod in good if pod.revision == found.last.revision)
    allowed = []
    for create in creates:
        if repeats_failure(create, good, first_look=first_look) and not freed:
            if retries <= 0:
                continue
            retries -= 1
        allowed.append(replace(create, failures=found.failures))
    return tuple(allowed)


def repeats_failure(create: Create, good: Sequence[Pod], *, first_look: bool) -> bool:
    """Tell whether a new pod is likely to fail as the last ones did.

    It is if it replaces one that did. A pod that the group never had is not, as long as others are Ready; at the first
    look nobody knows whether it had it.
    """
    return create.heals.early if create.heals else first_look or not good


def on_trial(found: Streak, active: Iterable[Pod], now: float) -> list[Pod]:
    """Give the pods that were made in a streak and may still fail as the others did."""
    revision = found.last.revision if found.last else ""
    tried = [pod for pod in active if pod.failures and pod.revision == revision]
    return [pod for pod in tried if now < end_of_trial(found, pod)]


def end_of_trial(found: Streak, pod: Pod) -> float:
    """Give when a pod has proved good, or has been waited for long enough."""
    life = life_until_finish(found.last) if found.last else 0.0
    return birth_of(pod) + (found.patience if pod.ready_since is None else min(life, found.patience))


def in_words(found: Streak) -> str:
    """Tell how many pods have failed, what the node says of the last one, and when the next may be tried."""
    name, complaint = (found.last.name, found.last.complaint) if found.last else ("", "")
    return (
        f"{found.failures} pods have failed in a row; the last one is {name}"
        + (f": {complaint.rstrip('.')}" if complaint else "")
        + f". The next one is tried after {whole_seconds(found.until)}."
    )


def next_try(found: Streak, active: Iterable[Pod], now: float) -> float | None:
    """Find when the next create that is held back may be tried, if nothing else happens before."""
    if now < found.until:
        return found.until
    return min((end_of_trial(found, pod) for pod in on_trial(found, active, now)), default=None)
