"""Conditions: what each says, in which words, and since when."""

from dataclasses import replace

import pytest

from builders import NOW, desired, gone, observed, pod, seated
from podgroup_operator.core.model import (
    Condition,
    Create,
    Desired,
    Failure,
    Observed,
    Outcome,
    Phase,
    Refusal,
    Status,
)
from podgroup_operator.core.status import summarize

NOTHING = Outcome()
BAD_TEMPLATE = Refusal('Pod "web" is invalid: spec.containers[0].image: Required value.', NOW + 30)
QUOTA = Refusal("Error creating: exceeded quota", NOW + 5)
NO_DELETE = Failure("FailedDelete", "Error deleting: forbidden")
NO_CREATE = Failure("FailedCreate", "Error creating: forbidden")
MADE = (Create("web-2-new", 2, 0),)


def condition(kind: str, group: Desired, seen: Observed, outcome: Outcome = NOTHING, now: float = NOW) -> Condition:
    """Give one condition of a group."""
    return next(each for each in summarize(group, seen, outcome, now).conditions if each.type == kind)


def said(kind: str, group: Desired, seen: Observed, outcome: Outcome = NOTHING) -> tuple[str, str, str]:
    """Give status, reason and message of one condition."""
    found = condition(kind, group, seen, outcome)
    return found.status, found.reason, found.message


def test_every_condition_is_always_there() -> None:
    """A group that has just been seen for the first time has all its conditions, so that they can be waited for."""
    conditions = summarize(desired(generation=3), observed(), NOTHING, NOW).conditions

    assert [(each.type, each.observed_generation) for each in conditions] == [
        ("Ready", 3),
        ("Available", 3),
        ("ReplicaFailure", 3),
        ("Stalled", 3),
    ]


READY = {
    "all replicas are available": (
        (desired(3), observed(*seated(0, 1, 2))),
        ("True", "AllReplicasAvailable", "All 3 replicas are available."),
    ),
    "none are wanted and none are there": (
        (desired(0), observed()),
        ("True", "AllReplicasAvailable", "All 0 replicas are available."),
    ),
    "dying pods do not matter": (
        (desired(2), observed(*seated(0, 1), gone("web-2"))),
        ("True", "AllReplicasAvailable", "All 2 replicas are available."),
    ),
    "pods are missing": (
        (desired(3), observed(*seated(0, 1))),
        ("False", "ReplicasNotAvailable", "2 of 3 replicas are available."),
    ),
    "a pod is not Ready": (
        (desired(2), observed(*seated(0), pod("web-1", ready_since=None))),
        ("False", "ReplicasNotAvailable", "1 of 2 replicas are available."),
    ),
    "a pod is Ready but not for minReadySeconds": (
        (desired(1, min_ready_seconds=10), observed(pod(ready_since=NOW - 1))),
        ("False", "ReplicasNotAvailable", "0 of 1 replicas are available."),
    ),
    "there are too many": (
        (desired(1), observed(*seated(0, 1))),
        ("False", "ScalingDown", "2 replicas, 1 wanted."),
    ),
    "creates are refused: the reason why": (
        (desired(3), observed(*seated(0, 1), create_refusal=QUOTA)),
        ("False", "FailedCreate", "Error creating: exceeded quota"),
    ),
    "a delete is refused: the reason why": (
        (desired(1), observed(*seated(0, 1)), Outcome(failures=(NO_DELETE,))),
        ("False", "FailedDelete", "Error deleting: forbidden"),
    ),
    "the template is refused: this weighs more than a refused create": (
        (desired(3), observed(*seated(0), create_refusal=QUOTA, template_refusal=BAD_TEMPLATE)),
        (
            "False",
            "TemplateInvalid",
            f"{BAD_TEMPLATE.message} Correct spec.template; pods that run are left as they are.",
        ),
    ),
    "the template is refused though all pods are there: the next one could not be made": (
        (desired(1), observed(*seated(0), template_refusal=BAD_TEMPLATE)),
        (
            "False",
            "TemplateInvalid",
            f"{BAD_TEMPLATE.message} Correct spec.template; pods that run are left as they are.",
        ),
    ),
    "a create was refused but all pods are there": (
        (desired(1), observed(*seated(0), create_refusal=QUOTA)),
        ("True", "AllReplicasAvailable", "All 1 replicas are available."),
    ),
}


@pytest.mark.parametrize(("world", "expected"), READY.values(), ids=READY.keys())
def test_ready_is_the_summary(world: tuple[Desired, Observed], expected: tuple[str, str, str]) -> None:
    """Ready: exactly what is wanted is there and available; if not, it says the gravest reason."""
    assert expected == said("Ready", *world)


ENOUGH = ("True", "MinimumReplicasAvailable", "PodGroup has minimum availability.")
NOT_ENOUGH = ("False", "MinimumReplicasUnavailable", "PodGroup does not have minimum availability.")
# How many of so many have to be available: a quarter, rounded down, may be missing.
AVAILABLE = {
    "0 of 0 are enough": (0, 0, ENOUGH),
    "0 of 1 is not enough": (1, 0, NOT_ENOUGH),
    "1 of 1 is enough": (1, 1, ENOUGH),
    "2 of 3 are not enough": (3, 2, NOT_ENOUGH),
    "3 of 4 are enough": (4, 3, ENOUGH),
    "5 of 7 are not enough": (7, 5, NOT_ENOUGH),
    "6 of 7 are enough": (7, 6, ENOUGH),
    "5 of 8 are not enough": (8, 5, NOT_ENOUGH),
    "6 of 8 are enough": (8, 6, ENOUGH),
    "more than wanted are enough": (1, 2, ENOUGH),
}


@pytest.mark.parametrize(("replicas", "available", "expected"), AVAILABLE.values(), ids=AVAILABLE.keys())
def test_available_is_deployments(replicas: int, available: int, expected: tuple[str, str, str]) -> None:
    """Available: all but Deployment's default maxUnavailable of 25 %, rounded down."""
    assert expected == said("Available", desired(replicas), observed(*seated(*range(available))))


FAILURES = {
    "nothing has failed": (observed(), NOTHING, ("False", "NoFailure", "Every create and delete was accepted.")),
    "a create fails now": (
        observed(),
        Outcome(failures=(NO_CREATE,)),
        ("True", "FailedCreate", "Error creating: forbidden"),
    ),
    "a delete fails now": (
        observed(),
        Outcome(failures=(NO_DELETE,)),
        ("True", "FailedDelete", "Error deleting: forbidden"),
    ),
    "of several failures the first is told": (
        observed(),
        Outcome(failures=(NO_CREATE, NO_DELETE)),
        ("True", "FailedCreate", "Error creating: forbidden"),
    ),
    "some creates succeed and one fails": (
        observed(),
        Outcome(created=MADE, failures=(NO_CREATE,)),
        ("True", "FailedCreate", "Error creating: forbidden"),
    ),
    "a create failed and waits to be tried again": (
        observed(create_refusal=QUOTA),
        NOTHING,
        ("True", "FailedCreate", "Error creating: exceeded quota"),
    ),
    "a create failed that is no longer needed": (
        observed(*seated(0, 1, 2), create_refusal=QUOTA),
        NOTHING,
        ("False", "NoFailure", "Every create and delete was accepted."),
    ),
    "a create failed before and succeeds now": (
        observed(create_refusal=QUOTA),
        Outcome(created=MADE),
        ("False", "NoFailure", "Every create and delete was accepted."),
    ),
}


@pytest.mark.parametrize(("seen", "outcome", "expected"), FAILURES.values(), ids=FAILURES.keys())
def test_replica_failure_is_the_api_servers_refusal(
    seen: Observed, outcome: Outcome, expected: tuple[str, str, str]
) -> None:
    """ReplicaFailure: a create or delete that is still needed is refused; the words are the API server's."""
    assert expected == said("ReplicaFailure", desired(), seen, outcome)


def test_stalled_says_what_to_do() -> None:
    """Stalled: the template is refused, and only a person can correct it."""
    status, reason, message = said("Stalled", desired(), observed(template_refusal=BAD_TEMPLATE))

    assert (status, reason) == ("True", "TemplateInvalid")
    assert message == (
        'Pod "web" is invalid: spec.containers[0].image: Required value. '
        "Correct spec.template; pods that run are left as they are."
    )


@pytest.mark.parametrize(
    ("seen", "outcome", "reason"),
    [
        (
            observed(create_refusal=Refusal("Error creating: exceeded quota", NOW + 5, forbidden=True)),
            NOTHING,
            "FailedCreate",
        ),
        (observed(), Outcome(failures=(replace(NO_CREATE, forbidden=True),)), "FailedCreate"),
        (observed(*seated(0, 1, 2, 3)), Outcome(failures=(replace(NO_DELETE, forbidden=True),)), "FailedDelete"),
    ],
)
def test_what_is_forbidden_stalls(seen: Observed, outcome: Outcome, reason: str) -> None:
    """A permission, a quota or a policy: a person has to change it; Ready says the same."""
    status, told, message = said("Stalled", desired(), seen, outcome)

    assert (status, told) == ("True", reason)
    assert message == (
        f"{said('ReplicaFailure', desired(), seen, outcome)[2]}. "
        "A permission, a quota or a policy forbids it: have that changed. It is tried again by itself."
    )
    assert ("False", reason, message) == said("Ready", desired(), seen, outcome)


def test_what_is_forbidden_does_not_take_readiness_away() -> None:
    """Where all pods are there and available the group is Ready, whatever else it may not do."""
    refused = Outcome(failures=(replace(NO_CREATE, forbidden=True),))

    assert said("Ready", desired(1), observed(*seated(0)), refused)[0] == "True"
    assert said("Stalled", desired(1), observed(*seated(0)), refused)[0] == "True"


def test_a_create_that_fails_otherwise_does_not_stall() -> None:
    """An API server in trouble will be out of it: waiting can help, nobody is called."""
    assert said("Stalled", desired(), observed(create_refusal=QUOTA)) == (
        "False",
        "NotStalled",
        "Nothing needs a person.",
    )


CORPSE = pod(
    "web-0", phase=Phase.FAILED, ready_since=None, created=NOW - 9, finished=NOW - 9, complaint="OutOfcpu: no cpu."
)


def test_pods_that_keep_failing_are_told_in_their_nodes_words() -> None:
    """ReplicaFailure: how many failed in a row, why the last did, when the next is tried; from the second on."""
    once, twice = observed(CORPSE), observed(replace(CORPSE, failures=1))

    assert said("ReplicaFailure", desired(1), once)[1] == "NoFailure"
    status, reason, message = said("ReplicaFailure", desired(1), twice)
    assert (status, reason) == ("True", "PodsKeepFailing")
    assert message.startswith("2 pods have failed in a row; the last one is web-0: OutOfcpu: no cpu. The next one ")
    assert "is tried after 2023-11-14T22:13:" in message
    assert said("Ready", desired(1), twice)[1:] == (reason, message)
    assert said("ReplicaFailure", desired(1), observed(*seated(1), replace(CORPSE, failures=1)))[0] == "False"


def test_a_group_of_which_every_pod_fails_needs_a_person() -> None:
    """Stalled: from the third failure in a row on, unless some pod is Ready; the message says where to look."""
    thrice = replace(CORPSE, failures=2)

    assert said("Stalled", desired(1), observed(replace(CORPSE, failures=1)))[0] == "False"
    assert said("Stalled", desired(2), observed(*seated(1), thrice))[0] == "False"
    status, reason, message = said("Stalled", desired(1), observed(thrice))
    assert (status, reason) == ("True", "PodsKeepFailing")
    assert message.endswith(
        "Find out why (`kubectl describe pod`, `kubectl logs`), then correct spec.template or the nodes. "
        "It is tried again by itself."
    )


THEN = NOW - 500
NOT_READY = Condition("Ready", "False", "ScalingDown", "2 replicas, 1 wanted.", 1, THEN)


def test_a_condition_keeps_its_time_while_its_status_is_the_same() -> None:
    """Another reason, message or generation does not count as a transition (metav1.Condition)."""
    seen = observed(status=Status(conditions=(NOT_READY,)))

    assert Condition("Ready", "False", "ReplicasNotAvailable", "0 of 3 replicas are available.", 2, THEN) == condition(
        "Ready", desired(3, generation=2), seen
    )


def test_a_condition_is_dated_anew_when_its_status_changes() -> None:
    """The time of a condition is the time of its last change of status."""
    seen = observed(*seated(0), status=Status(conditions=(NOT_READY,)))

    assert Condition("Ready", "True", "AllReplicasAvailable", "All 1 replicas are available.", 1, NOW) == condition(
        "Ready", desired(1), seen
    )


def test_a_new_condition_is_dated_now() -> None:
    """A condition that was not there before begins now."""
    assert [each.since for each in summarize(desired(), observed(), NOTHING, NOW).conditions] == [NOW] * 4


def test_each_condition_keeps_its_own_time() -> None:
    """One condition's change leaves the other conditions' times as they are."""
    before = summarize(desired(1), observed(*seated(0)), NOTHING, THEN)
    after = summarize(desired(1), replace(observed(), status=before), NOTHING, NOW)

    assert {each.type: each.since for each in after.conditions} == {
        "Ready": NOW,
        "Available": NOW,
        "ReplicaFailure": THEN,
        "Stalled": THEN,
    }
