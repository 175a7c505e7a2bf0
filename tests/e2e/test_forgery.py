"""Labels and ownerReferences that anybody can write never make the operator act in another namespace, or by a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2e.audit_log import requests
from e2e.namespace import Namespace
from e2e.operator_fixtures import new_namespace
from e2e.pod import Pod, uids
from e2e.waiting import eventually, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backend import Backend
    from e2e.api import Api
    from e2e.recording import Recording

pytestmark = pytest.mark.usefixtures("operator")

FOREIGN_UID = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def elsewhere(shop: Namespace, api: Api) -> Iterator[Namespace]:
    """Another namespace."""
    with new_namespace(api) as name:
        yield Namespace(shop.cluster, api, name)


def go_through_a_life(shop: Namespace) -> None:
    """Let the group `web` make, replace and delete pods, and end."""
    first, *_ = shop.complete()
    shop.kill(first)
    shop.complete(without=[first])
    for replicas in (1, 4, 0, 2):
        shop.patch_group({"spec": {"replicas": replicas}})
        shop.complete()
    shop.quiet()
    shop.delete_group()
    eventually([], shop.groups)


def changed(recording: Recording, pods: list[Pod]) -> list[str]:
    """What has happened to pods."""
    return [change.kind for change in recording.history() if change.pod.uid in uids(pods)]


def at_rest(place: Namespace, names: list[str]) -> list[Pod]:
    """Wait until pods are Ready, which is the last thing that the cluster itself does to them."""
    wait_for(f"{names} to be Ready", lambda: all(place.pod(name).ready for name in names))
    return [place.pod(name) for name in names]


def test_labels_mean_nothing_in_another_namespace(shop: Namespace, elsewhere: Namespace) -> None:
    """Pods that bear all labels and annotations of a group's pods, but in another namespace, are never touched."""
    model, *_ = shop.start_group()
    forged = [f"web-{slot}-forge" for slot in range(3)]
    for slot, name in enumerate(forged):
        labels = model.labels | {"selfheal.dev/slot": str(slot)}
        elsewhere.create_pod(name, labels, annotations=model.annotations)
    pods = at_rest(elsewhere, forged)
    with elsewhere.record() as recording:
        go_through_a_life(shop)
        elsewhere.kill(pods[0])  # a loss of theirs is nobody's
        eventually(2, lambda: len(elsewhere.pods()))
        assert changed(recording, pods[1:]) == []
        assert [pod for pod in recording.created() if pod.uid not in uids(pods)] == []


def test_owner_references_mean_nothing_in_another_namespace(
    shop: Namespace, elsewhere: Namespace, backend: Backend
) -> None:
    """Pods that name another namespace's PodGroup as their owner are the garbage collector's business, never ours."""
    if backend.name != "local":
        pytest.skip("only the local control plane has an audit log, which tells the two apart")
    model, *others = shop.start_group()
    for slot in range(3):
        elsewhere.create_pod(f"web-{slot}-forge", model.labels, ownerReferences=model.owners)
    elsewhere.kill_all()  # if the garbage collector has not; a loss of theirs is none of the group's
    eventually([], elsewhere.pods)
    shop.quiet()
    assert uids(shop.complete()) == uids([model, *others])
    assert shop.status()["healing"]["total"] == 0
    elsewhere.create_pod("web-0-again", model.labels, ownerReferences=model.owners)
    go_through_a_life(shop)
    assert [request for request in requests(shop.cluster.name) if request.namespace == elsewhere.name] == []


def test_groups_of_one_name_do_not_mix(shop: Namespace, elsewhere: Namespace) -> None:
    """PodGroups of one name in two namespaces have their own pods; what happens to one is nothing to the other."""
    shop.start_group()
    twins = elsewhere.start_group()
    elsewhere.quiet()
    group = elsewhere.group()
    with elsewhere.record() as recording:
        go_through_a_life(shop)
        assert recording.history() == []
    assert elsewhere.group() == group
    assert uids(elsewhere.pods()) == uids(twins)


def test_kind_and_name_of_an_owner_are_not_enough(shop: Namespace, backend: Backend) -> None:
    """A pod in the group's own namespace whose owner has its kind and name but another UID is no pod of the group's."""
    model, *others = shop.start_group()
    owner = model.owners[0] | {"uid": FOREIGN_UID}
    forged = shop.create_pod("forged", model.labels, ownerReferences=[owner])
    shop.patch_group({"spec": {"replicas": 1}})
    shop.complete()
    shop.patch_group({"spec": {"replicas": 2}})
    kept = shop.complete()
    assert forged.uid not in uids(kept)
    assert uids(kept) & uids([model, *others])
    deleted = {f"Deleted pod: {pod.name}" for pod in (model, *others) if pod.uid not in uids(kept)}
    eventually(deleted, lambda: set(shop.notes("SuccessfulDelete")))
    if backend.name == "local":
        assert [request for request in requests(shop.cluster.name) if request.name == forged.name] == []
