"""Names: computed from group UID, slot and epoch, fixed for ever."""

import re

import pytest

from podgroup_operator.core.names import SUFFIX_ALPHABET, pod_name

# Changing one of these renames the pods of every running group: a second operator would make them twice.
NAMES = {
    "the first pod of a slot": (("web", "0a1b2c3d", 0, 0), "web-0-42qsg"),
    "its replacement": (("web", "0a1b2c3d", 0, 1), "web-0-qp548"),
    "the pod next to it": (("web", "0a1b2c3d", 1, 0), "web-1-ps9g2"),
    "the same seat of a namesake made later": (("web", "4e5f6071", 0, 0), "web-0-vbshh"),
}


@pytest.mark.parametrize(("seat", "name"), NAMES.values(), ids=NAMES.keys())
def test_a_seat_has_one_name(seat: tuple[str, str, int, int], name: str) -> None:
    """The name of a pod is a function of its group's UID, its slot and its epoch, today and in the next release."""
    assert name == pod_name(*seat)


def test_names_are_legal_and_speak_no_words() -> None:
    """A name is a DNS label whose last part has five characters of Kubernetes' own alphabet."""
    names = [pod_name("web", "0a1b2c3d", slot, epoch) for slot in range(20) for epoch in range(20)]

    assert [name for name in names if not re.fullmatch(rf"web-\d+-[{SUFFIX_ALPHABET}]{{5}}", name)] == []


def test_names_of_one_slot_differ_from_epoch_to_epoch() -> None:
    """A thousand replacements in one slot have a thousand names."""
    assert len({pod_name("web", "0a1b2c3d", 0, epoch) for epoch in range(1000)}) == 1000
