"""A template that is refused, while something keeps pods of the last good one from being made, too."""

from fakeapi import Answer
from fakeapi.resources import Obj
from shell.rolling import REFUSED, group, images, made, refuse, roll, set_image, template
from shell.stage import Stage, names

LABELS = {"app": "web"}


async def pass_time(stage: Stage, seconds: float) -> None:
    """Look whenever the operator asks for it."""
    end = stage.now + seconds
    while stage.now < end:
        stage.hear()
        stage.now += max(await stage.look() or 1.0, 0.01)


async def test_pods_that_stray_are_not_made_without_end_beside_a_refused_template(stage: Stage) -> None:
    """A policy takes the label off that the selector needs: the pause after each such pod grows from 20 s."""
    labelled = template("app") | {"metadata": {"labels": LABELS}}
    await group(stage, 2, selector={"matchLabels": LABELS}, template=labelled)

    def strip(pod: Obj) -> None:
        del pod["metadata"]["labels"]["app"]

    stage.api.admit = strip
    set_image(stage, "new")
    await roll(stage)
    assert stage.condition("Stalled")["reason"] == "TemplateInvalid"
    stage.api.delete("pods", names(stage.api.pods())[0])
    await pass_time(stage, 130)
    assert made(stage) - 2 == 3  # after 0, 20 and 60 seconds
    assert stage.condition("Stalled")["reason"] == "TemplateInvalid"


async def test_two_templates_that_are_refused_end_no_pause_of_each_other(stage: Stage) -> None:
    """A policy refuses every pod: creates of the last good template wait ever longer, and the words stay the same."""
    await group(stage, 2)
    refuse(stage.api)
    set_image(stage, REFUSED)
    await roll(stage)
    for name in names(stage.api.pods()):
        stage.api.delete("pods", name, grace=0)
    before, told = len(stage.api.requests), stage.condition("Stalled")
    await pass_time(stage, 120)
    assert len(stage.api.requests) - before < 60
    assert stage.condition("Stalled") == told


async def test_a_refused_template_costs_one_question_at_a_time(stage: Stage) -> None:
    """It was compared with those that are kept when it was asked about first, and they have not changed."""
    await group(stage, 2)
    for number in range(5):
        set_image(stage, f"v{number}")
        await roll(stage)
    refuse(stage.api, REFUSED)
    set_image(stage, REFUSED)
    await roll(stage)
    before = len(stage.api.writes)
    for _ in range(3):
        stage.now += 20
        await stage.settle()
    assert [request.resource for request in stage.api.writes[before:] if request.dry_run] == ["pods"] * 3


async def test_a_template_that_is_refused_touches_no_pod_though_no_status_was_written_yet(stage: Stage) -> None:
    """The group is as young as that: what its pods are of is remembered, and lost ones are made of it."""
    fault = stage.api.faults.add(
        Answer(500), verb="patch", resource="podgroups.selfheal.dev", subresource="status", times=None
    )
    await group(stage, 2, strategy={"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}})
    refuse(stage.api, REFUSED)
    set_image(stage, REFUSED)
    await roll(stage)
    assert (fault.hits > 0, made(stage)) == (True, 2)
    assert images(stage) == ["app", "app"]
    stage.api.delete("pods", names(stage.api.pods())[0], grace=0)
    await roll(stage)
    assert images(stage) == ["app", "app"]
    stage.api.faults.clear()
    stage.now += 20
    await roll(stage)
    assert stage.condition("Stalled")["reason"] == "TemplateInvalid"


async def test_no_pod_is_taken_away_for_a_template_that_is_refused_after_all(stage: Stage) -> None:
    """A webhook that cannot be asked in a dry run refuses its pods: one was taken, others stay though they are sick."""
    await group(stage, 4, strategy={"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}})
    refuse(stage.api, REFUSED)
    words = 'admission webhook "old.example" does not support dry run'
    stage.api.faults.add(Answer(400, message=words), verb="create", resource="pods", nth=1)
    set_image(stage, REFUSED)
    await roll(stage)
    assert images(stage) == ["app"] * 3
    assert stage.condition("Stalled")["reason"] == "TemplateInvalid"
    stage.api.set_pod(names(stage.api.pods())[0], ready=False)
    await stage.settle()
    assert images(stage) == ["app"] * 3


async def test_a_new_template_is_compared_with_all_that_are_kept_at_once(stage: Stage) -> None:
    """Three times, for there may be servers of two versions: what it means itself is asked once each time."""
    await group(stage, 1)
    for number in range(4):
        set_image(stage, f"v{number}")
        await roll(stage)
    before = len(stage.api.writes)
    set_image(stage, "new")
    await roll(stage)
    asked = [request for request in stage.api.writes[before:] if request.resource == "podtemplates"]
    assert len(asked) == 3 * (1 + 5)
