"""The step that only real containers can show: a process is killed, its pod lives on, and the operator keeps still.

What a kubelet can mend in the pod's place it mends by itself; replacing the pod would be the worse cure. So this step
looks for what must not happen: a pod exchanged, a replacement counted.
"""

from demo.manifests import NAME
from demo.pods import Pod
from demo.scene import Pods, Scene, full
from demo.stopwatch import spoken
from demo.trouble import Trouble
from demo.wait import await_that

KILLED = 128 + 9
"""kubectl's exit code when whatever it runs in the container ends with the container."""


def kill_process(scene: Scene) -> None:
    """Kill the process in one container, and look who mends it."""
    victim, process, replicas = scene.in_seat(0), scene.manifests.process, 3
    healed = await_counted(scene)
    scene.expect(lambda pods: len(pods) == replicas, "The pods that were deleted did not all go")
    before = members(scene.watch.pods)
    command = ("exec", victim.name, "--", "killall", "-9", process)
    scene.step(
        "Kill a process inside a pod",
        f"No pod is deleted: the web server in {victim.name} dies, as in a crash. Its kubelet starts the container "
        "again, in the same pod. That is the kubelet's to do, so the operator only looks on.",
        " ".join(command),
    )
    restart = scene.stopwatches.start_restart(victim)
    scene.act(lambda: run(scene, *command))
    whole = full(replicas)
    scene.expect(
        lambda pods: restart.ready is not None and whole(pods),
        f"{process} was killed in {victim.name}, but the pod was not restarted and ready again",
    )
    check_unmoved(before, scene.watch.pods)
    check_uncounted(scene, healed, replicas)
    now, seconds = members(scene.watch.pods)[victim.uid], restart.ready or 0
    scene.screen.result(f"ready again {spoken(seconds)} after `kubectl exec` began: its kubelet restarted it")
    scene.screen.result(f"same pod, same UID ({now.uid}), restarts {victim.restarts} -> {now.restarts}")
    scene.screen.result(f"HEALED is {healed}, as before: nobody was replaced")


def run(scene: Scene, *command: str) -> None:
    """Run a kubectl command that may be killed together with what it kills.

    Raises:
        Trouble: it failed; kubectl's words tell why.
    """
    answer = scene.stage.kubectl(*command)
    if answer.returncode not in (0, KILLED):
        message = f"`kubectl {' '.join(command)}` failed: {(answer.stderr + answer.stdout).strip()}"
        raise Trouble(message)


def await_counted(scene: Scene) -> int:
    """Wait until the group has counted all that was killed so far, and return its HEALED."""
    killed = len(scene.stopwatches.recoveries)
    await_that(
        lambda: healed_of(scene) == killed, scene.patience, f"{killed} pods were killed, but HEALED does not say so"
    )
    return killed


def check_uncounted(scene: Scene, healed: int, replicas: int) -> None:
    """Wait until the group's status says that all are ready, and see that nothing was counted as healed.

    Raises:
        Trouble: something was.
    """

    def settled() -> bool:
        return bool(scene.api.podgroup_status(scene.namespace, NAME).get("readyReplicas") == replicas)

    await_that(settled, scene.patience, f"All {replicas} pods are ready, but the group does not say so")
    counted = healed_of(scene)
    if counted != healed:
        message = f"Nobody was replaced, but HEALED went from {healed} to {counted}."
        raise Trouble(message)


def healed_of(scene: Scene) -> int:
    """Read what the column HEALED shows."""
    return int(scene.api.podgroup_status(scene.namespace, NAME).get("healing", {}).get("total", 0))


def members(pods: Pods) -> dict[str, Pod]:
    """List the group's live pods by UID: another pod is another UID, whatever its name."""
    return {pod.uid: pod for pod in pods if pod.owned and pod.live}


def check_unmoved(before: dict[str, Pod], pods: Pods) -> None:
    """See that the very same pods are there as before.

    Raises:
        Trouble: some came or went.
    """
    after = members(pods)
    came = [pod.name for uid, pod in after.items() if uid not in before]
    went = [pod.name for uid, pod in before.items() if uid not in after]
    if came or went:
        message = (
            "Only a process was killed, and its pod should have lived on; "
            f"but pods came ({', '.join(came) or 'none'}) and went ({', '.join(went) or 'none'})."
        )
        raise Trouble(message)
