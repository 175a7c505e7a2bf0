"""The memory of a group: the cache must show our own writes before it is trusted, and each part goes as a whole."""

from dataclasses import replace

import pytest

from builders import NOW, OWNER, gone, loss, pod
from podgroup_operator.core.model.actions import Create, Why
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.model.refusal import Lane, Refusal
from podgroup_operator.core.model.status import Healing
from podgroup_operator.core.selector import Selector
from podgroup_operator.observe.memory import Memories, Memory
from podgroup_operator.observe.told import Told
from podgroup_operator.observe.written import Leaving, Written

POD = pod()
REVISION, NO_IMAGE = "r1", Refusal("no image", advice="Correct it.")


def test_a_cache_is_trusted_when_it_has_reached_our_last_write() -> None:
    """The highest version of our writes counts, in whatever order their answers came."""
    memory = Memory()
    assert memory.caught_up(0)
    for version in (7, 9, 8):
        memory.written.wrote(version)
    assert [memory.caught_up(version) for version in (8, 9, 10)] == [False, True, True]


@pytest.mark.parametrize(
    ("pods", "trusted"),
    [({POD.uid: POD}, False), ({POD.uid: gone(POD.name)}, True), ({}, True)],
    ids=["untouched", "terminating", "gone"],
)
def test_a_pod_that_we_remove_must_be_seen_to_go(pods: dict[str, Pod], *, trusted: bool) -> None:
    """A delete at once leaves no version to compare; until the cache shows its effect nothing is decided."""
    memory = Memory()
    memory.seen.pods = pods
    memory.written.leaving[POD.uid] = Leaving(POD, Why.SURPLUS, 0.0)
    assert memory.caught_up(10**9) is trusted


def test_a_new_template_has_not_been_refused() -> None:
    """Creates that were refused with the old one are not held back with the new one."""
    written = Written()
    written.judge(REVISION, None, NOW)
    written.lanes[Lane.CREATE].message = "violates PodSecurity"
    written.judge(REVISION, None, NOW)
    assert written.lanes[Lane.CREATE].held(NOW, 0)
    written.judge("r2", None, NOW)
    assert written.lanes[Lane.CREATE].held(NOW, 0) is None


def test_a_template_that_was_refused_is_asked_about_again_in_a_while() -> None:
    """After 20 s, for a policy may have changed; a yes holds."""
    written = Written()
    written.judge(REVISION, NO_IMAGE, NOW)
    assert written.verdict.held(NOW + 5) == Refusal("no image", 15.0, advice="Correct it.", revision=REVISION)
    written.judge(REVISION, None, NOW + 20)
    assert written.verdict.held(NOW + 20) is None


def test_pods_that_stray_are_made_ever_more_seldom() -> None:
    """Whatever takes them away may not show in a dry run: 20 s, then twice as long each time, 10 minutes at most."""
    written, waits = Written(), []
    for _ in range(7):
        written.strayed(REVISION, NO_IMAGE, NOW)
        waits.append(written.stray.verdict.until - NOW)
    assert waits == [20, 40, 80, 160, 320, 600, 600]
    written.strayed("r2", NO_IMAGE, NOW)
    assert written.stray.verdict.until == NOW + 20


def test_the_fuller_record_of_replacements_is_the_right_one() -> None:
    """Ours counts until the status shows it; the status's counts after a restart, and where they say the same."""
    memory = Memory()
    ours, theirs = Healing(total=3, last_pod="ours"), Healing(total=3, last_pod="theirs")
    assert memory.healing(theirs) is theirs
    memory.told.healing = ours
    assert memory.healing(Healing(total=2)) is ours
    assert memory.healing(theirs) is theirs


def test_a_tenure_begins_without_what_was_refused_and_told_before() -> None:
    """Others have written since; what the stream of pods has told stays, and what only we have counted."""
    memories = Memories()
    memory = memories.of(OWNER)
    memory.seen.lose(loss(0))
    memory.written.strangers.add("theirs")
    memory.written.judge(REVISION, NO_IMAGE, NOW)
    memory.told.healing = Healing(total=3)
    memory.told.held = "quota"
    memory.first_look = False
    memories.begin(lambda namespace: namespace == OWNER[0], others=True)
    begun = memories.of(OWNER)
    assert (begun.written, begun.told.held, begun.first_look) == (Written(), "", True)
    assert (begun.seen.losses, begun.told.healing) == ({0: loss(0)}, Healing(total=3))
    memory.first_look = False  # a look of the former tenure ends
    assert memories.of(OWNER).first_look


def test_what_a_look_writes_while_a_tenure_begins_is_remembered_in_it() -> None:
    """Nothing is decided from a memory that misses a write of this process, before or after it is answered."""
    memories = Memories()
    memory = memories.of(OWNER)
    memory.written.leaving[POD.uid] = Leaving(POD, Why.SURPLUS, 0.0)
    memories.begin(lambda _: True, others=True)
    memory.written.wrote(7)
    memory.written.unsure = True
    memory.told.healing = Healing(total=1)
    begun = memories.of(OWNER)
    assert (list(begun.written.leaving), begun.written.version, begun.written.unsure) == ([POD.uid], 7, True)
    assert begun.told.healing.total == 1


@pytest.mark.parametrize("others", [True, False])
def test_a_create_that_was_not_answered_is_ours_for_as_long_as_nobody_else_wrote(*, others: bool) -> None:
    """A pod of its name may be another operator's after that, who has counted it."""
    memories = Memories()
    memories.of(OWNER).written.sending(Create(POD.name, 0, 1, REVISION))
    memories.begin(lambda _: True, others=others)
    assert list(memories.of(OWNER).written.open) == ([] if others else [POD.name])


def test_of_a_group_that_is_gone_only_its_pods_are_kept_until_they_go() -> None:
    """They are still its own; then nothing of it is left."""
    memories = Memories()
    memory = memories.of(OWNER)
    memory.seen.pods[POD.uid] = POD
    memory.written.wrote(7)
    memories.end(OWNER)
    kept = memories.known(OWNER)
    assert kept
    assert (kept.seen.pods, kept.written, kept.told.held) == ({POD.uid: POD}, Written(), Told().held)
    kept.seen.pods.clear()
    memories.end(OWNER)
    assert memories.known(OWNER) is None


def test_a_create_that_was_not_answered_is_told_once_when_its_pod_comes() -> None:
    """It is known by its name; a pod that was changed on its way, none of the group's, is no replacement."""
    create, born = Create(POD.name, 0, 1, REVISION), replace(POD, labels={"app": "web"})
    for selector, told in ((Selector((("app", "web"),)), (create,)), (Selector((("app", "other"),)), ())):
        written = Written()
        assert not written.sending(create)
        assert written.unheard(selector) == ()
        written.came(born)
        assert [written.unheard(selector) for _ in range(2)] == [told, ()]
        written.came(born)
        assert written.unheard(selector) == ()


def test_a_create_that_was_refused_leaves_the_one_before_it_open() -> None:
    """That one may have been done all the same; without one before it nothing is open."""
    create, written = Create(POD.name, 0, 1, REVISION), Written()
    written.not_done(create, again=written.sending(create))
    assert written.open == {}
    assert not written.sending(create)
    written.not_done(create, again=written.sending(create))
    assert list(written.open) == [create.name]


def test_of_two_that_are_lost_in_one_seat_neither_is_forgotten() -> None:
    """A rollout fills a seat twice for a moment, and the good old pod must come back; one that is told twice is one."""
    seen = Memory().seen
    for name in ("new", "old", "new"):
        seen.lose(loss(0, name))
    assert sorted(each.pod for each in seen.losses.values()) == ["new", "old"]
