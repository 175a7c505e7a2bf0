"""A group that is paused before it has ever made a pod."""

from fakeapi.client import a_pod
from shell.rolling import group, roll, template
from shell.stage import Stage, names


async def test_a_group_that_was_created_paused_makes_no_pod_even_where_one_is_asked_for(stage: Stage) -> None:
    """It has taken pods in that are none of its template's, and there is nothing of which another could be made."""
    stage.api.create("pods", a_pod("other", labels={"selfheal.dev/podgroup": "web"}))
    await group(stage, 1, paused=True, template=template("new"))
    stage.api.patch("pods", "other", {"metadata": {"annotations": {"selfheal.dev/delete": "true"}}})
    await roll(stage)
    assert names(stage.api.pods()) == ["other"]
