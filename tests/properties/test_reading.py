"""Whatever stands in an object of anybody, it costs at most that field: nothing raises, and nobody else is touched."""

import copy
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podgroup_operator.api.jsontext import number, parsed, written
from podgroup_operator.api.refusals import Refused
from podgroup_operator.api.wire.desired import read_desired
from podgroup_operator.api.wire.metadata import version_of
from podgroup_operator.api.wire.pod import read_pod
from podgroup_operator.api.wire.status import read_status, shows, write_status
from podgroup_operator.core.manifest import micro_time, whole_seconds
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.observe.groups import GroupStore
from podgroup_operator.observe.informer import Collection, Informer
from podgroup_operator.observe.pods import PodStore

Json = dict[str, Any]
Path = tuple[str | int, ...]

NOW = 1_800_000_000.0
OWNER = {"apiVersion": "selfheal.dev/v1", "kind": "PodGroup", "name": "web", "uid": "of-web", "controller": True}
ENDED = {"exitCode": 1, "reason": "Error", "startedAt": "2023-11-14T22:13:22Z", "finishedAt": "2023-11-14T22:13:30Z"}
POD: Json = {
    "metadata": {
        "namespace": "shop",
        "name": "web-0-abcde",
        "uid": "11111111-2222-4333-8444-555555555555",
        "resourceVersion": "7",
        "creationTimestamp": "2023-11-14T22:13:20Z",
        "deletionTimestamp": "2023-11-14T22:13:50Z",
        "deletionGracePeriodSeconds": 30,
        "labels": {"app": "web", "selfheal.dev/slot": "0"},
        "annotations": {"selfheal.dev/epoch": "1", "selfheal.dev/lost-at": "2023-11-14T22:13:20.5Z"},
        "ownerReferences": [OWNER],
    },
    "spec": {"nodeName": "node-1", "initContainers": [{"name": "proxy", "restartPolicy": "Always"}]},
    "status": {
        "phase": "Failed",
        "reason": "Evicted",
        "startTime": "2023-11-14T22:13:21Z",
        "conditions": [
            {"type": "Ready", "status": "True", "lastTransitionTime": "2023-11-14T22:13:23Z"},
            {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"},
        ],
        "initContainerStatuses": [{"name": "proxy", "restartCount": 1, "state": {"terminated": ENDED}}],
        "containerStatuses": [{"name": "app", "restartCount": 2, "state": {"terminated": ENDED}}],
    },
}
CONDITION = {
    "type": "Ready",
    "status": "True",
    "reason": "AllReplicasAvailable",
    "message": "All is well.",
    "observedGeneration": 1,
    "lastTransitionTime": "2023-11-14T22:13:20Z",
}
GROUP: Json = {
    "metadata": {
        "namespace": "shop",
        "name": "web",
        "uid": "of-web",
        "resourceVersion": "5",
        "generation": 1,
        "creationTimestamp": "2023-11-14T22:13:20Z",
    },
    "spec": {
        "replicas": 3,
        "minReadySeconds": 5,
        "podReplacementPolicy": "TerminationStarted",
        "selector": {
            "matchLabels": {"app": "web"},
            "matchExpressions": [{"key": "tier", "operator": "In", "values": ["a", "b"]}],
        },
        "healing": {"failedPodsHistoryLimit": 1, "backoff": {"initialSeconds": 1, "maxSeconds": 300}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
    },
    "status": {
        "observedGeneration": 1,
        "replicas": 3,
        "conditions": [CONDITION, {**CONDITION, "type": "example.com/Theirs"}],
        "healing": {
            "total": 1,
            "lastTime": "2023-11-14T22:13:20.123456Z",
            "lastCause": "Deleted",
            "lastPod": "web-0-old",
            "lastReplacement": "web-0-new",
            "lastRecoverySeconds": 1.5,
        },
    },
}
REFUSAL: Json = {
    "code": 422,
    "reason": "Invalid",
    "message": "no",
    "details": {"causes": [{"reason": "x", "field": "spec.a", "message": "m"}]},
}

ODD_TIMES = st.sampled_from(
    [
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+10:00",
        "2016-12-31T23:59:60Z",
        "9999-12-31T23:59:60-23:59",
        "2023-11-14t22:13:20z",
        "2023-11-14T22:13:20+99:99",
        "2023-11-14T22:13:20",
        "٢٠٢٣-11-14T22:13:20Z",
        "",
    ]
)
ODD_NUMBERS = st.sampled_from([2**63 - 1, -(2**63), 2**64, 10**20, 10**400, -1, 0.5, 1e300, True, "9" * 5000, "0x10"])
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
anything = (
    ODD_TIMES
    | ODD_NUMBERS
    | st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    )
)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Keep what is told of thousands of oddities out of the reports."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


def places(value: object, path: Path = ()) -> Iterator[Path]:
    """Give each place of an object."""
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from places(each, (*path, key))


def put(body: Json, path: Path, value: object) -> Json:
    """Give a copy with this value at that place."""
    changed = copy.deepcopy(body)
    place: Any = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return changed


def strange(body: Json, *spared: Path) -> st.SearchStrategy[tuple[Path, Json]]:
    """Draw an object in which anything stands at any place but those that are spared; give the place as well."""
    open_places = [path for path in places(body) if not any(path == each[: len(path)] for each in spared)]
    return st.sampled_from(open_places).flatmap(
        lambda path: st.tuples(st.just(path), anything.map(lambda value: put(body, path, value)))
    )


def writable(pod: Pod) -> None:
    """Write all times of a pod, as its replacement and the conditions would."""
    for time in (pod.created, pod.deleted, pod.ready_since, pod.lost_at, pod.finished):
        if time is not None:
            micro_time(time)
            whole_seconds(time)


@settings(max_examples=200)
@given(strange(POD))
def test_a_pod_costs_at_most_its_field(drawn: tuple[Path, Json]) -> None:
    """Its record differs from the plain one in what stands there alone, and its times can be written again."""
    place, body = drawn
    plain, pod = read_pod(POD), read_pod(body)
    assert plain
    if place[0] != "metadata":
        assert pod
        assert (pod.uid, pod.labels, pod.controller, pod.slot) == (plain.uid, plain.labels, plain.controller, 0)
    if pod:
        writable(pod)
        assert pod.deleted is None or pod.deleted >= pod.created


@given(strange(POD, ("metadata", "uid"), ("metadata", "resourceVersion")))
def test_a_pod_is_kept_beside_the_others(drawn: tuple[Path, Json]) -> None:
    """A cache takes what can be taken of it, and the other pods stay as they were."""
    store = PodStore(lambda *_: True, lambda: NOW)
    other = read_pod(put(POD, ("metadata", "uid"), "other"))
    assert other
    store.upsert(other)
    known = store.memories.of(("shop", "of-web")).seen.pods["other"]
    pod = read_pod(drawn[1])
    if pod:
        store.upsert(pod)
        store.replace("", [other, pod], 9)
        store.remove(pod.uid)
    assert store.memories.of(("shop", "of-web")).seen.pods["other"] == known


@settings(max_examples=200)
@given(strange(GROUP, ("metadata", "namespace"), ("metadata", "name"), ("metadata", "uid")))
def test_a_podgroup_that_cannot_be_read_says_so(drawn: tuple[Path, Json]) -> None:
    """It is either what it was but for a field that does not matter, or nothing may be decided for it."""
    place, body = drawn
    store = GroupStore()
    store.see(copy.deepcopy(GROUP))
    group = store.see(put(body, ("metadata", "resourceVersion"), "6"))
    assert group.key == ("shop", "web")
    if place[0] != "spec":
        assert not group.desired.unreadable
    elif not group.desired.unreadable:
        assert group.desired.replicas >= 0
        written(group.template)


@given(strange(GROUP, ("metadata", "namespace"), ("metadata", "name"), ("metadata", "uid")))
def test_a_status_that_cannot_be_read_is_written_over(drawn: tuple[Path, Json]) -> None:
    """What is told next can be made of what was read of it, and once it is written there is nothing left to write."""
    place, body = drawn
    status = read_status(body)
    if place[0] == "status":
        assert status.replicas >= 0
    before = body["status"] if isinstance(body.get("status"), dict) else {}
    patch = write_status(status, 3, before)
    merged = {key: value for key, value in {**before, **patch}.items() if value is not None}
    merged["healing"] = {key: value for key, value in patch["healing"].items() if value is not None}
    assert shows(merged, patch)
    assert read_status({"status": merged}) == status
    shows(before, patch)
    shows(body, {"status": patch})


@given(strange(REFUSAL))
def test_a_refusal_is_one_whatever_it_says(drawn: tuple[Path, Json]) -> None:
    """A proxy may answer anything in the shape of a Status."""
    refusal = Refused(422, drawn[1])
    assert (refusal.code, isinstance(str(refusal), str)) == (422, True)


@given(anything, anything)
def test_a_watch_event_is_survived(body: object, kind: object) -> None:
    """Whatever an event is, the watch goes on or begins anew, and what was known stays known."""
    store = PodStore(lambda *_: True, lambda: NOW)
    plain = read_pod(POD)
    assert plain
    store.upsert(plain)
    informer: Informer[Pod] = Informer(None, Collection("/api/v1/pods", ""), read_pod, store, None, lambda _: None)  # type: ignore[arg-type] # asks nobody
    for event in ({"type": kind, "object": body}, {"type": "MODIFIED", "object": body}, body):
        try:
            informer.take(event)
        except Refused:
            assert kind == "ERROR"
    assert len(store) == 1


@given(strange(POD))
def test_a_watch_event_with_anything_in_its_object_is_survived(drawn: tuple[Path, Json]) -> None:
    """As above, for objects that are nearly pods."""
    store = PodStore(lambda *_: True, lambda: NOW)
    informer: Informer[Pod] = Informer(None, Collection("/api/v1/pods", ""), read_pod, store, None, lambda _: None)  # type: ignore[arg-type] # asks nobody
    informer.take({"type": "ADDED", "object": put(POD, ("metadata", "uid"), "other")})
    for kind in ("ADDED", "MODIFIED", "DELETED", "BOOKMARK"):
        informer.take({"type": kind, "object": drawn[1]})
    assert "other" in store.memories.of(("shop", "of-web")).seen.pods


@given(anything)
def test_what_is_written_can_be_read_by_others(value: object) -> None:
    """An integer of any size is written as it is; what is written is JSON for the standard library too."""
    json.loads(written(value), parse_int=str)
    version_of(value)  # type: ignore[arg-type] # that is the point


@settings(max_examples=20)
@given(anything, st.integers(1000, 3000))
def test_a_text_that_is_nested_too_deep_is_read_but_for_its_depths(value: object, depth: int) -> None:
    """What stands beside the depths is what it was."""
    deep = b'{"f:\\"]}":' * depth + b"[1]" + b"}" * depth
    plain = written(value)
    assert parsed(b'{"deep":%b,"beside":%b}' % (deep, plain))["beside"] == json.loads(plain, parse_int=number)


def test_a_group_without_a_name_is_no_group() -> None:
    """Nothing can be done for it, and nobody could be told."""
    for key in ("namespace", "name", "uid"):
        with pytest.raises(ValueError, match="without"):
            read_desired(put(GROUP, ("metadata", key), 5))
