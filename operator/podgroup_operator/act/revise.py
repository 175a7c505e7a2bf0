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
from podgroup_operator.api.cluster import Cluster, revisions_path
from podgroup_operator.api.refusals import CONFLICT, Refused, Unreachable
from podgroup_operator.api.wire.revision import read_revision, template_hash, template_of, write_revision
from podgroup_operator.api.writer import Writer
from podgroup_operator.core.model.refusal import Lane
from podgroup_operator.core.model.revision import Revision
from podgroup_operator.core.target import Update, aim, found, is_same, last_told, unread, until_found
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
            group.aim(unread(wanted, group.told), {})
            return
        if update is None or update.generation != wanted.generation:
            update = await self._find(group, memory, writer)
        elif update.meaning != wanted.meaning:  # nobody has changed it: its definition has another default now
            memory.written.update = update = replace(update, meaning=wanted.meaning)
        kept = self.revisions.of(group.owner)
        group.aim(aim(wanted, group.told, kept, update), kept)

    async def _find(self, group: Group, memory: Memory, writer: Writer) -> Update:
        """Find the update revision; if that takes what the API server does not give now, the one that was it before."""
        lane, told, wanted = memory.written.lanes[Lane.REVISE], group.told, group.wanted
        last = memory.written.update or last_told(told)
        if lane.until > self.monotonic():
            return until_found(wanted, told, last)
        try:
            revision = await self._kept(group, last, memory, writer)
        except (Refused, Unreachable) as error:
            what = f"Error keeping the revision of spec.template: {error}"
            lane.refused(error, what, self.monotonic(), mostly=True)
            logger.warning("group=%s/%s %s", *group.key, what)
            return until_found(wanted, told, last)
        if not revision:
            return last
        lane.accepted()
        memory.written.forgive(revision)
        memory.written.update = found(wanted, told, last, revision)
        return memory.written.update

    async def _kept(self, group: Group, last: Update, memory: Memory, writer: Writer) -> str:
        """Give the revision of spec.template, which is kept by now; "" if pods of it are refused."""
        wanted, kept = group.wanted, self.revisions.of(group.owner)
        if is_same(wanted, last):
            return last.revision if last.revision in kept else await self._keep(group, writer, last.revision)
        if last.revision and self.judging.is_refused_now(memory, wanted.revision):
            return ""
        if like := await self._like(group, last, memory, writer):
            return like
        if last.revision and await self.judging.refuses(wanted, group.template, memory, writer):
            return ""
        return await self._keep(group, writer, wanted.revision)

    async def _like(self, group: Group, last: Update, memory: Memory, writer: Writer) -> str:
        """Give the kept revision that is written as spec.template is, or else means the same; "" if there is none."""
        kept = self.revisions.of(group.owner).values()
        likely = sorted(kept, key=lambda each: (each.hash == last.revision, each.number), reverse=True)
        for each in likely:
            if each.meaning == group.wanted.meaning:
                return each.hash
        if memory.written.verdict.revision == group.wanted.revision:
            return ""  # it was like none of them when it was asked about
        place = await first_alike(writer, group.template, [template_of(each) for each in likely])
        return "" if place is None else likely[place].hash

    async def _keep(self, group: Group, writer: Writer, revision: str) -> str:
        """Write a revision down, by another name if that of its hash is another template's; give its hash."""
        number = max((each.number for each in self.revisions.of(group.owner).values()), default=0) + 1
        for again in range(NAMES):
            name = template_hash(group.template, again) if again else revision
            kept = await self._written(group, writer, name, number)
            if kept and kept.meaning == group.wanted.meaning and kept.owner == group.uid:
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
        wrong = others or as_ours is None or as_ours.meaning != group.wanted.meaning
        if wrong or as_ours == read_revision(found):
            return found
        precondition = {key: found["metadata"][key] for key in ("uid", "resourceVersion")}
        return await writer.patch(path, {"metadata": claim | precondition})
