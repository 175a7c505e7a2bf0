"""Comparing: what it takes to bring pods of other revisions to the present one in place, found out once for each.

Two dry runs tell how the API server reads the two templates (`likeness.py`). While that cannot be found out the pods
are left as they are; where it may never be, or a patch was refused, they are replaced.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from podgroup_operator.act.likeness import defaulted, without_empty
from podgroup_operator.api.refusals import Refused, Unreachable
from podgroup_operator.api.writer import Writer
from podgroup_operator.core.difference import Json, difference, target_of
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.model.refusal import Lane
from podgroup_operator.observe.comparison import Comparison
from podgroup_operator.observe.groups import Group
from podgroup_operator.observe.memory import Memory

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Comparing:
    """Compares revisions with the present one; `monotonic` gives the seconds by which pauses are measured."""

    monotonic: Callable[[], float]

    async def compare(self, group: Group, memory: Memory, writer: Writer) -> None:
        """Find out what is not known yet of the revisions that pods have."""
        desired, written = group.desired, memory.written
        if not desired.strategy.changes_in_place or desired.paused or desired.held or desired.deleting:
            written.comparison = Comparison(desired.revision)
            return None
        if written.comparison.revision != desired.revision:
            written.comparison = Comparison(desired.revision)
        found, lane = written.comparison, written.lanes[Lane.CHANGE]
        origins = origins_of(memory.seen.pods.values()) - {desired.revision}
        found.unknown = {each for each in origins if each in group.revisions and each not in found.differences}
        if not found.unknown or lane.until > self.monotonic():
            return None
        try:
            new = await meaning(group, desired.revision, writer)
            found.target = target_of(new)
            for each in sorted(found.unknown):
                found.take(each, difference(await meaning(group, each, writer), new))
        except (Refused, Unreachable) as error:
            what = f"Error comparing templates: {error}"
            logger.warning("group=%s/%s %s", *group.key, what)
            if error.is_verdict:
                return found.give_up()
            lane.refused(error, what, self.monotonic(), mostly=True)


def origins_of(pods: Iterable[Pod]) -> set[str]:
    """Give the revisions that pods have something of."""
    found = set[str]()
    for pod in pods:
        found |= {pod.changing.former, pod.changing.to} if pod.changing else {pod.revision}
    return found


async def meaning(group: Group, revision: str, writer: Writer) -> Json:
    """Give the template of a revision as the API server reads it.

    Raises:
        Refused: it does not take it, or does not tell.
        Unreachable: it does not answer.
    """
    template: Json = (await defaulted(writer, group.template_of(revision)))["template"]
    return template | {"spec": without_empty(template["spec"])}
