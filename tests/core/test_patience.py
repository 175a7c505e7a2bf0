"""Patience: each template has its own streak of failures, and waits for no other's."""

from typing import Any

from builders import NOW, create, desired, loss, observed, pod, seated
from podgroup_operator.core.model.pod import Phase, Pod
from podgroup_operator.core.patience import Patience, wait_for
from podgroup_operator.core.view import view_of

OLD, NEW = create(0, revision="r1", lost=loss(0, early=True)), create(1, revision="r2", lost=loss(1, early=True))


def corpse(revision: str, **changes: Any) -> Pod:
    """Build a pod that failed at birth a second ago, the fifth in a row."""
    plain: dict[str, Any] = {"phase": Phase.FAILED, "created": NOW - 2, "finished": NOW - 1, "failures": 4}
    return pod(f"corpse-{revision}", slot=None, revision=revision, ready_since=None, **(plain | changes))


def waited(*pods: Pod) -> Patience:
    """Hold back what has to wait, of an old pod and a new one."""
    view = view_of(desired(3, revision="r2", former="r1"), observed(*pods), NOW)
    return wait_for([OLD, NEW], view, view.active, first_look=False)


def test_without_failures_nothing_waits() -> None:
    """All may be made at once."""
    assert waited(*seated(2)) == Patience((OLD, NEW))


def test_old_pods_that_fail_hold_up_no_new_one() -> None:
    """What is held back is of the template whose pods fail, and so is what is said of it."""
    found = waited(*seated(2), corpse("r1"))

    assert (found.creates, found.held) == ((NEW,), 1)
    assert "corpse-r1" in found.why
    assert found.look_again is not None


def test_new_pods_that_fail_hold_up_no_old_one() -> None:
    """The way back from a template that fails at birth has no pauses."""
    assert waited(*seated(2), corpse("r2")).creates == (OLD,)


def test_both_may_wait() -> None:
    """Each for its own streak; it is looked again when the first of them may be tried."""
    found = waited(*seated(2), corpse("r1"), corpse("r2", finished=NOW - 1.5))

    assert (found.creates, found.held) == ((), 2)
    assert "corpse-r1" in found.why
    assert "corpse-r2" in found.why


def test_a_trial_of_one_template_holds_up_no_other() -> None:
    """A pod that was made in a streak, and may still fail, is a trial of its own template only."""
    trial = pod("trial", slot=5, revision="r1", ready_since=None, created=NOW - 1, failures=3)
    old = corpse("r2", created=NOW - 60, finished=NOW - 50, failures=1)

    assert NEW.slot in [each.slot for each in waited(*seated(2), trial, old).creates]
