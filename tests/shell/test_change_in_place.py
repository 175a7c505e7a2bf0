"""Changes in place on the stage: what is patched, in which order, and what becomes of a pod that is left halfway."""

from typing import Any

import pytest

from fakeapi.faults import Answer
from fakeapi.resources import Obj
from shell.rolling import BAD, image, images, made, nodes_do_their_part, restart, roll
from shell.rolling import group as a_rolling_group
from shell.stage import Stage

LABEL, MARK = "selfheal.dev/revision", "selfheal.dev/changing"
SMALL, LARGE = {"requests": {"cpu": "100m"}}, {"requests": {"cpu": "200m"}}


def in_place(surge: int = 0, unavailable: int = 1) -> Obj:
    """Give a strategy."""
    return {"inPlace": "IfPossible", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}


def a_template(image: str = "app", **fields: object) -> Obj:
    """Give a template of one container."""
    return {"spec": {"containers": [{"name": "app", "image": image, **fields}]}}


async def group(stage: Stage, replicas: int = 3, strategy: Obj | None = None, **fields: object) -> None:
    """Create the group `web`, and let its pods be Ready."""
    await a_rolling_group(stage, replicas, strategy=strategy or in_place(), template=a_template(**fields))  # type: ignore[arg-type]


def change(stage: Stage, image: str = "new", **fields: object) -> None:
    """Change the template."""
    stage.api.patch("podgroups", "web", {"spec": {"template": a_template(image, **fields)}})


def uids(stage: Stage) -> set[str]:
    """Tell which pods there are."""
    return {pod["metadata"]["uid"] for pod in stage.api.pods()}


def between(stage: Stage) -> list[Obj]:
    """Give the pods that are on their way."""
    return [pod for pod in stage.api.pods() if MARK in pod["metadata"].get("annotations", {})]


def report(stage: Stage, pod: Obj, **status: Any) -> None:
    """Let the node of a pod tell something of it."""
    stage.api.patch("pods", pod["metadata"]["name"], {"status": status}, subresource="status")


async def test_a_new_image_is_patched_into_the_pods_that_run(stage: Stage) -> None:
    """The same pods, the new image and revision, no mark left, and nothing counts as a heal."""
    await group(stage)
    before = uids(stage)
    change(stage)
    await roll(stage)
    assert (uids(stage), images(stage), made(stage)) == (before, ["new"] * 3, 3)
    status = stage.status()
    assert {pod["metadata"]["labels"][LABEL] for pod in stage.api.pods()} == {status["updateRevision"]}
    assert (status["updatedReplicas"], status["currentRevision"]) == (3, status["updateRevision"])
    assert (between(stage), status["healing"]["total"] if "healing" in status else 0) == ([], 0)


async def test_no_more_pods_are_patched_than_may_be_unavailable(stage: Stage) -> None:
    """The next one has to wait until the node has done what was patched, and the pod is available again."""
    await group(stage, 4, in_place(unavailable=2))
    change(stage)
    await stage.settle()
    assert images(stage) == ["app", "app", "new", "new"]
    assert [pod["metadata"]["labels"][LABEL] for pod in between(stage)] == [stage.status()["currentRevision"]] * 2
    assert stage.status()["updatedReplicas"] == 0
    first, _ = between(stage)
    stage.api.set_pod(first["metadata"]["name"], ready=True)
    await stage.settle()
    assert images(stage) == ["app", "new", "new", "new"]
    assert stage.status()["updatedReplicas"] == 1


@pytest.mark.parametrize(
    "strategy",
    [{"inPlace": "Never"}, {"inPlace": "IfPossible", "type": "Recreate"}, in_place(1, 0)],
    ids=["Never", "Recreate", "maxUnavailable 0"],
)
async def test_where_it_may_not_be_the_pods_are_replaced(stage: Stage, strategy: Obj) -> None:
    """With Never, with another type than RollingUpdate, and for what restarts where no pod may be unavailable."""
    await group(stage, 2, strategy)
    before = uids(stage)
    change(stage)
    await roll(stage)
    assert (uids(stage) & before, images(stage)) == (set(), ["new"] * 2)
    assert stage.writes("patch") == []


async def test_what_else_has_changed_takes_other_pods(stage: Stage) -> None:
    """An environment variable cannot be patched."""
    await group(stage, 2)
    before = uids(stage)
    change(stage, env=[{"name": "A", "value": "b"}])
    await roll(stage)
    assert uids(stage) & before == set()


async def test_resources_are_resized_where_nothing_restarts(stage: Stage) -> None:
    """One pod at a time through the subresource, though none may be unavailable."""
    await group(stage, 2, in_place(1, 0), resources=SMALL)
    before = uids(stage)
    change(stage, "app", resources=LARGE)
    await stage.settle()
    requests = [pod["spec"]["containers"][0]["resources"]["requests"]["cpu"] for pod in stage.api.pods()]
    assert sorted(requests) == ["200m", "200m"]  # this node is done at once
    await roll(stage)
    assert (uids(stage), made(stage)) == (before, 2)
    assert [each.subresource for each in stage.writes("patch")] == ["", "resize", ""] * 2
    assert stage.status()["updatedReplicas"] == 2


def generation(pod: Obj) -> int:
    """Give a pod's generation."""
    found: int = pod["metadata"]["generation"]
    return found


def infeasible(pod: Obj) -> Obj:
    """Give the status by which a node refuses a resize."""
    refusal = {"type": "PodResizePending", "status": "True", "reason": "Infeasible"}
    return {"conditions": [*pod["status"]["conditions"], refusal]}


async def test_a_resize_that_the_node_cannot_do_makes_place_for_another_pod(stage: Stage) -> None:
    """Its successor first, for the pod runs as it did."""
    await group(stage, 1, in_place(1, 0), resources=SMALL)
    (old,) = stage.api.pods()
    report(stage, old, observedGeneration=1)
    change(stage, "app", resources=LARGE)
    await stage.settle()
    (pod,) = between(stage)
    report(stage, pod, **infeasible(pod))
    await stage.settle()
    assert len(stage.api.pods()) == 2
    await roll(stage)
    (new,) = stage.api.pods()
    assert new["metadata"]["uid"] != old["metadata"]["uid"]
    assert stage.status()["updatedReplicas"] == 1


async def test_a_node_that_does_not_follow_within_a_minute_loses_the_pod(stage: Stage) -> None:
    """As long as its observedGeneration is behind nothing else is touched; then the pod is replaced."""
    await group(stage, 2)
    for pod in stage.api.pods():
        report(stage, pod, observedGeneration=1)
    change(stage)
    await stage.settle()
    (pod,) = between(stage)
    stage.now += 59
    delay = await stage.settle()
    assert stage.writes("delete") == []
    assert delay == pytest.approx(1, abs=0.1)
    stage.now += 1
    await stage.settle()
    assert [each.name for each in stage.writes("delete")] == [pod["metadata"]["name"]]


@pytest.mark.parametrize("code", [403, 422])
async def test_a_patch_that_is_refused_is_not_tried_on_every_pod(stage: Stage, code: int) -> None:
    """After one no the pods are replaced, and nothing more is asked."""
    await group(stage, 3, resources=SMALL)
    before = uids(stage)
    stage.api.faults.add(Answer(code), verb="patch", resource="pods", subresource="resize", times=None)
    change(stage, "app", resources=LARGE)
    await roll(stage)
    assert uids(stage) & before == set()
    assert len(stage.writes("patch")) == 2


async def test_what_a_policy_changes_on_its_way_is_replaced(stage: Stage) -> None:
    """An image for a mirror's: the pods are not patched again and again."""
    await group(stage, 2)

    def mirror(pod: Obj) -> None:
        pod["spec"]["containers"][0]["image"] = "mirror"

    stage.api.mutate = mirror
    change(stage)
    await roll(stage)
    assert images(stage) == ["new", "new"]


async def test_a_successor_finishes_what_it_finds(stage: Stage) -> None:
    """An operator that starts anew knows the pod by its mark, patches no other and labels it when it is done."""
    await group(stage, 2)
    before = uids(stage)
    change(stage)
    await stage.settle()
    restart(stage)
    await stage.settle()
    assert images(stage) == ["app", "new"]
    await roll(stage)
    assert (uids(stage), images(stage), between(stage)) == (before, ["new", "new"], [])


@pytest.mark.parametrize(
    "fault", [Answer(500), Answer(500, after=True), Answer(401)], ids=["not done", "done", "nobody knows who asks"]
)
async def test_a_patch_without_a_good_answer_is_found_out(stage: Stage, fault: Answer) -> None:
    """Whether it was done or not, no other pod is patched beside it."""
    await group(stage, 3)
    before = uids(stage)
    stage.api.faults.add(fault, verb="patch", resource="pods")
    change(stage)
    stage.hear()
    await stage.look()
    for _ in range(3):
        await stage.settle()
        assert images(stage).count("new") <= 1
        stage.now += 1
    await roll(stage)
    assert (uids(stage), images(stage)) == (before, ["new"] * 3)


async def test_going_back_works_in_place_too(stage: Stage) -> None:
    """A bad image is taken back in the one pod that has it; the others were never touched."""
    await group(stage, 3)
    before = uids(stage)
    change(stage, BAD)
    await stage.settle()
    (pod,) = between(stage)
    waiting = {"name": "app", "imageID": "", "restartCount": 0, "state": {"waiting": {"reason": "ErrImagePull"}}}
    stage.api.set_pod(pod["metadata"]["name"], ready=False)
    report(stage, pod, containerStatuses=[waiting])
    await stage.settle()
    change(stage, "app")
    await roll(stage)
    assert (uids(stage), images(stage), between(stage)) == (before, ["app"] * 3, [])
    assert stage.status()["updatedReplicas"] == 3


async def test_a_pod_that_is_about_to_restart_is_not_patched_again(stage: Stage) -> None:
    """Nobody could tell for which of two images it restarts; it is when it has."""
    await group(stage, 2)
    change(stage)
    await stage.settle()
    change(stage, "newer")
    await stage.settle()
    assert images(stage) == ["app", "new"]
    await roll(stage)
    assert images(stage) == ["newer", "newer"]
    assert made(stage) == 2


async def test_kept_pods_are_not_patched_and_asked_ones_replaced(stage: Stage) -> None:
    """`keep` leaves a pod as it is; `delete` means another pod."""
    await group(stage, 3)
    kept, asked, other = stage.api.pods()
    for pod, name in ((kept, "selfheal.dev/keep"), (asked, "selfheal.dev/delete")):
        by_a_person = {"manager": "person", "fieldsV1": {"f:metadata": {"f:annotations": {f"f:{name}": {}}}}}
        metadata = {"annotations": {name: "true"}, "managedFields": [by_a_person]}
        stage.api.patch("pods", pod["metadata"]["name"], {"metadata": metadata})
    change(stage)
    await roll(stage)
    left = {pod["metadata"]["uid"]: image(pod) for pod in stage.api.pods()}
    assert left[kept["metadata"]["uid"]] == "app"
    assert left[other["metadata"]["uid"]] == "new"
    assert asked["metadata"]["uid"] not in left


async def test_a_paused_group_patches_nothing_and_finishes_what_is_done(stage: Stage) -> None:
    """The label is the truth about a pod; the other one waits."""
    await group(stage, 2)
    change(stage)
    await stage.settle()
    stage.api.patch("podgroups", "web", {"spec": {"paused": True}})
    nodes_do_their_part(stage)
    await stage.settle()
    assert (images(stage), between(stage)) == (["app", "new"], [])
    assert stage.status()["updatedReplicas"] == 1


@pytest.mark.parametrize(
    "spec",
    [
        {"paused": True},
        {"strategy": {"type": "OnDelete", "inPlace": None, "rollingUpdate": None}},
        {"strategy": {"rollingUpdate": {"partition": 2}}},
        {"paused": True, "template": a_template("other")},
    ],
    ids=["paused", "OnDelete", "partition", "paused and another template"],
)
@pytest.mark.parametrize("again", [False, True], ids=["at once", "by a successor"])
async def test_what_was_begun_is_finished_where_nothing_new_would_be_begun(
    stage: Stage, spec: Obj, *, again: bool
) -> None:
    """The resize is done and the images are not when another strategy is chosen: that pod is changed, and no other."""
    await group(stage, 2, resources=SMALL)
    before = uids(stage)
    stage.api.faults.add(Answer(500), verb="patch", resource="pods", nth=3)
    change(stage, resources=LARGE)
    stage.hear()
    await stage.look()
    assert (images(stage), len(between(stage))) == (["app"] * 2, 1)
    stage.api.patch("podgroups", "web", {"spec": spec})
    if again:
        restart(stage)
    stage.now += 5
    await roll(stage)
    assert (images(stage), between(stage), uids(stage)) == (["app", "new"], [], before)
    (new,) = (pod for pod in stage.api.pods() if image(pod) == "new")
    assert new["spec"]["containers"][0]["resources"] == LARGE
    assert stage.status()["updatedReplicas"] == (0 if "template" in spec else 1)


async def test_what_the_api_server_does_not_let_be_finished_is_not_tried_without_a_pause(stage: Stage) -> None:
    """It may have to stay as it is, for nothing is rolled."""
    await group(stage, 2)
    stage.api.faults.add(Answer(500, after=True), verb="patch", resource="pods", nth=1)
    change(stage)
    stage.hear()
    await stage.look()
    (pod,) = between(stage)
    stage.api.patch("pods", pod["metadata"]["name"], {"spec": {"containers": [{"name": "app", "image": "else"}]}})
    stage.api.patch("podgroups", "web", {"spec": {"paused": True}})
    stage.api.faults.add(Answer(422), verb="patch", resource="pods", times=None)
    stage.now += 5
    tries = len(stage.writes("patch"))
    for _ in range(5):
        await stage.settle()
    assert len(stage.writes("patch")) == tries + 1


async def test_what_an_earlier_group_has_left_in_the_middle_is_no_revisions(stage: Stage) -> None:
    """Its label names the template that it had; a group of that one which takes it in does not take it for its own."""
    await group(stage, 2)
    change(stage)
    await stage.settle()
    (changed,) = (pod["metadata"]["name"] for pod in between(stage))
    for pod in stage.api.pods():
        stage.api.patch("pods", pod["metadata"]["name"], {"metadata": {"ownerReferences": None}})
    stage.api.delete("podgroups", "web")
    stage.reconciler.forget(stage.group())
    await group(stage, 2, {"type": "OnDelete"})
    assert (images(stage), between(stage), stage.status()["updatedReplicas"]) == (["app", "new"], [], 1)
    assert LABEL not in stage.api.get("pods", changed)["metadata"]["labels"]
