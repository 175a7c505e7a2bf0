"""What Hypothesis draws: pods in every state, and what an operator may want and know of a group.

The values are few and close together, so that ties, gaps and collisions are common: that is where rules differ.
"""

from typing import Any

from hypothesis import strategies as st

from builders import GROUP_UID, LABELS, NOW, OTHER_UID, desired, pod
from podgroup_operator.core.model.desired import PodReplacement
from podgroup_operator.core.model.loss import Cause, Loss
from podgroup_operator.core.model.observed import Observed
from podgroup_operator.core.model.pod import Phase, Pod
from podgroup_operator.core.model.refusal import Lane, Refusal
from podgroup_operator.core.model.status import Healing, Status
from podgroup_operator.core.names import pod_name

MOST_PODS = 8
ELSE = {"app": "else"}

slots = st.integers(0, 6)
epochs = st.integers(0, 2)
seats = st.tuples(slots, epochs)

# Whose a pod is: our own that match are the rule, the others the exceptions.
STANDINGS: tuple[dict[str, Any], ...] = (
    *[{"controller": GROUP_UID, "labels": LABELS}] * 5,
    {"controller": GROUP_UID, "labels": ELSE},
    {"controller": "", "labels": LABELS},
    {"controller": "", "labels": ELSE},
    {"controller": OTHER_UID, "labels": LABELS},
)
# How it stands with a pod: the live ones are the rule.
STATES: tuple[dict[str, Any], ...] = (
    {},
    {},
    {"ready_since": NOW - 4},
    {"ready_since": NOW - 4},
    {"ready_since": None},
    {"ready_since": None},
    {"phase": Phase.PENDING, "node": "", "ready_since": None},
    {"phase": Phase.UNKNOWN, "ready_since": None},
    {"phase": Phase.FAILED},
    {"phase": Phase.FAILED, "finished": NOW - 2, "failures": 1},
    {"phase": Phase.SUCCEEDED},
    {"deleted": NOW - 3},
    {"deleted": NOW - 3, "phase": Phase.FAILED, "evicted": True},
)


@st.composite
def namespaces(draw: st.DrawFn) -> tuple[Pod, ...]:
    """Draw the pods of a namespace: each has a UID and a name of its own, and most sit where their name says."""
    pods = []
    for number, (slot, epoch) in enumerate(draw(st.lists(seats, unique=True, max_size=MOST_PODS))):
        standing, state = draw(st.sampled_from(STANDINGS)), draw(st.sampled_from(STATES))
        seat = draw(st.sampled_from([slot, slot, slot, 0, None]))
        name = pod_name("web", GROUP_UID, slot, epoch)
        uid = f"uid-{number * 7 % 10}"  # not in the order of the listing
        pods.append(pod(name, uid=uid, slot=seat, epoch=epoch, created=NOW - 5 * epoch, **standing, **state))
    return tuple(pods)


# Ages on the edges of the buckets of the order of victims (powers of two of a nanosecond), several in one bucket,
# below 0, and of a time that was never set.
ages = st.one_of(
    st.integers(0, 40).map(float),
    st.integers(18_000, 35_000).map(float),
    st.sampled_from([2**bits / 1e9 * part for bits in (34, 44, 51) for part in (0.99, 1.0)]),
    st.sampled_from([NOW, -1.0, -30.0]),
)
times = ages.map(lambda age: NOW - age)

# What the order of victims looks at.
RANKED: dict[str, st.SearchStrategy[Any]] = {
    "node": st.sampled_from(["", "n1", "n2"]),
    "phase": st.sampled_from([Phase.PENDING, Phase.UNKNOWN, Phase.RUNNING]),
    "ready_since": st.none() | times,
    "deletion_cost": st.sampled_from([-5, 0, 10]),
    "restarts": st.tuples(st.integers(0, 2), st.integers(0, 1)),
    "created": times,
}


@st.composite
def crowds(draw: st.DrawFn) -> tuple[Pod, ...]:
    """Draw active pods that differ in a few things that the order of victims looks at: the other rules are silent."""
    differences = draw(st.sets(st.sampled_from(sorted(RANKED)), min_size=1, max_size=3))
    each = st.fixed_dictionaries({name: RANKED[name] for name in sorted(differences)})
    drawn = draw(st.lists(each, min_size=2, max_size=MOST_PODS))
    uids = draw(st.permutations(range(len(drawn))))
    return tuple(pod(f"p{uid}", **({"node": "n1"} | fields)) for uid, fields in zip(uids, drawn, strict=True))


groups = st.builds(
    desired,
    st.integers(0, MOST_PODS),
    min_ready_seconds=st.sampled_from([0, 10]),
    pod_replacement=st.sampled_from(PodReplacement),
    failed_pods_history_limit=st.integers(0, 2),
)

losses: st.SearchStrategy[dict[int, Loss]] = st.dictionaries(
    slots | st.integers(-2, -1), st.tuples(st.sampled_from(Cause), st.booleans()), max_size=3
).map(
    lambda drawn: {
        slot: Loss(slot, f"lost-{slot}", cause, NOW - 1, early=early and cause is Cause.FAILED)
        for slot, (cause, early) in drawn.items()
    }
)

waits = st.sampled_from([-5.0, 0.0, 5.0, 30.0])
refusals = st.none() | st.builds(
    Refusal, st.just("refused"), waits, st.booleans(), st.sampled_from(["", "Correct it."])
)
held: st.SearchStrategy[dict[Lane, Refusal]] = st.dictionaries(
    st.sampled_from(Lane), st.builds(Refusal, st.just("refused"), waits, st.booleans()), max_size=2
)
stuck = st.frozensets(st.integers(0, 9).map("uid-{}".format), max_size=3)
corpses = st.none() | st.builds(
    lambda age, failures: pod(
        "remembered", phase=Phase.FAILED, created=NOW - age, finished=NOW - age, failures=failures, ready_since=None
    ),
    st.sampled_from([0, 2, 100, 890, 1000]),
    st.integers(0, 5),
)

statuses = st.builds(
    Status,
    replicas=st.integers(0, MOST_PODS),
    healing=st.builds(Healing, total=st.integers(0, 9), last_replacement=st.just("")),
)


def views(*, refused: bool = True) -> st.SearchStrategy[Observed]:
    """Draw what an operator knows of a group.

    Args:
        refused: whether anything may have been refused a moment ago.
    """
    refusing: dict[str, st.SearchStrategy[Any]] = {"held": held, "stuck": stuck, "template_refusal": refusals}
    return st.builds(
        Observed,
        pods=namespaces(),
        names=st.frozensets(seats, max_size=4).map(taken_names),
        losses=losses,
        epochs=st.dictionaries(slots, epochs, max_size=4),
        corpse=corpses,
        first_look=st.booleans(),
        status=statuses,
        **(refusing if refused else {}),
    )


def taken_names(taken: frozenset[tuple[int, int]]) -> frozenset[str]:
    """Name the pods of some seats."""
    return frozenset(pod_name("web", GROUP_UID, slot, epoch) for slot, epoch in taken)
