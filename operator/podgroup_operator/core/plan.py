"""The plan for one group: what to adopt, release, create and delete, and when to look again.

Read `plan` from top to bottom: it is the order in which things are decided, and each line's rules are in the
file that it names. Nothing is done here; `apply.py` acts, and decides nothing.
"""

from collections.abc import Sequence
from dataclasses import replace

from podgroup_operator.core.backoff import next_try, restrain, streak
from podgroup_operator.core.claim import claim
from podgroup_operator.core.classify import is_active, leaving, next_available
from podgroup_operator.core.history import litter
from podgroup_operator.core.model import Cause, Create, Delete, Desired, Observed, Plan, Pod, Refusal, Release, Streak
from podgroup_operator.core.slots import adopt_all, fill
from podgroup_operator.core.victims import victims

# The most that one plan creates or deletes, as ReplicaSet's BurstReplicas: then the world is looked at again.
BURST = 500


def plan(desired: Desired, observed: Observed, now: float) -> Plan:
    """Decide what a group needs.

    Args:
        desired: what the PodGroup asks for.
        observed: what is there.
        now: seconds since the epoch.
    """
    if desired.deleting:
        return Plan()  # owner references do the rest; what we made now would only be collected again
    claims = claim(desired, observed.pods)
    kept = [pod for pod in claims.kept if is_active(pod)]
    adopts = adopt_all(claims.adoptable, kept)
    active = kept + [replace(adopt.pod, slot=adopt.slot) for adopt in adopts]
    found = streak(desired, claims.kept, now)
    wanted = growth(desired, observed, active, found, now)
    creates = restrain(wanted, found, active, now)[:BURST]
    return Plan(
        missing=desired.replicas - len(active),
        held=len(wanted) - len(creates),
        streak=found,
        adopts=adopts,
        releases=tuple(Release(pod) for pod in claims.released),
        creates=creates,
        # An adoption may be refused, and what is not ours is not ours to delete: first adopt, then look again.
        deletes=(() if adopts else surplus(desired, active, now)) + litter(desired, claims.kept, found),
        look_again=next_look(
            next_available(active, desired.min_ready_seconds, now),
            retry_at(observed),
            next_try(found, active, now) if len(creates) < len(wanted) else None,
            found.over,
            now=now,
        ),
    )


def growth(
    desired: Desired, observed: Observed, active: Sequence[Pod], found: Streak, now: float
) -> tuple[Create, ...]:
    """Create what is missing, unless the API server has refused and it is not yet time to ask again."""
    missing = desired.replicas - len(active) - leaving(desired, observed.pods)
    if missing <= 0 or retry_at(observed) > now:
        return ()
    # In a streak some of them are held back, and others must not have to wait behind those.
    return fill(desired, observed, active, missing if found.failures else min(missing, BURST), now)


def surplus(desired: Desired, active: Sequence[Pod], now: float) -> tuple[Delete, ...]:
    """Delete what is too much, the cheapest to lose first."""
    number = min(len(active) - desired.replicas, BURST)
    return tuple(Delete(pod) for pod in victims(active, number, now)) if number > 0 else ()


def next_look(*times: float | None, now: float) -> float | None:
    """Find when time alone will change something: the first of the times that are yet to come."""
    return min((time for time in times if time is not None and time > now), default=None)


def retry_at(observed: Observed) -> float:
    """Tell when creates may be tried; 0 is at once."""
    refusals = [refusal for refusal in (observed.template_refusal, observed.create_refusal) if refusal]
    return max((refusal.retry_at for refusal in refusals if not has_room(observed, refusal)), default=0.0)


def has_room(observed: Observed, refusal: Refusal) -> bool:
    """Tell whether a pod was deleted since something was forbidden: a quota that had no room may have some now."""
    deleted = (loss.at for loss in observed.losses.values() if loss.cause is Cause.DELETED)
    return refusal.forbidden and any(at > refusal.at for at in deleted)
