"""What is seen of a group."""

from collections.abc import Collection, Container, Mapping
from dataclasses import dataclass, field

from podgroup_operator.core.model.changing import Ease
from podgroup_operator.core.model.loss import Loss
from podgroup_operator.core.model.node import Node, Storm
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.model.refusal import Lane, Refusal
from podgroup_operator.core.model.status import Status


@dataclass(frozen=True, slots=True)
class Observed:
    """What the operator sees of one group at one moment.

    Attributes:
        pods: those that the group controls, and orphans that it may adopt.
        names: pod names that are known to be taken.
        losses: the pods lost and not yet replaced, by slot.
        epochs: the highest seen, by slot.
        corpse: the pod that failed early last, should somebody have taken it away since.
        stuck: UIDs of pods that could not be adopted, released or deleted, until that is worth another try.
        changed: those of them that had only changed since they were seen, and will soon be claimed.
        protected: UIDs of pods that could not be evicted, until that is worth another try; they may be deleted.
        tries: how often that was tried in vain, by UID.
        began: when this operator began to look at the group; 0 is long ago.
        first_look: what was lost before the operator looked for the first time has not all been replaced yet.
        template_refusal: what the API server has against the template.
        stray: what became of a pod that was made, and was none of the group's.
        held: what was refused and has to wait, by lane.
        templates: the revisions of which the template is known.
        eases: what it takes to bring a pod of each of them to the present one in place; one that is left out: never.
        nodes: by name, where they may be read.
        lost_nodes: the names of those that are lost.
        maintained: the names of the nodes that are drained, or about to be.
        storm: whether too many nodes are lost.
        status: the last one.
    """

    pods: tuple[Pod, ...] = ()
    names: Container[str] = frozenset()
    losses: Mapping[int, Loss] = field(default_factory=dict)
    epochs: Mapping[int, int] = field(default_factory=dict)
    corpse: Pod | None = None
    stuck: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()
    protected: frozenset[str] = frozenset()
    tries: Mapping[str, int] = field(default_factory=dict)
    began: float = 0.0
    first_look: bool = False
    template_refusal: Refusal | None = None
    stray: Refusal | None = None
    held: Mapping[Lane, Refusal] = field(default_factory=dict)
    templates: Container[str] = frozenset()
    eases: Mapping[str, Ease] = field(default_factory=dict)
    nodes: Mapping[str, Node] = field(default_factory=dict)
    lost_nodes: Container[str] = frozenset()
    maintained: Collection[str] = frozenset()
    storm: Storm = field(default_factory=Storm)
    status: Status = field(default_factory=Status)

    def refuses(self, revision: str) -> float:
        """Give the seconds for which no pods may be made of a revision, for they are refused or lost; 0 if they may."""
        known = (refusal for refusal in (self.template_refusal, self.stray) if refusal)
        return max((refusal.wait for refusal in known if refusal.revision in ("", revision)), default=0.0)

    def waits(self, lane: Lane) -> bool:
        """Tell whether a kind of write has to wait after a refusal."""
        refusal = self.held.get(lane)
        return refusal is not None and refusal.wait > 0
