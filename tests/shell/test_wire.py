"""JSON becomes records and records become JSON: what is kept, what a missing field means, what a hostile one does."""

from dataclasses import replace
from typing import Any

import pytest

from builders import NOW, desired, loss
from podgroup_operator.api.wire.desired import read_desired
from podgroup_operator.api.wire.pod import read_pod
from podgroup_operator.api.wire.revision import template_hash
from podgroup_operator.api.wire.status import read_status, shows, write_status
from podgroup_operator.core.manifest import pod_manifest
from podgroup_operator.core.model.actions import Create
from podgroup_operator.core.model.desired import PodReplacement
from podgroup_operator.core.model.pod import Phase, Pod
from podgroup_operator.core.model.signs import Signs
from podgroup_operator.core.model.status import Condition, Heal, Healing, Status
from podgroup_operator.core.selector import Operator, Requirement, Selector

Json = dict[str, Any]

UID = "11111111-2222-4333-8444-555555555555"
GROUP = {"apiVersion": "selfheal.dev/v1", "kind": "PodGroup", "name": "web", "uid": "of-web", "controller": True}
REPLICA_SET = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "of-rs", "controller": True}
RAN = {
    "containerStatuses": [{"name": "a", "restartCount": 0, "state": {"running": {"startedAt": "2023-11-14T22:13:20Z"}}}]
}
READY = {"type": "Ready", "status": "True", "lastTransitionTime": "2023-11-14T22:13:20Z"}
PLAIN = Pod("shop", "web-0", UID, version=7, labels={}, created=NOW)


def a_pod(metadata: Json | None = None, spec: Json | None = None, status: Json | None = None) -> Json:
    """Give the barest pod that an API server hands out, with changes."""
    born = {"creationTimestamp": "2023-11-14T22:13:20Z", "resourceVersion": "7"}
    named = {"namespace": "shop", "name": "web-0", "uid": UID}
    return {"metadata": named | born | (metadata or {}), "spec": spec or {}, "status": status or {}}


def a_group(metadata: Json | None = None, **spec: Any) -> Json:
    """Give the barest PodGroup, with changes."""
    named = {"namespace": "shop", "name": "web", "uid": UID}
    return {"metadata": named | (metadata or {}), "spec": {"template": {}} | spec}


@pytest.mark.parametrize(
    ("body", "changes"),
    [
        pytest.param(a_pod(), {}, id="nothing but a name"),
        pytest.param(a_pod({"labels": {"a": "b"}}), {"labels": {"a": "b"}}, id="labels"),
        pytest.param(a_pod({"ownerReferences": [GROUP]}), {"controller": "of-web"}, id="ours"),
        pytest.param(
            a_pod({"ownerReferences": [GROUP | {"apiVersion": "selfheal.dev/v2"}]}),
            {"controller": "of-web"},
            id="ours, of another version of the API",
        ),
        pytest.param(
            a_pod({"ownerReferences": [REPLICA_SET | {"controller": False}, GROUP]}),
            {"controller": "of-web"},
            id="ours, and another owner that does not control it",
        ),
        pytest.param(a_pod(spec={"nodeName": "node-1"}), {"node": "node-1", "signs": Signs(unstarted=0.0)}, id="bound"),
        pytest.param(a_pod(status={"phase": "Running"}), {"phase": Phase.RUNNING}, id="running"),
        pytest.param(a_pod(status={"phase": "Sleeping"}), {"phase": Phase.UNKNOWN}, id="a phase of the future"),
        pytest.param(a_pod(status={"conditions": [READY]}), {"ready_since": NOW}, id="ready"),
        pytest.param(
            a_pod(status={"conditions": [READY | {"lastTransitionTime": None}]}),
            {"ready_since": 0.0},
            id="ready, nobody knows since when",
        ),
        pytest.param(a_pod(status={"conditions": [READY | {"status": "Unknown"}]}), {}, id="ready is unknown"),
        pytest.param(
            a_pod({"deletionTimestamp": "2023-11-14T22:13:50Z", "deletionGracePeriodSeconds": 30}),
            {"deleted": NOW},
            id="deleted 30 s before its end",
        ),
        pytest.param(a_pod({"deletionTimestamp": "2023-11-14T22:13:20Z"}), {"deleted": NOW}, id="deleted at once"),
        pytest.param(a_pod(status={"reason": "Evicted"} | RAN), {"evicted": True}, id="evicted by the kubelet"),
        pytest.param(a_pod(status={"reason": "Evicted"}), {}, id="turned away by the kubelet before it ran"),
        pytest.param(
            a_pod(
                status={
                    "conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}]
                }
            ),
            {"evicted": True},
            id="evicted through the API",
        ),
        pytest.param(
            a_pod(
                status={
                    "conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}]
                }
            ),
            {"evicted": True},
            id="preempted",
        ),
        pytest.param(
            a_pod(
                spec={"initContainers": [{"name": "proxy", "restartPolicy": "Always"}, {"name": "once"}]},
                status={
                    "containerStatuses": [{"name": "a", "restartCount": 2}, {"name": "b", "restartCount": 5}],
                    "initContainerStatuses": [
                        {"name": "proxy", "restartCount": 3},
                        {"name": "once", "restartCount": 9},
                    ],
                },
            ),
            {"restarts": (5, 3)},
            id="restarts of containers and of sidecars, not of init containers",
        ),
        pytest.param(
            a_pod({"annotations": {"controller.kubernetes.io/pod-deletion-cost": "-10"}}),
            {"deletion_cost": -10},
            id="cheap to delete",
        ),
        pytest.param(a_pod({"labels": None, "annotations": None, "ownerReferences": None}), {}, id="nulls"),
        pytest.param(a_pod({"annotations": {"selfheal.dev/failures": "4"}}), {"failures": 4}, id="made in a streak"),
        pytest.param(a_pod({"annotations": {"selfheal.dev/failures": "-4"}}), {}, id="a streak of less than nothing"),
    ],
)
def test_a_pod_is_reduced_to_what_decisions_need(body: Json, changes: Json) -> None:
    """Each field of the record comes from its place in the object, and what is missing has its default."""
    assert replace(PLAIN, **changes) == read_pod(body)


def ended(code: int, **terminated: object) -> Json:
    """Give the status of a container that has ended, ten seconds after the pod was made."""
    end = {"exitCode": code, "startedAt": "2023-11-14T22:13:22Z", "finishedAt": "2023-11-14T22:13:30Z", **terminated}
    return {"name": "web", "restartCount": 0, "state": {"terminated": end}}


WAITING = {"name": "b", "restartCount": 0, "state": {}}
REJECTED = {"phase": "Failed", "reason": "OutOfcpu", "message": "Node didn't have enough resource: cpu"}
DISRUPTED = {"type": "DisruptionTarget", "status": "True", "lastTransitionTime": "2023-11-14T22:13:25Z"}


@pytest.mark.parametrize(
    ("status", "end"),
    [
        pytest.param({"phase": "Running", "containerStatuses": [ended(1)]}, (None, False, ""), id="it is not finished"),
        pytest.param({"phase": "Failed"}, (NOW, False, ""), id="nothing is known but that it was made"),
        pytest.param(
            {"phase": "Failed", "startTime": "2023-11-14T22:13:24Z"}, (NOW + 4, False, ""), id="seen by its node"
        ),
        pytest.param(
            REJECTED, (NOW, False, "OutOfcpu: Node didn't have enough resource: cpu"), id="rejected by its node"
        ),
        pytest.param({"phase": "Failed", "conditions": [DISRUPTED]}, (NOW + 5, False, ""), id="ended by a controller"),
        pytest.param(
            {"phase": "Failed", "containerStatuses": [ended(3, reason="Error", message="the password is 1234")]},
            (NOW + 10, True, "container web ended with exit code 3 (Error)"),
            id="its program failed, whose own words are not repeated",
        ),
        pytest.param(
            {
                "phase": "Failed",
                "initContainerStatuses": [ended(1)],
                "containerStatuses": [WAITING],
            },
            (NOW + 10, True, "container web ended with exit code 1 (no reason)"),
            id="an init container failed",
        ),
        pytest.param({"phase": "Succeeded", "containerStatuses": [ended(0)]}, (NOW + 10, True, ""), id="it is done"),
    ],
)
def test_when_and_why_a_pod_came_to_its_end(status: Json, end: tuple[float | None, bool, str]) -> None:
    """The end is the latest moment that the pod tells of; why is what its node says, or how its containers ended."""
    found = read_pod(a_pod(status=status))
    assert found
    assert end == (found.finished, found.started, found.complaint)


def test_a_nodes_words_are_cut() -> None:
    """However much a node says, a condition has room for it."""
    found = read_pod(a_pod(status={"phase": "Failed", "reason": "Rejected", "message": "x" * 100_000}))
    assert found
    assert 100 < len(found.complaint) < 2000


@pytest.mark.parametrize("kind", ["ReplicaSet", "Job", "StatefulSet"])
def test_a_pod_of_another_controller_is_of_no_interest(kind: str) -> None:
    """It is not kept at all, so it cannot be adopted, released, counted or deleted."""
    assert read_pod(a_pod({"ownerReferences": [REPLICA_SET | {"kind": kind}]})) is None


def test_a_podgroup_of_another_api_is_another_controller() -> None:
    """The scheduler's PodGroup has the same kind and is not ours."""
    owner = GROUP | {"apiVersion": "scheduling.x-k8s.io/v1alpha1"}
    assert read_pod(a_pod({"ownerReferences": [owner]})) is None


@pytest.mark.parametrize("text", ["", "x", "1.5", "0x10", "9" * 63, "9" * 4300, "-" + "9" * 100_000, "\0", "🤷", "nan"])
def test_a_number_that_is_none_is_left_out(text: str) -> None:
    """Whatever a person writes where a number belongs, the pod is read, as if nothing stood there."""
    labels = {"selfheal.dev/slot": text}
    annotations = {"selfheal.dev/epoch": text, "controller.kubernetes.io/pod-deletion-cost": text}
    body = a_pod({"labels": labels, "annotations": annotations})
    assert replace(PLAIN, labels=labels) == read_pod(body)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "0001-01-01T00:00:00", "2023-02-30T00:00:00Z", "1e9", "\0", "9" * 99]
)
def test_a_time_that_is_none_is_left_out(text: str) -> None:
    """Whatever a person writes where a time belongs, the pod is read, as if nothing stood there."""
    assert read_pod(a_pod({"annotations": {"selfheal.dev/lost-at": text}})) == PLAIN


def test_a_pod_that_we_made_is_read_back_as_it_was_meant() -> None:
    """Slot, epoch, revision, the pod that it replaces and the microsecond of its loss survive the way."""
    create = Create("web-2-abcde", 2, 5, "r1", loss(2, "web-2-old", at=NOW + 0.123456))
    manifest = pod_manifest(desired(), {"metadata": {"labels": {"app": "web"}}}, create)
    manifest["metadata"] |= {"uid": UID, "resourceVersion": "7"}
    pod = read_pod(manifest)
    assert pod is not None
    assert (pod.slot, pod.epoch, pod.revision, pod.controller) == (2, 5, "r1", desired().uid)
    assert (pod.replaces, pod.lost_at) == ("web-2-old", NOW + 0.123456)
    assert desired().selector.matches(pod.labels)


def test_a_group_that_says_little_has_the_defaults() -> None:
    """One replica, and the selector that its own label meets."""
    wanted = read_desired(a_group())
    assert (wanted.replicas, wanted.min_ready_seconds, wanted.deleting, wanted.generation) == (1, 0, False, 0)
    assert wanted.selector == Selector((("selfheal.dev/podgroup", "web"),))
    assert wanted.selector.matches(wanted.template_labels)
    assert wanted.pod_replacement is PodReplacement.TERMINATION_STARTED
    assert wanted.failed_pods_history_limit == 1


def test_a_label_that_is_null_is_empty() -> None:
    """As for the API server: in selector and template, and for what counts as the same template."""
    labels = {"a": None}
    wanted = read_desired(a_group(selector={"matchLabels": labels}, template={"metadata": {"labels": labels}}))
    assert wanted.selector == Selector((("a", ""),))
    assert (wanted.template_labels["a"], wanted.unreadable) == ("", "")
    null, empty, none = ({"metadata": {"labels": each}} for each in ({"a": None}, {"a": ""}, {}))
    assert template_hash(null) == template_hash(empty) != template_hash(none)


@pytest.mark.parametrize(("said", "spread"), [({}, False), ({"spread": "None"}, False), ({"spread": "Default"}, True)])
def test_pods_are_spread_for_who_asks(said: Json, *, spread: bool) -> None:
    """Default is the word for it; None, and nothing, are not."""
    assert read_desired(a_group(**said)).spread is spread
    assert read_desired(a_group(spread="System")).unreadable == "spec.spread"


def test_no_replicas_is_not_the_default() -> None:
    """Zero is a number like any other."""
    assert read_desired(a_group(replicas=0)).replicas == 0


def test_a_group_is_read_with_everything_that_it_says() -> None:
    """Selector, labels of the template, generation and deletion come from their places."""
    expression = {"key": "tier", "operator": "In", "values": ["b", "a"]}
    wanted = read_desired(
        a_group(
            {"generation": 4, "deletionTimestamp": "2023-11-14T22:13:20Z"},
            replicas=7,
            minReadySeconds=3,
            podReplacementPolicy="TerminationComplete",
            healing={"failedPodsHistoryLimit": 0, "backoff": {"initialSeconds": 5, "maxSeconds": 60}},
            selector={"matchLabels": {"b": "2", "a": "1"}, "matchExpressions": [expression]},
            template={"metadata": {"labels": {"a": "1"}}},
        )
    )
    requirement = Requirement("tier", Operator.IN, frozenset({"a", "b"}))
    assert wanted.selector == Selector((("a", "1"), ("b", "2")), (requirement,))
    assert wanted.template_labels == {"a": "1", "selfheal.dev/podgroup": "web"}
    assert (wanted.replicas, wanted.min_ready_seconds, wanted.generation, wanted.deleting) == (7, 3, 4, True)
    assert wanted.pod_replacement is PodReplacement.TERMINATION_COMPLETE
    assert wanted.failed_pods_history_limit == 0
    assert (wanted.backoff_initial_seconds, wanted.backoff_max_seconds) == (5, 60)


TEMPLATE: Json = {"metadata": {"labels": {"a": "1"}}, "spec": {"containers": [{"name": "app", "image": "app:1"}]}}


@pytest.mark.parametrize(
    "same",
    [
        pytest.param({"spec": TEMPLATE["spec"], "metadata": TEMPLATE["metadata"]}, id="in another order"),
        pytest.param(TEMPLATE | {"metadata": {"labels": {"a": "1"}, "creationTimestamp": None}}, id="a null time"),
        pytest.param(TEMPLATE | {"metadata": {"labels": {"a": "1"}, "name": "x", "namespace": "y"}}, id="a name"),
        pytest.param(TEMPLATE | {"metadata": {"labels": {"a": "1"}, "annotations": {}}}, id="no annotations"),
        pytest.param(TEMPLATE | {"spec": TEMPLATE["spec"] | {"nodeName": None}}, id="a null"),
        pytest.param(
            TEMPLATE | {"spec": {"containers": [{"name": "app", "image": "app:1", "tty": None}]}},
            id="a null deep inside",
        ),
    ],
)
def test_what_means_nothing_is_no_new_revision(same: Json) -> None:
    """Two ways to write the same pod have the same revision."""
    assert template_hash(same) == template_hash(TEMPLATE)


@pytest.mark.parametrize(
    "other",
    [
        TEMPLATE | {"metadata": {"labels": {"a": "2"}}},
        TEMPLATE | {"metadata": TEMPLATE["metadata"] | {"annotations": {"a": "1"}}},
        TEMPLATE | {"metadata": TEMPLATE["metadata"] | {"finalizers": ["example.com/wait"]}},
        TEMPLATE | {"spec": TEMPLATE["spec"] | {"hostNetwork": False}},
        TEMPLATE | {"spec": {"containers": [{"name": "app", "image": "app:2"}]}},
    ],
)
def test_what_means_something_is_a_new_revision(other: Json) -> None:
    """A label, an annotation, a finalizer, a field or a value that changes makes pods that differ."""
    assert template_hash(other) != template_hash(TEMPLATE)


CONDITION = Condition("Ready", "True", "AllReplicasAvailable", "All 3 replicas are available.", 4, NOW)
HEALING = Healing(
    total=3,
    last_time=NOW + 0.25,
    last_cause="Deleted",
    last_pod="web-0-old",
    last_replacement="web-0-new",
    last_recovery_seconds=1.5,
    by_cause=(("Deleted", 2), ("Failed", 1)),
    recent=(
        Heal(3, "Deleted", "web-0-old", "node-1", "", "web-0-new", NOW, NOW, 0.25, scheduled=0.5, ready=1.5),
        Heal(2, "Failed", "web-1-old", "", "OOMKilled", "web-1-new", NOW - 9, NOW - 20, 0.5, noticed=11.0, attempt=2),
    ),
)
FOREIGN = {"type": "example.com/Checked", "status": "True", "reason": "Checked", "message": "", "note": "theirs"}


def test_what_a_status_remembers_is_read_back() -> None:
    """Generation, replicas, conditions and the record of replacements survive the way there and back."""
    status = Status(observed_generation=4, replicas=3, healing=HEALING, conditions=(CONDITION,))
    assert read_status({"status": write_status(status, 3, {})}) == status


def test_a_group_without_a_status_remembers_nothing() -> None:
    """A PodGroup that nobody has looked at yet has the empty status."""
    assert read_status({}) == Status()


def test_conditions_of_others_are_kept_and_not_read() -> None:
    """A condition of a type that is not ours is written back as it was, and is no part of our record."""
    body = {"status": {"conditions": [FOREIGN]}}
    assert read_status(body).conditions == ()
    written = write_status(Status(conditions=(CONDITION,)), 3, body["status"])
    assert written["conditions"][0] == FOREIGN
    assert [each["type"] for each in written["conditions"]] == ["example.com/Checked", "Ready"]


def test_a_new_replacement_takes_the_old_recovery_time_out() -> None:
    """While the last replacement is not Ready its recovery time is null, which a merge patch takes out."""
    written = write_status(Status(healing=replace(HEALING, last_recovery_seconds=None)), 3, {})
    assert written["healing"]["lastRecoverySeconds"] is None
    assert write_status(Status(), 3, {})["healing"] == {"total": 0}


@pytest.mark.parametrize(
    ("body", "patch", "shown"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, True),
        ({"a": 1}, {"a": 2}, False),
        ({}, {"a": 0}, False),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, True),
        ({"a": {"b": 1}}, {"a": {"b": None}}, False),
        ({"a": {}}, {"a": {"b": None}}, True),
        ({}, {"a": {"b": None}}, True),
        ({"a": [1, 2]}, {"a": [2, 1]}, False),
    ],
)
def test_a_patch_is_sent_only_if_it_would_change_something(body: Json, patch: Json, *, shown: bool) -> None:
    """An object shows a merge patch if every value is there and every null is not."""
    assert shows(body, patch) is shown


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2023-11-14t22:13:20z", NOW),
        ("2023-11-15T00:13:20+02:00", NOW),
        ("2023-11-14T22:13:20.123456789Z", NOW + 0.123456),
        ("2016-12-31T23:59:60Z", 1_483_228_800.0),
        ("0000-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+10:00", None),
        ("9999-12-31T23:59:59-10:00", None),
        ("2023-11-14T22:13:61Z", None),
        ("2023-11-14T22:13:20", None),
    ],
)
def test_a_time_is_read_as_rfc_3339_has_it(text: str, seconds: float | None) -> None:
    """Small letters, offsets, fractions and leap seconds too; what is no time of ours is as if it were not set."""
    pod = read_pod(a_pod(status={"conditions": [READY | {"lastTransitionTime": text}]}))
    assert pod
    assert pod.ready_since == (seconds or 0.0)


@pytest.mark.parametrize("grace", [2**63 - 1, 99_999_999_999, 10**9, -5, "30", None])
@pytest.mark.parametrize("end", ["2023-11-14T22:13:20Z", "1893-01-01T00:00:00Z", "0000-01-01T00:00:00Z"])
def test_no_deletion_was_asked_for_before_the_creation(grace: object, end: str) -> None:
    """Whatever became of the sum of a time and a very long grace period: the pod is being deleted."""
    pod = read_pod(a_pod({"deletionTimestamp": end, "deletionGracePeriodSeconds": grace}))
    assert pod
    assert pod.deleted == NOW


def test_a_revision_does_not_depend_on_who_has_read_the_template() -> None:
    """One parser gives a number beyond 64 bits as an integer, another one as a float."""
    templates = [{"spec": {"volumes": [{"emptyDir": {"sizeLimit": size}}]}} for size in (10**20, 1e20)]
    assert template_hash(templates[0]) == template_hash(templates[1])


def test_a_message_has_room_in_a_condition() -> None:
    """One that is longer is cut, and says so: else the API server would refuse the whole status."""
    condition = replace(CONDITION, message="x" * 40_000)
    message = write_status(Status(conditions=(condition,)), 3, {})["conditions"][0]["message"]
    assert len(message) < 32_768
    assert message.endswith(" [...]")


@pytest.mark.parametrize("owners", ["x", [5], [{"controller": "yes"}], [GROUP | {"uid": 5}], [GROUP | {"uid": ""}]])
def test_a_pod_of_which_nobody_can_tell_whose_it_is_is_nobodys_to_take(owners: object) -> None:
    """An orphan might be adopted, and then deleted as one too many."""
    assert read_pod(a_pod({"ownerReferences": owners})) is None
