"""Two operators, one of which leads: what dies while the leader changes is replaced, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from e2e.pod import uids
from installed.installation import NAMESPACE
from installed.shell import ROOT

if TYPE_CHECKING:
    from e2e.namespace import Namespace
    from installed.installation import Installation

GROUP = ROOT / "deploy/examples/a-pod-can-die/web.yaml"


def test_the_other_takes_over_when_the_leader_is_deleted(shop: Namespace, installed: Installation) -> None:
    """The leader's pod is deleted; the one that stood by leads, and replaces what died meanwhile."""
    shop.kubectl("apply", f"--filename={GROUP}")
    before = shop.complete("mortal")
    leader = installed.leader()["metadata"]["name"]
    with shop.record() as recording:
        shop.kubectl("delete", "pod", f"--namespace={NAMESPACE}", leader, "--wait=false")
        shop.kill(before[0], gracePeriodSeconds=0)
        after = shop.complete("mortal", without=before[:1])
        assert uids(recording.created()) == uids(after) - uids(before)
    assert installed.leader()["metadata"]["name"] != leader
