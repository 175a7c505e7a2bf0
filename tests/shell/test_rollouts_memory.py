"""What a status remembers of a rollout, after the template, the number of pods or a clock has changed."""

from fakeapi.resources import Obj
from podgroup_operator.api.wire.revision import read_revision
from podgroup_operator.observe.revisions import RevisionStore
from shell.rolling import BAD, group, images, made, restart, restart_with, roll, set_image
from shell.stage import Stage

DAY = 86_400.0


async def rolled_back(stage: Stage) -> None:
    """Let the group `web` of two pods be rolled to a template that never comes up, and back."""
    await group(stage, 2, progressDeadlineSeconds=60, rollbackOnDeadline=True)
    set_image(stage, BAD)
    await roll(stage)
    stage.now += 200
    await roll(stage)
    assert images(stage) == ["app"] * 2
    assert stage.condition("Stalled")["reason"] == "RolledBack"


def told(stage: Stage) -> Obj:
    """Give what the status tells of the rollout."""
    rollout: Obj = stage.status()["rollout"]
    return rollout


async def test_who_writes_the_good_template_back_is_done_with_the_bad_one(stage: Stage) -> None:
    """The group is Ready, and nothing needs a person."""
    await rolled_back(stage)
    set_image(stage, "app")
    await roll(stage)
    assert (stage.condition("Ready")["status"], stage.condition("Stalled")["status"]) == ("True", "False")
    assert "rolledBackFrom" not in told(stage)


async def test_a_template_that_was_taken_back_is_tried_again_when_it_is_written_again(stage: Stage) -> None:
    """That is a change of the template, and the cause of the first failure may be mended."""
    await rolled_back(stage)
    for image in ("app", BAD):
        set_image(stage, image)
        await roll(stage)
    assert images(stage) == ["app", "app", BAD]


async def test_a_template_of_no_pods_was_never_available(stage: Stage) -> None:
    """Written while the group is scaled to 0, it is nothing to go back to."""
    await group(stage, 2)
    good = stage.status()["lastAvailableRevision"]
    stage.api.patch("podgroups", "web", {"spec": {"replicas": 0}})
    await roll(stage)
    set_image(stage, BAD)
    await roll(stage)
    assert stage.condition("Progressing")["reason"] == "NewReplicaSetAvailable"
    assert stage.status()["lastAvailableRevision"] == good


async def test_a_clock_that_was_ahead_puts_no_deadline_off(stage: Stage) -> None:
    """The operator that wrote down when the rollout went on last was a day ahead."""
    await group(stage, 2, progressDeadlineSeconds=60)
    stage.now += DAY
    set_image(stage, BAD)
    await roll(stage)
    stage.now -= DAY
    restart(stage)
    await roll(stage)
    stage.now += 200
    await roll(stage)
    assert stage.condition("Progressing")["reason"] == "ProgressDeadlineExceeded"


async def test_a_successor_that_has_not_heard_of_the_newest_revision_goes_on_with_it(stage: Stage) -> None:
    """Its watch of revisions may be dead: the API server says by their names that they are there."""
    await group(stage, 3)
    first = [read_revision(body) for body in stage.api.list("controllerrevisions")]
    set_image(stage, "new")
    await stage.settle()
    known = RevisionStore()
    known.replace("", [each for each in first if each], stage.api.version)
    restart_with(stage, known)
    await roll(stage)
    assert (images(stage), made(stage)) == (["new"] * 3, 6)
    assert len(stage.api.list("controllerrevisions")) == 2
