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


def is_new(told: Status) -> bool:
    """Tell whether nobody has ever looked at a group: then there is nothing that an upgrade might roll."""
    return told.observed_generation <= 0 and not told.update_revision
