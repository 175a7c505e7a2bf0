"""A group on the stage that heals: its pods are up, and what is told of those that are replaced."""

from fakeapi.client import a_group
from shell.stage import Stage, names


async def group(stage: Stage, replicas: int) -> list[str]:
    """Create the group `web`, let it come to rest with its pods Ready; give the pods' names."""
    stage.api.create("podgroups", a_group("web", replicas))
    await stage.settle()
    made = names(stage.api.pods())
    for name in made:
        stage.api.set_pod(name, node="node-0", ready=True)
    await stage.settle()
    return made


def healed(stage: Stage) -> list[str]:
    """Give what the Events say of replacements."""
    return [note for reason, note in stage.recorder.told if reason == "PodHealed"]
