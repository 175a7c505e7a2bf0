"""A pod: the little that decisions need of it, about half a kilobyte where the API's object takes thirty.

The operator keeps these, never bodies.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from podgroup_operator.core.model.changing import Changing
from podgroup_operator.core.model.signs import Signs


class Phase(Enum):
    """A pod's phase, as the API spells it."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class Pod:
    """What decisions need to know of one pod."""

    namespace: str
    name: str
    uid: str
    version: int  # resourceVersion
    labels: Mapping[str, str]
    created: (
        float  # by the API server's clock, as is `deleted`; `finished` is by a node's, and what is `seen` by our own
    )
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
    created_seen: float | None = None  # when it was seen to come into being, if anybody was watching then
    deleted_seen: float | None = None  # likewise, to be asked to go
    finished_seen: float | None = None  # likewise, to come to its end
    scheduled: float | None = None  # when it was bound to its node; whole seconds, by the API
    scheduled_seen: float | None = None  # when that was seen, if anybody was watching then
    started: bool = False  # whether a container of it ever ran
    complaint: str = ""  # why it failed, in the words of its node
    asked: bool = False  # somebody asks for its replacement
    kept: bool = False  # nobody may take it away while it lives
    signs: Signs | None = None  # what is seen of one that may be sick; None while there is nothing
    cause: str = ""  # of the loss that it replaces
    heal: int = 0  # the number of the heal by which it was made
    attempt: int = 0  # how many before it were replaced in a row, for they lived and ailed from birth on
    avoids: tuple[tuple[str, float], ...] = ()  # nodes, each until when
    changing: Changing | None = None  # on its way to another revision in place; `revision` is BETWEEN then
