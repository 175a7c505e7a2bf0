"""The storm brake: where many nodes are lost at once, the network or the control plane is, and moving pods would harm.

Above a share of the nodes, at least two, nothing is healed for the sake of nodes; nor where no node is left to go to.
After it has calmed nothing is for a cool-down, which a second storm begins anew: nodes come back one by one, and those
that are still away are no news (medik8s' NodeHealthCheck has the same hysteresis; kube-controller-manager slows down
above 55 % of a zone, node-lifecycle's unhealthy-zone-threshold).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from podgroup_operator.core.model.node import Node, Storm

FEWEST = 2
"""Nodes; of a small cluster one may be lost without a storm."""


@dataclass(frozen=True, slots=True)
class Brake:
    """When it is a storm.

    Attributes:
        percent: of the nodes that must be lost.
        cooldown: seconds for which nothing is healed after it.
    """

    percent: int = 55
    cooldown: float = 60.0

    def apply(self, nodes: Iterable[Node], before: Storm, now: float) -> Storm:
        """Tell how it stands.

        Args:
            nodes: all of them; those that are gone do not count, for somebody has taken them away.
            before: how it stood.
            now: seconds since the epoch.
        """
        lost = [node.lost_since is not None for node in nodes if not node.gone]
        number, of = sum(lost), len(lost)
        raging = 0 < of == number or (number >= FEWEST and number * 100 >= self.percent * of)
        until = now + self.cooldown if before.raging and not raging else before.until
        return Storm(raging, until, number, of)
