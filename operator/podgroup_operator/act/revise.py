"""Revising: which revision a template is, before anything is decided for its group.

The update revision may change only if the spec has (`metadata.generation`); then a kept revision that was written alike
is it, else one that means the same to the API server (`likeness.py`), else there is a new one, unless the API server
refuses pods of it. What cannot be found out or kept leaves the group as it was: lost pods are replaced of the last good
revision, and the rollout begins when it can.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from podgroup_operator.act.judging import Judging
from podgroup_operator.act.likeness import first_alike
from podgroup_operator.api.cluster import CONFLICT, Cluster, Refused, Unreachable, revisions_path
from podgroup_operator.api.wire.revision import read_revision, template_hash, template_of, write_revision
from podgroup_operator.api.writer import Writer
from podgroup_operator.core.model.refusal import Lane
from podgroup_operator.core.model.revision import Revision
from podgroup_operator.core.model.status import Status
from podgroup_operator.core.target import Update, aim, is_new
from podgroup_operator.observe.groups import Group
from podgroup_operator.observe.memory import Memory
from podgroup_operator.observe.revisions import RevisionStore

Json = dict[str, Any]

logger = logging.getLogger(__name__)

NAMES = 5
"""Names that are tried for a revision; that so many hashes are alike is no chance."""


@dataclass(frozen=True, slots=True)
class Revising:
    """Finds the revision of a group's template, and keeps it.

    Attributes:
        cluster: where revisions are.
        revisions: the ones that are kept.
        judging: asks about a new template.
        monotonic: seconds by which pauses are measured.
    """

    cluster: Cluster
    revisions: RevisionStore
    judging: Judging
    monotonic: Callable[[], float]

    async def revise(self, group: Group, memory: Memory, writer: Writer) -> None:
        """Say in `group.desired` of which revision its pods shall be.

        Raises:
            NotLeading: another operator may lead.
        """
        wanted, update = group.wanted, memory.written.update
        if wanted.deleting or not self.revisions.is_complete(wanted.namespace):
            group.aim(aim(wanted, group.told, (), Update(wanted.revision)), {})
            return
        if update is None or update.generation != wanted.generation:
            update = await self._find(group, memory, writer)
        elif update.meaning != wanted.revision:  # nobody has changed it: its definition has another default now
            memory.written.update = update = replace(update, meaning=wanted.revision)
        kept = self.revisions.of(group.owner)
        group.aim(aim(wanted, group.told, kept, update), kept)

    async def _find(self, group: Group, memory: Memory, writer: Writer) -> Update:
        """Find the update revision; if that takes what the API server does not give now, the one that was it before."""
        lane, told, wanted = memory.written.lanes[Lane.REVISE], group.told, group.wanted
        new, last = is_new(told), memory.written.update or last_told(told)  # which the status may not tell yet
        before = last.revision
        stay = replace(last, heard=False) if before else Update(wanted.revision, begun=new)
        if lane.until > self.monotonic():
            return stay
        try:
            settled = bool(before) and last.generation == wanted.generation
            same = settled or (bool(before) and last.meaning == wanted.revision)
            revision = before if same else await self._recognized(group, before, memory, writer)
            if not revision:
                return last
            if revision not in self.revisions.of(group.owner):
                revision = await self._keep(group, writer, revision)
        except (Refused, Unreachable) as error:
            what = f"Error keeping the revision of spec.template: {error}"
            lane.refused(error, what, self.monotonic(), mostly=True)
            logger.warning("group=%s/%s %s", *group.key, what)
            return stay
        lane.accepted()
        memory.written.forgive(revision)
        changed = any(known and revision != known for known in (before, told.update_revision))
        unseen = told.observed_generation != wanted.generation or told.is_refused
        begun = new or (changed and unseen)
        memory.written.update = Update(revision, wanted.generation, begun=begun, meaning=wanted.revision)
        return memory.written.update

    async def _recognized(self, group: Group, before: str, memory: Memory, writer: Writer) -> str:
        """Give the revision of spec.template, perhaps one that is yet to be kept; "" if pods of it are refused."""
        meaning, verdict = group.wanted.revision, memory.written.verdict
        known = verdict.revision == meaning
        if before and known and verdict.refusal and verdict.until > self.monotonic():
            return ""
        kept = self.revisions.of(group.owner).values()
        likely = sorted(kept, key=lambda each: (each.hash == before, each.number), reverse=True)
        for each in likely:
            if each.meaning == meaning:
                return each.hash
        if not known:  # else it was like none of them when it was asked about
            place = await first_alike(writer, group.template, [template_of(each) for each in likely])
            if place is not None:
                return likely[place].hash
        accepted = not before or (known and not verdict.refusal)
        refused = not accepted and await self.judging.judge(group.wanted, group.template, memory, writer)
        return "" if refused else meaning

    async def _keep(self, group: Group, writer: Writer, revision: str) -> str:
        """Write a revision down, by another name if that of its hash is another template's; give its hash."""
        number = max((each.number for each in self.revisions.of(group.owner).values()), default=0) + 1
        for again in range(NAMES):
            name = template_hash(group.template, again) if again else revision
            kept = await self._written(group, writer, name, number)
            if kept and kept.meaning == group.wanted.revision and kept.owner == group.uid:
                self.revisions.upsert(kept)
                return kept.hash
        raise Unreachable(f"its name and {NAMES - 1} others are taken")

    async def _written(self, group: Group, writer: Writer, revision: str, number: int) -> Revision | None:
        """Write a revision; give what there is by its name, None if that is nobody's or another's."""
        body = write_revision(group.wanted, group.template, revision, number)
        try:
            answer = await writer.create(revisions_path(group.key[0]), body)
        except Refused as refusal:
            if refusal.code != CONFLICT or refusal.reason != "AlreadyExists":
                raise
            answer = await self._claimed(group, body, writer)
        return read_revision(answer)

    async def _claimed(self, group: Group, body: Json, writer: Writer) -> Json:
        """Give the revision that has a name already; one that says the same, and is no other's, becomes the group's.

        A group that is deleted with `--cascade=orphan` leaves its own to the next one of its name; and one of our own
        is not seen any more if somebody has taken its labels off.
        """
        path = revisions_path(group.key[0], body["metadata"]["name"])
        found = await self.cluster.get(path)
        claim = {key: body["metadata"][key] for key in ("ownerReferences", "labels")}
        others = [each for each in found["metadata"].get("ownerReferences") or [] if each.get("uid") != group.uid]
        as_ours = read_revision(found | {"metadata": found["metadata"] | claim})
        wrong = others or as_ours is None or as_ours.meaning != group.wanted.revision
        if wrong or as_ours == read_revision(found):
            return found
        precondition = {key: found["metadata"][key] for key in ("uid", "resourceVersion")}
        return await writer.patch(path, {"metadata": claim | precondition})


def last_told(told: Status) -> Update:
    """Give what was found of spec.template before, as the status tells it."""
    return Update(told.update_revision, told.template_generation, begun=is_new(told))
