"""The owner's life: no pod is made or taken in for a PodGroup that is gone.

The garbage collector deletes the pods of a PodGroup that was deleted, or frees them, within milliseconds; the news of
that and of the group's own end come by two streams, in any order. So the group is read whenever this may be so.

Where pods were deleted an answer from the API server's own cache will do, and costs half: the garbage collector has the
owner's end from such a cache too, and deletes the pods after that, so what is asked when their deletion has been heard
of is asked later still. It is asked before anything else is done about the news, and is on its way while the group is
looked at. Before an adoption the group is read uncached, as ReplicaSet does it.
"""

import asyncio
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

from podgroup_operator.api.cluster import Cluster, podgroups_path
from podgroup_operator.api.refusals import NOT_FOUND, Refused
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.loss import Cause
from podgroup_operator.core.model.plan import Plan

Json = dict[str, Any]

CACHED = {"resourceVersion": "0"}


class Owner:
    """The PodGroup behind a plan; used as a context manager, at whose end an answer is not waited for any more.

    Attributes:
        gone: it was not there any more when it was read.
    """

    def __init__(self, desired: Desired, cluster: Cluster) -> None:
        self.gone = False
        self._uid = desired.uid
        self._path = podgroups_path(desired.namespace, desired.name)
        self._cluster = cluster
        self._heard = frozenset[str]()
        self._asked: asyncio.Task[Json] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Wait for no answer any more."""
        if self._asked and not self._asked.cancel() and not self._asked.cancelled():
            self._asked.exception()  # of an answer that nobody needed

    def ask(self, pods: Iterable[str]) -> None:
        """Ask whether it lives, for the sake of pods of which has been heard that they are being deleted, by name."""
        self._heard = frozenset(pods)
        self._asked = asyncio.ensure_future(self._cluster.get(self._path, CACHED))

    async def lives(self, plan: Plan) -> bool:
        """Tell whether a plan may make pods and take them in.

        Raises:
            Refused: the API server does not tell.
            Unreachable: it does not answer.
        """
        losses = (create.loss for create in plan.creates)
        lost = frozenset(loss.pod for loss in losses if loss and loss.cause is Cause.DELETED)
        if not plan.adopts and not lost:
            return True
        try:
            body = await self._read(lost, exactly=bool(plan.adopts))
        except Refused as refusal:
            self.gone = refusal.code == NOT_FOUND
            if self.gone:
                return False
            raise
        metadata = body["metadata"]
        self.gone = metadata["uid"] != self._uid
        return not self.gone and "deletionTimestamp" not in metadata

    async def _read(self, lost: frozenset[str], *, exactly: bool) -> Json:
        """Read it, after these pods were lost."""
        if self._asked and lost <= self._heard and not exactly:
            return await self._asked
        return await self._cluster.get(self._path, None if exactly else CACHED)


class Owners:
    """Owners who were asked about before the look that needs the answer, by UID.

    Args:
        cluster: whom to ask.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._asked: dict[str, Owner] = {}

    def ask(self, desired: Desired, pods: Iterable[str]) -> None:
        """Ask about an owner, for the sake of pods that are being deleted, unless an answer waits for its next look."""
        if desired.uid not in self._asked:
            self._asked[desired.uid] = owner = Owner(desired, self._cluster)
            owner.ask(pods)

    def take(self, desired: Desired) -> Owner:
        """Give the owner for a look, with the answer if it was asked about."""
        return self._asked.pop(desired.uid, None) or Owner(desired, self._cluster)

    def forget(self, uid: str) -> None:
        """Drop what was asked about an owner that is gone."""
        if owner := self._asked.pop(uid, None):
            owner.close()
