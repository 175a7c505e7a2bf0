"""What kind leaves when the last cluster is gone, or when it was killed: volumes, its network, the kernel's settings.

The volumes and the network are ours, since nothing but kind clusters runs in our part of podman; but a cluster in the
making has some that look just like leftovers. So whoever creates holds a shared lock, and nothing is removed while
anybody does. The kernel's settings are the machine's: a kubelet changes them even from within a container, so they are
written down before the first cluster starts and put back after the last one.
"""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kindnode import podman

NETWORK = "kind"
"""The name that kind gives to the network of all its nodes."""

DAY = "24h"
"""Layers that no image needs any more are kept this long: the next build may be faster with them."""

KERNEL = ("kernel/panic", "kernel/panic_on_oops", "vm/overcommit_memory", "vm/panic_on_oom")
"""The settings that every kubelet changes (its container manager's setupKernelTunables), as paths in /proc/sys."""


@contextmanager
def creating() -> Iterator[None]:
    """Keep others from removing what is being made."""
    podman.engine()
    with (podman.home() / "create.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        _write_down_kernel()
        yield


def remove_leftovers() -> None:
    """Remove volumes that nobody uses and, if no node is left, all the rest; not while a cluster is being created."""
    engine = podman.engine()
    with (podman.home() / "create.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        engine.do("volume", "prune", "--force")
        engine.do("image", "prune", "--force", f"--filter=until={DAY}")
        if engine.ask("ps", "--all", "--quiet") == "":
            if engine.ask("network", "exists", NETWORK) is not None:
                engine.do("network", "rm", NETWORK)
            _restore_kernel()


def _written_down() -> Path:
    return podman.home() / "kernel.json"


def _write_down_kernel() -> None:
    if not _written_down().exists():
        values = {name: Path("/proc/sys", name).read_text().strip() for name in KERNEL}
        _written_down().write_text(json.dumps(values))


def _restore_kernel() -> None:
    if _written_down().exists():
        for name, value in json.loads(_written_down().read_text()).items():
            Path("/proc/sys", name).write_text(value)
        _written_down().unlink()
