"""A group on the stage whose template changes: what there is of it, and what its kubelets and people do."""

from dataclasses import replace

from fakeapi import FakeApi, StatusError, errors
from fakeapi.client import a_group
from fakeapi.resources import PODS, Obj
from podgroup_operator.observe.revisions import RevisionStore
from shell.stage import Stage

BAD = "bad"
"""The image of which no pod ever becomes Ready."""

REFUSED = "refused"
"""The image of which no pod is accepted, once that was said (`refuse`)."""

ROUNDS = 15  # after which a group that still goes on will never stop

ONE_BY_ONE: Obj = {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
"""A strategy."""


def template(image: str) -> Obj:
    """Give a template of one container."""
    return {"spec": {"containers": [{"name": "app", "image": image}]}}


def set_image(stage: Stage, image: str) -> None:
    """Change the template."""
    stage.api.patch("podgroups", "web", {"spec": {"template": template(image)}})


def image(pod: Obj) -> str:
    """Tell of what a pod is."""
    found: str = pod["spec"]["containers"][0]["image"]
    return found


def images(stage: Stage) -> list[str]:
    """Tell of what the pods on the stage are that nobody has asked to go."""
    return images_of(stage.api)


def images_of(api: FakeApi) -> list[str]:
    """Tell of what pods are that nobody has asked to go."""
    return sorted(image(pod) for pod in api.pods() if "deletionTimestamp" not in pod["metadata"])


def of(stage: Stage, wanted: str) -> list[str]:
    """Give the names of the pods of an image."""
    return [pod["metadata"]["name"] for pod in stage.api.pods() if image(pod) == wanted]


def made(stage: Stage) -> int:
    """Count the pods that were ever made."""
    return sum(change.type == "ADDED" for change in stage.api.history("pods"))


def nodes_do_their_part(stage: Stage) -> None:
    """Let what shall go be gone, and the others be on a node, Ready unless they are bad."""
    for pod in stage.api.pods():
        name = pod["metadata"]["name"]
        if "deletionTimestamp" in pod["metadata"]:
            stage.api.finish_termination(name)
        else:
            stage.api.set_pod(name, node="node-0", ready=image(pod) != BAD)


async def roll(stage: Stage) -> None:
    """Let the operator and the nodes do all there is to do.

    Raises:
        AssertionError: it never ends.
    """
    for _ in range(ROUNDS):
        await stage.settle()
        before = stage.api.version
        nodes_do_their_part(stage)
        if stage.api.version == before:
            return
    raise AssertionError(f"web still goes on after {ROUNDS} rounds.")


async def group(stage: Stage, replicas: int, **spec: object) -> None:
    """Create the group `web` of image `app`, and let its pods be Ready."""
    body = a_group("web", replicas)
    body["spec"] |= {"strategy": ONE_BY_ONE} | spec
    stage.api.create("podgroups", body)
    await roll(stage)


def restart(stage: Stage) -> None:
    """Forget all but what the API says, as an operator does that starts."""
    stage.reconciler.start_anew(lambda _: True)
    for _, memory in stage.pods.memories:
        memory.seen.losses.clear()


def restart_with(stage: Stage, revisions: RevisionStore) -> None:
    """Start anew with what is known of revisions, of which nothing more is heard."""
    restart(stage)
    reconciler = stage.reconciler
    stage.revisions = reconciler.revisions = revisions
    reconciler._revising = replace(reconciler._revising, revisions=revisions)  # noqa: SLF001 - as one is that starts
    stage.hear_revisions = lambda: None  # type: ignore[method-assign]


def refuse(api: FakeApi, *refused: str) -> None:
    """Let the API server refuse each pod of some images as invalid; without any, each pod."""

    def admit(pod: Obj) -> StatusError | None:
        words = "spec", "FieldValueInvalid", f"Invalid value: {image(pod)}"
        return errors.invalid(PODS, pod["metadata"]["name"], words) if image(pod) in refused or not refused else None

    api.admit = admit
