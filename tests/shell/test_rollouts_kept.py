"""Revisions that are kept: as Go would write them, and as long as anything needs them."""

import pytest

from builders import desired, loss, observed
from podgroup_operator.act.tidy import needed
from podgroup_operator.api.jsontext import as_go_writes
from podgroup_operator.api.wire import desired as read_groups
from podgroup_operator.api.wire import revision as read_revisions
from podgroup_operator.api.wire.revision import read_revision, write_revision
from podgroup_operator.core.model.status import Status
from podgroup_operator.core.view import view_of
from podgroup_operator.observe.revisions import RevisionStore
from shell.rolling import group, images, roll, set_image
from shell.stage import Stage


def test_letters_beside_a_number_beyond_64_bits_are_written_as_go_writes_them() -> None:
    """Else nobody could patch the revision any more, for what is kept in it must not change."""
    template = {"metadata": {"annotations": {"owner": "Jürgen & Søn"}}, "memory": 10**20}
    words = '{"memory":100000000000000000000,"metadata":{"annotations":{"owner":"Jürgen \\u0026 Søn"}}}'
    assert as_go_writes(template) == words.encode()


def test_the_revision_of_a_pod_that_is_yet_to_come_again_is_needed() -> None:
    """No pod may bear it for a moment, and without it the pod would come as another."""
    seen = observed(losses={0: loss(0, revision="before"), 1: loss(1, revision="earlier")})
    assert {"before", "earlier"} <= needed(view_of(desired(2), seen, 0.0), Status())


@pytest.mark.parametrize("lives", [True, False], ids=["of a group that lives", "of one that is gone"])
def test_what_the_garbage_collector_deletes_of_a_group_that_is_gone_is_forgotten(*, lives: bool) -> None:
    """Only a group that lives may write it again; an operator that runs for months would keep the templates of all."""
    store = RevisionStore(wake=lambda _: lives)
    stored = write_revision(desired(1), {"spec": {}}, "r1", 1)
    stored["metadata"] |= {"uid": "u", "resourceVersion": "1"}
    stored["data"] = {"spec": {"template": {"spec": {"containers": []}}}}
    kept = read_revision(stored)
    assert kept
    owner = (kept.namespace, kept.owner)
    store.replace("", [kept], 1)
    store.replace("", [], 2)
    assert bool(store.deleted(owner)) is lives


async def test_two_templates_may_be_called_alike(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of a revision is ten digits of a hash; where that is another template's it gets another one."""
    for module in (read_revisions, read_groups):
        monkeypatch.setattr(module, "template_hash", lambda _, number=0: f"{'c' * 9}{number}")
    await group(stage, 2)
    for image in ("other", "app", "other"):
        set_image(stage, image)
        await roll(stage)
        assert images(stage) == [image] * 2
    assert len(stage.api.list("controllerrevisions")) == 2
