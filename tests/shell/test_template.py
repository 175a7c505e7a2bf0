"""A new template is shown to the API server once, as a dry run, before pods are made of it."""

import pytest

from fakeapi import Answer, Cut, StatusError, errors
from fakeapi.client import a_group
from fakeapi.faults import RequestFault
from fakeapi.resources import PODS, Obj
from fakeapi.routing import Request
from podgroup_operator.core.conditions import PATIENCE
from shell.stage import Stage, names

CAUSE = ("spec.volumes", "FieldValueNotFound", 'Not found: "data"')
WORDS = 'spec.volumes: Not found: "data"'


def asked(stage: Stage) -> list[Request]:
    """Give the dry runs."""
    return [request for request in stage.api.writes if request.dry_run and request.resource == "pods"]


def refuse(stage: Stage, image: str) -> None:
    """Let the API server refuse each pod of an image as invalid."""

    def admit(pod: Obj) -> StatusError | None:
        bad = pod["spec"]["containers"][0]["image"] == image
        return errors.invalid(PODS, pod["metadata"]["name"], CAUSE) if bad else None

    stage.api.admit = admit


def set_image(stage: Stage, image: str) -> None:
    """Change the template."""
    template = {"spec": {"containers": [{"name": "app", "image": image}]}}
    stage.api.patch("podgroups", "web", {"spec": {"template": template}})


async def group(stage: Stage, replicas: int = 2) -> None:
    """Create the group `web` of image `app` and let it come to rest."""
    stage.api.create("podgroups", a_group("web", replicas))
    await stage.settle()


async def test_a_revision_is_asked_about_once(stage: Stage) -> None:
    """However often pods are made of it; a new template is asked about again."""
    await group(stage)
    stage.api.delete("pods", names(stage.api.pods())[0])
    stage.api.patch("podgroups", "web", {"spec": {"replicas": 4}})
    await stage.settle()
    assert (len(asked(stage)), len(stage.api.pods())) == (1, 4)
    set_image(stage, "other")
    await stage.settle()
    assert len(asked(stage)) == 2


async def test_where_no_dry_run_can_be_made_pods_are_made_without(stage: Stage) -> None:
    """An old webhook that has effects is in the way of each dry run, and of no create."""
    words = 'admission webhook "old.example" does not support dry run'
    stage.api.faults.add(Answer(400, message=words), verb="create", resource="pods", nth=1)
    await group(stage)
    assert len(stage.api.pods()) == 2
    assert stage.condition("Ready")["reason"] != "TemplateInvalid"


async def test_the_server_sees_the_pod_as_it_would_be_made(stage: Stage) -> None:
    """Strictly validated, with the operator's labels and owner, under a name that no pod has."""
    await group(stage)
    (request,) = asked(stage)
    assert dict(request.query) == {"dryRun": "All", "fieldValidation": "Strict"}
    made = stage.writes("create")[0].body
    assert request.body is not None
    assert made is not None
    assert request.body["spec"] == made["spec"]
    assert request.body["metadata"]["labels"] == made["metadata"]["labels"]
    assert request.body["metadata"]["ownerReferences"] == made["metadata"]["ownerReferences"]
    assert request.name not in names(stage.api.pods())


async def test_a_template_that_is_refused_stalls_the_group(stage: Stage) -> None:
    """The condition has the server's words and what to do, one Event the field, and no create is tried."""
    refuse(stage, "app")
    await group(stage)
    stalled = stage.condition("Stalled")
    assert (stalled["status"], stalled["reason"]) == ("True", "TemplateInvalid")
    assert WORDS in stalled["message"]
    assert stalled["message"].endswith("Pods that run are left as they are.")
    assert stage.condition("Ready")["reason"] == "TemplateInvalid"
    own_words = "The condition Stalled has the API server's own words."
    assert stage.recorder.told == [("TemplateInvalid", f"spec.volumes: Not found. {own_words}")]
    assert stage.writes("create") == []


async def test_a_refused_template_is_asked_about_again_in_a_while_and_not_before(stage: Stage) -> None:
    """Whatever wakes the group, one dry run in 30 s; the same words are not told twice; then the group goes on."""
    refuse(stage, "app")
    await group(stage)
    for _ in range(10):
        stage.now += 6
        stage.hear()
        delay = await stage.look()
        assert delay is not None
        assert 0 < delay <= 30
    assert len(asked(stage)) == 3
    assert len(stage.recorder.told) == 1
    refuse(stage, "nothing")
    stage.now += 30
    await stage.settle()
    assert (len(stage.api.pods()), stage.condition("Stalled")["status"]) == (2, "False")


async def test_a_corrected_template_is_asked_about_at_once(stage: Stage) -> None:
    """A new revision need not wait for the old one's pause."""
    refuse(stage, "app")
    await group(stage)
    set_image(stage, "good")
    await stage.settle()
    assert (len(stage.api.pods()), stage.condition("Stalled")["status"]) == (2, "False")


async def test_pods_that_run_are_not_touched_by_a_refused_template(stage: Stage) -> None:
    """They stay; one that is lost is not replaced by what the server refuses; there may be fewer of them."""
    await group(stage, 3)
    first = names(stage.api.pods())
    refuse(stage, "bad")
    set_image(stage, "bad")
    await stage.settle()
    assert names(stage.api.pods()) == first
    stage.api.delete("pods", first[0])
    stage.api.patch("podgroups", "web", {"spec": {"replicas": 1}})
    await stage.settle()
    assert len(stage.api.pods()) == 1
    assert len(stage.writes("create")) == 3


@pytest.mark.parametrize("fault", [Answer(403, message="exceeded quota"), Answer(500), Answer(429), Cut()])
async def test_a_refusal_of_the_moment_is_not_about_the_template(stage: Stage, fault: RequestFault) -> None:
    """Quota, permission and trouble are for the create to find out: the group does not stall."""
    stage.api.faults.add(fault, verb="create", resource="pods")
    await group(stage)
    assert len(stage.api.pods()) == 2
    assert stage.condition("Stalled")["status"] == "False"
    assert stage.recorder.told[0][0] == "SuccessfulCreate"


BINDING = (
    "ValidatingAdmissionPolicy 'no' with binding 'no' denied request: failed to configure binding: no params found"
)
PASSING = {
    "a policy whose parameters come a moment later": StatusError(422, f'pods "x" is forbidden: {BINDING}'),
    "a webhook that says no": StatusError(400, 'admission webhook "a.example" denied the request: not yet'),
    "a webhook that forbids": StatusError(403, 'admission webhook "a.example" denied the request: not yet'),
    "a ServiceAccount that is yet to be made": StatusError(
        403, 'pods "x" is forbidden: error looking up service account'
    ),
    "a PriorityClass that is yet to be made": StatusError(
        403, 'pods "x" is forbidden: no PriorityClass with name high'
    ),
    "a quota that is full": StatusError(403, 'pods "x" is forbidden: exceeded quota: pods, requested: pods=1'),
    "a webhook that is away": StatusError(500, 'Internal error occurred: failed calling webhook "a.example"'),
    "an API server that has too much to do": StatusError(429, "Too many requests, please try again later."),
    "an API server that is ill": StatusError(503, "etcdserver: leader changed"),
}
"""What refuses a pod today and may take it in a moment."""


@pytest.mark.parametrize("no", PASSING.values(), ids=PASSING.keys())
async def test_what_may_pass_by_itself_is_not_stalled_at_once(stage: Stage, no: StatusError) -> None:
    """Helm and Flux give up at the first Stalled: it is False for most of a minute, and no pod is needed for that."""
    stage.api.admit = lambda _: no
    await group(stage)
    for _ in range(5):
        assert (stage.condition("Ready")["status"], stage.condition("Stalled")["status"]) == ("False", "False")
        stage.now += PATIENCE / 6
        stage.hear()
        await stage.settle()
    stage.api.admit = lambda _: None
    stage.now += PATIENCE
    stage.hear()
    await stage.settle()
    assert (len(stage.api.pods()), stage.condition("Stalled")["status"]) == (2, "False")


@pytest.mark.parametrize("code", [400, 403, 422])
async def test_what_a_policy_denies_for_a_minute_is_stalled(stage: Stage, code: int) -> None:
    """Then it will not pass: the condition has its words and what to do, whichever code they come with."""
    stage.api.admit = lambda _: StatusError(code, f'pods "x" is forbidden: {BINDING}')
    await group(stage)
    for _ in range(4):
        stage.now += PATIENCE / 2
        stage.hear()
        await stage.settle()
    stalled = stage.condition("Stalled")
    assert (stalled["status"], BINDING in stalled["message"]) == ("True", True)


async def test_a_create_that_is_refused_as_invalid_is_a_judgement_too(stage: Stage) -> None:
    """A policy that came after the dry run, before any pod: it stalls the group, and the next try is a dry run."""
    stage.api.faults.add(Answer(422, message=WORDS), verb="create", resource="pods", nth=2)  # the first is a dry run
    await group(stage)
    assert WORDS in stage.condition("Stalled")["message"]
    refuse(stage, "app")
    stage.now += 30
    await stage.settle()
    assert (len(asked(stage)), len(stage.writes("create"))) == (2, 1)


async def test_where_pods_of_a_template_are_there_one_that_is_refused_as_invalid_condemns_it_not(stage: Stage) -> None:
    """A webhook that says no to some: the others go on; that none is taken any more is said after a minute."""
    await group(stage, 1)
    refuse(stage, "app")
    stage.api.patch("podgroups", "web", {"spec": {"replicas": 2}})
    await stage.settle()
    assert [request.code for request in stage.writes("create")] == [201, 422]
    failure, stalled = stage.condition("ReplicaFailure"), stage.condition("Stalled")
    assert (failure["reason"], WORDS in failure["message"], stalled["status"]) == ("FailedCreate", True, "False")
    assert ("FailedCreate", "Error creating: spec.volumes: Not found") in stage.recorder.told
    stage.now += PATIENCE
    stage.hear()
    await stage.look()
    assert WORDS in stage.condition("Stalled")["message"]


async def test_a_template_that_was_refused_is_asked_about_again_though_nothing_is_missing(stage: Stage) -> None:
    """Else `Stalled` would stay when the policy that refused it is long gone."""
    await group(stage)
    refuse(stage, "other")
    set_image(stage, "other")
    delay = await stage.settle()
    assert delay is not None
    assert (delay <= 20, stage.condition("Stalled")["status"]) == (True, "True")
    refuse(stage, "no image at all")
    stage.now += 20
    await stage.settle()
    assert stage.condition("Stalled")["status"] == "False"
