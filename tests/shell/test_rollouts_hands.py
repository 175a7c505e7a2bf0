"""Revisions that people lay hands on roll nothing."""

from shell.rolling import group, made, restart, roll
from shell.stage import Stage, names


async def test_a_revision_without_its_labels_is_known_again_by_its_name(stage: Stage) -> None:
    """The group does not see it any more; when it is scaled, its template is still the same one."""
    await group(stage, 2)
    (name,) = names(stage.api.list("controllerrevisions"))
    labels = stage.api.get("controllerrevisions", name)["metadata"]["labels"]
    stage.api.patch("controllerrevisions", name, {"metadata": {"labels": dict.fromkeys(labels)}})
    await roll(stage)
    restart(stage)
    stage.api.patch("podgroups", "web", {"spec": {"replicas": 3}})
    await roll(stage)
    assert made(stage) == 3
    (kept,) = stage.api.list("controllerrevisions")
    assert (kept["metadata"]["name"], kept["metadata"]["labels"]) == (name, labels)
