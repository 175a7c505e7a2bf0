"""The cache of PodGroups: the newest state of each, and which of them may have vanished while nobody looked."""

from typing import Any

from builders import orphan, pod
from podgroup_operator.observe.groups import Group, GroupStore
from podgroup_operator.workqueue import Key

Json = dict[str, Any]


def body(name: str = "web", uid: str = "first", version: int = 10, **spec: Any) -> Json:
    """Give a PodGroup as the API hands it out."""
    metadata = {"namespace": "shop", "name": name, "uid": uid, "resourceVersion": str(version)}
    return {"metadata": metadata, "spec": {"template": {}} | spec}


def known(*bodies: Json) -> tuple[GroupStore, Group]:
    """Give a cache that has heard of these, and the group `web` in it."""
    store = GroupStore()
    for each in bodies or (body(),):
        store.see(each)
    group = store.get(("shop", "web"))
    assert group
    return store, group


def test_a_group_is_found_by_its_name_and_by_its_uid() -> None:
    """A group that was seen is there, without the managed fields that nobody reads."""
    seen = body()
    seen["metadata"]["managedFields"] = [{}]
    store, group = known(seen)
    assert (group.key, group.uid, group.template, len(store)) == (("shop", "web"), "first", {}, 1)
    assert store.named("first") is group
    assert "managedFields" not in group.body["metadata"]
    assert (store.get(("shop", "api")), store.named("other")) == (None, None)


def test_a_newer_state_replaces_an_older_one_and_never_the_reverse() -> None:
    """Whoever brings a state, kopf or the answer to a write, the newest one is kept and given back."""
    store, _ = known(body(version=10, replicas=1))
    newer = store.see(body(version=12, replicas=2))
    assert newer.desired.replicas == 2
    assert store.see(body(version=11, replicas=3)) is newer
    assert store.see(body(version=12, replicas=4)) is newer
    assert store.get(("shop", "web")) is newer


def test_a_group_that_is_made_anew_is_another_one() -> None:
    """Under the same name with another UID it takes the place of the first, of which nothing is left."""
    store, _ = known()
    second = store.see(body(uid="second", version=20))
    assert (store.named("first"), store.named("second"), len(store)) == (None, second, 1)


def test_late_news_of_the_old_one_does_not_touch_the_new_one() -> None:
    """An older state and the end of the old group come after the new one was seen: it stays."""
    store, old = known()
    second = store.see(body(uid="second", version=20))
    assert store.see(body(uid="first", version=19)) is second
    store.forget(old)
    assert store.get(("shop", "web")) is second
    assert store.named("second") is second
    assert list(store.concerned(pod(controller="second"))) == [("shop", "web")]


def test_what_has_not_been_spoken_of_since_a_listing_is_doubtful() -> None:
    """A listing puts every known group in doubt, and hearing of one, if of no older version, clears it."""
    store, web = known(body("web"), body("api", "second"))
    api = store.named("second")
    assert api
    assert not store.doubtful(web)
    assert set(store.listed()) == {("shop", "web"), ("shop", "api")}
    assert store.doubtful(web)
    store.see(body("web", version=9))
    assert store.doubtful(web)
    store.see(body("web"))
    assert (store.doubtful(web), store.doubtful(api)) == (False, True)


def test_a_namesake_clears_no_doubt() -> None:
    """News of the old group does not say that the one that took its name exists."""
    store, _ = known(body(uid="second", version=20))
    store.listed()
    second = store.see(body(uid="first", version=19))
    assert store.doubtful(second)


def test_a_listing_of_one_namespace_leaves_the_groups_of_others_as_they_are() -> None:
    """Who was sure stays so, and who was not, too."""
    store, group = known()
    assert list(store.listed(lambda namespace: namespace == "elsewhere")) == []
    assert not store.doubtful(group)
    assert list(store.listed(lambda namespace: namespace == group.key[0])) == [group.key]
    assert store.doubtful(group)
    store.listed(lambda namespace: namespace == "elsewhere")
    assert store.doubtful(group)


def test_a_group_that_is_forgotten_is_nowhere() -> None:
    """Neither its name nor its UID finds it, and no orphan concerns it."""
    store, group = known()
    store.forget(group)
    assert (store.get(group.key), store.named(group.uid), len(store)) == (None, None, 0)
    assert list(store.concerned(orphan(labels={"selfheal.dev/podgroup": "web"}))) == []
    store.forget(group)


def test_an_answer_about_a_group_that_is_gone_does_not_bring_it_back() -> None:
    """It was on its way when the end of the group was heard of; before that it is news like any other."""
    store, group = known()
    store.answered(group, body(version=11), store.listing)
    assert store.get(group.key) is not group
    store.forget(group)
    store.answered(group, body(version=12), store.listing)
    assert len(store) == 0


def test_a_pod_concerns_its_controller() -> None:
    """And nobody if the controller is not known, or is in another namespace."""
    store, _ = known(body("web"), body("api", "second"))
    assert list(store.concerned(pod(controller="second"))) == [("shop", "api")]
    assert list(store.concerned(pod(controller="third"))) == []
    assert list(store.concerned(pod(controller="second", namespace="mall"))) == []


def test_an_orphan_concerns_every_group_that_would_take_it() -> None:
    """Those of its own namespace whose selectors match."""
    selector = {"matchLabels": {"app": "web"}}
    elsewhere = body("web", "third", selector=selector)
    elsewhere["metadata"]["namespace"] = "mall"
    store, _ = known(body("web", selector=selector), body("api", "second"), elsewhere)
    assert list(store.concerned(orphan())) == [("shop", "web")]
    assert list(store.concerned(orphan(labels={"app": "db"}))) == []
    assert list(store.concerned(orphan(namespace="nowhere"))) == []


def test_an_orphan_asks_only_groups_that_want_one_of_its_labels() -> None:
    """A thousand groups of its namespace, all of one release, cost it nothing."""
    store = GroupStore()
    for number in range(1000):
        labels = {"app.kubernetes.io/managed-by": "helm", "app": f"app-{number}"}
        store.see(body(f"web-{number}", f"uid-{number}", selector={"matchLabels": labels}))
    asked: list[Key] = []

    class Asked(dict[Key, Group]):
        def __getitem__(self, key: Key) -> Group:
            asked.append(key)
            return super().__getitem__(key)

    store._groups = Asked(store._groups)  # noqa: SLF001 - to count
    labels = {"app.kubernetes.io/managed-by": "helm", "app": "app-7"}
    assert list(store.concerned(orphan(labels=labels))) == [("shop", "web-7")]
    assert len(asked) <= 2


def test_an_orphan_concerns_groups_however_they_select() -> None:
    """By labels, by expressions, or by what a pod does not bear; after a change of the selector, too."""
    expressions = {
        "in": {"key": "app", "operator": "In", "values": ["web", "api"]},
        "exists": {"key": "app", "operator": "Exists"},
        "absent": {"key": "tier", "operator": "DoesNotExist"},
        "other": {"key": "app", "operator": "In", "values": ["db"]},
    }
    store = GroupStore()
    for name, expression in expressions.items():
        store.see(body(name, name, selector={"matchExpressions": [expression]}))
    assert {key[1] for key in store.concerned(orphan())} == {"in", "exists", "absent"}
    store.see(body("in", "in", 11, selector={"matchExpressions": [expressions["other"]]}))
    assert {key[1] for key in store.concerned(orphan())} == {"exists", "absent"}
    for name in expressions:
        group = store.named(name)
        assert group
        store.forget(group)
    assert list(store.concerned(orphan())) == []


def test_a_group_that_cannot_be_read_is_kept_and_takes_no_pod() -> None:
    """Whoever looks at it finds out what cannot be read."""
    store, group = known(body(replicas="three", selector={"matchLabels": {"app": 5}}))
    assert group.desired.unreadable == "spec.replicas, spec.selector.matchLabels"
    assert list(store.concerned(orphan())) == []
    assert store.see(body(version=11, replicas=3)).desired.unreadable == ""
