"""Judging: asking the API server about a template before any pod is touched for its sake, and telling of its no."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from podgroup_operator.act.template import objection
from podgroup_operator.api.refusals import Refused, Unreachable
from podgroup_operator.api.writer import Writer
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.plan import plan
from podgroup_operator.core.view import View
from podgroup_operator.observe.groups import Group
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

    def is_refused_now(self, memory: Memory, revision: str) -> bool:
        """Tell whether the API server has refused a template so lately that it is not worth asking again."""
        verdict = memory.written.verdict
        return verdict.revision == revision and verdict.refusal is not None and verdict.until > self.monotonic()

    async def refuses(self, desired: Desired, template: Json, memory: Memory, writer: Writer) -> bool:
        """Tell whether the API server refuses the template of `desired.revision`; it is asked if that may be new.

        Raises:
            Refused: it has failed, or has too much to do.
            Unreachable: it does not answer.
        """
        verdict = memory.written.verdict
        if verdict.revision == desired.revision and verdict.refusal is None:
            return False
        return self.is_refused_now(memory, desired.revision) or await self._ask(desired, template, memory, writer)

    async def look(self, group: Group, memory: Memory, view: View, writer: Writer) -> bool:
        """Ask about the template of which pods are to be made, if that is due; tell whether it was."""
        desired = group.desired
        if desired.deleting or not self._is_due(group, memory, view):
            return False
        try:
            await self._ask(desired, group.template_of(desired.revision), memory, writer)
        except (Refused, Unreachable):  # pods that are missing are made all the same, and the answer to that is heard
            memory.written.judge(desired.revision, None, self.monotonic())
        return True

    def _is_due(self, group: Group, memory: Memory, view: View) -> bool:
        """Tell whether a template is new, or was refused a while ago.

        At a start all are new. Then it is asked only where a pod is to be made of a template, and none is there to
        prove that it is accepted: a thousand groups are not a thousand dry runs before the first heal.
        """
        revision, verdict = view.desired.revision, memory.written.verdict
        if verdict.revision == revision:
            return verdict.refusal is not None and not self.is_refused_now(memory, revision)
        if verdict.refusal and group.revisions:
            return False  # it is another template that is refused; pods are made of one that was accepted
        if not verdict.revision and any(pod.revision == revision for pod in view.members):
            verdict.revision = revision
            return False
        return bool(verdict.revision or plan(view).creates)

    async def _ask(self, desired: Desired, template: Json, memory: Memory, writer: Writer) -> bool:
        before, found = memory.written.verdict.refusal, await objection(desired, template, writer)
        memory.written.judge(desired.revision, found[0] if found else None, self.monotonic())
        if found and (before is None or before.message != found[0].message):
            self.tell(desired, f"{found[1]}. The condition Stalled has the API server's own words.")
        return found is not None
