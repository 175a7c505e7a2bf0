"""The plan for one group: what to adopt, release, create and delete, and when to look again.

Read `plan` from top to bottom: it is the order in which things are decided, and each line's rules are in the
file that it names. Nothing is done here; `apply.py` acts, and decides nothing.
"""

from collections.abc import Sequence
from dataclasses import replace

from podgroup_operator.core.claim import claim
from podgroup_operator.core.classify import is_active, leaving, next_available
from podgroup_operator.core.history import litter
from podgroup_operator.core.model import Create, Delete, Desired, Observed, Plan, Pod, Release
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
    return Plan(
        missing=desired.replicas - len(active),
        adopts=adopts,
        releases=tuple(Release(pod) for pod in claims.released),
        creates=growth(desired, observed, active, now),
        # An adoption may be refused, and what is not ours is not ours to delete: first adopt, then look again.
        deletes=(() if adopts else surplus(desired, active, now)) + litter(desired, claims.kept),
        look_again=next_look(desired, observed, active, now),
    )


def growth(desired: Desired, observed: Observed, active: Sequence[Pod], now: float) -> tuple[Create, ...]:
    """Create what is missing, unless the API server has refused and it is not yet time to ask again."""
    missing = min(desired.replicas - len(active) - leaving(desired, observed.pods), BURST)
    if missing <= 0 or retry_at(observed) > now:
        return ()
    return fill(desired, observed, active, missing, now)


def surplus(desired: Desired, active: Sequence[Pod], now: float) -> tuple[Delete, ...]:
    """Delete what is too much, the cheapest to lose first."""
    number = min(len(active) - desired.replicas, BURST)
    return tuple(Delete(pod) for pod in victims(active, number, now)) if number > 0 else ()


def next_look(desired: Desired, observed: Observed, active: Sequence[Pod], now: float) -> float | None:
    """Find when time alone will change something: a pod becomes available, or a refused create may be retried."""
    times = [next_available(active, desired.min_ready_seconds, now)]
    if retry_at(observed) > now:
        times.append(retry_at(observed))
    return min((time for time in times if time is not None), default=None)


def retry_at(observed: Observed) -> float:
    """Tell when creates may be tried; 0 is at once."""
    refusals = (observed.template_refusal, observed.create_refusal)
    return max((refusal.retry_at for refusal in refusals if refusal), default=0.0)
