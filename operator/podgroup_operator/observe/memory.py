"""What is remembered of a group between two looks, in one place and three parts, each of which is dropped as a whole.

`seen.py` is what the stream of pods tells, `written.py` what we know of our own writes, `told.py` what has been told.

Nothing in it matters for safety after a restart: a write that is forgotten is found by its effect or answered with 409,
a refusal is heard again at the price of one request, a loss is found by counting, an epoch by looking at names.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from podgroup_operator.core.marks import marks_of, missing
from podgroup_operator.core.model.actions import Create
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.model.status import Healing
from podgroup_operator.observe.seen import Seen
from podgroup_operator.observe.told import Told
from podgroup_operator.observe.written import Written

Owner = tuple[str, str]
"""Namespace and UID. A reference to a PodGroup of another namespace, which anybody could write, means nothing."""


@dataclass(slots=True)
class Memory:
    """All that is remembered of one group.

    Attributes:
        first_look: what was lost before anybody looked has not all been replaced yet.
        began: when this tenure first looked at a group of others', in seconds since the epoch; None if it has not.
        missing: there were fewer pods than wanted after the last look.
        most_told: the most pods that the status has told of since, and how many of these were up to date; of fewer we
            may have to tell before they are replaced.
    """

    seen: Seen = field(default_factory=Seen)
    written: Written = field(default_factory=Written)
    told: Told = field(default_factory=Told)
    first_look: bool = True
    began: float | None = None
    missing: bool = True
    most_told: tuple[int, int] = (0, 0)

    def caught_up(self, version: int) -> bool:
        """Tell whether the cache shows all our writes; until then it must not be decided upon (KEP-5647).

        A pod that goes at once when it is deleted leaves no version to compare: until it is gone the group waits.

        Args:
            version: the resourceVersion up to which the cache is complete.
        """
        if version < self.written.version:
            return False
        pods = self.seen.pods
        return not any(uid in pods and pods[uid].deleted is None for uid in self.written.leaving)

    def answered(self, create: Create, pod: Pod | None) -> None:
        """Note what came of a create; a pod that lacks some of what was sent, and is yet to be seen, will have it."""
        sent = self.written.open.pop(create.name, None)
        if pod and not (sent and sent.pod) and missing(pod, marks_of(create)):
            self.seen.sent[pod.uid] = create

    def sent_as(self, pod: Pod) -> Create | None:
        """Give what we sent for a pod that comes, where its create is not answered or the answer lacked something."""
        sent = self.written.open.get(pod.name)
        return self.seen.sent.pop(pod.uid, None) or (sent.create if sent else None)

    def begin(self, *, others: bool) -> "Memory":
        """Give the memory of a tenure that begins; a look under way notes in it what it writes, but no more than that.

        Args:
            others: whether others may have written since the last one.
        """
        self.written.begin(others=others)
        self.told.begin()
        return Memory(self.seen, self.written, self.told)

    def born(self, pod: Pod) -> None:
        """Note that a pod of the group has come."""
        self.seen.made_good_by(pod)
        self.written.came(pod)

    def healing(self, told: Healing) -> Healing:
        """Give the fuller of two records of replacements: ours, or the status's."""
        return self.told.healing if self.told.healing.total > told.total else told


class Memories:
    """The memory of each group, by owner."""

    def __init__(self) -> None:
        self._memories: dict[Owner, Memory] = {}

    def __iter__(self) -> Iterator[tuple[Owner, Memory]]:
        """Give them all."""
        return iter(tuple(self._memories.items()))

    def of(self, owner: Owner) -> Memory:
        """Give the memory of a group, an empty one if there is none yet."""
        memory = self._memories.get(owner)
        if memory is None:  # each event of a pod asks: an empty one is not made to be thrown away
            memory = self._memories[owner] = Memory()
        return memory

    def known(self, owner: Owner) -> Memory | None:
        """Give the memory of a group, if there is one."""
        return self._memories.get(owner)

    def begin(self, within: Callable[[str], bool], *, others: bool) -> None:
        """Begin a tenure in some namespaces.

        Args:
            within: tells which.
            others: whether others may have written since the last one.
        """
        for owner, memory in self:
            if within(owner[0]):
                self._memories[owner] = memory.begin(others=others)

    def end(self, owner: Owner) -> None:
        """Drop what is remembered of a group that is gone, its pods aside as long as there are any."""
        memory = self._memories.get(owner)
        if memory and not memory.seen.pods:
            del self._memories[owner]
        elif memory:
            self._memories[owner] = Memory(seen=memory.seen)
