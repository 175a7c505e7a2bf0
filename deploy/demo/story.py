"""The story: seven steps or eight, each with what it does, how to do it by hand, and what has to come of it."""

import time

from demo.kill_process import kill_process
from demo.manifests import LABELS, NAME, NEWCOMER, SELECTOR
from demo.scene import Pods, Scene, full
from demo.stopwatch import spoken

YOUNG_SECONDS = 2


def tell(scene: Scene) -> None:
    """Play all steps that can be played here.

    Raises:
        Trouble: something did not come true in time.
    """
    create(scene)
    kill_one(scene)
    kill_all(scene)
    if scene.manifests.process:
        kill_process(scene)
    grow(scene)
    shrink(scene)
    adopt(scene)
    delete(scene)


def create(scene: Scene) -> None:
    """Create the PodGroup."""
    scene.step(
        "A PodGroup of three",
        "It asks for 3 pods; the operator, a process on this machine, fills the seats.",
        f"apply -f {scene.manifests.group_file}",
    )
    scene.act(lambda: scene.api.create_podgroup(scene.namespace, scene.manifests.group))
    seconds = scene.expect(full(3), "The new PodGroup did not get its 3 pods")
    scene.screen.result(f"3 of 3 ready after {spoken(seconds)}")


def kill_one(scene: Scene) -> None:
    """Delete the pod in the middle."""
    victim = scene.in_seat(1)
    scene.step(
        "Kill one pod",
        f"{victim.name} is deleted. Nobody asked for fewer pods, so another one takes its seat.",
        f"delete pod {victim.name} --wait=false",
    )
    scene.kill([victim], lambda: scene.api.delete_pod(scene.namespace, victim.name, victim.uid))
    expect_healed(scene, [victim.name])


def kill_all(scene: Scene) -> None:
    """Delete all three pods in one request."""
    victims = [scene.in_seat(number) for number in range(3)]
    scene.step(
        "Kill all three at once",
        "One request deletes every pod of the group. Three come back: not two, not four.",
        f"delete pods -l {SELECTOR} --wait=false",
    )
    scene.kill(victims, lambda: scene.api.delete_pods(scene.namespace, SELECTOR))
    expect_healed(scene, [victim.name for victim in victims])


def expect_healed(scene: Scene, victims: list[str]) -> None:
    """Wait for a Ready replacement of each victim, and for a full group."""
    whole = full(3)
    names = ", ".join(victims)
    scene.expect(
        lambda pods: scene.stopwatches.stopped and whole(pods), f"Killed and not healed: {names}: no Ready replacement"
    )
    slowest = max(each.ready or 0 for each in scene.stopwatches.recoveries if each.victim in victims)
    scene.screen.result(f"healed: 3 of 3 ready again, {spoken(slowest)} after the delete request")


def grow(scene: Scene) -> None:
    """Scale up."""
    scene.step(
        "Scale to five",
        "Two more seats are filled; nobody who sits is disturbed.",
        f"scale pgrp/{NAME} --replicas=5",
    )
    scene.act(lambda: scene.api.scale_podgroup(scene.namespace, NAME, 5))
    seconds = scene.expect(full(5), "Scaled to 5, but the group did not get its 5 pods")
    scene.screen.result(f"5 of 5 ready after {spoken(seconds)}")


def shrink(scene: Scene) -> None:
    """Scale down."""
    scene.step(
        "And back to three",
        "Two pods go, chosen in the order in which a ReplicaSet would choose them.",
        f"scale pgrp/{NAME} --replicas=3",
    )
    scene.act(lambda: scene.api.scale_podgroup(scene.namespace, NAME, 3))

    def settled(pods: Pods) -> bool:
        return len(pods) == 3 and full(3)(pods)  # noqa: PLR2004 - the three of the story

    seconds = scene.expect(settled, "Scaled to 3, but the group did not shrink to 3 pods")
    scene.screen.result(f"3 of 3 ready, two are gone after {spoken(seconds)}")


def adopt(scene: Scene) -> None:
    """Let a bare pod join; the group is full, so another pod has to go."""
    name = NEWCOMER
    scene.step(
        "Adopt a bare pod",
        f"`{name}` belongs to nobody until it gets the group's label. The group takes it in, has one pod too many "
        "then, and sends another one away: the newcomer's deletion cost makes it the dearest.",
        f"apply -f {scene.manifests.newcomer_file}",
        f"label pod {name} {SELECTOR}",
    )

    def waits(pods: Pods) -> bool:
        return any(pod.name == name and pod.ready for pod in pods)

    def joined(pods: Pods) -> bool:
        return full(3)(pods) and any(pod.name == name and pod.owned and pod.live for pod in pods)

    scene.act(lambda: scene.api.create_pod(scene.namespace, scene.manifests.newcomer))
    scene.expect(waits, f"The bare pod `{name}` did not become Ready")
    scene.act(lambda: scene.api.label_pod(scene.namespace, name, LABELS))
    seconds = scene.expect(
        joined, f"`{name}` got the group's label, but the group did not adopt it and go back to 3 pods"
    )
    scene.screen.result(f"adopted, and 3 of 3 again after {spoken(seconds)}")


def delete(scene: Scene) -> None:
    """Delete the PodGroup and watch its pods go."""
    scene.step(
        "Delete the PodGroup",
        "Every pod names it as its owner, so Kubernetes removes them; the operator has no part in it.",
        f"delete pgrp/{NAME} --cascade=foreground",
    )
    scene.act(lambda: scene.api.delete_podgroup(scene.namespace, NAME))
    started = time.monotonic()
    explained = False

    def empty(pods: Pods) -> bool:
        nonlocal explained
        if pods and not explained and time.monotonic() - started > YOUNG_SECONDS:
            explained = True
            scene.screen.say(
                "  … Kubernetes' garbage collector looks for new kinds every 30 s, and this kind is young."
            )
        return not pods

    seconds = scene.expect(empty, "The PodGroup was deleted, but its pods did not all go")
    scene.screen.result(f"all pods are gone after {spoken(seconds)}, the adopted one too")
