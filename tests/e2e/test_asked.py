"""What a person asks of a pod by annotation: each replaced once, within the bounds, and never without end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from e2e.pod import names, pod_spec, uids
from e2e.policies import policy
from e2e.versions import bounds, rolled, start
from e2e.versions import change as change_template

if TYPE_CHECKING:
    from e2e.namespace import Namespace

pytestmark = pytest.mark.usefixtures("operator")

DELETE, KEEP = "selfheal.dev/delete", "selfheal.dev/keep"


@pytest.mark.parametrize(
    ("strategy", "most", "fewest"),
    [
        ({"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}, 7, 6),
        ({"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 2}}, 6, 4),
        ({"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}, 8, 5),
        ({"type": "OnDelete"}, 6, 5),
    ],
    ids=["surge", "unavailable", "25 %", "OnDelete"],
)
def test_all_pods_at_once_keep_the_bounds(shop: Namespace, strategy: dict[str, Any], most: int, fewest: int) -> None:
    """Each is replaced once, by one that says so, and no heal is counted."""
    old = start(shop, 6, strategy=strategy)
    with shop.record() as recording:
        shop.kubectl("annotate", "pods", "--all", f"{DELETE}=true")
        after = shop.complete(without=old)
        shop.quiet()
        seen, made = bounds(recording), recording.created()
    assert seen.most <= most
    assert seen.fewest >= fewest
    assert uids(made) == uids(after)
    assert sorted(pod.replaces for pod in after) == sorted(names(old))
    assert {(pod.cause, bool(pod.annotations["selfheal.dev/lost-at"])) for pod in after} == {("Asked", True)}
    assert shop.status()["healing"]["total"] == 0


@pytest.mark.parametrize("asked", [DELETE, KEEP])
def test_what_a_policy_asks_of_every_pod_is_asked_by_nobody(shop: Namespace, asked: str) -> None:
    """What is there from a pod's first moment makes no pods without end, and stops no rollout."""
    change = f'Object{{metadata: Object.metadata{{annotations: {{"{asked}": "true"}}}}}}'
    mutations = [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": change}}]

    def works() -> bool:
        probe = {"metadata": {"name": "probe"}, "spec": pod_spec()}
        made = shop.api.request("POST", shop.path("pods"), probe, dryRun="All")
        return asked in (made["metadata"].get("annotations") or {})

    with policy(shop, "mutating", "CREATE", works, mutations=mutations, reinvocationPolicy="Never"):
        with shop.record() as recording:
            pods = start(shop, 3)
            shop.quiet()
            shop.kill(pods[0])
            shop.complete(without=pods[:1])
            shop.quiet()
            made = recording.created()
        assert len(made) == 4
        before = shop.live()
        assert {pod.annotations[asked] for pod in before} == {"true"}
        change_template(shop, "2")
        after = rolled(shop, "2")
        assert not uids(after) & uids(before)
        for value in ("false", "true"):
            shop.kubectl("annotate", "pod", after[0].name, f"{DELETE}={value}", "--overwrite")
        shop.complete(without=after[:1])
