"""Groups that cannot be helped do not slow those that can."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from e2e.poison import Poison

if TYPE_CHECKING:
    from e2e.namespace import Namespace

pytestmark = pytest.mark.usefixtures("operator")

KILLS = 15
SECONDS = 1.0
"""The longest that a replacement may take to be seen; without any poison it is a few hundredths."""


def test_nine_poisoned_groups_delay_no_heal(shop: Namespace) -> None:
    """They want 1,800 pods in vain, of which some hang in a webhook; each heal beside them takes less than a second."""
    pods = shop.start_group()
    with Poison(shop.cluster, shop.api), shop.record() as recording:
        for _ in range(KILLS):
            victim = pods.pop(0)
            killed = time.monotonic()
            shop.kill(victim, gracePeriodSeconds=0)
            heir = recording.heir(victim)
            assert heir.heard - killed < SECONDS
            pods.append(heir.pod)
        shop.complete()
