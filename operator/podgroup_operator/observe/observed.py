"""What the core is shown of a group: put together from the caches and from what is remembered, at one moment."""

from dataclasses import replace

from podgroup_operator.core.classify import is_active
from podgroup_operator.core.model.observed import Observed
from podgroup_operator.core.model.refusal import Lane
from podgroup_operator.core.target import is_new
from podgroup_operator.observe.groups import Group
from podgroup_operator.observe.memory import Memory
from podgroup_operator.observe.nodes import NodeStore
from podgroup_operator.observe.pods import PodStore


def observe(group: Group, memory: Memory, pods: PodStore, nodes: NodeStore, monotonic: float, now: float) -> Observed:
    """Put together what is known of a group.

    Args:
        group: as it is known.
        memory: what is remembered of it.
        pods: the cache of pods.
        nodes: the cache of nodes.
        monotonic: the time by which pauses are measured, in seconds.
        now: seconds since the epoch.
    """
    desired, seen, written, status = group.desired, memory.seen, memory.written, group.told
    if status.replicas >= memory.most_told[0]:
        memory.most_told = (status.replicas, status.updated)
    replicas, updated = memory.most_told
    if memory.began is None:  # nobody took a group over that is new
        memory.began = 0.0 if is_new(status) else now
    memory.began = min(memory.began, now)
    orphans = (pod for pod in pods.adoptable(desired.namespace, desired.selector) if is_active(pod))
    # That a pod which has gone has made room is a fact of creates alone.
    departed = {Lane.CREATE: seen.departed, Lane.SURGE: seen.departed}
    lanes = ((lane, each.held(monotonic, departed.get(lane, 0))) for lane, each in written.lanes.items())
    evictions = written.lanes[Lane.EVICT]
    stuck = (each.stuck_at(monotonic) for each in written.lanes.values() if each.stuck and each is not evictions)
    return Observed(
        pods=(*seen.pods.values(), *orphans),
        names=pods.taken(desired.namespace, written.strangers),
        losses=dict(seen.losses),
        epochs=seen.epochs,
        corpse=seen.corpse,
        stuck=frozenset[str]().union(*stuck),
        changed=written.lanes[Lane.CLAIM].changed_at(monotonic),
        protected=evictions.stuck_at(monotonic),
        tries={uid: each.tries for uid, each in evictions.stuck.items()},
        first_look=memory.first_look,
        template_refusal=written.verdict.held(monotonic),
        stray=written.stray.verdict.held(monotonic),
        held={lane: refusal for lane, refusal in lanes if refusal},
        templates=group.revisions.keys() | {desired.revision},
        eases=written.comparison.eases(),
        began=memory.began,
        nodes=nodes.known,
        lost_nodes=nodes.lost,
        maintained=nodes.maintained,
        storm=nodes.storm,
        status=replace(status, replicas=replicas, updated=updated, healing=memory.healing(status.healing)),
    )
