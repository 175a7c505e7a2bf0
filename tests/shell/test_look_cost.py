"""What `make look-cost` measures is what it says that it measures."""

from bench.look_cost import Scene


async def test_the_look_that_is_called_a_heal_replaces_one_pod() -> None:
    """Of a group's three pods one is new after it, and the bare ones beside them are as they were."""
    scene = Scene()
    scene.add_bare_pods(5)
    await scene.scale(3)
    before = set(scene.server.pods)
    await scene.heal()
    after = set(scene.server.pods)
    assert (len(before - after), len(after - before), len(after)) == (1, 1, 8)


async def test_the_look_that_is_called_a_scale_in_deletes_pods() -> None:
    """A group of three that is asked for two has two after it."""
    scene = Scene()
    await scene.scale(3)
    await scene.scale(2)
    assert len(scene.server.pods) == 2


async def test_the_look_that_is_called_idle_changes_nothing() -> None:
    """Neither a pod nor the PodGroup is another one after it."""
    scene = Scene()
    await scene.scale(3)
    before = scene.server.version
    await scene.idle()
    assert scene.server.version == before


async def test_the_look_that_is_called_mid_rollout_has_old_and_new_pods() -> None:
    """Of a group of eight, six old pods and four new ones that do not start are there, as its strategy lets it."""
    scene = Scene()
    await scene.scale(8)
    await scene.roll()
    assert len(scene.server.pods) == 10
    assert scene.server.group["status"]["updatedReplicas"] == 4
