"""Many small groups: how soon they stand, and what the operator needs for it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from e2e.namespace import PODGROUPS
from e2e.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2e.namespace import Namespace
    from e2e.operator_process import OperatorProcess

GROUPS = 200
REPLICAS = 5
SECONDS = 60.0
MEGABYTES = 150.0


def test_two_hundred_groups_of_five(shop: Namespace, operator: OperatorProcess, measured: Callable[..., None]) -> None:
    """All 1000 pods of 200 groups are Ready, and told to be, within 60 s; the operator stays under 150 MB."""
    started, used = time.monotonic(), processor_seconds(operator.pid)
    for number in range(GROUPS):
        shop.create_group(f"web-{number}", REPLICAS)
    asked = time.monotonic()
    wait_for("all groups to be Ready", lambda: ready_groups(shop) == GROUPS, 2 * SECONDS)
    now = time.monotonic()
    assert len([pod for pod in shop.pods() if pod.ready]) == GROUPS * REPLICAS
    measured("200 groups of 5, creation of the PodGroups", asked - started, "s")
    measured("200 groups of 5, the operator's processor time", processor_seconds(operator.pid) - used, "s")
    measured("200 groups of 5, the operator's memory at its highest", operator.megabytes("VmHWM"), "MB", MEGABYTES)
    measured("200 groups of 5, all Ready", now - started, "s", SECONDS)


def ready_groups(shop: Namespace) -> int:
    """Count the PodGroups that say that they are Ready."""
    groups = shop.api.request("GET", shop.path("podgroups", root=PODGROUPS))["items"]
    conditions = [each for group in groups for each in group.get("status", {}).get("conditions") or ()]
    return sum(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def processor_seconds(pid: int) -> float:
    """Read how long a process has kept processors busy (utime and stime of proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
