"""The ledger: the cache must show our own writes before it is trusted, and a refusal is met with growing patience."""

import pytest

from builders import NOW, gone, pod
from podgroup_operator.core.model import Healing, Pod, Refusal
from podgroup_operator.observe import ledger as ledger_module
from podgroup_operator.observe.ledger import Ledger

POD = pod()


@pytest.fixture(autouse=True)
def no_jitter(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make pauses exact, but where their spread is the fact."""
    if "spread" not in request.node.name:
        monkeypatch.setattr(ledger_module, "JITTER", (1.0, 1.0))


def test_a_cache_is_trusted_when_it_has_reached_our_last_write() -> None:
    """The highest version of our writes counts, in whatever order their answers came."""
    ledger = Ledger()
    assert ledger.caught_up(0, {}, set())
    for version in (7, 9, 8):
        ledger.wrote(version)
    assert [ledger.caught_up(version, {}, set()) for version in (8, 9, 10)] == [False, True, True]


@pytest.mark.parametrize(
    ("pods", "trusted"),
    [({POD.uid: POD}, False), ({POD.uid: gone(POD.name)}, True), ({}, True)],
    ids=["untouched", "terminating", "gone"],
)
def test_a_pod_that_we_deleted_must_be_seen_to_go(pods: dict[str, Pod], *, trusted: bool) -> None:
    """A delete at once leaves no version to compare; until the cache shows its effect nothing is decided."""
    assert Ledger().caught_up(10**9, pods, {POD.uid}) is trusted


def test_each_refusal_in_a_row_doubles_the_pause_up_to_a_bound() -> None:
    """1 s, then twice as long each time, 20 s at most: no hot loop, and no long wait when the cause has ended."""
    ledger = Ledger()
    pauses = []
    for _ in range(7):
        ledger.refused(NOW)
        pauses.append(ledger.retry_at - NOW)
    assert pauses == [1, 2, 4, 8, 16, 20, 20]


def test_what_is_not_answered_is_tried_again_sooner_than_what_is_refused() -> None:
    """Half as long: nobody has refused it, and eight answers lost in a row cost less than a minute."""
    ledger = Ledger()
    pauses = []
    for _ in range(7):
        ledger.unanswered(NOW)
        pauses.append(ledger.retry_at - NOW)
    assert pauses == [0.5, 1, 2, 4, 8, 10, 10]


def test_pauses_are_spread() -> None:
    """Groups that were refused together come back at different times, none of them more than a fifth sooner."""
    pauses = set()
    for _ in range(100):
        ledger = Ledger()
        ledger.refused(NOW)
        pauses.add(ledger.retry_at - NOW)
    assert len(pauses) > 1
    assert min(pauses) >= 0.8
    assert max(pauses) <= 1


def test_a_group_may_be_refused_for_days() -> None:
    """The pause stays what it is after more refusals than a float can count in powers of two."""
    ledger = Ledger(refusals=100_000)
    ledger.refused(NOW)
    assert ledger.retry_at == NOW + 20


def test_a_new_template_has_not_been_refused() -> None:
    """Creates that were refused with the old one are not held back with the new one."""
    ledger = Ledger(revision="r1")
    ledger.refused(NOW)
    ledger.hold_creates("violates PodSecurity", NOW, forbidden=True)
    ledger.judge("r2", None, NOW)
    assert (ledger.create_refusal, ledger.refusals) == (None, 0)


def test_the_first_look_lasts_until_no_create_is_held_back() -> None:
    """What was lost while nobody watched is still to be told when its replacement may be made."""
    ledger = Ledger()
    ledger.settle(Healing(), held=True)
    assert ledger.first_look
    ledger.settle(Healing())
    ledger.settle(Healing(), held=True)
    assert not ledger.first_look


@pytest.mark.parametrize(("asked", "pause"), [(None, 1), (0.5, 1), (7, 7), (60, 60)])
def test_the_server_may_ask_for_more_patience(asked: float | None, pause: float) -> None:
    """Retry-After counts if it is longer than our own pause."""
    ledger = Ledger()
    ledger.refused(NOW, asked)
    assert ledger.retry_at == NOW + pause


def test_an_acceptance_ends_the_patience() -> None:
    """Nothing is held back any more, and the next refusal is the first again."""
    ledger = Ledger()
    ledger.refused(NOW)
    ledger.refused(NOW)
    ledger.hold_creates("exceeded quota", NOW)
    assert ledger.create_refusal == Refusal("exceeded quota", NOW + 2, at=NOW)
    ledger.accepted()
    assert ledger == Ledger()
    ledger.refused(NOW)
    assert ledger.retry_at == NOW + 1


def test_a_template_is_judged_once_if_it_is_good_and_again_in_a_while_if_not() -> None:
    """A yes holds for its revision; a no is asked again after 20 s, for a policy may have changed."""
    ledger = Ledger()
    assert ledger.must_judge("r1", NOW)
    ledger.judge("r1", None, NOW)
    assert not ledger.must_judge("r1", NOW + 1e6)
    assert ledger.must_judge("r2", NOW)
    ledger.judge("r2", "no image", NOW)
    assert ledger.template_refusal == Refusal("no image", NOW + 20)
    assert [ledger.must_judge("r2", NOW + seconds) for seconds in (0, 19.9, 20)] == [False, False, True]
    ledger.judge("r2", None, NOW + 20)
    assert ledger.template_refusal is None


def test_the_fuller_record_of_replacements_is_the_right_one() -> None:
    """Ours counts until the status shows it; the status's counts after a restart, and where they say the same."""
    ledger = Ledger()
    ours, theirs = Healing(total=3, last_pod="ours"), Healing(total=3, last_pod="theirs")
    assert ledger.remembered(theirs) is theirs
    ledger.settle(ours)
    assert ledger.remembered(Healing(total=2)) is ours
    assert ledger.remembered(theirs) is theirs
    assert not ledger.first_look
