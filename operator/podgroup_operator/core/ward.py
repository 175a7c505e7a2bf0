"""The ward: which of the pods that ail another place may cure, and which it will not.

Where all pods of a revision suffer from the same, and one was moved in vain already, it is the template that is at
fault, or what all of them need.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from podgroup_operator.core.ailment import Patient, patients
from podgroup_operator.core.model.loss import Cause
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.view import View

MOST_ATTEMPTS = 30
"""What is counted at most: two to this power is longer than any pause, and annotations can be forged."""


@dataclass(frozen=True, slots=True)
class Ward:
    """The pods of a group that ail.

    Attributes:
        sick: those that are to be moved, each with the time from which on it may be.
        at_fault: those that are not, for all of their revision suffer from the same, or moving was in vain.
    """

    sick: tuple[tuple[float, Patient], ...] = ()
    at_fault: tuple[Patient, ...] = ()


def ward_of(view: View, pods: Sequence[Pod]) -> Ward:
    """Tell the pods that another place may cure from those that it will not."""
    found = sorted(patients(view, pods), key=lambda each: (each.ailment.due, each.pod.uid))
    at_fault = [each for each in found if is_at_fault(view, each, found)]
    sick = [(each.ailment.due + pause(view, each), each) for each in found if each not in at_fault]
    return Ward(tuple(sorted(sick, key=lambda timed: timed[0])), tuple(at_fault))


def is_at_fault(view: View, patient: Patient, patients: Sequence[Patient]) -> bool:
    """Tell whether what a pod suffers from has been shown not to be its node's fault."""
    if patient.ailment.cause is Cause.NODE_LOST:
        return False
    if patient.ailment.cause is Cause.START_TIMEOUT and attempts(patient.pod):
        return True
    revision, cause = patient.pod.revision, patient.ailment.cause
    alike = [each.pod for each in patients if each.pod.revision == revision and each.ailment.cause is cause]
    return len(alike) == sum(pod.revision == revision for pod in view.active) and any(map(attempts, alike))


def attempts(pod: Pod) -> int:
    """Count how often what ails a pod was moved in vain; what comes over one that was well is another matter."""
    return 0 if pod.signs and pod.signs.well else min(pod.attempt, MOST_ATTEMPTS)


def pause(view: View, patient: Patient) -> float:
    """Give the seconds that a pod waits beyond its patience, for those before it were moved in vain."""
    lost, desired = patient.ailment.cause is Cause.NODE_LOST, view.desired
    number = 0 if lost else attempts(patient.pod)
    longest = float(desired.backoff_max_seconds)
    return min(desired.backoff_initial_seconds * 2.0 ** (number - 1), longest) if number else 0.0


def in_words(ward: Ward) -> str:
    """Say what the pods suffer from that are not moved any more."""
    first = ward.at_fault[0]
    number = len(ward.at_fault)
    who = f"{number} pods suffer" if number > 1 else "1 pod suffers"
    return (
        f"{who} from what moving did not cure; {first.pod.name} on {first.pod.node or 'no node'}: "
        f"{first.ailment.cause.value}, {first.ailment.seen}."
    )
