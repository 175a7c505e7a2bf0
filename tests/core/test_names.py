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


LONG = ("w" * 52, "w" * 53, "w" * 63, "w" * 51 + "---" + "v" * 9, "w" * 52 + "." + "v" * 10, "w.v" * 21)


@pytest.mark.parametrize("slot", [0, 9, 10, 12345])
@pytest.mark.parametrize("group", LONG)
def test_a_long_name_is_cut_so_that_its_pods_can_have_one(group: str, slot: int) -> None:
    """A pod's name is a DNS name of 63 characters at most, which is also its host name; seat and suffix are whole."""
    name = pod_name(group, "0a1b2c3d", slot, 0)
    assert len(name) <= 63
    assert re.fullmatch(rf"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*-{slot}-\w{{5}}", name)
    assert name.rsplit("-", 2)[1:] == pod_name("web", "0a1b2c3d", slot, 0).rsplit("-", 2)[1:]


def test_groups_whose_names_begin_alike_make_pods_of_different_names() -> None:
    """Two groups whose names are cut to the same have different UIDs, and the suffix is computed from those."""
    one, two = (pod_name("w" * 55 + end, uid, 0, 0) for end, uid in (("-one", "0a1b2c3d"), ("-two", "4e5f6071")))
    assert (one[:54], one == two) == (two[:54], False)


def test_fifty_two_characters_are_never_cut() -> None:
    """Names that were possible before some were cut are what they were, in all slots there were."""
    assert pod_name("w" * 52, "0a1b2c3d", 9999, 0).startswith("w" * 52 + "-9999-")
