"""A small model of the world around the core: an API server that remembers, and operators that lag behind it.

The API server is a dict of pods with one order of versions and a history of what happened. An operator sees that
history late, decides with the real plan from the real cache and ledger, and acts on the API server, which may
refuse, or do it and not answer. So what is explored here is what a running operator meets, without its I/O.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import Enum

from builders import GROUP_UID, LABELS, NOW, OWNER, desired
from podgroup_operator.core.manifest import pod_manifest
from podgroup_operator.core.model import Create, Delete, Desired, Failure, Observed, Outcome, Phase, Plan, Pod, Status
from podgroup_operator.core.names import LABEL_SLOT
from podgroup_operator.core.plan import plan
from podgroup_operator.core.status import summarize
from podgroup_operator.ledger import Ledger
from podgroup_operator.pods import PodStore
from podgroup_operator.wire import read_pod

NAMESPACE = "shop"


class Conflict(Exception):
    """The API server's 409 and 404: the name is taken, or what is meant is not there any more."""


class Trouble(Enum):
    """What the API server does to a request."""

    NONE = "none"
    REFUSED = "refused"  # 403, and nothing is done
    UNANSWERED = "unanswered"  # it is done, and the answer is lost


Fate = Callable[[], Trouble]


def untroubled() -> Trouble:
    """Let every request through."""
    return Trouble.NONE


@dataclass(frozen=True)
class Event:
    """One entry of the history: a pod as it is now, or as it was when it went."""

    version: int
    pod: Pod
    gone: bool


@dataclass
class ApiServer:
    """The truth: pods by name, the group's spec and status.

    Attributes:
        made: UIDs of the pods that operators have created.
    """

    replicas: int
    pods: dict[str, Pod] = field(default_factory=dict)
    history: list[Event] = field(default_factory=list)
    status: Status = field(default_factory=Status)
    version: int = 0
    now: float = NOW
    made: set[str] = field(default_factory=set)

    @property
    def desired(self) -> Desired:
        """Give what the group asks for now."""
        return desired(self.replicas)

    def write(self, pod: Pod) -> Pod:
        """Store a pod, new or changed."""
        self.version += 1
        pod = replace(pod, version=self.version)
        self.pods[pod.name] = pod
        self.history.append(Event(self.version, pod, gone=False))
        return pod

    def add(self, pod: Pod) -> Pod:
        """Create a pod, unless its name is taken."""
        if pod.name in self.pods:
            raise Conflict(pod.name)
        return self.write(replace(pod, uid=f"uid-{self.version + 1}", created=self.now))

    def matching(self, pod: Pod, *, exactly: bool = True) -> Pod:
        """Find the pod of a precondition: the same UID, and the same version if `exactly`."""
        current = self.pods.get(pod.name)
        if current is None or current.uid != pod.uid or (exactly and current.version != pod.version):
            raise Conflict(pod.name)
        return current

    def delete(self, pod: Pod) -> None:
        """Delete a pod: one that a kubelet has starts to go, any other goes at once."""
        if pod.node and pod.deleted is None:
            self.write(replace(pod, deleted=self.now))
        else:
            self.remove(pod)

    def remove(self, pod: Pod) -> None:
        """Let a pod be gone."""
        self.version += 1
        del self.pods[pod.name]
        self.history.append(Event(self.version, pod, gone=True))

    def live(self) -> list[Pod]:
        """Give the pods that count: the group's own, active, with the labels of the group."""
        return [pod for pod in self.pods.values() if pod.controller == GROUP_UID and alive(pod) and wanted(pod)]


def alive(pod: Pod) -> bool:
    """Tell whether a pod is neither finished nor on its way out."""
    return pod.deleted is None and pod.phase in {Phase.PENDING, Phase.RUNNING, Phase.UNKNOWN}


def wanted(pod: Pod) -> bool:
    """Tell whether a pod has the group's labels."""
    return LABELS.items() <= pod.labels.items()


def wake_nobody(pod: Pod) -> None:
    """Leave it to the test when an operator looks."""


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
        self.ledger.settle(status.healing)
        if fate() is not Trouble.REFUSED:
            self.server.status = status


def visible(pod: Pod) -> bool:
    """Tell whether an informer keeps a pod: ours and orphans, nobody else's."""
    return pod.controller in {"", GROUP_UID}


class Act:
    """A plan being carried out, as `apply.py` does it."""

    def __init__(self, operator: Operator, fate: Fate) -> None:
        self._server = operator.server
        self._desired = operator.desired
        self._ledger = operator.ledger
        self._family = operator.store.family(OWNER)
        self._fate = fate
        self._created: list[Create] = []
        self._deleted: list[Delete] = []
        self._failures: list[Failure] = []

    def carry_out(self, decision: Plan) -> Outcome:
        """Do everything that the plan says, as far as the API server lets us."""
        for release in decision.releases:
            self._change(release.pod, controller="")
        for adopt in decision.adopts:
            labels = {**adopt.pod.labels, LABEL_SLOT: str(adopt.slot)}
            self._change(adopt.pod, controller=GROUP_UID, slot=adopt.slot, labels=labels)
        for batch in batches(decision.creates):
            accepted = [self._create(create) for create in batch]
            if not all(accepted):
                break
        for delete in decision.deletes:
            self._delete(delete)
        if not self._failures and (not decision.empty or decision.missing <= 0):
            self._ledger.accepted()
        return Outcome(tuple(self._created), tuple(self._deleted), tuple(self._failures))

    def _fails(self, reason: str) -> None:
        if not self._failures:
            self._ledger.refused(self._server.now)
        self._failures.append(Failure(reason, "trouble"))

    def _change(self, pod: Pod, **changes: object) -> None:
        trouble = self._fate()
        if trouble is Trouble.REFUSED:
            self._fails("FailedCreate")
            return
        try:
            changed = self._server.write(replace(self._server.matching(pod), **changes))  # type: ignore[arg-type]  # fields by name
        except Conflict:
            return
        if trouble is Trouble.NONE:
            self._ledger.wrote(changed.version)

    def _create(self, create: Create) -> bool:
        trouble = self._fate()
        if trouble is not Trouble.REFUSED:
            try:
                pod = self._server.add(new_pod(self._desired, create))
            except Conflict:
                self._name_taken(create.name)
                return True
            self._server.made.add(pod.uid)
        if trouble is not Trouble.NONE:
            self._fails("FailedCreate")
            self._ledger.hold_creates("trouble")
            return False
        self._created.append(create)
        if create.loss:
            self._family.made_good(create.loss)
        self._ledger.wrote(pod.version)
        return True

    def _name_taken(self, name: str) -> None:
        pod = self._server.pods[name]
        if pod.controller == GROUP_UID:
            self._ledger.wrote(pod.version)
        else:
            self._ledger.names.add(name)

    def _delete(self, delete: Delete) -> None:
        trouble = self._fate()
        if trouble is Trouble.REFUSED:
            self._fails("FailedDelete")
            return
        try:
            pod = self._server.matching(delete.pod)
        except Conflict:
            return
        assert pod.controller == GROUP_UID, "a pod that is not the group's is never deleted"
        self._server.delete(pod)
        self._family.condemned.add(pod.uid)  # answered or not: until the cache shows it, nothing more is deleted
        if trouble is Trouble.UNANSWERED:
            self._fails("FailedDelete")
            return
        self._deleted.append(delete)
        if pod.node:
            self._ledger.wrote(self._server.version)


def batches(creates: tuple[Create, ...]) -> Iterable[tuple[Create, ...]]:
    """Cut creates into batches of 1, 2, 4 and so on."""
    done, size = 0, 1
    while done < len(creates):
        yield creates[done : done + size]
        done, size = done + size, size * 2


def new_pod(group: Desired, create: Create) -> Pod:
    """Read a new pod's manifest as it comes back from the API server."""
    manifest = pod_manifest(group, {"metadata": {"labels": LABELS}}, create)
    manifest["metadata"]["uid"] = "given by the API server"
    pod = read_pod(manifest)
    assert pod is not None, "a pod that the operator makes is one that it watches"
    return pod
