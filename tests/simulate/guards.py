"""Many operators, each of one namespace: what their Leases cost, and whether each keeps its lead.

`PYTHONPATH=tests python -m simulate.guards --operators=40 --minutes=10 --latency=1` runs the whole of each of them in
virtual time, beside one API server that is so far away, and counts what they ask of Leases when all have begun.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simulate import clocks

if TYPE_CHECKING:
    from random import Random

    from simulate.asked import Asked

BEGINNING = 120.0
"""Seconds that they have to begin to lead, one after another."""

LOOK = 0.25


@dataclass
class Tally:
    """What was counted.

    Attributes:
        asked: requests on Leases by verb, name and code.
        lapses: how many times an operator was found that might not write.
        seconds: for how long that was.
    """

    asked: Counter[str] = field(default_factory=Counter)
    lapses: int = 0
    seconds: float = 0.0

    def rate(self, operators: int, words: str = "") -> float:
        """Give how many of these requests an operator makes in a second."""
        return sum(number for key, number in self.asked.items() if words in key) / self.seconds / max(operators, 1)


def measure(operators: int, seconds: float, latency: float, *, wide: bool) -> Tally:
    """Run so many operators; what they ask is on its way for `latency` seconds, and so long in all with its answer."""
    from podgroup_operator.lead.election import Election  # noqa: PLC0415 - it must find our clocks
    from podgroup_operator.settings import Settings  # noqa: PLC0415
    from simulate.apiserver import ApiServer  # noqa: PLC0415
    from simulate.loop import Loop  # noqa: PLC0415
    from simulate.network import Network  # noqa: PLC0415
    from simulate.operators import Operators, stand_in  # noqa: PLC0415
    from simulate.weather import Weather  # noqa: PLC0415

    class Far(Weather):
        def delay(self, chance: Random) -> float:
            return latency / 2 * chance.uniform(0.8, 1.2)

    loop, tally, elections = Loop(), Tally(), dict[str, Election]()
    stand, namespaces = Election.stand, tuple(f"tenant-{number}" for number in range(operators))
    served = ("", *namespaces) if wide else namespaces

    def noted(self: Election, namespace: str, *arguments: Any, **options: Any) -> Any:
        elections[namespace] = self
        return stand(self, namespace, *arguments, **options)

    def notice(asked: Asked) -> None:
        if asked.resource.startswith("leases"):
            tally.asked[f"{asked.verb} {asked.name or 'all'} {asked.code}"] += 1

    async def live() -> None:
        network = Network(ApiServer(namespaces, nodes=1), Far(), random.Random("guards"), notice)  # noqa: S311
        stand_in(network)
        for namespace in served:
            Operators(loop, network, lambda _: None, Settings(namespaces=(namespace,) if namespace else ())).start()
            await asyncio.sleep(random.uniform(0, 1))  # noqa: S311
        await asyncio.sleep(BEGINNING)
        tally.asked.clear()
        began = loop.time()
        while loop.time() < began + seconds:
            await asyncio.sleep(LOOK)
            tally.lapses += sum(elections[each].remaining(each) <= 0 for each in served)
        tally.seconds = loop.time() - began

    random.seed("guards")
    Election.stand = noted  # type: ignore[method-assign]
    asyncio.set_event_loop(loop)
    loop.run_until_complete(loop.create_task(live()))
    return tally


def main(arguments: list[str]) -> int:
    """Measure and tell; 1 if one of them might not write for a while."""
    parser = argparse.ArgumentParser(prog="simulate.guards", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--operators", type=int, default=40)
    parser.add_argument("--beside-one-of-all", action="store_true", help="and one more that serves all namespaces")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--latency", type=float, default=1.0, help="seconds that a request and its answer take")
    options = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)
    clocks.install()
    wide = options.beside_one_of_all
    tally = measure(options.operators, options.minutes * 60, options.latency, wide=wide)
    shared, conflicts = (tally.rate(options.operators, words) for words in (" podgroup-operator ", " 409"))
    sys.stdout.write(
        f"{options.operators} operators, {tally.seconds:.0f} s, {options.latency:g} s a request: each asks "
        f"{tally.rate(options.operators):.2f} times a second of Leases, {shared:.2f} of them of the shared one, "
        f"{conflicts:.3f} in vain; {tally.lapses} lapses. {dict(tally.asked)}\n"
    )
    return int(tally.lapses > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
