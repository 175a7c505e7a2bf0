"""How a changed template reaches the pods: `spec.strategy`, `spec.paused` and the deadline."""

import re
from typing import Any

from podgroup_operator.api.fields import Fields
from podgroup_operator.core.model.strategy import DEFAULT, Share, Strategy, StrategyType

TYPES = {each.value: each for each in StrategyType}
PERCENT = re.compile(r"(\d{1,9})%")
NEVER, IF_POSSIBLE = "Never", "IfPossible"
FOR_EVER = 2**31 - 1
"""With this many seconds Deployment has no deadline (HasProgressDeadline, deployment_util.go)."""


def read_strategy(spec: Fields) -> Strategy:
    """Read a strategy; what is left out is Deployment's default, `rollingUpdate` without a type means it."""
    strategy = spec.map("strategy")
    kind = strategy.text("type") or StrategyType.ROLLING_UPDATE.value
    if kind not in TYPES:
        strategy.note("type")
    in_place = strategy.text("inPlace") or NEVER
    if in_place not in (NEVER, IF_POSSIBLE):
        strategy.note("inPlace")
    rolling = strategy.map("rollingUpdate")
    return Strategy(
        type=TYPES.get(kind, StrategyType.ROLLING_UPDATE),
        max_surge=read_share(rolling, "maxSurge", DEFAULT.max_surge),
        max_unavailable=read_share(rolling, "maxUnavailable", DEFAULT.max_unavailable),
        partition=read_share(rolling, "partition", DEFAULT.partition),
        in_place=in_place == IF_POSSIBLE,
    )


def read_share(fields: Fields, name: str, default: Share) -> Share:
    """Read an IntOrString: a number, or a percentage."""
    value = fields.raw(name)
    if value is None:
        return default
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return Share(value)
    if isinstance(value, str) and (found := PERCENT.fullmatch(value)):
        return Share(int(found[1]), percent=True)
    fields.note(name)
    return default


def read_rollout_wishes(spec: Fields) -> dict[str, Any]:
    """Read all that a PodGroup asks of its rollouts."""
    deadline = spec.number("progressDeadlineSeconds", 600, least=0)
    return {
        "strategy": read_strategy(spec),
        "paused": spec.flag("paused"),
        "progress_deadline_seconds": None if deadline >= FOR_EVER else deadline,
        "rollback_on_deadline": spec.flag("rollbackOnDeadline"),
        "revision_history_limit": spec.number("revisionHistoryLimit", 10, least=0),
    }
