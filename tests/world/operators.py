"""An operator of this world: the real cache, ledger and plan, on a view of the API server that may be old."""

from dataclasses import dataclass, field, replace

from builders import GROUP_UID, OWNER
from podgroup_operator.core.model import Desired, Observed, Plan, Pod
from podgroup_operator.core.plan import plan
from podgroup_operator.core.status import summarize
from podgroup_operator.observe.ledger import Ledger
from podgroup_operator.observe.pods import PodStore
from world.act import Act
from world.apiserver import ApiServer, Fate, Trouble, untroubled

NAMESPACE = "shop"


def wake_nobody(pod: Pod) -> bool:
    """Leave it to the test when an operator looks at its group."""
    return bool(pod.controller)


@dataclass
class Operator:
    """An operator: the real cache, ledger and plan; its own view of the world, which may be old."""

    server: ApiServer
    store: PodStore = field(init=False)
    ledger: Ledger = field(default_factory=Ledger)
    seen: int = 0
    desired: Desired = field(init=False)

    def __post_init__(self) -> None:
        """Start up: list everything."""
        self.store = PodStore(wake_nobody, lambda: self.server.now)
        self.relist()

    def relist(self) -> None:
        """Take the whole truth at once; whatever happened in between goes unseen."""
        self.store.replace("", [pod for pod in self.server.pods.values() if visible(pod)], self.server.version)
        self.seen = len(self.server.history)
        self.hear()

    def hear(self) -> None:
        """Learn what the group asks for now."""
        self.desired = self.server.desired

    def deliver(self, number: int) -> None:
        """Learn the next events of the history."""
        for event in self.server.history[self.seen : self.seen + number]:
            self.seen += 1
            if event.gone or not visible(event.pod):
                self.store.remove(event.pod.uid)
            else:
                self.store.upsert(event.pod)
            self.store.reached("", event.version)

    @property
    def caught_up(self) -> bool:
        """Tell whether the cache shows all of this operator's own writes."""
        family = self.store.family(OWNER)
        return self.ledger.caught_up(self.store.version(NAMESPACE), family.pods, family.condemned)

    def observe(self) -> Observed:
        """Put together what this operator knows."""
        family, status = self.store.family(OWNER), self.server.status
        return Observed(
            pods=(*family.pods.values(), *self.store.orphans(NAMESPACE)),
            names=frozenset(self.ledger.names),
            losses=dict(family.losses),
            epochs=dict(family.epochs),
            first_look=self.ledger.first_look,
            create_refusal=self.ledger.create_refusal,
            status=replace(status, healing=self.ledger.remembered(status.healing)),
        )

    def look(self, fate: Fate = untroubled) -> Plan | None:
        """Observe, decide, act and tell; None if the cache does not show what was written last."""
        if not self.caught_up:
            return None
        observed = self.observe()
        decision = plan(self.desired, observed, self.server.now)
        self.carry_out(decision, observed, fate)
        return decision

    def carry_out(self, decision: Plan, observed: Observed, fate: Fate = untroubled) -> None:
        """Act on a plan, and tell what came of it."""
        if decision.missing <= 0:
            self.store.family(OWNER).losses.clear()
        outcome = Act(self, fate).carry_out(decision)
        status = summarize(self.desired, observed, outcome, self.server.now)
        self.ledger.settle(status.healing, held=decision.held > 0)
        if fate() is not Trouble.REFUSED:
            self.server.status = status


def visible(pod: Pod) -> bool:
    """Tell whether an informer keeps a pod: ours and orphans, nobody else's."""
    return pod.controller in {"", GROUP_UID}
