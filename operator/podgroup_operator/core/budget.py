"""The budget of one plan: how many pods may still be made, and which have been given away already.

Policies spend it in the order of their priority, so that no two of them choose the same pod, and none makes what
another has already made good.
"""

from podgroup_operator.core.model.actions import Adopt
from podgroup_operator.core.model.desired import PodReplacement
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.view import View

BURST = 500
"""The most that one plan creates or removes, as ReplicaSet's BurstReplicas: then the world is looked at again."""


class Budget:
    """What is left for the policies that are yet to come.

    Attributes:
        active: the pods that count, the ones that are taken in among them.
        adopted: whether any are taken in.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._given = set[str]()
        self.active: tuple[Pod, ...] = view.active
        self.adopted = False

    @property
    def missing(self) -> int:
        """Give `replicas` minus the pods that count; negative when there are too many."""
        return self._view.desired.replicas - len(self.active)

    @property
    def room(self) -> int:
        """Give how many pods may be made: not for one that has yet to go, or that we may not let go.

        With TerminationComplete those that are being deleted have yet to go; one whose containers have all ended keeps
        nobody waiting (as a Job's `terminating`, KEP-3939).
        """
        complete = self._view.desired.pod_replacement is PodReplacement.TERMINATION_COMPLETE
        return self.missing - self._view.captive - (self._view.tally.leaving if complete else 0)

    def adopt(self, adopts: tuple[Adopt, ...], seated: tuple[Pod, ...]) -> None:
        """Count pods that are taken in."""
        self.active += seated
        self.adopted = bool(adopts)

    def take(self, pod: Pod) -> bool:
        """Give a pod away, unless another policy has done so."""
        if pod.uid in self._given:
            return False
        self._given.add(pod.uid)
        return True
