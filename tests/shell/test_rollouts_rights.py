"""Rights that are lost, or that an older Role lacks, cost their feature alone."""

import pytest

from fakeapi import ErrorEvent, FakeApi
from fakeapi.client import a_group, a_pod
from shell.operating import operating
from shell.rolling import REFUSED, group, images_of, refuse, template
from shell.stage import Stage, names

REVISIONS = "controllerrevisions"


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
