"""Ailments: what a living pod may suffer from that only its replacement cures.

Each kind is a file of its own, and says of a pod whether it has it, and from when on it counts as sick. A pod that
nobody may take away, or that is being taken away, is not asked about.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from podgroup_operator.core.crash_loop import crash_loop
from podgroup_operator.core.model.ailment import Ailment
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.node_lost import node_lost
from podgroup_operator.core.start_timeout import start_timeout
from podgroup_operator.core.unready import unready
from podgroup_operator.core.view import View

AILMENTS: tuple[Callable[[View, Pod], Ailment | None], ...] = (crash_loop, start_timeout, unready)
"""Of a pod whose node is there. What is said of one on a lost node is old: only `node_lost` is asked about that."""


@dataclass(frozen=True, slots=True)
class Patient:
    """A pod, and what it suffers from."""

    pod: Pod
    ailment: Ailment


def patients(view: View, pods: Iterable[Pod]) -> list[Patient]:
    """Find the pods that ail, whether they count as sick already or not; each by its first ailment to be due."""
    found, lost = list[Patient](), view.observed.lost_nodes
    for pod in pods:  # there may be ten thousand, and nearly always nothing is seen of any
        if pod.signs is None and pod.node not in lost:
            continue
        asked = (node_lost,) if pod.node in lost else AILMENTS
        ailments = [ailment for each in asked if (ailment := each(view, pod))]
        if ailments:
            found.append(Patient(pod, min(ailments, key=lambda ailment: ailment.due)))
    return found
