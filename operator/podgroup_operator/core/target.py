"""The target: of which revision the pods of a group shall be.

It is that of spec.template, but for a group that was rolled back from it. Pods of another one are replaced only in a
rollout, and a rollout is begun by nothing but a change of the template: what was there before revisions were kept, or
whose record of rollouts is lost, is left as it is until then. No upgrade, of the operator, of the CRD or of Kubernetes,
starts one.
"""

from collections.abc import Container
from dataclasses import dataclass, replace

from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.status import Status


@dataclass(frozen=True, slots=True)
class Update:
    """What was found of spec.template.

    Attributes:
        revision: it.
        generation: of the group, for which that was found.
        begun: whether it is a change, with which a rollout begins.
        meaning: of spec.template as it is written, for which that was found; "" if nobody knows.
        heard: whether the group was heard: else what it asks for is yet to be found out, and this is what was before.
    """

    revision: str
    generation: int = 0
    begun: bool = False
    meaning: str = ""
    heard: bool = True


def aim(desired: Desired, told: Status, known: Container[str], update: Update) -> Desired:
    """Say of which revision the pods shall be.

    Args:
        desired: what the group asks for.
        told: its status.
        known: the revisions whose templates are known.
        update: what was found of its template.
    """
    back = told.rollout.rolled_back_from == update.revision and told.last_available_revision in known
    target = told.last_available_revision if back else update.revision
    held = not (update.begun or back or told.rollout.revision == target)
    return replace(
        desired,
        generation=desired.generation if update.heard else told.observed_generation,
        revision=target,
        update_revision=update.revision,
        template_generation=update.generation,
        former=target if held else told.current_revision,
        held=held,
    )


def unread(desired: Desired, told: Status) -> Desired:
    """Say of which revision the pods shall be where revisions may not be read: of spec.template, and nothing is rolled.

    What was found of the template before is kept in mind: it is the change since then that rolls when they may again.
    """
    here = aim(desired, told, (), Update(desired.revision))
    if not told.template_generation:
        return here
    return replace(here, update_revision=told.update_revision, template_generation=told.template_generation)


def last_told(told: Status) -> Update:
    """Give what was found of spec.template before, as the status tells it."""
    return Update(told.update_revision, told.template_generation, begun=is_new(told))


def until_found(desired: Desired, told: Status, last: Update) -> Update:
    """Say what holds until it can be found out of which revision spec.template is: that which was before, if any."""
    return replace(last, heard=False) if last.revision else Update(desired.revision, begun=is_new(told))


def is_same(desired: Desired, last: Update) -> bool:
    """Tell without asking anybody whether spec.template is of the revision that it was of before."""
    return bool(last.revision) and (last.generation == desired.generation or last.meaning == desired.meaning)


def found(desired: Desired, told: Status, last: Update, revision: str) -> Update:
    """Say what spec.template is; a rollout begins if that is another revision, and the group has changed for it.

    Status and memory may know of different ones: what was found last may not be told yet.
    """
    changed = any(known and revision != known for known in (last.revision, told.update_revision))
    since = last.generation or told.observed_generation
    begun = is_new(told) or (changed and since != desired.generation)
    return Update(revision, desired.generation, begun=begun, meaning=desired.meaning)


def is_new(told: Status) -> bool:
    """Tell whether nobody has ever looked at a group: then there is nothing that an upgrade might roll."""
    return told.observed_generation <= 0 and not told.update_revision
