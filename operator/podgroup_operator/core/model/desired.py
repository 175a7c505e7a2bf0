"""What a PodGroup asks for."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from podgroup_operator.core.selector import Selector


class PodReplacement(Enum):
    """When a pod that is being deleted may be replaced: `spec.podReplacementPolicy` (KEP-3939, KEP-3973)."""

    TERMINATION_STARTED = "TerminationStarted"
    TERMINATION_COMPLETE = "TerminationComplete"


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
