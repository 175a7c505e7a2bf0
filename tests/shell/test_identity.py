"""Who we are: in a pod its UID, if no other process of the pod is that already."""

import subprocess
import sys
import uuid

from podgroup_operator.core.lease import of_our_kind
from podgroup_operator.lead import boot
from podgroup_operator.lead.identity import Identity

HOLD = """
import sys
from podgroup_operator.lead.identity import Identity
identity = Identity(sys.argv[1])
print(identity, flush=True)
sys.stdin.read()
"""


def test_who_comes_after_a_process_that_has_ended_bears_its_name() -> None:
    """And so holds its Lease; while it lives, even as a second process of the same pod, the name is another."""
    pod = str(uuid.uuid4())
    command = [sys.executable, "-c", HOLD, pod]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as former:  # noqa: S603 - ourselves
        assert former.stdout
        name = former.stdout.readline().strip()
        second = Identity(pod)
        former.kill()
    assert name.endswith(f"/{pod}")
    assert str(second) != name
    assert str(Identity(pod)) == name
    assert str(Identity(pod)) != name


def test_outside_a_pod_no_two_have_the_same_name() -> None:
    """Not even in one process; and nobody takes them for operators of version 0.1.0."""
    one, two = str(Identity()), str(Identity())
    assert one != two
    assert of_our_kind(one)


def test_the_age_of_a_stamp_is_known_on_the_same_machine_only() -> None:
    """Of another one, of another boot, or of none it is not."""
    age = boot.age_of(boot.stamp())
    assert age is not None
    assert 0 <= age < 60
    assert boot.age_of("another-boot/12.5") is None
    assert boot.age_of("") is None
    assert boot.age_of("nonsense") is None
