"""The guard: what keeps operators of version 0.1.0 away while there may be some."""

import logging
import random
from collections.abc import Callable
from typing import Any

from podgroup_operator.api.refusals import CONFLICT, Refused
from podgroup_operator.core.lease import DEADLINE, POLL, RENEWAL, SHARED, STALE, Step, of_our_kind
from podgroup_operator.lead.leases import LeaseObject
from podgroup_operator.lead.pursuit import Pursuit

OF_ANOTHER = 0.8 * RENEWAL
"""Seconds between two looks at a Lease that another operator renews: where each answer takes a second it does so every
three, and one is seen to be renewed within `DEADLINE` after the look before the last renewal that was seen."""

logger = logging.getLogger(__name__)


class Guard(Pursuit):
    """Keeps operators of version 0.1.0 from leading beside those of single namespaces, which all hold `WIDE` together.

    Where one that serves all namespaces holds it, that keeps them away too, as long as it is seen to be renewed.
    """

    def __init__(
        self, lease: LeaseObject, trouble: Callable[[str], None], say: Callable[[str], None], **clock: Any
    ) -> None:
        super().__init__(lease, SHARED, trouble, **clock)
        self._say = say
        self._told = ""

    async def run(self) -> None:
        """Hold it for ever; it is never given back, for others hold it too."""
        while True:
            began = self._clock()
            await self.attempt()
            # Those who hold it together must not come back together.
            await self._rest(began, self._pause() * random.uniform(0.7, 1))  # noqa: S311 - spreads, protects nothing

    def _pause(self) -> float:
        """Give the seconds between two looks."""
        if self.remaining() <= 0:
            return POLL
        return RENEWAL if self._seen and self._seen.holder == SHARED else OF_ANOTHER

    async def _take(self, step: Step, asked: float) -> None:
        if step is Step.RENEW:
            self._until = max(self._until, self._known_at + DEADLINE)
        if step is not Step.RENEW or asked - self._known_at >= STALE:
            await self._write_unless_another_does(step, asked)
        self._tell("")

    async def _write_unless_another_does(self, step: Step, asked: float) -> None:
        try:
            await super()._take(step, asked)
        except Refused as refusal:
            # Who has changed it since we asked is no operator of version 0.1.0: that must see it stand still first.
            if refusal.code != CONFLICT or step is not Step.RENEW or self.remaining() <= 0:
                raise
            self._until = asked + DEADLINE

    def _waits(self, holder: str) -> None:
        if of_our_kind(holder):
            self._until = self._known_at + DEADLINE
            self._tell("")
        else:
            self._tell(
                f"Standing by: {holder}, perhaps an operator of version 0.1.0, holds the Lease {self._lease}, by which "
                "it may lead for any namespace."
            )

    def _tell(self, why: str) -> None:
        self._say(why)
        if why and why != self._told:
            logger.info("%s", why)
        self._told = why
