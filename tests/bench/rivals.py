"""Those who keep pods alive and are compared with each other: a PodGroup, a ReplicaSet, and the null healer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from e2e.namespace import CORE, template

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2e.namespace import Namespace

Json = dict[str, Any]

APPS = "/apis/apps/v1"
NAME = "rival"


class Rival(Protocol):
    """One of them, in a namespace; an object of its own owns its pods."""

    def start(self, replicas: int) -> tuple[str, float]:
        """Ask for so many pods; return their owner's UID, and when that was asked (monotonic seconds)."""

    def end(self) -> None:
        """Take the owner away, and with it the pods."""


class PodGroup:
    """What this project makes."""

    def __init__(self, shop: Namespace) -> None:
        self._shop = shop

    def start(self, replicas: int) -> tuple[str, float]:
        """Create a PodGroup."""
        asked = time.monotonic()
        return self._shop.create_group(NAME, replicas), asked

    def end(self) -> None:
        """Delete it."""
        self._shop.delete_group(NAME)


class ReplicaSet:
    """What Kubernetes has."""

    def __init__(self, shop: Namespace) -> None:
        self._shop = shop

    def start(self, replicas: int) -> tuple[str, float]:
        """Create a ReplicaSet."""
        labels = {"app": NAME}
        spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template({"labels": labels})}
        asked = time.monotonic()
        made = self._shop.create("replicasets", {"metadata": {"name": NAME}, "spec": spec}, APPS)
        return str(made["metadata"]["uid"]), asked

    def end(self) -> None:
        """Delete it."""
        delete(self._shop, "replicasets", APPS)


class NullHealer:
    """The limit: `null_healer.py`, a process of its own as the others are, whose pods a ConfigMap owns."""

    def __init__(self, shop: Namespace) -> None:
        self._shop = shop
        self._process: subprocess.Popen[str] | None = None

    def start(self, replicas: int) -> tuple[str, float]:
        """Start the process, and have it make the pods when it is ready to."""
        uid = str(self._shop.create("configmaps", {"metadata": {"name": NAME}})["metadata"]["uid"])
        owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": NAME, "uid": uid, "controller": True}
        kubeconfig, tests = Path(self._shop.cluster.kubeconfig_path).resolve(), Path(__file__).parents[1]
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [
                sys.executable,
                "-m",
                "bench.null_healer",
                str(kubeconfig),
                self._shop.name,
                str(replicas),
                json.dumps(owner),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(tests)},
        )
        assert self._process.stdin
        assert self._process.stdout
        assert self._process.stdout.readline(), "the null healer has ended"
        asked = time.monotonic()
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        return uid, asked

    def end(self) -> None:
        """End the process, and delete the ConfigMap."""
        assert self._process
        self._process.kill()
        self._process.communicate()
        delete(self._shop, "configmaps", CORE)


RIVALS: dict[str, Callable[[Namespace], Rival]] = {
    "PodGroup": PodGroup,
    "ReplicaSet": ReplicaSet,
    "null healer": NullHealer,
}


def delete(shop: Namespace, plural: str, root: str) -> None:
    """Delete a rival's owner; the garbage collector deletes the pods."""
    shop.api.request("DELETE", shop.path(plural, NAME, root), {"propagationPolicy": "Background"})
