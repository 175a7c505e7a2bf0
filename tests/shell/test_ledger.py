"""The ledger: the cache must show our own writes before it is trusted, and a refusal is met with growing patience."""

import pytest

from builders import NOW, gone, pod
from podgroup_operator.core.model import Healing, Pod, Refusal
from podgroup_operator.ledger import Ledger

POD = pod()


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
    ledger.hold_creates("exceeded quota")
    assert ledger.create_refusal == Refusal("exceeded quota", NOW + 2)
    ledger.accepted()
    assert ledger == Ledger()
    ledger.refused(NOW)
    assert ledger.retry_at == NOW + 1


def test_a_template_is_judged_once_if_it_is_good_and_again_in_a_while_if_not() -> None:
    """A yes holds for its revision; a no is asked again after 30 s, for a policy may have changed."""
    ledger = Ledger()
    assert ledger.must_judge("r1", NOW)
    ledger.judge("r1", None, NOW)
    assert not ledger.must_judge("r1", NOW + 1e6)
    assert ledger.must_judge("r2", NOW)
    ledger.judge("r2", "no image", NOW)
    assert ledger.template_refusal == Refusal("no image", NOW + 30)
    assert [ledger.must_judge("r2", NOW + seconds) for seconds in (0, 29.9, 30)] == [False, False, True]
    ledger.judge("r2", None, NOW + 30)
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
