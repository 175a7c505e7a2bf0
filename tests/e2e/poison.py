"""Groups that cannot be helped; each keeps the operator and the API server busy in another way."""

from __future__ import annotations

import socket
import uuid
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from e2e.namespace import Namespace, template
from e2e.operator_fixtures import new_namespace
from e2e.waiting import eventually, wait_for

if TYPE_CHECKING:
    from pytest_kind import KindCluster

    from e2e.api import Api

GROUPS = 3
"""Of each kind."""

REPLICAS = 200
WEBHOOK_SECONDS = 4
WEBHOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"

UNMOUNTABLE = {"name": "web", "image": "web", "volumeMounts": [{"name": "nowhere", "mountPath": "/nowhere"}]}


class Poison:
    """Such groups, as long as its context lasts: a webhook hangs, a quota has no room, a template is wrong."""

    def __init__(self, cluster: KindCluster, api: Api) -> None:
        self._cluster = cluster
        self._api = api
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._hang(self._space(stack), stack)
            self._refuse(self._space(stack))
            self._mistake(self._space(stack))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _space(self, stack: ExitStack) -> Namespace:
        return Namespace(self._cluster, self._api, stack.enter_context(new_namespace(self._api)))

    def _hang(self, space: Namespace, stack: ExitStack) -> None:
        """Send each create to a webhook that takes the connection and never says a word, and see that it is told."""
        silent = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=100))
        webhook = {
            "name": "silent.selfheal.test",
            "clientConfig": {"url": f"https://127.0.0.1:{silent.getsockname()[1]}/"},
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": space.name}},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
            "failurePolicy": "Fail",
            "sideEffects": "None",
            "timeoutSeconds": WEBHOOK_SECONDS,
            "admissionReviewVersions": ["v1"],
        }
        name = f"silent-{uuid.uuid4().hex[:8]}"
        self._api.request("POST", WEBHOOKS, {"metadata": {"name": name}, "webhooks": [webhook]})
        stack.callback(self._api.request, "DELETE", f"{WEBHOOKS}/{name}")
        self._groups(space)
        words = 'failed calling webhook "silent.selfheal.test"'
        wait_for(words, lambda: words in space.condition("ReplicaFailure", "poison-0").get("message", ""))

    def _refuse(self, space: Namespace) -> None:
        """Leave no room for a single pod."""
        space.forbid_pods()
        self._groups(space)
        eventually("FailedCreate", lambda: space.condition("ReplicaFailure", "poison-0").get("reason"))

    def _mistake(self, space: Namespace) -> None:
        """Mount a volume that there is not, which no schema can see."""
        self._groups(space, template=template(containers=[UNMOUNTABLE]))
        wait_for("the mistake to be told", lambda: space.condition("Stalled", "poison-0").get("status") == "True")

    def _groups(self, space: Namespace, **spec: object) -> None:
        for number in range(GROUPS):
            space.create_group(f"poison-{number}", REPLICAS, **spec)
