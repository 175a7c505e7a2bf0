"""Pauses between tries."""

from podgroup_operator.backoff import Backoff

EXACT = (1.0, 1.0)


def test_each_pause_is_longer_than_the_last_up_to_the_longest() -> None:
    """By the factor, for ever; after days of tries too."""
    backoff = Backoff(1.0, 20.0, 2.0, EXACT)
    assert [backoff.next() for _ in range(7)] == [1.0, 2.0, 4.0, 8.0, 16.0, 20.0, 20.0]
    assert {backoff.next() for _ in range(5_000)} == {20.0}


def test_after_a_success_they_begin_anew() -> None:
    """And the tries are counted anew."""
    backoff = Backoff(1.0, 20.0, jitter=EXACT)
    backoff.next()
    backoff.next()
    backoff.reset()
    assert (backoff.tries, backoff.next()) == (0, 1.0)


def test_what_waits_together_does_not_come_back_together() -> None:
    """Each pause is drawn from a half of it."""
    drawn = {Backoff(8.0, 8.0).next() for _ in range(100)}
    assert len(drawn) > 1
    assert min(drawn) >= 4.0
    assert max(drawn) <= 8.0
