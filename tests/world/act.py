"""A plan carried out on the API server of this world, as `apply.py` does it on a real one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from builders import GROUP_UID, LABELS, OWNER
from podgroup_operator.api.wire import read_pod
from podgroup_operator.core.manifest import pod_manifest
from podgroup_operator.core.model import Create, Delete, Desired, Failure, Outcome, Plan, Pod
from podgroup_operator.core.names import LABEL_SLOT
from world.apiserver import Conflict, Trouble

if TYPE_CHECKING:
    from collections.abc import Iterable

    from world.apiserver import Fate
    from world.operators import Operator


class Act:
    """A plan being carried out."""

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
            self._ledger.hold_creates("trouble", self._server.now)
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
