"""Conditions: what each says, in which words, and since when."""

from dataclasses import replace

import pytest

from builders import NOW, desired, gone, observed, orphan, pod, seated, summarized
from podgroup_operator.core.conditions import LONG_PATIENCE, LONGEST_MESSAGE, PATIENCE, changes_at
from podgroup_operator.core.model.actions import Create
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.observed import Observed
from podgroup_operator.core.model.plan import Failure, Outcome
from podgroup_operator.core.model.pod import Phase
from podgroup_operator.core.model.refusal import Lane, Refusal
from podgroup_operator.core.model.status import Condition, Status
from podgroup_operator.core.view import view_of

NOTHING = Outcome()
CORRECT = "Correct spec.template; pods that run are left as they are."
BAD_TEMPLATE = Refusal('Pod "web" is invalid: spec.containers[0].image: Required value.', 30.0, advice=CORRECT)
NO_SUCH_ACCOUNT = Refusal('pods "web" is forbidden: error looking up service account', 20.0)
QUOTA = {Lane.CREATE: Refusal("Error creating: exceeded quota", 5.0)}
HELD_DELETE = {Lane.REMOVE: Refusal("Error deleting: denied the request", 5.0)}
HELD_CLAIM = {Lane.CLAIM: Refusal("Error adopting: denied the request", 5.0)}
NO_DELETE = Failure("FailedDelete", "Error deleting: forbidden")
NO_CREATE = Failure("FailedCreate", "Error creating: forbidden")
MADE = (Create("web-2-new", 2, 0, "r1"),)


def condition(kind: str, group: Desired, seen: Observed, outcome: Outcome = NOTHING, now: float = NOW) -> Condition:
    """Give one condition of a group."""
    return next(each for each in summarized(group, seen, outcome, now).conditions if each.type == kind)


def said(kind: str, group: Desired, seen: Observed, outcome: Outcome = NOTHING) -> tuple[str, str, str]:
    """Give status, reason and message of one condition."""
    found = condition(kind, group, seen, outcome)
    return found.status, found.reason, found.message


def test_every_condition_is_always_there() -> None:
    """A group that has just been seen for the first time has all its conditions, so that they can be waited for."""
    conditions = summarized(desired(generation=3), observed(), NOTHING, NOW).conditions

    assert [(each.type, each.observed_generation) for each in conditions] == [
        ("Ready", 3),
        ("Available", 3),
        ("Progressing", 3),
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
        (desired(3), observed(*seated(0, 1), held=QUOTA)),
        ("False", "FailedCreate", "Error creating: exceeded quota"),
    ),
    "a delete is refused: the reason why": (
        (desired(1), observed(*seated(0, 1)), Outcome(failures=(NO_DELETE,))),
        ("False", "FailedDelete", "Error deleting: forbidden"),
    ),
    "the template is refused: this weighs more than a refused create": (
        (desired(3), observed(*seated(0), held=QUOTA, template_refusal=BAD_TEMPLATE)),
        (
            "False",
            "TemplateInvalid",
            f"{BAD_TEMPLATE.message} {CORRECT}",
        ),
    ),
    "the template is refused though all pods are there: the next one could not be made": (
        (desired(1), observed(*seated(0), template_refusal=BAD_TEMPLATE)),
        (
            "False",
            "TemplateInvalid",
            f"{BAD_TEMPLATE.message} {CORRECT}",
        ),
    ),
    "the template is refused for what may pass: no advice is given": (
        (desired(1), observed(template_refusal=NO_SUCH_ACCOUNT)),
        ("False", "TemplateInvalid", NO_SUCH_ACCOUNT.message),
    ),
    "a removal is refused and waits to be tried again": (
        (desired(1), observed(*seated(0, 1), held=HELD_DELETE)),
        ("False", "FailedDelete", "Error deleting: denied the request"),
    ),
    "a create was refused but all pods are there": (
        (desired(1), observed(*seated(0), held=QUOTA)),
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
        observed(held=QUOTA),
        NOTHING,
        ("True", "FailedCreate", "Error creating: exceeded quota"),
    ),
    "a create failed that is no longer needed": (
        observed(*seated(0, 1, 2), held=QUOTA),
        NOTHING,
        ("False", "NoFailure", "Every create and delete was accepted."),
    ),
    "a delete failed and waits to be tried again": (
        observed(*seated(0, 1, 2, 3), held=HELD_DELETE),
        NOTHING,
        ("True", "FailedDelete", "Error deleting: denied the request"),
    ),
    "a delete failed that is no longer needed": (
        observed(*seated(0, 1), held=HELD_DELETE),
        NOTHING,
        ("False", "NoFailure", "Every create and delete was accepted."),
    ),
    "a delete failed and a create is needed: what failed is not what is needed": (
        observed(*seated(0), held=HELD_DELETE | QUOTA),
        NOTHING,
        ("True", "FailedCreate", "Error creating: exceeded quota"),
    ),
    "a create failed and a delete is needed": (
        observed(*seated(0, 1, 2, 3), held=HELD_DELETE | QUOTA),
        NOTHING,
        ("True", "FailedDelete", "Error deleting: denied the request"),
    ),
    "a pod cannot be adopted or let go": (
        observed(*seated(0, 1, 2), orphan(), held=HELD_CLAIM, stuck=frozenset({"uid-stray"})),
        NOTHING,
        ("True", "FailedCreate", "Error adopting: denied the request"),
    ),
    "a pod could not be adopted, and no pod is stuck any more": (
        observed(*seated(0, 1, 2), held=HELD_CLAIM),
        NOTHING,
        ("False", "NoFailure", "Every create and delete was accepted."),
    ),
    "a create failed before and succeeds now": (
        observed(held=QUOTA),
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
    """Stalled: the template is refused, and only a person can correct it; this is so from the first moment on."""
    status, reason, message = said("Stalled", desired(), observed(template_refusal=BAD_TEMPLATE))

    assert (status, reason) == ("True", "TemplateInvalid")
    assert message == (
        'Pod "web" is invalid: spec.containers[0].image: Required value. '
        "Correct spec.template; pods that run are left as they are."
    )


def after(seconds: float, seen: Observed) -> Observed:
    """Give the same world with a status that has told of its failure for so many seconds."""
    failing = Condition("ReplicaFailure", "True", "FailedCreate", "as before", 1, NOW - seconds)
    return replace(seen, status=Status(conditions=(failing,)))


WELL = ("False", "NotStalled", "Nothing needs a person.")
FORBIDDEN = {
    "a create that waits to be tried again": (
        observed(held={Lane.CREATE: replace(QUOTA[Lane.CREATE], forbidden=True)}),
        NOTHING,
        "FailedCreate",
    ),
    "a removal that waits to be tried again": (
        observed(*seated(0, 1, 2, 3), held={Lane.REMOVE: replace(HELD_DELETE[Lane.REMOVE], forbidden=True)}),
        NOTHING,
        "FailedDelete",
    ),
    "a create now": (observed(), Outcome(failures=(replace(NO_CREATE, forbidden=True),)), "FailedCreate"),
    "a delete now": (
        observed(*seated(0, 1, 2, 3)),
        Outcome(failures=(replace(NO_DELETE, forbidden=True),)),
        "FailedDelete",
    ),
}


@pytest.mark.parametrize(("seen", "outcome", "reason"), FORBIDDEN.values(), ids=FORBIDDEN.keys())
def test_what_is_forbidden_for_a_minute_stalls(seen: Observed, outcome: Outcome, reason: str) -> None:
    """A permission, a quota or a policy: a person has to change it; Ready says the same."""
    seen = after(60, seen)
    status, told, message = said("Stalled", desired(), seen, outcome)

    assert (status, told) == ("True", reason)
    assert message == (
        f"{said('ReplicaFailure', desired(), seen, outcome)[2]}. "
        "A permission, a quota or a policy forbids it: have that changed. It is tried again by itself."
    )
    assert ("False", reason, message) == said("Ready", desired(), seen, outcome)


@pytest.mark.parametrize(("seen", "outcome", "reason"), FORBIDDEN.values(), ids=FORBIDDEN.keys())
def test_what_has_been_forbidden_for_less_than_a_minute_does_not_stall(
    seen: Observed, outcome: Outcome, reason: str
) -> None:
    """A quota that is full while an old pod ends mends itself, and some tools give up at the first Stalled."""
    for young in (seen, after(59.9, seen)):
        assert said("Stalled", desired(), young, outcome) == WELL
        assert said("ReplicaFailure", desired(), young, outcome)[:2] == ("True", reason)
        assert said("Ready", desired(), young, outcome)[:2] == ("False", reason)


def test_a_minute_is_counted_without_a_break() -> None:
    """A failure that was over in between begins anew."""
    seen, outcome, _ = FORBIDDEN["a create now"]
    over = Condition("ReplicaFailure", "False", "NoFailure", "Every create and delete was accepted.", 1, NOW - 900)

    assert said("Stalled", desired(), replace(seen, status=Status(conditions=(over,))), outcome) == WELL


def test_the_minute_is_waited_for() -> None:
    """Nothing else may happen until then, so the time is told; where nobody is to be called there is none."""
    seen, outcome, _ = FORBIDDEN["a create now"]

    def changes(world: Observed, came: Outcome) -> float | None:
        group = desired(progress_deadline_seconds=None)
        return changes_at(view_of(group, world, NOW), summarized(group, world, came), NOW)

    assert changes(seen, outcome) == NOW + PATIENCE
    assert changes(after(20, seen), outcome) == NOW + 40
    assert changes(after(60, seen), outcome) is None
    assert changes(after(60, observed(held=QUOTA)), NOTHING) == NOW + LONG_PATIENCE - 60
    assert changes(observed(), NOTHING) is None


def test_a_failure_that_another_clock_dated_ahead_stalls_in_time() -> None:
    """A time that is yet to come is taken for now: a minute later a person is called."""
    seen, outcome, _ = FORBIDDEN["a create now"]
    first = condition("ReplicaFailure", desired(), after(-3600, seen), outcome)

    assert first.since == NOW
    assert (
        condition("Stalled", desired(), replace(seen, status=Status(conditions=(first,))), outcome, NOW + 60).status
        == "True"
    )


def test_what_is_forbidden_does_not_take_readiness_away() -> None:
    """Where all pods are there and available the group is Ready, whatever else it may not do."""
    refused = Outcome(failures=(replace(NO_CREATE, forbidden=True),))
    seen = after(60, observed(*seated(0)))

    assert said("Ready", desired(1), seen, refused)[0] == "True"
    assert said("Stalled", desired(1), seen, refused)[0] == "True"


def test_a_create_that_fails_otherwise_stalls_late() -> None:
    """An API server in trouble, or a webhook, will be out of it; if not within ten minutes, somebody has to look."""
    failing = observed(held=QUOTA)
    assert said("Stalled", desired(), after(LONG_PATIENCE - 1, failing)) == WELL
    status, reason, message = said("Stalled", desired(), after(LONG_PATIENCE, failing))

    assert (status, reason) == ("True", "FailedCreate")
    assert message.endswith("see whether what is named here, or the API server, is well. It is tried again.")


def test_a_template_that_is_refused_for_what_may_pass_does_not_stall() -> None:
    """A ServiceAccount that is made a moment later: without advice there is nothing to tell a person."""
    assert said("Stalled", desired(), after(3600, observed(template_refusal=NO_SUCH_ACCOUNT))) == WELL


def test_a_message_that_nobody_would_read_is_cut() -> None:
    """The API refuses the whole status if one message exceeds 32,768 characters; 4,096 are kept, and it says so."""
    long, just = "x" * 40_000, "x" * LONGEST_MESSAGE

    def told(message: str, kind: str) -> str:
        return said(kind, desired(), observed(), Outcome(failures=(Failure("FailedCreate", message),)))[2]

    assert told(long, "ReplicaFailure") == told(long, "Ready") == "x" * 4096 + " ... (cut)"
    assert told(just, "ReplicaFailure") == told(just, "Ready") == just
    refused = observed(template_refusal=Refusal(long, 30.0, advice=CORRECT))
    assert all(len(each.message) < 4200 for each in summarized(desired(), refused, NOTHING).conditions)


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


def test_a_group_of_which_every_pod_fails_for_a_minute_needs_a_person() -> None:
    """Stalled: from the third failure in a row on, unless some pod is Ready; the message says where to look."""
    thrice = replace(CORPSE, failures=2)

    assert said("Stalled", desired(1), after(60, observed(replace(CORPSE, failures=1)))) == WELL
    assert said("Stalled", desired(2), after(60, observed(*seated(1), thrice))) == WELL
    assert said("Stalled", desired(1), after(59.9, observed(thrice))) == WELL
    status, reason, message = said("Stalled", desired(1), after(60, observed(thrice)))
    assert (status, reason) == ("True", "PodsKeepFailing")
    assert message.endswith(
        "Find out why (`kubectl describe pod`, `kubectl logs`), then correct spec.template or the nodes. "
        "It is tried again by itself."
    )


def test_pods_that_keep_failing_are_told_of_though_somebody_takes_their_corpses_away() -> None:
    """What is remembered of the last one says the same as the pod itself."""
    twice = replace(CORPSE, failures=1)

    assert said("ReplicaFailure", desired(1), observed(corpse=twice)) == said(
        "ReplicaFailure", desired(1), observed(twice)
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
    assert [each.since for each in summarized(desired(), observed(), NOTHING, NOW).conditions] == [NOW] * 5


def test_each_condition_keeps_its_own_time() -> None:
    """One condition's change leaves the other conditions' times as they are."""
    before = summarized(desired(1), observed(*seated(0)), NOTHING, THEN)
    after = summarized(desired(1), replace(observed(), status=before), NOTHING, NOW)

    assert {each.type: each.since for each in after.conditions} == {
        "Ready": NOW,
        "Available": NOW,
        "Progressing": THEN,
        "ReplicaFailure": THEN,
        "Stalled": THEN,
    }
