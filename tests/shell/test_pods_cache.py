"""The cache of pods: whose they are, what was lost of them and when, and how far the news of them has come."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from builders import GROUP_UID, HOUR, NOW, OTHER_UID, OWNER, desired, observed, orphan, pod
from podgroup_operator.core.model.actions import Why
from podgroup_operator.core.model.loss import Cause, Loss, Wait
from podgroup_operator.core.model.pod import Phase, Pod
from podgroup_operator.core.record import evidence
from podgroup_operator.core.selector import Operator, Requirement, Selector
from podgroup_operator.core.view import view_of
from podgroup_operator.observe.pods import PodStore
from podgroup_operator.observe.written import Leaving

SEATED = pod("web-0", slot=0)


def lost(cause: Cause, at: float) -> Loss:
    """The loss of that pod, which knows what the pod was."""
    return Loss(0, SEATED.name, cause, at, revision=SEATED.revision, ready_since=SEATED.ready_since)


class Watched:
    """A cache of pods, its clock, and the pods that it told of.

    Attributes:
        known: whether somebody knows the owners of pods.
    """

    def __init__(self, *pods: Pod) -> None:
        self.now = NOW
        self.known = True
        self.told: list[Pod] = []
        self.store = PodStore(self._tell, lambda: self.now)
        for each in pods:
            self.store.upsert(each)
        self.told.clear()

    def _tell(self, pod: Pod, _: bool) -> bool:  # noqa: FBT001 - a fact, not a switch
        self.told.append(pod)
        return self.known

    @property
    def losses(self) -> dict[int, Loss]:
        """Give what the plainest group has lost."""
        return self.store.memories.of(OWNER).seen.losses

    @property
    def pods(self) -> list[str]:
        """Give the names of the plainest group's pods."""
        return [each.name for each in self.store.memories.of(OWNER).seen.pods.values()]

    @property
    def orphans(self) -> list[str]:
        """Give the names of the pods that nobody controls."""
        return [each.name for each in self.store.orphans("shop")]


def later(before: Pod, **changes: object) -> Pod:
    """Give a pod as it is after its next change."""
    return replace(before, version=before.version + 1, **changes)  # type: ignore[arg-type] # the fields of a pod


def test_a_pod_is_kept_with_its_owner_and_told_of() -> None:
    """A pod of a group is in its family, one of nobody is an orphan, and each is told of once."""
    watched = Watched()
    ours, nobodys = pod("web-0"), orphan("stray")
    watched.store.upsert(ours)
    watched.store.upsert(nobodys)
    assert (watched.pods, watched.orphans, len(watched.store)) == (["web-0"], ["stray"], 2)
    assert watched.told == [ours, nobodys]


def test_a_pod_that_names_an_owner_in_another_namespace_is_not_its_pod() -> None:
    """Anybody who may create a pod somewhere could write such a reference; its coming and going means nothing."""
    watched = Watched(SEATED)
    forged = pod("forged", namespace="mall", slot=0, epoch=7)
    watched.store.upsert(forged)
    assert watched.pods == [SEATED.name]
    watched.store.remove(forged.uid)
    assert (watched.pods, watched.losses) == ([SEATED.name], {})
    assert watched.store.memories.of(OWNER).seen.epochs == {0: SEATED.epoch}


@pytest.mark.parametrize("version", [SEATED.version, SEATED.version - 1])
def test_news_that_is_old_is_no_news(version: int) -> None:
    """A state with the version that is known, or an older one, changes nothing and wakes nobody."""
    watched = Watched(SEATED)
    watched.store.upsert(replace(SEATED, version=version, phase=Phase.FAILED))
    assert watched.store.memories.of(OWNER).seen.pods == {SEATED.uid: SEATED}
    assert (watched.told, watched.losses) == ([], {})


@pytest.mark.parametrize(
    ("become", "cause"),
    [
        (lambda store: store.remove(SEATED.uid), Cause.DELETED),
        (lambda store: store.upsert(later(SEATED, deleted=NOW)), Cause.DELETED),
        (lambda store: store.upsert(later(SEATED, phase=Phase.FAILED)), Cause.FAILED),
        (lambda store: store.upsert(later(SEATED, phase=Phase.SUCCEEDED)), Cause.SUCCEEDED),
        (lambda store: store.upsert(later(SEATED, phase=Phase.FAILED, evicted=True)), Cause.EVICTED),
        (lambda store: store.upsert(later(SEATED, deleted=NOW, evicted=True)), Cause.EVICTED),
        (lambda store: store.upsert(later(SEATED, controller="")), Cause.DELETED),
        (lambda store: store.replace("", [], 200), Cause.DELETED),
    ],
    ids=["gone", "deleted", "failed", "succeeded", "evicted", "evicted by the API", "released", "not in a new list"],
)
def test_a_pod_that_counts_no_more_is_a_loss(become: Callable[[PodStore], None], cause: Cause) -> None:
    """It is noted by its seat, with its name, the cause and the moment at which we heard of it."""
    watched = Watched(SEATED)
    watched.now = NOW + 0.125
    become(watched.store)
    assert watched.losses == {
        0: Loss(0, "web-0", cause, NOW + 0.125, revision=SEATED.revision, ready_since=SEATED.ready_since)
    }
    assert SEATED in watched.told


def test_a_loss_is_noted_once_at_its_beginning() -> None:
    """A pod that is asked to go, and goes later, was lost when it was asked."""
    watched = Watched(SEATED)
    watched.store.upsert(later(SEATED, deleted=NOW))
    watched.now = NOW + 30
    watched.store.remove(SEATED.uid)
    assert watched.losses == {
        0: Loss(0, "web-0", Cause.DELETED, NOW, revision=SEATED.revision, ready_since=SEATED.ready_since)
    }


@pytest.mark.parametrize("become", [{"deleted": NOW}, {"phase": Phase.FAILED}, {"controller": ""}])
def test_a_pod_that_we_delete_ourselves_is_no_loss(become: dict[str, object]) -> None:
    """What happens to a condemned pod is no accident; when it is gone, so is the note of it."""
    watched = Watched(SEATED)
    watched.store.memories.of(OWNER).written.leaving[SEATED.uid] = Leaving(SEATED, Why.SURPLUS, NOW)
    watched.store.upsert(later(SEATED, **become))
    watched.store.remove(SEATED.uid)
    assert (watched.losses, watched.store.memories.of(OWNER).written.leaving) == ({}, {})


def test_a_pod_without_a_seat_is_a_loss_all_the_same() -> None:
    """It takes nobody's place in the record, so it has a number below all seats; two have two."""
    watched = Watched(pod("a"), pod("b"), SEATED)
    for uid in ("uid-a", "uid-b", SEATED.uid):
        watched.store.remove(uid)
    assert {slot: loss.pod for slot, loss in watched.losses.items()} == {-1: "a", -2: "b", 0: "web-0"}


def test_what_a_person_takes_off_a_pod_is_remembered() -> None:
    """Its labels for seat and revision may go: it still sits where it sat, and its loss is that seat's."""
    watched = Watched(pod("a", slot=2, revision="r1"))
    watched.store.upsert(later(pod("a", slot=2), slot=None, revision=""))
    known = watched.store.memories.of(OWNER).seen.pods["uid-a"]
    assert (known.slot, known.revision) == (2, "r1")
    watched.store.remove("uid-a")
    assert watched.losses[2].pod == "a"


def test_no_time_that_is_kept_lies_in_the_future() -> None:
    """Nodes and API servers have clocks of their own; what is counted from such a time would not pass for long."""
    ahead = NOW + HOUR
    watched = Watched(pod("a", created=ahead, ready_since=ahead, lost_at=ahead))
    known = watched.store.memories.of(OWNER).seen.pods["uid-a"]
    assert (known.created, known.ready_since, known.lost_at) == (NOW, NOW, NOW)
    watched.now += 5
    watched.store.upsert(later(pod("a", created=ahead, ready_since=ahead), labels={"app": "web", "more": "labels"}))
    assert watched.store.memories.of(OWNER).seen.pods["uid-a"].ready_since == NOW


def test_a_clock_that_is_set_back_leaves_nothing_in_the_future() -> None:
    """Pods, losses and the last corpse: what was noted by the old clock counts from the step on."""
    watched = Watched(SEATED, pod("b", slot=1, ready_since=NOW), orphan("stray", created=NOW))
    watched.store.remove(SEATED.uid)
    dead = later(pod("b", slot=1), phase=Phase.FAILED, finished=NOW, created=NOW - 1, revision="r1")
    watched.store.upsert(dead)
    watched.now -= HOUR
    assert watched.store.now() == NOW - HOUR
    seen = watched.store.memories.of(OWNER).seen
    times = [seen.pods["uid-b"].finished, seen.losses[0].at, seen.corpse and seen.corpse.finished]
    assert times == [NOW - HOUR] * 3
    assert [each.created for each in watched.store.orphans("shop")] == [NOW - HOUR]


@pytest.mark.parametrize("step", [HOUR, -HOUR])
def test_a_clock_that_is_set_makes_no_loss_older(step: float) -> None:
    """What is told of how long a replacement took, and waited, is as if the clock had not been set."""
    watched, monotonic = Watched(), [0.0]
    watched.store = PodStore(watched._tell, lambda: watched.now, monotonic=lambda: monotonic[0])  # noqa: SLF001 - ours
    watched.store.upsert(SEATED)
    watched.store.remove(SEATED.uid)
    seen = watched.store.memories.of(OWNER).seen
    seen.losses = {0: replace(seen.losses[0], wait=Wait("Backoff", NOW))}
    watched.now += step + 2
    monotonic[0] += 2
    now = watched.store.now()
    found = evidence(view_of(desired(), observed(), now), seen.losses[0], 1)
    assert (found.decided, found.waited) == (2, 2)


def test_a_corpse_that_a_cleaner_takes_away_is_remembered() -> None:
    """It says when the next may be tried, and how many have failed before it."""
    watched = Watched(pod("a", created=NOW - 5))
    watched.store.upsert(later(pod("a", created=NOW - 5), phase=Phase.FAILED, finished=NOW, failures=3))
    watched.store.remove("uid-a")
    corpse = watched.store.memories.of(OWNER).seen.corpse
    assert corpse is not None
    assert (corpse.name, corpse.failures) == ("a", 3)


def test_an_orphan_that_goes_is_nobodys_loss() -> None:
    """It is forgotten and told of, and no family has a loss."""
    stray = orphan("stray", slot=0)
    watched = Watched(stray)
    watched.store.remove(stray.uid)
    assert (watched.orphans, watched.told, watched.losses) == ([], [stray], {})


def test_an_orphan_that_is_adopted_changes_sides() -> None:
    """It is no longer an orphan, it is in the family, and both who might have wanted it and who has it are told."""
    before = orphan("stray")
    watched = Watched(before)
    after = later(before, controller=GROUP_UID)
    watched.store.upsert(after)
    assert (watched.orphans, watched.pods, watched.told) == ([], ["stray"], [before, after])
    assert watched.losses == {}


def test_a_pod_that_changes_its_controller_is_lost_to_the_first() -> None:
    """It is in the second family only, and the first has a loss."""
    watched = Watched(SEATED)
    watched.store.upsert(later(SEATED, controller=OTHER_UID))
    assert watched.pods == []
    assert list(watched.store.memories.of(("shop", OTHER_UID)).seen.pods) == [SEATED.uid]
    assert watched.losses == {
        0: Loss(0, "web-0", Cause.DELETED, NOW, revision=SEATED.revision, ready_since=SEATED.ready_since)
    }
    assert watched.store.memories.of(("shop", OTHER_UID)).seen.losses == {}


def test_the_highest_epoch_of_a_seat_outlives_its_pod() -> None:
    """The next pod of that seat gets a name that none before it had."""
    watched = Watched(pod("web-0", slot=0, epoch=4), pod("other-0", slot=0, epoch=2), pod("web-1", slot=1, epoch=1))
    for uid in ("uid-web-0", "uid-other-0", "uid-web-1"):
        watched.store.remove(uid)
    assert watched.store.memories.of(OWNER).seen.epochs == {0: 4, 1: 1}


def test_a_new_list_replaces_what_was_known() -> None:
    """What is not in it is gone, what is new is there, what is the same wakes nobody, and its version holds."""
    gone, same, new = pod("gone"), pod("same"), pod("new")
    watched = Watched(gone, same, orphan("stray"))
    watched.store.replace("", [same, new], 500)
    assert (watched.pods, watched.orphans) == (["same", "new"], [])
    assert [each.name for each in watched.told] == ["new", "gone", "stray"]
    assert watched.store.version("shop") == 500


def test_a_new_list_of_a_namespace_is_about_that_namespace() -> None:
    """Pods of another namespace are not missing from it."""
    elsewhere = pod("elsewhere", namespace="mall")
    watched = Watched(pod("web-0"), elsewhere)
    watched.store.replace("shop", [], 500)
    assert (watched.pods, watched.store.memories.of(("mall", GROUP_UID)).seen.pods) == ([], {elsewhere.uid: elsewhere})
    assert (watched.store.version("shop"), watched.store.version("mall")) == (500, 0)


def test_the_version_of_all_namespaces_is_that_of_each() -> None:
    """One informer for all keeps every namespace up to date; versions never go back on a watch."""
    watched = Watched()
    watched.store.reached("", 500)
    watched.store.reached("", 400)
    assert watched.store.version("shop") == 500


def test_the_moment_of_becoming_ready_is_seen_once() -> None:
    """It is the clock's when a known pod becomes Ready, stays while it is, and is taken anew the next time."""
    watched = Watched(pod("web-0", ready_since=None))
    seen = []
    for ready_since in (NOW, NOW, None, NOW + 10):
        watched.now += 1.5
        known = watched.store.memories.of(OWNER).seen.pods["uid-web-0"]
        watched.store.upsert(later(known, ready_since=ready_since, ready_seen=None))
        seen.append(watched.store.memories.of(OWNER).seen.pods["uid-web-0"].ready_seen)
    assert seen == [NOW + 1.5, NOW + 1.5, None, NOW + 6]


ENDS = {"deleted": NOW - HOUR, "finished": NOW - HOUR, "phase": Phase.FAILED}


def sightings(watched: Watched) -> tuple[float | None, ...]:
    """Give when the pod `web-0` was seen to come, to be asked to go, and to end."""
    known = watched.store.memories.of(OWNER).seen.pods["uid-web-0"]
    return known.created_seen, known.deleted_seen, known.finished_seen


def test_what_the_stream_shows_was_seen_when_it_came() -> None:
    """By our own clock, once each; what is said later, or again, changes none of it."""
    watched = Watched()
    watched.store.upsert(pod("web-0"), born=True)
    found = [sightings(watched)]
    for changes in ({"deleted": NOW - HOUR}, ENDS, ENDS | {"labels": {"app": "web", "more": "labels"}}):
        watched.now += 1
        watched.store.upsert(later(pod("web-0", version=100 + int(watched.now - NOW)), **changes))
        found.append(sightings(watched))
    assert found == [(NOW, None, None), (NOW, NOW + 1, None), (NOW, NOW + 1, NOW + 2), (NOW, NOW + 1, NOW + 2)]


def test_what_a_list_shows_was_seen_by_nobody() -> None:
    """It was so at some time before, be it the first list or a later one; what was seen before that stays."""
    watched = Watched()
    watched.store.replace("", [pod("web-0")], 500)
    assert sightings(watched) == (None, None, None)
    watched.store.replace("", [later(pod("web-0"), **ENDS)], 501)
    assert sightings(watched) == (None, None, None)
    watched.store.upsert(pod("web-0", version=600, **ENDS))
    assert sightings(watched) == (None, None, None)

    watched = Watched()
    watched.store.upsert(pod("web-0"), born=True)
    watched.store.replace("", [later(pod("web-0"), **ENDS)], 501)
    assert sightings(watched) == (NOW, None, None)


def test_a_pod_that_is_new_to_us_need_not_be_new() -> None:
    """One of which another controller lets go is heard of in the middle of its life."""
    watched = Watched()
    watched.store.upsert(pod("web-0", **ENDS))
    assert sightings(watched) == (None, None, None)


def test_what_was_seen_does_not_lie_in_the_future_either() -> None:
    """Our clock may be set back: what was seen by the old one counts from the step on."""
    watched = Watched()
    watched.store.upsert(pod("web-0"), born=True)
    watched.store.upsert(later(pod("web-0"), **ENDS))
    watched.now -= HOUR
    watched.store.now()
    assert sightings(watched) == (NOW - HOUR,) * 3


def test_a_node_that_is_ahead_does_not_set_the_time() -> None:
    """The end of a pod that is said to be in an hour is the moment at which we hear of it."""
    watched = Watched(pod("web-0"))
    for _ in range(2):
        watched.now += 1
        known = watched.store.memories.of(OWNER).seen.pods["uid-web-0"]
        watched.store.upsert(later(known, phase=Phase.FAILED, ready_since=None, finished=NOW + HOUR))
        assert watched.store.memories.of(OWNER).seen.pods["uid-web-0"].finished == NOW + 1


def test_a_deletion_is_no_later_than_its_news() -> None:
    """Nor does it become later when the pod changes, or is deleted again with less grace."""
    watched = Watched(pod("web-0"))
    for deleted in (NOW + HOUR, NOW + HOUR, NOW + 1.5):
        watched.now += 1
        known = watched.store.memories.of(OWNER).seen.pods["uid-web-0"]
        watched.store.upsert(later(known, deleted=deleted))
        assert watched.store.memories.of(OWNER).seen.pods["uid-web-0"].deleted == NOW + 1


def test_a_pod_is_ready_no_later_than_it_is_seen_to_be() -> None:
    """A node whose clock is a minute ahead delays nothing, also when our own clock has come so far."""
    watched = Watched(pod("web-0", ready_since=None))
    for seconds in (1, 10, 100):
        watched.now = NOW + seconds
        watched.store.upsert(pod("web-0", version=100 + seconds, ready_since=NOW + 60))
        assert watched.store.memories.of(OWNER).seen.pods["uid-web-0"].ready_since == NOW + 1


def test_a_pod_that_became_ready_again_unseen_is_ready_since_then() -> None:
    """What a clock that is right says counts, though nobody was watching."""
    watched = Watched(pod("web-0", ready_since=NOW - 10))
    watched.store.upsert(pod("web-0", version=101, ready_since=NOW - 5))
    assert watched.store.memories.of(OWNER).seen.pods["uid-web-0"].ready_since == NOW - 5


SELECTORS = [
    Selector((("app", "web"),)),
    Selector((("app", "web"), ("tier", "back"))),
    Selector((("app", "nobody"),)),
    Selector((), (Requirement("tier", Operator.IN, frozenset({"back", "front"})),)),
    Selector((), (Requirement("tier", Operator.EXISTS),)),
    Selector((), (Requirement("tier", Operator.NOT_IN, frozenset({"back"})),)),
    Selector((("app", "web"),), (Requirement("tier", Operator.DOES_NOT_EXIST),)),
    Selector(),
]


@pytest.mark.parametrize("selector", SELECTORS, ids=str)
def test_adoptable_are_the_orphans_that_a_selector_matches(selector: Selector) -> None:
    """Also after their labels have changed, and after some have gone."""
    labels: list[dict[str, str]] = [{}, {"app": "web"}, {"app": "web", "tier": "back"}, {"tier": "front"}]
    pods = [orphan(f"{number}", labels=each) for number, each in enumerate(labels * 3)]
    watched = Watched(*pods, pod("ours"), orphan("elsewhere", namespace="mall", labels={"app": "web"}))
    for number, each in enumerate(pods[:6]):
        if number % 2:
            watched.store.remove(each.uid)
        else:
            watched.store.upsert(later(each, labels=labels[-1 - number % 4]))
    expected = sorted(each.name for each in watched.store.orphans("shop") if selector.matches(each.labels))
    assert sorted(each.name for each in watched.store.adoptable("shop", selector)) == expected
    assert watched.store.adoptable("nowhere", selector) == []


def test_orphans_that_match_nothing_are_not_asked() -> None:
    """Ten thousand bare pods cost a group of their namespace what two do."""
    watched = Watched(*(orphan(f"bare-{number}", labels={"job": str(number)}) for number in range(10_000)))
    watched.store.upsert(orphan("wanted"))
    asked: list[object] = []

    class Asking(Selector):
        def matches(self, labels: Mapping[str, str]) -> bool:
            asked.append(labels)
            return super().matches(labels)

    assert [each.name for each in watched.store.adoptable("shop", Asking((("app", "web"),)))] == ["wanted"]
    assert len(asked) == 1


def test_a_pod_that_was_ready_before_we_looked_was_not_seen_to_become_so() -> None:
    """Of a pod that is Ready when it is first heard of, only the API's own time is known."""
    watched = Watched(pod("web-0", ready_since=NOW))
    assert watched.store.memories.of(OWNER).seen.pods["uid-web-0"].ready_seen is None


def test_a_group_that_is_forgotten_goes_with_its_last_pod() -> None:
    """While it has pods they are kept, for they are still its own; then nothing of it is left."""
    watched = Watched(SEATED)
    family = watched.store.memories.of(OWNER).seen
    watched.known = False
    watched.store.memories.end(OWNER)
    assert watched.store.memories.of(OWNER).seen is family
    watched.store.remove(SEATED.uid)
    assert watched.store.memories.of(OWNER).seen is not family
    assert watched.losses == {}


@pytest.mark.parametrize("become", [{}, {"controller": ""}])
def test_of_an_owner_whom_nobody_knows_nothing_is_remembered(become: dict[str, object]) -> None:
    """A pod that comes and goes after the end of its group leaves no loss and no epoch behind, nor does a release."""
    watched = Watched()
    watched.known = False
    watched.store.upsert(SEATED)
    watched.store.upsert(later(SEATED, **become))
    watched.store.remove(SEATED.uid)
    assert (watched.losses, watched.store.memories.of(OWNER).seen.epochs) == ({}, {})


def test_a_group_without_pods_is_forgotten_at_once() -> None:
    """So is one that was never known, without a complaint."""
    watched = Watched()
    family = watched.store.memories.of(OWNER).seen
    watched.store.memories.end(OWNER)
    watched.store.memories.end(("shop", "never known"))
    assert watched.store.memories.of(OWNER).seen is not family


def test_a_loss_is_made_good_by_the_pod_that_replaces_it() -> None:
    """The create need not have been answered; a pod that replaces another one leaves the loss as it is."""
    watched = Watched(SEATED, pod("web-1", slot=1))
    watched.store.remove(SEATED.uid)
    watched.store.upsert(pod("web-2", slot=2, replaces="another"))
    watched.store.upsert(pod("web-3", slot=3))
    assert [loss.pod for loss in watched.losses.values()] == ["web-0"]
    watched.store.upsert(pod("web-0-again", slot=0, replaces="web-0"))
    assert watched.losses == {}


def test_the_corpse_that_counts_is_the_one_that_came_last() -> None:
    """A label that somebody puts on an older one makes it no newer."""
    first = pod("a", created=NOW - 50, phase=Phase.FAILED, finished=NOW - 40, failures=1)
    last = pod("b", created=NOW - 30, phase=Phase.FAILED, finished=NOW - 20, failures=2)
    watched = Watched(first, last)
    watched.store.upsert(later(first, labels={"app": "web", "seen": "yes"}))
    corpse = watched.store.memories.of(OWNER).seen.corpse
    assert corpse is not None
    assert corpse.name == "b"
