"""Pods that are lost beside new ones that never come up: they come again as they were, and stay."""

from fakeapi import Answer
from shell.rolling import BAD, group, images, of, restart, roll, set_image
from shell.stage import Stage

STUCK = ["app"] * 4 + [BAD]
"""Four pods, of which none may be unavailable, and one more that never will be available."""


async def stuck(stage: Stage) -> None:
    """Let the group `web` of four pods be rolled to a template that never comes up."""
    await group(stage, 4)
    set_image(stage, BAD)
    await roll(stage)
    assert images(stage) == STUCK


async def test_a_pod_that_comes_again_as_it_was_is_left_to_come_up(stage: Stage) -> None:
    """It is not available at first, and others of its template that are not go before all others."""
    await stuck(stage)
    stage.api.delete("pods", of(stage, "app")[0], grace=0)
    await stage.settle()
    assert images(stage) == STUCK
    await roll(stage)
    assert images(stage) == STUCK


async def test_where_nothing_new_is_tried_a_pod_that_does_not_come_up_makes_room(stage: Stage) -> None:
    """Its image may be gone: a rollout that has no surge would wait for it for ever."""
    await group(stage, 2, strategy={"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}})
    for name in of(stage, "app"):
        stage.api.delete("pods", name, grace=0)
    set_image(stage, "new")
    await stage.settle()
    assert "new" in images(stage)


async def test_a_lost_pod_is_missed_until_its_replacement_is_accepted(stage: Stage) -> None:
    """There are pods enough with the new one, but that one may never be available."""
    await stuck(stage)
    stage.api.faults.add(Answer(500), verb="create", resource="pods", nth=1)
    stage.api.delete("pods", of(stage, "app")[0], grace=0)
    await stage.settle()
    assert images(stage) == ["app"] * 3 + [BAD]
    stage.now += 20
    await roll(stage)
    assert images(stage) == STUCK


async def test_what_was_lost_while_nobody_looked_comes_again_as_it_was(stage: Stage) -> None:
    """The last status says how many were available."""
    await stuck(stage)
    for name in (*of(stage, BAD), *of(stage, "app")[:2]):
        stage.api.delete("pods", name, grace=0)
    stage.hear()
    restart(stage)
    await roll(stage)
    assert images(stage) == STUCK


async def test_a_new_pod_stands_for_none_of_those_that_were_lost_unseen(stage: Stage) -> None:
    """None may be unavailable, so it was not the operator that took them."""
    await stuck(stage)
    for name in of(stage, "app")[:2]:
        stage.api.delete("pods", name, grace=0)
    stage.hear()
    restart(stage)
    await roll(stage)
    assert images(stage) == STUCK


async def test_what_the_operator_may_have_taken_itself_does_not_come_again(stage: Stage) -> None:
    """One may be unavailable: one that is gone may have been taken for the new ones."""
    await group(stage, 4, strategy={"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}})
    set_image(stage, BAD)
    await roll(stage)
    assert images(stage) == ["app"] * 3 + [BAD] * 2
    stage.api.delete("pods", of(stage, "app")[0], grace=0)
    stage.hear()
    restart(stage)
    await roll(stage)
    assert images(stage) == ["app"] * 3 + [BAD] * 2
