"""Back-off: pods that keep failing are replaced ever more slowly, and a few at a time, until one proves good.

A ReplicaSet replaces a pod that its node rejects at birth at once, and the next one too: 1,800 a minute
(kubernetes#72593). Here pods that fail early make a streak. All of it is read off the pods, so that a restart forgets
nothing: the last corpse says when and how, and its annotation how many failed in a row before it was made.

- The first failure is made good at once, the second after `healing.backoff.initialSeconds`, each next one after twice
  as long, `maxSeconds` at most; less for a pod that never started, which costs nothing to try again.
- What is tried meanwhile are as many pods as are Ready, at least one (slow start, as for refused creates). A pod that
  was made in the streak is on trial until it is Ready and has lived longer than the last one that failed.
- A pod that somebody deleted or evicted has not failed: it is replaced at once, streak or no streak.
- Another template, or the end of the last corpse, ends the streak; so does time.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace

from podgroup_operator.core.classify import FINISHED
from podgroup_operator.core.model import Create, Desired, Phase, Pod, Streak

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
    if pod.deleted is not None or pod.phase not in FINISHED or pod.finished is None:
        return False
    return pod.finished - pod.created < (EARLY if pod.phase is Phase.FAILED else EARLY_SUCCESS)


def streak(desired: Desired, kept: Iterable[Pod], now: float) -> Streak:
    """Find how many pods of this template have failed in a row, and when the next may be tried."""
    lasts = desired.backoff_max_seconds + FORGIVEN
    failed = [
        pod for pod in kept if pod.revision == desired.revision and failed_early(pod) and now < finish_of(pod) + lasts
    ]
    if not failed:
        return CALM
    last = max(failed, key=lambda pod: (finish_of(pod), pod.uid))
    failures = 1 + min(max(pod.failures for pod in failed), MOST_FAILURES)
    return Streak(
        failures=failures,
        last=last,
        until=finish_of(last) + pause(desired, last, failures) * jitter(last.uid),
        patience=pause(desired, last, failures + 1),
        over=finish_of(last) + lasts,
    )


def finish_of(pod: Pod) -> float:
    """Give when a finished pod came to its end."""
    return pod.created if pod.finished is None else pod.finished


def pause(desired: Desired, last: Pod, failures: int) -> float:
    """Give the seconds to wait after so many failures in a row; after the first one none."""
    if failures <= 1:
        return 0.0
    longest = desired.backoff_max_seconds if last.started else min(desired.backoff_max_seconds, LONGEST_AT_BIRTH)
    return float(min(desired.backoff_initial_seconds * 2 ** (failures - 2), longest))


def jitter(uid: str) -> float:
    """Draw a factor from 0.8 to 1: many groups that failed together do not come back together."""
    return 0.8 + 0.2 * int.from_bytes(hashlib.sha256(uid.encode()).digest()[:4], "big") / 2**32


def restrain(creates: Sequence[Create], found: Streak, active: Sequence[Pod], now: float) -> tuple[Create, ...]:
    """Hold back the creates that would only go on with the streak; what is made in a streak says so."""
    if not found.failures:
        return tuple(creates)
    trials = on_trial(found, active, now)
    ready = sum(pod.ready_since is not None and pod not in trials for pod in active)
    retries = 0 if now < found.until else max(max(ready, 1) - len(trials), 0)
    allowed = []
    for create in creates:
        if repeats_failure(create, ready):
            if retries <= 0:
                continue
            retries -= 1
        allowed.append(replace(create, failures=found.failures))
    return tuple(allowed)


def repeats_failure(create: Create, ready: int) -> bool:
    """Tell whether a new pod is likely to fail as the last ones did.

    It is if it replaces one that did. A pod that the group never had is not, as long as others are Ready.
    """
    return create.loss.early if create.loss else not ready


def on_trial(found: Streak, active: Iterable[Pod], now: float) -> list[Pod]:
    """Give the pods that were made in a streak and may still fail as the others did."""
    return [pod for pod in active if pod.failures and now < end_of_trial(found, pod)]


def end_of_trial(found: Streak, pod: Pod) -> float:
    """Give when a pod has proved good, or has been waited for long enough."""
    life = finish_of(found.last) - found.last.created if found.last else 0.0
    return pod.created + (found.patience if pod.ready_since is None else min(life, found.patience))


def next_try(found: Streak, active: Iterable[Pod], now: float) -> float | None:
    """Find when the next create that is held back may be tried, if nothing else happens before."""
    if now < found.until:
        return found.until
    return min((end_of_trial(found, pod) for pod in on_trial(found, active, now)), default=None)
