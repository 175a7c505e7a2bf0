"""The strategy in numbers: Deployment's arithmetic (ResolveFenceposts), and how many pods a partition leaves."""

import pytest

from podgroup_operator.core.model.strategy import DEFAULT, Share, Strategy, StrategyType


def share(text: str) -> Share:
    """Read "3" or "25%"."""
    return Share(int(text.rstrip("%")), percent=text.endswith("%"))


def rolling(surge: str, unavailable: str) -> Strategy:
    """Build a rolling update."""
    return Strategy(max_surge=share(surge), max_unavailable=share(unavailable))


# maxSurge, maxUnavailable, replicas: how many more, how many fewer.
BOUNDS = [
    # A percentage of surge rounds up, one of unavailability down.
    ("25%", "25%", 10, 3, 2),
    ("25%", "25%", 4, 1, 1),
    ("25%", "25%", 3, 1, 0),
    ("25%", "25%", 1, 1, 0),
    ("50%", "50%", 5, 3, 2),
    ("1%", "99%", 1000, 10, 990),
    ("1%", "1%", 1, 1, 0),
    # Numbers are taken as they are.
    ("2", "0", 3, 2, 0),
    ("0", "2", 3, 0, 2),
    ("3", "1", 2, 3, 1),
    # Where both come to nothing one pod may be unavailable.
    ("0", "0", 3, 0, 1),
    ("0%", "0%", 3, 0, 1),
    ("0", "10%", 5, 0, 1),
    ("0%", "99%", 1, 0, 1),
    # A percentage above 100, and more than there are.
    ("200%", "0", 3, 6, 0),
    ("100%", "100%", 3, 3, 3),
    ("0", "150%", 3, 0, 3),
    ("0", "7", 3, 0, 3),
    # A group of none.
    ("25%", "25%", 0, 0, 0),
    ("2", "2", 0, 2, 0),
    ("0", "0", 0, 0, 0),
]


@pytest.mark.parametrize(("surge", "unavailable", "replicas", "more", "fewer"), BOUNDS)
def test_a_rolling_update_has_deployments_bounds(
    surge: str, unavailable: str, replicas: int, more: int, fewer: int
) -> None:
    """So many pods may be there beyond `replicas`, and so many of those may be unavailable."""
    strategy = rolling(surge, unavailable)

    assert (strategy.surge(replicas), strategy.unavailable(replicas)) == (more, fewer)


def test_what_is_not_said_is_deployments_default() -> None:
    """A rolling update, a quarter more and a quarter fewer, of all pods."""
    assert Strategy(StrategyType.ROLLING_UPDATE, share("25%"), share("25%"), Share(0)) == DEFAULT


@pytest.mark.parametrize("kind", [StrategyType.RECREATE, StrategyType.ON_DELETE])
def test_only_a_rolling_update_has_a_surge(kind: StrategyType) -> None:
    """With Recreate and OnDelete there is none, and what is asked for goes one at a time."""
    strategy = Strategy(kind, share("100%"), share("100%"), Share(2))

    assert (strategy.surge(4), strategy.unavailable(4), strategy.staying(4)) == (0, 1, 0)
    assert strategy.unavailable(0) == 0


# partition, replicas: how many stay.
STAYING = [
    ("0", 4, 0),
    ("1", 4, 1),
    ("4", 4, 4),
    ("9", 4, 4),
    ("0%", 4, 0),
    ("1%", 4, 1),  # up
    ("50%", 3, 2),
    ("75%", 4, 3),
    ("99%", 4, 3),  # less than all leaves at least one to change
    ("99%", 1, 0),
    ("99%", 1000, 990),
    ("100%", 4, 4),
    ("200%", 4, 4),
    ("50%", 0, 0),
    ("3", 0, 0),
]


@pytest.mark.parametrize(("partition", "replicas", "stay"), STAYING)
def test_a_partition_leaves_so_many_as_they_are(partition: str, replicas: int, stay: int) -> None:
    """A percentage rounds up, but one below 100 leaves at least one pod to change."""
    assert Strategy(partition=share(partition)).staying(replicas) == stay
