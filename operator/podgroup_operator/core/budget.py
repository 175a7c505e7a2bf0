"""The budget of one plan: how many pods may still be made, and which have been given away already.

Policies spend it in the order of their priority, so that no two of them choose the same pod, and none makes what
another has already made good.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import count

from podgroup_operator.core.apart import corpses_of, spares_of
from podgroup_operator.core.heirs import unproved
from podgroup_operator.core.model.actions import Adopt, Create
from podgroup_operator.core.model.desired import PodReplacement
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.record import next_number
from podgroup_operator.core.turnover import Turnover, turnover_of
from podgroup_operator.core.view import View

BURST = 500
"""The most that one plan creates or removes, as ReplicaSet's BurstReplicas: then the world is looked at again."""


class Budget:
    """What is left for the policies that are yet to come.

    Attributes:
        active: the pods that count, the ones that are taken in among them; those apart are not (`apart.py`).
        spares: the pod that each spare stands beside, by the spare's UID.
        adopted: whether any are taken in.
        made: what shall be made so far, though it may have to wait.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._given = set[str]()
        self.spares = spares_of(view.active)
        apart = self.spares.keys() | {pod.uid for pod in corpses_of(view)}
        self.active = tuple(pod for pod in view.active if pod.uid not in apart) if apart else view.active
        self.adopted = False
        self.made: tuple[Create, ...] = ()
        self._changed = frozenset[str]()

    @cached_property
    def turnover(self) -> Turnover:
        """Give what is to be replaced though it lives."""
        return turnover_of(self._view, self.active, len(self.spares))

    @cached_property
    def names(self) -> frozenset[str]:
        """Give the names of all pods that are seen."""
        return frozenset(pod.name for pod in self._view.observed.pods)

    @cached_property
    def numbers(self) -> Iterator[int]:
        """Give the numbers of the heals to come."""
        return count(next_number(self._view))

    @cached_property
    def missing(self) -> int:
        """Give `replicas` minus the pods that count; negative when there are too many.

        While a rollout has pods beyond `replicas` that have yet to prove good, what is lost of the others is missing.
        """
        missing = self._view.desired.replicas - len(self.active)
        again = unproved(self._view, self.turnover)
        return max(missing, min(again, missing + self.turnover.surge)) if again else missing

    @property
    def left(self) -> tuple[Pod, ...]:
        """Give the pods that count and have not been given away."""
        return tuple(pod for pod in self.active if pod.uid not in self._given) if self._given else self.active

    @property
    def steady(self) -> tuple[Pod, ...]:
        """Give those of them that are not patched either."""
        return tuple(pod for pod in self.left if pod.uid not in self._changed) if self._changed else self.left

    @property
    def surplus(self) -> int:
        """Give how many pods there are beyond those that are wanted, and those that a rollout may have for a while."""
        going, surge = self.turnover.going, self.turnover.surge
        if going:
            surge = min(surge, sum(pod.uid not in self._given for pod in going))
        return len(self.left) - self._view.desired.replicas - surge

    @property
    def room(self) -> int:
        """Give how many pods may be made up to `replicas`: not for one that has yet to go, or that we may not let go.

        With TerminationComplete those that are being deleted have yet to go; one whose containers have all ended keeps
        nobody waiting (as a Job's `terminating`, KEP-3939). What goes in this very plan leaves no room yet.
        """
        if self.turnover.blocked:
            return 0
        complete = self._view.desired.pod_replacement is PodReplacement.TERMINATION_COMPLETE
        waiting = self._view.captive + (self._view.tally.leaving if complete else 0)
        return self._view.desired.replicas - len(self.active) - waiting

    def adopt(self, adopts: tuple[Adopt, ...], seated: tuple[Pod, ...]) -> None:
        """Count pods that are taken in."""
        self.active += seated
        self.adopted = bool(adopts)

    def make(self, creates: Iterable[Create]) -> None:
        """Count pods that shall be made."""
        self.made += tuple(creates)

    def change(self, pods: Iterable[Pod]) -> None:
        """Count pods that are patched in this very plan: none of them may be taken for one that serves."""
        self._changed = frozenset(pod.uid for pod in pods)

    def take(self, pod: Pod) -> bool:
        """Give a pod away, unless another policy has done so."""
        if pod.uid in self._given:
            return False
        self._given.add(pod.uid)
        return True
