"""The end of an outage: whatever waits is tried as soon as anything is answered again, spread a little."""

from fakeapi import Answer, FakeApi
from fakeapi.client import a_group
from podgroup_operator.api.outage import LEAST, Outage
from shell.stage import Stage


def ends(*steps: tuple[float, bool]) -> list[float]:
    """Give when an outage has ended, told of answers at these times: good or not."""
    clock, found = [0.0], list[float]()
    outage = Outage(lambda: found.append(clock[0]), lambda: clock[0])
    for now, good in steps:
        clock[0] = now
        (outage.answered if good else outage.failed)()
    return found


def test_an_outage_ends_with_the_first_good_answer() -> None:
    """After which everything is as it was; one that follows is another."""
    assert ends((0, False), (1, False), (20, True), (21, True), (30, False), (34, True)) == [20, 34]


def test_a_failure_now_and_then_is_no_outage() -> None:
    """A webhook that fails for one group, for example, while the Lease is renewed every two seconds."""
    answers = [(time / 2, time % 4 == 0) for time in range(200)]
    assert ends(*answers) == []
    assert LEAST > 2


async def test_after_an_outage_what_waits_may_be_tried(stage: Stage, api: FakeApi) -> None:
    """Whatever failed for the API server's own sake; what was refused for a reason still waits."""
    api.create("podgroups", a_group("web", 1))
    api.faults.add(Answer(500), verb="create", resource="pods", nth=2)
    stage.hear()
    await stage.look()
    assert not api.pods()
    assert list(stage.reconciler.recovered()) == [("default", "web")]
    await stage.look()
    assert len(api.pods()) == 1
    api.access.deny("create", "pods")
    api.patch("podgroups", "web", {"spec": {"replicas": 2}})
    stage.hear()
    await stage.look()
    assert list(stage.reconciler.recovered()) == []
