"""No upgrade starts a rollout, nor does what people change of a group after it."""

import pytest

from fakeapi.resources import PODGROUPS
from shell.rolling import group, made, restart, roll, set_image
from shell.stage import Stage


def upgrade(stage: Stage) -> None:
    """Let the definition of PodGroups have a default within the template: nobody changes the group, and it reads so."""
    body = stage.api.get("podgroups", "web")
    body["spec"]["template"]["metadata"] = {"annotations": {"added": "by a default"}}
    stage.api.store.put(PODGROUPS, body)


@pytest.mark.parametrize("restarts", [True, False])
async def test_a_new_default_of_the_definition_rolls_nothing_when_the_group_is_scaled(
    stage: Stage, *, restarts: bool
) -> None:
    """The template was as it is now before the number was changed, and pods of it are up to date."""
    await group(stage, 2)
    upgrade(stage)
    if restarts:
        restart(stage)
    await roll(stage)
    stage.api.patch("podgroups", "web", {"spec": {"replicas": 3}})
    await roll(stage)
    assert (made(stage), stage.status()["updatedReplicas"]) == (3, 3)
    assert stage.condition("Ready")["status"] == "True"


async def test_a_template_that_is_changed_after_an_upgrade_is_rolled_out(stage: Stage) -> None:
    """That it differs from what it was is no default's doing."""
    await group(stage, 2)
    upgrade(stage)
    restart(stage)
    await roll(stage)
    set_image(stage, "new")
    await roll(stage)
    assert made(stage) == 4
