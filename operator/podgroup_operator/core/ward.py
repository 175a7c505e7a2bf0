"""The ward: which of the pods that ail another place may cure, and which it will not.

Where all pods of a revision suffer from the same, and one was moved in vain already, it is the template that is at
fault, or what all of them need. So it is where one was moved to ten places in a row and has not run for ten minutes in
any: a program that comes up well each time and dies a minute later would be moved without end.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from podgroup_operator.core.ailment import Patient, patients
from podgroup_operator.core.avoidance import MOST_NODES
from podgroup_operator.core.crash_loop import LONG_RUN, STEADY
from podgroup_operator.core.model.loss import Cause
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.view import View

MOST_ATTEMPTS = MOST_NODES
"""So many places are tried in a row, as many as are remembered; annotations can be forged, and no more is counted."""


@dataclass(frozen=True, slots=True)
class Ward:
    """The pods of a group that ail.

    Attributes:
        sick: those that are to be moved, each with the time from which on it may be.
        at_fault: those that are not, for all of their revision suffer from the same, or moving was in vain.
    """

    sick: tuple[tuple[float, Patient], ...] = ()
    at_fault: tuple[Patient, ...] = ()


def ward_of(view: View) -> Ward:
    """Tell the pods that another place may cure from those that it will not.

    All that ail are judged together, those too that nobody may take away: a template is no better for one that is kept.
    """
    found = sorted(patients(view, view.active), key=lambda each: (each.ailment.due, each.pod.uid))
    if not found:
        return Ward()
    shared = shared_by_all(view, found)
    at_fault, sick = list[Patient](), list[tuple[float, Patient]]()
    for each in found:
        if (each.pod.revision, each.ailment.cause) in shared or was_tried(view, each):
            at_fault.append(each)
        else:
            sick.append((each.ailment.due + pause(view, each), each))
    return Ward(tuple(sorted(sick, key=lambda timed: timed[0])), tuple(at_fault))


def shared_by_all(view: View, found: Iterable[Patient]) -> set[tuple[str, Cause]]:
    """Give of which revisions all pods suffer from the same, though one was moved in vain; and from what.

    Of those on lost nodes nobody knows what else they suffer from.
    """
    number = Counter(pod.revision for pod in view.active)
    alike = defaultdict[tuple[str, Cause], list[Pod]](list)
    for each in found:
        if each.ailment.cause is Cause.NODE_LOST:
            number[each.pod.revision] -= 1
        else:
            alike[each.pod.revision, each.ailment.cause].append(each.pod)
    whole = {key: pods for key, pods in alike.items() if len(pods) == number[key[0]]}
    return {key for key, pods in whole.items() if any(attempts(view, pod) for pod in pods)}


def was_tried(view: View, patient: Patient) -> bool:
    """Tell whether a pod was moved often enough; one that does not start, and was moved for that, is moved once."""
    cause, pod = patient.ailment.cause, patient.pod
    if cause is Cause.NODE_LOST:
        return False
    starts = cause is not Cause.START_TIMEOUT or pod.cause != cause.value
    return attempts(view, pod) >= (MOST_ATTEMPTS if starts else 1)


def attempts(view: View, pod: Pod) -> int:
    """Count how often what ails a pod was moved in vain; what comes over one that was well is another matter.

    It was if it was Ready for as long as a run that ends a crash loop: a minute is no proof, for many a program dies
    after one, in each place anew.
    """
    well = max(LONG_RUN, view.desired.min_ready_seconds + STEADY)
    return 0 if pod.signs and pod.signs.well >= well else min(pod.attempt, MOST_ATTEMPTS)


def pause(view: View, patient: Patient) -> float:
    """Give the seconds that a pod waits beyond its patience, for those before it were moved in vain."""
    lost, desired = patient.ailment.cause is Cause.NODE_LOST, view.desired
    number = 0 if lost else attempts(view, patient.pod)
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
