"""Rights that are lost, or that an older Role lacks, cost their feature alone."""

import pytest

from fakeapi import Answer, ErrorEvent, FakeApi
from fakeapi.client import a_group, a_pod
from podgroup_operator import scope
from podgroup_operator.observe.revisions import RevisionStore
from shell.operating import operating
from shell.rolling import REFUSED, group, images_of, refuse, restart_with, roll, set_image, template
from shell.stage import Stage, names

REVISIONS = "controllerrevisions"


def may_read_revisions(stage: Stage, *, may: bool) -> None:
    """Let an operator start that may read revisions, or may not, as with a Role that lacks the right."""
    restart_with(stage, RevisionStore())
    if may:
        del stage.hear_revisions


async def test_a_template_that_is_changed_without_the_rights_is_rolled_out_with_them(stage: Stage) -> None:
    """What was found of it before is remembered, so it is known to have changed since; a scale alone rolls nothing."""
    await group(stage, 2)
    first = stage.status()["updateRevision"]
    may_read_revisions(stage, may=False)
    set_image(stage, "new")
    await roll(stage)
    stage.api.patch("podgroups", "web", {"spec": {"replicas": 3}})
    await roll(stage)
    assert (images_of(stage.api), stage.status()["updateRevision"]) == (["app", "app", "new"], first)
    assert stage.status()["observedGeneration"] == 3
    may_read_revisions(stage, may=True)
    await roll(stage)
    assert images_of(stage.api) == ["new"] * 3


async def test_a_template_that_is_not_changed_meanwhile_is_not(stage: Stage) -> None:
    """Nor is one that is changed and changed back."""
    await group(stage, 2)
    before = names(stage.api.pods())
    may_read_revisions(stage, may=False)
    for image in ("new", "app"):
        set_image(stage, image)
        await roll(stage)
    may_read_revisions(stage, may=True)
    await roll(stage)
    assert names(stage.api.pods()) == before
    assert stage.condition("Progressing")["reason"] == "NewReplicaSetAvailable"


@pytest.mark.usefixtures("hurried_informer")
async def test_a_right_that_is_lost_changes_nothing_of_what_pods_are_made_of(api: FakeApi) -> None:
    """The template is refused, and a lost pod is of the last good one, though revisions may not be read any more."""
    api.kubelet.start()
    refuse(api, REFUSED)
    async with operating(api):
        api.create("podgroups", a_group("web", 2))
        await api.until(
            lambda: api.get("podgroups", "web").get("status", {}).get("ready") == "2/2", "the pods are Ready"
        )
        api.patch("podgroups", "web", {"spec": {"template": template(REFUSED)}})
        await api.until(
            lambda: "TemplateInvalid" in str(api.get("podgroups", "web")["status"]), "the template is refused"
        )
        for verb in ("list", "watch"):
            api.access.deny(verb, f"{REVISIONS}.apps")
        api.strike(ErrorEvent(410), REVISIONS)
        await api.until(lambda: any(each.code == 403 for each in api.requests), "that is found out")
        lost = names(api.pods())[0]
        api.delete("pods", lost, grace=0)
        await api.until(lambda: len(api.pods()) == 2 and lost not in names(api.pods()), "it is replaced")
        assert images_of(api) == ["app", "app"]


async def test_pods_are_taken_in_where_nobody_may_ask_what_a_template_means(stage: Stage) -> None:
    """A pod that is made in a dry run has the server's defaults too, and tells which pods are up to date."""
    stage.api.access.deny("create", "podtemplates")
    ours = {"selfheal.dev/podgroup": "web"}
    for name, image in (("same", "app"), ("other", "else")):
        pod = a_pod(name, labels=ours)
        pod["spec"]["containers"] = [{"name": "app", "image": image}]
        stage.api.create("pods", pod)
    await group(stage, 2, paused=True)
    assert names(stage.api.pods()) == ["other", "same"]
    assert stage.status()["updatedReplicas"] == 1


async def test_pods_are_made_though_the_server_fails_at_revisions(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What serves them may be ill for long; when it is well again the template is kept without a restart."""
    monkeypatch.setattr(scope, "REVISIONS_PATIENCE", 0.1)
    api.kubelet.start()
    api.faults.add(Answer(500), verb="list", resource=f"{REVISIONS}.apps", times=None)
    async with operating(api):
        api.create("podgroups", a_group("web", 2))
        await api.until(lambda: len(api.pods()) == 2, "the pods are there")
        assert api.list(REVISIONS) == []
        api.faults.clear()
        await api.until(lambda: len(api.list(REVISIONS)) == 1, "the template is kept", 10)


async def test_a_server_that_says_no_to_what_it_cannot_do_holds_no_rollout_up(stage: Stage) -> None:
    """A 501 would be given again: the template counts as one that is like no other."""
    await group(stage, 2)
    stage.api.faults.add(Answer(501), verb="create", resource="podtemplates", times=None)
    set_image(stage, "new")
    await roll(stage)
    assert images_of(stage.api) == ["new"] * 2
