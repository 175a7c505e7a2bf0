"""The records that flow through the core: what is wanted, what is seen, what shall be done.

All are frozen, all are small. A `Pod` is the little that decisions need of a pod (about half a kilobyte
where the API's object takes thirty): the operator keeps these, never bodies. Times are seconds since the
epoch as floats; resource versions are integers, comparable by KEP-5504.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from enum import Enum

from podgroup_operator.core.selector import Selector


class Phase(Enum):
    """A pod's phase, as the API spells it."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    UNKNOWN = "Unknown"


class PodReplacement(Enum):
    """When a pod that is being deleted may be replaced: `spec.podReplacementPolicy` (KEP-3939, KEP-3973)."""

    TERMINATION_STARTED = "TerminationStarted"
    TERMINATION_COMPLETE = "TerminationComplete"


class Cause(Enum):
    """Why a pod was lost to its group."""

    DELETED = "Deleted"
    FAILED = "Failed"
    SUCCEEDED = "Succeeded"
    EVICTED = "Evicted"


@dataclass(frozen=True, slots=True)
class Pod:
    """What decisions need to know of one pod."""

    namespace: str
    name: str
    uid: str
    version: int  # resourceVersion
    labels: Mapping[str, str]
    created: float
    controller: str = ""  # UID of the owner with controller=true; "" makes it an orphan
    phase: Phase = Phase.PENDING
    node: str = ""  # "" is not yet scheduled
    deleted: float | None = None  # when the deletion was asked for; None while nobody did
    ready_since: float | None = None  # None while not Ready; whole seconds, by the API
    ready_seen: float | None = None  # when it was seen to become Ready, if anybody was watching then
    restarts: tuple[int, int] = (0, 0)  # the most of any container, the most of any sidecar
    deletion_cost: int = 0
    evicted: bool = False  # its end was planned: an eviction, a preemption, its node's shutdown
    slot: int | None = None
    epoch: int = 0
    revision: str = ""
    replaces: str = ""  # name of the pod that this one replaces
    lost_at: float | None = None  # when that pod was lost
    failures: int = 0  # how many pods had failed in a row when this one was made
    finished: float | None = None  # when it came to its end; None while it has not
    started: bool = False  # whether a container of it ever ran
    complaint: str = ""  # why it failed, in the words of its node


@dataclass(frozen=True, slots=True)
class Loss:
    """A pod that the group had and has no more, though nobody asked the group to shrink.

    Attributes:
        slot: where it sat; a negative number if it had no seat.
        pod: its name; "" if it went while nobody was watching.
        cause: why it was lost.
        at: when, in seconds since the epoch.
        early: it finished so soon that its replacement may well do the same.
    """

    slot: int
    pod: str
    cause: Cause
    at: float
    early: bool = False


@dataclass(frozen=True, slots=True)
class Desired:
    """What a PodGroup asks for."""

    namespace: str
    name: str
    uid: str
    generation: int
    replicas: int
    selector: Selector
    template_labels: Mapping[str, str]
    revision: str  # hash of the template
    min_ready_seconds: int = 0
    pod_replacement: PodReplacement = PodReplacement.TERMINATION_STARTED
    failed_pods_history_limit: int = 1
    backoff_initial_seconds: int = 1
    backoff_max_seconds: int = 300
    deleting: bool = False
    unreadable: str = ""  # which fields cannot be read; nothing may be decided for such a group


class Lane(Enum):
    """A kind of write. What one is refused holds no other back, and success in one ends no other's pause."""

    CREATE = "create"
    REMOVE = "remove"
    CLAIM = "claim"
    TELL = "tell"  # the status


@dataclass(frozen=True, slots=True)
class Refusal:
    """The API server's own words on what it did not accept.

    Attributes:
        message: the words.
        wait: seconds until it is worth asking again; 0 or less is now.
        forbidden: by a permission, a quota or a policy: only a person can change that.
        advice: what a person can do, where waiting will not help; "" where it may.
    """

    message: str
    wait: float = 0.0
    forbidden: bool = False
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """A metav1.Condition."""

    type: str
    status: str
    reason: str
    message: str
    observed_generation: int
    since: float  # lastTransitionTime


@dataclass(frozen=True, slots=True)
class Healing:
    """The record of replacements, `status.healing`."""

    total: int = 0
    last_time: float | None = None
    last_cause: str = ""
    last_pod: str = ""
    last_replacement: str = ""
    last_recovery_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """A PodGroup's status, with the conditions that are ours to write; those of others stay in the object."""

    observed_generation: int = 0
    replicas: int = 0
    ready: int = 0
    available: int = 0
    updated: int = 0
    unavailable: int = 0
    fully_labeled: int = 0
    terminating: int = 0
    failed: int = 0
    selector: str = ""
    healing: Healing = Healing()
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Observed:
    """What the operator sees of one group at one moment.

    Attributes:
        pods: those that the group controls, and orphans that it may adopt.
        names: pod names that are known to be taken.
        losses: the pods lost and not yet replaced, by slot.
        epochs: the highest seen, by slot.
        corpse: the pod that failed early last, should somebody have taken it away since.
        stuck: UIDs of pods that could not be adopted, released or removed, until that is worth another try.
        changed: those of them that had only changed since they were seen, and will soon be claimed.
        first_look: what was lost before the operator looked for the first time has not all been replaced yet.
        template_refusal: what the API server has against the template.
        held: what was refused and has to wait, by lane.
        status: the last one.
    """

    pods: tuple[Pod, ...] = ()
    names: Container[str] = frozenset()
    losses: Mapping[int, Loss] = field(default_factory=dict)
    epochs: Mapping[int, int] = field(default_factory=dict)
    corpse: Pod | None = None
    stuck: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()
    first_look: bool = False
    template_refusal: Refusal | None = None
    held: Mapping[Lane, Refusal] = field(default_factory=dict)
    status: Status = Status()

    def waits(self, lane: Lane) -> bool:
        """Tell whether a kind of write has to wait after a refusal."""
        refusal = self.held.get(lane)
        return refusal is not None and refusal.wait > 0


@dataclass(frozen=True, slots=True)
class Adopt:
    """Make an orphan ours; `slot` is the seat it takes."""

    pod: Pod
    slot: int


@dataclass(frozen=True, slots=True)
class Release:
    """Let go of a pod whose labels no longer match."""

    pod: Pod


@dataclass(frozen=True, slots=True)
class Create:
    """Fill a slot.

    Attributes:
        name: of the new pod.
        slot: where it sits.
        epoch: how often the slot has been filled before.
        revision: of the template that it is made from.
        loss: which pod it replaces, if any.
        failures: how many pods have failed in a row.
    """

    name: str
    slot: int
    epoch: int
    revision: str
    loss: Loss | None = None
    failures: int = 0


class Why(Enum):
    """Why a pod is removed."""

    SURPLUS = "there is one too many"
    HISTORY = "it has finished, and enough others are kept for a look"


class How(Enum):
    """In which way a pod is removed."""

    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Remove:
    """Take a pod away."""

    pod: Pod
    why: Why
    how: How = How.DELETE


@dataclass(frozen=True, slots=True)
class Streak:
    """Pods of one template that have failed early in a row.

    Attributes:
        failures: how many; 0 is no streak.
        last: the one that failed last.
        until: until when what failed is not tried again.
        patience: for how many seconds a new pod that is not Ready may still fail as the others did.
        over: when the first of these failures is forgiven, should nothing fail until then.
    """

    failures: int = 0
    last: Pod | None = None
    until: float = 0.0
    patience: float = 0.0
    over: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything to do for a group now, and when to look again.

    Attributes:
        missing: `replicas` minus the active pods; negative when there are too many.
        held: how many creates are held back, for pods keep failing or are deleted as soon as they are made.
        why_held: that, in words; "" if none are held.
        look_again: when the passing of time alone can change the plan or the status, in seconds since the epoch.
    """

    missing: int = 0
    held: int = 0
    why_held: str = ""
    adopts: tuple[Adopt, ...] = ()
    releases: tuple[Release, ...] = ()
    creates: tuple[Create, ...] = ()
    removes: tuple[Remove, ...] = ()
    look_again: float | None = None

    @property
    def empty(self) -> bool:
        """Tell whether nothing is to be done."""
        return not (self.adopts or self.releases or self.creates or self.removes)


@dataclass(frozen=True, slots=True)
class Failure:
    """An action that the API server refused, in its own words.

    Attributes:
        reason: the Event's and the condition's: FailedCreate, FailedDelete.
        message: the words, for the group's own status.
        note: what may be said elsewhere, where no value of the template must appear; "" is the message.
        forbidden: whether a permission, a quota or a policy is the cause, which only a person can change.
    """

    reason: str
    message: str
    note: str = ""
    forbidden: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a plan.

    Attributes:
        created: what was created now.
        removed: what was removed now.
        failures: what could not be done.
        unheard: what was created without an answer, now or earlier, and has shown itself since.
    """

    created: tuple[Create, ...] = ()
    removed: tuple[Remove, ...] = ()
    failures: tuple[Failure, ...] = ()
    unheard: tuple[Create, ...] = ()
