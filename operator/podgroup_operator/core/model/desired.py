"""What a PodGroup asks for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from podgroup_operator.core.model.healing import DEFAULT as DEFAULT_WISHES
from podgroup_operator.core.model.healing import Wishes
from podgroup_operator.core.model.strategy import DEFAULT, Strategy
from podgroup_operator.core.selector import Selector


class PodReplacement(Enum):
    """When a pod that is being deleted may be replaced: `spec.podReplacementPolicy` (KEP-3939, KEP-3973)."""

    TERMINATION_STARTED = "TerminationStarted"
    TERMINATION_COMPLETE = "TerminationComplete"


@dataclass(frozen=True, slots=True)
class Desired:
    """What a PodGroup asks for.

    Attributes:
        revision: of the template that pods shall have been made from.
        meaning: of spec.template as it is written; a whole hash of it.
        update_revision: of spec.template; another one after a rollback.
        template_generation: of which generation of the group that was found.
        former: the revision before, of which pods are made where a rollout may not go on; "" if there is none.
        held: pods of another revision stay as they are, for they were there before revisions were kept.
        spread: new pods get the constraints by which the scheduler spreads those of a Deployment.
        pod_annotations: what each new pod gets besides the template's annotations, which win.
        progress_deadline_seconds: how long a rollout may stand still; None is for ever.
        tolerated_seconds: for how long its template says that pods stay on a lost node; None is for ever.
    """

    namespace: str
    name: str
    uid: str
    generation: int
    replicas: int
    selector: Selector
    template_labels: Mapping[str, str]
    revision: str
    meaning: str = ""
    update_revision: str = ""
    template_generation: int = 0
    former: str = ""
    held: bool = False
    paused: bool = False
    spread: bool = False
    pod_annotations: Mapping[str, str] = field(default_factory=dict)
    strategy: Strategy = DEFAULT
    progress_deadline_seconds: int | None = 600
    rollback_on_deadline: bool = False
    revision_history_limit: int = 10
    min_ready_seconds: int = 0
    pod_replacement: PodReplacement = PodReplacement.TERMINATION_STARTED
    failed_pods_history_limit: int = 1
    backoff_initial_seconds: int = 1
    backoff_max_seconds: int = 300
    healing: Wishes = DEFAULT_WISHES
    tolerated_seconds: int | None = 0
    deleting: bool = False
    unreadable: str = ""  # which fields cannot be read; nothing may be decided for such a group

    @property
    def least_available(self) -> int:
        """Give how many pods have to be available at least while they are replaced: all but `maxUnavailable`."""
        return self.replicas - self.strategy.unavailable(self.replicas)
