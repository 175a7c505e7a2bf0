"""Judging: asking the API server about a template before any pod is touched for its sake, and telling of its no."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from podgroup_operator.act.template import objection
from podgroup_operator.api.writer import Writer
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.observe.memory import Memory

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Judging:
    """Asks about templates.

    Attributes:
        tell: told of the group and, in a sentence, of a no that is new.
        monotonic: seconds by which pauses are measured.
    """

    tell: Callable[[Desired, str], None]
    monotonic: Callable[[], float]

    async def judge(self, desired: Desired, template: Json, memory: Memory, writer: Writer) -> bool:
        """Ask about the template of `desired.revision`; tell whether it is refused.

        Raises:
            Refused: the API server has failed, or has too much to do.
            Unreachable: it does not answer.
        """
        before, found = memory.written.verdict.refusal, await objection(desired, template, writer)
        memory.written.judge(desired.revision, found[0] if found else None, self.monotonic())
        if found and (before is None or before.message != found[0].message):
            self.tell(desired, f"{found[1]}. The condition Stalled has the API server's own words.")
        return found is not None
