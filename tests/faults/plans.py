"""All plans: made from the operator's own recorded writes, about its watches and lists, outages, and drawn ones.

`recorded.json` has the writes of each scenario when nothing goes wrong, as `pytest tests/faults --record` writes them
down. The operator is killed after each of them, the answer of each is lost, and each is refused in every way.
"""

from __future__ import annotations

import json
import random
import signal
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fakeapi.faults import Answer, Cut, CutLine, Delay, ErrorEvent, Silence
from faults.plan import Plan
from faults.strike import Crash, Fault, Strike

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RECORDED = Path(__file__).with_name("recorded.json")

REFUSALS: tuple[Fault, ...] = (
    Answer(401),
    Answer(403),
    Answer(429, retry_after=1),
    Answer(500),
    Answer(503),
    Answer(504),
    Cut(),
    Answer(500, after=True),
    Answer(504, after=True),
)
"""What can be told of a write; the last ones though it was done."""

READ_REFUSALS = (
    Answer(401),
    Answer(403),
    Answer(410),
    Answer(429, retry_after=1),
    Answer(500),
    Answer(503),
    Answer(504),
    Cut(),
)
STREAM_FAULTS = (
    CutLine(),
    CutLine(events=1),
    CutLine(events=3),
    ErrorEvent(410),
    ErrorEvent(410, events=2),
    ErrorEvent(429),
    ErrorEvent(403),
    ErrorEvent(500),
    ErrorEvent(500, events=2),
)
SURE = {"create events": 1, "patch podgroups/status": 2, "try podtemplates": 2}
"""How many writes are made in any case; what happens close together is told in one."""

SURE_AT_LEAST = {
    "supersede": SURE | {"create pods": 9, "delete pods": 3, "create controllerrevisions": 3},
    "back": SURE | {"patch controllerrevisions": 1},
    "ask": SURE | {"patch podgroups/status": 1},  # of the pods that are counted none is missing at the end
    "tight": SURE | {"create pods": 8},  # what the quota refuses is tried again, ever later
}
"""How many there are in any case of the writes of a scenario that may go in more than one way."""

SURE_WHILE_IT_GROWS = SURE | {"patch podgroups/status": 1}
"""Pods that are Ready soon are told of together with their making."""

COLLECTIONS = ("pods", "podgroups")
ROLLED = (*COLLECTIONS, "controllerrevisions")
"""What is watched for rollouts."""

OUTAGE_PAUSE = 25.0
"""Seconds; the longest pause between two tries is 20."""

SILENCE_SECONDS = 40.0
"""Seconds; a connection without a byte for 28 is given up."""

DRAWN = ("grow", "heal", "vanish", "fail", "scale", "adopt", "burst", "roll", "supersede", "back", "recreate", "ask")
"""The scenarios among which is drawn."""

TAKE_OVER_PAUSE = 20.0
"""Seconds; a leader that is gone is replaced after 15."""


def recorded() -> dict[str, list[str]]:
    """Read the keys of each scenario's writes, in order."""
    writes: dict[str, list[str]] = json.loads(RECORDED.read_text()) if RECORDED.exists() else {}
    return writes


def numbered(keys: list[str]) -> Iterator[tuple[str, int]]:
    """Number the writes of each kind."""
    seen: Counter[str] = Counter()
    for key in keys:
        seen[key] += 1
        yield key, seen[key]


def own_writes(scenario: str) -> list[tuple[str, int]]:
    """Give the writes that a scenario adds to the making of a group, as far as each run has them."""
    making = sure_writes("grow", SURE_WHILE_IT_GROWS)
    if scenario == "grow":
        return making
    sure = SURE_AT_LEAST.get(scenario, SURE)
    return [each for each in sure_writes(scenario, sure) if each not in making]


def sure_writes(scenario: str, sure: Mapping[str, int]) -> list[tuple[str, int]]:
    """Give the writes of a scenario that each run has."""
    return [(key, nth) for key, nth in numbered(recorded().get(scenario, [])) if nth <= sure.get(key, nth)]


def one(scenario: str, *strikes: Strike, **fields: Any) -> Plan:
    """Make a plan that is named after what it does; its other fields are those of a Plan."""
    name = f"{scenario}: {' & '.join(map(str, strikes))}"
    for field, word in {"operators": "operators", "seconds": "s"}.items():
        name += f", {fields[field]:g} {word}" if field in fields else ""
    name += ", elected" if fields.get("elect") else ""
    return Plan(name, scenario, strikes, **fields)


def after_each_write() -> Iterator[Plan]:
    """Kill the operator after each write, and lose the answer of each."""
    for scenario in sorted(recorded().keys() - {"burst"}):
        for key, nth in own_writes(scenario):
            yield one(scenario, Strike(Crash(), key, nth), pause=5.0)
            yield one(scenario, Strike(Cut(after=True), key, nth))


def each_write_refused() -> Iterator[Plan]:
    """Refuse the last write of each kind in every way."""
    for scenario in ("grow", "heal", "scale", "adopt", "roll"):
        for key, nth in dict(own_writes(scenario)).items():
            if scenario in {"grow", "roll"} or key.endswith(" pods"):
                yield from (one(scenario, Strike(fault, key, nth)) for fault in REFUSALS)


def reads_disturbed() -> Iterator[Plan]:
    """Disturb each watch and each list, at the start and when something happens."""
    for resource in COLLECTIONS:
        for fault in READ_REFUSALS:
            if fault != Answer(410):
                yield one("grow", Strike(fault, f"list {resource}"))
            yield one("heal", Strike(fault, f"watch {resource}"), in_the_middle=True)
        for stream in STREAM_FAULTS:
            yield one("heal", Strike(stream, f"watch {resource}", times=3), in_the_middle=True)
        for scenario in ("scale", "end"):
            yield one(scenario, Strike(Answer(410), f"watch {resource}", times=2), in_the_middle=True)
            yield one(scenario, Strike(ErrorEvent(410), f"watch {resource}", times=2), in_the_middle=True)


def rollouts_disturbed() -> Iterator[Plan]:
    """Disturb each watch and each list in a rollout, and let what it writes fail for a time."""
    for resource in ROLLED:
        for unread in (Answer(410), Answer(403), Cut()):
            yield one("supersede", Strike(unread, f"watch {resource}"), in_the_middle=True)
        for stream in (CutLine(events=1), ErrorEvent(410), ErrorEvent(500, events=2)):
            yield one("supersede", Strike(stream, f"watch {resource}", times=3), in_the_middle=True)
    for unread in (Answer(403), Answer(500), Cut()):
        yield one("roll", Strike(unread, "list controllerrevisions"), pause=OUTAGE_PAUSE)
    middle = {"in_the_middle": True, "pause": OUTAGE_PAUSE, "seconds": 6.0}
    for key in ("create pods", "delete pods", "create controllerrevisions", "patch podgroups/status", "try pods"):
        for refusal in (Answer(403), Answer(500), Cut(after=True)):
            yield one("supersede", Strike(refusal, key, times=None), blind=6.0, **middle)
    for fault in REFUSALS[:7]:
        yield one("supersede", Strike(fault, times=None), blind=6.0, **middle)


def changes_in_place_disturbed() -> Iterator[Plan]:
    """Let each kind of patch fail in every way but that for which pods are replaced; and two operators share it."""
    for key in ("patch pods", "patch pods/resize", "try podtemplates", "get pods"):
        for fault in REFUSALS:
            if fault != Answer(403):
                yield one("patch", Strike(fault, key, 2))
                yield one("halt", Strike(fault, key, 1))
    for resource in ROLLED:
        for stream in (CutLine(events=1), ErrorEvent(410), ErrorEvent(500, events=2)):
            yield one("patch", Strike(stream, f"watch {resource}", times=3), in_the_middle=True)
    elected = {"operators": 2, "elect": True, "pause": TAKE_OVER_PAUSE}
    for scenario in ("patch", "halt"):
        yield Plan(f"{scenario}: two operators", scenario, operators=2, elect=True)
        for by in (signal.SIGKILL, signal.SIGTERM):
            yield one(scenario, Strike(Crash(by), "patch pods/resize", 1), **elected)


def rollouts_shared() -> Iterator[Plan]:
    """Let two operators share a rollout, one of which leads, or has led."""
    for scenario in ("roll", "supersede", "back", "recreate"):
        yield Plan(f"{scenario}: two operators", scenario, operators=2, elect=True)
    elected = {"operators": 2, "elect": True, "pause": TAKE_OVER_PAUSE}
    for by in (signal.SIGKILL, signal.SIGTERM):
        yield one("roll", Strike(Crash(by), "create pods", 6), **elected)
        yield one("supersede", Strike(Crash(by), "delete pods", 2), **elected)
        yield one("recreate", Strike(Crash(by), "delete pods", 2), **elected)
    lost = Strike(Cut(after=True), "create pods", 6, times=3)
    yield one("supersede", lost, Strike(Crash(), "delete pods", 3), **elected)
    yield one("supersede", Strike(Cut(), times=None, operator=0), in_the_middle=True, seconds=20.0, **elected)


def bursts_broken() -> Iterator[Plan]:
    """End the operator in the middle of many writes, by SIGKILL and by SIGTERM, before and after their effect."""
    for by in (signal.SIGKILL, signal.SIGTERM):
        for after in (False, True):
            for nth in (13, 17):
                yield one("burst", Strike(Crash(by, after), "create pods", nth), pause=5.0)
    # Each answer lost doubles the pause, up to 20 s.
    yield one("burst", Strike(Cut(after=True), "create pods", 12, times=4), pause=OUTAGE_PAUSE)
    yield one("burst", Strike(Answer(429, retry_after=2), "create pods", 13, times=4))
    yield one("burst", Strike(Answer(403), "create pods", 12, times=3), pause=10.0)


def several() -> Iterator[Plan]:
    """Two operators at once, well and ill; one leads, the other stands by."""
    for scenario in ("grow", "heal", "scale", "vanish", "end"):
        yield Plan(f"{scenario}: two operators", scenario, operators=2, elect=True)
    shared = {"operators": 2, "elect": True, "pause": TAKE_OVER_PAUSE}
    lost = Strike(Cut(after=True), "create pods", 4, times=3)
    deaf = Strike(Silence(), "watch pods", operator=0)
    for scenario in ("heal", "vanish", "burst"):
        yield one(scenario, lost, **shared)
        yield one(scenario, Strike(Crash(), "create pods", 5 if scenario == "burst" else 4), **shared)
        yield one(
            scenario,
            lost,
            deaf,
            operators=2,
            elect=True,
            in_the_middle=True,
            pause=SILENCE_SECONDS,
            blind=SILENCE_SECONDS,
        )
    yield one("grow", Strike(Crash(), "create pods", 2), **shared)
    yield one("scale", Strike(Crash(), "delete pods", 1), **shared)
    yield one("heal", Strike(Crash(), "patch podgroups/status", 2), **shared)
    yield one("heal", Strike(Cut(after=True), "patch podgroups/status", times=6), **shared)
    yield one("vanish", lost, Strike(Crash(), "create pods", 5), **shared)
    yield one("burst", Strike(Crash(signal.SIGTERM), "create pods", 15), **shared)
    elected = {"operators": 2, "elect": True, "pause": TAKE_OVER_PAUSE}
    for scenario in ("heal", "scale", "vanish", "burst"):
        yield one(scenario, Strike(Crash(), "create pods", 1 if scenario == "scale" else 4), **elected)
    yield one("heal", Strike(Crash(signal.SIGTERM), "create pods", 4), **elected)
    cut_off = Strike(Cut(), times=None, operator=0)
    yield one("heal", cut_off, in_the_middle=True, seconds=20.0, **elected)
    yield one("scale", cut_off, in_the_middle=True, seconds=20.0, **elected)
    yield one("scale", Strike(Answer(500), "patch leases", times=None), in_the_middle=True, seconds=15.0, **elected)


def outages() -> Iterator[Plan]:
    """Let everything fail for a time, or every create."""
    middle = {"in_the_middle": True, "pause": OUTAGE_PAUSE}
    for fault in REFUSALS[:7]:
        yield one("heal", Strike(fault, times=None), seconds=5.0, blind=5.0, **middle)
        yield one("grow", Strike(fault, "create pods", times=None), seconds=6.0, **middle)
    yield one("heal", Strike(Cut(after=True), "create pods", times=None), seconds=4.0, **middle)


def long_ones() -> Iterator[Plan]:
    """Let the API server be down for minutes, its watches be silent, and its answers come too late."""
    silent = {"in_the_middle": True, "pause": SILENCE_SECONDS, "blind": SILENCE_SECONDS}
    for fault in (Cut(), Answer(503)):
        yield one("heal", Strike(fault, times=None), in_the_middle=True, seconds=120.0, pause=OUTAGE_PAUSE, blind=120.0)
    for resource in COLLECTIONS:
        strike = Strike(Silence(), f"watch {resource}")
        yield one("scale", strike, **silent)
    yield one("grow", Strike(Cut(after=True), "create pods", times=2), Strike(Silence(), "watch pods"), **silent)
    for resource in ROLLED:
        yield one("roll", Strike(Silence(), f"watch {resource}"), **silent)
        yield one("supersede", Strike(Silence(), f"watch {resource}"), **silent)
    deaf = Strike(Silence(events=1), "watch pods")
    yield one("vanish", Strike(Cut(after=True), "create pods"), deaf, **silent)
    for after in (False, True):
        strike = Strike(Delay(35.0, after=after), "create pods", 3)
        yield one("grow", strike, pause=40.0)


def drawn(seed: int, number: int) -> Iterator[Plan]:
    """Draw plans: a scenario, and some of everything that can go wrong with it."""
    for each in range(seed, seed + number):
        dice = random.Random(each)  # noqa: S311 - which faults, protects nothing
        scenario = dice.choice(DRAWN)
        writes = sorted(set(numbered(recorded().get(scenario) or ["create pods"])))
        strikes = [Strike(dice.choice((Crash(), *REFUSALS)), *dice.choice(writes)) for _ in range(dice.randint(1, 3))]
        if dice.random() < 0.5:
            fault = dice.choice((*STREAM_FAULTS, *READ_REFUSALS))
            strikes.append(Strike(fault, f"watch {dice.choice(ROLLED)}", times=dice.randint(1, 2)))
        plan = one(scenario, *strikes, seed=each, pause=10.0, blind=5.0)
        yield replace(plan, name=f"drawn {each}: {plan.name}")


def all_plans(seed: int, number: int) -> list[Plan]:
    """Give every plan; `number` of them are drawn, with these seeds."""
    fixed = (after_each_write, each_write_refused, reads_disturbed, bursts_broken, several, outages, long_ones)
    rollouts = (rollouts_disturbed, changes_in_place_disturbed, rollouts_shared)
    return [plan for made in (*fixed, *rollouts) for plan in made()] + list(drawn(seed, number))


SHORT = (
    "heal: sigkill-after@create pods 4",
    "heal: lost-answer@create pods 4",
    "scale: lost-answer@delete pods 2",
    "grow: 429-retry1@create pods 3",
    "adopt: 500-after@patch pods 2",
    "heal: error-event-500-0@watch pods 1+3",
    "heal: cut-line-1@watch podgroups 1+3",
    "heal: sigterm-after@create pods 4, 2 operators, elected",
    "vanish: two operators",
    "end: error-event-410-0@watch podgroups 1+2",
    "roll: sigkill-after@create pods 6",
    "supersede: lost-answer@delete pods 2",
    "supersede: sigkill-after@create controllerrevisions 2",
    "recreate: two operators",
    "patch: sigkill-after@patch pods 1",
    "halt: sigkill-after@patch pods/resize 1",
)
"""The plans that `make test` carries out, by name."""
