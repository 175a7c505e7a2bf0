"""Tidying: the revisions that a group needs are kept, the newest one has the highest number, and old ones are deleted.

Needed is what a pod bears, what the pods had before or shall have, and what was available last; beyond those as many
are kept as the group asks for (`revisionHistoryLimit`), the newest ones. A needed one that somebody has deleted while
we ran is written again.
"""

from collections.abc import Callable
from typing import Any

from podgroup_operator.act.comparing import origins_of
from podgroup_operator.api.cluster import MERGE_PATCH, revisions_path
from podgroup_operator.api.refusals import CONFLICT, Refused, Unreachable
from podgroup_operator.api.wire.revision import read_revision, template_of, write_revision
from podgroup_operator.api.writer import Writer
from podgroup_operator.core.model.refusal import Lane
from podgroup_operator.core.model.revision import Revision
from podgroup_operator.core.model.status import Status
from podgroup_operator.core.view import View
from podgroup_operator.observe.groups import Group
from podgroup_operator.observe.memory import Memory
from podgroup_operator.observe.revisions import RevisionStore

Json = dict[str, Any]


def needed(view: View, status: Status) -> set[str]:
    """Give the revisions that must not go: by what is told now, for when a rollout ends there may be no other look."""
    desired = view.desired
    return {
        *origins_of(view.members),
        *(loss.revision for loss in view.observed.losses.values()),
        *(desired.revision, desired.update_revision),
        *(status.current_revision, status.update_revision, status.last_available_revision),
    }


def excess(revisions: list[Revision], spared: set[str], limit: int) -> list[Revision]:
    """Give those that are too many, the oldest first."""
    others = sorted((each for each in revisions if each.hash not in spared), key=lambda each: each.number)
    return others[: max(len(others) - limit, 0)]


def is_tidy(group: Group, store: RevisionStore) -> bool:
    """Tell, without looking at pods, whether there can be nothing to do."""
    known = store.of(group.owner)
    newest = known.get(group.desired.update_revision)
    highest = max((each.number for each in known.values()), default=0)
    few = len(known) <= group.desired.revision_history_limit or len(known) == 1
    return few and not store.deleted(group.owner) and (newest is None or newest.number == highest)


async def keep_tidy(
    view: View,
    status: Status,
    group: Group,
    memory: Memory,
    store: RevisionStore,
    writer: Writer,
    monotonic: Callable[[], float],
) -> None:
    """Keep the revisions in order; what cannot be done is tried again, ever later, and told."""
    lane = memory.written.lanes[Lane.REVISE]
    if group.desired.deleting or is_tidy(group, store) or lane.until > monotonic():
        return
    try:
        await tidy(group, needed(view, status), store, writer)
    except (Refused, Unreachable) as error:
        lane.refused(error, f"Error keeping revisions: {error}", monotonic(), mostly=True)
    else:
        lane.accepted()


async def tidy(group: Group, spared: set[str], store: RevisionStore, writer: Writer) -> None:
    """Keep what is needed, and no more than that and the history.

    Raises:
        Refused: the API server does not let us.
        Unreachable: it does not answer.
    """
    known = store.of(group.owner)
    for each in tuple(store.deleted(group.owner).values()):  # others may be deleted meanwhile
        if each.hash in spared:
            await restore(group, each, store, writer)
        store.settle(each)
    newest = known.get(group.desired.update_revision)
    highest = max((each.number for each in known.values()), default=0)
    if newest and newest.number < highest:
        await renumber(newest, highest + 1, store, writer)
    for each in excess(list(known.values()), spared, group.desired.revision_history_limit):
        await delete(each, store, writer)


def path_of(revision: Revision) -> str:
    """Give the path of a revision."""
    return revisions_path(revision.namespace, revision.name)


async def restore(group: Group, revision: Revision, store: RevisionStore, writer: Writer) -> None:
    """Write a revision again; somebody may have done so already."""
    body = write_revision(group.desired, template_of(revision), revision.hash, revision.number)
    body["metadata"]["name"] = revision.name
    try:
        take(store, await writer.create(revisions_path(revision.namespace), body))
    except Refused as refusal:
        if refusal.code != CONFLICT:
            raise


async def renumber(revision: Revision, number: int, store: RevisionStore, writer: Writer) -> None:
    """Make a revision that was gone back to the newest one."""
    body = {"metadata": {"uid": revision.uid}, "revision": number}
    try:
        take(store, await writer.patch(path_of(revision), body, MERGE_PATCH))
    except Refused as refusal:
        if not refusal.is_outdated:
            raise


async def delete(revision: Revision, store: RevisionStore, writer: Writer) -> None:
    """Delete a revision; one that somebody has written again by its name stays."""
    try:
        await writer.delete(path_of(revision), revision.uid)
    except Refused as refusal:
        if not refusal.is_outdated:
            raise
    store.prune(revision)


def take(store: RevisionStore, body: Json) -> None:
    """Let the cache show at once what was answered."""
    if kept := read_revision(body):
        store.upsert(kept)
